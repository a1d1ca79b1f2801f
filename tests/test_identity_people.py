"""`People`: records of one human are one, whatever the order, the duplicates and the ways in which they are linked."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from people import bundle, line, linked, patient, related

from masking.identity import Facts, People, gather
from masking.identity.entries import Claim, claims_of, decode_entries, encode_claim, settle, settle_encoded
from masking.identity.facts import MOST
from masking.identity.gather import numbers_in
from masking.identity.links import Groups
from masking.sample import write_sample


def people(*resources: Any) -> People:
    return People(gather([line(resource) for resource in resources]))


def of(known: People, who: str) -> Facts:
    facts = known.facts(who)
    assert facts is not None
    return facts


def families(known: People, who: str) -> set[str]:
    return {name.family for name in of(known, who).names}


def test_a_changed_name_is_known_beside_the_old_one() -> None:
    known = people(patient("p1", "Ahorn"), patient("p1", "Birke", gender="female"), patient("p1", "Ahorn"))
    assert families(known, "p1") == {"Ahorn", "Birke"}
    assert of(known, "p1").sex == "female"
    assert len(known) == 1


def test_linked_patients_are_one_human() -> None:
    known = people(
        patient("b", "B", **linked("Patient/c")), patient("c", "C", **linked("Patient/a")), patient("z", "Z")
    )
    assert {known.canonical(who) for who in ("b", "c", "a", "Patient/b")} == {"a"}
    assert families(known, "b") == families(known, "a") == {"B", "C"}
    assert of(known, "c").known_as == ("Patient/b", "Patient/c")
    assert known.canonical("z") == "z"
    assert known.canonical("nobody") == "nobody"
    assert known.facts("nobody") is None


def test_a_person_ties_records_together() -> None:
    person = {
        "resourceType": "Person",
        "id": "0",
        "birthDate": "1970",
        "link": [{"target": {"reference": "Patient/p2"}}, {"target": {"reference": "RelatedPerson/r"}}],
    }
    known = people(person, patient("p2", "Two"), related("r", "Patient/p1"), patient("p1", "One"))
    assert known.canonical("Person/0") == known.canonical("r") == "p2"
    assert of(known, "p2").birth_date == "1970"
    assert known.relatives("p2") == ("Patient/p1",)
    assert known.relatives("p1") == ("Patient/p2",)


def test_relatives_both_ways() -> None:
    known = people(related("r1", "Patient/p1"), patient("p1"), related("r2", "https://host/Patient/p1"))
    assert known.relatives("p1") == ("RelatedPerson/r1", "RelatedPerson/r2")
    assert known.relatives("r1") == ("Patient/p1",)
    assert known.relatives("nobody") == ()


def test_a_relative_whose_type_is_open() -> None:
    uuid = "0e5b9cc4-1111-4222-8333-94df00000002"
    known = people(related("r1", f"urn:uuid:{uuid}"), patient(uuid))
    assert known.relatives(uuid) == ("RelatedPerson/r1",)
    assert known.relatives("r1") == (f"Patient/{uuid}",)


def test_numbers_repeat_between_types() -> None:
    known = people(patient("1", "Patient"), {"resourceType": "Practitioner", "id": "1", "name": [{"family": "Doctor"}]})
    assert families(known, "1") == {"Patient"}
    assert families(known, "Practitioner/1") == {"Doctor"}


def number(system: str, value: str) -> dict[str, Any]:
    return {"identifier": [{"system": system, "value": value}]}


def test_by_identifier() -> None:
    known = people(
        patient("p1", **number("urn:mr", "7")),
        patient("p2", **number("urn:mr", "0")),
        patient("p3", **number("urn:mr", "0")),
    )
    found = known.by_identifier("urn:mr", "7")
    assert found is not None
    assert found.key == known.canonical("urn:mr|7") == "p1"
    assert known.by_identifier("urn:mr", "0") is None, "a placeholder names nobody"
    linked_ones = people(
        patient("p2", **number("urn:mr", "0"), **linked("Patient/p3")), patient("p3", **number("urn:mr", "0"))
    )
    assert linked_ones.canonical("urn:mr|0") == "p2"


def test_a_full_url_that_is_not_the_id() -> None:
    uuid = "0e5b9cc4-1111-4222-8333-94df00000002"
    known = people(bundle((f"urn:uuid:{uuid}", patient("p1", "Ahorn"))))
    assert families(known, uuid) == {"Ahorn"}
    again = people(bundle((f"urn:uuid:{uuid}", patient("p1"))), bundle((f"urn:uuid:{uuid}", patient("p2"))))
    assert again.facts(uuid) is None, "an exporter that numbers each bundle anew does not make one human of all"
    assert again.canonical("p1") == "p1"


def test_a_record_stays_small() -> None:
    many = [patient("p1", f"F{index:04d}") for index in range(MOST + 50)]
    shuffled = random.Random(1).sample(many, len(many))
    assert len(of(people(*many), "p1").names) == MOST
    assert people(*many).entries() == people(*shuffled).entries()


def test_a_number_that_all_have_takes_no_memory() -> None:
    """Thousands of claims to one key settle to what few do: nobody, one human, or the facts that come first."""
    many = [patient(f"p{index:05d}", **number("urn:ssn", "999999999")) for index in range(5000)]
    one = [patient("same", f"F{index:05d}") for index in range(5000)]
    for resources, key, settled in ((many, "urn:ssn|999999999", 0), (one, "same", 1), (many + one, "p00007", 1)):
        facts = list(gather(map(line, resources)))
        claims = [encode_claim(claim) for each in facts for own, claim in claims_of(each, Groups()) if own == key]
        found = decode_entries(payload) if (payload := settle_encoded(key, iter(claims))) else []
        again = decode_entries(payload) if (payload := settle_encoded(key, iter(claims[::-1] + claims[:99]))) else []
        assert len(found) == settled
        assert found == again == People(facts).entries().get(key, [])


def test_no_repr_shows_a_value() -> None:
    known = people(patient("p1", "Ahorn"))
    assert "Ahorn" not in repr((known, known.entries(), list(known.records())))
    assert repr(known) == "People(1 records)"


keys = st.sampled_from(["a", "b", "c", "d"])
types = st.sampled_from(["Patient", "RelatedPerson", "Practitioner", "Person"])
names = st.tuples(st.sampled_from(["Patient", "RelatedPerson", "Person", ""]), keys).map("/".join)


@st.composite
def records(draw: st.DrawFn) -> Facts:
    listed = st.lists(names, max_size=2).map(lambda found: tuple(sorted(set(found))))
    words = st.lists(st.sampled_from(["x", "y", "z"]), max_size=2).map(lambda found: tuple(sorted(set(found))))
    return Facts(
        draw(types), draw(keys), sexes=draw(words), birth_dates=draw(words), relatives=draw(listed), same=draw(listed),
        aliases=draw(words),
    )  # fmt: skip


@given(st.lists(records(), max_size=8), st.randoms())
def test_order_and_duplicates_do_not_matter(given_records: list[Facts], chance: random.Random) -> None:
    expected = msgspec.msgpack.encode(People(given_records).entries())
    again = given_records + chance.sample(given_records, len(given_records) // 2)
    chance.shuffle(again)
    half = len(again) // 2
    known = People(again[:half])
    known.entries()
    known.update(again[half:])
    assert msgspec.msgpack.encode(known.entries()) == expected
    assert msgspec.msgpack.encode(People([*People(again[half:]).records(), *again[:half]]).entries()) == expected


@given(st.lists(records(), max_size=8))
def test_linked_records_have_one_canonical_key(given_records: list[Facts]) -> None:
    known = People(given_records)
    for facts in given_records:
        for other in facts.same:
            if not other.startswith("/"):
                assert of(known, facts.name) == known.facts(other)
        assert facts.name in of(known, facts.name).known_as


@given(st.lists(records(), max_size=4))
def test_encoded_claims_settle_as_plain_ones_do(given_records: list[Facts]) -> None:
    groups = Groups(pair for facts in given_records for pair in ((facts.name, other) for other in facts.same))
    claims: dict[str, list[Claim]] = {}
    for facts in given_records:
        for key, claim in claims_of(facts, groups):
            claims.setdefault(key, []).append(claim)
    for key, found in claims.items():
        entries = settle_encoded(key, [encode_claim(claim) for claim in found])
        assert (decode_entries(entries) if entries else []) == settle(key, found)


@given(st.lists(st.tuples(names, names)), st.randoms())
def test_groups_do_not_depend_on_order(pairs: list[tuple[str, str]], chance: random.Random) -> None:
    nodes = {name for pair in pairs for name in pair}
    one = Groups(pairs)
    chance.shuffle(pairs)
    other = Groups([pair[::-1] for pair in pairs])
    assert [one.canonical(node) for node in nodes] == [other.canonical(node) for node in nodes]
    assert all(one.canonical(left) == one.canonical(right) for left, right in pairs)
    assert all(one.canonical(one.canonical(node)) == one.canonical(node) for node in nodes)


def test_a_sample_export(tmp_path: Path) -> None:
    write_sample(tmp_path, 60, processes=1)
    lines = [row for path in sorted((tmp_path / "export").glob("*.ndjson")) for row in path.read_bytes().splitlines()]
    known = People(gather(lines))
    patients = [facts for facts in known.records() if facts.resource_type == "Patient"]
    assert len(patients) >= 60
    linked_ones = [facts for facts in patients if facts.same]
    assert linked_ones
    for facts in linked_ones:
        assert all(known.canonical(facts.name) == known.canonical(other) for other in facts.same)
    for facts in known.records():
        if facts.resource_type == "RelatedPerson":
            (whose,) = facts.relatives
            mutual = of(known, facts.name).name in known.relatives(whose)
            assert mutual or known.canonical(whose) == known.canonical(facts.name)


def test_numbers_that_may_refer() -> None:
    refers = {
        "subject": {"identifier": {"system": "http://s", "value": "A 1"}},
        "author": {"identifier": {"value": "2"}},
    }
    own = {"identifier": [{"system": "http://s", "value": "3"}]}
    typed = {"subject": {"identifier": {"type": {"text": "x"}, "value": "4"}}, "focus": {"identifier": {"value": 5}}}
    lines = [line(refers), line(own), line(typed), b'{"identifier": {"system": "http://s", "value": "\\u00e9"}}']
    assert numbers_in([*lines, b'{"identifier": {"value": ']) == {"http://s|A 1", "|2", "http://s|é"}
