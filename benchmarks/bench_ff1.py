"""What ciphers and identifier maskers cost on one core, as ratios to floors measured in the same run.

    python benchmarks/bench_ff1.py [--values N]

FF1's floor is its AES alone: the ten calls a chunk over the same number of blocks, with no arithmetic around them. The
floor of texts is what any masker of them must do: join a batch and cut it again. Memory is the peak that numpy and
Python hold above the input and output (tracemalloc, in a run of its own, since tracing slows).
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from masking.ff1 import FF1
from masking.formats import DIGITS, encrypt_text
from masking.keys import hmac_parts, prf_bytes
from masking.maskers.identifiers import FormatPreserving, PseudonymizeId
from masking.maskers.issued import CheckDigit, Ssn
from masking.pseudonyms import Pseudonyms

KEY = hashlib.sha256(b"benchmark").digest()
CHUNK = 1 << 13


class Keys:
    """Subkeys for a benchmark."""

    def subkey(self, purpose: str) -> bytes:
        """One for each purpose."""
        return hmac.digest(KEY, purpose.encode(), "sha256")


def best(work: Callable[[], Any], repeats: int = 3) -> float:
    """Seconds of the fastest run: the others were disturbed."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_mb(work: Callable[[], Any]) -> float:
    """Megabytes above what is kept of the result."""
    tracemalloc.start()
    kept = work()
    current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return (peak - current) / 1e6


def aes_alone(count: int) -> Callable[[], None]:
    """Ten blocks a value, in the chunks that FF1 uses."""
    blocks = bytes(16 * CHUNK)

    def work() -> None:
        update = Cipher(AES(KEY), ECB()).encryptor().update
        for _ in range(10 * count // CHUNK):
            update(blocks)

    return work


def row(name: str, count: int, seconds: float, floor: float, memory: float | None = None) -> None:
    more = "" if memory is None else f"{memory:>9.1f} MB"
    print(f"{name:<44}{count / seconds:>12,.0f}/s{floor / seconds:>9.2f}x{more}")


def ff1(count: int) -> None:
    numerals = np.random.default_rng(1).integers(0, 10, (count, 10)).astype(np.uint16)
    texts = ["".join(map(str, line)) for line in numerals.tolist()]
    cipher = FF1(KEY, 10)
    floor = best(aes_alone(count))
    print(f"\nFF1, {count:,} values of ten digits (AES-256)")
    row("floor: the AES alone", count, floor, floor)
    for name, work in (
        ("encrypt, matrix of numerals", lambda: cipher.encrypt_matrix(numerals, b"tweak")),
        ("decrypt, matrix of numerals", lambda: cipher.encrypt_matrix(numerals, b"tweak", inverse=True)),
        ("encrypt, list of texts", lambda: encrypt_text(KEY, DIGITS, texts, b"tweak")),
    ):
        row(name, count, best(work), floor, peak_mb(work))
    many = [b"system-%d" % (i % 1000) for i in range(count)]
    row("encrypt, matrix, a thousand tweaks", count, best(lambda: cipher.encrypt_matrix(numerals, many)), floor)
    wide = np.tile(numerals[: count // 20], (1, 5))
    row("encrypt, matrix, fifty digits", len(wide), best(lambda: cipher.encrypt_matrix(wide, b"tweak")), floor / 20)


def maskers(count: int) -> None:
    hexed = [hashlib.md5(b"%d" % i, usedforsecurity=False).hexdigest() for i in range(count)]
    uuids = [f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in hexed]
    joined = "\n".join(uuids)
    floor = best(lambda: "".join(uuids).encode() and joined.split("\n"))
    print(f"\nMaskers of texts, {count:,} distinct values")
    row("floor: join and cut UUIDs", count, floor, floor)
    pseudonyms = Pseudonyms.bind(Keys())
    row(
        "mask_uuids",
        count,
        best(lambda: pseudonyms.mask_uuids(uuids)),
        floor,
        peak_mb(lambda: pseudonyms.mask_uuids(uuids)),
    )
    fewer = count // 10
    digits = [f"{int(h[:12], 16) % 10**10:010d}" for h in hexed[:fewer]]
    for name, spec, values in (
        ("pseudonymize_id, mixed forms", PseudonymizeId(), [*uuids[: fewer // 2], *digits[: fewer // 2]]),
        ("format_preserving, 0123456789", FormatPreserving(), digits),
        ("format_preserving, 012-3456789", FormatPreserving(), [f"{text[:3]}-{text[3:]}" for text in digits]),
        ("format_preserving, AB-0123456789", FormatPreserving(), [f"AB-{text}" for text in digits]),
        ("format_preserving, hashed", FormatPreserving(), [text[:5] for text in digits]),
        ("check_digit, npi", CheckDigit("npi"), [f"1{text[1:]}" for text in digits]),
        ("ssn", Ssn(), [text[:9] for text in digits]),
    ):
        bound = spec.bind(Keys())
        row(name, fewer, best(lambda bound=bound, values=values: bound.mask_distinct(values)), floor / 10)


def functions(count: int) -> None:
    values = [f"Patient/{i}" for i in range(count // 10)]
    floor = best(lambda: [value.encode() for value in values])
    print(f"\nKeyed functions of one text, {len(values):,} texts")
    row("floor: encode the text", len(values), floor, floor)
    row("prf_bytes (keyed BLAKE2b)", len(values), best(lambda: prf_bytes(KEY, values, "d")), floor)
    row(
        "hmac_parts (HMAC-SHA-256)",
        len(values),
        best(lambda: [hmac_parts(KEY, b"d", v.encode()) for v in values]),
        floor,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=1_000_000)
    count = max(parser.parse_args().values, 10_000)
    print(f"{'':<44}{'values':>14}{'floor':>10}{'peak':>12}")
    ff1(count)
    maskers(count)
    functions(count)


if __name__ == "__main__":
    main()
