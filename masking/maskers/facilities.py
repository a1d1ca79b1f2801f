"""The masker of facilities' names: a fake one of the same kind, in the same state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from masking.maskers.base import BoundMasker, Masker, Subkeys, check, register
from masking.pools.facilities import facility_name
from masking.pools.places import read_address

PURPOSE = "facilities"
_KEEPS: Final = ("state", "country")


@dataclass(frozen=True)
class BoundFacility(BoundMasker):
    """See `Facility`."""

    context = ("address", "facility")
    keep: str
    key: bytes = field(repr=False)

    @property
    def needs(self) -> tuple[str, ...]:
        """Beside a record's own name stands its address; its name is the value."""
        return ("address",) if self.keep == "state" else ()

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask names of facilities."""
        nothing = [None] * len(values)
        addresses = context.get("address", nothing) if self.keep == "state" else nothing
        names = context.get("facility", nothing)
        return [
            facility_name(self.key, name or value, _state_of(address))
            for value, name, address in zip(values, names, addresses, strict=True)
        ]


def _state_of(address: str | None) -> str | None:
    """The state of an address in the United States, as it says or its ZIP tells."""
    if not address:
        return None
    source = read_address(address, "")
    return None if source.foreign else source.state


@register
@dataclass(frozen=True)
class Facility(Masker):
    """The name of an organization or a place becomes that of a fake one of the same kind (hospital, pharmacy, health plan and
    so on, as far as the name tells), with its state in it where the `address` beside the name tells one.

    Equal names in one state stay equal; case, punctuation and 'St.' do not matter. `facility`: the name that the record of
    the facility has, where the value is said of it elsewhere. keep: `state` (default), or `country`: no state in the name.
    A value without a letter or digit: null.
    """

    name: ClassVar[str] = "facility"
    keep: str = "state"

    def __post_init__(self) -> None:
        check(self.keep in _KEEPS, "keep", "not an area to keep", f"one of {', '.join(_KEEPS)}")

    def bind(self, keys: Subkeys) -> BoundFacility:
        """Bind to the subkey of `facilities`."""
        return BoundFacility(self.keep, keys.subkey(PURPOSE))
