"""The two passes that make columns of a tape, compiled. The first finds each value's place and how much room a place
needs; the second fills the room.

A value's *slot* is its row in the column of its place: of a resource's property the resource's number, of an item of a
list the number of items before it in the batch. Values are met in the order of their slots, so the texts of a place lie
one behind the other and only their lengths are noted; absent values have the length 0 and are marked null.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np

from masking.document.tape import ARRAY, BOOLEAN, ESCAPED, NULL, NUMBER, OBJECT, STRING, Tape, hash_bytes
from masking.native import Bytes, Ints, Of, borrowing, compiled
from masking.tables.layout import IGNORED, LIST, Places, Steps
from masking.tables.schema import Kind

_STRUCT, _TEXT, _BOOLEAN, _INTEGER, _DECIMAL, _JSON = (
    int(Kind.STRUCT), int(Kind.TEXT), int(Kind.BOOLEAN), int(Kind.INTEGER), int(Kind.DECIMAL), int(Kind.JSON),
)  # fmt: skip
_OTHER = int(Kind.OTHER)
#: In `tape.node`: a value without a place, for it is null or of no interest. Below it: minus two minus the place of the
#: `other_json` that it is put into.
_NOWHERE = -1
_QUOTE, _MINUS, _BACKSLASH, _COMMA, _OPEN, _CLOSE, _UNDERSCORE = 34, 45, 92, 44, 123, 125, 95
_LOW, _HIGH = -(1 << 31), (1 << 31) - 1
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
#: A decimal with more digits than this, or with an exponent of more, may be no double and is not made one.
_MOST_DIGITS, _MOST_EXPONENT = 200, 100
#: How much a place holds: slots (of a list's items), values that are there, bytes of their texts.
ROOM = np.dtype([("slots", np.int64), ("filled", np.int64), ("bytes", np.int64)], align=True)
#: Where a place's part of the common buffers begins: of marks (one a slot), of lengths or numbers, of texts.
PART = np.dtype([("marks", np.int64), ("numbers", np.int64), ("texts", np.int64)], align=True)
Rooms: TypeAlias = Annotated[Any, Of(ROOM)]
Parts: TypeAlias = Annotated[Any, Of(PART)]


@borrowing
def _step(text: Bytes, start: int, name: np.uint64, at: int, steps: Steps, names: Bytes) -> int:
    """The place that the name which begins at `start` leads to; 0 where it leads nowhere."""
    most = len(steps) - 1
    row = np.int64(((name ^ (np.uint64(at) * _SPREAD)) * _SPREAD) >> np.uint64(32)) & most
    while steps[row].to != 0:
        if steps[row].name == name and steps[row].at == at:
            here, first, stop = start, int(steps[row].start), int(steps[row].stop)
            while first < stop and names[first] == text[here]:
                first += 1
                here += 1
            if first == stop and text[here] == _QUOTE:
                return int(steps[row].to)
        row = (row + 1) & most
    return 0


@borrowing
def _is_kept_aside(text: Bytes, key: int, at: int, places: Places, steps: Steps, names: Bytes) -> bool:
    """Whether a property has no column because none of its kind has: the id of an element, a primitive's companion."""
    begin = key + 2 if text[key + 1] == _UNDERSCORE else key + 1
    if text[begin] == 105 and text[begin + 1] == 100 and text[begin + 2] == _QUOTE:
        return True
    if begin == key + 1:
        return False
    stop = key + 2
    while text[stop] != _QUOTE:
        stop += 1
    to = _step(text, key + 2, hash_bytes(text, key + 2, stop), at, steps, names)
    kind = places[to + 1].kind if places[to].kind == LIST else places[to].kind
    return to != 0 and (kind == _TEXT or kind == _BOOLEAN or kind == _INTEGER or kind == _DECIMAL)


@borrowing
def _integer(text: Bytes, start: int, stop: int) -> int:
    """A number as an integer of 32 bits; 2^31 where it is none."""
    negative = text[start] == _MINUS
    at = start + 1 if negative else start
    if stop - at > 10:
        return _HIGH + 1
    value = 0
    for place in range(at, stop):
        if text[place] < 48 or text[place] > 57:
            return _HIGH + 1
        value = value * 10 + int(text[place]) - 48
    value = -value if negative else value
    return value if _LOW <= value <= _HIGH else _HIGH + 1


@borrowing
def _is_double(text: Bytes, start: int, stop: int) -> bool:
    """Whether a number is surely within the range of doubles."""
    exponent, digits = 0, 0
    in_exponent = False
    for place in range(start, stop):
        code = text[place]
        if code | 32 == 101:
            in_exponent = True
        elif 48 <= code <= 57:
            if in_exponent:
                exponent = min(exponent * 10 + int(code) - 48, 1000)
            else:
                digits += 1
    return digits <= _MOST_DIGITS and exponent <= _MOST_EXPONENT


@borrowing
def _fits(text: Bytes, tape: Tape, row: int, kind: int) -> bool:
    """Whether a column of that kind can hold a value. Null fits everywhere."""
    found = tape[row].kind
    if found == NULL or kind == _JSON or kind == IGNORED:
        return True
    if kind == _STRUCT:
        return bool(found == OBJECT)
    if kind == _TEXT:
        return bool(found == STRING or found == ESCAPED)
    if kind == _BOOLEAN:
        return bool(found == BOOLEAN)
    if found != NUMBER:
        return False
    if kind == _INTEGER:
        return _integer(text, tape[row].start, tape[row].stop) <= _HIGH
    return _is_double(text, tape[row].start, tape[row].stop)


@borrowing
def _all_fit(text: Bytes, tape: Tape, row: int, kind: int) -> bool:
    """Whether a column of lists can hold a value: an array whose items all fit."""
    if tape[row].kind != ARRAY:
        return False
    item, stop = row + 1, tape[row].after
    while item < stop:
        if not _fits(text, tape, item, kind):
            return False
        item = tape[item].after
    return True


@compiled
def place(
    text: Bytes, tape: Tape, rows: int, places: Places, steps: Steps, names: Bytes, rooms: Rooms, strays: Ints
) -> int:
    """Give each value its place (`tape.node`) and slot (`tape.job`), and count what each place needs.

    strays: filled with the rows of properties that are put into `other_json` though they are no ids or companions;
    their number is returned. The tape holds resources alone, each an object.
    """
    row, lost = 0, 0
    while row < rows:
        entry = tape[row]
        around = int(entry.parent)
        if around < 0:
            entry.node, entry.job = 0, rooms[0].slots
            rooms[0].slots += 1
            row += 1
            continue
        above = int(tape[around].node)
        if places[above].kind == LIST:
            here = above + 1
            kind, slot = int(places[here].kind), rooms[here].slots
            rooms[here].slots += 1
        else:
            here = _step(text, entry.key + 1, entry.name, above, steps, names)
            kind, slot = int(places[here].kind), int(tape[around].job)
            fits = here != 0
            if fits and kind == LIST and entry.kind != NULL:
                fits = _all_fit(text, tape, row, int(places[here + 1].kind))
            elif fits:
                fits = _fits(text, tape, row, kind)
            if not fits:
                other = int(places[above].other)
                entry.node, entry.job = -2 - other if other else _NOWHERE, slot
                if other:
                    # A brace or comma before it, and a brace behind.
                    rooms[other].bytes += entry.stop - entry.key + 2
                    rooms[other].filled += 1
                    if here or not _is_kept_aside(text, entry.key, above, places, steps, names):
                        strays[lost] = row
                        lost += 1
                row = int(entry.after)
                continue
        entry.job = slot
        if entry.kind == NULL or kind == IGNORED:
            entry.node = _NOWHERE
            row = int(entry.after)
            continue
        entry.node = here
        rooms[here].filled += 1
        if kind == _TEXT:
            rooms[here].bytes += entry.stop - entry.start - 2
        elif kind == _DECIMAL or kind == _JSON:
            rooms[here].bytes += entry.stop - entry.start
        row = row + 1 if kind == LIST or kind == _STRUCT else int(entry.after)
    return lost


@borrowing
def _put(text: Bytes, start: int, stop: int, texts: Bytes, to: int) -> int:
    """Copy a stretch of text; returns the place behind it."""
    for at in range(start, stop):
        texts[to] = text[at]
        to += 1
    return to


@borrowing
def _hex4(text: Bytes, at: int) -> int:
    """The number that four hex digits spell."""
    point = 0
    for place in range(at, at + 4):
        digit = int(text[place])
        point = point * 16 + (digit - 48 if digit <= 57 else (digit | 32) - 87)
    return point


@borrowing
def _put_utf8(point: int, texts: Bytes, to: int) -> int:
    """Write a code point as UTF-8; returns the place behind it."""
    if point < 0x80:
        texts[to] = point
        return to + 1
    if point < 0x800:
        texts[to] = 0xC0 | point >> 6
        texts[to + 1] = 0x80 | point & 63
        return to + 2
    if point < 0x10000:
        texts[to] = 0xE0 | point >> 12
        texts[to + 1] = 0x80 | (point >> 6) & 63
        texts[to + 2] = 0x80 | point & 63
        return to + 3
    texts[to] = 0xF0 | point >> 18
    texts[to + 1] = 0x80 | (point >> 12) & 63
    texts[to + 2] = 0x80 | (point >> 6) & 63
    texts[to + 3] = 0x80 | point & 63
    return to + 4


@borrowing
def _put_spelled(text: Bytes, start: int, stop: int, texts: Bytes, to: int) -> int:
    """Copy what a JSON string spells, which is never longer; its escapes are sound. Returns the place behind it."""
    at = start
    while at < stop:
        if text[at] != _BACKSLASH:
            texts[to] = text[at]
            to += 1
            at += 1
            continue
        code = text[at + 1]
        at += 2
        if code == 117:  # u
            point = _hex4(text, at)
            at += 4
            if 0xD800 <= point < 0xDC00:
                point = 0x10000 + ((point - 0xD800) << 10) + _hex4(text, at + 2) - 0xDC00
                at += 6
            to = _put_utf8(point, texts, to)
            continue
        if code == 110:
            code = np.uint8(10)
        elif code == 116:
            code = np.uint8(9)
        elif code == 114:
            code = np.uint8(13)
        elif code == 98:
            code = np.uint8(8)
        elif code == 102:
            code = np.uint8(12)
        texts[to] = code
        to += 1
    return to


@compiled
def fill(
    text: Bytes, tape: Tape, rows: int, places: Places, parts: Parts, marks: Bytes, numbers: Ints, texts: Bytes
) -> None:
    """Put every value where `place` has placed it.

    parts: where the room of each place begins; its `texts` is left behind the last text. marks, numbers: all zero. A
    mark is 1 for what is there, 3 for true. Numbers are integers, the lengths of texts and of lists.
    """
    row = 0
    while row < rows:
        entry = tape[row]
        here, slot = int(entry.node), int(entry.job)
        if entry.parent < 0:
            row += 1
            continue
        if here == _NOWHERE:
            row = int(entry.after)
            continue
        start, stop = int(entry.start), int(entry.stop)
        if here < _NOWHERE:
            part = parts[-2 - here]
            begin = to = part.texts
            if marks[part.marks + slot]:
                begin, to = to, to - 1
                texts[to] = _COMMA
            else:
                marks[part.marks + slot] = 1
                texts[to] = _OPEN
            to = _put(text, int(entry.key), stop, texts, to + 1)
            texts[to] = _CLOSE
            part.texts = to + 1
            numbers[part.numbers + slot] += to + 1 - begin
            row = int(entry.after)
            continue
        kind = int(places[here].kind)
        part = parts[here]
        marks[part.marks + slot] = 1
        if kind == _STRUCT:
            row += 1
            continue
        if kind == LIST:
            count, item, after = 0, row + 1, int(entry.after)
            while item < after:
                count += 1
                item = int(tape[item].after)
            numbers[part.numbers + slot] = count
            row += 1
            continue
        if kind == _BOOLEAN:
            marks[part.marks + slot] = 3 if text[start] == 116 else 1
        elif kind == _INTEGER:
            numbers[part.numbers + slot] = _integer(text, start, stop)
        else:
            begin = part.texts
            if kind != _TEXT:
                to = _put(text, start, stop, texts, begin)
            elif entry.kind == ESCAPED:
                to = _put_spelled(text, start + 1, stop - 1, texts, begin)
            else:
                to = _put(text, start + 1, stop - 1, texts, begin)
            numbers[part.numbers + slot] = to - begin
            part.texts = to
        row = int(entry.after)
