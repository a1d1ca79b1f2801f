"""References taken apart and put together: known answers, and identity for any text."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.examples import EXAMPLES, WHY_NOT
from masking.fhir.references import Reference, parse

UUID = "541a72a8-df75-4484-ac89-ac4923f03b81"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient/123", Reference("relative", "", "Patient", "123")),
        ("Patient/123/_history/2", Reference("relative", "", "Patient", "123", "2")),
        ("Patient/a_b", Reference("relative", "", "Patient", "a_b")),
        ("Patient/Observation", Reference("relative", "", "Patient", "Observation")),
        ("Observation/1#p1", Reference("relative", "", "Observation", "1", fragment="p1")),
        ("https://h/fhir/Patient/1", Reference("absolute", "https://h/fhir/", "Patient", "1")),
        ("https://h/FHIR/Patient/1/_history/2", Reference("absolute", "https://h/FHIR/", "Patient", "1", "2")),
        ("https://h:80/Patient/1", Reference("absolute", "https://h:80/", "Patient", "1")),
        (
            "http://hl7.org/fhir/StructureDefinition/Patient",
            Reference("absolute", "http://hl7.org/fhir/", "StructureDefinition", "Patient"),
        ),
        (
            "https://h/Patient/1?_format=json",
            Reference("absolute", "https://h/", "Patient", "1", query=(("_format", "json"),)),
        ),
        (f"urn:uuid:{UUID}", Reference("urn_uuid", "urn:uuid:", None, UUID)),
        (f"URN:UUID:{UUID.upper()}", Reference("urn_uuid", "URN:UUID:", None, UUID.upper())),
        ("urn:oid:1.2.0.3", Reference("urn_oid", "urn:oid:", None, "1.2.0.3")),
        ("urn:oid:1.2|3", Reference("canonical", "urn:oid:", None, "1.2", "3")),
        ("#p1", Reference("fragment", fragment="p1")),
        ("#", Reference("fragment", fragment="")),
        (
            "Practitioner?identifier=http://x/npi|9999974493",
            Reference("conditional", "", "Practitioner", query=(("identifier", "http://x/npi|9999974493"),)),
        ),
        (
            "https://h/FHIR/Patient?a=1&b&&c==",
            Reference(
                "conditional", "https://h/FHIR/", "Patient",
                query=(("a", "1"), ("b", None), ("", None), ("c", "=")),
            ),
        ),
        ("Patient?", Reference("conditional", "", "Patient", query=(("", None),))),
        ("Patient", Reference("type", "", "Patient")),
        ("https://h/FHIR/Patient", Reference("type", "https://h/FHIR/", "Patient")),
        (
            "http://x.org/ValueSet/v|1.0#part",
            Reference("canonical", "http://x.org/", "ValueSet", "v", "1.0", "part"),
        ),
        ("http://x.org/terms?a=1|2", Reference("canonical", "http://x.org/terms?a=1", version="2")),
        ("Questionnaire/q|", Reference("canonical", "", "Questionnaire", "q", "")),
        # None of the forms: unknown types, ids of others inside the base, broken urns, spaces, nothing.
        *[
            (text, Reference("other", text))
            for text in (
                "", " ", "123", "Foo/1", "patient/1", "Patient/", "Patient/1/", "/Patient/1", " Patient/1",
                "Patient/1 ",
                "Patient/1\n", "Patient/1/Observation", "https://h/Patient/1/Observation/2", "urn:uuid:1",
                "urn:oid:9.9",
                "http://snomed.info/sct", "Patient/1/_history/", "Patient/1/_history/2|3", "mailto:a@b.c", "1.2.3",
            )
        ],
    ],
)  # fmt: skip
def test_known_answers(text: str, expected: Reference) -> None:
    assert parse(text) == expected
    assert str(expected) == text


_PIECES = st.sampled_from(
    ["Patient", "Observation", "Foo", "/", "//", "_history", "/_history/", "|", "#", "?", "&", "=", "%7C", "http://",
     "h",
     "https://h/fhir/", "urn:uuid:", "urn:oid:", UUID, "1.2.3", "1", "a-b.c", " ", "\n", "é", "\ud800",
     "identifier=s|v"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(_PIECES, max_size=12).map("".join)))
def test_any_text_comes_back_and_every_part_is_part_of_it(text: str) -> None:
    reference = parse(text)
    assert str(reference) == text
    parts = [reference.base, reference.type, reference.id, reference.version, reference.fragment]
    parts += [part for pair in reference.query or () for part in pair]
    assert all(part is None or part in text for part in parts)
    if reference.kind == "relative":
        assert text.startswith(f"{reference.type}/{reference.id}")


@given(st.sampled_from(["Patient/1", "https://h/fhir/Patient/1/_history/2", f"urn:uuid:{UUID}", "urn:oid:1.2",
                        "http://x/ValueSet/v|1"]), st.uuids().map(str))  # fmt: skip
def test_with_id_changes_the_id_alone(text: str, new: str) -> None:
    reference = parse(text)
    changed = reference.with_id(new)
    assert changed.id == new and changed.with_id(str(reference.id)) == reference
    assert str(changed) == text.replace(f"{reference.base}{reference.type or ''}", "\0").replace(
        str(reference.id), new, 1
    ).replace("\0", f"{reference.base}{reference.type or ''}")


def test_other_changes() -> None:
    reference = parse("https://h/fhir/Patient/1/_history/2#x")
    assert str(reference.with_base("https://example.org/")) == "https://example.org/Patient/1/_history/2#x"
    assert str(reference.with_version(None)) == "https://h/fhir/Patient/1#x"
    assert str(reference.with_fragment(None).with_version("9")) == "https://h/fhir/Patient/1/_history/9"
    assert str(parse("#p1").with_fragment("p2")) == "#p2"
    assert str(parse("http://x/ValueSet/v|1").with_version(None)) == "http://x/ValueSet/v"
    assert pickle.loads(pickle.dumps(reference)) == reference


@pytest.mark.parametrize("text", ["#p1", "Patient", "Patient?identifier=a|b", "http://x/y|1", "nothing at all"])
def test_what_has_no_id_refuses_another_without_saying_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="has no id") as caught:
        parse(text).with_id("2")
    assert text not in str(caught.value)


def test_what_has_no_base_refuses_another() -> None:
    with pytest.raises(ValueError, match="no base"):
        parse("Patient/1").with_base("https://example.org/")


def test_criteria_are_decoded_and_written_as_they_were() -> None:
    plain = parse("Practitioner?identifier=http://x/npi|123&active=true")
    assert plain.criteria() == (("identifier", "http://x/npi|123"), ("active", "true"))
    assert plain.with_criteria(plain.criteria()) == plain
    changed = plain.with_criteria((("identifier", "http://x/npi|4 5&6"), ("active", "true")))
    assert str(changed) == "Practitioner?identifier=http://x/npi|4%205%266&active=true"
    escaped = parse("Practitioner?identifier=http%3A%2F%2Fx%7C123&x&y=a+b")
    assert escaped.criteria() == (("identifier", "http://x|123"), ("x", None), ("y", "a b"))
    assert escaped.with_criteria(escaped.criteria()) == escaped
    assert str(escaped.with_criteria((("identifier", "http://x|9"),))) == "Practitioner?identifier=http%3A%2F%2Fx%7C9"
    assert parse("Patient/1").criteria() == ()


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1))
def test_any_criteria_survive_the_writing(pairs: list[tuple[str, str]]) -> None:
    try:
        "".join(part for pair in pairs for part in pair).encode()
    except UnicodeEncodeError:
        return
    written = str(parse("Patient?a=b").with_criteria(tuple(pairs)))
    assert parse(written).criteria() == tuple(pairs)


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason=WHY_NOT)
def test_hl7s_examples_hold_few_references_of_no_known_form() -> None:
    others = set()
    total = 0
    for file in EXAMPLES.glob("*.json"):
        for text in _references(json.loads(file.read_bytes())):
            total += 1
            if parse(text).kind == "other":
                others.add(text)
    assert total > 10_000
    assert len(others) < 20, sorted(others)


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for inner in value for text in _references(inner)]
    if not isinstance(value, dict):
        return []
    own = [value["reference"]] if isinstance(value.get("reference"), str) else []
    return own + [text for inner in value.values() for text in _references(inner)]
