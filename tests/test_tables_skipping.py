"""A filter on a patient and on dates leaves most of a table unread: what the plans of pyarrow, DuckDB and Spark say."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow.dataset as ds
import pytest
from test_tables_parquet import conditions, make, small_groups, write_lines

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["small_groups"]
SINCE = dt.datetime(2010, 1, 1, tzinfo=dt.UTC)
WHERE = "patient_id = 'p07' AND main_date >= TIMESTAMP '2010-01-01 00:00:00'"
DOCUMENTS = conditions(500)


def wanted() -> list[str]:
    """The ids that the filter leaves."""
    mine = [d for d in DOCUMENTS if d.get("subject", {}).get("reference") == "Patient/p07"]
    return sorted(d["id"] for d in mine if d.get("onsetDateTime", "") >= "2010")


@pytest.fixture
def table(tmp_path: Path, small_groups: None) -> Path:
    """Some twenty row groups in one file; in life they have 64 MB of JSON each."""
    make(tmp_path, write_lines(tmp_path, DOCUMENTS))
    return tmp_path / "parquet" / "condition"


def test_row_groups_are_skipped(table: Path) -> None:
    data = ds.dataset(table)
    where = (ds.field("patient_id") == "p07") & (ds.field("main_date") >= SINCE)
    [fragment] = data.get_fragments()
    assert fragment.num_row_groups > 15
    assert len(fragment.subset(where).row_groups) <= 2
    assert len(fragment.subset(ds.field("patient_id") == "p07").row_groups) <= 3
    assert sorted(data.to_table(filter=where)["id"].to_pylist()) == wanted() != []


def test_duckdb_scans_a_row_group_or_two(table: Path) -> None:
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.read_parquet(f"{table}/*.parquet").create_view("condition")
        found = connection.execute(f"SELECT id FROM condition WHERE {WHERE}").fetchall()
        [[_, plan]] = connection.execute(f"EXPLAIN ANALYZE SELECT id FROM condition WHERE {WHERE}").fetchall()
    assert sorted(row[0] for row in found) == wanted()
    scanned = re.search(r"Row Groups Scanned: (\d+) / (\d+)", plan)
    assert scanned is not None, plan
    assert 1 <= int(scanned[1]) <= 2 and int(scanned[2]) > 15


def test_spark_reads_the_rows_of_a_group_or_two(spark: SparkSession, table: Path) -> None:
    spark.read.parquet(str(table)).createOrReplaceTempView("condition")
    asked = spark.sql(f"SELECT id FROM condition WHERE {WHERE}")
    assert sorted(row.id for row in asked.collect()) == wanted()
    plan = asked._jdf.queryExecution().executedPlan()
    scan = plan.collectLeaves().head()
    said = scan.toString()
    assert "EqualTo(patient_id,p07)" in said and "GreaterThanOrEqual(main_d" in said, said
    read = scan.metrics().apply("numOutputRows").value()
    assert len(wanted()) <= read < len(DOCUMENTS) / 5, "what no statistics rule out"
