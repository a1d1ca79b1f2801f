"""Cuts a JSON text into its shape and its leaves, in one pass, and holds leaves of two texts against each other. Compiled.

*Leaves* are values that are strings or numbers. The *shape* is everything else, as a hash of 128 bits: names, true and false,
how objects and arrays stand in each other, every blank; and those texts that say what stands beside them, which are no leaves:
types of resources, URLs of extensions. The spelling of what is cut is held against JSON's grammar as far as the shape does
not do that: two texts of one shape are both JSON or both not.
"""

from __future__ import annotations

import numpy as np

from masking.native import Bytes, Hashes, Ints, borrowing, compiled

#: FNV-1a's offset and prime, and another pair of the kind.
_FIRST, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_SECOND, _OTHER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x880355F21E6D1965)
#: Kinds of leaves of which can be told here whether they are valid, and all others.
ANY, STRING, URI, ID = 0, 1, 2, 3
#: For a number of days.
UNTOLD = -(2**31)
#: What a level of a text is: an object or an array, of extensions or of anything else.
_OBJECT, _EXTENDING, _ARRAY, _EXTENSIONS = 0, 1, 2, 3


def _hash(text: bytes) -> np.uint64:
    digest = int(_FIRST)
    for byte in text:
        digest = ((digest ^ byte) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return np.uint64(digest)


_EXTENSION, _MODIFIER = _hash(b"extension"), _hash(b"modifierExtension")
_URL, _TYPE = _hash(b"url"), _hash(b"resourceType")


@borrowing
def _end_of_string(text: Bytes, at: int) -> int:
    """Where the string that begins at `at` ends: its closing quote; -1 where it is not well spelled, or has surrogates."""
    size = len(text)
    while at < size:
        byte = text[at]
        if byte == 34:
            return at
        if byte < 32:
            return -1
        at += 1
        if byte != 92:
            continue
        if at >= size:
            return -1
        byte = text[at]
        at += 1
        if byte == 117:
            for place in range(at, at + 4):
                if place >= size:
                    return -1
                digit = text[place]
                if not (48 <= digit <= 57 or 65 <= digit <= 70 or 97 <= digit <= 102):
                    return -1
            if (text[at] | 32) == 100 and text[at + 1] > 55:
                return -1
            at += 4
        elif not (
            byte == 34
            or byte == 92
            or byte == 47
            or byte == 98
            or byte == 102
            or byte == 110
            or byte == 114
            or byte == 116
        ):
            return -1
    return -1


@borrowing
def _digits(text: Bytes, at: int) -> int:
    while at < len(text) and 48 <= text[at] <= 57:
        at += 1
    return at


@borrowing
def _end_of_number(text: Bytes, at: int) -> int:
    """Where the number that begins at `at` ends; -1 where it is none."""
    at += text[at] == 45
    after = _digits(text, at)
    if after == at or (after - at > 1 and text[at] == 48):
        return -1
    at = after
    if at < len(text) and text[at] == 46:
        after = _digits(text, at + 1)
        if after == at + 1:
            return -1
        at = after
    if at < len(text) and (text[at] | 32) == 101:
        at += 1
        if at < len(text) and (text[at] == 43 or text[at] == 45):
            at += 1
        after = _digits(text, at)
        if after == at:
            return -1
        at = after
    return at


@compiled
def cut(text: Bytes, leaves: Ints, stack: Ints, digest: Hashes) -> int:
    """How many leaves there are, -1 where the text is to be looked at otherwise; of each where it begins and ends, quotes aside.

    stack: as deep as a text may be. digest: the shape.
    """
    count, at, size, depth = 0, 0, len(text), 0
    one, two = _FIRST, _SECOND
    name = np.uint64(0)
    stack[0] = _OBJECT
    while at < size:
        byte = text[at]
        if byte == 34:
            end = _end_of_string(text, at + 1)
            if end < 0:
                return -1
            after = end + 1
            while after < size and text[after] == 32:
                after += 1
            is_name = after < size and text[after] == 58
            is_told = is_name or name == _TYPE or (name == _URL and stack[depth] == _EXTENDING)
            if is_told:
                inner = _FIRST
                for place in range(at, end + 1):
                    letter = text[place]
                    if is_name and letter == 92:
                        return -1
                    two = (two ^ letter) * _OTHER
                    if place > at and place < end:
                        inner = (inner ^ letter) * _PRIME
                one = (one ^ inner) * _PRIME
                name = inner if is_name else np.uint64(0)
            else:
                if 2 * count + 1 >= len(leaves):
                    return -1
                leaves[2 * count], leaves[2 * count + 1] = at + 1, end
                count += 1
                one, two = (one ^ np.uint64(1)) * _PRIME, (two ^ np.uint64(1)) * _OTHER
            at = end + 1
            continue
        if byte == 45 or 48 <= byte <= 57:
            end = _end_of_number(text, at)
            if end < 0:
                return -1
            if 2 * count + 1 >= len(leaves):
                return -1
            leaves[2 * count], leaves[2 * count + 1] = at, end
            count += 1
            one, two = (one ^ np.uint64(2)) * _PRIME, (two ^ np.uint64(2)) * _OTHER
            at = end
            continue
        if byte == 123 or byte == 91:
            if depth + 1 >= len(stack):
                return -1
            # What is in an array stands at the array's name.
            extends = name == _EXTENSION or name == _MODIFIER or stack[depth] == _EXTENSIONS
            depth += 1
            if byte == 91:
                stack[depth] = _EXTENSIONS if extends else _ARRAY
            else:
                stack[depth] = _EXTENDING if extends else _OBJECT
            name = np.uint64(0)
        elif byte == 125 or byte == 93:
            if depth == 0:
                return -1
            depth -= 1
            name = np.uint64(0)
        elif byte == 44:
            name = np.uint64(0)
        elif byte > 127 or byte < 32:
            return -1
        one, two = (one ^ byte) * _PRIME, (two ^ byte) * _OTHER
        at += 1
    digest[0], digest[1] = one, two
    return count


@borrowing
def _equal(one: Bytes, at: int, end: int, other: Bytes, there: int, stop: int) -> bool:
    if end - at != stop - there:
        return False
    for step in range(end - at):
        if one[at + step] != other[there + step]:
            return False
    return True


@borrowing
def _is_plain(text: Bytes, at: int, end: int, kind: int) -> bool:
    """Whether a leaf of ASCII without escapes is a `string`, `uri` or `id` of R4. False where this cannot tell."""
    if at == end or (kind == ID and end - at > 64):
        return False
    for place in range(at, end):
        byte = text[place]
        if byte > 126 or byte == 92 or (byte == 32 and kind != STRING):
            return False
        if kind == ID and not (48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 45 or byte == 46):
            return False
    return True


@borrowing
def _two(text: Bytes, at: int) -> int:
    """A number of two digits; -1 for what is none."""
    if not (48 <= text[at] <= 57 and 48 <= text[at + 1] <= 57):
        return -1
    return (int(text[at]) - 48) * 10 + int(text[at + 1]) - 48


@borrowing
def _day(text: Bytes, at: int) -> int:
    """The number of the day that is written at `at` (1 is 0001-01-01); 0 for what is none."""
    first, second, month, day = _two(text, at), _two(text, at + 2), _two(text, at + 5), _two(text, at + 8)
    if first < 0 or second < 0 or text[at + 4] != 45 or text[at + 7] != 45 or month < 1 or month > 12 or day < 1:
        return 0
    year = first * 100 + second
    is_leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    last = 30 + (month + (month > 7)) % 2
    if month == 2:
        last = 28 + is_leap
    if year == 0 or day > last:
        return 0
    before = (367 * month - 362) // 12 - (0 if month <= 2 else 1 if is_leap else 2)
    return 365 * (year - 1) + (year - 1) // 4 - (year - 1) // 100 + (year - 1) // 400 + before + day


@borrowing
def _is_time(text: Bytes, at: int, end: int) -> bool:
    """Whether `T10:00:00.5+01:00` stands there, as R4 writes times with their zones."""
    if end - at < 10 or text[at] != 84 or text[at + 3] != 58 or text[at + 6] != 58:
        return False
    hour, minute, second = _two(text, at + 1), _two(text, at + 4), _two(text, at + 7)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 60:
        return False
    at += 9
    if text[at] == 46:
        after = _digits(text, at + 1)
        if after == at + 1:
            return False
        at = after
    if at >= end:
        return False
    if text[at] == 90:
        return at + 1 == end
    if end - at != 6 or (text[at] != 43 and text[at] != 45) or text[at + 3] != 58:
        return False
    hour, minute = _two(text, at + 1), _two(text, at + 4)
    return 0 <= minute <= 59 and hour >= 0 and (hour < 14 or (hour == 14 and minute == 0))


@compiled
def differing(old: Bytes, olds: Ints, new: Bytes, news: Ints, kept: Ints, others: Ints, found: Ints) -> int:
    """-1 where a pair of leaves that is kept is not equal, byte for byte; else how many of the other pairs have to be looked at.

    kept: numbers of leaves before and after, in turn. others: the same, with the kind of each behind it. Those are not to be
    looked at which are equal, nor those that are valid, if it is their kind. found: the numbers of the pairs that are.
    """
    for pair in range(len(kept) // 2):
        a, b = 2 * kept[2 * pair], 2 * kept[2 * pair + 1]
        if not _equal(old, olds[a], olds[a + 1], new, news[b], news[b + 1]):
            return -1
    count = 0
    for pair in range(len(others) // 3):
        a, b, kind = 2 * others[3 * pair], 2 * others[3 * pair + 1], others[3 * pair + 2]
        if _equal(old, olds[a], olds[a + 1], new, news[b], news[b + 1]):
            continue
        if kind == ANY or not _is_plain(new, news[b], news[b + 1], kind):
            found[count] = pair
            count += 1
    return count


@compiled
def moved(old: Bytes, olds: Ints, new: Bytes, news: Ints, dates: Ints, days: Ints) -> None:
    """By how many days each date moved; `UNTOLD` where one is no full date, or its time of day is another or none.

    dates: numbers of leaves before and after, in turn.
    """
    for pair in range(len(dates) // 2):
        a, b = 2 * dates[2 * pair], 2 * dates[2 * pair + 1]
        at, end, there, stop = int(olds[a]), int(olds[a + 1]), int(news[b]), int(news[b + 1])
        days[pair] = UNTOLD
        if end - at < 10 or stop - there < 10 or not _equal(old, at + 10, end, new, there + 10, stop):
            continue
        first, second = _day(old, at), _day(new, there)
        if first > 0 and second > 0 and (end - at == 10 or _is_time(old, at + 10, end)):
            days[pair] = second - first
