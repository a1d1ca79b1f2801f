"""Answers that are remembered, in native memory: a value and all that its answer depends on lead to the answer's bytes.

A key is a value with its context: some fields, each a span of the batch's text or of what was made beside it. A hash that
is found is not enough: the bytes of the whole key are compared. The memory is bounded; forgetting changes nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np

from masking.document.settle import Spans
from masking.document.tape import Tape
from masking.native import Bytes, Ints, Of, compiled

#: Where a field stands: nowhere (null), in the batch's text, or beside it.
NULL, IN_TEXT, BESIDE = 0, 1, 2
FIELD = np.dtype([("where", np.int32), ("start", np.int32), ("stop", np.int32)])
Fields: TypeAlias = Annotated[Any, Of(FIELD)]
#: A place of the table: where its key begins among the keys, -1 where there is none; where its answer stands among the
#: answers, a negative start for none; and whether that has lost something of the value.
SLOT = np.dtype([("hash", np.uint64), *((name, np.int32) for name in ("key", "start", "stop", "blanks"))], align=True)
Slots: TypeAlias = Annotated[Any, Of(SLOT)]

#: Keys, and bytes of keys and answers, beyond which all is forgotten.
_MOST, _MOST_BYTES = 100_000, 32 << 20
_BASIS, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


@compiled
def put_rows(tape: Tape, rows: Ints, fields: Fields, column: int, columns: int, bare: bool) -> None:
    """The values of these rows as a column of fields; null where a row is negative. bare: without the quotes."""
    for place in range(len(rows)):
        row, at = rows[place], place * columns + column
        if row < 0:
            fields[at].where = NULL
            fields[at].start = fields[at].stop = 0
        else:
            fields[at].where = IN_TEXT
            fields[at].start, fields[at].stop = tape[row].start + bare, tape[row].stop - bare


@compiled
def _hash_span(text: Bytes, start: int, stop: int, found: np.uint64) -> np.uint64:
    """The hash of a stretch, going on from `found`: a long one in four turns, which do not wait for each other."""
    if stop - start >= 32:
        one, two, three = found ^ np.uint64(1), found ^ np.uint64(2), found ^ np.uint64(3)
        while start + 4 <= stop:
            found = (found ^ np.uint64(text[start])) * _PRIME
            one = (one ^ np.uint64(text[start + 1])) * _PRIME
            two = (two ^ np.uint64(text[start + 2])) * _PRIME
            three = (three ^ np.uint64(text[start + 3])) * _PRIME
            start += 4
        for other in (one, two, three):
            found = (found ^ (found >> np.uint64(32)) ^ other) * _PRIME
    for at in range(start, stop):
        found = (found ^ np.uint64(text[at])) * _PRIME
    return found


@compiled
def _hash(text: Bytes, beside: Bytes, fields: Fields, first: int, columns: int) -> np.uint64:
    found = _BASIS
    for at in range(first, first + columns):
        field = fields[at]
        if field.where == IN_TEXT:
            found = _hash_span(text, int(field.start), int(field.stop), found)
        elif field.where == BESIDE:
            found = _hash_span(beside, int(field.start), int(field.stop), found)
        found = (found ^ np.uint64(256 + field.where)) * _PRIME
    return found


@compiled
def _home(hash_: np.uint64, mask: int) -> int:
    """Where a hash is looked for first, in a table of `mask + 1` places."""
    return int((hash_ ^ (hash_ >> np.uint64(29))) & np.uint64(mask))


@compiled
def _is_key(text: Bytes, beside: Bytes, fields: Fields, first: int, columns: int, keys: Bytes, key: int) -> bool:
    """Whether these are the fields of a key."""
    for at in range(first, first + columns):
        size = fields[at].stop - fields[at].start
        if keys[key] != fields[at].where:
            return False
        for shift in range(4):
            if keys[key + 1 + shift] != (size >> 8 * shift) & 255:
                return False
        key += 5
        source = text if fields[at].where == IN_TEXT else beside
        start = int(fields[at].start)
        for offset in range(size):
            if keys[key + offset] != source[start + offset]:
                return False
        key += size
    return True


@compiled
def _put_key(text: Bytes, beside: Bytes, fields: Fields, first: int, columns: int, keys: Bytes, key: int) -> int:
    """Write a key: of each field where it stands, its size, and its bytes. Returns where it ends."""
    for at in range(first, first + columns):
        size = int(fields[at].stop - fields[at].start)
        keys[key] = fields[at].where
        for shift in range(4):
            keys[key + 1 + shift] = (size >> 8 * shift) & 255
        key += 5
        source = text if fields[at].where == IN_TEXT else beside
        start = int(fields[at].start)
        for offset in range(size):
            keys[key + offset] = source[start + offset]
        key += size
    return key


@compiled
def look_up(
    text: Bytes, beside: Bytes, fields: Fields, columns: int, slots: Slots, keys: Bytes, size: int, found: Ints, new: Ints
) -> tuple[int, int]:  # fmt: skip
    """The places of these keys; those that are not there yet are put there, the first of equal ones listed in `new`.

    size: bytes of `keys` in use. Returns how many are new, and the bytes then in use. There must be room for all.
    """
    mask, count = len(slots) - 1, 0
    for job in range(len(found)):
        first = job * columns
        hash_ = _hash(text, beside, fields, first, columns)
        at = _home(hash_, mask)
        while slots[at].key >= 0:
            if slots[at].hash == hash_ and _is_key(text, beside, fields, first, columns, keys, int(slots[at].key)):
                break
            at = (at + 1) & mask
        if slots[at].key < 0:
            slots[at].hash, slots[at].key = hash_, size
            slots[at].start, slots[at].stop, slots[at].blanks = -1, -1, 0
            size = _put_key(text, beside, fields, first, columns, keys, size)
            new[count] = job
            count += 1
        found[job] = at
    return count, size


@compiled
def _widen(slots: Slots, wider: Slots) -> None:
    mask = len(wider) - 1
    for old in range(len(slots)):
        if slots[old].key < 0:
            continue
        hash_ = slots[old].hash
        at = _home(hash_, mask)
        while wider[at].key >= 0:
            at = (at + 1) & mask
        wider[at].hash, wider[at].key = hash_, slots[old].key
        wider[at].start, wider[at].stop, wider[at].blanks = slots[old].start, slots[old].stop, slots[old].blanks


@compiled
def size_of(slots: Slots, found: Ints) -> int:
    """The bytes of the answers at these places, one after the other."""
    size = 0
    for at in found:
        size += slots[at].stop - slots[at].start
    return size


@compiled
def give(slots: Slots, found: Ints, answers: Bytes, jobs: Ints, spans: Spans, begin: int, out: Bytes) -> None:
    """Write the answers at these places one after the other, and their spans, which begin at `begin`, for these jobs."""
    size = 0
    for place in range(len(found)):
        slot = slots[found[place]]
        job = jobs[place]
        spans[job].blanks = slot.blanks
        if slot.start < 0:
            continue
        spans[job].start = begin + size
        for at in range(slot.start, slot.stop):
            out[size] = answers[at]
            size += 1
        spans[job].stop = begin + size


def _grown(array: Bytes, used: int, size: int) -> Bytes:
    """The array, or a larger copy of what is used of it."""
    if size <= len(array):
        return array
    grown = np.empty(max(size, 2 * len(array)), np.uint8)
    grown[:used] = array[:used]
    return grown


class Memory:
    """The answers of one masker."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        self.slots = _empty(1024)
        self.answers: Bytes = np.empty(1 << 12, np.uint8)
        self._keys: Bytes = np.empty(1 << 12, np.uint8)
        self._count = self._keys_size = self._answers_size = 0

    def look_up(self, text: Bytes, beside: Bytes, fields: Any, columns: int) -> tuple[Ints, Ints]:
        """The place of each key, `columns` fields each; and which of them, by number, must be answered next by `learn`."""
        count = len(fields) // columns
        if self._count > _MOST or self._keys_size + self._answers_size > _MOST_BYTES:
            self.forget()
        places = len(self.slots)
        while places < 2 * (self._count + count) + 2:
            places *= 2
        if places > len(self.slots):
            wider = _empty(places)
            _widen(self.slots, wider)
            self.slots = wider
        longest = self._keys_size + 5 * len(fields) + int((fields["stop"] - fields["start"]).sum(dtype=np.int64))
        self._keys = _grown(self._keys, self._keys_size, longest)
        found, new = np.empty(count, np.int32), np.empty(count, np.int32)
        size = self._keys_size
        added, self._keys_size = look_up(text, beside, fields, columns, self.slots, self._keys, size, found, new)
        self._count += added
        return found, new[:added]

    def learn(self, places: Ints, parts: list[bytes | None], blanks: list[bool] | None) -> None:
        """Answers for places that `look_up` said were new; and which of them have lost something."""
        sizes = np.array([0 if part is None else len(part) for part in parts], np.int32)
        joined = b"".join([part for part in parts if part is not None])
        size = self._answers_size
        self.answers = _grown(self.answers, size, size + len(joined))
        self.answers[size : size + len(joined)] = np.frombuffer(joined, np.uint8)
        self._answers_size += len(joined)
        stops = size + np.cumsum(sizes, dtype=np.int32)
        is_read = np.array([part is not None for part in parts], np.bool_)
        self.slots["start"][places] = np.where(is_read, stops - sizes, -1)
        self.slots["stop"][places] = np.where(is_read, stops, -1)
        if blanks is not None:
            self.slots["blanks"][places] = blanks


def _empty(places: int) -> Any:
    slots = np.empty(places, SLOT)
    slots["key"] = -1
    return slots
