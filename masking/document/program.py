"""A program: what must be done to every text of one shape. Made by the compiler, carried out here.

A program sees a text as its parts followed by *slots*: values that are computed from parts (the subject's key, the whole address,
a number out of an even part) or handed in from outside (what a piece of a large document must know of the whole).
Carrying out takes three steps: `load` fills the slots, `gather` tells the kernels which values are wanted, `finish` puts the answers
in and edits the structure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from masking.document.edits import Splice, carry_out
from masking.document.kernels import Kernel, Shifter, Vouched
from masking.document.tokens import LITERAL, NUMBER, join

Getter = Callable[[list[Any]], tuple[Any, ...]]
#: A leaf's place in its shape: (odd part, -1), or (even part, ordinal of the literal in it).
Leaf = tuple[int, int]


class Outer(NamedTuple):
    """What a piece or a contained resource knows of the resource around it; null where not known."""

    subject: bytes | None = None
    root_id: bytes | None = None
    sex: bytes | None = None
    deceased: bytes | None = None
    birth_date: bytes | None = None
    address: bytes | None = None


NOWHERE = Outer()


class Unreadable(Exception):  # noqa: N818 - a message between two steps, not an error
    """Leaves that their maskers could not read: the text needs the variant of its program that redacts them."""

    def __init__(self, leaves: frozenset[Leaf]) -> None:
        self.leaves = leaves


@dataclass(slots=True)
class Program:
    """The work for one shape.

    slots: one function a slot, in order; each sees the parts and the slots before it.
    plain: (kernel, targets, getter of their values) for maskers without context.
    keyed: (kernel, target, getter of value and context).
    dates: (shifter, subject's slot, targets, getter).
    constants: (target, bytes).
    numbers: (slot, even part, ordinal): where a masked number goes back.
    """

    slots: tuple[Callable[[list[Any], Outer], bytes | None], ...] = ()
    plain: tuple[tuple[Kernel, tuple[int, ...], Getter], ...] = ()
    keyed: tuple[tuple[Kernel | Vouched, int, Getter], ...] = ()
    dates: tuple[tuple[Shifter, int, tuple[int, ...], Getter], ...] = ()
    constants: tuple[tuple[int, bytes], ...] = ()
    numbers: tuple[tuple[int, int, int], ...] = ()
    splices: tuple[Splice, ...] = ()
    #: the whole value goes (of a piece: its property)
    is_dropped: bool = False
    #: the value goes and its key must give way to a data-absent-reason
    redacts: bool = False
    #: values redacted because they could not be read, by path
    unreadable: Mapping[str, int] = field(default_factory=dict)
    #: the type of the resource, of a program for a whole one
    resource_type: str | None = None
    #: the program for texts of this shape in which these leaves cannot be read
    variant: Callable[[list[bytes], frozenset[Leaf]], Program] | None = None

    def load(self, parts: list[Any], outer: Outer) -> None:
        """Append the slots to the parts."""
        for slot in self.slots:
            parts.append(slot(parts, outer))

    def gather(self, parts: list[Any]) -> None:
        """Tell the kernels which values this text wants."""
        for kernel, _, getter in self.plain:
            kernel.wanted.update(getter(parts))
        for kernel, _, getter in self.keyed:
            kernel.wanted.add(getter(parts))

    def resolve(self) -> None:
        """Have the kernels of this program answer at once, outside the batch's own round."""
        for kernel, *_ in (*self.plain, *self.keyed):
            kernel.resolve()

    def finish(self, parts: list[Any], size: int) -> bytes:
        """The masked text. `size` is the number of parts before the slots. Raises Unreadable, the parts then as they were."""
        found = self._answers(parts)
        if any(None in masked for _, masked in found) or not self._numbers_hold(found):
            raise Unreadable(self._unreadable(found))
        for targets, masked in found:
            for target, value in zip(targets, masked):  # noqa: B905 - equal by construction; strict costs a tenth here
                parts[target] = value
        return self._write(parts, size)

    def _answers(self, parts: list[Any]) -> list[tuple[tuple[int, ...], list[bytes | None]]]:
        found: list[tuple[tuple[int, ...], list[bytes | None]]] = []
        for kernel, targets, getter in self.plain:
            answers = kernel.answers
            found.append((targets, [answers[value] for value in getter(parts)]))
        for kernel, target, getter in self.keyed:
            found.append(((target,), [kernel.answers[getter(parts)]]))
        for shifter, subject, targets, getter in self.dates:
            key = parts[subject]
            if key is None:
                found.append((targets, [None] * len(targets)))
            else:
                days, shift = shifter.offset(key), shifter.shift
                found.append((targets, [shift(value, days) for value in getter(parts)]))
        return found

    def _numbers_hold(self, found: list[tuple[tuple[int, ...], list[bytes | None]]]) -> bool:
        """Whether what goes back into even parts is a JSON number: anything else would change the structure."""
        slots = {slot for slot, _, _ in self.numbers}
        return not slots or all(
            value is not None and NUMBER.fullmatch(value)
            for targets, masked in found
            for target, value in zip(targets, masked, strict=True)
            if target in slots
        )

    def _unreadable(self, found: list[tuple[tuple[int, ...], list[bytes | None]]]) -> frozenset[Leaf]:
        places = {slot: (part, ordinal) for slot, part, ordinal in self.numbers}
        return frozenset(
            places.get(target, (target, -1))
            for targets, masked in found
            for target, value in zip(targets, masked, strict=True)
            if value is None or (target in places and not NUMBER.fullmatch(value))
        )

    def _write(self, parts: list[Any], size: int) -> bytes:
        for target, value in self.constants:
            parts[target] = value
        for slot, part, ordinal in reversed(self.numbers):
            match = list(LITERAL.finditer(parts[part]))[ordinal]
            parts[part] = parts[part][: match.start()] + parts[slot] + parts[part][match.end() :]
        if len(parts) != size:
            del parts[size:]
        if self.splices:
            carry_out(self.splices, parts)
        return join(parts)
