"""Runs from end to end on a local Spark, with a stand-in for the engine: what comes out, where, and what never does."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from spark_double import MADE_WITH, Careless, Double, Wordy

from masking.errors import CountMismatch, InputError, KeyRefused, MaskingError, TablesBehind, UsageError
from masking.report.manifest import UNKNOWN_TYPE, TypeCounts, read_manifest
from masking.spark import RunResult, RunSettings, Snapshot, mask
from masking.spark import run as runs
from masking.spark.apply import MaskTask
from masking.spark.lines import Limits
from masking.spark.write import Places

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Run = Callable[..., RunResult]
SMALL = RunSettings(batch_rows=7, batch_bytes=600)


@pytest.fixture
def run(spark: SparkSession, tmp_path: Path) -> Run:
    """Mask `tmp_path/in` into `tmp_path/out` with `tmp_path/phi`."""

    def run(settings: RunSettings = SMALL, engine: Any = None, sources: Any = None, **more: Any) -> RunResult:
        sources = sources or str(tmp_path / "in")
        made_with = more.pop("made_with", MADE_WITH)
        out, phi = str(tmp_path / "out"), str(tmp_path / "phi")
        return mask(spark, sources, out, phi, engine=engine or Double(), made_with=made_with, settings=settings, **more)

    return run


def patient(number: int, **more: object) -> bytes:
    return json.dumps({"resourceType": "Patient", "id": f"p{number}", **more}).encode()


def observation(number: int) -> bytes:
    return json.dumps({"resourceType": "Observation", "id": f"o{number}", "value": "ü" * (number % 50)}).encode()


def write(path: Path, lines: list[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join([*lines, b""]))
    return path


def output(result: RunResult) -> list[bytes]:
    """All lines of all files that the manifest names, sorted; the files are what it says, and there are no others."""
    root = Path(result.destination)
    lines: list[bytes] = []
    for file in result.manifest.files:
        content = (root / file.path).read_bytes()
        rows = content.splitlines()
        assert (len(content), len(rows), hashlib.sha256(content).hexdigest()) == (file.bytes, file.rows, file.sha256)
        assert (
            {json.loads(row)["resourceType"] for row in rows} == {file.resource_type} == {Path(file.path).parent.name}
        )
        lines += rows
    there = {str(path.relative_to(root)) for path in Path(result.ndjson).rglob("*") if path.is_file()}
    assert there == {file.path for file in result.manifest.files}
    assert {path.name for path in root.joinpath("runs", result.run_id).iterdir()} <= {"ndjson", "manifest.json"}
    return sorted(lines)


def quarantine(result: RunResult) -> list[dict[str, Any]]:
    if result.quarantine is None:
        return []
    lines = [line for path in Path(result.quarantine).iterdir() for line in path.read_bytes().splitlines()]
    return sorted((json.loads(line) for line in lines), key=lambda record: (record["file"], record["line"]))


def masked(document: bytes) -> bytes:
    return document[:-1] + b',"masked":true}'


def test_every_kind_of_file_and_line(run: Run, tmp_path: Path) -> None:
    patients = [patient(number) for number in range(40)]
    write(tmp_path / "in" / "plain.ndjson", patients[:10])
    (tmp_path / "in" / "a.ndjson.gz").write_bytes(gzip.compress(b"\n".join(patients[10:15])))
    (tmp_path / "in" / "b.jsonl.bz2").write_bytes(bz2.compress(b"\n".join(patients[15:20])))
    (tmp_path / "in" / "c.ndjson.zst").write_bytes(zstandard.compress(b"\n".join(patients[20:25])))
    (tmp_path / "in" / "crlf.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\r\n\r\n".join(patients[25:30]) + b"\r\n  \r\n")
    mixed = [patients[30], b"{broken", observation(1), b'{"resourceType":"Basic"}', b'{"resourceType":"Nonsense"}']
    mixed += [b'{"resourceType":"Patient","note":"BOOM"}', b"\xff\xfe", patient(99, unreadable=1)]
    write(tmp_path / "in" / "deep" / "er" / "mixed.ndjson", mixed)
    (tmp_path / "in" / "empty.ndjson").touch()
    (tmp_path / "in" / "notes.txt").touch()
    notices: list[str] = []
    result = run(notice=notices.append)

    assert output(result) == sorted(map(masked, [*patients[:31], observation(1), patient(99, unreadable=1)]))
    manifest = result.manifest
    assert manifest == read_manifest(str(tmp_path / "out"))
    assert manifest == read_manifest(str(tmp_path / "out"), result.run_id)
    assert (manifest.lines, manifest.blank, manifest.source_files) == (43, 5, 7)
    counts = {name: (c.read, c.masked, c.quarantined, c.dropped) for name, c in manifest.types.items()}
    assert counts == {
        "Basic": (1, 0, 0, 1),
        "Observation": (1, 1, 0, 0),
        "Patient": (32, 32, 0, 0),
        UNKNOWN_TYPE: (4, 0, 4, 0),
    }
    assert manifest.reasons == {"engine-error": 1, "not-json": 2, "unknown-type": 1}
    assert manifest.redactions == {"Patient.unreadable": 1}
    assert {"spark", "python", "fhir-masking", "pools"} <= set(manifest.made_with.versions)
    records = quarantine(result)
    file = str(tmp_path / "in" / "deep" / "er" / "mixed.ndjson")
    assert [(record["file"], record["line"]) for record in records] == [(file, 2), (file, 5), (file, 6), (file, 7)]
    assert [record["document"] for record in records[:3]] == [mixed[1].decode(), mixed[4].decode(), mixed[5].decode()]
    assert base64.b64decode(records[3]["document"]) == mixed[6]
    assert any("1 files" in notice for notice in notices)


def test_the_clean_side_names_no_source(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "in" / "Joe_Bloggs_6d75.ndjson", [patient(1), b"{"])
    result = run()
    for path in (tmp_path / "out").rglob("*"):
        assert "Bloggs" not in path.name
        assert not path.is_file() or b"Bloggs" not in path.read_bytes()
    assert {path.name for path in Path(tmp_path / "phi" / "runs" / result.run_id).iterdir()} == {"quarantine"}
    assert (tmp_path / "phi").stat().st_mode & 0o077 == 0


def test_partitions_batches_and_names_of_files_change_nothing(run: Run, tmp_path: Path) -> None:
    lines = [patient(number) if number % 3 else observation(number) for number in range(2000)]
    for number in range(6):
        write(tmp_path / "in" / f"{number}.ndjson", lines[number::6])
    expected = sorted(map(masked, lines))
    assert output(run(RunSettings(partitions=1))) == expected
    assert output(run(RunSettings(partitions=7, batch_rows=1))) == expected
    assert output(run(RunSettings(partitions=3, batch_rows=1000, batch_bytes=2000, file_bytes=9000))) == expected
    shuffled = random.Random(5).sample(lines, len(lines))
    write(tmp_path / "other" / "all.ndjson", shuffled[:900])
    (tmp_path / "other" / "rest.jsonl.gz").write_bytes(gzip.compress(b"\n".join(shuffled[900:])))
    assert output(run(sources=[str(tmp_path / "other")])) == expected


def test_lines_of_cut_files_keep_their_numbers(run: Run, tmp_path: Path) -> None:
    lines = [b"{broken %d" % number if number % 10 == 3 else patient(number) for number in range(500)]
    lines[100:100] = [b"", b"  "]
    first, second = write(tmp_path / "in" / "a.ndjson", lines), write(tmp_path / "in" / "b.ndjson", lines[:200])
    result = run(RunSettings(partitions=9, batch_rows=20))
    found = [(record["file"], record["line"], record["document"].encode()) for record in quarantine(result)]
    expected = [
        (str(path), number + 1, line)
        for path, rows in ((first, lines), (second, lines[:200]))
        for number, line in enumerate(rows)
        if line.startswith(b"{broken")
    ]
    assert found == expected
    assert len(output(result)) == result.manifest.total.masked == result.manifest.lines - len(found) - 4


def test_a_line_too_long_to_hold_is_quarantined_by_its_place(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "a.ndjson", [patient(1), patient(2, note="x" * 5_000_000), patient(3)])
    result = run(RunSettings(line_bytes=1_000_000))
    (record,) = quarantine(result)
    assert (record["file"], record["line"], record["reason"]) == (str(path), 2, "too-long")
    assert record["document"] == ""
    assert len(output(result)) == 2


def test_a_killed_python_worker_is_replaced(run: Run, tmp_path: Path) -> None:
    lines = [patient(number) for number in range(300)]
    write(tmp_path / "in" / "a.ndjson", lines)
    flag = tmp_path / "die"
    flag.touch()
    result = run(replace(SMALL, partitions=2), Double(kill_flag=str(flag)))
    assert not flag.exists()
    assert output(result) == sorted(map(masked, lines))


@pytest.mark.parametrize("engine", [Careless(), Wordy()])
def test_a_failed_run_publishes_nothing_and_leaves_nothing(run: Run, tmp_path: Path, engine: Double) -> None:
    write(tmp_path / "in" / "a.ndjson", [patient(number) for number in range(30)])
    first = run()
    with pytest.raises(MaskingError) as error:
        run(engine=engine)
    assert "p1" not in str(error.value)
    assert isinstance(error.value, CountMismatch) == isinstance(engine, Careless)
    assert read_manifest(str(tmp_path / "out")) == first.manifest
    assert [path.name for path in (tmp_path / "out" / "runs").iterdir()] == [first.run_id]
    left = [path.name for path in (tmp_path / "phi").rglob("*") if path.is_file()]
    assert left == ["started.json"]
    assert [leftover.state for leftover in run().leftovers] == ["removed"]
    assert list((tmp_path / "phi" / "runs").iterdir()) == []


def test_a_damaged_file_fails_the_run_by_number_at_once_and_is_named_on_the_phi_side(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Oberhuber.ndjson.gz").write_bytes(gzip.compress(patient(1) * 1000)[:-20])
    with pytest.raises(InputError, match=r"input file 1 \(in order of name\): what gzip holds is damaged") as caught:
        run()
    assert "Oberhuber" not in str(caught.value)
    place = Path(str(caught.value).partition("its name is in ")[2])
    assert place.is_relative_to(tmp_path / "phi")
    assert place.read_text() == f"{tmp_path}/in/Oberhuber.ndjson.gz\n"
    assert {path.name for path in place.parent.iterdir()} == {"started.json", place.name}
    assert "Traceback" not in capfd.readouterr().err, "Spark was told of no error, and tried nothing again"
    assert read_manifest(str(tmp_path / "out")) is None


def test_another_key_is_refused_unless_allowed(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.ndjson", [patient(1)])
    run()
    other = replace(MADE_WITH, key_fingerprint="fp-other")
    with pytest.raises(KeyRefused):
        run(made_with=other)
    assert run(replace(SMALL, allow_other_key=True), made_with=other).manifest.made_with.key_fingerprint == "fp-other"


def test_of_two_runs_at_once_with_two_keys_one_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "in/a.ndjson", [patient(1)])
    settle = runs.settle_files

    def other_first(*given: Any) -> None:
        monkeypatch.setattr(runs, "settle_files", settle)
        run(made_with=replace(MADE_WITH, key_fingerprint="fp-other"))
        settle(*given)

    monkeypatch.setattr(runs, "settle_files", other_first)
    with pytest.raises(KeyRefused):
        run()
    (kept,) = (tmp_path / "out/runs").iterdir()
    assert read_manifest(str(tmp_path / "out")).run_id == kept.name  # type: ignore[union-attr]


def test_a_run_whose_delta_tables_fail_is_published_and_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("Joe Bloggs")

    write(tmp_path / "in/a.ndjson", [patient(1)])
    monkeypatch.setattr(runs, "require_delta", lambda spark: None)
    monkeypatch.setattr(runs, "merge_runs", fail)
    with pytest.raises(TablesBehind, match=r"published, but .* not up to it \(RuntimeError\)") as told:
        run(replace(SMALL, formats="ndjson,parquet,delta"))
    manifest = read_manifest(str(tmp_path / "out"))
    assert manifest is not None and manifest.run_id in str(told.value) and "Bloggs" not in str(told.value)


def test_leftovers_of_attempts_are_removed_and_lost_files_noticed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["masking.spark.run"]
    write(tmp_path / "in" / "a.ndjson", [patient(1)])
    settle = module.settle_files

    def with_stray(files: Any, destination: str, places: Any, *folder: str) -> None:
        if not folder:
            write(Path(places.ndjson) / "Patient" / "Patient-00000-9.ndjson", [patient(7)])
        settle(files, destination, places, *folder)

    monkeypatch.setattr(module, "settle_files", with_stray)
    assert len(output(run())) == 1

    def with_loss(files: Any, destination: str, places: Any) -> None:
        (Path(destination) / files[0].path).unlink()
        settle(files, destination, places)

    monkeypatch.setattr(module, "settle_files", with_loss)
    with pytest.raises(CountMismatch, match="share"):
        run()


def test_too_many_small_files_are_joined(run: Run, tmp_path: Path) -> None:
    lines = [patient(number) if number % 2 else observation(number) for number in range(400)]
    write(tmp_path / "in" / "a.ndjson", lines)
    result = run(RunSettings(partitions=8, most_files=9, file_bytes=20_000))
    assert output(result) == sorted(map(masked, lines))
    assert len(result.manifest.files) <= 5
    assert all(file.bytes <= 20_000 for file in result.manifest.files)


def test_nothing_but_empty_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ndjson").touch()
    result = run()
    assert (result.manifest.lines, result.manifest.files, result.manifest.total) == (0, (), TypeCounts())
    write(tmp_path / "in" / "b.ndjson", [b"", b""])
    assert run().manifest.blank == 2


def test_progress_counts_up_and_a_broken_display_stops_nothing(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.ndjson", [patient(number) for number in range(300)])
    seen: list[Snapshot] = []

    def show(snapshot: Snapshot) -> None:
        seen.append(snapshot)
        if snapshot.masked:
            raise BrokenPipeError

    size = (tmp_path / "in" / "a.ndjson").stat().st_size
    result = run(replace(SMALL, partitions=2, batch_rows=3), Double(seconds=0.06), progress=show)
    assert result.manifest.total.masked == 300
    assert [bool(snapshot.masked) for snapshot in seen] == [False] * (len(seen) - 1) + [True]
    assert seen[-1].lines >= seen[-1].masked
    assert all(snapshot.bytes <= size == snapshot.bytes_total for snapshot in seen)


def test_a_run_beside_another_is_left_alone(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.ndjson", [patient(number) for number in range(30)])
    slow = threading.Thread(target=run, args=(RunSettings(batch_rows=1), Double(seconds=0.2)))
    slow.start()
    while not list((tmp_path / "phi").rglob("started.json")):
        time.sleep(0.05)
    assert [leftover.state for leftover in run().leftovers] == ["running"]
    slow.join()
    assert len(list((tmp_path / "out" / "runs").glob("*/manifest.json"))) == 2


@pytest.mark.parametrize("ansi", ["true", "false"])
def test_ansi_mode_changes_nothing(run: Run, spark: SparkSession, tmp_path: Path, ansi: str) -> None:
    write(tmp_path / "in" / "a.ndjson", [patient(1), b"{"])
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        result = run()
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before or "false")
    assert (result.manifest.total.masked, result.manifest.total.quarantined) == (1, 1)


def test_a_bad_setting_is_refused() -> None:
    with pytest.raises(UsageError, match="batch_rows"):
        RunSettings(batch_rows=0)
    with pytest.raises(UsageError, match="keep or split"):
        RunSettings(bundles="both")


def test_what_travels_does_not_show_itself() -> None:
    task = MaskTask(Double("secret"), "r", (), Places("/a", "/b"), Limits(1, 1, 1), 1, 1.0)
    assert "secret" not in repr(task)


DRIVER = """
import sys
from masking.session import open_session
from masking.spark import RunSettings, mask
from spark_double import MADE_WITH, Double
source, out, phi = sys.argv[1:]
settings = RunSettings(partitions=4, batch_rows=20)
mask(open_session("local[2,4]"), source, out, phi, engine=Double(seconds=0.1), made_with=MADE_WITH, settings=settings)
"""


@pytest.mark.slow
def test_a_killed_driver_leaves_nothing_visible_and_the_next_run_is_whole(run: Run, tmp_path: Path) -> None:
    lines = [patient(number) for number in range(2000)]
    write(tmp_path / "in" / "a.ndjson", lines)
    command = [sys.executable, "-c", DRIVER, *(str(tmp_path / name) for name in ("in", "out", "phi"))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(Path(__file__).parent), str(Path.cwd())))}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        while len(list((tmp_path / "phi").rglob("progress/*.json"))) < 2:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    assert read_manifest(str(tmp_path / "out")) is None
    time.sleep(1)  # its Java and its workers notice
    result = run()
    assert [leftover.state for leftover in result.leftovers] == ["removed"]
    assert output(result) == sorted(map(masked, lines))
    assert [path.name for path in (tmp_path / "out" / "runs").iterdir()] == [result.run_id]
