"""The first tasks of a verification: gather what identifies people, and hold files against the manifest. Run in workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.report.manifest import OutputFile
from masking.spark.lines import Limits, Reader
from masking.spark.splits import Task
from masking.spark.verify_pairs import file_faults
from masking.verify.collect import Collector
from masking.verify.known import Known, load

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class CollectTask:
    """Gathers what the source says of people. `run` is given to `mapInArrow`."""

    tasks: tuple[Task, ...] = field(repr=False)
    folder: str
    limits: Limits

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Task numbers in; the paths that were met out."""
        for number in numbers(rows):
            collector = Collector()
            for batch in Reader(self.tasks[number], self.limits):
                for document in batch.documents:
                    collector.document(document)
            storage.write_bytes(storage.join(self.folder, f"known-{number:05d}.npz"), collector.pieces().as_bytes())
            yield row(encode(collector.tree.paths()))


@dataclass(frozen=True, slots=True)
class FilesTask:
    """Holds output files against the manifest. `run` is given to `mapInArrow`."""

    files: tuple[OutputFile, ...]
    destination: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes of files in; number, what is wrong, and lines out."""
        for number in numbers(rows):
            yield row(encode((number, *file_faults(self.files[number], self.destination))))


def load_known(folder: str, humans: int) -> Known:
    """The tables, as the driver has put them into a folder."""
    local = folder if storage.is_local(folder) else None
    return load(humans, lambda name: storage.read_bytes(storage.join(folder, name)), local)


def numbers(rows: Iterable[Any]) -> Iterator[int]:
    """The numbers of tasks in record batches."""
    for batch in rows:
        yield from batch.column(0).to_pylist()


def row(content: bytes) -> Any:
    """A record batch of one answer."""
    return pa.RecordBatch.from_arrays([pa.array([content], pa.binary())], ["found"])
