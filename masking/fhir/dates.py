"""Partial dates as FHIR writes them (date, dateTime, instant), and day arithmetic on their text.

A date has the precision it is written with: `1987`, `1987-03`, `1987-03-02`, `1987-03-02T10:00:00.5+01:00`. Nothing
here ever adds precision, converts a zone or touches a time of day; the day of a dateTime is the day as written.

Source: the regular expressions of date, dateTime and instant in R4 4.0.1 (seconds and zone are required with a time,
`24:00` is not a time, second 60 is), narrowed to days that the Gregorian calendar has.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Literal, NamedTuple

Precision = Literal["year", "month", "day", "time"]

_TIME_TEXT = (
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
)
_PARTIAL = re.compile(rf"(?!0000)([0-9]{{4}})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])({_TIME_TEXT})?)?)?")

_MAX_ORDINAL = date.max.toordinal()
#: Characters that a precision is spelled with, without the time.
_LENGTHS = {"year": 4, "month": 7, "day": 10, "time": 10}


class PartialDate(NamedTuple):
    """A date taken apart: month and day are None below that precision; rest is the time with its zone, or ""."""

    precision: Precision
    year: int
    month: int | None
    day: int | None
    rest: str


def parse(text: str) -> PartialDate | None:
    """Take a FHIR date, dateTime or instant apart; None when it is none, or names a day that does not exist."""
    match = _PARTIAL.fullmatch(text)
    if match is None:
        return None
    year, month, day, rest = match.groups()
    if month is None:
        return PartialDate("year", int(year), None, None, "")
    if day is None:
        return PartialDate("month", int(year), int(month), None, "")
    if int(day) > days_in_month(int(year), int(month)):
        return None
    return PartialDate("time" if rest else "day", int(year), int(month), int(day), rest or "")


#: The month and the day for which a year stands, and the day for which a month does (0: its last one).
_STANDS_FOR = {"first": (1, 1, 1), "middle": (7, 1, 15), "last": (12, 31, 0)}
#: What a partial date may stand for when it is moved.
STANDS_FOR = tuple(_STANDS_FOR)


def shift_text(text: str, days: int, partial: str = "middle") -> str | None:
    """Move a date by whole days at its own precision; None when it is not valid or leaves the years 0001 to 9999.

    A full date moves exactly, and what follows it (time and zone) stays to the byte. A month stands for its 15th and
    a year for its 1 July, or both for their `first` or `last` day: that day is moved and the result cut to the same
    precision. So the answer depends on the text and the days alone, is a month (year) that the true day, moved, can lie
    in, and never changes the order of two dates of equal precision.
    """
    parts = parse(text)
    if parts is None:
        return None
    of_year, of_first, of_month = _STANDS_FOR[partial]
    month, day = (of_year, of_first) if parts.month is None else (parts.month, parts.day or of_month)
    moved = date_text(date(parts.year, month, day or monthrange(parts.year, month)[1]).toordinal() + days)
    return None if moved is None else moved[: _LENGTHS[parts.precision]] + parts.rest


def ordinal(text: str) -> int | None:
    """The day number of a full date or dateTime (1 is 0001-01-01); None for partial or invalid ones."""
    first, last = bounds(text) or (0, 1)
    return first if first == last else None


def date_text(day: int) -> str | None:
    """The full date with that day number; None outside the years 0001 to 9999."""
    if not 1 <= day <= _MAX_ORDINAL:
        return None
    return date.fromordinal(day).isoformat()


def bounds(text: str) -> tuple[int, int] | None:
    """The numbers of the first and last day a date may mean (`1987`: 1 January, 31 December); None if invalid."""
    parts = parse(text)
    if parts is None:
        return None
    month, last_month = parts.month or 1, parts.month or 12
    day, last_day = parts.day or 1, parts.day or days_in_month(parts.year, last_month)
    return date(parts.year, month, day).toordinal(), date(parts.year, last_month, last_day).toordinal()


def age_on(birth: str, reference: str) -> int | None:
    """The age in whole years on a reference date; None when a date is invalid or too partial to tell.

    Who is born on 29 February has a birthday on 1 March in other years. Below zero before the birth: -1 in the year
    before it. Partial dates count when every day they may mean gives the same age (`1987` on `2024-12-31` is 37).
    """
    born, seen = bounds(birth), bounds(reference)
    if born is None or seen is None:
        return None
    oldest, youngest = _years_between(born[0], seen[1]), _years_between(born[1], seen[0])
    return oldest if oldest == youngest else None


def days_in_month(year: int, month: int) -> int:
    """The number of days of a month of the Gregorian calendar."""
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def is_leap(year: int) -> bool:
    """Whether a year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _years_between(birth: int, reference: int) -> int:
    born, seen = date.fromordinal(birth), date.fromordinal(reference)
    return seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
