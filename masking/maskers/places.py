"""Addresses and positions: every part of one address comes from one real US place.

Whose place that is, is decided by the whole source address (`address` of the context), not by the part at hand: see
`masking.pools.places`. An address outside the United States has no rows to choose from and no fake that would be valid
beside its country: the country stays, if it is one, and every other part becomes null. Without a country it counts as
one in the US.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Final, cast

from masking.maskers.base import BoundMasker, Masker, Subkeys, check, register
from masking.pools.load import Place, places
from masking.pools.places import (
    KEEPS,
    Keep,
    SourceAddress,
    area_code,
    choose,
    find_home,
    is_country,
    is_us,
    jitter,
    plus4,
    read_address,
    zip5,
)
from masking.pools.states import NAMES, state_code
from masking.pools.streets import fake_line
from masking.pools.zip3 import CENSUS_2000

PURPOSE = "places"
PARTS: Final = (
    *("line", "city", "district", "state", "postal_code", "country", "text"),
    *("latitude", "longitude", "time_zone", "area_code"),
)
_COUNTY = re.compile(r"\s+(?:County|Parish|Census Area|City and Borough|Borough|Municipality|Municipio|City)$", re.I)
_TIME_ZONE = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*")
_STATE_AND_ZIP = re.compile(r"([A-Za-z][A-Za-z. ]*?)[\s,]+(\d{5}(?:-?\d{4})?)\s*(?:,?\s*[A-Za-z. ]+)?\s*$")
_MOST_DECIMALS = 16
_TAIL = 80  # characters at the end of a text in which state and ZIP are looked for


@dataclass(frozen=True)
class BoundAddress(BoundMasker):
    """See `Address`."""

    part: str
    keep: Keep
    key: bytes = field(repr=False)
    context = ("address",)

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask parts of addresses."""
        return [self._mask(value, address or "") for value, address in zip(values, context["address"], strict=True)]

    def _mask(self, value: str, address: str) -> str | None:
        if not value.strip():
            return None
        if self.part == "country":
            return value if is_country(value) else None
        source, place = find_home(self.key, address, self.keep)
        if source.from_value:  # the address tells nothing: each value is a household of its own
            source = read_address(address, value)
            if self.part == "text" and not source.foreign:
                source = read_address(_address_in(value), value)
            place = None if source.foreign else choose(self.key, source, self.keep)
        return None if place is None else self._part(value, source, place)

    def _part(self, value: str, source: SourceAddress, place: Place) -> str | None:
        fake: str | None
        match self.part:
            case "line":
                fake = fake_line(self.key, source.household, value)
            case "city":
                fake = _like(value, place.city)
            case "district":
                fake = _like(value, place.county if _COUNTY.search(value[-40:]) else _COUNTY.sub("", place.county))
            case "state":
                # A state that is to stay is never made up.
                fake = _state(value, place) if self.keep == "country" or source.state else None
            case "postal_code":
                fake = self._postal_code(value, source, place)
            case "latitude" | "longitude":
                fake = self._coordinate(value, source, place)
            case "time_zone":
                fake = place.time_zone if _TIME_ZONE.fullmatch(value.strip()) else None
            case "area_code":
                fake = area_code(self.key, source, place) if sum(map(str.isdigit, value)) == 3 else None
            case _:
                fake = self._text(value, source, place)
        return fake

    def _postal_code(self, value: str, source: SourceAddress, place: Place) -> str:
        count = sum(map(str.isdigit, value))
        if count == 9 and zip5(value):
            return place.zip + ("-" if "-" in value else "") + plus4(self.key, source)
        return place.zip[:3] if count == 3 and value.strip().isdigit() else place.zip

    def _coordinate(self, value: str, source: SourceAddress, place: Place) -> str | None:
        """Decimal degrees near the middle of the ZIP, with the source's number of decimals (16 at most)."""
        limit, middle = (90, place.latitude) if self.part == "latitude" else (180, place.longitude)
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            return None
        if not number.is_finite() or abs(number) > limit:
            return None
        exponent = cast(int, number.as_tuple().exponent)
        decimals = min(max(-exponent, 0), _MOST_DECIMALS)
        # Integers from here on: a binary fraction would not hold 16 decimals.
        units = int(Decimal(middle).scaleb(_MOST_DECIMALS)) + jitter(self.key, source, self.part)
        return f"{Decimal(units // 10 ** (_MOST_DECIMALS - decimals)).scaleb(-decimals):f}"

    def _text(self, value: str, source: SourceAddress, place: Place) -> str:
        """'line, city, state ZIP' anew, with a line break, a country and four more digits where the source has them."""
        line = source.line.strip() or (value.strip() if value.strip()[0].isdigit() else "")
        street = fake_line(self.key, source.household, line) if line else None
        named = _names_state(value, source.state)
        nine = f"-{plus4(self.key, source)}" if re.search(r"\b\d{5}-\d{4}\b", value) else ""
        town = f"{place.city}, {NAMES[place.state] if named else place.state} {place.zip}{nine}"
        last = _last_words(value)
        parts = [*([street] if street else []), town + (f", {last}" if is_us(last) else "")]
        whole = ("\n" if "\n" in value else ", ").join(parts)
        return whole.upper() if value.isupper() else whole


def _names_state(text: str, state: str | None) -> bool:
    """Whether a text spells its state out; 'Colorado Springs, CO' does not."""
    return state is not None and NAMES[state].casefold() in text.casefold() and re.search(rf"\b{state}\b", text) is None


def _last_words(text: str) -> str:
    """What follows the last comma, line end or digit: where a country stands."""
    return re.split(r"[,\n\d]", text)[-1].strip()


def _address_in(text: str) -> str:
    """What a text that is all we have of an address says of state, ZIP and country, as an address of the context."""
    last = _last_words(text)
    country = last if is_country(last) and state_code(last) is None else ""
    found = _STATE_AND_ZIP.search(text.strip()[-_TAIL:])
    words = found[1].replace(".", "").split() if found else []
    states = (" ".join(words[start:]) for start in range(max(0, len(words) - 3), len(words)))
    state = next((words for words in states if state_code(words)), "")
    line = re.split(r"[,\n]", text.strip())[0] if text.strip()[0].isdigit() else ""
    return "|".join((line, "" if line else text.replace("|", " "), state, found[2] if found else "", country))


def _like(source: str, fake: str) -> str:
    """The fake in the case of the source where that is all upper or all lower."""
    return fake.upper() if source.isupper() else fake.lower() if source.islower() else fake


def _state(value: str, place: Place) -> str:
    """Code for a code, name for a name, in the source's case."""
    code = len(value.strip()) <= 3 or state_code(value) is None
    return _like(value, place.state if code else NAMES[place.state])


@register
@dataclass(frozen=True)
class Address(Masker):
    """One part of an address, from the real place that its whole source address gets; styles and shapes are kept.

    `part`: line, city, district, state, postal_code, country, text, latitude, longitude, time_zone or area_code.
    `keep`: what stays true of the source: country (default), state, or zip3. Blank or unreadable: null; so is a state that
    is to stay and that neither itself nor the ZIP tells.
    """

    name: ClassVar[str] = "address"
    part: str
    keep: str = "country"

    def __post_init__(self) -> None:
        check(self.part in PARTS, "part", "no such part of an address", f"one of {', '.join(PARTS)}")
        check(self.keep in KEEPS, "keep", "not an area to keep", f"one of {', '.join(KEEPS)}")

    def bind(self, keys: Subkeys) -> BoundAddress:
        """Bind to the subkey of `places`."""
        return BoundAddress(self.part, cast(Keep, self.keep), keys.subkey(PURPOSE))


@register
@dataclass(frozen=True)
class Geolocation(Masker):
    """A latitude or longitude within about a kilometre of the middle of the address' fake ZIP; decimals are kept."""

    name: ClassVar[str] = "geolocation"
    part: str
    keep: str = "country"

    def __post_init__(self) -> None:
        check(self.part in ("latitude", "longitude"), "part", "not a coordinate", "latitude or longitude")
        check(self.keep in KEEPS, "keep", "not an area to keep", f"one of {', '.join(KEEPS)}")

    def bind(self, keys: Subkeys) -> BoundAddress:
        """Bind to the subkey of `places`: positions agree with addresses."""
        return BoundAddress(self.part, cast(Keep, self.keep), keys.subkey(PURPOSE))


@dataclass(frozen=True)
class BoundZip3(BoundMasker):
    """See `Zip3Generalize`."""

    restricted: str
    areas: frozenset[str]
    context = ("address",)

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Cut ZIPs to three digits."""
        return [self._mask(value, address) for value, address in zip(values, context["address"], strict=True)]

    def _mask(self, value: str, address: str | None) -> str | None:
        zip_code = zip5(value)
        country = (address or "").rpartition("|")[2].strip()
        if zip_code is None or (country and not is_us(country)):
            return None
        area = zip_code[:3]
        return self.restricted if area in self.areas or area not in places().by_zip3 else area


@register
@dataclass(frozen=True)
class Zip3Generalize(Masker):
    """ZIP to ZIP3 for safe harbor, 45 CFR 164.514(b)(2)(i)(B): areas of at most 20,000 people become `restricted`.

    `areas` defaults to the published list of the 2000 census; give a later one where it applies. An area in which no
    standard ZIP lies (military, PO boxes alone, unknown) counts as restricted too. Not a US ZIP, by its form or by the country
    that the address names: null. Keyless.
    """

    name: ClassVar[str] = "zip3_generalize"
    restricted: str = "000"
    areas: tuple[str, ...] = CENSUS_2000.areas

    def __post_init__(self) -> None:
        check(isinstance(self.restricted, str) and bool(self.restricted), "restricted", "not text", "'000'")
        areas = self.areas if isinstance(self.areas, (list, tuple)) else ()
        fit = [isinstance(area, str) and len(area) == 3 and area.isdecimal() for area in areas]
        check(bool(fit) and all(fit), "areas", "not a list of three-digit texts", "quote them: ['036', '059']")
        object.__setattr__(self, "areas", tuple(areas))

    def bind(self, keys: Subkeys) -> BoundZip3:
        """Nothing to bind: a generalization needs no key."""
        return BoundZip3(self.restricted, frozenset(self.areas))
