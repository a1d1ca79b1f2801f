"""A batch of JSON texts as a tape: one row a value, parents before children, texts one after the other.

The tape says where each value and its key stand in the text, what kind of value it is, and what it belongs to. It
copies nothing: a value is a span of the text, so what is not touched stays the very bytes it was.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np

from masking.native import Bytes, Ints, Of, bytes_of, compiled, making

OBJECT, ARRAY, STRING, ESCAPED, NUMBER, BOOLEAN, NULL = range(7)
#: What may be wrong with a text.
FINE, TOO_DEEP, DUPLICATE_KEY, NOT_JSON = range(4)
#: What may come next in a text.
_VALUE, _FIRST_ITEM, _KEY, _FIRST_KEY, _COLON_NEXT, _MORE, _NOTHING = range(7)

#: Objects and arrays may be nested so deep, the outermost not counted.
MAX_DEPTH = 100
#: Objects with more properties than this look for names that occur twice by sorting.
_FEW = 64

_QUOTE, _BACKSLASH, _COMMA, _COLON = 34, 92, 44, 58
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY = 123, 125, 91, 93
_T, _F, _N, _U = 116, 102, 110, 117
_SPACE = 32

# FNV-1a, 64 bits (RFC 9923). Names are looked up by their hash and then compared byte by byte.
_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)


#: One row a value.
#:
#: name: the hash of its name; 0 where it has none.
#: start, stop: its span in the text, quotes and brackets included.
#: key: where its name's opening quote stands; -1 for items of arrays and for whole documents.
#: parent: the row of the object or array it stands in; -1 for whole documents.
#: after: the row after all that is in it, which is its next neighbour where it has one.
#: kind: OBJECT to NULL; ESCAPED is a string with a backslash in it.
#:
#: Filled in by the walk (`masking.document.walk`):
#: child, rule: what the plan says of it, as rows of `Look`; a child below -1 is a name that R4 does not have, at node
#: `-2 - child`. node: of objects. frame: the resource it stands in. fate: what becomes of it. job: of what a masker must
#: answer, its place among the jobs; of what has contents (once settled), the row of the last that stays, or -1.
ROW = np.dtype(
    [
        ("name", np.uint64),
        *((name, np.int32) for name in ("start", "stop", "key", "parent", "after")),
        *((name, np.int32) for name in ("child", "rule", "node", "frame", "job")),
        ("kind", np.uint8),
        ("fate", np.uint8),
    ],
    align=True,
)
Tape: TypeAlias = Annotated[Any, Of(ROW)]


def make_tape(rows: int) -> Tape:
    """Room for so many values."""
    return np.empty(rows, ROW)


def most_rows(text: bytes, documents: int) -> int:
    """How many values a text can hold at the most: each follows a comma or begins what it stands in."""
    return text.count(b",") + text.count(b"{") + text.count(b"[") + documents + 1


def likely_rows(text: bytes, documents: int) -> int:
    """How many values a text of FHIR hardly exceeds, without a look at it."""
    return len(text) // 12 + documents + 64


@compiled
def hash_bytes(text: Bytes, start: int, stop: int) -> np.uint64:
    """The hash of a stretch of text."""
    found = _BASIS
    for at in range(start, stop):
        found = (found ^ np.uint64(text[at])) * _PRIME
    return found


def name_hash(name: str) -> np.uint64:
    """The hash of a property's name."""
    text = bytes_of(name.encode())
    return np.uint64(hash_bytes(text, 0, len(text)))


_RESOURCE_TYPE = name_hash("resourceType")


@compiled
def _hex4(text: Bytes, at: int, end: int) -> int:
    """The number that four hex digits spell; -1 where they are none."""
    if at + 4 > end:
        return -1
    point = 0
    for place in range(at, at + 4):
        digit = text[place]
        if 48 <= digit <= 57:
            point = point * 16 + digit - 48
        elif 97 <= (digit | 32) <= 102:
            point = point * 16 + (digit | 32) - 87
        else:
            return -1
    return point


@compiled
def _is_known(tape: Tape, around: int, rows: int, wanted: np.uint64) -> bool:
    """Whether an object that is still open has a property of that name."""
    row = around + 1
    while row < rows:
        if tape[row].name == wanted:
            return True
        row = tape[row].after
    return False


@making
def _has_twins(tape: Tape, around: int, rows: int, count: int) -> bool:
    """Whether an object names one property twice."""
    names = np.empty(count, np.uint64)
    row, found = around + 1, 0
    while row < rows:
        names[found] = tape[row].name
        found += 1
        row = tape[row].after
    names.sort()
    for place in range(1, found):
        if names[place] == names[place - 1]:
            return True
    return False


@compiled
def _after_escape(text: Bytes, at: int, end: int) -> int:
    """The place after an escape whose backslash stands at `at`; -1 where it is none, or half of a surrogate pair."""
    if at + 1 >= end:
        return -1
    code = text[at + 1]
    if code != _U:
        is_known = (
            code == _QUOTE or code == _BACKSLASH or code == 47 or code == 98 or code == _F or code == _N or code == 114
            or code == _T
        )  # fmt: skip
        return at + 2 if is_known else -1
    point = _hex4(text, at + 2, end)
    if point < 0 or 0xDC00 <= point < 0xE000:
        return -1
    if point < 0xD800 or point > 0xDFFF:
        return at + 6
    if at + 7 >= end or text[at + 6] != _BACKSLASH or text[at + 7] != _U:
        return -1
    return at + 12 if 0xDC00 <= _hex4(text, at + 8, end) < 0xE000 else -1


@compiled
def _after_digits(text: Bytes, at: int, end: int) -> int:
    """The place after one digit or more; -1 where there is none."""
    begin = at
    while at < end and 48 <= text[at] <= 57:
        at += 1
    return at if at > begin else -1


@compiled
def _after_number(text: Bytes, at: int, end: int) -> int:
    """The place after a number as JSON spells it (RFC 8259); -1 where it is none."""
    if text[at] == 45:
        at += 1
    if at < end and text[at] == 48:
        at += 1
    else:
        at = _after_digits(text, at, end)
    if 0 <= at < end and text[at] == 46:
        at = _after_digits(text, at + 1, end)
    if 0 <= at < end and (text[at] | 32) == 101:
        at += 1
        if at < end and (text[at] == 43 or text[at] == 45):
            at += 1
        at = _after_digits(text, at, end)
    return at


@compiled
def _after_word(text: Bytes, at: int, end: int) -> int:
    """The place after `true`, `false` or `null`; -1 where it is none of them."""
    first = text[at]
    size = 5 if first == _F else 4
    if at + size > end:
        return -1
    if first == _T:
        fits = text[at + 1] == 114 and text[at + 2] == _U and text[at + 3] == 101
    elif first == _N:
        fits = text[at + 1] == _U and text[at + 2] == 108 and text[at + 3] == 108
    else:
        fits = (
            first == _F and text[at + 1] == 97 and text[at + 2] == 108 and text[at + 3] == 115 and text[at + 4] == 101
        )
    return at + size if fits else -1


@making
def scan(text: Bytes, begins: Ints, ends: Ints, tape: Tape, first: Ints, faults: Bytes, wide: Bytes) -> tuple[int, int]:
    """Fill the tape with the documents at these spans, each of them one JSON text (RFC 8259) and white space around it.

    first: of each document its first row, and after the last one the number of rows. faults: FINE, or why a document
    has no rows. wide: whether it holds bytes outside ASCII; that they are UTF-8 is for the caller to see. Returns the
    number of rows, or -1 where the tape is too short, and of properties called `resourceType`.
    """
    most, resources = len(tape) - 1, 0
    seen = np.empty(MAX_DEPTH + 2, np.uint64)
    count = np.empty(MAX_DEPTH + 2, np.int32)
    rows = 0
    for document in range(len(begins)):
        first[document] = rows
        at, end = int(begins[document]), int(ends[document])
        fault, high = FINE, np.uint8(0)
        depth, around, key_at = -1, -1, -1
        is_object = False
        key_name = np.uint64(0)
        awaits = _VALUE
        while at < end:
            if rows > most:
                return -1, 0
            byte = text[at]
            if byte == _QUOTE:
                begin = at
                at += 1
                if awaits == _KEY or awaits == _FIRST_KEY:
                    found = _BASIS
                    while at < end and text[at] != _QUOTE:
                        byte = text[at]
                        stop = at + 1 if byte != _BACKSLASH else _after_escape(text, at, end)
                        if stop < 0 or byte < _SPACE:
                            fault = NOT_JSON
                            break
                        while at < stop:
                            found = (found ^ np.uint64(text[at])) * _PRIME
                            high |= text[at]
                            at += 1
                    if fault or at >= end:
                        fault = NOT_JSON
                        break
                    at += 1
                    awaits = _COLON_NEXT
                    key_at, key_name = begin, found
                    resources += found == _RESOURCE_TYPE
                    count[depth] += 1
                    if count[depth] <= _FEW:
                        bit = np.uint64(1) << (found >> np.uint64(58))
                        if seen[depth] & bit and _is_known(tape, around, rows, found):
                            fault = DUPLICATE_KEY
                            break
                        seen[depth] |= bit
                    continue
                if awaits != _VALUE and awaits != _FIRST_ITEM:
                    fault = NOT_JSON
                    break
                escaped = False
                while at < end:
                    byte = text[at]
                    if byte == _QUOTE:
                        break
                    if byte < _SPACE:
                        fault = NOT_JSON
                        break
                    if byte == _BACKSLASH:
                        escaped = True
                        at = _after_escape(text, at, end)
                        if at < 0:
                            fault = NOT_JSON
                            break
                        continue
                    high |= byte
                    at += 1
                if fault or at >= end:
                    fault = NOT_JSON
                    break
                at += 1
                tape[rows].kind = ESCAPED if escaped else STRING
            elif byte == _COMMA:
                if awaits != _MORE:
                    fault = NOT_JSON
                    break
                awaits = _KEY if is_object else _VALUE
                at += 1
                continue
            elif byte == _COLON:
                if awaits != _COLON_NEXT:
                    fault = NOT_JSON
                    break
                awaits = _VALUE
                at += 1
                continue
            elif byte == _SPACE or byte == 10 or byte == 13 or byte == 9:
                at += 1
                continue
            elif byte == _OPEN_OBJECT or byte == _OPEN_ARRAY:
                if awaits != _VALUE and awaits != _FIRST_ITEM:
                    fault = NOT_JSON
                    break
                depth += 1
                if depth > MAX_DEPTH:
                    fault = TOO_DEEP
                    break
                is_object = byte == _OPEN_OBJECT
                awaits = _FIRST_KEY if is_object else _FIRST_ITEM
                row = tape[rows]
                row.kind = OBJECT if is_object else ARRAY
                row.start, row.key, row.name, row.parent = at, key_at, key_name, around
                seen[depth], count[depth] = 0, 0
                around, key_at, key_name = rows, -1, np.uint64(0)
                rows += 1
                at += 1
                continue
            elif byte == _CLOSE_OBJECT or byte == _CLOSE_ARRAY:
                closes = awaits == _MORE or awaits == _FIRST_KEY or awaits == _FIRST_ITEM
                if not closes or depth < 0 or is_object != (byte == _CLOSE_OBJECT):
                    fault = NOT_JSON
                    break
                at += 1
                if is_object and count[depth] > _FEW and _has_twins(tape, around, rows, count[depth]):
                    fault = DUPLICATE_KEY
                    break
                tape[around].stop, tape[around].after = at, rows
                around = int(tape[around].parent)
                depth -= 1
                is_object = around >= 0 and tape[around].kind == OBJECT
                awaits = _MORE if depth >= 0 else _NOTHING
                continue
            else:
                if awaits != _VALUE and awaits != _FIRST_ITEM:
                    fault = NOT_JSON
                    break
                begin = at
                if byte == _T or byte == _F or byte == _N:
                    tape[rows].kind = NULL if byte == _N else BOOLEAN
                    at = _after_word(text, at, end)
                else:
                    tape[rows].kind = NUMBER
                    at = _after_number(text, at, end)
                if at < 0:
                    fault = NOT_JSON
                    break
            row = tape[rows]
            row.start, row.stop, row.key, row.name, row.parent, row.after = (
                begin,
                at,
                key_at,
                key_name,
                around,
                rows + 1,
            )
            key_at, key_name = -1, np.uint64(0)
            awaits = _MORE if depth >= 0 else _NOTHING
            rows += 1
        if fault == FINE and awaits != _NOTHING:
            fault = NOT_JSON
        faults[document], wide[document] = fault, high > 127
        if fault != FINE:
            rows = int(first[document])
    first[len(begins)] = rows
    return rows, resources
