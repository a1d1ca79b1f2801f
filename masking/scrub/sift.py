"""Which tokens matter: numbers that can be no identifier and words that nothing follows are left out, dates answered."""

from __future__ import annotations

from masking.native import Bytes, Points, borrowing
from masking.scrub.batch import HEX, LABEL, MONTH, NO_DAYS, NUMBER, ROW, TITLE, WEEKDAY, WRITTEN, Lexicon, Texts, Tokens
from masking.scrub.characters import class_of
from masking.scrub.days import numeric_day, written_day


@borrowing
def _is_hex(point: int) -> bool:
    return 48 <= point <= 57 or 65 <= point <= 70 or 97 <= point <= 102


@borrowing
def starts_hex(points: Points, start: int, end: int, stop: int) -> bool:
    """Whether a word of letters may begin an IPv6 address, a MAC address or a UUID."""
    size = end - start
    if end >= stop or not (size <= 4 or size == 8):
        return False
    for at in range(start, end):
        if not _is_hex(points[at]):
            return False
    if size == 8 or size == 2:
        if points[end] == 45 and end + 1 < stop and _is_hex(points[end + 1]):
            return True
    return points[end] == 58 and end + 1 < stop and (points[end + 1] == 58 or _is_hex(points[end + 1]))


@borrowing
def is_apart(points: Points, start: int, stop: int, begin: int, end: int) -> bool:
    """Whether a known number is no part of a decimal."""
    if start - 1 > begin and (points[start - 1] == 46 or points[start - 1] == 44) and 48 <= points[start - 2] <= 57:
        return False
    return not (stop + 1 < end and (points[stop] == 46 or points[stop] == 44) and 48 <= points[stop + 1] <= 57)


@borrowing
def has_initial(points: Points, start: int, begin: int, classes: Bytes) -> bool:
    """Whether an initial may stand before a name: 'J. Smith', 'J Smith'. What is not ASCII may be one."""
    if start - 2 < begin or points[start - 1] != 32:
        return False
    before = points[start - 2]
    if before == 46:
        return start - 3 >= begin and (start - 4 < begin or class_of(points[start - 4], classes) == 0)
    if 65 <= before <= 90 or before > 127:
        return start - 3 < begin or class_of(points[start - 3], classes) == 0
    return False


@borrowing
def is_initial_behind(points: Points, stop: int, end: int, classes: Bytes) -> bool:
    """Whether an initial may stand behind a name and a comma: 'Smith, J.'. What is not ASCII may be one."""
    if stop + 1 >= end or points[stop] != 44:
        return False
    at = stop + 2 if points[stop + 1] == 32 else stop + 1
    if at >= end or not (65 <= points[at] <= 90 or points[at] > 127):
        return False
    return at + 1 >= end or class_of(points[at + 1], classes) == 0


@borrowing
def case_of(points: Points, start: int, stop: int) -> int:
    """The case of a name by its ASCII letters; of one letter alone it cannot be told."""
    upper, lower = 0, 0
    for at in range(start, stop):
        if 65 <= points[at] <= 90:
            upper += 1
        elif 97 <= points[at] <= 122:
            lower += 1
    if upper > 1 and lower == 0:
        return 2
    return 3 if lower > 0 and upper == 0 else 1


@borrowing
def matters(points: Points, start: int, stop: int, begin: int, end: int, classes: Bytes) -> bool:
    """Whether a number may be an identifier: not one to three digits that only blanks or words stand behind.

    Nor one inside of a longer number or code, whose beginning was looked at, unless it may begin a UUID (`Patient/9b1d…`).
    """
    if start - 1 > begin:
        before = points[start - 1]
        if (before == 46 or before == 45 or before == 47) and class_of(points[start - 2], classes) in (1, 2):
            if before == 47 and stop - start == 4 and stop + 1 < end and points[stop] == 45:
                return True  # the end of a period: '2020-01-03/2020-01-05'
            return stop - start == 8 and starts_hex(points, start, stop, end)
        if before == 58 and 48 <= points[start - 2] <= 57:
            return False
    if stop - start > 3:
        return True
    value = 0
    for at in range(start, stop):
        if not 48 <= points[at] <= 57:
            return True
        value = value * 10 + int(points[at]) - 48
    if value >= 90 or stop >= end:
        return value >= 90
    after = points[stop]
    if start > 0 and points[start - 1] == 43:
        return True
    if after == 32 or after == 45:
        if stop + 1 >= end:
            return False
        after = points[stop + 1]
        if after == 45 or after == 32:
            return True
        if class_of(after, classes) != 1:
            # ( / & and dashes: '3 / 4 / 2024', '3 & 4 May'
            return bool(
                class_of(after, classes) == 2 or after == 40 or after == 47 or after == 38 or 0x2013 <= after <= 0x2014
            )
        after |= 32
        if after == 116:  # '3 to 5 May', and not '3 times'
            return stop + 3 < end and points[stop + 2] == 111 and points[stop + 3] == 32
        # a month, or '9 of May'
        return bool(after == 97 or after == 100 or after == 102 or after == 106 or 109 <= after <= 111 or after == 115)
    # ) / . : and the thousands' comma
    return not (after == 37 or after == 10 or after == 44 or after == 59)


@borrowing
def _answered(texts: Texts, lexicon: Lexicon, tokens: Tokens, text: int, at: int) -> tuple[int, int, int]:
    """The code, end and masked day of a token that is a date the scan answers; the code 0 where it is none."""
    code = tokens.codes[at]
    if code != NUMBER and code != MONTH:
        return 0, 0, 0
    begin, end = int(texts.bounds[text]), int(texts.bounds[text + 1])
    days, base, count = texts.rows[ROW * text + 3], texts.rows[ROW * text + 4], texts.rows[ROW * text + 5]
    start, stop = begin + tokens.starts[at], begin + tokens.stops[at]
    if code == NUMBER:
        found, day_end, moved = numeric_day(texts.points, start, end, begin, days, lexicon.births, base, count)
    else:
        day_end, moved = written_day(texts.points, start, stop, end, days, lexicon.births, base, count)
        found = WRITTEN if moved else 0
    return found, day_end - begin, moved


@borrowing
def _labels_number(points: Points, begin: int, tokens: Tokens, at: int, size: int) -> bool:
    """Whether a number that may be meant stands behind a label, in its line."""
    line = tokens.stops[at]
    for later in range(at + 1, size):
        start = tokens.starts[later]
        while line < start and points[begin + line] != 10:
            line += 1
        if start > tokens.stops[at] + 48 or line < start:
            return False
        if tokens.codes[later] == NUMBER:
            return True
        if tokens.codes[later] >= 0 and later + 1 < size and tokens.starts[later + 1] == start:
            return False  # a known number
    return False


@borrowing
def _is_wanted(texts: Texts, lexicon: Lexicon, tokens: Tokens, text: int, at: int, size: int) -> bool:
    """Whether something may come of a token that is neither of the dossier nor a date that is answered."""
    code, stop, begin = tokens.codes[at], tokens.stops[at], int(texts.bounds[text])
    if code == NUMBER:
        start, end = begin + tokens.starts[at], int(texts.bounds[text + 1])
        return matters(texts.points, start, begin + stop, begin, end, lexicon.classes)
    is_last = at + 1 >= size
    if code == TITLE:
        return is_last or not (tokens.codes[at + 1] >= 0 and tokens.starts[at + 1] <= stop + 12)
    if code == MONTH:
        return not is_last and tokens.starts[at + 1] <= stop + 5 and tokens.codes[at + 1] < 0
    return code != LABEL or _labels_number(texts.points, begin, tokens, at, size)


@borrowing
def sift(texts: Texts, lexicon: Lexicon, tokens: Tokens, text: int, first: int, size: int) -> int:
    """Leave out the tokens of one text that nothing can come of, and answer dates; returns the new size."""
    kept = first
    covered = 0
    weekday = -9
    moves = texts.rows[ROW * text + 3] != NO_DAYS
    for at in range(first, size):
        code, start, stop, hint = tokens.codes[at], tokens.starts[at], tokens.stops[at], 0
        if start < covered and (code == NUMBER or code == HEX):
            continue
        if moves and weekday < start - 3 and start >= covered:
            found, day_end, moved = _answered(texts, lexicon, tokens, text, at)
            if found:
                code, stop, hint = found, day_end, moved
        if code >= 0:
            hint = tokens.hints[at]
        elif code == WEEKDAY:
            weekday = stop
            continue
        elif not hint and not _is_wanted(texts, lexicon, tokens, text, at, size):
            continue
        if code >= 0 or hint:
            covered = max(covered, stop)
        tokens.starts[kept], tokens.stops[kept], tokens.codes[kept], tokens.hints[kept] = start, stop, code, hint
        kept += 1
    return kept
