"""Births and deaths of the record in every spelling of three numbers: `1-9-64`, `01091964`, `11.23.58`, `01 / 09 / 1964`.

These are known days, so nothing around them need say that they are dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

#: Three numbers between like separators, or six or eight digits.
_SPELLED = re.compile(
    r"(?P<a>[0-9]{1,4})(?P<s>\s?[/\\.·-]\s?|\s)(?P<b>[0-9]{1,2})(?P=s)(?P<c>['’]?(?:[0-9]{4}|[0-9]{1,2}))(?![0-9]|[/.-][0-9])"
    r"|(?P<glued>[0-9]{8}|[0-9]{6})(?![0-9A-Za-z]|[.,/-][0-9])"
)
#: How days are written: month, day and year, with the digits of each; the commonest first.
_ORDERS = ("mdy", "dmy", "ymd")


class Spelling(NamedTuple):
    """The order in which the parts of a day were written, and the day that takes its place; None: nothing does."""

    order: str
    fake: date | None


def spellings(births: Mapping[str, str | None], day_first: bool) -> dict[str, Spelling]:
    """Each way to write a known day, without zeros and separated by slashes, or as digits alone."""
    answer: dict[str, Spelling] = {}
    for real, masked in births.items():
        if len(real) != 10:
            continue
        fake = date.fromisoformat(masked[:10]) if masked is not None and len(masked) >= 10 else None
        for order in ("dmy", "mdy", "ymd") if day_first else _ORDERS:
            spelling = Spelling(order, fake)
            for years in (real[:4], real[2:4]):
                parts = {"y": years, "m": real[5:7], "d": real[8:]}
                written = [parts[part] for part in order]
                answer.setdefault("".join(written), spelling)
                answer.setdefault(_key(written), spelling)
    return answer


def _key(parts: list[str]) -> str:
    return "/".join(part.lstrip("'’").lstrip("0") or "0" for part in parts)


def at(text: str, start: int, known: Mapping[str, Spelling]) -> tuple[int, str] | None:
    """Where the known day at `start` ends, and what takes its place; None where there is none."""
    found = _SPELLED.match(text, start)
    if found is None:
        return None
    if found["glued"]:
        spelling, written = known.get(found["glued"]), _cut(found["glued"], known)
    else:
        written = [found["a"], found["b"], found["c"]]
        spelling = known.get(_key(written))
    if spelling is None:
        return None
    return found.end(), spelled_as(spelling, written, found["s"] or "") if spelling.fake else "[date]"


def _cut(digits: str, known: Mapping[str, Spelling]) -> list[str]:
    """Digits as the three parts that their order has."""
    order = known[digits].order if digits in known else "mdy"
    year = len(digits) - 4
    return [digits[:year], digits[year:-2], digits[-2:]] if order == "ymd" else [digits[:2], digits[2:4], digits[4:]]


def spelled_as(spelling: Spelling, written: list[str], separator: str) -> str:
    """A day as another was written: its order, zeros, separators, digits of the year."""
    day = spelling.fake
    assert day is not None
    small = [part for part, name in zip(written, spelling.order, strict=True) if name != "y"]
    zeros = separator == "" or any(part[0] == "0" for part in small) or all(len(part) == 2 for part in small)
    numbers = {"m": day.month, "d": day.day}
    out: list[str] = []
    for part, name in zip(written, spelling.order, strict=True):
        if name == "y":
            mark = part[:1] if part[:1] in "'’" else ""
            out.append(mark + (f"{day.year:04d}" if len(part) == 4 else f"{day.year % 100:02d}"))
        else:
            out.append(f"{numbers[name]:02d}" if zeros else str(numbers[name]))
    return separator.join(out)
