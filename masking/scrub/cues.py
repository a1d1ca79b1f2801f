"""What tells a date from a score, a fraction or a dose: the words around it, and its own numbers."""

from __future__ import annotations

import re

_CUE = re.compile(
    r"(?:\b(?:on|since|dated?|from|until|till|by|seen|visit|of|thru|through|before|after|due|admitted|discharged|back|"
    r"expires?|exp|dob|dos|doa|dod|born|and|to|appointment|appt|follow-?up|f/u|given|drawn|collected|started|stopped|surgery)|\()\s*:?\s*$",
    re.IGNORECASE,
)
_NO_DATE = re.compile(
    r"\s*(?:hours?|hrs?|mg|ml|mcg|tab|pain|cm|mm|units?|strength|weeks?|days?|of|out|scale|times|visits?|doses?)\b",
    re.IGNORECASE,
)


def is_short(text: str, start: int, stop: int) -> bool:
    """Whether `3/14` is a day: only after a word that dates follow, and not before a unit."""
    return _CUE.search(text, max(0, start - 16), start) is not None and _NO_DATE.match(text, stop) is None


def stands_alone(text: str, start: int, stop: int) -> bool:
    """Whether `20240304` is a day: alone in its line or field, as values in markup are, or behind a word that dates follow."""
    before, behind = text[start - 1 : start], text[stop : stop + 1]
    if (before == "" or before in "\n|^~&") and (behind == "" or behind in "\r\n|^~&"):
        return True  # also between the marks of HL7's version 2
    return is_short(text, start, stop)


def is_sure(text: str, start: int, stop: int, spelled: str) -> bool:
    """Whether an `m/d/y` is a date: `12-24-48 hours` is none, and `1-2-10` only after a cue."""
    if "/" in spelled or len(spelled) - spelled.rfind("-") == 5 or (len(spelled) == 8 and "." not in spelled):
        return _NO_DATE.match(text, stop) is None or len(spelled) >= 10
    return (is_short(text, start, stop) and ("." not in spelled or len(spelled) - spelled.rfind(".") == 5)) or (
        len(spelled) - spelled.rfind(".") == 5 and "." in spelled
    )


def is_day_like(group: str, text: str) -> bool:
    """Whether a day that does not exist was meant as one: `02/30/2020`, but not a score such as `15/15/15`."""
    numbers = re.findall("[0-9]+", text)
    if group in ("stamp", "eight", "ynd") or (group == "dmy" and len(numbers) == 2):
        return True
    if group == "mdy" and len(numbers[2]) == 2:
        first, second = sorted(map(int, numbers[:2]))
        return "." not in text and 1 <= first <= 12 and 1 <= second <= 31
    year = numbers[2] if group == "mdy" else numbers[0]
    return group in ("iso", "ymd", "mdy") and year[:2] in ("19", "20")
