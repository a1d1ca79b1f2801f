"""Masked documents as rows of a table in FHIR's shape, a column at a time.

A cell whose JSON is as it was stays as it was, if its JSON shows all that it holds; every other is made of the masked
document (`cells`). So what a policy keeps is there to the last digit, and what is hidden from it is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking.sources.arrays import array_of, plain_list, replaced
from masking.sources.cells import VERSIONED, Cells, Fields, fields_of, merged_text
from masking.sources.columns import type_of
from masking.sources.documents import TypedTable
from masking.sources.extensions import EXTENSION, FID
from masking.sources.names import DERIVED
from masking.sources.numbered import extension_maps, is_numbered
from masking.sources.ours import is_ours, our_rows
from masking.sources.scalars import text_of
from masking.sources.shown import is_numbered_within, is_shown
from masking.sources.typed import Choice, Member, Merged, Object, Part, object_of
from masking.tables.keys import KeyReader
from masking.tables.schema import MAIN_DATE, MAIN_YEAR, PATIENT_ID


class TypedRows:
    """See `restore.Rows`."""

    def __init__(self, table: TypedTable) -> None:
        self.denied: Counter[str] = Counter()
        self._table = table
        self._cells = Cells()
        self.misfits = self._cells.misfits
        self._root: tuple[pa.Schema, Object] | None = None

    def restored(self, batch: pa.RecordBatch, documents: Sequence[bytes], masked: Sequence[bytes]) -> list[pa.Array]:
        """See `restore.Rows`."""
        type_ = self._table.resource_type
        types = {type_of(document) for document in masked if document}
        if types <= {type_} and is_ours(batch.schema, type_):
            return our_rows(batch.schema, type_, masked)
        return _Batch(
            self._table, self._shape(batch.schema), self._cells, self.denied, batch, documents, masked
        ).arrays()

    def _shape(self, schema: pa.Schema) -> Object:
        if self._root is None or self._root[0] != schema:
            dropped = DERIVED | {self._table.type_column, EXTENSION}
            self._root = schema, object_of(list(schema), self._table.resource_type, dropped)
            self._cells.numbered = is_numbered(schema)
        return self._root[1]


class _Batch:
    """One batch on its way back."""

    def __init__(
        self,
        table: TypedTable,
        root: Object,
        cells: Cells,
        denied: Counter[str],
        batch: pa.RecordBatch,
        documents: Sequence[bytes],
        masked: Sequence[bytes],
    ) -> None:
        self._table, self._root, self._cells, self._denied = table, root, cells, denied
        self._masked = masked
        self._columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        self._count = batch.num_rows
        self._old: list[Fields] = [fields_of(document) if document else {} for document in documents]
        self._new: list[Fields] = [fields_of(document) if document else {} for document in masked]
        self._called = [_called(table.resource_type, old, new) for old, new in zip(self._old, self._new, strict=True)]
        self._owned: Counter[str] = Counter()
        for part in root.members:
            self._owned.update(_names(part))
        self._changed: dict[str, list[int]] = {}
        for at, (old, new) in enumerate(zip(self._old, self._new, strict=True)):
            for name in old.keys() | new.keys():
                if old.get(name) != new.get(name):
                    self._changed.setdefault(name, []).append(at)
        self._has_merged = any(isinstance(part, Merged) for part in root.members)

    def arrays(self) -> list[pa.Array]:
        """An array a column, in the order of the batch."""
        made: dict[str, pa.Array] = {}
        for part in self._root.members:
            made |= self._part(part)
        if not self._has_merged:
            self._count_lost()
        for name, array in self._columns.items():
            if name not in made:
                made[name] = self._other(name, array)
        return [made[name] for name in self._columns]

    def _part(self, part: Part) -> dict[str, pa.Array]:
        """The columns of one part of the resource."""
        array = self._columns[part.field]
        types = {part.field: array.type}
        if isinstance(part, Merged):
            return {part.field: self._merged(array)}
        names = _names(part)
        if isinstance(part, Member) and part.scale:
            types[part.scale] = self._columns[part.scale].type
        known = isinstance(part, Choice) or part.known
        if known and self._is_shown(part, array.type):
            changed = sorted({at for name in names for at in self._changed.get(name, ())})
            if changed and not is_numbered_within(array.type):
                return {part.field: replaced(array, changed, self._of_json(part, array.type, changed))}
        else:
            there = array.is_valid().to_numpy(zero_copy_only=False)
            changed = [at for at in range(self._count) if there[at] or any(name in self._new[at] for name in names)]
        if not changed:
            return {name: self._columns[name] for name in types}
        cells = self._made(part, types, changed)
        made = {
            name: replaced(self._columns[name], changed, self._array([cell.get(name) for cell in cells], type_, name))
            for name, type_ in types.items()
        }
        if not known and (lost := made[part.field].null_count - array.null_count):
            self._denied[part.field] += lost
        return made

    def _of_json(self, part: Part, type_: pa.DataType, rows: Sequence[int]) -> pa.Array:
        """Cells of which nothing counts but their JSON: each spelling is made once."""
        names = _names(part)
        spelled = [
            tuple(None if (raw := self._new[at].get(name)) is None else bytes(raw) for name in names) for at in rows
        ]
        counts = Counter(spelled)
        places = {one: number for number, one in enumerate(counts)}
        every, made = self._cells.misfits, []
        for one, count in counts.items():
            self._cells.misfits = Counter()
            fields = {name: raw for name, raw in zip(names, one, strict=True) if raw is not None}
            made.append(self._cell(part, {part.field: type_}, fields, {}).get(part.field))
            every.update({path: count * times for path, times in self._cells.misfits.items()})
        self._cells.misfits = every
        return self._array(made, type_, part.field).take(pa.array([places[one] for one in spelled], pa.int64()))

    def _cell(
        self, part: Part, types: dict[str, pa.DataType], fields: Fields, before: dict[str, Any]
    ) -> dict[str, Any]:
        path = self._table.resource_type
        if isinstance(part, Choice):
            return {part.field: self._cells.choice(part, types[part.field], fields, before.get(part.field), path)}
        assert isinstance(part, Member)
        return self._cells.member(part, types, fields, before, path)

    def _array(self, cells: Sequence[Any], type_: pa.DataType, name: str) -> pa.Array:
        return array_of(cells, type_, self._cells.misfits, f"{self._table.resource_type}.{name}")

    def _is_shown(self, part: Part, type_: pa.DataType) -> bool:
        if self._has_merged or any(self._owned[name] > 1 for name in _names(part)):
            return False
        numbered = self._cells.numbered
        if isinstance(part, Choice):
            wrapper = Object((part,))
            return is_shown(wrapper, pa.struct([(part.field, type_)]), numbered)
        return isinstance(part, Member) and not part.scale and is_shown(part.value, type_, numbered)

    def _made(self, part: Part, types: dict[str, pa.DataType], rows: Sequence[int]) -> list[dict[str, Any]]:
        place = pa.array(rows, pa.int64())
        old = {name: plain_list(self._columns[name].take(place)) for name in types}
        made = []
        for number, at in enumerate(rows):
            self._cells.called = self._called[at]
            made.append(self._cell(part, types, self._new[at], {name: found[number] for name, found in old.items()}))
        return made

    def _merged(self, array: pa.Array) -> pa.Array:
        """The column of properties that have no other."""
        owned = {*self._owned, "resourceType"}
        rows = [{name: raw for name, raw in new.items() if name not in owned} for new in self._new]
        texts = [merged_text(rest, before) for rest, before in zip(rows, plain_list(array), strict=True)]
        return pa.array(texts, pa.string()).cast(array.type)

    def _count_lost(self) -> None:
        numbered = {"extension"} if self._cells.numbered else set()
        owned = {*self._owned, *numbered, "resourceType"}
        for new in self._new:
            for name in new.keys() - owned:
                self._cells.misfits[f"{self._table.resource_type}.{name}"] += 1

    # ── columns that are no part of a document ──

    def _other(self, name: str, array: pa.Array) -> pa.Array:
        if name == self._table.type_column:
            there = array.is_valid().to_numpy(zero_copy_only=False)
            said = [_type(new) if has else None for new, has in zip(self._new, there, strict=True)]
            return self._array(said, array.type, name)
        if name == FID and self._cells.numbered:
            return array
        if name == EXTENSION and self._cells.numbered:
            return extension_maps(self._root, self._columns, self._masked, self._cells, self._table.resource_type)
        if name in DERIVED and (derived := self._derived(name, array.type)) is not None:
            return derived
        found = pa.nulls(len(array), array.type)
        if name.endswith(VERSIONED):
            pairs = zip(plain_list(array), self._called, strict=True)
            names = [called.get(one) if isinstance(one, str) else None for one, called in pairs]
            found = self._array(names, array.type, name)
        if lost := found.null_count - array.null_count:
            self._denied[name] += lost
        return found

    def _derived(self, name: str, type_: pa.DataType) -> pa.Array | None:
        """`patient_id` and the main date of the masked documents, where they are such columns as ours."""
        own = self._table.resource_type
        if not {_type(new) for new in self._new} <= {own, None}:
            return None
        keys = KeyReader(own).read([document or b"{}" for document in self._masked])
        found = {PATIENT_ID: keys.patient, MAIN_DATE: keys.date, MAIN_YEAR: keys.year}[name]
        return found if found.type == type_ else None


def _names(part: Part) -> tuple[str, ...]:
    """The properties that a part holds."""
    if isinstance(part, Member):
        return (part.name,)
    return tuple(member.name for member in part.members) if isinstance(part, Choice) else ()


def _type(fields: Fields) -> str | None:
    raw = fields.get("resourceType")
    return None if raw is None else text_of(bytes(raw))


def _called(resource_type: str, old: Fields, new: Fields) -> dict[str, str]:
    """What the resource is called in columns that repeat its id, before and after."""
    before, after = _own(old), _own(new)
    if before[0] is None or after[0] is None:
        return {}
    found = {before[0]: after[0], f"{resource_type}/{before[0]}": f"{resource_type}/{after[0]}"}
    if before[1] is not None and after[1] is not None:
        found[f"{resource_type}/{before[0]}/_history/{before[1]}"] = f"{resource_type}/{after[0]}/_history/{after[1]}"
    return found


def _own(fields: Fields) -> tuple[str | None, str | None]:
    """A resource's id and version."""
    id_, meta = fields.get("id"), fields.get("meta")
    version = fields_of(meta).get("versionId") if meta is not None and bytes(meta).startswith(b"{") else None
    return (None if id_ is None else text_of(bytes(id_)), None if version is None else text_of(bytes(version)))
