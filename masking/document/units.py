"""A document on its way: in one piece under one program, or cut into pieces when it is large.

Large documents (claims with a hundred items, Bundles) seldom repeat their shape, yet their parts do: so resources and
backbone elements are cut into their properties and items until the pieces are small, and each piece finds the program
of its own shape.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from masking.document.compiler import ABSENT, REDACTED_MARK, label
from masking.document.pattern import Held, Pattern
from masking.document.program import Outer, Program
from masking.document.tokens import QUOTE
from masking.fhir.elements import Element, companion, is_companion, without_companion
from masking.policy.plan import Child

#: Stands for an array that was taken out. No valid JSON holds it.
HOLE = b"[\x03]"
#: A `meta` of labels alone.
_FRESH = b'"meta":{"security":[' + label("PSEUDED") + REDACTED_MARK + b"]}"


@dataclass(slots=True)
class Tally:
    """What happened to the values of a document beside being masked."""

    unreadable: Counter[str] = field(default_factory=Counter)
    redacts: bool = False


class Whole:
    """A text (escapes stood in for) in parts under one program, its values announced to the kernels."""

    __slots__ = ("keys", "outer", "parts", "program", "size", "text")

    def __init__(self, text: bytes, parts: list[Any], program: Program, outer: Outer) -> None:
        self.text = text
        self.parts = parts
        self.size = len(parts)
        self.program = program
        self.outer = outer
        self.keys = program.gather(parts, outer)

    @property
    def is_pure(self) -> bool:
        """Whether the answer depends on the text alone, not on whose it is."""
        return not self.program.slots

    def finish(self, tally: Tally) -> bytes | None:
        """The masked text, or None if it goes. Values that cannot be read lead to the variant that redacts them."""
        program = self.program
        if program.redacts:
            tally.redacts = True
        if program.unreadable:
            tally.unreadable.update(program.unreadable)
        if program.is_dropped:
            return None
        try:
            return program.finish(self.parts, self.size, self.keys)
        except TypeError:
            if program.unreadable:
                tally.unreadable.subtract(program.unreadable)
            return self._redacted().finish(tally)

    def _redacted(self) -> Whole:
        """The same text under the variant that redacts what could not be read."""
        parts = self.text.split(QUOTE)
        original = parts[:]
        leaves = self.program.unreadable_leaves(parts, self.program.gather(parts, self.outer))
        assert self.program.variant is not None and leaves
        again = Whole(self.text, original, self.program.variant(original, leaves), self.outer)
        again.program.resolve()
        return again


class Matched:
    """A text taken apart by the pattern of its shape, its values announced to the kernels."""

    __slots__ = ("held", "outer", "pattern", "text")

    def __init__(self, text: bytes, outer: Outer, pattern: Pattern, held: Held) -> None:
        self.text = text
        self.outer = outer
        self.pattern = pattern
        self.held = held

    @property
    def is_pure(self) -> bool:
        """Whether the answer depends on the text alone, not on whose it is."""
        return not self.pattern.general.slots

    def finish(self, tally: Tally) -> bytes | None:
        """The masked text. Values that cannot be read lead to the general way, which redacts them."""
        pattern = self.pattern
        try:
            masked = pattern.finish(self.held)
        except TypeError:
            return Whole(self.text, self.text.split(QUOTE), pattern.general, self.outer).finish(tally)
        if pattern.redacts:
            tally.redacts = True
        if pattern.unreadable:
            tally.unreadable.update(pattern.unreadable)
        return masked


@dataclass(slots=True)
class Fixed:
    """Bytes that are known; or, with None, a property that goes."""

    text: bytes | None
    unreadable: str = ""
    redacts: bool = False

    def finish(self, tally: Tally) -> bytes | None:
        """The bytes themselves."""
        if self.unreadable:
            tally.unreadable[self.unreadable] += 1
        tally.redacts = tally.redacts or self.redacts
        return self.text


@dataclass(slots=True)
class Remembered:
    """A piece whose answer depends on its bytes alone: kept for the next piece of the same bytes."""

    unit: Whole | Matched
    text: bytes
    memory: dict[bytes, Fixed]

    def finish(self, tally: Tally) -> bytes | None:
        """As the unit, and remember it."""
        own = Tally()
        masked = self.unit.finish(own)
        if not own.unreadable:
            self.memory[self.text] = Fixed(masked, redacts=own.redacts)
        tally.unreadable.update(own.unreadable)
        tally.redacts = tally.redacts or own.redacts
        return masked


@dataclass(slots=True)
class Items:
    """An array cut into its items, or into runs of items that are arrays themselves."""

    items: list[Unit]
    comma: bytes
    are_runs: bool = False

    def finish(self, tally: Tally) -> bytes | None:
        """The array of those that stay; None if none does."""
        masked = [item.finish(tally) for item in self.items]
        live = [item[1:-1] if self.are_runs else item for item in masked if item is not None]
        return b"[" + self.comma.join(live) + b"]" if live else None


@dataclass(slots=True)
class Properties:
    """An object in pieces, one a property; a hole stays a hole. labels: as in `Rest`, which has the last word on
    them.
    """

    members: list[tuple[str, Child, Unit]]
    comma: bytes
    colon: bytes
    labels: bool

    def finish(self, tally: Tally) -> bytes | None:
        """The object of the properties that stay. What is put in is spelled as in an object in one piece: without
        white space.
        """
        said: dict[str, bytes] = {}
        absent: set[str] = set()
        for key, child, unit in sorted(self.members, key=lambda member: is_companion(member[0])):
            if is_companion(key) and without_companion(key) in absent:
                continue  # a data-absent-reason stands for both
            masked = unit.finish(tally)
            if masked is not None:
                said[key] = b'"%b"%b%b' % (key.encode(), self.colon, masked)
            elif child.element is not None and (child.is_required or child.rule.absent):
                absent.add(key)
                said[key] = _absent(key, child.element)
        if self.labels:
            self._label(said, absent)
        return b"{" + self.comma.join([said[key] for key, _, _ in self.members if key in said]) + b"}"

    def _label(self, said: dict[str, bytes], absent: set[str]) -> None:
        """Put in a `meta` of labels alone, where nothing is left of the source's."""
        if all(key != "meta" for key, _, _ in self.members):
            said["id" if "id" in said else "resourceType"] += b"," + _FRESH
        elif "meta" not in said or "meta" in absent or said["meta"].endswith(b"null"):
            said["meta"] = _FRESH


def _absent(key: str, element: Element) -> bytes:
    """A property that says that its value was masked."""
    name = companion(key) if element.is_primitive else key
    return b'"%b":%b' % (name.encode(), b"[" + ABSENT + b"]" if element.is_array else ABSENT)


@dataclass(slots=True)
class Rest:
    """An object whose long arrays were taken out: a hole in the text of the rest for each, in order.

    labels: it is a resource that carries security labels, one of which depends on what became of the arrays.
    """

    core: Unit
    arrays: list[tuple[str, Child, Items]]
    comma: bytes
    colon: bytes
    labels: bool
    resource_type: str | None

    def finish(self, tally: Tally) -> bytes | None:
        """The object with its arrays put back; None if it goes."""
        own = Tally(tally.unreadable)
        text = self.core.finish(own)
        filled = []
        for key, child, items in self.arrays:
            masked = items.finish(own)
            if masked is None and child.is_required:
                masked = b"[" + ABSENT + b"]"
            if masked is not None:
                filled.append(masked)
            elif text is not None:
                text = self._close(text, key)
        tally.redacts = tally.redacts or own.redacts
        if text is None or text == b"{}":
            return None
        pieces = text.split(HOLE)
        assert len(pieces) == len(filled) + 1
        whole = b"".join([piece for pair in zip(pieces, [*filled, b""], strict=True) for piece in pair])
        if self.labels:
            whole = whole.replace(REDACTED_MARK, b"," + label("REDACTED") if own.redacts else b"")
        return whole

    def _close(self, text: bytes, key: str) -> bytes:
        """Take the property of an array that goes out of the text, with one comma."""
        hole = b'"%b"%b%b' % (key.encode(), self.colon, HOLE)
        for around in (self.comma + hole, hole + self.comma, hole):
            if around in text:
                return text.replace(around, b"", 1)
        raise AssertionError("an array was cut whose property the rest does not hold")


Unit = Whole | Matched | Fixed | Remembered | Items | Properties | Rest


def resource_type(unit: Unit) -> str | None:
    """The type of the resource that a unit holds."""
    if isinstance(unit, Matched):
        return unit.pattern.resource_type
    if isinstance(unit, Whole):
        return unit.program.resource_type
    return unit.resource_type if isinstance(unit, Rest) else None
