"""One pass over the characters of a batch: which words are of the dossier, which are numbers, labels, months or links.

Texts are code points (UTF-32), so that positions are those of Python. A *word* is a run of letters, digits and marks,
folded as it is read: lower case, without accents. Its FNV-1a hash is looked up in a table of the text's dossier and in
one of the vocabulary. A *phrase* (a street line, a number in any punctuation) is hashed over its letters and digits
alone, whatever stands between them, from a word on that some phrase begins with.
"""
# ruff: noqa: PLR0912, PLR0915, PLR1714, SIM102

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from masking.native import Bytes, Hashes, Ints, Points, compiled

OTHER, LETTER, DIGIT, IDEOGRAPH, MARK = range(5)

#: Codes of tokens; what is of the dossier has the number of its entry, 0 and up.
NUMBER, HEX, AT, LINK = -1, -2, -3, -4
#: The vocabulary's classes count down from here.
WORDS = -10

#: Dates whose answer the scan gives: `01/09/1964`, `1964-01-09`, `January 9, 1964`; the token's hint is yyyymmdd.
SLASHED, DASHED, WRITTEN = -5, -6, -7
#: Hints of a known name that is one wherever it stands: as the fake is written, in capitals, in lower case.
ASK, TITLED, CAPITALS, SMALL = range(4)
#: In a text's row: its dates are not moved by the scan.
NO_DAYS = -(1 << 30)

_TABLED = 0x3000


def _tables() -> tuple[Bytes, Points]:
    """Class and folded form of the code points below `_TABLED`; 0 is the fold of a mark."""
    classes = np.zeros(_TABLED, dtype=np.uint8)
    folds = np.zeros(_TABLED, dtype=np.uint32)
    for point in range(_TABLED):
        character = chr(point)
        category = unicodedata.category(character)
        base = unicodedata.normalize("NFKD", character.lower())[0]
        folds[point] = ord(unicodedata.normalize("NFKD", base.casefold())[0])
        if category[0] == "L":
            classes[point] = LETTER
        elif "0" <= character <= "9":
            classes[point] = DIGIT
        elif category in ("Mn", "Mc", "Cf") and point != 0x0345:
            classes[point], folds[point] = MARK, 0
    for source, target in ("øo", "łl", "đd", "ħh", "ıi", "ßs", "æa", "œo", "þt", "ðd", "ςσ"):
        folds[ord(source)] = folds[ord(source.upper()[0])] = ord(target)
    folds[ord("S")], folds[ord("I")] = ord("s"), ord("i")
    return classes, folds


_CLASSES, _FOLDS = _tables()


@compiled
def _class(point: int, classes: Bytes) -> int:
    if point < 0x3000:
        kind: int = classes[point]
        return kind
    if (
        0x3040 <= point <= 0x9FFF
        or 0xAC00 <= point <= 0xD7AF
        or 0xF900 <= point <= 0xFAFF
        or 0x20000 <= point <= 0x323AF
    ):
        return 3
    if 0xFE00 <= point <= 0xFE0F:
        return 4
    return 0


@compiled
def _slot(digest: np.uint64, mask: int) -> int:
    slot: int = int((digest ^ (digest >> np.uint64(29))) & np.uint64(mask))
    return slot


@compiled
def _get(keys: Hashes, values: Ints, base: int, mask: int, digest: np.uint64) -> int:
    """The value of a hash in the table that begins at `base`, -1 where there is none."""
    slot = _slot(digest, mask)
    while values[base + slot] != -1:
        if keys[base + slot] == digest:
            return int(values[base + slot])
        slot = (slot + 1) & mask
    return -1


@compiled
def _word_end(points: Points, at: int, stop: int, classes: Bytes) -> int:
    """Where the word that begins at `at` ends: an apostrophe between letters belongs to it, a possessive 's does not."""
    if _class(points[at], classes) == 3:
        return at + 1
    while at < stop:
        point = points[at]
        kind = _class(point, classes)
        if kind == 1 or kind == 2 or kind == 4:
            at += 1
            continue
        if (point == 39 or point == 0x2019 or point == 0x2BC) and at + 1 < stop:
            after = points[at + 1]
            if _class(after, classes) == 1:
                ends = at + 2 >= stop or _class(points[at + 2], classes) == 0
                if not (ends and (after == 115 or after == 83)):
                    at += 1
                    continue
        break
    return at


@compiled
def _hash(points: Points, start: int, stop: int, digest: np.uint64, classes: Bytes, folds: Points) -> np.uint64:
    """The hash over the letters and digits of a part, going on from `digest`."""
    for at in range(start, stop):
        point = points[at]
        if point < 0x3000:
            kind = classes[point]
            if kind == 1 or kind == 2:
                digest = (digest ^ np.uint64(folds[point])) * np.uint64(0x100000001B3)
        elif _class(point, classes) == 3:
            digest = (digest ^ np.uint64(point)) * np.uint64(0x100000001B3)
    return digest


@compiled
def _gap(points: Points, at: int, stop: int, is_number: bool, classes: Bytes) -> int:
    """Where the next word of a phrase begins, after at most four separators; -1 where the phrase cannot go on."""
    most = at + 4
    lines = 0
    while at < stop and at <= most:
        point = points[at]
        kind = _class(point, classes)
        if kind == 1 or kind == 2 or kind == 3:
            return at
        # blank # & ' ( ) + , - . / _ and no-break space, dashes, quotes
        if point == 10 or point == 13:
            lines += point == 10
            if lines > 1 or is_number:
                return -1
        elif not (
            point == 32
            or point == 9
            or point == 35
            or (point == 38 and not is_number)
            or (39 <= point <= 41)
            or point == 43
            or (point == 44 and not is_number)
            or (45 <= point <= 47)
            or point == 95
            or point == 160
            or (0x2010 <= point <= 0x2015)
            or point == 0x2019
        ):
            return -1
        at += 1
    return -1


@compiled
def _phrase(
    points: Points,
    start: int,
    stop: int,
    keys: Hashes,
    values: Ints,
    base: int,
    mask: int,
    longest: int,
    classes: Bytes,
    folds: Points,
) -> tuple[int, int]:
    """The longest entry that begins here, and where it ends; -1 where there is none."""
    digest = np.uint64(0xCBF29CE484222325)
    at, best, end, length = start, -1, start, 0
    is_number = _class(points[start], classes) == 2
    while True:
        word_end = _word_end(points, at, stop, classes)
        # '5492x1616': an extension may follow without a blank
        if classes[points[at] if points[at] < 0x3000 else 0] == 2:
            digits = at
            while digits < word_end and 48 <= points[digits] <= 57:
                digits += 1
            if digits < word_end and (points[digits] == 120 or points[digits] == 101 or points[digits] == 88):
                found = _get(keys, values, base, mask, _hash(points, at, digits, digest, classes, folds))
                if found != -1 and found & 1:
                    best, end = found, digits
        digest = _hash(points, at, word_end, digest, classes, folds)
        length += word_end - at
        found = _get(keys, values, base, mask, digest)
        if found != -1 and found & 1:
            best, end = found, word_end
        if length >= longest:
            break
        at = _gap(points, word_end, stop, is_number, classes)
        if at < 0:
            break
    return best, end


@compiled
def _is_hex(point: int) -> bool:
    return 48 <= point <= 57 or 65 <= point <= 70 or 97 <= point <= 102


@compiled
def _starts_hex(points: Points, start: int, end: int, stop: int) -> bool:
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


@compiled
def _is_apart(points: Points, start: int, stop: int, begin: int, end: int) -> bool:
    """Whether a known number is no part of a decimal."""
    if start - 1 > begin and (points[start - 1] == 46 or points[start - 1] == 44) and 48 <= points[start - 2] <= 57:
        return False
    return not (stop + 1 < end and (points[stop] == 46 or points[stop] == 44) and 48 <= points[stop + 1] <= 57)


@compiled
def _has_initial(points: Points, start: int, begin: int, classes: Bytes) -> bool:
    """Whether an initial may stand before a name: 'J. Smith', 'J Smith'. What is not ASCII may be one."""
    if start - 2 < begin or points[start - 1] != 32:
        return False
    before = points[start - 2]
    if before == 46:
        return start - 3 >= begin and (start - 4 < begin or _class(points[start - 4], classes) == 0)
    if 65 <= before <= 90 or before > 127:
        return start - 3 < begin or _class(points[start - 3], classes) == 0
    return False


@compiled
def _case(points: Points, start: int, stop: int) -> int:
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


@compiled
def _digits(points: Points, at: int, count: int, end: int) -> int:
    """The number of this many digits; -1 where there are none, or more."""
    if at + count > end:
        return -1
    number = 0
    for place in range(at, at + count):
        if not 48 <= points[place] <= 57:
            return -1
        number = number * 10 + int(points[place]) - 48
    return number


@compiled
def _month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@compiled
def _ordinal(year: int, month: int, day: int) -> int:
    """1 for 0001-01-01, as `datetime.date.toordinal` counts."""
    before = year - 1
    number = before * 365 + before // 4 - before // 100 + before // 400
    for earlier in range(1, month):
        number += _month_length(year, earlier)
    return number + day


@compiled
def _moved(year: int, month: int, day: int, days: int, births: Ints, base: int, count: int) -> int:
    """The masked day as yyyymmdd: a birth date's own fake, else the day moved; 0 where there is none."""
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= _month_length(year, month):
        return 0
    packed = year * 10000 + month * 100 + day
    for birth in range(base, base + count):
        if births[2 * birth] == packed:
            return int(births[2 * birth + 1])
    number = _ordinal(year, month, day) + days
    if number < 1 or number > 3652059:
        return 0
    year = number * 400 // 146097 + 1
    while _ordinal(year, 1, 1) > number:
        year -= 1
    while _ordinal(year + 1, 1, 1) <= number:
        year += 1
    left = number - _ordinal(year, 1, 1) + 1
    month = 1
    while left > _month_length(year, month):
        left -= _month_length(year, month)
        month += 1
    return year * 10000 + month * 100 + left


@compiled
def _goes_on(points: Points, at: int, end: int) -> bool:
    """Whether a number goes on behind a date: then it is none."""
    if at >= end:
        return False
    point = points[at]
    if 48 <= point <= 57 or 65 <= point <= 90 or 97 <= point <= 122:
        return True
    return 45 <= point <= 47 and at + 1 < end and 48 <= points[at + 1] <= 57


@compiled
def _day(
    points: Points, start: int, end: int, begin: int, days: int, births: Ints, base: int, count: int
) -> tuple[int, int, int]:
    """The date at a number: its code, where it ends, and the masked day; the code 0 where there is none."""
    if start > begin:
        before = points[start - 1]
        if (45 <= before <= 47 or before == 58 or before == 43) and not (before == 58 and points[start - 2] > 57):
            return 0, 0, 0
    first = _digits(points, start, 2, end)
    if first < 0 or start + 10 > end:
        return 0, 0, 0
    if points[start + 2] == 47 and points[start + 5] == 47:
        day, year = _digits(points, start + 3, 2, end), _digits(points, start + 6, 4, end)
        if day < 0 or year < 0 or _goes_on(points, start + 10, end):
            return 0, 0, 0
        moved = _moved(year, first, day, days, births, base, count)
        return (-5 if moved else 0), start + 10, moved
    if points[start + 4] == 45 and points[start + 7] == 45:
        year, month = _digits(points, start, 4, end), _digits(points, start + 5, 2, end)
        day = _digits(points, start + 8, 2, end)
        if year < 0 or month < 0 or day < 0:
            return 0, 0, 0
        after = points[start + 10] if start + 10 < end else np.uint32(0)
        if not (after == 84 and start + 12 < end and 48 <= points[start + 11] <= 57) and _goes_on(
            points, start + 10, end
        ):
            return 0, 0, 0
        moved = _moved(year, month, day, days, births, base, count)
        return (-6 if moved else 0), start + 10, moved
    return 0, 0, 0


@compiled
def _written(
    points: Points, start: int, stop: int, end: int, days: int, births: Ints, base: int, count: int
) -> tuple[int, int]:
    """The end and the masked day of `January 9, 1964`, the month in full and capitalized; 0 where it is another form."""
    size = stop - start
    if size < 4 or not 65 <= points[start] <= 90 or not 97 <= points[start + 1] <= 122:
        return 0, 0
    second, third = points[start + 1], points[start + 2]
    # By the second and third letter: anuary ebruary arch pril une uly ugust eptember ctober ovember ecember
    month, length = 0, 0
    if second == 97 and third == 110:
        month, length = 1, 7
    elif second == 101 and third == 98:
        month, length = 2, 8
    elif second == 97 and third == 114:
        month, length = 3, 5
    elif second == 112:
        month, length = 4, 5
    elif second == 117 and third == 110:
        month, length = 6, 4
    elif second == 117 and third == 108:
        month, length = 7, 4
    elif second == 117 and third == 103:
        month, length = 8, 6
    elif second == 101 and third == 112:
        month, length = 9, 9
    elif second == 99:
        month, length = 10, 7
    elif second == 111:
        month, length = 11, 8
    elif second == 101 and third == 99:
        month, length = 12, 8
    if month == 0 or length != size or stop + 8 > end or points[stop] != 32:
        return 0, 0
    day = _digits(points, stop + 1, 2, end)
    at = stop + 3
    if day < 0:
        day = _digits(points, stop + 1, 1, end)
        at = stop + 2
    elif points[stop + 1] == 48:
        return 0, 0
    if day < 0 or at + 6 > end or points[at] != 44 or points[at + 1] != 32:
        return 0, 0
    year = _digits(points, at + 2, 4, end)
    if year < 0 or _goes_on(points, at + 6, end):
        return 0, 0
    return at + 6, _moved(year, month, day, days, births, base, count)


@compiled
def _matters(points: Points, start: int, stop: int, begin: int, end: int, classes: Bytes) -> bool:
    """Whether a number may be an identifier: not one to three digits that only blanks or words stand behind.

    Nor one inside of a longer number or code, whose beginning was looked at.
    """
    if start - 1 > begin:
        before = points[start - 1]
        if (before == 46 or before == 45 or before == 47) and _class(points[start - 2], classes) in (1, 2):
            return False
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
        if _class(after, classes) != 1:
            return bool(_class(after, classes) == 2 or after == 40)
        after |= 32
        # a month, or '9 of May'
        return bool(after == 97 or after == 100 or after == 102 or after == 106 or 109 <= after <= 111 or after == 115)
    # ) / . : and the thousands' comma
    return not (after == 37 or after == 10 or after == 44 or after == 59)


@compiled
def _sift(
    points: Points,
    begin: int,
    end: int,
    starts: Ints,
    stops: Ints,
    codes: Ints,
    hints: Ints,
    first: int,
    size: int,
    classes: Bytes,
    days: int,
    births: Ints,
    base: int,
    count: int,
) -> int:
    """Leave out the tokens of one text that nothing can come of, and answer dates; returns the new size."""
    kept = first
    covered = 0
    weekday = -9
    for at in range(first, size):
        code, start, stop, hint = codes[at], starts[at], stops[at], 0
        if code <= -4 or code == -3:
            pass
        elif code < 0 and start < covered:
            continue
        if days != -(1 << 30) and weekday < start - 3 and start >= covered:
            if code == -1:
                found, day_end, moved = _day(points, begin + start, end, begin, days, births, base, count)
                if found:
                    code, stop, hint = found, day_end - begin, moved
            elif code == -11:
                day_end, moved = _written(points, begin + start, begin + stop, end, days, births, base, count)
                if moved:
                    code, stop, hint = -7, day_end - begin, moved
        if code >= 0:
            covered = max(covered, stop)
            hint = hints[at]
        elif -7 <= code <= -5:
            covered = max(covered, stop)
        elif code == -1:
            if start < covered or not _matters(points, begin + start, begin + stop, begin, end, classes):
                continue
        elif code == -12:
            weekday = stop
            continue
        elif code == -13:
            if at + 1 < size and codes[at + 1] >= 0 and starts[at + 1] <= stop + 12:
                continue
        elif code == -11:
            if not (at + 1 < size and starts[at + 1] <= stop + 5 and codes[at + 1] < 0):
                continue
        elif code == -15:
            wanted = False
            line = stop
            for later in range(at + 1, size):
                while line < starts[later] and points[begin + line] != 10:
                    line += 1
                if starts[later] > stop + 48 or line < starts[later]:
                    break
                if codes[later] == -1:
                    wanted = True
                    break
                if codes[later] >= 0 and later + 1 < size and starts[later + 1] == starts[later]:
                    break  # a known number
            if not wanted:
                continue
        starts[kept], stops[kept], codes[kept], hints[kept] = start, stop, code, hint
        kept += 1
    return kept


@compiled
def scan(
    points: Points,
    bounds: Ints,
    tables: Ints,
    keys: Hashes,
    values: Ints,
    word_keys: Hashes,
    word_values: Ints,
    classes: Bytes,
    folds: Points,
    births: Ints,
    starts: Ints,
    stops: Ints,
    codes: Ints,
    hints: Ints,
    counts: Ints,
    links: Ints,
) -> int:
    """Find the tokens that matter. bounds: where each text begins, and the end; births: pairs of a day and its fake.

    tables: six numbers a text: base, mask and longest phrase of its table, its days, base and count of its births.

    Fills starts (in the text), stops and codes, and a text the number of its tokens and of its links. `starts` has a
    place for each character.
    """
    size = 0
    word_mask = len(word_keys) - 1
    for text in range(len(bounds) - 1):
        begin, stop = bounds[text], bounds[text + 1]
        base, mask, longest = tables[6 * text], tables[6 * text + 1], tables[6 * text + 2]
        days = tables[6 * text + 3]
        first = size
        found_links = 0
        at = begin
        while at < stop:
            point = points[at]
            kind = classes[point] if point < 0x3000 else _class(point, classes)
            if kind == 0 or kind == 4:
                code = 0
                if point == 64:
                    code = -3
                elif point == 58 and at + 2 < stop and points[at + 1] == 47 and points[at + 2] == 47:
                    code = -4
                if code:
                    starts[size], stops[size], codes[size] = at - begin, at - begin + 1, code
                    size += 1
                    found_links += 1
                at += 1
                continue
            # The common word: read and hashed in one go.
            digest = np.uint64(0xCBF29CE484222325)
            has_digit = False
            end = at
            if kind == 3:
                end = at + 1
                digest = (digest ^ np.uint64(point)) * np.uint64(0x100000001B3)
            else:
                while end < stop:
                    point = points[end]
                    kind = classes[point] if point < 0x3000 else _class(point, classes)
                    if kind == 1:
                        digest = (digest ^ np.uint64(folds[point])) * np.uint64(0x100000001B3)
                    elif kind == 2:
                        has_digit = True
                        digest = (digest ^ np.uint64(point)) * np.uint64(0x100000001B3)
                    elif kind != 4:
                        if point != 39 and point != 0x2019 and point != 0x2BC:
                            break
                        whole = _word_end(points, at, stop, classes)
                        digest = _hash(points, end, whole, digest, classes, folds)
                        for place in range(end, whole):
                            if 48 <= points[place] <= 57:
                                has_digit = True
                        end = whole
                        break
                    end += 1
            entry, entry_end = -1, end
            if mask >= 0:
                if has_digit:
                    entry, entry_end = _phrase(points, at, stop, keys, values, base, mask, longest, classes, folds)
                    if entry < 0 and classes[points[at] if points[at] < 0x3000 else 0] == 1:
                        # 'MRN12345': the number that a label is glued to
                        place = at
                        while place < end and not 48 <= points[place] <= 57:
                            place += 1
                        entry, entry_end = _phrase(
                            points, place, stop, keys, values, base, mask, longest, classes, folds
                        )
                        if entry >= 0 and _is_apart(points, place, entry_end, begin, stop):
                            starts[size], stops[size], codes[size] = place - begin, entry_end - begin, entry >> 3
                            hints[size] = 0
                            size += 1
                        entry = -1
                elif end - at <= 4 and end + 1 < stop and 48 <= points[end + 1] <= 57 and points[end] in (32, 45):
                    # 'XW 354 246 398'
                    entry, entry_end = _phrase(points, at, stop, keys, values, base, mask, longest, classes, folds)
                else:
                    found = _get(keys, values, base, mask, digest)
                    if found != -1:
                        if found & 2:
                            entry, entry_end = _phrase(
                                points, at, stop, keys, values, base, mask, longest, classes, folds
                            )
                        else:
                            entry = found
            if entry >= 0 and not (has_digit and not _is_apart(points, at, entry_end, begin, stop)):
                starts[size], stops[size], codes[size] = at - begin, entry_end - begin, entry >> 3
                hints[size] = 0
                if entry & 4 and not _has_initial(points, at, begin, classes):
                    hints[size] = _case(points, at, entry_end)
                size += 1
            if has_digit:
                starts[size], stops[size], codes[size] = at - begin, end - begin, -1
                size += 1
            else:
                word = _get(word_keys, word_values, 0, word_mask, digest)
                if word != -1:
                    starts[size], stops[size], codes[size] = at - begin, end - begin, -10 - word
                    size += 1
                    found_links += word == 0
                elif end - at <= 8 and _starts_hex(points, at, end, stop):
                    starts[size], stops[size], codes[size] = at - begin, end - begin, -2
                    size += 1
            at = end
        size = _sift(
            points,
            begin,
            stop,
            starts,
            stops,
            codes,
            hints,
            first,
            size,
            classes,
            days,
            births,
            tables[6 * text + 4],
            tables[6 * text + 5],
        )
        counts[text] = size - first
        links[text] = found_links
    return size


@compiled
def build(
    points: Points, bounds: Ints, entries: Ints, sure: Ints, classes: Bytes, folds: Points, keys: Hashes, values: Ints
) -> int:
    """Fill a table with phrases; the first of two equal ones stays. Returns the length of the longest in characters.

    keys, values: a power of two, values all -1. An entry below zero is of the vocabulary: its value is `-1 - entry`,
    without flags.
    """
    mask = len(keys) - 1
    longest = 0
    for phrase in range(len(bounds) - 1):
        start, stop = bounds[phrase], bounds[phrase + 1]
        digest = _hash(points, start, stop, np.uint64(0xCBF29CE484222325), classes, folds)
        if digest == np.uint64(0xCBF29CE484222325):
            continue
        longest = max(longest, stop - start)
        begin = start
        while begin < stop and _class(points[begin], classes) in (0, 4):
            begin += 1
        end = _word_end(points, begin, stop, classes)
        first = _hash(points, begin, end, np.uint64(0xCBF29CE484222325), classes, folds)
        for turn in range(2):
            key, flag = (digest, 1) if turn == 0 else (first, 2)
            if turn == 1 and (first == digest or entries[phrase] < 0):
                continue
            slot = _slot(key, mask)
            while values[slot] != -1 and keys[slot] != key:
                slot = (slot + 1) & mask
            if values[slot] == -1:
                keys[slot] = key
                if entries[phrase] < 0:
                    values[slot] = -1 - entries[phrase]
                else:
                    values[slot] = entries[phrase] << 3 | sure[phrase] << 2 | 1 if flag == 1 else 2
            elif entries[phrase] >= 0:
                if flag == 1 and not values[slot] & 1:
                    values[slot] = entries[phrase] << 3 | sure[phrase] << 2 | 1 | (values[slot] & 2)
                elif flag == 2:
                    values[slot] |= 2
    return longest


def to_points(texts: Sequence[str]) -> tuple[Points, Ints]:
    """The texts one behind the other, and where each begins, with the end."""
    joined = "".join(texts)
    # One more than there are, so that an empty batch has an array of the right kind too.
    points = np.frombuffer(bytearray(joined.encode("utf-32-le", "surrogatepass") + bytes(4)), dtype=np.uint32)
    bounds = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in texts], out=bounds[1:])
    return points, bounds


class Table:
    """A table of phrases (hash to entry and flags), the days by which dates move, and birth dates with their fakes."""

    __slots__ = ("births", "days", "keys", "longest", "values")

    def __init__(
        self,
        phrases: Sequence[str],
        entries: Sequence[int],
        sure: Sequence[bool] = (),
        days: int | None = None,
        births: Sequence[tuple[int, int]] = (),
    ) -> None:
        points, bounds = to_points(phrases)
        size = 8
        while size < 3 * len(phrases):
            size *= 2
        self.keys: Hashes = np.zeros(size, dtype=np.uint64)
        self.values: Ints = np.full(size, -1, dtype=np.int32)
        numbers, certain = np.array(entries, dtype=np.int32), np.array(sure or [False] * len(phrases), dtype=np.int32)
        self.longest = build(points, bounds, numbers, certain, _CLASSES, _FOLDS, self.keys, self.values)
        self.days = NO_DAYS if days is None else days
        self.births = list(births)


class Tokens(NamedTuple):
    """Of all texts: starts, stops, codes and hints of their tokens; and of each text the number of tokens and of links."""

    starts: list[int]
    stops: list[int]
    codes: list[int]
    hints: list[int]
    counts: list[int]
    links: list[int]


def tokens(texts: Sequence[str], tables: Sequence[Table], words: Table) -> Tokens:
    """Scan texts, each with its table."""
    points, bounds = to_points(texts)
    rows, keys, values, births = _joined(tables)
    room = 2 * len(points)  # at most two tokens begin at one character
    starts, stops, codes, hints = (np.empty(room, dtype=np.int32) for _ in range(4))
    counts, links = (np.zeros(len(texts), dtype=np.int32) for _ in range(2))
    inputs = points, bounds, rows, keys, values, words.keys, words.values, _CLASSES, _FOLDS, births
    size = scan(*inputs, starts, stops, codes, hints, counts, links)
    first, second, third, fourth = (column[:size].tolist() for column in (starts, stops, codes, hints))
    return Tokens(first, second, third, fourth, counts.tolist(), links.tolist())


def _joined(tables: Sequence[Table]) -> tuple[Ints, Hashes, Ints, Ints]:
    """The distinct tables one behind the other, and the row of each text."""
    places: dict[int, tuple[int, ...]] = {}
    keys, values = [np.zeros(1, dtype=np.uint64)], [np.full(1, -1, dtype=np.int32)]
    births: list[tuple[int, int]] = []
    base = 1
    rows: list[tuple[int, ...]] = []
    for table in tables:
        row = places.get(id(table))
        if row is None:
            row = (base, len(table.keys) - 1, table.longest, table.days, len(births), len(table.births))
            places[id(table)] = row
            keys.append(table.keys)
            values.append(table.values)
            births += table.births
            base += len(table.keys)
        rows.append(row)
    pairs = np.array([*births, (0, 0)], dtype=np.int32).reshape(-1)
    return np.array(rows, dtype=np.int32).reshape(-1), np.concatenate(keys), np.concatenate(values), pairs


@cache
def fold_table() -> dict[int, int | None]:
    """`str.translate` table of the folding: None for what is no letter or digit."""
    return {
        point: int(fold) if kind in (LETTER, DIGIT) else None
        for point, (kind, fold) in enumerate(zip(_CLASSES.tolist(), _FOLDS.tolist(), strict=True))
    }


def fold(text: str) -> str:
    """The letters and digits of a text, folded, as the tables compare them."""
    return text.translate(fold_table())
