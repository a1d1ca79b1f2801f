"""What answers: one kernel a bound masker, which masks the distinct values of a batch once and remembers them, bounded.

A kernel's answer is a pure function of value and context (law 1); its memory only saves time, so forgetting changes
nothing.
"""

from __future__ import annotations

import re
from typing import Any

from masking.document.columns import Columns
from masking.document.memory import Memory
from masking.document.strings import Part, to_parts, to_text, to_texts
from masking.maskers.base import BoundMasker
from masking.native import Bytes, Ints

_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class Kernel:
    """A bound masker over what stands between JSON's quotes; or, of numbers and booleans, over their spelling."""

    def __init__(self, masker: BoundMasker, *, literal: bool) -> None:
        self._masker = masker
        self._literal = literal
        self._memory = Memory()

    def answer(self, text: Bytes, columns: Columns) -> tuple[Memory, Ints]:
        """A memory, and of each value the place of its answer there."""
        memory = self._memory
        found, new = memory.look_up(text, columns.beside, columns.fields, columns.count)
        if len(new):
            try:
                self._learn(found[new], columns.texts(new))
            except BaseException:
                memory.forget()  # it holds keys without answers
                raise
        return memory, found

    def _learn(self, places: Ints, columns: list[list[Part]]) -> None:
        """Have the masker answer what is new. Keys may say the same in other words: it is given each value once."""
        rows = list(zip(*columns, strict=True))
        distinct = list(dict.fromkeys(rows))
        answers = dict(zip(distinct, self._mask(distinct), strict=True))
        parts = [answers[row] for row in rows]
        blanks = (
            [self._blanks(row[0], part) for row, part in zip(rows, parts, strict=True)] if self._may_blank else None
        )
        self._memory.learn(places, parts, blanks)

    @property
    def _may_blank(self) -> bool:
        return self._masker.may_blank and not self._literal

    def _blanks(self, value: Part, answer: Part) -> bool:
        return value is not None and answer is not None and self._masker.blanks(to_text(value), to_text(answer))

    def _mask(self, rows: list[tuple[Any, ...]]) -> list[Part]:
        columns = [to_texts(column) for column in zip(*rows, strict=True)]
        told = dict(zip(self._masker.needs, columns[1:], strict=True))
        parts = to_parts(self._masker.mask_distinct(columns[0], **told))  # type: ignore[arg-type]  # none is null
        if not self._literal:
            return parts
        # What takes a number's place must be a number as JSON spells one.
        return [part if part is not None and _NUMBER.fullmatch(part) else None for part in parts]
