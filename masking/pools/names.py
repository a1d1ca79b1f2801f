"""Which fake name a source name gets: one keyed function a word, shared by all that must agree on it.

A word's fake depends on the key, the subject, the word (case-folded, NFC) and, for given names, the sex. So a person's
official and maiden names stay two names, the same word of one person is the same fake wherever it stands, and the same
name of two people gives unrelated fakes. A word without a letter has no fake: None.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from masking.pools.choice import pick, words
from masking.pools.load import family_names, given_names
from masking.pools.titles import GUESSABLE_SUFFIXES, PARTICLES, fold_title

#: Between words: kept as it stands. Everything else belongs to a word and is replaced with it.
BREAKS = re.compile(r"""([\s,;/()\[\]"“”&+]+)""")
HYPHENS = re.compile(r"([-‐‑–—]+)")
_INITIAL = re.compile(r"[^\W\d_]\.?")
_INITIALS = re.compile(r"(?:[^\W\d_]\.){2,}")
_SEXES = {"male": "male", "female": "female"}

WordMasker = Callable[[str], str | None]


def fold(text: str) -> str:
    """Case-folded and NFC: spellings that differ in case or composition alone are one."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def is_initial(word: str) -> bool:
    """Whether a word is a letter, with or without a dot."""
    return len(word) <= 2 and _INITIAL.fullmatch(word) is not None and word[0].lower() != word[0].upper()


def is_initials(word: str) -> bool:
    """Whether a word is several letters, each with a dot."""
    return "." in word and _INITIALS.fullmatch(word) is not None


def given_masker(key: bytes, subject: str | None, sex: str | None) -> WordMasker:
    """A function from one word of a given name to its fake, by sex where that is male or female, else used for both."""
    sex = _SEXES.get(sex or "", "")
    return lambda word: _fake(word, key, "given", subject or "", sex)


def family_masker(key: bytes, subject: str | None) -> WordMasker:
    """A function from one word of a family name to its fake."""
    return lambda word: _fake(word, key, "family", subject or "")


def mask_given(text: str, mask: WordMasker) -> str | None:
    """Mask a given name of one or more words; particles between two of them stay ('Maria de la Luz')."""
    if text.isalpha():
        return mask(text)
    pieces = BREAKS.split(text)
    at = [index for index in range(0, len(pieces), 2) if pieces[index]]
    return _mask_pieces(pieces, at, {i for i in at[1:-1] if pieces[i].casefold() in PARTICLES}, mask)


def mask_family(text: str, mask: WordMasker) -> str | None:
    """Mask a family name of one or more words; particles before its last word stay, and so does a 'Jr.' at its end."""
    if text.isalpha():
        return mask(text)
    pieces = BREAKS.split(text)
    at = [index for index in range(0, len(pieces), 2) if pieces[index]]
    kept: set[int] = set()
    while len(at) - len(kept) > 1 and fold_title(pieces[at[-1 - len(kept)]]) in GUESSABLE_SUFFIXES:
        kept.add(at[-1 - len(kept)])
    names = at[: len(at) - len(kept)]
    return _mask_pieces(pieces, at, kept | family_particles(pieces, names), mask)


def family_particles(pieces: Sequence[str], at: Sequence[int]) -> set[int]:
    """Which of the words of one family name are particles: any but the last."""
    return {index for index in at[:-1] if fold_title(pieces[index]) in PARTICLES}


def _mask_pieces(pieces: list[str], at: Sequence[int], kept: set[int], mask: WordMasker) -> str | None:
    found = False
    for index in at:
        if index not in kept:
            fake = mask_word(pieces[index], mask)
            found |= fake is not None
            pieces[index] = fake or ""
    return "".join(pieces).strip(" ,;") if found else None


def mask_word(word: str, mask: WordMasker) -> str | None:
    """Mask a word between breaks: the parts of a double name one by one, particles ('al-Rashid') kept."""
    if word.isalpha() or len(parts := HYPHENS.split(word)) == 1:
        return mask(word)
    last = len(parts) - 1
    fakes = [
        part if index % 2 or (index < last and part.casefold() in PARTICLES) else mask(part)
        for index, part in enumerate(parts)
    ]
    if all(fakes[index] is None or index % 2 or fakes[index] == parts[index] for index in range(last + 1)):
        return mask(word)
    return "".join(fake or "" for fake in fakes).strip("-‐‑–—")


@lru_cache(maxsize=1 << 13)
def _fake(word: str, key: bytes, kind: str, subject: str, *sex: str) -> str | None:
    """The fake of a word; remembered, for a name stands in its parts, in displays and in e-mail addresses."""
    parts = (kind, subject, *sex)
    pool = given_names(sex[0] or None) if sex else family_names()
    folded = fold(word)
    if is_initial(word):
        return _fake_initial(word, pool, key, *parts)
    if is_initials(word):
        return "".join(_fake_initial(letter + ".", pool, key, *parts) for letter in word[::2])
    if not word.isalpha() and not any(character.isalpha() for character in word):
        return None
    # Synthea numbers its people ('Shawnee493'): the number is part of the source, never of the fake.
    fake = pick(pool, words(key, *parts, folded), folded.strip("0123456789.'"))
    return fake.upper() if word.isupper() else fake.lower() if word.islower() else fake


def _fake_initial(word: str, pool: Sequence[str], key: bytes, *parts: str) -> str:
    """The initial of a fake name, another one than the source's; its case and dot as in the source."""
    source = word[0].upper()
    numbers = words(key, *parts, fold(word[0]))
    initials = (pool[number % len(pool)][0] for number in numbers)
    # All four draws share the source's initial about once in ten thousand: then its neighbour in the alphabet.
    fake = next((initial for initial in initials if initial != source), "B" if source == "A" else "A")
    return (fake.lower() if word[0].islower() else fake) + word[1:]


def persona(
    key: bytes, subject: str | None, sex: str | None, *, given: str | None, family: str | None, seed: str
) -> tuple[str, str]:
    """A given and a family name for a user name or e-mail: the masked ones where the source's are known.

    Where neither is known they come from the subject alone, and without a subject from `seed`: one persona a person.
    """
    who = (subject or "", "" if subject else seed)
    first = _leading(given, given_masker(key, subject, sex))
    last = _leading(family, family_masker(key, subject), final=True)
    first = first or pick(given_names(_SEXES.get(sex or "")), words(key, "persona given", *who))
    last = last or pick(family_names(), words(key, "persona family", *who))
    return first.lower(), last.lower()


#: What a name is used for (HumanName.use), the one that somebody goes by first; names of other uses are nobody's calling.
_USES = {
    use: rank for rank, use in enumerate(("official", "usual", "", "temp", "nickname", "anonymous", "old", "maiden"))
}


def official(names: Iterable[tuple[str, str, str]]) -> tuple[str | None, str | None]:
    """Of somebody's names, each as use, family and given, the family and given name of the one that e-mails bear.

    The same whatever the order of the names; null where there is none.
    """
    known = [(_USES[use], family, given) for use, family, given in names if use in _USES and (family or given)]
    _, family, given = min(known, default=(0, "", ""))
    return family or None, given or None


def _leading(text: str | None, mask: WordMasker, final: bool = False) -> str | None:
    """The fake of the first (or last) word of a name, letters only."""
    found = [word for word in (text or "").split() if fold_title(word) not in GUESSABLE_SUFFIXES]
    if not found:
        return None
    fake = mask_word(found[-1 if final else 0], mask) or ""
    return "".join(character for character in fake if character.isalpha()) or None
