"""Names in short, as people call somebody whose record is known: `Bill Smith` and `W. Smith` of whom it calls William."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from masking.fhir.compartment import person_types
from masking.pools.names import BREAKS, HYPHENS, WordMasker, is_initial, is_initials
from masking.pools.names import fold as exactly
from masking.pools.titles import PARTICLES, PREFIXES, SUFFIXES, fold_title
from masking.scrub.called import name_in
from masking.scrub.characters import fold
from masking.scrub.spellings import cased, respelled
from masking.scrub.vocabulary import forms_of, nicknames

_DIGITS = "0123456789"  # Synthea numbers its people


class Called(NamedTuple):
    """The given names of a record by what people make of them, and all its names, folded.

    parts: the same with what stands between hyphens by itself, in all spellings. initials: of each the first name that begins
    with it. forms: of each short, long or other form the name, and whether it is the short one; the first of equal ones
    stays, as it does in texts.
    """

    names: frozenset[str]
    parts: frozenset[str]
    initials: Mapping[str, str]
    forms: Mapping[str, tuple[str, bool]]


@lru_cache(maxsize=1 << 13)
def called(given: str, family: str) -> Called:
    """What people make of somebody's names; `given` and `family` of the record, by spaces."""
    initials: dict[str, str] = {}
    forms: dict[str, tuple[str, bool]] = {}
    words = BREAKS.split(given)[::2]
    for word in words:
        for own in HYPHENS.split(word)[::2]:  # which are masked one by one
            folded = fold(own.strip(_DIGITS))
            if not folded or own.casefold() in PARTICLES:
                continue
            initials.setdefault(folded[0], own)
            for form, is_short in forms_of(folded):
                forms.setdefault(form, (own, is_short))
    every = [*words, *BREAKS.split(family)[::2]]
    parts = [part.strip(_DIGITS) for word in every for part in HYPHENS.split(word)[::2]]
    spelled = [other for part in parts for other in (part, *respelled(part))]
    return Called(frozenset(map(fold, every)), frozenset(map(fold, (*every, *spelled))), initials, forms)


@lru_cache(maxsize=1 << 13)
def _spellings(name: str) -> tuple[Mapping[str, str], frozenset[str]]:
    """The words of a name by their spellings, folded: with accents or without, of Müller `Mueller`; and as they are."""
    found: dict[str, str] = {}
    words = [part for word in BREAKS.split(name)[::2] for part in HYPHENS.split(word)[::2] if part]
    for word in words:
        found.setdefault(fold(word), word)
    for word in words:
        for other in respelled(word):
            found.setdefault(fold(other), word)
    return found, frozenset(map(exactly, words))


def as_spelled(mask: WordMasker, name: str | None) -> WordMasker:
    """A masker of words that has the fake of a record's word for another spelling of it, as texts do; else `mask`'s."""
    if not name:
        return mask

    def masked(word: str) -> str | None:
        if word in name:
            return mask(word)  # as it is spelled there, which nearly all are: no table has to be made
        own, words = _spellings(name)
        real = own.get(fold(word))
        if real is None or exactly(word) in words:
            return mask(word)
        fake = mask(real)
        return fake and cased(fake, word)

    return masked


def calls_otherwise(facts: Any, text: str) -> bool:
    """Whether a text has a name for somebody that their record has not: a maiden name, another person's. Not of places, nor of
    whom no record names.

    facts: the record's (`masking.identity.Facts`), or None.
    """
    if facts is None or facts.resource_type not in person_types() or not facts.names:
        return False
    own = called(
        " ".join(word for name in facts.names for word in name.given),
        " ".join(part for name in facts.names for part in (name.family, name.text)),
    )
    words = [part for word in BREAKS.split(name_in(text, is_human=True))[::2] for part in HYPHENS.split(word)[::2]]
    return not all(
        is_initial(word)
        or is_initials(word)
        or fold_title(word) in PREFIXES
        or fold_title(word) in SUFFIXES
        or word.casefold() in PARTICLES
        or fold(word.strip(_DIGITS)) in own.parts
        or fold(word) in own.forms
        for word in words
        if word
    )


def spoken(pieces: Sequence[str], given: str | None, family: str | None) -> str | None:
    """`given` with the words of a text that are forms of a given name of it, or initials: they too are given names."""
    if not given:
        return given
    own = called(given, family or "")
    found = [word for word in pieces[::2] if word and _is_form(word, own)]
    return " ".join((given, *found)) if found else given


def _is_form(word: str, own: Called) -> bool:
    folded = fold(word)
    return folded not in own.names and (folded in own.forms or (is_initial(word) and folded in own.initials))


def as_called(mask: WordMasker, given: str | None, family: str | None) -> WordMasker:
    """A masker of words that has the fake of the record's given name for a form of it, in short where that is the short one.

    So does an initial of it become the initial of its fake, which texts show too. Any other word goes to `mask`.
    """
    if not given:
        return mask
    own = called(given, family or "")

    def initial(letter: str) -> str:
        real = own.initials.get(fold(letter[0]))
        fake = mask(real) if real is not None else None
        if not fake or not fake[0].isalpha():
            return mask(letter) or ""
        return (fake[0].lower() if letter[0].islower() else fake[0].upper()) + letter[1:]

    def masked(word: str) -> str | None:
        if is_initial(word):
            return initial(word)
        if is_initials(word):
            return "".join(initial(letter + ".") for letter in word[::2])
        folded = fold(word)
        form = None if folded in own.names else own.forms.get(folded)
        fake = mask(form[0]) if form is not None else None
        if form is None or fake is None:
            return mask(word)
        short = next(iter(nicknames().get(fold(fake), ())), "").title() if form[1] else ""
        return cased(short or fake, word)

    return masked
