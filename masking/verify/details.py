"""Days in prose, so that a birth date that another date became by being moved is told from one that was left."""

from __future__ import annotations

import datetime as dt
import re

_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
_NUMBERS = re.compile(r"(?<!\d)(\d{1,4})\s?[-/. ]\s?(\d{1,2})\s?[-/. ]\s?(\d{2,4})(?!\d)|(?<!\d)(\d{8})(?!\d)")
_NAMED = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?(?:\s+of)?[\s.-]*)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
    r"[\s.,-]*(\d{1,2})?(?:st|nd|rd|th)?[\s.,-]*(\d{4})",
    re.IGNORECASE,
)


def days_in(text: str, *, sure: bool = False) -> set[int]:
    """The ordinals of all days that a text may name, in each order in which numbers can be read.

    sure: `03/05/1985` is the fifth of March alone; only dots, or a number above 12, tell that the day comes first.
    """
    found: set[int] = set()
    for a, b, c, glued in _NUMBERS.findall(text):
        if glued:
            _add(found, glued[:4], glued[4:6], glued[6:])
            _add(found, glued[4:], glued[:2], glued[2:4])
        elif len(a) == 4:
            _add(found, a, b, c)
        else:
            years = [c] if len(c) == 4 else [f"19{c}", f"20{c}"]
            for year in years:
                _add(found, year, a, b)
                if not sure or int(a) > 12 or f"{a}." in text:
                    _add(found, year, b, a)
    for before, month, after, year in _NAMED.findall(text):
        day = after or before
        if day:
            _add(found, year, str(_MONTHS[month.lower()]), day)
    return found


def _add(found: set[int], year: str, month: str, day: str) -> None:
    try:
        found.add(dt.date(int(year), int(month), int(day)).toordinal())
    except ValueError:
        return


def ordinal_of(day: int) -> int | None:
    """The ordinal of YYYYMMDD; None where there is no such day."""
    try:
        return dt.date(day // 10000, day // 100 % 100, day % 100).toordinal()
    except ValueError:
        return None
