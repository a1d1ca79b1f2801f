"""Dates in a text, moved: those that the scan does not answer itself."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from masking.scrub import dates

if TYPE_CHECKING:
    from masking.scrub.reader import Reader

_DAY_BEFORE = re.compile(
    r"\b(mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\.?,?\s+$",
    re.IGNORECASE,
)


def date(reader: Reader, kind: str, shape: re.Match[str]) -> None:
    """A date in numbers, or one that begins with its day."""
    spelled, known = shape[kind], reader.known
    start, stop = shape.span(kind)
    if kind == "mdy" and not dates.is_sure(reader.text, start, stop, spelled):
        return
    if kind == "eight" and not dates.stands_alone(reader.text, start, stop):
        return
    if known.days is None:
        if dates.numeric(kind, spelled, 1, reader.day_first, {}) is not None:
            reader.put(start, stop, "date", "[date]")
        return
    new = dates.numeric(kind, spelled, known.days, reader.day_first, known.births)
    if new is None:
        return
    if _weekday(reader, start):
        _put_weekday(reader, start, dates.read_day(kind, new, reader.day_first))
    reader.put(start, stop, "date", new)


def short(reader: Reader, shape: re.Match[str]) -> None:
    """`3/14` behind a word that dates follow."""
    start, stop = shape.span()
    if not dates.is_short(reader.text, start, stop):
        return
    if reader.known.days is None:
        reader.put(start, stop, "date", "[date]")
        return
    moved = dates.slashed(f"{shape[0]}/2001", reader.known.days, reader.day_first, {})
    if moved is not None:
        reader.put(start, stop, "date", moved[:-5])


def month(reader: Reader, start: int) -> None:
    """What begins with the name of a month."""
    text, known = reader.text, reader.known
    shape = dates.NAMED.match(text, start)
    if shape is None or not (text[start].isupper() or shape["year"] or (shape["only"] and start)):
        return
    if shape["a"] == "" and not shape["only"] and not shape["day"]:
        return
    new, moved = dates.named(shape, 1 if known.days is None else known.days, known.births)
    if new is None:
        return
    if known.days is None:
        new = "[date]"
    else:
        _put_weekday(reader, start, moved)
    reader.put(start, shape.end(), "date", new)


def _weekday(reader: Reader, start: int) -> re.Match[str] | None:
    """The weekday before a date."""
    return _DAY_BEFORE.search(reader.text, max(reader.end, start - 14), start) if start > 3 else None


def _put_weekday(reader: Reader, start: int, moved: dt.date | None) -> None:
    before = _weekday(reader, start)
    if before and moved is not None:
        reader.put(*before.span(1), "date", dates.weekday(moved, before[1]))
