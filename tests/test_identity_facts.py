"""What is gathered of people: their facts, the keys that the engine would give them, and what is passed over."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import bundle, line, linked, patient, related

from masking.document import subjects
from masking.document.strings import to_part
from masking.identity import Facts, facts_of, gather
from masking.identity.names import contained_key, id_key, identifier_key, named_by, split

UUID = "0E5B9CC4-1111-4222-8333-94DF00000001"
OTHER = "0e5b9cc4-1111-4222-8333-94df00000002"
WHOLE = {
    "resourceType": "Patient",
    "id": "p1",
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "Rochell Sawayn"},
        {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress": {"city": "Olathe"}},
    ],
    "identifier": [
        {"type": {"coding": [{"code": "SS"}, {"code": "MR"}]}, "system": "urn:ssn", "value": "999-37-5744"},
        {"value": "77"},
        {"system": "urn:nothing"},
    ],
    "name": [
        {"use": "official", "family": "Bernier", "given": ["Kirby", "Ann"], "prefix": ["Mrs."], "suffix": ["MD"]},
        {"use": "maiden", "text": "Kirby Ahorn"},
        {"use": "old"},
    ],
    "telecom": [{"system": "phone", "value": "555-170-5199", "use": "home"}],
    "gender": "female",
    "birthDate": "1994-01-14",
    "deceasedDateTime": "2019-05-09T20:35:22-04:00",
    "address": [{"line": ["868 Sauer Forge"], "city": "Boston", "state": "MA", "postalCode": "02108", "country": "US"}],
    "contact": [
        {
            "name": {"text": "Joe Bernier"},
            "telecom": [{"system": "phone", "value": "555-1"}],
            "address": {"city": "Rome"},
            "organization": {"reference": "Organization/o1"},
        }
    ],
    "generalPractitioner": [{"reference": "Practitioner?identifier=urn:npi|123"}, {"reference": "Practitioner/d1"}],
    "link": [{"other": {"reference": "https://host/fhir/Patient/p2/_history/3"}, "type": "replaces"}],
}


def only(resource: Any, **where: Any) -> Facts:
    facts = facts_of(resource, **where)
    assert facts is not None
    return facts


def test_all_that_a_patient_says() -> None:
    facts = only(WHOLE)
    assert (facts.name, facts.sex, facts.birth_date, facts.death_date) == (
        "Patient/p1",
        "female",
        "1994-01-14",
        "2019-05-09T20:35:22-04:00",
    )
    assert msgspec.to_builtins(list(facts.names)) == [
        ["maiden", "", (), (), (), "Kirby Ahorn"],
        ["mothers-maiden", "", (), (), (), "Rochell Sawayn"],
        ["official", "Bernier", ("Kirby", "Ann"), ("Mrs.",), ("MD",), ""],
    ]
    assert msgspec.to_builtins(list(facts.identifiers)) == [["", "77", ()], ["urn:ssn", "999-37-5744", ("SS", "MR")]]
    home = "868 Sauer Forge|Boston|MA|02108|US"
    assert msgspec.to_builtins(list(facts.telecoms)) == [["phone", "555-170-5199", "home", home]]
    assert msgspec.to_builtins(list(facts.contacts[0].telecoms)) == [["phone", "555-1", "", home]]
    assert [(place.use, place.city) for place in facts.addresses] == [("", "Boston"), ("birthplace", "Olathe")]
    assert [(who.names[0].text, who.organization) for who in facts.contacts] == [("Joe Bernier", "Organization/o1")]
    assert facts.same == ("Patient/p2",)
    assert facts.carers == ("/urn:npi|123", "Organization/o1", "Practitioner/d1")
    assert facts.spellings == ("urn:ssn|999-37-5744", "|77")


def test_the_other_types() -> None:
    assert only(related("r1", "Patient/p1", name=[{"text": "Ann"}])).relatives == ("Patient/p1",)
    person = {"resourceType": "Person", "id": "x", "link": [{"target": {"reference": "Patient/p1"}}]}
    assert only(person).same == ("Patient/p1",)
    role = {
        "resourceType": "PractitionerRole",
        "id": "z",
        "practitioner": {"identifier": {"system": "urn:npi", "value": "1"}},
        "organization": {"reference": f"urn:uuid:{UUID}"},
    }
    assert (only(role).relatives, only(role).carers) == (("/urn:npi|1",), (f"/{UUID.lower()}", "/urn:npi|1"))
    place = {"resourceType": "Organization", "id": "o", "name": "General", "alias": ["The General"]}
    assert [(name.use, name.text) for name in only(place).names] == [("", "General"), ("alias", "The General")]
    assert only({"resourceType": "Practitioner", "id": "d", "gender": "male"}).sex == "male"
    assert facts_of({"resourceType": "Observation", "id": "o"}) is None


@pytest.mark.parametrize(
    ("resource", "where", "key", "aliases"),
    [
        (patient("p1"), {}, "p1", ()),
        (patient(UUID), {}, UUID.lower(), ()),
        (patient('a"é'), {}, r"a\"é", ()),
        (patient("p1"), {"full_url": f"urn:uuid:{OTHER}"}, "p1", (OTHER,)),
        (patient(UUID), {"full_url": f"urn:uuid:{UUID}"}, UUID.lower(), ()),
        ({"resourceType": "Patient"}, {"full_url": f"urn:uuid:{OTHER}"}, OTHER, ()),
        (patient("p1"), {"full_url": "https://host/fhir/Patient/9"}, "p1", ("9",)),
        (patient("p1"), {"full_url": "https://host/fhir/Group/9"}, "p1", ()),
        (patient("p1"), {"full_url": "https://host/fhir/Practitioner/9"}, "p1", ()),
        (patient("p1"), {"full_url": 7}, "p1", ()),
        (patient("p1"), {"root_id": UUID}, f"{UUID}#p1", ()),
        (patient("p1"), {"root_id": ""}, "#p1", ()),
    ],
)
def test_keys(resource: Any, where: Any, key: str, aliases: tuple[str, ...]) -> None:
    facts = only(resource, **where)
    assert (facts.key, facts.aliases) == (key, aliases)


@pytest.mark.parametrize("resource", [None, 1, "Patient", [], {}, {"resourceType": "Patient"}, patient(""), patient(7)])  # type: ignore[arg-type]
def test_what_nothing_can_refer_to(resource: Any) -> None:
    assert facts_of(resource) is None


ids = st.one_of(st.text(max_size=8), st.uuids().map(str), st.uuids().map(lambda uuid: str(uuid).upper()))


@given(ids, ids)
def test_keys_are_the_engines(one: str, other: str) -> None:
    first, second = to_part(one), to_part(other)
    assert id_key(one).encode() == subjects.id_key(first)
    assert contained_key(one, other).encode() == subjects.contained_key(first, b"#" + second)
    assert identifier_key(one, other).encode() == subjects.identifier_key(first, second)


@given(
    st.sampled_from(["Patient/{}", "https://host/Patient/{}/_history/1", "urn:uuid:{}", "#{}", "Group/{}", "{}"])
    | st.just("Patient?identifier=urn:x|{}"),
    ids,
)
def test_references_lead_to_the_engines_keys(form: str, own_id: str) -> None:
    reference = form.format(own_id)
    ours = split(named_by(reference, "root"))[1] or None
    theirs = subjects.Subjects().of(to_part(reference), b"root")
    assert (ours and ours.encode()) == (None if reference == "#" else theirs)


FIELDS = sorted(
    {"resourceType", "url", "valueString", "coding", "code", "_family", "alias", "line", "family", "use"} | set(WHOLE)
)
SAID = ["Patient", "Organization", "Person", "RelatedPerson", "Bundle", "#x", "Patient/1", "x", "1999-01-01"]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(SAID),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FIELDS, "reference", "other", "entry", "resource", "contained"]), inner)
    ),
    max_leaves=30,
)


@given(st.sampled_from(SAID[:4]), st.dictionaries(st.sampled_from([*FIELDS, "contained", "entry"]), anything))
def test_wrong_kinds_are_passed_over(kind: str, said: dict[str, Any]) -> None:
    resource = {**said, "resourceType": kind, "id": "p1"}
    assert only(resource).name == f"{kind}/p1"
    assert f"{kind}/p1" in {facts.name for facts in gather([line(resource)])}
    list(gather([line({**said, "resourceType": "Bundle", "entry": [{"fullUrl": [], "resource": resource}, 1]})]))


def test_no_repr_shows_a_value() -> None:
    facts = only(WHOLE)
    shown = repr((facts, facts.names, facts.identifiers, facts.contacts, facts.addresses, facts.telecoms))
    assert not any(secret in shown for secret in ("p1", "Kirby", "999", "555", "Boston", "1994", "Rome"))
    assert facts.__rich_repr__() == [("resource_type", "Patient")]


# ── gathering ──


def found(*resources: Any) -> dict[str, Facts]:
    return {facts.name: facts for facts in gather([line(resource) for resource in resources])}


def test_only_records_of_people_are_read() -> None:
    observation = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p1", "type": "Patient"}}
    assert set(found(observation, patient("p1"), {"resourceType": "Group", "id": "g"})) == {"Patient/p1"}


def test_bundles_and_what_they_contain() -> None:
    claim = {"resourceType": "Claim", "id": "c1", "contained": [patient("in", "Inner")]}
    whole = bundle(
        (f"urn:uuid:{UUID}", patient("p1", **linked(f"urn:uuid:{OTHER}"))),
        (f"urn:uuid:{OTHER}", patient("p2")),
        ("https://host/RelatedPerson/r1", related("r1", f"urn:uuid:{UUID.lower()}")),
        ("", claim),
        ("", bundle(("", patient("deep")))),
        ("", {"resourceType": "Parameters", "parameter": [{"part": [{"resource": patient("given")}]}]}),
    )
    records = found(whole)
    assert set(records) == {
        "Patient/p1", "Patient/p2", "RelatedPerson/r1", "Patient/c1#in", "Patient/deep", "Patient/given",
    }  # fmt: skip
    assert records["Patient/p1"].same == ("Patient/p2",)
    assert records["RelatedPerson/r1"].relatives == ("Patient/p1",)
    assert records["Patient/p1"].aliases == (UUID.lower(),)


def test_a_record_contained_in_a_record() -> None:
    whole = patient(
        "p1", contained=[{"resourceType": "Practitioner", "id": "d"}], generalPractitioner=[{"reference": "#d"}]
    )
    assert set(found(whole)) == {"Patient/p1", "Practitioner/p1#d"}
    assert found(whole)["Patient/p1"].carers == ("/p1#d",)


@pytest.mark.parametrize(
    "damaged", [b'{"resourceType":"Patient"', b'[{"resourceType":"Patient"}]', b"\xff" + line(WHOLE)]
)
def test_damaged_lines_are_passed_over(damaged: bytes) -> None:
    assert [facts.name for facts in gather([damaged, line(patient("p1")), damaged])] == ["Patient/p1"]


def test_spellings_of_a_line() -> None:
    pretty = json.dumps(patient("p1"), indent=2).encode().replace(b'"resourceType": ', b'"resourceType" :\n ')
    assert [facts.name for facts in gather([b"\xef\xbb\xbf" + pretty])] == ["Patient/p1"]


DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.skipif(not DATA.exists(), reason="the export is not here")
def test_a_true_export() -> None:
    folder = DATA / "bulk-10-patients"
    records = [
        facts for path in folder.glob("*.gz") for facts in gather(gzip.decompress(path.read_bytes()).split(b"\n"))
    ]
    kinds = [facts.resource_type for facts in records]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "Patient": 13, "Practitioner": 43, "PractitionerRole": 43, "Organization": 43, "Location": 44, "": 217,
    }  # fmt: skip
    assert all(facts.met for facts in records if not facts.resource_type)  # notes of charts, each once
    assert all(facts.names and facts.sex and facts.birth_date for facts in records if facts.resource_type == "Patient")
    bundles = [
        facts for path in (DATA / "bundles").glob("*.gz") for facts in gather([gzip.decompress(path.read_bytes())])
    ]
    assert [facts.resource_type for facts in bundles].count("Patient") == 5
