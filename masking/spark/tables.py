"""The run's tables, made of its own masked NDJSON: small types one task each, large ones sorted by Spark first.

What is in memory at once is a small type's lines, or a row group of a large one's. The files' names depend on the type,
the settings and the lines alone, so a second attempt at a task puts the same under the same names.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
from pyspark.sql import functions

from masking import storage
from masking.report.manifest import OutputFile
from masking.spark.write import PARQUET, Places
from masking.tables.ddl import create_table, json_schema
from masking.tables.keys import KeyReader, Keys, join_keys
from masking.tables.lines import PIECE_BYTES, pieces, read_lines
from masking.tables.main_dates import AUTO, YEAR, main_date_paths
from masking.tables.parquet import GROUP_BYTES, TableFolder, TableWriter, Written
from masking.tables.schema import MAIN_YEAR, derived
from masking.tables.whole import make_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: Text that becomes one Parquet file of a large type: some 64 to 128 MB of it.
FILE_TEXT_BYTES = 1 << 30
#: Spark hands a Python task up to 10,000 rows at once, whatever they hold: a type with longer lines is not sorted by it.
_LONG_LINE_BYTES = 24 << 10


@dataclass(frozen=True, slots=True)
class TableSettings:
    """How tables are made. partition_by: `auto`, `none`, `year`, or the types that are partitioned, joined by commas."""

    partition_by: str = AUTO
    resource: bool = False
    #: A type with more text than this is sorted by Spark; with less, it is in one task's memory.
    task_bytes: int = 512 << 20
    #: A type with more text than this is partitioned where that is for us to say: each year's files are then large.
    partition_bytes: int = 16 << 30


@dataclass(frozen=True, slots=True)
class Tables:
    """The files of all tables, in order of their paths, and what their columns could not hold, by path."""

    files: tuple[OutputFile, ...]
    misfits: dict[str, int]


def make_tables(
    spark: SparkSession,
    files: Sequence[OutputFile],
    destination: str,
    places: Places,
    settings: TableSettings,
    cores: int,
) -> Tables:
    """Parquet of all that the run has written as NDJSON."""
    types: dict[str, list[OutputFile]] = {}
    for file in files:
        types.setdefault(file.resource_type, []).append(file)
    small: list[WholeTable] = []
    large: list[tuple[TableFolder, tuple[OutputFile, ...], int]] = []
    for name, group in sorted(types.items()):
        size = sum(file.bytes for file in group)
        table = TableFolder(
            name,
            destination,
            storage.join("runs", places.run.rsplit("/", 1)[1], PARQUET, name.lower()),
            places.scratch,
            by_year=_is_partitioned(name, size, settings),
            resource=settings.resource,
        )
        if size <= settings.task_bytes:
            small.append(WholeTable(table, tuple(group), "00000"))
        elif size > _LONG_LINE_BYTES * sum(file.rows for file in group):
            # Each file is sorted by itself; years would make a file a year of each.
            alone = replace(table, by_year=False)
            small += [WholeTable(alone, (file,), f"{number:05d}") for number, file in enumerate(group)]
        else:
            large.append((table, tuple(group), size))
    receipts = _make_small(spark, small, cores)
    for table, parts, size in large:
        receipts += _make_large(spark, table, parts, max(1, round(size / FILE_TEXT_BYTES)))
    made = [msgspec.json.decode(receipt, type=Written) for receipt in receipts]
    misfits: Counter[str] = Counter()
    for written in made:
        misfits.update(written.misfits)
    found = sorted((file for written in made for file in written.files), key=lambda file: file.path)
    return Tables(tuple(found), dict(sorted(misfits.items())))


def describe_tables(files: Sequence[OutputFile], destination: str, places: Places, resource: bool) -> None:
    """Write the `CREATE TABLE` and the JSON schema of each table that there is.

    A place on this machine means nothing to Athena: the statement then has `${DESTINATION}` for it.
    """
    root = "${DESTINATION}" if storage.is_local(destination) else destination
    folders = {file.resource_type: file.path.rsplit("/", 1)[0] for file in files}
    for name, folder in sorted(folders.items()):
        table, _, year = folder.partition(f"/{MAIN_YEAR}=")
        statement = create_table(name, storage.join(root, table), by_year=bool(year), resource=resource)
        described = {f"{name.lower()}.sql": statement, f"{name}.schema.json": json_schema(name, resource=resource)}
        for file, text in described.items():
            storage.write_bytes(storage.join(places.schema, file), text.encode(), scratch=places.scratch)


def _is_partitioned(name: str, size: int, settings: TableSettings) -> bool:
    if not main_date_paths(name):
        return False
    if settings.partition_by == AUTO:
        return size > settings.partition_bytes
    return settings.partition_by == YEAR or name in settings.partition_by.split(",")


# ── small types ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class WholeTable:
    """A table, or one file's part of it, that one task makes in memory."""

    table: TableFolder
    files: tuple[OutputFile, ...]
    name: str

    @property
    def weight(self) -> int:
        """Bytes of text."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class WholeTask:
    """Makes whole tables. `run` is given to `mapInArrow`."""

    shares: tuple[tuple[WholeTable, ...], ...]

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `shares` in, what was written (JSON) out."""
        for batch in rows:
            for index in batch.column(0).to_pylist():
                for whole in self.shares[index]:
                    yield _receipt(make_table(whole.table, whole.files, whole.name))


def _make_small(spark: SparkSession, tables: Sequence[WholeTable], cores: int) -> list[bytes]:
    if not tables:
        return []
    shares = _shares(tables, min(len(tables), cores))
    rows = spark.range(0, len(shares), 1, len(shares)).mapInArrow(WholeTask(shares).run, "receipt binary").collect()
    return [bytes(row.receipt) for row in rows]


def _shares(tables: Sequence[WholeTable], count: int) -> tuple[tuple[WholeTable, ...], ...]:
    """The tables in so many shares of about equal weight: the heaviest first, each to the lightest share."""
    shares: list[list[WholeTable]] = [[] for _ in range(count)]
    weights = [(0, index) for index in range(count)]
    for table in sorted(tables, key=lambda table: (-table.weight, table.table.resource_type, table.name)):
        weight, index = heapq.heappop(weights)
        shares[index].append(table)
        heapq.heappush(weights, (weight + table.weight, index))
    return tuple(tuple(share) for share in shares)


# ── large types ──────────────────────────────────────────────────────────────────────────────────────────────────────

_KEYED = "id string, patient string, date long, year int, line binary"


@dataclass(frozen=True, slots=True)
class KeyTask:
    """Reads the keys of lines. `run` is given to `mapInArrow`."""

    table: TableFolder
    files: tuple[OutputFile, ...]

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes into `files` in, lines with their keys out."""
        reader = KeyReader(self.table.resource_type)
        for batch in rows:
            for index in batch.column(0).to_pylist():
                for piece in pieces(read_lines(self.table.destination, self.files[index]), PIECE_BYTES):
                    keys = reader.read(piece)
                    lines = pa.array([bytes(line) for line in piece], pa.binary())
                    columns = [keys.id, keys.patient, _number(keys.date), keys.year, lines]
                    yield pa.RecordBatch.from_arrays(columns, ["id", "patient", "date", "year", "line"])


@dataclass(frozen=True, slots=True)
class SortedTask:
    """Writes sorted lines. `run` is given to `mapInArrow`."""

    table: TableFolder

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Lines with their keys in, what was written (JSON) out."""
        writer: TableWriter | None = None
        try:
            for part, group in _groups(rows):
                writer = writer or TableWriter(self.table, f"{part:05d}")
                date = derived(self.table.resource_type)[1].type
                keys = join_keys([Keys(*_keys(batch, date)) for batch in group])
                lines = [memoryview(line.as_buffer()) for batch in group for line in batch.column("line")]
                writer.write(lines, keys)
            if writer is not None:
                yield _receipt(writer.finish())
        finally:
            if writer is not None:
                writer.discard()


def _make_large(spark: SparkSession, table: TableFolder, files: tuple[OutputFile, ...], parts: int) -> list[bytes]:
    keyed = spark.range(0, len(files), 1, len(files)).mapInArrow(KeyTask(table, files).run, _KEYED)
    order = [functions.asc_nulls_last(name) for name in (*(["year"] if table.by_year else []), "patient", "date", "id")]
    ordered: DataFrame = keyed.repartitionByRange(parts, *order).sortWithinPartitions(*order)
    numbered = ordered.withColumn("part", functions.spark_partition_id())
    rows = numbered.mapInArrow(SortedTask(table).run, "receipt binary").collect()
    return [bytes(row.receipt) for row in rows]


def _groups(batches: Iterable[Any]) -> Iterator[tuple[int, list[Any]]]:
    """Neighbouring batches that together make a row group, and the number of the partition they are of."""
    group: list[Any] = []
    size = part = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        part = batch.column("part")[0].as_py()
        group.append(batch)
        size += batch.column("line").nbytes
        if size >= GROUP_BYTES:
            yield part, group
            group, size = [], 0
    if group:
        yield part, group


def _number(date: pa.Array) -> pa.Array:
    """Dates as numbers, which sort alike and whose unit no session's setting touches."""
    return date.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(date.type) else date.cast(pa.int64())


def _keys(batch: Any, date: pa.DataType) -> tuple[pa.Array, ...]:
    number = batch.column("date")
    dates = number.cast(pa.int32()).cast(date) if pa.types.is_date32(date) else number.cast(date)
    return batch.column("id"), batch.column("patient"), dates, batch.column("year")


def _receipt(written: Written) -> Any:
    return pa.RecordBatch.from_arrays([pa.array([msgspec.json.encode(written)], pa.binary())], ["receipt"])
