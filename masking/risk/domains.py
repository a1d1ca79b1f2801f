"""How many values an identifier could have: what somebody would have to try who can have any value masked.

The domain is what a value's own spelling allows: ten for each digit, 26 for each letter, one for what stands between. It
is an upper bound: a record number of eight digits may in truth come from a million.
"""

from __future__ import annotations

import functools
import math

from masking.verify.kinds import Kind

MILLION, BILLION, TRILLION = 10**6, 10**9, 10**12
_DIGITS, _LETTERS = b"0123456789", b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DAYS = 120 * 365  # births and deaths
#: Kinds whose values come from lists, with the size of what the United States have of them.
_LISTED = {Kind.NAME_WORD: 160_000, Kind.TOWN: 30_000, Kind.ZIP: 42_000, Kind.BIRTH: _DAYS}
#: Kinds that are told of: numbers and codes that mean one person or thing.
TOLD = (
    *(Kind.BIRTH, Kind.PHONE, Kind.SSN, Kind.RECORD, Kind.PLAN, Kind.ACCOUNT, Kind.LICENCE, Kind.VEHICLE),
    *(Kind.DEVICE, Kind.IP, Kind.ID, Kind.NUMBER, Kind.ZIP),
)


@functools.lru_cache(maxsize=1 << 14)
def _of_shape(digits: int, letters: int, others: int) -> float:
    return digits * math.log(10) + letters * math.log(26) + others * math.log(64)


def size_class(kind: Kind, text: str) -> int:
    """0 up to a million values, 1 up to a billion, 2 up to a trillion, 3 more."""
    listed = _LISTED.get(kind)
    if listed is not None:
        return 0
    if text.isascii():
        spelled = text.encode()
        bare = spelled.translate(None, _DIGITS)
        digits, letters, others = len(spelled) - len(bare), len(bare) - len(bare.translate(None, _LETTERS)), 0
    else:
        digits = sum(map(str.isdecimal, text))
        letters = sum(character.isascii() and character.isalpha() for character in text)
        others = sum(not character.isascii() and character.isalpha() for character in text)
    size = _of_shape(digits, letters, others)
    return sum(size > math.log(limit) + 1e-9 for limit in (MILLION, BILLION, TRILLION))
