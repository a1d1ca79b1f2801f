"""Shapes known to this process: from a text's parts to what was worked out for its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from masking.document.program import Getter
from masking.document.shape import discriminators, key_getter
from masking.document.tokens import parse, signature

T = TypeVar("T")

#: How many shapes are remembered before all are forgotten.
MEMORY = 50_000

_ByStrings = dict[object, T]


class Shapes(Generic[T]):
    """Remembers one thing a shape.

    Three look-ups find it: by the structure, by the keys, and by the few strings that rules may look at. Each is one dictionary and one
    `itemgetter`, whatever the size of the text.
    """

    def __init__(self) -> None:
        self._structures: dict[object, tuple[Getter, dict[object, tuple[Getter, _ByStrings[T]]]]] = {}
        self._count = 0

    def find(self, place: object, prefix: tuple[str, ...], parts: list[bytes], make: Callable[[], T]) -> T:
        """What `make` gave for the first text of this shape at this place of the plan. `prefix`: the keys above a piece."""
        structure = place, signature(parts)
        known = self._structures.get(structure)
        if known is None:
            keys = [part for part in range(1, len(parts) - 1, 2) if parts[part + 1].lstrip(b" \t\r\n")[:1] == b":"]
            known = self._structures[structure] = key_getter(keys), {}
        get_keys, by_keys = known
        spelled = get_keys(parts)
        shape = by_keys.get(spelled)
        if shape is None:
            shape = by_keys[spelled] = key_getter(discriminators(parse(parts), prefix)), {}
        get_strings, by_strings = shape
        strings = get_strings(parts)
        found = by_strings.get(strings)
        if found is None:
            if self._count >= MEMORY:
                self._forget()
            self._count += 1
            found = by_strings[strings] = make()
        return found

    def _forget(self) -> None:
        self._structures.clear()
        self._count = 0


