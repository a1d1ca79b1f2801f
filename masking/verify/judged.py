"""Values that had to stay, dates that had to move, references that must lead where they led: of one pair of values each."""

from __future__ import annotations

import functools
from datetime import date
from typing import Any

from masking.fhir.dates import age_on, ordinal, parse
from masking.verify.collect import name_of
from masking.verify.leads import Fault, Link, narrative_links
from masking.verify.outcome import Moved, Outcome
from masking.verify.shapes import plain
from masking.verify.tree import AGE, KEEP, SHIFT, VOUCHED, Twig, told

_SYSTEMS = 5_000  # that are remembered


class Vouching:
    """Which code systems vouch for their displays: by name, or by beginnings that end in `*`."""

    def __init__(self, vouched: tuple[str, ...]) -> None:
        self._exact = frozenset(one for one in vouched if not one.endswith("*"))
        self._begins = tuple(one[:-1] for one in vouched if one.endswith("*")) or ("\0",)
        self._spelled: dict[bytes, bool] = {}

    def __call__(self, system: Any) -> bool:
        """Whether a Coding's system is one of them."""
        return isinstance(system, str) and (system in self._exact or system.startswith(self._begins))

    def spelled(self, system: bytes) -> bool:
        """The same of a text of JSON without its quotes. Raises `msgspec.DecodeError` for what is none."""
        found = self._spelled.get(system)
        if found is None:
            if len(self._spelled) > _SYSTEMS:
                self._spelled.clear()
            found = self._spelled[system] = self(plain(system))
        return found


def leads(twig: Twig) -> bool:
    """Whether a text there says where something is."""
    name = twig.path.rpartition(".")[2]
    return name == "reference" or (name in ("url", "location", "fullUrl") and twig.path.startswith("Bundle.entry"))


def judge(twig: Twig, before: Any, after: Any, vouched: bool, on: str, done: Outcome) -> None:
    """Put what is to be said of a value into `done`. vouched: what stays if a code system vouches for it does; on: the
    reference date.
    """
    action = twig.action
    if action == VOUCHED:
        action = KEEP if vouched else ""
    if action == KEEP:
        if type(before) is type(after) and before == after:
            done.kept += 1
        else:
            what = "a value that was to stay is gone" if after is None else "a value that was to stay is another"
            done.faults.append(Fault("kept", what, told(twig.path)))
    elif action in (SHIFT, AGE) and isinstance(before, str) and isinstance(after, str):
        judge_date(twig, before, after, on, done)
    if isinstance(before, str) and isinstance(after, str):
        if leads(twig):
            if old := name_of(before):
                done.links.append(Link(told(twig.path), old, name_of(after)))
        elif twig.path.endswith(".div"):
            done.links += narrative_links(twig.path, before, after)


def judge_date(twig: Twig, before: str, after: str, on: str, done: Outcome) -> None:
    """A date that moves by its subject's days, or a birth date."""
    if twig.action == SHIFT and (days := whole_days(before, after)) is not None:
        done.moved.append(Moved(told(twig.path), days, ()))
        return
    old, new = parse(before), parse(after)
    path = told(twig.path)
    if old is None:
        return
    if new is None or new.precision != old.precision:
        done.faults.append(Fault("dates", "a date of another precision", path))
        return
    if new.rest != old.rest:
        done.faults.append(Fault("dates", "another time of day or zone", path))
    first, second = ordinal(before), ordinal(after)
    if twig.action == AGE:
        if first is not None and first == second:
            done.faults.append(Fault("dates", "a birth date that did not move", path))
        # A month counts as its first day, as R4 tells no more of it; a year tells no age by itself.
        day = "-01" if old.precision == "month" else ""
        if age_on(before + day, on) != age_on(after + day, on):
            done.faults.append(Fault("dates", "another age on the reference date", path))
    elif first is not None and second is not None:
        done.moved.append(Moved(path, second - first, ()))


def whole_days(before: str, after: str) -> int | None:
    """By how many days a full date moved whose time and zone stayed; None for any other, which is looked at closely."""
    if len(before) < 10 or before[10:] != after[10:] or (len(before) > 10 and not _has_time(before)):
        return None
    first, second = _ordinal(before[:10]), _ordinal(after[:10])
    return second - first if first and second else None


def _has_time(text: str) -> bool:
    """Whether what stands behind a full date is a time with its zone."""
    return text[10] == "T" and parse(f"2000-01-01{text[10:]}") is not None


@functools.lru_cache(50_000)
def _ordinal(day: str) -> int:
    """The number of a day; 0 for what is none."""
    try:
        return date.fromisoformat(day).toordinal() if day[4:8:3] == "--" else 0
    except ValueError:
        return 0
