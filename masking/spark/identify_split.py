"""What each masking task needs to know of people, put into a file of its own. Spark sorts, workers merge.

A task asks for the keys to which its documents refer. Questions go to the bucket that has the answer, in its order, and
a worker goes down both at once: no side of this join is ever whole in one process, none passes through the driver, and
whoever has a million observations is one question a task. (Spark's own join would take what comes of `mapInArrow` for
as small as the numbers that go in, and send the whole store through the driver to every executor.)

An answer may lead on, from a record's other key to the record, and from there to relatives, carers and whom a patient
has met, of whom notes speak. So first it is asked where questions lead, a few times, then what the answers are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.identity.entries import Entry, decode_entries, encode_entries
from masking.identity.names import split
from masking.identity.store import Store, bucket_of, bucket_path, read_rows, write_rows
from masking.spark.identify_tasks import batches, references_path, rows_of, scratch, task_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: Who is asked for: the record alone, or with the relatives and carers that it names.
ALONE, WITH_KIN = 0, 1
#: From an identifier to its record, to a relative, from there to the record under which the relative is known.
_STEPS = 3
_NOBODY = encode_entries([])
_QUESTION = struct.Struct(">IB")  # the task that asks, and whom for; sorts by task

Question = tuple[str, bytes]  # a key, and the rest packed


def split_by_task(spark: SparkSession, store: Store, folder: str, tasks: int, cores: int) -> None:
    """Write what each task needs to know; nothing where nobody is known, or asked for."""
    places = ((number, references_path(folder, number)) for number in range(tasks))
    sources = [(number, path) for number, path in places if storage.find_file(path)]
    if not sources or not store.buckets:
        return
    last = list(sources)
    for step in range(_STEPS):
        follow = FollowTask(folder, step)
        rows = questions(spark, store, last, cores).mapInArrow(follow.run, "bucket int, rows long").collect()
        last = [(-1, follow.path(row.bucket)) for row in rows if row.rows]
        sources += last
        if not last:
            break
    answers(spark, store, sources, folder, min(tasks, 16 * cores), cores).mapInArrow(
        ByTaskTask(folder).run, "rows long"
    ).collect()


def questions(spark: SparkSession, store: Store, sources: list[tuple[int, str]], cores: int) -> DataFrame:
    """All that is asked in these files, where the answers are and in their order."""
    job = AskTask(tuple(sources), store.bucket_count)
    asked = spark.range(0, len(sources), 1, min(len(sources), 4 * cores)).mapInArrow(
        job.run, "bucket int, key binary, question binary"
    )
    return asked.repartition(store.bucket_count, "bucket").sortWithinPartitions("bucket", "key", "question")


def answers(
    spark: SparkSession, store: Store, sources: list[tuple[int, str]], folder: str, partitions: int, cores: int
) -> DataFrame:
    """Rows of task, key and what is known of it, each once, in order, a task in one partition."""
    rows = questions(spark, store, sources, cores).mapInArrow(
        AnswerTask(folder).run, "number int, key binary, payload binary"
    )
    return rows.repartition(partitions, "number").sortWithinPartitions("number", "key")


@dataclass(frozen=True, slots=True)
class AskTask:
    """Reads questions out of files. `run` is given to `mapInArrow`.

    sources: of a task, the file of its references; or -1, and a file of questions that `FollowTask` has written.
    """

    sources: tuple[tuple[int, str], ...] = field(repr=False)
    buckets: int

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `sources` in; bucket, key and question out."""
        for batch in rows:
            for index in batch.column(0).to_pylist():
                yield from batches(self._questions(*self.sources[index]), ("bucket", "key", "question"), pa.int32())

    def _questions(self, number: int, path: str) -> Iterator[tuple[int, bytes, bytes]]:
        own = _QUESTION.pack(number, WITH_KIN) if number >= 0 else b""
        for key, question in read_rows(path):
            yield bucket_of(key, self.buckets), key.encode(), own or question


def meet(path: str, asked: Iterable[tuple[int, bytes, bytes]]) -> Iterator[tuple[bytes, list[bytes], bytes]]:
    """Go down the questions to a bucket and the bucket: each key that is asked for, the distinct questions, what is
    known (empty where nothing is). Holds one row group, and the questions for one key: two a task at most.
    """
    known = ((key.encode(), payload) for key, payload in read_rows(path)) if storage.find_file(path) else iter(())
    at, found = next(known, (None, b""))
    for key, group in groupby(asked, key=itemgetter(1)):
        while at is not None and at < key:
            at, found = next(known, (None, b""))
        yield key, list(dict.fromkeys(question for _, _, question in group)), found if at == key else b""


@dataclass(frozen=True, slots=True)
class FollowTask:
    """Writes the questions to which the answers lead, a file a bucket. `run` is given to `mapInArrow`."""

    folder: str
    step: int

    def path(self, bucket: int) -> str:
        """The file of what came of questions to a bucket."""
        return storage.join(self.folder, "asked", f"{self.step}-{bucket:05d}.parquet")

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Rows of bucket, key and question in; buckets, and how many questions came of them, out."""
        for bucket, asked in groupby(rows_of(rows), key=itemgetter(0)):
            met = meet(bucket_path(self.folder, bucket), asked)
            file = write_rows(self.path(bucket), self._follow(met), scratch=scratch(self.folder))
            yield pa.RecordBatch.from_pydict({"bucket": [bucket], "rows": [file.rows]}, _COUNTED)

    def _follow(self, met: Iterable[tuple[bytes, list[bytes], bytes]]) -> Iterator[Question]:
        for _, asked, found in met:
            entries = decode_entries(found) if found else []
            ways = sorted({split(entry.canonical)[1] for entry in entries if entry.facts is None})
            kin = sorted(_kin(entries))
            for question in asked:
                number, whom = _QUESTION.unpack(question)
                yield from ((key, question) for key in ways)
                if whom == WITH_KIN:
                    yield from ((key, _QUESTION.pack(number, ALONE)) for key in kin)


def _kin(entries: Iterable[Entry]) -> set[str]:
    """The keys of those whom a record names."""
    known = (entry.facts for entry in entries if entry.facts is not None)
    names = (name for facts in known for name in (*facts.relatives, *facts.carers, *(one.who for one in facts.met)))
    return {split(name)[1] for name in names if name}


_COUNTED = pa.schema([("bucket", pa.int32()), ("rows", pa.int64())])


@dataclass(frozen=True, slots=True)
class AnswerTask:
    """Answers questions. `run` is given to `mapInArrow`."""

    folder: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Rows of bucket, key and question in; task, key and what is known out."""
        for bucket, asked in groupby(rows_of(rows), key=itemgetter(0)):
            answered = self._answers(meet(bucket_path(self.folder, bucket), asked))
            yield from batches(answered, ("number", "key", "payload"), pa.int32())

    def _answers(self, met: Iterable[tuple[bytes, list[bytes], bytes]]) -> Iterator[tuple[int, bytes, bytes]]:
        for key, asked, found in met:
            for number in dict.fromkeys(_QUESTION.unpack(question)[0] for question in asked):
                yield number, key, found or _NOBODY


@dataclass(frozen=True, slots=True)
class ByTaskTask:
    """Writes a file a task out of rows that come in order of task and key. `run` is given to `mapInArrow`."""

    folder: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Rows of task, key and entries in; how many each file holds out."""
        for number, known in groupby(rows_of(rows), key=itemgetter(0)):
            pairs = ((key.decode(), payload) for _, key, payload in known)
            file = write_rows(task_path(self.folder, number), pairs, scratch=scratch(self.folder))
            yield pa.RecordBatch.from_arrays([pa.array([file.rows], pa.int64())], ["rows"])
