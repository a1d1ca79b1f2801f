"""FHIR's dates as moments, compiled: microseconds since 1970 in UTC."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from masking.native import Bytes, Ints, Of, borrowing, bytes_of, compiled

#: One moment, and whether it is one.
MOMENT = np.dtype([("micros", np.int64), ("known", np.int64)], align=True)
Moments: TypeAlias = Annotated[Any, Of(MOMENT)]
_MINUTE = 60_000_000
_DAY = 1440 * _MINUTE


@borrowing
def _two(text: Bytes, at: int) -> int:
    """The number that two digits spell; -1 where they are none."""
    high, low = int(text[at]) - 48, int(text[at + 1]) - 48
    return high * 10 + low if 0 <= high <= 9 and 0 <= low <= 9 else -1


@borrowing
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 of the proleptic Gregorian calendar, counted in years that begin in March; -(1 << 40) for none."""
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 31
    if month == 2:
        longest = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        longest = 30
    if year < 1 or month < 1 or month > 12 or day < 1 or day > longest:
        return -(1 << 40)
    shifted = year - 1 if month <= 2 else year
    march = (month + 9) % 12
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + (153 * march + 2) // 5 + day - 1 - 719468


@borrowing
def _clock(text: Bytes, at: int, stop: int) -> int:
    """Microseconds from midnight UTC of `hh:mm[:ss[.f]]` with its zone; -(1 << 60) where it is none."""
    none = -(1 << 60)
    if at + 6 > stop or text[at + 2] != 58:
        return none
    hour, minute, micros = _two(text, at), _two(text, at + 3), 0
    at += 5
    if hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return none
    if text[at] == 58:
        if at + 4 > stop:
            return none
        second = _two(text, at + 1)
        if second < 0 or second > 60:  # a leap second is the first of the next minute
            return none
        micros = second * 1_000_000
        at += 3
        if text[at] == 46:
            at += 1
            unit, begin = 100_000, at
            while at < stop and 48 <= text[at] <= 57:
                micros += (int(text[at]) - 48) * unit
                unit //= 10
                at += 1
            if at == begin:
                return none
    micros += (hour * 60 + minute) * _MINUTE
    if at + 1 == stop and text[at] == 90:
        return micros
    if at + 6 != stop or text[at + 3] != 58 or (text[at] != 43 and text[at] != 45):
        return none
    hour, minute = _two(text, at + 1), _two(text, at + 4)
    if hour < 0 or hour > 14 or minute < 0 or minute > 59:
        return none
    shift = (hour * 60 + minute) * _MINUTE
    return micros - shift if text[at] == 43 else micros + shift


@compiled
def read_moments(text: Bytes, offsets: Ints, moments: Moments) -> None:
    """Each text's first moment: `1987` begins with its year, a day at midnight UTC. What is none is not known.

    text: with a byte behind the last text.
    """
    for place in range(len(offsets) - 1):
        start, stop = int(offsets[place]), int(offsets[place + 1])
        size = stop - start
        moments[place].micros, moments[place].known = 0, 0
        if size != 4 and size != 7 and size < 10:
            continue
        high, low = _two(text, start), _two(text, start + 2)
        year, month, day, micros = high * 100 + low, 1, 1, 0
        if high < 0 or low < 0:
            continue
        if size > 4:
            month = _two(text, start + 5) if text[start + 4] == 45 else 0
        if size > 7:
            day = _two(text, start + 8) if text[start + 7] == 45 else 0
        if size > 10:
            micros = _clock(text, start + 11, stop) if text[start + 10] == 84 else -(1 << 60)
        days = _days(year, month, day)
        if days > -(1 << 40) and micros > -(1 << 60):
            moments[place].micros, moments[place].known = days * _DAY + micros, 1


def moments_of(texts: pa.StringArray) -> tuple[Any, Any]:
    """Microseconds since 1970, and whether each text is there and is a date, dateTime or instant."""
    found = np.zeros(len(texts), MOMENT)
    if len(texts):
        _, offsets, data = texts.buffers()
        starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].copy()
        text = bytes_of((data.to_pybytes() if data is not None else b"") + b"\0")
        read_moments(text, starts, found)
    return found["micros"], found["known"] != 0
