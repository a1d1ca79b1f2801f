"""Tell, of a planted value that was met in the output, whether it leaked, is kept by a rule, or is there by chance.

By rule, in this order:

1. A value that is one person's alone (a number, an address, a URL) and stands where the source has it has stayed. Fakes of
   such kinds come from ranges that no source has, or from too many to meet it; but for IP addresses, which are few.
2. Of any other the resource is masked again, under other keys. What identifies somebody and was masked is another fake
   under another key; what is there under all of them, no masker has touched.
3. What has stayed or is there under all keys is kept, if at each such place a rule says keep, and else it leaked.

A name, a place or a date that comes out the same under the run's own key alone is thus chance: the fake of another
value, or of itself.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from masking.commands.compare import UNKNOWN, Change, pairs
from masking.commands.needles import SHARED, Needles, Value
from masking.commands.readings import Reading
from masking.document import Engine
from masking.identity import People, gather
from masking.keys import MasterKey
from masking.policy.plan import Plan
from masking.policy.specs import Action, Rule

#: Under each other key one in some twelve months stays, and a date meets another's of the same record as often.
_KEYS = 6
_BATCH = 2000
_FEW = frozenset({"ip"})
_INDEX = re.compile(r"\[[0-9]+\]")

Key = tuple[str, str]  # resource type, id


class Header(msgspec.Struct):
    """What names a resource."""

    resourceType: str = ""  # noqa: N815 (FHIR's name)
    id: str = ""

    @property
    def key(self) -> Key:
        """Type and id."""
        return self.resourceType, self.id


class Suspect(NamedTuple):
    """A masked resource in which planted values were met. source: names it in the export."""

    source: Key
    line: str
    values: tuple[Value, ...]


class Verdict(NamedTuple):
    """What is to be said of a value in a resource. rule: which let it stay; None for chance."""

    value: Value
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Judge:
    """plan: of the run. export: the source's files."""

    plan: Plan
    export: Path
    needles: Needles

    def judge(self, suspects: Sequence[Suspect]) -> Iterator[Verdict]:
        """A verdict a value a suspect."""
        sources = dict(lines_of(self.export, {suspect.source for suspect in suspects}))
        open_cases: list[tuple[Suspect, Value]] = []
        for suspect in suspects:
            for value in suspect.values:
                rule = None
                if value.kind not in SHARED | _FEW:
                    rule = self._rule(value, self._pairs(suspect, sources), stayed=True)
                if rule is not None:
                    yield Verdict(value, rule)
                else:
                    open_cases.append((suspect, value))
        still = self._under_other_keys(open_cases, sources)
        for suspect, value in open_cases:
            if (suspect.source, value) in still:
                yield Verdict(value, self._rule(value, self._pairs(suspect, sources), stayed=False) or UNKNOWN)
            else:
                yield Verdict(value, None)

    def _pairs(self, suspect: Suspect, sources: Mapping[Key, bytes]) -> list[Change]:
        source = sources.get(suspect.source)
        if source is None:
            return []
        return list(pairs(self.plan, json.loads(source), json.loads(suspect.line)))

    def _rule(self, value: Value, every: Iterable[Change], *, stayed: bool) -> Rule | None:
        """The rule of the place where a value stands: one that masks before one that keeps, its own path before others.

        stayed: only of places where the source has it too; None where there is none.
        """
        there = [
            pair for pair in every if self._is_in(value, pair.after) and (not stayed or self._is_in(value, pair.before))
        ]
        here = [pair for pair in there if _INDEX.sub("", pair.path) == value.path.partition(".")[2]] or there
        return min((_as_it_was(pair) for pair in here), key=lambda rule: rule.action is Action.KEEP, default=None)

    def _is_in(self, value: Value, text: str | None) -> bool:
        return text is not None and self.needles.stand_in(value, Reading([text]))

    def _under_other_keys(
        self, cases: Sequence[tuple[Suspect, Value]], sources: Mapping[Key, bytes]
    ) -> set[tuple[Key, Value]]:
        """Which are there whatever the key."""
        left: dict[Key, list[Value]] = defaultdict(list)
        for suspect, value in cases:
            if suspect.source in sources:  # else nothing is known of it, and it is open what it is
                left[suspect.source].append(value)
        unknown = {(suspect.source, value) for suspect, value in cases if suspect.source not in sources}
        people = None
        for number in range(_KEYS):
            if not left:
                break
            people = people or self._people()
            secret = hashlib.sha256(f"another key {number}".encode()).digest()
            engine = Engine(Plan(self.plan.policy, MasterKey.from_bytes(secret).keyring())).with_people(people)
            left = self._met_again(engine, left, sources)
        return unknown | {(key, value) for key, values in left.items() for value in values}

    def _people(self) -> People:
        """Who is in the export."""
        people = People()
        for file in sorted(self.export.rglob("*.ndjson")):
            with file.open("rb") as stream:
                while lines := list(itertools.islice(stream, _BATCH)):
                    people.update(gather(lines))
        return people

    def _met_again(
        self, engine: Engine, left: Mapping[Key, Sequence[Value]], sources: Mapping[Key, bytes]
    ) -> dict[Key, list[Value]]:
        met: dict[Key, list[Value]] = {}
        keys = list(left)
        for start in range(0, len(keys), _BATCH):
            some = keys[start : start + _BATCH]
            for key, masked in zip(some, engine.mask_batch([sources[key] for key in some]).masked, strict=True):
                reading = Reading.of_line(masked) if masked is not None else None
                if reading and (values := [one for one in left[key] if self.needles.stand_in(one, reading)]):
                    met[key] = values
        return met


def _as_it_was(pair: Change) -> Rule:
    """The rule of a place; one that keeps what it has on a list does keep it."""
    listed = pair.rule.masker is not None and pair.rule.masker.name == "keep_listed"
    return replace(pair.rule, action=Action.KEEP, masker=None) if listed and pair.before == pair.after else pair.rule


def lines_of(export: Path, wanted: set[Key]) -> Iterator[tuple[Key, bytes]]:
    """The lines of these resources."""
    types = {name for name, _ in wanted}
    for file in sorted(export.rglob("*.ndjson")):
        if file.name.partition(".")[0] not in types:
            continue
        with file.open("rb") as stream:
            for line in stream:
                if line.strip() and (key := msgspec.json.decode(line, type=Header).key) in wanted:
                    yield key, line.strip()
