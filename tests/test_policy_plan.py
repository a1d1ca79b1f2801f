"""The plan: which rule wins at each place, and what a place is."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from documents import ON, keyring, plan

from masking.fhir.elements import children, contents, resource_types
from masking.policy.plan import UNKNOWN_ELEMENT, UNKNOWN_EXTENSION, UNNAMED, Child, Node, Plan
from masking.policy.read import read_policy
from masking.policy.specs import Action, TypeAction


@pytest.fixture
def make(tmp_path: Path):
    """A plan of a policy in a few lines."""

    def made(rules: Mapping[str, str] = MappingProxyType({}), **sections: str) -> Plan:
        lines = [
            "policy: test",
            *(f"{name}: {text}" for name, text in ({"types": "{default: mask}"} | sections).items()),
        ]
        lines += ["rules:", *(f'  "{key}": {rule}' for key, rule in rules.items())] if rules else []
        (tmp_path / "test.yaml").write_text("\n".join(lines) + "\n")
        return Plan(read_policy(tmp_path / "test.yaml", reference_date=ON), keyring())

    return made


def find(held: Plan, path: str) -> Child:
    """The answer at a path from a resource type."""
    first, *names = path.split(".")
    node: Node | None = held.root(first)
    for name in names:
        assert node is not None
        child = node.child(name)
        node = child.node
    return child


def masker(child: Child) -> str:
    """What is done, in a word."""
    return child.rule.masker.name if child.rule.masker else child.rule.action.value


ORDER = [
    ("Patient.contact.name.family", "last_name", 1),
    ("*.contact.name.family", "hash", 2),
    ("HumanName.family", "redact_text", 4),
    ("HumanName", "keep", 6),
    ("string", "format_preserving", 7),
]


def test_the_most_specific_wins(make):
    for start in range(len(ORDER)):
        child = find(make({key: rule for key, rule, _ in ORDER[start:]}), "Patient.contact.name.family")
        assert (masker(child), child.level) == ORDER[start][1:]
    assert find(make(), "Patient.contact.name.family").rule is UNNAMED


def test_a_choice_is_named_by_its_stem_or_by_one_of_its_names(make):
    held = make(
        {
            "Observation.value[x]": "redact",
            "Observation.valueString": "keep",
            "*.effective[x]": "keep",
            "dateTime": "date_shift",
        }
    )
    assert masker(find(held, "Observation.valueString")) == "keep"
    assert masker(find(held, "Observation.valueDateTime")) == "redact"
    assert masker(find(held, "Observation.effectiveDateTime")) == "keep"
    assert masker(find(held, "Observation.component.valueDateTime")) == "date_shift"


def test_elements_of_every_type_and_of_every_resource(make):
    held = make({"Element.id": "hash", "Resource.id": "redact", "id": "pseudonymize_id", "Resource.language": "keep"})
    assert masker(find(held, "Patient.name.id")) == "hash"
    assert masker(find(held, "Patient.contact.id")) == "hash"
    assert masker(find(held, "Patient.id")) == "redact"
    assert masker(find(held, "Patient.meta.versionId")) == "pseudonymize_id"
    assert masker(find(held, "Patient.language")) == "keep"


def test_what_keeps_is_inherited_until_a_closer_rule(make):
    held = make({"CodeableConcept": "keep", "Coding.code": "redact", "Coding.userSelected": "redact"})
    assert masker(find(held, "Patient.maritalStatus.coding.version")) == "keep"
    assert masker(find(held, "Patient.maritalStatus.coding.code")) == "redact"
    assert find(held, "Patient.maritalStatus.extension").node.inherited is None


def test_a_kept_type_keeps_what_no_closer_rule_names(make):
    held = make({"HumanName.family": "last_name"}, types="{default: redact, Patient: {action: keep}, Group: refuse}")
    assert masker(find(held, "Patient.gender")) == "keep"
    assert masker(find(held, "Patient.name.family")) == "last_name"
    assert [held.type_action(name) for name in ("Patient", "Group", "Basic")] == [
        TypeAction.KEEP,
        TypeAction.REFUSE,
        TypeAction.REDACT,
    ]


def test_content_that_refers_back_is_ruled_where_it_is_defined(make):
    held = make({"Questionnaire.item.text": "keep"})
    assert masker(find(held, "Questionnaire.item.text")) == "keep"
    assert masker(find(held, "Questionnaire.item.item.item.text")) == "keep"


def test_unknown_names_go_are_not_remembered_and_not_repeated(make):
    held = make()
    node = held.root("Patient")
    for name in ("unheard", "Ann Other", "_name", "_unheard", "", "_", "a.b", "name.family"):
        child = node.child(name)
        assert (child.rule, child.element, child.level) == (UNKNOWN_ELEMENT, None, 8)
        assert child.place == "Patient.?"
    assert len(node._children) == 0
    assert node.child("name") is node.child("name")
    assert find(held, "Patient.name.family").place == "Patient.name.family"


def test_companions_are_entered(make):
    held = make({"Element.id": "hash"})
    child = held.root("Patient").child("_birthDate")
    assert child.element is not None and not child.element.is_array and not child.is_required
    assert child.node is not None and masker(child.node.child("id")) == "hash"
    assert find(held, "Patient.name._given").element.is_array


def test_extensions_by_url_and_part(make):
    held = make(
        {"string": "keep"}, extensions='{"http://a": {mask: keep, parts: {b: last_name, c: redact}}, "http://d": hash}'
    )
    place = held.root("Patient").child("extension").node
    outer = held.extension(place, "http://a")
    inner = outer.child("extension").node
    assert masker(held.extension(inner, "b").child("valueString")) == "last_name"
    assert masker(held.extension(inner, "c").child("valueString")) == "redact"
    for node, url in ((inner, "http://d"), (inner, "http://a"), (place, "b"), (place, ""), (place, "http://A")):
        assert held.extension(node, url).child("valueString").rule is UNKNOWN_EXTENSION
    # A masker is for primitives: a complex value under it goes.
    assert masker(held.extension(place, "http://d").child("valueAddress")) == "hash"
    # Within the value of a kept extension, an extension starts anew.
    address = outer.child("valueAddress").node
    assert masker(held.extension(address.child("extension").node, "http://d").child("valueString")) == "hash"


def values(held: Plan, url: str) -> dict[str, str]:
    """What becomes of each type of primitive value under an extension."""
    node = held.extension(held.root("Patient").child("extension").node, url)
    found = {name: node.child(name) for name in children("Extension") if name.startswith("value")}
    return {name: masker(child) for name, child in found.items() if child.element.is_primitive}


CODED = ["valueBoolean", "valueCode", "valueDecimal", "valueInteger", "valuePositiveInt", "valueUnsignedInt"]


def test_a_kept_extension_passes_codes_and_numbers_alone(make):
    held = make({"string": "redact_text", "date": "date_shift"}, extensions='{"http://a": keep}')
    found = values(held, "http://a")
    assert [name for name, done in found.items() if done == "keep"] == CODED
    assert (found["valueString"], found["valueDate"], found["valueUri"]) == ("redact_text", "date_shift", "redact")
    assert masker(held.extension(held.root("Patient").child("extension").node, "http://a").child("url")) == "keep"


def test_a_kept_extension_passes_the_types_that_it_names(make):
    extensions = '{"http://a": {mask: keep, types: [string, Annotation]}, "http://b": keep}'
    held = make({"markdown": "redact_text", "Quantity": "keep"}, extensions=extensions)
    assert [name for name, done in values(held, "http://a").items() if done == "keep"] == sorted(
        [*CODED, "valueString"]
    )
    place = held.root("Patient").child("extension").node
    named, other = (held.extension(place, url) for url in ("http://a", "http://b"))
    assert masker(named.child("valueAnnotation").node.child("text")) == "keep"
    # Inside a complex value that is not named the same holds, but for what its own type keeps.
    assert masker(other.child("valueAnnotation").node.child("text")) == "redact_text"
    assert masker(other.child("valueAddress").node.child("use")) == "keep"
    assert masker(other.child("valueAddress").node.child("period").node.child("start")) == "redact"
    assert masker(other.child("valueQuantity").node.child("unit")) == "keep"


def test_identifiers(make):
    text = '{systems: {"http://s": ssn}, types: {MR: hash, XX: keep}, default: redact}'
    held = make({"Coverage.identifier.value": "last_name"}, identifiers=text)
    node = held.root("Patient").child("identifier").node

    def rule(system: str | None, *codes: str) -> str:
        found = held.identifier_rule(node, system, codes)
        return found.masker.name if found.masker else found.action.value

    assert rule("http://s", "MR") == "ssn"
    assert rule("http://t", "ZZ", "MR", "XX") == "hash"
    assert rule(None) == rule("http://t") == rule("http://t", "ZZ") == "redact"
    coverage = held.root("Coverage").child("identifier").node
    assert held.identifier_rule(coverage, "http://s", ()).masker.name == "last_name"


def test_a_canonical_is_ruled_by_its_type_in_what_is_kept_too(make):
    held = make({"canonical": "public_uri", "Meta.profile": "keep"}, types="{default: keep}")
    assert masker(find(held, "Questionnaire.derivedFrom")) == "public_uri"
    assert masker(find(held, "Questionnaire.title")) == masker(find(held, "Questionnaire.meta.profile")) == "keep"
    assert masker(find(make(types="{default: keep}"), "Questionnaire.derivedFrom")) == "keep"


OURS = "https://stmarys.example/mrn"


@pytest.mark.parametrize(
    ("rule", "system"),
    [("keep", OURS), ("redact", ""), ("public_uri", None), ("{mask: public_uri, keep: ['https://*']}", OURS)],
)
def test_a_reference_by_identifier_names_the_system_as_the_identifier_does(make, rule, system):
    held = make(
        {"Identifier.system": rule, "Reference.reference": "reference"},
        identifiers=f'{{systems: {{"{OURS}": hash}}, default: redact}}',
        publishers='{keep: ["http://hl7.org/*"]}',
    )
    node = held.root("Patient").child("identifier").node
    own = node.child("system").rule
    if system is None:
        system = held.bound(own.masker).mask_distinct([OURS])[0]
        assert "stmarys" not in system and held.bound(own.masker).mask_distinct(["http://hl7.org/x"]) == [
            "http://hl7.org/x"
        ]
    number = held.bound(held.identifier_rule(node, OURS, ()).masker).mask_distinct(["123"])[0]
    reference = held.bound(find(held, "Observation.subject.reference").rule.masker)
    assert reference.mask_distinct([f"Patient?identifier={OURS}|123"]) == [f"Patient?identifier={system}|{number}"]


def test_code_systems_that_vouch(make):
    held = make({"CodeableConcept": "keep", "string": "redact_text"}, code_systems='{keep: ["http://a", "http://b/*"]}')
    assert [held.vouches(system) for system in ("http://a", "http://a/", "http://b/", "http://b/c", "http://b", "", None)] == [
        True, False, True, True, False, False, False,
    ]  # fmt: skip
    assert masker_of(find(held, "Patient.maritalStatus.text").fallback) == "redact_text"
    assert find(held, "Patient.maritalStatus.coding.code").fallback is None
    assert find(make({"CodeableConcept.text": "keep"}), "Patient.maritalStatus.text").fallback is None


def masker_of(rule) -> str:
    """What a rule does, in a word."""
    return rule.masker.name if rule.masker else rule.action.value


def test_a_plan_travels_and_shows_no_key():
    held = plan()
    travelled = pickle.loads(pickle.dumps(held))
    assert masker(find(travelled, "Patient.birthDate")) == masker(find(held, "Patient.birthDate")) == "retain_age"
    assert repr(held) == "Plan('realistic')"
    shown = repr(held._bound) + repr(held.policy)
    subkeys = [
        keyring().subkey(purpose)
        for purpose in ("date_shift", "url", "hash", "format_preserving", "pseudonymize_id/uuid/")
    ]
    assert not any(repr(key)[2:-1] in shown or key.hex() in shown for key in subkeys)
    with pytest.raises(KeyError):
        held.root("Nothing")


@pytest.mark.parametrize("policy", ["realistic", "fhir_patient_resource", "awkward"])
def test_every_element_of_every_type_has_an_answer_with_a_reason(policy):
    held = plan(policy)
    seen: set[str] = set()
    pending = [held.root(name) for name in resource_types()]
    while pending:
        node = pending.pop()
        if node.content in seen:
            continue
        seen.add(node.content)
        for name, element in children(node.content).items():
            child = node.child(name)
            assert child.element == element and 1 <= child.level <= 8
            assert child.rule.place.path
            if element.is_primitive:
                assert child.rule.action is not Action.MASK or child.rule.masker is not None
            elif child.node is not None and element.content != "Resource":
                pending.append(child.node)
    assert len(seen) > 500 and seen <= set(contents())
