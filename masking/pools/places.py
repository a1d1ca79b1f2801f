"""Which real place a source address gets: one keyed row for all of its parts.

The row is a keyed function of the whole address, folded (case, spaces, punctuation, spelling of the state, ZIP+4), so
that every part agrees and one household is one fake household. Rows are drawn uniformly, not by population.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from masking.pools.choice import keyed_bytes, words
from masking.pools.load import Place, countries, places, state_by_zip
from masking.pools.states import state_code

Keep = Literal["country", "state", "zip3"]
KEEPS: Final = ("country", "state", "zip3")

_UNFOLDED = re.compile(r"[\W_]+")
_FOLDED = str.maketrans({chr(code): chr(code).lower() if chr(code).isalnum() else " " for code in range(128)})
_ABBREVIATED = {"st": "saint", "ste": "sainte", "mt": "mount", "ft": "fort", "n": "north", "s": "south"}
_ZIP = re.compile(r"\s*(\d{5})(?:[-\s]?\d{4})?\s*")
_UNITED_STATES = frozenset(("us", "usa", "u s", "u s a", "united states", "united states of america", "840"))
_DRAWS = 4  # rounds of four draws before the rows are searched one by one


class SourceAddress(NamedTuple):
    """What matters of a source address; `household` is its folded whole, or a value's where nothing else is known."""

    household: str
    line: str
    city: str
    state: str | None
    zip: str | None
    foreign: bool  # it has a country, and that is not the US
    from_value: bool


def fold_place(text: str) -> str:
    """Lower case, words parted by one blank, 'St.' and 'Saint' alike."""
    folded = text.translate(_FOLDED) if text.isascii() else _UNFOLDED.sub(" ", text.casefold())
    return " ".join([_ABBREVIATED.get(word, word) for word in folded.split()])


@lru_cache(maxsize=256)
def is_us(country: str) -> bool:
    """Whether a country field spells the United States."""
    return _UNFOLDED.sub(" ", country.casefold()).strip() in _UNITED_STATES


def is_country(country: str) -> bool:
    """Whether a country field spells a country at all: only such text is nobody's secret."""
    return is_us(country) or country.strip().casefold() in countries()


def zip5(text: str) -> str | None:
    """The five digits of a ZIP or ZIP+4; None where it is neither."""
    found = _ZIP.fullmatch(text)
    return found[1] if found else None


def read_address(address: str | None, value: str) -> SourceAddress:
    """Read 'line|city|state|postalCode|country'; the line may hold more bars. Where it says nothing, the value does."""
    parts = (address or "").rsplit("|", 4)
    line, city, state, postal, country = parts if len(parts) == 5 else (address or "", "", "", "", "")
    code, zip_code = state_code(state), zip5(postal)
    foreign = bool(country.strip()) and not is_us(country)
    folded = (fold_place(line), fold_place(city), code or fold_place(state), zip_code or fold_place(postal))
    known = any(folded)
    household = "|".join(folded) if known else "||||" + fold_place(value)
    in_state = code or (state_by_zip().get(zip_code) if zip_code else None)
    return SourceAddress(household, line, folded[1], in_state, zip_code, foreign, from_value=not known)


@lru_cache(maxsize=1 << 13)
def find_home(key: bytes, address: str, keep: Keep) -> tuple[SourceAddress, Place | None]:
    """What an address says, and its place (none abroad); remembered, for each part of an address asks anew."""
    source = read_address(address, "")
    return source, None if source.foreign else choose(key, source, keep)


def choose(key: bytes, source: SourceAddress, keep: Keep) -> Place:
    """The real row for an address, of its state or ZIP3 where asked and known, else of the fifty states and DC.

    City and ZIP differ from the source's. Where all rows that may be taken share the source's city (a ZIP3 inside one
    city), the city stays; where they share its ZIP too, the next wider area is taken.
    """
    for rows in _areas(source, keep):
        row = _draw(key, source, rows)
        if row is not None:
            return row
    raise AssertionError("the whole country holds another ZIP than any")  # pragma: no cover


def _areas(source: SourceAddress, keep: Keep) -> Iterator[Sequence[range]]:
    """Row ranges to choose from, narrowest first."""
    pool = places()
    zip3s = pool.by_zip3.get(source.zip[:3]) if source.zip and keep == "zip3" else None
    state = pool.by_state.get(source.state) if source.state else None
    if zip3s:
        same_state = [rows for rows in zip3s if state and rows[0] in state]
        yield same_state or zip3s
    if state and keep != "country":
        yield (state,)
    yield (pool.country,)


def _draw(key: bytes, source: SourceAddress, ranges: Sequence[range]) -> Place | None:
    pool = places()
    size = sum(map(len, ranges))
    at = 0
    for attempt in range(_DRAWS):
        for number in words(key, "row", source.household, str(attempt)):
            at = number % size
            row = pool[_row(ranges, at)]
            if row.zip != source.zip and fold_place(row.city) != source.city:
                return row
    others = [pool[_row(ranges, (at + step) % size)] for step in range(size)]
    others = [row for row in others if row.zip != source.zip]
    return next((row for row in others if fold_place(row.city) != source.city), others[0] if others else None)


def _row(ranges: Sequence[range], at: int) -> int:
    for rows in ranges:
        if at < len(rows):
            return rows[at]
        at -= len(rows)
    raise IndexError(at)  # pragma: no cover


def area_code(key: bytes, source: SourceAddress, place: Place) -> str:
    """The telephone area code of a household: one of its place's."""
    codes = place.area_codes.split()
    return codes[words(key, "area code", source.household)[0] % len(codes)]


def plus4(key: bytes, source: SourceAddress) -> str:
    """The four digits that follow a household's ZIP where the source has nine: 0001 to 9998."""
    return f"{1 + words(key, 'plus4', source.household)[0] % 9998:04d}"


def jitter(key: bytes, source: SourceAddress, axis: str) -> int:
    """A signed offset of a household from the middle of its ZIP in 10**-16 degrees, under 0.01 degrees (about 1 km)."""
    return int.from_bytes(keyed_bytes(key, "position", source.household, axis)[:8], "big") % (2 * 10**14) - 10**14
