"""Masked documents as rows of the table that they were read from: the same columns, in the same order, of the same types.

A row goes if its document was put aside or dropped, and stays as nulls if it had none. What a column held of which no
document tells is null (default-deny): other columns beside a column of documents, and columns that are no element of R4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from masking.sources.arrays import as_type, bare, plain, written_type
from masking.sources.columns import type_of
from masking.sources.documents import JsonTable, Refused, Table, TypedTable, values
from masking.sources.ours import is_ours, our_rows
from masking.sources.typedrows import TypedRows
from masking.tables.schema import RESOURCE

_WHITE = b" \t\r\n"

Documents = Sequence[bytes | Refused]


class _Header(msgspec.Struct):
    id: str = ""


_header = msgspec.json.Decoder(_Header).decode


def written_schema(schema: pa.Schema) -> pa.Schema:
    """A schema as it is written again: names, order and types as they are, all columns may be null, and nothing is noted."""
    return pa.schema([bare(one).with_type(written_type(one.type)).with_nullable(True) for one in schema])


class Rows(Protocol):
    """Makes rows. denied: values of columns that were made null, by column. misfits: values that no column took, by path."""

    denied: Counter[str]
    misfits: Counter[str]

    def restored(self, batch: pa.RecordBatch, documents: Sequence[bytes], masked: Sequence[bytes]) -> list[pa.Array]:
        """An array a column of the batch, whose rows have these documents before and after; empty where there is none."""


class Restorer:
    """Makes rows of one table.

    denied: how many values were made null, by the name of their column. unplaced: how many no column took, by FHIR path.
    """

    def __init__(self, table: Table) -> None:
        self._rows: Rows
        if isinstance(table, JsonTable):
            self._rows = JsonRows(table)
        elif isinstance(table, TypedTable):
            self._rows = TypedRows(table)
        else:
            raise TypeError("a table of a kind that is not restored")

    @property
    def denied(self) -> Mapping[str, int]:
        """Values that were made null, by the name of their column."""
        return self._rows.denied

    @property
    def unplaced(self) -> Mapping[str, int]:
        """Values that no column took, by FHIR path."""
        return self._rows.misfits

    def rows(self, batch: pa.RecordBatch, documents: Documents, masked: Sequence[bytes | None]) -> pa.RecordBatch:
        """The rows that stay, made of masked documents (null where none came of one); a document a row of the batch."""
        kept = [
            at
            for at, (document, new) in enumerate(zip(documents, masked, strict=True))
            if new is not None or (isinstance(document, bytes) and not document.strip(_WHITE))
        ]
        if len(kept) < batch.num_rows:
            batch = batch.take(pa.array(kept, pa.int64()))
        values_ = [plain(column) for column in batch.columns]
        before = [
            document if masked[at] is not None else b"" for at in kept if isinstance(document := documents[at], bytes)
        ]
        after = [masked[at] or b"" for at in kept]
        found = self._rows.restored(pa.RecordBatch.from_arrays(values_, names=batch.schema.names), before, after)
        arrays = [as_type(array, one.type) for one, array in zip(batch.schema, found, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=written_schema(batch.schema))


class JsonRows:
    """Rows of a table with a column of documents: that, the column of types, and names of the resource elsewhere.

    A cell of another column stays if it is the resource's id, and is then the masked one; every other is null.
    """

    def __init__(self, table: JsonTable) -> None:
        self.denied: Counter[str] = Counter()
        self.misfits: Counter[str] = Counter()
        self._columns = table.columns

    def restored(self, batch: pa.RecordBatch, documents: Sequence[bytes], masked: Sequence[bytes]) -> list[pa.Array]:
        """See `Rows`."""
        if self._columns.json == RESOURCE:
            types = {type_of(document) for document in masked if document}
            if len(types) == 1 and is_ours(batch.schema, name := types.pop()):
                return our_rows(batch.schema, name, masked)
        made = []
        for field, array in zip(batch.schema, batch.columns, strict=True):
            if field.name == self._columns.json:
                pairs = zip(documents, masked, strict=True)
                made.append(_texts([_laid_out(old, new) if new else None for old, new in pairs], array.type))
            elif field.name == self._columns.type:
                there = pa.array([bool(document) for document in masked], pa.bool_())
                made.append(pc.if_else(there, array, pa.scalar(None, array.type)))
            else:
                made.append(self._beside(field.name, array, documents, masked))
        return made

    def _beside(self, name: str, array: pa.Array, documents: Sequence[bytes], masked: Sequence[bytes]) -> pa.Array:
        """A column that no document tells of: the resource's id, or nothing."""
        there = len(array) - array.null_count
        if not there:
            return pa.nulls(len(array), array.type)
        found: list[bytes | None] = [None] * len(array)
        if _may_be_ids(array.type):
            for at, value in enumerate(values(array)):
                if value and masked[at] and value == id_of(documents[at]):
                    found[at] = id_of(masked[at])
        if lost := there - sum(one is not None for one in found):
            self.denied[name] += lost
        return _texts(found, array.type) if _may_be_ids(array.type) else pa.nulls(len(array), array.type)


def _may_be_ids(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def id_of(document: bytes) -> bytes | None:
    """A resource's own id; None where it has none."""
    try:
        return _header(document).id.encode() or None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _texts(found: Sequence[bytes | None], type_: pa.DataType) -> pa.Array:
    """Texts for a column of texts or bytes."""
    return pa.array(found, pa.large_binary()).cast(type_)


def _laid_out(before: bytes, masked: bytes) -> bytes:
    """A masked document with the white space around it that it had."""
    inner = before.lstrip(_WHITE)
    start = before[: len(before) - len(inner)]
    return start + masked + inner[len(inner.rstrip(_WHITE)) :]
