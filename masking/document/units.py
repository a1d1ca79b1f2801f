"""A document on its way: in one piece under one program, or cut into pieces when it is large.

Large documents (claims with a hundred items, Bundles) seldom repeat their shape, yet their parts do: so resources and backbone
elements are cut into their properties and items until the pieces are small, and each piece finds the program of its own shape.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from masking.document.compiler import ABSENT, REDACTED_MARK, label
from masking.document.pattern import Held, Pattern
from masking.document.program import Outer, Program
from masking.document.tokens import QUOTE
from masking.policy.plan import Child


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
    """Bytes that stay; or, with None, a property that goes."""

    text: bytes | None
    unreadable: str = ""

    def finish(self, tally: Tally) -> bytes | None:
        """The bytes themselves."""
        if self.unreadable:
            tally.unreadable[self.unreadable] += 1
        tally.redacts = tally.redacts or self.text is None
        return self.text


@dataclass(slots=True)
class Items:
    """An array cut into its items."""

    items: list[Unit]
    comma: bytes

    def finish(self, tally: Tally) -> bytes | None:
        """The array of those that stay; None if none does."""
        masked = [item.finish(tally) for item in self.items]
        live = [item for item in masked if item is not None]
        return b"[" + self.comma.join(live) + b"]" if live else None


@dataclass(slots=True)
class Properties:
    """An object cut into its properties. `labels`: it is a resource that carries security labels."""

    members: list[tuple[str, Child, Unit]]
    comma: bytes
    colon: bytes
    labels: bool = False
    resource_type: str | None = None

    def finish(self, tally: Tally) -> bytes | None:
        """The object of those that stay; None if none does."""
        own = Tally(tally.unreadable)
        live: dict[str, bytes] = {}
        for key, child, unit in self.members:
            masked = unit.finish(own)
            if masked is not None:
                live[key] = masked
            elif child.element is not None and (child.is_required or child.rule.absent):
                absent = b"[" + ABSENT + b"]" if child.element.is_array else ABSENT
                live[("_" if child.element.is_primitive else "") + key] = absent
        tally.redacts = tally.redacts or own.redacts
        if not live:
            return None
        if self.labels:
            live = _with_labels(live)
        text = b"{" + self.comma.join([b'"%b"%b%b' % (k.encode(), self.colon, v) for k, v in live.items()]) + b"}"
        if self.labels:
            text = text.replace(REDACTED_MARK, b"," + label("REDACTED") if own.redacts else b"")
        return text


def _with_labels(live: dict[str, bytes]) -> dict[str, bytes]:
    """A `meta` with labels after the id, where none of the source's is left."""
    if "meta" in live:
        return live
    made: dict[str, bytes] = {}
    after = "id" if "id" in live else "resourceType"
    for key, value in live.items():
        made[key] = value
        if key == after:
            made["meta"] = b'{"security":[' + label("PSEUDED") + REDACTED_MARK + b"]}"
    return made


Unit = Whole | Matched | Fixed | Items | Properties


def resource_type(unit: Unit) -> str | None:
    """The type of the resource that a unit holds."""
    if isinstance(unit, Matched):
        return unit.pattern.resource_type
    if isinstance(unit, Whole):
        return unit.program.resource_type
    return unit.resource_type if isinstance(unit, Properties) else None
