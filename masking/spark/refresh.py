"""Which documents are to be masked once more: those of people of whom runs have learned since. On the driver and in workers.

What each run knew of people lies on the PHI side (`masking.spark.kept`), run by run, so it can be told when something
was learned of somebody: the last run that added to him. A document that was masked before that run is masked again if
it bears on him (`masking.identity.better`). Of a document with several versions the last is masked again alone, and of
one that was deleted none: which that is, the output's own ids tell.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from pyspark.sql import functions

from masking import storage
from masking.errors import MaskingError
from masking.identity.better import Growth, bears_on, token_of
from masking.identity.facts import Facts
from masking.identity.store import bucket_of, read_rows, write_rows
from masking.report.manifest import Manifest
from masking.spark.identify_tasks import batches, rows_of, scratch
from masking.spark.kept import read_kept
from masking.spark.lines import Limits, Reader
from masking.spark.refreshing import NEWEST, PLACE, Again, affected_folder, id_of, row_rank
from masking.spark.splits import Block

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: Kinds of rows about a key: what a run says of it, and whom it is tied to.
_SAYS, _TIES = 0, 1
_HEAD = struct.Struct(">IB")  # the run's place in its dataset, and the kind; sorts by run
_EVER = (1 << 31) - 1
_BUCKET_BYTES = 64 << 20

_encode = msgspec.msgpack.Encoder().encode
_facts = msgspec.msgpack.Decoder(Facts).decode


@dataclass(frozen=True, slots=True)
class SayTask:
    """Reads what runs have kept of people. `run` is given to `mapInArrow`."""

    sources: tuple[tuple[int, str], ...] = field(repr=False)  # the run's place, and a file of its records
    buckets: int

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `sources` in; bucket, key and what is said of it out."""
        for batch in rows:
            for index in batch.column(0).to_pylist():
                yield from batches(self._rows(*self.sources[index]), ("bucket", "key", "said"), pa.int32())

    def _rows(self, place: int, path: str) -> Iterator[tuple[int, bytes, bytes]]:
        says, ties = _HEAD.pack(place, _SAYS), _HEAD.pack(place, _TIES)
        for _, payload in read_rows(path):
            facts = _facts(payload)
            for key in (facts.key, *facts.spellings):  # whom others name by a number is found by it
                yield bucket_of(key, self.buckets), key.encode(), says + payload
            for key in bears_on(facts):
                yield bucket_of(key, self.buckets), key.encode(), ties + facts.key.encode()


@dataclass(frozen=True, slots=True)
class LearnTask:
    """Tells of whom runs after `since` have learned; writes a file of tokens a bucket. `run` is given to `mapInArrow`."""

    folder: str
    since: int

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Rows of bucket, key and what is said of it, in order, in; how many tokens there are out."""
        for bucket, said in groupby(rows_of(rows), key=itemgetter(0)):
            tokens: dict[str, int] = {}
            for _, group in groupby(said, key=itemgetter(1)):
                for token, last in self._learned(payload for _, _, payload in group):
                    tokens[token] = max(last, tokens.get(token, -1))
            path = storage.join(affected_folder(self.folder), f"tokens-{bucket:05d}.parquet")
            ordered = ((token, PLACE.pack(last)) for token, last in sorted(tokens.items()))
            file = write_rows(path, ordered, scratch=scratch(self.folder))
            yield pa.RecordBatch.from_arrays([pa.array([file.rows], pa.int64())], ["tokens"])

    def _learned(self, payloads: Iterable[bytes]) -> Iterator[tuple[str, int]]:
        grown = Growth()
        for payload in payloads:
            place, kind = _HEAD.unpack_from(payload)
            rest = payload[_HEAD.size :]
            if kind == _SAYS:
                grown.add(place, _facts(rest))
            else:
                grown.tie(rest.decode())
        if grown.last > self.since:
            yield from ((token, grown.last) for token in grown.tokens if token)


class NothingLearned(MaskingError):
    """No document has to be masked again."""


def find_again(
    spark: SparkSession,
    people: Sequence[str],
    manifests: Sequence[Manifest],
    destination: str,
    folder: str,
    *,
    places: tuple[tuple[int, ...], ...],
    refreshed: int,
    subjects: Sequence[str] | None,
    everyone: bool,
    limits: Limits,
    cores: int,
) -> Again:
    """Find what is to be masked again, and write it into a folder of identities. `NothingLearned` where nothing is.

    people: what the runs of the dataset kept of people, in order; manifests: theirs. places: of each task's blocks the place
    of the run that read it. refreshed: the place of the last refresh. subjects: whose documents, if that is said.
    """
    if everyone:
        count = 1
    elif subjects is not None:
        count = name_affected(subjects, folder)
    else:
        kept = [[(path, one.bytes) for path, one in read_kept(one_run)] for one_run in people]
        count = find_affected(spark, kept, folder, since=max(refreshed, 0), cores=cores)
    if not count:
        raise NothingLearned("Nothing was learned of anybody since their documents were masked; none is masked again")
    find_newest(spark, manifests, destination, folder, limits, cores)
    return Again(folder, places, refreshed, everyone)


def find_affected(
    spark: SparkSession, kept: Sequence[Sequence[tuple[str, int]]], folder: str, *, since: int, cores: int
) -> int:
    """Write down of whom runs after the place `since` in a dataset have learned; how many tokens that are.

    kept: of each run in order the files of what it kept of people, with their bytes.
    """
    sources = tuple((place, path) for place, files in enumerate(kept) for path, _ in files)
    if not sources:
        return 0
    buckets = max(1, round(sum(size for files in kept for _, size in files) / _BUCKET_BYTES))
    said = spark.range(0, len(sources), 1, min(len(sources), 4 * cores)).mapInArrow(
        SayTask(sources, buckets).run, "bucket int, key binary, said binary"
    )
    rows = (
        said.repartition(buckets, "bucket")
        .sortWithinPartitions("bucket", "key", "said")
        .mapInArrow(LearnTask(folder, since).run, "tokens long")
        .collect()
    )
    return sum(row.tokens for row in rows)


def name_affected(subjects: Iterable[str], folder: str) -> int:
    """The same for people who are named (`Patient/123` or `123`), whatever was learned of them."""
    tokens = sorted({token_of(name) for name in subjects} - {""})
    path = storage.join(affected_folder(folder), "tokens-00000.parquet")
    return write_rows(path, ((token, PLACE.pack(_EVER)) for token in tokens), scratch=scratch(folder)).rows


# ── versions ──


@dataclass(frozen=True, slots=True)
class IdsTask:
    """Reads the ids that runs have written or deleted. `run` is given to `mapInArrow`."""

    files: tuple[tuple[int, str, int], ...]  # a rank, a path, and its size
    limits: Limits

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `files` in; hashes of ids and ranks out."""
        for batch in rows:
            for index in batch.column(0).to_pylist():
                rank, path, size = self.files[index]
                for lines in Reader((Block(path, "", 0, size, size),), self.limits):
                    found = [id_of(line) for line in lines.documents]
                    ranks = pa.array(np.full(len(found), rank, np.int32))
                    yield pa.RecordBatch.from_arrays([pa.array(found, pa.int64()), ranks], ["id", "rank"])


def find_newest(
    spark: SparkSession, manifests: Sequence[Manifest], destination: str, folder: str, limits: Limits, cores: int
) -> None:
    """Write down the newest rank of each id that a dataset's runs have more than once, or deleted.

    Runs that only mask again have nothing new: their rows are versions of others'.
    """
    files = [
        (row_rank(place) + step, storage.join(destination, file.path), file.bytes)
        for place, manifest in enumerate(manifests)
        if not manifest.settings.get("refresh")
        for step, many in enumerate((manifest.files, manifest.deleted))
        for file in many
    ]
    ids, ranks = np.zeros(0, np.int64), np.zeros(0, np.int32)
    if len(manifests) > 1 and files:
        job = IdsTask(tuple(files), limits)
        found = spark.range(0, len(files), 1, min(len(files), 16 * cores)).mapInArrow(job.run, "id long, rank int")
        newest = found.groupBy("id").agg(functions.min("rank").alias("first"), functions.max("rank").alias("last"))
        rows = newest.where("first < last").select("id", "last").orderBy("id").collect()
        ids = np.array([row.id for row in rows], np.int64)
        ranks = np.array([row.last for row in rows], np.int32)
    storage.write_bytes(storage.join(affected_folder(folder), NEWEST), ids.tobytes() + ranks.tobytes())
