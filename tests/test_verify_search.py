"""The search itself: spellings in which a known value is found, and what is no find."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from urllib.parse import quote

import numpy as np
import pytest

from masking.report.verdict import Finding
from masking.verify.collect import Collector
from masking.verify.details import days_in, ordinal_of
from masking.verify.judge import DOUBT, chances, poisson_tail
from masking.verify.kinds import Kind
from masking.verify.known import Known, joined
from masking.verify.look import Looker, leaves
from masking.verify.prose import Prose, Words, stands_alike
from masking.verify.relations import broken, findings, offsets, shared, unsteady
from masking.verify.tree import Tree, shown, told

PATIENT = {
    "resourceType": "Patient",
    "id": "6d75a1f0-1c2b-4d3e-8f90-abcdefabcdef",
    "identifier": [
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "219-09-9999"},
        {"type": {"coding": [{"code": "MR"}]}, "value": "MRN-50703152"},
    ],
    "name": [{"family": "Núñez-O'Brien", "given": ["Zoë", "Maria"]}],
    "telecom": [{"system": "phone", "value": "+1 (508) 998-0035"}, {"system": "email", "value": "Zoe.Nunez@Host.test"}],
    "address": [{"line": ["7241 Fields View"], "city": "North Benjaminland", "postalCode": "01718-1234"}],
    "birthDate": "1987-03-02",
}
STRANGE = ("Abernathy", "Brockwell", "Castellan", "Dunleavy", "Ellingham", "Fairbrook", "Garrowby", "Hollander")
ME = "Patient/6d75a1f0-1c2b-4d3e-8f90-abcdefabcdef"


def known_of(documents: Iterable[object]) -> Known:
    collector = Collector()
    for document in documents:
        collector.document(json.dumps(document).encode())
    return joined([collector.pieces()])


@pytest.fixture(scope="module")
def looker() -> Looker:
    return Looker.of(known_of([PATIENT]))


def kinds(looker: Looker, text: str, *, owner: str = ME) -> Kind:
    """What is found of one's own in a document whose display says `text`."""
    document = json.dumps({"resourceType": "Basic", "display": text}).encode()
    finds = looker.look([b"{}", document], [[], [looker.known.owner(owner)]])
    found = Kind(0)
    for place, number, own in zip(finds.places.tolist(), finds.documents.tolist(), finds.owners.tolist(), strict=True):
        assert number == 1
        if own:
            found |= Kind(int(looker.known.marks[place]) >> 8)
    return found


def test_many_values_that_might_have_begun_hide_none(looker: Looker) -> None:
    """Each 7241 may be the beginning of a street line; the name behind them is found all the same."""
    name = PATIENT["name"][0]
    whole = f"{name['given'][0]} {name['family']}"
    for count in range(30):
        assert Kind.FULL_NAME in kinds(looker, "7241 " * count + whole)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Zoë Núñez-O'Brien", Kind.FULL_NAME),
        ("NUNEZ O'BRIEN, ZOE MARIA", Kind.FULL_NAME),
        ("seen by núñez o’brien", Kind.NAME_WORD),
        ("Maria", Kind.NAME_WORD),
        ("call 508.998.0035 now", Kind.PHONE),
        ("5089980035", Kind.PHONE),
        ("15089980035", Kind.PHONE),
        ("+1-508-998-0035", Kind.PHONE),
        ("tel:(508)998 0035", Kind.PHONE),
        ("219099999", Kind.SSN),
        ("219 09 9999", Kind.SSN),
        ("mrn50703152", Kind.RECORD),
        ("MRN: 50703152", Kind.RECORD),
        ("zoe.nunez@host.test", Kind.EMAIL),
        ("6D75A1F01C2B4D3E8F90ABCDEFABCDEF", Kind.UUID),
        ("urn:uuid:6d75a1f0-1c2b-4d3e-8f90-abcdefabcdef", Kind.UUID),
        ("Patient/6d75a1f0-1c2b-4d3e-8f90-abcdefabcdef/_history/2", Kind.UUID),
        ("at 7241 FIELDS VIEW, and", Kind.LINE),
        ("in 01718", Kind.ZIP),
        ("north benjaminland", Kind.TOWN),
        ("1987-03-02T10:00:00Z", Kind.BIRTH),
        ("born 03/02/1987", Kind.BIRTH),
        ("born 2.3.1987", Kind.BIRTH),
        ("born 3/2/87", Kind.BIRTH),
        ("March 2, 1987", Kind.BIRTH),
        ("the 2nd of March 1987", Kind.BIRTH),
        ("2 Mar. 1987", Kind.BIRTH),
        ("19870302", Kind.BIRTH),
        ("03021987", Kind.BIRTH),
    ],
)
def test_a_value_is_found_in_any_spelling(looker: Looker, text: str, kind: Kind) -> None:
    assert kinds(looker, text) & kind
    assert kinds(looker, f"<p>{text.replace('o', '&#111;')}</p>") & kind
    assert kinds(looker, quote(text, safe="")) & kind
    coded = base64.b64encode(f"A note. It says: {text}. Nothing else.".encode())
    assert kinds(looker, coded.decode()) & kind
    assert kinds(looker, f"data:text/plain;base64,{base64.urlsafe_b64encode(coded).decode()}") & kind
    assert kinds(looker, base64.b64encode(f"A note. It says: {text}. Nothing.".encode("utf-16")).decode()) & kind


@pytest.mark.parametrize(
    "text",
    ["Mariana", "50899800351", "2190999990", "1987-03-03", "6d75a1f0-1c2b-4d3e-8f90-abcdefabcdee", "7241 Field", "Zo",
     "17 18", "MRN 5070", "", "219-09-9999 7".replace("9999 7", "99997")],
)  # fmt: skip
def test_what_only_resembles_a_value_is_not_found(looker: Looker, text: str) -> None:
    assert not kinds(looker, text)


def test_what_is_another_persons_is_told_apart(looker: Looker) -> None:
    assert kinds(looker, "Maria 5089980035", owner="Patient/2") == 0
    finds = looker.look([b'"Maria 5089980035"'], [[looker.known.owner("Patient/2")]])
    assert len(finds.places) == 2 and not finds.owners.any()


def test_escapes_of_json_are_undone(looker: Looker) -> None:
    document = json.dumps({"display": "Zoë Núñez-O'Brien"}, ensure_ascii=True).encode()
    assert b"\\u00eb" in document
    finds = looker.look([document], [[looker.known.owner(ME)]])
    marks = looker.known.marks[finds.places] >> 8
    assert (marks & Kind.FULL_NAME).any()
    assert {
        leaf.path for found in looker.where(document, frozenset(finds.places.tolist())).values() for leaf in found
    } == {"?.display"}


def test_two_dates_of_a_period_are_not_read_as_one(looker: Looker) -> None:
    """`02-03","end":"1987` is no 2 March 1987; within a text the day may well be so."""
    period = b'{"period":{"start":"1986-02-03","end":"1987-05-01"}}'
    said = b'{"note":"on 02-03 of 1987"}'
    owner = [[looker.known.owner(ME)]]
    for document, births in ((period, False), (said, True)):
        marks = looker.known.marks[looker.look([document], owner).places] >> 8
        assert bool((marks & Kind.BIRTH).any()) is births


def test_names_of_one_person_lead_to_one_owner() -> None:
    related = {"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": ME}, "name": [{"family": "Wexley"}]}
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": {**PATIENT, "id": "p1"}}],
    }
    known = known_of([PATIENT, related, bundle])
    assert known.owner("RelatedPerson/r") == known.owner(ME)
    assert known.owner("urn:uuid:6d75a1f0-1c2b-4d3e-8f90-abcdefabcdef") == known.owner(ME)
    assert known.owner("urn:uuid:00000000-0000-4000-8000-000000000001") == known.owner("Patient/p1") != known.owner(ME)
    assert known.owner("Patient?identifier=http://hl7.org/fhir/sid/us-ssn|219-09-9999") != 0
    assert known.is_patient(known.owner(ME)) and not known.is_patient(known.owner("Practitioner/1"))


def test_days_in_prose() -> None:
    def day(text: int) -> int:
        found = ordinal_of(text)
        assert found is not None
        return found

    assert days_in("on 1987-03-02, then 3/4/1990 and May 5th, 2001; 6 June 2002") >= {
        *(day(19870302), day(19900304), day(19900403), day(20010505), day(20020606))
    }
    assert days_in("03/05/1985, 04.05.1985", sure=True) == {day(19850305), day(19850504), day(19850405)}
    assert days_in("12/2020 and 99/99/1999") == set()
    assert ordinal_of(19870231) is None


def test_one_fake_that_meets_a_whole_household_is_one_coincidence() -> None:
    """Their doctor's fake name is the true one of them all: as many finds as people, and one name."""
    family = [
        PATIENT | {"id": f"p{n}", "name": [{"family": "Wexley"}], "telecom": [], "identifier": []} for n in range(40)
    ]
    strangers = [
        PATIENT | {"id": f"s{n}", "name": [{"family": name}], "telecom": [], "identifier": []}
        for n, name in enumerate(STRANGE)
    ]
    known = known_of([*family, *strangers])
    looker = Looker.of(known)

    def tail(people: list[dict[str, object]], says: Sequence[str]) -> float:
        documents = [json.dumps({"resourceType": "Basic", "display": text}).encode() for text in says]
        owners = [[known.owner(f"Patient/{one['id']}")] for one in people]
        finds = looker.look(documents, owners)
        own = finds.owners > 0
        pairs = finds.places[own], finds.owners[own]
        none = np.zeros(0, np.int64), np.zeros(0, np.uint64)
        return chances(known, pairs, none, known.humans)[0][Kind.NAME_WORD].tail

    assert tail(family, ["seen by Dr. Wexley"] * len(family)) > DOUBT
    assert tail(strangers, [f"seen by Dr. {name}" for name in STRANGE]) < DOUBT


def test_poisson() -> None:
    assert poisson_tail(0, 0.0) == 1.0
    assert poisson_tail(1, 0.0) == 0.0
    assert poisson_tail(1, 0.5) == pytest.approx(0.3934693)
    assert poisson_tail(3, 1.0) == pytest.approx(0.0803014)
    assert poisson_tail(600, 600.0) == pytest.approx(0.5, abs=0.03)


def test_paths_for_the_clean_side_hold_no_name_out_of_the_data() -> None:
    assert shown("Patient.extension[http://smith.example/x].valueString") == "Patient.extension.valueString"
    assert told("Patient.name.family") == "Patient.name.family"
    assert told("Patient.JohnSmith.x") == "Patient.?.?"
    assert told("Patient._birthDate.extension[u].url") == "Patient._birthDate.extension.url"
    tree = Tree({"Patient.gender": "keep"})
    root = tree.root("Patient")
    assert root is not None and root.twig("gender").action == "keep" and root.twig("nonsense").path == "Patient.?"


class _Told:
    paths = ["Observation.subject.reference"]  # noqa: RUF012
    files = ["a.ndjson"]  # noqa: RUF012


@pytest.mark.parametrize("shares", [1, 2, 3, 7])
def test_relations_must_be_one_to_one(shares: int) -> None:
    def judged(*tasks: list[tuple[int, int]], moved: Sequence[tuple[int, int]] = ()) -> list[Finding]:
        """What is found of tasks that met these pairs of names, and of people and days."""
        lines = np.array([(0, 0, line) for line in range(1, len(moved) + 1)], np.int64).reshape(-1, 3)
        owners, days = (np.array([one[column] for one in moved], np.int64) for column in (0, 1))
        written = []
        for pairs in tasks:
            places = np.array([(0, 0, line) for line, _ in enumerate(pairs, 1)], np.int64).reshape(-1, 3)
            keys = np.array(pairs, np.uint64).reshape(-1, 2)
            written.append(list(shared(keys, places, (owners.astype(np.uint64), days, lines), shares)))
        by_share = [[task[share] for task in written] for share in range(shares)]
        clashes = [clash for arrays in by_share for clash in (*broken(arrays), *unsteady(arrays))]
        return list(findings([_Told()] * len(tasks), clashes))

    many = [(number, number + 100) for number in range(20)]
    assert judged(many, many) == judged([(1, 11), (2, 12), (1, 11)]) == []
    [split] = judged([(1, 11)], [(1, 12)])
    assert split.what == "one name became several" and split.times == 2
    [merged] = judged([(1, 11), (2, 11), (3, 13)])
    assert merged.what == "several names became one" and merged.places == (("a.ndjson", 1), ("a.ndjson", 2))
    [odd] = judged([], moved=[(5, 3), (5, 4), (6, 9), (0, 1), (0, 2)])
    assert odd.what.startswith("another number of days") and odd.times == 1
    [still] = judged([], moved=[(5, 0), (6, 1)])
    assert still.what == "a date that did not move" and still.places == (("a.ndjson", 1),)


def test_a_share_holds_its_names_alone() -> None:
    keys = np.array([(number, number + 100) for number in range(60)], np.uint64)
    none = np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros((0, 3), np.int64)
    parts = list(shared(keys, np.zeros((60, 3), np.int64), none, 3))
    for name in ("before_keys", "after_keys"):
        assert [len(part[name]) for part in parts] == [20, 20, 20]
        assert sorted(np.concatenate([part[name] for part in parts]).tolist()) == keys.tolist()


def test_the_days_of_people_are_told_where_they_are_asked_for() -> None:
    dates = np.array([5, 6, 7], np.uint64), np.array([3, 9, -4], np.int64), np.zeros((3, 3), np.int64)
    none = np.zeros((0, 2), np.uint64), np.zeros((0, 3), np.int64)
    parts = list(shared(*none, dates, 4))
    assert {person: days for part in parts for person, days in offsets([part], [5, 7, 8]).items()} == {5: 3, 7: -4}


def test_leaves_of_what_is_no_json() -> None:
    assert list(leaves(b"{not json")) == [("?", "{not json")]
    assert list(leaves(b'{"resourceType":"Basic","Jane Doe":{"a":[1.50,true,null]}}')) == [
        ("Basic.resourceType", "Basic"),
        ("Basic.?", "Jane Doe"),
        ("Basic.?.a", "1.50"),
    ]


@pytest.mark.parametrize(
    ("value", "is_there"),
    [("219099999", True), ("219099999.5", True), ('"12.219099999"', True), ("12.219099999", False)],
)
def test_what_stands_behind_the_point_of_a_decimal_is_nobody_s_number(
    looker: Looker, value: str, is_there: bool
) -> None:
    document = f'{{"resourceType":"Basic","value":{value}}}'.encode()
    finds = looker.look([document], [[]])
    places = frozenset(finds.places.tolist())
    assert places  # found, in any punctuation
    assert bool(looker.where(document, places)[next(iter(places))]) == is_there


@pytest.mark.parametrize(
    ("before", "after", "alike"),
    [
        ("Walk with Zoë each day.", "Walk with Zoë each day.", True),
        ("Call Dr. Ann Zoë, 555.", "Call Dr. Eve Zoë, 777.", True),  # a half of a name that stayed
        ("Signed by Ann Zoë at noon", "Accompanied by Eve Zoë, who may be reached", False),
        ("Seen by Zoë Adams.", "Patient: Zoë Quist is well.", False),
        ("Accompanied by Zoë Cook, who may be reached", "Signed electronically by Zoë Quist at noon", False),
        ("Accompanied by Zoë Cook, who may be reached", "Accompanied by Zoë Quist, who may be reached", True),
        ("Accompanied by Ann Zoë, who may be reached", "The father of Eve Zoë, who is under our care", False),
        ("Accompanied by Ann Zoë, who may be reached", "Accompanied by Eve Zoë, who may be reached", True),
        ("by Zoë", "by Zoë", True),
        ("Zoë", "Zoë", True),
        ("xZoëx stays", "other words of Zoëly", True),  # not by itself: nothing is told of its place
    ],
)
def test_a_name_among_other_words_is_another_persons(looker: Looker, before: str, after: str, alike: bool) -> None:
    (place,) = looker.places_in("Zoë")
    was, now = (Words([text], looker.places_in_each).near(place) for text in (before, after))
    assert stands_alike(was, now) is alike


@pytest.mark.parametrize("odd", ["x%E9", "caf%E9%20", "%F0%9F", "%C3", "a%E2%82"])
def test_what_is_no_utf_8_swallows_nothing_behind_it(looker: Looker, odd: str) -> None:
    """An escape of Latin-1 in one text hides no name in the same text or the next."""
    (place,) = looker.places_in("Zoë")
    hidden = base64.b64encode(b"Here Zo\xc3\xab came in the morning").decode()
    texts = [f"see {odd}", hidden, f"http://x.test/?q={odd}%20Zo%C3%AB", "nobody"]
    each = looker.places_in_each(texts)
    assert each == [looker.places_in(text) for text in texts]
    assert [place in found for found in each] == [False, True, True, False]
    document = json.dumps({"resourceType": "Basic", "a": f"see {odd}", "b": hidden}).encode()
    assert looker.where(document, frozenset({place})).keys() == {place}


def test_each_word_of_a_document_is_looked_up_once(looker: Looker) -> None:
    """However many values are found in it: a value set names ten thousand."""
    asked: list[str] = []

    def places_in(words: Sequence[str]) -> list[set[int]]:
        asked.extend(words)
        return looker.places_in_each(words)

    titles = [f"Zoë of {word}" for word in ("salt", "sugar", "salt", "Zoë")]
    prose = Prose(json.dumps({"resourceType": "ValueSet", "title": titles}).encode(), places_in)
    (place,) = looker.places_in("Zoë")
    found = [prose.near("ValueSet.title", place) for _ in range(100)]
    assert found[0] == {(1, "of"), (2, "salt"), (2, "sugar"), (2, "zoë"), (-1, "of"), (-2, "zoë")}
    assert all(one == found[0] for one in found)
    assert sorted(asked) == ["of", "salt", "sugar", "zoë"]
    assert prose.near("ValueSet.name", place) == set() and "ValueSet.name" not in prose
