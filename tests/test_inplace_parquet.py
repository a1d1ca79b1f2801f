"""Parquet files masked in place: the same columns, codec and row groups, verified before they replace anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents import ON, keyring
from here_spark import HereSpark, here
from spark_double import MADE_WITH as DOUBLE_MADE_WITH
from spark_double import Double
from test_inplace_engine import ENGINE, MADE_WITH, POLICY
from test_sources_restore import SMALL_LETTERS, SYNAPSE
from test_sources_typed import PATHLING, pathling
from test_tables_like_source import keep_policy, put

from masking.commands.verifying import facts_of
from masking.document import Engine
from masking.errors import IdentifiersLeft, UnreadableFile, UsageError
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.risk.settings import RiskSettings
from masking.sample import write_sample
from masking.sources.restore import JsonRows
from masking.spark import RunSettings, mask
from masking.spark.inplace import journal
from masking.spark.inplace.judge import refuse_unverified, verify_staged
from masking.spark.inplace.mark import MARK, read_mark
from masking.spark.inplace.run import InPlace, InPlaceResult, mask_in_place
from masking.spark.inplace.stage import Staged
from masking.spark.inplace.undo import undo_in_place

__all__ = ["here"]  # a fixture

Run = Callable[..., InPlaceResult]


@pytest.fixture
def run(here: HereSpark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Mask `tmp_path/in` in place; small files are cut among tasks."""
    for module in ("read", "splits"):
        monkeypatch.setattr(f"masking.spark.{module}.LEAST_STRETCH", 2000)

    def run(engine: Any = None, settings: RunSettings | None = None, **how: Any) -> InPlaceResult:
        made_with = DOUBLE_MADE_WITH if engine is None else how.pop("made_with", MADE_WITH)
        return mask_in_place(
            here,  # type: ignore[arg-type]
            str(tmp_path / "in"), str(tmp_path / "phi"),
            engine=engine or Double(), made_with=made_with, judge=how.pop("judge", None),
            settings=settings or RunSettings(partitions=4, batch_rows=7), how=InPlace(**how),
        )  # fmt: skip

    return run


def there(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARK
    }


def numbered(at: int) -> dict[str, Any]:
    """A Patient as Pathling has them, with an id of its own wherever that stands."""
    version = f"Patient/p{at}/_history/2"
    row = {**PATHLING[at % 3], "id": f"p{at}"}
    return row if at % 3 else {**row, "id_versioned": version, "meta": {**row["meta"], "versionId_versioned": version}}


def rows_of_json(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"p{at}", "loaded_by": "Joe", "resource": json.dumps({"resourceType": "Patient", "id": f"p{at}"})}
        for at in range(count)
    ]


def test_a_mixed_folder(run: Run, here: HereSpark, tmp_path: Path) -> None:
    """Tables that are cut, whole and empty, beside lines; known again, and undone."""
    source = tmp_path / "in"
    rows = rows_of_json(200)
    rows[3]["resource"] = "{broken"
    rows[120]["resource"] = None
    put(pa.Table.from_pylist(rows), source / "a" / "x.parquet", row_group_size=30, compression="gzip")
    put(pathling(PATHLING), source / "Patient.parquet" / "part-0", compression="zstd")
    put(pa.Table.from_pylist(rows[:0], pa.Table.from_pylist(rows).schema), source / "empty.pq")
    (source / "nothing.parquet").write_bytes(b"")
    (source / "lines.ndjson").write_text('{"resourceType":"Patient","id":"line"}\n')
    before = there(source)
    result = run(keep_originals=str(tmp_path / "kept"), file_names="keep")
    assert result.manifest is not None
    assert (result.manifest.total.masked, result.manifest.total.quarantined) == (198 + 3 + 1, 1)
    assert result.manifest.denied_columns == {"id": 1, "loaded_by": 199}
    after = there(source)
    assert after.keys() == before.keys()
    assert after["lines.ndjson"] == b'{"resourceType":"Patient","id":"line","masked":true}\n'
    assert after["nothing.parquet"] == b""
    old, new = (pq.ParquetFile(pa.BufferReader(one["a/x.parquet"])) for one in (before, after))
    assert new.schema_arrow.equals(old.schema_arrow)
    assert [new.metadata.row_group(at).num_rows for at in range(7)] == [29, *[30] * 5, 20]
    assert new.metadata.row_group(0).column(0).compression == "GZIP"
    found = new.read().to_pylist()
    assert [row["id"] for row in found] == [f"p{at}" if at != 120 else None for at in range(200) if at != 3]
    assert all(row["resource"] is None or json.loads(row["resource"])["masked"] for row in found)
    assert not any(row["loaded_by"] for row in found)
    assert pq.read_table(source / "Patient.parquet" / "part-0", partitioning=None).equals(pathling(PATHLING))
    assert pq.read_table(source / "empty.pq").num_rows == 0
    assert len(read_mark(str(source)).runs[0].sha256) == 5
    assert run(file_names="keep").already == 5
    assert there(source) == after
    undo_in_place(here, str(source), str(tmp_path / "phi"))  # type: ignore[arg-type]
    assert there(source) == before


def test_kept_tables_are_what_they_were(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in"
    tables = {
        "Patient.parquet": pathling([numbered(at) for at in range(90)]),
        "b.parquet": pa.Table.from_pylist(SYNAPSE),
        "c.parquet": pa.Table.from_pylist(SMALL_LETTERS),
    }
    for name, table in tables.items():
        put(table, source / name, row_group_size=20)
    policy = read_policy(keep_policy(tmp_path), reference_date=ON)
    run(Engine(Plan(policy, keyring())), file_names="keep")
    for name, table in tables.items():
        assert pq.read_table(source / name).equals(table), name


def judge_of(here: HereSpark, tmp_path: Path) -> Callable[[Staged], None]:
    def judge(staged: Staged) -> None:
        refuse_unverified(
            verify_staged(here, staged, str(tmp_path / "phi"), facts_of(POLICY), RiskSettings())  # type: ignore[arg-type]
        )

    return judge


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as this program's tables, and all of it as one table of JSON, unmasked."""
    root = tmp_path_factory.mktemp("tables")
    export = write_sample(root / "sample", patients=3, seed=4, processes=1).export
    policy = read_policy(keep_policy(root), reference_date=ON)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("masking.spark.run.cores_of", lambda spark: 2)
        result = mask(
            HereSpark(), str(export), str(root / "out"), str(root / "phi"),  # type: ignore[arg-type]
            engine=Engine(Plan(policy, keyring())), made_with=MADE_WITH, settings=RunSettings(formats="ndjson"),
        )  # fmt: skip
    source = root / "in"
    lines = [line for path in sorted(Path(result.ndjson).rglob("*.ndjson")) for line in path.read_bytes().splitlines()]
    by_type: dict[str, list[bytes]] = {}
    for line in lines:
        by_type.setdefault(json.loads(line)["resourceType"], []).append(line)
    from test_sources_restore import ours  # noqa: PLC0415 (a helper of a neighbour)

    for name, found in by_type.items():
        put(ours(name, found), source / "typed" / f"{name}.parquet", row_group_size=20)
    beside = {"id": [json.loads(line)["id"] for line in lines], "loaded_by": ["nobody"] * len(lines)}
    put(
        pa.table({**beside, "resource": [line.decode() for line in lines]}),
        source / "json" / "all.parquet",
        row_group_size=100,
    )
    return source


def copied(tables: Path, name: str, to: Path) -> None:
    for path in (tables / name).rglob("*.parquet"):
        (to / name).mkdir(parents=True, exist_ok=True)
        (to / name / path.name).write_bytes(path.read_bytes())


@pytest.mark.parametrize("name", ["typed", "json"])
def test_verified_and_the_same_as_in_a_destination(
    run: Run, here: HereSpark, tmp_path: Path, tables: Path, name: str
) -> None:
    copied(tables, name, tmp_path / "in")
    like = RunSettings(formats="ndjson,parquet", tables_like="source", partitions=4, batch_rows=50)
    apart = mask(
        here, str(tmp_path / "in"), str(tmp_path / "out"), str(tmp_path / "phi-out"),  # type: ignore[arg-type]
        engine=ENGINE, made_with=MADE_WITH, settings=like,
    )  # fmt: skip
    source = tmp_path / "in" / name
    schemas = {path.name: pq.read_schema(path) for path in source.iterdir()}
    result = run(ENGINE, RunSettings(partitions=4, batch_rows=50), judge=judge_of(here, tmp_path))
    assert result.manifest is not None
    for path in sorted(source.iterdir()):
        assert pq.read_schema(path).equals(schemas[path.name])
        folder = path.stem.lower() if name == "typed" else "documents"
        files = sorted((Path(apart.parquet or "") / folder).iterdir())
        there_ = pa.concat_tables(pq.read_table(file) for file in files)
        assert pq.read_table(path).equals(there_), path.name
    assert (result.manifest.types, result.manifest.unplaced) == (apart.manifest.types, apart.manifest.unplaced)


def test_what_a_table_alone_holds_is_found_before_anything_is_replaced(
    run: Run, here: HereSpark, tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of this program: a column that no rule lets through comes through, with the JSON as it was."""
    copied(tables, "json", tmp_path / "in")
    path = tmp_path / "in" / "json" / "all.parquet"
    table = pq.read_table(path)
    names = [json.dumps(json.loads(text).get("name", "")) for text in table["resource"].to_pylist()]
    put(table.append_column("whose", pa.array(names)), path)
    before = there(tmp_path / "in")
    monkeypatch.setattr(JsonRows, "_beside", lambda self, name, array, documents, masked: array)
    with pytest.raises(IdentifiersLeft, match="nothing was replaced"):
        run(ENGINE, RunSettings(partitions=2), judge=judge_of(here, tmp_path))
    assert there(tmp_path / "in") == before


def test_files_get_names_that_tell_nothing(run: Run, tmp_path: Path) -> None:
    put(pa.Table.from_pylist(rows_of_json(3)), tmp_path / "in" / "Joe_Bloggs.snappy.parquet")
    run(file_names="rename")
    (name,) = there(tmp_path / "in")
    assert name.startswith("Patient-")
    assert name.endswith(".parquet")
    assert "Joe" not in name


@pytest.mark.parametrize("name", ["_metadata", ".x.parquet.crc"])
def test_files_that_repeat_what_is_in_others_are_refused(run: Run, tmp_path: Path, name: str) -> None:
    put(pa.Table.from_pylist(rows_of_json(3)), tmp_path / "in" / "x.parquet")
    (tmp_path / "in" / name).write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="1 other files"):
        run()


def test_delta_tables_are_refused_with_what_to_do(run: Run, tmp_path: Path) -> None:
    put(pa.Table.from_pylist(rows_of_json(3)), tmp_path / "in" / "t" / "x.parquet")
    add = {"path": "x.parquet", "size": (tmp_path / "in" / "t" / "x.parquet").stat().st_size, "partitionValues": {}}
    log = [{"protocol": {"minReaderVersion": 1}}, {"metaData": {"configuration": {}}}, {"add": add}]
    (tmp_path / "in" / "t" / "_delta_log").mkdir()
    name = tmp_path / "in" / "t" / "_delta_log" / f"{0:020d}.json"
    name.write_text("\n".join(map(json.dumps, log)))
    before = there(tmp_path / "in")
    with pytest.raises(UsageError, match=r"1 Delta tables.*--formats ndjson,parquet,delta"):
        run()
    assert there(tmp_path / "in") == before


@pytest.mark.parametrize("kind", ["damaged", "cut off", "no FHIR", "no spelling"])
def test_a_file_that_cannot_be_read_leaves_all_as_it_was(run: Run, tmp_path: Path, kind: str) -> None:
    put(pa.Table.from_pylist(rows_of_json(300)), tmp_path / "in" / "a.parquet")
    bad = tmp_path / "in" / "Joe.parquet"
    odd = pa.array([1], pa.duration("s"))
    table = {
        "no FHIR": pa.table({"mrn": ["1"], "first": ["Joe"]}),
        "no spelling": pa.table({"resourceType": ["Patient"], "id": ["1"], "active": odd}),
    }.get(kind, pa.Table.from_pylist(rows_of_json(300)))
    put(table, bad)
    content = bad.read_bytes()
    if kind == "damaged":
        bad.write_bytes(content[:40] + bytes(400) + content[440:])
    elif kind == "cut off":
        bad.write_bytes(content[:-200])
    before = there(tmp_path / "in")
    with pytest.raises(UnreadableFile) as refused:
        run(file_names="keep")
    assert "Joe" not in str(refused.value)
    assert there(tmp_path / "in") == before
    assert not list((tmp_path / "phi").rglob(journal.JOURNAL))
