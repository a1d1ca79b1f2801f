"""Maskers of numbers that an authority issues by a rule: `check_digit` (Luhn, card, NPI, DEA, VIN) and `ssn`.

Both are functions of (subkey, domain, value) and give numbers of the same form: valid where that is wanted, and where
the form has room outside what is really issued, from there.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from masking.checkdigits import SCHEMES, VIN_SYMBOLS, Scheme
from masking.formats import DIGITS, permute_range, spell_hash
from masking.keys import encode_parts, prf_ints
from masking.maskers.base import BoundMasker, Masker, Subkeys, check, register

_Context = Sequence[str | None]


def _pour(text: str, value: str) -> str:
    """The new letters and digits into the places of the old ones; what stands between them stays."""
    if len(text) == len(value):
        return text
    symbols = iter(text)
    return "".join(next(symbols) if symbol.isalnum() else symbol for symbol in value)


# --- check_digit -----------------------------------------------------------------------------------------------------

_UPPER = string.ascii_uppercase
_SEPARATORS = str.maketrans("", "", " -./")
_HASH_DIGITS = 22  # digits of a hashed payload; with its check digit 23


@dataclass(frozen=True, slots=True)
class _Field:
    """A field with a check digit: its scheme, its lengths, and first digits that are really issued with their fakes."""

    scheme: Scheme
    lengths: range
    issued: str = ""
    fakes: str = ""


_FIELDS = {
    "luhn": _Field(SCHEMES["luhn"], range(2, 65)),
    # First digits are the major industries of ISO/IEC 7812-1: 3 to 6 travel, banking and merchandising, and 2, where Mastercard
    # and Mir have ranges. Of the others, 1 is airlines (UATP), 7 petroleum (fuel cards), 8 telecommunications and health (and
    # RuPay), 9 national bodies (Troy): no other half of all numbers is as free of payment cards, and none is quite free.
    "card": _Field(SCHEMES["luhn"], range(12, 20), "23456", "01789"),
    # "NPIs will be issued with first digits 1 and 2" (69 FR 3434, 45 CFR 162.406), so that they meet no card issuer; the check
    # digit counts the prefix 80840.
    "npi": _Field(SCHEMES["npi"], range(10, 11), "12", "34"),
    # The first letter is a kind of registrant, A, B, F, G, M, P, R and others (DEA's registration record layout), the second the
    # registrant's initial or 9.
    "dea": _Field(SCHEMES["dea"], range(9, 10)),
    "vin": _Field(SCHEMES["vin"], range(17, 18)),
}


@register
@dataclass(frozen=True)
class CheckDigit(Masker):
    """A permutation of the payload, then the check digit anew: valid stays valid, and a wrong one as wrong as it was.

    - `luhn`: any digits. `card`: 12 to 19 digits that begin with 2 to 6 come to begin with 0, 1, 7, 8 or 9, where no
      large payment network issues; air travel, fuel and some national cards do, so that a fake may be one of those.
      `npi`: 1 or 2 (all that CMS issues) becomes 3 or 4. `vin`: 33**16 payloads, so that to hit a vehicle that exists
      is a chance of 1 in 10**14. `dea`: the whole space, since the never-issued part is too small to be one to one; a
      fake may be somebody's number.
    - Different values never collide. A source that stands where fakes go (an NPI with a 3) and a Luhn payload below
      six digits become a keyed hash of 22 digits and a Luhn digit. Equal symbols mask equal whatever stands between
      them (blank - . /) and in whatever case; separators stay in place. What has another form cannot be read.
    """

    name: ClassVar[str] = "check_digit"
    way_back: ClassVar[str] = "the permutation of its digits, under its subkey"
    scheme: str = "luhn"
    domain: str = ""

    def __post_init__(self) -> None:
        check(self.scheme in tuple(_FIELDS), "scheme", "is not known", "one of " + ", ".join(_FIELDS))
        check(
            isinstance(self.domain, str),
            "domain",
            "is a text that keeps uses apart",
            "leave it out to have one for all",
        )

    def bind(self, keys: Subkeys) -> BoundCheckDigit:
        """One subkey for the permutation, one for what is hashed."""
        purpose = f"check_digit/{{}}/{self.scheme}"
        own, hashes = keys.subkey(purpose.format("permute")), keys.subkey(purpose.format("hash"))
        return BoundCheckDigit(own, hashes, self.scheme, self.domain)


@dataclass(frozen=True, slots=True)
class BoundCheckDigit(BoundMasker):
    """A payload is a number, each of its digits in an alphabet of its own; fakes spell it in others of equal size."""

    key: bytes = field(repr=False)
    hash_key: bytes = field(repr=False)
    scheme: str
    domain: str

    def mask_distinct(self, values: Sequence[str], **context: _Context) -> list[str | None]:
        """Identifiers of the scheme, with or without separators."""
        rule = _FIELDS[self.scheme]
        answer: list[str | None] = [None] * len(values)
        permuted: list[tuple[int, str, list[str]]] = []
        numbers, sizes, tweaks = [], [], []
        for place, value in enumerate(values):
            text = value.translate(_SEPARATORS).upper()
            if len(text) not in rule.lengths or rule.scheme.form.fullmatch(text) is None:
                continue
            alphabets = self._alphabets(rule.scheme.payload(text))
            if alphabets is None:
                answer[place] = self._hash(text)
                continue
            sources, fakes = alphabets
            permuted.append((place, text, fakes))
            numbers.append(_rank(rule.scheme.payload(text), sources))
            sizes.append(math.prod(map(len, sources)))
            tweaks.append(encode_parts(self.domain.encode(), sources[0].encode(), bytes([len(sources)])))
        for (place, text, fakes), number in zip(permuted, permute_range(self.key, numbers, sizes, tweaks), strict=True):
            masked = rule.scheme.with_check(_unrank(number, fakes), rule.scheme.offset(text))
            answer[place] = _pour(masked.lower() if values[place].islower() else masked, values[place])
        return answer

    def _hash(self, text: str) -> str:
        payload = spell_hash(self.hash_key, [text], DIGITS, _HASH_DIGITS, self.domain)[0]
        return SCHEMES["luhn"].with_check(payload)

    def _alphabets(self, payload: str) -> tuple[list[str], list[str]] | None:
        """The alphabets of the payload's symbols in sources and in fakes; None where it must be hashed."""
        if self.scheme == "vin":
            return [VIN_SYMBOLS] * 16, [VIN_SYMBOLS] * 16
        if self.scheme == "dea":
            return [_UPPER, _UPPER + "9", *[DIGITS] * 6], [_UPPER, _UPPER + "9", *[DIGITS] * 6]
        rule, rest = _FIELDS[self.scheme], [DIGITS] * (len(payload) - 1)
        if payload[0] in rule.fakes or len(payload) < 6 or len(payload) == _HASH_DIGITS:
            return None
        if payload[0] in rule.issued:
            return [rule.issued, *rest], [rule.fakes, *rest]
        others = "".join(digit for digit in DIGITS if digit not in rule.issued + rule.fakes)
        return [others, *rest], [others, *rest]


def _rank(payload: str, alphabets: list[str]) -> int:
    number = 0
    for symbol, alphabet in zip(payload, alphabets, strict=True):
        number = number * len(alphabet) + alphabet.index(symbol)
    return number


def _unrank(number: int, alphabets: list[str]) -> str:
    symbols = []
    for alphabet in reversed(alphabets):
        number, index = divmod(number, len(alphabet))
        symbols.append(alphabet[index])
    return "".join(reversed(symbols))


# --- ssn -------------------------------------------------------------------------------------------------------------

_SSN = re.compile("[0-9]{3}[-. ]?[0-9]{2}[-. ]?[0-9]{4}")
_LAST_FOUR = re.compile("(?:[Xx*#]{3}[-. ]?[Xx*#]{2}[-. ]?)?[0-9]{4}")
#: Groups that the IRS does not use in its own 9xx numbers: ITINs have 50-65, 70-88, 90-92, 94-99 (IRM 3.21.263), ATINs 93,
#: and the temporary numbers of its campuses (IRSN) 01-10, 17-19, 28-29, 37-39, 49, 66 and 89, as makers of tax software tell.
_GROUPS = [*range(11, 17), *range(20, 28), *range(30, 37), *range(40, 49), *range(67, 70)]
_GROUP_PLACES = {group: place for place, group in enumerate(_GROUPS)}
_SERIALS = 9999  # 0001 to 9999
_SSNS = 100 * len(_GROUPS) * _SERIALS  # 32,996,700


@register
@dataclass(frozen=True)
class Ssn(Masker):
    """A fake SSN of area 900 to 999, which was never issued, in a group that no ITIN, ATIN or IRSN has.

    There are 32,996,700 of them and about a billion SSNs, so this cannot be one to one: of n people, about n*n/66
    million pairs share a fake (a thousand: a chance of 1 in 66; ten thousand: 1.5 pairs; a hundred thousand: 152
    pairs). Let nothing join on a fake SSN that could join on an id. Sources already in that range (test data) are
    permuted within it, one to one among themselves.

    Equal digits mask equal whatever stands between them; `style` is `keep` (the source's separators), `dashes` or
    `plain`. The last four alone (`6789`, `XXX-XX-6789`) become four keyed digits; ten thousand values can hide nobody,
    so they are hashed, many to one, and do not agree with the whole number's. What has another form cannot be read.
    """

    name: ClassVar[str] = "ssn"
    style: str = "keep"

    def __post_init__(self) -> None:
        check(self.style in ("keep", "dashes", "plain"), "style", "is not known", "one of keep, dashes, plain")

    def bind(self, keys: Subkeys) -> BoundSsn:
        """A subkey for each of the three ways."""
        permute, draw, last = (keys.subkey(f"ssn/{way}") for way in ("permute", "draw", "last_four"))
        return BoundSsn(permute, draw, last, self.style)


@dataclass(frozen=True, slots=True)
class BoundSsn(BoundMasker):
    """A fake is a number below `_SSNS`."""

    permute_key: bytes = field(repr=False)
    draw_key: bytes = field(repr=False)
    last_key: bytes = field(repr=False)
    style: str

    def mask_distinct(self, values: Sequence[str], **context: _Context) -> list[str | None]:
        """SSNs, or their last four digits."""
        answer: list[str | None] = [None] * len(values)
        whole: dict[int, str] = {}
        for place, value in enumerate(values):
            if _SSN.fullmatch(value):
                whole[place] = value.translate(_SEPARATORS)
            elif _LAST_FOUR.fullmatch(value):
                last = int(prf_ints(self.last_key, [value[-4:]])[0]) % _SERIALS + 1
                answer[place] = f"{value[:-4]}{last:04d}"
        for place, fake in zip(whole, self._fakes(list(whole.values())), strict=True):
            answer[place] = self._spell(fake, values[place])
        return answer

    def _fakes(self, numbers: list[str]) -> list[int]:
        drawn = [number % _SSNS for number in prf_ints(self.draw_key, numbers).tolist()]
        ranks = [_fake_rank(digits) for digits in numbers]
        own = iter(permute_range(self.permute_key, [rank for rank in ranks if rank is not None], _SSNS))
        return [other if rank is None else next(own) for rank, other in zip(ranks, drawn, strict=True)]

    def _spell(self, fake: int, value: str) -> str:
        rest, serial = divmod(fake, _SERIALS)
        area, group = divmod(rest, len(_GROUPS))
        parts = f"{900 + area}", f"{_GROUPS[group]:02d}", f"{serial + 1:04d}"
        if self.style == "keep":
            return _pour("".join(parts), value)
        return ("-" if self.style == "dashes" else "").join(parts)


def _fake_rank(digits: str) -> int | None:
    """The number of a fake SSN; None for any other."""
    group, serial = _GROUP_PLACES.get(int(digits[3:5])), int(digits[5:])
    if digits[0] != "9" or group is None or serial == 0:
        return None
    return (int(digits[1:3]) * len(_GROUPS) + group) * _SERIALS + serial - 1
