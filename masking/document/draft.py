"""What the walk over one tree decided, before it is known where the parts will stand in a program's list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from masking.document.edits import Edit, compile_edits
from masking.document.frame import At, Slots
from masking.document.kernels import Kernel, Shifter, Vouched
from masking.document.program import Program
from masking.document.shape import key_getter, tuple_getter


@dataclass(slots=True)
class Ledger:
    """What has been decided so far; `mark` and `back_to` undo what was decided for a value that goes after all.

    Targets and keys are odd parts, or slots. vouched: (kernel, target, key, how many at the key's end are displays).
    """

    plain: list[tuple[Kernel, int]] = field(default_factory=list)
    keyed: list[tuple[Kernel, int, tuple[int, ...]]] = field(default_factory=list)
    vouched: list[tuple[Vouched, int, tuple[int, ...], int]] = field(default_factory=list)
    dates: list[tuple[Shifter, int, int]] = field(default_factory=list)
    constants: list[tuple[int, bytes]] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)

    def mark(self) -> tuple[int, ...]:
        """Where the ledger stands."""
        return tuple(len(column) for column in self._columns())

    def back_to(self, mark: tuple[int, ...]) -> None:
        """Forget what was decided since."""
        for column, length in zip(self._columns(), mark, strict=True):
            del column[length:]

    def _columns(self) -> tuple[list[Any], ...]:
        return self.plain, self.keyed, self.vouched, self.dates, self.constants, self.edits


@dataclass(slots=True)
class Draft:
    """A finished ledger with the text that showed the shape."""

    ledger: Ledger
    slots: Slots
    parts: list[bytes]
    discriminators: tuple[int, ...]
    resource_type: str | None = None
    is_dropped: bool = False
    redacts: bool = False
    unreadable: Mapping[str, int] = field(default_factory=Counter)

    @property
    def targets(self) -> dict[int, bytes | None]:
        """The parts and slots that are replaced: by a constant, or (None) by what a masker says."""
        ledger = self.ledger
        found: dict[int, bytes | None] = {target: None for _, target in ledger.plain}
        found |= {target: None for _, target, _ in ledger.keyed}
        found |= {target: None for _, target, _, _ in ledger.vouched}
        found |= {target: None for _, _, target in ledger.dates}
        return found | dict(ledger.constants)

    @property
    def reads(self) -> set[int]:
        """The parts that are looked at, replaced or not."""
        keys = [key for _, _, key in self.ledger.keyed] + [key for _, _, key, _ in self.ledger.vouched]
        return {part for key in keys for part in key if part < self.slots.size} | self.slots.reads

    def operations(self, at: At) -> Program:
        """The program's operations for a list in which part or slot `n` stands at `at(n)`; no edits, no constants."""
        ledger = self.ledger
        by_kernel: dict[int, tuple[Kernel, list[int]]] = {}
        for kernel, target in ledger.plain:
            by_kernel.setdefault(id(kernel), (kernel, []))[1].append(at(target))
        by_subject: dict[tuple[int, int], tuple[Shifter, list[int]]] = {}
        for shifter, subject, target in ledger.dates:
            by_subject.setdefault((id(shifter), at(subject)), (shifter, []))[1].append(at(target))
        return Program(
            slots=tuple(build(at) for build in self.slots.builds),
            plain=tuple((kernel, tuple(targets), tuple_getter(targets)) for kernel, targets in by_kernel.values()),
            keyed=tuple((kernel, at(target), key_getter([at(n) for n in key])) for kernel, target, key in ledger.keyed),
            vouched=tuple(
                (kernel, at(target), key_getter([at(n) for n in key]), tuple(at(n) for n in key[-displays:]))
                for kernel, target, key, displays in ledger.vouched
            ),
            dates=tuple((shifter, subject, tuple(found)) for (_, subject), (shifter, found) in by_subject.items()),
            is_dropped=self.is_dropped,
            redacts=self.redacts,
            unreadable=dict(self.unreadable),
            resource_type=self.resource_type,
            draft=self,
        )

    def program(self) -> Program:
        """The program for texts in parts, as `tokens.split` gives them."""
        program = self.operations(lambda part: part)
        targets = self.targets
        program.constants = tuple(self.ledger.constants)
        program.numbers = tuple(number for number in self.slots.numbers if number[0] in targets)
        program.splices = compile_edits(self.ledger.edits, self.parts)
        return program
