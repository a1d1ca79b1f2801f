r"""A shape seen often gets a pattern: one regular expression that checks a text, its keys and deciding strings, and takes it apart.

What is kept between two leaves is one group however many keys and values it holds; what goes is matched and not captured. So a text
falls into some ten groups instead of a hundred parts, and the masked text is the groups, the answers and the constants, joined.
The expression admits only what JSON admits, so a match is also the proof that the text is valid; a text that it does not match goes
the general way (`tokens.split`), which gives the same bytes and is slower.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from masking.document.draft import Draft
from masking.document.edits import Edit
from masking.document.program import Getter, Outer, Program
from masking.document.shape import tuple_getter
from masking.document.tokens import LITERAL, restore

#: A string's inside: no raw control characters; escapes, but for surrogates, which only the general way can judge.
_STRING = rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+\-]?[0-9]++)?"


@dataclass(slots=True)
class Pattern:
    """A program with its regular expression. `order` picks the masked text's pieces from groups, slots and constants."""

    program: Program
    #: the program of the same shape for texts in parts
    general: Program
    constants: tuple[bytes, ...]
    order: Getter
    match: Any

    def finish(self, parts: list[Any], keys: list[Any]) -> bytes:
        """The masked text; TypeError as `Program.finish`."""
        self.program.put_answers(parts, keys)
        if self.constants:
            parts += self.constants
        return b"".join(self.order(parts))

    def take(self, text: bytes, outer: Outer) -> tuple[list[Any], list[Any]] | None:
        """The groups and slots of a text of this shape, and the keys of its context maskers; None for other shapes."""
        match = self.match(text)
        if match is None:
            return None
        parts = list(match.groups())
        return parts, self.program.gather(parts, outer)


def make_pattern(general: Program) -> Pattern | None:
    """The pattern of a program's shape; None for those that write numbers back or keep nothing."""
    draft = general.draft
    if draft is None or draft.is_dropped or any(slot in draft.targets for slot, _, _ in draft.slots.numbers):
        return None
    writer = _Writer(draft)
    writer.write()
    size, slots = writer.groups, len(draft.slots.builds)
    if not writer.order or size == 0:
        return None

    def at(place: int) -> int:
        return size + place - draft.slots.size if place >= draft.slots.size else writer.group_of[place]

    constants: list[bytes] = []
    order: list[int] = []
    for piece in writer.order:
        if isinstance(piece, bytes):
            order.append(size + slots + len(constants))
            constants.append(piece)
        else:
            order.append(piece)
    expression = re.compile(b"".join(writer.expression), re.DOTALL)
    return Pattern(draft.operations(at), general, tuple(constants), tuple_getter(order), expression.fullmatch)


class _Writer:
    """Writes the expression from left to right, with the group of each leaf and the order of what is kept."""

    def __init__(self, draft: Draft) -> None:
        self._parts, self._targets = draft.parts, draft.targets
        self._reads = draft.reads
        self._literal = {*draft.discriminators}
        self._edits = sorted(draft.ledger.edits, key=lambda edit: (edit.start, edit.end))
        self._gone_until: tuple[int, int] | None = None
        self.expression: list[bytes] = []
        self.order: list[int | bytes] = []
        self.group_of: dict[int, int] = {}
        self.groups = 0
        self._is_open = False

    def write(self) -> None:
        """Go through the parts; afterwards the attributes hold the result."""
        last = len(self._parts) - 1
        for part in range(0, last + 1, 2):
            self._structure(part, is_last=part == last)
            if part < last:
                self._string(part + 1)
        self._close()

    def _structure(self, part: int, *, is_last: bool) -> None:
        text = self._parts[part]
        stops = {0, len(text)}
        for edit in self._edits:
            stops.update(offset for at, offset in (edit.start, edit.end) if at == part)
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
        if is_key or part in self._literal:
            inside = re.escape(restore(self._parts[part]))
        else:
            inside = _STRING
        if part in self._targets and self._gone_until is None:
            self._keep(b'"')
            self._close()
            constant = self._targets[part]
            if constant is not None:
                self._put(constant)
                self.expression.append(self._captured(part, inside) if part in self._reads else inside)
            else:
                self.order.append(self.groups)
                self.expression.append(self._captured(part, inside))
            self._keep(b'"')
            return
        self._keep(b'"')
        self._keep(self._captured(part, inside) if part in self._reads else inside)
        self._keep(b'"')

    def _captured(self, part: int, inside: bytes) -> bytes:
        self.group_of[part] = self.groups
        self.groups += 1
        return b"(" + inside + b")"

    def _keep(self, expression: bytes) -> None:
        """Match this, as part of the group that is kept or (in what goes) outside of any."""
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
