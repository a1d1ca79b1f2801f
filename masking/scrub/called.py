"""The name in a short text that says who somebody is (`Dr. Ottilie Vanterpool, Cardiology`, `Night Nurse`)."""

from __future__ import annotations

import re
from functools import cache

from masking.pools.load import given_names
from masking.pools.names import BREAKS, fold
from masking.pools.titles import GUESSABLE_SUFFIXES, PARTICLES, PREFIXES, fold_title
from masking.scrub.vocabulary import COMMON, CREDENTIALS, LABELS, ROLES, is_clinical, nicknames

_LONGEST, _LONGEST_NAME, _MOST_WORDS = 200, 80, 5
#: What stands in brackets, and what parts a name from the rest.
_BRACKETS = re.compile(r"[(\[<{]([^()\[\]<>{}]*)[)\]>}]")
_APART = re.compile(r"\s+[-–—|]+\s+|\s*[;|]\s*")
#: Between a doctor's title and the name, in German.
_OF_TITLES = frozenset("med dent habil rer nat phil univ vet".split())  # noqa: SIM905
#: A text with one of these names a place, unless a title tells.
_OF_PLACES = frozenset(
    "agency association center centre clinic college department foundation hospital institute laboratory nursery pharmacy "  # noqa: SIM905
    "program school services society university".split()
)
#: These do so where nothing says that a human is meant.
_OF_GROUPS = _OF_PLACES | frozenset(
    "associates board city community council county floor group lab memorial national office partners practice regional "  # noqa: SIM905
    "state system systems unit".split()
)


def name_in(text: str, *, is_human: bool) -> str:
    """The name in a text, without what somebody is beside it; "" where there is none. is_human: whether the text is said of
    somebody who is one for certain, so that the name need not look it; else a title, a degree, the comma of `Last, First` or
    a given name of our lists must tell.
    """
    if len(text) > _LONGEST:
        return ""
    segments = [segment.split() for segment in _segments(text)]
    first = segments[0] if segments else []
    # Of 'Cardiology' behind the comma nothing is a name; of 'Black' before it something may be.
    kept = [
        first,
        *(rest for rest in segments[1:] if not _says_what(rest, beside_whole=len(first) > 1) and not _is_place(rest)),
    ]
    words = [word for segment in kept for word in segment if not _is_title(word)]
    titled = any(_is_title(word) for segment in segments for word in segment)
    places = _OF_PLACES if is_human else _OF_GROUPS
    if not titled and any(_bare(word) in places for word in words):
        return ""
    if not is_human and not titled and any(map(_is_role, first)) and not any(map(_is_given, first)):
        return ""
    kept = [[word for word in segment if not _is_beside(word)] for segment in kept]
    words = [word for segment in kept for word in segment if not _is_title(word) and word.casefold() not in PARTICLES]
    if not words or (not titled and all(is_clinical(_bare(word)) for word in words)):
        return ""
    if not all(map(_is_capital, words)):
        kept = [segment for segment in _in_lower_case(kept, words) if segment] if is_human or titled else []
        words = [
            word for segment in kept for word in segment if not _is_title(word) and word.casefold() not in PARTICLES
        ]
    has_comma = sum(any(not _is_title(word) for word in segment) for segment in kept) > 1
    if not 1 <= len(words) <= _MOST_WORDS or not (is_human or titled or _looks_it(words, has_comma=has_comma)):
        return ""
    name = ", ".join(" ".join(segment) for segment in kept if segment)
    return name if len(name) <= _LONGEST_NAME else ""


def _segments(text: str) -> list[str]:
    """What stands between commas, without brackets that say what somebody is; `Last^First^Middle` of HL7 v2 likewise."""
    if "^" in text:
        parts = [part.strip() for part in text.split("^")]
        rest = parts if any(map(str.isalpha, parts[0][:1])) else parts[1:]  # behind the person's number
        return [segment for segment in (" ".join(rest[:1]), " ".join(filter(None, rest[1:3]))) if segment]
    text = _BRACKETS.sub(lambda found: " " if _says_what(found[1].split(), beside_whole=True) else found[0], text)
    pieces = [piece for piece in _APART.split(text) if piece.strip()]
    named = [piece for piece in pieces if not _says_what(re.split(r"[\s,]+", piece.strip()), beside_whole=True)]
    return [
        " ".join(word for word in BREAKS.split(segment)[::2] if word)
        for segment in (named or pieces or [""])[0].split(",")
        if segment.strip()
    ]


def _says_what(words: list[str], *, beside_whole: bool) -> bool:
    """Whether words say what somebody is, or number them. beside_whole: whether a whole name stands beside them."""
    return all(
        not _is_title(word) and (_is_beside(word) or (beside_whole and is_clinical(_bare(word))))
        for word in words
        if word
    ) or (beside_whole and len(words) > 0 and all(_is_beside(word) or _is_title(word) for word in words if word))


def _in_lower_case(kept: list[list[str]], words: list[str]) -> list[list[str]]:
    """Of a name in lower case all, if it looks it; of one with other words behind it, the words with capitals."""
    if not any(map(_is_capital, words)):
        is_one = not any(word.casefold() in COMMON for word in words) and _looks_it(words, has_comma=len(kept) > 1)
        return kept if is_one else []
    first: list[str] = []
    for word in kept[0]:
        if not (_is_capital(word) or _is_title(word) or word.casefold() in PARTICLES):
            break
        first.append(word)
    return [first] if sum(not _is_title(word) for word in first) > 1 else []


def _looks_it(words: list[str], *, has_comma: bool) -> bool:
    folded = list(map(_bare, words))
    if len(words) < 2 or all(word in COMMON and word not in _given() for word in folded):
        return False
    return has_comma or any(part in _given() for word in folded for part in word.split("-"))


def _is_given(word: str) -> bool:
    """Whether a word is a given name of our lists and no other word."""
    folded = _bare(word)
    return folded in _given() and folded not in COMMON


def _is_place(words: list[str]) -> bool:
    return any(_bare(word) in _OF_PLACES for word in words)


def _bare(word: str) -> str:
    return fold(word.strip("0123456789.:#"))


def _is_beside(word: str) -> bool:
    """Whether a word is no part of a name: a role, a number or its label, what is of a title."""
    return _is_role(word) or not any(map(str.isalpha, word)) or _bare(word) in _OF_TITLES or _bare(word) in LABELS


def _is_role(word: str) -> bool:
    return all(part in ROLES for part in _bare(word).split("-"))


def _is_title(word: str) -> bool:
    folded = fold_title(word)
    is_degree = folded in GUESSABLE_SUFFIXES or (folded in CREDENTIALS and word.isupper())
    return folded in PREFIXES or is_degree


def _is_capital(word: str) -> bool:
    """Whether a word begins as a name does: with a capital, or in a script that has none."""
    return word[0].isalpha() and not word[0].islower()


@cache
def _given() -> frozenset[str]:
    names = (fold(name) for sex in ("female", "male", None) for name in given_names(sex))
    return frozenset((*names, *nicknames(), *(short for shorts in nicknames().values() for short in shorts)))
