"""Pseudonyms of ids: UUID for UUID, oid for oid, and a valid FHIR id for anything else.

A UUID is one AES block: AES under its own subkey is a keyed permutation of all 128-bit numbers, so different UUIDs
never meet, and whoever holds the key can find the way back. No other form has a length to permute within, so it takes
a keyed hash of 128 bits; two of a billion such ids meet with a chance below 1 in 10**20.

| source | pseudonym |
|---|---|
| `6d75…` UUID, lower, upper or mixed case | UUID; upper case where the source has no lower-case letter |
| `urn:uuid:` and a UUID | the same behind the same prefix |
| `2.25.` and the decimal of a UUID, alone or behind `urn:oid:` | `2.25.` and the decimal of that UUID's pseudonym |
| any other oid of three arcs or more, alone or behind `urn:oid:` | `2.25.` and 128 keyed bits in decimal |
| `urn:uuid:` or `urn:oid:` and something else | a keyed UUID or oid behind that prefix |
| anything else | `id-` and 32 hex digits: `[A-Za-z0-9\\-.]{1,64}` |
| nothing (`""`) | None |
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from masking.keys import aes_blocks, prf_bytes

_UUID = re.compile("[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*)){2,}")
_DASHES = (8, 13, 18, 23)
_GROUPS = ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24))  # hex digits from, to, and their place
_CHUNK = 1 << 13  # UUIDs at a time: the buffers stay in a core's cache


class _Subkeys(Protocol):
    def subkey(self, purpose: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Pseudonyms under two subkeys. Picklable; thread-safe; a pure function of each value."""

    uuid_key: bytes = field(repr=False)
    text_key: bytes = field(repr=False)

    @classmethod
    def bind(cls, keys: _Subkeys, domain: str = "") -> Pseudonyms:
        """The pseudonyms of one domain: whoever masks ids or references binds here, so that all of them agree."""
        return cls(keys.subkey(f"pseudonymize_id/uuid/{domain}"), keys.subkey(f"pseudonymize_id/text/{domain}"))

    def mask(self, values: Sequence[str]) -> list[str | None]:
        """The pseudonym of each value of any form; None for ""."""
        plain = self._permute(values)
        if plain is not None:
            return list(plain)
        answer: list[str | None] = [None] * len(values)
        forms: dict[str, list[tuple[int, str]]] = {}
        for place, value in enumerate(values):
            form, body = _form(value)
            if body:
                forms.setdefault(form, []).append((place, body))
        spellings = {"uuid": self.mask_uuids, "odd uuid": self._odd_uuids, "oid": self._oids, "id": self._ids}
        for form, found in forms.items():
            masked = spellings[form]([body for _, body in found])
            for (place, body), text in zip(found, masked, strict=True):
                answer[place] = values[place][: -len(body)] + text
        return answer

    def mask_uuids(self, values: Sequence[str]) -> list[str]:
        """The pseudonyms of bare UUIDs, the fast road for a batch of them; `ValueError` if one is anything else."""
        masked = self._permute(values)
        if masked is None:
            raise ValueError("a value is not a UUID of 36 characters")
        return masked

    def mask_if_uuids(self, values: Sequence[str]) -> list[str] | None:
        """As `mask_uuids`; None where a value is anything else."""
        return self._permute(values)

    def permute_blocks(self, blocks: bytes) -> bytes:
        """The same for UUIDs as their 16 bytes, one after the other: for callers that read and spell them themselves."""
        return self._encrypt(blocks)

    def unmask_uuids(self, values: Sequence[str]) -> list[str]:
        """The UUIDs whose pseudonyms these are; `ValueError` if one is anything else."""
        sources = self._permute(values, inverse=True)
        if sources is None:
            raise ValueError("a value is not a UUID of 36 characters")
        return sources

    def _permute(self, values: Sequence[str], *, inverse: bool = False) -> list[str] | None:
        """`mask_uuids` or its inverse, or None where a value is not a UUID."""
        answer: list[str] = []
        for start in range(0, len(values), _CHUNK):
            part = values[start : start + _CHUNK]
            joined = "".join(part)
            blocks = _parse(part, joined)
            if blocks is None:
                return None
            masked = _spell(self._encrypt(blocks, inverse=inverse))
            if joined != joined.lower():
                masked = [text.upper() if value.isupper() else text for value, text in zip(part, masked, strict=True)]
            answer += masked
        return answer

    def _encrypt(self, blocks: bytes, *, inverse: bool = False) -> bytes:
        return aes_blocks(self.uuid_key, inverse=inverse)(blocks)

    def _odd_uuids(self, bodies: Sequence[str]) -> list[str]:
        return _spell(b"".join(prf_bytes(self.text_key, bodies, "uuid")))

    def _ids(self, values: Sequence[str]) -> list[str]:
        return ["id-" + digest.hex() for digest in prf_bytes(self.text_key, values, "id")]

    def _oids(self, bodies: Sequence[str]) -> list[str]:
        numbers = prf_bytes(self.text_key, bodies, "oid")
        for place, body in enumerate(bodies):
            # An oid under 2.25 is a UUID in decimal (X.667), and one UUID has one pseudonym however it is spelled.
            if body.startswith("2.25.") and len(body) <= 44 and _OID.fullmatch(body) and body.count(".") == 2:
                number = int(body[5:])
                if number < 1 << 128:
                    numbers[place] = self._encrypt(number.to_bytes(16, "big"))
        return [f"2.25.{int.from_bytes(number, 'big')}" for number in numbers]


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as ids spell it: 36 characters, any case."""
    return _UUID.fullmatch(text) is not None


def _form(value: str) -> tuple[str, str]:
    """What a value is, and the part of it, always at its end, that has a pseudonym."""
    if _UUID.fullmatch(value):
        return "uuid", value
    prefix, body = value[:9].lower(), value[9:]
    if prefix == "urn:uuid:" and body:
        return ("uuid" if _UUID.fullmatch(body) else "odd uuid"), body
    if value[:8].lower() == "urn:oid:" and value[8:]:
        return "oid", value[8:]
    return ("oid" if _OID.fullmatch(value) else "id"), value


def _parse(values: Sequence[str], joined: str) -> bytes | None:
    """16 bytes a UUID, or None if one is not a UUID. The lengths are looked at one by one, since two wrongs make 72."""
    count = len(values)
    if len(joined) != 36 * count or not joined.isascii() or set(map(len, values)) - {36}:
        return None
    symbols = np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(count, 36)
    if not (symbols[:, _DASHES] == ord("-")).all():
        return None
    digits = np.empty((count, 32), dtype=np.uint8)
    for start, stop, at in _GROUPS:
        digits[:, start:stop] = symbols[:, at : at + stop - start]
    try:
        return binascii.unhexlify(digits.data)
    except ValueError:
        return None


def _spell(blocks: bytes) -> list[str]:
    """UUIDs in lower case from 16 bytes each."""
    count = len(blocks) // 16
    digits = np.frombuffer(binascii.hexlify(blocks), dtype=np.uint8).reshape(count, 32)
    # With a line feed after each, one split makes all the strings in C, in a third of the time of slicing.
    symbols = np.full((count, 37), ord("-"), dtype=np.uint8)
    symbols[:, 36] = ord("\n")
    for start, stop, at in _GROUPS:
        symbols[:, at : at + stop - start] = digits[:, start:stop]
    return symbols.tobytes().decode("ascii").split("\n")[:-1]
