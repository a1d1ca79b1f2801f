"""Extensions that a table keeps apart by numbers of their elements, put back: the inverse of `extensions`.

Elements keep the numbers that they have, which are links and nothing else. An element without one, as of a list that
became longer, has no place for its extensions: they are counted.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking.sources.arrays import array_of, plain_list
from masking.sources.cells import EXTENSION_NAME, Cells, Fields, Raw, fields_of, items_of
from masking.sources.extensions import EXTENSION, FID
from masking.sources.scalars import Misfit
from masking.sources.typed import Array, Choice, Member, Object, Value, object_of


def is_numbered(schema: pa.Schema) -> bool:
    """Whether a table has a map of extensions, and numbers of elements that can be no more than that."""
    if EXTENSION not in schema.names or not pa.types.is_map(type_ := schema.field(EXTENSION).type):
        return False
    lists = type_.item_type
    return (
        type_.key_type == pa.int32()
        and pa.types.is_list(lists)
        and pa.types.is_struct(lists.value_type)
        and all(_numbers_are_small(field) for field in schema)
    )


def _numbers_are_small(field: pa.Field) -> bool:
    if field.name == FID:
        return bool(field.type == pa.int32())
    return all(_numbers_are_small(field.type.field(at)) for at in range(field.type.num_fields))


@functools.lru_cache(maxsize=16)
def _extensions(type_: pa.DataType) -> Array:
    """What extensions of a type are: one object a type, for cells are planned by it."""
    return Array(object_of(list(type_), "Extension"))


def extension_maps(
    root: Object, columns: Mapping[str, pa.Array], masked: Sequence[bytes], cells: Cells, path: str
) -> pa.Array:
    """The column of maps for masked documents; empty where it was there and no extension is left."""
    maps = columns[EXTENSION]
    lists = maps.type.item_type
    node = _extensions(lists.value_type)
    before = [None if one is None else dict(one) for one in plain_list(maps)]
    rows = [at for at, document in enumerate(masked) if b'"extension"' in document]
    place = pa.array(rows, pa.int64())
    old = {name: plain_list(array.take(place)) for name, array in columns.items() if name != EXTENSION}
    made: list[Any] = [None if one is None else [] for one in before]
    for number, at in enumerate(rows):
        row = _Row(node, lists, before[at] or {}, cells, f"{path}.{EXTENSION_NAME}")
        row.gather(root, masked[at], {name: found[number] for name, found in old.items()})
        made[at] = row.entries() if row.found or before[at] is not None else None
    return array_of(made, maps.type, cells.misfits, f"{path}.{EXTENSION_NAME}")


class _Row:
    """The extensions of one row by the numbers of their elements."""

    def __init__(self, node: Array, lists: pa.DataType, before: Mapping[int, Any], cells: Cells, path: str) -> None:
        self._node, self._lists, self._before, self._cells, self._path = node, lists, before, cells, path
        self.found: dict[int, Any] = {}

    def entries(self) -> list[tuple[int, Any]]:
        """In the order of the source, new ones last."""
        order = [key for key in self._before if key in self.found]
        return [(key, self.found[key]) for key in (*order, *(key for key in self.found if key not in self._before))]

    def gather(self, value: Value | Member | Choice, raw: Raw | None, before: Any) -> None:
        """Find the extensions of an element and of all within it."""
        if raw is None or bytes(raw) == b"null":
            return
        try:
            if isinstance(value, Array):
                old = before if isinstance(before, list) else []
                for at, item in enumerate(items_of(raw) or ()):
                    self.gather(value.item, item, old[at] if at < len(old) else None)
            elif isinstance(value, Object):
                self._object(value, fields_of(raw), before if isinstance(before, dict) else {})
        except Misfit:
            return  # counted where its cell is made

    def _object(self, value: Object, fields: Fields, before: Mapping[str, Any]) -> None:
        raw = fields.get(EXTENSION_NAME)
        if value.fid and raw is not None:
            number = before.get(FID)
            if number is None:
                self._cells.misfits[self._path] += 1
            else:
                there = self._before.get(number)
                self.found[number] = self._cells.cell(self._node, self._lists, raw, there, self._path)
                self.gather(self._node, raw, there)
        for part in value.members:
            if isinstance(part, Member):
                self.gather(part.value, fields.get(part.name), before.get(part.field))
            elif isinstance(part, Choice):
                inner = before.get(part.field)
                for member in part.members:
                    old = inner.get(member.field) if isinstance(inner, dict) else None
                    self.gather(member.value, fields.get(member.name), old)
