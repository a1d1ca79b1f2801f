"""Texts as what is compared: letters and digits alone, lower case, without accents.

A hash is a polynomial over those characters, so that of two words put together it is known from those of both: a number
written `(555) 010-7788` and one written `5550107788` are one.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np

from masking.native import Bytes, Hashes, Points, borrowing

#: Code points with an entry of their own; of those beyond, letters stand for themselves.
_TABLED = 0x2000
_FIRST_IDEOGRAPH = 0x2E80
#: Hashes are of at most so many characters; longer values are known by their first ones.
LONGEST = 96
_BASE = 0x9E3779B97F4A7C15 | 1
_ALSO = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}


@functools.cache
def folds() -> Points:
    """What each code point is compared as: up to two characters, the second in the upper half; 0 separates words.

    Marks that combine are 1: they belong to a word and count nothing.
    """
    table = np.zeros(_TABLED, dtype=np.uint32)
    for point in range(_TABLED):
        character = chr(point)
        category = unicodedata.category(character)
        if category in ("Mn", "Me", "Cf"):
            table[point] = 1
            continue
        if category[0] not in "LN":
            continue
        low = _ALSO.get(character.casefold(), unicodedata.normalize("NFKD", character.casefold()))
        letters = [part for part in low if unicodedata.category(part)[0] in "LN"]
        letters = [_ALSO.get(letter, letter)[0] for letter in letters] if len(letters) == 1 else letters
        packed = 0
        for place, letter in enumerate(letters[:2]):
            packed |= (ord(letter) & 0xFFFF) << (16 * place)
        table[point] = packed
    return table


@functools.cache
def powers() -> Hashes:
    """Powers of the polynomial's base."""
    found, value = [], 1
    for _ in range(LONGEST * 4 + 1):
        found.append(value)
        value = value * _BASE & 0xFFFFFFFFFFFFFFFF
    return np.array(found, dtype=np.uint64)


@borrowing
def scatter(digest: np.uint64) -> np.uint64:
    """The bits of a hash spread over all places; never 0 and never 1."""
    digest = (digest ^ (digest >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    digest = (digest ^ (digest >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return (digest ^ (digest >> np.uint64(32))) | np.uint64(2)


@borrowing
def pair_of(value: np.uint64, owner: np.uint64) -> np.uint64:
    """The hash of a value with whose it is."""
    return scatter(value * np.uint64(0x2545F4914F6CDD1D) + owner)


@borrowing
def day_key(day: int) -> np.uint64:
    """The hash of a day, given as YYYYMMDD."""
    return scatter(np.uint64(day) + np.uint64(0xDA7E000000000000))


@borrowing
def _follow(text: Bytes, at: int, count: int) -> bool:
    """Whether bytes that can only be within a letter stand behind one that begins it: `%E9` of Latin-1 begins none."""
    for place in range(at + 1, at + count + 1):
        if text[place] & 0xC0 != 0x80:
            return False
    return True


@borrowing
def fold_at(text: Bytes, at: int, stop: int, is_json: bool, table: Points) -> tuple[int, int]:
    """What the character that begins at `at` is compared as (see `folds`), and where the next one begins.

    UTF-8; in JSON escapes are undone. What is no valid UTF-8 separates words.
    """
    byte = int(text[at])
    point, after = 0, at + 1
    if byte == 92 and is_json and at + 1 < stop:
        if text[at + 1] != 117:
            return 0, at + 2
        if at + 6 > stop:
            return 0, at + 2
        for place in range(at + 2, at + 6):
            digit = int(text[place])
            if 48 <= digit <= 57:
                digit -= 48
            elif 97 <= digit <= 102:
                digit -= 87
            elif 65 <= digit <= 70:
                digit -= 55
            else:
                return 0, at + 2
            point = point * 16 + digit
        after = at + 6
    elif byte < 0x80:
        point = byte
    elif 0xC2 <= byte < 0xE0 and at + 1 < stop and _follow(text, at, 1):
        point, after = (byte & 0x1F) << 6 | (int(text[at + 1]) & 0x3F), at + 2
    elif 0xE0 <= byte < 0xF0 and at + 2 < stop and _follow(text, at, 2):
        point = (byte & 0x0F) << 12 | (int(text[at + 1]) & 0x3F) << 6 | (int(text[at + 2]) & 0x3F)
        after = at + 3
    elif byte >= 0xF0 and at + 3 < stop and _follow(text, at, 3):
        point = (byte & 0x07) << 18 | (int(text[at + 1]) & 0x3F) << 12
        point |= (int(text[at + 2]) & 0x3F) << 6 | (int(text[at + 3]) & 0x3F)
        after = at + 4
    if point < 0x2000:
        return int(table[point]), after
    if 0xD800 <= point < 0xE000 or point < 0x2E80:
        return 0, after
    return point & 0xFFFF | 0x10000, after
