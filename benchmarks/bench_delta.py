"""MERGE of a small change into the Delta tables of an export, against writing all of those tables anew.

The change is the last hundredth of the lines of every type, as a nightly export has it: their ids are there, so their
rows are replaced. Both are made of tables that a run has published, in one session; what masking takes is not counted. A
full rewrite is Spark's own overwrite of each Delta table with the rows that it has. Maven brings Delta's jars.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from benchmarks.engines import make_engine
from benchmarks.export import CACHE, MB, bytes_of, files_of, find_export, slice_of
from benchmarks.jobs import Usage, Watch, folder
from benchmarks.report import Report, Verdict
from benchmarks.scale import Scale
from masking.commands.quiet import QuietStart
from masking.session import open_session, with_delta
from masking.spark import RunSettings, mask
from masking.spark.delta import merge_runs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: The part of the lines of each type that change.
CHANGED = 0.01
#: What merging them may cost of a full rewrite, as things are, and what it should.
FLOOR, GOAL = 3.0, 0.05
#: The later ones find compiled code, in Java and for Spark's plans.
_ROUNDS = 2


def main(scale: Scale) -> Report:
    """Measure and tell by round, the first of which finds a process as a nightly job does."""
    source = slice_of(find_export(scale), scale.job_mb)
    os.environ["SPARK_LOCAL_DIRS"] = str(CACHE / "spark")
    with QuietStart():
        spark = open_session(None, with_delta(None, {}))
    with folder("delta") as target, folder("delta-phi") as phi, folder("change") as change:
        _mask(spark, source, target, phi)
        with Watch() as created:
            merge_runs(spark, str(target))
        tables = sorted((target / "delta").iterdir())
        rounds = []
        for _ in range(_ROUNDS):
            changed = _last_lines(source, change)
            _mask(spark, change, target, phi)
            with Watch() as merged:
                merge_runs(spark, str(target))
            with Watch() as written:
                for table in tables:
                    frame = spark.read.format("delta").load(str(table))
                    frame.write.format("delta").mode("overwrite").save(str(table))
            rounds.append((changed, merged, written))
        spark.stop()
    size = bytes_of(source) / MB
    report = Report(
        f"Delta, a change of {CHANGED:.0%} of {size:,.0f} MB, {len(tables)} tables, created in {created.seconds:.1f} s",
        ("round", "changed MB", "MERGE s", "rewrite s", "time ÷ rewrite", "CPU ÷ rewrite"),
    )
    report.rows = [_row(number, *one) for number, one in enumerate(rounds, 1)]
    _, merged, written = rounds[-1]
    wall = merged.seconds / written.seconds
    what = f"MERGE of {CHANGED:.0%}, time against a full rewrite (last round)"
    report.verdicts = [Verdict(what, wall, FLOOR, GOAL, is_less_better=True)]
    report.figures = {
        "mb": round(size, 1),
        "tables": len(tables),
        "created_seconds": round(created.seconds, 2),
        "merge_seconds_a_table": round(merged.seconds / len(tables), 2),
        "time_ratio": round(wall, 3),
        "cpu_ratio": round(merged.cpu / written.cpu, 3),
    }
    return report


def _mask(spark: SparkSession, source: Path, target: Path, phi: Path) -> None:
    """A run whose tables wait to be merged."""
    engine, made_with = make_engine()
    settings = RunSettings(formats="ndjson,parquet,delta")
    with mock.patch("masking.spark.run.merge_runs"):
        mask(spark, str(source), str(target), str(phi), engine=engine, made_with=made_with, settings=settings)


def _last_lines(source: Path, target: Path) -> float:
    """Write the last `CHANGED` of the lines of every file; the megabytes of them."""
    total = 0
    for file in files_of(source):
        lines = file.read_bytes().splitlines(keepends=True)
        last = lines[-max(1, round(CHANGED * len(lines))) :]
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        total += copy.write_bytes(b"".join(last))
    return total / MB


def _row(number: int, changed: float, merged: Usage, written: Usage) -> tuple[str, ...]:
    return (
        str(number),
        f"{changed:.1f}",
        f"{merged.seconds:.1f}",
        f"{written.seconds:.1f}",
        f"{merged.seconds / written.seconds:.2f}×",
        f"{merged.cpu / written.cpu:.2f}×",
    )
