"""Files masked in place: their layout, what is counted, what is refused, and that each is wholly old or wholly new."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pytest
import zstandard
from here_spark import HereSpark, here
from spark_double import MADE_WITH, Careless, Double, Wordy

from masking import storage
from masking.document import Batch
from masking.errors import CountMismatch, InputError, KeyRefused, MaskingError, StorageError, UsageError
from masking.report.manifest import TypeCounts
from masking.spark import RunSettings
from masking.spark.inplace import jobs, put, sources
from masking.spark.inplace.journal import read_journals
from masking.spark.inplace.mark import MARK, read_mark
from masking.spark.inplace.put import Move
from masking.spark.inplace.run import InPlace, InPlaceResult, mask_in_place
from masking.spark.inplace.undo import undo_in_place
from masking.spark.read import suffix_of

__all__ = ["here"]  # a fixture

SMALL = RunSettings(partitions=5, batch_rows=7, batch_bytes=600)
Run = Callable[..., InPlaceResult]


def patient(number: int, **more: object) -> bytes:
    return json.dumps({"resourceType": "Patient", "id": f"p{number}", **more}).encode()


def masked(document: bytes) -> bytes:
    return document[:-1] + b',"masked":true}'


def lines(numbers: range, end: bytes = b"\n") -> bytes:
    return b"".join(patient(number) + end for number in numbers)


def masked_lines(numbers: range, end: bytes = b"\n") -> bytes:
    return b"".join(masked(patient(number)) + end for number in numbers)


class Neat(Double):
    """Like the engine, it takes white space off the ends of a document."""

    def mask_batch(self, documents: list[bytes]) -> Batch:
        return super().mask_batch([document.strip() for document in documents])


@pytest.fixture
def run(here: HereSpark, tmp_path: Path) -> Run:
    """Mask `tmp_path/in` in place with `tmp_path/phi`."""

    def run(engine: Any = None, settings: RunSettings = SMALL, made_with: Any = MADE_WITH, **how: Any) -> InPlaceResult:
        more = {name: how.pop(name) for name in ("judge", "notice") if name in how}
        return mask_in_place(
            here,  # type: ignore[arg-type]
            str(tmp_path / "in"),
            str(tmp_path / "phi"),
            engine=engine or Neat(),
            made_with=made_with,
            settings=settings,
            how=InPlace(**how),
            **more,
        )

    return run


def put_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def there(folder: Path) -> dict[str, bytes]:
    """All files by name, but the mark."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARK
    }


PRETTY = b'\r\n{\r\n  "resourceType": "Patient",\r\n  "id": "p1",\r\n  "n": [1.00,\r\n    2]\r\n}'
FORMS: dict[str, tuple[bytes, bytes]] = {
    "plain.ndjson": (lines(range(9)), masked_lines(range(9))),
    "long.jsonl": (lines(range(100, 160)), masked_lines(range(100, 160))),  # is cut
    "unended.ndjson": (lines(range(30))[:-1], masked_lines(range(30))[:-1]),
    "crlf.ndjson": (lines(range(30), b"\r\n"), masked_lines(range(30), b"\r\n")),
    "crlf-unended.jsonl": (lines(range(30), b"\r\n")[:-2], masked_lines(range(30), b"\r\n")[:-2]),
    "bom.ndjson": (b"\xef\xbb\xbf" + lines(range(30)), b"\xef\xbb\xbf" + masked_lines(range(30))),
    "blank.ndjson": (b"\n\n" + lines(range(30), b"\n  \n") + b"\n", masked_lines(range(30))),
    "late-crlf.ndjson": (lines(range(2)) + lines(range(2, 4), b"\r\n"), masked_lines(range(4))),
    "one.ndjson": (patient(1), masked(patient(1))),
    "nothing.ndjson": (b"", b""),
    "white.ndjson": (b"\n \n", b""),
    "broken.ndjson": (b"{broken\n", b""),
    "some.ndjson": (b"{broken\n" + lines(range(3)) + b"{broken", masked_lines(range(3))[:-1]),
    "dropped.ndjson": (b'{"resourceType":"Basic"}\n' + lines(range(1)), masked_lines(range(1))),
    "pretty.json": (PRETTY + b"\r\n\n", b"\r\n" + masked(PRETTY.strip()) + b"\r\n\n"),
    "bom.json": (b"\xef\xbb\xbf" + PRETTY, b"\xef\xbb\xbf\r\n" + masked(PRETTY.strip())),
    "empty.json": (b"", b""),
    "pretty.ndjson": (PRETTY.strip(), masked(PRETTY.strip())),  # is cut by its name, and one document by its bytes
    "lines.json": (lines(range(60)), masked_lines(range(60))),  # named as one document, and lines by its bytes
    "array.json": (
        b"[ " + b",".join(patient(number) for number in range(3)) + b"]\n",
        b"[\n" + b",\n".join(masked(patient(number)) for number in range(3)) + b"\n]\n",
    ),
    "array-long.ndjson": (
        b"\xef\xbb\xbf[" + b",\r\n".join(patient(number) for number in range(30)) + b"]",
        b"\xef\xbb\xbf[\r\n" + b",\r\n".join(masked(patient(number)) for number in range(30)) + b"\r\n]\r\n",
    ),
    "deep/er/x.ndjson": (lines(range(3)), masked_lines(range(3))),
}
PACKED: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    ".gz": (gzip.compress, gzip.decompress),
    ".bz2": (bz2.compress, bz2.decompress),
    ".zst": (zstandard.compress, lambda content: zstandard.ZstdDecompressor().stream_reader(content).read()),
}


def test_each_file_keeps_its_layout(run: Run, tmp_path: Path) -> None:
    put_files(tmp_path / "in", {name: before for name, (before, _) in FORMS.items()})
    for suffix, (pack, _) in PACKED.items():
        put_files(tmp_path / "in", {name + suffix: pack(before) for name, (before, _) in FORMS.items()})
    result = run()
    found = there(tmp_path / "in")
    assert found.keys() == {name + suffix for name in FORMS for suffix in ("", *PACKED)}
    for name, (_, after) in FORMS.items():
        assert found[name] == after, name
        for suffix, (_, unpack) in PACKED.items():
            assert unpack(found[name + suffix]) == after, name + suffix
    assert result.manifest is not None
    for file in result.manifest.files:
        content = Path(file.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    patients = sum(after.count(b'"Patient"') for _, after in FORMS.values()) * 4
    total = result.manifest.total
    assert (total.masked, total.dropped, sum(file.rows for file in result.manifest.files)) == (patients, 4, patients)
    assert total.quarantined == sum(result.manifest.reasons.values()) == 3 * 4
    assert result.manifest.lines == total.read + result.manifest.blank
    assert result.quarantine is not None


@pytest.mark.parametrize(
    "settings", [RunSettings(partitions=1), RunSettings(partitions=40, batch_rows=1), RunSettings(partitions=3)]
)
def test_how_a_file_is_cut_changes_nothing(run: Run, tmp_path: Path, settings: RunSettings) -> None:
    put_files(tmp_path / "in", {name: before for name, (before, _) in FORMS.items()})
    run(settings=settings)
    assert there(tmp_path / "in") == {name: after for name, (_, after) in FORMS.items()}


def test_quarantine_names_the_lines_of_files_that_were_cut(run: Run, tmp_path: Path) -> None:
    broken = [b"{broken" if number % 10 == 3 else patient(number) for number in range(100)]
    put_files(tmp_path / "in", {"a.ndjson": b"\n".join(broken)})
    result = run()
    assert result.quarantine is not None
    records = [
        json.loads(line) for path in Path(result.quarantine).iterdir() for line in path.read_bytes().splitlines()
    ]
    assert sorted(record["line"] for record in records) == list(range(4, 101, 10))
    assert there(tmp_path / "in")["a.ndjson"].count(b"\n") == 89


def test_the_second_run_masks_nothing_twice(run: Run, tmp_path: Path) -> None:
    put_files(tmp_path / "in", {"a.ndjson": lines(range(5)), "b.ndjson.gz": gzip.compress(lines(range(5)))})
    run()
    before = there(tmp_path / "in")
    again = run()
    assert (again.manifest, again.already) == (None, 2)
    assert there(tmp_path / "in") == before
    put_files(tmp_path / "in", {"new.ndjson": lines(range(7, 9))})
    notices: list[str] = []
    third = run(notice=notices.append)
    assert there(tmp_path / "in") == {**before, "new.ndjson": masked_lines(range(7, 9))}
    assert (third.already, third.manifest and third.manifest.total.masked) == (2, 2)
    assert "2 of 3 files are masked already" in "".join(notices)
    assert "nothing is known any more" in "".join(notices)


@pytest.mark.parametrize("lost", ["phi", "mark"])
def test_what_is_masked_is_known_by_either_side(run: Run, tmp_path: Path, lost: str) -> None:
    put_files(tmp_path / "in", {"a.ndjson": lines(range(5)), "deep/b.ndjson": lines(range(5, 7))})
    run()
    before = there(tmp_path / "in")
    if lost == "phi":
        (tmp_path / "phi").rename(tmp_path / "lost")
    else:
        (tmp_path / "in" / MARK).unlink()
    (tmp_path / "in" / "a.ndjson").rename(tmp_path / "in" / "deep" / "moved.ndjson")
    assert run().already == 2
    assert there(tmp_path / "in") == {"deep/moved.ndjson": before["a.ndjson"], "deep/b.ndjson": before["deep/b.ndjson"]}


def test_another_key_is_refused(run: Run, tmp_path: Path) -> None:
    other = MADE_WITH.__class__("double", "0" * 64, "fp-other", "default", "2026-01-01")
    put_files(tmp_path / "in", {"a.ndjson": lines(range(5))})
    run()
    with pytest.raises(KeyRefused, match=r"1 of 1 files are masked already, with key fp-0123456789abcdef"):
        run(made_with=other)
    assert there(tmp_path / "in") == {"a.ndjson": masked_lines(range(5))}
    run(made_with=other, settings=RunSettings(allow_other_key=True))
    assert there(tmp_path / "in")["a.ndjson"].count(b'"masked":true,"masked":true') == 5


def test_nothing_is_left_in_the_phi_area_but_what_is_needed(run: Run, tmp_path: Path) -> None:
    put_files(tmp_path / "in", {"Joe_Bloggs.ndjson": lines(range(50)), "b.ndjson": b"{broken"})
    result = run()
    names = {str(path.relative_to(result.folder)) for path in Path(result.folder).rglob("*") if path.is_file()}
    assert {name.partition("/")[0] for name in names} == {"in-place.json", "manifest.json", "quarantine"}
    assert {path.name for path in (tmp_path / "in").iterdir()} == {"Joe_Bloggs.ndjson", "b.ndjson", MARK}
    mark = (tmp_path / "in" / MARK).read_text()
    assert "Joe" not in mark
    assert str(tmp_path) not in mark
    assert read_mark(str(tmp_path / "in")).runs[0].is_done


@pytest.mark.parametrize("errno_", [13, 0])
def test_files_that_cannot_be_read_or_put_are_told_by_number(errno_: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a store's library says: its texts name files, which are named after people."""
    said = f"Failed to open local file '/x/Joe_Bloggs.ndjson'. Detail: [errno {errno_}]"

    def fail(*_: object) -> None:
        raise OSError(errno_, said) if errno_ else OSError(said)

    for name in ("fingerprint", "state", "carry_out"):
        monkeypatch.setattr(jobs, name, fail)
    path = "/x/Joe_Bloggs.ndjson"
    move = Move(4, path, 1, "0", path, "1")
    numbers = [pa.record_batch({"id": [0]})]
    for task in (
        jobs.HashTask(((4, path),), ((0,),)),
        jobs.MoveTask((move,), ((0,),), is_look=True),
        jobs.MoveTask((move,), ((0,),), is_look=False),
    ):
        with pytest.raises(MaskingError, match=r"input file 4 \(in order of name\)") as caught:
            list(task.run(numbers))
        assert "Joe" not in str(caught.value) + repr(task)


def test_modes_stay(run: Run, tmp_path: Path) -> None:
    put_files(tmp_path / "in", {"a.ndjson": lines(range(5)), "b.ndjson": lines(range(5))})
    (tmp_path / "in" / "a.ndjson").chmod(0o640)
    (tmp_path / "in" / "b.ndjson").chmod(0o600)
    (tmp_path / "originals").mkdir(mode=0o755)
    run(keep_originals=str(tmp_path / "originals"))
    assert [(tmp_path / "in" / name).stat().st_mode & 0o777 for name in ("a.ndjson", "b.ndjson")] == [0o640, 0o600]
    kept = [path for path in (tmp_path / "originals").rglob("*") if path.is_file()]
    assert len(kept) == 2 and {path.stat().st_mode & 0o777 for path in kept} == {0o600}  # whoever may read the folder


def test_the_kind_of_a_file_by_the_end_of_its_name() -> None:
    names = ("a.ndjson", "A.NDJSON.GZ", "x.json", "part-00000", "part-00000.gz")
    assert [suffix_of(f"/x/{name}") for name in names] == [".ndjson", ".ndjson.gz", ".json", "", ".gz"]


# What is refused, before anything is touched.


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[dict[str, bytes]]:
    """A source that must be as it was at the end."""
    files = {"a.ndjson": lines(range(20)), "b.json": PRETTY}
    put_files(tmp_path / "in", files)
    yield files
    found = there(tmp_path / "in")
    assert {name: found[name] for name in files} == files
    assert not (tmp_path / "in" / MARK).exists()


@pytest.mark.parametrize("name", ["notes.txt", ".a.ndjson.crc", "_temporary/x", "_metadata", ".hidden.ndjson"])
def test_other_files_are_refused_unless_they_may_stay(
    run: Run, tmp_path: Path, untouched: dict[str, bytes], name: str
) -> None:
    put_files(tmp_path / "in", {name: b"other"})
    with pytest.raises(UsageError, match="--leave-others") as refused:
        run()
    assert name not in str(refused.value)


def test_others_that_may_stay_do(run: Run, tmp_path: Path) -> None:
    put_files(tmp_path / "in", {"a.ndjson": lines(range(5)), "notes.txt": b"other", "_SUCCESS": b""})
    run(leave_others=True)
    assert there(tmp_path / "in") == {"a.ndjson": masked_lines(range(5)), "notes.txt": b"other", "_SUCCESS": b""}


def test_links_are_refused(run: Run, tmp_path: Path, untouched: dict[str, bytes]) -> None:
    (tmp_path / "in" / "link.ndjson").symlink_to(tmp_path / "in" / "a.ndjson")
    (tmp_path / "else.ndjson").write_bytes(lines(range(2)))
    (tmp_path / "in" / "out.ndjson").symlink_to(tmp_path / "else.ndjson")
    with pytest.raises(UsageError, match="reached by links"):
        run()
    (tmp_path / "in" / "link.ndjson").unlink()
    (tmp_path / "in" / "out.ndjson").unlink()
    os.link(tmp_path / "in" / "a.ndjson", tmp_path / "hard")
    with pytest.raises(UsageError, match="hard links"):
        run()


@pytest.mark.usefixtures("untouched")
def test_places_that_overlap_are_refused(here: HereSpark, run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="inside"):
        mask_in_place(here, str(tmp_path / "in"), str(tmp_path / "in" / "phi"), engine=Neat(), made_with=MADE_WITH)  # type: ignore[arg-type]
    (tmp_path / "in" / "phi").rmdir()
    for keep in ("in/originals", "in", "."):
        with pytest.raises(UsageError, match="folder for originals"):
            run(keep_originals=str(tmp_path / keep))


@pytest.mark.usefixtures("untouched")
def test_a_full_disk_is_told_before(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.shutil, "disk_usage", lambda place: type("usage", (), {"free": 3 << 20})())
    monkeypatch.setattr(sources, "disk_needed", lambda inputs: 5 << 20)
    with pytest.raises(StorageError, match="has 3 MB free, and masking in place needs about 5 MB"):
        run()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("engine", [Careless(), Wordy()])
def test_an_engine_that_errs_replaces_nothing(run: Run, tmp_path: Path, engine: Double) -> None:
    with pytest.raises((CountMismatch, MaskingError)):
        run(engine=engine)
    assert not [path for path in (tmp_path / "phi").rglob("*") if path.is_file() and path.name != "started.json"]


@pytest.mark.usefixtures("untouched")
def test_a_judge_stops_it(run: Run) -> None:
    def judge(staged: object) -> None:
        raise MaskingError("a leak")

    with pytest.raises(MaskingError, match="a leak"):
        run(judge=judge)


def test_a_damaged_file_is_told_by_its_number(run: Run, tmp_path: Path) -> None:
    put_files(tmp_path / "in", {"a.ndjson": lines(range(5)), "b.ndjson.gz": gzip.compress(lines(range(50)))[:-20]})
    before = there(tmp_path / "in")
    with pytest.raises(InputError, match=r"cannot read input file 2 .*; its name is in ") as refused:
        run()
    assert "b.ndjson" not in str(refused.value).partition("its name is in")[0]
    assert there(tmp_path / "in") == before


# Broken off, gone on with, and undone.

#: What a source holds; files of every kind of state.
WORLD = {"a.ndjson": lines(range(50)), "b.json": PRETTY, "c.ndjson.gz": gzip.compress(lines(range(9)))}


class Broken(Exception):
    """Somebody pulled the plug."""


def swap_only(monkeypatch: pytest.MonkeyPatch, count: int, name: str = "_put") -> None:
    """Let so many files be put, and then the power goes."""
    true, done = getattr(put, name), []

    def counting(*arguments: Any) -> Any:
        if len(done) == count:
            raise Broken
        done.append(1)
        return true(*arguments)

    monkeypatch.setattr(put, name, counting)


def broken_at(call: int) -> Callable[..., None]:
    """Stands for a function at whose second or later call the power goes."""
    calls: list[int] = []

    def function(*_: Any, **__: Any) -> None:
        calls.append(1)
        if len(calls) == call:
            raise Broken

    return function


def is_whole(found: dict[str, bytes], names: dict[str, bytes]) -> list[bool]:
    """Of each file whether it is new; every one is old or new."""
    state = []
    for name, old in names.items():
        content = found[name]
        new = gzip.decompress(content).count(b'"masked"') if name.endswith("gz") else content.count(b'"masked"')
        assert content == old or new == {"a.ndjson": 50, "b.json": 1, "c.ndjson.gz": 9}[name]
        state.append(content != old)
    return state


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("then", ["rerun", "undo"])
def test_broken_off_while_files_are_replaced(
    run: Run, here: HereSpark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, then: str
) -> None:
    put_files(tmp_path / "in", WORLD)
    keep = str(tmp_path / "originals")
    with monkeypatch.context() as patch, pytest.raises(Broken):
        swap_only(patch, len(WORLD) + count)
        run(keep_originals=keep)
    assert sum(is_whole(there(tmp_path / "in"), WORLD)) == count
    kept = {name.split("/", 2)[2]: content for name, content in there(tmp_path / "originals").items()}
    assert kept == WORLD
    if then == "rerun":
        notices: list[str] = []
        here.jobs.clear()
        result = run(notice=notices.append)
        assert result.is_resumed
        assert len(here.jobs) <= 3  # looks and moves: nothing is masked again
        assert "it is finished as it was begun" in "".join(notices)
        assert all(is_whole(there(tmp_path / "in"), WORLD))
        assert result.manifest is not None
        assert result.manifest.types == {"Patient": TypeCounts(60, 60, 0, 0, *_bytes(result))}
        assert run().already == 3
    assert undo_in_place(here, str(tmp_path / "in"), str(tmp_path / "phi")).files == 3  # type: ignore[arg-type]
    assert there(tmp_path / "in") == WORLD
    assert not (tmp_path / "in" / MARK).exists()
    with pytest.raises(InputError, match="could be undone"):
        undo_in_place(here, str(tmp_path / "in"), str(tmp_path / "phi"))  # type: ignore[arg-type]
    assert run().manifest is not None  # and masks once more what it had masked


def _bytes(result: InPlaceResult) -> tuple[int, int]:
    assert result.manifest is not None
    return result.manifest.total.bytes_read, result.manifest.total.bytes_written


@pytest.mark.parametrize("count", [0, 1, 2])
def test_broken_off_while_it_is_undone(
    run: Run, here: HereSpark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    put_files(tmp_path / "in", WORLD)
    run(keep_originals=str(tmp_path / "originals"))
    words = (str(tmp_path / "in"), str(tmp_path / "phi"))
    with monkeypatch.context() as patch, pytest.raises(Broken):
        swap_only(patch, count)
        undo_in_place(here, *words)  # type: ignore[arg-type]
    assert sum(is_whole(there(tmp_path / "in"), WORLD)) == 3 - count
    with pytest.raises(UsageError, match="half undone"):
        run()
    undo_in_place(here, *words)  # type: ignore[arg-type]
    assert there(tmp_path / "in") == WORLD


def test_runs_are_undone_one_by_one(run: Run, here: HereSpark, tmp_path: Path) -> None:
    put_files(tmp_path / "in", {"a.ndjson": lines(range(5))})
    run(keep_originals=str(tmp_path / "originals"))
    put_files(tmp_path / "in", {"b.ndjson": lines(range(5, 9))})
    run(keep_originals=str(tmp_path / "originals"))
    words = (str(tmp_path / "in"), str(tmp_path / "phi"))
    assert undo_in_place(here, *words).earlier == 1  # type: ignore[arg-type]
    assert there(tmp_path / "in") == {"a.ndjson": masked_lines(range(5)), "b.ndjson": lines(range(5, 9))}
    assert len(read_mark(words[0]).runs) == 1
    assert undo_in_place(here, *words).earlier == 0  # type: ignore[arg-type]
    assert there(tmp_path / "in") == {"a.ndjson": lines(range(5)), "b.ndjson": lines(range(5, 9))}


def test_without_originals_nothing_can_be_undone(
    run: Run, here: HereSpark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (str(tmp_path / "in"), str(tmp_path / "phi"))
    put_files(tmp_path / "in", WORLD)
    with monkeypatch.context() as patch, pytest.raises(Broken):
        swap_only(patch, 0)
        run()
    undo_in_place(here, *words)  # type: ignore[arg-type]  # nothing was replaced
    assert there(tmp_path / "in") == WORLD
    with monkeypatch.context() as patch, pytest.raises(Broken):
        swap_only(patch, 1)
        run()
    with pytest.raises(UsageError, match="it can be finished"):
        undo_in_place(here, *words)  # type: ignore[arg-type]
    run()
    with pytest.raises(UsageError, match="it cannot be undone"):
        undo_in_place(here, *words)  # type: ignore[arg-type]
    assert all(is_whole(there(tmp_path / "in"), WORLD))


def test_originals_that_are_gone_or_changed_undo_nothing(run: Run, here: HereSpark, tmp_path: Path) -> None:
    words = (str(tmp_path / "in"), str(tmp_path / "phi"))
    put_files(tmp_path / "in", WORLD)
    run(keep_originals=str(tmp_path / "originals"))
    masked_files = there(tmp_path / "in")
    kept = next((tmp_path / "originals").rglob("a.ndjson"))
    content = kept.read_bytes()
    kept.unlink()
    with pytest.raises(MaskingError, match="1 files that are to be put are not at"):
        undo_in_place(here, *words)  # type: ignore[arg-type]
    assert there(tmp_path / "in") == masked_files
    kept.write_bytes(content[:-1])
    with pytest.raises(MaskingError, match="is not what was written for it"):
        undo_in_place(here, *words)  # type: ignore[arg-type]
    assert there(tmp_path / "in")["a.ndjson"] == masked_files["a.ndjson"]
    kept.write_bytes(content)
    undo_in_place(here, *words)  # type: ignore[arg-type]
    assert there(tmp_path / "in") == WORLD


def test_a_file_that_somebody_changed_is_left_alone(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_files(tmp_path / "in", WORLD)
    with monkeypatch.context() as patch, pytest.raises(Broken):
        swap_only(patch, 0)
        run()
    put_files(tmp_path / "in", {"b.json": b"changed"})
    with pytest.raises(InputError, match="1 of 3 files are neither as they were") as refused:
        run()
    assert "b.json" not in str(refused.value)
    assert there(tmp_path / "in") == {**WORLD, "b.json": b"changed"}
    assert [path.read_text() for path in (tmp_path / "phi").rglob("changed-files.txt")] == [f"{tmp_path}/in/b.json\n"]
    (tmp_path / "in" / "b.json").unlink()
    run()
    assert all(is_whole(there(tmp_path / "in"), WORLD))
    assert not list((tmp_path / "phi").rglob("changed-files.txt"))


def test_a_half_done_run_is_finished_under_its_key_and_area_alone(
    run: Run, here: HereSpark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_files(tmp_path / "in", WORLD)
    with monkeypatch.context() as patch, pytest.raises(Broken):
        swap_only(patch, 1)
        run()
    other = MADE_WITH.__class__("double", "0" * 64, "fp-other", "default", "2026-01-01")
    with pytest.raises(KeyRefused, match="finish it with that key"):
        run(made_with=other)
    with pytest.raises(UsageError, match="give the PHI area that it was given"):
        mask_in_place(here, str(tmp_path / "in"), str(tmp_path / "elsewhere"), engine=Neat(), made_with=MADE_WITH)  # type: ignore[arg-type]
    assert sum(is_whole(there(tmp_path / "in"), WORLD)) == 1


def test_what_a_kill_left_beside_files_is_swept(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_files(tmp_path / "in", WORLD)
    with monkeypatch.context() as patch, pytest.raises(Broken):
        swap_only(patch, 1)
        run()
    put_files(tmp_path / "in", {put.ASIDE + "0123": b"half"})
    run()
    assert there(tmp_path / "in").keys() == WORLD.keys()


def test_journals_show_nothing(run: Run, tmp_path: Path) -> None:
    put_files(tmp_path / "in", {"Joe_Bloggs.ndjson": lines(range(5))})
    run()
    assert "Joe" not in repr(read_journals(str(tmp_path / "phi")))


# Object stores.


class Store:
    """A folder that plays an object store: an object appears whole, and is neither renamed nor moved."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.copies = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("move", "rename"):
            raise AssertionError("object stores cannot rename")
        return getattr(self._inner, name)

    def copy_file(self, source: str, target: str) -> None:
        self.copies += 1
        self._inner.create_dir(target.rsplit("/", 1)[0], recursive=True)
        self._inner.copy_file(source, target)

    def open_output_stream(self, path: str, **more: Any) -> Any:
        self._inner.create_dir(path.rsplit("/", 1)[0], recursive=True)
        return self._inner.open_output_stream(path, **more)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    for bucket in ("export", "phi"):
        (tmp_path / "store" / bucket).mkdir(parents=True)
    play = Store(pafs.SubTreeFileSystem(str(tmp_path / "store"), pafs.LocalFileSystem()))
    monkeypatch.setattr(storage, "_bucket", lambda bucket: play)
    return play


@pytest.mark.parametrize("phi", ["s3://phi/area", "s3://export/phi", "local"])
def test_in_an_object_store(
    here: HereSpark, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phi: str
) -> None:
    phi = str(tmp_path / "area") if phi == "local" else phi
    put_files(tmp_path / "store" / "export" / "in", WORLD)
    how = InPlace(keep_originals="s3://phi/originals")

    def run() -> InPlaceResult:
        return mask_in_place(
            here, "s3://export/in", phi, engine=Neat(), made_with=MADE_WITH, settings=SMALL, how=how  # type: ignore[arg-type]
        )  # fmt: skip

    with monkeypatch.context() as patch, pytest.raises(Broken):
        swap_only(patch, len(WORLD) + 1)
        run()
    folder = tmp_path / "store" / "export" / "in"
    assert sum(is_whole(there(folder), WORLD)) == 1
    assert run().is_resumed
    assert all(is_whole(there(folder), WORLD))
    assert (store.copies > 0) == (phi == "s3://export/phi")
    assert run().already == 3
    undo_in_place(here, "s3://export/in", phi)  # type: ignore[arg-type]
    assert there(folder) == WORLD
    assert not (folder / MARK).exists()


def test_an_upload_that_broke_is_made_good(
    here: HereSpark, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow may show the beginning of an object whose upload failed; that is known for what it is."""
    put_files(tmp_path / "store" / "export" / "in", WORLD)

    def run() -> InPlaceResult:
        return mask_in_place(
            here, "s3://export/in", str(tmp_path / "area"), engine=Neat(), made_with=MADE_WITH, settings=SMALL  # type: ignore[arg-type]
        )  # fmt: skip

    with monkeypatch.context() as patch, pytest.raises(Broken):
        patch.setattr("masking.spark.inplace.finish.sweep_beside", broken_at(2))
        run()
    folder = tmp_path / "store" / "export" / "in"
    whole = (folder / "a.ndjson").read_bytes()
    (folder / "a.ndjson").write_bytes(whole[:100])
    run()
    assert (folder / "a.ndjson").read_bytes() == whole
