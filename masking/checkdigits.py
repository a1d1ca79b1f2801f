"""Check digits of the identifiers that health records hold: Luhn, NPI, DEA number, VIN.

| scheme | text | rule and source |
|---|---|---|
| luhn | digits | ISO/IEC 7812-1, annex B: payment cards, many account and member numbers |
| npi | 10 digits | Luhn over 80840 and the number (CMS, "NPI Check Digit") |
| dea | 2 characters, 7 digits | last digit of d1+d3+d5 + 2(d2+d4+d6) (DEA Diversion Control Division) |
| vin | 17 characters, check at the 9th | weighted sum modulo 11, X for ten (49 CFR 565.15(c)) |

A *payload* is the text without its check character. A text is upper case without separators: callers strip the rest.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import dataclass

#: VINs leave out I, O and Q.
VIN_SYMBOLS = "".join(symbol for symbol in string.digits + string.ascii_uppercase if symbol not in "IOQ")

_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
_NPI_PREFIX = "80840"
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 9, 8, 7, 6, 5, 4, 3, 2)  # of the sixteen: the ninth place weighs nothing
_VIN_VALUES = {
    **{digit: int(digit) for digit in string.digits},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True)),
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a family of identifiers carries its check character."""

    form: re.Pattern[str]  # a whole text, right or wrong in its check character
    position: int  # of the check character
    symbols: str  # the check characters by their number
    number: Callable[[str], int]  # payload to the number of its check character

    def payload(self, text: str) -> str:
        """The text without its check character."""
        return text[:-1] if self.position < 0 else text[: self.position] + text[self.position + 1 :]

    def check(self, text: str) -> str:
        """The check character that stands in the text."""
        return text[self.position]

    def with_check(self, payload: str, offset: int = 0) -> str:
        """The payload with its check character; an `offset` makes it wrong by that much, as its source was."""
        check = self.symbols[(self.number(payload) + offset) % len(self.symbols)]
        return payload + check if self.position < 0 else payload[: self.position] + check + payload[self.position :]

    def offset(self, text: str) -> int:
        """By how much the text's check character is off: 0 in a valid text."""
        return (self.symbols.index(self.check(text)) - self.number(self.payload(text))) % len(self.symbols)

    def is_valid(self, text: str) -> bool:
        """Whether the text has the form and its check character is right."""
        return self.form.fullmatch(text) is not None and self.offset(text) == 0


def luhn(payload: str) -> int:
    """The Luhn digit of a payload of digits: every second digit from the right is doubled, nines cast out."""
    digits = payload.encode("ascii")[::-1]
    total = sum(digits[::2].translate(_DOUBLED)) + sum(digits[1::2]) - 48 * len(digits)
    return -total % 10


def npi(payload: str) -> int:
    """The check digit of an NPI's first nine digits."""
    return luhn(_NPI_PREFIX + payload)


def dea(payload: str) -> int:
    """The check digit of a DEA number's two characters and six digits; the two do not count."""
    digits = [int(digit) for digit in payload[2:]]
    return (sum(digits[::2]) + 2 * sum(digits[1::2])) % 10


def vin(payload: str) -> int:
    """The check number, ten for X, of a VIN's sixteen other characters."""
    return sum(weight * _VIN_VALUES[symbol] for weight, symbol in zip(_VIN_WEIGHTS, payload, strict=True)) % 11


SCHEMES = {
    "luhn": Scheme(re.compile("[0-9]{2,}"), -1, string.digits, luhn),
    "npi": Scheme(re.compile("[0-9]{10}"), -1, string.digits, npi),
    "dea": Scheme(re.compile("[A-Z][A-Z9][0-9]{7}"), -1, string.digits, dea),
    "vin": Scheme(re.compile(f"[{VIN_SYMBOLS}]{{8}}[0-9X][{VIN_SYMBOLS}]{{8}}"), 8, string.digits + "X", vin),
}


def is_valid(scheme: str, text: str) -> bool:
    """Whether `text` is a valid identifier of the scheme; `KeyError` for an unknown scheme."""
    return SCHEMES[scheme].is_valid(text)


def with_check(scheme: str, payload: str) -> str:
    """The identifier that a payload makes under the scheme; `KeyError` for an unknown scheme."""
    return SCHEMES[scheme].with_check(payload)
