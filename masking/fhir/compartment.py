"""Whose resource is it: R4's patient compartment as JSON paths."""

from __future__ import annotations

import functools

from masking.fhir._tables import tables
from masking.fhir.elements import element

#: The names of elements that say whose a resource is, best first. `for` is Task's, `candidate` EnrollmentRequest's.
SUBJECT_NAMES = ("subject", "patient", "beneficiary", "individual", "candidate", "for")
_PERSONS = frozenset({"Patient", "RelatedPerson", "Practitioner", "Person"})
_FACILITIES = frozenset({"Organization", "Location", "HealthcareService", "Endpoint"})


@functools.cache
def subject_paths(resource_type: str) -> tuple[str, ...]:
    """The JSON paths of the References that say whose resource it is, best first; () where nothing does.

    `subject`, `patient`, `beneficiary` and the like come before performers, authors and participants, who are the
    owner only when nobody better is named. Paths run through arrays (`participant.actor`): take the values in the
    order of the document. Each can point at a Patient, yet need not (`Observation.subject` may be a Group or Device):
    skip values that point elsewhere. Types outside the compartment answer with their own subject (`Task.for`,
    `Device.patient`). Patient answers (): see `is_person`; RelatedPerson and Person name their patient here though
    they are persons too. Unknown types answer ().
    """
    return tuple(tables()["subjects"].get(resource_type, ()))


@functools.cache
def says_whose(resource_type: str, path: str) -> bool:
    """Whether a path of `subject_paths` is there to say whose a resource is, so that whoever stands there is taken for a
    patient unless something tells otherwise; performers, participants and authors mostly are somebody else.
    """
    return path in SUBJECT_NAMES or element(f"{resource_type}.{path}").targets == ("Patient",)


def person_types() -> frozenset[str]:
    """The types that describe a human being: Patient, RelatedPerson, Practitioner, Person."""
    return _PERSONS


def facility_types() -> frozenset[str]:
    """The types whose names are those of organizations and places."""
    return _FACILITIES


def is_person(resource_type: str) -> bool:
    """Whether a resource of that type is a human being's own record, so that its id is the subject."""
    return resource_type in _PERSONS
