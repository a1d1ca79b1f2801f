"""What a table should hold, made slowly and plainly out of `json`, for comparison with the compiled loops."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from masking.tables.schema import Column, Kind


class Number(str):
    """A JSON number as it is spelled."""

    __slots__ = ()


def load(line: bytes) -> dict:
    """A document whose numbers keep their spelling."""
    return json.loads(line, parse_int=Number, parse_float=Number)


def expected_row(columns: Sequence[Column], document: dict, path: str, strays: Counter[str]) -> dict:
    """The row of a document, or the fields of an object in it."""
    known = {column.name: column for column in columns if column.kind is not Kind.OTHER}
    row: dict = dict.fromkeys(column.name for column in columns)
    other = {}
    for name, value in document.items():
        column = known.get(name)
        if column is not None and fits(column, value):
            row[name] = cell(column, value, strays)
        elif not (name == "resourceType" and "." not in path):
            other[name] = value
            aside = name in ("id", "_id") or (name[:1] == "_" and is_primitive(known.get(name[1:])))
            if column is not None or not aside:
                strays[column.path if column else f"{path}.?"] += 1
    row["other_json"] = other or None
    return row


def is_primitive(column: Column | None) -> bool:
    return column is not None and column.kind in (Kind.TEXT, Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL)


def fits(column: Column, value: object) -> bool:
    if value is None:
        return True
    if column.is_list:
        return isinstance(value, list) and all(fits_one(column.kind, item) for item in value)
    return fits_one(column.kind, value)


def fits_one(kind: Kind, value: object) -> bool:
    if value is None or kind is Kind.JSON:
        return True
    if kind is Kind.INTEGER:
        integral = isinstance(value, Number) and re.fullmatch(r"-?[0-9]{1,10}", value)
        return bool(integral) and -(2**31) <= int(value) < 2**31
    if kind is Kind.DECIMAL:
        return isinstance(value, Number) and abs(float(value)) != float("inf")
    if kind is Kind.TEXT:
        return isinstance(value, str) and not isinstance(value, Number)
    return isinstance(value, {Kind.STRUCT: dict, Kind.BOOLEAN: bool}[kind])


def cell(column: Column, value: object, strays: Counter[str]) -> object:
    if value is None:
        return None
    if column.is_list:
        assert isinstance(value, list)
        return [None if item is None else single(column, item, strays) for item in value]
    return single(column, value, strays)


def single(column: Column, value: object, strays: Counter[str]) -> object:
    if column.kind is Kind.STRUCT:
        assert isinstance(value, dict)
        return expected_row(column.fields, value, column.path, strays)
    return {Kind.INTEGER: int, Kind.DECIMAL: float}.get(column.kind, lambda same: same)(value)  # type: ignore[operator]


def actual_rows(columns: Sequence[Column], arrays: Sequence[pa.Array]) -> list[dict]:
    """The rows of a batch, with JSON texts read."""
    table = pa.Table.from_arrays(list(arrays), names=[column.name for column in columns])
    return [plain(columns, row) for row in table.to_pylist()]


def plain(columns: Sequence[Column], row: dict) -> dict:
    return {column.name: plain_cell(column, row[column.name]) for column in columns}


def plain_cell(column: Column, value: object) -> object:
    if value is None:
        return None
    if isinstance(value, list):
        return [None if item is None else plain_single(column, item) for item in value]
    return plain_single(column, value)


def plain_single(column: Column, value: object) -> object:
    if column.kind in (Kind.JSON, Kind.OTHER):
        assert isinstance(value, str)
        return load(value.encode())
    return plain(column.fields, value) if isinstance(value, dict) else value
