"""The linkage attack: somebody who knows n true facts of a person looks for whom they fit.

Attackers are drawn, not played by chance: which facts one knows is a hash of the person, so a run measured twice says the
same. An attack is carried out on the whole crowd, part by part: counts of those who fit add up.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from masking.report.measures import Linked
from masking.risk.facts import FACTS, Fact

MOST_FACTS = 4
#: Attacks on each person and number of facts.
DRAWS = 2
#: People who are attacked at most; of more, those with the least hashes.
TARGETS = 2_000
ANY, KEPT = "any", "kept"
#: What attackers know: facts of one kind; any; such as masking lets stand.
_BY_KIND, _BY_ANY, _BY_KEPT = range(3)
Facts = Mapping[Fact, Sequence[int]]


class Attack(NamedTuple):
    """Facts known of somebody, as numbers; 0 stands for none. model and kind tell how they were drawn."""

    target: int
    model: int
    kind: int
    facts: tuple[int, ...]


def is_target(person: int, people: int) -> bool:
    """Whether somebody is among some `TARGETS` of so many people."""
    return people <= TARGETS or _hash("target", person) < TARGETS / people * 2**64


def draw(person: int, facts: Facts, kept: Facts) -> Iterator[Attack]:
    """The attacks on one person. facts: all true ones by kind; kept: those of them that the masked record tells."""
    for kind, known in sorted(facts.items()):
        yield Attack(person, _BY_KIND, int(kind), (_drawn(person, 0, kind, known),))
    for model, pool in ((_BY_ANY, facts), (_BY_KEPT, kept)):
        for number in range(1, MOST_FACTS + 1):
            if len(pool) < number:
                break
            for turn in range(DRAWS):
                salt = number * 100 + turn
                kinds = sorted(pool, key=lambda kind: _hash("kind", person, salt, kind))[:number]
                yield Attack(person, model, -1, tuple(_drawn(person, salt, kind, pool[kind]) for kind in sorted(kinds)))


def _drawn(person: int, salt: int, kind: Fact, known: Sequence[int]) -> int:
    return min(known, key=lambda fact: _hash("fact", person, salt, kind, fact))


def _hash(what: str, *numbers: int) -> int:
    content = what.encode() + b"".join(struct.pack("<Q", number) for number in numbers)
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


class Crowd:
    """Facts of many people, by fact. facts, people: of each fact its number and whose it is."""

    def __init__(self, facts: Any, people: Any) -> None:
        self._names, numbers = np.unique(people, return_inverse=True)
        order = np.lexsort((numbers.reshape(-1), facts))
        self._facts = facts[order]
        self._people = numbers.reshape(-1)[order]

    def fitting(self, attacks: Any, targets: Any) -> tuple[Any, Any]:
        """Of each attack (a row of facts, 0 for none) how many people fit, two for more, and whether the target does."""
        first = np.searchsorted(self._facts, attacks)
        last = np.searchsorted(self._facts, attacks, side="right")
        many = np.zeros(len(attacks), np.uint8)
        hit = np.zeros(len(attacks), bool)
        at = np.searchsorted(self._names, targets)
        is_here = at < len(self._names)
        is_here[is_here] = self._names[at[is_here]] == targets[is_here]
        asked = attacks != 0
        hopeless = ((last == first) & asked).any(axis=1)
        for row in np.nonzero(~hopeless & asked.any(axis=1))[0].tolist():
            found = self._all_of(first[row][asked[row]], last[row][asked[row]])
            many[row] = min(len(found), 2)
            if is_here[row]:
                place = int(np.searchsorted(found, at[row]))
                hit[row] = place < len(found) and found[place] == at[row]
        return many, hit

    def _all_of(self, first: Any, last: Any) -> Any:
        """Those who have all of some facts, given where these stand; the rarest is asked first."""
        order = np.argsort(last - first).tolist()
        found = self._people[first[order[0]] : last[order[0]]]
        for number in order[1:]:
            other = self._people[first[number] : last[number]]
            places = np.searchsorted(other, found)
            places[places == len(other)] = 0
            found = found[other[places] == found]
            if not len(found):
                break
        return found


def tally(models: Any, kinds: Any, facts: Any, before: tuple[Any, Any], after: tuple[Any, Any]) -> list[Linked]:
    """Sum attacks up. facts: how many each knows; before, after: those who fit in the source and the masked data, the target
    among them.
    """
    found = []
    groups = sorted(set(zip(models.tolist(), facts.tolist(), kinds.tolist(), strict=True)))
    for model, number, kind in groups:
        which = (models == model) & (facts == number) & (kinds == kind)
        (many, hit), (old_many, old_hit) = ((side[0][which], side[1][which]) for side in (after, before))
        found.append(
            Linked(
                knows=KEPT if model == _BY_KEPT else ANY,
                facts=number,
                kind=FACTS[Fact(kind)] if kind >= 0 else "",
                attacks=int(which.sum()),
                before=int(((old_many == 1) & old_hit).sum()),
                after=int(((many == 1) & hit).sum()),
                misled=int(((many == 1) & ~hit).sum()),
                nobody=int((many == 0).sum()),
                several=int((many > 1).sum()),
            )
        )
    return found
