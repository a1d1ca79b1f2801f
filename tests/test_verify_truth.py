"""What the verification knows of a sample, held against the list of what was planted in it; and what it finds where nothing is
masked. The list was written by the maker of the sample, which knows nothing of the verification.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masking.sample import write_sample
from masking.verify.collect import Collector, forms
from masking.verify.kinds import LEAST
from masking.verify.known import Known, hashed, joined
from masking.verify.look import Looker

#: Why a planted value is not in the verification's own list, by path; "" of a kind: all paths.
NOT_KNOWN = {
    "Device.udiCarrier.deviceIdentifier": "the model, which all devices of it share",
    "Location.position.latitude": "a number, which is in no list: coordinates are masked or gone",
    "Location.position.longitude": "a number, which is in no list: coordinates are masked or gone",
    "Patient.address.extension.extension.valueDecimal": "a number, which is in no list: coordinates are masked or gone",
}
#: Prose is not read: what stands there is known from elsewhere, or is not known.
PROSE = (".note.text", ".attachment.data", ".text.div", ".valueString", ".conclusion", ".comment", ".description.text",
         ".contentString", ".patientInstruction", ".outcome.text", ".detail.description", "CareTeam.name")  # fmt: skip
#: Dates are known of births and deaths; every other is held against what it was.
DATES = ("birthDate", "deceasedDateTime")


@dataclass(frozen=True)
class Planted:
    kind: str
    path: str
    value: str
    key: tuple[str, str]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    write_sample(folder, 30, seed=3)
    return folder


@pytest.fixture(scope="module")
def documents(sample: Path) -> dict[tuple[str, str], bytes]:
    found = {}
    for path in sorted((sample / "export").glob("*.ndjson")):
        for line in filter(bytes.strip, path.read_bytes().split(b"\n")):
            resource = json.loads(line.decode("utf-8-sig"))
            found[resource["resourceType"], resource["id"]] = line
    return found


@pytest.fixture(scope="module")
def known(documents: dict[tuple[str, str], bytes]) -> Known:
    collector = Collector()
    for document in documents.values():
        collector.document(document)
    return joined([collector.pieces()])


@pytest.fixture(scope="module")
def planted(sample: Path) -> list[Planted]:
    def read() -> Iterator[Planted]:
        for line in (sample / "truth.jsonl").read_text().split("\n")[:-1]:
            said: dict[str, Any] = json.loads(line)
            yield Planted(said["kind"], said["path"], said["value"], (said["type"], said["id"]))

    return list(read())


def is_short(value: str) -> bool:
    """Whether a value has fewer letters and digits than any kind is looked for with, or is a day without a day."""
    return int(hashed([value]).sizes[0]) < 7


def test_every_structured_value_is_known_or_named_here(known: Known, planted: list[Planted]) -> None:
    looker = Looker.of(known)
    asked: dict[str, bool] = {}
    unknown: dict[tuple[str, str], list[str]] = defaultdict(list)
    count = 0
    for one in planted:
        if one.path in NOT_KNOWN or one.path.endswith(PROSE):
            continue
        if one.kind == "dates" and not one.path.endswith(DATES):
            continue
        count += 1
        if one.value not in asked:
            asked[one.value] = bool(looker.places_in(one.value))
        if not asked[one.value] and not is_short(one.value):
            unknown[one.kind, one.path].append(one.value)
    assert count > 5000
    assert {place: len(values) for place, values in unknown.items()} == {}


def test_what_is_said_not_to_be_known_is_not(known: Known, planted: list[Planted]) -> None:
    """The list of exclusions holds nothing that is no exclusion."""
    looker = Looker.of(known)
    for path in NOT_KNOWN:
        values = [one.value for one in planted if one.path == path]
        assert values and not any(looker.places_in(value) for value in values), path


def test_where_nothing_is_masked_every_known_value_is_found_where_it_was_planted(
    known: Known, planted: list[Planted], documents: dict[tuple[str, str], bytes]
) -> None:
    """In elements, narratives, notes in base64 and sentences alike."""
    looker = Looker.of(known)
    by_document: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in planted:
        if one.kind != "dates" or one.path.endswith(DATES):
            by_document[one.key].add(one.value)
    keys = list(by_document)
    finds = looker.look([documents[key] for key in keys], [[] for _ in keys])
    found: dict[int, set[int]] = defaultdict(set)
    for number, place in zip(finds.documents.tolist(), finds.places.tolist(), strict=True):
        found[number].add(place)
    places = {value: looker.places_in(value) for values in by_document.values() for value in values}
    missed = [
        (keys[number], value)
        for number, key in enumerate(keys)
        for value in by_document[key]
        if places[value] and not places[value] & found[number]
    ]
    assert sum(bool(places[value]) for values in by_document.values() for value in values) > 3000
    assert len(missed) == 0


@pytest.mark.parametrize(
    ("written", "looked_for"),
    [
        ("978-944-6180 x4671", "9789446180"),
        ("9784089885 x2967", "9784089885"),
        ("+1 (978) 944-6180 ext. 12", "9789446180"),
        ("978.944.6180;ext=5", "9789446180"),
        ("978-944-6180 #3", "9789446180"),
        ("1-978-944-6180", "9789446180"),
        ("0049 40 123456", "004940123456"),
    ],
)
def test_a_telephone_is_known_without_its_extension(written: str, looked_for: str) -> None:
    document = {"resourceType": "Patient", "id": "p1", "telecom": [{"system": "phone", "value": written}]}
    collector = Collector()
    collector.document(json.dumps(document).encode())
    (phone,) = [one for one in collector.found if one.text == written]
    assert [form.text for form in forms(phone)] == [looked_for]
    looker = Looker.of(joined([collector.pieces()]))
    assert looker.places_in(f"Call {written}, please") & looker.places_in(looked_for)


@pytest.mark.parametrize("size", [15, 72, 73, 500, 40_000])
def test_a_picture_of_any_size_is_found(size: int) -> None:
    rng = np.random.default_rng(size)
    for _ in range(20):
        data = base64.b64encode(rng.bytes(size)).decode()
        patient = {"resourceType": "Patient", "id": "p1", "photo": [{"contentType": "image/png", "data": data}]}
        collector = Collector()
        collector.document(json.dumps(patient).encode())
        if not any(hashed([data]).sizes >= LEAST[one.kind] for one in collector.found if one.text == data):
            continue
        looker = Looker.of(joined([collector.pieces()]))
        other = json.dumps({"resourceType": "Media", "content": {"data": data}}).encode()
        assert len(looker.look([other], [[]]).places) == 1
