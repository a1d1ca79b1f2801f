"""How tasks tell the driver of errors, without Spark: as rows, once, and none of it where trying again may help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from masking.errors import CountMismatch, MaskingError, StorageError, UnreadableFile
from masking.spark.telling import Telling, heard, stop_path, telling


class Row(NamedTuple):
    receipt: bytes


@dataclass
class Job:
    """Gives back each number as text; fails at one."""

    error: Exception | None = None
    at: int = 1
    seen: list[int] = field(default_factory=list)

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        for batch in rows:
            for number in batch.column(0).to_pylist():
                self.seen.append(number)
                if self.error is not None and number == self.at:
                    raise self.error
                yield pa.RecordBatch.from_arrays([pa.array([str(number).encode()], pa.binary())], ["receipt"])


def carried_out(told: Telling, count: int = 3) -> list[Row]:
    numbers = (pa.RecordBatch.from_arrays([pa.array([number])], ["id"]) for number in range(count))
    return [Row(value) for batch in told.run(numbers) for value in batch.column("receipt").to_pylist()]


def test_what_goes_well_comes_through_as_it_is(tmp_path: Path) -> None:
    rows = carried_out(telling(Job(), "receipt", str(tmp_path), ["/in/a"]))
    assert heard(rows) == [b"0", b"1", b"2"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [UnreadableFile.numbered(2, "cut off"), StorageError("cannot write /x: full: y"), CountMismatch("lost")],
)
def test_an_error_of_ours_comes_as_a_row_and_stops_the_others(tmp_path: Path, error: MaskingError) -> None:
    job = Job(error)
    rows = carried_out(telling(job, "receipt", str(tmp_path), ["/in/a"]))
    assert job.seen == [0, 1], "what has not begun does not begin"
    with pytest.raises(type(error)) as caught:
        heard(rows)
    assert str(caught.value) == str(error)
    late = Job()
    with pytest.raises(type(error)):  # another process of the same run
        heard(carried_out(telling(late, "receipt", str(tmp_path), ["/in/a"])))
    assert late.seen == []


def test_a_store_is_tried_again_and_a_bug_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        carried_out(telling(Job(StorageError("x")), "receipt", str(tmp_path), ["s3://bucket/a"]))
    with pytest.raises(CountMismatch):
        heard(carried_out(telling(Job(CountMismatch("x")), "receipt", str(tmp_path / "a"), ["s3://bucket/a"])))
    with pytest.raises(ZeroDivisionError):
        carried_out(telling(Job(ZeroDivisionError()), "receipt", str(tmp_path / "b"), ["/in/a"]))
    assert not Path(stop_path(str(tmp_path))).exists()
