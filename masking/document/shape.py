"""Which strings of a text decide what is done with the others, and the getters that fetch parts fast."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from operator import itemgetter

from masking.document.program import Getter
from masking.document.tokens import Array, Object, Text, Value
from masking.fhir.elements import children, contents


@functools.cache
def identifier_names() -> frozenset[str]:
    """The properties that hold an Identifier anywhere in R4 (`identifier`, `accessionIdentifier`, `requisition`, …)."""
    return frozenset(e.name for content in contents() for e in children(content).values() if e.type == "Identifier")


def discriminators(tree: Value, prefix: tuple[str, ...]) -> tuple[int, ...]:
    """The parts of the strings that rules may look at: a resource's type, an extension's url, systems, identifiers'
    type codes,
    security labels. Chosen by keys alone, so that texts of one shape agree about them."""
    return tuple(part for part, path in _strings(tree, prefix) if _decides(path))


def _decides(path: tuple[str, ...]) -> bool:
    match path:
        case (*_, "resourceType" | "system"):
            return True
        case (*_, "extension" | "modifierExtension", "url"):
            return True
        case (*_, name, "type", "coding", "code"):
            return name in identifier_names()
        case (*_, "meta", "security", "code"):
            return True
    return False


def _strings(value: Value, path: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    pending = [(value, path)]
    while pending:
        here, path = pending.pop()
        if isinstance(here, Text):
            yield here.part, path
        elif isinstance(here, Array):
            pending.extend((item, path) for item in reversed(here.items))
        elif isinstance(here, Object):
            pending.extend((member.value, (*path, key)) for key, member in reversed(here.members.items()))


def tuple_getter(parts: Sequence[int]) -> Getter:
    """What fetches these places of a list as a tuple; `itemgetter` alone would not make a tuple of one or none."""
    if len(parts) > 1:
        return itemgetter(*parts)
    if parts:
        return itemgetter(slice(parts[0], parts[0] + 1))  # a list of one: as good as a tuple to whoever iterates
    return _nothing


def key_getter(parts: Sequence[int]) -> Getter:
    """As `tuple_getter`, for a key of a dictionary: hashable in every case."""
    if len(parts) == 1:
        return itemgetter(parts[0])
    return tuple_getter(parts)


def _nothing(_: Sequence[bytes]) -> tuple[bytes, ...]:
    return ()
