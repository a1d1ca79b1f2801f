"""Arrays and the Python values in them, there and back, for what is done a cell at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

_FIELD_NUMBER = b"PARQUET:field_id"


def written_type(type_: pa.DataType) -> pa.DataType:
    """A column's type as it is written again: all within may be null, for what is not let through is.

    Dictionaries deep within are values: they would also hold what their rows had and have no more.
    """
    if pa.types.is_dictionary(type_):
        return type_
    return _without(type_, pa.types.is_dictionary, lambda one: one.value_type, optional=True)


def bare(field: pa.Field) -> pa.Field:
    """A field without what is noted of it, which may be anything, but its number in the table."""
    number = (field.metadata or {}).get(_FIELD_NUMBER)
    return field.with_metadata(None if number is None else {_FIELD_NUMBER: number})


def plain(array: pa.Array) -> pa.Array:
    """Values instead of numbers of them in a dictionary, all of which may be null."""
    if pa.types.is_dictionary(array.type):
        return array.dictionary_decode()
    wanted = written_type(array.type)
    return array if _same(wanted, array.type) else array.cast(wanted)


def _same(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether types are the same in what may be null too, which equality of lists passes over."""
    return one == other and str(one) == str(other)


def as_type(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """Values as a column has them: with a dictionary of these alone, where it has one."""
    if pa.types.is_dictionary(type_):
        return array.dictionary_encode().cast(pa.dictionary(type_.index_type, type_.value_type)).cast(type_)
    return array


def plain_list(array: pa.Array) -> list[Any]:
    """Python's values, dates and times as numbers: some have no other in Python."""
    wanted = _without(array.type, pa.types.is_temporal, lambda one: pa.int64() if one.bit_width == 64 else pa.int32())
    found: list[Any] = (array if wanted == array.type else array.cast(wanted)).to_pylist()
    return found


def array_of(cells: Sequence[Any], type_: pa.DataType, misfits: Counter[str], path: str) -> pa.Array:
    """Cells as an array; those that the type does not take are null, and counted."""
    try:
        return pa.array(cells, type_)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        taken = []
        for cell in cells:
            try:
                pa.array([cell], type_)
                taken.append(cell)
            except (pa.ArrowException, TypeError, ValueError, OverflowError):
                misfits[path] += 1
                taken.append(None)
        return pa.array(taken, type_)


def replaced(array: pa.Array, rows: Sequence[int], cells: pa.Array) -> pa.Array:
    """The array with other cells at these places."""
    if len(rows) == len(array):
        return cells
    places = np.arange(len(array))
    places[list(rows)] = np.arange(len(array), len(array) + len(rows))
    return pa.concat_arrays([array, cells]).take(pa.array(places))


def _without(type_: pa.DataType, is_one: Any, instead: Any, optional: bool = False) -> pa.DataType:
    """A type with others in place of some within it."""
    if is_one(type_):
        return instead(type_)

    def again(field: pa.Field, may_be_null: bool = optional) -> pa.Field:
        made = bare(field).with_type(_without(field.type, is_one, instead, optional))
        return made.with_nullable(True) if may_be_null else made

    if pa.types.is_struct(type_):
        return pa.struct([again(field) for field in type_])
    if pa.types.is_map(type_):
        return pa.map_(again(type_.key_field, False), again(type_.item_field))
    if pa.types.is_fixed_size_list(type_):
        return pa.list_(again(type_.value_field), type_.list_size)
    for test, make in ((pa.types.is_list, pa.list_), (pa.types.is_large_list, pa.large_list)):
        if test(type_):
            return make(again(type_.value_field))
    return type_
