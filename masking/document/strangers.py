"""Whom a resource names and no record describes: displays beside references to them, names of authors, agents and relatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np

from masking.document.surroundings import text_of
from masking.document.tables import BEARS_NAME, MAY_NAME
from masking.document.tape import ESCAPED, OBJECT, STRING, Tape, name_hash
from masking.document.walk import STAYS, UNDECIDED, Frames, member
from masking.maskers.base import APART, BETWEEN
from masking.native import Ints, Of, compiled

if TYPE_CHECKING:
    from masking.document.batch import Walked
    from masking.document.strings import Part

_DISPLAY, _REFERENCE, _IDENTIFIER, _AUTHOR = map(name_hash, ("display", "reference", "identifier", "authorString"))
_NAME, _WHO = map(name_hash, ("name", "who"))
#: A text that names somebody: its resource's frame, its row, and the row of the reference or the Identifier beside it; -1.
SAID = np.dtype([("frame", np.int32), ("row", np.int32), ("beside", np.int32)])
#: Whose name stands in one string in resources of these types: a human, and who is told by nothing.
_SOMEBODY, _BEARING_NAMES = b"RelatedPerson/", ("AuditEvent", "FamilyMemberHistory")
Found: TypeAlias = Annotated[Any, Of(SAID)]


@compiled
def find_said(tape: Tape, node_flags: Ints, frames: Frames, wanted: Ints, found: Found) -> int:
    """The displays of References to people and places in these resources, and the names of authors, agents and relatives, not
    those of resources that they contain. Returns how many, of which there may be more than there is room for. `wanted` is 1
    for each frame that is asked for.
    """
    count = 0
    for frame in range(len(frames)):
        if not wanted[frame]:
            continue
        root = int(frames[frame].row)
        row, end = root + 1, int(tape[root].after)
        while row < end:
            kind, fate = tape[row].kind, tape[row].fate
            if fate == UNDECIDED or (kind == OBJECT and tape[row].frame != frame):
                row = int(tape[row].after)
                continue
            said, beside = -1, -1
            if kind == OBJECT:
                if fate == STAYS and node_flags[tape[row].node] & MAY_NAME:
                    said, beside = text_of(tape, row, _DISPLAY), text_of(tape, row, _REFERENCE)
                    if said >= 0 and beside < 0:
                        beside = member(tape, row, _IDENTIFIER)
                        beside = beside if beside >= 0 and tape[beside].kind == OBJECT else -1
            elif kind == STRING or kind == ESCAPED:
                around = int(tape[row].parent)
                if tape[row].name == _AUTHOR:
                    said = row
                elif tape[row].name == _NAME and node_flags[tape[around].node] & BEARS_NAME:
                    said, who = row, member(tape, around, _WHO)
                    beside = text_of(tape, who, _REFERENCE) if who >= 0 and tape[who].kind == OBJECT else -1
            if said >= 0:
                if count < len(found):
                    found[count].frame, found[count].row, found[count].beside = frame, said, beside
                count += 1
            row += 1
    return count


def strangers_in(walked: Walked, frames: Ints) -> dict[int, bytes]:
    """By frame, the strangers of these resources as the context `strangers` has them; those without any are left out.

    Those too whose record is known, if a display has another name for them than the record.
    """
    wanted = np.zeros(len(walked.frames), np.int32)
    wanted[frames] = 1
    room = 8 * len(frames) + 64
    while True:
        found = np.empty(room, SAID)
        count = find_said(walked.tape, walked.look.node_flags, walked.frames, wanted, found)
        if count <= room:
            break
        room = count
    found = found[:count]
    rows, beside = (np.ascontiguousarray(found[name]) for name in ("row", "beside"))
    names: list[Part] = [None] * count
    is_stranger = beside < 0
    is_literal = ~is_stranger & (walked.tape["kind"][beside] != OBJECT) & ~walked.is_fragment(beside)
    numbers, place = np.unique(walked.numbers_of(beside[is_literal]), return_inverse=True)
    called = [walked.references.name(number) if number >= 0 else None for number in numbers.tolist()]
    unknown = [name is not None and walked.references.is_unknown(name) for name in called]
    is_stranger[is_literal] = np.array([*unknown, False])[place]
    for at, number in zip(np.flatnonzero(is_literal).tolist(), place.tolist(), strict=True):
        names[at] = called[number]
    by_number = np.flatnonzero(~is_literal & (beside >= 0) & (walked.tape["kind"][beside] == OBJECT))
    for at, name in zip(by_number.tolist(), walked.named_by_number(beside[by_number]), strict=True):
        is_stranger[at] = name is None or walked.references.is_unknown(name)
        names[at] = name
    named = np.flatnonzero(is_stranger | np.array([name is not None for name in names], bool))
    texts = walked.strings(rows[named])
    said: dict[int, set[bytes]] = {}
    for at, text in zip(named.tolist(), texts, strict=True):
        name = names[at]
        if not is_stranger[at] and (name is None or not text or not walked.references.is_other_name(name, text)):
            continue  # the record says it all
        kind = walked.types[walked.frames["type"][found["frame"][at]]]
        who = names[at] or (_SOMEBODY if kind in _BEARING_NAMES else b"")
        said.setdefault(int(found["frame"][at]), set()).add(who + APART.encode() + (text or b""))
    return {frame: BETWEEN.encode().join(sorted(those)) for frame, those in said.items()}
