"""What tasks of the pass over people do: gather, make claims, settle buckets, write files by task. Runs in workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.identity.build import settled
from masking.identity.entries import claims_of, decode_entries, encode_claim, encode_entries
from masking.identity.facts import Facts, merge
from masking.identity.gather import gather, referred_to
from masking.identity.links import Groups
from masking.identity.names import named_by, split
from masking.identity.people import link_pairs
from masking.identity.store import bucket_of, read_rows, write_bucket, write_rows
from masking.spark.lines import Limits, Reader
from masking.spark.splits import Task

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: Records that a gathering task holds before it writes them; the same record met again within is written once.
_HELD = 20_000
_BATCH_BYTES = 4 << 20
_NOBODY = encode_entries([])

_encode = msgspec.msgpack.Encoder().encode
_facts = msgspec.msgpack.Decoder(Facts).decode


def task_path(folder: str, task: int) -> str:
    """The file of those whom a task refers to."""
    return storage.join(folder, "by_task", f"{task:05d}.parquet")


def gathered_path(folder: str, task: int) -> str:
    """The file of the records that a task found."""
    return storage.join(folder, "gathered", f"{task:05d}.parquet")


def references_path(folder: str, task: int) -> str:
    """The file of the keys to which a task's documents refer."""
    return storage.join(folder, "references", f"{task:05d}.parquet")


def groups_path(folder: str) -> str:
    """The file of the groups of linked records; there is none where nothing is linked."""
    return storage.join(folder, "groups")


def scratch(folder: str) -> str:
    """For half-written files."""
    return storage.join(folder, ".writing")


# ── gathering ──


class Gathered(msgspec.Struct):
    """What a gathering task hands back. pairs: of names of linked records."""

    task: int
    records: int
    bytes: int
    pairs: list[tuple[str, str]]

    def __repr__(self) -> str:
        return f"Gathered({self.task}, records={self.records})"


@dataclass(frozen=True, slots=True)
class GatherTask:
    """Reads a task's blocks for records of people, for references, or both. `run` is given to `mapInArrow`."""

    tasks: tuple[Task, ...] = field(repr=False)
    folder: str
    limits: Limits
    records: bool
    references: bool

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Task numbers in, what was found out."""
        for batch in rows:
            for number in batch.column(0).to_pylist():
                yield pa.RecordBatch.from_arrays([pa.array([_encode(self._gather(number))], pa.binary())], ["found"])

    def _gather(self, task: int) -> Gathered:
        keys: set[str] = set()
        pairs: set[tuple[str, str]] = set()
        done = Gathered(task, 0, 0, [])
        if self.records:
            rows = self._records(task, keys, pairs)
            first = next(rows, None)
            if first is not None:
                path = gathered_path(self.folder, task)
                file = write_rows(path, chain([first], rows), scratch=scratch(self.folder))
                done.records, done.bytes, done.pairs = file.rows, file.raw_bytes, sorted(pairs)
        else:
            for batch in Reader(self.tasks[task], self.limits):
                keys |= _keys(referred_to(batch.documents))
                keys.update(facts.key for facts in gather(batch.documents))
        if self.references and keys:
            path = references_path(self.folder, task)
            write_rows(path, ((key, b"") for key in sorted(keys)), scratch=scratch(self.folder))
        return done

    def _records(self, task: int, keys: set[str], pairs: set[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
        """The records of a task by name, each once as long as there are not very many."""
        held: dict[str, Facts] = {}
        for batch in Reader(self.tasks[task], self.limits):
            for facts in gather(batch.documents):
                known = held.get(facts.name)
                held[facts.name] = facts if known is None else merge((known, facts), facts.resource_type, facts.key)
                pairs.update(link_pairs((facts,)))
                if self.references:
                    keys.add(facts.key)
            if self.references:
                keys |= _keys(referred_to(batch.documents))
            if len(held) >= _HELD:
                yield from ((name, _encode(facts)) for name, facts in sorted(held.items()))
                held.clear()
        yield from ((name, _encode(facts)) for name, facts in sorted(held.items()))


def _keys(references: Iterable[bytes]) -> set[str]:
    """The keys of the people whom references name; contained ones are looked up when they are met."""
    found = set()
    for reference in references:
        if reference[:1] != b"#":
            name = named_by(reference.decode("utf-8", "replace"), "")
            if name:
                found.add(split(name)[1])
    return found


# ── settling ──


@dataclass(frozen=True, slots=True)
class ClaimTask:
    """Turns gathered records into what they contribute to each key. `run` is given to `mapInArrow`."""

    tasks: tuple[int, ...]
    folder: str
    buckets: int

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `tasks` in; rows of bucket, key and claim out."""
        groups = _groups(self.folder)
        for batch in rows:
            for index in batch.column(0).to_pylist():
                yield from _batches(self._claims(self.tasks[index], groups), ("bucket", "key", "claim"), pa.int32())

    def run_alone(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Settle all claims as the one bucket that they fill, in memory; whatever comes in, once. The bucket written out."""
        for _ in rows:
            groups = _groups(self.folder)
            claims = sorted({claim[1:] for task in self.tasks for claim in self._claims(task, groups)})
            entries = settled((key.decode(), payload) for key, payload in claims)
            bucket = write_bucket(self.folder, 0, entries, scratch(self.folder))
            yield pa.RecordBatch.from_arrays([pa.array([_encode(bucket)], pa.binary())], ["bucket"])

    def _claims(self, task: int, groups: Groups) -> Iterator[tuple[int, bytes, bytes]]:
        for _, payload in read_rows(gathered_path(self.folder, task)):
            for key, claim in claims_of(_facts(payload), groups):
                yield bucket_of(key, self.buckets), key.encode(), encode_claim(claim)


def _groups(folder: str) -> Groups:
    """The groups of linked records."""
    content = storage.read_bytes(groups_path(folder))
    return Groups.decode(content) if content else Groups()


def _batches(rows: Iterable[tuple[Any, bytes, bytes]], names: Sequence[str], first: Any) -> Iterator[Any]:
    """Rows as record batches of a few megabytes."""
    held: list[tuple[Any, bytes, bytes]] = []
    size = 0
    types = (first, pa.binary(), pa.binary())

    def batch() -> Any:
        columns = zip(*held, strict=True)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, list(names))

    for row in rows:
        held.append(row)
        size += len(row[1]) + len(row[2]) + 16
        if size >= _BATCH_BYTES:
            yield batch()
            held, size = [], 0
    if held:
        yield batch()


@dataclass(frozen=True, slots=True)
class SettleTask:
    """Writes buckets out of claims that come in order of bucket and key. `run` is given to `mapInArrow`."""

    folder: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Rows of bucket, key and claim in; buckets written out."""
        for number, claims in groupby(_rows(rows), key=itemgetter(0)):
            entries = settled((key.decode(), payload) for _, key, payload in claims)
            bucket = write_bucket(self.folder, number, entries, scratch(self.folder))
            yield pa.RecordBatch.from_arrays([pa.array([_encode(bucket)], pa.binary())], ["bucket"])


def _rows(batches: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


# ── by task ──


@dataclass(frozen=True, slots=True)
class RowsTask:
    """Reads files of rows into Spark. `run` is given to `mapInArrow`.

    what: "references" gives (task, key, b""), "entries" gives (0, key, entries), "ways" gives (0, key, canonical key).
    """

    paths: tuple[tuple[int, str], ...] = field(repr=False)
    what: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `paths` in, rows out."""
        for batch in rows:
            for index in batch.column(0).to_pylist():
                number, path = self.paths[index]
                yield from _batches(self._read(number, path), ("number", "key", "payload"), pa.int32())

    def _read(self, number: int, path: str) -> Iterator[tuple[int, bytes, bytes]]:
        for key, payload in read_rows(path):
            if self.what == "ways":
                for entry in decode_entries(payload):
                    if entry.facts is None:
                        yield number, key.encode(), split(entry.canonical)[1].encode()
            else:
                yield number, key.encode(), payload

    def frame(self, spark: SparkSession, cores: int) -> DataFrame:
        """As a DataFrame of number, key and payload."""
        numbers = spark.range(0, len(self.paths), 1, max(1, min(len(self.paths), 4 * cores)))
        return numbers.mapInArrow(self.run, "number int, key binary, payload binary")


@dataclass(frozen=True, slots=True)
class ByTaskTask:
    """Writes a file a task out of rows that come in order of task and key. `run` is given to `mapInArrow`."""

    folder: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Rows of number, key and entries in; how many each file holds out."""
        for number, entries in groupby(_rows(rows), key=itemgetter(0)):
            path = task_path(self.folder, number)
            file = write_rows(
                path, ((key.decode(), payload or _NOBODY) for _, key, payload in entries), scratch=scratch(self.folder)
            )
            yield pa.RecordBatch.from_arrays([pa.array([file.rows], pa.int64())], ["rows"])
