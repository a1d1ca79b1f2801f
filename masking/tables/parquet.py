"""Parquet files of one table: zstd, sorted, with statistics and page indexes by which readers skip what they do not want."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.report.manifest import OutputFile
from masking.tables.keys import Keys
from masking.tables.lines import PIECE_BYTES, Line, pieces
from masking.tables.schema import MAIN_YEAR, OTHER, RESOURCE, Column, Kind, arrow_schema, columns
from masking.tables.shred import Shredder

#: Text in a row group: what a reader skips or reads as a whole, and what a writer holds in memory.
GROUP_BYTES = 64 << 20
#: A file is finished when it has reached this size.
FILE_BYTES = 256 << 20
#: Where rows stand that have no main date, in a table partitioned by its year. The name is Hive's.
_NO_YEAR = "__HIVE_DEFAULT_PARTITION__"
#: Types of FHIR whose smallest and largest value tell nothing and may be long.
_LONG = frozenset({"xhtml", "markdown", "base64Binary"})


@dataclass(frozen=True, slots=True)
class TableFolder:
    """Where the files of a table go.

    folder: relative to `destination`, as the manifest has it. scratch: for half-written files. by_year: a folder
    `main_year=…` for each year.
    """

    resource_type: str
    destination: str
    folder: str
    scratch: str
    by_year: bool = False
    resource: bool = False  # also the column `resource_json`


@dataclass(slots=True)
class Written:
    """What became of lines: files, and the misfits of `Shredder`."""

    files: list[OutputFile] = field(default_factory=list)
    misfits: dict[str, int] = field(default_factory=dict)


class TableWriter:
    """Writes sorted lines into files that bear `name`. Memory: a row group of `GROUP_BYTES` and what it is made of."""

    def __init__(self, table: TableFolder, name: str) -> None:
        self._table = table
        self._name = name
        schema = arrow_schema(table.resource_type, resource=table.resource)
        if table.by_year:  # its folder says it; twice would be an error to some readers
            schema = schema.remove(schema.get_field_index(MAIN_YEAR))
        self._schema = schema
        self._shredder = Shredder(columns(table.resource_type), table.resource_type)
        self._options = _options(columns(table.resource_type), schema)
        self._files: list[OutputFile] = []
        self._open: _File | None = None
        self._year: int | None = None

    def write(self, lines: Sequence[Line], keys: Keys) -> None:
        """Append lines in the order of `Keys.order`; a row group is what is given at once, a year at a time."""
        for start, stop in self._stretches(keys):
            year = keys.year[start].as_py()
            if self._open is not None and ((self._table.by_year and year != self._year) or self._open.is_full):
                self._finish_file()
            if self._open is None:
                self._year = year
                self._open = _File(self._table, self._path(year), self._schema, self._options)
            self._open.append(pa.Table.from_batches(self._batches(lines[start:stop], keys, start), self._schema))

    def finish(self) -> Written:
        """Publish the last file."""
        if self._open is not None:
            self._finish_file()
        return Written(self._files, dict(self._shredder.misfits))

    def discard(self) -> None:
        """Drop the file that is open, if one is."""
        if self._open is not None:
            self._open.discard()
            self._open = None

    def _finish_file(self) -> None:
        assert self._open is not None
        self._files.append(self._open.publish())
        self._open = None

    def _path(self, year: int | None) -> str:
        folders = [f"main_year={_NO_YEAR if year is None else year}"] if self._table.by_year else []
        name = f"{self._table.resource_type}-{self._name}-{len(self._files):05d}.parquet"
        return storage.join(self._table.folder, *folders, name)

    def _stretches(self, keys: Keys) -> Iterator[tuple[int, int]]:
        count = len(keys.id)
        if not self._table.by_year:
            if count:
                yield 0, count
            return
        start = 0
        for run in pc.run_end_encode(keys.year).run_ends.to_pylist():
            yield start, run
            start = run

    def _batches(self, lines: Sequence[Line], keys: Keys, start: int) -> Iterator[pa.RecordBatch]:
        """The rows of lines, the first of which is the line `start` of the keys."""
        for piece in pieces(lines, PIECE_BYTES):
            mine = keys.slice(start, len(piece))
            start += len(piece)
            arrays = [mine.patient, mine.date, *([] if self._table.by_year else [mine.year])]
            arrays.append(pa.repeat(self._table.resource_type, len(piece)))
            arrays += self._shredder.shred(piece)
            if self._table.resource:
                arrays.append(pa.array([bytes(line) for line in piece], pa.binary()).cast(pa.string()))
            yield pa.RecordBatch.from_arrays(arrays, schema=self._schema)


class _File:
    """A Parquet file while it is written; also the stream that it is written to, which counts and hashes."""

    closed = False

    def __init__(self, table: TableFolder, path: str, schema: pa.Schema, options: dict[str, Any]) -> None:
        self._type, self._path = table.resource_type, path
        self._spool = storage.Spool(storage.join(table.destination, path), table.scratch)
        self._hash = hashlib.sha256()
        self._size = self._rows = 0
        self._writer = pq.ParquetWriter(pa.PythonFile(self, "w"), schema, **options)

    def write(self, content: bytes) -> int:
        self._spool.write(content)
        self._hash.update(content)
        self._size += len(content)
        return len(content)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing: what is not published need not be on the disk."""

    def close(self) -> None:
        """Nothing: publishing closes it."""

    @property
    def is_full(self) -> bool:
        return self._size >= FILE_BYTES

    def append(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=max(1, rows.num_rows))
        self._rows += rows.num_rows

    def publish(self) -> OutputFile:
        self._writer.close()
        self._spool.publish()
        return OutputFile(self._path, self._type, self._rows, self._size, self._hash.hexdigest())

    def discard(self) -> None:
        self._spool.discard()


def _options(fields: Sequence[Column], schema: pa.Schema) -> dict[str, Any]:
    """How files are written. The smallest and largest of JSON and other long texts are left out."""
    own = {column.name for column in fields}
    ours = [name for name in schema.names if name not in own and name != RESOURCE]
    telling = [*ours, *_leaves(fields, "", lambda c: c.kind not in (Kind.JSON, Kind.OTHER) and c.type not in _LONG)]
    repeating = [*ours, *_leaves(fields, "", lambda c: c.name != OTHER and c.type not in _LONG)]
    return {
        "compression": "zstd",
        "version": "2.6",
        "write_page_index": True,
        "write_statistics": telling,
        "use_dictionary": repeating,
    }


def _leaves(fields: Sequence[Column], prefix: str, wanted: Any) -> Iterator[str]:
    """The paths, as Parquet has them, of the columns that are wanted."""
    for column in fields:
        path = f"{prefix}{column.name}" + (".list.element" if column.is_list else "")
        if column.kind is Kind.STRUCT:
            yield from _leaves(column.fields, path + ".", wanted)
        elif wanted(column):
            yield path
