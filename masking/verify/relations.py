"""Whether names of things were changed one to one, and whether each person's dates moved as one.

Names (`Patient/1`, a UUID, an identifier that something is found by) before and after are pairs. If each name before has one
after and each after has one before, then what resolved resolves, what dangled dangles, in-degrees are equal along every path,
and no two records became one.

Names and people are shared out by their hashes: all pairs with one name before are in one share, and so are all with one name
after and all dates of one person. So a share is judged by itself, and memory is bounded by a share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np

from masking.report.verdict import Finding

_PLACES = 5
#: The columns of pairs by which they are shared out, and what is wrong where one name has several in the other column.
_COLUMNS = (("before", "one name became several"), ("after", "several names became one"))

#: Arrays by name: what one task has of one share.
Arrays = Mapping[str, Any]


class Told(Protocol):
    """What a task says of its numbers: paths and files by number."""

    paths: list[str]
    files: list[str]


class Clash(msgspec.Struct):
    """What does not agree at one path of one task: how often, and where first. path: its number there; places: task, number of
    the file there, line.
    """

    check: str
    what: str
    task: int
    path: int
    times: int
    places: list[tuple[int, int, int]]


def shared(keys: Any, places: Any, moved: tuple[Any, Any, Any], shares: int) -> Iterator[dict[str, Any]]:
    """What a task has met, share by share. keys: pairs of names, before and after, as hashes; places: path, file and line of
    each; moved: whose dates moved, by how many days, and places.
    """
    owners, days, where = moved
    of_name = [keys[:, column] % np.uint64(shares) for column in range(len(_COLUMNS))]
    of_owner = owners % np.uint64(shares)
    for share in range(shares):
        one = {"owners": owners, "days": days, "moved": where}
        found = {name: array[of_owner == share] for name, array in one.items()}
        for (name, _), of in zip(_COLUMNS, of_name, strict=True):
            found |= {f"{name}_keys": keys[of == share], f"{name}_places": places[of == share]}
        yield found


def broken(arrays: Sequence[Arrays]) -> Iterator[Clash]:
    """Names of a share that became several, or several that became one. arrays: of each task."""
    for column, (name, what) in enumerate(_COLUMNS):
        keys, places, which = _joined(arrays, f"{name}_keys", f"{name}_places")
        order = np.lexsort((keys[:, 1 - column], keys[:, column]))
        first, second = keys[order, column], keys[order, 1 - column]
        clash = np.nonzero((first[1:] == first[:-1]) & (second[1:] != second[:-1]))[0]
        bad = np.isin(keys[:, column], first[clash])
        yield from _by_path(which[bad], places[bad], "links", what)


def unsteady(arrays: Sequence[Arrays]) -> Iterator[Clash]:
    """People of a share whose dates moved by several numbers of days, and dates that did not move at all."""
    owners, places, which = _joined(arrays, "owners", "moved")
    days = np.concatenate([found["days"] for found in arrays])
    yield from _by_path(which[days == 0], places[days == 0], "dates", "a date that did not move")
    order = np.lexsort((days, owners))
    first, second = owners[order], days[order]
    clash = np.nonzero((first[1:] == first[:-1]) & (second[1:] != second[:-1]) & (first[1:] != 0))[0]
    bad = np.isin(owners, first[clash]) & (days != 0)
    usual = _usual(owners[bad], days[bad])
    odd = np.nonzero(bad)[0][[days[index] != usual.get(int(owners[index])) for index in np.nonzero(bad)[0]]]
    yield from _by_path(which[odd], places[odd], "dates", "another number of days than the same person's other dates")


def offsets(arrays: Sequence[Arrays], people: Sequence[int]) -> dict[int, int]:
    """By how many days the dates of these people moved, so far as they are in the share."""
    wanted = np.array(sorted(people), np.uint64)
    found: dict[int, int] = {}
    for one in arrays:
        is_wanted = np.isin(one["owners"], wanted)
        found |= dict(zip(one["owners"][is_wanted].tolist(), one["days"][is_wanted].tolist(), strict=True))
    return found


def findings(tasks: Sequence[Told], clashes: Sequence[Clash]) -> Iterator[Finding]:
    """What all shares found, one a path. tasks: by number."""
    found: dict[tuple[str, str, str], list[Clash]] = {}
    for clash in clashes:
        found.setdefault((clash.check, clash.what, tasks[clash.task].paths[clash.path]), []).append(clash)
    for (check, what, path), many in sorted(found.items()):
        first = sorted(place for clash in many for place in clash.places)[:_PLACES]
        places = tuple((tasks[task].files[file], line) for task, file, line in first)
        yield Finding(check, what, path, sum(clash.times for clash in many), places)


def _joined(arrays: Sequence[Arrays], values: str, places: str) -> tuple[Any, Any, Any]:
    """What all tasks have under two names, and the number of the task of each."""
    sizes = [len(found[values]) for found in arrays]
    which = np.repeat(np.arange(len(arrays)), sizes)
    return np.concatenate([one[values] for one in arrays]), np.concatenate([one[places] for one in arrays]), which


def _usual(owners: Any, days: Any) -> dict[int, int]:
    """The days by which most tasks say that an owner's dates moved; of equals the smaller number."""
    found: dict[int, dict[int, int]] = {}
    for owner, day in zip(owners.tolist(), days.tolist(), strict=True):
        counts = found.setdefault(owner, {})
        counts[day] = counts.get(day, 0) + 1
    return {owner: max(sorted(counts), key=counts.__getitem__) for owner, counts in found.items()}


def _by_path(which: Any, places: Any, check: str, what: str) -> Iterator[Clash]:
    found: dict[tuple[int, int], Clash] = {}
    for task, (path, file, line) in zip(which.tolist(), places.tolist(), strict=True):
        clash = found.setdefault((task, path), Clash(check, what, task, path, 0, []))
        clash.times += 1
        if len(clash.places) < _PLACES:
            clash.places.append((task, file, line))
    yield from found.values()
