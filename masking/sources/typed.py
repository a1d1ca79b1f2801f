"""Rows of a table in FHIR's shape as JSON documents: structs become objects, lists arrays, and null is absent.

A column is the element of its name, in whatever case; a choice may be a column a type (`valueQuantity`) or a struct of
types (`value.quantity`). What R4 does not know keeps its name and becomes an element that R4 does not know, which a
policy redacts. Everything is done a column at a time; nothing is done a row at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from masking.sources.extensions import FID, Extensions, entries_of
from masking.sources.leaves import around, is_text, item_texts, json_texts, leaf_texts, plain_texts, scaled
from masking.sources.names import Known, Names, names_of
from masking.tables.schema import OTHER

Rows = Any  # numpy's numbers of the rows that values are of


class Value(Protocol):
    """Makes JSON texts of an array, null where there is nothing to tell."""

    def texts(self, array: pa.Array, rows: Rows, extensions: Extensions | None) -> pa.StringArray:
        """As many texts as the array has values."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A primitive of a type of FHIR's, "" for none that is known; `json`: FHIR has no primitive there."""

    type: str
    json: bool = False

    def texts(self, array: pa.Array, rows: Rows, extensions: Extensions | None) -> pa.StringArray:
        """See `Value`."""
        return json_texts(array) if self.json and is_text(array.type) else leaf_texts(array, self.type)


@dataclass(frozen=True, slots=True)
class Single:
    """One value where FHIR has an array."""

    item: Value

    def texts(self, array: pa.Array, rows: Rows, extensions: Extensions | None) -> pa.StringArray:
        """See `Value`."""
        return item_texts(array, lambda one: self.item.texts(one, rows, extensions))


@dataclass(frozen=True, slots=True)
class Array:
    """A list. Null items stay where others stand beside them: FHIR counts them (`given` beside `_given`)."""

    item: Value

    def texts(self, array: pa.Array, rows: Rows, extensions: Extensions | None) -> pa.StringArray:
        """See `Value`."""
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        return self.joined(array.flatten(), lengths, rows, extensions)

    def joined(self, items: pa.Array, lengths: Any, rows: Rows, extensions: Extensions | None) -> pa.StringArray:
        """The texts of lists of so many items each."""
        found = self.item.texts(items, np.repeat(rows, lengths), extensions)
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        there = np.zeros(len(found) + 1, np.int64)
        np.cumsum(found.is_valid().to_numpy(zero_copy_only=False), out=there[1:])
        filled = found.fill_null("null") if found.null_count else found
        lists = pa.LargeListArray.from_arrays(pa.array(offsets), filled)
        texts = around("[", pc.binary_join(lists, ","), "]")
        empty = there[offsets[1:]] == there[offsets[:-1]]
        return pc.if_else(pa.array(empty), pa.scalar(None, pa.string()), texts).cast(pa.string())


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a struct and the property that it is. scale: the field that says how many places a decimal had.

    known: whether R4 knows the property.
    """

    field: str
    name: str
    value: Value
    scale: str = ""
    known: bool = True

    def parts(self, fields: Mapping[str, pa.Array], rows: Rows, extensions: Extensions | None) -> Iterator[Any]:
        """The property's text with its name, null where it is absent."""
        array = fields[self.field]
        if array.null_count == len(array):
            return
        found = scaled(array, fields[self.scale]) if self.scale else self.value.texts(array, rows, extensions)
        if found.null_count < len(found):
            yield around(f'"{self.name}":', found)


@dataclass(frozen=True, slots=True)
class Choice:
    """A struct with a field a type, whose properties are those of the object around it."""

    field: str
    members: tuple[Member, ...]

    def parts(self, fields: Mapping[str, pa.Array], rows: Rows, extensions: Extensions | None) -> Iterator[Any]:
        """See `Member`."""
        inner = inside(fields[self.field])
        for member in self.members:
            yield from member.parts(inner, rows, extensions)


@dataclass(frozen=True, slots=True)
class Merged:
    """A column of objects as JSON whose properties are those of the object around it."""

    field: str

    def parts(self, fields: Mapping[str, pa.Array], rows: Rows, extensions: Extensions | None) -> Iterator[Any]:
        """See `Member`."""
        array = fields[self.field]
        if array.null_count < len(array):
            bare = pc.replace_substring_regex(plain_texts(array), r"^\s*\{\s*((?s:.*?))\s*\}\s*$", r"\1")
            yield pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)


Part = Member | Choice | Merged


@dataclass(frozen=True, slots=True)
class Object:
    """A struct. fid: the field by which its extensions are found, "" for none."""

    members: tuple[Part, ...]
    fid: str = ""

    def texts(self, array: pa.Array, rows: Rows, extensions: Extensions | None) -> pa.StringArray:
        """See `Value`."""
        bare = self.bare(inside(array), rows, extensions, len(array))
        return around("", pc.binary_replace_slice(bare, 0, 1, "{"), "}")

    def bare(
        self, fields: Mapping[str, pa.Array], rows: Rows, extensions: Extensions | None, count: int
    ) -> pa.StringArray:
        """The properties, a comma before each, without the braces around them; null where there is none."""
        parts = [part for member in self.members for part in member.parts(fields, rows, extensions)]
        if self.fid and extensions is not None:
            parts.append(around('"extension":', extensions.of(rows, fields[self.fid])))
        if not parts:
            return pa.nulls(count, pa.string())
        # Something has to be there in each row: Arrow leaves out a row whose parts are all null.
        joined = pc.binary_join_element_wise("", *parts, ",", null_handling="skip")
        return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)


def inside(array: pa.Array) -> dict[str, pa.Array]:
    """The fields of a struct. They are null where the struct is, for Parquet has no values without it."""
    return {one.name: array.field(number) for number, one in enumerate(array.type)}


def object_of(fields: Sequence[pa.Field], content: str | None, dropped: frozenset[str] = frozenset()) -> Object:
    """How to make an object of a struct; `content` names what R4 knows of it, None for nothing."""
    names = names_of(content)
    present = {field.name: field for field in fields}
    members: list[Part] = []
    for field in fields:
        if field.name in dropped or field.name == FID or _is_beside(field.name, present):
            continue
        if field.name == OTHER and is_text(field.type):
            members.append(Merged(field.name))
        elif pa.types.is_struct(field.type) and (choice := _choice(field, names)):
            members.append(choice)
        else:
            members.append(_member(field, names, present))
    return Object(tuple(members), FID if FID in present else "")


def _is_beside(name: str, present: Mapping[str, pa.Field]) -> bool:
    """Whether a column only helps with another one, as Pathling's do."""
    stem, _, last = name.rpartition("_")
    if last == "canonicalized":
        return True
    return stem in present and (last == "versioned" or (last == "scale" and pa.types.is_decimal(present[stem].type)))


def _member(field: pa.Field, names: Names, present: Mapping[str, pa.Field]) -> Member:
    element = names.find(field.name)
    scale = f"{field.name}_scale"
    helps = pa.types.is_decimal(field.type) and scale in present and pa.types.is_integer(present[scale].type)
    name = field.name if element is None else element.name
    return Member(field.name, name, value_of(field.type, element), scale if helps else "", element is not None)


def _choice(field: pa.Field, names: Names) -> Choice | None:
    """The choice that a struct is, by the stem of its name and the types that its fields are named for."""
    if names.find(field.name) is not None:
        return None
    found = [(inner, names.of_choice(field.name, inner.name)) for inner in field.type]
    known = [(inner, element) for inner, element in found if element is not None]
    if not known:
        return None
    members = [Member(inner.name, element.name, value_of(inner.type, element)) for inner, element in known]
    members += [
        Member(inner.name, f"{field.name}.{inner.name}", value_of(inner.type, None), known=False)
        for inner, element in found
        if element is None and inner.name != FID
    ]
    return Choice(field.name, tuple(members))


def value_of(type_: pa.DataType, element: Known | None) -> Value:
    """How to make JSON of a column; element: what R4 knows of it."""
    single = _single(type_, element)
    listed = pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_)
    wrap = element is not None and element.is_array and not listed and not pa.types.is_map(type_)
    return Single(single) if wrap and not _is_json(type_, element) else single


def _is_json(type_: pa.DataType, element: Known | None) -> bool:
    return element is not None and not element.is_primitive and is_text(type_)


def _single(type_: pa.DataType, element: Known | None) -> Value:
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return Array(_single(type_.value_type, element))
    if pa.types.is_map(type_):
        return Entries(_single(type_.item_type, None))
    if pa.types.is_struct(type_):
        return object_of(list(type_), element.content if element else None)
    if element is None:
        return Leaf("")
    return Leaf(element.type) if element.is_primitive else Leaf("", json=True)


@dataclass(frozen=True, slots=True)
class Entries:
    """A map as an object. R4 has no such thing: it is an element that R4 does not know."""

    value: Value

    def texts(self, array: pa.Array, rows: Rows, extensions: Extensions | None) -> pa.StringArray:
        """See `Value`."""
        keys, items, lengths = entries_of(array)
        values = self.value.texts(items, np.repeat(rows, lengths), extensions).fill_null("null")
        names = leaf_texts(plain_texts(keys) if is_text(keys.type) else keys.cast(pa.string()), "")
        entries = pc.binary_join_element_wise(names, values, ":")
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        joined = pc.binary_join(pa.LargeListArray.from_arrays(pa.array(offsets), entries), ",").cast(pa.string())
        return pc.if_else(pa.array(lengths == 0), pa.scalar(None, pa.string()), around("{", joined, "}"))
