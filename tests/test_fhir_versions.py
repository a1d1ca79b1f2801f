"""Other versions of FHIR than R4 are noticed, and R4 is not taken for one."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from documents import Maker

from masking.document import Fault
from masking.fhir.elements import children, resource_types
from masking.fhir.versions import _ELEMENTS, _TYPES, seems
from masking.spark.versions import UNKNOWN_TYPE, Versions, of_another_version


def test_nothing_by_which_a_version_is_told_is_in_r4() -> None:
    for names in _TYPES.values():
        assert not resource_types().intersection(names)
    for types in _ELEMENTS.values():
        for name, elements in types.items():
            assert not children(name).keys() & set(elements), name


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "ReferralRequest"}, ("STU3", "resourceType")),
        ({"resourceType": "MedicationOrder"}, ("DSTU2", "resourceType")),
        ({"resourceType": "Ingredient"}, ("R4B", "resourceType")),
        ({"resourceType": "GenomicStudy"}, ("R5", "resourceType")),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"}, ("STU3", "fhirVersion")),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "4.3.0"}, ("R4B", "fhirVersion")),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}, ("R5", "fhirVersion")),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}, None),
        ({"resourceType": "CapabilityStatement", "fhirVersion": 3}, None),
        ({"resourceType": "Observation", "context": {}}, ("STU3", "context")),
        ({"resourceType": "Encounter", "actualPeriod": {}}, ("R5", "actualPeriod")),
        ({"resourceType": "Encounter", "unheard": {}}, None),
        ({"resourceType": "Nonsense"}, None),
        ({"resourceType": ["Patient"]}, None),
        ({}, None),
    ],
)
def test_what_a_resource_seems_to_be(resource: dict[str, Any], expected: tuple[str, str] | None) -> None:
    assert seems(resource) == expected


def test_made_up_r4_is_r4() -> None:
    maker = Maker(Random(4), wrong=0.0)
    maker.comma, maker.colon = ",", ":"
    for name in sorted(resource_types()):
        found = seems({**json.loads(maker.write(maker.resource(name, 0))), "fhirVersion": "4.0.1"})
        assert found is None, name


def test_a_fault_says_which_version_has_the_type() -> None:
    fault = Fault(3, UNKNOWN_TYPE, "resourceType", "resourceType names no R4 resource type")
    found = of_another_version(fault, b'{"resourceType":"DeviceUsage"}')
    assert (found.index, found.reason) == (3, "unknown-type-r5")
    assert "R5 has it" in found.message
    assert of_another_version(fault, b'{"resourceType":"Nonsense"}') is fault
    other = Fault(0, "not-json", "", "")
    assert of_another_version(other, b"{") is other


def test_a_few_of_each_type_are_looked_at() -> None:
    versions = Versions()
    old, new = b'{"resourceType":"Encounter","reason":[]}', b'{"resourceType":"Encounter","status":"x"}'
    for _ in range(20):
        versions.look([old, new, b"{broken"], ["Encounter", "Encounter", None])
    assert versions.seen == {"Encounter: STU3 (reason)": 5}
