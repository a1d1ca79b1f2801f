"""Maskers of dates: date_shift and generalize.

A partial date stays partial, and a time of day with its zone stays to the byte. A date that does not exist
becomes null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from masking.fhir.dates import STANDS_FOR, parse, shift_text
from masking.maskers._together import dated_as, is_patients
from masking.maskers.base import BoundMasker, Masker, People, Subkeys, check, per_value, register, registered
from masking.pools.choice import words

#: Offsets kept at hand in a worker; then the cache starts anew, so that memory stays flat over any number of patients.
_OFFSETS = 1 << 16

_MOST_DAYS = 3650


@dataclass(frozen=True)
class BoundDateShift(BoundMasker):
    """`date_shift` with its subkey; the document engine asks for `offset` alone and moves full dates itself."""

    context: ClassVar[tuple[str, ...]] = ("subject", "owner", "chart")
    key: bytes = field(repr=False)
    days: int
    weeks: bool
    partial: str = "middle"
    people: People | None = field(default=None, repr=False, compare=False)
    _cache: dict[tuple[str, bool], int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the cache and the people: they hold subjects, and a worker has its own.
        return type(self), (self.key, self.days, self.weeks, self.partial)

    def with_people(self, people: People) -> BoundDateShift:
        """Knowing people, so that the dates of twins move together."""
        return replace(self, people=people)

    def offset(self, subject: str, *, is_patient: bool) -> int:
        """The days by which all dates of this subject move: never 0, within ±days, equal wherever the key is equal.

        is_patient: whether it may be one of twins, which is asked for.
        """
        found = self._cache.get((subject, is_patient))
        if found is None:
            if len(self._cache) >= _OFFSETS:
                self._cache.clear()
            step = 7 if self.weeks else 1
            steps = self.days // step
            chosen = words(self.key, dated_as(self.people if is_patient else None, subject))[0] % (2 * steps) - steps
            found = self._cache[subject, is_patient] = step * (chosen if chosen < 0 else chosen + 1)
        return found

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Shift each date by the offset of its chart, else its subject; null where it is none or neither is known."""
        nothing = [None] * len(values)
        owners, charts = context.get("owner") or nothing, context.get("chart") or nothing
        return [self._one(*row) for row in zip(values, context["subject"], owners, charts, strict=True)]

    def _one(self, value: str, subject: str | None, owner: str | None, chart: str | None) -> str | None:
        key = subject if chart is None else chart
        return (
            None
            if key is None
            else shift_text(value, self.offset(key, is_patient=chart is not None or is_patients(owner)), self.partial)
        )


@register
@dataclass(frozen=True)
class DateShift(Masker):
    """Every date of a subject moved by one keyed, non-zero offset of at most `days`, so that every interval is exact.

    Those of a multiple birth at one home have one offset, where the run knows them. Uniform over the 2 × `days` offsets that are
    not zero; with `weeks` over the multiples of 7 among them, which keeps
    the weekday. Rules with equal parameters share the offset. A partial date moves at its own precision, so a year or
    a month may come out as it was: the day that moves is the `middle` one of it, or with `partial` its `first` or `last`, so that
    the two ends of a period stay in order. A date whose subject is not known, or that would leave the years 1 to 9999, becomes
    null.
    """

    name: ClassVar[str] = "date_shift"
    way_back: ClassVar[str] = "the subject's offset, computed from the key and the subject's id"
    days: int = 180
    weeks: bool = False
    partial: str = "middle"

    def __post_init__(self) -> None:
        check(type(self.days) is int, "days", "is not a whole number of days")
        check(isinstance(self.weeks, bool), "weeks", "is neither true nor false")
        check(1 <= self.days <= _MOST_DAYS, "days", f"is not between 1 and {_MOST_DAYS}")
        check(not self.weeks or self.days >= 7, "days", "holds no whole week", "give 7 or more, or leave weeks out")
        check(self.partial in STANDS_FOR, "partial", "is no day of a partial date", "one of: " + ", ".join(STANDS_FOR))

    def bind(self, keys: Subkeys) -> BoundDateShift:
        """Offsets are keyed under the purpose `date_shift`."""
        return BoundDateShift(keys.subkey("date_shift"), self.days, self.weeks, self.partial)


@dataclass(frozen=True)
class _BoundGeneralize(BoundMasker):
    to: str

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return per_value(self._one, values)

    def _one(self, value: str) -> str | None:
        parts = parse(value)
        if parts is None:
            return None
        if self.to == "decade":
            # The year 0000 is no FHIR date.
            return f"{parts.year // 10 * 10:04d}" if parts.year >= 10 else None
        return value[: 4 if self.to == "year" else 7]


#: What `generalize` leaves to another masker, by name: one masker never imports another's module.
_ELSEWHERE = {"bucket": "bucket", "zip3": "zip3_generalize"}


@register
@dataclass(frozen=True)
class Generalize(Masker):
    """A coarser value: a date's `year`, `month` or `decade` (its first year), a number's `bucket`, a ZIP code's `zip3`.

    A date that is coarse already stays. An `instant` cannot be partial in R4: shift or redact it. `bucket` needs `size`
    and is the masker `bucket`; `zip3` is the masker `zip3_generalize`. Unreadable: null. Keyless.
    """

    name: ClassVar[str] = "generalize"
    to: str = "year"
    size: float | str | None = None

    def __post_init__(self) -> None:
        known = ("year", "month", "decade", *_ELSEWHERE)
        check(self.to in known, "to", "is nothing to generalize to", "one of: " + ", ".join(known))
        check((self.size is not None) == (self.to == "bucket"), "size", "goes with 'to: bucket', and only with it")
        if self.to == "bucket":
            self._elsewhere()

    def _elsewhere(self) -> Masker:
        masker: Any = registered()[_ELSEWHERE[self.to]]
        spec: Masker = masker() if self.size is None else masker(size=self.size)
        return spec

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return self._elsewhere().bind(keys) if self.to in _ELSEWHERE else _BoundGeneralize(self.to)
