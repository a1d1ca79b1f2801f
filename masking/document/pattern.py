"""A shape seen often gets a pattern: a regular expression that takes its texts apart, and two functions written for it.

What is kept between two leaves is one group however many keys and values it holds; what goes is matched and not
captured. So a text falls into some ten groups instead of a hundred parts, and the masked text is the groups, the
answers and the constants, joined. The expression asks for the keys and deciding strings of the shape and lets
everything else be; that a text is valid JSON is checked before. The two functions, `take` and `finish`, are what
`Program.gather` and `Program.finish` do, without their loops: written as source, for a loop over ten leaves costs
more than the leaves. No value of a text enters the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from masking.document.draft import Draft
from masking.document.edits import Edit
from masking.document.program import Outer, Program
from masking.document.tokens import LITERAL

_STRING = rb'[^"]*+'
_NUMBER = rb"[-+.0-9eE]++"
#: What `take` found in a text: its groups, its slots, the keys of its context maskers.
Held = tuple[Any, ...]


@dataclass(slots=True)
class Pattern:
    """The two functions of a shape, and the program that does the same for texts in parts.

    take: (checked text with escapes stood in for, Outer) → what it holds, or None for another shape; tells the
    kernels what is wanted.
    finish: what it holds → the masked text, escapes still stood in for. TypeError where a masker could not read a
    value.
    """

    take: Callable[[bytes, Outer], Held | None]
    finish: Callable[[Held], bytes]
    general: Program
    resource_type: str | None
    redacts: bool
    unreadable: Mapping[str, int]


def make_pattern(general: Program) -> Pattern | None:
    """The pattern of a program's shape; None for those that write numbers back or keep nothing."""
    draft = general.draft
    if draft is None or draft.is_dropped or any(slot in draft.targets for slot, _, _ in draft.slots.numbers):
        return None
    writer = _Expression(draft)
    writer.write()
    if not writer.order:
        return None
    match = re.compile(b"".join(writer.expression), re.DOTALL).fullmatch
    take, finish = _Functions(draft, writer).compile(match)
    return Pattern(take, finish, general, draft.resource_type, draft.redacts, draft.unreadable)


class _Expression:
    """Writes the expression from left to right, with the group of each leaf and the order of what is kept.

    order: groups kept as they are (int), constants (bytes), and leaves that a masker replaces: ("leaf", part).
    """

    def __init__(self, draft: Draft) -> None:
        self._parts, self._targets = draft.parts, draft.targets
        self._reads = draft.reads
        self._literal = {*draft.discriminators}
        self._edits = sorted(draft.ledger.edits, key=lambda edit: (edit.start, edit.end))
        self._gone_until: tuple[int, int] | None = None
        self._is_open = False
        self.expression: list[bytes] = []
        self.order: list[int | bytes | tuple[str, int]] = []
        self.group_of: dict[int, int] = {}
        self.groups = 0

    def write(self) -> None:
        """Go through the parts; afterwards the attributes hold the result."""
        last = len(self._parts) - 1
        for part in range(0, last + 1, 2):
            self._structure(part)
            if part < last:
                self._string(part + 1)
        self._close()

    def _structure(self, part: int) -> None:
        text = self._parts[part]
        stops = {0, len(text)}
        ends = [self._gone_until] if self._gone_until else []
        for at, offset in [*ends, *(place for edit in self._edits for place in (edit.start, edit.end))]:
            if at == part:
                stops.add(offset)
        ordered = sorted(stops)
        for start, stop in zip(ordered, [*ordered[1:], None], strict=True):
            self._turn((part, start))
            if stop is not None:
                self._keep(_structure(text[start:stop]))

    def _turn(self, position: tuple[int, int]) -> None:
        """Carry out the edits that end or begin at this place."""
        if self._gone_until == position:
            self._gone_until = None
        while self._edits and self._edits[0].start == position:
            edit: Edit = self._edits.pop(0)
            self._put(edit.put)
            if edit.end != edit.start:
                self._gone_until = edit.end

    def _string(self, part: int) -> None:
        is_key = self._parts[part + 1].lstrip(b" \t\r\n")[:1] == b":"
        inside = re.escape(self._parts[part]) if is_key or part in self._literal else _STRING
        is_read = part in self._reads
        self._keep(b'"')
        if part in self._targets and self._gone_until is None:
            self._close()
            constant = self._targets[part]
            if constant is None:
                self.order.append(("leaf", part))
            else:
                self._put(constant)
            self.expression.append(self._captured(part, inside) if is_read or constant is None else inside)
        else:
            self._keep(self._captured(part, inside) if is_read else inside)
        self._keep(b'"')

    def _captured(self, part: int, inside: bytes) -> bytes:
        self.group_of[part] = self.groups
        self.groups += 1
        return b"(" + inside + b")"

    def _keep(self, expression: bytes) -> None:
        """Match this: in the group that is kept or, in what goes, outside of any."""
        if not expression:
            return
        if self._gone_until is None:
            self._open()
        else:
            self._close()
        self.expression.append(expression)

    def _open(self) -> None:
        if not self._is_open:
            self._is_open = True
            self.order.append(self.groups)
            self.groups += 1
            self.expression.append(b"(")

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.expression.append(b")")

    def _put(self, constant: bytes) -> None:
        self._close()
        if constant:
            self.order.append(constant)


def _structure(text: bytes) -> bytes:
    """The expression of structure: numbers may differ, all else is as it is."""
    pieces, cursor = [], 0
    for literal in LITERAL.finditer(text):
        pieces.append(re.escape(text[cursor : literal.start()]))
        is_number = literal.group()[:1] in b"-0123456789"
        pieces.append(_NUMBER if is_number else literal.group())
        cursor = literal.end()
    return b"".join([*pieces, re.escape(text[cursor:])])


_SOURCE = """
def take(text, outer):
    m = match(text)
    if m is None:
        return None
    g = m.groups()
    {take}
    return {held}

def finish(held):
    {held} = held
    {finish}
    return join(({pieces},))
"""


class _Functions:
    """Writes `take` and `finish`. Groups are `g[n]`, slots `s0`, keys `k0`, offsets `d0`; objects go in by name."""

    def __init__(self, draft: Draft, expression: _Expression) -> None:
        self._draft, self._expression = draft, expression
        self._objects: dict[str, Any] = {"join": b"".join}
        self._names = count()
        self._take: list[str] = []
        self._finish: list[str] = []
        self._held = ["g"]
        #: the masked value of each target, as source
        self._answer: dict[int, str] = {}

    def compile(
        self, match: Callable[[bytes], Any]
    ) -> tuple[Callable[[bytes, Outer], Held | None], Callable[[Held], bytes]]:
        """The two functions."""
        self._objects["match"] = match
        self._slots()
        self._plain()
        self._keyed()
        self._vouched()
        self._dates()
        source = _SOURCE.format(
            take="\n    ".join(self._take) or "pass",
            finish="\n    ".join(self._finish) or "pass",
            held=f"({', '.join(self._held)},)",
            pieces=", ".join(self._pieces()),
        )
        exec(compile(source, "<pattern>", "exec"), self._objects)  # our own source, see the module's docstring
        return self._objects["take"], self._objects["finish"]

    def _name(self, thing: object) -> str:
        name = f"o{next(self._names)}"
        self._objects[name] = thing
        return name

    def _at(self, place: int) -> int:
        size = self._draft.slots.size
        return self._expression.groups + place - size if place >= size else self._expression.group_of[place]

    def _value(self, place: int) -> str:
        """A part or slot, as source."""
        size = self._draft.slots.size
        return f"s{place - size}" if place >= size else f"g[{self._expression.group_of[place]}]"

    def _key(self, key: tuple[int, ...]) -> str:
        values = ", ".join(map(self._value, key))
        return values if len(key) == 1 else f"({values})"

    def _slots(self) -> None:
        builds = self._draft.slots.builds
        for number, build in enumerate(builds):
            # A slot sees the groups and the slots before it; the first sees groups alone.
            seen = f"(*g, {', '.join(f's{n}' for n in range(number))})" if number else "g"
            self._take.append(f"s{number} = {self._name(build(self._at))}({seen}, outer)")
            self._held.append(f"s{number}")

    def _plain(self) -> None:
        for kernel, target in self._draft.ledger.plain:
            value = self._value(target)
            self._take.append(f"{self._name(kernel.wanted.add)}({value})")
            self._answer[target] = f"{self._name(kernel.answers)}[{value}]"

    def _keyed(self) -> None:
        for number, (kernel, target, key) in enumerate(self._draft.ledger.keyed):
            self._take.append(f"k{number} = {self._key(key)}")
            self._take.append(f"{self._name(kernel.wanted.add)}(k{number})")
            self._held.append(f"k{number}")
            self._answer[target] = f"{self._name(kernel.answers)}[k{number}]"

    def _vouched(self) -> None:
        for number, (judge, target, key, displays) in enumerate(self._draft.ledger.vouched):
            value = self._value(target)
            differs = " and ".join(f"{value} != {self._value(display)}" for display in key[-displays:])
            self._take.append(f"v{number} = {self._key(key)} if {differs} else None")
            self._take.append(f"if v{number} is not None: {self._name(judge.wanted.add)}(v{number})")
            self._held.append(f"v{number}")
            self._answer[target] = f"({value} if v{number} is None else {self._name(judge.answers)}[v{number}])"

    def _dates(self) -> None:
        offsets: dict[tuple[int, int], str] = {}
        for shifter, subject, target in self._draft.ledger.dates:
            known = id(shifter), subject
            if known not in offsets:
                offsets[known] = f"d{len(offsets)}"
                self._finish.append(f"{offsets[known]} = {self._name(shifter.offset)}({self._value(subject)})")
            self._answer[target] = f"{self._name(shifter.shift)}({self._value(target)}, {offsets[known]})"

    def _pieces(self) -> list[str]:
        pieces = []
        for piece in self._expression.order:
            if isinstance(piece, bytes):
                pieces.append(self._name(piece))
            elif isinstance(piece, int):
                pieces.append(f"g[{piece}]")
            else:
                pieces.append(self._answer[piece[1]])
        return pieces
