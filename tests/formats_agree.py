"""Whether the formats of a run hold the same rows; with Delta in a process of its own: `python formats_agree.py SOURCE FOLDER`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq
from documents import ON, plan
from scan import lines

from masking.document import Engine
from masking.report.manifest import MadeWith
from masking.spark import RunResult, RunSettings, mask

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Ids = dict[str, Counter[str | None]]  # of each type, in lower case


def masked(spark: SparkSession, source: Path, folder: Path, formats: str) -> RunResult:
    """A run; Bundles are taken apart."""
    made_with = MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON)
    how = RunSettings(formats=formats, bundles="split")
    places = [str(source), str(folder / "out"), str(folder / "phi")]
    return mask(spark, *places, engine=Engine(plan()), made_with=made_with, settings=how)


def in_ndjson(result: RunResult) -> Ids:
    """The ids as the lines have them."""
    found = {}
    for folder in Path(result.ndjson).iterdir():
        documents = [json.loads(line) for path in folder.iterdir() for line in lines(path)]
        assert {document["resourceType"] for document in documents} == {folder.name}
        found[folder.name.lower()] = Counter(document.get("id") for document in documents)
    return found


def in_parquet(result: RunResult) -> Ids:
    """The ids as pyarrow and DuckDB find them, which is alike."""
    assert result.parquet is not None
    found = {}
    for folder in Path(result.parquet).iterdir():
        found[folder.name] = Counter(pq.read_table(folder, columns=["id"])["id"].to_pylist())
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
            rows = connection.read_parquet(f"{folder}/**/*.parquet").project("id").fetchall()
        assert Counter(row[0] for row in rows) == found[folder.name]
    return found


def in_delta(spark: SparkSession, result: RunResult) -> Ids:
    """The ids as Spark finds them."""
    assert result.delta is not None
    found = {}
    for folder in Path(result.delta).iterdir():
        rows = spark.read.format("delta").load(str(folder)).select("id").collect()
        found[folder.name] = Counter(row.id for row in rows)
    return found


def check(result: RunResult) -> Ids:
    """NDJSON and Parquet agree, with each other and with the manifest; the ids."""
    ids = in_ndjson(result)
    assert in_parquet(result) == ids
    assert {
        name.lower(): count.masked + count.resources
        for name, count in result.manifest.types.items()
        if count.masked + count.resources
    } == {name: found.total() for name, found in ids.items()}
    return ids


def main(source: Path, folder: Path) -> None:
    """All three formats."""
    from masking.session import open_session, with_delta  # noqa: PLC0415 (the process of the tests starts Spark otherwise)

    conf = {
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m",
    }
    spark = open_session("local[2]", with_delta("local", conf))
    result = masked(spark, source, folder, "ndjson,parquet,delta")
    ids = check(result)
    # A table holds an id once; lines without one are all there.
    assert in_delta(spark, result) == {
        name: Counter({id_: 1 if id_ is not None else count for id_, count in found.items()})
        for name, found in ids.items()
    }
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
