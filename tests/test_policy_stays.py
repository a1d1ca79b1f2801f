"""What a policy is told to do at a path, for those who check a run: it must be what the engine does there."""

from __future__ import annotations

import json

import pytest
from documents import one

from masking.policy.read import read_policy
from masking.policy.stays import stays

ON = "2026-01-01"
DEFINITION = {
    "resourceType": "Questionnaire",
    "id": "q1",
    "status": "active",
    "title": "Intake",
    "date": "2020-01-02",
    "identifier": [{"system": "http://clinic.example/forms", "value": "FORM-7"}],
}


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("Questionnaire.title", "keep"),
        ("Questionnaire.identifier.value", None),  # its system and its type decide
        ("Patient.identifier.value", None),
        ("Patient.birthDate", "age"),
        ("Encounter.period.start", "shift"),
        ("Observation.valueQuantity.value", "keep"),
        ("Observation.code.coding.display", "vouched"),
        ("Patient.nonsense", "gone"),
    ],
)
def test_what_is_said_of_a_path(path: str, action: str | None) -> None:
    assert stays(read_policy("realistic", reference_date=ON), [path]).get(path) == action


def test_a_number_of_a_kept_definition_is_masked_as_any_number() -> None:
    masked = json.loads(one(DEFINITION))
    assert masked["title"] == "Intake" and masked["date"] == "2020-01-02"
    assert masked["identifier"][0]["value"] != "FORM-7"
