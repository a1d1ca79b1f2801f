"""Runs whose tables have the source's own columns: what stays the same, what is masked as its lines are, what is null."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from here_spark import HereSpark, here
from spark_double import MADE_WITH, Double
from test_sources_restore import SMALL_LETTERS, SYNAPSE, ours, quantities
from test_sources_spark import _NARROWER, BULK, lines_of, needs_bulk, run, verified
from test_sources_typed import _URL, PATHLING, pathling

from masking.errors import CountMismatch, UnreadableFile, UsageError
from masking.fhir.elements import primitive_types
from masking.sample import write_sample
from masking.spark import RunResult, RunSettings, alike, mask

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["here"]  # a fixture

LIKE = RunSettings(formats="ndjson,parquet", tables_like="source")


def doubled(here: HereSpark, at: Path, settings: RunSettings = LIKE, **more: Any) -> RunResult:
    """A run under the double, which adds a member to each document."""
    return mask(
        here,  # type: ignore[arg-type]
        str(at / "in"), str(at / "out"), str(at / "phi"),
        engine=Double(), made_with=MADE_WITH, settings=settings, **more,
    )  # fmt: skip


def keep_policy(at: Path) -> str:
    """A policy that keeps all that R4 knows."""
    rules = "".join(f"  {name}: keep\n" for name in [*sorted(primitive_types()), *_NARROWER])
    (at / "keep.yaml").write_text(
        f"policy: keep\ndescription: Everything.\ntypes: {{default: mask}}\nrules:\n{rules}"
        "identifiers: {default: keep}\n"
        f'extensions: {{"{_URL}": keep, "{_URL}own": keep, "{_URL}b": keep, '
        f'"{_URL}race": {{mask: keep, parts: {{text: {{mask: keep, parts: {{deeper: keep}}}}}}}}}}\n'
    )
    return str(at / "keep.yaml")


def put(table: pa.Table, path: Path, **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **how)


def table_at(result: RunResult, name: str) -> pa.Table:
    assert result.parquet is not None
    return pq.read_table(Path(result.parquet) / name)


def test_what_is_kept_is_the_same_table(here: HereSpark, tmp_path: Path) -> None:
    """Each shape of table that is read, under a policy that keeps everything: cell for cell, in schema and codec."""
    document = {"resourceType": "Patient", "id": "p7", "gender": "male"}
    tables = {
        "patient": (pathling(PATHLING), "a/Patient.parquet", "gzip"),
        "observation": (quantities(), "b/observation/x.parquet", "snappy"),
        "observation-2": (pa.Table.from_pylist(SYNAPSE), "c/part-1.parquet", "zstd"),
        "patient-2": (pa.Table.from_pylist(SMALL_LETTERS), "d/part-1.parquet", "brotli"),
        "documents": (
            pa.Table.from_pylist([{"id": "p7", "type": "Patient", "json": json.dumps(document)}]),
            "e/x.parquet",
            "none",
        ),
    }
    for table, name, codec in tables.values():
        put(table, tmp_path / "in" / name, compression=codec)
    result = run(here, [tmp_path / "in"], tmp_path, LIKE, keep_policy(tmp_path))  # type: ignore[arg-type]
    assert result.manifest.total.masked == sum(len(table) for table, *_ in tables.values())
    assert result.manifest.denied_columns == {}
    # The label that each masked resource bears has no column in these.
    assert result.manifest.unplaced == {"Observation.meta": 7, "Patient.meta": 1, "Patient.meta.security": 3}
    assert sorted(path.name for path in Path(result.parquet or "").iterdir()) == sorted(tables)
    for folder, (_, name, codec) in tables.items():
        before, after = pq.read_table(tmp_path / "in" / name), table_at(result, folder)
        assert after.schema.equals(before.schema), folder
        if folder == "documents":
            masked = json.loads(after["json"][0].as_py())
            assert masked.pop("meta")["security"]
            assert masked == document
            before, after = before.drop_columns(["json"]), after.drop_columns(["json"])
        assert after.equals(before), folder
        file = next((Path(result.parquet or "") / folder).iterdir())
        column = pq.ParquetFile(file).metadata.row_group(0).column(0)
        assert column.compression.lower() == {"none": "uncompressed"}.get(codec, codec)
    assert {file.path.split("/")[-2] for file in result.manifest.tables} == set(tables)


@needs_bulk
@pytest.mark.spark
def test_our_own_tables_are_masked_into_themselves(spark: SparkSession, tmp_path: Path) -> None:
    """Kept, they are what they were; masked, they are the tables that a run makes of its lines, in the source's order."""
    write_sample(tmp_path / "sample", 4, seed=3)
    keeps = keep_policy(tmp_path)
    first = run(
        spark, [BULK, tmp_path / "sample" / "export"], tmp_path / "first", RunSettings(formats="ndjson,parquet"), keeps
    )
    source = Path(first.parquet or "")
    kept = run(spark, [source], tmp_path / "kept", LIKE, keeps)
    masked = run(spark, [source], tmp_path / "masked", LIKE)
    anew = run(spark, [source], tmp_path / "ours", RunSettings(formats="ndjson,parquet"))
    names = sorted(path.name for path in source.iterdir())
    assert len(names) > 30
    for name in names:
        before = pq.read_table(source / name)
        assert table_at(kept, name).equals(before), name
        after = table_at(masked, name)
        assert after.schema.equals(before.schema), name
        order = [("id", "ascending")]
        assert after.sort_by(order).equals(table_at(anew, name).sort_by(order)), name
    assert masked.manifest.denied_columns == {}
    assert verified(source, tmp_path / "masked").verified


def others_shape(table: pa.Table) -> pa.Table:
    """A table as another program has it: small letters, no column of all that has none, and one that R4 does not know."""

    def plain(type_: Any) -> Any:
        if pa.types.is_struct(type_):
            return pa.struct([one.with_type(plain(one.type)) for one in type_ if one.name != "other_json"])
        return pa.list_(plain(type_.value_type)) if pa.types.is_list(type_) else type_

    own = ("other_json", "main_date", "main_year", "patient_id")
    table = table.drop_columns([name for name in own if name in table.column_names])
    schema = pa.schema([one.with_type(plain(one.type)) for one in table.schema])
    rows = [{**row, "whose": json.dumps(row.get("name") or row["id"])} for row in table.to_pylist()]
    found = pa.Table.from_pylist(rows, schema.append(pa.field("whose", pa.string())))
    return found.rename_columns([name.lower() for name in found.column_names])


def test_what_others_tables_become_is_verified(here: HereSpark, tmp_path: Path) -> None:
    """Nothing that identifies is in the tables, and what is in them is what the lines have."""
    export = write_sample(tmp_path / "sample", 3, seed=6, processes=1).export
    source = tmp_path / "in"
    for name in ("Patient", "Practitioner", "Observation", "Encounter", "Claim"):
        lines = [line for path in sorted(export.glob(f"{name}.*")) for line in path.read_bytes().splitlines()]
        put(others_shape(ours(name, lines)), source / f"{name}.parquet", row_group_size=40)
    result = run(here, [source], tmp_path, LIKE)  # type: ignore[arg-type]
    rows = {file.resource_type: file.rows for file in result.manifest.tables}
    assert result.manifest.denied_columns == {"whose": sum(rows.values())}
    for name in rows:
        before, after = pq.read_table(source / f"{name}.parquet"), table_at(result, name.lower())
        assert after.schema.equals(before.schema)
        ids = [json.loads(line)["id"] for line in lines_of(result) if json.loads(line)["resourceType"] == name]
        assert sorted(after["id"].to_pylist()) == sorted(ids)
        assert set(ids).isdisjoint(before["id"].to_pylist())
        assert after["whose"].null_count == len(after)
    assert verified(source, tmp_path).verified


def test_files_that_are_cut_and_rows_that_go(here: HereSpark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows in order, in row groups as they were; those that are put aside or dropped are counted and gone."""
    monkeypatch.setattr("masking.spark.splits.LEAST_STRETCH", 1000)
    monkeypatch.setattr("masking.spark.read.LEAST_STRETCH", 1000)
    rows = [{"n": at, "resource": json.dumps({"resourceType": "Patient", "id": f"p{at}"})} for at in range(90)]
    rows[7]["resource"] = "{broken"
    rows[40]["resource"] = '{"resourceType":"Basic"}'
    rows[41]["resource"] = None
    put(pa.Table.from_pylist(rows), tmp_path / "in" / "x.parquet", row_group_size=10)
    (tmp_path / "in" / "y.ndjson").write_text('{"resourceType":"Patient","id":"line"}\n')
    notices: list[str] = []
    settings = RunSettings(formats="ndjson,parquet", tables_like="source", partitions=4, batch_rows=7)
    result = doubled(here, tmp_path, settings, notice=notices.append)
    files = sorted((Path(result.parquet or "") / "documents").iterdir())
    assert len(files) > 2
    assert [file.name for file in files] == [file.path.rsplit("/", 1)[1] for file in result.manifest.tables]
    found = pa.concat_tables(pq.read_table(file) for file in files)
    expected = [
        row["resource"] and row["resource"][:-1] + ',"masked":true}' for at, row in enumerate(rows) if at not in (7, 40)
    ]
    assert found["resource"].to_pylist() == expected
    assert found["n"].null_count == len(found) == 88
    assert sum(pq.ParquetFile(file).metadata.num_row_groups for file in files) == 9
    assert result.manifest.denied_columns == {"n": 88}
    assert result.manifest.types["Patient"].masked == 88  # with the line, without the row that has no document
    assert any("1 of 2 files are no tables" in notice for notice in notices)


def test_the_same_rows_whatever_the_batches(here: HereSpark, tmp_path: Path) -> None:
    rows = [{**PATHLING[at % 3], "id": f"p{at}"} for at in range(60)]
    put(pathling(rows), tmp_path / "in" / "Patient.parquet", row_group_size=25)
    made = []
    for number, batch in enumerate((7, 1000)):
        at = tmp_path / str(number)
        at.mkdir()
        (at / "in").symlink_to(tmp_path / "in")
        settings = RunSettings(formats="ndjson,parquet", tables_like="source", batch_rows=batch)
        made.append(table_at(doubled(here, at, settings), "patient"))
    assert made[0].equals(made[1])


def test_a_source_without_tables_is_refused(here: HereSpark, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "y.ndjson").write_text('{"resourceType":"Patient","id":"line"}\n')
    with pytest.raises(UsageError, match="no file of the source is Parquet"):
        doubled(here, tmp_path)


def test_a_file_that_is_damaged_publishes_nothing(here: HereSpark, tmp_path: Path) -> None:
    put(
        pa.table({"resourceType": ["Patient"] * 900, "id": [str(at) for at in range(900)]}),
        tmp_path / "in" / "Joe.parquet",
    )
    content = bytearray((tmp_path / "in" / "Joe.parquet").read_bytes())
    content[40:400] = bytes(360)
    (tmp_path / "in" / "Joe.parquet").write_bytes(content)
    with pytest.raises(UnreadableFile, match="damaged") as refused:
        doubled(here, tmp_path)
    assert "Joe" not in str(refused.value)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_rows_that_are_lost_are_told(here: HereSpark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(pa.table({"resourceType": ["Patient"], "id": ["1"]}), tmp_path / "in" / "x.parquet")
    monkeypatch.setattr(alike.AlikeWriter, "told", lambda self: {"alike": []})
    monkeypatch.setattr("masking.spark.run.settle_files", lambda *_: None)
    with pytest.raises(CountMismatch, match="masked 1, but 0 in rows and 0 in no table"):
        doubled(here, tmp_path)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"formats": "ndjson"}, "--formats asks for none"),
        ({"formats": "ndjson,parquet,delta"}, "leave out delta"),
        ({"bundles": "split"}, "--bundles split"),
        ({"partition_by": "year"}, "--partition-by"),
        ({"resource_column": True}, "--resource-column"),
        ({"incremental": True}, "--incremental"),
        ({"tables_like": "theirs"}, "expected ours or source"),
    ],
)
def test_what_does_not_go_with_it_is_refused(more: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        RunSettings(**{"formats": "ndjson,parquet", "tables_like": "source", **more})
