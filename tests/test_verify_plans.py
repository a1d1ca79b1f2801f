"""Documents of known shapes are compared by a plan: it says what looking closely says, and nothing where there is a fault."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masked_run import ON

from masking.fhir.dates import parse
from masking.verify.compare import Comparer
from masking.verify.cut import UNTOLD, moved
from masking.verify.outcome import Outcome
from masking.verify.shapes import read
from masking.verify.tree import AGE, CHANGE, GONE, KEEP, SHIFT, VOUCHED, Tree

ACTIONS = {
    "Observation.status": KEEP,
    "Observation.code.coding.system": KEEP,
    "Observation.code.coding.code": KEEP,
    "Observation.code.coding.display": VOUCHED,
    "Observation.subject.reference": CHANGE,
    "Observation.effectiveDateTime": SHIFT,
    "Observation.valueQuantity.value": KEEP,
    "Observation.note": GONE,
    "Observation.extension[http://x].valueString": KEEP,
    "Observation.extension[http://x].url": KEEP,
    "Observation.extension[http://y].url": KEEP,
    "Patient.birthDate": AGE,
    "Patient.active": KEEP,
    "Patient.identifier.use": KEEP,
}
VOUCHED_BY = ("http://loinc.org", "http://snomed.info/*")


def comparer() -> Comparer:
    return Comparer(Tree(ACTIONS), VOUCHED_BY, ON)


def observation(number: int, **members: Any) -> dict[str, Any]:
    """One of a shape, masked or not; `number` makes its leaves."""
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": f"{number}-1", "display": f"Lab {number}"}]},
        "subject": {"reference": f"Patient/p{number % 3}"},
        "effectiveDateTime": f"2020-01-{number % 28 + 1:02d}T10:00:0{number % 10}Z",
        "valueQuantity": {"value": number + 0.5, "unit": "mg"},
        "extension": [{"url": "http://x", "valueString": f'kept \\ " é {number}'}],
        **members,
    }


def masked(document: dict[str, Any], **members: Any) -> dict[str, Any]:
    """What masking makes of it."""
    day = document["effectiveDateTime"]
    return {
        **document,
        "id": f"m{document['id']}",
        "subject": {"reference": f"Patient/m{document['subject']['reference'][8:]}"},
        "effectiveDateTime": f"2019-12-{int(day[8:10]):02d}{day[10:]}",
        **members,
    }


def encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def told(outcome: Outcome) -> tuple[Any, ...]:
    """An outcome without the order of what it lists."""
    lists = (outcome.faults, outcome.moved, outcome.links, outcome.names)
    return outcome.kept, *map(Counter, lists)


def learned() -> Comparer:
    """Has a plan of observations."""
    found = comparer()
    for number in range(5):
        document = observation(number)
        assert found.compare(encoded(document), encoded(masked(document))).faults == []
    return found


def by_plan(found: Comparer, source: bytes, after: bytes) -> Outcome | None:
    pair = found._plans.read(source, after)
    return found._plans.outcome(pair) if pair else None


def test_a_plan_tells_what_looking_closely_does() -> None:
    found = learned()
    for number in range(5, 60):
        source = encoded(observation(number))
        after = encoded(masked(observation(number)))
        planned = by_plan(found, source, after)
        assert planned is not None and planned.kept == 7 and planned.moved and planned.links and planned.names
        assert told(planned) == told(comparer().closely(source, after))


HARM: dict[str, dict[str, Any]] = {
    "another code": {"code": {"coding": [{"system": "http://loinc.org", "code": "x", "display": "Lab 7"}]}},
    "another display": {"code": {"coding": [{"system": "http://loinc.org", "code": "7-1", "display": "Lab 8"}]}},
    "another number": {"valueQuantity": {"value": 8.5, "unit": "mg"}},
    "another status": {"status": "amended"},
    "no id": {"id": "not an id!"},
    "an empty id": {"id": ""},
    "an empty unit": {"valueQuantity": {"value": 7.5, "unit": ""}},
    "another type": {"subject": {"reference": "Medication/1"}},
    "no date": {"effectiveDateTime": "2019-13-01T10:00:07Z"},
    "no day": {"effectiveDateTime": "2019-02-30T10:00:07Z"},
    "another time": {"effectiveDateTime": "2019-12-08T10:00:08Z"},
    "a month": {"effectiveDateTime": "2019-12"},
    "another extension": {"extension": [{"url": "http://y", "valueString": 'kept \\ " é 7'}]},
    "another text": {"extension": [{"url": "http://x", "valueString": 'kept \\ " é 8'}]},
}


@pytest.mark.parametrize("name", sorted(HARM))
def test_a_plan_lets_no_fault_pass(name: str) -> None:
    found = learned()
    source, after = encoded(observation(7)), encoded(masked(observation(7), **HARM[name]))
    assert by_plan(found, source, after) is None
    outcome = found.compare(source, after)
    assert outcome.faults and told(outcome) == told(comparer().closely(source, after))


def test_a_number_that_is_spelled_otherwise_is_no_plans_to_pass() -> None:
    source, after = encoded(observation(7)), encoded(masked(observation(7))).replace(b":7.5,", b":7.50,")
    assert by_plan(learned(), source, after) is None
    assert [one.path for one in learned().compare(source, after).faults] == ["Observation.valueQuantity.value"]


@pytest.mark.parametrize("place", ["document", "object", "extension", "entry"])
def test_names_in_another_order_are_a_fault_where_they_stand(place: str) -> None:
    source = observation(7)
    after = masked(source)
    if place == "document":
        after = {"id": after.pop("id"), **after}
    elif place == "object":
        after["valueQuantity"] = dict(reversed(after["valueQuantity"].items()))
    elif place == "extension":
        after["extension"] = [dict(reversed(after["extension"][0].items()))]
    one: dict[str, Any] = {"fullUrl": "http://a/Observation/o7", "resource": source}
    other: dict[str, Any] = {"fullUrl": "http://a/Observation/o7", "resource": after}
    if place == "entry":
        other = dict(reversed(other.items()))
    bundles = [{"resourceType": "Bundle", "type": "collection", "entry": [entry]} for entry in (one, other)]
    faults = comparer().compare(*map(encoded, bundles)).faults
    paths = {"document": "Observation", "object": "Observation.valueQuantity", "extension": "Observation.extension"}
    assert [(fault.check, fault.what, fault.path) for fault in faults] == [
        ("kept", "names of an object in another order", paths.get(place, "Bundle.entry"))
    ]


def test_what_comes_between_and_what_is_gone_changes_no_order() -> None:
    after = masked(observation(7))
    source = {"resourceType": after["resourceType"], "note": [{"text": "gone"}], **observation(7)}
    after = {"resourceType": after["resourceType"], "meta": {"versionId": "1"}, **after}
    assert comparer().compare(encoded(source), encoded(after)).faults == []


LEAVES = st.sampled_from(
    ["", "a", "é", "a b", '"', "\\", "\n", "Patient/1", "Medication/1", "#x", "final", "2020-01-01", "2020", "x" * 65]
)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(LEAVES, min_size=7, max_size=7),
    others=st.lists(st.none() | LEAVES, min_size=7, max_size=7),
    number=st.sampled_from([0, 1, 1.5, -2, 1e30, True]),
    changed=st.sampled_from([None, 0, 1, 2.5, False]),
)
def test_with_a_plan_or_without_the_same_is_told(
    texts: list[str], others: list[str | None], number: float, changed: float | None
) -> None:
    def document(leaves: list[str], value: float) -> bytes:
        status, code, system, display, to, day, text = leaves
        return encoded(
            {
                "resourceType": "Observation",
                "id": "x",
                "status": status,
                "code": {"coding": [{"system": system, "code": code, "display": display}]},
                "subject": {"reference": to},
                "effectiveDateTime": day,
                "valueQuantity": {"value": value},
                "extension": [{"url": "http://x", "valueString": text}],
            }
        )

    found = comparer()
    good = ["final", "c", "http://loinc.org", "d", "Patient/1", "2020-01-01", "t"]
    for _ in range(3):
        assert found.compare(document(good, 1), document([*good[:5], "2020-01-02", "t"], 1)).faults == []
    new = [text if other is None else other for text, other in zip(texts, others, strict=True)]
    source, after = document(texts, number), document(new, number if changed is None else changed)
    assert told(found.compare(source, after)) == told(comparer().closely(source, after))


def test_a_birth_date_is_held_against_the_age_by_a_plan_too() -> None:
    found = comparer()

    def patient(number: int, day: str) -> bytes:
        return encoded({"resourceType": "Patient", "id": f"p{number}", "active": True, "birthDate": day})

    for number in range(4):
        assert found.compare(patient(number, "1980-03-02"), patient(number + 50, f"1980-03-1{number}")).faults == []
    planned = by_plan(found, patient(9, "1980-03-02"), patient(59, "1980-03-05"))
    assert planned is not None and planned.kept == 1 and planned.moved == []
    for day, what in (("1980-03-02", "did not move"), ("1970-03-02", "another age"), ("1980-03", "another precision")):
        assert by_plan(found, patient(9, "1980-03-02"), patient(59, day)) is None
        assert any(what in fault.what for fault in found.compare(patient(9, "1980-03-02"), patient(59, day)).faults)
    assert by_plan(found, patient(9, "1980-03-02").replace(b"true", b"false"), patient(9, "1980-03-05")) is None


def test_shapes_are_equal_where_leaves_alone_differ() -> None:
    def shape(text: str) -> bytes | None:
        found = read(text.encode())
        return None if found is None else found.shape

    first = shape('{"a":"b","c":[1,2.5e-3,"x"],"d":true}')
    assert first is not None and first == shape('{"a":"","c":[-0,7,"\\" \\\\ \\u00e9"],"d":true}')
    for other in (
        '{"a":"b","c":[1,2,"x"],"d":false}',
        '{"a":"b","c":[1,2],"d":true}',
        '{"a":1,"c":[1,2,"x"],"d":true}',
        '{"e":"b","c":[1,2,"x"],"d":true}',
        '{"a": "b","c":[1,2,"x"],"d":true}',
    ):
        assert shape(other) not in (None, first)
    urls = [
        shape(f'{{"extension":[{{"url":"{url}"}}],"photo":[{{"url":"{photo}"}}]}}') for url, photo in ("ab", "ac", "cb")
    ]
    assert urls[0] == urls[1] != urls[2]


@pytest.mark.parametrize(
    "text",
    ['{"a":01}', '{"a":1.}', '{"a":-}', '{"a":1e}', '{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"\\ud800"}', '{"a":"\n"}', '{"a":"b',
     '{"a":"\\', '{"a":"\\u', "]", '{"a":' + '0""' * 5_000 + "0}"],
)  # fmt: skip
def test_what_is_no_json_has_no_shape(text: str) -> None:
    assert read(text.encode()) is None
    assert read(b'{"a":"\xff"}') is None


@given(
    st.dates(),
    st.dates(),
    st.sampled_from(["", "T10:00:00Z", "T23:59:60.25+14:00", "T24:00:00Z", "T10:00:00", "T1", "x"]),
)
def test_days_between_dates_are_those_of_the_calendar(one: Any, other: Any, rest: str) -> None:
    texts = [read(encoded({"a": f"{day:%Y}".zfill(4) + f"{day:-%m-%d}{rest}"})) for day in (one, other)]
    days = _days(*texts)
    if parse(f"2000-01-01{rest}") is None:
        assert days == UNTOLD
    else:
        assert days == (other - one).days


def _days(one: Any, other: Any) -> int:
    days = np.zeros(1, np.int32)
    moved(one.content, one.spans, other.content, other.spans, np.array([0, 0], np.int32), days)
    return int(days[0])
