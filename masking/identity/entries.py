"""What is found under one key: of each type a record, or the way to it. The unit that is merged, stored and looked up.

A record stands under the canonical name of its human. Its other names (records that are linked to it, identifiers,
fullUrls) lead there. A key that leads to two humans of one type leads to nobody: a placeholder that an exporter gives
to everybody must not make one human of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from masking.identity.facts import Facts, merge, reversed_links
from masking.identity.links import Groups
from masking.identity.names import RANK, split

#: How much a claim to a key weighs: the record itself, another record of the human, a mere spelling.
RECORD, MEMBER, SPELLING = range(3)


class Claim(msgspec.Struct, array_like=True, gc=False):
    """One record's claim to a key. canonical: the name of its human. facts: of a `RECORD` only."""

    kind: int
    resource_type: str
    canonical: str
    facts: Facts | None = None

    def __repr__(self) -> str:
        return f"Claim({self.kind}, {self.resource_type})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("kind", self.kind), ("resource_type", self.resource_type)]


def claims_of(facts: Facts, groups: Groups) -> Iterator[tuple[str, Claim]]:
    """All that a record contributes, by key: its facts, notes to its relatives, its other names; of a note about a patient
    itself, to the record that the patient has.
    """
    if not facts.resource_type:
        _, key = split(groups.canonical(f"Patient/{facts.key}"))
        yield key, Claim(RECORD, "", f"/{key}", msgspec.structs.replace(facts, key=key))
        return
    canonical = groups.canonical(facts.name)
    resource_type, key = split(canonical)
    relatives = tuple(name for name in facts.relatives if name != facts.name)
    own = msgspec.structs.replace(
        facts, resource_type=resource_type, key=key, known_as=(facts.name,), relatives=relatives
    )
    yield key, Claim(RECORD, resource_type, canonical, own)
    if canonical != facts.name:
        yield facts.key, Claim(MEMBER, facts.resource_type, canonical)
    for other in facts.same:  # it may not be in the export, yet be referred to
        if other != canonical and not other.startswith("/"):
            resource_type, key = split(other)
            yield key, Claim(MEMBER, resource_type, canonical)
    for spelling in facts.spellings:
        yield spelling, Claim(SPELLING, facts.resource_type, canonical)
    for note in reversed_links(facts):
        whose = groups.canonical(note.name)
        resource_type, key = split(whose)
        yield key, Claim(RECORD, resource_type, whose, Facts(resource_type, key, relatives=note.relatives))


class Entry(msgspec.Struct, array_like=True, gc=False):
    """What a key means as one type: the merged facts, or the canonical name under which they are."""

    resource_type: str
    canonical: str
    facts: Facts | None = None

    def __repr__(self) -> str:
        return f"Entry({self.resource_type})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("resource_type", self.resource_type)]


def settle(key: str, claims: Iterable[Claim]) -> list[Entry]:
    """What a key means, by type, in the order of `TYPES`; the same in whatever order the claims come."""
    records: dict[str, list[Facts]] = {}
    ways: dict[str, dict[int, set[str]]] = {}
    for claim in claims:
        if claim.facts is not None:
            records.setdefault(claim.resource_type, []).append(claim.facts)
        else:
            ways.setdefault(claim.resource_type, {}).setdefault(claim.kind, set()).add(claim.canonical)
    notes = records.pop("", [])
    found = {name: Entry(name, f"{name}/{key}", _merged(parts + notes, name, key)) for name, parts in records.items()}
    for name, by_kind in ways.items():
        best = by_kind[min(by_kind)]
        if name not in found and len(best) == 1:
            found[name] = Entry(name, next(iter(best)))
    return [found[name] for name in sorted(found, key=RANK.__getitem__)]


def _merged(parts: list[Facts], resource_type: str, key: str) -> Facts:
    whole = merge(parts, resource_type, key)
    # Records of one human may name each other; nobody is a relative of themselves.
    whole.relatives = tuple(name for name in whole.relatives if name not in whole.known_as)
    return whole


def settle_encoded(key: str, payloads: Iterable[bytes]) -> bytes:
    """The same from encoded claims to encoded entries; equal claims count once. Empty where the key means nothing.

    Holds some thousand claims, however many there are: a number that a million records share is claimed by all of them.
    """
    held: dict[bytes, None] = {}
    for payload in payloads:
        held[payload] = None
        if len(held) >= _HELD:
            held = dict.fromkeys(_folded(held))
    distinct = list(held)
    if len(distinct) > 1 or distinct[0][2:3] == _NO_TYPE:
        entries = settle(key, map(_decode_claim, distinct))
        return _encode(entries) if entries else b""
    # Nearly all keys: a claim is a list of kind, type, canonical name and facts; its entry the same without the kind.
    return _ONE_ENTRY + distinct[0][2:]


def _folded(payloads: Iterable[bytes]) -> Iterator[bytes]:
    """Fewer claims that settle to the same: records of a type as one, and of other claims as many as it takes to be of two.

    Which are dropped does not matter: facts are the first so many of a union, and two humans are as bad as a thousand.
    """
    records: dict[str, list[Claim]] = {}
    others: dict[tuple[str, int], dict[str, Claim]] = {}
    for claim in map(_decode_claim, payloads):
        if claim.facts is not None:
            records.setdefault(claim.resource_type, []).append(claim)
        else:
            found = others.setdefault((claim.resource_type, claim.kind), {})
            if len(found) < _TWO:
                found[claim.canonical] = claim
    for name, claims in records.items():
        first, parts = claims[0], [claim.facts for claim in claims if claim.facts is not None]
        yield encode_claim(msgspec.structs.replace(first, facts=merge(parts, name, parts[0].key)))
    yield from (encode_claim(claim) for found in others.values() for claim in found.values())


_HELD, _TWO = 2000, 2
#: In msgpack: the empty text, and a list of one list of three.
_NO_TYPE, _ONE_ENTRY = b"\xa0", b"\x91\x93"


def choose(entries: Iterable[Entry], resource_type: str) -> Entry | None:
    """The entry of a type; where the type is open, the first."""
    return next((entry for entry in entries if resource_type in ("", entry.resource_type)), None)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Entry]).decode
_decode_claim = msgspec.msgpack.Decoder(Claim).decode


def encode_entries(entries: list[Entry]) -> bytes:
    """For the store."""
    return _encode(entries)


def decode_entries(payload: bytes) -> list[Entry]:
    """From the store."""
    return _decode(payload)


def encode_claim(claim: Claim) -> bytes:
    """For the way to where claims are settled."""
    return _encode(claim)
