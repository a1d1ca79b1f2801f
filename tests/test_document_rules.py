"""The rules one by one: what goes and with which comma, what is put in, and what must agree with what."""

import itertools
import json

import pytest
from documents import check, dump, mask, one, plan

from masking.maskers.dates import BoundDateShift
from masking.policy.plan import Plan

DAR = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
PSEUDED = {"system": SYSTEM, "code": "PSEUDED", "display": "pseudonymized"}
REDACTED = {"system": SYSTEM, "code": "REDACTED", "display": "redacted"}
PATIENT = {"resourceType": "Patient", "id": "p1"}


def masked(document: object, policy: str = "realistic") -> dict:
    """The masked document; every way gives the same, and the oracle too."""
    check([dump(document), json.dumps(document).encode(), json.dumps(document, indent=1).encode()], policy)
    return json.loads(one(document, policy))


# ── what goes ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kept", list(itertools.product([True, False], repeat=4)))
def test_properties_and_items_go_from_any_place(kept):
    known, unknown = ["active", "gender", "language", "implicitRules"], ["a", "b", "c", "d"]
    names = [know if keep else no for know, no, keep in zip(known, unknown, kept, strict=True)]
    found = masked({**PATIENT, **{name: "male" if name != "active" else True for name in names}})
    assert list(found)[3:] == [name for name in names if name in known]
    tags = [{"code": "x"} if keep else "x" for keep in kept]
    profile = ["http://hl7.org/x" if keep else {} for keep in kept]
    found = masked({**PATIENT, "meta": {"tag": tags, "profile": profile}})["meta"]
    assert found.get("tag", []) == [tag for tag in tags if tag != "x"]
    assert found.get("profile", []) == [url for url in profile if url != {}]


def test_what_empties_goes_with_its_contents():
    found = masked(
        {**PATIENT, "contact": [{"organization": {"a": 1}}, {"period": {"start": 5}}], "photo": [{"url": "x"}]}
    )
    assert set(found) == {"resourceType", "id", "meta"}


def test_what_was_empty_stays():
    found = masked({**PATIENT, "name": [], "contact": [{}], "maritalStatus": {}, "gender": None, "link": [None]})
    assert (found["name"], found["contact"], found["maritalStatus"], found["gender"], found["link"]) == (
        [],
        [{}],
        {},
        None,
        [None],
    )


def test_required_elements_leave_a_reason():
    found = masked({"resourceType": "Observation", "status": 5, "code": "x", "category": [{"text": 5}]})
    assert found["_status"] == {"extension": [DAR]} and "status" not in found
    assert found["code"] == {"extension": [DAR]}
    found = masked(
        {"resourceType": "Communication", "status": "final", "payload": [{"contentAttachment": {"data": "aGk="}}]}
    )
    assert found["payload"][0]["contentAttachment"]["_data"] == {"extension": [DAR]}
    found = masked({"resourceType": "Consent", "category": "x"})
    assert found["category"] == [{"extension": [DAR]}]
    found = masked({"resourceType": "Patient", "communication": [{"language": 5, "preferred": True}]})
    assert found["communication"] == [{"language": {"extension": [DAR]}, "preferred": True}]


def test_a_reason_replaces_the_companion_wherever_it_stands():
    for order in (("status", "_status"), ("_status", "status")):
        source = {"status": 5, "_status": {"id": "a"}}
        found = masked({"resourceType": "Observation", **{key: source[key] for key in order}, "valueInteger": 1})
        assert list(found) == ["resourceType", "meta", "_status", "valueInteger"]
        assert found["_status"] == {"extension": [DAR]}


@pytest.mark.parametrize(
    "bad",
    ["2024-02-31", "2024-13-01", "24-01-01", "2024-01-01T24:00:00Z", "2024-01-01T10:00", "", " ", "heute", "0000"],
)
def test_dates_that_do_not_exist_go_and_are_counted(bad):
    document = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "effectiveDateTime": bad,
        "issued": "2024-01-01T10:00:00Z",
    }
    found = masked(document)
    assert "effectiveDateTime" not in found and len(found["issued"]) == 20
    batch = mask([dump(document)])
    assert batch.redactions == {"Observation.effectiveDateTime": 1}


def test_names_of_unknown_elements_are_not_reported():
    """They came out of the data: a damaged line makes a name of what was a value."""
    batch = mask([dump({**PATIENT, "Ann Other": 1, "name": [{"Ann Other": "x", "use": "official"}]})])
    assert batch.redactions == {"Patient.?": 1, "Patient.name.?": 1}


# ── companions ───────────────────────────────────────────────────────────────────────────────────────────────────────

BIRTH_TIME = {
    "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
    "valueDateTime": "1987-03-02T10:00:00Z",
}
UNKNOWN = {"url": "http://nobody.example/knows", "valueString": "x"}


def test_companions():
    found = masked({**PATIENT, "_birthDate": {"extension": [BIRTH_TIME, UNKNOWN]}, "birthDate": "1987-03-02"})
    assert found["_birthDate"]["extension"][0]["valueDateTime"][:10] == found["birthDate"]
    assert len(found["_birthDate"]["extension"]) == 1
    assert "_birthDate" not in masked({**PATIENT, "birthDate": "1987-03-02", "_birthDate": {"extension": [UNKNOWN]}})
    assert "_name" not in masked({**PATIENT, "_name": {"id": "a"}, "_unheard": {"id": "a"}})


def test_companions_of_arrays_keep_their_index():
    kept = {"extension": [DAR]}
    name = {"given": ["Ann", "", "May"], "_given": [None, kept, {"extension": [UNKNOWN]}]}
    found = masked({**PATIENT, "name": [name]})["name"][0]
    assert found["given"][1] is None and None not in (found["given"][0], found["given"][2])
    assert found["_given"] == [None, kept, None]
    found = masked({**PATIENT, "name": [{"given": ["Ann", None], "_given": [None, {"extension": [UNKNOWN]}]}]})["name"][
        0
    ]
    assert "_given" not in found


# ── extensions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_extensions():
    race = {
        "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
        "extension": [{"url": "text", "valueString": "White"}, {"url": "unheard", "valueString": "x"}],
    }
    found = masked(
        {**PATIENT, "extension": [race, UNKNOWN, {"valueString": "x"}, {"url": 5}], "modifierExtension": [UNKNOWN]}
    )
    assert found["extension"] == [{"url": race["url"], "extension": race["extension"][:1]}]
    assert "modifierExtension" not in found
    # A part's name means nothing outside of its extension, nor a global one within another.
    assert "extension" not in masked(
        {**PATIENT, "extension": [{"url": "text", "valueString": "x"}, {**race, "extension": [BIRTH_TIME]}]}
    )


def test_an_extension_in_a_data_type_in_an_extension():
    place = {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {"city": "Boston", "extension": [UNKNOWN]},
    }
    found = masked({**PATIENT, "extension": [place]})["extension"][0]["valueAddress"]
    assert set(found) == {"city"} and found["city"] != "Boston"


# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CLEAN = {"resourceType": "Observation", "id": "o", "status": "final"}


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({}, {"security": [PSEUDED]}),
        (None, {"security": [PSEUDED]}),
        ("x", {"security": [PSEUDED, REDACTED]}),
        ([], {"security": [PSEUDED, REDACTED]}),
        ({"source": "x"}, {"security": [PSEUDED, REDACTED]}),
        ({"security": []}, {"security": [PSEUDED]}),
        ({"security": [None]}, {"security": [None, PSEUDED]}),
        ({"security": [5]}, {"security": [PSEUDED, REDACTED]}),
        ({"security": {}}, {"security": [PSEUDED, REDACTED]}),
        ({"security": [{"code": "PSEUDED"}]}, {"security": [{"code": "PSEUDED"}, PSEUDED]}),
        ({"security": [PSEUDED]}, {"security": [PSEUDED]}),
        ({"security": [PSEUDED], "source": "x"}, {"security": [PSEUDED, REDACTED]}),
        ({"source": "x", "security": [REDACTED]}, {"security": [REDACTED, PSEUDED]}),
        ({"security": [PSEUDED, 5], "tag": [{"code": "a"}]}, {"security": [PSEUDED, REDACTED], "tag": [{"code": "a"}]}),
        ({"tag": [{"code": "a"}], "source": "x"}, {"tag": [{"code": "a"}], "security": [PSEUDED, REDACTED]}),
        ({"a": 1, "tag": [{"code": "a"}]}, {"tag": [{"code": "a"}], "security": [PSEUDED, REDACTED]}),
    ],
)
def test_labels(meta, expected):
    for place in range(3):
        items = list(CLEAN.items())
        items.insert(place + 1, ("meta", meta))
        assert masked(dict(items))["meta"] == expected
        assert list(masked(dict(items))) == [key for key, _ in items]


@pytest.mark.parametrize("first", [{}, {"id": 5}, {"id": ""}, {"id": None}, {"unheard": 1}, {"unheard": 1, "id": "o"}])
def test_labels_where_there_is_no_meta(first):
    found = masked({**first, "resourceType": "Observation", "status": "final"})
    assert found["meta"]["security"][0] == PSEUDED
    found = masked({"resourceType": "Observation", **first})
    assert found["meta"]["security"][0] == PSEUDED
    assert (REDACTED in found["meta"]["security"]) == bool(first and first != {"id": None})


def test_labels_where_the_policy_redacts_ids():
    found = masked({"resourceType": "Observation", "id": "o", "status": "x", "valueInteger": 7}, "awkward")
    assert list(found) == ["resourceType", "meta", "_status", "valueInteger"]


def test_labels_inside():
    contained = {"resourceType": "Practitioner", "id": "c", "unheard": 1}
    found = masked({**CLEAN, "contained": [contained]})
    assert found["meta"] == {"security": [PSEUDED, REDACTED]} and "meta" not in found["contained"][0]
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": CLEAN}, {"resource": {**CLEAN, "x": 1}}],
    }
    found = masked(bundle)
    assert [entry["resource"]["meta"]["security"] for entry in found["entry"]] == [[PSEUDED], [PSEUDED, REDACTED]]
    assert found["meta"]["security"] == [PSEUDED, REDACTED]


# ── whose it is ──────────────────────────────────────────────────────────────────────────────────────────────────────


def shift(subject: str, policy: str = "realistic") -> int:
    """The days by which dates of a subject move."""
    held: Plan = plan(policy)
    rule = held.root("Observation").child("effectiveDateTime").rule
    bound = held.bound(rule.masker)
    assert isinstance(bound, BoundDateShift)
    return bound.offset(subject, is_patient=True)


def moved(found: str) -> int:
    """How far 2024-06-01 was moved."""
    from datetime import date  # noqa: PLC0415

    return (date.fromisoformat(found) - date(2024, 6, 1)).days


UUID = "6d75c0ee-3f5b-4b8d-9c33-0123456789ab"


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ({"reference": "Patient/p1"}, "p1"),
        ({"reference": "https://host/fhir/Patient/p1/_history/3"}, "p1"),
        ({"reference": "Patient/p\\u0031"}, "p1"),
        ({"reference": f"urn:uuid:{UUID}"}, UUID),
        ({"reference": f"Patient/{UUID.upper()}"}, UUID),
        ({"reference": "#p1"}, "o#p1"),
        ({"reference": "Patient?identifier=http://x|a%20b"}, "http://x|a b"),
        ({"identifier": {"system": "http://x", "value": "a b"}}, "http://x|a b"),
        ({"identifier": {"system": "http://x", "value": 'a"\\b'}}, 'http://x|a"\\b'),
        ({"reference": "Group/p1"}, "o"),
        ({"display": "Ann"}, "o"),
    ],
)
def test_whose_dates_they_are(reference, key):
    source = dump({"resourceType": "Observation", "id": "o", "effectiveDateTime": "2024-06-01", "subject": reference})
    if key == "p1":
        source = source.replace(b"\\\\u", b"\\u")
    check([source])
    assert moved(json.loads(one(source))["effectiveDateTime"]) == shift(key)


def test_dates_of_persons_are_their_own():
    found = masked(
        {
            **PATIENT,
            "deceasedDateTime": "2024-06-01",
            "link": [{"other": {"reference": "Patient/p2"}, "type": "seealso"}],
        }
    )
    assert moved(found["deceasedDateTime"]) == shift("p1")


def test_contained_resources_follow_their_own_subject_then_the_container():
    def inner(**more: object) -> dict:
        return {"resourceType": "Observation", "effectiveDateTime": "2024-06-01", **more}

    person = {"resourceType": "Patient", "id": "c1", "deceasedDateTime": "2024-06-01"}
    for own, base in (({"id": "o"}, "o"), ({}, "")):
        outer = {
            "resourceType": "DiagnosticReport",
            **own,
            "issued": "2024-06-01T00:00:00Z",
            "subject": {"reference": "Patient/p1"},
        }
        outer["contained"] = [
            inner(),
            inner(subject={"reference": "Patient/p2"}),
            inner(subject={"reference": "#c1"}),
            person,
        ]
        found = masked(outer)
        dates = [item.get("effectiveDateTime") or item["deceasedDateTime"] for item in found["contained"]]
        assert [moved(date) for date in dates] == [shift("p1"), shift("p2"), shift(f"{base}#c1"), shift(f"{base}#c1")]
        assert moved(found["issued"][:10]) == shift("p1")


def test_entries_of_a_bundle_have_each_their_own_subject():
    """Many entries of one shape and of several: the frames of all of them are told apart."""
    entries = [
        {
            "resource": {
                "resourceType": "Observation",
                "id": f"o{n}",
                "subject": {"reference": f"Patient/p{n}"},
                "effectiveDateTime": "2024-06-01",
            }
        }
        for n in range(40)
    ]
    for n in range(0, 40, 3):
        entries[n]["resource"]["note"] = [{"text": "x", "time": "2024-06-01"}] * (n % 7 + 1)
    found = masked({"resourceType": "Bundle", "id": "b", "type": "collection", "entry": entries})
    for n, entry in enumerate(found["entry"]):
        assert moved(entry["resource"]["effectiveDateTime"]) == shift(f"p{n}")


def test_contained_in_an_entry_is_contained_in_that_resource():
    person = {"resourceType": "Patient", "id": "c1", "deceasedDateTime": "2024-06-01"}
    found = masked({"resourceType": "Bundle", "id": "b", "entry": [{"resource": {**CLEAN, "contained": [person]}}]})
    assert moved(found["entry"][0]["resource"]["contained"][0]["deceasedDateTime"]) == shift("o#c1")


def test_participants_tell_whose_a_cut_appointment_is():
    """The subject stands in an array that is taken out of large texts."""
    people = [{"actor": {"reference": f"Practitioner/{n}"}, "status": "accepted"} for n in range(60)]
    people.append({"actor": {"reference": "Patient/p1"}, "status": "accepted"})
    found = masked(
        {"resourceType": "Appointment", "id": "a", "created": "2024-06-01", "status": "booked", "participant": people}
    )
    assert moved(found["created"]) == shift("p1")


# ── ids, references, identifiers ─────────────────────────────────────────────────────────────────────────────────────


def test_references_follow_ids():
    bundle = masked(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "fullUrl": f"urn:uuid:{UUID}",
                    "resource": {"resourceType": "Patient", "id": UUID},
                    "request": {"method": "PUT", "url": f"Patient/{UUID}"},
                },
                {
                    "resource": {
                        "resourceType": "Observation",
                        "subject": {"reference": f"Patient/{UUID}"},
                        "contained": [{"resourceType": "Device", "id": "d1"}],
                    }
                },
                {
                    "resource": {
                        "resourceType": "Observation",
                        "subject": {"reference": f"urn:uuid:{UUID}"},
                        "device": {"reference": "#d1"},
                    }
                },
            ],
        }
    )
    first, second, third = bundle["entry"]
    pseudonym = first["resource"]["id"]
    assert pseudonym != UUID
    assert first["fullUrl"] == third["resource"]["subject"]["reference"] == f"urn:uuid:{pseudonym}"
    assert first["request"]["url"] == second["resource"]["subject"]["reference"] == f"Patient/{pseudonym}"
    assert third["resource"]["device"]["reference"] == "#" + second["resource"]["contained"][0]["id"]


def test_identifiers_by_system_type_and_default():
    npi, ssn, value = "http://hl7.org/fhir/sid/us-npi", "http://hl7.org/fhir/sid/us-ssn", "123-45-6789"
    kind = {"coding": [{"code": "SS"}]}
    found = masked(
        {
            **PATIENT,
            "identifier": [
                {"system": ssn, "value": value},
                {"type": kind, "value": value},
                {"value": value},
                {"system": "http://x", "value": value},
                {"system": npi, "value": "9999974493"},
                {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{UUID}"},
                {"system": ssn, "value": 5},
            ],
        }
    )["identifier"]
    values = [item.get("value") for item in found]
    assert values[0] == values[1] and len({*values[:1], *values[2:4]}) == 3 and value not in values
    assert found[6] == {"system": ssn}
    report = masked(
        {"resourceType": "Observation", "performer": [{"reference": f"Practitioner?identifier={npi}|9999974493"}]}
    )
    assert report["performer"][0]["reference"] == f"Practitioner?identifier={npi}|{values[4]}"


def test_definitions_are_found_by_what_names_them():
    url = "https://stmarys.example/forms/phq9"
    form = {"resourceType": "Questionnaire", "id": "q", "url": url, "status": "active"}
    answers = {
        "resourceType": "QuestionnaireResponse",
        "contained": [form],
        "questionnaire": "#q",
        "status": "completed",
    }
    inside = json.loads(one(answers))
    assert inside["questionnaire"] == "#" + inside["contained"][0]["id"] != "#q"
    assert (found := json.loads(one(answers | {"questionnaire": f"{url}|2"})))["questionnaire"] == found["contained"][
        0
    ]["url"] + "|2"
    assert "stmarys" not in found["questionnaire"]


def test_a_form_filled_in_beforehand_tells_no_more_than_its_answers():
    initial = [
        {"valueDate": "1987-03-14"},
        {"valueString": "Zoe Novak"},
        {"valueInteger": 3},
        {"valueReference": {"display": "Zoe"}},
    ]
    form = {"resourceType": "Questionnaire", "id": "q", "item": [{"linkId": "1", "text": "Name", "initial": initial}]}
    answers = {
        "resourceType": "QuestionnaireResponse",
        "contained": [form],
        "subject": {"reference": "Patient/p1"},
        "item": [{"linkId": "1", "answer": [{"valueDate": "1987-03-14"}]}],
    }
    masked = json.loads(one(answers))
    item = masked["contained"][0]["item"][0]
    assert "Zoe" not in json.dumps(masked) and (item["text"], item["initial"][2]) == ("Name", {"valueInteger": 3})
    assert item["initial"][0]["valueDate"] == masked["item"][0]["answer"][0]["valueDate"] != "1987-03-14"


def test_dates_that_ask_for_a_patients_data_shift_and_those_of_a_batch_go():
    guidance = {
        "resourceType": "GuidanceResponse",
        "subject": {"reference": "Patient/p1"},
        "occurrenceDateTime": "2024-01-02",
        "dataRequirement": [{"type": "Observation", "dateFilter": [{"path": "date", "valueDateTime": "2024-01-02"}]}],
    }
    masked = json.loads(one(guidance))
    assert (
        masked["dataRequirement"][0]["dateFilter"][0]["valueDateTime"] == masked["occurrenceDateTime"] != "2024-01-02"
    )
    device = {
        "resourceType": "Device",
        "patient": {"reference": "Patient/p1"},
        "manufactureDate": "2024-01-02",
        "expirationDate": "2026",
    }
    assert {"manufactureDate", "expirationDate"}.isdisjoint(json.loads(one(device)))


def test_systems_and_profiles_that_are_not_public_are_masked():
    ours, theirs = "https://stmarys.example/x", "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    masked = json.loads(
        one(
            {
                "resourceType": "Patient",
                "implicitRules": ours,
                "meta": {
                    "profile": [ours, theirs],
                    "tag": [{"system": ours, "code": "a"}, {"system": theirs, "code": "b"}],
                },
                "identifier": [{"system": ours, "value": "MRN-1234567"}, {"system": theirs, "value": "MRN-1234567"}],
                "managingOrganization": {"identifier": {"system": ours, "value": "MRN-1234567"}},
            }
        )
    )
    hidden = masked["implicitRules"]
    assert "stmarys" not in json.dumps(masked)
    assert masked["meta"]["profile"] == [hidden, theirs]
    assert [tag["system"] for tag in masked["meta"]["tag"]] == [hidden, theirs]
    assert [number["system"] for number in masked["identifier"]] == [hidden, theirs]
    assert masked["managingOrganization"]["identifier"] == masked["identifier"][0]
    asked = {"resourceType": "Observation", "subject": {"reference": f"Patient?identifier={ours}|MRN-1234567"}}
    assert (
        json.loads(one(asked))["subject"]["reference"]
        == f"Patient?identifier={hidden}|{masked['identifier'][0]['value']}"
    )


def test_texts_that_a_code_system_vouches_for():
    def coded(system: str, display: str, text: str, policy: str = "realistic") -> tuple[str, str]:
        code = masked({**CLEAN, "code": {"text": text, "coding": [{"system": system, "display": display}]}}, policy)[
            "code"
        ]
        return code["coding"][0]["display"], code["text"]

    assert coded("http://loinc.org", "Weight", "WEIGHT") == ("Weight", "WEIGHT")
    assert coded("http://loinc.org", "Weight", "of Ann") == ("Weight", "[redacted]")
    assert coded("http://local", "of Ann", "of Ann") == ("[redacted]", "[redacted]")


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_that_are_masked_go_back_where_they_were():
    source = {
        "resourceType": "Observation",
        "valueQuantity": {"value": 100.00},
        "component": [{"valueInteger": 700}, {"valueInteger": "x"}],
    }
    found = masked(source, "awkward")
    assert found["valueQuantity"]["value"] != 100 and 95 <= found["valueQuantity"]["value"] <= 105
    assert found["component"][0]["valueInteger"] in range(697, 704) and len(found["component"]) == 1
    # What a masker says is no number here: it goes, for it would break the text.
    assert "rank" not in masked({**PATIENT, "telecom": [{"rank": 1, "use": "home"}]}, "awkward")["telecom"][0]


def test_ages_in_any_unit():
    for unit in ({"unit": "a"}, {"code": "a", "unit": "mo"}, {"system": "http://unitsofmeasure.org", "code": "mo"}):
        value = 95 if unit.get("code", unit.get("unit")) == "a" else 1140
        found = masked({"resourceType": "Condition", "onsetAge": {"value": value, **unit}}, "awkward")
        assert found["onsetAge"]["value"] == (90 if value == 95 else 1080)


def test_an_array_of_numbers_loses_what_is_none():
    source = b'{"resourceType":"Claim","item":[{"sequence":1,"careTeamSequence":[1,true,2]}]}'
    assert b'"careTeamSequence":[1,2]' in one(source)
    check([source])
