"""Which records are of one human: groups of names that links between records tie together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from masking.identity.facts import Facts
from masking.identity.names import RANK, split

_HUMANS = frozenset({"Patient", "RelatedPerson", "Practitioner", "Person"})


class Groups:
    """The groups that pairs of names make; the same ones in whatever order the pairs come.

    A reference that leaves the type open (`/123`) means the record of that key, of whatever type. numbered: pairs of a record
    and the name that an identifier of its gives it (`/system|value`), of those by which records are linked: they tie only
    where one human alone has the number.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), numbered: Iterable[tuple[str, str]] = ()) -> None:
        parent: dict[str, str] = {}
        for one, other in pairs:
            _tie(parent, one, other)
        for name in [name for name in parent if name.startswith("/")]:
            for resource_type in RANK:
                if resource_type + name in parent:
                    _tie(parent, name, resource_type + name)
        holders: dict[str, set[str]] = {}
        for record, number in numbered:
            holders.setdefault(number, set()).add(record)
        tied = True
        while tied:  # what one number ties may make one human of those who have another
            tied = False
            for number, records in sorted(holders.items()):
                roots = {_root(parent, record) for record in records}
                if len(roots) == 1 and (root := roots.pop()) != _root(parent, number):
                    _tie(parent, root, number)
                    tied = True
        members: dict[str, list[str]] = {}
        for name in parent:
            members.setdefault(_root(parent, name), []).append(name)
        #: by name: the canonical name of its group
        self._canonical = {
            name: canonical
            for group in members.values()
            if len(group) > 1
            for canonical in [min(group, key=_precedence)]
            for name in group
        }

    def __len__(self) -> int:
        return len(self._canonical)

    def encode(self) -> bytes:
        """For the way to where claims are made."""
        return msgspec.msgpack.encode(self._canonical)

    @classmethod
    def decode(cls, content: bytes) -> Groups:
        """Back again."""
        groups = cls()
        groups._canonical = msgspec.msgpack.decode(content, type=dict[str, str])
        return groups

    def canonical(self, name: str) -> str:
        """The name of the group's first record: of its Patients the one of the least key. Its own if it has no group."""
        found = self._canonical.get(name)
        if found is None:
            resource_type, key = split(name)
            # The type was left open where it was linked; the record knows it.
            found = self._canonical.get("/" + key) if resource_type else None
        return name if found is None else found


def _tie(parent: dict[str, str], one: str, other: str) -> None:
    roots = sorted((_root(parent, one), _root(parent, other)))
    parent[roots[1]] = roots[0]


def _root(parent: dict[str, str], name: str) -> str:
    parent.setdefault(name, name)
    while parent[name] != name:
        parent[name] = parent[parent[name]]
        name = parent[name]
    return name


def _precedence(name: str) -> tuple[int, str]:
    """Patients first; names whose type is open come last, for they may be of any."""
    resource_type, key = split(name)
    return RANK.get(resource_type, len(RANK)), key


def numbers_of(pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The names among those linked that may be identifiers' (`/system|value`)."""
    return frozenset(name for pair in pairs for name in pair if name.startswith("/") and "|" in name)


def numbered(facts: Iterable[Facts], numbers: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The records of humans that have one of these numbers, each with the number's name."""
    for one in facts:
        if numbers and one.resource_type in _HUMANS:
            yield from ((one.name, name) for spelling in one.spellings if (name := "/" + spelling) in numbers)
