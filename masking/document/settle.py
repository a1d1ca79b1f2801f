"""After the maskers: what they could not read goes, what empties goes with its contents, what must stand leaves a reason.

One pass over a document from its last row to its first, so that contents are settled before what holds them.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np

from masking.native import Bytes, Ints, Of, bytes_of, compiled
from masking.document.tables import (
    EXTENSION_NODE,
    IS_COMPANION,
    IS_PRIMITIVE,
    IS_REQUIRED,
    SAYS,
    Children,
    Rules,
)  # fmt: skip
from masking.document.tape import ARRAY, NULL, OBJECT, Tape, hash_bytes
from masking.document.walk import (
    ASKED,
    CONSTANT,
    FINE,
    FRESH_META,
    GOES,
    NULLED,
    SAYS_ABSENT,
    STAYS,
    UNDECIDED,
    UNREAD,
    VOUCHED,
    Frames,
    member,
)  # fmt: skip

_META, _ID, _RESOURCE_TYPE = (
    np.uint64(hash_bytes(bytes_of(name), 0, len(name))) for name in (b"meta", b"id", b"resourceType")
)
#: In `Answers.stop`: the masker could not read the value; or it goes without being counted.
UNREADABLE, GONE = -1, -2


#: What a masker answered: a span in the text of all answers, `stop` may be UNREADABLE or GONE; and whether something of
#: the value was blanked, so that the resource counts as redacted.
ANSWER = np.dtype([("start", np.int32), ("stop", np.int32), ("blanks", np.int32)])
Spans: TypeAlias = Annotated[Any, Of(ANSWER)]


class Answers(NamedTuple):
    """A row a job."""

    text: Bytes
    spans: Spans


@compiled
def leaf_rule(tape: Tape, row: int, children: Children, rules: Rules) -> int:
    """The rule whose constant a value becomes: of a vouched text that is not, its fallback."""
    rule = int(tape[row].rule)
    return rule if rules[rule].constant_start >= 0 else children[tape[row].child].fallback


@compiled
def _is_named(text: Bytes, begin: int, blob: Bytes, start: int, stop: int) -> bool:
    for offset in range(stop - start):
        if text[begin + offset] != blob[start + offset]:
            return False
    return bool(text[begin + stop - start] == 34)


@compiled
def _drop_companions(
    tape: Tape, text: Bytes, row: int, children: Children, rules: Rules, node_flags: Ints, blob: Bytes
) -> None:
    """A data-absent-reason stands for a primitive and its companion: the companion goes."""
    at, end = row + 1, int(tape[row].after)
    while at < end:
        if tape[at].fate == SAYS_ABSENT:
            child = int(tape[at].child)
            start, stop = children[child].name_start, children[child].name_stop
            other = row + 1
            while other < end:
                key = int(tape[other].key)
                if text[key + 1] == 95 and _is_named(text, key + 2, blob, start, stop):
                    tape[other].fate = GOES
                other = int(tape[other].after)
        at = int(tape[at].after)


@compiled
def _place_labels(tape: Tape, text: Bytes, row: int, frames: Frames, frame: int) -> None:
    """Where the labels of a resource will stand: in its `meta`, in place of one that goes, or in one that is put in."""
    meta = member(tape, row, _META)
    if meta < 0:
        after = member(tape, row, _ID)
        if after < 0 or tape[after].fate in (GOES, UNREAD):
            after = member(tape, row, _RESOURCE_TYPE)
        frames[frame].meta_after = after
    elif tape[meta].fate != STAYS or tape[meta].kind != OBJECT:
        tape[meta].fate = FRESH_META


@compiled
def _settle_object(
    tape: Tape,
    text: Bytes,
    row: int,
    children: Children,
    rules: Rules,
    node_flags: Ints,
    blob: Bytes,
    frames: Frames,
    labels: bool,
) -> int:
    """Decide which properties of an object stay, and whether it does."""
    longer = 0
    frame = int(tape[row].frame)
    is_resource = frames[frame].row == row
    bears_labels = labels and is_resource and frames[frame].around < 0
    is_extension = not is_resource and node_flags[tape[row].node] & EXTENSION_NODE != 0
    last, properties, says = -1, 0, False
    absent = 0
    at, end = row + 1, int(tape[row].after)
    while at < end:
        properties += 1
        if tape[at].fate in (GOES, UNREAD):
            frames[frame].redacts = 1
            child = int(tape[at].child)
            if child >= 0 and (children[child].flags & IS_REQUIRED or rules[tape[at].rule].absent):
                tape[at].fate = SAYS_ABSENT
                longer += children[child].absent_stop - children[child].absent_start
                absent += 1
        at = int(tape[at].after)
    if absent:
        _drop_companions(tape, text, row, children, rules, node_flags, blob)
    if bears_labels:
        _place_labels(tape, text, row, frames, frame)
    at = row + 1
    while at < end:
        if tape[at].fate not in (GOES, UNREAD):
            last = at
            child = int(tape[at].child)
            says = says or (child >= 0 and children[child].flags & SAYS != 0)
        at = int(tape[at].after)
    tape[row].job = last
    if (is_extension and not says) or (not is_extension and properties > 0 and last < 0):
        tape[row].fate = GOES
    return longer


@compiled
def _has_companion(tape: Tape, text: Bytes, row: int) -> bool:
    """Whether a property of the same name behind an underscore stands beside this one."""
    begin = tape[row].key + 1
    size = 0
    while text[begin + size] != 34:
        size += 1
    around = int(tape[row].parent)
    at, end = around + 1, int(tape[around].after)
    while at < end:
        key = int(tape[at].key)
        if text[key + 1] == 95 and _is_named(text, key + 2, text, begin, begin + size):
            return True
        at = int(tape[at].after)
    return False


@compiled
def _settle_array(
    tape: Tape, text: Bytes, row: int, children: Children, rules: Rules, node_flags: Ints, blob: Bytes, frames: Frames
) -> int:
    """Decide which items of an array stay, and whether it does."""
    last, gone, nulls, items = -1, 0, 0, 0
    at, end = row + 1, int(tape[row].after)
    while at < end:
        items += 1
        if tape[at].fate in (GOES, UNREAD):
            gone += 1
        else:
            last = at
            nulls += tape[at].kind == NULL
        at = int(tape[at].after)
    tape[row].job = last
    if gone == 0:
        return 0
    frames[tape[row].frame].redacts = 1
    flags = children[tape[row].child].flags
    if gone == items or (flags & (IS_PRIMITIVE | IS_COMPANION) and gone + nulls == items):
        tape[row].fate = GOES
        return 0
    if not (flags & IS_COMPANION or (flags & IS_PRIMITIVE and _has_companion(tape, text, row))):
        return 0
    # Primitives and their companions answer to each other by index: one that goes leaves a null.
    at = row + 1
    while at < end:
        if tape[at].fate in (GOES, UNREAD):
            tape[at].fate = NULLED
            last = at
        at = int(tape[at].after)
    tape[row].job = max(last, tape[row].job)
    return 4 * gone


@compiled
def settle(
    tape: Tape, text: Bytes, top: int, end: int, children: Children, rules: Rules, node_flags: Ints, blob: Bytes,
    frames: Frames, answers: Answers,    unread: Ints, unknown: Ints, labels: bool,
) -> int:  # fmt: skip
    """Settle the rows of one document; how many bytes its masked text may be longer.

    unread, unknown: counts of values that cannot be read, by child; and of names that R4 does not have, by node.
    """
    longer = 0
    for row in range(end - 1, top - 1, -1):
        fated = tape[row].fate
        if fated == UNDECIDED:
            continue
        frame = int(tape[row].frame)
        if fated in (ASKED, VOUCHED):
            job = int(tape[row].job)
            stop = answers.spans[job].stop
            if stop >= 0:
                longer += stop - answers.spans[job].start
                fated = ASKED
                tape[row].fate = ASKED
                frames[frame].redacts |= answers.spans[job].blanks
            else:
                fated = UNREAD if stop == UNREADABLE else GOES
                tape[row].fate = fated
        elif fated == CONSTANT:
            rule = leaf_rule(tape, row, children, rules)
            longer += rules[rule].constant_stop - rules[rule].constant_start
            frames[frame].redacts = 1
        elif fated == STAYS and tape[row].kind == OBJECT:
            longer += _settle_object(tape, text, row, children, rules, node_flags, blob, frames, labels)
            fated = tape[row].fate
        elif fated == STAYS and tape[row].kind == ARRAY:
            longer += _settle_array(tape, text, row, children, rules, node_flags, blob, frames)
            fated = tape[row].fate
        if fated == UNREAD:
            child = int(tape[row].child)
            if child < -1:
                unknown[-2 - child] += 1
            else:
                unread[child] += 1
        if fated in (UNREAD, GOES):
            frames[frame].redacts = 1
    return longer


@compiled
def settle_all(
    text: Bytes, tape: Tape, first: Ints, states: Bytes, children: Children, rules: Rules, node_flags: Ints, blob: Bytes,
    frames: Frames,    answers: Answers, unread: Ints, unknown: Ints, labels: bool,
) -> int:  # fmt: skip
    """Settle every document that is FINE, and tell containers what their contents lose; how many bytes all may be longer."""
    longer = 0
    for document in range(len(states)):
        if states[document] == FINE:
            longer += settle(
                tape,
                text,
                first[document],
                first[document + 1],
                children,
                rules,
                node_flags,
                blob,
                frames,
                answers,
                unread,
                unknown,
                labels,
            )
    for frame in range(len(frames) - 1, -1, -1):
        around = frames[frame].around
        if around != -1 and frames[frame].redacts:
            frames[around if around >= 0 else -2 - around].redacts = 1
    return longer
