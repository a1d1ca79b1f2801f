"""What is left to do when all tasks are done: line numbers, small files, leftovers. Driver, and small Spark jobs.

None of it is needed by most runs: line numbers only where lines of cut files were quarantined, the gathering of files
only where there are far too many small ones.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.errors import CountMismatch, MaskingError
from masking.report.manifest import OutputFile
from masking.spark.lines import Limits, Reader
from masking.spark.splits import Block
from masking.spark.write import OutputPart, Places, Unnumbered

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_COPY_BYTES = 8 << 20
#: More files of one type than this, most of them small, are gathered.
_FILES_A_TYPE = 16


@dataclass(frozen=True, slots=True)
class NumberTask:
    """Gives quarantined lines of cut files their line numbers. `run` is given to `mapInArrow`."""

    tasks: tuple[int, ...]
    first_lines: Mapping[str, Mapping[int, int]]
    places: Places
    limits: Limits

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `tasks` in, how many lines were numbered out."""
        for batch in rows:
            for index in batch.column(0).to_pylist():
                yield pa.RecordBatch.from_arrays([pa.array([self._number(self.tasks[index])], pa.int64())], ["rows"])

    def _number(self, task: int) -> int:
        decoder, encoder, rows = msgspec.json.Decoder(Unnumbered), msgspec.json.Encoder(), 0
        source = storage.join(self.places.unnumbered, f"part-{task:05d}.ndjson")
        file = storage.find_file(source)
        if file is None:
            raise MaskingError(f"{source} is gone; does another program clean the PHI area?")
        target = storage.join(self.places.quarantine, f"part-{task:05d}-1.ndjson")
        with storage.Spool(target, self.places.phi_scratch) as spool:
            for lines in Reader((Block(source, "", 0, file.size, file.size),), self.limits):
                for line in lines.documents:
                    found = decoder.decode(line)
                    found.record.line += self.first_lines[found.record.file][found.block]
                    spool.write(encoder.encode(found.record) + b"\n")
                    rows += 1
            spool.publish()
        return rows


def number_quarantine(
    spark: SparkSession,
    tasks: tuple[int, ...],
    first_lines: Mapping[str, Mapping[int, int]],
    places: Places,
    cores: int,
) -> None:
    """Add what lies before each block to the line numbers of what was quarantined from it."""
    if tasks:
        limits = Limits(batch_rows=1000, batch_bytes=_COPY_BYTES, line_bytes=1 << 40)
        job = NumberTask(tasks, first_lines, places, limits)
        spark.range(0, len(tasks), 1, min(len(tasks), cores)).mapInArrow(job.run, "rows long").collect()
    storage.delete_folder(places.unnumbered)


@dataclass(frozen=True, slots=True)
class GatherTask:
    """Makes one file of several. `run` is given to `mapInArrow`."""

    groups: tuple[tuple[OutputFile, ...], ...]
    names: tuple[str, ...]
    destination: str
    places: Places

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `groups` in, the new files (JSON) out."""
        for batch in rows:
            for index in batch.column(0).to_pylist():
                made = msgspec.json.encode(self._gather(self.groups[index], self.names[index]))
                yield pa.RecordBatch.from_arrays([pa.array([made], pa.binary())], ["file"])

    def _gather(self, group: Sequence[OutputFile], name: str) -> OutputFile:
        resource_type = group[0].resource_type
        part = OutputPart(resource_type, name, self.places)
        try:
            for file in group:
                with storage.open_input(storage.join(self.destination, file.path)) as source:
                    while chunk := source.read(_COPY_BYTES):
                        part.append(chunk, chunk.count(b"\n"))
            made = part.publish()
        finally:
            part.discard()
        if (made.rows, made.bytes) != (sum(file.rows for file in group), sum(file.bytes for file in group)):
            raise CountMismatch(f"files of type {resource_type} changed while they were gathered")
        return dataclasses.replace(
            made, parts=tuple((file.path.rsplit("/", 1)[1], file.bytes, file.rows) for file in group)
        )


def gather_small_files(
    spark: SparkSession,
    files: tuple[OutputFile, ...],
    destination: str,
    places: Places,
    *,
    file_bytes: int,
    most_files: int,
    cores: int,
) -> tuple[OutputFile, ...]:
    """The files of a run after small ones were joined, if there are far too many; the old ones are then leftovers."""
    if not _too_many(files, file_bytes, most_files):
        return files
    groups = [group for group in _groups(files, file_bytes) if len(group) > 1]
    if not groups:
        return files
    names = tuple(f"g{number:05d}" for number in range(len(groups)))
    job = GatherTask(tuple(groups), names, destination, places)
    partitions = min(len(groups), 2 * cores)
    rows = spark.range(0, len(groups), 1, partitions).mapInArrow(job.run, "file binary").collect()
    made = [msgspec.json.decode(row.file, type=OutputFile) for row in rows]
    replaced = {file.path for group in groups for file in group}
    kept = [file for file in files if file.path not in replaced]
    return tuple(sorted((*kept, *made), key=lambda file: file.path))


def _too_many(files: Sequence[OutputFile], file_bytes: int, most_files: int) -> bool:
    types = len({file.resource_type for file in files})
    if len(files) > most_files:
        return True
    return len(files) > _FILES_A_TYPE * types and statistics.median(file.bytes for file in files) < file_bytes / 32


def _groups(files: Sequence[OutputFile], file_bytes: int) -> Iterator[tuple[OutputFile, ...]]:
    """Neighbours of one type that together are at most `file_bytes`."""
    group: list[OutputFile] = []
    size = 0
    for file in sorted(files, key=lambda file: (file.resource_type, file.path)):
        if group and (group[0].resource_type != file.resource_type or size + file.bytes > file_bytes):
            yield tuple(group)
            group, size = [], 0
        group.append(file)
        size += file.bytes
    if group:
        yield tuple(group)


def settle_files(files: Sequence[OutputFile], destination: str, places: Places, folder: str | None = None) -> None:
    """Delete output files that no receipt names; `CountMismatch` if one that is named is missing or of another size.

    Unnamed ones are of attempts that failed or lost a race. folder: where these files are; the NDJSON's by default.
    """
    storage.delete_folder(places.scratch)
    storage.delete_folder(places.phi_scratch)
    there = {file.path: file.size for file in storage.list_files(folder or places.ndjson)}
    named = {storage.join(destination, file.path): file.bytes for file in files}
    wrong = [path for path, size in named.items() if there.get(path) != size]
    if wrong:
        raise CountMismatch(
            f"{len(wrong)} of {len(named)} files that tasks wrote are not at the destination, such as {wrong[0]}; "
            "is it a place that every worker and this machine share?"
        )
    for path in there.keys() - named.keys():
        storage.delete_file(path)
