"""NDJSON and tables in one run, against NDJSON alone followed by Spark's own `from_json` of the masked lines to Parquet.

Spark is given the same schema, the same compression and the lines as text; it neither sorts them nor says whose they
are. All jobs run in one warm session, one after the other, some times over; the figure is the median of the ratios.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
from pyspark.sql import functions
from pyspark.sql.pandas.types import from_arrow_schema

from benchmarks.engines import make_engine
from benchmarks.export import MB, bytes_of, find_export, slice_of
from benchmarks.jobs import Usage, Watch, folder, session
from benchmarks.report import Report, Verdict
from benchmarks.scale import Scale
from masking.spark import RunSettings, mask
from masking.tables.schema import arrow_schema, derived

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FLOOR, GOAL = 1.3, 1.0


def main(scale: Scale) -> Report:
    """Measure and tell by round."""
    export = find_export(scale)
    source, first = slice_of(export, scale.job_mb), slice_of(export, scale.sizes_mb[0])
    with session() as spark:
        _round(spark, first)
        rounds = [_round(spark, source) for _ in range(scale.repeats)]
    size = bytes_of(source) / MB
    report = Report(
        f"Tables, {size:,.0f} MB of source",
        (
            "round",
            "NDJSON s",
            "from_json s",
            "NDJSON+tables s",
            "time ÷ both",
            "CPU ÷ both",
            "tables MB",
            "from_json MB",
        ),
    )
    report.rows = [_row(number, *one) for number, one in enumerate(rounds, 1)]
    wall = statistics.median(ours.seconds / (alone.seconds + spark.seconds) for alone, spark, ours, *_ in rounds)
    cpu = statistics.median(ours.cpu / (alone.cpu + spark.cpu) for alone, spark, ours, *_ in rounds)
    step = statistics.median((ours.cpu - alone.cpu) / spark.cpu for alone, spark, ours, *_ in rounds)
    what = "NDJSON and tables, time against NDJSON, then from_json (median)"
    report.verdicts = [Verdict(what, wall, FLOOR, GOAL, is_less_better=True)]
    report.figures = {
        "mb": round(size, 1),
        "time_ratio": round(wall, 3),
        "cpu_ratio": round(cpu, 3),
        "tables_cpu_to_from_json_cpu": round(step, 3),
    }
    return report


Round = tuple[Usage, Usage, Usage, int, int]


def _round(spark: SparkSession, source: Path) -> Round:
    """What the three jobs take, and the bytes of both kinds of Parquet."""
    with folder("alone") as out, folder("from_json") as parquet:
        alone = _mask(spark, source, out, "ndjson")
        types = sorted(next(out.glob("runs/*/ndjson")).iterdir())
        with Watch() as by_spark:
            for lines in types:
                _from_json(spark, lines, parquet / lines.name)
        theirs = _parquet_bytes(parquet)
    with folder("tables") as out:
        both = _mask(spark, source, out, "ndjson,parquet")
        ours = _parquet_bytes(out)
    return alone, by_spark, both, ours, theirs


def _mask(spark: SparkSession, source: Path, target: Path, formats: str) -> Usage:
    engine, made_with = make_engine()
    with folder("phi") as phi, Watch() as usage:
        settings = RunSettings(formats=formats)
        mask(spark, str(source), str(target), str(phi), engine=engine, made_with=made_with, settings=settings)
    return usage


def _from_json(spark: SparkSession, lines: Path, target: Path) -> None:
    ours = {field.name for field in derived(lines.name)}
    schema = from_arrow_schema(pa.schema([field for field in arrow_schema(lines.name) if field.name not in ours]))
    read = spark.read.text(str(lines)).select(functions.from_json("value", schema).alias("resource"))
    read.select("resource.*").write.option("compression", "zstd").parquet(str(target))


def _parquet_bytes(place: Path) -> int:
    return sum(file.stat().st_size for file in place.rglob("*.parquet"))


def _row(number: int, alone: Usage, spark: Usage, ours: Usage, our_bytes: int, their_bytes: int) -> tuple[str, ...]:
    return (
        str(number),
        f"{alone.seconds:.2f}",
        f"{spark.seconds:.2f}",
        f"{ours.seconds:.2f}",
        f"{ours.seconds / (alone.seconds + spark.seconds):.2f}×",
        f"{ours.cpu / (alone.cpu + spark.cpu):.2f}×",
        f"{our_bytes / MB:.1f}",
        f"{their_bytes / MB:.1f}",
    )
