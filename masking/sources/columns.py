"""Which column of a table holds whole resources as JSON text, and which says their type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking.fhir.elements import resource_types
from masking.sources.content import Unsupported
from masking.sources.leaves import is_text

#: Names of such columns, the likeliest first; a column of another name is found by its values.
USUAL = ("resource_json", "resource", "json", "value", "content", "body", "data", "raw", "document", "payload")
#: Names of columns that say the type, in small letters; the last means something else in many tables.
TYPE_NAMES = ("resourcetype", "resource_type", "fhir_type", "type")


class _Header(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 (FHIR's name)


_header = msgspec.json.Decoder(_Header).decode


@dataclass(frozen=True, slots=True)
class JsonColumns:
    """The columns of a table of JSON documents. type: the column that names each document's type, "" if none does."""

    json: str
    type: str


def texts(schema: pa.Schema) -> list[str]:
    """The columns that may hold texts."""
    return [field.name for field in schema if is_text(field.type)]


def find_columns(sample: Mapping[str, Sequence[bytes]], wanted: str) -> JsonColumns | None:
    """The columns of a table by some values of its text columns, nulls left out; None if no column holds resources.

    wanted: the JSON column as it was named by whoever knows, "" to find it. `Unsupported` where that one is not there.
    """
    if wanted and wanted not in sample:
        raise Unsupported("it has no column of texts with the name that --json-column gives")
    json = wanted or max(_order(sample), key=lambda name: _hits(sample[name]), default="")
    if not json or not (wanted or _hits(sample[json])):
        return None
    types = {type_of(value) for value in sample[json]}
    return JsonColumns(json, next((name for name in _type_columns(sample) if _is_type(name, sample, types)), ""))


def type_of(document: bytes) -> str:
    """The type that a document names; "" where it is no resource."""
    try:
        return _header(document).resourceType
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _order(names: Iterable[str]) -> list[str]:
    """Usual names first: of columns that hold as many resources, the first is taken."""
    rank = {name: number for number, name in enumerate(USUAL)}
    return sorted(names, key=lambda name: rank.get(name.lower(), len(rank)))


def _hits(values: Sequence[bytes]) -> int:
    return sum(value.lstrip()[:1] == b"{" and type_of(value) != "" for value in values)


def _type_columns(names: Iterable[str]) -> list[str]:
    known = {name: number for number, name in enumerate(TYPE_NAMES)}
    return sorted((name for name in names if name.lower() in known), key=lambda name: known[name.lower()])


def _is_type(name: str, sample: Mapping[str, Sequence[bytes]], met: set[str]) -> bool:
    """Whether a column names types of resources; one that is called `type` alone must agree with what was met."""
    values = {value.decode("utf-8", "replace") for value in sample[name]}
    if not values or not values <= _folded_types() | resource_types():
        return False
    return name.lower() != "type" or bool({value.lower() for value in values} & {value.lower() for value in met})


def _folded_types() -> set[str]:
    return {name.lower() for name in resource_types()}
