"""FF1 on one core, values of ten digits, against its AES alone. `bench_ff1` says more, about all ciphers and maskers."""

from __future__ import annotations

import numpy as np

from benchmarks.bench_ff1 import KEY, aes_alone, best, peak_mb
from benchmarks.report import Report, Verdict
from benchmarks.scale import Scale
from masking.ff1 import FF1

FLOOR = 1_000_000  # values a second


def main(scale: Scale) -> Report:
    """Measure both ways."""
    count = scale.ff1_values
    numerals = np.random.default_rng(1).integers(0, 10, (count, 10)).astype(np.uint16)
    cipher = FF1(KEY, 10)
    floor = best(aes_alone(count))
    report = Report(f"FF1, {count:,} values of ten digits, one core", ("", "values/s", "÷ AES alone", "peak MB"))
    report.rows.append(("floor: the AES alone", f"{count / floor:,.0f}", "1.00×", ""))
    for name, inverse in (("encrypt", False), ("decrypt", True)):

        def work(inverse: bool = inverse) -> object:
            return cipher.encrypt_matrix(numerals, b"tweak", inverse=inverse)

        seconds, memory = best(work), peak_mb(work)
        report.rows.append((name, f"{count / seconds:,.0f}", f"{floor / seconds:.2f}×", f"{memory:,.1f}"))
        report.figures[name] = {
            "values_per_second": round(count / seconds),
            "ratio_to_aes": round(floor / seconds, 3),
            "peak_mb": round(memory, 1),
        }
        report.verdicts.append(Verdict(f"FF1, {name}", count / seconds, FLOOR, unit=" values/s"))
    return report
