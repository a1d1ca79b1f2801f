"""What `realistic` makes of texts, contacts, attachments, relatives and definitions, with people known and without."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from hashlib import sha1
from typing import Any

import pytest
from documents import check, dump, one, plan

from masking.document import Engine
from masking.identity.gather import gather
from masking.identity.people import People

REDACTED = "REDACTED"
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "gender": "female",
    "birthDate": "1987-03-14",
    "name": [
        {"use": "maiden", "family": "Aagard", "given": ["Mary"]},
        {"use": "official", "family": "Novak", "given": ["Maria", "Q"]},
    ],
    "telecom": [{"system": "email", "value": "maria.novak@hospital.org"}, {"system": "phone", "value": "617-555-1234"}],
}


def known(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    """The documents, masked by an engine that knows the people in them."""
    lines = [dump(document) for document in documents]
    engine = Engine(plan()).with_people(People(gather(lines)))
    batch = engine.mask_batch(lines)
    assert batch.faults == []
    return [json.loads(masked or b"") for masked in batch.masked]


def alone(document: dict[str, Any], policy: str = "realistic") -> dict[str, Any]:
    """The document, masked by an engine that knows nobody, as the oracle masks it."""
    check([dump(document)], policy)
    return json.loads(one(document, policy))  # type: ignore[no-any-return]


def labels(document: dict[str, Any]) -> list[str]:
    return [label["code"] for label in document["meta"]["security"]]


def observation(text: str, subject: str = "Patient/p1", **rest: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "subject": {"reference": subject},
        "valueString": text,
        **rest,
    }


# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_that_becomes_a_placeholder_is_labelled() -> None:
    assert labels(alone(observation("Walks again."))) == ["PSEUDED", REDACTED]
    _, found = known(PATIENT, observation("Walks again."))
    assert labels(found) == ["PSEUDED"] and found["valueString"] == "Walks again."


def test_a_mark_within_a_text_is_labelled_and_one_of_the_sources_own_is_not() -> None:
    _, found = known(PATIENT, observation("Lives in Boston, MA 02115, [sic]."))
    assert "[zip]" in found["valueString"] and labels(found) == ["PSEUDED", REDACTED]
    _, found = known(PATIENT, observation("Well, it says [zip] here, [sic]."))
    assert "[zip]" in found["valueString"] and labels(found) == ["PSEUDED"]


def test_a_display_that_becomes_a_placeholder_is_labelled() -> None:
    shown = {"reference": "Condition/c1", "display": "Joe's knee"}
    found = alone({"resourceType": "Encounter", "id": "e", "status": "finished", "diagnosis": [{"condition": shown}]})
    assert found["diagnosis"][0]["condition"]["display"] == "[redacted]" and labels(found) == ["PSEUDED", REDACTED]


def test_an_attachment_that_becomes_a_placeholder_is_labelled() -> None:
    note = document_of(b"Maria Novak walks.")
    assert labels(alone(note)) == ["PSEUDED", REDACTED]
    assert labels(known(PATIENT, note)[1]) == ["PSEUDED"]


# ── attachments ──────────────────────────────────────────────────────────────────────────────────────────────────────


def document_of(content: bytes, content_type: str = "text/plain", **rest: Any) -> dict[str, Any]:
    attachment = {
        "contentType": content_type,
        "data": base64.b64encode(content).decode(),
        "size": len(content),
        "hash": base64.b64encode(sha1(content).digest()).decode(),
        **rest,
    }
    return {
        "resourceType": "DocumentReference",
        "id": "d1",
        "status": "current",
        "subject": {"reference": "Patient/p1"},
        "content": [{"attachment": attachment}],
    }


@pytest.mark.parametrize("is_known", [True, False])
def test_size_and_hash_are_those_of_the_scrubbed_bytes(is_known: bool) -> None:
    source = document_of(b"Maria Novak, born 1987-03-14, walks.")
    found = (known(PATIENT, source)[1] if is_known else alone(source))["content"][0]["attachment"]
    content = base64.b64decode(found["data"])
    assert b"Novak" not in content and (b"walks" in content) == is_known
    assert found["size"] == len(content)
    assert found["hash"] == base64.b64encode(sha1(content).digest()).decode()


def test_size_and_hash_go_with_the_bytes() -> None:
    for source in (document_of(b"\x89PNG", "image/png"), document_of(b"x", data="not base64")):
        found = alone(source)["content"][0]["attachment"]
        assert found.keys().isdisjoint({"data", "size", "hash"}) and "_data" in found
    elsewhere = document_of(b"x", url="https://hospital.org/1")
    del elsewhere["content"][0]["attachment"]["data"]
    assert alone(elsewhere)["content"][0]["attachment"].keys().isdisjoint({"size", "hash", "url"})


def test_what_the_source_did_not_say_is_not_said() -> None:
    source = document_of(b"Well.")
    del source["content"][0]["attachment"]["size"], source["content"][0]["attachment"]["hash"]
    assert set(alone(source)["content"][0]["attachment"]) == {"contentType", "data"}


def test_a_policy_that_drops_the_bytes_drops_size_and_hash() -> None:
    found = alone(document_of(b"Well."), "safe_harbor")["content"][0]["attachment"]
    assert found.keys().isdisjoint({"data", "size", "hash"})


# ── e-mails and user names ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_email_bears_the_fake_name_that_the_record_shows() -> None:
    found = alone(PATIENT)
    name = found["name"][1]
    email = found["telecom"][0]["value"]
    given, family = name["given"][0].lower(), name["family"].lower()
    assert re.fullmatch(rf"{given}\.{family}[0-9]{{6}}@example\.(com|org|net)", email)
    backwards = {**PATIENT, "name": PATIENT["name"][::-1]}
    assert alone(backwards)["telecom"][0]["value"] == email


def test_a_contacts_email_bears_the_contacts_name() -> None:
    contact = {
        "name": {"family": "Smith", "given": ["Joe"]},
        "gender": "male",
        "telecom": [{"system": "email", "value": "joe@smith.org"}],
    }
    found = alone({**PATIENT, "contact": [contact]})["contact"][0]
    assert found["telecom"][0]["value"].startswith(f"{found['name']['given'][0]}.{found['name']['family']}".lower())
    nameless = alone({**PATIENT, "contact": [{"telecom": contact["telecom"]}]})["contact"][0]
    assert re.fullmatch(r"[a-z]+\.[a-z]+[0-9]{6}@example\.(com|org|net)", nameless["telecom"][0]["value"])


def test_a_note_shows_the_same_email() -> None:
    patient, found = known(PATIENT, observation("Write to maria.novak@hospital.org."))
    assert found["valueString"] == f"Write to {patient['telecom'][0]['value']}."


def test_a_user_name_is_made_of_the_name_of_whom_it_belongs_to() -> None:
    nurse = {
        "resourceType": "Practitioner",
        "id": "n1",
        "name": [{"family": "Okafor", "given": ["Ada"]}],
        "gender": "female",
    }
    agent = {"who": {"reference": "Practitioner/n1"}, "altId": "aokafor", "name": "Ada Okafor", "requestor": True}
    event = {"resourceType": "AuditEvent", "id": "a1", "agent": [agent, {**agent, "who": {"reference": "Device/d"}}]}
    practitioner, found = known(nurse, event)
    name = practitioner["name"][0]
    given, family = name["given"][0], name["family"]
    assert found["agent"][0]["name"] == f"{given} {family}"
    assert re.fullmatch(rf"{given[0]}{family}[0-9]{{5}}".lower(), found["agent"][0]["altId"])
    assert re.fullmatch("[0-9a-z]{16}", found["agent"][1]["altId"]) and found["agent"][1]["name"] == "[redacted]"


# ── free text ────────────────────────────────────────────────────────────────────────────────────────────────────────

LOCAL = "https://hospital.org/codes"


def test_texts_of_local_codes_are_scrubbed() -> None:
    code = {"coding": [{"system": LOCAL, "code": "7", "display": "Maria Novak's ward"}], "text": "Ward of Maria Novak"}
    patient, found = known(PATIENT, observation("Well.", code=code))
    name = f"{patient['name'][1]['given'][0]} {patient['name'][1]['family']}"
    assert found["code"]["coding"][0]["display"] == f"{name}'s ward" and found["code"]["text"] == f"Ward of {name}"
    assert alone(observation("Well.", code=code))["code"]["text"] == "[redacted]"


@pytest.mark.parametrize(
    ("resource_type", "beside", "path"),
    [
        ("Observation", {"subject": "@"}, "valueString"),
        ("Observation", {"subject": "@"}, "note.0.text"),
        ("Observation", {"subject": "@"}, "referenceRange.0.text"),
        ("DiagnosticReport", {"subject": "@"}, "conclusion"),
        ("CarePlan", {"subject": "@"}, "title"),
        ("CarePlan", {"subject": "@"}, "description"),
        ("ServiceRequest", {"subject": "@"}, "patientInstruction"),
        ("ServiceRequest", {"subject": "@"}, "reasonCode.0.text"),
        ("MedicationRequest", {"subject": "@"}, "dosageInstruction.0.patientInstruction"),
        ("Composition", {"subject": "@"}, "section.0.title"),
        ("Goal", {"subject": "@"}, "target.0.detailString"),
        ("Goal", {"subject": "@"}, "statusReason"),
        ("Procedure", {"subject": "@"}, "performedString"),
        ("MedicationAdministration", {"subject": "@"}, "dosage.text"),
        ("RiskAssessment", {"subject": "@"}, "mitigation"),
        ("Task", {"for": "@"}, "description"),
        ("Immunization", {"patient": "@"}, "occurrenceString"),
        ("ClaimResponse", {"patient": "@"}, "disposition"),
        ("FamilyMemberHistory", {"patient": "@"}, "deceasedString"),
        ("DetectedIssue", {"patient": "@"}, "detail"),
    ],
)
def test_prose_is_scrubbed(resource_type: str, beside: dict[str, str], path: str) -> None:
    value: Any = "Maria Novak walks."
    for step in reversed(path.split(".")):
        value = [value] if step.isdecimal() else {step: value}
    source = {"resourceType": resource_type, "id": "x", **{key: {"reference": "Patient/p1"} for key in beside}, **value}
    patient, found = known(PATIENT, source)
    for step in path.split("."):
        found = found[int(step)] if step.isdecimal() else found[step]
    name = f"{patient['name'][1]['given'][0]} {patient['name'][1]['family']}"
    assert found == f"{name} walks."


# ── relatives ────────────────────────────────────────────────────────────────────────────────────────────────────────


def days(one: str, other: str) -> int:
    return (date.fromisoformat(one) - date.fromisoformat(other)).days


@pytest.mark.parametrize("is_known", [True, False])
def test_a_relatives_dates_move_with_the_patients(is_known: bool) -> None:
    relative = {
        "resourceType": "RelatedPerson",
        "id": "r1",
        "patient": {"reference": "Patient/p1"},
        "name": [{"family": "Novak", "given": ["Eva"]}],
        "birthDate": "1960-01-20",
        "period": {"start": "2024-01-01", "end": "2024-03-01"},
    }
    visit = {
        "resourceType": "Encounter",
        "id": "e",
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2024-02-01"},
    }
    found = known(PATIENT, relative, visit) if is_known else [alone(each) for each in (PATIENT, relative, visit)]
    _, masked, encounter = found
    assert days(masked["period"]["start"], encounter["period"]["start"]) == -31
    assert days(masked["period"]["end"], encounter["period"]["start"]) == 29
    assert masked["birthDate"] != "1960-01-20"
    nobodys = {key: value for key, value in relative.items() if key != "patient"}
    assert days(alone(nobodys)["period"]["end"], alone(nobodys)["period"]["start"]) == 60


def test_a_contained_relatives_dates_move_with_the_patients() -> None:
    relative = {
        "resourceType": "RelatedPerson",
        "id": "r",
        "patient": {"reference": "Patient/p1"},
        "period": {"start": "2024-01-01"},
    }
    found = alone(
        observation("Well.", contained=[relative], effectiveDateTime="2024-02-01", focus=[{"reference": "#r"}])
    )
    assert days(found["contained"][0]["period"]["start"], found["effectiveDateTime"]) == -31


def test_practitioners_and_persons_have_dates_of_their_own() -> None:
    licence = {"period": {"start": "2024-01-01"}, "code": {"coding": [{"code": "MD"}]}}
    practitioner = alone({"resourceType": "Practitioner", "id": "n", "qualification": [licence]})
    visit = observation("Well.", effectiveDateTime="2024-01-01")
    moved = alone(visit)["effectiveDateTime"]
    assert practitioner["qualification"][0]["period"]["start"] != moved
    person = {
        "resourceType": "Person",
        "id": "s1",
        "link": [{"target": {"reference": "Patient/p1"}}],
        "meta": {"tag": []},
    }
    note = {
        **person,
        "extension": [],
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Seen 2024-01-01</div>'},
    }
    _, shown, dated = known(PATIENT, note, visit)
    assert dated["effectiveDateTime"] in shown["text"]["div"]


# ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_publishers() -> None:
    def publisher(name: str, policy: str = "realistic") -> str:
        return alone({"resourceType": "ValueSet", "id": "v", "status": "active", "publisher": name}, policy)[
            "publisher"
        ]  # type: ignore[no-any-return]

    for body in ("HL7", "HL7 International - Patient Care WG", "Health Level Seven, Inc. - FHIR WG"):
        assert publisher(body) == body == publisher(body, "safe_harbor")
    fake = publisher("St. Joe's Hospital")
    assert re.fullmatch("Publisher [0-9a-z]{16}", fake) and fake == publisher("St. Joe's Hospital")
    assert publisher("St. Joe's Hospital", "safe_harbor") == "[redacted]"


def test_versions_of_one_record_stay_apart() -> None:
    def version(number: str, policy: str = "realistic") -> str | None:
        return alone({**PATIENT, "meta": {"versionId": number}}, policy)["meta"].get("versionId")  # type: ignore[no-any-return]

    assert version("1") == version("1") != version("2")
    assert re.fullmatch(r"id-[0-9a-f]{32}", version("1") or "") and version("1") != alone({**PATIENT, "id": "1"})["id"]
    assert version("1", "safe_harbor") is None


def test_a_local_code_system_has_one_fake_uri_everywhere() -> None:
    fake = alone(observation("Well.", code={"coding": [{"system": LOCAL, "code": "7"}]}))["code"]["coding"][0]["system"]
    assert fake.startswith("https://www.example.org/") and "hospital" not in fake
    assert alone({"resourceType": "CodeSystem", "id": "c", "url": LOCAL})["url"] == fake
    number = alone({**PATIENT, "identifier": [{"system": LOCAL, "value": "12345678"}]})["identifier"][0]
    assert number["system"] == fake
    include = {"system": LOCAL, "concept": [{"code": "7"}]}
    found = alone({"resourceType": "ValueSet", "id": "v", "compose": {"include": [include], "exclude": [include]}})
    assert [found["compose"][key][0]["system"] for key in ("include", "exclude")] == [fake, fake]
    mapped = alone({"resourceType": "ConceptMap", "id": "m", "group": [{"source": LOCAL, "target": LOCAL}]})["group"][0]
    assert mapped == {"source": fake, "target": fake}
    loinc = {"system": "http://loinc.org", "code": "8480-6", "display": "Systolic blood pressure"}
    assert alone(observation("Well.", code={"coding": [loinc]}))["code"]["coding"] == [loinc]


def test_a_contained_definition_is_found_by_its_canonical() -> None:
    url = "http://hl7.org/fhir/StructureDefinition/valueset-map"
    source = {"resourceType": "ValueSet", "id": "v", "contained": [{"resourceType": "ConceptMap", "id": "map"}],
              "extension": [{"url": url, "valueCanonical": "#map"}], "compose": {"include": [{"system": "#map"}]}}  # fmt: skip
    found = alone(source)
    own = f"#{found['contained'][0]['id']}"
    assert found["extension"][0]["valueCanonical"] == own == found["compose"]["include"][0]["system"]


def test_dates_of_definitions_for_one_patient_are_shifted() -> None:
    """A GuidanceResponse asks for one patient's data, a plan may be for one patient, a form may be filled in beforehand."""
    moved = alone(observation("Well.", effectiveDateTime="2024-02-01"))["effectiveDateTime"]
    asked = {"type": "Observation", "dateFilter": [{"path": "date", "valueDateTime": "2024-02-01"}]}
    found = alone({"resourceType": "GuidanceResponse", "id": "g", "status": "success", "moduleUri": "http://hl7.org/x",
                   "subject": {"reference": "Patient/p1"}, "dataRequirement": [asked]})  # fmt: skip
    assert found["dataRequirement"][0]["dateFilter"][0]["valueDateTime"] == moved
    form = {"resourceType": "Questionnaire", "id": "q", "status": "active",
            "item": [{"linkId": "1", "type": "date", "initial": [{"valueDate": "2024-02-01"}]}]}  # fmt: skip
    answers = {"resourceType": "QuestionnaireResponse", "id": "a", "status": "completed", "contained": [form],
               "questionnaire": "#q", "subject": {"reference": "Patient/p1"}}  # fmt: skip
    assert alone(answers)["contained"][0]["item"][0]["initial"][0]["valueDate"] == moved
    plan_of = {"resourceType": "PlanDefinition", "id": "d", "status": "active", "date": "2024-02-01",
               "action": [{"trigger": [{"type": "periodic", "timingDate": "2024-02-01"}]}]}  # fmt: skip
    found = alone(plan_of)
    assert found["date"] == "2024-02-01" != found["action"][0]["trigger"][0]["timingDate"]


# ── other places where names stand ───────────────────────────────────────────────────────────────────────────────────

NAMED = "Zebulon Quux"


@pytest.mark.parametrize(
    "source",
    [
        {"resourceType": "Patient", "id": "p", "name": [{"text": NAMED}]},
        {"resourceType": "Patient", "id": "p", "identifier": [{"value": "12345678", "assigner": {"display": NAMED}}]},
        {"resourceType": "Organization", "id": "o", "contact": [{"name": {"family": "Quux", "given": ["Zebulon"]}}]},
        {"resourceType": "Organization", "id": "o", "name": NAMED, "alias": [NAMED]},
        {"resourceType": "Location", "id": "l", "name": NAMED, "managingOrganization": {"display": NAMED}},
        {"resourceType": "Encounter", "id": "e", "location": [{"location": {"reference": "Location/1", "display": NAMED}}]},
        {"resourceType": "Encounter", "id": "e", "serviceProvider": {"reference": "Organization/1", "display": NAMED}},
        {"resourceType": "Provenance", "id": "v", "signature": [
            {"who": {"display": NAMED}, "onBehalfOf": {"display": NAMED}, "data": base64.b64encode(NAMED.encode()).decode()}]},
        {"resourceType": "Patient", "id": "p", "implicitRules": "https://hospital.org/~zebulon-quux"},
        {"resourceType": "Patient", "id": "p", "telecom": [{"system": "url", "value": "https://quux.org/zebulon"}]},
        {"resourceType": "Patient", "id": "p", "meta": {"profile": ["https://quux.org/zebulon"]}},
    ],
    ids=lambda source: f"{source['resourceType']}.{list(source)[-1]}",
)  # fmt: skip
def test_names_in_other_places_go(source: dict[str, Any]) -> None:
    others: Sequence[dict[str, Any]] = [{"resourceType": "Organization", "id": "1", "name": NAMED}]
    for found in (alone(source), known(source, *others)[0]):
        text = json.dumps(found).casefold()
        assert (
            "zebulon" not in text
            and "quux" not in text
            and base64.b64encode(NAMED.encode()).decode().casefold() not in text
        )


def test_a_signature_keeps_that_there_was_one() -> None:
    signature = {"when": "2024-02-01T10:00:00Z", "who": {"reference": "Practitioner/n"}, "data": "aGVsbG8="}
    found = alone({"resourceType": "Provenance", "id": "v", "signature": [signature]})["signature"][0]
    assert "data" not in found and found["_data"] and found["who"]["reference"].startswith("Practitioner/")


def test_a_facilitys_display_is_its_fake_name() -> None:
    clinic = {"resourceType": "Organization", "id": "1", "name": NAMED}
    visit = {
        "resourceType": "Encounter",
        "id": "e",
        "serviceProvider": {"reference": "Organization/1", "display": NAMED},
    }
    organization, found = known(clinic, visit)
    assert found["serviceProvider"]["display"] == organization["name"]


def test_a_text_shows_the_telephone_of_the_record() -> None:
    """Its area code goes by the fake address, which the text does not name."""
    home = {"line": ["12 Elm Street"], "city": "Boston", "state": "MA", "postalCode": "02108", "country": "US"}
    told = {**PATIENT, "address": [home], "contact": [{"telecom": [{"system": "phone", "value": "(508) 555-9876"}]}]}
    seen, note = known(told, observation("Call 617-555-1234, or her son at 508.555.9876."))
    own, son = seen["telecom"][1]["value"], seen["contact"][0]["telecom"][0]["value"]
    digits = re.findall(r"[0-9]{3}.[0-9]{3}.[0-9]{4}", note["valueString"])
    assert [re.sub("[^0-9]", "", number) for number in digits] == [re.sub("[^0-9]", "", own), re.sub("[^0-9]", "", son)]


# ── links of narratives ──────────────────────────────────────────────────────────────────────────────────────────────


def test_links_of_a_narrative_lead_where_references_lead() -> None:
    """To a contained resource, by type and id, by a URL, of people and of others; anchors and other links as before."""
    links = [
        "#obs",
        "Practitioner/d7",
        "https://ehr.hospital.org/fhir/Patient/ghost",
        "#top",
        "https://joe.org/x",
        "Basic/b1",
    ]
    body = "".join(f'<a title="see" href="{link}">it</a>' for link in links)
    contained = {"resourceType": "Observation", "id": "obs", "status": "final", "code": {"text": "x"}}
    report = {
        "resourceType": "DiagnosticReport", "id": "r1", "status": "final", "subject": {"reference": "Patient/p1"},
        "contained": [contained], "result": [{"reference": "#obs"}], "performer": [{"reference": "Practitioner/d7"}],
        "resultsInterpreter": [{"reference": "https://ehr.hospital.org/fhir/Patient/ghost"}],
        "basedOn": [{"reference": "Basic/b1"}],
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p id="top">Novak</p>{body}</div>'},
    }  # fmt: skip
    _, found = known(PATIENT, report)
    shown = re.findall('href="([^"]*)"', found["text"]["div"])
    of = {name: found[name][0]["reference"] for name in ("result", "performer", "resultsInterpreter", "basedOn")}
    assert shown[:3] == [of["result"], of["performer"], of["resultsInterpreter"]]
    assert shown[0] == f"#{found['contained'][0]['id']}" != "#obs"
    assert shown[3] == "#top" and '<p id="top">' in found["text"]["div"] and "Novak" not in found["text"]["div"]
    assert "joe" not in shown[4]
    assert shown[5] == of["basedOn"]


def test_a_narrative_with_odd_links_is_scrubbed_all_the_same() -> None:
    div = "<div xmlns='http://www.w3.org/1999/xhtml'><a href=''>Novak</a><img src='#obs'/><a href='Patient/p1'>x</a></div>"
    source = observation("x") | {"text": {"status": "generated", "div": div}}
    record, found = known(PATIENT, source)
    shown = re.findall("(?:href|src)='([^']*)'", found["text"]["div"])
    assert shown[0] == "" and shown[1].startswith("#") and shown[2] == f"Patient/{record['id']}"
    assert "Novak" not in found["text"]["div"]


def test_a_subject_whom_nobody_describes_is_counted() -> None:
    """By the type of the resource; what names nobody, and who is known by another record, is not."""
    documents = [
        PATIENT,
        observation("x", "Patient/ghost", effectiveDateTime="2020-01-02"),
        observation("x", "Patient/p1", effectiveDateTime="2020-01-02"),
        {"resourceType": "Medication", "id": "m1", "batch": {"expirationDate": "2020-01-02"}},
        {"resourceType": "Encounter", "id": "e", "status": "finished", "subject": {"identifier": {"value": "7"}},
         "period": {"start": "2020-01-02"}},
    ]  # fmt: skip
    lines = [dump(document) for document in documents]
    for size in (1, 5):
        engine, found = Engine(plan()).with_people(People(gather(lines))), Counter[str]()
        for start in range(0, len(lines), size):
            found.update(engine.mask_batch(lines[start : start + size]).dangling)
        assert found == {"Observation": 1, "Encounter": 1}
    assert not Engine(plan()).mask_batch(lines).dangling
