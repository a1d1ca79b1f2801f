"""People put together from what tasks have read of them, a share of all people at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from masking.risk.coverage import PathCounts
from masking.risk.domains import TOLD
from masking.risk.facts import Fact, Told, visit_facts
from masking.risk.linkage import Attack, Crowd, draw, is_target
from masking.risk.mend import COARSER
from masking.risk.people import Table
from masking.risk.utility import Distributions

BEFORE, AFTER = 0, 1
MONTHS = "Months since the first encounter"
_DAYS_A_MONTH = 30.44
Sided = dict[int, tuple[Any, Any]]


@dataclass(slots=True)
class Gathered:
    """What one task has read, by the share of people that it belongs to."""

    shares: int
    facts: dict[int, set[tuple[int, int, int, int]]] = field(default_factory=lambda: defaultdict(set))
    visits: dict[int, list[tuple[int, int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[int, list[tuple[int, int, dict[str, str]]]] = field(default_factory=lambda: defaultdict(list))
    distributions: Distributions = field(default_factory=Distributions)

    def add(self, person: int, side: int, told: Told) -> None:
        """Take in what a resource of somebody tells; 0 for nobody that is known."""
        for name, label in told.values:
            self.distributions.add(name, label, side)
        if not person:
            return
        share = share_of(person, self.shares)
        self.facts[share].update((person, side, int(kind), fact) for kind, fact in told.facts)
        self.visits[share] += [(person, side, day, int(is_exact)) for day, is_exact in told.visits]
        if told.labels:
            self.labels[share].append((person, side, told.labels))

    def arrays(self, share: int, counts: PathCounts) -> dict[str, Any]:
        """All of one share, to be written; identifiers are shared out by their hash."""
        identifiers = [one for one in counts.identifiers if share_of(one[2], self.shares) == share]
        labels = msgspec.msgpack.encode(self.labels.get(share, []))
        return {
            "facts": np.array(sorted(self.facts.get(share, ())), np.uint64).reshape(-1, 4),
            "visits": np.array(self.visits.get(share, []), np.uint64).reshape(-1, 4),
            "labels": np.frombuffer(labels, np.uint8),
            "identifiers": np.array(sorted(identifiers), np.uint64).reshape(-1, 3),
        }


def share_of(number: int, shares: int) -> int:
    """The share of a person or hash. The lowest bits are not even in keys of owners."""
    return (number >> 8) % shares


class Share:
    """The people of one share."""

    def __init__(self, parts: Sequence[Mapping[str, Any]]) -> None:
        facts = np.concatenate([part["facts"] for part in parts])
        self._identifiers = _each_once(np.concatenate([part["identifiers"] for part in parts]))
        self._labels: tuple[dict[int, dict[str, str]], dict[int, dict[str, str]]] = {}, {}
        for part in parts:
            read = msgspec.msgpack.decode(part["labels"].tobytes(), type=list[tuple[int, int, dict[str, str]]])
            for person, side, labels in read:
                self._labels[side].setdefault(person, labels)
        self._visits: dict[tuple[int, int], list[tuple[int, bool]]] = defaultdict(list)
        for part in parts:
            for person, side, day, is_exact in part["visits"].tolist():
                self._visits[person, side].append((day, bool(is_exact)))
        more = [
            (person, side, int(kind), fact)
            for (person, side), days in self._visits.items()
            for kind, fact in visit_facts(days)
        ]
        self.facts = _each_once(np.concatenate([facts, np.array(more, np.uint64).reshape(-1, 4)]))

    def people(self) -> list[int]:
        """Whose record is there before and after."""
        return sorted(self._labels[BEFORE].keys() & self._labels[AFTER].keys())

    def table(self, attributes: Sequence[str]) -> Table:
        """Quasi-identifiers as masked, and the coarser forms that could be made of the source."""
        rows = []
        for person in self.people():
            rows.append([*self.attributes(person, AFTER, attributes), *self._coarser(person)])
        return Table.of((*attributes, *COARSER), rows)

    def attributes(self, person: int, side: int, attributes: Sequence[str]) -> list[str]:
        """The labels of somebody on one side."""
        labels = {**self._labels[side][person], "first_encounter": self._months(person, side)}
        return [labels[name] for name in attributes]

    def agreement(self, attributes: Sequence[str]) -> list[tuple[int, dict[str, int], dict[str, int]]]:
        """Of each attribute how often the label stands, and the labels before and after."""
        found: list[tuple[int, Counter[str], Counter[str]]] = [(0, Counter(), Counter()) for _ in attributes]
        for person in self.people():
            sides = zip(*(self.attributes(person, side, attributes) for side in (BEFORE, AFTER)), strict=True)
            for number, (old, new) in enumerate(sides):
                same, before, after = found[number]
                before[old] += 1
                after[new] += 1
                found[number] = same + (old == new), before, after
        return [(same, dict(before), dict(after)) for same, before, after in found]

    def diagnoses(self) -> dict[int, list[int]]:
        """The diagnoses that masked data tell, by person."""
        found: dict[int, list[int]] = defaultdict(list)
        which = (self.facts[:, 1] == AFTER) & (self.facts[:, 2] == int(Fact.DIAGNOSIS))
        for person, _, _, fact in self.facts[which].tolist():
            found[person].append(fact)
        return found

    def attacks(self, people: int) -> Iterator[Attack]:
        """The attacks on the targets among these; people: how many there are in all."""
        sides: tuple[dict[int, dict[Fact, list[int]]], dict[int, dict[Fact, list[int]]]] = {}, {}
        targets = {person for person in self.people() if is_target(person, people)}
        of_targets = self.facts[np.isin(self.facts[:, 0], np.array(sorted(targets), np.uint64))]
        for person, side, kind, fact in of_targets.tolist():
            sides[side].setdefault(person, {}).setdefault(Fact(kind), []).append(fact)
        for person in sorted(targets):
            known, masked = (side.get(person, {}) for side in sides)
            both = {kind: sorted(set(facts) & set(masked.get(kind, ()))) for kind, facts in known.items()}
            yield from draw(person, known, {kind: facts for kind, facts in both.items() if facts})

    def crowd(self, side: int) -> Crowd:
        """All facts of one side."""
        of_side = self.facts[self.facts[:, 1] == side]
        return Crowd(of_side[:, 3], of_side[:, 0])

    def domains(self) -> dict[int, list[int]]:
        """Distinct identifiers by kind, and of each how many are of each class of domain."""
        found: dict[int, list[int]] = {int(kind): [0, 0, 0, 0] for kind in TOLD}
        for kind, size, _ in self._identifiers.tolist():
            found[kind][size] += 1
        return found

    def months(self, distributions: Distributions) -> None:
        """Count visits by the month since the person's first."""
        for (_, side), days in self._visits.items():
            first = min(day for day, _ in days)
            for day, _ in days:
                distributions.add(MONTHS, str(int((day - first) / _DAYS_A_MONTH)), side)

    def _months(self, person: int, side: int) -> str:
        days = [day for day, _ in self._visits.get((person, side), ())]
        return str(int((max(days) - min(days)) / _DAYS_A_MONTH)) if days else ""

    def _coarser(self, person: int) -> list[str]:
        days = [day for day, _ in self._visits.get((person, BEFORE), ())]
        years = [np.datetime64("0001-01-01") + (day - 1) for day in (min(days), max(days))] if days else []
        spread = int(str(years[1])[:4]) - int(str(years[0])[:4]) if years else None
        return [self._labels[BEFORE][person]["born"], "" if spread is None else str(spread)]


def _each_once(rows: Any) -> Any:
    """Rows in order, each once; `np.unique` of rows takes several times as long."""
    if not len(rows):
        return rows
    rows = rows[np.lexsort(rows.T[::-1])]
    is_new = np.ones(len(rows), bool)
    is_new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return rows[is_new]
