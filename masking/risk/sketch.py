"""How many distinct texts there are, without keeping any: the least hashes of them, which join over tasks.

Bar-Yossef et al. 2002, k minimum values: with the 256 least of hashes that are spread evenly, the estimate is within some
six in a hundred.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

_LEAST = 256
_ALL = 1 << 64


def hashed(text: str) -> int:
    """A text as 64 bits."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@dataclass(slots=True)
class Sketch:
    """What is remembered of the texts of one path: their number, how many look like names and numbers, least hashes."""

    texts: int = 0
    names: int = 0
    numbers: int = 0
    least: set[int] = field(default_factory=set)
    _bound: int = _ALL

    def add(self, text: str, is_name: bool, is_number: bool) -> None:
        """Take in one text."""
        self.texts += 1
        self.names += is_name
        self.numbers += is_number
        self._hash(hashed(text))

    def _hash(self, number: int) -> None:
        if number < self._bound:
            self.least.add(number)
            if len(self.least) > 2 * _LEAST:
                self._trim()

    def _trim(self) -> None:
        self.least = set(sorted(self.least)[:_LEAST])
        if len(self.least) == _LEAST:
            self._bound = max(self.least)

    def join(self, texts: int, names: int, numbers: int, least: Sequence[int]) -> None:
        """Take in what another task remembers."""
        self.texts, self.names, self.numbers = self.texts + texts, self.names + names, self.numbers + numbers
        for number in least:
            self._hash(number)

    def told(self) -> tuple[int, int, int, list[int]]:
        """To be joined elsewhere."""
        self._trim()
        return self.texts, self.names, self.numbers, sorted(self.least)

    @property
    def distinct(self) -> int:
        """An estimate; exact below 256."""
        self._trim()
        if len(self.least) < _LEAST:
            return len(self.least)
        return round((_LEAST - 1) * _ALL / max(self.least))
