"""Rows of this program's own tables, made of masked documents as these tables are made: quicker than cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa  # type: ignore[import-untyped]

from masking.fhir.elements import resource_types
from masking.tables.keys import KeyReader
from masking.tables.lines import PIECE_BYTES, Line, pieces
from masking.tables.schema import (
    MAIN_DATE,
    MAIN_YEAR,
    OTHER,
    PATIENT_ID,
    RESOURCE,
    RESOURCE_TYPE,
    arrow_schema,
    columns,
)
from masking.tables.shred import Shredder


def is_ours(schema: pa.Schema, resource_type: str) -> bool:
    """Whether a table has all columns of this program's table of a type, and no others; `main_year` may be a folder's."""
    if resource_type not in resource_types():
        return False
    wanted = arrow_schema(resource_type, resource=RESOURCE in schema.names)
    if len(set(schema.names)) < len(schema.names) or not {OTHER, PATIENT_ID, RESOURCE_TYPE} <= set(schema.names):
        return False
    missing = set(wanted.names) - set(schema.names)
    return missing <= {MAIN_YEAR} and all(
        one.name in wanted.names and one.type == wanted.field(one.name).type for one in schema
    )


def our_rows(schema: pa.Schema, resource_type: str, masked: Sequence[bytes]) -> list[pa.Array]:
    """An array a column; a document a row, of one type, nulls where it is empty."""
    shredder, keys = Shredder(columns(resource_type), resource_type), KeyReader(resource_type)
    made = [pa.record_batch(_piece(schema, resource_type, one, shredder, keys)) for one in _pieces(masked)]
    table = pa.Table.from_batches(made, made[0].schema) if made else pa.table({}, schema)
    return [_whole(table.column(name), schema.field(name).type) for name in schema.names]


def _whole(column: pa.ChunkedArray, type_: pa.DataType) -> pa.Array:
    chunks = column.chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks) if chunks else pa.nulls(0, type_)


def _pieces(masked: Sequence[bytes]) -> Iterator[Sequence[Line]]:
    yield from pieces([document or b"{}" for document in masked], PIECE_BYTES)


def _piece(
    schema: pa.Schema, resource_type: str, lines: Sequence[Line], shredder: Shredder, reader: KeyReader
) -> dict[str, pa.Array]:
    keys = reader.read(lines)
    there = [line != b"{}" for line in lines]
    found = {PATIENT_ID: keys.patient, MAIN_DATE: keys.date, MAIN_YEAR: keys.year}
    found[RESOURCE_TYPE] = pa.array([resource_type if one else None for one in there], pa.string())
    found |= dict(zip((one.name for one in columns(resource_type)), shredder.shred(lines), strict=True))
    whole = [line if one else None for line, one in zip(lines, there, strict=True)]
    found[RESOURCE] = (
        pa.array(whole, pa.binary()).cast(pa.string()) if RESOURCE in schema.names else pa.nulls(len(lines))
    )
    return {name: found[name] for name in schema.names}
