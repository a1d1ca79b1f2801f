"""From finds to findings: which of them chance explains, which the policy asks for, and which are leaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from masking.report.verdict import Finding, Searched
from masking.verify.finds import Find
from masking.verify.judge import COMMON, Chance, chances
from masking.verify.kinds import EIGHTEEN, MAY_STAY, NOBODYS, POOL, Kind, names_of
from masking.verify.known import Known
from masking.verify.tree import AGE, KEEP, SHIFT, told
from masking.verify.words import KIND_SHIFT

_PLACES = 5
#: A name that stands in the source of so many people whose it is not is a word as well, and is not judged as a name.
WORD = 2
_NAME_PATHS = (".family", ".given", ".text", ".valueString")


@dataclass(slots=True)
class Weighed:
    """The outcome of the search. leaks: the finds that are. kept: of each kind, finds that the policy asks for."""

    findings: list[Finding]
    eighteen: tuple[Searched, ...]
    leaks: list[Find] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Values and humans, each pair once: found with their owner, and with somebody else. words: places of values that are
    words as well. humans: how many have documents.
    """

    own_places: Any
    own_owners: Any
    other_places: Any
    other_humans: Any
    words: Any
    humans: int


def weigh(known: Known, pairs: Pairs, finds: Iterable[Find], offsets: Mapping[int, int]) -> Weighed:
    """Judge all finds. offsets: by how many days the dates of each patient (by key) moved."""
    found = list(finds)
    own, other = (~np.isin(places, pairs.words) for places in (pairs.own_places, pairs.other_places))
    strange = _other_peoples(found)
    stay = [
        (place, owner) not in strange for place, owner in zip(*_lists(pairs.own_places, pairs.own_owners), strict=True)
    ]
    own &= np.array(stay, bool)
    own_places = pairs.own_places[own]
    chance, shares = chances(
        known,
        (own_places, pairs.own_owners[own]),
        (pairs.other_places[other], pairs.other_humans[other]),
        pairs.humans,
    )
    rate = dict(zip(own_places.tolist(), shares.tolist(), strict=True))
    words = frozenset(pairs.words.tolist())
    found = [one for one in found if one.place not in words or one.kinds & ~POOL]
    fakes = {(one.place, one.owner) for one in found if one.path.endswith(_NAME_PATHS) and ".name." in one.path}
    # One's new birth date may be that of a relative, and stands in notes too.
    fakes |= {(one.place, one.owner) for one in found if one.action == AGE and not one.inside}
    reasons: dict[int, str] = {}
    kept: dict[int, int] = defaultdict(int)
    for index, one in enumerate(found):
        reason = _reason(one, rate.get(one.place, 0.0), fakes, offsets)
        if reason == KEEP:
            kept[one.kinds] += 1
        elif reason:
            reasons[index] = reason
    excess = [one for one in chance.values() if one.kind & POOL and one.is_excess]
    # Where a policy keeps some, as many are there as that makes.
    excess = [one for one in excess if not (one.kind & MAY_STAY and _stay(found, one.kind))]
    for kind in (one.kind for one in excess):
        for index, one in enumerate(found):
            if one.kinds & kind and one.owner and one.inside and index not in reasons:
                reasons[index] = "more than chance explains"
    leaks = [found[index] for index in reasons]
    findings = _findings([(found[index], reason) for index, reason in reasons.items()])
    for kind_chance in excess:
        if not any(one.kinds & kind_chance.kind for one in leaks):
            what = f"{_named(kind_chance.kind)}: more with their owner than the {kind_chance.expected:.1f} that chance explains"
            findings.append(Finding("leak", what, "", kind_chance.own))
    return Weighed(findings, tuple(_eighteen(chance, leaks, kept)), leaks)


def _stay(found: Iterable[Find], kind: Kind) -> bool:
    return any(one.kinds & kind and one.owner and one.action == KEEP for one in found)


def _other_peoples(found: Iterable[Find]) -> set[tuple[int, int]]:
    """Words of names with their owners that stand where they stood, yet everywhere as another person's name."""
    unlike: set[tuple[int, int]] = set()
    alike: set[tuple[int, int]] = set()
    for one in found:
        if one.inside:
            (alike if one.alike else unlike).add((one.place, one.owner))
    return unlike - alike


def _lists(*arrays: Any) -> tuple[list[int], ...]:
    return tuple(array.tolist() for array in arrays)


def _reason(one: Find, share: float, fakes: set[tuple[int, int]], offsets: Mapping[int, int]) -> str:
    """Why a find is a leak; `keep` where the policy asks for it, "" where chance explains it."""
    if not one.owner:
        return "nobody's to be here" if one.kinds & NOBODYS and share < COMMON else ""
    if one.action == KEEP and one.kinds & MAY_STAY and not one.kinds & ~MAY_STAY:
        return KEEP
    if one.kinds & Kind.BIRTH:
        return _birth(one, fakes, offsets)
    if one.kinds & POOL:
        is_fake = (one.place, one.owner) in fakes or not one.alike
        return "a name that is not the fake one" if one.kinds & Kind.NAME_WORD and one.inside and not is_fake else ""
    if share >= COMMON:
        return ""
    return "as it was" if one.inside else "of this very person"


def _birth(one: Find, fakes: set[tuple[int, int]], offsets: Mapping[int, int]) -> str:
    """A birth date in its owner's document: moved there from another day, or left."""
    if one.action in (SHIFT, AGE):
        return "a date that did not move" if one.inside else ""
    if not one.sure or (one.place, one.owner) in fakes:
        return ""
    offset = offsets.get(one.patient)
    if offset is not None and one.day - offset in one.days:
        return ""
    return "a birth date as it was" if one.inside else "a birth date"


def _named(kinds: int) -> str:
    return " or ".join(names_of(kinds))


def _findings(leaks: list[tuple[Find, str]]) -> list[Finding]:
    """One finding a kind, reason and path."""
    groups: dict[tuple[str, str], list[Find]] = defaultdict(list)
    for one, reason in leaks:
        groups[f"{_named(one.kinds)}: {reason}", told(one.path)].append(one)
    return [
        Finding("leak", what, path, len(many), tuple(dict.fromkeys((one.file, one.line) for one in many))[:_PLACES])
        for (what, path), many in sorted(groups.items())
    ]


def _eighteen(chance: Mapping[Kind, Chance], leaks: list[Find], kept: Mapping[int, int]) -> Iterable[Searched]:
    for letter, name, kinds in EIGHTEEN:
        parts = [one for one in chance.values() if one.kind & kinds]
        yield Searched(
            letter=letter,
            name=name,
            known=sum(one.known for one in parts),
            own=sum(one.own for one in parts),
            others=sum(one.others for one in parts),
            expected=round(sum(one.expected for one in parts), 2),
            leaked=sum(bool(one.kinds & kinds) for one in leaks),
            kept=sum(count for mask, count in kept.items() if mask & kinds),
        )


def kinds_at(known: Known, places: Any) -> Any:
    """The kinds of the values at places of the table."""
    return known.marks[places] >> np.uint32(KIND_SHIFT)
