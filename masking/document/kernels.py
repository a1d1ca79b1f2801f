"""What answers: one kernel a bound masker, which masks the distinct values of a batch once and remembers them, bounded.

A kernel's answer is a pure function of value and context (law 1); its memory only saves time, so forgetting changes
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from masking.document.strings import Part, to_parts, to_text, to_texts
from masking.maskers.base import BoundMasker

#: How many answers a kernel remembers before it forgets them all.
MEMORY = 100_000


class Kernel:
    """A bound masker over what stands between JSON's quotes."""

    def __init__(self, masker: BoundMasker) -> None:
        self._masker = masker
        self.context = masker.context
        self._known: dict[Any, Part] = {}
        self._blanked: set[Any] = set()

    def answer(
        self, values: Sequence[bytes], context: Sequence[Sequence[Part]]
    ) -> tuple[list[Part], list[bool] | None]:
        """The masked values, null where one cannot be read; and which of them have lost something, None if none has.

        `context`: a column for each name the masker asks for.
        """
        keys: Sequence[Any] = list(zip(values, *context, strict=True)) if self.context else values
        known = self._known
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        if missing:
            if len(known) + len(missing) > MEMORY:
                known.clear()
                self._blanked.clear()
                missing = list(dict.fromkeys(keys))
            known.update(zip(missing, self._mask(missing), strict=True))
            if self._masker.may_blank:
                self._blanked.update(key for key in missing if self._blanks(key, known[key]))
        blanked = self._blanked
        return [known[key] for key in keys], [key in blanked for key in keys] if blanked else None

    def _blanks(self, key: Any, answer: Part) -> bool:
        value = key[0] if self.context else key
        return answer is not None and self._masker.blanks(to_text(value), to_text(answer))

    def _mask(self, keys: Sequence[Any]) -> list[Part]:
        if not self.context:
            return to_parts(self._masker.mask_distinct(to_texts(keys)))  # type: ignore[arg-type]  # none is null
        columns = [to_texts(column) for column in zip(*keys, strict=True)]
        told = dict(zip(self.context, columns[1:], strict=True))
        return to_parts(self._masker.mask_distinct(columns[0], **told))  # type: ignore[arg-type]
