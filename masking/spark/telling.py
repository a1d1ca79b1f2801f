"""How an error of ours gets from a task to the driver: as a row among the others, so that Spark makes nothing of it.

Raised in a worker, it would be tried four times and end as pages of Java's and Python's traces around one line. What
may pass, such as an object store that does not answer, is still raised, for Spark to try again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

import masking.errors
from masking import storage
from masking.errors import MaskingError, StorageError, UnreadableFile

#: Begins a row that tells of an error; neither JSON nor an object in MessagePack begins so.
_MARK = b"\x00"
_STOP = "failed"


@dataclass(frozen=True, slots=True)
class Telling:
    """A job of one binary column whose errors come back as rows. `run` is given to `mapInArrow`.

    folder: the run's on the PHI side, where a failing task leaves word, so that those that have not begun do nothing.
    may_pass: whether a place that fails may do better the next time.
    """

    job: Callable[[Iterable[Any]], Iterator[Any]] = field(repr=False)
    column: str
    folder: str
    may_pass: bool

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """As the job's, a batch at a time."""
        for batch in rows:
            told = storage.read_bytes(stop_path(self.folder))
            if told is not None:
                yield self._row(told)
                continue
            try:
                yield from self.job(iter((batch,)))
            except MaskingError as error:
                if self.may_pass and isinstance(error, (StorageError, UnreadableFile)):
                    raise
                told = f"{type(error).__name__}: {error}".encode()
                with contextlib.suppress(OSError):
                    storage.write_bytes(stop_path(self.folder), told)
                yield self._row(told)

    def _row(self, told: bytes) -> Any:
        return pa.RecordBatch.from_arrays([pa.array([_MARK + told], pa.binary())], [self.column])


def telling(job: Any, column: str, folder: str, paths: Iterable[str]) -> Telling:
    """A job that tells; `paths` are the places that it reads and writes beside `folder`."""
    return Telling(job.run, column, folder, not all(map(storage.is_local, (folder, *paths))))


def heard(rows: Iterable[Any]) -> list[bytes]:
    """The column's values out of collected rows; raises the error that one of them tells of."""
    values = [bytes(row[0]) for row in rows]
    for value in values:
        if value.startswith(_MARK):
            kind, _, text = value.removeprefix(_MARK).decode().partition(": ")
            raise revived(kind, text) or MaskingError(text)
    return values


def revived(kind: str, text: str) -> MaskingError | None:
    """The error of ours of that class name; None if there is no such class."""
    cls = getattr(masking.errors, kind, None)
    return cls(text) if isinstance(cls, type) and issubclass(cls, MaskingError) else None


def stop_path(folder: str) -> str:
    """What a failing task leaves, without a name or a value; it goes with the rest of the run."""
    return storage.join(folder, _STOP)
