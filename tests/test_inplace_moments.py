"""`kill -9` between any two steps of a run in place, and of its undoing: the process is forked, and kills itself there.

Spark's part is played in the process itself, so that a moment is hit for certain; `test_inplace_killed.py` kills runs on Spark.
"""

from __future__ import annotations

import bz2
import gzip
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from here_spark import HereSpark, here
from killed_inplace import at_call, writes
from killed_run import after, before
from spark_double import MADE_WITH, Double

from masking import storage
from masking.document import Batch
from masking.errors import InputError
from masking.report.manifest import TypeCounts
from masking.spark import RunSettings
from masking.spark.inplace import finish, journal, put, run, stage, undo
from masking.spark.inplace.join import JoinTask
from masking.spark.inplace.mark import MARK
from masking.spark.inplace.run import InPlace, InPlaceResult, mask_in_place
from masking.spark.inplace.table import TablePart
from masking.spark.inplace.undo import undo_in_place
from masking.spark.inplace.write import PartWriter
from masking.spark.unfinished import Marker

__all__ = ["here"]  # a fixture

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a process that can be forked")


class Neat(Double):
    """Like the engine, it takes white space off the ends of a document."""

    def mask_batch(self, documents: list[bytes]) -> Batch:
        return super().mask_batch([document.strip() for document in documents])


def patients(start: int, count: int) -> list[bytes]:
    return [
        json.dumps({"resourceType": "Patient", "id": f"p{number}"}).encode() for number in range(start, start + count)
    ]


def table(columns: dict[str, Any]) -> bytes:
    """A Parquet file of few rows a row group."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="zstd", row_group_size=8)
    return bytes(sink.getvalue())


PRETTY = b'{\n  "resourceType": "Patient",\n  "id": "p1"\n}'
WORLD = {
    "a.ndjson": b"\n".join(patients(0, 80)),  # is cut
    "b.json": PRETTY,
    "c.ndjson.gz": gzip.compress(b"\n".join(patients(80, 9)), mtime=0),
    "d.jsonl": b"\r\n".join([*patients(90, 30), b"{broken", b""]),
    "e.ndjson": b"{broken",  # of which nothing is left
    "f.ndjson.bz2": bz2.compress(patients(120, 1)[0]),
    "g.parquet": table({"resource": [document.decode() for document in patients(121, 90)]}),  # is cut
    "h.parquet": table(
        {"resourceType": ["Patient"] * 12, "id": [f"p{at}" for at in range(12)], "masked": pa.nulls(12, pa.bool_())}
    ),
}
COUNT = len(WORLD)
MASKED = 80 + 1 + 9 + 30 + 1 + 90 + 12
#: Of a Parquet file, from which on it is cut among tasks.
STRETCH = 600


def once_at(name: str, count: int) -> Callable[[], None]:
    """A file is written beside its place, and the one in the place is still there: for the n-th file that is put."""
    return lambda: at_call(put, name, count)


#: In order of time. Of files that are put, originals that are kept come first.
MOMENTS: dict[str, Callable[[], None]] = {
    "before the marker": lambda: before(Marker, "start"),
    "the marker is written": lambda: after(Marker, "start"),
    "originals are recorded": lambda: before(run, "refuse_full"),
    "people are gathered": lambda: before(stage.Staging, "_refuse_names"),
    "a first document is masked": lambda: at_call(PartWriter, "write", 1),
    "a tenth batch is masked": lambda: at_call(PartWriter, "write", 10),
    "before parts are joined": lambda: before(stage, "join_parts"),
    "parts are being joined": lambda: before(JoinTask, "_chunks"),
    "a first row is written": lambda: at_call(TablePart, "write", 1),
    "parts of a table are being joined": lambda: before(JoinTask, "_join_tables"),
    "before lines are counted": lambda: before(stage, "_check_counts"),
    "before the journal": lambda: before(storage.Spool, "publish", writes(journal.JOURNAL)),
    "the journal is written": lambda: after(run, "write_journal"),
    "a first original is half kept": once_at("_refuse_damaged", 1),
    "half of the originals are kept": once_at("_refuse_damaged", COUNT // 2),
    "the last original is half kept": once_at("_refuse_damaged", COUNT),
    "before the mark": lambda: before(finish, "_mark"),
    "a first file is half replaced": once_at("_refuse_damaged", COUNT + 1),
    "a second file is half replaced": once_at("_refuse_damaged", COUNT + 2),
    "half of the files are replaced": once_at("_refuse_damaged", COUNT + COUNT // 2 + 1),
    "the last file is half replaced": once_at("_refuse_damaged", 2 * COUNT),
    "all files are replaced": lambda: at_call(finish, "_mark", 2),
    "before the manifest": lambda: before(storage.Spool, "publish", writes("/manifest.json")),
    "before the journal ends": lambda: before(finish, "write_journal"),
    "the journal has ended": lambda: after(finish, "write_journal"),
    "what was staged is deleted": lambda: after(run, "clear_staged"),
    "the marker is gone": lambda: after(Marker, "remove"),
}
FIRST_RECORDED, ENDED = "the journal is written", "the journal has ended"

#: Of the undoing of a finished run, in order of time.
UNDOING: dict[str, Callable[[], None]] = {
    "the marker is written": lambda: after(Marker, "start"),
    "before the journal": lambda: before(undo, "write_journal"),
    "a first original is half back": once_at("_refuse_damaged", 1),
    "half of the originals are back": once_at("_refuse_damaged", COUNT // 2),
    "the last original is half back": once_at("_refuse_damaged", COUNT),
    "before the mark goes": lambda: before(undo, "remove_run"),
    "before the journal ends": lambda: at_call(undo, "write_journal", 2),
    "the marker is gone": lambda: after(Marker, "remove"),
}


class Place:
    """A source, and what is done to it."""

    def __init__(self, spark: HereSpark, folder: Path) -> None:
        self._spark: Any = spark
        self.folder = folder
        (folder / "in").mkdir()
        for name, content in WORLD.items():
            (folder / "in" / name).write_bytes(content)

    def run(self) -> InPlaceResult:
        return mask_in_place(
            self._spark,
            str(self.folder / "in"),
            str(self.folder / "phi"),
            engine=Neat(),
            made_with=MADE_WITH,
            settings=RunSettings(partitions=30, batch_rows=7),
            how=InPlace(keep_originals=str(self.folder / "originals")),
        )

    def undo(self) -> None:
        undo_in_place(self._spark, str(self.folder / "in"), str(self.folder / "phi"))

    def killed(self, work: Callable[[], object], moment: Callable[[], None]) -> None:
        """Do it in another process, which dies at the moment."""
        child = os.fork()
        if not child:
            try:
                moment()
                work()
            finally:
                os._exit(1)  # it did not die
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    def files(self) -> dict[str, bytes]:
        """The source's files, but the mark and what is half-written."""
        paths = (path for path in (self.folder / "in").iterdir() if path.name != MARK)
        return {path.name: path.read_bytes() for path in paths if not path.name.startswith(put.ASIDE)}

    def check_whole(self, new: dict[str, bytes]) -> int:
        """Each file is wholly old or wholly new; how many are new."""
        found = self.files()
        assert found.keys() == WORLD.keys()
        assert all(content in (WORLD[name], new[name]) for name, content in found.items())
        return sum(content != WORLD[name] for name, content in found.items())

    def check_clean(self) -> None:
        """Nothing is left but what a run leaves."""
        assert not list(self.folder.rglob(f"{put.ASIDE}*"))
        for path in (self.folder / "phi" / "runs").iterdir():
            names = {one.name for one in path.iterdir()}
            assert names <= {"in-place.json", "manifest.json", "quarantine"} or names == {"started.json"}


@pytest.fixture
def place(here: HereSpark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    cut_tables(monkeypatch)
    return Place(here, tmp_path)


def cut_tables(patch: pytest.MonkeyPatch) -> None:
    for module in ("read", "splits"):
        patch.setattr(f"masking.spark.{module}.LEAST_STRETCH", STRETCH)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an unbroken run makes of the files."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("stage", "run", "finish"):
            patch.setattr(f"masking.spark.inplace.{module}.cores_of", lambda spark: 2)
        cut_tables(patch)
        place = Place(HereSpark(), tmp_path_factory.mktemp("unbroken"))
        place.run()
    found = place.files()
    assert sum(unpacked(name, content).count(b'"masked"') for name, content in found.items()) == MASKED
    return found


def unpacked(name: str, content: bytes) -> bytes:
    if name.endswith(".parquet"):
        rows = pq.read_table(pa.BufferReader(content)).to_pylist()
        return "\n".join(row.get("resource") or json.dumps(row) for row in rows).encode()
    return (
        gzip.decompress(content)
        if name.endswith(".gz")
        else bz2.decompress(content)
        if name.endswith(".bz2")
        else content
    )


def is_past(moment: str, other: str) -> bool:
    moments = list(MOMENTS)
    return moments.index(moment) >= moments.index(other)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_run_again(place: Place, new: dict[str, bytes], moment: str) -> None:
    place.killed(place.run, MOMENTS[moment])
    replaced = place.check_whole(new)
    assert not replaced or is_past(moment, "a second file is half replaced")
    result = place.run()
    assert place.files() == new
    assert result.is_resumed == (is_past(moment, FIRST_RECORDED) and not is_past(moment, ENDED))
    if is_past(moment, ENDED):
        assert (result.manifest, result.already) == (None, COUNT)
    else:
        assert result.manifest is not None
        counts = result.manifest.types
        assert counts["Patient"] == TypeCounts(
            MASKED, MASKED, 0, 0, counts["Patient"].bytes_read, counts["Patient"].bytes_written
        )
        assert result.manifest.total.quarantined == 2
        assert sum(file.rows for file in result.manifest.files) == MASKED
    place.check_clean()
    assert place.run().already == COUNT  # nothing is masked twice
    assert place.files() == new
    place.undo()
    assert place.files() == WORLD


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_undone(place: Place, new: dict[str, bytes], moment: str) -> None:
    place.killed(place.run, MOMENTS[moment])
    if is_past(moment, FIRST_RECORDED):
        place.undo()
        place.check_clean()
        assert not (place.folder / "in" / MARK).exists()
    else:
        with pytest.raises(InputError, match="could be undone"):
            place.undo()
    assert place.files() == WORLD
    assert place.run().manifest is not None
    assert place.files() == new
    place.check_clean()


@pytest.mark.parametrize("moment", UNDOING)
def test_undoing_killed_and_done_again(place: Place, new: dict[str, bytes], moment: str) -> None:
    place.run()
    place.killed(place.undo, UNDOING[moment])
    place.check_whole(new)
    if moment != "the marker is gone":
        place.undo()
    assert place.files() == WORLD
    place.check_clean()
    assert not (place.folder / "in" / MARK).exists()
