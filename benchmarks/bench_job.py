"""The whole job against an identity `mapInArrow` job over the same files, in partitions of the same size.

Both run in one session that is warm, one after the other, some times over; each masking run has a fresh engine. The
figure is the median of the ratios of neighbours, so that noise that lasts meets both. CPU seconds, of all processes,
say what a cluster would pay for.
"""

from __future__ import annotations

import statistics

from benchmarks.export import MB, bytes_of, find_export, slice_of
from benchmarks.jobs import Usage, count_partitions, run_identity, run_mask, session
from benchmarks.report import Report, Verdict
from benchmarks.scale import Scale

FLOOR, GOAL = 2.5, 1.5


def main(scale: Scale) -> Report:
    """Measure and tell by pair."""
    export = find_export(scale)
    source, first = slice_of(export, scale.job_mb), slice_of(export, scale.sizes_mb[0])
    with session() as spark:
        partitions = count_partitions(spark, source)
        run_identity(spark, first, 2)
        run_mask(spark, first, 2)
        pairs = [
            (run_identity(spark, source, partitions), run_mask(spark, source, partitions)) for _ in range(scale.repeats)
        ]
    size = bytes_of(source) / MB
    report = Report(
        f"Whole job, {size:,.0f} MB in {partitions} partitions",
        (
            "pair",
            "identity s",
            "mask s",
            "mask MB/s",
            "time ÷ identity",
            "identity CPU s",
            "mask CPU s",
            "CPU ÷ identity",
        ),
    )
    report.rows = [_row(number, size, *pair) for number, pair in enumerate(pairs, 1)]
    wall = statistics.median(masked.seconds / identity.seconds for identity, masked in pairs)
    cpu = statistics.median(masked.cpu / identity.cpu for identity, masked in pairs)
    report.verdicts = [Verdict("whole job, time against identity (median)", wall, FLOOR, GOAL, is_less_better=True)]
    report.figures = {
        "mb": round(size, 1),
        "partitions": partitions,
        "time_ratio": round(wall, 3),
        "cpu_ratio": round(cpu, 3),
        "pairs": [
            {
                "identity_seconds": round(identity.seconds, 3),
                "mask_seconds": round(masked.seconds, 3),
                "identity_cpu_seconds": round(identity.cpu, 3),
                "mask_cpu_seconds": round(masked.cpu, 3),
            }
            for identity, masked in pairs
        ],
    }
    return report


def _row(number: int, size: float, identity: Usage, masked: Usage) -> tuple[str, ...]:
    return (
        str(number),
        f"{identity.seconds:.2f}",
        f"{masked.seconds:.2f}",
        f"{size / masked.seconds:,.0f}",
        f"{masked.seconds / identity.seconds:.2f}×",
        f"{identity.cpu:.2f}",
        f"{masked.cpu:.2f}",
        f"{masked.cpu / identity.cpu:.2f}×",
    )
