"""Fake street lines: a number, a street that sounds real, and the unit or PO box where the source has one.

A line is cut into its segments; each is a keyed function of the household and of its own folded text. So a street and
its unit mask alike in one line or in two, and two streets of one address stay two.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from masking.pools.choice import other_shape, words
from masking.pools.load import street_suffixes, streets
from masking.pools.places import fold_place

_UNITS = "apartment|apt|unit|suite|ste|floor|fl|room|rm|building|bldg|lot|trailer|trlr|space|spc|department|dept"
_UNIT = re.compile(rf"(?:^|[\s,]+)((?:(?:{_UNITS})\b\.?\s*#?|#)\s*)([a-z0-9][a-z0-9-]{{0,7}})\s*$", re.IGNORECASE)
_BOX = re.compile(r"(?:^|[\s,]+)((?:p\.?\s*o\.?|post\s+office)\s*box\s*#?\s*)([a-z0-9-]{1,10})\s*$", re.IGNORECASE)
_NUMBERED = re.compile(r"\s*(\d+)\S*\s+(?=\S)")
_HAS_TEXT = re.compile(r"\w")
_MOST_DIGITS = 5


@lru_cache(maxsize=1 << 12)
def fake_line(key: bytes, household: str, text: str) -> str | None:
    """The fake of one street line; None where it holds neither letter nor digit. Remembered for the address' text."""
    if not _HAS_TEXT.search(text):
        return None
    core, tails = _cut(text)
    fakes = [_street(key, household, core)] if core else []
    fakes += [designator + other_shape(number, key, "unit", household) for designator, number in tails]
    line = ("," if "," in text else "").join([fakes[0], *(f" {fake}" for fake in fakes[1:])])
    return line.upper() if text.isupper() else line


def _cut(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The street part, and the units and boxes behind it as (designator, number); a closed list of designators."""
    tails: list[tuple[str, str]] = []
    core = " ".join(text.split())  # one blank each: the patterns below would try every start of a long run
    while found := _BOX.search(core) or _UNIT.search(core):
        tails.insert(0, (found[1], found[2]))
        core = core[: found.start()].rstrip(" ,")
    return core, tails


def _street(key: bytes, household: str, core: str) -> str:
    """House number (as many digits as the source's), street and suffix, abbreviated where the source's is."""
    folded = fold_place(core)
    numbers = words(key, "street", household, folded)
    found = _NUMBERED.match(core)
    source = found[1] if found else "000"
    low = 10 ** (min(len(source), _MOST_DIGITS) - 1)
    number = low + numbers[0] % (9 * low)
    if str(number) == source.lstrip("0"):
        number = number + 1 if number + 1 < 10 * low else low
    spoken = set(folded.split())
    names = (streets()[draw % len(streets())] for draw in numbers[1:3])
    street = next((name for name in names if name.casefold() not in spoken), "Meadowlark")
    full, short = street_suffixes()[numbers[3] % len(street_suffixes())]
    return f"{number} {street} {full if spoken.isdisjoint(_abbreviations()) else short}"


@cache
def _abbreviations() -> frozenset[str]:
    """What betrays that a line abbreviates: 'ave', and 'saint', which is what folding makes of 'st'."""
    return frozenset(fold_place(short) for full, short in street_suffixes() if short != full)
