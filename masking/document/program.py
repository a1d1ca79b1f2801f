"""A program: what must be done to every text of one shape. Made by the compiler, carried out here.

A program sees a text as its parts followed by *slots*: values that are computed from parts (the subject's key, the
whole address, a number out of an even part) or handed in from outside (what a piece of a large document must know of
the whole). Carrying out takes two steps: `gather` fills the slots and tells the kernels which values are wanted,
`finish` puts their answers in and edits the structure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from masking.document.edits import Splice, carry_out
from masking.document.kernels import Kernel, Shifter, Vouched
from masking.document.tokens import LITERAL, NUMBER, QUOTE

if TYPE_CHECKING:
    from masking.document.draft import Draft

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


@dataclass(slots=True)
class Program:
    """The work for one shape.

    slots: one function a slot, in order; each sees the parts and the slots before it.
    plain: (kernel, targets, getter of their values) for maskers without context.
    keyed: (kernel, target, getter of value and context).
    vouched: (kernel, target, getter of its key, displays): asked only where the target repeats none of the displays.
    dates: (shifter, subject's slot, targets).
    constants: (target, bytes).
    numbers: (slot, even part, ordinal): where a masked number goes back.
    """

    slots: tuple[Callable[[list[Any], Outer], bytes | None], ...] = ()
    plain: tuple[tuple[Kernel, tuple[int, ...], Getter], ...] = ()
    keyed: tuple[tuple[Kernel, int, Getter], ...] = ()
    vouched: tuple[tuple[Vouched, int, Getter, tuple[int, ...]], ...] = ()
    dates: tuple[tuple[Shifter, int, tuple[int, ...]], ...] = ()
    constants: tuple[tuple[int, bytes], ...] = ()
    numbers: tuple[tuple[int, int, int], ...] = ()
    splices: tuple[Splice, ...] = ()
    #: the whole value goes (of a piece: its property)
    is_dropped: bool = False
    #: something of the value is taken away or blanked
    redacts: bool = False
    #: values redacted because they could not be read, by path
    unreadable: Mapping[str, int] = field(default_factory=dict)
    #: the type of the resource, of a program for a whole one
    resource_type: str | None = None
    #: what it was made from
    draft: Draft | None = None
    #: how many texts it has seen
    uses: int = 0
    #: the program for texts of this shape in which these leaves cannot be read
    variant: Callable[[list[bytes], frozenset[Leaf]], Program] | None = None

    def gather(self, parts: list[Any], outer: Outer) -> list[Any]:
        """Append the slots to the parts and tell the kernels which values this text wants; the keys of `keyed` and
        `vouched`.
        """
        for slot in self.slots:
            parts.append(slot(parts, outer))
        for kernel, _, getter in self.plain:
            kernel.wanted.update(getter(parts))
        keys: list[Any] = []
        for kernel, _, getter in self.keyed:
            key = getter(parts)
            kernel.wanted.add(key)
            keys.append(key)
        for judge, target, getter, displays in self.vouched:
            text = parts[target]
            asked: tuple[Any, ...] | None = None
            if text not in [parts[display] for display in displays]:
                asked = getter(parts)
                judge.wanted.add(asked)
            keys.append(asked)
        return keys

    def resolve(self) -> None:
        """Have the kernels of this program answer at once, outside the batch's own round."""
        for judge, *_ in self.vouched:
            judge.resolve()
        for kernel, *_ in (*self.plain, *self.keyed):
            kernel.resolve()

    def put_answers(self, parts: list[Any], keys: list[Any]) -> None:
        """Replace each leaf by its answer; null where its masker could not read it. `keys` is what `gather` gave."""
        if keys:
            remaining = iter(keys)
            for kernel, target, _ in self.keyed:
                parts[target] = kernel.answers[next(remaining)]
            for judge, target, _, _ in self.vouched:
                key = next(remaining)
                if key is not None:
                    parts[target] = judge.answers[key]
        for kernel, targets, _ in self.plain:
            answers = kernel.answers
            for target in targets:
                parts[target] = answers[parts[target]]
        for shifter, subject, targets in self.dates:
            key = parts[subject]
            days, shift = None if key is None else shifter.offset(key), shifter.shift
            for target in targets:
                parts[target] = None if days is None else shift(parts[target], days)

    def finish(self, parts: list[Any], size: int, keys: list[Any]) -> bytes:
        """The masked text, escapes still stood in for. `size` is the number of parts before the slots.

        Raises TypeError where a masker could not read a value: null has no place in a text, so joining finds out at
        no cost. `unreadable_leaves` then tells which.
        """
        self.put_answers(parts, keys)
        for target, value in self.constants:
            parts[target] = value
        for slot, part, ordinal in reversed(self.numbers):
            parts[part] = _with_number(parts[part], ordinal, parts[slot])
        if self.slots:
            del parts[size:]
        if self.splices:
            carry_out(self.splices, parts)
        return QUOTE.join(parts)

    def unreadable_leaves(self, parts: list[Any], keys: list[Any]) -> frozenset[Leaf]:
        """The leaves of a text, gathered and not finished, that their maskers cannot read."""
        slots = {slot: (part, ordinal) for slot, part, ordinal in self.numbers}
        before = parts[:]
        self.put_answers(parts, keys)
        targets = [target for _, found, _ in self.plain for target in found] + [target for _, target, _ in self.keyed]
        targets += [target for _, target, _, _ in self.vouched] + [
            target for *_, found in self.dates for target in found
        ]
        failed = {t for t in targets if parts[t] is None or (t in slots and not NUMBER.fullmatch(parts[t]))}
        parts[:] = before
        return frozenset(slots.get(target, (target, -1)) for target in failed)


def _with_number(part: bytes, ordinal: int, number: bytes) -> bytes:
    """An even part with one of its literals replaced. Anything but a JSON number would change the structure:
    TypeError.
    """
    if not NUMBER.fullmatch(number):
        raise TypeError
    match = next(islice(LITERAL.finditer(part), ordinal, None))
    return part[: match.start()] + number + part[match.end() :]
