"""Who took part in a patient's care, as resources of the chart say: visits and teams, and whoever performed, asked for or wrote.

Which elements say it is taken from the element table, so that no type of the patient compartment is forgotten.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import GenericAlias
from typing import Any

import msgspec

from masking.fhir.compartment import says_whose, subject_paths
from masking.fhir.elements import element, resource_types, walk
from masking.identity.facts import Facts, Met, first_met
from masking.identity.names import TYPES, split
from masking.identity.records import LONGEST, items_at, met_at

#: What says best who cares for a patient: those whom these name are bounded apart from all others.
_CARE = ("Encounter", "EpisodeOfCare", "CareTeam")
#: Whom these name never was with the patient: who pays, who makes vaccines, who publishes schedules.
_AFAR = frozenset({"insurer", "payor", "manufacturer", "authority", "issuer", "assigner", "domain", "publisher"})
#: It has a name that is no HumanName and no Reference.
_HISTORY, _RELATIVE = "FamilyMemberHistory", "RelatedPerson/"
_TAKES_PART = frozenset(TYPES) - {"Patient", "Endpoint"}
#: So many that were told of, and References, are kept in mind (some 40 MB each); then it starts anew.
_TOLD, _REFERENCES = 200_000, 50_000
_NOTHING = msgspec.Raw(b"null")
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


@functools.cache
def charts() -> frozenset[str]:
    """The types of the chart that say who took part in the care, but those that are records of people or places."""
    return frozenset(name for name in resource_types() if name not in TYPES and _whose(name) and _said(name))


def _whose(resource_type: str) -> str:
    """The element that says whose a resource is; empty where none does without a doubt."""
    paths = subject_paths(resource_type)
    return next((path for path in paths if "." not in path and says_whose(resource_type, path)), "")


@functools.cache
def _said(resource_type: str) -> tuple[str, ...]:
    """The paths of References to those who took part, and of what else names somebody."""
    own = f"{resource_type}."
    paths = (
        path.removeprefix(own)
        for path, element in walk(resource_type)
        if element.type == "Reference" and _TAKES_PART & set(element.targets)
    )
    whose = set(subject_paths(resource_type)[:1])
    found = (path for path in paths if path not in whose and path.rpartition(".")[2] not in _AFAR)
    return (*found, *(("name",) if resource_type == _HISTORY else ()))


class Charts:
    """Reads resources of `charts()`. What was said once of a patient is not told again: most of a chart says the same."""

    def __init__(self) -> None:
        self._told: dict[str, set[Met]] = {}
        self._count = 0
        self._read: dict[tuple[bytes, int], tuple[Met, ...]] = {}
        self._last: list[tuple[set[Met], list[Met]]] = []

    def begin(self) -> None:
        """A document begins."""
        self._last.clear()

    def undo(self) -> None:
        """What was told of this document is not taken: it will be told again."""
        for told, met in self._last:
            told.difference_update(met)

    def read(self, resource_type: str, text: bytes | msgspec.Raw, own_id: msgspec.Raw) -> Iterator[Facts]:
        """A note about the patient: those whom the resource is the first to name; nothing where it names no patient."""
        rank = 0 if resource_type in _CARE else 1
        whose, *others = _parts(resource_type, text)
        whom, key = split(next((one.who for one in self._met(whose, own_id, 0)), ""))
        if not key or whom not in ("", "Patient"):
            return
        if self._count >= _TOLD:
            self._told.clear()
            self._count = 0
        told = self._told.setdefault(key, set())
        found = (one for part in others for one in self._met(part, own_id, rank) if one not in told)
        new = [one for one in found if one.who not in (f"/{key}", f"Patient/{key}")]
        if new:
            told.update(new)
            self._count += len(new)
            self._last.append((told, new))
            yield Facts("", key, met=first_met(new) if len(new) > 1 else tuple(new))

    def _met(self, part: msgspec.Raw, own_id: msgspec.Raw, rank: int) -> tuple[Met, ...]:
        """Those whom a Reference, or an array of some, names."""
        spelled = bytes(part)
        if b'"#' in spelled:  # what a resource contains is named by the resource
            return _met_in(spelled, _any(own_id), rank)
        met = self._read.get((spelled, rank))
        if met is None:
            if len(self._read) >= _REFERENCES:
                self._read.clear()
            met = self._read[spelled, rank] = _met_in(spelled, None, rank)
        return met


def _met_in(spelled: bytes, own_id: Any, rank: int) -> tuple[Met, ...]:
    value = _any(spelled)
    if isinstance(value, str):
        return (Met(_RELATIVE, value, rank),) if 0 < len(value) <= LONGEST else ()
    return tuple(met_at({"": value}, "", own_id if isinstance(own_id, str) else "", rank))


def _parts(resource_type: str, text: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    """What says whose a resource is, then whatever names somebody, each as it is spelled."""
    decode, tree = _reader(resource_type)
    parts: list[msgspec.Raw] = []
    try:
        _collect(decode(text), tree, parts)
    except msgspec.ValidationError:  # something is not of the shape that FHIR says
        record, paths = _any(text), (_whose(resource_type), *_said(resource_type))
        whose, *others = ([msgspec.Raw(_encode(item)) for item in items_at(record, path)] for path in paths)
        parts = [*(whose[:1] or [_NOTHING]), *(item for found in others for item in found)]
    return parts


#: Fields of a struct, with what is below them.
_Tree = list[tuple[str, Any]]


def _collect(struct: Any, tree: _Tree, parts: list[msgspec.Raw]) -> None:
    for field, below in tree:
        value = getattr(struct, field)
        if not below:
            parts.append(value)
        elif type(value) is list:
            for item in value:
                _collect(item, below, parts)
        elif value is not None:
            _collect(value, below, parts)


@functools.cache
def _reader(resource_type: str) -> tuple[Callable[[bytes | msgspec.Raw], Any], _Tree]:
    """What decodes only the elements that are asked for, and the fields of what it makes."""
    steps: dict[str, Any] = {}
    for path in (_whose(resource_type), *_said(resource_type)):
        here = steps
        for name in path.split("."):
            here = here.setdefault(name, {})
    struct, tree = _shape(resource_type, steps)
    return msgspec.json.Decoder(struct).decode, tree


def _shape(path: str, steps: dict[str, Any]) -> tuple[Any, _Tree]:
    """A struct with these elements, References as they are spelled."""
    fields: list[tuple[str, Any, Any]] = []
    tree: _Tree = []
    for at, (name, below) in enumerate(steps.items()):
        field = f"f{at}"  # Python has a word of its own for `Task.for`
        if below:
            inner_shape, inner = _shape(f"{path}.{name}", below)
            shape: Any = GenericAlias(list, inner_shape) if element(f"{path}.{name}").is_array else inner_shape
            fields.append((field, shape | None, None))
        else:
            inner = []
            fields.append((field, msgspec.Raw, _NOTHING))
        tree.append((field, inner))
    rename = {f"f{at}": name for at, name in enumerate(steps)}
    return msgspec.defstruct("_Chart", fields, rename=rename, gc=False), tree
