"""Fake names of facilities: the kind of the true one, the state where it is known, and words that name nobody.

A name is drawn by the folded true name and its state, so that an organization and the site of the same name beside it,
whatever their ids, stay of one name. Its words are of a list that holds no name of a person, no town and no county, and
no two of them side by side make a town: a fake neither claims to be a facility that there is nor looks like somebody's
name or address. A town of the state would: a patient's own more often than chance has it, for people live near.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache

from masking.pools.choice import keyed_bytes
from masking.pools.load import FacilityKind, facility_kinds, facility_parts
from masking.pools.places import fold_place
from masking.pools.states import NAMES

_OF_THE = frozenset({"DC", "MP", "VI"})
_DRAWS = 4


@lru_cache(maxsize=1 << 13)
def facility_name(key: bytes, name: str, state: str | None) -> str | None:
    """The fake of a facility's name in a state (its code; None where it is not known), in the case of the name where that
    is all upper or all lower; None where the name holds neither letter nor digit.
    """
    folded = fold_place(name)
    if not folded:
        return None
    forms = kind_of(folded).forms
    for attempt in range(_DRAWS):
        fake = _drawn(keyed_bytes(key, "facility", folded, state or "", str(attempt)), forms, state)
        if fold_place(fake) != folded:
            break
    return fake.upper() if name.isupper() else fake.lower() if name.islower() else fake


def _drawn(bits: bytes, forms: tuple[str, ...], state: str | None) -> str:
    """A name out of 32 bytes: 'Crimson Terrace Solace Hospital of Ohio'."""
    numbers = [int.from_bytes(bits[at : at + 6], "big") for at in range(0, 30, 6)]
    pools = (*(facility_parts()[part] for part in ("first", "second", "spirit")), forms)
    name = " ".join(pool[number % len(pool)] for pool, number in zip(pools, numbers, strict=False))
    if state is None:
        return name
    if numbers[4] % 2:
        return f"{NAMES[state]} {name}"
    return f"{name} of {'the ' if state in _OF_THE else ''}{NAMES[state]}"


def kind_of(folded: str) -> FacilityKind:
    """The kind of facility that a folded name tells, the last one of all where it tells none."""
    told, last = _told(), len(facility_kinds()) - 1
    return facility_kinds()[min((told[phrase] for phrase in _phrases(folded.split()) if phrase in told), default=last)]


def is_generic(name: str) -> bool:
    """Whether a name holds nothing but words of kinds, numbers and single letters: 'Ward A', 'Emergency Room 2'.

    Texts speak of many such; they tell nobody which is meant.
    """
    words = fold_place(name).split()
    told = {word for phrase in _phrases(words) if phrase in _told() for word in phrase.split()}
    return all(len(word) == 1 or word.isdecimal() or word in _PLAIN or word in told for word in words)


def _phrases(words: list[str]) -> Iterator[str]:
    """All words of a name, and all that stand together by twos and threes."""
    return (" ".join(words[at : at + size]) for size in (1, 2, 3) for at in range(len(words) - size + 1))


@cache
def _told() -> dict[str, int]:
    """The words that tell a kind, by its number."""
    kinds = list(enumerate(facility_kinds()))
    return {word: number for number, kind in reversed(kinds) for word in kind.told}


#: Words that name no facility, beside those that tell its kind.
_WORDS = (
    "main general north south east west old new upper lower front back central first second third fourth fifth the of at and "
    "for in on patient patients his her their own emergency operating waiting recovery intensive care medical medicine "
    "surgical maternity delivery labor newborn nursery triage day night treatment exam examination consulting office offices "
    "lobby site campus location level center centre"
)
_PLAIN = frozenset(_WORDS.split())
