"""Whether names of things were changed one to one, and whether each person's dates moved as one.

Names (`Patient/1`, a UUID, an identifier that something is found by) before and after are pairs. If each name before has one
after and each after has one before, then what resolved resolves, what dangled dangles, in-degrees are equal along every path,
and no two records became one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from masking.report.verdict import Finding

_PLACES = 5


class Told(Protocol):
    """What a task says of its numbers: paths and files by number."""

    paths: list[str]
    files: list[str]


def broken(tasks: Sequence[Told], arrays: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Names that became several, or several that became one."""
    keys = np.concatenate([found["link_keys"] for found in arrays]) if arrays else np.zeros((0, 2), np.uint64)
    if not len(keys):
        return
    places = np.concatenate([found["link_places"] for found in arrays])
    which = np.concatenate([np.full(len(found["link_keys"]), number) for number, found in enumerate(arrays)])
    for column, what in ((0, "one name became several"), (1, "several names became one")):
        order = np.lexsort((keys[:, 1 - column], keys[:, column]))
        first, second = keys[order, column], keys[order, 1 - column]
        clash = np.nonzero((first[1:] == first[:-1]) & (second[1:] != second[:-1]))[0]
        bad = np.isin(keys[:, column], first[clash])
        yield from _by_path(tasks, which[bad], places[bad], "links", what)


def unsteady(tasks: Sequence[Told], arrays: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """People whose dates moved by several numbers of days, and dates that did not move at all."""
    owners = np.concatenate([found["moved_owners"] for found in arrays]) if arrays else np.zeros(0, np.uint64)
    if not len(owners):
        return
    days = np.concatenate([found["moved_days"] for found in arrays])
    places = np.concatenate([found["moved_places"] for found in arrays])
    which = np.concatenate([np.full(len(found["moved_owners"]), number) for number, found in enumerate(arrays)])
    yield from _by_path(tasks, which[days == 0], places[days == 0], "dates", "a date that did not move")
    order = np.lexsort((days, owners))
    first, second = owners[order], days[order]
    clash = np.nonzero((first[1:] == first[:-1]) & (second[1:] != second[:-1]) & (first[1:] != 0))[0]
    bad = np.isin(owners, first[clash]) & (days != 0)
    usual = _usual(owners[bad], days[bad], tasks)
    odd = np.nonzero(bad)[0][[days[index] != usual.get(int(owners[index])) for index in np.nonzero(bad)[0]]]
    yield from _by_path(
        tasks, which[odd], places[odd], "dates", "another number of days than the same person's other dates"
    )


def _usual(owners: Any, days: Any, tasks: Sequence[Told]) -> dict[int, int]:
    """The days by which most tasks say that an owner's dates moved; of equals the smaller number."""
    found: dict[int, dict[int, int]] = {}
    for owner, day in zip(owners.tolist(), days.tolist(), strict=True):
        counts = found.setdefault(owner, {})
        counts[day] = counts.get(day, 0) + 1
    return {owner: max(sorted(counts), key=counts.__getitem__) for owner, counts in found.items()}


def _by_path(tasks: Sequence[Told], which: Any, places: Any, check: str, what: str) -> Iterator[Finding]:
    found: dict[str, list[tuple[str, int]]] = {}
    for number, (path, file, line) in zip(which.tolist(), places.tolist(), strict=True):
        task = tasks[number]
        found.setdefault(task.paths[path], []).append((task.files[file], line))
    for path, many in sorted(found.items()):
        yield Finding(check, what, path, len(many), tuple(many[:_PLACES]))
