"""Tables as Spark makes and reads them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents import ON, Maker, plan
from test_tables_parquet import conditions, key, make, write_lines

from masking.document import Engine
from masking.errors import CountMismatch
from masking.fhir.elements import resource_types
from masking.report.manifest import MadeWith, OutputFile, check_tables, read_manifest
from masking.spark import RunSettings, mask
from masking.spark.tables import TableSettings, make_tables
from masking.spark.write import Places
from masking.tables import whole
from masking.tables.parquet import TableFolder
from masking.tables.schema import arrow_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MADE_WITH = MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON)


def test_a_run_leaves_tables_that_agree_with_its_lines(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    entries = [{"resource": document} for document in conditions(7)]
    documents = [*conditions(90), {"resourceType": "Bundle", "type": "collection", "entry": entries}]
    documents += [
        {"resourceType": "Patient", "id": f"p{number:02d}", "birthDate": "1980-02-03"} for number in range(20)
    ]
    (tmp_path / "in" / "all.ndjson").write_text("".join(json.dumps(document) + "\n" for document in documents))
    places = [str(tmp_path / name) for name in ("in", "out", "phi")]
    settings = RunSettings(bundles="split", partitions=3, formats="ndjson,parquet")
    result = mask(spark, *places, engine=Engine(plan()), made_with=MADE_WITH, settings=settings)
    manifest = read_manifest(str(tmp_path / "out"))
    assert manifest is not None and manifest == result.manifest
    assert Counter({file.resource_type: file.rows for file in manifest.tables}) == {"Condition": 97, "Patient": 20}
    run = tmp_path / "out" / "runs" / manifest.run_id
    assert {path.relative_to(tmp_path / "out").as_posix() for path in (run / "parquet").rglob("*.parquet")} == {
        file.path for file in manifest.tables
    }
    for name in ("Condition", "Patient"):
        lines = [
            json.loads(line) for path in (run / "ndjson" / name).iterdir() for line in path.read_text().splitlines()
        ]
        rows = spark.read.parquet(str(run / "parquet" / name.lower())).select("id", "patient_id").collect()
        whose = (
            {
                line["id"]: line.get("subject", {}).get("reference", "").removeprefix("Patient/") or None
                for line in lines
            }
            if name == "Condition"
            else {line["id"]: line["id"] for line in lines}
        )
        assert {row.id: row.patient_id for row in rows} == whose
    assert not (run / ".writing").exists()
    described = {path.name for path in (run / "schema").iterdir()}
    assert described == {"condition.sql", "Condition.schema.json", "patient.sql", "Patient.schema.json"}
    location = f"${{DESTINATION}}/runs/{manifest.run_id}/parquet/condition/"
    assert location in (run / "schema" / "condition.sql").read_text()

    only = replace(settings, formats="ndjson")
    again = mask(spark, *places, engine=Engine(plan()), made_with=MADE_WITH, settings=only)
    assert again.manifest.tables == () and not (Path(again.ndjson).parent / "parquet").exists()
    assert again.manifest.types == result.manifest.types


def run_places(folder: Path) -> Places:
    return Places(str(folder / "runs" / "r1"), str(folder / "phi"))


@pytest.mark.parametrize("partition_by", ["none", "Condition"])
def test_a_large_type_is_sorted_by_spark(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partition_by: str
) -> None:
    documents = conditions(600)
    files = write_lines(tmp_path, documents)
    monkeypatch.setattr("masking.spark.tables.FILE_TEXT_BYTES", sum(file.bytes for file in files) // 3)
    settings = TableSettings(partition_by, task_bytes=1)
    tables = make_tables(spark, files, str(tmp_path), run_places(tmp_path), settings, cores=2)
    assert sum(file.rows for file in tables.files) == 600 and tables.misfits == {}
    folder = tmp_path / "runs" / "r1" / "parquet" / "condition"
    sorted_ids = [document["id"] for document in sorted(documents, key=key)]
    if partition_by == "none":
        assert len(tables.files) == 3
        parts = [pq.read_table(tmp_path / file.path) for file in tables.files]
        table = pa.concat_tables(parts)
        assert table.schema.equals(arrow_schema("Condition"))
        assert table["id"].to_pylist() == sorted_ids, "over all files, for a reader to skip files too"
        same = make(tmp_path, files).files[0]
        assert table.equals(pq.read_table(tmp_path / same.path)), "the same rows as of a small type"
    else:
        years = {document.get("onsetDateTime", "none")[:4] for document in documents}
        assert len({file.path.split("/")[-2] for file in tables.files}) == len(years)
        assert len(tables.files) <= len(years) + 2, "a year lies in two files at the most where it is cut"
        assert sorted(row.id for row in spark.read.parquet(str(folder)).select("id").collect()) == sorted(sorted_ids)


def test_a_type_with_long_lines_is_sorted_file_by_file(spark: SparkSession, tmp_path: Path) -> None:
    documents = [{**document, "note": [{"text": "x" * 30_000}]} for document in conditions(40)]
    files = write_lines(tmp_path, documents)
    settings = TableSettings("year", task_bytes=1)
    tables = make_tables(spark, files, str(tmp_path), run_places(tmp_path), settings, cores=2)
    assert [Path(file.path).name for file in tables.files] == [f"Condition-0000{n}-00000.parquet" for n in range(3)]
    for number, file in enumerate(tables.files):
        ids = [document["id"] for document in sorted(documents[number::3], key=key)]
        assert pq.read_table(tmp_path / file.path)["id"].to_pylist() == ids


def test_a_filter_on_patient_and_date_skips(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "GROUP_BYTES", 5000)
    make(tmp_path, write_lines(tmp_path, conditions(1000)))
    everything = spark.read.parquet(str(tmp_path / "parquet" / "condition"))
    wanted = everything.where("patient_id = 'p07' and main_date >= timestamp'2005-01-01'").select("id")
    found = wanted.collect()
    assert 0 < len(found) < 40
    assert "EqualTo(patient_id,p07)" in plan_of(wanted)
    assert "GreaterThanOrEqual(main_da" in plan_of(wanted)  # Spark prints no more of it
    assert len(found) <= scanned(wanted) < 150, "of 1,000 rows the scan gives out those of a few row groups"


def plan_of(frame: DataFrame) -> str:
    return frame._jdf.queryExecution().executedPlan().toString()


def scanned(frame: DataFrame) -> int:
    """How many rows left the scan, of a frame that was collected."""
    leaves = frame._jdf.queryExecution().executedPlan().collectLeaves()
    return leaves.apply(0).metrics().apply("numOutputRows").value()


@pytest.mark.slow
def test_every_type_gives_a_table_that_pyarrow_and_spark_read(spark: SparkSession, tmp_path: Path) -> None:
    for name in sorted(resource_types()):
        maker = Maker(Random(name))
        maker.comma, maker.colon = ",", ":"
        lines = [maker.write(maker.resource(name, 0)).encode() for _ in range(5)]
        content = b"".join(line + b"\n" for line in lines)
        (tmp_path / f"{name}.ndjson").write_bytes(content)
        table = TableFolder(name, str(tmp_path), f"parquet/{name.lower()}", str(tmp_path / ".w"))
        whole.make_table(table, [OutputFile(f"{name}.ndjson", name, 5, len(content), "")], "00000")
        folder = tmp_path / "parquet" / name.lower()
        read = pq.read_table(folder)
        assert read.schema.equals(arrow_schema(name)) and read.num_rows == 5
        frame = spark.read.parquet(str(folder))
        assert frame.columns == arrow_schema(name).names
        frame.write.format("noop").mode("overwrite").save()
        assert Counter(row.id for row in frame.select("id").collect()) == Counter(read["id"].to_pylist())


def test_tables_that_lack_a_row_are_not_published() -> None:
    lines = (
        OutputFile("a", "Patient", 3, 1, ""),
        OutputFile("b", "Patient", 2, 1, ""),
        OutputFile("c", "Group", 1, 1, ""),
    )
    rows = (OutputFile("d", "Patient", 4, 1, ""), OutputFile("e", "Group", 1, 1, ""))
    with pytest.raises(CountMismatch, match=r"Patient: 5 lines, but 4 rows$"):
        check_tables(lines, rows)
    check_tables(lines, (*rows, OutputFile("f", "Patient", 1, 1, "")))
