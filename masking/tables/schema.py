"""Which columns the table of a resource type has: made from R4's element table alone, so the same in every run.

Names and nesting are FHIR's. A choice is one column a type (`valueQuantity`, `valueString`). Dates stay FHIR's text,
decimals are doubles, integers are 32 bits wide. Three things have no columns of their own kind and are JSON text: what
may hold anything (`extension`, `contained`, resources within resources, the complex types of an open choice), and what
recurs (`Questionnaire.item.item`, the `assigner` of the `identifier` of a Reference).

Every object has one more column, `other_json`: an object with those of its properties that have no column (ids of
elements, companions of primitives such as `_birthDate`) or do not fit theirs. So no property is lost.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass

import pyarrow as pa  # type: ignore[import-untyped]

from masking.fhir.elements import Element, children, choices, json_kind, resource_types
from masking.tables.main_dates import is_day, main_date_paths

#: An underscore is in no FHIR name, so none of these meets an element.
OTHER, PATIENT_ID, MAIN_DATE, MAIN_YEAR = "other_json", "patient_id", "main_date", "main_year"
RESOURCE_TYPE, RESOURCE = "resourceType", "resource_json"

#: A choice of more types than this is open (`value[x]` of any type); no other choice of R4 has as many.
_OPEN_CHOICE = 20
_NEVER_TYPED = frozenset({"extension", "modifierExtension", "contained"})
_OTHER_TEXT = "JSON object of the properties that have no column here, or do not fit theirs"


class Kind(enum.IntEnum):
    """What a column, or the items of a column that is a list, hold."""

    STRUCT = 0
    TEXT = 1
    BOOLEAN = 2
    INTEGER = 3
    DECIMAL = 4
    JSON = 5  # the text of any JSON value
    OTHER = 6  # the JSON object of what has no column


@dataclass(frozen=True, slots=True)
class Column:
    """A column or the field of a struct. `type` is FHIR's type code, "" where the column is ours."""

    name: str
    path: str
    kind: Kind
    is_list: bool
    type: str
    comment: str
    fields: tuple[Column, ...] = ()

    @property
    def arrow(self) -> pa.Field:
        """The column as Arrow has it; every field may be null, and bears its comment as metadata."""
        item = self.item
        type_ = pa.list_(pa.field("element", item)) if self.is_list else item
        return pa.field(self.name, type_, metadata={"comment": self.comment} if self.comment else None)

    @property
    def item(self) -> pa.DataType:
        """The Arrow type of the column's values, or of its items where it is a list."""
        if self.kind is Kind.STRUCT:
            return pa.struct([field.arrow for field in self.fields])
        return _ARROW[self.kind]


_ARROW = {
    Kind.TEXT: pa.string(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.INTEGER: pa.int32(),
    Kind.DECIMAL: pa.float64(),
    Kind.JSON: pa.string(),
    Kind.OTHER: pa.string(),
}


@functools.cache
def columns(resource_type: str) -> tuple[Column, ...]:
    """The columns that hold a resource's own properties, in HL7's order, `other_json` last. KeyError for no R4 type."""
    if resource_type not in resource_types():
        raise KeyError(resource_type)
    return _fields(resource_type, resource_type, (resource_type,))


def _fields(content: str, path: str, opened: tuple[str, ...]) -> tuple[Column, ...]:
    """The fields of a struct. Ids of elements are hardly ever there and have no column: they are in `other_json`."""
    found = [
        _column(content, child, f"{path}.{child.name}", opened)
        for child in children(content).values()
        if len(opened) == 1 or child.name != "id"
    ]
    return (*found, Column(OTHER, f"{path}.{OTHER}", Kind.OTHER, False, "", _OTHER_TEXT))


def _column(content: str, child: Element, path: str, opened: tuple[str, ...]) -> Column:
    if child.is_primitive:
        kind = _PRIMITIVES.get(child.type, Kind.TEXT)
        return Column(child.name, path, kind, child.is_array, child.type, child.short)
    inner = child.content or ""
    is_open = child.choice is not None and len(choices(content, child.choice)) > _OPEN_CHOICE
    if child.name in _NEVER_TYPED or inner == "Resource" or inner in opened or is_open:
        return Column(child.name, path, Kind.JSON, False, child.type, child.short)
    fields = _fields(inner, path, (*opened, inner))
    return Column(child.name, path, Kind.STRUCT, child.is_array, child.type, child.short, fields)


_PRIMITIVES = {
    name: {"boolean": Kind.BOOLEAN, "number": Kind.DECIMAL if name == "decimal" else Kind.INTEGER}[json_kind(name)]
    for name in ("boolean", "decimal", "integer", "unsignedInt", "positiveInt")
}


@functools.cache
def derived(resource_type: str) -> tuple[pa.Field, ...]:
    """The columns that no element is: `patient_id`, `main_date` (a day or a moment in UTC), `main_year`."""
    date = pa.date32() if is_day(resource_type) else pa.timestamp("us", tz="UTC")
    paths = " or ".join(f"{resource_type}.{path}" for path in main_date_paths(resource_type)) or "nothing in this type"
    return (
        pa.field(PATIENT_ID, pa.string(), metadata={"comment": "Id of the Patient whose resource it is"}),
        pa.field(MAIN_DATE, date, metadata={"comment": f"First that is there of {paths}"}),
        pa.field(MAIN_YEAR, pa.int32(), metadata={"comment": f"Year of {MAIN_DATE}"}),
    )


@functools.cache
def arrow_schema(resource_type: str, *, resource: bool = False) -> pa.Schema:
    """A table's schema: derived columns, `resourceType`, the resource's own columns; `resource_json` if asked for."""
    return pa.schema(
        [
            *derived(resource_type),
            pa.field(RESOURCE_TYPE, pa.string(), metadata={"comment": "The type of the resource"}),
            *(column.arrow for column in columns(resource_type)),
            *([_WHOLE] if resource else []),
        ]
    )


_WHOLE = pa.field(RESOURCE, pa.string(), metadata={"comment": "The whole masked resource as JSON"})
