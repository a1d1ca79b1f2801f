"""The rows of a Parquet file as JSON documents, a stretch of the file at a time.

A row group belongs to the stretch that holds its first byte, so each row is read exactly once however a file is cut, and
nobody has to open a file in order to cut it. Pages are read as they are needed: what is in memory is a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking.fhir.elements import resource_types
from masking.sources.columns import JsonColumns, find_columns, texts, type_of
from masking.sources.content import Unsupported

_BUFFER_BYTES = 1 << 20
#: Values that are looked at to find the column of documents, and rows in which they are looked for.
_SAMPLE, _SAMPLE_ROWS = 20, 2000
ANOTHER_TYPE = "another-type"


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a table beside its bytes. column: the one that holds JSON documents, "" to find it."""

    column: str = ""


NO_HINTS = Hints()


class Refused(NamedTuple):
    """A document that is not to be masked, its type if R4 has it, and why: reason and message as of a fault."""

    document: bytes
    resource_type: str | None
    reason: str
    message: str


class Rows(NamedTuple):
    """Neighbouring rows, and which share of the stretch has been read with them. An empty document is a null."""

    documents: list[bytes | Refused]
    share: float


def read_rows(raw: Any, start: int, end: int, hints: Hints, most_rows: int, most_bytes: int) -> Iterator[Rows]:
    """The rows whose row groups begin in [start, end) of an open file, in order, at most about so many at once.

    `Unsupported` where the table holds no FHIR that is found; `pa.ArrowException` and `OSError` for a damaged file.
    """
    with pq.ParquetFile(raw, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
        groups = row_groups(file.metadata, start, end)
        total = sum(file.metadata.row_group(group).num_rows for group in groups)
        if not total:
            return
        columns = _find(file, hints)
        wanted = [name for name in (columns.json, columns.type) if name]
        done = 0
        for group in groups:
            rows = _batch_rows(file.metadata.row_group(group), wanted, most_rows, most_bytes)
            for batch in file.iter_batches(rows, row_groups=[group], columns=wanted, use_threads=False):
                done += batch.num_rows
                yield Rows(_documents(batch, columns), done / total)


def row_groups(metadata: Any, start: int, end: int) -> list[int]:
    """The numbers of the row groups whose first byte lies in [start, end)."""
    return [number for number in range(metadata.num_row_groups) if start <= _begins(metadata.row_group(number)) < end]


def _begins(group: Any) -> int:
    """Where the first page of a row group lies; behind the magic if it has no column."""
    if not group.num_columns:
        return 4
    first = group.column(0)
    return int(first.dictionary_page_offset if first.has_dictionary_page else first.data_page_offset)


def _batch_rows(group: Any, wanted: list[str], most_rows: int, most_bytes: int) -> int:
    """How many rows of a group take about `most_bytes`; what encodings save in texts that recur is not counted."""
    sizes = [
        group.column(number).total_uncompressed_size
        for number in range(group.num_columns)
        if group.column(number).path_in_schema.split(".", 1)[0] in wanted
    ]
    return max(1, min(most_rows, int(most_bytes * group.num_rows / max(1, sum(sizes)))))


def _find(file: Any, hints: Hints) -> JsonColumns:
    names = texts(file.schema_arrow)
    sample: dict[str, list[bytes]] = {name: [] for name in names}
    rows = 0
    for batch in file.iter_batches(64, columns=names, use_threads=False) if names else ():
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            sample[name] += [value for value in _bytes(column) if value is not None][: _SAMPLE - len(sample[name])]
        rows += batch.num_rows
        if rows >= _SAMPLE_ROWS or find_columns(sample, hints.column) is not None:
            break
    found = find_columns(sample, hints.column)
    if found is None:
        raise Unsupported("it is a Parquet file without a column of FHIR resources as JSON; name it: --json-column")
    return found


def _documents(batch: Any, columns: JsonColumns) -> list[bytes | Refused]:
    found = [value or b"" for value in _bytes(batch.column(columns.json))]
    if not columns.type:
        return list(found)
    named = _bytes(batch.column(columns.type))
    return [_agreed(document, name) for document, name in zip(found, named, strict=True)]


def _agreed(document: bytes, name: bytes | None) -> bytes | Refused:
    """The document, unless it names another type than its row does. One that names none is at fault by itself."""
    own = type_of(document) if name else ""
    if not name or not own or own.lower().encode() == name.lower():
        return document
    known = own if own in resource_types() else None
    return Refused(document, known, ANOTHER_TYPE, "the type that the row's column names is not the document's")


def _bytes(column: Any) -> list[bytes | None]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values
