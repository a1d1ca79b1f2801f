"""Words and phrases in tables of hashes.

A *word* is a run of letters, digits and marks, folded as it is read: lower case, without accents. A *phrase* (a street
line, a number in any punctuation) is hashed over its letters and digits alone, whatever stands between them, from a
word on that some phrase begins with.
"""

from __future__ import annotations

import numpy as np

from masking.native import Bytes, Hashes, Ints, Points, borrowing
from masking.scrub.batch import Lexicon, Phrases
from masking.scrub.characters import class_of


@borrowing
def slot_of(digest: np.uint64, mask: int) -> int:
    """Where a hash is looked for first, in a table of `mask + 1` places."""
    slot: int = int((digest ^ (digest >> np.uint64(29))) & np.uint64(mask))
    return slot


@borrowing
def get(keys: Hashes, values: Ints, base: int, mask: int, digest: np.uint64) -> int:
    """The value of a hash in the table that begins at `base`, -1 where there is none."""
    slot = slot_of(digest, mask)
    while values[base + slot] != -1:
        if keys[base + slot] == digest:
            return int(values[base + slot])
        slot = (slot + 1) & mask
    return -1


@borrowing
def word_end(points: Points, at: int, stop: int, classes: Bytes) -> int:
    """Where the word that begins at `at` ends: an apostrophe between letters belongs to it, a possessive 's does not."""
    if class_of(points[at], classes) == 3:
        return at + 1
    while at < stop:
        point = points[at]
        kind = class_of(point, classes)
        if kind == 1 or kind == 2 or kind == 4:
            at += 1
            continue
        if (point == 39 or point == 0x2019 or point == 0x2BC) and at + 1 < stop:
            after = points[at + 1]
            if class_of(after, classes) == 1:
                ends = at + 2 >= stop or class_of(points[at + 2], classes) == 0
                if not (ends and (after == 115 or after == 83)):
                    at += 1
                    continue
        break
    return at


@borrowing
def hash_of(points: Points, start: int, stop: int, digest: np.uint64, classes: Bytes, folds: Points) -> np.uint64:
    """The hash over the letters and digits of a part, going on from `digest`."""
    for at in range(start, stop):
        point = points[at]
        if point < 0x3000:
            kind = classes[point]
            if kind == 1 or kind == 2:
                digest = (digest ^ np.uint64(folds[point])) * np.uint64(0x100000001B3)
        elif class_of(point, classes) == 3:
            digest = (digest ^ np.uint64(point)) * np.uint64(0x100000001B3)
    return digest


@borrowing
def _gap(points: Points, at: int, stop: int, is_number: bool, classes: Bytes) -> int:
    """Where the next word of a phrase begins, after at most four separators; -1 where the phrase cannot go on."""
    most = at + 4
    lines = 0
    while at < stop and at <= most:
        point = points[at]
        kind = class_of(point, classes)
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
            or point == 183  # a dot in the middle
            or (0x2010 <= point <= 0x2015)
            or point == 0x2019
        ):
            return -1
        at += 1
    return -1


@borrowing
def _place_of(phrases: Phrases, digest: np.uint64, part: int) -> int:
    """The place of a part's phrase, or a free one."""
    mask = len(phrases) - 1
    place = slot_of(digest ^ (np.uint64(part) * np.uint64(0x9E3779B97F4A7C15)), mask)
    while phrases[place].part != -1 and (phrases[place].digest != digest or phrases[place].part != part):
        place = (place + 1) & mask
    return place


@borrowing
def find(lexicon: Lexicon, first: int, count: int, digest: np.uint64) -> int:
    """What a hash is to a dossier of these parts: see `put_phrase`; -1 where it is nothing.

    The first part that knows a phrase says what it is, and short forms come last: a name that somebody bears comes before.
    """
    bit = int(digest & np.uint64(8 * len(lexicon.bits) - 1))
    if not lexicon.bits[bit >> 3] >> (bit & 7) & 1:
        return -1
    name, nickname, begins = -1, -1, 0
    for at in range(first, first + count):
        place = _place_of(lexicon.phrases, digest, int(lexicon.parts[at]))
        found = lexicon.phrases[place]
        if found.part == -1:
            continue
        if found.name != -1:
            begins |= found.name & 2
            if name == -1 and found.name & 1:
                name = int(found.name)
        if nickname == -1:
            nickname = int(found.nickname)
    if name == -1:
        name = nickname
    if name == -1:
        return 2 if begins else -1
    return name | begins


@borrowing
def phrase(
    points: Points, start: int, stop: int, lexicon: Lexicon, first: int, count: int, longest: int
) -> tuple[int, int]:
    """The longest entry of a dossier of these parts that begins here, and where it ends; -1 where there is none."""
    classes, folds = lexicon.classes, lexicon.folds
    digest = np.uint64(0xCBF29CE484222325)
    at, best, end, length = start, -1, start, 0
    is_number = class_of(points[start], classes) == 2
    while True:
        stop_of_word = word_end(points, at, stop, classes)
        # '5492x1616': an extension may follow without a blank
        if classes[points[at] if points[at] < 0x3000 else 0] == 2:
            digits = at
            while digits < stop_of_word and 48 <= points[digits] <= 57:
                digits += 1
            if digits < stop_of_word and (points[digits] == 120 or points[digits] == 101 or points[digits] == 88):
                found = find(lexicon, first, count, hash_of(points, at, digits, digest, classes, folds))
                if found != -1 and found & 1:
                    best, end = found, digits
        digest = hash_of(points, at, stop_of_word, digest, classes, folds)
        length += stop_of_word - at
        found = find(lexicon, first, count, digest)
        if found != -1 and found & 1:
            best, end = found, stop_of_word
        if length >= longest:
            break
        at = _gap(points, stop_of_word, stop, is_number, classes)
        if at < 0:
            break
    return best, end


@borrowing
def measure(points: Points, bounds: Ints, classes: Bytes, folds: Points, hashes: Hashes, firsts: Hashes) -> None:
    """Of each phrase its hash, and that of its first word."""
    for one in range(len(bounds) - 1):
        begin, stop = int(bounds[one]), int(bounds[one + 1])
        hashes[one] = hash_of(points, begin, stop, np.uint64(0xCBF29CE484222325), classes, folds)
        while begin < stop and class_of(points[begin], classes) in (0, 4):
            begin += 1
        end = word_end(points, begin, stop, classes) if begin < stop else begin
        firsts[one] = hash_of(points, begin, end, np.uint64(0xCBF29CE484222325), classes, folds)


@borrowing
def put(keys: Hashes, values: Ints, base: int, mask: int, digest: np.uint64, value: int) -> None:
    """Put a word into a table that has room; the first of two equal ones stays."""
    slot = slot_of(digest, mask)
    while values[base + slot] != -1:
        if keys[base + slot] == digest:
            return
        slot = (slot + 1) & mask
    keys[base + slot], values[base + slot] = digest, value


@borrowing
def _room_of(phrases: Phrases, bits: Bytes, digest: np.uint64, part: int) -> int:
    """The place of a part's phrase, which is there from now on."""
    place = _place_of(phrases, digest, part)
    if phrases[place].part == -1:
        phrases[place].digest, phrases[place].part = digest, part
        phrases[place].name = phrases[place].nickname = -1
        bit = int(digest & np.uint64(8 * len(bits) - 1))
        bits[bit >> 3] |= np.uint8(1 << (bit & 7))
    return place


@borrowing
def put_phrase(
    phrases: Phrases, bits: Bytes, part: int, digest: np.uint64, first: np.uint64, value: int, is_nickname: bool
) -> None:
    """Put a phrase of a part into a table that has room; the first of two equal ones stays.

    A value has three bits beside the entry: 1, a phrase ends here; 2, some phrase begins with this word and goes on; 4, a
    name that is one wherever it stands. `value` is without the second.
    """
    if digest == np.uint64(0xCBF29CE484222325):  # neither letter nor digit
        return
    place = _room_of(phrases, bits, digest, part)
    if is_nickname:
        if phrases[place].nickname == -1:
            phrases[place].nickname = value
    elif phrases[place].name == -1:
        phrases[place].name = value
    elif not phrases[place].name & 1:
        phrases[place].name = value | 2
    if first != digest:
        place = _room_of(phrases, bits, first, part)
        phrases[place].name = 2 if phrases[place].name == -1 else phrases[place].name | 2


@borrowing
def fill(
    phrases: Phrases,
    bits: Bytes,
    part: int,
    terms: Ints,
    bounds: Ints,
    spans: Ints,
    hashes: Hashes,
    firsts: Hashes,
    traits: Ints,
    longest: Ints,
) -> None:
    """Put parts into the table, from number `part` on; `longest`: of each the length of its longest phrase.

    terms, bounds: numbers of the terms of each part; spans: four numbers a term, where its entries and its nicknames
    begin and end; traits: of each entry the length of its spelling and whether it is sure (4) or not (0).
    """
    for one in range(len(bounds) - 1):
        most = 0
        for turn in range(2):
            for term in terms[bounds[one] : bounds[one + 1]]:
                for entry in range(spans[4 * term + 2 * turn], spans[4 * term + 2 * turn + 1]):
                    value = entry << 3 | int(traits[2 * entry + 1]) | 1
                    put_phrase(phrases, bits, part + one, hashes[entry], firsts[entry], value, turn == 1)
                    most = max(most, int(traits[2 * entry]))
        longest[one] = most


@borrowing
def move_phrases(phrases: Phrases, wider: Phrases, bits: Bytes) -> int:
    """Put all phrases into a wider table; how many there are."""
    count = 0
    for at in range(len(phrases)):
        one = phrases[at]
        if one.part != -1:
            place = _room_of(wider, bits, one.digest, int(one.part))
            wider[place].name, wider[place].nickname = one.name, one.nickname
            count += 1
    return count
