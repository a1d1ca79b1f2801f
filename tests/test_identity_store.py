"""The store: what was put in comes out, by whatever key; the same files whatever the order; little is read."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from people import line, linked, patient, related

from masking.errors import InputError
from masking.identity import Facts, People, gather, store
from masking.identity.build import build_store
from masking.identity.store import Store


def some(count: int) -> list[dict[str, Any]]:
    """Patients of which every tenth is linked to the one before, each with a number and a relative."""
    found: list[dict[str, Any]] = []
    for index in range(count):
        number = {"identifier": [{"system": "urn:mr", "value": f"{index:06d}"}]}
        link = linked(f"Patient/p{index - 1}") if index % 10 == 9 else {}
        found += [patient(f"p{index}", f"Family{index}", **number, **link), related(f"r{index}", f"Patient/p{index}")]
    return found


def facts_of(resources: list[dict[str, Any]]) -> list[Facts]:
    return list(gather([line(resource) for resource in resources]))


def build(folder: Path, facts: list[Facts], **settings: Any) -> Store:
    folder.mkdir(exist_ok=True)
    return build_store(str(folder / "identities"), facts, scratch=str(folder), **settings)


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "GROUP_BYTES", 2000)


@pytest.mark.parametrize("bucket_bytes", [1 << 30, 20_000])
@pytest.mark.parametrize("loaded", [False, True])
def test_what_was_put_in_comes_out(tmp_path: Path, bucket_bytes: int, loaded: bool) -> None:
    facts = facts_of(some(200))
    known = build(tmp_path, facts, bucket_bytes=bucket_bytes)
    known = known.load_all() if loaded else known
    people = People(facts)
    asked = [
        *people.entries(),
        "Patient/p7",
        "Practitioner/p7",
        "nobody",
        "",
        "r3",
        "RelatedPerson/r3",
        "urn:mr|000012",
    ]
    expected = {who: found for who in asked if (found := people.facts(who)) is not None}
    assert known.get_many(asked) == expected
    assert {who: known.get(who) for who in asked if known.get(who)} == expected
    assert {one.name: known.get(one.name) for one in facts} == {one.name: people.facts(one.name) for one in facts}


def test_linked_records_are_found_under_each_key(tmp_path: Path) -> None:
    known = build(tmp_path, facts_of(some(20)))
    found = known.get_many(["p18", "p19", "urn:mr|000019"])
    assert found["p18"] == found["p19"] == found["urn:mr|000019"]
    assert found["p18"].known_as == ("Patient/p18", "Patient/p19")
    assert found["p18"].relatives == ("RelatedPerson/r18", "RelatedPerson/r19")


def test_the_same_files_whatever_the_order(tmp_path: Path) -> None:
    facts = facts_of(some(100))
    build(tmp_path / "one", facts)
    again = [*facts, *facts[:30]]
    random.Random(2).shuffle(again)
    build(tmp_path / "two", again)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / side / "identities").iterdir()} for side in ("one", "two")
    )
    assert one == two
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"identities"}, "nothing is left aside"


def test_only_what_is_needed_is_read_and_little_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path, facts_of(some(300)))
    known = Store.open(str(tmp_path / "identities"), cache_bytes=5000)
    reads: list[int] = []
    genuine = store._Group

    def counted(table: Any) -> Any:
        reads.append(table.num_rows)
        return genuine(table)

    monkeypatch.setattr(store, "_Group", counted)
    assert known.get("p5") == known.get("p5")
    assert len(reads) == 1
    known.get_many(f"p{index}" for index in range(300))
    assert len(reads) < 300
    assert known._size <= 5000


def test_an_empty_store_and_none(tmp_path: Path) -> None:
    known = build(tmp_path, [])
    assert (known.rows, known.get_many(["p1", ""])) == (0, {})
    assert known.load_all().get("p1") is None
    with pytest.raises(InputError, match="no store of people"):
        Store.open(str(tmp_path / "elsewhere"))


def test_no_repr_shows_a_value(tmp_path: Path) -> None:
    known = build(tmp_path, facts_of([patient("p1", "Ahorn")]))
    assert "Ahorn" not in repr((known, known._files, known.get_many(["p1"]), known.entries(["p1"])))
    assert "p1" not in repr(known._files)
