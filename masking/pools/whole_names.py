"""What each word of a whole name is: prefix, suffix, particle, family or given.

Words that are known from the structured name beside the text are taken at their word. Of the others, those before a
comma ('SMITH, JOE'), else the last one, are the family name. A word in brackets is masked as a given
name, and so is one without a letter (a date, a number), which gives nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from masking.pools.names import BREAKS, family_particles, fold
from masking.pools.titles import GUESSABLE_PARTICLES, GUESSABLE_SUFFIXES, PREFIXES, fold_title


def roles_of(pieces: Sequence[str], family: str | None, given: str | None) -> dict[int, str]:
    """The role of each word by its position in `BREAKS.split(text)`; `family` and `given` are null where not known."""
    known_family, known_given = _known(family), _known(given)
    segments, roles = _segments(pieces)
    for number, segment in enumerate(segments):
        segment[:] = _strip_titles(pieces, segment, known_family | known_given, roles, least=0 if number else 1)
    segments = [segment for segment in segments if segment]
    guessed = _guess_family(segments)
    folded = {index: fold(pieces[index]) for segment in segments for index in segment}
    told = not known_family.isdisjoint(folded.values())
    for segment in segments:
        for index in segment:
            is_family = folded[index] in known_family
            if is_family == (folded[index] in known_given):
                is_family = index in guessed and (is_family or not told)
            roles[index] = "family" if is_family else "given"
        _mark_particles(pieces, segment, roles, trusted=told)
    return roles


def _known(text: str | None) -> frozenset[str]:
    """The folded words of a name that stands beside the text."""
    if not text or text.isalpha():
        return frozenset([fold(text)] if text else ())
    return frozenset([fold(word) for word in BREAKS.split(text)[::2] if word])


def _segments(pieces: Sequence[str]) -> tuple[list[list[int]], dict[int, str]]:
    """The positions of the words, cut at commas; those without a letter or in brackets apart, already with a role."""
    segments: list[list[int]] = [[]]
    roles: dict[int, str] = {}
    aside = False
    for index, piece in enumerate(pieces):
        if index % 2:
            aside = "(" in piece or "[" in piece or (aside and ")" not in piece and "]" not in piece)
            if "," in piece:
                segments.append([])
        elif not aside and (piece.isalpha() or any(character.isalpha() for character in piece)):
            segments[-1].append(index)
        elif piece:
            roles[index] = "given"
    return [segment for segment in segments if segment], roles


def _strip_titles(
    pieces: Sequence[str], segment: list[int], known: frozenset[str], roles: dict[int, str], least: int
) -> list[int]:
    """Mark prefixes at the start of a segment and suffixes at its end; return the positions that are left."""
    start, stop = 0, len(segment)
    while stop > least:
        word = pieces[segment[stop - 1]]
        if fold_title(word) not in GUESSABLE_SUFFIXES or fold(word) in known:
            break
        stop -= 1
        roles[segment[stop]] = "suffix"
    while stop - start > 1:
        word = pieces[segment[start]]
        if fold_title(word) not in PREFIXES or fold(word) in known:
            break
        roles[segment[start]] = "prefix"
        start += 1
    return segment[start:stop]


def _guess_family(segments: Sequence[Sequence[int]]) -> frozenset[int]:
    """By position alone: all that stands before the comma, else the last word."""
    if len(segments) > 1:
        return frozenset(segments[0])
    return frozenset(segments[0][-1:]) if segments else frozenset()


def _mark_particles(pieces: Sequence[str], segment: Sequence[int], roles: dict[int, str], trusted: bool) -> None:
    """Particles stay when they stand before the last family word of their segment."""
    family = [index for index in segment if roles[index] == "family"]
    if not family:
        return
    if trusted:
        roles.update(dict.fromkeys(family_particles(pieces, family), "particle"))
    for index in reversed(segment[: segment.index(family[-1])]):
        if fold(pieces[index]) not in GUESSABLE_PARTICLES:
            break
        roles[index] = "particle"
