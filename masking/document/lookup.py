"""Dictionaries that compiled loops can read: hashes to numbers, and texts to numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np

from masking.document.tape import ESCAPED, hash_bytes
from masking.native import Bytes, Of, bytes_of, compiled, making

#: What a look-up answers for what is not there.
ABSENT = -1
_MIX, _PRIME_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


#: A dictionary of hashes: open addressing, a power of two of places, never more than half full. An empty place holds
#: `ABSENT`.
PLACE = np.dtype([("hash", np.uint64), ("value", np.int32), ("start", np.int32), ("stop", np.int32)], align=True)
Places: TypeAlias = Annotated[Any, Of(PLACE)]


class Texts(NamedTuple):
    """Texts to numbers. A hash that is found is not enough: the bytes at `start` to `stop` of `blob` must be the same."""

    places: Places
    blob: Bytes


def make_places(places: int = 1024) -> Places:
    """An empty dictionary."""
    made = np.zeros(places, PLACE)
    made["value"] = ABSENT
    return made


class Growing:
    """A dictionary of hashes that grows as it fills."""

    def __init__(self) -> None:
        self.table = make_places()
        self._count = 0

    def put(self, hash_: np.uint64, value: int) -> None:
        """Set one entry. Values are not negative, but for those below `ABSENT` that mean something to the caller."""
        if (self._count + 1) * 2 > len(self.table):
            old = self.table
            self.table = make_places(len(old) * 2)
            for place in old[old["value"] != ABSENT]:
                put(self.table, place["hash"], place["value"])
        self._count += put(self.table, hash_, value)


def make_texts(pairs: Iterable[tuple[str, int]]) -> Texts:
    """A dictionary of these texts."""
    entries = [(text.encode(), value) for text, value in pairs]
    places = 8
    while places < 2 * len(entries) + 2:
        places *= 2
    blob = b"".join(text for text, _ in entries) + b"\0"  # never empty: an empty array has no type to compile for
    made = Texts(make_places(places), bytes_of(blob))
    start = 0
    for text, value in entries:
        stop = start + len(text)
        hash_ = hash_bytes(made.blob, start, stop)
        at = int(hash_) & (places - 1)
        while made.places[at]["value"] != ABSENT:
            at = (at + 1) & (places - 1)
        made.places[at] = (hash_, value, start, stop)
        start = stop
    return made


@compiled
def put(table: Places, hash_: np.uint64, value: int) -> int:
    """Set an entry of a dictionary that has room; 1 where it is new, else 0."""
    last = np.uint64(len(table) - 1)
    place = hash_ & last
    while table[place].value != ABSENT and table[place].hash != hash_:
        place = (place + np.uint64(1)) & last
    is_new = table[place].value == ABSENT
    table[place].hash, table[place].value = hash_, value
    return 1 if is_new else 0


@compiled
def get(table: Places, hash_: np.uint64) -> int:
    """The entry of a hash, or `ABSENT`."""
    last = np.uint64(len(table) - 1)
    place = hash_ & last
    while table[place].value != ABSENT:
        if table[place].hash == hash_:
            return int(table[place].value)
        place = (place + np.uint64(1)) & last
    return ABSENT


@compiled
def joint(number: int, hash_: np.uint64) -> np.uint64:
    """One hash of a number and a hash: of a property at a node."""
    mixed = (hash_ ^ (np.uint64(number + 1) * _MIX)) * _PRIME_2
    return mixed ^ (mixed >> np.uint64(29))


@compiled
def same(one: Bytes, start: int, stop: int, other: Bytes, begin: int, end: int) -> bool:
    """Whether two spans hold the same bytes."""
    if stop - start != end - begin:
        return False
    for offset in range(stop - start):
        if one[start + offset] != other[begin + offset]:
            return False
    return True


@compiled
def find(table: Texts, text: Bytes, start: int, stop: int) -> int:
    """The number of the text in a span, or `ABSENT`."""
    hash_ = hash_bytes(text, start, stop)
    last = np.uint64(len(table.places) - 1)
    at = hash_ & last
    while table.places[at].value != ABSENT:
        place = table.places[at]
        if place.hash == hash_ and same(table.blob, int(place.start), int(place.stop), text, start, stop):
            return int(place.value)
        at = (at + np.uint64(1)) & last
    return ABSENT


@compiled
def _hex4(text: Bytes, at: int) -> int:
    point = 0
    for offset in range(4):
        digit = text[at + offset]
        point = point * 16 + (digit - 48 if digit < 58 else (digit | 32) - 87)
    return point


@compiled
def _utf8(point: int, plain: Bytes, size: int) -> int:
    if point < 0x80:
        plain[size] = point
        return size + 1
    if point < 0x800:
        plain[size], plain[size + 1] = 0xC0 | point >> 6, 0x80 | point & 63
        return size + 2
    if point < 0x10000:
        plain[size], plain[size + 1], plain[size + 2] = 0xE0 | point >> 12, 0x80 | point >> 6 & 63, 0x80 | point & 63
        return size + 3
    plain[size], plain[size + 1] = 0xF0 | point >> 18, 0x80 | point >> 12 & 63
    plain[size + 2], plain[size + 3] = 0x80 | point >> 6 & 63, 0x80 | point & 63
    return size + 4


@compiled
def unescape(text: Bytes, start: int, stop: int, plain: Bytes) -> int:
    """Write what a valid JSON string without its quotes spells, as UTF-8; how many bytes. Never longer than the source."""
    size, at = 0, start
    while at < stop:
        byte = text[at]
        if byte != 92:
            plain[size] = byte
            size += 1
            at += 1
            continue
        code = text[at + 1]
        at += 2
        if code == 117:  # u
            point = _hex4(text, at)
            at += 4
            if 0xD800 <= point < 0xDC00 and at + 6 <= stop:
                point = 0x10000 + ((point - 0xD800) << 10) + (_hex4(text, at + 2) - 0xDC00)
                at += 6
            size = _utf8(point, plain, size)
            continue
        plain[size] = (
            8
            if code == 98
            else 12
            if code == 102
            else 10
            if code == 110
            else 13
            if code == 114
            else (9 if code == 116 else code)
        )
        size += 1
    return size


@making
def find_string(table: Texts, text: Bytes, kind: int, start: int, stop: int) -> int:
    """The same for a JSON string with its quotes, which may be spelled with escapes."""
    if kind == ESCAPED:
        plain = np.empty(stop - start, np.uint8)
        return find(table, plain, 0, unescape(text, start + 1, stop - 1, plain))
    return find(table, text, start + 1, stop - 1)


@compiled
def begins_with(text: Bytes, start: int, stop: int, blob: Bytes, begin: int, end: int) -> bool:
    """Whether the first span begins with the bytes of the second."""
    length = end - begin
    return stop - start >= length and same(text, start, start + length, blob, begin, end)
