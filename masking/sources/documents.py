"""Tables as what makes documents of their rows: a column that holds them, or all columns in FHIR's shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from masking.fhir.elements import resource_types
from masking.sources.columns import TYPE_NAMES, JsonColumns, type_of
from masking.sources.extensions import EXTENSION, extensions_of
from masking.sources.names import DERIVED, fits, type_of_shape, types_of_path
from masking.sources.typed import Array, Object, object_of

ANOTHER_TYPE = "another-type"


class Refused(NamedTuple):
    """A document that is not to be masked, its type if R4 has it, and why: reason and message as of a fault."""

    document: bytes
    resource_type: str | None
    reason: str
    message: str


class Table(Protocol):
    """Makes documents of rows. is_typed: whether each column is a part of them."""

    is_typed: ClassVar[bool]

    @property
    def left_out(self) -> tuple[str, ...]:
        """The columns that are not part of any document, but for those that are made of others."""

    @property
    def wanted(self) -> Sequence[str]:
        """The columns that have to be read."""

    def documents(self, batch: pa.RecordBatch) -> list[bytes | Refused]:
        """A document a row; empty where there is none."""


# ── a column of documents ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JsonTable:
    """A table with a column of documents. left_out: its other columns, which are not read."""

    columns: JsonColumns
    left_out: tuple[str, ...] = ()

    is_typed: ClassVar[bool] = False

    @property
    def wanted(self) -> list[str]:
        """See `Table`."""
        return [name for name in (self.columns.json, self.columns.type) if name]

    def documents(self, batch: pa.RecordBatch) -> list[bytes | Refused]:
        """See `Table`."""
        found = [value or b"" for value in values(batch.column(self.columns.json))]
        if not self.columns.type:
            return list(found)
        named = values(batch.column(self.columns.type))
        return [_agreed(document, name) for document, name in zip(found, named, strict=True)]


def _agreed(document: bytes, name: bytes | None) -> bytes | Refused:
    """The document, unless it names another type than its row does. One that names none is at fault by itself."""
    own = type_of(document) if name else ""
    if not name or not own or own.lower().encode() == name.lower():
        return document
    known = own if own in resource_types() else None
    return Refused(document, known, ANOTHER_TYPE, "the type that the row's column names is not the document's")


def values(column: pa.Array) -> list[bytes | None]:
    """Texts, or bytes, as bytes."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    found: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return found


# ── FHIR's shape ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class TypedTable:
    """A table whose columns are a type's elements. type_column: the one that names the type, "" for none.

    shared: columns of which all rows have one value, that is not in the file. Batches may lack columns, or fields of
    structs, in which nothing is.
    """

    resource_type: str
    type_column: str
    wanted: list[str]
    shared: tuple[tuple[str, str | None], ...] = ()
    left_out: tuple[str, ...] = ()
    _shapes: dict[pa.Schema, Object] = field(default_factory=dict)

    is_typed: ClassVar[bool] = True

    def documents(self, batch: pa.RecordBatch) -> list[bytes | Refused]:
        """See `Table`."""
        for name, value in self.shared:
            batch = batch.append_column(name, pa.array([value] * batch.num_rows, pa.string()))
        fields = dict(zip(batch.schema.names, batch.columns, strict=True))
        known = None
        if EXTENSION in fields and pa.types.is_map(fields[EXTENSION].type):
            lists = fields[EXTENSION].type.item_type
            known = extensions_of(fields[EXTENSION], Array(object_of(list(lists.value_type), "Extension")).texts)
        bare = self._shape(batch.schema).bare(fields, np.arange(batch.num_rows), known, batch.num_rows)
        types: pa.Array | str = self.resource_type
        if self.type_column in fields:
            said = fields[self.type_column].cast(pa.string())
            types = pc.coalesce(said, self.resource_type)
            bare = pc.if_else(said.is_valid(), pc.coalesce(bare, ""), bare)  # a type alone is a document too
        texts = pc.binary_join_element_wise('{"resourceType":"', types, '"', bare, "}", "")
        return [text or b"" for text in values(texts)]

    def _shape(self, schema: pa.Schema) -> Object:
        """How to make documents of columns such as these; row groups differ in what is there."""
        if schema not in self._shapes:
            self._shapes.clear()
            self._shapes[schema] = object_of(list(schema), self.resource_type, DERIVED | {self.type_column, EXTENSION})
        return self._shapes[schema]


def typed_table(
    schema: pa.Schema, path: str, named: str, partition: Sequence[tuple[str, str | None]] = ()
) -> TypedTable | None:
    """How to read a table in FHIR's shape, None if it has not got it.

    named: what its type column says, "" for nothing. partition: columns that its log has and its bytes have not. Its
    type is what it says itself, or what the names of its file and folders say, or what its columns can only be.
    """
    shared = tuple((name, value) for name, value in partition if name not in schema.names and name not in DERIVED)
    column = type_column([*schema.names, *(name for name, _ in shared)])
    named = named or dict(shared).get(column) or ""
    names = [name for name in [*schema.names, *(name for name, _ in shared)] if name != column]
    told = [named] if named in resource_types() else []
    told += [name for name in types_of_path(path) if fits(names, name)]
    resource_type = next(iter(told), "") or type_of_shape(names)
    if not resource_type:
        return None
    return TypedTable(resource_type, column, [name for name in schema.names if name not in DERIVED], shared)


def type_column(names: Iterable[str]) -> str:
    """The column of a table in FHIR's shape that names the type; "" if none does. `type` may be an element."""
    return next((name for name in names if name.lower() in TYPE_NAMES[:-1]), "")
