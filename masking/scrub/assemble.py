"""The texts with what takes the places of what was found."""

from __future__ import annotations

import numpy as np

from masking.native import Ints, Points, borrowing
from masking.scrub import vocabulary
from masking.scrub.batch import AS_IS, DASHES, MADE, MOST, POURED, SLASHES, Answers, Fakes, Texts, Tokens

#: The names of the months one behind the other, and where each begins, with the end.
MONTHS: Points = np.array([ord(letter) for name in vocabulary.MONTHS for letter in name.title()], dtype=np.uint32)
MONTH_BOUNDS: Ints = np.cumsum([0, *map(len, vocabulary.MONTHS)], dtype=np.int32)
#: Characters that a day has at most: 'September 30, 2024'.
_LONGEST_DAY = 18


@borrowing
def room(texts: Texts, tokens: Tokens, answers: Answers) -> int:
    """Characters that the written texts have at most."""
    size = 0
    for text in range(len(texts.bounds) - 1):
        if answers.counts[text]:
            size += int(texts.bounds[text + 1]) - int(texts.bounds[text])
            first = MOST * int(tokens.bounds[text])
            for place in range(first, first + int(answers.counts[text])):
                size += max(int(answers.sizes[place]), _LONGEST_DAY)
    return size


@borrowing
def _put(out: Points, at: int, point: int) -> int:
    out[at] = point
    return at + 1


@borrowing
def _copied(out: Points, at: int, source: Points, start: int, stop: int) -> int:
    """Write what stands elsewhere; returns where it ends."""
    for place in range(start, stop):
        out[at] = source[place]
        at += 1
    return at


@borrowing
def _digits(out: Points, at: int, number: int, count: int) -> int:
    for place in range(at + count - 1, at - 1, -1):
        out[place] = np.uint32(48 + number % 10)
        number //= 10
    return at + count


@borrowing
def _day(out: Points, at: int, form: int, packed: int, months: Points, bounds: Ints) -> int:
    """Write a day given as yyyymmdd; returns where it ends."""
    year, month, day = packed // 10000, packed // 100 % 100, packed % 100
    if form == SLASHES:
        at = _put(out, _digits(out, at, month, 2), 47)
        at = _put(out, _digits(out, at, day, 2), 47)
        return _digits(out, at, year, 4)
    if form == DASHES:
        at = _put(out, _digits(out, at, year, 4), 45)
        at = _put(out, _digits(out, at, month, 2), 45)
        return _digits(out, at, day, 2)
    at = _put(out, _copied(out, at, months, int(bounds[month - 1]), int(bounds[month])), 32)
    at = _put(out, _digits(out, at, day, 1 if day < 10 else 2), 44)
    return _digits(out, _put(out, at, 32), year, 4)


@borrowing
def _is_symbol(point: int) -> bool:
    return 48 <= point <= 57 or 65 <= point <= 90 or 97 <= point <= 122


@borrowing
def _poured(out: Points, at: int, points: Points, start: int, stop: int, fake: Points, first: int) -> int:
    """Write the letters and digits of a fake in the punctuation found; returns where that ends."""
    for place in range(start, stop):
        point = points[place]
        if _is_symbol(point):
            while not _is_symbol(fake[first]):
                first += 1
            point = fake[first]
            first += 1
        out[at] = point
        at += 1
    return at


@borrowing
def assemble(
    texts: Texts,
    tokens: Tokens,
    fakes: Fakes,
    answers: Answers,
    made: Points,
    months: Points,
    month_bounds: Ints,
    out: Points,
    out_bounds: Ints,
) -> int:
    """Write the texts in which something was found; returns how many characters they have.

    out_bounds: where each text begins in `out`, with the end. The offsets and sizes of the answers become those of what
    was written for them in `out`. made: the texts that were made for answers.
    """
    points = texts.points
    to = 0
    for text in range(len(texts.bounds) - 1):
        out_bounds[text] = to
        begin, at = int(texts.bounds[text]), int(texts.bounds[text])
        count = int(answers.counts[text])
        if count == 0:
            continue
        first = MOST * int(tokens.bounds[text])
        for place in range(first, first + count):
            start, stop = begin + int(answers.starts[place]), begin + int(answers.stops[place])
            to = _copied(out, to, points, at, start)
            at, before = stop, to
            form, offset, size = answers.forms[place], int(answers.offsets[place]), int(answers.sizes[place])
            if form == AS_IS:
                to = _copied(out, to, fakes.points, offset, offset + size)
            elif form == POURED:
                to = _poured(out, to, points, start, stop, fakes.points, offset)
            elif form == MADE:
                to = _copied(out, to, made, offset, offset + size)
            else:
                to = _day(out, to, int(form), offset, months, month_bounds)
            answers.offsets[place], answers.sizes[place] = before, to - before
        to = _copied(out, to, points, at, int(texts.bounds[text + 1]))
    out_bounds[len(texts.bounds) - 1] = to
    return to
