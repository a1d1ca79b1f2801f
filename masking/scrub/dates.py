"""Dates in the spellings people use, moved by whole days and written as they were: zeros, ordinals, capitals, weekdays."""

from __future__ import annotations

import re
from datetime import date

from masking.fhir.dates import days_in_month, shift_text
from masking.scrub.vocabulary import DAYS, MONTHS

MONTH_NAMES = tuple(month.title() for month in MONTHS)
_DAYMONTH_NAMES = tuple(day.title() for day in DAYS)
_NUMBER = {month: number for number, name in enumerate(MONTHS, 1) for month in (name, name[:3])} | {"sept": 9}
_PIVOT = 30  # '1/9/64' is 1964, '1/9/24' 2024: notes are of this century, the people in them of the last one
#: The name of a month, in full or short.
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_TIME = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"

#: What may begin at a number. Groups are named by the order of their parts.
NUMERIC = (
    rf"(?P<iso>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:(?=[T ]{_TIME})|(?![0-9]|-[0-9]))"
    r"|(?P<ymd>(?:[0-9]{4}(?=[/.])|(?:19|20)[0-9]{2}(?=-))(?P<s1>[/.-])[0-9]{1,2}(?P=s1)[0-9]{1,2})(?![0-9]|[/.-][0-9])"
    r"|(?P<mdy>[0-9]{1,2}(?P<s2>[/.-])[0-9]{1,2}(?P=s2)(?:[0-9]{4}|[0-9]{2}))(?![0-9]|[/.-][0-9])"
    r"|(?P<my>[0-9]{1,2}[/-][0-9]{4})(?![0-9]|[/.-][0-9])"
    r"|(?P<ym>(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2]))(?![0-9]|[/.-][0-9])"
    r"|(?P<stamp>(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9](?=T?[0-9]{4}(?:[0-9]{2})?\b))"
    r"|(?P<eight>(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9])(?!\w|[./-]\w)"
    rf"|(?P<ynd>(?:19|20)[0-9]{{2}}[\s/-]{{1,2}}{MONTH}\.?[\s/-]{{1,2}}[0-9]{{1,2}}(?:st|nd|rd|th)?)(?![\w:%]|[./-][0-9]|,?\s+(?:19|20)[0-9]{{2}}\b|\s*(?:mg|ml|mcg|units?)\b)"
    rf"|(?P<dmy>[0-9]{{1,2}}(?:st|nd|rd|th)?(?:\s+of\s+|[\s-]{{0,2}}|/){MONTH}(?:\b|(?=(?:[0-9]{{2}}){{1,2}}\b))\.?(?:(?:,?[\s-]{{0,2}}|/)(?:[0-9]{{4}}\b|['’]?[0-9]{{2}}\b(?![:/-]|\.[0-9]|\s*(?:mg|%|units?|year|y/)))|(?![\w.-])))"
)
#: What may begin at the name of a month.
NAMED = re.compile(
    rf"(?P<month>{MONTH})\b(?P<a>\.?[\s-]{{0,2}}(?:\bthe\s+)?)(?:(?P<day>[0-9]{{1,2}})(?P<ordinal>st|nd|rd|th)?\b(?![:%]|[./][0-9])"
    r"(?:(?P<b>,?\s+|-|/)(?P<year>[0-9]{4}\b(?!\s*(?:mg|ml|units?))|['’][0-9]{2}\b"
    r"|(?<=,\s)[0-9]{2}(?=\s*(?:[.;,)\]\n]|$)(?![.,][0-9])))"
    r"|(?!\s*(?:mg|ml|mcg|units?|tab|times|mm|cm|years?|days?|weeks?|hours?|of\s+(?:the|her|his)\b)))"
    r"|(?P<c>of\s+|,\s*)?(?P<only>(?:19|20)[0-9]{2}|['’][0-9]{2})\b)",
    re.IGNORECASE,
)
_DMY = re.compile(
    rf"(?P<day>[0-9]{{1,2}})(?P<ordinal>st|nd|rd|th)?(?P<a>\s+of\s+|[\s/-]*)(?P<month>{MONTH})(?P<b>\.?,?[\s/-]*['’]?)(?P<year>[0-9]*)",
    re.IGNORECASE,
)
_YND = re.compile(
    rf"(?P<year>[0-9]{{4}})(?P<a>[\s/-]+)(?P<month>{MONTH})(?P<b>\.?[\s/-]+)(?P<day>[0-9]{{1,2}})(?P<ordinal>st|nd|rd|th)?",
    re.IGNORECASE,
)
WEEKDAY = re.compile(r"\.?,?\s+(?:the\s+)?$")
#: The year of days without one: no leap year, so that 1 March comes after 28 February.
_NO_YEAR, _LEAP_YEAR = 2001, 2004
_MARKS = "'’"  # before a year of two digits
#: Spellings of a day that numbers seldom have: with blanks or backslashes, or a mark before its year.
LOOSE = re.compile(
    r"(?P<a>[0-9]{1,2})(?P<s>\s?[/\\]\s?)(?P<b>[0-9]{1,2})(?P=s)(?P<mark>['’]?)(?P<c>(?:19|20)[0-9]{2}|(?<=['’])[0-9]{2})(?![0-9]|[/.-][0-9])"
)
SHORT = re.compile(r"[0-9]{1,2}/[0-9]{1,2}(?![0-9]|[/.-][0-9])")


def to_year(text: str) -> int:
    """The year that four digits, or two, stand for."""
    if len(text) == 4:
        return int(text)
    return int(text) + (1900 if int(text) > _PIVOT else 2000)


def to_month(text: str) -> int:
    """The number of a month by its name."""
    return _NUMBER[text.lower()]


def no_year(month: int, day: int) -> int:
    """The year of a day that is written without one."""
    return _LEAP_YEAR if (month, day) == (2, 29) else _NO_YEAR


def _moved(year: int, month: int, day: int, days: int) -> date | None:
    if not (1 <= month <= 12 and 1 <= year <= 9999 and 1 <= day <= days_in_month(year, month)):
        return None
    number = date(year, month, day).toordinal() + days
    return date.fromordinal(number) if 1 <= number <= date.max.toordinal() else None


def as_cased(word: str, like: str) -> str:
    """A month or weekday in the case of another."""
    return word.upper() if like.isupper() and len(like) > 1 else word.lower() if like.islower() else word


def month_name(number: int, like: str) -> str:
    """The name of a month as long as another."""
    name = MONTH_NAMES[number - 1]
    full = like.lower() in MONTHS and len(like) > 3
    if like.lower() == "may":
        full = len(name) < 5
    return as_cased(name if full else name[:3], like)


def weekday(moved: date, like: str) -> str:
    """The weekday of a day, as long as another."""
    name = _DAYMONTH_NAMES[moved.weekday()]
    return as_cased(name if len(like) > 4 and like.lower() in DAYS else name[:3], like)


def ordinal(day: int, like: str) -> str:
    """`st`, `nd`, `rd` or `th`, in the case of another."""
    suffix = "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return suffix.upper() if like.isupper() else suffix


def slashed(text: str, days: int, day_first: bool, births: dict[str, str | None]) -> str | None:
    """Move `m/d/y` (or d/m/y) with any separator; None where it is no date."""
    separator = "/" if "/" in text else "." if "." in text else "-"
    a, b, y = text.split(separator)
    if separator == "-" and not day_first and len(a) == len(b) == len(y) == 2 and 12 < int(a) <= _PIVOT:
        moved = known(to_year(a), int(b), int(y), days, births)  # the year first, as in '2020-01-03'
        if moved is not None:
            return f"{moved.year % 100:02d}-{moved.month:02d}-{moved.day:02d}"
    first, second, year = int(a), int(b), to_year(y)
    turned = day_first
    month, day = (second, first) if turned else (first, second)
    if month > 12 and day <= 12:
        month, day, turned = day, month, not turned
    moved = known(year, month, day, days, births)
    if moved is None:
        return None
    zeros = a[0] == "0" or b[0] == "0" or (len(a) == 2 and len(b) == 2)
    m, d = (f"{moved.month:02d}", f"{moved.day:02d}") if zeros else (str(moved.month), str(moved.day))
    year_text = f"{moved.year:04d}" if len(y) == 4 else f"{moved.year % 100:02d}"
    return separator.join((d, m, year_text) if turned else (m, d, year_text))


def known(year: int, month: int, day: int, days: int, births: dict[str, str | None]) -> date | None:
    """The masked day of a day: the birth date's own fake, else the day moved."""
    if births:
        fake = births.get(f"{year:04d}-{month:02d}-{day:02d}")
        if fake is not None and len(fake) >= 10:
            return date.fromisoformat(fake[:10])
    return _moved(year, month, day, days)


def month_year(text: str, days: int) -> str | None:
    """Move `m/yyyy` at its own precision."""
    separator = "/" if "/" in text else "-"
    month, year = text.split(separator)
    if not (1 <= int(month) <= 12 and 1900 <= int(year) <= 2099):
        return None
    moved = shift_text(f"{year}-{int(month):02d}", days)
    if moved is None:
        return None
    return f"{moved[5:7] if len(month) == 2 else str(int(moved[5:7]))}{separator}{moved[:4]}"


def numeric(group: str, text: str, days: int, day_first: bool, births: dict[str, str | None]) -> str | None:
    """The moved text of a date that one of `NUMERIC`'s groups found."""
    if group == "iso":
        if births and (fake := births.get(text)) is not None:
            return fake[:10]
        return shift_text(text, days)
    if group == "mdy":
        return slashed(text, days, day_first, births)
    if group == "my":
        return month_year(text, days)
    if group == "ym":
        return shift_text(text, days)
    if group in ("stamp", "eight"):
        masked = known(int(text[:4]), int(text[4:6]), int(text[6:]), days, births)
        return None if masked is None else masked.isoformat().replace("-", "")
    if group == "ymd":
        separator = text[4]
        year, month, day = text.split(separator)
        there = known(int(year), int(month), int(day), days, births)
        if there is None:
            return None
        zeros = len(month) == 2 and len(day) == 2
        m, d = (f"{there.month:02d}", f"{there.day:02d}") if zeros else (str(there.month), str(there.day))
        return f"{there.year:04d}{separator}{m}{separator}{d}"
    return _ynd(text, days, births) if group == "ynd" else _dmy(text, days, births)


def _ynd(text: str, days: int, births: dict[str, str | None]) -> str | None:
    """Move `2020-Jan-03`."""
    found = _YND.fullmatch(text)
    moved = found and known(int(found["year"]), to_month(found["month"]), int(found["day"]), days, births)
    if not found or moved is None:
        return None
    day = f"{moved.day:02d}" if found["day"][0] == "0" else str(moved.day)
    suffix = ordinal(moved.day, found["ordinal"]) if found["ordinal"] else ""
    return f"{moved.year:04d}{found['a']}{month_name(moved.month, found['month'])}{found['b']}{day}{suffix}"


def _dmy(text: str, days: int, births: dict[str, str | None]) -> str | None:
    found = _DMY.fullmatch(text)
    if found is None:
        return None
    month = to_month(found["month"])
    year = to_year(found["year"]) if found["year"] else None
    moved = known(year or no_year(month, int(found["day"])), month, int(found["day"]), days, births)
    if moved is None:
        return None
    like = found["day"]
    day = (
        f"{moved.day:02d}"
        if len(like) == 2 and (like[0] == "0" or (text[2:3].isalpha() and not found["ordinal"]))
        else str(moved.day)
    )
    suffix = ordinal(moved.day, found["ordinal"]) if found["ordinal"] else ""
    year_text = _year_text(moved, found["year"])
    return f"{day}{suffix}{found['a']}{month_name(moved.month, found['month'])}{found['b']}{year_text}"


def _year_text(moved: date, like: str) -> str:
    return "" if not like else f"{moved.year:04d}" if len(like) == 4 else f"{moved.year % 100:02d}"


def named(found: re.Match[str], days: int, births: dict[str, str | None]) -> tuple[str | None, date | None]:
    """The moved text of what `NAMED` found, and the day."""
    month = to_month(found["month"])
    text = found[0]
    if found["only"]:
        only = found["only"]
        shifted = shift_text(f"{to_year(only.lstrip(_MARKS))}-{month:02d}", days)
        if shifted is None:
            return None, None
        between = text[len(found["month"]) : -len(only)]
        return (
            f"{month_name(int(shifted[5:7]), found['month'])}{between}{shifted[:4] if len(only) == 4 else only[0] + shifted[2:4]}",
            None,
        )
    year = found["year"] or ""
    mark = year[:1] if year[:1] in ("'", "’") else ""
    day_of = int(found["day"])
    moved = known(to_year(year[len(mark) :]) if year else no_year(month, day_of), month, day_of, days, births)
    if moved is None:
        return None, None
    day = f"{moved.day:02d}" if found["day"][0] == "0" else str(moved.day)
    suffix = ordinal(moved.day, found["ordinal"]) if found["ordinal"] else ""
    rest = f"{found['b']}{mark}{_year_text(moved, year[len(mark) :])}" if year else ""
    return f"{month_name(moved.month, found['month'])}{found['a']}{day}{suffix}{rest}", moved


def read_day(kind: str, text: str, day_first: bool) -> date | None:
    """The day that a full numeric date names."""
    numbers = [int(number) for number in re.findall("[0-9]+", text)]
    try:
        if kind in ("iso", "ymd"):
            return date(*numbers[:3])
        if kind == "mdy":
            first, second, year = numbers[0], numbers[1], to_year(text[-4:] if text[-4:].isdigit() else text[-2:])
            return date(year, second, first) if day_first or first > 12 else date(year, first, second)
        if kind == "dmy" and len(numbers) == 2:
            month = next(n for word, n in _NUMBER.items() if re.search(rf"\b{word}", re.sub("[0-9]+", " ", text), re.I))
            return date(to_year(f"{numbers[1]:04d}" if numbers[1] > 99 else f"{numbers[1]:02d}"), month, numbers[0])
    except (ValueError, StopIteration):
        return None
    return None
