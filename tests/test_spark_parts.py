"""The parts of the Spark side that need no Spark: finding files, cutting them, markers, the guard, the writers."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_double import Careless, Double

from masking import storage
from masking.errors import CountMismatch, InputError, MaskingError, UsageError
from masking.report.manifest import OutputFile
from masking.sources.content import Content, Form
from masking.spark.finish import _groups, _too_many
from masking.spark.guard import Guard
from masking.spark.read import InputFile, content_of, find_inputs, refuse_shared_places
from masking.spark.splits import LEAST_BYTES, count_tasks, plan_tasks
from masking.spark.unfinished import Marker, clear_leftovers, forget_leftovers
from masking.spark.write import Places, QuarantineWriter, TypeWriter, quarantined

OUT, PHI = "/nowhere/out", "/nowhere/phi"


# Finding files.


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.ndjson", ""),
        ("a.jsonl", ""),
        ("A.NDJSON", ""),
        ("a.ndjson.gz", "gzip"),
        ("a.jsonl.bz2", "bz2"),
        ("a.ndjson.ZST", "zstd"),
        ("a.json", ""),
        ("a.JSON.zst", "zstd"),
        ("a.gz", None),
        ("a.json.gz", "gzip"),
        ("ndjson", None),
        ("json", None),
        ("a.json.txt", None),
    ],
)
def test_content_by_name(name: str, codec: str | None) -> None:
    form = Form.DOCUMENT if ".json" in name.lower() and ".jsonl" not in name.lower() else Form.LINES
    assert content_of(f"/x/{name}") == (None if codec is None else Content(form, codec))


def test_a_name_without_a_suffix_is_read_if_it_holds_fhir(tmp_path: Path) -> None:
    line = b'{"resourceType":"Patient","id":"1"}\n'
    table = pa.table({"json": [line.decode()]})
    pq.write_table(table, tmp_path / "part-00001")
    files = {
        "part-00000": line * 3,
        "part-00002.gz": gzip.compress(line),
        "bundle": json.dumps({"resourceType": "Bundle"}, indent=1).encode(),
        "README": b"about resourceType",
        "config": b'{"a": 1}',
        "data.orc": b"ORC",
        "empty": b"",
        "page": b"<?xml version='1.0'?>",
    }
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
    found = find_inputs(str(tmp_path), OUT, PHI)
    assert {(Path(file.path).name, file.form, file.codec) for file in found.files} == {
        ("part-00000", Form.LINES, ""),
        ("part-00001", Form.PARQUET, ""),
        ("part-00002.gz", Form.LINES, "gzip"),
        ("bundle", Form.DOCUMENT, ""),
    }
    assert found.ignored == 5


def test_kinds_that_are_not_read_are_named_with_what_to_do(tmp_path: Path) -> None:
    for name in ("a.orc", "b.ORC", "c.csv", "d.xml", "e.zip", "f.avro", "g.txt"):
        (tmp_path / name).touch()
    with pytest.raises(InputError) as caught:
        find_inputs(str(tmp_path), OUT, PHI)
    for told in (
        "other names (7;",
        "2 ORC: Spark writes",
        "1 CSV",
        "1 XML: export FHIR as JSON",
        "1 zip: unpack",
        "1 Avro",
    ):
        assert told in str(caught.value)


@pytest.mark.parametrize("name", ["part-00000.snappy.parquet", "A.PARQUET", "a.pq", "a.parq"])
def test_parquet_by_name(name: str) -> None:
    assert content_of(f"/x/{name}") == Content(Form.PARQUET, "")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    for name in (
        "Patient.ndjson",
        "log.txt",
        "deep/er/Claim.ndjson.gz",
        "deep/Claim.jsonl",
        "_SUCCESS/x.ndjson",
        ".hidden.ndjson",
        "deep/_part.ndjson",
    ):
        path = tmp_path / "export" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}\n")
    return tmp_path / "export"


def names(sources: list[str], export: Path) -> list[str]:
    return [file.path.removeprefix(f"{export}/") for file in find_inputs(sources, OUT, PHI).files]


def test_a_folder_at_any_depth_without_what_is_hidden(export: Path) -> None:
    found = find_inputs(str(export), OUT, PHI)
    assert names([str(export)], export) == ["Patient.ndjson", "deep/Claim.jsonl", "deep/er/Claim.ndjson.gz"]
    assert found.ignored == 1
    assert found.bytes == 9


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.ndjson", ["Patient.ndjson"]),
        ("*", ["Patient.ndjson", "deep/Claim.jsonl", "deep/er/Claim.ndjson.gz"]),
        ("d??p", ["deep/Claim.jsonl", "deep/er/Claim.ndjson.gz"]),
        ("*/*", ["deep/Claim.jsonl", "deep/er/Claim.ndjson.gz"]),
        ("**/*.gz", ["deep/er/Claim.ndjson.gz"]),
        ("**/Claim*", ["deep/Claim.jsonl", "deep/er/Claim.ndjson.gz"]),
        ("[P]*.ndjson", ["Patient.ndjson"]),
        (".hidden.ndjson", [".hidden.ndjson"]),
        ("deep/", ["deep/Claim.jsonl", "deep/er/Claim.ndjson.gz"]),
    ],
)
def test_globs_and_named_files(export: Path, pattern: str, expected: list[str]) -> None:
    assert names([f"{export}/{pattern}"], export) == expected


def test_sources_that_overlap_are_read_once(export: Path) -> None:
    (export.parent / "link").symlink_to(export / "deep")
    sources = [str(export), f"{export}/*.ndjson", str(export / "Patient.ndjson"), str(export.parent / "link")]
    assert len(find_inputs(sources, OUT, PHI).files) == 3


@pytest.mark.parametrize("source", ["missing", "log.txt", "_SUCCESS/*.gz", "deep/*.nothing"])
def test_nothing_to_read_names_the_place_and_what_is_accepted(export: Path, source: str) -> None:
    with pytest.raises(InputError, match=r"\*\.ndjson") as error:
        find_inputs([str(export / "Patient.ndjson"), f"{export}/{source}"], OUT, PHI)
    assert source in str(error.value)


def test_what_is_named_like_input_and_is_no_file_is_refused(export: Path) -> None:
    before = find_inputs(str(export), OUT, PHI)
    (export / "nowhere.txt").symlink_to(export / "gone")
    os.mkfifo(export / "pipe")
    (export / ".nobody.ndjson").symlink_to(export / "gone")
    found = find_inputs(str(export), OUT, PHI)
    assert (found.files, found.ignored) == (before.files, before.ignored + 2)
    (export / "nowhere.ndjson").symlink_to(export / "gone")
    os.mkfifo(export / "pipe.ndjson")
    with pytest.raises(InputError, match=f"2 at {export} are named like input and are no files"):
        find_inputs(str(export), OUT, PHI)
    assert find_inputs(f"{export}/**/[!np]*.ndjson", OUT, PHI).files


def test_names_that_are_not_utf_8_are_refused_by_their_number(export: Path) -> None:
    odd = os.fsdecode(os.fsencode(export) + b"/Oberhuber_\xff.ndjson")
    Path(odd).write_text("{}\n")
    with pytest.raises(
        InputError, match=r"1 of the [0-9]+ files to read at .* have names that are not UTF-8"
    ) as caught:
        find_inputs(str(export), OUT, PHI)
    assert "Oberhuber" not in str(caught.value)
    with pytest.raises(UsageError, match="a path is not UTF-8"):
        find_inputs(odd, OUT, PHI)


def test_no_source() -> None:
    with pytest.raises(UsageError):
        find_inputs([], OUT, PHI)


@pytest.mark.parametrize(
    ("source", "destination"),
    [("in", "in"), ("in/deep", "in"), ("in", "in/out"), ("i*", "in"), ("*", "in/out"), ("*/*.ndjson", "in")],
)
def test_reading_where_we_write_is_refused(tmp_path: Path, source: str, destination: str) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for path in (tmp_path / "in" / "x.ndjson", tmp_path / "in" / "deep" / "x.ndjson"):
        path.write_bytes(b"{}\n")
    for clean, phi in ((str(tmp_path / destination), PHI), (OUT, str(tmp_path / destination))):
        with pytest.raises(UsageError):
            find_inputs(str(tmp_path / source), clean, phi)


@pytest.mark.parametrize(("clean", "phi"), [("/a", "/a"), ("/a", "/a/b"), ("/a/b", "/a"), ("s3://b/a", "s3://b/a/c")])
def test_the_two_sides_lie_apart(clean: str, phi: str) -> None:
    with pytest.raises(UsageError, match="PHI"):
        refuse_shared_places(clean, phi)


def test_sides_with_like_names_are_apart() -> None:
    refuse_shared_places("/a", "/ab")


# Cutting.


@given(
    st.lists(st.tuples(st.integers(0, 500), st.sampled_from(["", "", "gzip", "json"])), min_size=1, max_size=12),
    st.integers(1, 9),
)
def test_blocks_cover_each_file_exactly_once(files: list[tuple[int, str]], tasks: int) -> None:
    inputs = [
        InputFile(f"/{number:02d}", size, kind.replace("json", ""), Form.DOCUMENT if kind == "json" else Form.LINES)
        for number, (size, kind) in enumerate(files)
    ]
    planned = plan_tasks(inputs, tasks)
    assert len(planned) <= tasks
    assert all(planned)
    assert all(inputs[block.number - 1].path == block.path for task in planned for block in task)
    for file in inputs:
        blocks = sorted((block.start, block.end) for task in planned for block in task if block.path == file.path)
        edges = [0, *(end for _, end in blocks)]
        assert [start for start, _ in blocks] == edges[:-1]
        assert edges[-1] == file.size
        assert len(blocks) <= 1 or file.cuttable
    assert all(block.form is inputs[block.number - 1].form for task in planned for block in task)


def test_tasks_of_plain_files_are_even() -> None:
    planned = plan_tasks([InputFile(f"/{number}", 1000 * number, "") for number in range(1, 20)], 7)
    sizes = [sum(block.end - block.start for block in task) for task in planned]
    assert len(sizes) == 7
    assert max(sizes) - min(sizes) < sum(sizes) / 7 * 0.2
    assert sizes == sorted(sizes, reverse=True)


def test_large_compressed_files_do_not_share_a_task() -> None:
    planned = plan_tasks([InputFile(f"/{number}", 100, "gzip") for number in range(4)], 4)
    assert [len(task) for task in planned] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("weight", "cores", "most", "tasks"),
    [(0, 2, 128 << 20, 1), (10 << 20, 2, 128 << 20, 2), (200 << 20, 2, 128 << 20, 4), (10 << 30, 4, 128 << 20, 80)],
)
def test_how_many_tasks(weight: int, cores: int, most: int, tasks: int) -> None:
    assert count_tasks(weight, cores, most) == tasks
    assert weight / tasks >= LEAST_BYTES or tasks <= 2


# The guard.


def test_an_engine_that_raises_costs_only_what_it_raised_on() -> None:
    good = b'{"resourceType":"Patient"}'
    batch = Guard(Double()).mask_batch([good, b"BOOM 123-45-6789", b'{"resourceType":"Basic"}', b"no", good])
    assert [masked is not None for masked in batch.masked] == [True, False, False, False, True]
    assert batch.dropped == [2]
    assert [(fault.index, fault.reason) for fault in batch.faults] == [(1, "engine-error"), (3, "not-json")]
    assert "ValueError at spark_double.py" in batch.faults[0].message
    assert "123-45-6789" not in str(batch.faults)


def test_an_engine_that_loses_a_document_is_stopped() -> None:
    with pytest.raises(CountMismatch):
        Guard(Careless()).mask_batch([b'{"resourceType":"Patient"}'])


# The writers.


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(str(tmp_path / "out" / "runs" / "r"), str(tmp_path / "phi" / "runs" / "r"))


def test_files_are_rolled_hashed_and_named(places: Places, tmp_path: Path) -> None:
    writer = TypeWriter("Patient", "00007", places, 10)
    for document in (b"{1}", b"{22222222}", b"{3}"):
        writer.write([document])
    assert storage.list_files(places.ndjson).__next__().size == 15
    writer.finish()
    assert [(file.path, file.rows, file.bytes) for file in writer.files] == [
        ("runs/r/ndjson/Patient/Patient-00007.ndjson", 2, 15),
        ("runs/r/ndjson/Patient/Patient-00007-1.ndjson", 1, 4),
    ]
    for file in writer.files:
        path = tmp_path / "out" / file.path
        hashed = subprocess.run(["sha256sum", str(path)], capture_output=True, check=True, text=True).stdout
        assert hashed.split()[0] == file.sha256
    assert (writer.rows, writer.bytes) == (3, 16)


@pytest.mark.parametrize("name", ["../x", "", "Patient/x", "patient", "P", "Patient\n"])
def test_a_type_that_is_no_name_never_becomes_a_folder(places: Places, name: str) -> None:
    with pytest.raises(MaskingError):
        TypeWriter(name, "00000", places, 10).write([b"{}"])


def test_a_document_over_two_lines_is_refused(places: Places) -> None:
    writer = TypeWriter("Patient", "00000", places, 10)
    with pytest.raises(MaskingError, match="more than one line"):
        writer.write([b"{\n}"])


@pytest.mark.parametrize(("document", "encoding"), [(b"{", "utf-8"), (b"\xff", "base64"), ("ß\x00".encode(), "utf-8")])
def test_quarantine_holds_the_line_itself(places: Places, document: bytes, encoding: str) -> None:
    writer = QuarantineWriter("00003", places)
    writer.write(quarantined("/x", 4, document, resource_type=None, reason="r", place="p", message="m"))
    assert writer.finish() is False
    (line,) = (Path(places.quarantine) / "part-00003.ndjson").read_bytes().splitlines()
    record = json.loads(line)
    assert record["encoding"] == encoding
    text = record.pop("document")
    assert (msgspec.convert(text, bytes, strict=False) if encoding == "base64" else text.encode()) == document
    assert (record["file"], record["line"], record["reason"], record["place"]) == ("/x", 4, "r", "p")


# Small files.


def output(name: str, number: int, size: int) -> OutputFile:
    return OutputFile(f"runs/r/ndjson/{name}/{name}-{number:05d}.ndjson", name, 1, size, "00")


def test_small_files_are_gathered_a_type_at_a_time() -> None:
    files = [output(name, number, 10) for name in ("Claim", "Patient") for number in range(40)]
    assert _too_many(files, 3200, 10_000)
    assert not _too_many(files[:16], 3200, 10_000)
    assert _too_many(files[:16], 3200, 15)
    groups = list(_groups(files, 100))
    assert [len(group) for group in groups] == [10] * 8
    assert all(len({file.resource_type for file in group}) == 1 for group in groups)
    assert sorted(itertools.chain(*groups), key=lambda file: file.path) == files


# Markers.


def start(tmp_path: Path, run_id: str) -> Marker:
    clean, phi = str(tmp_path / "out"), str(tmp_path / "phi")
    marker = Marker(phi, run_id, clean)
    marker.start()
    storage.write_bytes(f"{clean}/runs/{run_id}/ndjson/Patient/x.ndjson", b"{}\n")
    storage.write_bytes(f"{phi}/runs/{run_id}/quarantine/x.ndjson", b"{}\n")
    return marker


def leftovers(tmp_path: Path) -> dict[str, str]:
    found = clear_leftovers(str(tmp_path / "out"), str(tmp_path / "phi"))
    assert all(leftover.run_id in str(leftover) for leftover in found)
    return {leftover.run_id: leftover.state for leftover in found}


def test_what_a_run_took_back_and_told_of_is_not_told_again(tmp_path: Path) -> None:
    start(tmp_path, "a").release()
    start(tmp_path, "b").release(taken_back=True)
    found = clear_leftovers(str(tmp_path / "out"), str(tmp_path / "phi"))
    assert [(one.run_id, one.state, one.known) for one in found] == [("a", "removed", False), ("b", "removed", True)]
    forget(tmp_path)
    assert leftovers(tmp_path) == {}


def forget(tmp_path: Path) -> None:
    clean, phi = str(tmp_path / "out"), str(tmp_path / "phi")
    forget_leftovers(clean, phi, clear_leftovers(clean, phi))


def test_a_run_at_work_is_left_alone_and_a_dead_one_removed(tmp_path: Path) -> None:
    alive, dead = start(tmp_path, "a"), start(tmp_path, "b")
    dead.release()
    assert leftovers(tmp_path) == {"a": "running", "b": "removed"}
    assert storage.list_folders(str(tmp_path / "out" / "runs")) == ["a"]
    assert [path.name for path in (tmp_path / "phi" / "runs" / "b").iterdir()] == ["started.json"]
    forget(tmp_path)
    assert storage.list_folders(str(tmp_path / "phi" / "runs")) == ["a"]
    alive.remove()


def test_what_a_dead_runs_workers_write_after_its_removal_goes_too(tmp_path: Path) -> None:
    clean, phi = str(tmp_path / "out"), str(tmp_path / "phi")
    start(tmp_path, "a").release()
    found = clear_leftovers(clean, phi)
    storage.write_bytes(f"{clean}/runs/a/ndjson/Patient/y.ndjson", b"{}\n")
    storage.write_bytes(f"{phi}/runs/a/quarantine/y.ndjson", b"{}\n")
    forget_leftovers(clean, phi, found)
    assert storage.list_folders(f"{clean}/runs") == storage.list_folders(f"{phi}/runs") == []


def test_a_folder_that_was_left_before_its_marker_goes_when_it_is_old(tmp_path: Path) -> None:
    folders = [tmp_path / "phi" / "runs" / name for name in ("empty", "begun", "full", "young")]
    for folder in folders:
        folder.mkdir(parents=True)
    (folders[1] / ".writing-00").touch()
    (folders[2] / "quarantine").mkdir()
    for folder in folders[:3]:
        os.utime(folder, (1e9, 1e9))
    assert leftovers(tmp_path) == {}
    assert storage.list_folders(str(tmp_path / "phi" / "runs")) == ["full", "young"]


def test_a_killed_process_is_dead_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, time; from masking.spark.unfinished import Marker\n"
        f"m = Marker({str(tmp_path / 'phi')!r}, 'a', {str(tmp_path / 'out')!r}); m.start(); print('x', flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert leftovers(tmp_path) == {"a": "running"}
        process.kill()
        process.wait()
        assert leftovers(tmp_path) == {"a": "removed"}
    forget(tmp_path)
    assert leftovers(tmp_path) == {}


def test_what_is_whole_or_not_ours_is_kept(tmp_path: Path) -> None:
    start(tmp_path, "a").release()
    storage.write_bytes(str(tmp_path / "out" / "runs" / "a" / "manifest.json"), b"{}")
    storage.write_bytes(str(tmp_path / "out" / "runs" / "b" / "ndjson" / "x"), b"{}")
    other = Marker(str(tmp_path / "phi"), "c", "/another/destination")
    other.start()
    other.release()
    assert leftovers(tmp_path) == {"a": "finished", "b": "not ours"}
    assert storage.list_folders(str(tmp_path / "out" / "runs")) == ["a", "b"]
    assert storage.list_folders(str(tmp_path / "phi" / "runs")) == ["a", "c"]
    assert leftovers(tmp_path) == {"b": "not ours"}


def test_another_machine_is_believed_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    start(tmp_path, "a").release()
    monkeypatch.undo()
    assert leftovers(tmp_path) == {"a": "running"}
    os.utime(tmp_path / "phi" / "runs" / "a" / "started.json", (1e9, 1e9))
    assert leftovers(tmp_path) == {"a": "removed"}


def test_a_marker_that_is_damaged_removes_nothing(tmp_path: Path) -> None:
    start(tmp_path, "a").release()
    (tmp_path / "phi" / "runs" / "a" / "started.json").write_bytes(b"{")
    assert leftovers(tmp_path) == {"a": "not ours"}
