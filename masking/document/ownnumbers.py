"""What a resource is known by: its id and its Identifiers, where its own texts tell them.

A number belongs to one resource, so knowing it makes a text unlike all others; only texts in which it may stand are told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
import numpy as np

from masking.document.surroundings import text_of
from masking.document.tables import IDENTIFIER_NODE
from masking.document.tape import ESCAPED, STRING, Tape, name_hash
from masking.document.walk import STAYS, UNDECIDED, Frames, member
from masking.maskers.base import APART, BETWEEN
from masking.native import Bytes, Ints, Of, compiled

if TYPE_CHECKING:
    from masking.document.batch import Walked

_ID, _VALUE, _CONTAINED, _SYSTEM, _TYPE = map(name_hash, ("id", "value", "contained", "system", "type"))
_DATA, _SIZE, _HASH = map(name_hash, ("data", "size", "hash"))
#: Numbers that R4 has in elements of their own, masked like Identifiers that name no system.
_NUMBERS = np.array([name_hash(name) for name in ("serialNumber", "lotNumber", "distinctIdentifier", "subscriberId")])
#: And what another rule masks: a text that tells it shows that something went.
_OTHERS = np.array([name_hash(name) for name in ("altId", "carrierHRF")])
#: A text that may tell a number: its place among those asked for, and the row of the id or of the Identifier's value.
TOLD = np.dtype([("place", np.int32), ("row", np.int32)])
Found: TypeAlias = Annotated[Any, Of(TOLD)]
#: A number has so many figures, or as many symbols with so many figures among them.
_FIGURES, _MIXED = 6, 3
_DAY = re.compile(r"[12][0-9]{3}-[01][0-9](?:-[0-3][0-9])?(?:T.*)?$")
#: Of one resource, with what it contains, the first so many are looked for.
_MOST = 200
#: The end of a number by which it is looked for first, in bytes: whatever punctuation a text puts into it, hardly there.
TAIL = 4


@compiled
def _is_number(name: np.uint64) -> bool:
    """Whether an element is one of those that hold numbers."""
    for at in range(len(_NUMBERS)):
        if _NUMBERS[at] == name:
            return True
    for at in range(len(_OTHERS)):
        if _OTHERS[at] == name:
            return True
    return False


@compiled
def _own_numbers(tape: Tape, node_flags: Ints, frames: Frames, root: int, held: Ints) -> int:
    """The rows of the id and the Identifiers' values of a resource, and of those in what it contains, not of entries or
    parameters; of what the policy keeps none. Returns how many, as far as there is room.
    """
    count, row = 0, root + 1
    while row < tape[root].after:
        parent = int(tape[row].parent)
        if tape[row].fate == UNDECIDED or (row == frames[tape[row].frame].row and tape[parent].name != _CONTAINED):
            row = int(tape[row].after)
            continue
        if (tape[row].kind == STRING or tape[row].kind == ESCAPED) and tape[row].fate != STAYS:
            name = tape[row].name
            is_number = name == _VALUE and node_flags[tape[parent].node] & IDENTIFIER_NODE
            is_number |= _is_number(name) or (name == _ID and parent == root)
            if is_number and tape[row].stop - tape[row].start - 2 >= TAIL:
                held[count] = row
                count += 1
                if count == len(held):
                    return count
        row += 1
    return count


@compiled
def _may_tell(text: Bytes, tape: Tape, row: int, number: int) -> bool:
    """Whether the end of a number stands in a text."""
    ends = int(tape[number].stop) - 1
    first = ends - TAIL
    for at in range(tape[row].start + 1, tape[row].stop - TAIL):
        same = 0
        while same < TAIL and text[at + same] == text[first + same]:
            same += 1
        if same == TAIL:
            return True
    return False


@compiled
def find_told(text: Bytes, tape: Tape, node_flags: Ints, frames: Frames, rows: Ints, held: Ints, found: Found) -> int:
    """Of these texts those that may tell numbers of their own resource: attachments, and where a number ends as the text has
    it. Returns how many, of which there may be more than there is room for. held: room for the numbers of one resource.
    """
    count, frame, numbers, last = 0, -1, 0, -1
    for place in range(len(rows)):
        row = int(rows[place])
        if tape[row].frame != frame:
            frame = int(tape[row].frame)
            root = int(frames[frame].row)
            while frames[tape[root].frame].around >= 0:  # what is contained tells of what contains it
                root = int(frames[frames[tape[root].frame].around].row)
            if root != last:
                numbers = _own_numbers(tape, node_flags, frames, root, held)
                last = root
        name = tape[row].name
        is_hidden = name == _DATA or name == _SIZE or name == _HASH
        for number in range(numbers):
            if is_hidden or _may_tell(text, tape, row, int(held[number])):
                if count < len(found):
                    found[count].place, found[count].row = place, held[number]
                count += 1
    return count


@compiled
def _beside(tape: Tape, rows: Ints, systems: Ints, types: Ints) -> None:
    """The rows of the system and the type beside each Identifier's value, -1 where there is none."""
    for place in range(len(rows)):
        around = int(tape[rows[place]].parent)
        systems[place], types[place] = text_of(tape, around, _SYSTEM), member(tape, around, _TYPE)


def numbers_in(walked: Walked, rows: Ints) -> dict[int, bytes]:
    """By place among these texts, the numbers of their resource as the context `numbers` has them."""
    held, room = np.empty(_MOST, np.int32), 2 * len(rows) + 64
    while True:
        found = np.empty(room, TOLD)
        count = find_told(walked.text, walked.tape, walked.look.node_flags, walked.frames, rows, held, found)
        if count <= room:
            break
        room = count
    places, numbers = found["place"][:count].tolist(), np.ascontiguousarray(found["row"][:count])
    systems, types = np.empty((2, count), np.int32)
    _beside(walked.tape, numbers, systems, types)
    values, in_systems = walked.strings(numbers), walked.strings(systems)
    is_one = {value: _is_one(value or b"") for value in set(values)}
    names = walked.tape["name"][numbers]
    is_id, is_other = (names == _ID).tolist(), np.isin(names, _OTHERS).tolist()
    told: dict[int, list[bytes]] = {}
    for at, place in enumerate(places):
        value = values[at] or b""
        if not is_one[values[at]] and not (is_id[at] and _stands_in(walked, int(rows[place]), value)):
            continue
        if is_id[at]:
            kind = walked.types[int(walked.frames["type"][walked.tape["frame"][numbers[at]]])]
            told.setdefault(place, []).append(f"{kind}/".encode() + value)
        elif is_other[at]:
            told.setdefault(place, []).append(APART.encode() + value)
        else:
            codes = _codes(walked, int(types[at]))
            told.setdefault(place, []).append(APART.encode().join((in_systems[at] or b"", codes, value)))
    return {place: BETWEEN.encode().join(dict.fromkeys(found)) for place, found in told.items()}


def _is_one(value: bytes) -> bool:
    """Whether a value is told by its form: `120/80`, `2024-05-01`, `100 mg` and `HBA1C` are words of a text as well."""
    spelled = value.decode()
    symbols = [one for one in spelled if one.isalnum()]
    figures = sum(map(str.isdigit, symbols))
    if _DAY.match(spelled):
        return False
    return figures >= _FIGURES if figures == len(symbols) else figures >= _MIXED and len(symbols) >= _FIGURES


def _stands_in(walked: Walked, row: int, own_id: bytes) -> bool:
    """Whether a text has an id with few figures (`og-example1`) as it is spelled: other spellings are words, as `COVID-19` is."""
    text = walked.raw[walked.tape[row]["start"] : walked.tape[row]["stop"]]
    has_both = any(48 <= one <= 57 for one in own_id) and any(97 <= one <= 122 for one in own_id)
    return len(own_id) >= _FIGURES and has_both and own_id in text


def _codes(walked: Walked, row: int) -> bytes:
    """The codes of an Identifier's type, with spaces between."""
    if row < 0:
        return b""
    kind = msgspec.json.decode(walked.raw[walked.tape[row]["start"] : walked.tape[row]["stop"]])
    coding = kind.get("coding") if isinstance(kind, dict) else None
    found = [one.get("code") for one in coding if isinstance(one, dict)] if isinstance(coding, list) else []
    return msgspec.json.encode(" ".join(code for code in found if isinstance(code, str)))[1:-1]
