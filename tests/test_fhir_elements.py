"""The R4 element table: counts known from HL7, awkward corners, and every property of HL7's own examples."""

from __future__ import annotations

import dataclasses
import json
import pickle
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.examples import EXAMPLES, WHY_NOT
from masking.fhir import elements
from masking.fhir._tables import tables
from masking.fhir.elements import children, element, required, suggest


def test_counts_are_those_of_r4() -> None:
    # HL7's code system resource-types has 148 codes, two of them abstract.
    assert len(elements.resource_types()) == 146
    assert {"Patient", "Parameters", "Bundle", "Binary"} <= elements.resource_types()
    assert not elements.resource_types() & {"Resource", "DomainResource", "SubscriptionStatus", "MetadataResource"}
    assert len(elements.primitive_types()) == 20
    assert len(elements.data_types()) == 39
    assert not elements.data_types() & {"Element", "BackboneElement", "SimpleQuantity"}


def test_elements_that_other_distributions_of_r4_add_are_unknown() -> None:
    assert set(children("Meta")) == {
        "id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag"
    }  # fmt: skip
    assert "url" not in children("Binary")
    assert "associatedParty" not in children("ResearchStudy")
    assert "definitionReference" in children("EvidenceVariable.characteristic")
    assert element("Bundle.entry.response.outcome").content == "Resource"


def test_every_content_key_can_be_asked_for_and_every_type_is_known() -> None:
    known = elements.resource_types() | elements.data_types() | elements.primitive_types()
    for content in tables()["contents"]:
        for name, child in children(content).items():
            assert name == child.name
            assert child.type in known | {"BackboneElement", "Element", "Resource"}, child
            assert child.is_primitive == (child.content is None) == (child.type in elements.primitive_types())
            assert child.content is None or children(child.content)
            assert not set(child.targets) - elements.resource_types() - {"Resource"}, child


def test_inherited_children_come_first_under_their_heirs_path() -> None:
    assert list(children("Patient"))[:8] == [
        "id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension"
    ]  # fmt: skip
    assert list(children("Bundle"))[:5] == ["id", "meta", "implicitRules", "language", "identifier"]
    assert list(children("Patient.contact"))[:3] == ["id", "extension", "modifierExtension"]
    assert children("Patient.contact")["id"].path == "Patient.contact.id"
    assert list(children("Element")) == ["id", "extension"]
    assert "modifierExtension" in children("Timing")
    assert "modifierExtension" not in children("Timing.repeat")


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("Patient.id", "id"),
        ("Patient.contact.id", "string"),
        ("HumanName.id", "string"),
        ("Extension.url", "uri"),
        ("Age.value", "decimal"),
        ("Patient.contact.name.family", "string"),
        ("Patient.text.div", "xhtml"),
        ("Bundle.entry.resource.id", "id"),
        ("Questionnaire.item.item.item.text", "string"),
        ("Bundle.entry.link.url", "uri"),
        ("Observation.valueQuantity.value", "decimal"),
        ("Patient.extension.extension.valueHumanName.given", "string"),
    ],
)
def test_element_by_json_path(path: str, type_: str) -> None:
    assert element(path).type == type_


@pytest.mark.parametrize("path", ["", "Patient", "Patient.", "Patient.nope", "patient.id", "Patient.birthDate.x",
                                  "Observation.value[x]", "Patient._birthDate", "date.x", "Nope.id"])  # fmt: skip
def test_element_refuses_what_is_not_there(path: str) -> None:
    with pytest.raises(KeyError):
        element(path)


def test_choices_are_expanded_to_json_properties() -> None:
    value = children("Observation")["valueCodeableConcept"]
    assert (value.path, value.choice, value.type, value.max) == (
        "Observation.value[x]", "value[x]", "CodeableConcept", 1
    )  # fmt: skip
    assert [e.name for e in elements.choices("Patient", "deceased[x]")] == ["deceasedBoolean", "deceasedDateTime"]
    assert elements.choices("Patient", "value[x]") == ()
    assert len(elements.choices("Extension", "value[x]")) == 50
    assert "value" not in children("Observation")
    # A binding of the choice holds for its codes, not for its booleans.
    assert children("Group.characteristic")["valueCodeableConcept"].binding == "example"
    assert children("Group.characteristic")["valueBoolean"].binding is None


def test_content_references_lead_to_the_content_they_name() -> None:
    item = children("Questionnaire.item")["item"]
    assert (item.content, item.type, item.is_array) == ("Questionnaire.item", "BackboneElement", True)
    assert children("Observation.component")["referenceRange"].content == "Observation.referenceRange"


def test_cardinality_bindings_and_targets() -> None:
    gender = children("Patient")["gender"]
    assert (gender.binding, gender.min, gender.max, gender.is_array) == ("required", 0, 1, False)
    assert gender.value_set == "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1"
    assert gender.short == "male | female | other | unknown"
    assert children("Patient")["name"].max is None
    subject = children("Observation")["subject"]
    assert subject.targets == ("Patient", "Group", "Device", "Location")
    assert subject.may_point_at("Patient") and not subject.may_point_at("Practitioner")
    assert children("Task")["for"].may_point_at("Patient")
    assert children("Extension")["valueReference"].targets == () and gender.targets == ()
    assert children("Extension")["valueReference"].may_point_at("Patient")
    assert not children("Patient")["gender"].may_point_at("Patient")


def test_required_names_the_stem_of_a_choice_once() -> None:
    assert required("MedicationRequest") == ("status", "intent", "medication[x]", "subject")
    assert required("Patient") == ()
    assert required("Patient.link") == ("other", "type")
    assert required("Extension") == ("url",)


def test_primitives() -> None:
    assert {p for p in elements.primitive_types() if elements.json_kind(p) == "number"} == {
        "decimal", "integer", "unsignedInt", "positiveInt"
    }  # fmt: skip
    assert elements.json_kind("boolean") == "boolean" and elements.json_kind("xhtml") == "string"
    for primitive in elements.primitive_types():
        re.compile(elements.regex(primitive))
    assert elements.regex("id") == r"[A-Za-z0-9\-\.]{1,64}"
    with pytest.raises(KeyError):
        elements.json_kind("Quantity")
    with pytest.raises(KeyError):
        elements.regex("Quantity")
    with pytest.raises(KeyError):
        children("string")


def test_companions() -> None:
    assert elements.companion("birthDate") == "_birthDate"
    assert elements.is_companion("_birthDate") and not elements.is_companion("birthDate")
    assert elements.without_companion("_birthDate") == elements.without_companion("birthDate") == "birthDate"


def test_the_table_cannot_be_changed_and_travels_by_pickle() -> None:
    with pytest.raises(TypeError):
        children("Patient")["x"] = element("Patient.id")  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        element("Patient.id").min = 1  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(element("Patient.name"))) == element("Patient.name")
    assert children("Patient") is children("Patient")


def test_walk_ends_and_yields_paths_that_element_knows() -> None:
    for resource_type in sorted(elements.resource_types()):
        paths = [path for path, _ in elements.walk(resource_type)]
        assert len(paths) == len(set(paths))
        for path, found in list(elements.walk(resource_type, max_depth=3))[::7]:
            assert element(path) == found
    paths = [path for path, _ in elements.walk("Patient")]
    assert "Patient.contact.name.period.start" in paths and "Patient.extension" in paths
    assert "Patient.extension.url" not in paths and "Patient.contained.id" not in paths
    assert list(elements.walk("Patient", max_depth=0)) == []


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("patient.birthdate", "Patient.birthDate"),
        ("Patient.birthDate", "Patient.birthDate"),
        ("Patient.brithDate", "Patient.birthDate"),
        ("Patient.family", "Patient.name.family"),
        ("Patient.contact.family", "Patient.contact.name.family"),
        ("Patient.contct.nam.givn", "Patient.contact.name.given"),
        ("Observation.value[x]", "Observation.valueQuantity"),
        ("Observation.value", "Observation.valueQuantity"),
        ("Questionnaire.item.item.txt", "Questionnaire.item.item.text"),
        ("Patient.birthDate.start", "Patient.birthDate"),
        ("Patient._birthDate", "Patient.birthDate"),
        ("HumanNam", "HumanName"),
        ("Patient", "Patient"),
        ("Patient.qqqqqq", None),
        ("Qqqqqq.id", None),
        ("", None),
        (".", None),
    ],
)
def test_suggest(path: str, nearest: str | None) -> None:
    assert suggest(path) == nearest


def test_loading_and_building_everything_is_quick() -> None:
    tables.cache_clear()
    started = time.perf_counter()
    for content in tables()["contents"]:
        elements._Contents()[content]
    assert time.perf_counter() - started < 3  # 40 ms on an idle core; the bound only catches a blunder


def _unknown(value: Any, content: str, path: str) -> Iterator[str]:
    """Paths of a document that the table does not know, and values whose JSON kind is not the table's."""
    if not isinstance(value, dict):
        yield f"{path}: {content} is not an object"
        return
    if content == "Resource" or content in elements.resource_types():
        content = value.get("resourceType", content)
    for name, inner in value.items():
        if name == "resourceType" and content in elements.resource_types():
            continue
        known = children(content).get(elements.without_companion(name))
        if known is None or (elements.is_companion(name) and not known.is_primitive):
            yield f"{path}.{name}"
            continue
        if isinstance(inner, list) != known.is_array:
            yield f"{path}.{name}: array"
        for one in inner if isinstance(inner, list) else [inner]:
            if elements.is_companion(name):
                yield from () if one is None else _unknown(one, "Element", f"{path}.{name}")
            elif known.content is not None:
                yield from _unknown(one, known.content, f"{path}.{name}")
            elif one is not None and _kind(one) != elements.json_kind(known.type):
                yield f"{path}.{name}: {_kind(one)} is no {known.type}"


def _kind(value: Any) -> str:
    return {bool: "boolean", int: "number", float: "number", str: "string"}.get(type(value), type(value).__name__)


def test_the_check_of_examples_can_fail() -> None:
    document = {
        "resourceType": "Patient", "birthdate": "1987", "active": "true", "name": {"family": ["x"]}, "_contact": [],
        "_birthDate": {"extension": [{"url": 1}], "value": "x"}, "contained": [{"resourceType": "Binary", "text": {}}],
    }  # fmt: skip
    assert sorted(_unknown(document, "Resource", "Patient")) == [
        "Patient._birthDate.extension.url: number is no uri", "Patient._birthDate.value", "Patient._contact",
        "Patient.active: string is no boolean", "Patient.birthdate", "Patient.contained.text",
        "Patient.name.family: array", "Patient.name: array",
    ]  # fmt: skip


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason=WHY_NOT)
def test_every_property_of_hl7s_examples_is_in_the_table() -> None:
    unknown: Counter[str] = Counter()
    seen = 0
    for file in sorted(EXAMPLES.glob("*.json")):
        document = json.loads(file.read_bytes())
        if "resourceType" in document:
            seen += 1
            unknown.update(_unknown(document, "Resource", document["resourceType"]))
    assert seen > 5000
    assert not unknown
