"""Maskers of identifiers of any kind: `pseudonymize_id`, `format_preserving` and `hash`.

All are functions of (subkey, domain, value), `format_preserving` of the system too. The ciphers beneath them are in
`masking.pseudonyms` and `masking.formats`; numbers with rules of their own (NPI, SSN) are in `issued`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from masking.formats import DIGITS, ShapeCipher, spell
from masking.keys import hmac_parts
from masking.maskers.base import BoundMasker, Masker, Subkeys, check, register
from masking.pseudonyms import Pseudonyms, is_uuid

_Context = Sequence[str | None]


def _check_domain(domain: object) -> None:
    check(isinstance(domain, str), "domain", "is a text that keeps uses apart", "leave it out to have one for all")


# --- pseudonymize_id -------------------------------------------------------------------------------------------------


@register
@dataclass(frozen=True)
class PseudonymizeId(Masker):
    """UUID in, UUID out; oid in, oid out; anything else becomes a valid FHIR id (see `masking.pseudonyms`).

    Every use under one domain shares its subkeys, so a UUID has one pseudonym wherever it stands: leave `domain` alone
    unless two sets of ids must not be linkable. Case and `urn:uuid:` or `urn:oid:` are kept; "" cannot be read.
    """

    name: ClassVar[str] = "pseudonymize_id"
    way_back: ClassVar[str] = "a UUID, by AES under its subkey; other ids by trying"
    domain: str = ""

    def __post_init__(self) -> None:
        _check_domain(self.domain)

    def bind(self, keys: Subkeys) -> BoundPseudonymizeId:
        """Two subkeys: one for the AES of UUIDs, one for the hash of the rest."""
        return BoundPseudonymizeId(Pseudonyms.bind(keys, self.domain))


@dataclass(frozen=True, slots=True)
class BoundPseudonymizeId(BoundMasker):
    """`mask_uuids` is the fast road for a batch of bare UUIDs; `mask_distinct` takes it by itself where it can."""

    pseudonyms: Pseudonyms

    def mask_uuids(self, values: Sequence[str]) -> list[str]:
        """UUIDs to UUIDs, millions a second; `ValueError` if one is anything else."""
        return self.pseudonyms.mask_uuids(values)

    def mask_distinct(self, values: Sequence[str], **context: _Context) -> list[str | None]:
        """Any ids."""
        return self.pseudonyms.mask(values)


# --- version_tag ---------------------------------------------------------------------------------------------------

_TAG = r'(?:W/)?"[A-Za-z0-9\-.]{1,64}"'
_TAGS = re.compile(rf"{_TAG}(?:\s*,\s*{_TAG})*")


@register
@dataclass(frozen=True)
class VersionTag(Masker):
    """An ETag (RFC 9110, 8.8.3) that holds the version id of a resource, `W/"3"`, or several of them: each id becomes the
    pseudonym that `meta.versionId` takes under the same `domain`, so that what matched still matches. `*` stays. What is
    no such tag: null.
    """

    name: ClassVar[str] = "version_tag"
    way_back: ClassVar[str] = "the version ids in it, as pseudonymize_id"
    domain: str = "version"

    def __post_init__(self) -> None:
        _check_domain(self.domain)

    def bind(self, keys: Subkeys) -> BoundVersionTag:
        """The subkeys of `pseudonymize_id` under that domain."""
        return BoundVersionTag(Pseudonyms.bind(keys, self.domain))


@dataclass(frozen=True, slots=True)
class BoundVersionTag(BoundMasker):
    """See `VersionTag`."""

    pseudonyms: Pseudonyms

    def mask_distinct(self, values: Sequence[str], **context: _Context) -> list[str | None]:
        """Mask all version ids of the batch in one call."""
        ids = list(dict.fromkeys(found for value in values if _TAGS.fullmatch(value) for found in _ids_in(value)))
        known = dict(zip(ids, self.pseudonyms.mask(ids), strict=True))
        return [value if value == "*" else self._one(value, known) for value in values]

    @staticmethod
    def _one(value: str, known: Mapping[str, str | None]) -> str | None:
        if not _TAGS.fullmatch(value):
            return None
        return re.sub(r'"([^"]+)"', lambda tag: f'"{known[tag[1]]}"', value)


def _ids_in(tags: str) -> list[str]:
    return re.findall(r'"([^"]+)"', tags)


# --- format_preserving -----------------------------------------------------------------------------------------------


@register
@dataclass(frozen=True)
class FormatPreserving(Masker):
    """FF1 over a value's own form: digits stay digits, letters letters of their case, punctuation in place.

    Within a system, equal values stay equal and different ones different; systems are apart. A form of fewer than a
    million values, or with characters outside ASCII, is hashed to 23 symbols instead (see
    `masking.formats.ShapeCipher`). A UUID takes the pseudonym that it has as an id, whatever the system. With
    `alphabet` (such as `0123456789abcdef`) its symbols are one class, exchanged among themselves.
    """

    name: ClassVar[str] = "format_preserving"
    way_back: ClassVar[str] = "FF1 under its subkey; a form of fewer than a million values by trying"
    domain: str = ""
    alphabet: str = ""

    def __post_init__(self) -> None:
        _check_domain(self.domain)
        check(isinstance(self.alphabet, str), "alphabet", "is a text of its symbols", 'quote it: "0123456789abcdef"')
        distinct = len(set(self.alphabet)) == len(self.alphabet)
        check(distinct, "alphabet", "has a symbol twice")
        size = len(self.alphabet)
        check(size == 0 or 2 <= size <= 65536, "alphabet", f"has {size} symbols; FF1 takes 2 to 65536")

    def bind(self, keys: Subkeys) -> BoundFormatPreserving:
        """One subkey for FF1, one for what is hashed."""
        own, hashes = keys.subkey("format_preserving"), keys.subkey("format_preserving/hash")
        return BoundFormatPreserving(ShapeCipher(own, hashes, self.domain, self.alphabet), Pseudonyms.bind(keys))


@dataclass(frozen=True, slots=True)
class BoundFormatPreserving(BoundMasker):
    """`unmask` is the way back, for whoever holds the key and needs it."""

    context: ClassVar[tuple[str, ...]] = ("system",)
    cipher: ShapeCipher
    pseudonyms: Pseudonyms

    def mask_distinct(self, values: Sequence[str], **context: _Context) -> list[str | None]:
        """Values with their identifier systems; no system is one of its own. A UUID takes the pseudonym it has as an id."""
        return self._mask(values, context.get("system") or [None] * len(values), inverse=False)

    def unmask(self, values: Sequence[str], **context: _Context) -> list[str | None]:
        """The sources of masked values; None where one was hashed."""
        return self._mask(values, context.get("system") or [None] * len(values), inverse=True)

    def _mask(self, values: Sequence[str], systems: _Context, *, inverse: bool) -> list[str | None]:
        uuids = [place for place, value in enumerate(values) if len(value) == 36 and is_uuid(value)]
        answers: list[str | None] = [None] * len(values)
        permute = self.pseudonyms.unmask_uuids if inverse else self.pseudonyms.mask_uuids
        for place, masked in zip(uuids, permute([values[place] for place in uuids]), strict=True):
            answers[place] = masked
        known = set(uuids)
        others = [place for place in range(len(values)) if place not in known]
        ciphered = self.cipher.mask([values[p] for p in others], [systems[p] for p in others], inverse=inverse)
        for place, answer in zip(others, ciphered, strict=True):
            answers[place] = answer
        return answers


# --- hash ------------------------------------------------------------------------------------------------------------

#: name: symbols, least length (64 bits: below that values collide by chance), most (what 256 bits fill evenly)
_ALPHABETS = {
    "hex": ("0123456789abcdef", 16, 64),
    "base32": ("abcdefghijklmnopqrstuvwxyz234567", 13, 51),
    "base64url": (string.ascii_letters + DIGITS + "-_", 11, 42),
    "digits": (DIGITS, 20, 60),
}


@register
@dataclass(frozen=True)
class Hash(Masker):
    """A keyed hash (HMAC-SHA-256) of the text: `length` symbols of `alphabet` behind a fixed `prefix`; no way back."""

    name: ClassVar[str] = "hash"
    length: int = 32
    alphabet: str = "hex"
    prefix: str = ""
    domain: str = ""

    def __post_init__(self) -> None:
        check(self.alphabet in tuple(_ALPHABETS), "alphabet", "is not known", "one of " + ", ".join(_ALPHABETS))
        _, least, most = _ALPHABETS[self.alphabet]
        whole = isinstance(self.length, int) and not isinstance(self.length, bool)
        check(whole and least <= self.length <= most, "length", f"is between {least} and {most} for {self.alphabet}")
        check(isinstance(self.prefix, str) and self.prefix.isprintable(), "prefix", "is a printable text")
        _check_domain(self.domain)

    def bind(self, keys: Subkeys) -> BoundHash:
        """One subkey."""
        return BoundHash(keys.subkey("hash"), self.length, _ALPHABETS[self.alphabet][0], self.prefix, self.domain)


@dataclass(frozen=True, slots=True)
class BoundHash(BoundMasker):
    """HMAC over (domain, value)."""

    key: bytes = field(repr=False)
    length: int
    symbols: str
    prefix: str
    domain: str

    def mask_distinct(self, values: Sequence[str], **context: _Context) -> list[str | None]:
        """Any texts."""
        domain, size = self.domain.encode(), len(self.symbols) ** self.length
        digests = (hmac_parts(self.key, domain, value.encode("utf-8", "surrogatepass")) for value in values)
        numbers = (int.from_bytes(digest, "big") % size for digest in digests)
        return [self.prefix + spell(number, self.symbols, self.length) for number in numbers]
