"""What runs over leaves: each kernel masks the distinct values of a batch once and remembers them, bounded.

Keys and answers of a kernel are the bytes between JSON's quotes. A kernel's answer is a pure function of the key (law
1); its memory only saves time, so forgetting it changes nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from masking.document.tokens import to_part, to_text
from masking.fhir.dates import is_time, shift_text
from masking.maskers.base import BoundMasker

#: Bytes that make a leaf more than its own spelling: escapes and what stands in for them.
_ESCAPED = re.compile(rb"[\\\x00\x01]")
#: Characters that JSON escapes; the line feed is told by counting.
_TO_ESCAPE = re.compile(r'["\\\x00-\x09\x0b-\x1f]')
#: How many answers a kernel remembers before it forgets them all.
MEMORY = 100_000


class Kernel:
    """A bound masker over leaf bytes. Keys are a value, or (value, *context) where the masker declares a context."""

    __slots__ = ("_masker", "answers", "arity", "context", "wanted")

    def __init__(self, masker: BoundMasker) -> None:
        self._masker = masker
        self.context = masker.context
        self.arity = 1 + len(masker.context)
        self.answers: dict[Any, bytes | None] = {}
        self.wanted: set[Any] = set()

    def resolve(self) -> None:
        """Mask all that the batch wants and is not remembered."""
        missing = list(self.wanted.difference(self.answers))  # not `- keys()`, which walks all answers
        self.wanted.clear()
        if not missing:
            return
        if self.arity == 1:
            masked = self._mask(_texts(missing))
        else:
            columns = list(zip(*missing, strict=True))
            context = {name: _texts(column) for name, column in zip(self.context, columns[1:], strict=True)}
            masked = self._mask(_texts(columns[0]), **context)
        self.answers.update(zip(missing, masked, strict=True))

    def forget(self) -> None:
        """Between batches: give the memory back once it is large."""
        if len(self.answers) > MEMORY:
            self.answers.clear()

    def _mask(self, values: list[str | None], **context: list[str | None]) -> list[bytes | None]:
        readable = [value is not None for value in values]
        if all(readable):
            return _parts(self._masker.mask_distinct(values, **context))  # type: ignore[arg-type]
        keep = [index for index, is_readable in enumerate(readable) if is_readable]
        some = [values[index] for index in keep]
        answers: list[bytes | None] = [None] * len(values)
        picked = {name: [column[index] for index in keep] for name, column in context.items()}
        for index, part in zip(keep, _parts(self._masker.mask_distinct(some, **picked)), strict=True):  # type: ignore[arg-type]
            answers[index] = part
        return answers


class Vouched:
    """A text kept where it repeats one of the displays beside it (whatever the capitals), else masked by the inner
    kernel.

    Keys are (*the inner key, *displays): texts and displays differ in number from shape to shape, which one
    dictionary can hold.
    """

    __slots__ = ("_inner", "_width", "answers", "wanted")

    def __init__(self, inner: Kernel | None) -> None:
        self._inner = inner
        self._width = 1 if inner is None else inner.arity
        self.answers: dict[Any, bytes | None] = {}
        self.wanted: set[Any] = set()

    def resolve(self) -> None:
        """Settle what the batch wants; the others go to the inner kernel."""
        missing = self.wanted.difference(self.answers)
        self.wanted.clear()
        others = {key for key in missing if not self._repeats(key)}
        self.answers.update((key, key[0]) for key in missing - others)
        if self._inner is None:
            self.answers.update((key, None) for key in others)
            return
        inner_keys = {key: key[0] if self._width == 1 else key[: self._width] for key in others}
        self._inner.wanted.update(inner_keys.values())
        self._inner.resolve()
        self.answers.update((key, self._inner.answers[inner]) for key, inner in inner_keys.items())

    def forget(self) -> None:
        """Between batches: give the memory back once it is large."""
        if len(self.answers) > MEMORY:
            self.answers.clear()

    def _repeats(self, key: tuple[bytes, ...]) -> bool:
        text = _text(key[0])
        return text is not None and any(
            text.casefold() == (display.casefold() if display is not None else None)
            for display in map(_text, key[self._width :])
        )


def _texts(parts: Sequence[bytes | None]) -> list[str | None]:
    """Leaf bytes as text; None for null and for what no text can spell (a lone surrogate)."""
    if None not in parts:
        joined = b"\n".join(parts)  # type: ignore[arg-type]  # no null is in it
        if not _ESCAPED.search(joined):
            return joined.decode().split("\n")  # type: ignore[return-value]
    return [None if part is None else _text(part) for part in parts]


def _text(part: bytes) -> str | None:
    try:
        return to_text(part)
    except ValueError:
        return None


def _parts(texts: Sequence[str | None]) -> list[bytes | None]:
    if None not in texts:
        joined = "\n".join(texts)  # type: ignore[arg-type]  # no null is in it
        if not _TO_ESCAPE.search(joined) and joined.count("\n") == len(texts) - 1:
            return joined.encode().split(b"\n")  # type: ignore[return-value]
    return [None if text is None else to_part(text) for text in texts]


class Shifter:
    """`date_shift` in the hot path: ten characters by table, the checked rest kept; everything else by `shift_text`.

    offset: subject's key → days. Subjects and times of day repeat, dates with their times do not: so offsets and
    rests are remembered, results are not.
    """

    __slots__ = ("_days", "_indexes", "_offset", "_offsets", "_rests")

    def __init__(self, offset: Callable[[str], int]) -> None:
        self._offset = offset
        self._offsets: dict[bytes, int] = {}
        self._days, self._indexes = _day_tables()
        self._rests: set[bytes] = {b""}

    def offset(self, subject: bytes | None) -> int:
        """The subject's offset in days; TypeError where there is none, for then the dates cannot be read."""
        days = self._offsets.get(subject)  # type: ignore[arg-type]  # null is simply not there
        if days is None:
            if subject is None:
                raise TypeError
            if len(self._offsets) > MEMORY:
                self._offsets.clear()
            text = _text(subject)
            days = self._offsets[subject] = self._offset(text if text is not None else repr(subject))
        return days

    def shift(self, value: bytes, days: int) -> bytes | None:
        """The value moved by that many days; None where it is no date that FHIR knows or the result is none."""
        index = self._indexes.get(value[:10])
        if index is not None:
            rest = value[10:]
            if (rest in self._rests or self._is_rest(rest)) and 0 <= index + days < len(self._days):
                return self._days[index + days] + rest
        text = _text(value)
        shifted = None if text is None else shift_text(text, days)
        return None if shifted is None else shifted.encode()

    def _is_rest(self, rest: bytes) -> bool:
        """Whether this may follow a day: a time with its zone. Remembers those that may."""
        if not is_time(rest.decode("ascii", "replace")):
            return False
        if len(self._rests) < MEMORY:
            self._rests.add(rest)
        return True


@functools.cache
def _day_tables() -> tuple[list[bytes], dict[bytes, int]]:
    """Every day from 1880 to 2100 as bytes, both ways; by numpy, in a twentieth of the time that Python takes."""
    days = np.datetime_as_string(np.arange("1880-01-01", "2101-01-01", dtype="datetime64[D]")).astype("S10").tolist()
    return days, dict(zip(days, range(len(days)), strict=True))
