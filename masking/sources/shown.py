"""Whether JSON shows all that a column holds: then a cell whose JSON is as it was can stay as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking.sources.extensions import FID
from masking.sources.leaves import is_text
from masking.sources.typed import Array, Choice, Leaf, Merged, Object, Single, Value


def is_shown(value: Value, type_: pa.DataType, numbered: bool) -> bool:
    """Whether documents show all that cells of a column hold: then one whose JSON is as it was can stay as it was."""
    match value:
        case Leaf():
            moment = pa.types.is_timestamp(type_) or pa.types.is_date64(type_)
            # Of the text of an object, only its first value may be in the document.
            return not (value.json and is_text(type_)) and not (value.type == "date" and moment)
        case Single():  # of a text, that it was the text of an array is seen in the cell alone
            return not is_text(type_) and is_shown(value.item, type_, numbered)
        case Array():
            return is_shown(value.item, type_.value_type, numbered)
        case Object():
            return _struct_is_shown(value.members, type_, numbered)
    return False


def _struct_is_shown(members: Sequence[Any], type_: pa.DataType, numbered: bool) -> bool:
    types = {field.name: field.type for field in type_}
    left = set(types) - ({FID} if numbered else set())
    seen: set[str] = set()
    for part in members:
        if isinstance(part, Merged) or part.field not in left:
            return False
        left.discard(part.field)
        if isinstance(part, Choice):
            if not _struct_is_shown(part.members, types[part.field], numbered):
                return False
            names = {member.name for member in part.members}
        elif not part.known or part.scale or not is_shown(part.value, types[part.field], numbered):
            return False
        else:
            names = {part.name}
        if names & seen:
            return False
        seen |= names
    return not left


def is_numbered_within(type_: pa.DataType) -> bool:
    """Whether elements in a column have numbers, which cells take from what was there."""
    return any(field.name == FID or is_numbered_within(field.type) for field in _children(type_))


def _children(type_: pa.DataType) -> list[pa.Field]:
    return [type_.field(at) for at in range(type_.num_fields)]
