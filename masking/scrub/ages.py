"""Ages over 89 in the forms that notes have: `92F`, `92y`, `90-95 years old`, `she was 91`, `age 90+`, `aged ninety-one`."""

from __future__ import annotations

import re

from masking.scrub import shapes

_OVER = r"(?:9[0-9]|1[0-4][0-9])"
_YEARS = r"\s*-?\s*(?:years?|yrs?|y/?o|y\.o)\b(?!\s*ago)"
#: Two ages: both over 89, or the second alone.
_TWO = re.compile(rf"(?P<low>[0-9]{{1,3}})\s?[-–]\s?(?P<high>{_OVER})(?={_YEARS})", re.IGNORECASE)
_FIRST = re.compile(rf"{_OVER}(?=\s+(?:and|or|to)\s+[0-9]{{2,3}}{_YEARS})", re.IGNORECASE)
_SHORT = re.compile(rf"{_OVER}(?=\s?y\b(?![-/]))", re.IGNORECASE)
_BIRTHDAY = re.compile(rf"{_OVER}(?:st|nd|rd|th)(?=\s+birthday\b)", re.IGNORECASE)
_SEX = re.compile(r"(?P<age>9[0-9]|1[01][0-9])(?P<sex>[FM])\b")
_BARE = re.compile(rf"{_OVER}(?P<plus>\+?)(?![0-9A-Za-z%/]|[.,-][0-9])")
_TEMPERATURE = re.compile(
    r"\b(?:t|temp(?:erature)?|tm(?:ax)?|fevers?|febrile|heat(?:ed)?|warmed)\W*(?:(?:of|to|at|is|was|max)\W*)*$",
    re.IGNORECASE,
)
_OF_PERSON = re.compile(
    r"\s*(?:,\s*)?(?:with|w/|who|p/w|presents?|presenting|presented|c/o|h/o|hx|s/p|here|admitted|pt|patient|from|found|brought)\b",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:s?he|patient|pt|who|mother|father|wife|husband|grandmother|grandfather|man|woman|lady|gentleman)\s+"
    r"(?:is|was|turns|turned|will\s+be)\s+(?:now\s+|already\s+|only\s+)?$",
    re.IGNORECASE,
)
_NOTHING_ELSE = re.compile(r"\s*(?:$|[.;:)!?\n]|,(?!\s*[0-9])|(?:and|when|but|who|with|now)\b(?!\s*[0-9]))")
SPELLED = re.compile(
    r"(?:ninety(?:[\s-]?(?:one|two|three|four|five|six|seven|eight|nine))?|hundred(?:(?:\s+and)?[\s-](?:one|two|three|four|five))?)"
    r"\b(?!\s*(?:percent|%|minutes?|days?|weeks?|hours?|months?))",
    re.IGNORECASE,
)


def at(text: str, start: int) -> tuple[int, int] | None:
    """Where an age over 89 begins and ends, at a number; None where there is none."""
    two = _TWO.match(text, start)
    if two is not None:
        return two.span() if int(two["low"]) >= 90 else two.span("high")
    for pattern in (_FIRST, _SHORT, _BIRTHDAY):
        found = pattern.match(text, start)
        if found is not None:
            return found.span()
    sex = _SEX.match(text, start)
    if sex is not None:
        return sex.span("age") if _is_persons(text, start, sex) else None
    bare = _BARE.match(text, start)
    if bare is None:
        return None
    is_age = shapes.is_age(text, start) or (
        _PERSON.search(text, max(0, start - 40), start) and _NOTHING_ELSE.match(text, bare.end())
    )
    return bare.span() if is_age else None


def _is_persons(text: str, start: int, found: re.Match[str]) -> bool:
    """Whether `92F` is a woman of 92 and no temperature, `100M` a man and no quantity."""
    if _TEMPERATURE.search(text, max(0, start - 24), start):
        return False
    if _OF_PERSON.match(text, found.end()):
        return True
    return int(found["age"]) < (95 if found["sex"] == "F" else 100)
