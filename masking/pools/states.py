"""US states and territories by USPS code, and their names."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_STATES = (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|"
    "DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|"
    "KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|"
    "MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|"
    "NJ New Jersey|NM New Mexico|NY New York|"
    "NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|"
    "PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|"
    "TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming"
)
_TERRITORIES = "AS American Samoa|GU Guam|MP Northern Mariana Islands|PR Puerto Rico|VI Virgin Islands"


def _table(text: str) -> dict[str, str]:
    return {row[:2]: row[3:] for row in text.split("|")}


#: The fifty states and the District of Columbia: code -> name.
STATES: Final[dict[str, str]] = _table(_STATES)
#: Inhabited territories: code -> name. A place there is chosen only for a source that is there.
TERRITORIES: Final[dict[str, str]] = _table(_TERRITORIES)
#: Code -> name, all of them.
NAMES: Final[dict[str, str]] = {**STATES, **TERRITORIES}

_BY_SPELLING: Final[dict[str, str]] = {
    **{code.casefold(): code for code in NAMES},
    **{name.casefold(): code for code, name in NAMES.items()},
    "d.c.": "DC",
    "washington dc": "DC",
    "washington, d.c.": "DC",
    "us virgin islands": "VI",
    "u.s. virgin islands": "VI",
}


@lru_cache(maxsize=256)
def state_code(text: str) -> str | None:
    """The USPS code of a state spelled as code or name, in any case; None where it is neither."""
    return _BY_SPELLING.get(" ".join(text.casefold().split()))
