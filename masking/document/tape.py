"""A batch of JSON texts as a tape: one row a value, parents before children, texts one after the other.

The tape says where each value and its key stand in the text, what kind of value it is, and what it belongs to. It
copies nothing: a value is a span of the text, so what is not touched stays the very bytes it was.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from masking.document.native import Bytes, Ints, Of, bytes_of, compiled

OBJECT, ARRAY, STRING, ESCAPED, NUMBER, BOOLEAN, NULL = range(7)
#: What may be wrong with a valid JSON text.
FINE, TOO_DEEP, DUPLICATE_KEY = range(3)

#: Objects and arrays may be nested so deep, the outermost not counted.
MAX_DEPTH = 100
#: Objects with more properties than this look for names that occur twice by sorting.
_FEW = 64

_QUOTE, _BACKSLASH, _COMMA, _COLON = 34, 92, 44, 58
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY = 123, 125, 91, 93
_T, _F, _N = 116, 102, 110
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
Tape = Annotated[np.ndarray, Of(ROW)]


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


_NAME = b"resourceType"
_RESOURCE_TYPE = np.uint64(hash_bytes(bytes_of(_NAME), 0, len(_NAME)))


@compiled
def _is_known(tape: Tape, around: int, rows: int, wanted: np.uint64) -> bool:
    """Whether an object that is still open has a property of that name."""
    row = around + 1
    while row < rows:
        if tape[row].name == wanted:
            return True
        row = tape[row].after
    return False


@compiled
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
def scan(text: Bytes, begins: Ints, ends: Ints, tape: Tape, first: Ints, faults: Bytes) -> tuple[int, int]:
    """Fill the tape with the documents at these spans, each of them one valid JSON text, white space around it at most.

    first: of each document its first row, and after the last one the number of rows. faults: FINE, or why a document
    has no rows. Returns the number of rows, or -1 where the tape is too short, and of properties called `resourceType`.
    """
    last, resources = len(tape) - 1, 0
    seen = np.empty(MAX_DEPTH + 2, np.uint64)
    count = np.empty(MAX_DEPTH + 2, np.int32)
    rows = 0
    for document in range(len(begins)):
        first[document] = rows
        faults[document] = FINE
        at, end = begins[document], ends[document]
        depth, around, key_at = -1, -1, -1
        is_object = False
        key_name = np.uint64(0)
        while at < end:
            if rows > last:
                return -1, 0
            byte = text[at]
            if byte == _QUOTE:
                begin = at
                at += 1
                if is_object and key_at < 0:
                    found = _BASIS
                    while text[at] != _QUOTE:
                        if text[at] == _BACKSLASH:
                            found = (found ^ np.uint64(_BACKSLASH)) * _PRIME
                            at += 1
                        found = (found ^ np.uint64(text[at])) * _PRIME
                        at += 1
                    at += 1
                    key_at, key_name = begin, found
                    resources += found == _RESOURCE_TYPE
                    count[depth] += 1
                    if count[depth] <= _FEW:
                        bit = np.uint64(1) << (found >> np.uint64(58))
                        if seen[depth] & bit and _is_known(tape, around, rows, found):
                            faults[document] = DUPLICATE_KEY
                            break
                        seen[depth] |= bit
                    continue
                escaped = False
                while text[at] != _QUOTE:
                    if text[at] == _BACKSLASH:
                        escaped = True
                        at += 1
                    at += 1
                at += 1
                tape[rows].kind = ESCAPED if escaped else STRING
            elif byte in (_COMMA, _COLON) or byte <= _SPACE:
                at += 1
                continue
            elif byte in (_OPEN_OBJECT, _OPEN_ARRAY):
                depth += 1
                if depth > MAX_DEPTH:
                    faults[document] = TOO_DEEP
                    break
                is_object = byte == _OPEN_OBJECT
                tape[rows].kind = OBJECT if is_object else ARRAY
                tape[rows].start, tape[rows].key, tape[rows].name, tape[rows].parent = at, key_at, key_name, around
                seen[depth], count[depth] = 0, 0
                around, key_at, key_name = rows, -1, np.uint64(0)
                rows += 1
                at += 1
                continue
            elif byte in (_CLOSE_OBJECT, _CLOSE_ARRAY):
                at += 1
                if is_object and count[depth] > _FEW and _has_twins(tape, around, rows, count[depth]):
                    faults[document] = DUPLICATE_KEY
                    break
                tape[around].stop, tape[around].after = at, rows
                around = tape[around].parent
                depth -= 1
                is_object = around >= 0 and tape[around].kind == OBJECT
                continue
            else:
                begin = at
                tape[rows].kind = BOOLEAN if byte in (_T, _F) else NULL if byte == _N else NUMBER
                while at < end and text[at] not in (_COMMA, _CLOSE_OBJECT, _CLOSE_ARRAY) and text[at] > _SPACE:
                    at += 1
            tape[rows].start, tape[rows].stop, tape[rows].key = begin, at, key_at
            tape[rows].name, tape[rows].parent, tape[rows].after = key_name, around, rows + 1
            key_at, key_name = -1, np.uint64(0)
            rows += 1
        if faults[document] != FINE:
            rows = first[document]
    first[len(begins)] = rows
    return rows, resources
