"""What stands around a value: the rows where a masker's context is found, and the rows that say whose a resource is.

Each name in `masking.maskers.base.CONTEXT` is found beside the value, in the nearest enclosing object that R4 gives
such an element, or at the root of its resource. Nothing is looked for beyond the resource.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np

from masking.document.tables import ADDRESS_NODE, HAS_FAMILY, HAS_GENDER, HAS_NAME, HAS_SYSTEM, HAS_UNIT, NAME_NODE
from masking.document.tape import ARRAY, ESCAPED, OBJECT, STRING, Tape, hash_bytes, name_hash
from masking.document.walk import UNDECIDED, Frames, member
from masking.fhir.compartment import says_whose, subject_paths
from masking.native import Bytes, Hashes, Ints, Of, compiled, making

_SYSTEM, _FAMILY, _UNIT, _CODE, _GENDER = map(name_hash, ("system", "family", "unit", "code", "gender"))
_DECEASED, _BIRTH_DATE, _GIVEN, _ADDRESS = map(name_hash, ("deceasedDateTime", "birthDate", "given", "address"))
_REFERENCE, _IDENTIFIER, _VALUE = map(name_hash, ("reference", "identifier", "value"))
_ID, _CONTENT_TYPE, _DATA, _WHO, _NAME = map(name_hash, ("id", "contentType", "data", "who", "name"))
_TYPE = name_hash("type")
#: What may name the subject of a resource: its frame, the row of a reference or of an Identifier, and whether it stands
#: where R4 says whose the resource is.
CANDIDATE = np.dtype([("frame", np.int32), ("row", np.int32), ("says_whose", np.int32)])
Found: TypeAlias = Annotated[Any, Of(CANDIDATE)]
#: Where a subject's id stands, its hash, and the number of the type whose own id it is; -1 if a patient is named.
SPAN = np.dtype([("hash", np.uint64), ("start", np.int32), ("stop", np.int32), ("own", np.int32)])
Spans: TypeAlias = Annotated[Any, Of(SPAN)]
#: What makes up a whole address, in the order in which its masker wants it.
_ADDRESS_PARTS = np.array([name_hash(name) for name in ("line", "city", "state", "postalCode", "country")], np.uint64)
#: Names of context by number, for compiled loops.
NAMES = (
    "system",
    "family",
    "unit",
    "sex",
    "deceased",
    "birth_date",
    "given",
    "address",
    "referent",
    "content_type",
    "data",
)
(
    _OF_SYSTEM,
    _OF_FAMILY,
    _OF_UNIT,
    _OF_SEX,
    _OF_DECEASED,
    _OF_BIRTH_DATE,
    _OF_GIVEN,
    _OF_ADDRESS,
    _OF_REFERENT,
    _OF_CONTENT_TYPE,
    _OF_DATA,
) = range(11)


@compiled
def text_of(tape: Tape, around: int, name: np.uint64) -> int:
    """The row of a property that is a string, or -1."""
    row = member(tape, around, name)
    return row if row >= 0 and tape[row].kind in (STRING, ESCAPED) else -1


@compiled
def _nearest(tape: Tape, node_flags: Ints, row: int, root: int, flag: int) -> int:
    """The nearest enclosing object of a node with this flag, not beyond the root; -1 where there is none."""
    while True:
        if tape[row].kind == OBJECT and node_flags[tape[row].node] & flag:
            return row
        if row == root:
            return -1
        row = int(tape[row].parent)


@compiled
def _first_object(tape: Tape, row: int) -> int:
    if row >= 0 and tape[row].kind == ARRAY:
        row = row + 1 if tape[row].after > row + 1 else -1
    return row if row >= 0 and tape[row].kind == OBJECT else -1


@compiled
def _put_texts(text: Bytes, tape: Tape, row: int, comma: bool, out: Bytes, size: int) -> int:
    """Write the strings of an array, or the one string at a row, one after the other; the size then."""
    if row < 0:
        return size
    at, end, count = row, row + 1, 0
    if tape[row].kind == ARRAY:
        at, end = row + 1, int(tape[row].after)
    while at < end:
        if tape[at].kind in (STRING, ESCAPED):
            if count:
                if comma:
                    out[size] = 44
                    size += 1
                out[size] = 32
                size += 1
            count += 1
            for place in range(tape[at].start + 1, tape[at].stop - 1):
                out[size] = text[place]
                size += 1
        at = int(tape[at].after)
    return size


@compiled
def join_texts(text: Bytes, tape: Tape, rows: Ints, out: Bytes, ends: Ints) -> int:
    """Write the strings of these arrays, with a space between two; negative rows hold none. `ends`: where each ends."""
    size = 0
    for place in range(len(rows)):
        size = _put_texts(text, tape, rows[place], False, out, size)
        ends[place] = size
    return size


@compiled
def join_addresses(text: Bytes, tape: Tape, rows: Ints, out: Bytes, ends: Ints) -> int:
    """Write these addresses as `line, line|city|state|postalCode|country`, whatever their parts. `ends`: where each ends."""
    size = 0
    for place in range(len(rows)):
        if rows[place] >= 0:
            for part in range(len(_ADDRESS_PARTS)):
                if part:
                    out[size] = 124
                    size += 1
                size = _put_texts(text, tape, member(tape, rows[place], _ADDRESS_PARTS[part]), True, out, size)
        ends[place] = size
    return size


@compiled
def find_references(tape: Tape, frames: Frames, wanted: Ints, found: Found) -> int:
    """All references in these resources, literal or (the row of an Identifier) by number, not in those that they contain.

    Returns how many, of which there may be more than there is room for. `wanted` is 1 for each frame that is asked for.
    """
    count = 0
    for frame in range(len(frames)):
        if not wanted[frame]:
            continue
        root = int(frames[frame].row)
        row, end = root + 1, int(tape[root].after)
        while row < end:
            if tape[row].fate == UNDECIDED or (tape[row].kind == OBJECT and tape[row].frame != frame):
                row = int(tape[row].after)
                continue
            literal = tape[row].name == _REFERENCE and tape[row].kind in (STRING, ESCAPED)
            by_number = (
                tape[row].name == _IDENTIFIER
                and tape[row].kind == OBJECT
                and text_of(tape, tape[row].parent, _REFERENCE) < 0
            )
            if literal or by_number:
                if count < len(found):
                    found[count].frame, found[count].row = frame, row
                count += 1
            row += 1
    return count


# ── whose a resource is ──


class Paths(NamedTuple):
    """The paths that lead to the subject of a type, best first.

    of_type: of a type's number its first path, and the next type's. steps: of a path its first name, and the next one's.
    says_whose: of a path, see `masking.fhir.compartment`.
    """

    of_type: Ints
    steps: Ints
    names: Hashes
    says_whose: Bytes


def make_paths(types: list[str]) -> Paths:
    """The paths of all these types."""
    of_type, steps, names, says = [0], [0], [], []
    for name in types:
        for path in subject_paths(name):
            names += [name_hash(step) for step in path.split(".")]
            steps.append(len(names))
            says.append(says_whose(name, path))
        of_type.append(len(steps) - 1)
    return Paths(
        np.array(of_type, np.int32), np.array(steps, np.int32), np.array(names, np.uint64), np.array(says, np.uint8)
    )


@compiled
def context_rows(tape: Tape, node_flags: Ints, frames: Frames, rows: Ints, name: int, found: Ints) -> None:
    """Where the context of these values stands: the row of a string, of an array of given names, of an Address, of a
    reference or, where there is none, of the Identifier beside it; -1.
    """
    for place in range(len(rows)):
        around = tape[rows[place]].parent
        if tape[around].kind == ARRAY:
            around = int(tape[around].parent)
        root = frames[tape[around].frame].row
        flags = node_flags[tape[around].node]
        row = -1
        if name == _OF_SYSTEM and flags & HAS_SYSTEM:
            row = text_of(tape, around, _SYSTEM)
        elif name == _OF_FAMILY and flags & HAS_FAMILY:
            row = text_of(tape, around, _FAMILY)
        elif name == _OF_UNIT and flags & HAS_UNIT:
            row = text_of(tape, around, _CODE)
            if row < 0:
                row = text_of(tape, around, _UNIT)
        elif name == _OF_SEX:
            holder = _nearest(tape, node_flags, around, root, HAS_GENDER)
            row = text_of(tape, holder, _GENDER) if holder >= 0 else -1
        elif name == _OF_DECEASED:
            row = text_of(tape, root, _DECEASED)
        elif name == _OF_BIRTH_DATE:
            row = text_of(tape, root, _BIRTH_DATE)
        elif name == _OF_GIVEN and flags & NAME_NODE:
            row = member(tape, around, _GIVEN)
            row = row if row >= 0 and tape[row].kind == ARRAY else -1
        elif name == _OF_ADDRESS:
            row = _nearest(tape, node_flags, around, root, ADDRESS_NODE)
            row = row if row >= 0 else _first_object(tape, member(tape, root, _ADDRESS))
        elif name == _OF_CONTENT_TYPE:
            row = text_of(tape, around, _CONTENT_TYPE)
        elif name == _OF_DATA:
            row = text_of(tape, around, _DATA)
        elif name == _OF_REFERENT:
            who = member(tape, around, _WHO)
            around = who if who >= 0 and tape[who].kind == OBJECT else around
            row = text_of(tape, around, _REFERENCE)
            if row < 0:
                row = member(tape, around, _IDENTIFIER)
                row = row if row >= 0 and tape[row].kind == OBJECT else -1
        found[place] = row


@compiled
def find_names(tape: Tape, node_flags: Ints, frames: Frames, rows: Ints, found: Ints) -> None:
    """For values that stand in no name: the row of the `name` of whom the nearest enclosing object is about. -1 where
    there is none, -2 where a value stands in a name itself.
    """
    for place in range(len(rows)):
        around = int(tape[rows[place]].parent)
        if tape[around].kind == ARRAY:
            around = int(tape[around].parent)
        found[place] = -2
        if not node_flags[tape[around].node] & NAME_NODE:
            holder = _nearest(tape, node_flags, around, int(frames[tape[around].frame].row), HAS_NAME)
            found[place] = member(tape, holder, _NAME) if holder >= 0 else -1


@compiled
def own_ids(tape: Tape, frames: Frames, found: Ints) -> None:
    """The row of each resource's own id, or -1."""
    for frame in range(len(frames)):
        found[frame] = text_of(tape, frames[frame].row, _ID)


@compiled
def _follow(tape: Tape, here: Ints, size: int, name: np.uint64, there: Ints) -> int:
    """The values of a property of all objects here; arrays give way to their items."""
    reached = 0
    for place in range(size):
        row = here[place]
        below = member(tape, row, name) if tape[row].kind == OBJECT else -1
        if below < 0:
            continue
        if tape[below].kind != ARRAY:
            there[reached] = below
            reached += 1
            continue
        item = below + 1
        while item < tape[below].after:
            there[reached] = item
            reached += 1
            item = int(tape[item].after)
    return reached


@compiled
def _is_patient(text: Bytes, start: int, stop: int) -> bool:
    """Whether a reference is `Patient/` and an id of letters, digits, dots and hyphens, and nothing else."""
    if stop - start < 9 or text[start] != 80 or text[start + 3] != 105 or text[start + 7] != 47:
        return False
    for offset, letter in enumerate((80, 97, 116, 105, 101, 110, 116, 47)):
        if text[start + offset] != letter:
            return False
    for at in range(start + 8, stop):
        letter = text[at]
        if not (97 <= letter | 32 <= 122 or 48 <= letter <= 57 or letter == 45 or letter == 46):
            return False
    return True


@functools.cache
def number_of(name: str) -> int:
    """The number of a name of context."""
    return NAMES.index(name)


@compiled
def _plain_subject(text: Bytes, tape: Tape, root: int, path: int, paths: Paths) -> int:
    """The row of the `Patient/1` that the first value at a path names, where it is that plain; else -1.

    -2 where nothing stands at the path, so that the next path may be looked at.
    """
    row, nothing = root, -2
    for step in range(paths.steps[path], paths.steps[path + 1]):
        row = member(tape, row, paths.names[step])
        if row >= 0 and tape[row].kind == ARRAY:
            nothing = -1  # another item may have what the first lacks
            row = row + 1 if tape[row].after > row + 1 else -1
        if row < 0:
            return nothing
        if tape[row].kind != OBJECT:
            return -1
    row = text_of(tape, row, _REFERENCE)
    if row < 0 or tape[row].kind != STRING or not _is_patient(text, int(tape[row].start) + 1, int(tape[row].stop) - 1):
        return -1
    return row


@compiled
def _own_plain(tape: Tape, frames: Frames, frame: int) -> int:
    """The row of the id of a resource that nothing contains, where it holds no escape; else -1."""
    if frames[frame].around >= 0:
        return -1
    row = text_of(tape, frames[frame].row, _ID)
    return row if row >= 0 and tape[row].kind == STRING else -1


@compiled
def find_identifiers(tape: Tape, identifiers: Ints, systems: Ints, values: Ints) -> None:
    """The rows of the system and the value of each Identifier, or -1."""
    for place in range(len(identifiers)):
        systems[place] = text_of(tape, identifiers[place], _SYSTEM)
        values[place] = text_of(tape, identifiers[place], _VALUE)


@compiled
def reference_types(tape: Tape, rows: Ints, found: Ints) -> None:
    """The rows of the types that References say they point at, or -1; the rows given are of what stands in them."""
    for place in range(len(rows)):
        found[place] = text_of(tape, int(tape[rows[place]].parent), _TYPE)


@compiled
def find_plain(
    text: Bytes, tape: Tape, frames: Frames, wanted: Ints, paths: Paths, persons: Bytes, found: Spans
) -> None:
    """The spans of the subjects' ids, with their hashes, where they are plainly written: a person's own id, the first
    reference that could name a subject if it is `Patient/1` and nothing else, the own id of what names nobody.
    Elsewhere `start` is -1.
    """
    for place in range(len(wanted)):
        frame, span = frames[wanted[place]], found[place]
        span.start = -1
        root = int(frame.row)
        row, skip = -1, 0
        if persons[frame.type]:
            row = _own_plain(tape, frames, wanted[place])
        else:
            skip = 8
            for path in range(paths.of_type[frame.type], paths.of_type[frame.type + 1]):
                row = _plain_subject(text, tape, root, path, paths)
                if row != -2:
                    break
            if (row < 0 and row != -1) or paths.of_type[frame.type] == paths.of_type[frame.type + 1]:
                # Nobody is named: it is its own subject.
                row, skip = _own_plain(tape, frames, wanted[place]), 0
        if row >= 0:
            span.start, span.stop = tape[row].start + 1 + skip, tape[row].stop - 1
            span.own = -1 if skip else frame.type
            span.hash = hash_bytes(text, int(span.start), int(span.stop))


@making
def find_candidates(text: Bytes, tape: Tape, frames: Frames, wanted: Ints, paths: Paths, found: Found) -> int:
    """What may name the subjects of these frames, best first, frame by frame; how many, of which there may be more
    than there is room for. A plain `Patient/1` ends the search: nothing after it matters.
    """
    count = 0
    most = 0
    for frame in wanted:
        most = max(most, tape[frames[frame].row].after - frames[frame].row)
    here, there = np.empty(most, np.int32), np.empty(most, np.int32)
    for frame in wanted:
        kind = frames[frame].type
        for path in range(paths.of_type[kind], paths.of_type[kind + 1]):
            here[0] = frames[frame].row
            size = 1
            for step in range(paths.steps[path], paths.steps[path + 1]):
                size = _follow(tape, here, size, paths.names[step], there)
                here, there = there, here
            done = False
            for place in range(size):
                row = here[place]
                if tape[row].kind != OBJECT:
                    continue
                candidate = text_of(tape, row, _REFERENCE)
                if candidate < 0:
                    candidate = member(tape, row, _IDENTIFIER)
                    if candidate < 0 or tape[candidate].kind != OBJECT:
                        continue
                if count < len(found):
                    found[count].frame, found[count].row = frame, candidate
                    found[count].says_whose = paths.says_whose[path]
                count += 1
                if tape[candidate].kind == STRING and _is_patient(
                    text, tape[candidate].start + 1, tape[candidate].stop - 1
                ):
                    done = True
                    break
            if done:
                break
    return count
