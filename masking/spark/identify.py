"""The pass before masking: what the export says of people, merged, and put where the masking tasks look it up.

Tasks gather from their blocks and write what they find to the PHI side; the driver sees counts and pairs of linked
records only. What records contribute to each key is shuffled by key, settled and written as the store. A small store is
loaded whole by the tasks that mask. For a large one, what is known of those to whom a task refers goes into a file a task
(`identify_split`): documents never shuffle.

An incremental run keeps what it gathered, and adds what the runs before it kept (`masking.spark.kept`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from masking import storage
from masking.errors import UsageError
from masking.identity.entries import Entry, decode_entries
from masking.identity.links import Groups, numbers_of
from masking.identity.store import Bucket, Lookup, Store, read_rows, write_index
from masking.spark.identify_split import split_by_task
from masking.spark.identify_tasks import (
    ClaimTask,
    Gathered,
    GatherTask,
    HolderTask,
    SettleTask,
    gathered_path,
    groups_path,
    numbers_path,
    progress_path,
    scratch,
    task_path,
)
from masking.spark.kept import keep, read_kept
from masking.spark.lines import Limits
from masking.spark.progress import Progress, Watch, beat_seconds
from masking.spark.splits import Task
from masking.spark.telling import heard, telling
from masking.spark.write import IDENTITIES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True)
class IdentifySettings:
    """How it is done; sizes in bytes. None of these changes what is known of anybody.

    whole_bytes: a store that takes no more in memory is loaded whole by each worker. bucket_bytes: of one file of the
    store. scan_from: an export of at least so much text is taken to need files by task, so that its references are
    gathered in the first pass; a smaller one is read again if it needs them after all.
    """

    whole_bytes: int = 256 << 20
    bucket_bytes: int = 128 << 20
    scan_from: int = 64 << 30

    def __post_init__(self) -> None:
        if min(self.bucket_bytes, self.scan_from) < 1 or self.whole_bytes < 0:
            raise UsageError("sizes of the pass over people must be positive")


@dataclass(frozen=True, slots=True)
class Identities:
    """Where the store is, and how a task reads it. Picklable; holds no value."""

    folder: str
    records: int  # that were gathered
    whole: bool

    def open(self, task: int) -> Lookup:
        """What a masking task asks. Runs in workers; a store that is loaded whole is loaded once a process."""
        if not self.whole:
            return TaskLookup(self.folder, task)
        if self.folder not in _LOADED:
            _LOADED.clear()
            _LOADED[self.folder] = Store.open(self.folder).load_all()
        return _LOADED[self.folder]

    def remove(self) -> None:
        """Delete all of it; for the end of a run, however it ends."""
        remove(self.folder)


#: Records of no more bytes are settled by one task, which holds some ten times as much in memory.
_ALONE_BYTES = 16 << 20
_LOADED: dict[str, Store] = {}
#: Keys whose meaning a task keeps decoded.
_DECODED = 10_000


def remove(folder: str) -> None:
    """Delete what the pass wrote; nothing happens where there is nothing."""
    storage.delete_folder(folder)


class TaskLookup(Lookup):
    """What is known of those whom one task refers to and of their relatives and carers, and of whom of these nothing is
    known. Others are looked up in the store, at the price of reading a part of it.
    """

    def __init__(self, folder: str, task: int) -> None:
        path = task_path(folder, task)
        self._entries = dict(read_rows(path)) if storage.find_file(path) else {}
        self._decoded: dict[str, list[Entry]] = {}
        self._store = Store.open(folder)

    def __repr__(self) -> str:
        return f"TaskLookup({len(self._entries)})"

    def meaning(self, key: str) -> Sequence[Entry]:
        """See `Lookup`."""
        known = self._decoded.get(key)
        if known is None:
            if key not in self._entries:
                return self._store.meaning(key)
            if len(self._decoded) >= _DECODED:
                self._decoded.clear()
            known = self._decoded[key] = decode_entries(self._entries[key])
        return known

    def entries(self, keys: Iterable[str]) -> dict[str, list[Entry]]:
        """See `Lookup`."""
        wanted = dict.fromkeys(keys)
        found = {key: decode_entries(self._entries[key]) for key in wanted if key in self._entries}
        beyond = self._store.entries(key for key in wanted if key not in found)
        return {key: entries for key, entries in (found | beyond).items() if entries}


def identify(
    spark: SparkSession,
    tasks: tuple[Task, ...],
    phi: str,
    *,
    limits: Limits,
    cores: int,
    settings: IdentifySettings | None = None,
    progress: Progress | None = None,
    kept: str | None = None,
    earlier: Sequence[str] = (),
    gathers: bool = True,
) -> Identities:
    """Build the store of people of these tasks' blocks under the run's folder on the PHI side.

    cores: how many tasks run at once. progress: called every second or so, from another thread. kept: a folder in which
    what was gathered outlasts the run. earlier: such folders, whose people are known too. gathers: False where they tell
    of all people of these blocks. `InputError` where a block cannot be read. What an earlier attempt left is replaced;
    whatever happens, `remove` takes it all back.
    """
    settings = settings or IdentifySettings()
    folder = storage.join(phi, IDENTITIES)
    remove(folder)
    beat = beat_seconds(phi)
    size = sum(block.end - block.start for task in tasks for block in task)
    scan = gathers and size >= settings.scan_from
    job = GatherTask(tasks, folder, limits, records=True, references=scan, beat_seconds=beat, kept=kept)
    found: list[Gathered] = []
    if gathers:
        with Watch(progress_path(folder), size, len(tasks), progress, "people"):
            found = _gather(spark, job, phi)
    sources = [(gathered_path(kept or folder, one.task), one) for one in found if one.records]
    if kept:
        keep(kept, [one for _, one in sources])
    sources = [*chain.from_iterable(map(read_kept, earlier)), *sorted(sources, key=lambda source: source[0])]
    groups = _link(spark, sources, folder, cores)
    if len(groups):
        storage.write_bytes(groups_path(folder), groups.encode())
    _settle(spark, sources, folder, cores, settings.bucket_bytes)
    store = Store.open(folder)
    whole = store.raw_bytes <= settings.whole_bytes
    if not whole:
        if not scan:
            job = GatherTask(tasks, folder, limits, records=False, references=True, beat_seconds=beat)
            with Watch(progress_path(folder), size, len(tasks), progress, "people"):
                _gather(spark, job, phi)
        split_by_task(spark, store, folder, len(tasks), cores)
    for rest in (
        storage.join(folder, "gathered"),
        storage.join(folder, "references"),
        storage.join(folder, "asked"),
        progress_path(folder),
        scratch(folder),
    ):
        storage.delete_folder(rest)
    storage.delete_file(groups_path(folder))
    return Identities(folder, sum(one.records for _, one in sources), whole)


def _gather(spark: SparkSession, job: GatherTask, phi: str) -> list[Gathered]:
    if not job.tasks:
        return []
    run = telling(job, "found", phi, (block.path for task in job.tasks for block in task)).run
    rows = spark.range(0, len(job.tasks), 1, len(job.tasks)).mapInArrow(run, "found binary").collect()
    return [msgspec.msgpack.decode(found, type=Gathered) for found in heard(rows)]


def _link(spark: SparkSession, gathered: Sequence[tuple[str, Gathered]], folder: str, cores: int) -> Groups:
    """The groups of linked records. Those that are linked by an identifier are looked for once more: few exports have any."""
    pairs = [pair for _, one in gathered for pair in one.pairs]
    numbers = numbers_of(pairs)
    if not numbers:
        return Groups(pairs)
    sources = tuple(path for path, _ in gathered)
    storage.write_bytes(numbers_path(folder), msgspec.msgpack.encode(sorted(numbers)))
    rows = spark.range(0, len(sources), 1, min(len(sources), 4 * cores)).mapInArrow(
        HolderTask(sources, folder).run, "pairs binary"
    )
    holders = [pair for row in rows.collect() for pair in msgspec.msgpack.decode(row.pairs, type=list[tuple[str, str]])]
    storage.delete_file(numbers_path(folder))
    return Groups(pairs, holders)


def _settle(
    spark: SparkSession, gathered: Sequence[tuple[str, Gathered]], folder: str, cores: int, bucket_bytes: int
) -> None:
    """Shuffle the claims of gathered records to their buckets, and write these."""
    sources = tuple(path for path, _ in gathered)
    size = sum(one.bytes for _, one in gathered)
    # A record's claims together take about half as much again as the record.
    buckets = max(1, round(1.5 * size / bucket_bytes))
    files: list[Bucket] = []
    if sources and buckets == 1 and size <= _ALONE_BYTES:
        # As many tasks again, and a shuffle, would cost more than the work does.
        alone = spark.range(0, 1, 1, 1).mapInArrow(ClaimTask(sources, folder, 1).run_alone, "bucket binary")
        files = [msgspec.msgpack.decode(row.bucket, type=Bucket) for row in alone.collect()]
    elif sources:
        claims = spark.range(0, len(sources), 1, min(len(sources), 4 * cores)).mapInArrow(
            ClaimTask(sources, folder, buckets).run, "bucket int, key binary, claim binary"
        )
        rows = (
            claims.repartition(buckets, "bucket")
            .sortWithinPartitions("bucket", "key")
            .mapInArrow(SettleTask(folder).run, "bucket binary")
            .collect()
        )
        files = [msgspec.msgpack.decode(row.bucket, type=Bucket) for row in rows]
    write_index(folder, buckets, [file for file in files if file.rows])
