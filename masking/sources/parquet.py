"""The rows of a Parquet file as JSON documents, a stretch of the file at a time.

A row group belongs to the stretch that holds its first byte, so each row is read exactly once however a file is cut, and
nobody has to open a file in order to cut it. Pages are read as they are needed: what is in memory is a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking.sources.columns import find_columns, texts
from masking.sources.content import Unsupported
from masking.sources.documents import JsonTable, Refused, Table, type_column, typed_table, values
from masking.sources.shape import Shape, shape_of

_BUFFER_BYTES = 1 << 20
#: Values that are looked at to find the column of documents, and rows in which they are looked for.
_SAMPLE, _SAMPLE_ROWS = 20, 2000
#: How much longer a row is as JSON, with all its names, than in its columns.
_TYPED_GROWS = 4


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a table beside its bytes.

    column: the one that holds JSON documents, "" to find it. partition: columns that its rows share, which its log has
    and its bytes have not. path: whose names may tell its type, where these are not its own.
    """

    column: str = ""
    partition: tuple[tuple[str, str | None], ...] = ()
    path: str = field(default="", repr=False)


NO_HINTS = Hints()


class Origin(NamedTuple):
    """What rows like those of the source are made with. batch: its rows with all columns, None for none of the table.

    group: the number of their row group.
    """

    shape: Shape
    batch: pa.RecordBatch | None = None
    group: int = -1
    table: Table | None = None


class Rows(NamedTuple):
    """Neighbouring rows, and which share of the stretch has been read with them. An empty document is a null.

    left_out: the table's columns that are no part of them. origin: where it was asked for.
    """

    documents: list[bytes | Refused]
    share: float
    left_out: tuple[str, ...]
    origin: Origin | None = None


def read_rows(
    raw: Any, start: int, end: int, path: str, hints: Hints, most_rows: int, most_bytes: int, whole: bool = False
) -> Iterator[Rows]:
    """The rows whose row groups begin in [start, end) of an open file, in order, at most about so many at once.

    path: the file's, whose names may tell the type. whole: with their origins, the first of which has no rows.
    `Unsupported` where the table holds no FHIR that is found; `pa.ArrowException` and `OSError` for a damaged file.
    """
    with pq.ParquetFile(raw, buffer_size=_BUFFER_BYTES, pre_buffer=False, coerce_int96_timestamp_unit="us") as file:
        groups = row_groups(file.metadata, start, end)
        total = sum(file.metadata.row_group(group).num_rows for group in groups)
        shape = shape_of(file) if whole else None
        if shape is not None:
            yield Rows([], 0, (), Origin(shape))
        if not total:
            return
        table = find_table(file, hints.path or path, hints)
        done = 0
        for group in groups:
            leaves = _leaves(file.metadata.row_group(group), table.wanted)
            rows = max(
                1, min(most_rows, most_bytes // max(1, leaves.row_bytes * (_TYPED_GROWS if table.is_typed else 1)))
            )
            names = None if whole else leaves.paths if table.is_typed else table.wanted
            for batch in file.iter_batches(rows, row_groups=[group], columns=names, use_threads=False):
                done += batch.num_rows
                origin = None if shape is None else Origin(shape, batch, group, table)
                yield Rows(_documents(table, batch), done / total, table.left_out, origin)


def _documents(table: Table, batch: pa.RecordBatch) -> list[bytes | Refused]:
    """The documents of a batch. What its bytes hold is sound by now, so that what fails here is what they mean."""
    try:
        return table.documents(batch)
    except pa.ArrowCapacityError:
        half = batch.num_rows // 2
        if not half:
            raise Unsupported("a row of it is longer than two gigabytes as JSON") from None
        return _documents(table, batch.slice(0, half)) + _documents(table, batch.slice(half))
    except pa.ArrowException as error:
        raise Unsupported(f"its columns cannot be read as FHIR ({type(error).__name__})") from None


def row_groups(metadata: Any, start: int, end: int) -> list[int]:
    """The numbers of the row groups whose first byte lies in [start, end)."""
    return [number for number in range(metadata.num_row_groups) if start <= begin_of(metadata.row_group(number)) < end]


def begin_of(group: Any) -> int:
    """Where the first page of a row group lies; behind the magic if it has no column."""
    if not group.num_columns:
        return 4
    first = group.column(0)
    return int(first.dictionary_page_offset if first.has_dictionary_page else first.data_page_offset)


class _Leaves(NamedTuple):
    """The leaves of a row group that are read, and about how many bytes a row has in them.

    What encodings save in values that recur is not counted.
    """

    paths: list[str]
    row_bytes: int


def _leaves(group: Any, wanted: Sequence[str]) -> _Leaves:
    """The leaves of columns, without those that hold nothing: most of a wide table, and reading them costs the most."""
    paths, size, empty = [], 0, ""
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema.partition(".")[0] not in wanted:
            continue
        statistics = column.statistics
        if statistics is not None and statistics.has_null_count and statistics.null_count == column.num_values:
            empty = empty or column.path_in_schema
            continue
        paths.append(column.path_in_schema)
        size += column.total_uncompressed_size
    return _Leaves(paths or [empty], size // max(1, group.num_rows))


def find_table(file: Any, path: str, hints: Hints) -> Table:
    """How to make documents of an open file's rows. A column that holds them wins over columns in FHIR's shape."""
    schema = file.schema_arrow
    sample = _sample(file, hints)
    found = find_columns(sample, hints.column)
    if found is not None:
        kept = found.json, found.type
        return JsonTable(found, tuple(name for name in schema.names if name not in kept))
    said = sample.get(type_column(schema.names), [])
    table = typed_table(schema, path, said[0].decode("utf-8", "replace") if said else "", hints.partition)
    if table is None:
        raise Unsupported(
            "it is a Parquet file neither with a column of FHIR resources as JSON (--json-column names it) nor with "
            "columns that are the elements of one type of R4"
        )
    return table


def _sample(file: Any, hints: Hints) -> dict[str, list[bytes]]:
    """Some values of each column that may hold texts, nulls left out."""
    names = texts(file.schema_arrow)
    sample: dict[str, list[bytes]] = {name: [] for name in names}
    rows = 0
    for batch in file.iter_batches(64, columns=names, use_threads=False) if names else ():
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            sample[name] += [value for value in values(column) if value is not None][: _SAMPLE - len(sample[name])]
        rows += batch.num_rows
        if rows >= _SAMPLE_ROWS or all(sample.values()) or find_columns(sample, hints.column) is not None:
            break
    return sample
