"""Measure a run while it is verified: coverage, risk, utility, keys. On the driver; the work is in `measure_tasks`.

The driver holds counts by path and label, one number a column for each combination of quasi-identifiers, and two bytes for
each attack: some 40 MB a million people.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from masking import storage
from masking.report.measures import (
    Attribute,
    Coverage,
    Diversity,
    Domain,
    Keys,
    Linked,
    Measures,
    PathCount,
    Reversible,
    Review,
    Risk,
)
from masking.risk.cells import TOLD_FROM, kappa, measure_cells, smallest_cells
from masking.risk.diversity import joined
from masking.risk.linkage import tally
from masking.risk.mend import COARSER, mend, snippet
from masking.risk.people import Table
from masking.risk.settings import RiskSettings
from masking.risk.sketch import Sketch
from masking.risk.utility import Distributions
from masking.spark.measure_tasks import READ, AttackTask, CellTask, PeopleJudge, ReadTask
from masking.spark.pieces import Judge
from masking.spark.verify_tasks import CheckTask
from masking.verify.kinds import Kind, names_of
from masking.verify.known import unpack
from masking.verify.tree import KEEP, told

#: People whom one task holds.
_SHARE = 10_000
_MOST_REVIEWS = 40
#: What looks like an identifier: of so many texts at least, so many are distinct, or look like names or numbers.
_TEXTS, _UNIQUE, _ALIKE = 20, 0.5, 0.5
Jobs = Callable[[Any, int], list[bytes]]
#: The stem of what tasks left, how many tasks, how many shares, and who judges these.
Judges = Callable[[str, int, int, Judge], list[bytes]]


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What a measurement is told of a policy, as data. decides: given paths, of each: does, place, why, by default."""

    name: str
    maskers: tuple[tuple[str, str, int], ...]
    decides: Callable[[Sequence[str]], Mapping[str, tuple[str, str, str, bool]]] = field(repr=False)


def measure(
    jobs: Jobs, judges: Judges, checking: CheckTask, people: int, rules: RuleFacts, settings: RiskSettings
) -> Measures:
    """All that is measured. jobs: carries out a task with so many numbers; judges: has shares judged; people: patients that
    the source knows.
    """
    return _Measuring(jobs, judges, checking, people, rules, settings).run()


class _Measuring:
    def __init__(
        self, jobs: Jobs, judges: Judges, checking: CheckTask, people: int, rules: RuleFacts, settings: RiskSettings
    ) -> None:
        self._jobs, self._judges, self._checking, self._rules, self._settings = jobs, judges, checking, rules, settings
        self._people = people
        self._tasks = len(checking.tasks)
        self._shares = max(1, -(-people // _SHARE))
        self._distributions = Distributions()

    def run(self) -> Measures:
        clock = time.monotonic()
        self._jobs(ReadTask(self._checking, self._shares), self._tasks)
        coverage = self._coverage()
        risk, domains = self._risk()
        keys = Keys(domains, tuple(Reversible(name, bool(how), how, count) for name, how, count in self._rules.maskers))
        utility = self._distributions.compared()
        return Measures(coverage, risk, utility, keys, round(time.monotonic() - clock, 1))

    def _read(self, name: str) -> bytes:
        content = storage.read_bytes(storage.join(self._checking.folder, name))
        assert content is not None
        return content

    # ── coverage ──

    def _coverage(self) -> Coverage:
        counts: dict[str, Any] = {}
        sketches: dict[str, Sketch] = {}
        for task in range(self._tasks):
            paths, least, distributions = msgspec.msgpack.decode(self._read(f"paths-{task:05d}"), type=_Paths)
            for path, numbers in paths.items():
                counts[path] = counts.get(path, np.zeros(4, np.int64)) + numbers
            for path, said in least.items():
                sketches.setdefault(path, Sketch()).join(*said)
            self._distributions.join(distributions)
        decided = self._rules.decides(sorted(counts))
        return Coverage(_by_path(counts, decided), _reviews(counts, sketches, decided))

    # ── risk ──

    def _shared(self, task: type[Any], **more: Any) -> list[bytes]:
        return self._jobs(task(self._checking.folder, self._shares, **more), self._shares)

    def _risk(self) -> tuple[Risk | None, tuple[Domain, ...]]:
        settings = self._settings
        if not self._tasks:
            return None, ()
        found = [
            msgspec.msgpack.decode(one, type=_People)
            for one in self._judges(READ, self._tasks, self._shares, self._people_judge())
        ]
        for _, _, _, _, months in found:
            self._distributions.join(months)
        found.sort(key=lambda one: one[0])
        table = Table.joined([self._table(share, labels) for share, _, labels, _, _ in found])
        domains = _domains([one[3] for one in found])
        if not table.people:
            return None, domains
        attributes = _attributes(settings.attributes, [one[1] for one in found])
        counted = tuple(one.name for one in attributes if one.counted)
        linked, targets = self._linked(counted)
        diversity = joined([msgspec.json.decode(one, type=Diversity) for one in self._shared(CellTask)])
        steps = mend(table, counted, settings.k)
        risk = Risk(
            people=table.people,
            attributes=attributes,
            wanted=settings.k,
            population=settings.population,
            cells=measure_cells(table, counted, settings.k, settings.population),
            cells_of_all=measure_cells(table, settings.attributes, settings.k, settings.population),
            diversity=diversity,
            smallest=tuple(smallest_cells(table, counted)),
            steps=tuple(steps),
            snippet=snippet(steps, self._rules.name, settings.k),
            linked=tuple(linked),
            targets=targets,
        )
        return risk, domains

    def _people_judge(self) -> PeopleJudge:
        folder, attributes = self._checking.folder, self._settings.attributes
        return PeopleJudge(folder, self._shares, attributes=attributes, people=self._people)

    def _table(self, share: int, labels: list[list[str]]) -> Table:
        arrays = unpack(self._read(f"people-{share:05d}.npz"))
        return Table((*self._settings.attributes, *COARSER), labels, arrays["rows"], arrays["counts"])

    def _linked(self, counted: tuple[str, ...]) -> tuple[list[Linked], int]:
        answers = self._shared(AttackTask, attributes=counted)
        drawn = [unpack(self._read(f"attacks-{share:05d}.npz")) for share in range(self._shares)]
        models, kinds, facts, targets = (
            np.concatenate([one[name] for one in drawn]) for name in ("models", "kinds", "facts", "targets")
        )
        fits: Any = sum(np.frombuffer(one, np.uint8).reshape(2, 2, -1).astype(np.int64) for one in answers)
        before, after = ((side[0], side[1] > 0) for side in fits)
        return tally(models, kinds, (facts != 0).sum(axis=1), before, after), len(np.unique(targets))


_Paths = tuple[dict[str, list[int]], dict[str, tuple[int, int, int, list[int]]], dict[str, list[dict[str, int]]]]
_Agreement = list[tuple[int, dict[str, int], dict[str, int]]]
_People = tuple[int, _Agreement, list[list[str]], dict[int, list[int]], dict[str, list[dict[str, int]]]]


def _by_path(counts: Mapping[str, Any], decided: Mapping[str, tuple[str, str, str, bool]]) -> tuple[PathCount, ...]:
    """Paths as they may be told: extensions of one place and one rule together."""
    rows: dict[tuple[str, str, str, str, bool], Any] = {}
    for path, numbers in counts.items():
        key = (told(path), *decided[path])
        rows[key] = rows.get(key, np.zeros(4, np.int64)) + numbers
    return tuple(PathCount(*key, *map(int, rows[key])) for key in sorted(rows))


def _reviews(
    counts: Mapping[str, Any],
    sketches: Mapping[str, Sketch],
    decided: Mapping[str, tuple[str, str, str, bool]],
) -> tuple[Review, ...]:
    """Kept texts that look like identifiers, the most of them first."""
    found = []
    for path, sketch in sketches.items():
        kept = int(counts[path][1])
        if decided[path][0] != KEEP or kept < _TEXTS:
            continue
        unique = min(1.0, sketch.distinct / kept)
        names, numbers = sketch.names / sketch.texts, sketch.numbers / sketch.texts
        if unique >= _UNIQUE or (max(names, numbers) >= _ALIKE and sketch.distinct >= _TEXTS):
            shares = (round(share, 3) for share in (unique, names, numbers))
            found.append(Review(told(path), decided[path][1], kept, sketch.distinct, *shares))
    found.sort(key=lambda one: (-one.unique, -one.distinct, one.path))
    return tuple(found[:_MOST_REVIEWS])


def _attributes(names: Sequence[str], found: Sequence[_Agreement]) -> tuple[Attribute, ...]:
    """Whether masked records tell each attribute, by how often it agrees."""
    told_by = []
    for number, name in enumerate(names):
        before, after = Counter[str](), Counter[str]()
        for one in found:
            before.update(one[number][1])
            after.update(one[number][2])
        same = sum(one[number][0] for one in found)
        agree = round(kappa(same, before, after), 4)
        told_by.append(Attribute(name, len(after), agree, agree >= TOLD_FROM))
    return tuple(told_by)


def _domains(found: Sequence[Mapping[int, Sequence[int]]]) -> tuple[Domain, ...]:
    total: dict[int, Any] = {}
    for one in found:
        for kind, sizes in one.items():
            total[kind] = total.get(kind, np.zeros(4, np.int64)) + sizes
    kinds = [kind for kind in sorted(total) if total[kind].any()]
    return tuple(Domain(names_of(Kind(kind))[0], int(total[kind].sum()), *map(int, total[kind])) for kind in kinds)
