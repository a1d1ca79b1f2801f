"""The texts with what takes the places of what was found."""

from __future__ import annotations

import numpy as np

from masking.native import Ints, Points, borrowing
from masking.scrub.batch import Answers, Fakes, Texts, Tokens

_MONTHS = tuple(
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
#: The names of the months one behind the other, and where each begins, with the end.
MONTHS: Points = np.array([ord(letter) for name in _MONTHS for letter in name], dtype=np.uint32)
MONTH_BOUNDS: Ints = np.cumsum([0, *map(len, _MONTHS)], dtype=np.int32)


@borrowing
def room(texts: Texts, tokens: Tokens, answers: Answers) -> int:
    """Characters that the written texts have at most."""
    size = 0
    for text in range(len(texts.bounds) - 1):
        if answers.counts[text]:
            size += int(texts.bounds[text + 1]) - int(texts.bounds[text])
            first = 3 * int(tokens.bounds[text])
            for place in range(first, first + int(answers.counts[text])):
                # a day has at most 18: 'September 30, 2024'
                size += max(int(answers.sizes[place]), 18)
    return size


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
    if form == 3:
        at = _digits(out, at, month, 2)
        out[at] = 47
        at = _digits(out, at + 1, day, 2)
        out[at] = 47
        return _digits(out, at + 1, year, 4)
    if form == 4:
        at = _digits(out, at, year, 4)
        out[at] = 45
        at = _digits(out, at + 1, month, 2)
        out[at] = 45
        return _digits(out, at + 1, day, 2)
    for place in range(bounds[month - 1], bounds[month]):
        out[at] = months[place]
        at += 1
    out[at] = 32
    at = _digits(out, at + 1, day, 1 if day < 10 else 2)
    out[at], out[at + 1] = 44, 32
    return _digits(out, at + 2, year, 4)


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
        first = 3 * int(tokens.bounds[text])
        for place in range(first, first + count):
            start, stop = begin + int(answers.starts[place]), begin + int(answers.stops[place])
            for source in range(at, start):
                out[to] = points[source]
                to += 1
            at, before = stop, to
            form, offset, size = answers.forms[place], int(answers.offsets[place]), int(answers.sizes[place])
            if form == 0:
                for source in range(offset, offset + size):
                    out[to] = fakes.points[source]
                    to += 1
            elif form == 1:
                to = _poured(out, to, points, start, stop, fakes.points, offset)
            elif form == 2:
                for source in range(offset, offset + size):
                    out[to] = made[source]
                    to += 1
            else:
                to = _day(out, to, int(form), offset, months, month_bounds)
            answers.offsets[place], answers.sizes[place] = before, to - before
        for source in range(at, int(texts.bounds[text + 1])):
            out[to] = points[source]
            to += 1
    out_bounds[len(texts.bounds) - 1] = to
    return to
