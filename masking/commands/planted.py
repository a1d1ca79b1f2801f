"""Look for a sample's planted values in what masking made of it.

Two searches, for two questions. *In place*: is a value still in the masked form of the very resource it was planted in?
Every value is looked for there. *Anywhere*: does a value that is one person's alone (a number, an address, a URL) stand
in any file? Names, places and dates are not looked for everywhere: fakes are drawn from the same names, real towns and
the same calendar, so one person's true town is another's fake one.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from masking.commands.judge import Header, Judge, Key, Suspect
from masking.commands.needles import Alone, Needles, Value
from masking.commands.readings import Reading, fold, leaves
from masking.policy.plan import Plan
from masking.policy.specs import Action, Rule
from masking.sample import Truth

#: Where people's names stand by themselves.
_NAMES = (".name.family", ".name.given")

Where = tuple[str, str]  # kind, path


class Remains(NamedTuple):
    """What of one kind is still there at one path, and the rule that let it."""

    kind: str
    path: str
    rule: Rule


@dataclass(slots=True)
class Search:
    """What was looked for and found."""

    places: Counter[Where] = field(default_factory=Counter)  # planted
    values: Counter[str] = field(default_factory=Counter)  # distinct ones, by kind
    kept: Counter[Remains] = field(default_factory=Counter)  # there, because a rule keeps it
    leaked: Counter[Remains] = field(default_factory=Counter)  # there, though no rule keeps it
    by_chance: Counter[Where] = field(default_factory=Counter)  # there as the fake of something else, or of itself
    unseen: int = 0  # places in resources that were not written
    lines: int = 0

    @property
    def found(self) -> int:
        """All that ought not to be there."""
        return self.leaked.total()

    @property
    def planted(self) -> Counter[str]:
        """Places by kind."""
        return _by_kind(self.places)

    @property
    def chance(self) -> Counter[str]:
        """The same of what is there by chance."""
        return _by_kind(self.by_chance)

    def recall(self, kind: str) -> float | None:
        """Of the places of a kind that the policy masks, the share where the value is gone; None where it masks none."""
        kept = _by_kind(self.kept)[kind]
        return _share(self.planted[kind] - kept, _by_kind(self.leaked)[kind])

    def write(self, path: Path) -> None:
        """All counts by kind and path as CSV; holds no value."""
        kept, leaked = (_by_where(counts) for counts in (self.kept, self.leaked))
        with path.open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream, lineterminator="\n")
            out.writerow(("kind", "path", "places", "found", "kept_by_a_rule", "same_by_chance", "recall"))
            for where in sorted(self.places.keys() | kept.keys() | leaked.keys() | self.by_chance.keys()):
                share = _share(self.places[where] - kept[where], leaked[where])
                told = "" if share is None else f"{share:.6f}"
                out.writerow((*where, self.places[where], leaked[where], kept[where], self.by_chance[where], told))


def _by_kind(counts: Counter[Where] | Counter[Remains]) -> Counter[str]:
    total: Counter[str] = Counter()
    for where, count in counts.items():
        total[where[0]] += count
    return total


def _by_where(counts: Counter[Remains]) -> Counter[Where]:
    total: Counter[Where] = Counter()
    for remains, count in counts.items():
        total[remains.kind, remains.path] += count
    return total


def _share(places: int, found: int) -> float | None:
    return None if places <= 0 else max(0.0, 1 - found / places)


def search(
    plan: Plan,
    truth: Path,
    export: Path,
    masked: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Search:
    """Search the files below `masked` for the values of `truth`, planted in `export`; `progress` counts bytes.

    Holds the truth in memory: for samples of some thousand patients.
    """
    result = Search()
    places, ids = _planted(plan, truth, result)
    distinct = {value for values in places.values() for value in values}
    needles = Needles(
        frozenset(fold(one.text) for one in distinct if one.kind == "names" and one.path.endswith(_NAMES))
    )
    alone = Alone(distinct)
    suspects: list[Suspect] = []
    files = sorted(masked.rglob("*.ndjson"))
    total, done = sum(file.stat().st_size for file in files), 0
    for file in files:
        with file.open(encoding="utf-8") as stream:
            for line in stream:
                result.lines += 1
                done += len(line)
                if result.lines % 5000 == 0:
                    progress(done, total)
                key = msgspec.json.decode(line, type=Header).key
                strings = leaves(json.loads(line, parse_float=str))
                reading = Reading(strings)
                met = [value for value in places.pop(key, ()) if needles.stand_in(value, reading)]
                here = {(value.kind, value.text) for value in met}
                met += [value for value in alone.look(strings) if (value.kind, value.text) not in here]
                if met:
                    suspects.append(Suspect((key[0], ids.get(key, "")), line, tuple(met)))
    result.unseen = sum(len(values) for values in places.values())
    for value, rule in Judge(plan, export, needles).judge(suspects):
        _count(value, rule, result)
    return result


def _count(value: Value, rule: Rule | None, result: Search) -> None:
    if rule is None:
        result.by_chance[value.kind, value.path] += 1
    else:
        counts = result.kept if rule.action is Action.KEEP else result.leaked
        counts[Remains(value.kind, value.path, rule)] += 1


def _planted(plan: Plan, truth: Path, result: Search) -> tuple[dict[Key, list[Value]], dict[Key, str]]:
    """Values by the masked resource they must not be in, and source ids by masked ones."""
    decode = msgspec.json.Decoder(Truth).decode
    known: dict[Value, Value] = {}
    by_source: dict[Key, list[Value]] = defaultdict(list)
    with truth.open("rb") as stream:
        for line in stream:
            said = decode(line)
            result.places[said.kind, said.path] += 1
            value = Value(said.kind, said.path, said.value)
            by_source[said.type, said.id].append(known.setdefault(value, value))
    result.values.update(kind for kind, _ in {(value.kind, value.text) for value in known})
    masked_ids = _masked_ids(plan, by_source)
    return {masked_ids[key]: values for key, values in by_source.items()}, {
        masked_ids[key]: key[1] for key in by_source
    }


def _masked_ids(plan: Plan, keys: Iterable[Key]) -> dict[Key, Key]:
    by_type: dict[str, list[str]] = defaultdict(list)
    for name, source_id in keys:
        by_type[name].append(source_id)
    masked: dict[Key, Key] = {}
    for name, ids in by_type.items():
        rule = plan.root(name).child("id").rule
        answers = ids if rule.masker is None else plan.bound(rule.masker).mask_distinct(ids)
        masked |= {(name, one): (name, answer or "") for one, answer in zip(ids, answers, strict=True)}
    return masked
