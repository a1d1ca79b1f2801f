"""What the tasks of one step leave for the next, share by share: each writes one file of pieces, and Spark's shuffle brings
the pieces of a share together. A file a task and share would be millions for a terabyte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SCHEMA = "share int, task int, piece binary"
_TYPES = pa.schema([("share", pa.int32()), ("task", pa.int32()), ("piece", pa.binary())])
#: Tasks of Spark's that read files.
_READERS = 2000
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode

#: The pieces of one share, each with the number of the task that left it, in order of these.
Pieces = Sequence[tuple[int, bytes]]


class Judge(Protocol):
    """Makes an answer of the pieces of a share. Is pickled."""

    def judge(self, share: int, pieces: Pieces) -> bytes:
        """The answer."""
        ...


def write_pieces(folder: str, stem: str, task: int, pieces: Iterable[bytes]) -> None:
    """Leave the pieces of all shares, in order of these; empty ones are not brought to anybody."""
    storage.write_bytes(_path(folder, stem, task), _encode(list(pieces)))


def judge_shares(spark: SparkSession, folder: str, stem: str, tasks: int, shares: int, judge: Judge) -> list[bytes]:
    """The answers of a judge to all shares, in no order; none where no task left anything."""
    if not tasks:
        return []
    pieces = spark.range(0, tasks, 1, min(tasks, _READERS)).mapInArrow(_Reading(folder, stem).run, _SCHEMA)
    brought = pieces.repartition(shares, "share").sortWithinPartitions("share", "task")
    return [bytes(row.found) for row in brought.mapInArrow(_Judging(judge).run, "found binary").collect()]


def _path(folder: str, stem: str, task: int) -> str:
    return storage.join(folder, f"{stem}-{task:05d}")


@dataclass(frozen=True, slots=True)
class _Reading:
    folder: str
    stem: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Task numbers in; a row a share out."""
        for batch in rows:
            for task in batch.column(0).to_pylist():
                content = storage.read_bytes(_path(self.folder, self.stem, task))
                assert content is not None
                for share, piece in enumerate(_decode(content)):
                    if not piece:
                        continue
                    yield pa.RecordBatch.from_arrays(
                        [pa.array([share]), pa.array([task]), pa.array([piece])], schema=_TYPES
                    )


@dataclass(frozen=True, slots=True)
class _Judging:
    inner: Judge

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Rows in order of their shares in, an answer a share out."""
        each = (row for batch in rows for row in zip(*(column.to_pylist() for column in batch.columns), strict=True))
        for share, found in groupby(each, itemgetter(0)):
            answer = self.inner.judge(share, [(task, piece) for _, task, piece in found])
            yield pa.RecordBatch.from_arrays([pa.array([answer], pa.binary())], ["found"])
