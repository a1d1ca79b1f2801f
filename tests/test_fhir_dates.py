"""Partial dates: validity, shifting at their own precision, ages; against `datetime`."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from masking.fhir import dates, elements
from masking.fhir.dates import PartialDate, age_on, bounds, date_text, ordinal, parse, shift_text

ISO_DAYS = st.dates().map(date.isoformat)
TIMES = st.sampled_from(["", "T00:00:00Z", "T23:59:60.123456789+14:00", "T10:00:00-05:30", "T10:00:00.000Z"])
FULL = st.tuples(ISO_DAYS, TIMES).map("".join)
PARTIAL = st.tuples(ISO_DAYS, st.sampled_from([4, 7])).map(lambda pair: pair[0][: pair[1]])
ANY = st.one_of(FULL, PARTIAL)
SHIFTS = st.one_of(st.integers(-400, 400), st.integers(-4_000_000, 4_000_000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1987", PartialDate("year", 1987, None, None, "")),
        ("1987-03", PartialDate("month", 1987, 3, None, "")),
        ("1987-03-02", PartialDate("day", 1987, 3, 2, "")),
        ("2000-02-29", PartialDate("day", 2000, 2, 29, "")),
        ("0001-01-01", PartialDate("day", 1, 1, 1, "")),
        ("9999-12-31T23:59:60Z", PartialDate("time", 9999, 12, 31, "T23:59:60Z")),
        ("2015-02-07T13:28:17.239+02:00", PartialDate("time", 2015, 2, 7, "T13:28:17.239+02:00")),
        *[
            (text, None)
            for text in (
                "", "0", "87", "0000", "0000-01-01", "1987-00", "1987-13", "1987-3", "1987-03-00", "1987-02-29",
                "1900-02-29", "1987-04-31", "19870302", "1987-03-02 ", "1987-03-02\n", "1987-03-02T10:00",
                "1987-03-02T10:00:00", "1987-03-02T24:00:00Z", "1987-03-02T10:60:00Z", "1987-03-02T10:00:61Z",
                "1987-03-02T10:00:00+15:00", "1987-03-02t10:00:00Z", "1987-03-02T10:00:00.Z", "1987-03T10:00:00Z",
                "-1987", "10000-01-01", "１９８７", "1987-03-02T10:00:00Zx", "today",
            )
        ],
    ],
)  # fmt: skip
def test_parse_known_answers(text: str, expected: PartialDate | None) -> None:
    assert parse(text) == expected
    # Invalid in, None out, everywhere; and a shift of nothing is nothing.
    assert shift_text(text, 0) == (None if expected is None else text)
    assert (bounds(text) is None) == (expected is None)


@given(
    st.one_of(ANY, st.from_regex(elements.regex("dateTime"), fullmatch=True), st.text("0123456789-T:Z+.", max_size=30))
)
def test_parse_agrees_with_hl7s_regex_and_the_calendar(text: str) -> None:
    valid = any(re.fullmatch(elements.regex(kind), text, re.ASCII) for kind in ("date", "dateTime", "instant"))
    if valid and len(text) >= 10:
        try:
            date.fromisoformat(text[:10])
        except ValueError:
            valid = False
    assert (parse(text) is not None) == valid


@pytest.mark.parametrize(
    ("text", "days", "expected"),
    [
        ("1987-03-02", 1, "1987-03-03"),
        ("1987-03-02T10:00:00.5+01:00", -60, "1987-01-01T10:00:00.5+01:00"),
        ("2000-02-28", 1, "2000-02-29"),
        ("1850-01-01", -1, "1849-12-31"),
        ("1849-12-31", 1, "1850-01-01"),
        ("2150-12-31T00:00:00Z", 1, "2151-01-01T00:00:00Z"),
        ("1987-03", 16, "1987-03"),
        ("1987-03", 17, "1987-04"),
        ("1987-03", -15, "1987-02"),
        ("1987", 183, "1987"),
        ("1987", 184, "1988"),
        ("1987", -182, "1986"),
        ("1987", -181, "1987"),
        ("9999-12-31", 1, None),
        ("9999", 184, None),
        ("0001-01-01T00:00:00Z", -1, None),
        ("1987-03-02", 10**12, None),
        ("1987-03-02", -(10**12), None),
        ("1987-03-02Tnoon", 1, None),
    ],
)
def test_shift_known_answers(text: str, days: int, expected: str | None) -> None:
    assert shift_text(text, days) == expected


@given(FULL, SHIFTS)
def test_full_dates_shift_as_datetime_does_and_keep_their_time(text: str, days: int) -> None:
    try:
        expected = (date.fromisoformat(text[:10]) + timedelta(days=days)).isoformat() + text[10:]
    except OverflowError:
        expected = None
    assert shift_text(text, days) == expected


@given(PARTIAL, SHIFTS)
def test_partial_dates_stay_inside_what_the_true_date_can_become(text: str, days: int) -> None:
    shifted = shift_text(text, days)
    assume(shifted is not None)
    assert shifted is not None and len(shifted) == len(text)
    (first, last), (new_first, new_last) = bounds(text) or (0, 0), bounds(shifted) or (0, 0)
    assert new_first <= last + days and first + days <= new_last


@given(PARTIAL, PARTIAL, SHIFTS)
def test_partial_dates_of_one_precision_keep_their_order(one: str, other: str, days: int) -> None:
    one, other = sorted((one[: len(other)], other[: len(one)]))
    moved, other_moved = shift_text(one, days), shift_text(other, days)
    assume(moved is not None and other_moved is not None)
    assert str(moved) <= str(other_moved)


@given(FULL, st.integers(-3000, 3000))
def test_a_shift_can_be_taken_back(text: str, days: int) -> None:
    shifted = shift_text(text, days)
    assume(shifted is not None)
    assert shift_text(str(shifted), -days) == text


@given(st.text(max_size=40), SHIFTS)
def test_total(text: str, days: int) -> None:
    shift_text(text, days), ordinal(text), age_on(text, "2024-01-01"), age_on("2024-01-01", text)


@given(FULL)
def test_ordinal_is_datetimes(text: str) -> None:
    day = date.fromisoformat(text[:10])
    assert ordinal(text) == day.toordinal()
    assert date_text(day.toordinal()) == day.isoformat()


def test_ordinal_of_partial_dates_and_days_outside_the_calendar() -> None:
    assert ordinal("1987") is ordinal("1987-03") is ordinal("") is None
    assert date_text(0) is date_text(date.max.toordinal() + 1) is None
    assert date_text(1) == "0001-01-01"
    assert bounds("2000-02") == (date(2000, 2, 1).toordinal(), date(2000, 2, 29).toordinal())
    assert bounds("1987") == (date(1987, 1, 1).toordinal(), date(1987, 12, 31).toordinal())


@pytest.mark.parametrize(
    ("birth", "reference", "age"),
    [
        ("1987-03-02", "2024-03-01", 36),
        ("1987-03-02", "2024-03-02", 37),
        ("1987-03-02", "1987-03-02", 0),
        ("1987-03-02", "1987-03-01", -1),
        # Born on 29 February: 1 March in other years.
        ("2000-02-29", "2023-02-28", 22),
        ("2000-02-29", "2023-03-01", 23),
        ("2000-02-29", "2024-02-28", 23),
        ("2000-02-29", "2024-02-29", 24),
        ("2000-02-29", "2024-02-29T10:00:00Z", 24),
        # Partial: an answer only where all days agree.
        ("1987", "2024-12-31", 37),
        ("1987", "2024-12-30", None),
        ("1987", "2024-01-01", None),
        ("1987-03", "2024-04", 37),
        ("1987-03", "2024-03-15", None),
        ("1987-03", "2024-02-29", 36),
        ("", "2024-01-01", None),
        ("1987-03-02", "2023-02-29", None),
    ],
)
def test_age_known_answers(birth: str, reference: str, age: int | None) -> None:
    assert age_on(birth, reference) == age


@given(st.dates(), st.dates())
@example(date(2000, 2, 29), date(2001, 2, 28))
def test_age_counts_the_birthdays_passed(birth: date, reference: date) -> None:
    assume(birth <= reference)
    birthdays = 0
    for year in range(birth.year + 1, reference.year + 1):
        leapling = (birth.month, birth.day) == (2, 29) and not dates.is_leap(year)
        birthdays += (date(year, 3, 1) if leapling else birth.replace(year=year)) <= reference
    assert age_on(birth.isoformat(), reference.isoformat()) == birthdays


def test_leap_years() -> None:
    assert [dates.is_leap(year) for year in (1900, 2000, 2023, 2024)] == [False, True, False, True]
    assert [dates.days_in_month(2023, month) for month in range(1, 13)] == [
        31,
        28,
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ]
    assert dates.days_in_month(2024, 2) == 29
