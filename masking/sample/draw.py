"""Seeded draws, ids and number spelling: the only source of chance in the sample export.

Only `random.Random.random` is drawn from: it is the one method whose sequence Python promises to keep between versions,
so the same seed gives the same bytes on 3.11 and 3.13. Nothing here touches the global generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import TypeVar

from msgspec import Raw

T = TypeVar("T")


class Draw:
    """A stream of choices made by its parts alone, e.g. `Draw(seed, "patient", 17)`."""

    __slots__ = ("fraction",)

    def __init__(self, *parts: object) -> None:
        #: The next number in [0, 1).
        self.fraction = Random("\x1f".join(str(part) for part in parts)).random

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.fraction() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.fraction() * (high - low + 1))

    def near(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + self.fraction() * (high - low)

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely as the next."""
        return items[int(self.fraction() * len(items))]

    def several(self, items: Sequence[T], count: int) -> list[T]:
        """Up to `count` different items, in an order of its own."""
        rest = list(items)
        return [rest.pop(int(self.fraction() * len(rest))) for _ in range(min(count, len(rest)))]

    def digits(self, count: int) -> str:
        """A text of `count` digits that does not begin with 0."""
        return str(self.between(10 ** (count - 1), 10**count - 1))


def uuid(*parts: object) -> str:
    """A UUID (version 4 by its looks) that depends on the parts alone."""
    return _dashed(blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=16).hexdigest())


class Ids:
    """A row of UUIDs that depends on the parts alone."""

    __slots__ = ("_count", "_state")

    def __init__(self, *parts: object) -> None:
        self._state = blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=16)
        self._count = 0

    def next(self) -> str:
        """The next one."""
        self._count += 1
        state = self._state.copy()
        state.update(b"\x1f%d" % self._count)
        return _dashed(state.hexdigest())


def _dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def spread(index: int, modulus: int, purpose: str, seed: int) -> int:
    """A number in [0, modulus) that no other index below `modulus` has, so planted numbers never collide.

    A multiplication by a prime that does not divide the modulus, and an offset: it spreads, it hides nothing.
    """
    offset = int.from_bytes(blake2b(f"{purpose}\x1f{seed}".encode(), digest_size=8).digest(), "big")
    return (index * 2_147_483_647 + offset) % modulus


def decimal(value: float, places: int) -> Raw:
    """A JSON number that keeps its trailing zeros: FHIR's decimals carry their precision."""
    return Raw(f"{value:.{places}f}".encode())


def spelled(text: str) -> Raw:
    """A JSON number with this very spelling, e.g. `1E2`."""
    return Raw(text.encode())
