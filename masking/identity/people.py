"""`People`: what is known of everybody, in memory, merged by human."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from masking.identity.entries import Claim, Entry, choose, claims_of, settle
from masking.identity.facts import Facts, merge
from masking.identity.links import Groups, numbered, numbers_of
from masking.identity.names import identifier_key, split


class People:
    """Merged knowledge: many records of one human are one. The same whatever the order of what is added, and twice
    the same changes nothing.

    `who` is a name (`Patient/123`) or a subject key (`123`), which means the Patient of that key if there is one, else
    the RelatedPerson, Practitioner, and so on. An identifier's key (`system|value`) and a fullUrl's lead to their record.
    """

    def __init__(self, facts: Iterable[Facts] = ()) -> None:
        self._facts: dict[str, Facts] = {}
        self._found: dict[str, list[Entry]] | None = None
        self.update(facts)

    def __repr__(self) -> str:
        return f"People({len(self._facts)} records)"

    def __len__(self) -> int:
        return len(self._facts)

    def update(self, facts: Iterable[Facts]) -> None:
        """Add what records say."""
        for one in facts:
            known = self._facts.get(one.name)
            self._facts[one.name] = one if known is None else merge((known, one), one.resource_type, one.key)
        self._found = None

    def records(self) -> Iterator[Facts]:
        """The records as they were added, merged by name only."""
        return iter(self._facts.values())

    def entries(self) -> Mapping[str, list[Entry]]:
        """What each key means."""
        if self._found is None:
            pairs = list(link_pairs(self._facts.values()))
            groups = Groups(pairs, numbered(self._facts.values(), numbers_of(pairs)))
            claims: dict[str, list[Claim]] = {}
            for facts in self._facts.values():
                for key, claim in claims_of(facts, groups):
                    claims.setdefault(key, []).append(claim)
            settled = ((key, settle(key, claims[key])) for key in sorted(claims))
            self._found = {key: entries for key, entries in settled if entries}
        return self._found

    def _entry(self, who: str) -> Entry | None:
        resource_type, key = split(who)
        entries = self.entries()
        entry = choose(entries.get(key, ()), resource_type)
        if entry is not None and entry.facts is None:
            resource_type, key = split(entry.canonical)
            entry = choose(entries.get(key, ()), resource_type)
        return entry

    def facts(self, who: str) -> Facts | None:
        """All that is known of somebody; None where nothing is."""
        entry = self._entry(who)
        return entry.facts if entry else None

    def canonical(self, who: str) -> str:
        """The one key of a human with several records; of somebody unknown the key that was given."""
        facts = self.facts(who)
        return facts.key if facts else split(who)[1]

    def relatives(self, who: str) -> tuple[str, ...]:
        """The names of a human's relatives, each by its canonical name; both ways."""
        facts = self.facts(who)
        if facts is None:
            return ()
        found = {entry.canonical if (entry := self._entry(name)) else name for name in facts.relatives}
        return tuple(sorted(found - {facts.name}))

    def by_identifier(self, system: str, value: str) -> Facts | None:
        """Who has that identifier; None where nobody or several humans have it."""
        return self.facts(identifier_key(system, value))


def link_pairs(facts: Iterable[Facts]) -> Iterator[tuple[str, str]]:
    """The links between records of one human."""
    return ((one.name, other) for one in facts for other in one.same)
