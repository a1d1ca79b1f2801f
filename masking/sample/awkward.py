"""Which awkward case falls to which patient.

By position, not by chance: a case comes every `period` patients, so even an export of sixty has each of them. Cases
that are a matter of family (twins, elders, duplicates, the deceased, partial dates) are dealt out in `household.py`.
"""

from __future__ import annotations

import re

#: case: (period, offset); it falls to patient `index` where `index % period == offset`.
CASES = {
    "accented": (20, 3),
    "cjk": (20, 8),
    "greek": (20, 13),
    "emoji": (20, 6),
    "combining": (20, 10),
    "escaped": (10, 3),
    "common_word_name": (8, 7),
    "numeric_id": (10, 4),
    "odd_id": (20, 11),
    "mrn_as_id": (20, 17),
    "birth_time": (5, 0),
    "geolocation": (4, 1),
    "photo": (5, 2),
    "homepage": (6, 1),
    "fax": (4, 2),
    "vehicle": (4, 3),
    "biometric": (6, 5),
    "unknown_extension": (3, 2),
    "former_address": (5, 4),
    "no_birth_date": (60, 38),
    "other_gender": (30, 18),
    "voice_recording": (10, 7),
    "restricted_zip": (20, 9),
}

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def falls_to(case: str, index: int) -> bool:
    """Whether the case is this patient's."""
    period, offset = CASES[case]
    return index % period == offset


def escape(line: bytes) -> bytes:
    r"""The same JSON with every character beyond ASCII spelled `\uXXXX` (two of them beyond the basic plane)."""
    text = line.decode()
    if text.isascii():
        return line
    return _NOT_ASCII.sub(_as_escapes, text).encode()


def _as_escapes(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))
