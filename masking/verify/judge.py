"""Leak or chance: what was found, held against what chance alone would have found.

A fake is drawn without regard to whose it is. So the share of *other* people in whose documents a value stands tells how
likely it would stand in its owner's by chance, and the sum over all owners how many such finds chance explains. Where far
more are found than that (Poisson, one in a thousand), the kind leaks. Different values are counted there, each once: a
household shares its name and its doctor, whose fake name then meets it in all of their charts. A value that no list holds (a
number, an address, a UUID) needs no statistics: in its owner's document it is a leak unless it stands in many others' too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from masking.verify.kinds import POOL, Kind
from masking.verify.known import Known
from masking.verify.words import KIND_SHIFT

#: A value that stands in so large a share of other people's documents is a word, or a fake that many got.
COMMON = 0.01
#: What chance gives less often than this is no chance.
DOUBT = 1e-3
#: The chance that a fake is the true one, at least: lists of names have some thousands, those of places ten times as many,
#: and streets are named after towns.
_FLOORS = {Kind.NAME_WORD: 2e-4, Kind.TOWN: 2e-4, Kind.ZIP: 1e-4}

Places = npt.NDArray[np.int64]
Owners = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Chance:
    """What was found of one kind. known: values with an owner. own: found with their owner; others: with somebody else.
    expected: of `own`, how many chance explains. tail: how often chance gives as many different values, or more.
    """

    kind: Kind
    known: int
    own: int
    others: int
    expected: float
    tail: float

    @property
    def is_excess(self) -> bool:
        """Whether chance does not explain it."""
        return self.own > 0 and self.tail < DOUBT


def chances(
    known: Known, own: tuple[Places, Owners], others: tuple[Places, Owners], humans: int
) -> tuple[dict[Kind, Chance], npt.NDArray[np.float64]]:
    """By kind, and of each of `own` the share of other people in whose documents its value stands.

    own, others: pairs, each once, of a value's place in the table and a human. humans: how many have documents at all.
    """
    places, counts = np.unique(others[0], return_counts=True)
    rates = counts / max(1, humans)
    expected = rates * known.shares[places]
    kinds = known.marks[places] >> KIND_SHIFT
    own_kinds = known.marks[own[0]] >> KIND_SHIFT if len(own[0]) else np.zeros(0, np.uint32)
    found = {}
    for number, kind in enumerate(Kind):
        pairs = int(known.pair_counts[number])
        each = expected[(kinds & kind) > 0]
        least = pairs * _FLOORS.get(kind, 0.0)
        is_seen = (own_kinds & kind) > 0
        different = len(np.unique(own[0][is_seen]))
        strange = int(counts[(kinds & kind) > 0].sum())
        tail = poisson_tail(different, max(float(-np.expm1(-each).sum()), least))
        found[kind] = Chance(kind, pairs, int(is_seen.sum()), strange, max(float(each.sum()), least), tail)
    share = np.zeros(len(own[0]))
    if len(places) and len(share):
        at = np.minimum(np.searchsorted(places, own[0]), len(places) - 1)
        share = np.where(places[at] == own[0], rates[at], 0.0)
    return found, share


def poisson_tail(seen: int, expected: float) -> float:
    """How often a Poisson variable of that mean is `seen` or more."""
    if seen == 0:
        return 1.0
    if expected <= 0:
        return 0.0
    if expected > 500:  # the sum would underflow; the normal curve is as good there
        return 0.5 * math.erfc((seen - 0.5 - expected) / math.sqrt(2 * expected))
    term = total = math.exp(-expected)
    for count in range(1, seen):
        term *= expected / count
        total += term
    return max(0.0, 1.0 - total)


def is_pool(kinds: int) -> bool:
    """Whether a value is of a kind that fakes share with true ones."""
    return bool(kinds & POOL)
