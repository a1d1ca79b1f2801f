"""Who took part in a patient's care, as resources of the chart say: visits and teams, and whoever performed, asked for or wrote.

Which elements say it is taken from the element table, so that no type of the patient compartment is forgotten.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from masking.fhir.compartment import says_whose, subject_paths
from masking.fhir.elements import element, resource_types, walk
from masking.identity.facts import Facts, Met, first_met
from masking.identity.names import TYPES, split
from masking.identity.records import LONGEST, met_at, named_at

#: What says best who cares for a patient: those whom these name come before others, where there are too many.
_CARE = ("Encounter", "EpisodeOfCare", "CareTeam")
#: Whom these name never was with the patient: who pays, who makes vaccines, who publishes schedules.
_AFAR = frozenset({"insurer", "payor", "manufacturer", "authority", "issuer", "assigner", "domain", "publisher"})
#: It has a name that is no HumanName and no Reference.
_HISTORY = "FamilyMemberHistory"
_TAKES_PART = frozenset(TYPES) - {"Patient", "Endpoint"}
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
    """The paths of References to those who took part."""
    own = f"{resource_type}."
    paths = (
        path.removeprefix(own)
        for path, element in walk(resource_type)
        if element.type == "Reference" and _TAKES_PART & set(element.targets)
    )
    whose = set(subject_paths(resource_type)[:1])
    return tuple(path for path in paths if path not in whose and path.rpartition(".")[2] not in _AFAR)


class Charts:
    """Reads resources of `charts()`. What was said once of a patient is not told again: most of a chart says the same."""

    def __init__(self) -> None:
        self._told: set[Any] = set()

    def read(self, resource_type: str, text: bytes | msgspec.Raw, own_id: msgspec.Raw) -> Iterator[Facts]:
        """A note about the patient: whom the resource names; nothing where it names no patient, or nobody else."""
        record = _encode(_decoder(resource_type)(text))
        # What a resource contains is named by the resource.
        said = resource_type, bytes(own_id) if b'"#' in record else b"", record
        if said in self._told:
            return
        self._told.add(said)
        note = _note(resource_type, _any(record), _any(own_id))
        if note is not None:
            yield note


def _note(resource_type: str, record: dict[str, Any], own_id: Any) -> Facts | None:
    root = own_id if isinstance(own_id, str) else ""
    whom, key = split(next(iter(named_at(record, _whose(resource_type), root)), ""))
    if not key or whom not in ("", "Patient"):
        return None
    rank = 0 if resource_type in _CARE else 1
    own = {f"{kind}/{key}" for kind in ("", "Patient")}
    paths = _said(resource_type)
    met = first_met(
        (
            *(one for path in paths for one in met_at(record, path, root, rank) if one.who not in own),
            *_relative(resource_type, record.get("name")),
        )
    )
    return Facts("", key, met=met) if met else None


def _relative(resource_type: str, name: Any) -> Iterator[Met]:
    """The relative whom a FamilyMemberHistory names in one string."""
    if resource_type == _HISTORY and isinstance(name, str) and len(name) <= LONGEST:
        yield Met("RelatedPerson/", name, 1)


@functools.cache
def _decoder(resource_type: str) -> Callable[[bytes | msgspec.Raw], Any]:
    """What decodes only the elements that are asked for. Whatever is not of the shape that FHIR says, it decodes whole."""
    steps: dict[str, Any] = {}
    own = ("name",) if resource_type == _HISTORY else ()
    for path in (_whose(resource_type), *_said(resource_type), *own):
        here = steps
        for name in path.split("."):
            here = here.setdefault(name, {})
    quick = msgspec.json.Decoder(_shape(resource_type, steps)).decode

    def decode(text: bytes | msgspec.Raw) -> Any:
        try:
            return quick(text)
        except msgspec.ValidationError:
            return _any(text)

    return decode


def _shape(path: str, steps: dict[str, Any]) -> Any:
    """A struct with these elements, References as they are spelled."""
    fields: list[tuple[str, Any, Any]] = []
    for at, (name, below) in enumerate(steps.items()):
        if below:
            shape: Any = _shape(f"{path}.{name}", below)
            shape = list[shape] if element(f"{path}.{name}").is_array else shape
            fields.append((f"f{at}", shape | None, None))
        else:
            fields.append((f"f{at}", msgspec.Raw, _NOTHING))
    # Python has a word of its own for `Task.for`.
    return msgspec.defstruct("_Chart", fields, rename={f"f{at}": name for at, name in enumerate(steps)}, gc=False)
