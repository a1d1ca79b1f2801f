"""Counts by path of pairs of documents, what looks like an identifier, and how many values a number could have."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import fullest
import pytest

from masking.fhir.elements import resource_types
from masking.risk.coverage import PathCounts
from masking.risk.domains import size_class
from masking.risk.sketch import Sketch
from masking.verify.kinds import Kind

NOTE = "http://example.org/note"


def counted(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> PathCounts:
    counts = PathCounts()
    for source, masked in pairs:
        counts.pair(json.dumps(source).encode(), json.dumps(masked).encode())
    counts.settle()
    return counts


SOURCE = {
    "resourceType": "Patient",
    "id": "1",
    "name": [{"family": "Oberhuber", "given": ["Kreszentia", "Anna"]}, {"text": "K. Oberhuber"}],
    "gender": "female",
    "multipleBirthInteger": 2,
    "nonsense": {"a": ["x", "y"]},
    "extension": [{"url": NOTE, "valueString": "x"}],
    "contained": [{"resourceType": "Patient", "gender": "male"}],
}
MASKED = {
    "resourceType": "Patient",
    "id": "id-9",
    "name": [{"family": "Berg", "given": ["Anna"]}],
    "gender": "female",
    "multipleBirthInteger": 2,
    "contained": [{"resourceType": "Patient", "gender": "male"}],
}


def test_values_are_kept_changed_or_gone() -> None:
    found = counted((SOURCE, MASKED)).counts
    assert {path: tuple(numbers) for path, numbers in found.items()} == {
        "Patient.id": (1, 0, 1, 0),
        "Patient.name.family": (1, 0, 1, 0),
        "Patient.name.given": (2, 1, 0, 1),
        "Patient.name.text": (1, 0, 0, 1),
        "Patient.gender": (2, 2, 0, 0),
        "Patient.multipleBirthInteger": (1, 1, 0, 0),
        "Patient.?": (2, 0, 0, 2),
        f"Patient.extension[{NOTE}].valueString": (1, 0, 0, 1),
    }


def test_documents_met_again_count_again(monkeypatch: pytest.MonkeyPatch) -> None:
    once, often = counted((SOURCE, MASKED)), counted(*[(SOURCE, MASKED)] * 5)
    assert {path: [5 * number for number in numbers] for path, numbers in once.counts.items()} == often.counts
    monkeypatch.setattr("masking.risk.coverage._MEMORY", 3)
    assert counted(*[(SOURCE, MASKED)] * 5).counts == often.counts


def test_a_number_spelled_otherwise_is_another() -> None:
    counts = PathCounts()
    counts.pair(b'{"resourceType":"Observation","valueQuantity":{"value":1.0}}',
                b'{"resourceType":"Observation","valueQuantity":{"value":1.00}}')  # fmt: skip
    counts.settle()
    assert counts.counts["Observation.valueQuantity.value"] == [1, 0, 1, 0]


def test_an_entry_of_a_bundle_counts_as_its_resource() -> None:
    url, masked = {"fullUrl": "urn:uuid:a", "resource": SOURCE}, {"fullUrl": "urn:uuid:b", "resource": MASKED}
    counts = counted((url, masked)).counts
    assert counts["Bundle.entry.fullUrl"] == [1, 0, 1, 0] and counts["Patient.gender"] == [2, 2, 0, 0]


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{", b'{"resourceType":"Nonsense","a":1}', b'{"resourceType":["x"]}']
)
def test_what_is_no_resource_counts_nothing(document: bytes) -> None:
    counts = PathCounts()
    counts.pair(document, document)
    counts.settle()
    assert counts.counts == {}


def test_identifiers_are_those_of_whose_kind_something_is_still_told() -> None:
    source = {"resourceType": "Patient", "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "MRN-12345"}]}
    masked = {"resourceType": "Patient", "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "QRT-88231"}]}
    gone = {"resourceType": "Patient", "identifier": [{"type": {"coding": [{"code": "MR"}]}}]}
    assert {kind for kind, _, _ in counted((source, masked)).identifiers} == {int(Kind.RECORD)}
    assert counted((source, gone)).identifiers == set()


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        (Kind.RECORD, "123456", 0),
        (Kind.SSN, "123-45-6789", 1),
        (Kind.RECORD, "A1234567", 1),
        (Kind.PHONE, "(206) 555-0100", 2),
        (Kind.NUMBER, "ABCD1234567", 3),
        (Kind.BIRTH, "1987-03-02", 0),
        (Kind.ZIP, "02115", 0),
        (Kind.ID, "6d7552b2-5d62-4cc6-a4e6-6a4b4f7b9a10", 3),
    ],
)
def test_a_domain_is_what_a_spelling_allows(kind: Kind, text: str, found: int) -> None:
    assert size_class(kind, text) == found


def test_a_sketch_estimates_and_joins() -> None:
    whole, parts = Sketch(), [Sketch(), Sketch()]
    for number in range(30_000):
        text = f"value {number % 10_000}"
        whole.add(text, False, number % 2 == 0)
        parts[number % 2].add(text, False, number % 2 == 0)
    joined = Sketch()
    for part in parts:
        joined.join(*part.told())
    assert joined.told() == whole.told()
    assert 8_000 < whole.distinct < 12_000 and whole.numbers == 15_000
    few = Sketch()
    for _ in range(3):
        few.add("a", True, False)
    assert (few.distinct, few.texts, few.names) == (1, 3, 3)


@pytest.mark.parametrize("seed", range(3))
def test_the_quick_way_counts_as_the_slow_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    pairs = [(one, changed(one, chance)) for one in DOCUMENTS for _ in range(2)]
    quick = counted(*pairs)
    monkeypatch.setattr("masking.risk.coverage.together", lambda *_: False)
    monkeypatch.setattr("masking.risk.coverage._is_plain", lambda _: False)
    monkeypatch.setattr("masking.risk.steps._told_under", lambda _: None)
    slow = counted(*pairs)
    assert quick.counts == slow.counts
    assert quick.identifiers == slow.identifiers
    assert {path: one.told() for path, one in quick.sketches.items()} == {
        path: one.told() for path, one in slow.sketches.items()
    }


def changed(value: Any, chance: random.Random) -> Any:
    """What masking might make of it: leaves that changed, and now and then something that went, came or became another thing."""
    if isinstance(value, dict):
        kept = {name: changed(one, chance) for name, one in value.items() if chance.random() > 0.03}
        return kept | ({"language": "de"} if chance.random() < 0.03 else {})
    if isinstance(value, list):
        return [changed(one, chance) for one in value if chance.random() > 0.03]
    if chance.random() < 0.02:
        return chance.choice([None, 7, [value], {"value": value}, "\u00e9", True])
    return f"x{value}" if isinstance(value, str) and chance.random() < 0.3 and value not in TYPES else value


TYPES = frozenset(resource_types())
GOLDEN = [json.loads(path.read_bytes()) for path in sorted((Path(__file__).parent / "golden").glob("*.in.json"))]
TOLD = {"resourceType": "Patient", "id": "p",
        "extension": [{"url": NOTE, "valueIdentifier": {"system": "u", "value": "AB12345"}},
                      {"url": NOTE, "extension": [{"url": "a", "valueAddress": {"postalCode": "02139"}}]}]}  # fmt: skip
DOCUMENTS = [*GOLDEN, *[TOLD] * 5, *(one for name in sorted(TYPES)[::4] for one in fullest.fullest(name)[:2])]
