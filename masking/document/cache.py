"""Shapes known to this process: from a text or its parts to what was worked out for its shape."""

from __future__ import annotations

from typing import Generic, TypeVar

from masking.document.pattern import Held, Pattern
from masking.document.program import Getter, Outer
from masking.document.shape import discriminators, key_getter
from masking.document.tokens import Value, signature

T = TypeVar("T")

#: How many shapes are remembered before all are forgotten.
MEMORY = 50_000
#: How many patterns are tried on a text before it goes the general way.
MOST_PATTERNS = 50
_TYPE_FIRST = b'{"resourceType":"'


class Shapes(Generic[T]):
    """Remembers one thing a shape, at one place of a plan.

    Three look-ups find it: by the structure, by the keys, and by the few strings that rules may look at. Each is one
    dictionary and one `itemgetter`, whatever the size of the text. `prefix`: the keys above, for a place that is not
    a document's root.
    """

    def __init__(self, prefix: tuple[str, ...] = ()) -> None:
        self._prefix = prefix
        self._structures: dict[bytes, tuple[Getter, dict[object, tuple[Getter, dict[object, T]]]]] = {}
        self._count = 0

    def find(self, parts: list[bytes]) -> T | None:
        """What is remembered for the shape of these parts."""
        try:
            get_keys, by_keys = self._structures[signature(parts)]
            get_strings, by_strings = by_keys[get_keys(parts)]
            return by_strings[get_strings(parts)]
        except KeyError:
            return None

    def remember(self, parts: list[bytes], tree: Value, thing: T) -> T:
        """Keep something for the shape of these parts, whose tree this is."""
        self._count += 1
        if self._count > MEMORY:
            self._structures.clear()
            self._count = 1
        structure = signature(parts)
        if structure not in self._structures:
            keys = [part for part in range(1, len(parts) - 1, 2) if parts[part + 1].lstrip(b" \t\r\n")[:1] == b":"]
            self._structures[structure] = key_getter(keys), {}
        get_keys, by_keys = self._structures[structure]
        keys_spelled = get_keys(parts)
        if keys_spelled not in by_keys:
            by_keys[keys_spelled] = key_getter(discriminators(tree, self._prefix)), {}
        get_strings, by_strings = by_keys[keys_spelled]
        by_strings[get_strings(parts)] = thing
        return thing


class Patterns:
    """The patterns of one place, by how many quotes a text holds and how its type begins: that tells most shapes apart
    for nothing.
    """

    def __init__(self) -> None:
        self._by_look: dict[tuple[int, bytes], list[Pattern]] = {}

    def take(self, text: bytes, quotes: int, outer: Outer) -> tuple[Pattern, Held] | None:
        """The pattern that a text matches, and what the text holds. What matched last is tried first: likes come
        together.
        """
        patterns = self._by_look.get((quotes, text[17:20] if text[:17] == _TYPE_FIRST else b""))
        if patterns is None:
            return None
        for place, pattern in enumerate(patterns):
            held = pattern.take(text, outer)
            if held is not None:
                if place:
                    patterns.insert(0, patterns.pop(place))
                return pattern, held
        return None

    def add(self, text: bytes, quotes: int, pattern: Pattern) -> None:
        """Try this pattern too, from now on, for texts that look like this one."""
        look = quotes, text[17:20] if text[:17] == _TYPE_FIRST else b""
        patterns = self._by_look.setdefault(look, [])
        if len(patterns) < MOST_PATTERNS:
            patterns.append(pattern)
