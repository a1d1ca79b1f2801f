"""Attacks by those who know facts: against a search by hand, and alike however people are shared out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masking.risk.facts import Fact, told, visit_facts
from masking.risk.linkage import MOST_FACTS, Attack, Crowd, draw, is_target, tally

ON = "2026-01-01"
crowds = st.dictionaries(st.integers(2, 40), st.sets(st.integers(1, 12), max_size=8), max_size=12)
attacks = st.lists(
    st.tuples(st.integers(2, 40), st.lists(st.integers(1, 13), min_size=1, max_size=4, unique=True)), max_size=20
)


def crowd(people: dict[int, set[int]]) -> Crowd:
    pairs = [(fact, person) for person, facts in people.items() for fact in facts]
    return Crowd(np.array([one for one, _ in pairs], np.uint64), np.array([other for _, other in pairs], np.uint64))


def ask(people: dict[int, set[int]], asked: list[tuple[int, list[int]]]) -> tuple[list[int], list[bool]]:
    rows = np.array([[*facts, *[0] * (MOST_FACTS - len(facts))] for _, facts in asked], np.uint64).reshape(
        -1, MOST_FACTS
    )
    many, hit = crowd(people).fitting(rows, np.array([target for target, _ in asked], np.uint64))
    return many.tolist(), hit.tolist()


@given(crowds, attacks)
def test_who_fits_is_who_has_all_facts(people: dict[int, set[int]], asked: list[tuple[int, list[int]]]) -> None:
    many, hit = ask(people, asked)
    for (target, facts), count, is_hit in zip(asked, many, hit, strict=True):
        fitting = [person for person, known in people.items() if known.issuperset(facts)]
        assert count == min(2, len(fitting)) and is_hit == (target in fitting)


@given(crowds, attacks)
def test_shares_of_a_crowd_add_up(people: dict[int, set[int]], asked: list[tuple[int, list[int]]]) -> None:
    whole = ask(people, asked)
    parts = [ask({one: facts for one, facts in people.items() if one % 3 == share}, asked) for share in range(3)]
    assert [min(2, sum(counts)) for counts in zip(*(many for many, _ in parts), strict=True)] == whole[0]
    assert [any(hits) for hits in zip(*(hit for _, hit in parts), strict=True)] == whole[1]


FACTS = {Fact.SEX: [11], Fact.AGE: [12], Fact.DIAGNOSIS: [13, 14, 15], Fact.VISIT_GAP: [16, 17], Fact.PLACE: [18]}
KEPT = {Fact.SEX: [11], Fact.DIAGNOSIS: [13, 15]}


def test_attacks_are_drawn_alike_each_time_and_use_what_they_may() -> None:
    drawn = list(draw(77, FACTS, KEPT))
    shuffled = {kind: facts[::-1] for kind, facts in reversed(FACTS.items())}
    assert drawn == list(draw(77, shuffled, KEPT))
    assert drawn != [one._replace(target=77) for one in draw(78, FACTS, KEPT)]
    by_kind = [one for one in drawn if one.kind >= 0]
    assert {one.kind for one in by_kind} == {int(kind) for kind in FACTS}
    kept = [one for one in drawn if one.model == 2]
    assert max(len(one.facts) for one in kept) == 2
    assert {fact for one in kept for fact in one.facts} <= {11, 13, 15}
    assert {len(one.facts) for one in drawn if one.model == 1} == {1, 2, 3, 4}


def test_of_many_people_about_as_many_as_wanted_are_attacked() -> None:
    chosen = sum(is_target(person, 20_000) for person in range(20_000))
    assert 1_800 < chosen < 2_200
    assert all(is_target(person, 2_000) for person in range(100))


def test_attacks_are_summed_up_by_what_is_known() -> None:
    drawn = [Attack(1, 1, -1, (5, 6)), Attack(2, 1, -1, (5, 7)), Attack(1, 2, -1, (5,))]
    models, kinds = (np.array([one[index] for one in drawn], np.int8) for index in (1, 2))
    facts = np.array([len(one.facts) for one in drawn])
    before = np.array([1, 1, 1]), np.array([True, True, True])
    after = np.array([1, 0, 2]), np.array([False, False, True])
    first, last = tally(models, kinds, facts, before, after)
    assert (first.knows, first.facts, first.before, first.after, first.misled, first.nobody) == ("any", 2, 2, 0, 1, 1)
    assert (last.knows, last.before, last.after, last.several) == ("kept", 1, 0, 1)


@given(st.lists(st.integers(700_000, 740_000), min_size=2, unique=True), st.integers(1, 180))
def test_a_shift_moves_days_of_visits_and_no_time_between_them(days: list[int], offset: int) -> None:
    before = set(visit_facts([(day, True) for day in days]))
    after = set(visit_facts([(day + offset, True) for day in days]))
    gaps = {fact for fact in before if fact[0] is Fact.VISIT_GAP}
    assert gaps == {fact for fact in after if fact[0] is Fact.VISIT_GAP}
    assert len(gaps) == len({other - one for one, other in pairwise(sorted(days))})
    assert list(visit_facts([(day, False) for day in days])) == []


def test_a_patient_is_told_by_labels() -> None:
    found = told(
        "Patient",
        {
            "gender": "female",
            "birthDate": "1987-03-14",
            "deceasedDateTime": "2020",
            "address": [{"postalCode": "02115-1234", "state": "MA"}],
            "maritalStatus": {"coding": [{"code": "M"}]},
            "extension": [
                {
                    "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
                    "extension": [{"url": "ombCategory", "valueCoding": {"code": "2106-3"}}],
                }
            ],
        },
        ON,
    )
    assert found.labels == {
        "age_band": "35–39", "sex": "female", "zip3": "021", "race": "2106-3", "ethnicity": "", "death": "dead",
        "state": "MA", "marital": "M", "language": "", "born": "1980",
    }  # fmt: skip
    assert {kind for kind, _ in found.facts} == {Fact.SEX, Fact.AGE, Fact.BIRTH, Fact.PLACE}


def test_the_same_age_on_another_day_is_the_same_fact() -> None:
    one, other = (dict(told("Patient", {"birthDate": day}, ON).facts) for day in ("1987-03-14", "1987-01-03"))
    assert one[Fact.AGE] == other[Fact.AGE] and one[Fact.BIRTH] != other[Fact.BIRTH]


def test_what_has_no_sense_tells_nothing() -> None:
    for odd in ({}, {"gender": 3, "birthDate": "1987-02-31", "address": "x", "extension": [None]}, {"birthDate": "9"}):
        labels = told("Patient", odd, ON).labels
        assert labels["age_band"] == "" and labels["zip3"] == ""
    for kind in ("Observation", "Encounter", "Condition", "MedicationRequest"):
        for odd in (
            {},
            {"code": 1, "period": {"start": 5}, "valueQuantity": {"value": None}},
            {"period": {"start": "x"}},
        ):
            found = told(kind, odd, ON)
            assert (found.facts, found.visits, found.values) == ([], [], [])
    assert told("Claim", {"id": "1"}, ON).facts == []
