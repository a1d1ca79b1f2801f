"""Dates in a text, moved: those that the scan does not answer itself."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from masking.scrub import births, cues, dates, ranges

if TYPE_CHECKING:
    from masking.scrub.reader import Reader

_DAY_BEFORE = re.compile(
    r"\b(mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\.?,?\s+$",
    re.IGNORECASE,
)
#: Where what stands before was taken for no day, neither is what stands behind.
_BEHIND_FRACTION = re.compile(r"[0-9]/[0-9]{1,2}\s+(?:and|to)\s*$")
_TWO_DIGITS = re.compile(r",\s([0-9]{2})\b")
#: In place of a day that is not moved, or does not exist.
_GONE = "[date]"


def _mover(reader: Reader) -> ranges.Mover:
    known = reader.known
    return ranges.Mover(1 if known.days is None else known.days, known.births, reader.day_first)


def born(reader: Reader, start: int) -> bool:
    """Put the birth or death of the record that is written here, in whatever spelling; False where there is none."""
    found = births.at(reader.text, start, reader.known.spelled_births(reader.day_first))
    if found is None:
        return False
    stop, new = found
    reader.put(start, stop, "date", new, "known")
    return True


def several(reader: Reader, start: int) -> bool:
    """Put the dates that begin at a number and are written as one: `1/3-1/5/2020`; False where there are none."""
    found = ranges.at_number(reader.text, start, _mover(reader))
    if found is None:
        return False
    reader.put(start, found[0], "date", found[1] if reader.known.days is not None else _GONE)
    return True


def loose(reader: Reader, start: int) -> bool:
    """Put `01 / 09 / 1964`, `01/09/'64`; False where there is none."""
    shape = dates.LOOSE.match(reader.text, start)
    if shape is None:
        return False
    tidy = "/".join(shape.group("a", "b", "c"))
    new = dates.slashed(
        tidy, 1 if reader.known.days is None else reader.known.days, reader.day_first, reader.known.births
    )
    if new is None:
        return False
    first, second, year = new.split("/")
    spelled = f"{first}{shape['s']}{second}{shape['s']}{shape['mark']}{year}"
    reader.put(start, shape.end(), "date", spelled if reader.known.days is not None else _GONE)
    return True


def date(reader: Reader, kind: str, shape: re.Match[str]) -> None:
    """A date in numbers, or one that begins with its day."""
    spelled, known = shape[kind], reader.known
    start, stop = shape.span(kind)
    if kind in ("mdy", "eight") and born(reader, start):
        return
    if kind == "mdy" and not cues.is_sure(reader.text, start, stop, spelled):
        return
    if kind == "eight" and not cues.stands_alone(reader.text, start, stop):
        return
    if known.days is None:
        if cues.is_day_like(kind, spelled) or dates.numeric(kind, spelled, 1, reader.day_first, {}) is not None:
            reader.put(start, stop, "date", _GONE)
        return
    new = dates.numeric(kind, spelled, known.days, reader.day_first, known.births)
    if new is None:
        if cues.is_day_like(kind, spelled):
            reader.put(start, stop, "date", _GONE)
        return
    if _weekday(reader, start):
        _put_weekday(reader, start, dates.read_day(kind, new, reader.day_first))
    reader.put(start, stop, "date", new)


def short(reader: Reader, shape: re.Match[str]) -> None:
    """`3/14` behind a word that dates follow."""
    start, stop = shape.span()
    if not cues.is_short(reader.text, start, stop):
        return
    last = reader.before()
    if _BEHIND_FRACTION.search(reader.text, max(0, start - 16), start) and not (last and last[1] > start - 8):
        return  # 'strength 4/5 and 5/5'
    if reader.known.days is None:
        reader.put(start, stop, "date", _GONE)
        return
    moved = dates.slashed(f"{shape[0]}/2001", reader.known.days, reader.day_first, {})
    if moved is not None:
        reader.put(start, stop, "date", moved[:-5])


def month(reader: Reader, start: int) -> None:
    """What begins with the name of a month."""
    text, known = reader.text, reader.known
    found = ranges.at_month(text, start, _mover(reader)) if text[start].isupper() else None
    if found is not None:
        reader.put(start, found[0], "date", found[1] if known.days is not None else _GONE)
        return
    shape = dates.NAMED.match(text, start)
    if shape is None or not (text[start].isupper() or shape["year"] or (shape["only"] and start)):
        return
    if shape["a"] == "" and not shape["only"] and not shape["day"]:
        return
    shape = _with_year_of_birth(reader, shape)
    new, moved = dates.named(shape, 1 if known.days is None else known.days, known.births)
    if new is None:
        if shape["day"] and (shape["year"] or (text[start].isupper() and 28 < int(shape["day"]) < 32)):
            reader.put(start, shape.end(), "date", _GONE)
        return
    if known.days is None:
        new = _GONE
    else:
        _put_weekday(reader, start, moved)
    reader.put(start, shape.end(), "date", new)


def _with_year_of_birth(reader: Reader, shape: re.Match[str]) -> re.Match[str]:
    """`Jan 9, 64`: two digits that may be anything else are the year where somebody was born on that day."""
    years = _TWO_DIGITS.match(reader.text, shape.end()) if shape["day"] and not shape["year"] else None
    if years is None:
        return shape
    day = f"{dates.to_year(years[1])}-{dates.to_month(shape['month']):02d}-{int(shape['day']):02d}"
    if day not in reader.known.births:
        return shape
    return dates.NAMED.match(reader.text[: years.end()], shape.start()) or shape


def _weekday(reader: Reader, start: int) -> re.Match[str] | None:
    """The weekday before a date."""
    return _DAY_BEFORE.search(reader.text, max(reader.end, start - 14), start) if start > 3 else None


def _put_weekday(reader: Reader, start: int, moved: dt.date | None) -> None:
    before = _weekday(reader, start)
    if before and moved is not None:
        reader.put(*before.span(1), "date", dates.weekday(moved, before[1]))
