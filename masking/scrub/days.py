"""Dates that the scan answers itself: `01/09/1964`, `1964-01-09`, `January 9, 1964`."""

from __future__ import annotations

import numpy as np

from masking.native import Ints, Points, borrowing
from masking.scrub.batch import DASHED, SLASHED


@borrowing
def _digits(points: Points, at: int, count: int, end: int) -> int:
    """The number of this many digits; -1 where there are none, or more."""
    if at + count > end:
        return -1
    number = 0
    for place in range(at, at + count):
        if not 48 <= points[place] <= 57:
            return -1
        number = number * 10 + int(points[place]) - 48
    return number


@borrowing
def _month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@borrowing
def _ordinal(year: int, month: int, day: int) -> int:
    """1 for 0001-01-01, as `datetime.date.toordinal` counts."""
    before = year - 1
    number = before * 365 + before // 4 - before // 100 + before // 400
    for earlier in range(1, month):
        number += _month_length(year, earlier)
    return number + day


@borrowing
def _moved(year: int, month: int, day: int, days: int, births: Ints, base: int, count: int) -> int:
    """The masked day as yyyymmdd: a birth date's own fake, else the day moved; 0 where there is none."""
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= _month_length(year, month):
        return 0
    packed = year * 10000 + month * 100 + day
    for birth in range(base, base + count):
        if births[2 * birth] == packed:
            return int(births[2 * birth + 1])
    number = _ordinal(year, month, day) + days
    if number < 1 or number > 3652059:
        return 0
    year = number * 400 // 146097 + 1
    while _ordinal(year, 1, 1) > number:
        year -= 1
    while _ordinal(year + 1, 1, 1) <= number:
        year += 1
    left = number - _ordinal(year, 1, 1) + 1
    month = 1
    while left > _month_length(year, month):
        left -= _month_length(year, month)
        month += 1
    return year * 10000 + month * 100 + left


@borrowing
def _goes_on(points: Points, at: int, end: int) -> bool:
    """Whether a number goes on behind a date: then it is none."""
    if at >= end:
        return False
    point = points[at]
    if 48 <= point <= 57 or 65 <= point <= 90 or 97 <= point <= 122:
        return True
    return 45 <= point <= 47 and at + 1 < end and 48 <= points[at + 1] <= 57


@borrowing
def numeric_day(
    points: Points, start: int, end: int, begin: int, days: int, births: Ints, base: int, count: int
) -> tuple[int, int, int]:
    """The date at a number: its code, where it ends, and the masked day; the code 0 where there is none."""
    if start > begin:
        before = points[start - 1]
        if (45 <= before <= 47 or before == 58 or before == 43) and not (before == 58 and points[start - 2] > 57):
            return 0, 0, 0
    first = _digits(points, start, 2, end)
    if first < 0 or start + 10 > end:
        return 0, 0, 0
    if points[start + 2] == 47 and points[start + 5] == 47:
        day, year = _digits(points, start + 3, 2, end), _digits(points, start + 6, 4, end)
        if day < 0 or year < 0 or _goes_on(points, start + 10, end):
            return 0, 0, 0
        moved = _moved(year, first, day, days, births, base, count)
        return (SLASHED if moved else 0), start + 10, moved
    if points[start + 4] == 45 and points[start + 7] == 45:
        year, month = _digits(points, start, 4, end), _digits(points, start + 5, 2, end)
        day = _digits(points, start + 8, 2, end)
        if year < 0 or month < 0 or day < 0:
            return 0, 0, 0
        after = points[start + 10] if start + 10 < end else np.uint32(0)
        if not (after == 84 and start + 12 < end and 48 <= points[start + 11] <= 57) and _goes_on(
            points, start + 10, end
        ):
            return 0, 0, 0
        moved = _moved(year, month, day, days, births, base, count)
        return (DASHED if moved else 0), start + 10, moved
    return 0, 0, 0


@borrowing
def written_day(
    points: Points, start: int, stop: int, end: int, days: int, births: Ints, base: int, count: int
) -> tuple[int, int]:
    """The end and the masked day of `January 9, 1964`, the month in full and capitalized; 0 where it is another form."""
    size = stop - start
    if size < 4 or not 65 <= points[start] <= 90 or not 97 <= points[start + 1] <= 122:
        return 0, 0
    second, third = points[start + 1], points[start + 2]
    # By the second and third letter: anuary ebruary arch pril une uly ugust eptember ctober ovember ecember
    month, length = 0, 0
    if second == 97 and third == 110:
        month, length = 1, 7
    elif second == 101 and third == 98:
        month, length = 2, 8
    elif second == 97 and third == 114:
        month, length = 3, 5
    elif second == 112:
        month, length = 4, 5
    elif second == 117 and third == 110:
        month, length = 6, 4
    elif second == 117 and third == 108:
        month, length = 7, 4
    elif second == 117 and third == 103:
        month, length = 8, 6
    elif second == 101 and third == 112:
        month, length = 9, 9
    elif second == 99:
        month, length = 10, 7
    elif second == 111:
        month, length = 11, 8
    elif second == 101 and third == 99:
        month, length = 12, 8
    if month == 0 or length != size or stop + 8 > end or points[stop] != 32:
        return 0, 0
    day = _digits(points, stop + 1, 2, end)
    at = stop + 3
    if day < 0:
        day = _digits(points, stop + 1, 1, end)
        at = stop + 2
    elif points[stop + 1] == 48:
        return 0, 0
    if day < 0 or at + 6 > end or points[at] != 44 or points[at + 1] != 32:
        return 0, 0
    year = _digits(points, at + 2, 4, end)
    if year < 0 or _goes_on(points, at + 6, end):
        return 0, 0
    return at + 6, _moved(year, month, day, days, births, base, count)
