"""What Spark does with files as wholes: hash them, join their parts, put them. A group of files a task."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.errors import StorageError, UnreadableFile
from masking.spark.inplace.put import Move, Print, carry_out, fingerprint, state
from masking.spark.telling import heard, stop_path, telling

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SHARE = 64 << 20  # bytes that are worth a task
_PER_FILE = 1 << 20  # what opening a file costs, in bytes of reading

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, int, str]).decode

Groups = tuple[tuple[int, ...], ...]


def spread(sizes: Sequence[int], cores: int) -> Groups:
    """Indexes of files in groups of about equal size."""
    weights = [size + _PER_FILE for size in sizes]
    count = max(1, min(len(sizes), 4 * cores, sum(weights) // _SHARE + 1))
    groups: list[list[int]] = [[] for _ in range(count)]
    heap = [(0, number) for number in range(count)]
    for index in sorted(range(len(sizes)), key=lambda index: (-sizes[index], index)):
        load, number = heap[0]
        groups[number].append(index)
        heapq.heapreplace(heap, (load + weights[index], number))
    return tuple(tuple(group) for group in groups if group)


@dataclass(frozen=True, slots=True)
class HashTask:
    """Tells sizes and hashes. `run` is given to `mapInArrow`. files: number and path of each."""

    files: tuple[tuple[int, str], ...] = field(repr=False)
    groups: Groups = field(repr=False)

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Numbers of groups in; number, size and hash of each file out."""
        for index in indexes(rows, self.groups):
            number, path = self.files[index]
            try:
                found = fingerprint(path)
            except OSError as error:
                raise UnreadableFile.told_by(number, error) from None
            if found is None:
                raise UnreadableFile.numbered(number, "it is gone")
            yield row(number, found)


@dataclass(frozen=True, slots=True)
class MoveTask:
    """Puts files, or tells how far that is. `run` is given to `mapInArrow`."""

    moves: tuple[Move, ...] = field(repr=False)
    groups: Groups = field(repr=False)
    is_look: bool

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Numbers of groups in; number and state of each move out."""
        for index in indexes(rows, self.groups):
            move = self.moves[index]
            try:
                found = state(move) if self.is_look else carry_out(move)
            except StorageError:
                raise
            except OSError as error:
                doing = f"read or replace input file {move.number} (in order of name)"
                raise StorageError.of(doing, error) from None
            yield row(move.number, Print(0, found))


def indexes(rows: Iterable[Any], groups: Groups) -> Iterator[int]:
    """The files of the groups whose numbers are in record batches."""
    for batch in rows:
        for number in batch.column(0).to_pylist():
            yield from groups[number]


def row(number: int, found: Print) -> Any:
    """A record batch of what was found of one file."""
    answer = _encode((number, found.size, found.sha256))
    return pa.RecordBatch.from_arrays([pa.array([answer], pa.binary())], ["found"])


def carry(spark: SparkSession, job: Any, groups: Groups, phi: str, paths: Iterable[str]) -> dict[int, Print]:
    """Do a job, a task a group; what was found of each file, by number. `paths`: what is read and written beside `phi`."""
    if not groups:
        return {}
    storage.delete_file(stop_path(phi))  # of a job that failed, and whose run goes on
    run = telling(job, "found", phi, paths).run
    rows = spark.range(0, len(groups), 1, len(groups)).mapInArrow(run, "found binary").collect()
    return {number: Print(size, text) for number, size, text in map(_decode, heard(rows))}


def hashes(spark: SparkSession, files: Sequence[tuple[int, str, int]], phi: str, cores: int) -> dict[int, Print]:
    """Size and hash by number; files: number, path and size of each."""
    groups = spread([size for _, _, size in files], cores)
    job = HashTask(tuple((number, path) for number, path, _ in files), groups)
    return carry(spark, job, groups, phi, (path for _, path, _ in files))


def move_all(
    spark: SparkSession, moves: Sequence[Move], phi: str, cores: int, *, is_look: bool = False
) -> dict[int, str]:
    """Put all of them, or tell how far they are (`is_look`); the state of each by number."""
    groups = spread([move.size for move in moves], cores)
    job = MoveTask(tuple(moves), groups, is_look)
    found = carry(spark, job, groups, phi, (place for move in moves for place in (move.source, move.target)))
    return {number: one.sha256 for number, one in found.items()}
