"""Whose a resource is where a reference does not say what it points at: the document is asked, then who is known."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from documents import dump, keyring, plan
from oracle import Oracle
from people import linked, patient

from masking.document import Engine
from masking.identity import People, facts_of
from masking.maskers.dates import BoundDateShift

ANN, DOC, ROOM = (f"6d75c0ee-3f5b-4b8d-9c33-00000000000{n}" for n in range(3))
DAY = "2024-06-01"
VISIT: dict[str, Any] = {"resourceType": "Appointment", "id": "visit", "status": "booked", "created": DAY}


def actors(*actors: dict[str, Any]) -> dict[str, Any]:
    return {**VISIT, "participant": [{"actor": actor, "status": "accepted"} for actor in actors]}


def urn(own_id: str, **more: str) -> dict[str, Any]:
    return {"reference": f"urn:uuid:{own_id}", **more}


def known(*records: dict[str, Any]) -> People:
    return People(facts for record in records if (facts := facts_of(record)) is not None)


def masked(document: dict[str, Any], people: People | None = None) -> Any:
    """The masked document; the oracle says the same."""
    source = dump(document)
    found = Engine(plan(), people=people).mask_batch([source]).masked[0]
    assert found is not None
    assert found == Oracle(plan(), people).mask(source).masked
    return json.loads(found)


def offset(found: Any) -> int:
    return (date.fromisoformat(found["created"]) - date.fromisoformat(DAY)).days


def shift(key: str) -> int:
    bound = plan().bound(plan().root("Appointment").child("created").rule.masker)
    assert isinstance(bound, BoundDateShift)
    return bound.offset(key, is_patient=True)


def test_the_keys_differ() -> None:
    assert keyring()
    assert len({shift(key) for key in (ANN, DOC, ROOM, "visit", "p1", "visit#d", "visit#p")}) == 7


RECORDS = known(
    patient(ANN), {"resourceType": "Practitioner", "id": DOC, "identifier": [{"system": "s", "value": "9"}]}
)


def test_people_tell_who_of_the_participants_is_the_patient() -> None:
    assert offset(masked(actors(urn(DOC), urn(ROOM), urn(ANN)), RECORDS)) == shift(ANN)
    assert offset(masked(actors(urn(DOC), {"reference": "Patient/p1"}), RECORDS)) == shift("p1")
    assert offset(masked(actors({"identifier": {"system": "s", "value": "9"}}, urn(ANN)), RECORDS)) == shift(ANN)


def test_who_is_known_to_be_no_patient_is_no_subject() -> None:
    assert offset(masked(actors(urn(DOC)), RECORDS)) == shift("visit")
    assert offset(masked(actors({"identifier": {"system": "s", "value": "9"}}), RECORDS)) == shift("visit")
    assert offset(masked(actors(urn(DOC, type="Practitioner")))) == shift("visit")


def test_without_people_a_bundle_tells_what_its_full_urls_lead_to() -> None:
    def bundle(*full_urls: str) -> Any:
        resources = [{"resourceType": "Practitioner", "id": DOC}, actors(urn(DOC), urn(ANN)), patient(ANN)]
        entries = [{"fullUrl": url, "resource": each} for url, each in zip(full_urls, resources, strict=True)]
        found = masked({"resourceType": "Bundle", "type": "collection", "entry": entries})
        return found["entry"][1]["resource"]

    assert offset(bundle(f"urn:uuid:{DOC}", "urn:uuid:x", f"urn:uuid:{ANN}")) == shift(ANN)
    assert offset(bundle(f"https://host/Practitioner/{DOC}", "https://host/Appointment/visit", "-")) == shift(ANN)


@pytest.mark.parametrize("people", [None, RECORDS], ids=["alone", "with people"])
def test_contained_resources_say_what_they_are(people: People | None) -> None:
    inner = [{"resourceType": "Practitioner", "id": "d"}, {"resourceType": "Patient", "id": "p"}]
    visit = actors({"reference": "#d"}, {"reference": "#p"})
    assert offset(masked({**visit, "contained": inner}, people)) == shift("visit#p")
    assert offset(masked({**visit, "contained": inner[:1]}, people)) == shift("visit#p")  # nothing tells what #p is
    only = actors({"reference": "#d"})
    assert offset(masked({**only, "contained": inner[:1]}, people)) == shift("visit")


def test_a_reference_that_says_its_type_is_believed() -> None:
    assert offset(masked(actors(urn(ROOM, type="Location"), urn(ANN, type="Patient")))) == shift(ANN)
    numbers = [{"type": kind, "identifier": {"system": "s", "value": kind}} for kind in ("Practitioner", "Patient")]
    assert offset(masked(actors(*numbers))) == shift("s|Patient")


def test_who_stands_where_the_subject_does_is_the_subject_unless_told_otherwise() -> None:
    """A patient who is not in the export has a persona all the same, and a patient who performs is not the subject."""
    seen = {"resourceType": "Observation", "id": "o", "status": "final", "effectiveDateTime": DAY}
    for subject, expected in ((urn(ROOM), ROOM), (urn(DOC), ANN), ({"reference": "Device/1"}, ANN)):
        document = {**seen, "subject": subject, "performer": [urn(DOC), {"reference": f"Patient/{ANN}"}]}
        found = masked(document, RECORDS)
        assert offset({"created": found["effectiveDateTime"]}) == shift(expected)


def test_what_nothing_is_known_of_counts_where_nobody_better_stands() -> None:
    assert offset(masked(actors(urn(ROOM), urn(ANN)))) == shift(ROOM)
    assert offset(masked(actors(urn(ROOM), {"reference": "Patient/p1"}))) == shift("p1")


SPELLINGS = [
    {"reference": f"Patient/{ANN}"},
    {"reference": f"Patient/{ANN.upper()}"},
    {"reference": f"https://host/fhir/Patient/{ANN}/_history/2"},
    urn(ANN),
    {"identifier": {"system": "http://x", "value": "7"}},
    {"reference": "Patient?identifier=http://x|7"},
    {"reference": "Patient/other"},
]


@pytest.mark.parametrize("reference", SPELLINGS, ids=str)
def test_one_patient_in_any_spelling_has_one_offset_and_one_persona(reference: dict[str, Any]) -> None:
    """By its id, its fullUrl, an identifier, and the record that is linked to it."""
    number = [{"system": "http://x", "value": "7"}]
    people = known(patient(ANN, "Zbornak", identifier=number, **linked("Patient/other")), patient("other", "Zbornak"))
    found = masked({**actors({**reference, "display": "Dorothy Zbornak"})}, people)
    assert offset(found) == shift(ANN)
    assert (
        found["participant"][0]["actor"]["display"]
        == masked(actors({**urn(ANN), "display": "Dorothy Zbornak"}), people)["participant"][0]["actor"]["display"]
    )
    assert "Zbornak" not in str(found)


@pytest.mark.parametrize(
    "own",
    [
        "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d",
        "abcdef12-3b7d-4bad-9bdd-2b0d7b3dcb6d",
        "12345678-3b7d-4bad-9bdd-2b0d7b3dcb6d",
    ],
)
@pytest.mark.parametrize("form", ["{}", "Patient/{}", "urn:uuid:{}", '"Patient/{}"', "key-{}", "(Observation/{})"])
def test_a_uuid_in_a_text_has_the_pseudonym_that_it_has_elsewhere(own: str, form: str) -> None:
    """Behind a slash, too, where other numbers are parts of codes."""
    person = patient(own, "Zbornak")
    document = {
        **VISIT,
        "comment": f"see {form.format(own)} first",
        **{"participant": actors({"reference": f"Patient/{own}"})["participant"]},
    }
    found = masked_alone(document, known(person))
    new = found["participant"][0]["actor"]["reference"].removeprefix("Patient/")
    assert found["comment"] == f"see {form.format(new)} first"


def masked_alone(document: dict[str, Any], people: People) -> Any:
    """The masked document, without the oracle's word."""
    found = Engine(plan(), people=people).mask_batch([dump(document)]).masked[0]
    assert found is not None
    return json.loads(found)


@pytest.mark.parametrize("number", [b"1E999", b"9" * 5000, b"-0.0"])
def test_a_number_in_place_of_a_name_stops_nothing(number: bytes) -> None:
    source = b'{"resourceType":"Patient","id":"a","name":[{"family":%b}],"telecom":[{"system":"email","value":"j@real.org"}]}'
    (masked,) = Engine(plan()).mask_batch([source % number]).masked
    assert masked is not None
    assert b"real.org" not in masked and number not in masked
