"""Strangers: whoever a resource names by a display alone, for whom there is no record, is not left in its texts."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from documents import Resource, dump, masked

from masking.identity import People, gather
from masking.identity.facts import MOST_MET, Facts, Met, Name, first_met
from masking.maskers._short import calls_otherwise
from masking.scrub.called import name_in

PATIENT = {
    "resourceType": "Patient", "id": "p", "gender": "female",
    "name": [{"use": "official", "family": "Novak", "given": ["Maria"]}],
}  # fmt: skip
HOUSE = {"resourceType": "Practitioner", "id": "d", "name": [{"family": "House", "given": ["Gregory"]}]}


def words(name: str) -> list[str]:
    return name.replace(",", " ").replace("Dr.", " ").split()


def observation(own_id: str, text: str, *performers: Resource, **rest: Any) -> Resource:
    return {
        "resourceType": "Observation", "id": own_id, "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/p"}, "performer": list(performers), "note": [{"text": text}], **rest,
    }  # fmt: skip


@pytest.mark.parametrize("batch", [0, 1])
def test_a_note_shows_the_name_that_the_display_of_a_stranger_shows(batch: int) -> None:
    who = {"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"}
    text = (
        "Seen by Dr. Vanterpool. VANTERPOOL, OTTILIE signed; Ottilie's plan stands, O. Vanterpool agrees. Pain is less."
    )
    _, seen, again, apart = masked(
        PATIENT,
        observation("o", text, who),
        observation("o2", "Ottilie Vanterpool called.", who),
        observation("o3", "Ottilie Vanterpool called."),
        batch=batch,
    )
    given, family = words(seen["performer"][0]["display"])
    note = seen["note"][0]["text"]
    assert "Ottilie" not in note and "Vanterpool" not in note.title()
    assert note == (
        f"Seen by Dr. {family}. {family.upper()}, {given.upper()} signed; {given}'s plan stands, "
        f"{given[0]}. {family} agrees. Pain is less."
    )
    assert again["note"][0]["text"] == f"{given} {family} called."
    assert apart["note"][0]["text"] == f"{given} {family} called."  # though it is another resource that names her


def test_an_attachment_and_a_narrative_too() -> None:
    data = base64.b64encode(b"Ottilie Vanterpool came by.").decode()
    document = {
        "resourceType": "DocumentReference", "id": "d", "status": "current", "subject": {"reference": "Patient/p"},
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">By Ottilie Vanterpool</div>'},
        "author": [{"reference": "Practitioner/404", "display": "Vanterpool, Ottilie"}],
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }  # fmt: skip
    _, seen = masked(PATIENT, document)
    family, given = words(seen["author"][0]["display"])
    assert base64.b64decode(seen["content"][0]["attachment"]["data"]) == f"{given} {family} came by.".encode()
    assert f"By {given} {family}</div>" in seen["text"]["div"]


@pytest.mark.parametrize(
    "who",
    [
        {"display": "Dr. Ottilie Vanterpool"},
        {"display": "Vanterpool, Ottilie"},
        {"display": "Margaret Vanterpool"},
        {"identifier": {"system": "http://a", "value": "77123"}, "display": "Ottilie Vanterpool, MD"},
        {"reference": "urn:uuid:6d5a3c1e-0f4e-4d52-9e0c-3a1b2c3d4e5f", "display": "Dr. O. Vanterpool"},
    ],
)
def test_whoever_is_but_a_display(who: Resource) -> None:
    _, seen = masked(PATIENT, observation("o", "Vanterpool examined her. Pain is less.", who))
    assert seen["note"][0]["text"] == "[name] examined her. Pain is less."
    assert seen["performer"][0]["display"] == "[redacted]"


def test_an_author_by_name_alone() -> None:
    notes = [
        {"authorString": "Ottilie Vanterpool, RN", "text": "Vanterpool saw her."},
        {"text": "See Vanterpool's note."},
    ]
    _, seen = masked(PATIENT, observation("o", "") | {"note": notes})
    assert [note["text"] for note in seen["note"]] == ["[name] saw her.", "See [name]'s note."]


@pytest.mark.parametrize(
    "who",
    [
        {"display": "Blood pressure panel"},
        {"display": "Massachusetts General Hospital"},
        {"reference": "Practitioner/404", "display": "Night Nurse"},
        {"reference": "Practitioner/404", "display": "Attending physician"},
        {"reference": "Organization/404", "display": "Emergency Department"},
        {"reference": "CareTeam/404", "display": "Pain Team"},
        {"reference": "Practitioner/d", "display": "Blood Pain"},  # whose record is known: that is his name
    ],
)
def test_what_is_no_strangers_name_stays(who: Resource) -> None:
    text = "Blood pressure at night by nurse, attending physician; general pain. Massachusetts General. Emergency department."
    _, _, seen = masked(PATIENT, HOUSE, observation("o", text, who))
    assert seen["note"][0]["text"] == text


def test_a_place_without_a_record() -> None:
    where = {"reference": "Organization/404", "display": "Saint Brigid Hospital"}
    _, seen = masked(PATIENT, observation("o", "Brought from Saint Brigid Hospital.", where))
    assert seen["note"][0]["text"] == f"Brought from {seen['performer'][0]['display']}."
    assert "Brigid" not in seen["note"][0]["text"]


def test_a_known_name_goes_before_a_strangers() -> None:
    """A stranger who shares a family name with somebody known does not give them another one."""
    who = {"reference": "Practitioner/404", "display": "Anna Novak"}
    patient, seen = masked(PATIENT, observation("o", "Mrs. Novak is well.", who))
    assert seen["note"][0]["text"] == f"Mrs. {patient['name'][0]['family']} is well."


@pytest.mark.parametrize(
    ("text", "is_human", "is_name"),
    [
        ("Ottilie Vanterpool", True, True),
        ("Ottilie", True, True),
        ("Vanterpool", False, False),
        ("Dr. Vanterpool", False, True),
        ("Vanterpool RN", False, True),
        ("Xqzt Vanterpool", False, False),
        ("VANTERPOOL, OTTILIE", False, True),
        ("Ludwig van der Berg", False, True),
        ("Bill Vanterpool", False, True),
        ("Abbott774, Adam631", False, True),
        ("佐々木 健", True, True),
        ("Night Nurse", True, False),
        ("Nurse-Midwife", True, False),
        ("ottilie vanterpool", True, True),
        ("ottilie vanterpool", False, False),
        ("see the chart", True, False),
        ("Black, Mary", False, True),
        ("Mary Hospital", False, False),
        ("", True, False),
        ("Dr.", True, False),
        ("A" * 100, True, False),
        ("One Two Three Four Five Six", True, False),
        ("12345", True, False),
    ],
)
def test_what_calls_somebody_by_name(text: str, is_human: bool, is_name: bool) -> None:
    assert bool(name_in(text, is_human=is_human)) == is_name


# ── whom the chart names ──


def encounter(own_id: str, *who: Resource, **rest: Any) -> Resource:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    return {
        "resourceType": "Encounter", "id": own_id, "status": "finished", "class": kind, "subject": {"reference": "Patient/p"},
        "participant": [{"individual": one} for one in who], **rest,
    }  # fmt: skip


ROLE = {
    "resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "Practitioner/d"},
}  # fmt: skip


@pytest.mark.parametrize("batch", [0, 1])
@pytest.mark.parametrize("who", ["Practitioner/d", "PractitionerRole/r"])
def test_a_note_shows_whom_the_patient_has_met(batch: int, who: str) -> None:
    """The note refers to the encounter alone, or to nothing: the clinician is named there."""
    visit = encounter("e", {"reference": who})
    text = observation("o", "Dr. House saw Gregory's patient.", encounter={"reference": "Encounter/e"})
    del text["performer"]
    _, house, _, _, seen = masked(PATIENT, HOUSE, ROLE, visit, text, batch=batch)
    given, family = house["name"][0]["given"][0], house["name"][0]["family"]
    assert seen["note"][0]["text"] == f"Dr. {family} saw {given}'s patient."


@pytest.mark.parametrize(
    "chart",
    [
        encounter("e", {"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"}),
        {"resourceType": "EpisodeOfCare", "id": "ec", "status": "active", "patient": {"reference": "Patient/p"},
         "careManager": {"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"}},
        {"resourceType": "CareTeam", "id": "ct", "subject": {"reference": "Patient/p"}, "participant": [
            {"member": {"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"}}]},
    ],
    ids=lambda one: one["resourceType"],
)  # fmt: skip
def test_a_stranger_whom_the_chart_names(chart: Resource) -> None:
    direct = observation("o2", "x", {"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"})
    note = observation("o", "Vanterpool saw her; Ottilie agrees.")
    _, _, shown, seen = masked(PATIENT, chart, direct, note)
    given, family = words(shown["performer"][0]["display"])
    assert seen["note"][0]["text"] == f"{family} saw her; {given} agrees."
    # Another patient's chart says nothing of this one's texts.
    other = chart | {("patient" if "patient" in chart else "subject"): {"reference": "Patient/q"}}
    assert masked(PATIENT, PATIENT | {"id": "q"}, other, note)[-1]["note"] == [
        {"text": "Vanterpool saw her; Ottilie agrees."}
    ]


def test_a_stranger_whom_the_chart_names_without_a_reference() -> None:
    _, _, seen = masked(
        PATIENT, encounter("e", {"display": "Dr. Ottilie Vanterpool"}), observation("o", "Vanterpool left.")
    )
    assert seen["note"][0]["text"] == "[name] left."


def test_charts_in_bundles_and_of_linked_records() -> None:
    uuid = "urn:uuid:6d5a3c1e-0f4e-4d52-9e0c-3a1b2c3d4e5f"
    who = {"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"}
    visit = encounter("e", who) | {"subject": {"reference": uuid}}
    note = observation("o", "Vanterpool left.")
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": uuid, "resource": PATIENT}, {"fullUrl": "urn:uuid:6d5a3c1e-0f4e-4d52-9e0c-3a1b2c3d4e60", "resource": visit},
        {"resource": note}]}  # fmt: skip
    [seen] = masked(bundle)
    assert "Vanterpool" not in json.dumps(seen)
    linked = PATIENT | {"id": "a", "link": [{"other": {"reference": "Patient/p"}, "type": "seealso"}]}
    for documents in ([linked, PATIENT, encounter("e", who), note], [note, encounter("e", who), PATIENT, linked]):
        assert "Vanterpool" not in json.dumps(masked(*documents))


def test_a_chart_makes_nobody_known() -> None:
    """A patient without a record stays one: the text is not read."""
    people = People(
        gather([dump(encounter("e", {"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"}))])
    )
    assert people.facts("Patient/p") is None
    assert people.facts("p") is None
    people = People(gather([dump(encounter("e", {"reference": "Practitioner/d"})), dump(PATIENT)]))
    assert people.facts("Patient/p").met == (Met("Practitioner/d"),)
    assert people.facts("Practitioner/d") is None


def test_whom_somebody_has_met_is_bounded_whatever_the_order() -> None:
    visits = [
        dump(encounter(f"e{n}", {"reference": f"Practitioner/{n:03}", "display": f"Dr. A{n}"})) for n in range(80)
    ]
    lines = [dump(PATIENT), *visits]
    found = [People(gather(some)).facts("Patient/p").met for some in (lines, lines[::-1])]
    assert found[0] == found[1]
    assert [one.who for one in found[0]] == [f"Practitioner/{n:03}" for n in range(MOST_MET)]


def test_visits_and_teams_are_bounded_apart_from_whoever_else_is_in_a_chart() -> None:
    doctor = dump(encounter("e", {"reference": "Practitioner/zzz", "display": "Dr. Z"}))
    tests = [
        dump(observation(f"o{n}", "x", {"reference": f"Practitioner/{n:03}", "display": f"Dr. A{n}"}))
        for n in range(80)
    ]
    lines = [dump(PATIENT), *tests[:40], doctor, *tests[40:]]
    found = [People(gather(some)).facts("Patient/p").met for some in (lines, lines[::-1])]
    in_parts = [facts for line in lines for facts in gather([line])]
    assert found[0] == found[1] == People(in_parts).facts("Patient/p").met
    assert [one.who for one in found[0]] == ["Practitioner/zzz", *(f"Practitioner/{n:03}" for n in range(MOST_MET))]


def test_bounds_of_parts_are_those_of_the_whole() -> None:
    many = [Met(f"Practitioner/{n:03}", "X", 1) for n in range(60)]
    twice = [Met("Practitioner/zzz", "Dr. A", 1), Met("Practitioner/zzz", "Dr. B", 0)]
    whole = first_met([*many, *twice])
    assert (
        whole
        == first_met([*first_met([*many, twice[0]]), twice[1]])
        == first_met([twice[1], *first_met(many[30:]), *many])
    )
    assert Met("Practitioner/zzz", "Dr. B", 0) in whole


def test_what_is_kept_in_mind_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    charts = [
        dump(observation(f"o{n}", "x", {"reference": f"Practitioner/{n % 7}", "display": f"Dr. A{n % 7}"}))
        for n in range(50)
    ]
    whole = People(gather([dump(PATIENT), *charts])).facts("Patient/p").met
    monkeypatch.setattr("masking.identity.charts._TOLD", 3)
    monkeypatch.setattr("masking.identity.charts._REFERENCES", 2)
    assert len(list(gather(charts))) > 7
    assert People(gather([dump(PATIENT), *charts])).facts("Patient/p").met == whole


@pytest.mark.parametrize("odd", [["x"], {"a": 1}, 5, None])
def test_a_type_that_is_no_text_is_passed_over(odd: object) -> None:
    inner = {"resourceType": "Patient", "id": "q"}
    assert [facts.name for facts in gather([dump({"resourceType": odd, "contained": [inner]})])] == ["Patient/#q"]


def test_what_a_damaged_document_says_is_said_again_by_a_sound_one() -> None:
    whom = {"resourceType": "Procedure", "id": "c", "performer": [{"actor": WHO}], **OF}
    place = {"resourceType": "Organization", "id": "o", "name": "XX"}
    damaged = dump({**whom, "contained": [place]}).replace(b'"XX"', b'"\xff\xfe"')
    for lines in ([damaged, dump(whom)], [dump(whom), damaged]):
        assert [one.called for facts in gather(lines) for one in facts.met] == [WHO["display"]]


WHO = {"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"}
OF = {"subject": {"reference": "Patient/p"}}


@pytest.mark.parametrize(
    "chart",
    [
        {"resourceType": "Procedure", "performer": [{"actor": WHO}], **OF},
        {"resourceType": "Procedure", "performer": {"actor": WHO}, **OF},  # no array, though R4 wants one
        {"resourceType": "DiagnosticReport", "resultsInterpreter": [WHO], **OF},
        {"resourceType": "DocumentReference", "author": [WHO], **OF},
        {"resourceType": "Composition", "attester": [{"party": WHO}], **OF},
        {"resourceType": "Claim", "careTeam": [{"provider": WHO}], "patient": OF["subject"]},
        {"resourceType": "Task", "owner": WHO, "for": OF["subject"]},
        {"resourceType": "Coverage", "subscriber": {"display": "Ottilie Vanterpool"}, "beneficiary": OF["subject"]},
        {"resourceType": "FamilyMemberHistory", "name": "Ottilie Vanterpool", "patient": OF["subject"]},
        {"resourceType": "Procedure", "contained": [{"resourceType": "Practitioner", "id": "d", "name": [{"text": "x"}]}],
         "recorder": {"reference": "#d", "display": "Dr. Ottilie Vanterpool"}, **OF},
    ],
    ids=lambda chart: chart["resourceType"],
)  # fmt: skip
def test_whoever_is_named_anywhere_in_a_chart(chart: Resource) -> None:
    note = observation("o", "Ottilie Vanterpool called. Pain is less.")
    *_, seen = masked(PATIENT, {**chart, "id": "c"}, note)
    text = seen["note"][0]["text"]
    assert "Vanterpool" not in text and "Ottilie" not in text
    assert text.endswith(" called. Pain is less.")


def test_a_device_and_who_pays_are_nobody() -> None:
    pump = {"reference": "Device/d", "display": "Alaris Vanterpool"}
    payer = {"reference": "Organization/o", "display": "Vanterpool Life"}
    charts = [
        {"resourceType": "Procedure", "id": "c", "performer": [{"actor": pump}], **OF},
        {
            "resourceType": "Procedure",
            "id": "c2",
            "performer": [{"actor": {"type": "Device", "display": "Alaris Vanterpool"}}],
            **OF,
        },
        {"resourceType": "Claim", "id": "c3", "insurer": payer, "patient": OF["subject"]},
    ]
    text = "Alaris Vanterpool stopped. Paid by Vanterpool Life."
    assert masked(PATIENT, *charts, observation("o", text))[-1]["note"] == [{"text": text}]


# ── displays that are no names, and names that are words of the clinic ──


@pytest.mark.parametrize(
    "display",
    ["Blood Bank", "Cardiac Rehab", "Diabetes Educator", "Insulin Pump", "Stroke", "Left Knee", "Night Float", "Baby Boy",
     "Hospice", "Telehealth", "Infusion Suite", "Massachusetts General Hospital"],
)  # fmt: skip
def test_a_function_is_nobody(display: str) -> None:
    first, last = display.split(maxsplit=1)[0], display.rsplit(maxsplit=1)[-1]
    text = f"{first} seen. {first} type A. {last}. The {first.lower()} and {last.lower()}. {display}, see {last} sheet."
    chart = encounter("e", {"reference": "Practitioner/404", "display": display})
    assert masked(PATIENT, chart, observation("o", text))[-1]["note"] == [{"text": text}]


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize(
    ("family", "text", "named"),
    [
        ("Colon", "Colon normal; colon cancer.", "Dr. Colon"),
        ("Blood", "Blood drawn. Low blood pressure. Blood type A.", "Dr. Blood"),
        ("Parkinson", "Parkinson's worse, since parkinson's began.", "Dr. Parkinson's plan"),
        ("Crohn", "Crohn's flare. No Crohn's in the family.", "Dr. Crohn"),
        ("Graves", "Graves' disease. Graves' since 2019.", "Dr. Graves"),
        ("Foley", "Foley removed. Old foley out.", "Dr. Foley"),
        ("Parkinson", "On levodopa.", "Parkinson's wife"),
        ("Foley", "Catheter out.", "Tom Foley called"),
    ],
)
def test_a_name_that_is_a_word_of_the_clinic(family: str, text: str, named: str, is_known: bool) -> None:
    who = {"resourceType": "Practitioner", "id": "404", "name": [{"family": family, "given": ["Tom"]}]}
    reference = {"reference": "Practitioner/404", "display": f"Dr. Tom {family}"}
    documents = [PATIENT, *([who] if is_known else []), encounter("e", reference), observation("o", f"{text} {named}.")]
    note = masked(*documents)[-1]["note"][0]["text"]
    assert note.startswith(text + " ")
    assert family not in note.removeprefix(text)


@pytest.mark.parametrize(
    ("display", "name"),
    [
        ("Ottilie Vanterpool, Cardiology", "Ottilie Vanterpool"),
        ("Ottilie Vanterpool (Cardiology)", "Ottilie Vanterpool"),
        ("Cardiology - Ottilie Vanterpool", "Ottilie Vanterpool"),
        ("Ottilie Vanterpool - RN", "Ottilie Vanterpool"),
        ("Ottilie Vanterpool NPI 1234567893", "Ottilie Vanterpool"),
        ("Prof. Dr. med. Ottilie Vanterpool", "Prof. Dr. Ottilie Vanterpool"),
        ("vanterpool, ottilie", "vanterpool, ottilie"),
        ("Vanterpool^Ottilie^^^Dr", "Vanterpool, Ottilie"),
        ("77123^Vanterpool^Ottilie", "Vanterpool, Ottilie"),
        ("Ottilie Abernathy-State", "Ottilie Abernathy-State"),
        ("Nurse Ottilie Vanterpool", "Ottilie Vanterpool"),
        ("Attending: Ottilie Vanterpool", "Ottilie Vanterpool"),
        ("Ottilie Vanterpool is covering", "Ottilie Vanterpool"),
        ("Dr. Vanterpool [77123]", "Dr. Vanterpool"),
        ("Elizabeth (Betty) Smith", "Elizabeth Betty Smith"),
        ("Dr. Lee Ward, Mercy Clinic", "Dr. Lee Ward"),
        ("Black, Mary", "Black, Mary"),
        ("Rose Ward", "Rose Ward"),
        ("Dr. Colon", "Dr. Colon"),
        ("John Muir Hospital", ""),
        ("to be determined", ""),
        ("n/a", ""),
    ],
)
def test_a_name_is_what_is_left_without_what_somebody_is(display: str, name: str) -> None:
    assert name_in(display, is_human=True) == name


@pytest.mark.parametrize(
    "display", ["Ottilie Vanterpool, Cardiology", "Vanterpool^Ottilie^^^Dr", "vanterpool, ottilie"]
)
def test_a_display_with_more_than_the_name_says_who_it_is(display: str) -> None:
    who = {"reference": "Practitioner/404", "display": display}
    alone = {"reference": "Practitioner/404", "display": "Ottilie Vanterpool"}
    _, seen, plain = masked(
        PATIENT, observation("o", "Vanterpool saw her; Ottilie agrees.", who), observation("p", "", alone)
    )
    given, family = words(plain["performer"][0]["display"])
    assert seen["note"][0]["text"].casefold() == f"{family} saw her; {given} agrees.".casefold()


@pytest.mark.parametrize("display", ["Ottilie Abernathy-State", "Mary Nurse"])
def test_a_word_of_a_role_in_a_name_stays_where_it_is_one(display: str) -> None:
    text = "Stable state, mental state good. The nurse left."
    who = {"reference": "Practitioner/404", "display": display}
    assert masked(PATIENT, observation("o", text, who))[-1]["note"] == [{"text": text}]


# ── carers and places of the patient ──


@pytest.mark.parametrize(
    "rest",
    [
        {"generalPractitioner": [{"reference": "Practitioner/404", "display": "Dr. Ottilie Vanterpool"}]},
        {"generalPractitioner": [{"display": "Dr. Ottilie Vanterpool"}]},
        {"generalPractitioner": [{"reference": "PractitionerRole/404", "display": "Ottilie Vanterpool"}]},
    ],
)
def test_a_general_practitioner_without_a_record(rest: Resource) -> None:
    _, seen = masked(PATIENT | rest, observation("o", "Vanterpool saw her; Ottilie agrees."))
    assert "Vanterpool" not in seen["note"][0]["text"] and "Ottilie" not in seen["note"][0]["text"]
    assert masked(PATIENT, observation("o", "Vanterpool left."))[-1]["note"] == [{"text": "Vanterpool left."}]


def test_whoever_has_a_role_without_a_record() -> None:
    role = ROLE | {"practitioner": {"reference": "Practitioner/404", "display": "Ottilie Vanterpool"}}
    visit = encounter("e", {"reference": "PractitionerRole/r"})
    assert "Vanterpool" not in masked(PATIENT, role, visit, observation("o", "Vanterpool left."))[-1]["note"][0]["text"]


WHERE = {"reference": "Organization/404", "display": "Saint Brigid Hospital"}


@pytest.mark.parametrize(
    "documents",
    [
        [PATIENT | {"managingOrganization": WHERE}],
        [PATIENT, encounter("e", location=[{"location": WHERE | {"reference": "Location/404"}}])],
        [PATIENT, encounter("e", hospitalization={"origin": WHERE})],
        [PATIENT, encounter("e", hospitalization={"destination": WHERE})],
    ],
)
def test_a_place_of_the_patient_without_a_record(documents: list[Resource]) -> None:
    *_, seen = masked(*documents, observation("o", "Brought from Saint Brigid Hospital."))
    assert "Brigid" not in seen["note"][0]["text"]


def test_places_and_spellings_take_nobodys_room() -> None:
    places = [{"location": {"reference": f"Location/{n:03}", "display": f"Ward {n}"}} for n in range(80)]
    spellings = [{"reference": "Practitioner/000", "display": f"Dr. Anna Smith{n}"} for n in range(80)]
    people = [{"reference": f"Practitioner/{n:03}", "display": f"Dr. A{n}"} for n in range(1, MOST_MET)]
    lines = [dump(PATIENT), dump(encounter("e", *spellings, location=places)), dump(encounter("f", *people))]
    found = [People(gather(some)).facts("Patient/p").met for some in (lines, lines[::-1])]
    assert found[0] == found[1]
    whos = {one.who for one in found[0]}
    assert {one["reference"] for one in people} | {"Practitioner/000"} <= whos
    assert len(whos) == 2 * MOST_MET
    assert sum(one.who == "Practitioner/000" for one in found[0]) == 4


@pytest.mark.parametrize(
    "called", ["Patrick Vanterpool", "Vanterpool, Patrick", "Dr. Vanterpool", "Gregory Vanterpool"]
)
def test_another_name_than_the_record_s_goes_as_its_display_shows_it(called: str) -> None:
    """A maiden name, or somebody else's: a display says it of a human whose record has others."""
    who = {"reference": "Practitioner/d", "display": called}
    text = "Vanterpool signed; Quillfeather agrees."
    _, record, _, seen, by_chart = masked(
        PATIENT,
        {**HOUSE, "name": [{"family": "Quillfeather", "given": ["Gregory"]}]},
        {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {}, "subject": {"reference": "Patient/p"},
         "participant": [{"individual": who}]},
        observation("o", text, who),
        observation("o2", text),
    )  # fmt: skip
    fake = record["name"][0]["family"]
    for one in (seen, by_chart):
        assert "Vanterpool" not in one["note"][0]["text"] and "Quillfeather" not in one["note"][0]["text"]
        assert one["note"][0]["text"].endswith(f" signed; {fake} agrees.")
    assert seen["note"][0]["text"].split(" signed")[0] in seen["performer"][0]["display"]


def test_a_display_that_says_what_the_record_says_is_nobody_else() -> None:
    facts = Facts(
        "Practitioner", "1", names=(Name("official", "Heps-Müller", ("Simone", "William7")), Name("alias", text="Ann"))
    )
    for called in (
        "Dr. Simone Heps-Müller",
        "HEPS, S.",
        "Mueller",
        "Bill Heps",
        "S. Heps, MD",
        "William",
        "Ann",
        "Blood Bank",
        "",
    ):
        assert not calls_otherwise(facts, called), called
    for called in ("Simone Pump", "Heps-Pump", "Dr. Quigley"):
        assert calls_otherwise(facts, called), called
