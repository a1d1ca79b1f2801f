"""Read the pools: lazily, once a process, from the package's own data files.

Every accessor is cached and its result shared: tuples and frozen objects only. A worker that masks names alone never
reads the places.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from masking.pools.states import STATES


class Place(NamedTuple):
    """One real ZIP: all its fields belong together. Coordinates are decimal degrees, spelled with four decimals."""

    zip: str
    city: str
    state: str
    county: str
    time_zone: str
    latitude: str
    longitude: str
    area_codes: str
    kind: str


class FacilityKind(NamedTuple):
    """A kind of facilities: the folded words of names that tell it, and how a fake of it is called."""

    name: str
    told: tuple[str, ...]
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Real places by row number: standard ZIPs first (choose from these), then those of PO boxes alone."""

    lines: tuple[str, ...]
    #: Rows in the fifty states and DC; `range` objects of row numbers throughout.
    country: range
    by_state: Mapping[str, range]
    by_zip3: Mapping[str, tuple[range, ...]]

    def __getitem__(self, row: int) -> Place:
        return Place(*self.lines[row].split("\t"))


def _read(name: str) -> str:
    data = (files("masking.pools") / "data" / name).read_bytes()
    return (gzip.decompress(data) if name.endswith(".gz") else data).decode()


def _words(name: str) -> tuple[str, ...]:
    return tuple(_read(name).split("\n")[:-1])


@cache
def given_names(sex: str | None) -> tuple[str, ...]:
    """First names for a FHIR administrative gender. Male and female pools are disjoint; all else gets names of both."""
    return _words({"male": "given_male.txt", "female": "given_female.txt"}.get(sex or "", "given_unisex.txt"))


@cache
def family_names() -> tuple[str, ...]:
    """Family names."""
    return _words("family.txt")


@cache
def streets() -> tuple[str, ...]:
    """Street names without their suffix: 'Oak', '5th'."""
    return _words("streets.txt")


@cache
def street_suffixes() -> tuple[tuple[str, str], ...]:
    """Street suffixes in full and abbreviated (USPS Publication 28, appendix C1)."""
    pairs = (line.split(",") for line in _words("street_suffixes.csv"))
    return tuple((full, short) for full, short in pairs)


@cache
def facility_parts() -> Mapping[str, tuple[str, ...]]:
    """What names of facilities are built of: 'first' ('Amethyst'), 'second' ('Terrace') and 'spirit' ('Solace')."""
    pairs = [line.split(",", 1) for line in _words("facilities.csv")]
    return {part: tuple(word for kind, word in pairs if kind == part) for part in ("first", "second", "spirit")}


@cache
def facility_kinds() -> tuple[FacilityKind, ...]:
    """Kinds of facilities; the first that a name tells counts, and the last, which nothing tells, is that of all others."""
    rows = (line.split(",") for line in _words("facility_kinds.csv"))
    return tuple(FacilityKind(name, tuple(told.split("|")), tuple(forms.split("|"))) for name, told, forms in rows)


@cache
def countries() -> frozenset[str]:
    """Case-folded spellings of countries: ISO 3166 codes and English names."""
    return frozenset(_words("countries.txt"))


@cache
def area_codes() -> tuple[str, ...]:
    """US telephone area codes that serve at least one place."""
    return _words("area_codes.txt")


@cache
def places() -> Places:
    """The real places with their indexes by state and by ZIP3."""
    lines = _words("places.tsv.gz")
    states: dict[str, list[int]] = {}
    zip3s: dict[str, dict[str, list[int]]] = {}
    for row, line in enumerate(lines):
        if line[-1] != "S":
            break
        state = line.split("\t", 3)[2]
        states.setdefault(state, [row, row])[1] = row + 1
        zip3s.setdefault(line[:3], {}).setdefault(state, [row, row])[1] = row + 1
    return Places(
        lines=lines,
        country=range(max(stop for state, (_, stop) in states.items() if state in STATES)),
        by_state={state: range(*span) for state, span in states.items()},
        by_zip3={zip3: tuple(range(*span) for span in spans.values()) for zip3, spans in zip3s.items()},
    )


@cache
def state_by_zip() -> Mapping[str, str]:
    """ZIP (PO boxes too) -> state."""
    rows = (line.split("\t", 3) for line in places().lines)
    return {row[0]: row[2] for row in rows}


@cache
def combinations() -> frozenset[tuple[str, str, str]]:
    """All (city, state, ZIP) of the pool, PO boxes too: what a verifier holds a masked address against."""
    rows = (line.split("\t", 3) for line in places().lines)
    return frozenset((row[1], row[2], row[0]) for row in rows)
