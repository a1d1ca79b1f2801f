"""What takes the place of a token, where that needs no look at the words around it.

Texts go forward until one needs Python: a word that may be a name or not, a shape, a link. The caller answers that
token and has them go on.
"""

from __future__ import annotations

from masking.native import Ints, Points, borrowing
from masking.scrub.batch import (
    AS_IS,
    AT,
    LINK,
    MOST,
    POURED,
    SLASHED,
    SLASHES,
    WWW,
    Answers,
    Fakes,
    Links,
    State,
    Texts,
    Tokens,
)  # fmt: skip

#: Why a text stands still: it is at its end; a token is to be read; a link is to be taken; an initial may follow.
DONE, TOKEN, LINKED, INITIAL = range(4)


@borrowing
def _case(points: Points, start: int, stop: int) -> int:
    """1 for a text in capitals, 0 for another, -1 where it is not ASCII."""
    upper, lower = 0, 0
    for at in range(start, stop):
        point = points[at]
        if point > 127:
            return -1
        if 65 <= point <= 90:
            upper += 1
        elif 97 <= point <= 122:
            lower += 1
    return 1 if upper > 0 and lower == 0 and stop - start > 1 else 0


@borrowing
def _symbols(points: Points, start: int, stop: int) -> int:
    """The number of letters and digits."""
    count = 0
    for at in range(start, stop):
        point = points[at]
        count += 48 <= point <= 57 or 65 <= point <= 90 or 97 <= point <= 122
    return count


@borrowing
def _put(answers: Answers, place: int, start: int, stop: int, kind: int, form: int, offset: int, size: int) -> None:
    answers.starts[place], answers.stops[place], answers.kinds[place] = start, stop, kind
    answers.forms[place], answers.offsets[place], answers.sizes[place] = form, offset, size


@borrowing
def _put_fake(answers: Answers, place: int, start: int, stop: int, fakes: Fakes, entry: int, form: int) -> None:
    """A fake in the case of `form`: as it is, in capitals, in lower case."""
    first = fakes.bounds[3 * entry + form]
    size = fakes.bounds[3 * entry + form + 1] - first
    _put(answers, place, start, stop, 2 * int(fakes.kinds[entry]), AS_IS, int(first), int(size))


@borrowing
def _put_value(
    answers: Answers, place: int, points: Points, begin: int, start: int, stop: int, fakes: Fakes, entry: int
) -> bool:
    """Put a number or a text as it was spelled; False where that must be asked for."""
    mode = fakes.modes[entry]
    case = _case(points, begin + start, begin + stop)
    if mode < 2 or case < 0:
        return False
    symbols = fakes.symbols[entry]
    if mode >= 3:
        _put_fake(answers, place, start, stop, fakes, entry, 1 if case == 1 else 0)
    elif symbols == -2:
        return False
    elif symbols >= 0 and symbols == _symbols(points, begin + start, begin + stop):
        _put_fake(answers, place, start, stop, fakes, entry, 0)
        answers.forms[place] = POURED
        return True
    else:
        _put_fake(answers, place, start, stop, fakes, entry, 0)
    first = answers.offsets[place]
    if answers.sizes[place] > 0 and fakes.points[first] == 43 and start > 0 and points[begin + start - 1] == 43:
        answers.offsets[place] += 1
        answers.sizes[place] -= 1
    return True


@borrowing
def _may_initial_follow(answers: Answers, place: int, first: int, points: Points, begin: int, end: int) -> bool:
    """Whether a capital may follow a given name that stands behind a family name and a comma: `Smith, John Q.`"""
    stop, start = begin + answers.stops[place], begin + answers.starts[place]
    if place == first or stop + 1 >= end or points[stop] != 32:
        return False
    if begin + answers.stops[place - 1] != start - 2 or points[start - 2] != 44 or points[start - 1] != 32:
        return False
    return bool(65 <= points[stop + 1] <= 90 or points[stop + 1] > 127)


@borrowing
def _answer(
    texts: Texts, tokens: Tokens, fakes: Fakes, answers: Answers, text: int, at: int, place: int, day_first: bool
) -> int:
    """Put the answer of a token; returns the number of answers (1 or 0), or -1 where it must be asked for."""
    code, hint, start, stop = tokens.codes[at], tokens.hints[at], int(tokens.starts[at]), int(tokens.stops[at])
    if code >= 0:
        if hint:
            _put_fake(answers, place, start, stop, fakes, int(code), int(hint) - 1)
            return 1
        begin = int(texts.bounds[text])
        if fakes.modes[code] == 4 and 97 <= texts.points[begin + start] <= 122:
            return 0
        if fakes.modes[code] == 4 and not 65 <= texts.points[begin + start] <= 90:
            return -1
        return 1 if _put_value(answers, place, texts.points, begin, start, stop, fakes, int(code)) else -1
    if code == AT or code == LINK or code == WWW:
        return 0  # links are taken where they begin
    if not hint or (code == SLASHED and day_first):
        return -1
    _put(answers, place, start, stop, 1, SLASHES + SLASHED - int(code), int(hint), 0)
    return 1


@borrowing
def _go(
    texts: Texts,
    tokens: Tokens,
    fakes: Fakes,
    links: Links,
    state: State,
    answers: Answers,
    text: int,
    given: int,
    day_first: bool,
) -> int:
    """Go forward in one text; returns why it stands still."""
    last, last_link = tokens.bounds[text + 1], links.bounds[text + 1]
    first = MOST * int(tokens.bounds[text])
    begin, end = int(texts.bounds[text]), int(texts.bounds[text + 1])
    while state.places[text] < last:
        at = int(state.places[text])
        if tokens.starts[at] < state.ends[text]:
            state.places[text] += 1
            continue
        link = state.links[text]
        if link < last_link and tokens.starts[at] >= links.starts[link] and state.taken[text] != at:
            return LINKED
        place = first + int(answers.counts[text])
        count = _answer(texts, tokens, fakes, answers, text, at, place, day_first)
        if count < 0:
            return TOKEN
        state.places[text] += 1
        if count == 0:
            continue
        answers.counts[text] += 1
        state.ends[text] = answers.stops[place]
        is_given = tokens.hints[at] != 0 and tokens.codes[at] >= 0 and answers.kinds[place] == 2 * given
        if is_given and _may_initial_follow(answers, place, first, texts.points, begin, end):
            return INITIAL
    return LINKED if state.links[text] < last_link else DONE


@borrowing
def settle(
    texts: Texts,
    tokens: Tokens,
    fakes: Fakes,
    links: Links,
    state: State,
    answers: Answers,
    asking: Ints,
    count: int,
    given: int,
    day_first: bool,
) -> int:
    """Go forward in the first `count` texts of `asking`, a text's number and why it stands still.

    Returns how many of them stand still, which are put to the front. given: the number of that kind.
    """
    kept = 0
    for one in range(count):
        text = int(asking[2 * one])
        why = _go(texts, tokens, fakes, links, state, answers, text, given, day_first)
        if why:
            asking[2 * kept], asking[2 * kept + 1] = text, why
            kept += 1
    return kept
