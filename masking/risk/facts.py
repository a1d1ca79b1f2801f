"""What one resource tells of its person to somebody who knows them: quasi-identifiers, facts, and values to be compared.

The same reader is given a resource of the source and what became of it, so that a label before and a label after mean one
thing. Labels are texts; facts are hashes, for only their equality matters.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from masking.fhir.dates import age_on, bounds, ordinal, parse
from masking.risk.sketch import hashed
from masking.verify.values import dicts, texts

_BAND = 5
_OLDEST = 90
_RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
_ETHNICITY = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"

#: Quasi-identifiers, and what each is of a person.
ATTRIBUTES = {
    "age_band": "age on the reference date, five years wide",
    "sex": "administrative sex",
    "zip3": "first three digits of the first ZIP",
    "race": "US Core race",
    "ethnicity": "US Core ethnicity",
    "death": "whether dead",
    "first_encounter": "months from the first encounter to the last",
    "state": "state of the first address",
    "marital": "marital status",
    "language": "language spoken",
}
DEFAULT_ATTRIBUTES = ("age_band", "sex", "zip3", "race", "ethnicity", "death", "first_encounter")


class Fact(IntEnum):
    """A kind of fact that somebody may know of a person."""

    SEX = 0
    AGE = 1
    BIRTH = 2
    PLACE = 3
    DIAGNOSIS = 4
    TREATMENT = 5
    MEASUREMENT = 6
    VISIT_DAY = 7
    VISIT_GAP = 8


#: What each is, for readers.
FACTS = {
    Fact.SEX: "sex",
    Fact.AGE: "age in years",
    Fact.BIRTH: "day of birth",
    Fact.PLACE: "ZIP, three digits",
    Fact.DIAGNOSIS: "a diagnosis",
    Fact.TREATMENT: "a medication, procedure or vaccine",
    Fact.MEASUREMENT: "a result with its value",
    Fact.VISIT_DAY: "the day of a visit",
    Fact.VISIT_GAP: "days between two visits in a row",
}


@dataclass(slots=True)
class Told:
    """What a resource tells. labels: of a Patient alone. visits: days of encounters (a partial date's first), and whether
    the day is known. values: name of a distribution and label in it.
    """

    labels: dict[str, str] = field(default_factory=dict)
    facts: list[tuple[Fact, int]] = field(default_factory=list)
    visits: list[tuple[int, bool]] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)


@functools.lru_cache(maxsize=1 << 16)
def token(kind: Fact, text: str) -> int:
    """A fact as a number; never 0."""
    return hashed(f"{int(kind)}|{text}") | 1


def told(kind: str, resource: Mapping[str, Any], on: str) -> Told:
    """What a resource of a type tells; nothing of types that are not read. on: the reference date."""
    found = Told()
    reader = _READERS.get(kind)
    if reader is not None:
        reader(resource, on, found)
    return found


def reads(kind: str) -> bool:
    """Whether resources of a type tell anything here."""
    return kind in _READERS


def _patient(resource: Mapping[str, Any], on: str, found: Told) -> None:
    birth = _text(resource.get("birthDate"))
    age = _age(birth, on)
    place = next(dicts(resource.get("address")), {})
    zip3 = _text(place.get("postalCode"))[:3]
    sex = _text(resource.get("gender"))
    dead = resource.get("deceasedBoolean") is True or bool(resource.get("deceasedDateTime"))
    language = next(dicts(resource.get("communication")), {}).get("language")
    found.labels = {
        "age_band": _band(age),
        "sex": sex,
        "zip3": zip3,
        "race": _category(resource, _RACE),
        "ethnicity": _category(resource, _ETHNICITY),
        "death": "dead" if dead else "living",
        "state": _text(place.get("state")),
        "marital": code_of(resource.get("maritalStatus")),
        "language": code_of(language),
        "born": birth[:3] + "0" if birth[:4].isdecimal() else "",
    }
    found.values.append(("Sex", sex or "(none)"))
    if age is not None:
        found.values.append(("Age", str(max(age, 0))))
        found.values.append((f"Age, {sex or '(none)'}", _band(age)))
        found.facts.append((Fact.AGE, token(Fact.AGE, str(age))))
    if sex:
        found.facts.append((Fact.SEX, token(Fact.SEX, sex)))
    if birth:
        found.facts.append((Fact.BIRTH, token(Fact.BIRTH, birth)))
    if zip3:
        found.facts.append((Fact.PLACE, token(Fact.PLACE, zip3)))


def _age(birth: str, on: str) -> int | None:
    """Whole years; of a year or month alone, those that most born then have."""
    parts = parse(birth)
    if parts is None:
        return None
    exact = age_on(birth, on)
    return (
        exact
        if exact is not None
        else int(on[:4]) - parts.year - (parts.month is not None and parts.month > int(on[5:7]))
    )


def _band(age: int | None) -> str:
    if age is None:
        return ""
    if age >= _OLDEST:
        return f"{_OLDEST}+"
    low = max(age, 0) // _BAND * _BAND
    return f"{low}–{low + _BAND - 1}"


def _category(resource: Mapping[str, Any], url: str) -> str:
    """The category of a US Core extension; several are one label."""
    for extension in dicts(resource.get("extension")):
        if extension.get("url") == url:
            parts = dicts(extension.get("extension"))
            codings = [part.get("valueCoding") for part in parts if part.get("url") == "ombCategory"]
            return "+".join(sorted(code for coding in dicts(codings) for code in texts(coding.get("code"))))
    return ""


def code_of(concept: Any) -> str:
    """What a CodeableConcept says: its first code, else its text. Systems are left out: some are masked, codes are not."""
    for one in dicts(concept):
        for coding in dicts(one.get("coding")):
            if isinstance(code := coding.get("code"), str):
                return code
        return _text(one.get("text"))
    return ""


def _condition(resource: Mapping[str, Any], on: str, found: Told) -> None:
    if code := code_of(resource.get("code")):
        found.facts.append((Fact.DIAGNOSIS, token(Fact.DIAGNOSIS, code)))
        found.values.append(("Diagnoses", code))


def _treatment(name: str) -> Callable[[Mapping[str, Any], str, Told], None]:
    def read(resource: Mapping[str, Any], on: str, found: Told) -> None:
        if code := code_of(resource.get(name)):
            found.facts.append((Fact.TREATMENT, token(Fact.TREATMENT, code)))
            found.values.append(("Treatments", code))

    return read


def _observation(resource: Mapping[str, Any], on: str, found: Told) -> None:
    for one in (resource, *dicts(resource.get("component"))):
        code = code_of(one.get("code"))
        quantity = one.get("valueQuantity")
        if not code:
            continue
        if isinstance(quantity, dict) and quantity.get("value") is not None:
            value = str(quantity["value"])
            found.values.append((f"Result {code} {_text(quantity.get('unit')) or _text(quantity.get('code'))}", value))
        else:
            value = code_of(one.get("valueCodeableConcept"))
        if value:
            found.facts.append((Fact.MEASUREMENT, token(Fact.MEASUREMENT, f"{code}|{value}")))


def _encounter(resource: Mapping[str, Any], on: str, found: Told) -> None:
    period = resource.get("period")
    if not isinstance(period, dict):
        return
    start, end = _text(period.get("start")), _text(period.get("end"))
    days = bounds(start)
    if days is not None:
        found.visits.append((days[0], days[0] == days[1]))
    hours = _hours(start, end)
    if hours is not None:
        found.values.append(("Length of stay", hours))


def _hours(start: str, end: str) -> str | None:
    """Hours from one moment to another, by their own clocks: minutes count where both have a time; days else."""
    first, last = ordinal(start), ordinal(end)
    if first is None or last is None:
        return None
    minutes = [int(text[11:13]) * 60 + int(text[14:16]) if len(text) > 15 else 0 for text in (start, end)]
    if not (len(start) > 15 and len(end) > 15):
        minutes = [0, 0]
    return format(((last - first) * 1440 + minutes[1] - minutes[0]) / 60, ".4g")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_READERS: dict[str, Callable[[Mapping[str, Any], str, Told], None]] = {
    "Patient": _patient,
    "Condition": _condition,
    "MedicationRequest": _treatment("medicationCodeableConcept"),
    "Procedure": _treatment("code"),
    "Immunization": _treatment("vaccineCode"),
    "Observation": _observation,
    "Encounter": _encounter,
}


def visit_facts(days: list[tuple[int, bool]]) -> Iterator[tuple[Fact, int]]:
    """What the visits of one person tell: their days, and the days between those in a row. Partial dates tell neither."""
    exact = sorted({day for day, is_exact in days if is_exact})
    for day in exact:
        yield Fact.VISIT_DAY, token(Fact.VISIT_DAY, str(day))
    for day, after in itertools.pairwise(exact):
        yield Fact.VISIT_GAP, token(Fact.VISIT_GAP, str(after - day))
