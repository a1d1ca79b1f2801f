"""Delta's log read without Spark, and tables held against what a run wrote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from masking.report.manifest import MadeWith, Manifest, OutputFile
from masking.report.verdict import Finding
from masking.spark.inprocess import InProcess
from masking.spark.verify_delta import DeltaPart, DeltaTable, DeltaTask, TablesTask
from masking.spark.verify_tables import delta_parts, read_table

RUN, LATER = "20260101T000000Z-000001", "20260201T000000Z-000002"


def add(path: str, **more: Any) -> dict[str, Any]:
    return {"add": {"path": path, "partitionValues": {}, "size": 1, "dataChange": True, **more}}


def remove(path: str) -> dict[str, Any]:
    return {"remove": {"path": path, "dataChange": True}}


def commit(folder: Path, number: int, *actions: dict[str, Any], run: str = "") -> None:
    log = folder / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    info = {"commitInfo": {"operation": "MERGE", **({"userMetadata": json.dumps({"run_id": run})} if run else {})}}
    lines = [json.dumps(action) for action in (info, *actions)]
    (log / f"{number:020d}.json").write_text("\n".join(lines) + "\n")


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_table_tells_its_files_and_runs(tmp_path: Path) -> None:
    commit(tmp_path, 0, add("a.parquet"), add("b%20c.parquet"), run=RUN)
    commit(tmp_path, 1, remove("a.parquet"), add("d.parquet"), run=LATER)
    commit(tmp_path, 2)  # of somebody else's
    files = tuple(str(tmp_path / name) for name in ("b c.parquet", "d.parquet"))
    assert read_table(str(tmp_path)) == DeltaTable(files, (RUN, LATER), True)


def test_a_folder_without_a_log_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"")
    assert read_table(str(tmp_path)) is None


def test_where_a_checkpoint_stands_for_commits_runs_may_be_missing(tmp_path: Path) -> None:
    commit(tmp_path, 3, remove("a.parquet"), add("c.parquet"), run=LATER)
    rows = [{"add": {"path": "a.parquet"}, "remove": None}, {"add": {"path": "b.parquet"}, "remove": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "_delta_log" / f"{2:020d}.checkpoint.parquet")
    files = tuple(str(tmp_path / name) for name in ("b.parquet", "c.parquet"))
    assert read_table(str(tmp_path)) == DeltaTable(files, (LATER,), False)


# ── tables and documents ─────────────────────────────────────────────────────────────────────────────────────────────


def write(root: Path, path: str, ids: list[str | None]) -> OutputFile:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": pa.array(ids, pa.string())}), root / path)
    content = (root / path).read_bytes()
    return OutputFile(path, "Patient", len(ids), len(content), hashlib.sha256(content).hexdigest())


def findings(task: TablesTask | DeltaTask, count: int) -> list[Finding]:
    rows = InProcess().range(0, count, 1, 1).mapInArrow(task.run, "found binary").collect()
    return [msgspec.json.decode(one.found, type=Finding) for one in rows]


def test_parquet_is_held_against_the_manifest(tmp_path: Path) -> None:
    files = [write(tmp_path, f"{name}.parquet", ["1", "2", None]) for name in "abcde"]
    write(tmp_path, "b.parquet", ["1", "2"])
    write(tmp_path, "c.parquet", ["1", "3", None])
    (tmp_path / "d.parquet").unlink()
    (tmp_path / "e.parquet").write_bytes(b"nothing")
    told = {one.places[0][0]: one.what for one in findings(TablesTask(tuple(files), str(tmp_path)), 5)}
    assert told == {
        "b.parquet": "1 rows fewer than the manifest says",
        "c.parquet": "its bytes are not those that were written",
        "d.parquet": "the file is not there",
        "e.parquet": "it is no Parquet file any more",
    }


@pytest.mark.parametrize(
    ("there", "alone", "latest", "told"),
    [
        (["1", "2", None], True, True, []),
        (["1", "2"], True, True, []),  # a row without an id, of which nothing can be told
        (["1", None], True, True, ["rows that the Delta table does not have"]),
        (["1", "2", "2", None], False, True, ["an id that the Delta table holds twice"]),
        (["1", "2", "9", None], True, True, ["rows that only the Delta table has"]),
        (["1", "2", "9", None], False, True, []),  # of another run
        (["9"], False, False, []),  # a later run has changed it
    ],
)
def test_delta_holds_the_rows_of_the_run(
    tmp_path: Path, there: list[str | None], alone: bool, latest: bool, told: list[str]
) -> None:
    made = write(tmp_path, "runs/r/parquet/patient/a.parquet", ["1", "2", None])
    write(tmp_path, "delta/patient/p.parquet", there)
    folder = tmp_path / "delta" / "patient"
    table = DeltaTable((str(folder / "p.parquet"),), (RUN,), True)
    part = DeltaPart("Patient", "delta/patient", table, (made,), latest, alone)
    assert [one.what for one in findings(DeltaTask((part,), str(tmp_path)), 1)] == told
    gone = replace(part, table=replace(table, files=(*table.files, str(folder / "q.parquet"))))
    assert [one.what for one in findings(DeltaTask((gone,), str(tmp_path)), 1)] == [
        "a file that the Delta log names is not there"
    ]


def manifest_of(tables: tuple[OutputFile, ...], formats: str = "ndjson,parquet,delta") -> Manifest:
    made = MadeWith("realistic", "0", "fp", "default", "2026-01-01")
    settings = {"formats": formats, "partitions": 1}
    return Manifest(RUN, "", "", 0.0, made, 0, 0, {}, (), settings=settings, tables=tables)


def test_which_tables_belong_to_a_run(tmp_path: Path) -> None:
    made = write(tmp_path, f"runs/{RUN}/parquet/patient/a.parquet", ["1"])
    folder = tmp_path / "delta" / "patient"
    commit(folder, 0, add("p.parquet"), run=RUN)
    write(tmp_path, "delta/patient/p.parquet", ["1"])
    parts, files, faults = delta_parts(manifest_of((made,)), str(tmp_path))
    assert [(one.folder, one.is_latest, one.is_alone) for one in parts] == [("delta/patient", True, True)]
    assert faults == [] and {(one.short, one.is_own) for one in files} == {
        ("delta/patient/p.parquet", True),
        (f"delta/patient/_delta_log/{0:020d}.json", True),
    }
    commit(folder, 1, add("q.parquet"), run=LATER)
    parts, files, faults = delta_parts(manifest_of((made,)), str(tmp_path))
    assert [(one.is_latest, one.is_alone) for one in parts] == [(False, False)] and faults == []
    assert not any(one.is_own for one in files)
    assert delta_parts(manifest_of((made,), "ndjson,parquet"), str(tmp_path)) == ([], [], [])


def test_a_table_that_is_behind_or_unreadable_is_told(tmp_path: Path) -> None:
    made = write(tmp_path, f"runs/{RUN}/parquet/patient/a.parquet", ["1"])
    (behind,) = delta_parts(manifest_of((made,)), str(tmp_path))[2]
    assert behind.what == "the Delta table is not up to the run" and behind.check == "files"
    commit(tmp_path / "delta" / "patient", 1, add("p.parquet"), run=RUN)
    (unreadable,) = delta_parts(manifest_of((made,)), str(tmp_path))[2]
    assert unreadable.what == "the log of the Delta table cannot be read"
