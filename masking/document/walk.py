"""The compiled walk: every value of a batch gets its rule and, for now, its fate; what maskers must answer is listed.

Rows of a tape come parents first, so one pass from top to bottom decides each value with what is known of the object
it stands in. Two things are left for `settle`: what a masker cannot read goes, and what empties goes with its contents.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np

from masking.document.lookup import (
    ABSENT,
    Places,
    Texts,
    begins_with,
    find,
    find_string,
    get,
    joint,
    put,
    same,
    unescape,
)
from masking.document.tables import (
    ASK,
    ASKED_FOR,
    DROPPED,
    IS_ARRAY,
    IS_CONTAINED,
    IS_EXTENSION,
    IS_IDENTIFIER_VALUE,
    IS_PRIMITIVE,
    IS_REFERRED,
    IS_RESOURCE,
    IS_RESOURCE_TYPE,
    IS_VOUCHED_DISPLAY,
    IS_VOUCHED_TEXT,
    KEEP,
    MASK,
    NUMBER_KIND,
    REDACT,
    REFUSED,
    TEXT_KIND,
    Children,
    Look,
    Rules,
)  # fmt: skip
from masking.document.tape import (
    ARRAY,
    BOOLEAN,
    ESCAPED,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    Tape,
    name_hash,
)  # fmt: skip
from masking.native import Bytes, Ints, Of, compiled, making

#: What becomes of a value. UNDECIDED is whatever stands in something that goes.
STAYS, GOES, UNREAD, ASKED, CONSTANT, SAYS_ABSENT, NULLED, FRESH_META, VOUCHED, UNDECIDED = range(10)
#: What may be wrong with a document that is valid JSON.
FINE, NOT_A_RESOURCE, NO_TYPE, UNKNOWN_TYPE, REFUSED_TYPE, DROPPED_TYPE, WAITS = range(7)
#: What the walk asks of `Tables`.
FOR_ROOT, FOR_CHILD, FOR_NODE, FOR_URL = range(4)


_RESOURCE_TYPE, _URL, _SYSTEM, _TYPE = map(name_hash, ("resourceType", "url", "system", "type"))
_CODING, _CODE, _DISPLAY = map(name_hash, ("coding", "code", "display"))


#: A row a resource.
#:
#: row: its row on the tape. type: its type's number. around: the frame of its container; below -1 the frame of a Bundle
#: (or the like) that it stands in, as `-2 - frame`; -1 for a whole document. redacts: whether anything in it goes or is
#: blanked. meta_after: after which of its properties a new `meta` is put in; -1 where there is one.
FRAME = np.dtype([(name, np.int32) for name in ("row", "type", "around", "redacts", "meta_after")])
#: What maskers must answer: the row of the value, and its rule.
JOB = np.dtype([("row", np.int32), ("rule", np.int32)])
#: What `Tables` must answer before a document can be walked: what for, and two numbers that say of what.
QUESTION = np.dtype([("what", np.int32), ("where", np.int32), ("which", np.int32)])
Frames: TypeAlias = Annotated[Any, Of(FRAME)]
Jobs: TypeAlias = Annotated[Any, Of(JOB)]
Questions: TypeAlias = Annotated[Any, Of(QUESTION)]


@compiled
def member(tape: Tape, around: int, name: np.uint64) -> int:
    """The row of a property of an object by the hash of its name, or -1."""
    row, end = int(around) + 1, int(tape[around].after)
    while row < end:
        if tape[row].name == name:
            return row
        row = int(tape[row].after)
    return -1


#: Added to a type's number, so that it is not zero.
_TYPES = 1


@compiled
def enter(text: Bytes, tape: Tape, row: int, types: Texts, roots: Ints) -> int:
    """The number of the type of the resource at this row and _TYPES, or minus what is wrong with it."""
    if tape[row].kind != OBJECT:
        return -NOT_A_RESOURCE
    named = member(tape, row, _RESOURCE_TYPE)
    if named < 0 or tape[named].kind not in (STRING, ESCAPED):
        return -NO_TYPE
    number = find_string(types, text, tape[named].kind, int(tape[named].start), int(tape[named].stop))
    if number == ABSENT:
        return -UNKNOWN_TYPE
    if roots[number] == REFUSED:
        return -REFUSED_TYPE
    return -DROPPED_TYPE if roots[number] == DROPPED else number + _TYPES


@compiled
def _is_vouched(text: Bytes, start: int, stop: int, systems: Texts, prefixes: Ints, blob: Bytes) -> bool:
    if find(systems, text, start, stop) != ABSENT:
        return True
    for place in range(0, len(prefixes), 2):
        if begins_with(text, start, stop, blob, int(prefixes[place]), int(prefixes[place + 1])):
            return True
    return False


@making
def vouches(text: Bytes, tape: Tape, coding: int, systems: Texts, prefixes: Ints, blob: Bytes) -> bool:
    """Whether the code system of a coding is one whose displays the policy keeps."""
    row = member(tape, coding, _SYSTEM)
    if row < 0 or tape[row].kind not in (STRING, ESCAPED):
        return False
    start, stop = int(tape[row].start) + 1, int(tape[row].stop) - 1
    if tape[row].kind == ESCAPED:
        plain = np.empty(stop - start, np.uint8)
        return _is_vouched(plain, 0, unescape(text, start, stop, plain), systems, prefixes, blob)
    return _is_vouched(text, start, stop, systems, prefixes, blob)


@compiled
def identifier_rule(text: Bytes, tape: Tape, identifier: int, systems: Texts, codes: Texts) -> int:
    """The rule of an identifier's value: by its system, else by the first of its type codes that has one, else ABSENT."""
    system = member(tape, identifier, _SYSTEM)
    if system >= 0 and tape[system].kind in (STRING, ESCAPED):
        rule = find_string(systems, text, tape[system].kind, int(tape[system].start), int(tape[system].stop))
        if rule != ABSENT:
            return rule
    kind = member(tape, identifier, _TYPE)
    coding = member(tape, kind, _CODING) if kind >= 0 and tape[kind].kind == OBJECT else -1
    if coding >= 0 and tape[coding].kind == ARRAY:
        item = coding + 1
        while item < tape[coding].after:
            code = member(tape, item, _CODE) if tape[item].kind == OBJECT else -1
            if code >= 0 and tape[code].kind in (STRING, ESCAPED):
                rule = find_string(codes, text, tape[code].kind, int(tape[code].start), int(tape[code].stop))
                if rule != ABSENT:
                    return rule
            item = int(tape[item].after)
    return ABSENT


#: What a vouched text turns out to be.
_NO_DISPLAYS, _DIFFERS, _UNCLEAR, _REPEATS = range(4)


@compiled
def _compare(text: Bytes, tape: Tape, one: int, other: int) -> int:
    start, stop = int(tape[one].start), int(tape[one].stop)
    begin, end = int(tape[other].start), int(tape[other].stop)
    if same(text, start, stop, text, begin, end):
        return _REPEATS
    is_plain = tape[one].kind == STRING and tape[other].kind == STRING
    differs = stop - start != end - begin
    for at in range(start, stop):
        left = text[at]
        is_plain = is_plain and left < 128
        if not differs:
            right = text[begin + at - start]
            differs = left != right and not ((left | 32) == (right | 32) and 97 <= (left | 32) <= 122)
    for at in range(begin, end):
        is_plain = is_plain and text[at] < 128
    return _UNCLEAR if not is_plain else _DIFFERS if differs else _REPEATS


#: Places in `used`.
_FRAMES, _JOBS, _QUESTIONS, _WAITING = range(4)


@compiled
def _vouched_text(text: Bytes, tape: Tape, row: int, systems: Texts, prefixes: Ints, blob: Bytes) -> int:
    """Whether a concept's text repeats a display that the policy keeps, whatever the capitals.

    UNCLEAR where letters outside ASCII or escapes make it a matter for Python.
    """
    coding = member(tape, tape[row].parent, _CODING)
    if coding < 0 or tape[coding].kind != ARRAY:
        return _NO_DISPLAYS
    answer = _NO_DISPLAYS
    item = coding + 1
    while item < tape[coding].after:
        display = member(tape, item, _DISPLAY) if tape[item].kind == OBJECT else -1
        if display >= 0 and tape[display].kind in (STRING, ESCAPED):
            if vouches(text, tape, item, systems, prefixes, blob):
                answer = max(answer, _compare(text, tape, row, display))
        item = int(tape[item].after)
    return answer


@compiled
def _ask(asked: Questions, used: Ints, what: int, where: int, which: int) -> bool:
    """Put a question down; False where there is no room: then it is asked when the document is walked again."""
    used[_WAITING] = 1
    if used[_QUESTIONS] == len(asked):
        return False
    question = asked[used[_QUESTIONS]]
    question.what, question.where, question.which = what, where, which
    used[_QUESTIONS] += 1
    return True


@compiled
def _open_frame(frames: Frames, used: Ints, row: int, type_number: int, around: int) -> int:
    number = int(used[_FRAMES])
    used[_FRAMES] += 1
    frame = frames[number]
    frame.row, frame.type, frame.around, frame.redacts, frame.meta_after = row, type_number, around, 0, -1
    return number


@compiled
def _list(jobs: Jobs, used: Ints, tape: Tape, row: int, rule: int) -> None:
    """Put down that a masker must answer for a value."""
    job = int(used[_JOBS])
    used[_JOBS] += 1
    jobs[job].row, jobs[job].rule, tape[row].job = row, rule, job


@compiled
def _is_spelled(text: Bytes, key: int, blob: Bytes, children: Children, child: int) -> bool:
    """Whether a property bears this very name: its closing quote, which no name holds, ends the comparison at the latest."""
    at = key + 1
    for place in range(children[child].name_start, children[child].name_stop):
        if text[at] != blob[place]:
            return False
        at += 1
    return bool(text[at] == 34)


@compiled
def _walk_rows(
    text: Bytes, tape: Tape, top: int, end: int, child_of: Places, children: Children, rules: Rules, blob: Bytes,
    systems: Texts, codes: Texts, default_identifier: int, referred_codes: Texts, default_referred: int,
    code_systems: Texts, prefixes: Ints, types: Texts, roots: Ints, url_of: Places, urls: Texts, frames: Frames,
    jobs: Jobs, asked: Questions, used: Ints,
) -> None:  # fmt: skip
    """Decide each value of one document. Hot: what is looked up at every value comes as an argument of its own."""
    row = top + 1
    while row < end:
        here = tape[row]
        around = tape[here.parent]
        kind = here.kind
        frame = int(around.frame)
        here.frame = frame
        if around.kind == OBJECT:
            node = int(around.node)
            child = get(child_of, joint(node, here.name))
            if child == ASK or child == ASKED_FOR:
                used[_WAITING] = 1
                if child == ASK and _ask(asked, used, FOR_CHILD, node, row):
                    put(child_of, joint(node, here.name), ASKED_FOR)
                row = int(here.after)
                continue
            if child == ABSENT or not _is_spelled(text, here.key, blob, children, child):
                here.child, here.rule, here.fate = -2 - node, -1, UNREAD
                row = int(here.after)
                continue
            what = children[child]
            flags, rule = int(what.flags), int(what.rule)
            here.child = child
            if flags & (IS_RESOURCE_TYPE | IS_IDENTIFIER_VALUE | IS_VOUCHED_DISPLAY):
                if flags & IS_RESOURCE_TYPE:
                    here.fate, here.rule = STAYS, rule
                    row = int(here.after)
                    continue
                if flags & IS_IDENTIFIER_VALUE:
                    refers = flags & IS_REFERRED != 0
                    rule = identifier_rule(text, tape, int(here.parent), systems, referred_codes if refers else codes)
                    if rule == ABSENT:
                        rule = default_referred if refers else default_identifier
                elif not vouches(text, tape, int(here.parent), code_systems, prefixes, blob):
                    rule = int(what.fallback)
            here.rule = rule
            if (kind == ARRAY) != (flags & IS_ARRAY != 0):
                here.fate = UNREAD
                row = int(here.after)
                continue
            if kind == ARRAY:
                here.fate = STAYS
                row += 1
                continue
        else:
            child, rule = int(around.child), int(around.rule)
            flags = int(children[child].flags)
            here.child, here.rule = child, rule
        if kind == NULL:
            here.fate = STAYS
            row += 1
            continue
        if flags & IS_PRIMITIVE:
            is_string = kind == STRING or kind == ESCAPED
            wanted = children[child].kind
            if not (is_string if wanted == TEXT_KIND else kind == NUMBER if wanted == NUMBER_KIND else kind == BOOLEAN):
                here.fate = UNREAD
                row = int(here.after)
                continue
            row += 1
            found = _NO_DISPLAYS
            if flags & IS_VOUCHED_TEXT and rule == children[child].rule:
                found = _vouched_text(text, tape, row - 1, code_systems, prefixes, blob)
                rule = int(children[child].fallback)
                if found == _REPEATS or rules[rule].action == KEEP:
                    here.fate = STAYS
                    continue
            action = rules[rule].action
            if found == _UNCLEAR:
                _list(jobs, used, tape, row - 1, rule)
                here.fate = VOUCHED
            elif action != MASK:
                here.fate = STAYS if action == KEEP else GOES
            elif is_string and rules[rule].constant_start >= 0:
                here.fate = CONSTANT
            else:
                _list(jobs, used, tape, row - 1, rule)
                here.fate = ASKED
            continue
        if kind != OBJECT:
            here.fate = UNREAD
            row = int(here.after)
            continue
        if rules[rule].action == REDACT or rules[rule].is_masked:
            here.fate = GOES
            row = int(here.after)
            continue
        if flags & IS_RESOURCE:
            number = enter(text, tape, row, types, roots)
            if number <= 0:
                here.fate = UNREAD
                row = int(here.after)
                continue
            number -= _TYPES
            node = int(roots[number])
            if node == ASK or node == ASKED_FOR:
                used[_WAITING] = 1
                if node == ASK and _ask(asked, used, FOR_ROOT, number, 0):
                    roots[number] = ASKED_FOR
                row = int(here.after)
                continue
            here.frame = _open_frame(frames, used, row, number, frame if flags & IS_CONTAINED else -2 - frame)
        else:
            node = int(children[child].node)
            if node == ASK or node == ASKED_FOR:
                used[_WAITING] = 1
                if node == ASK and _ask(asked, used, FOR_NODE, child, 0):
                    children[child].node = ASKED_FOR
                row = int(here.after)
                continue
            if flags & IS_EXTENSION:
                named = member(tape, row, _URL)
                url = -1
                if named >= 0 and tape[named].kind in (STRING, ESCAPED):
                    url = find_string(urls, text, tape[named].kind, int(tape[named].start), int(tape[named].stop))
                before = node
                node = get(url_of, joint(before, np.uint64(url + 1)))
                if node == ABSENT:
                    _ask(asked, used, FOR_URL, before, url)
                    row = int(here.after)
                    continue
        here.fate, here.node = STAYS, node
        row += 1


@compiled
def walk(
    text: Bytes, tape: Tape, first: Ints, documents: Ints, look: Look, frames: Frames, jobs: Jobs,
    asked: Questions, used: Ints, states: Bytes, types: Ints,
) -> None:  # fmt: skip
    """Walk these documents. One that has a question WAITS, to be walked again.

    used: how many frames, jobs and questions there are, and whether the document at hand waits. states, types: by
    document, FINE or what is wrong, and its type's number.
    """
    for document in documents:
        top, end = int(first[document]), int(first[document + 1])
        frame_mark, job_mark = used[_FRAMES], used[_JOBS]
        used[_WAITING] = 0
        number = enter(text, tape, top, look.types, look.type_root)
        if number <= 0:
            states[document] = -number
            if number in (-REFUSED_TYPE, -DROPPED_TYPE):
                named = tape[member(tape, top, _RESOURCE_TYPE)]
                types[document] = find_string(look.types, text, named.kind, int(named.start), int(named.stop))
            continue
        number -= _TYPES
        types[document], states[document] = number, FINE
        root = int(look.type_root[number])
        if root == ASK or root == ASKED_FOR:
            if root == ASK and _ask(asked, used, FOR_ROOT, number, 0):
                look.type_root[number] = ASKED_FOR
            states[document] = WAITS
            continue
        for row in range(top, end):
            tape[row].fate = UNDECIDED
        whole = tape[top]
        whole.fate, whole.node, whole.child, whole.rule = STAYS, root, -1, -1
        whole.frame = _open_frame(frames, used, top, number, -1)
        _walk_rows(
            text, tape, top, end, look.child_of, look.children, look.rules, look.blob, look.systems, look.codes,
            look.default_identifier, look.referred_codes, look.default_referred, look.code_systems, look.code_prefixes,
            look.types, look.type_root, look.url_of, look.urls, frames, jobs, asked, used,
        )  # fmt: skip
        if used[_WAITING]:
            states[document] = WAITS
            used[_FRAMES], used[_JOBS] = frame_mark, job_mark
