"""ZIP3 areas of 20,000 people or fewer: the ones that 45 CFR 164.514(b)(2)(i)(B) turns into 000, with their census.

The list is a fact of one census. A later one is a parameter of the masker (`zip3_generalize`, `areas`), not an edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_CENSUS_2000: Final = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893"


@dataclass(frozen=True, slots=True)
class RestrictedAreas:
    """Three-digit ZIP areas with at most 20,000 inhabitants, by one census."""

    census: int
    source: str
    areas: tuple[str, ...]


CENSUS_2000: Final = RestrictedAreas(
    census=2000,
    source="HHS Office for Civil Rights, Guidance Regarding Methods for De-identification of PHI (2012), 2.10",
    areas=tuple(_CENSUS_2000.split()),
)
