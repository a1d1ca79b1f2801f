"""Whose resource it is."""

from __future__ import annotations

import pytest

from masking.fhir.compartment import is_person, person_types, subject_paths
from masking.fhir.elements import element, resource_types


@pytest.mark.parametrize(
    ("resource_type", "paths"),
    [
        ("Patient", ()),
        ("Observation", ("subject", "performer")),
        ("Coverage", ("beneficiary", "policyHolder", "subscriber", "payor")),
        ("Appointment", ("participant.actor",)),
        ("Claim", ("patient", "payee.party")),
        ("ResearchSubject", ("individual",)),
        ("EnrollmentRequest", ("candidate",)),
        ("Group", ("member.entity",)),
        ("RelatedPerson", ("patient",)),
        ("Person", ("link.target",)),
        ("AuditEvent", ("agent.who", "entity.what")),
        # Outside R4's compartment, with a subject of their own.
        ("Task", ("for",)),
        ("Device", ("patient",)),
        ("GuidanceResponse", ("subject",)),
        ("Contract", ("subject",)),
        ("BiologicallyDerivedProduct", ("collection.source",)),
        # Nobody's.
        ("Practitioner", ()),
        ("Organization", ()),
        ("Bundle", ()),
        ("Nope", ()),
        ("", ()),
    ],
)
def test_known_answers(resource_type: str, paths: tuple[str, ...]) -> None:
    assert subject_paths(resource_type) == paths


def test_every_path_is_a_reference_that_can_point_at_a_patient() -> None:
    named = 0
    for resource_type in resource_types():
        for path in subject_paths(resource_type):
            assert element(f"{resource_type}.{path}").may_point_at("Patient"), (resource_type, path)
            named += 1
    assert named > 90


def test_a_subject_is_preferred_to_everybody_else() -> None:
    for resource_type in resource_types():
        paths = subject_paths(resource_type)
        for best in ("subject", "patient", "beneficiary", "individual"):
            assert best not in paths[1:], resource_type


def test_persons() -> None:
    assert person_types() == {"Patient", "RelatedPerson", "Practitioner", "Person"}
    assert is_person("Patient") and not is_person("Group") and not is_person("")
