"""What names of columns mean in FHIR: elements in any case, the types of a choice, and the type of a table."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from masking.fhir.elements import children, companion, contents, resource_types
from masking.tables.schema import MAIN_DATE, MAIN_YEAR, PATIENT_ID, RESOURCE_TYPE

#: Columns that this job's tables have beside a resource's own.
DERIVED = frozenset({PATIENT_ID, MAIN_DATE, MAIN_YEAR})
#: A table has so many elements of a type at least, if the type is to be told by them.
_LEAST = 3
_WORD = re.compile(r"[A-Za-z]+")
_PARTITION = re.compile(r"(?:resource_?type|fhir_?type|type)=([A-Za-z]+)", re.IGNORECASE)


class Known(NamedTuple):
    """What R4 knows of a property. content: what it knows of an object there; None for primitives."""

    name: str
    type: str
    content: str | None
    is_array: bool
    is_primitive: bool
    choice: str


@dataclass(frozen=True, slots=True)
class Names:
    """The properties of an object by the names that columns may have, whatever their case; None for an unknown object."""

    content: str | None

    def find(self, name: str) -> Known | None:
        """The property that a column is, a primitive's companion (`_birthDate`) too; None for none."""
        return _known(self.content).get(name.lower())

    def of_choice(self, stem: str, type_: str) -> Known | None:
        """The property of a choice for a type: `value`, `quantity` → valueQuantity."""
        found = self.find(stem + type_)
        return found if found is not None and found.choice.lower() == f"{stem}[x]".lower() else None


def names_of(content: str | None) -> Names:
    """The names of an object that R4 knows under that key; of any other, and of resources within resources, none."""
    return Names(content if content in _contents() else None)


@functools.cache
def _contents() -> frozenset[str]:
    return frozenset(contents()) - {"Resource"}


@functools.cache
def _known(content: str | None) -> dict[str, Known]:
    found: dict[str, Known] = {}
    for name, child in children(content).items() if content is not None else ():
        kind = child.type, child.content, child.is_array, child.is_primitive
        found[name.lower()] = Known(name, *kind, child.choice or "")
        if child.is_primitive:
            beside = companion(name)
            found[beside.lower()] = Known(beside, "Element", "Element", child.is_array, False, "")
    return found


def types_of_path(path: str) -> Iterator[str]:
    """The resource types that a file's name and those of its folders tell, the nearest to the file first.

    `…/patient/part-0.parquet`, `…/Patient.parquet/…`, `…/resource_type=Patient/…`, `Patient-00000.parquet`.
    """
    known = {name.lower(): name for name in resource_types()}
    for part in reversed(path.split("/")):
        said = _PARTITION.fullmatch(part)
        words = [said[1]] if said else [] if "=" in part else _WORD.findall(part)
        yield from (known[word.lower()] for word in words if word.lower() in known)


def type_of_shape(columns: Iterable[str]) -> str:
    """The resource type whose elements the columns are; "" if there is none, or several that fit as well."""
    present = {name.lower() for name in columns}
    scores = {name: len(present & _stems(name)) for name in resource_types()}
    best = max(scores.values())
    found = [name for name, score in scores.items() if score == best]
    return found[0] if len(found) == 1 and best >= _LEAST else ""


def fits(columns: Iterable[str], resource_type: str) -> bool:
    """Whether columns are mostly a type's elements, or are so few that its id alone tells."""
    present = {name.lower() for name in columns if not name.startswith("_")}
    present -= {RESOURCE_TYPE.lower(), *(name.lower() for name in DERIVED)}
    known = present & _stems(resource_type)
    return "id" in known and 2 * len(known) >= len(present)


@functools.cache
def _stems(resource_type: str) -> frozenset[str]:
    """Names of a type's elements in small letters, and the stems of its choices."""
    found = _known(resource_type)
    return frozenset(found) | {one.choice[:-3].lower() for one in found.values() if one.choice}
