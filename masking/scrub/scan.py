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

import numpy as np

from masking.native import Bytes, Hashes, Ints, Points, compiled

OTHER, LETTER, DIGIT, IDEOGRAPH, MARK = range(5)

#: Codes of tokens; what is of the dossier has the number of its entry, 0 and up.
NUMBER, HEX, AT, LINK = -1, -2, -3, -4
#: The vocabulary's classes count down from here.
WORDS = -10

#: Flags of a row of a dossier's table; the entry's number stands above them.
WHOLE, BEGINS, SHIFT = 1, 2, 2

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
        return classes[point]
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
def _step(digest: np.uint64, point: int) -> np.uint64:
    return (digest ^ np.uint64(point)) * np.uint64(0x100000001B3)


@compiled
def _slot(digest: np.uint64, mask: int) -> int:
    return int((digest ^ (digest >> np.uint64(29))) & np.uint64(0xFFFFFFFF)) & mask


@compiled
def _get(keys: Hashes, values: Ints, base: int, mask: int, digest: np.uint64) -> int:
    """The value of a hash in the table that begins at `base`, -1 where there is none."""
    slot = _slot(digest, mask)
    while values[base + slot] != -1:
        if keys[base + slot] == digest:
            return values[base + slot]
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
                    best, end = found >> 2, digits
        digest = _hash(points, at, word_end, digest, classes, folds)
        length += word_end - at
        found = _get(keys, values, base, mask, digest)
        if found != -1 and found & 1:
            best, end = found >> 2, word_end
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
    starts: Ints,
    stops: Ints,
    codes: Ints,
    counts: Ints,
    links: Ints,
) -> int:
    """Find the tokens that matter. bounds: where each text begins, and the end; tables: base, mask, longest a text.

    Fills starts (in the text), stops and codes, and a text the number of its tokens and of its links. `starts` has a
    place for each character.
    """
    size = 0
    word_mask = len(word_keys) - 1
    for text in range(len(bounds) - 1):
        begin, stop = bounds[text], bounds[text + 1]
        base, mask, longest = tables[3 * text], tables[3 * text + 1], tables[3 * text + 2]
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
                        if entry >= 0:
                            starts[size], stops[size], codes[size] = place - begin, entry_end - begin, entry
                            size += 1
                            entry = -1
                else:
                    found = _get(keys, values, base, mask, digest)
                    if found != -1:
                        if found & 2:
                            entry, entry_end = _phrase(
                                points, at, stop, keys, values, base, mask, longest, classes, folds
                            )
                        else:
                            entry = found >> 2
            if entry >= 0:
                starts[size], stops[size], codes[size] = at - begin, entry_end - begin, entry
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
        counts[text] = size - first
        links[text] = found_links
    return size


@compiled
def build(
    points: Points, bounds: Ints, entries: Ints, classes: Bytes, folds: Points, keys: Hashes, values: Ints
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
                values[slot] = (
                    -1 - entries[phrase] if entries[phrase] < 0 else (entries[phrase] << 2 | flag if flag == 1 else 2)
                )
            elif entries[phrase] >= 0:
                if flag == 1 and not values[slot] & 1:
                    values[slot] = entries[phrase] << 2 | 1 | (values[slot] & 2)
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
    """A table of phrases: hash to entry and flags."""

    __slots__ = ("keys", "longest", "values")

    def __init__(self, phrases: Sequence[str], entries: Sequence[int]) -> None:
        points, bounds = to_points(phrases)
        size = 8
        while size < 3 * len(phrases):
            size *= 2
        self.keys: Hashes = np.zeros(size, dtype=np.uint64)
        self.values: Ints = np.full(size, -1, dtype=np.int32)
        numbers = np.array(entries, dtype=np.int32)
        self.longest = build(points, bounds, numbers, _CLASSES, _FOLDS, self.keys, self.values)


def tokens(
    texts: Sequence[str], tables: Sequence[Table], words: Table
) -> tuple[list[int], list[int], list[int], list[int], list[int]]:
    """Of all texts: starts, stops and codes of their tokens; and of each text the number of tokens and of links."""
    points, bounds = to_points(texts)
    places: dict[int, tuple[int, int, int]] = {}
    keys: list[Hashes] = []
    values: list[Ints] = []
    base = 0
    rows: list[tuple[int, int, int]] = []
    for table in tables:
        row = places.get(id(table))
        if row is None:
            row = places[id(table)] = (base, len(table.keys) - 1, table.longest)
            keys.append(table.keys)
            values.append(table.values)
            base += len(table.keys)
        rows.append(row)
    room = len(points)
    starts, stops, codes = (np.empty(2 * room, dtype=np.int32) for _ in range(3))
    counts, links = (np.zeros(len(texts), dtype=np.int32) for _ in range(2))
    size = scan(
        points,
        bounds,
        np.array(rows, dtype=np.int32).reshape(-1),
        np.concatenate(keys) if keys else np.zeros(1, dtype=np.uint64),
        np.concatenate(values) if values else np.full(1, -1, dtype=np.int32),
        words.keys,
        words.values,
        _CLASSES,
        _FOLDS,
        starts,
        stops,
        codes,
        counts,
        links,
    )
    return starts[:size].tolist(), stops[:size].tolist(), codes[:size].tolist(), counts.tolist(), links.tolist()


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
