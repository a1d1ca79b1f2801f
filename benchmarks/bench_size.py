"""Time and peak memory of the whole job against the size of the data: a straight line, and flat.

One warm session, sizes ascending, a fresh engine each. Memory is resident memory: of the driver, of its Java, and of the
largest Python worker, sampled ten times a second. CPU seconds, of all processes, lie on their line also when others use
the machine.
"""

from __future__ import annotations

import numpy as np

from benchmarks.export import MB, bytes_of, find_export, slice_of
from benchmarks.jobs import Usage, run_mask, session
from benchmarks.report import Report, Verdict
from benchmarks.scale import Scale

LINE = 0.99  # R² of the straight line
GROWTH = 1.25  # peak memory of a worker at the largest size, against that at a quarter of it: flat


def main(scale: Scale) -> Report:
    """Measure and tell by size."""
    export = find_export(scale)
    sources = list(dict.fromkeys(slice_of(export, size) for size in scale.sizes_mb))  # no size twice of a small export
    with session() as spark:
        run_mask(spark, sources[0])
        measured = [(bytes_of(source) / MB, run_mask(spark, source)) for source in sources]
    report = Report(
        "Whole job against data size",
        ("MB", "seconds", "MB/s", "line", "CPU s", "driver MB", "Java MB", "worker MB"),
    )
    sizes = [size for size, _ in measured]
    slope, fixed, straight = fit(sizes, [usage.seconds for _, usage in measured])
    cpu_slope, cpu_fixed, cpu_straight = fit(sizes, [usage.cpu for _, usage in measured])
    report.rows = [_row(size, usage, fixed + slope * size) for size, usage in measured]
    report.verdicts = [Verdict("straightness of time against size (R²)", straight, LINE, unit="")]
    quarter = max((pair for pair in measured if pair[0] <= measured[-1][0] / 3.9), default=measured[0])
    growth = measured[-1][1].peak.worker / quarter[1].peak.worker
    four = f"a worker's peak memory, {measured[-1][0]:,.0f} MB against {quarter[0]:,.0f} MB"
    report.verdicts.append(Verdict(four, growth, GROWTH, is_less_better=True))
    report.notes.append(f"the line: {fixed:.2f} s, and then {1 / slope:,.0f} MB/s")
    report.notes.append(f"in CPU: {cpu_fixed:.2f} s, and then {1 / cpu_slope:,.0f} MB/s a core, R² {cpu_straight:.4f}")
    report.figures = {
        "r2": round(straight, 5),
        "fixed_seconds": round(fixed, 3),
        "marginal_mb_per_second": round(1 / slope, 1),
        "cpu_r2": round(cpu_straight, 5),
        "cpu_fixed_seconds": round(cpu_fixed, 3),
        "cpu_marginal_mb_per_second": round(1 / cpu_slope, 1),
        "worker_growth": round(growth, 3),
        "sizes": [_json(size, usage) for size, usage in measured],
    }
    return report


def fit(sizes: list[float], seconds: list[float]) -> tuple[float, float, float]:
    """The straight line by least squares: seconds a MB, seconds at 0 MB, and R²."""
    slope, fixed = np.polyfit(sizes, seconds, 1)
    left = np.asarray(seconds) - (fixed + slope * np.asarray(sizes))
    spread = np.asarray(seconds) - np.mean(seconds)
    return float(slope), float(fixed), float(1 - np.sum(left**2) / np.sum(spread**2))


def _row(size: float, usage: Usage, line: float) -> tuple[str, ...]:
    peaks = (usage.peak.driver, usage.peak.java, usage.peak.worker)
    memory = (f"{peak / MB:,.0f}" for peak in peaks)
    times = (f"{usage.seconds:.2f}", f"{size / usage.seconds:,.0f}", f"{line:.2f}", f"{usage.cpu:.2f}")
    return (f"{size:,.0f}", *times, *memory)


def _json(size: float, usage: Usage) -> dict[str, float]:
    return {
        "mb": round(size, 1),
        "seconds": round(usage.seconds, 3),
        "cpu_seconds": round(usage.cpu, 3),
        "driver_peak_bytes": usage.peak.driver,
        "java_peak_bytes": usage.peak.java,
        "worker_peak_bytes": usage.peak.worker,
    }
