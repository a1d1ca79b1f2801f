"""Masked JSON as cells of the source's columns: what `typed` makes of a row, turned round, a cell at a time.

A cell is made of the masked document alone. Of what stood there before, it takes what no document shows and what tells
nothing: that a list was empty and not absent, that a number was none, how elements are numbered, and whether one text
was the JSON of a list. Whatever else a document does not show becomes null.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking.sources.extensions import FID
from masking.sources.leaves import is_text
from masking.sources.scalars import Misfit, reader_of, text_of
from masking.sources.typed import Array, Choice, Entries, Leaf, Member, Merged, Object, Single, Value

Raw = bytes | msgspec.Raw
Fields = Mapping[str, Raw]

#: Columns of Pathling's that follow from a quantity's value and unit.
_CANONICAL_VALUE, _CANONICAL_CODE = "_value_canonicalized", "_code_canonicalized"
_UCUM = re.compile(r"[!-~]{1,32}")
VERSIONED = "_versioned"
EXTENSION_NAME = "extension"
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def fields_of(document: Raw) -> Fields:
    """The properties of an object, each as it is spelled. `Misfit` for anything else."""
    try:
        return _object(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Misfit("no object") from None


def items_of(raw: Raw) -> list[msgspec.Raw] | None:
    """The items of an array; None for anything else."""
    try:
        return _list(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def hollow(before: Any, numbered: bool) -> Any:
    """A cell of which a document shows nothing, as it was: an empty list, a struct of nulls, a number that is none.

    Null for a cell with a value in it; the number of an element, where elements are `numbered`, is none.
    """
    if isinstance(before, float):
        return before if not math.isfinite(before) else None
    if isinstance(before, dict):
        kept = {name: value if numbered and name == FID else hollow(value, numbered) for name, value in before.items()}
        same = all(value is None or kept[name] is not None for name, value in before.items())
        return kept if same else None
    if isinstance(before, list):
        items = [hollow(value, numbered) for value in before]
        same = all(value is None or item is not None for value, item in zip(before, items, strict=True))
        return items if same else None
    return None


def merged_text(rest: Fields, before: Any) -> str | None:
    """A cell of the properties that have no other, as it was spelled where they are as they were."""
    if not rest:
        return None
    said = before.decode("utf-8", "replace") if isinstance(before, bytes) else before
    try:
        return said if isinstance(said, str) and fields_of(said.encode()) == rest else _encode(rest).decode()
    except Misfit:
        return _encode(rest).decode()


@functools.cache
def _field_types(type_: pa.DataType) -> dict[str, pa.DataType]:
    return {one.name: one.type for one in type_}


@dataclass(slots=True)
class Cells:
    """Makes cells. numbered: whether the table keeps extensions apart, by numbers of elements.

    misfits: values that no column took, by FHIR path; never a value. called: what the row's resource was called before
    and is called now, for columns that repeat it; set it before each row.
    """

    numbered: bool = False
    misfits: Counter[str] = field(default_factory=Counter)
    called: Mapping[str, str] = field(default_factory=dict)
    _plans: dict[int, _Plan] = field(default_factory=dict)

    def cell(self, value: Value, type_: pa.DataType, raw: Raw | None, before: Any, path: str) -> Any:
        """One cell, for `pa.array`. raw: its JSON, None for nothing. before: what the source has there, as Python has it."""
        if raw is None or bytes(raw) == b"null":
            return hollow(before, self.numbered)
        try:
            return self._filled(value, type_, bytes(raw), before, path)
        except Misfit:
            self.misfits[path] += 1
            return None

    def _filled(self, value: Value, type_: pa.DataType, raw: bytes, before: Any, path: str) -> Any:
        match value:
            case Leaf():
                if value.json and is_text(type_):
                    return reader_of(type_, "")(raw)
                return reader_of(type_, value.type)(raw)
            case Single():
                return self._single(value, type_, raw, before, path)
            case Array():
                items = items_of(raw)
                if items is None:
                    raise Misfit("no array")
                old = before if isinstance(before, list) else []
                return [
                    self.cell(value.item, type_.value_type, item, old[at] if at < len(old) else None, path)
                    for at, item in enumerate(items)
                ]
            case Object():
                made = self.struct(value, type_, fields_of(raw), before, path)
                # Of what only has values without a column, nothing is there, as before.
                return None if before is None and all(one is None for one in made.values()) else made
            case Entries():
                raise Misfit("R4 has no maps")
        raise Misfit("nothing is written to such a column")

    def _single(self, value: Single, type_: pa.DataType, raw: bytes, before: Any, path: str) -> Any:
        """The only item of an array; of several, the text that is the array where the column holds texts."""
        items = items_of(raw)
        if items is None:
            raise Misfit("no array")
        said = before.decode("utf-8", "replace") if isinstance(before, bytes) else before
        was_array = isinstance(said, str) and said.lstrip()[:1] == "[" and items_of(said.encode()) is not None
        if is_text(type_) and (was_array or len(items) > 1):
            return reader_of(type_, "")(raw)
        if len(items) > 1:
            self.misfits[path] += len(items) - 1
        return self.cell(value.item, type_, items[0], before, path) if items else None

    def struct(self, value: Object, type_: pa.DataType, fields: Fields, before: Any, path: str) -> dict[str, Any]:
        """The fields of a struct; those that are not in it are null."""
        old = before if isinstance(before, dict) else {}
        types, plan = _field_types(type_), self._plan(value)
        made: dict[str, Any] = {}
        rest: dict[str, Raw] = {}
        for name, raw in fields.items():
            parts = plan.parts.get(name)
            if parts is None:
                if not (plan.fid and self.numbered and name == EXTENSION_NAME):  # which has a place of its own
                    self._lost(rest, name, raw, plan, path)
                continue
            for part, choice in parts:
                cells = self._part(part, choice, types, fields, old, made, path)
                if plan.merged and cells.get(part.field) is None and bytes(raw) != b"null":
                    rest[name] = raw
        for name, said in old.items():
            if said is not None and name in plan.fields and name not in made:
                made[name] = hollow(said, self.numbered and name not in plan.unknown)
        if plan.fid and self.numbered:
            made[FID] = old.get(FID)
        if plan.merged:
            made[plan.merged] = merged_text(rest, old.get(plan.merged))
        self._repeated(made, plan, old)
        return made

    def _part(
        self,
        part: Member,
        choice: str,
        types: Mapping[str, pa.DataType],
        fields: Fields,
        old: Mapping[str, Any],
        made: dict[str, Any],
        path: str,
    ) -> dict[str, Any]:
        """Put the cell of a property where it belongs: into the struct, or into that of its choice; the cells around it."""
        if not choice:
            made |= self.member(part, types, fields, old, path)
            return made
        inner: dict[str, Any] = made.setdefault(choice, {})
        before = old.get(choice)
        inner |= self.member(
            part, _field_types(types[choice]), fields, before if isinstance(before, dict) else {}, path
        )
        return inner

    def _lost(self, rest: dict[str, Raw], name: str, raw: Raw, plan: _Plan, path: str) -> None:
        """A property that has no column of its own: for the column of such, if there is one."""
        if plan.merged:
            rest[name] = raw
        else:
            self.misfits[f"{path}.{name}"] += 1

    def _plan(self, value: Object) -> _Plan:
        """What is where in a struct; kept, for objects are the same from row to row."""
        known = self._plans.get(id(value))
        if known is None or known.value is not value:
            known = self._plans[id(value)] = _Plan.of(value)
        return known

    def member(
        self, part: Member, types: Mapping[str, pa.DataType], fields: Fields, old: Mapping[str, Any], path: str
    ) -> dict[str, Any]:
        """The field of one property, with the one that tells its places."""
        raw = fields.get(part.name)
        before = old.get(part.field)
        if not part.known and raw is None:  # of which no document tells, of its numbers neither
            return {part.field: hollow(before, numbered=False)}
        made = {part.field: self.cell(part.value, types[part.field], raw, before, f"{path}.{part.name}")}
        if part.scale:
            made[part.scale] = _places(made[part.field], raw, before, old.get(part.scale))
        return made

    def choice(self, part: Choice, type_: pa.DataType, fields: Fields, before: Any, path: str) -> Any:
        """A struct with a field for each type of a choice; null where none is there."""
        if not any(member.name in fields for member in part.members):
            return hollow(before, self.numbered)
        old = before if isinstance(before, dict) else {}
        made: dict[str, Any] = {}
        for member in part.members:
            made |= self.member(member, _field_types(type_), fields, old, path)
        return made

    def _repeated(self, made: dict[str, Any], plan: _Plan, old: Mapping[str, Any]) -> None:
        """Columns that only repeat others: names of the resource, and what follows from a quantity that is as it was."""
        for name, said in old.items():
            if said is None or name in plan.fields:
                continue
            if name.endswith(VERSIONED) and isinstance(said, str):
                made[name] = self.called.get(said)
            elif (
                _is_canonical(name, said)
                and isinstance(made.get("value"), Decimal)
                and all(old.get(one) == made.get(one) for one in ("value", "code", "unit", "system", "comparator"))
            ):
                made[name] = said


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is where in a struct. parts: of each property its members, each with the field of its choice, or "".

    fields: those of members, choices and scales; unknown: of these, those that are no element of R4. merged: the one of
    properties that have no other, or "".
    """

    value: Object
    parts: Mapping[str, tuple[tuple[Member, str], ...]]
    fields: frozenset[str]
    unknown: frozenset[str]
    merged: str
    fid: bool

    @classmethod
    def of(cls, value: Object) -> _Plan:
        """Of an object."""
        parts: dict[str, tuple[tuple[Member, str], ...]] = {}
        fields: set[str] = set()
        merged = ""
        for part in value.members:
            fields.add(part.field)
            if isinstance(part, Merged):
                merged = part.field
                continue
            for member in (part,) if isinstance(part, Member) else part.members:
                parts[member.name] = (*parts.get(member.name, ()), (member, "" if part is member else part.field))
                if member.scale and part is member:
                    fields.add(member.scale)
        unknown = {part.field for part in value.members if isinstance(part, Member) and not part.known}
        return cls(value, parts, frozenset(fields), frozenset(unknown), merged, bool(value.fid))


def _is_canonical(name: str, said: Any) -> bool:
    """Whether a field is one of Pathling's canonical ones, with a value such as these have: a number, a code of UCUM's."""
    if name == _CANONICAL_CODE:
        return isinstance(said, str) and _UCUM.fullmatch(said) is not None
    parts = said.values() if isinstance(said, dict) else (said,)
    return name == _CANONICAL_VALUE and all(one is None or isinstance(one, Decimal | int) for one in parts)


def _places(made: Any, raw: Raw | None, before: Any, scale: Any) -> Any:
    """How many places a decimal is spelled with; as the source says where the number is the same."""
    if raw is None or made is None:
        return None
    if isinstance(before, Decimal) and before == made:
        return scale
    return max(0, -int(Decimal(text_of(bytes(raw))).as_tuple().exponent))
