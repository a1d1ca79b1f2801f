"""Both ends of a Period are in order after masking as they were before, whatever their precision (R4, invariant per-1)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from documents import dump, plan
from hypothesis import example, given, settings
from hypothesis import strategies as st

from masking.document import Engine
from masking.fhir.dates import STANDS_FOR, bounds, shift_text

DAYS = st.dates(min_value=dt.date(1900, 1, 1), max_value=dt.date(2100, 12, 31))
DATES = st.builds(lambda day, size: day.isoformat()[:size], DAYS, st.sampled_from([4, 7, 10]))
NEAR = st.builds(lambda day, size: day.isoformat()[:size], st.dates(
    min_value=dt.date(2019, 12, 1), max_value=dt.date(2020, 4, 30)),
    st.sampled_from([4, 7, 10]))  # fmt: skip


def in_order(start: str, end: str) -> bool:
    """Whether the earliest that a start may mean is not after the latest that an end may mean."""
    return bounds(start)[0] <= bounds(end)[1]


def surely_in_order(start: str, end: str) -> bool | None:
    """FHIRPath's `start <= end`: by the parts that both have; null where these are equal and one has more."""
    size = min(len(start), len(end))
    if start[:size] != end[:size]:
        return start[:size] < end[:size]
    return True if len(start) == len(end) else None


@given(st.one_of(st.tuples(DATES, DATES), st.tuples(NEAR, NEAR)), st.integers(-3650, 3650))
@example(("2020-03-15", "2020-03"), 12)
@example(("2020", "2020-01-01"), -1)
@example(("2020-02-29", "2020-02"), 1)
@settings(max_examples=600)
def test_a_start_that_moves_by_its_first_day_stays_before_an_end_that_moves_by_its_last(ends: Any, days: int) -> None:
    start, end = ends
    after = shift_text(start, days, "first"), shift_text(end, days, "last")
    assert [len(one) for one in after] == [len(start), len(end)]
    if in_order(start, end):
        assert in_order(*after)
    if surely_in_order(start, end) is not False:
        assert surely_in_order(*after) is not False


@given(DATES, st.integers(-3650, 3650), st.sampled_from(STANDS_FOR))
def test_whatever_day_moves_it_is_one_of_the_date(text: str, days: int, partial: str) -> None:
    """The masked date is one in which a true day, moved, can lie; a full one is exact."""
    (first, last), (begin, end) = bounds(text), bounds(shift_text(text, days, partial))
    assert begin <= last + days
    assert first + days <= end
    assert len(text) < 10 or first + days == begin


PATIENTS = [f"p{number}" for number in range(40)]


@pytest.mark.parametrize(
    ("start", "end"),
    [("2020-03-15", "2020-03"), ("2020-03", "2020-03-15"), ("2020-11-30", "2020"), ("2020", "2020-01-02"),
     ("2020-03", "2020-03"), ("2019", "2020"), ("2020-03-15T23:00:00Z", "2020-03")],
)  # fmt: skip
def test_periods_of_every_kind_of_resource(start: str, end: str) -> None:
    """Each patient has an offset of their own; some lead over the end of a month."""
    period = {"start": start, "end": end}
    lines = []
    for one in PATIENTS:
        who = {"reference": f"Patient/{one}"}
        lines.append(dump({"resourceType": "Patient", "id": one, "name": [{"family": "Novak", "period": period}]}))
        lines.append(dump({"resourceType": "Procedure", "id": one, "status": "completed", "subject": who,
                           "performedPeriod": period}))  # fmt: skip
    masked = [json.loads(line or b"") for line in Engine(plan()).mask_batch(lines).masked]
    seen = set()
    for patient, procedure in zip(masked[::2], masked[1::2], strict=True):
        found = procedure["performedPeriod"]
        assert patient["name"][0]["period"] == found
        assert in_order(found["start"], found["end"])
        assert surely_in_order(found["start"][:10], found["end"][:10]) is not False
        seen.add(tuple(found.items()))
    assert len(seen) > 1


def test_open_periods_stay_open() -> None:
    lines = [dump({"resourceType": "Procedure", "id": "a", "status": "completed", "subject": {"reference": "Patient/p"},
                   "performedPeriod": {"end": "2020-03"}})]  # fmt: skip
    [line] = Engine(plan()).mask_batch(lines).masked
    assert list(json.loads(line or b"")["performedPeriod"]) == ["end"]


def test_versions_are_named_as_they_are_shown() -> None:
    """What an update says of the version it is of, and an answer of the version that it made, is what `meta` shows."""
    patient = {"resourceType": "Patient", "id": "a", "meta": {"versionId": "3"}}
    entries = [
        {"resource": patient, "request": {"method": "PUT", "url": "Patient/a", "ifMatch": 'W/"3"'},
         "response": {"status": "200", "etag": 'W/"3"'}},
        {"request": {"method": "GET", "url": "Patient/a", "ifNoneMatch": 'W/"3", W/"4"'}},
        {"request": {"method": "PUT", "url": "Patient/a", "ifNoneMatch": "*"}, "response": {"status": "200", "etag": "Joe"}},
    ]  # fmt: skip
    lines = [dump({"resourceType": "Bundle", "type": "batch-response", "entry": entries})]
    [line] = Engine(plan()).mask_batch(lines).masked
    one, two, three = json.loads(line or b"")["entry"]
    version = one["resource"]["meta"]["versionId"]
    assert version != "3"
    assert one["request"]["ifMatch"] == one["response"]["etag"] == f'W/"{version}"'
    assert two["request"]["ifNoneMatch"].startswith(f'W/"{version}", W/"')
    assert three["request"]["ifNoneMatch"] == "*"
    assert three["response"] == {"status": "200"}
