"""The values that a drill plants: out of the verifier's own list, each of a person whose record is at hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from masking.verify.collect import Collector, Found, day_of, forms
from masking.verify.kinds import LEAST, Kind
from masking.verify.known import day_key, hashed

#: Of each kind so many values are at hand, for not every value fits every place.
_MOST = 40


@dataclass(frozen=True, slots=True)
class Picked:
    """Values to plant, by kind: each with an owner of its own where there are enough. people: who has a record."""

    values: Mapping[Kind, Sequence[Found]]
    people: int


def pick(documents: Iterable[bytes], records: Mapping[str, object]) -> Picked:
    """Choose values of the sources' documents whose owners (`Patient/1`) are among `records`: those that are one owner's
    alone first.
    """
    collector = Collector()
    for document in documents:
        collector.document(document)
    found = [one for one in collector.found if one.owner in records and is_looked_for(one)]
    owners = Counter((one.kind, one.text) for one in found)
    by_kind: dict[Kind, dict[str, Found]] = defaultdict(dict)
    for one in sorted(found, key=lambda one: (owners[one.kind, one.text], one)):
        if len(by_kind[one.kind]) < _MOST:
            by_kind[one.kind].setdefault(one.owner, one)
    kinds = {kind: tuple(by_kind[kind].values()) for kind in Kind}
    kinds[Kind.UUID] = tuple(
        one for kind in (Kind.UUID, Kind.ID) for one in by_kind[kind].values() if _kinds(one) == {Kind.UUID}
    )
    kinds[Kind.ID] = tuple(one for one in by_kind[Kind.ID].values() if _kinds(one) == {Kind.ID})
    return Picked(kinds, len({one.owner for one in found}))


def _kinds(found: Found) -> set[Kind]:
    return {form.kind for form in forms(found)}


def is_looked_for(found: Found) -> bool:
    """Whether a value is long enough to be searched for."""
    return bool(keys_of(found))


def keys_of(found: Found) -> frozenset[int]:
    """The hashes under which a value is known."""
    if found.kind == Kind.BIRTH:
        day = day_of(found.text)
        return frozenset((day_key(day),)) if day else frozenset()
    spelled = list(forms(found))
    measured = hashed([form.text for form in spelled])
    return frozenset(
        int(whole)
        for form, whole, size in zip(spelled, measured.whole, measured.sizes, strict=True)
        if size >= LEAST[form.kind]
    )
