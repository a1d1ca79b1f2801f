r"""A document with nothing left that could hide a value: the texts that its strings hold, folded.

Undone, over and over: JSON's escapes, HTML's entities and tags, percent-encoding, escapes of JSON and RTF within texts,
base64 of texts. Folded: compatibility forms, accents and case. One pass over each text a step.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import unquote

from masking.scrub.vocabulary import MONTHS

Day = tuple[int, int, int]  # year, month and day; the day is 0 where there is none

_DEEPEST = 4  # base64 in markup in base64
_HIDING = re.compile(r"[<&%\\]")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\'([0-9a-fA-F]{2})")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+")
_PUNCTUATION = {code: None for code in range(128) if not chr(code).isalnum() and chr(code) != "\n"}
_STRANGE = re.compile(r"[^\w\n]|_")
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\u3099\u309a\ufe20-\ufe2f]+"
)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:z\b|[+-][0-9]{2}:[0-9]{2})?")


def fold(text: str) -> str:
    """Without case, accents and compatibility forms: `Müller`, `MULLER` and `Ｍｕｌｌｅｒ` are `muller`."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold()


def tokens(folded: str) -> list[str]:
    """The words and numbers of a folded text; letters and digits that are glued together come apart."""
    return _TOKEN.findall(folded)


def compact(folded: str) -> str:
    """Letters and digits alone, for numbers in any punctuation; line ends stay, times go."""
    found = without_times(folded).translate(_PUNCTUATION)
    return found if found.isascii() else _STRANGE.sub("", found)


def without_times(folded: str) -> str:
    """A line end for each time of day: it stays where its date is moved, and its digits are no number of anybody's."""
    return _TIME.sub("\n", folded) if ":" in folded else folded


def leaves(value: Any) -> list[str]:
    """The distinct strings and numbers of parsed JSON."""
    found: dict[str, None] = {}
    below: list[Any] = [value]
    for one in below:  # grows meanwhile
        if isinstance(one, str):
            found[one] = None
        elif isinstance(one, dict):
            below += one.values()
        elif isinstance(one, list):
            below += one
        elif one is not None and not isinstance(one, bool):
            found[str(one)] = None
    return list(found)


class Reading:
    """What one masked document says: the texts as they are spelled, and derived forms of them, made when asked for."""

    def __init__(self, strings: Iterable[str]) -> None:
        #: every text that a string holds, in all its readings
        self.texts = tuple(reading for one in strings for reading in readings(one))

    @classmethod
    def of_line(cls, line: str | bytes) -> Reading:
        """The same of a document."""
        return cls(leaves(json.loads(line, parse_float=str)))

    @cached_property
    def spelled(self) -> str:
        """All texts, with case and accents."""
        return "\n".join(self.texts)

    @cached_property
    def folded(self) -> str:
        """All texts, folded."""
        return fold(self.spelled)

    @cached_property
    def words(self) -> str:
        """All words and numbers, a blank between them."""
        return f" {' '.join(tokens(self.folded))} "

    @cached_property
    def numbers(self) -> str:
        """All texts without punctuation, a line end between them."""
        return compact(self.folded)

    @cached_property
    def days(self) -> frozenset[Day]:
        """All days and months that are named in any spelling."""
        return frozenset(days_in(self.folded))


@lru_cache(maxsize=100_000)
def _readings_of_short(text: str) -> tuple[str, ...]:
    return tuple(_all_readings(text))


def readings(text: str) -> tuple[str, ...]:
    """A string, and whatever it holds in disguise."""
    if len(text) < 24 and not _HIDING.search(text):
        return (text,)
    return _readings_of_short(text) if len(text) < 200 else tuple(_all_readings(text))


def _all_readings(text: str) -> list[str]:
    found, new = {text: None}, [text]
    for _ in range(_DEEPEST):
        new = [reading for one in new for reading in _undone(one) if reading not in found]
        if not new:
            break
        found.update(dict.fromkeys(new))
    return list(found)


def _undone(text: str) -> Iterator[str]:
    """One layer off. A name may run across tags, and end at one; what stands in attributes is read with them."""
    if _HIDING.search(text):
        forms = (_TAG.sub("", text), _TAG.sub(" ", text), text) if "<" in text else (text,)
        yield from map(_plain, forms)
    if len(text) < 24 or (" " in text and "<" not in text):
        return
    for blob in _BASE64.findall("".join(text.split()) if _is_base64(text) else text):
        decoded = _decoded(blob)
        if decoded is not None:
            yield decoded


def _plain(text: str) -> str:
    """Without entities, percent-encoding and escapes."""
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = unquote(text)
    if "\\" in text:
        text = _ESCAPE.sub(_character, text).replace("\\/", "/").replace('\\"', '"').replace("\\n", "\n")
    return text


def _is_base64(text: str) -> bool:
    return _BASE64.fullmatch("".join(text.split())) is not None


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else bytes.fromhex(found[2]).decode("cp1252", "replace")


def _decoded(blob: str) -> str | None:
    """The text in base64; None for what is no text."""
    try:
        raw = base64.b64decode(blob + "=" * (-len(blob) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    for charset in ("utf-8-sig", "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "", "cp1252"):
        try:
            text = raw.decode(charset) if charset else None
        except UnicodeDecodeError:
            continue
        if text and _is_text(text):
            return text
    return None


def _is_text(text: str) -> bool:
    """Pictures decode to something too."""
    strange = sum(not (character.isprintable() or character in "\r\n\t") for character in text[:2000])
    return strange == 0


# ── days ──

_NAMES = {name: number for number, month in enumerate(MONTHS, 1) for name in (month, month[:3])} | {"sept": 9}
_MONTH = rf"(?P<month>{'|'.join(sorted(_NAMES, key=len, reverse=True))})"
#: Numbers with what dates are written with between them; an OID or a telephone number is one as well, and no date.
_RUN = re.compile(r"[0-9]+(?:[-/.][0-9]+)*")
_DATES = tuple(
    map(
        re.compile,
        (
            r"(?P<y>[12][0-9]{3})[-/.](?P<m>[0-9]{1,2})(?:[-/.](?P<d>[0-9]{1,2}))?",
            r"(?P<y>(?:18|19|20)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})",
            r"(?P<a>[0-9]{1,2})[-/.](?P<b>[0-9]{1,2})[-/.](?P<year>[0-9]{4}|[0-9]{2})",
            r"(?P<m>[0-9]{1,2})[-/](?P<y>[12][0-9]{3})(?P<d>)",
        ),
    )
)
_ISO = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_WRITTEN = re.compile(
    rf"(?:(?<![0-9])(?P<before>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:[\s,.-]{{0,2}}of)?[\s,.-]{{0,3}})?(?<![a-z]){_MONTH}(?![a-z])\.?"
    rf"(?:[\s,.-]{{0,3}}(?P<after>[0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9]))?[\s,.'’-]{{0,3}}(?P<year>[0-9]{{4}}|[0-9]{{2}}(?![0-9]))?"
)
_ANY_MONTH = re.compile("|".join(sorted({name[:3] for name in MONTHS})))


def days_in(folded: str) -> Iterator[Day]:
    """All days and months that a folded text names; where a spelling may mean two days, both."""
    for run in _RUN.findall(folded):
        if len(run) > 5:
            yield from _days_of(run)
    if _ANY_MONTH.search(folded):
        for found in _WRITTEN.finditer(folded):
            for year in _years(found["year"] or ""):
                month = _NAMES[found["month"]]
                numbers = [int(day) for day in (found["before"], found["after"]) if day]
                yield from ((year, month, day) for day in numbers or [0])


@lru_cache(maxsize=100_000)
def _days_of(run: str) -> tuple[Day, ...]:
    """What one run of numbers may mean."""
    for form in _DATES:
        if found := form.fullmatch(run):
            parts = found.groupdict()
            if "y" in parts:
                return ((int(parts["y"]), int(parts["m"]), int(parts["d"] or 0)),)
            one, other = int(parts["a"]), int(parts["b"])
            return tuple(day for year in _years(parts["year"]) for day in ((year, one, other), (year, other, one)))
    found_in = _ISO.findall(run) if "-" in run and len(run) > 10 else ()  # `2024-01-02/2024-01-09`, `2024-01-02-05`
    return tuple(day for one in found_in for day in _days_of(one))


def _years(text: str) -> tuple[int, ...]:
    if len(text) == 2:
        return 1900 + int(text), 2000 + int(text)
    return (int(text),) if text else ()


def day_of(value: str) -> Day | None:
    """The day or month that a planted date names; None for what names neither (`93-year-old`, a year alone)."""
    return next((day for day in days_in(fold(value)) if 1 <= day[1] <= 12), None)
