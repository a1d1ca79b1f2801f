"""The masked texts: all that stays is copied, what goes is passed over, answers and labels are put in."""

from __future__ import annotations

import numpy as np

from masking.document.labels import PSEUDED, REDACTED, SYSTEM
from masking.document.lookup import same, unescape
from masking.document.settle import Answers, leaf_rule
from masking.document.tables import Children, Rules
from masking.document.tape import ARRAY, ESCAPED, OBJECT, STRING, Tape, name_hash
from masking.document.walk import (
    ASKED,
    CONSTANT,
    FINE,
    FRESH_META,
    GOES,
    NULLED,
    SAYS_ABSENT,
    STAYS,
    UNREAD,
    Frames,
    member,
)  # fmt: skip
from masking.native import Bytes, Ints, bytes_of, compiled, making

_META, _SECURITY, _SYSTEM, _CODE = (name_hash(name) for name in ("meta", "security", "system", "code"))
_OPEN, _CLOSE = b'"meta":{"security":[', b"]}"
_NAMED_OPEN = b'"security":['
#: Everything that is put in beside answers, in one array.
PHRASES = bytes_of(
    b",".join([PSEUDED, REDACTED]) + _OPEN + _CLOSE + _NAMED_OPEN + SYSTEM + b"null" + b"PSEUDED" + b"REDACTED"
)
#: A document may become longer by this much through its labels.
LABELS_SIZE = len(PSEUDED) + len(REDACTED) + 64
_A = len(PSEUDED)
_B = _A + 1 + len(REDACTED)
_C = _B + len(_OPEN)
_D = _C + len(_CLOSE)
_E = _D + len(_NAMED_OPEN)
_F = _E + len(SYSTEM)
_G = _F + 4
_H = _G + 7
_COMMA = 44
#: What is to be put in at a place: nothing, `,"meta":{…}`, labels behind a comma or not, `"security":[…]` likewise.
_NOTHING, _META_ANEW, _ITEMS, _FIRST_ITEMS, _PROPERTY, _FIRST_PROPERTY = range(6)


@compiled
def _copy(text: Bytes, start: int, stop: int, out: Bytes, size: int) -> int:
    for at in range(start, stop):
        out[size] = text[at]
        size += 1
    return size


@making
def _spells(text: Bytes, tape: Tape, row: int, phrases: Bytes, start: int, stop: int) -> bool:
    if tape[row].kind not in (STRING, ESCAPED):
        return False
    begin, end = int(tape[row].start) + 1, int(tape[row].stop) - 1
    if tape[row].kind == ESCAPED:
        plain = np.empty(end - begin, np.uint8)
        return same(plain, 0, unescape(text, begin, end, plain), phrases, start, stop)
    return same(text, begin, end, phrases, start, stop)


@compiled
def _label_of(text: Bytes, tape: Tape, item: int, phrases: Bytes) -> int:
    """1 if a coding is the label PSEUDED, 2 if REDACTED, else 0."""
    system, code = member(tape, item, _SYSTEM), member(tape, item, _CODE)
    if system < 0 or code < 0 or not _spells(text, tape, system, phrases, _E, _F):
        return 0
    return (
        1 if _spells(text, tape, code, phrases, _G, _H) else 2 if _spells(text, tape, code, phrases, _H, _H + 8) else 0
    )


@compiled
def _labels_in_meta(text: Bytes, tape: Tape, meta: int, redacts: int, phrases: Bytes) -> tuple[int, int, int]:
    """Where and how the labels that a `meta` lacks go into it: the place, the form, and which (1 PSEUDED, 2 REDACTED)."""
    wanted = 1 + 2 * redacts
    security = member(tape, meta, _SECURITY)
    if security >= 0 and tape[security].fate == STAYS and tape[security].kind == ARRAY:
        item = security + 1
        while item < tape[security].after:
            if tape[item].kind == OBJECT:
                wanted &= ~_label_of(text, tape, item, phrases)
            item = tape[item].after
        if wanted == 0:
            return -1, _NOTHING, 0
        last = tape[security].job
        at = int(tape[last].stop) if last >= 0 else int(tape[security].stop) - 1
        return at, _ITEMS if last >= 0 else _FIRST_ITEMS, wanted
    last = tape[meta].job
    at = int(tape[last].stop) if last >= 0 else int(tape[meta].stop) - 1
    return at, _PROPERTY if last >= 0 else _FIRST_PROPERTY, wanted


@compiled
def _put_labels(both: int, phrases: Bytes, out: Bytes, size: int) -> int:
    if both == 1:
        return _copy(phrases, 0, _A, out, size)
    if both == 2:
        return _copy(phrases, _A + 1, _B, out, size)
    return _copy(phrases, 0, _B, out, size)


@compiled
def _put_meta(both: int, phrases: Bytes, out: Bytes, size: int) -> int:
    size = _copy(phrases, _B, _C, out, size)
    size = _put_labels(both, phrases, out, size)
    return _copy(phrases, _C, _D, out, size)


@compiled
def _put(
    text: Bytes, cursor: int, put_at: int, put: int, both: int, phrases: Bytes, out: Bytes, size: int
) -> int:  # fmt: skip
    """Copy up to the place where something is due, and put it in."""
    size = _copy(text, cursor, put_at, out, size)
    if put in (_META_ANEW, _ITEMS, _PROPERTY):
        out[size] = _COMMA
        size += 1
    if put == _META_ANEW:
        return _put_meta(both, phrases, out, size)
    if put in (_PROPERTY, _FIRST_PROPERTY):
        size = _copy(phrases, _D, _E, out, size)
    size = _put_labels(both, phrases, out, size)
    if put in (_PROPERTY, _FIRST_PROPERTY):
        size = _copy(phrases, _C, _C + 1, out, size)
    return size


@compiled
def write(
    text: Bytes, begin: int, stop: int, tape: Tape, top: int, end: int, children: Children, rules: Rules, blob: Bytes,
    frames: Frames, answers: Answers, labels: bool, phrases: Bytes, out: Bytes, size: int,
) -> int:  # fmt: skip
    """Write the masked text of one settled document that spans `begin` to `stop`; the size of `out` then."""
    cursor = begin
    put_at, put, both = -1, _NOTHING, 0  # at most one insertion is due at a time
    row = int(top)
    while row < end:
        fated = tape[row].fate
        around = int(tape[row].parent)
        if labels and around >= 0 and tape[around].kind == OBJECT:
            owner = tape[around].frame
            if frames[owner].row == around and frames[owner].around < 0:
                redacts = int(frames[owner].redacts)
                is_meta = fated == STAYS and tape[row].kind == OBJECT and tape[row].name == _META
                if is_meta or row == frames[owner].meta_after:
                    if put_at >= 0:  # what was due before comes first
                        size = _put(text, cursor, put_at, put, both, phrases, out, size)
                        cursor = put_at
                    put_at, put, both = int(tape[row].stop), _META_ANEW, 1 + 2 * redacts
                    if is_meta:
                        put_at, put, both = _labels_in_meta(text, tape, row, redacts, phrases)
        if fated == STAYS:
            row = row + 1 if tape[row].kind in (OBJECT, ARRAY) else int(tape[row].after)
            continue
        is_property = tape[row].key >= 0
        first = int(tape[row].key if is_property else tape[row].start)
        if fated in (GOES, UNREAD):
            last = tape[around].job
            if row < last:
                # Cut it with what parts it from the next.
                following = tape[row].after
                until = int(tape[following].key if is_property else tape[following].start)
                skip = row
            else:
                # Cut it and all behind it, with what parts them from the last that stays.
                if last >= 0:
                    first = int(tape[last].stop)
                skip = row
                while tape[skip].after < tape[around].after:
                    skip = tape[skip].after
                until = int(tape[skip].stop)
            if 0 <= put_at <= first:
                size = _put(text, cursor, put_at, put, both, phrases, out, size)
                cursor, put_at = put_at, -1
            size = _copy(text, cursor, first, out, size)
            cursor = until
            row = int(tape[skip].after)
            continue
        if fated in (ASKED, CONSTANT):
            inside = 1 if tape[row].kind in (STRING, ESCAPED) else 0
            first, until = int(tape[row].start) + inside, int(tape[row].stop) - inside
        elif fated == NULLED:
            first, until = int(tape[row].start), int(tape[row].stop)
        else:
            until = int(tape[row].stop)
        if 0 <= put_at <= first:
            size = _put(text, cursor, put_at, put, both, phrases, out, size)
            cursor, put_at = put_at, -1
        size = _copy(text, cursor, first, out, size)
        cursor = until
        if fated == ASKED:
            job = tape[row].job
            size = _copy(answers.text, int(answers.spans[job].start), int(answers.spans[job].stop), out, size)
        elif fated == CONSTANT:
            rule = leaf_rule(tape, row, children, rules)
            size = _copy(blob, int(rules[rule].constant_start), int(rules[rule].constant_stop), out, size)
        elif fated == SAYS_ABSENT:
            child = tape[row].child
            size = _copy(blob, int(children[child].absent_start), int(children[child].absent_stop), out, size)
        elif fated == FRESH_META:
            size = _put_meta(1 + 2 * int(frames[tape[around].frame].redacts), phrases, out, size)
        else:
            size = _copy(phrases, _F, _G, out, size)
        row = int(tape[row].after)
    if put_at >= 0:
        size = _put(text, cursor, put_at, put, both, phrases, out, size)
        cursor = put_at
    return _copy(text, cursor, stop, out, size)


@compiled
def write_all(
    text: Bytes, begins: Ints, ends: Ints, tape: Tape, first: Ints, states: Bytes, children: Children, rules: Rules, blob: Bytes,
    frames: Frames, answers: Answers, labels: bool, phrases: Bytes, out: Bytes, offsets: Ints,
) -> int:  # fmt: skip
    """Write every document that is FINE; `offsets` are where each begins in `out`, and the size at the end."""
    size = 0
    for document in range(len(begins)):
        offsets[document] = size
        if states[document] == FINE:
            size = write(
                text, begins[document], ends[document], tape, first[document], first[document + 1], children, rules, blob,
                frames, answers, labels, phrases, out, size,
            )  # fmt: skip
    offsets[len(begins)] = size
    return size
