"""Maskers of birth dates: retain_age and cap_birth_year.

What a birth date tells depends on two more dates: the run's reference date (a setting, never a clock) and the day of
death, if there is one. A date that does not exist becomes null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar

from masking.errors import ParameterError
from masking.fhir.dates import PartialDate, age_on, bounds, date_text, days_in_month, parse
from masking.maskers._together import dated_as, is_patients
from masking.maskers.base import BoundMasker, Masker, People, Subkeys, check, register, registered
from masking.pools.choice import words

#: Day numbers, both included; empty where the first is above the last.
_Window = tuple[int, int]


def _check_reference_date(text: object) -> None:
    check(isinstance(text, str), "reference_date", "is not text", "put it in quotes")
    parts = parse(str(text))
    check(parts is not None and parts.precision == "day", "reference_date", "is not a day that exists, as YYYY-MM-DD")


def _first_day(parts: PartialDate) -> str:
    """The earliest day that a partial date may mean."""
    return f"{parts.year:04d}-{parts.month or 1:02d}-{parts.day or 1:02d}"


def _last_day(text: str | None) -> str | None:
    """The latest day that a partial date may mean; null where it is none."""
    period = bounds(text) if text else None
    return None if period is None else date_text(period[1])


def _years_before(day: date, years: int) -> int:
    """The same day so many years before (the 28th where there is no 29 February), cut to the years 1 to 9999."""
    year = day.year - years
    if not 1 <= year <= 9999:
        return 0 if year < 1 else date.max.toordinal()
    return date(year, day.month, min(day.day, days_in_month(year, day.month))).toordinal()


def _age(birth: str, on: str) -> int:
    """`age_on` of full dates, which need not be taken apart again: it is asked three times a birth."""
    born, seen = date.fromisoformat(birth), date.fromisoformat(on)
    return seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))


def _same_age(birth: str, on: str, seen_on: str, more: int = 0) -> _Window:
    """The days of birth that have on `seen_on` the age in whole years that `birth` has `on`, or so many more; all full dates."""
    age, end = _age(birth, on) + more, date.fromisoformat(seen_on)
    return _years_before(end, age + 1) + 1, _years_before(end, age)


@dataclass(frozen=True)
class _Scale:
    """Days, months or years, numbered one after the other, each standing for its first day."""

    number: Callable[[date], int]
    text: Callable[[int], str | None]

    def within(self, window: _Window) -> _Window:
        """The first and the last number whose first day lies in the window."""
        first, last = max(window[0], 1), window[1]
        if first > last:
            return 1, 0
        before = self.number(date.fromordinal(first - 1)) if first > 1 else self.number(date.min) - 1
        return before + 1, self.number(date.fromordinal(last))


_SCALES = {
    "day": _Scale(date.toordinal, date_text),
    "month": _Scale(lambda day: day.year * 12 + day.month - 1, lambda n: f"{n // 12:04d}-{n % 12 + 1:02d}"),
    "year": _Scale(lambda day: day.year, lambda n: f"{n:04d}"),
}


@dataclass(frozen=True)
class _BoundRetainAge(BoundMasker):
    context: ClassVar[tuple[str, ...]] = ("subject", "deceased", "owner")
    key: bytes = field(repr=False)
    reference_date: str
    shift: BoundMasker | None
    people: People | None = field(default=None, repr=False, compare=False)

    def with_people(self, people: People) -> _BoundRetainAge:
        """Knowing people, so that twins share their birthday."""
        return replace(self, people=people)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "people": None}

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        owners = context.get("owner") or [None] * len(values)
        subjects = [
            dated_as(self.people, subject) if subject is not None and is_patients(owner) else subject
            for subject, owner in zip(context["subject"], owners, strict=True)
        ]
        return [self._one(*row) for row in zip(values, subjects, context["deceased"], strict=True)]

    def _one(self, value: str, subject: str | None, deceased: str | None) -> str | None:
        parts = parse(value)
        if parts is None:
            return None
        birth = _first_day(parts)
        died, moved = _last_day(deceased), self._moved(birth, subject)
        scale = _SCALES["day" if parts.precision == "time" else parts.precision]
        own = scale.number(date.fromisoformat(birth))
        keyed = ("value", value.removesuffix(parts.rest)) if subject is None else ("subject", subject)
        number = words(self.key, *keyed)[0]
        goal = scale.number(date.fromisoformat(moved)) if moved and self._is_infant(birth, died) else None
        for window in self._windows(birth, moved, subject, died):
            first, last = scale.within(window)
            # A year may stay: no other one has the same ages.
            left_out = parts.precision != "year" and first <= own <= last
            if (count := last - first + 1 - left_out) > 0:
                chosen = first + number % count
                chosen += left_out and chosen >= own
                if goal is not None:
                    chosen = _nearest(goal, first, last, own if left_out else None)
                text = scale.text(chosen)
                return None if text is None else text + parts.rest
        return None

    def _moved(self, day: str, subject: str | None) -> str | None:
        """The day as `date_shift` shows it; null where it does not shift or has no subject."""
        return self.shift.mask_distinct([day], subject=[subject])[0] if self.shift else None

    def _is_infant(self, birth: str, died: str | None) -> bool:
        """Whether the record is of somebody's first two years, which are told from the birth on, day by day."""
        return _age(birth, min(died or self.reference_date, self.reference_date)) < 2

    def _windows(self, birth: str, moved: str | None, subject: str | None, died: str | None) -> Iterator[_Window]:
        """Where the new birth may lie, from the best to the last resort."""
        first, last = _same_age(birth, self.reference_date, self.reference_date)
        if died is None:
            yield from _before_events((first, last), birth, moved)
            return
        shown = self._moved(died, subject) or died
        until = min(last, date.fromisoformat(shown).toordinal())
        # Where no other day keeps both ages, the age at death gives way: by one year, unless the offset is longer than one.
        for more in (0, 1, -1):
            from_death, to_death = _same_age(birth, died, shown, more)
            yield from _before_events((max(first, from_death), min(until, to_death)), birth, moved)
        yield from _before_events((first, until), birth, moved)
        # At last the age that nobody dead has.
        yield from _before_events(_same_age(birth, died, shown), birth, moved)


def _before_events(window: _Window, birth: str, moved: str | None) -> Iterator[_Window]:
    """The part of a window in which no event comes before the birth, then more of it: ages go before that order.

    Events move by the subject's offset, so that none since the birth comes before the birth moved likewise. Where the
    offset leads out of the window, the true birth is the next limit: only events of as many first days as the offset
    has can then come before it.
    """
    if moved is not None:
        for limit in (moved, birth):
            yield window[0], min(window[1], date.fromisoformat(limit).toordinal())
    yield window


def _nearest(goal: int, first: int, last: int, left_out: int | None) -> int:
    """The number in a window that is nearest to a goal; beside the one that is left out, the earlier if there is one."""
    chosen = min(max(goal, first), last)
    if chosen != left_out:
        return chosen
    return chosen - 1 if chosen > first else chosen + 1


@register
@dataclass(frozen=True)
class RetainAge(Masker):
    """Another birth date with the same age in whole years on the reference date, keyed by subject.

    - Uniform over all days that give this age, the true one left out. A newborn stays a newborn and is born by then; a
      birth after the reference date stays as many whole years after it. Who is born on 29 February has a birthday on
      1 March in other years.
    - If `date_shift` masks other dates, name its parameters in `shift_days` and `shift_weeks`. Then only days are drawn
      that are not after the true birth moved by the subject's offset: no event since the birth comes before it. In the
      first two years of life, which are told from the birth on, the birth is moved by the offset itself, or goes to the
      nearest day of the same age. Where no day of the same age is early enough (with 180 days: for 1 in 8), ages go
      before that order: the day is not after the true birth if there is such a one, and events of the first days
      of life, fewer than the offset has, may come before it.
    - The context `deceased` is the day of death (a partial one counts as its last day): the age at death in whole years
      is kept too, so no birth is after its death. Where no day but the true one keeps both ages, the age at death gives
      way, by one year, and at last the age on the reference date; the true day is never given out. With `shift_days` the age at the
      death as shown is what is kept.
    - Precision stays. A month counts as its first day, and becomes another month; a year stays the year it is, for no
      other one has the same ages. A time of day (the birthTime extension) stays; its day agrees with the birth date.
    - Those of a multiple birth (`Patient.multipleBirth[x]`, one birth date, one home) stay born on one day, where the run knows
      them and none of them died.
    - Keyed by subject alone, so that all mentions of a birth date agree; by the value where there is no subject.
    - Unreadable: null. `reference_date` is YYYY-MM-DD: the run's, where the policy names none.
    """

    name: ClassVar[str] = "retain_age"
    reference_date: str
    shift_days: int | None = None
    shift_weeks: bool = False

    def __post_init__(self) -> None:
        _check_reference_date(self.reference_date)
        self._shift()

    def _shift(self) -> Masker | None:
        """The `date_shift` that the policy gives deaths; by the registry, for no masker imports another's module."""
        if self.shift_days is None:
            return None
        date_shift: Any = registered()["date_shift"]
        try:
            shift: Masker = date_shift(days=self.shift_days, weeks=self.shift_weeks)
        except ParameterError as error:
            raise ParameterError(f"shift_{error.parameter}", error.message, error.hint) from None
        return shift

    def bind(self, keys: Subkeys) -> BoundMasker:
        """Births are keyed under the purpose `retain_age`, the offset of deaths under `date_shift`."""
        shift = self._shift()
        bound_shift = None if shift is None else shift.bind(keys)
        return _BoundRetainAge(keys.subkey("retain_age"), self.reference_date, bound_shift)


@dataclass(frozen=True)
class _BoundCapBirthYear(BoundMasker):
    context: ClassVar[tuple[str, ...]] = ("deceased",)
    reference_date: str
    limit: int

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return [self._one(*row) for row in zip(values, context["deceased"], strict=True)]

    def _one(self, value: str, deceased: str | None) -> str | None:
        parts = parse(value)
        if parts is None:
            return None
        end = min(_last_day(deceased) or self.reference_date, self.reference_date)
        age = age_on(_first_day(parts), end)
        return value if age is None or age <= self.limit else f"{max(1, int(end[:4]) - self.limit - 1):04d}"


@register
@dataclass(frozen=True)
class CapBirthYear(Masker):
    """Births of people over `limit` become a year alone, that of the category: 1934 for 90 and over in 2024. Keyless.

    45 CFR 164.514(b)(2)(i)(C). The age is the one on the reference date or, if the context `deceased` is earlier, at
    death: who died at 50 is not over 89. A partial birth counts as its first day (the oldest it may mean), a partial
    death as its last. All other births stay: chain it with `retain_age` or `generalize`. Unreadable: null.
    """

    name: ClassVar[str] = "cap_birth_year"
    reference_date: str
    limit: int = 89

    def __post_init__(self) -> None:
        check(type(self.limit) is int and 0 < self.limit <= 150, "limit", "is not an age between 1 and 150")
        _check_reference_date(self.reference_date)

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _BoundCapBirthYear(self.reference_date, self.limit)
