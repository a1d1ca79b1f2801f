"""Hold the tables of a run against its documents: Parquet row by row of the manifest, Delta id by id. Runs in workers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.report.manifest import OutputFile
from masking.report.verdict import Finding
from masking.spark.verify_gather import encode, numbers, row

_ID = "id"


@dataclass(frozen=True, slots=True)
class DeltaTable:
    """A Delta table at its latest version: the places of its files. runs: those whose commits are in its log, oldest first.

    is_whole: all commits from the first on are there, so that no run is missing.
    """

    files: tuple[str, ...]
    runs: tuple[str, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class TablesTask:
    """Holds Parquet files against the manifest. `run` is given to `mapInArrow`."""

    files: tuple[OutputFile, ...]
    destination: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes of files in; of each that is not what it was, a finding out."""
        for number in numbers(rows):
            file = self.files[number]
            if what := _fault(file, storage.join(self.destination, file.path)):
                yield row(encode(Finding("files", what, file.resource_type, 1, ((file.path, 0),))))


def _fault(file: OutputFile, path: str) -> str:
    digest = hashlib.sha256()
    try:
        with storage.open_input(path) as source:
            while chunk := source.read(8 << 20):
                digest.update(chunk)
        if digest.hexdigest() == file.sha256:
            return ""
        with storage.open_input(path) as source:
            count = pq.ParquetFile(source).metadata.num_rows
    except FileNotFoundError:
        return "the file is not there"
    except pa.ArrowException:
        return "it is no Parquet file any more"
    if count != file.rows:
        return f"{abs(count - file.rows)} rows {'fewer' if count < file.rows else 'more'} than the manifest says"
    return "its bytes are not those that were written"


@dataclass(frozen=True, slots=True)
class DeltaPart:
    """A Delta table, and this run's Parquet files of the same type. folder: relative to the destination.

    is_latest: no later run has changed the table, so all rows of this one are there; is_alone: no other run has any there.
    """

    resource_type: str
    folder: str
    table: DeltaTable
    files: tuple[OutputFile, ...]
    is_latest: bool
    is_alone: bool


@dataclass(frozen=True, slots=True)
class DeltaTask:
    """Holds Delta tables against the run's Parquet tables. `run` is given to `mapInArrow`. Memory: the ids of one type."""

    parts: tuple[DeltaPart, ...]
    destination: str

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes of tables in, findings out."""
        for number in numbers(rows):
            for finding in self._faults(self.parts[number]):
                yield row(encode(finding))

    def _faults(self, part: DeltaPart) -> Iterator[Finding]:
        where = ((part.folder, 0),)
        missing = sum(storage.find_file(path) is None for path in part.table.files)
        if missing:
            yield Finding("files", "a file that the Delta log names is not there", part.resource_type, missing, where)
            return
        there = _ids(part.table.files)
        made = _ids([storage.join(self.destination, file.path) for file in part.files])
        distinct = pc.unique(there.drop_null())
        twice = len(there) - there.null_count - len(distinct)
        if twice > 0:
            yield Finding("counts", "an id that the Delta table holds twice", part.resource_type, twice, where)
        if part.is_latest:
            wanted = pc.unique(made.drop_null())
            lost = len(wanted) - int(pc.sum(pc.is_in(wanted, value_set=distinct)).as_py() or 0)
            if lost:
                yield Finding("counts", "rows that the Delta table does not have", part.resource_type, lost, where)
            if part.is_alone:
                more = len(there) - (len(wanted) + made.null_count)
                if more > 0:
                    yield Finding("counts", "rows that only the Delta table has", part.resource_type, more, where)


def _ids(paths: Sequence[str]) -> Any:
    """The ids in Parquet files, nulls too; none where a file has no such column."""
    found = []
    for path in paths:
        with storage.open_input(path) as file:
            table = pq.ParquetFile(file)
            if _ID in table.schema_arrow.names:
                found += table.read(columns=[_ID]).column(0).cast(pa.string()).chunks
    return pa.chunked_array(found, pa.string())
