"""How much is measured: all of it, or as little as tells that the benchmarks work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of one round of benchmarks; MB are 10**6 bytes of NDJSON.

    patients: in the sample export that is made (0.13 MB each). engine_mb, job_mb: how much of it the engine and the
    whole job are given. sizes_mb: for time and memory against data size, ascending. repeats: pairs of jobs. people: in the
    crowd.
    """

    patients: int
    engine_mb: int
    job_mb: int
    sizes_mb: tuple[int, ...]
    repeats: int
    made_patients: int
    ff1_values: int
    people: int


FULL = Scale(
    patients=3_200,
    engine_mb=200,
    job_mb=200,
    sizes_mb=(25, 50, 100, 200, 400),
    repeats=3,
    made_patients=1_000,
    ff1_values=1_000_000,
    people=1_000_000,
)
QUICK = Scale(
    patients=100,
    engine_mb=12,
    job_mb=12,
    sizes_mb=(3, 6, 12),
    repeats=1,
    made_patients=50,
    ff1_values=100_000,
    people=4_000,
)
