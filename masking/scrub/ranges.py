"""Several dates in one: `1/3/2020-1/5/2020`, `1/3, 1/5 and 1/7/2020`, `January 3-5, 2020`. Each of them is moved.

Where an end falls into another month or year than the one before it, that is written too: `January 30-February 2`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from masking.scrub import cues, dates
from masking.scrub.dates import MONTH, month_name, ordinal, to_month, to_year


class Mover(NamedTuple):
    """What moves days: by how many, or to which fake of a birth; and whether `3/4/2024` is 3 April."""

    days: int
    births: dict[str, str | None]
    day_first: bool

    def __call__(self, year: int | None, month: int, day: int) -> date | None:
        """The masked day; None where there is none. year: None where a day is written without one."""
        return dates.known(year or dates.no_year(month, day), month, day, self.days, self.births)

    def full(self, kind: str, text: str) -> str | None:
        """The masked text of a date in numbers."""
        return dates.numeric(kind, text, self.days, self.day_first, self.births)


_DASH = r"\s?[-–—]\s?"
_WORD = r"\s*(?:,\s*)?(?:\band|&|\bor|\bto|\bthru|\bthrough|\buntil|\btill)\s+"
_JOINS = rf"(?:{_DASH}|{_WORD})"
_END = r"(?![0-9]|[/.-][0-9])"
_DAY = r"[0-9]{1,2}(?![0-9])(?:st|nd|rd|th)?"
_YEAR = r"(?:[0-9]{4}|['’][0-9]{2})\b"
_UNIT = r"\s*(?:mg|ml|mcg|units?|tab(?:let)?s?|doses?|x|times|visits?|mm|cm|years?|yrs?|days?|weeks?|months?|hours?|hrs?|beats)\b"
_CLOCK = r"T[0-9:.]{4,12}(?:Z|[+-][0-9:]{4,5})?"

_FULL = (
    r"(?P<iso{0}>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})|(?P<ymd{0}>[0-9]{{4}}(?P<s{0}>[/.])[0-9]{{1,2}}(?P=s{0})[0-9]{{1,2}})"
    r"|(?P<mdy{0}>[0-9]{{1,2}}(?P<t{0}>[/.-])[0-9]{{1,2}}(?P=t{0})(?:[0-9]{{4}}|[0-9]{{2}}))(?![0-9])"
    r"|(?P<eight{0}>(?:19|20)[0-9]{{6}})(?![0-9])|(?P<my{0}>[0-9]{{1,2}}/[0-9]{{4}})(?![0-9])"
)
#: Two whole dates; one and the day that another ends on (ISO 8601); days before or behind their month; several days of
#: one year.
_TWO = re.compile(
    rf"(?:{_FULL.format(1)})(?P<clock>{_CLOCK})?(?P<join>[-/–—])(?:{_FULL.format(2)})(?P<clock2>{_CLOCK})?{_END}"
)
_ABRIDGED = re.compile(rf"(?P<iso>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/(?P<day>[0-9]{{2}}){_END}")
_BEFORE = re.compile(
    rf"(?P<days>[0-9]{{1,2}}{_DASH}[0-9]{{1,2}})(?P<s>[/.])(?P<month>[0-9]{{1,2}})(?P=s)(?P<year>[0-9]{{4}}){_END}"
)
_BEHIND = re.compile(
    rf"(?P<month>[0-9]{{1,2}})/(?P<days>[0-9]{{1,2}}{_DASH}[0-9]{{1,2}})/(?P<year>[0-9]{{4}}|[0-9]{{2}}){_END}"
)
# No list is read beyond sixteen days: a pattern that ran over one of thousands would begin anew at each of them.
_MD = r"[0-9]{1,2}/[0-9]{1,2}(?![0-9/])"
_SEVERAL = re.compile(
    rf"(?P<first>{_MD}(?:(?:,\s*|{_JOINS}){_MD}){{0,15}}){_JOINS}(?P<last>[0-9]{{1,2}}/[0-9]{{1,2}}/(?:[0-9]{{4}}|[0-9]{{2}})){_END}"
)
_SHORT = re.compile(rf"{_MD}{_DASH}{_MD}{_END}")
#: What `4/5 - 1/5/2020` may stand behind when the first is a score.
_SCORE = re.compile(
    r"\b(?:strength|pain|scores?|grades?|graded|motor|power|reflex(?:es)?|murmur|apgar|scale|rated|pulses?)\W{0,3}\s*$",
    re.IGNORECASE,
)

_DAYS = rf"{_DAY}(?:(?:,\s*|{_JOINS}){_DAY}){{1,15}}"
_MONTH_FIRST = re.compile(
    rf"(?P<month>{MONTH})\b(?P<a>\.?\s+|-)(?:(?P<days>{_DAYS})(?P<b>,?\s+|/)(?P<year>{_YEAR})"
    rf"|(?P<bare>{_DAY}(?:{_JOINS}{_DAY}){{1,15}})(?![:%]|[./][0-9]|{_UNIT}))",
    re.IGNORECASE,
)
_MONTH_LAST = re.compile(
    rf"(?P<days>{_DAY}(?:{_JOINS}{_DAY}){{1,15}})(?P<a>\s+of\s+|\s+|-)(?P<month>{MONTH})\b(?P<b>\.?,?[\s-]+|\s*)(?P<year>{_YEAR})?",
    re.IGNORECASE,
)
_ONE = re.compile(r"[0-9]+")
_ONE_DAY = re.compile(r"([0-9]{1,2})(st|nd|rd|th)?", re.IGNORECASE)
_PAIR = re.compile(r"[0-9]{1,2}/[0-9]{1,2}")


def at_number(text: str, start: int, move: Mover) -> tuple[int, str] | None:
    """Where the dates that begin at a number end, and what takes their place; None where they are not several."""
    for pattern, write in _AT_NUMBER:
        found = pattern.match(text, start)
        if found is not None:
            new = write(found, move)
            if new is not None:
                return found.end(), new
    return None


def at_month(text: str, start: int, move: Mover) -> tuple[int, str] | None:
    """The same, at the name of a month."""
    found = _MONTH_FIRST.match(text, start)
    if found is None:
        return None
    days, year = found["days"] or found["bare"], found["year"]
    moved = _moved_days(days, to_month(found["month"]), year, move)
    if moved is None:
        return None
    out, like = f"{month_name(moved[0].month, found['month'])}{found['a']}", moved[0]
    at = 0
    for one, day in zip(_ONE_DAY.finditer(days), moved, strict=True):
        out += days[at : one.start()]
        if day.month != like.month:
            out += f"{month_name(day.month, found['month'])}{found['a']}"
        out, at, like = out + _day(day, one), one.end(), day
    return found.end(), out + (f"{found['b']}{_year(like, year)}" if year else "")


def _two(found: re.Match[str], move: Mover) -> str | None:
    out = ""
    for number in "12":
        kind = next(name for name in ("iso", "ymd", "mdy", "eight", "my") if found[name + number])
        new = move.full(kind, found[kind + number])
        if new is None:
            return None
        out += new + (found["clock"] or "") + found["join"] if number == "1" else new + (found["clock2"] or "")
    return out


def _abridged(found: re.Match[str], move: Mover) -> str | None:
    year, month, day = map(int, found["iso"].split("-"))
    first, last = move(year, month, day), move(year, month, int(found["day"]))
    if first is None or last is None:
        return None
    return f"{first}/{last.day:02d}" if (first.year, first.month) == (last.year, last.month) else f"{first}/{last}"


def _beside(found: re.Match[str], move: Mover) -> str | None:
    """`3-5/1/2020`, where the month stands behind the days; `1/3-5/2020`, where it stands before them."""
    days = [int(one[0]) for one in _ONE.finditer(found["days"])]
    if days[0] >= days[1]:
        return None
    moved = [move(to_year(found["year"]), int(found["month"]), day) for day in days]
    first, last = moved
    if first is None or last is None:
        return None
    join = re.sub("[0-9]", "", found["days"])
    separator, year = found["s"] if "s" in found.groupdict() else "/", _year(last, found["year"])
    zeros = _has_zeros(f"{found['days']}/{found['month']}")
    pairs = [_respelled(day, zeros=zeros) for day in (first, last)]
    if found.re is _BEFORE:
        tail = f"{separator}{pairs[1][1]}{separator}{year}"
        head = pairs[0][0] if first.month == last.month else separator.join(pairs[0])
        return f"{head}{join}{pairs[1][0]}{tail}"
    head = "/".join(reversed(pairs[0]))
    return f"{head}{join}{pairs[1][0] if first.month == last.month else '/'.join(reversed(pairs[1]))}/{year}"


def _several(found: re.Match[str], move: Mover) -> str | None:
    """`1/3, 1/5 and 1/7/2020`: the year of the last is that of all, but for days that would come after it."""
    if _SCORE.search(found.string, max(0, found.start() - 16), found.start()):
        return None
    last = found["last"]
    year = to_year(last.rpartition("/")[2])
    end = _month_and_day(last.rpartition("/")[0], move.day_first)
    out, at, zeros = "", found.start(), _has_zeros(found["first"] + "/" + last.rpartition("/")[0])
    for one in _PAIR.finditer(found.string, *found.span("first")):
        day = _month_and_day(one[0], move.day_first)
        moved = move(year - (day > end), *day)
        if moved is None:
            return None
        out, at = out + found.string[at : one.start()] + _pair(moved, zeros=zeros, day_first=move.day_first), one.end()
    new = move.full("mdy", last)
    return None if new is None else out + found.string[at : found.start("last")] + new


def _short(found: re.Match[str], move: Mover) -> str | None:
    """`on 1/3-1/5`, without a year: only behind a word that dates follow."""
    if not cues.is_short(found.string, *found.span()):
        return None
    out, zeros = found[0], _has_zeros(found[0])
    for one in reversed(list(_PAIR.finditer(found[0]))):
        moved = move(None, *_month_and_day(one[0], move.day_first))
        if moved is None:
            return None
        out = out[: one.start()] + _pair(moved, zeros=zeros, day_first=move.day_first) + out[one.end() :]
    return out


def _month_last(found: re.Match[str], move: Mover) -> str | None:
    """`3-5 January 2020`, `from 3rd to 5th January`."""
    text, year = found.string, found["year"]
    if not year and (not found["month"][0].isupper() or not cues.is_short(text, *found.span())):
        return None
    moved = _moved_days(found["days"], to_month(found["month"]), year, move)
    if moved is None:
        return None
    out, at, days = "", 0, list(_ONE_DAY.finditer(found["days"]))
    for number, (one, day) in enumerate(zip(days, moved, strict=True)):
        out += found["days"][at : one.start()] + _day(day, one)
        if number + 1 < len(moved) and moved[number + 1].month != day.month:
            out += found["a"] + month_name(day.month, found["month"])
        at = one.end()
    name = month_name(moved[-1].month, found["month"])
    return f"{out}{found['a']}{name}{found['b']}{_year(moved[-1], year) if year else ''}"


#: In the order in which they are tried, for each begins as those behind it do.
_AT_NUMBER: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str], Mover], str | None]]] = (
    (_TWO, _two), (_ABRIDGED, _abridged), (_SEVERAL, _several), (_BEHIND, _beside), (_BEFORE, _beside), (_SHORT, _short),
    (_MONTH_LAST, _month_last),
)  # fmt: skip


def _moved_days(days: str, month: int, year: str | None, move: Mover) -> list[date] | None:
    """The masked days of one month; None where one of them does not exist."""
    moved = []
    for one in _ONE_DAY.finditer(days):
        day = move(to_year(year.lstrip("'’")) if year else None, month, int(one[1]))
        if day is None:
            return None
        moved.append(day)
    return moved


def _month_and_day(text: str, day_first: bool) -> tuple[int, int]:
    first, _, second = text.partition("/")
    return (int(second), int(first)) if day_first else (int(first), int(second))


def _pair(moved: date, *, zeros: bool, day_first: bool) -> str:
    day, month = _respelled(moved, zeros=zeros)
    return f"{day}/{month}" if day_first else f"{month}/{day}"


def _has_zeros(text: str) -> bool:
    """Whether days and months are written with two digits."""
    sizes = {len(one) for one in _ONE.findall(text)}
    return re.search(r"\b0", text) is not None or sizes == {2}


def _respelled(moved: date, *, zeros: bool) -> tuple[str, str]:
    """The day and the month."""
    return (f"{moved.day:02d}", f"{moved.month:02d}") if zeros else (str(moved.day), str(moved.month))


def _day(day: date, like: re.Match[str]) -> str:
    number = f"{day.day:02d}" if like[1][0] == "0" else str(day.day)
    return number + (ordinal(day.day, like[2]) if like[2] else "")


def _year(day: date, like: str) -> str:
    mark = like[:1] if like[:1] in "'’" else ""
    return mark + (f"{day.year:04d}" if len(like) == 4 else f"{day.year % 100:02d}")
