"""Whether a short text that says who somebody is (`Dr. Ottilie Vanterpool`, `Night Nurse`) calls a human by name."""

from __future__ import annotations

from functools import cache

from masking.pools.load import given_names
from masking.pools.names import BREAKS, fold
from masking.pools.titles import GUESSABLE_SUFFIXES, PARTICLES, PREFIXES, fold_title
from masking.scrub.vocabulary import CREDENTIALS, ROLES, nicknames

_LONGEST, _MOST_WORDS = 80, 5


def calls_by_name(text: str, *, is_human: bool) -> bool:
    """Whether a text is a name. is_human: whether it is said of somebody who is one for certain, so that it need not look it;
    else a title, a degree, the comma of `Last, First` or a given name of our lists must tell.
    """
    if len(text) > _LONGEST:
        return False
    pieces = [word for word in BREAKS.split(text)[::2] if word]
    titled = [word for word in pieces if fold_title(word) in PREFIXES or _is_degree(word)]
    words = [word for word in pieces if word not in titled and word.casefold() not in PARTICLES]
    if not 1 <= len(words) <= _MOST_WORDS or not all(map(_is_capital, words)):
        return False
    folded = [fold(word.strip("0123456789")) for word in words]
    if any(word in ROLES for one in folded for word in one.split("-")):
        return False
    if is_human or titled:
        return True
    return len(words) > 1 and ("," in text or any(word in _given() for word in folded))


def _is_degree(word: str) -> bool:
    folded = fold_title(word)
    return folded in GUESSABLE_SUFFIXES or (folded in CREDENTIALS and word.isupper())


def _is_capital(word: str) -> bool:
    """Whether a word begins as a name does: with a capital, or in a script that has none."""
    return word[0].isalpha() and not word[0].islower()


@cache
def _given() -> frozenset[str]:
    names = (fold(name) for sex in ("female", "male", None) for name in given_names(sex))
    return frozenset((*names, *nicknames(), *(short for shorts in nicknames().values() for short in shorts)))
