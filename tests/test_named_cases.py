"""Cases that have a name: small families, masked by one engine that knows them, and the sample.

What holds in all of them: every interval within one human's record is exact, whatever resources its dates are in; ages on
the reference date are those of the source; nothing that follows the birth comes before it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from documents import ON, Resource, keyring, masked

from masking.document import Engine
from masking.fhir.dates import age_on
from masking.identity import People, gather
from masking.policy.plan import Plan
from masking.policy.read import read_policy

HOME = {"line": ["12 Elm Street"], "city": "Boston", "state": "MA", "postalCode": "02115", "country": "US"}


def patient(own_id: str, family: str, given: str, born: str | None = "1980-05-17", **rest: Any) -> Resource:
    name = [{"use": "official", "family": family, "given": [given]}]
    birth = {"birthDate": born} if born else {}
    return {"resourceType": "Patient", "id": own_id, "name": name, "gender": "female", **birth, **rest}


def encounter(own_id: str, of: str, start: str, end: str | None = None) -> Resource:
    period = {"start": start, **({"end": end} if end else {})}
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    return {
        "resourceType": "Encounter", "id": own_id, "status": "finished", "class": kind, "subject": {"reference": of},
        "period": period,
    }  # fmt: skip


def chart(of: str, day: str) -> list[Resource]:
    """A resource of every sort of place in which R4 names a patient, each with a date of this day."""
    who, code = {"reference": of}, {"text": "x"}
    return [
        encounter("e", of, f"{day}T08:00:00Z", f"{day}T09:00:00Z"),
        {"resourceType": "Observation", "id": "o", "status": "final", "code": code, "subject": who, "effectiveDateTime": day},
        {"resourceType": "Condition", "id": "c", "subject": who, "onsetDateTime": day},
        {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": who, "performedPeriod": {"start": day}},
        {"resourceType": "Immunization", "id": "i", "status": "completed", "patient": who, "occurrenceDateTime": day},
        {"resourceType": "AllergyIntolerance", "id": "a", "patient": who, "recordedDate": day},
        {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "subject": who,
         "authoredOn": day},
        {"resourceType": "Claim", "id": "cl", "status": "active", "use": "claim", "patient": who, "created": day},
        {"resourceType": "DocumentReference", "id": "d", "status": "current", "subject": who, "date": f"{day}T23:59:59+02:00"},
        {"resourceType": "CarePlan", "id": "cp", "status": "active", "intent": "plan", "subject": who,
         "period": {"start": day}},
        {"resourceType": "Consent", "id": "co", "status": "active", "patient": who, "dateTime": day},
        {"resourceType": "Appointment", "id": "ap", "status": "booked", "start": f"{day}T08:00:00Z",
         "participant": [{"actor": who, "status": "accepted"}]},
    ]  # fmt: skip


def days_of(document: Any) -> Iterator[dt.date]:
    """The full dates and instants in a document, in its order, but for births, deaths and what the policy redacts."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key not in ("birthDate", "meta", "text", "deceasedDateTime", "expirationDate"):
                yield from days_of(value)
    elif isinstance(document, list):
        for item in document:
            yield from days_of(item)
    elif isinstance(document, str) and (found := re.match(r"\d{4}-\d{2}-\d{2}(?=T|$)", document)):
        yield dt.date.fromisoformat(found[0])


def moves(before: Sequence[Resource], after: Sequence[Resource]) -> set[int]:
    """By how many days the dates of these documents moved."""
    found = set()
    for one, other in zip(before, after, strict=True):
        old, new = list(days_of(one)), list(days_of(other))
        assert old and len(old) == len(new), one["resourceType"]
        found |= {(new_day - old_day).days for old_day, new_day in zip(old, new, strict=True)}
    return found


def age(record: Resource, on: str = ON) -> int | None:
    return age_on(record["birthDate"], on)


def days_between(one: str, other: str) -> int:
    return (dt.date.fromisoformat(other) - dt.date.fromisoformat(one)).days


def names(record: Resource) -> list[tuple[Any, ...]]:
    return [(name.get("use"), name.get("family"), *name.get("given", [])) for name in record["name"]]


# ── one human ──


@pytest.mark.parametrize("of", ["Patient/p1", "https://host.org/fhir/Patient/p1", "Patient/p1/_history/2"])
def test_every_interval_is_exact_over_all_types(of: str) -> None:
    documents = [*chart(of, "2023-02-27"), *chart("Patient/p1", "2024-02-29"), *chart(of, "2019-12-31")]
    _, *rest = masked(patient("p1", "Novak", "Maria"), *documents)
    [offset] = moves(documents, rest)
    assert 0 < abs(offset) <= 180


@pytest.mark.parametrize("born", ["2024-05-30", "2023-11-02", "2015-03-09", "1990-11-02"])
def test_twins(born: str) -> None:
    """Born on one day at one home they stay so: two people, one birthday, and what happens to both moves by one number of days."""
    twins = [
        patient(f"t{n}", "Novak", given, born, multipleBirthInteger=n, address=[HOME])
        for n, given in ((1, "Ann"), (2, "Eve"))
    ]
    events = [encounter(f"e{n}", f"Patient/t{n}", "2024-06-05") for n in (1, 2)]
    note = {**chart("Patient/t1", "2024-06-05")[1], "note": [{"text": f"Born {born}, seen 2024-06-05."}]}
    *people, first, second, told = masked(*twins, *events, note)
    assert [record["multipleBirthInteger"] for record in people] == [1, 2]
    assert [age(record) for record in people] == [age(record) for record in twins]
    assert len({record["id"] for record in people}) == len({str(names(record)) for record in people}) == 2
    [birthday] = {record["birthDate"] for record in people}
    assert birthday != born
    [offset] = moves(events, [first, second])
    seen = dt.date(2024, 6, 5) + dt.timedelta(offset)
    assert told["note"][0]["text"] == f"Born {birthday}, seen {seen}."
    alone = [{**record, "address": [{**HOME, "line": [f"{n} Oak Street"]}]} for n, record in enumerate(twins)]
    assert len({record["birthDate"] for record in masked(*alone)[:2]}) == 2
    strangers = [{name: value for name, value in record.items() if name != "multipleBirthInteger"} for record in twins]
    assert len({record["birthDate"] for record in masked(*strangers)[:2]}) == 2


def test_somebody_with_the_id_of_a_twin() -> None:
    """Ids repeat between types: a practitioner's dates, whole or partial, in the record or its text, are of that record alone."""
    div = '<div xmlns="http://www.w3.org/1999/xhtml">since 2020-01-05</div>'
    doctor = {
        "resourceType": "Practitioner",
        "id": "t1",
        "name": [{"family": "House"}],
        "birthDate": "1960-04-02",
        "qualification": [{"code": {"text": "x"}, "period": {"start": "2020-01-05", "end": "2023-07"}}],
        "text": {"status": "generated", "div": div},
    }
    [alone] = masked(doctor)
    for number in ({}, {"multipleBirthInteger": 1}):
        *_, found = masked(patient("t1", "Novak", "Ann", "2015-03-09", address=[HOME], **number), doctor)
        assert [found[key] for key in ("qualification", "birthDate", "text")] == [
            alone[key] for key in ("qualification", "birthDate", "text")
        ]


def test_a_newborn() -> None:
    """What happens on the day of birth happens on the day of birth."""
    newborns = [patient(f"n{n}", "Novak", "Ann", "2024-05-30") for n in range(40)]
    events = [encounter(f"e{n}", f"Patient/n{n}", "2024-05-30T04:10:00Z", "2024-06-01T10:00:00Z") for n in range(40)]
    found = masked(*newborns, *events)
    kept = 0
    for record, visit in zip(found[:40], found[40:], strict=True):
        born, came = record["birthDate"], visit["period"]["start"]
        assert age(record) == 0
        kept += born == came[:10]
        assert (dt.date.fromisoformat(visit["period"]["end"][:10]) - dt.date.fromisoformat(came[:10])).days == 2
        # Their offset may lead past the reference date, where nobody of that age is born: the nearest day stands there.
        assert born == came[:10] or born == ON
    assert kept >= 10


def test_the_deceased() -> None:
    """The death moves with the events, and comes at the same age."""
    dead = [patient(f"d{n}", "Novak", "Ann", "1941-07-02", deceasedDateTime="2023-11-20T05:00:00Z") for n in range(20)]
    last = [encounter(f"e{n}", f"Patient/d{n}", "2023-11-19T05:00:00Z", "2023-11-20T05:00:00Z") for n in range(20)]
    found = masked(*dead, *last)
    for record, visit in zip(found[:20], found[20:], strict=True):
        assert record["deceasedDateTime"] == visit["period"]["end"]
        assert age(record, record["deceasedDateTime"][:10]) == 82
        assert record["birthDate"] != "1941-07-02"


@pytest.mark.parametrize("born", ["1921-04-04", "1919-12-31", "1934-06-15"])
def test_somebody_over_89(born: str) -> None:
    """`realistic` keeps the age."""
    [found] = masked(patient("old", "Novak", "Ann", born))
    assert (age(found) or 0) >= 90
    assert age(found) == age_on(born, ON)
    assert found["birthDate"] != born


def test_partial_birth_dates() -> None:
    month, year, none = masked(
        patient("m", "Novak", "Ann", "1987-03"),
        patient("y", "Novak", "Ann", "1987"),
        patient("n", "Novak", "Ann", None),
    )
    assert re.fullmatch(r"198[67]-\d\d", month["birthDate"]) and month["birthDate"] != "1987-03"
    assert year["birthDate"] == "1987", "no other year has the same ages"
    assert "birthDate" not in none
    assert age_on(f"{month['birthDate']}-01", ON) == age_on("1987-03-01", ON)


def test_a_maiden_name_in_a_note() -> None:
    record = patient("p1", "Novak", "Maria")
    record["name"].append({"use": "maiden", "family": "Aagard", "given": ["Maria"]})
    note = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/p1"}, "note": [{"text": "Older papers of Mrs. Novak are under Maria Aagard."}],
    }  # fmt: skip
    found, scrubbed = masked(record, note)
    (_, family, given), (_, maiden, also) = names(found)
    assert given == also
    assert scrubbed["note"][0]["text"] == f"Older papers of Mrs. {family} are under {given} {maiden}."


@pytest.mark.parametrize(("family", "given"), [("佐々木", "花子"), ("〇野", "七〻"), ("ｻﾄｳ", "ﾊﾅｺ")])
def test_names_with_marks_of_iteration_in_a_note(family: str, given: str) -> None:
    """They are letters of the name, though no ideographs."""
    note = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/p1"}, "note": [{"text": f"{given} {family} walks."}],
    }  # fmt: skip
    record, scrubbed = masked(patient("p1", family, given), note)
    [(_, fake, first)] = names(record)
    assert scrubbed["note"][0]["text"] == f"{first} {fake} walks."


# ── several records, one human ──


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("lives at 12 Elm Street", ("12", "Elm")),
        ("12 ELM ST., #4", ("ELM",)),
        ("12 Elm St Apt. 4", ("12", "Elm")),
        ("2201 N. Lakeshore Dr., Apt. 9", ("2201", "Lakeshore")),
        ("2201 North Lakeshore Drive", ("2201", "Lakeshore")),
        ("chart 0045213", ("45213",)),
        ("number 482931", ("482931",)),
        ("number 00482931", ("482931",)),
    ],
)
def test_what_is_written_short_in_a_note(written: str, left: tuple[str, ...]) -> None:
    """A street without its unit, a number without its letters or zeros: with the fake's own street and digits."""
    numbers = [
        {"system": f"http://h.example/{n}", "value": value} for n, value in enumerate(("MRN-0045213", "00482931"))
    ]
    homes = [{**HOME, "line": [line]} for line in ("12 Elm Street Apt 4", "2201 N Lakeshore Dr Apt 9")]
    record = patient("p1", "Novak", "Maria", identifier=numbers, address=homes)
    note = {**chart("Patient/p1", "2020-01-10")[1], "note": [{"text": written}]}
    shown, found = masked(record, note)
    text = found["note"][0]["text"]
    assert not any(word in text for word in left)
    digits = re.sub(r"\D", "", text)
    fakes = [number["value"] for number in shown["identifier"]] + [home["line"][0] for home in shown["address"]]
    assert any(fake.startswith(digits) or fake.endswith(digits) or digits[:2] in fake for fake in fakes)


def test_records_that_are_linked_are_one_human() -> None:
    """By Patient.link, in a chain, and by a Person: one persona, one offset."""
    one = patient("a", "Novak", "Maria")
    two = patient("b", "Novak", "Maria", link=[{"other": {"reference": "Patient/a"}, "type": "replaces"}])
    three = patient("c", "Novak", "Maria")
    person = {
        "resourceType": "Person", "id": "x", "name": one["name"], "gender": "female", "birthDate": "1980-05-17",
        "link": [{"target": {"reference": f"Patient/{key}"}} for key in "bc"],
    }  # fmt: skip
    other = patient("z", "Novak", "Maria")
    visits = [encounter(f"e{key}", f"Patient/{key}", "2022-02-02") for key in "abcz"]
    *records, last, first, second, third, strange = masked(one, two, three, person, other, *visits)
    assert len({str(names(record)) for record in records}) == 1
    assert names(last) != names(records[0])
    assert len({record["birthDate"] for record in records}) == 1
    assert len({record["id"] for record in records}) == 4
    [offset] = moves(visits[:3], [first, second, third])
    assert moves(visits[3:], [strange]) != {offset}


def test_records_that_are_linked_by_a_number_are_one_human() -> None:
    """`link.other.identifier` ties records where one human alone has the number; a number that two share ties nobody."""
    mrn = {"system": "http://hospital.example/mrn", "value": "00482931"}
    one = patient("a", "Novak", "Maria", link=[{"other": {"identifier": mrn}, "type": "seealso"}])
    two, other = patient("b", "Novak", "Maria", identifier=[mrn]), patient("c", "Novak", "Maria", identifier=[mrn])
    by_id = [f"Patient?identifier={mrn['system']}|{mrn['value']}", "Patient?_id=b"]
    visits = [encounter(f"e{n}", of, "2022-02-02") for n, of in enumerate(["Patient/a", "Patient/b", *by_id])]
    first, second, *found = masked(one, two, *visits)
    assert names(first) == names(second)
    [offset] = moves(visits, found)
    first, second, _, *found = masked(one, two, other, *visits[:2])
    assert names(first) != names(second)
    assert moves(visits[:1], found[:1]) != {offset} or moves(visits[1:2], found[1:]) != {offset}


def test_a_relative_who_is_a_patient_too() -> None:
    """A Person ties the mother's own record to what the child's says of her."""
    child, mother = patient("kid", "Novak", "Ann", "2012-01-01"), patient("mum", "Novak", "Maria")
    relative = {
        "resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "Patient/kid"}, "name": mother["name"],
        "gender": "female", "birthDate": "1980-05-17", "period": {"start": "2020-03-01"},
    }  # fmt: skip
    links = [{"target": {"reference": name}} for name in ("Patient/mum", "RelatedPerson/r")]
    visits = [encounter("ek", "Patient/kid", "2020-03-01"), encounter("em", "Patient/mum", "2020-03-01")]
    found = masked(child, mother, relative, {"resourceType": "Person", "id": "x", "link": links}, *visits)
    _, masked_mother, masked_relative, _, of_child, of_mother = found
    assert names(masked_relative) == names(masked_mother)
    assert masked_relative["birthDate"] == masked_mother["birthDate"]
    assert of_child["period"]["start"] != of_mother["period"]["start"]
    assert age(masked_mother) == age(mother)


def test_a_household() -> None:
    """Spouses and siblings at one address live at one fake address; another house is another one."""
    home = [patient(f"h{n}", "Novak", given, address=[HOME]) for n, given in enumerate(("Ann", "Eve", "Ivy", "Amy"))]
    away = patient("away", "Novak", "Zoe", address=[HOME | {"line": ["14 Elm Street"]}])
    *found, apart = masked(*home, away)
    assert len({str(record["address"]) for record in found}) == 1
    assert found[0]["address"] != [HOME]
    assert apart["address"] != found[0]["address"]


# ── references ──


def test_somebody_who_is_named_by_a_urn_alone() -> None:
    """In a transaction all refer by `urn:uuid`; what refers by the id moves with them."""
    urn = "urn:uuid:0e5b9cc4-1111-4222-8333-94df00000002"
    inside = [encounter("e1", urn, "2022-02-02"), {**chart(urn, "2022-02-02")[1]}]
    entries = [{"fullUrl": urn, "resource": patient("p1", "Novak", "Maria")}, *({"resource": one} for one in inside)]
    whole = {"resourceType": "Bundle", "id": "b", "type": "collection", "entry": entries}
    outside = encounter("e2", "Patient/p1", "2022-02-02")
    bundle, alone = masked(whole, outside)
    resources = [entry["resource"] for entry in bundle["entry"]]
    [offset] = moves([*inside, outside], [*resources[1:], alone])
    assert offset
    references = {one["subject"]["reference"] for one in resources[1:]}
    assert references == {bundle["entry"][0]["fullUrl"]} != {urn}
    assert resources[0]["id"] in alone["subject"]["reference"]


def test_somebody_whose_record_has_no_id() -> None:
    """In a transaction the fullUrl is all that names a record: name, birth, death and e-mail agree with what refers to it."""
    urn = "urn:uuid:0e5b9cc4-1111-4222-8333-94df00000002"
    record = patient(
        "x", "Novak", "Maria", deceasedDateTime="2020-06-03", telecom=[{"system": "email", "value": "m@n.com"}]
    )
    del record["id"]
    note = {"text": "Maria Novak, m@n.com, born 05/17/1980, died 6/3/2020"}
    told = {"resourceType": "Condition", "subject": {"reference": urn, "display": "Maria Novak"}, "note": [note],
            "onsetDateTime": "2020-06-03"}  # fmt: skip
    slot = {"resourceType": "Slot", "schedule": {"reference": "Schedule/1"}, "status": "busy", "start": "2020-06-01T00:00:00Z",
            "end": "2020-06-01T01:00:00Z"}  # fmt: skip
    entries = [{"fullUrl": urn, "resource": record}, {"resource": told},
               {"fullUrl": urn.replace("0002", "0003"), "resource": slot}]  # fmt: skip
    [bundle] = masked({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    shown, condition, free = (entry["resource"] for entry in bundle["entry"])
    whole = f"{shown['name'][0]['given'][0]} {shown['name'][0]['family']}"
    year, month, day = shown["birthDate"].split("-")
    died = dt.date.fromisoformat(shown["deceasedDateTime"])
    assert condition["subject"]["display"] == whole
    assert condition["onsetDateTime"] == shown["deceasedDateTime"] != "2020-06-03"
    assert condition["note"][0]["text"] == (
        f"{whole}, {shown['telecom'][0]['value']}, born {month}/{day}/{year}, died {died.month}/{died.day}/{died.year}"
    )
    assert moves([slot], [free]) != {0}


def test_a_number_that_records_of_two_types_share() -> None:
    """Ids repeat between types: a practitioner of the same id tells nothing of a patient, or a place, whom nobody knows."""
    doctor = {"resourceType": "Practitioner", "id": "1", "name": [{"family": "House", "given": ["Greg"]}]}
    of_nobody = {**chart("Patient/1", "2020-01-10")[1], "note": [{"text": "Ann Joneswood, 1/10/2020, MRN 5556667"}]}
    basic = {"resourceType": "Slot", "id": "1", "schedule": {"reference": "Schedule/1"}, "status": "busy",
             "start": "2020-06-01T00:00:00Z", "end": "2020-06-01T01:00:00Z", "comment": "for Bob Jones"}  # fmt: skip
    about = {
        **doctor,
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Greg House</div>'},
    }
    note, slot, own = masked(about, of_nobody, basic)[1:] + masked(about)
    assert note["note"][0]["text"] == "[redacted]"
    assert slot["comment"] == "[redacted]"
    assert own["name"][0]["family"] in own["text"]["div"]


@pytest.mark.parametrize("own_id", [{"id": "b"}, {}])
def test_a_document_s_own_date_moves_with_its_patient(own_id: dict[str, str]) -> None:
    """So that a letter is not written before what it tells, and bdl-10 holds without an id too; of several patients it does not."""
    letter = {"resourceType": "Composition", "id": "c", "status": "final", "type": {"text": "x"}, "title": "x",
              "subject": {"reference": "Patient/p1"}, "date": "2020-01-05"}  # fmt: skip
    entries = [
        {"resource": one}
        for one in (letter, patient("p1", "Novak", "Maria"), encounter("e", "Patient/p1", "2020-01-04"))
    ]
    bundle = {
        "resourceType": "Bundle",
        **own_id,
        "type": "document",
        "timestamp": "2020-01-05T10:00:00Z",
        "entry": entries,
    }
    [found] = masked(bundle)
    inside = [entry["resource"] for entry in found["entry"] if entry["resource"]["resourceType"] != "Patient"]
    [offset] = moves([letter, entries[2]["resource"]], inside)
    assert found["timestamp"] == f"{dt.date(2020, 1, 5) + dt.timedelta(offset)}T10:00:00Z"
    many = {**bundle, "id": "b", "entry": [*entries, {"resource": encounter("e2", "Patient/p2", "2020-01-04")}]}
    assert masked(many)[0]["timestamp"] != found["timestamp"]


def test_a_subject_whom_nobody_knows() -> None:
    """A dangling reference stays dangling; all that refers to it moves together, and its texts are not read."""
    documents = chart("Patient/ghost", "2022-02-02")
    note = {**documents[1], "note": [{"text": "Maria Novak walks."}]}
    *found, scrubbed = masked(*documents, note)
    [offset] = moves(documents, found)
    assert offset
    [reference] = {one["subject"]["reference"] for one in found if "subject" in one}
    assert reference.startswith("Patient/") and "ghost" not in reference
    assert scrubbed["note"][0]["text"] == "[redacted]"


def test_a_practitioner_by_conditional_reference() -> None:
    """The identifier in the reference is masked as the record's own."""
    system = "http://hl7.org/fhir/sid/us-npi"
    doctor = {
        "resourceType": "Practitioner", "id": "d", "identifier": [{"system": system, "value": "1234567893"}],
        "name": [{"family": "House", "given": ["Greg"]}],
    }  # fmt: skip
    shown = {"reference": f"Practitioner?identifier={system}|1234567893", "display": "Dr. Greg House"}
    visit = encounter("e", "Patient/p1", "2022-02-02") | {"participant": [{"individual": shown}]}
    found, _, seen = masked(doctor, patient("p1", "Novak", "Maria"), visit)
    individual = seen["participant"][0]["individual"]
    assert individual["reference"] == f"Practitioner?identifier={system}|{found['identifier'][0]['value']}"
    assert found["identifier"][0]["value"] != "1234567893"
    assert individual["display"].split()[-2:] == [found["name"][0]["given"][0], found["name"][0]["family"]]


def test_a_number_that_only_its_record_s_type_rules() -> None:
    """A conditional reference names no type: the record that has the number does. Escapes of FHIR's search are undone."""
    system = "http://hospital.example/npi"
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NPI"}]}
    doctor = {"resourceType": "Practitioner", "id": "d", "name": [{"family": "House"}],
              "identifier": [{"system": system, "type": kind, "value": "1234567893"}]}  # fmt: skip
    odd = patient("p1", "Novak", "Maria", identifier=[{"system": "http://h.example/mrn", "value": "A 1|2"}])
    who = {"individual": {"reference": f"Practitioner?identifier={system}|1234567893"}}
    escaped = "Patient?identifier=http%3A%2F%2Fh.example%2Fmrn%7CA%201%5C%7C2"
    visits = [
        encounter("e", escaped, "2022-02-02") | {"participant": [who]},
        encounter("f", "Patient/p1", "2022-02-02"),
    ]
    found, record, seen, plain = masked(doctor, odd, *visits)
    assert seen["participant"][0]["individual"]["reference"].endswith("|" + found["identifier"][0]["value"])
    assert seen["subject"]["reference"].endswith("%7C" + record["identifier"][0]["value"])
    assert seen["period"] == plain["period"]


# ── the sample ──


def test_the_sample_keeps_ages_intervals_and_order() -> None:
    """Of every patient: one offset in all types, the same age, no encounter before the birth that was not before it."""
    pytest.importorskip("faker")
    from masking.sample.record import region_charts  # noqa: PLC0415

    lines = [
        line.strip() for chart in region_charts(3, 0, 60) for kind in ("Patient", "Encounter", "Condition", "Immunization", "Claim")
        for line in chart.lines.get(kind, ())
    ]  # fmt: skip
    people = People(gather(lines))
    on = "2025-07-01"  # the sample's newborns are born by then
    policy = Plan(read_policy("realistic", reference_date=on), keyring())
    batch = Engine(policy).with_people(people).mask_batch(lines)
    born: dict[str, tuple[str, str]] = {}
    offsets: dict[str, set[int]] = defaultdict(set)
    first: dict[str, tuple[str, str]] = {}
    seen = both = 0
    for line, answer in zip(lines, batch.masked, strict=True):
        before, after = json.loads(line), json.loads(answer or b"")
        if before["resourceType"] == "Patient":
            key = people.canonical(f"Patient/{before['id']}")
            if len(before.get("birthDate", "")) == 10:
                died = before.get("deceasedDateTime")
                ages = [age(before, on) == age(after, on)]
                if died:  # a death that moved over a birthday cannot keep both ages
                    ages.append(age(before, died[:10]) == age(after, after["deceasedDateTime"][:10]))
                assert any(ages) if died else all(ages)
                both += all(ages)
                born[key] = before["birthDate"], after["birthDate"]
            continue
        reference = (before.get("subject") or before.get("patient") or {}).get("reference", "")
        found = re.search(r"Patient/([A-Za-z0-9.-]+)", reference)
        if found is None or not list(days_of(before)):
            continue
        seen += 1
        key = people.canonical(f"Patient/{found[1]}")
        offsets[key] |= moves([before], [after])
        if before["resourceType"] == "Encounter":
            old, new = before["period"]["start"][:10], after["period"]["start"][:10]
            first[key] = min(first.get(key, (old, new)), (old, new))
    assert seen > 500
    assert both >= 0.95 * len(born)
    assert {len(found) for found in offsets.values()} == {1}
    early = [key for key, (old, new) in first.items() if key in born and old >= born[key][0] and new < born[key][1]]
    # Ages go before that order, where the offset leads over a birthday: then as many first days may come before the birth.
    assert all(days_between(born[key][0], first[key][0]) < abs(min(offsets[key])) for key in early)
    assert len(early) <= len(born) // 8
