"""What tasks of the pass over people do: gather, make claims, settle buckets. Runs in workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.identity.build import settled
from masking.identity.charts import Charts
from masking.identity.entries import claims_of, encode_claim
from masking.identity.facts import Facts, merge
from masking.identity.gather import gather, numbers_in, referred_to
from masking.identity.links import Groups, numbered
from masking.identity.names import named_by, split
from masking.identity.people import link_pairs
from masking.identity.store import bucket_of, read_rows, write_bucket, write_rows
from masking.spark.lines import Limits, LineBatch, Reader
from masking.spark.progress import LOCAL_SECONDS, Beat
from masking.spark.splits import Task

#: Records that a gathering task holds before it writes them; the same record met again within is written once.
_HELD = 20_000
_BATCH_BYTES = 4 << 20

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


def numbers_path(folder: str) -> str:
    """The file of the identifiers by which records are linked; there is none where none is."""
    return storage.join(folder, "numbers")


def progress_path(folder: str) -> str:
    """The folder in which gathering tasks say how far they are."""
    return storage.join(folder, "progress")


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
    #: How often a task says how far it is (`progress_path`).
    beat_seconds: float = LOCAL_SECONDS
    #: Where the records of people go, if they are to outlast the run; else into `folder`.
    kept: str | None = None

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
                path = gathered_path(self.kept or self.folder, task)
                file = write_rows(path, chain([first], rows), scratch=scratch(self.folder))
                done.records, done.bytes, done.pairs = file.rows, file.raw_bytes, sorted(pairs)
        else:
            for batch in self._batches(task):
                keys |= _keys(referred_to(batch.documents)) | numbers_in(batch.documents)
                keys.update(facts.key for facts in gather(batch.documents))
        if self.references and keys:
            path = references_path(self.folder, task)
            write_rows(path, ((key, b"") for key in sorted(keys)), scratch=scratch(self.folder))
        return done

    def _batches(self, task: int) -> Iterator[LineBatch]:
        """What a task reads; it says how far it is."""
        reader = Reader(self.tasks[task], self.limits)
        beat = Beat(progress_path(self.folder), task, self.beat_seconds)

        def counts() -> dict[str, int]:
            return {"lines": sum(reader.lines), "bytes": reader.bytes_read}

        for batch in reader:
            yield batch
            beat.tick(counts)
        beat.last(counts)

    def _records(self, task: int, keys: set[str], pairs: set[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
        """The records of a task by name, each once as long as there are not very many."""
        held: dict[str, Facts] = {}
        seen = Charts()
        for batch in self._batches(task):
            for facts in gather(batch.documents, seen):
                known = held.get(facts.name)
                held[facts.name] = facts if known is None else merge((known, facts), facts.resource_type, facts.key)
                pairs.update(link_pairs((facts,)))
                if self.references:
                    keys.add(facts.key)
            if self.references:
                keys |= _keys(referred_to(batch.documents)) | numbers_in(batch.documents)
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
class HolderTask:
    """Finds the records that have the identifiers by which others are linked to them. `run` is given to `mapInArrow`."""

    paths: tuple[str, ...] = field(repr=False)  # of gathered records
    folder: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `paths` in, pairs of records' and identifiers' names out."""
        wanted = frozenset(
            msgspec.msgpack.decode(storage.read_bytes(numbers_path(self.folder)) or b"\x90", type=list[str])
        )
        for batch in rows:
            for index in batch.column(0).to_pylist():
                records = (_facts(payload) for _, payload in read_rows(self.paths[index]))
                pairs = _encode(sorted(set(numbered(records, wanted))))
                yield pa.RecordBatch.from_arrays([pa.array([pairs], pa.binary())], ["pairs"])


@dataclass(frozen=True, slots=True)
class ClaimTask:
    """Turns gathered records into what they contribute to each key. `run` is given to `mapInArrow`."""

    paths: tuple[str, ...] = field(repr=False)  # of gathered records
    folder: str
    buckets: int

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `paths` in; rows of bucket, key and claim out."""
        groups = _groups(self.folder)
        for batch in rows:
            for index in batch.column(0).to_pylist():
                yield from batches(self._claims(self.paths[index], groups), ("bucket", "key", "claim"), pa.int32())

    def run_alone(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Settle all claims as the one bucket that they fill, in memory; whatever comes in, once. The bucket written out."""
        for _ in rows:
            groups = _groups(self.folder)
            claims = sorted({claim[1:] for path in self.paths for claim in self._claims(path, groups)})
            entries = settled((key.decode(), payload) for key, payload in claims)
            bucket = write_bucket(self.folder, 0, entries, scratch(self.folder))
            yield pa.RecordBatch.from_arrays([pa.array([_encode(bucket)], pa.binary())], ["bucket"])

    def _claims(self, path: str, groups: Groups) -> Iterator[tuple[int, bytes, bytes]]:
        for _, payload in read_rows(path):
            for key, claim in claims_of(_facts(payload), groups):
                yield bucket_of(key, self.buckets), key.encode(), encode_claim(claim)


def _groups(folder: str) -> Groups:
    """The groups of linked records."""
    content = storage.read_bytes(groups_path(folder))
    return Groups.decode(content) if content else Groups()


def batches(rows: Iterable[tuple[Any, bytes, bytes]], names: Sequence[str], first: Any) -> Iterator[Any]:
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
        for number, claims in groupby(rows_of(rows), key=itemgetter(0)):
            entries = settled((key.decode(), payload) for _, key, payload in claims)
            bucket = write_bucket(self.folder, number, entries, scratch(self.folder))
            yield pa.RecordBatch.from_arrays([pa.array([_encode(bucket)], pa.binary())], ["bucket"])


def rows_of(found: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Record batches as rows."""
    for batch in found:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
