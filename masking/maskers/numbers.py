"""Maskers of numbers: perturb (keyed noise), bucket (floor to a multiple) and cap_age (90 and over is one category).

Numbers are text, spelled as FHIR's decimal allows. All arithmetic is on whole numbers and exact fractions, so that no
float rounds a dose and no precision is made up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import ClassVar, NamedTuple

from masking.errors import ParameterError
from masking.keys import hmac_parts
from masking.maskers.base import BoundMasker, Masker, Subkeys, check, per_value, register

#: FHIR's decimal, https://hl7.org/fhir/R4/datatypes.html#decimal, and JSON's number: no plus sign, no leading zeros.
_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?([eE][+-]?[0-9]+)?", re.ASCII)

#: Longer numbers and larger exponents are no measurement; reading them would take time out of all proportion.
_LONGEST, _LARGEST_EXPONENT = 400, 400


class Number(NamedTuple):
    """A decimal as it is spelled: `sign` digits with `decimals` of them behind the point, and the `exponent`'s text."""

    sign: str
    digits: int
    decimals: int
    exponent: str

    @property
    def unit(self) -> Fraction:
        """What one step of the last digit is worth."""
        return Fraction(10) ** (int(self.exponent[1:] or 0) - self.decimals)

    @property
    def value(self) -> Fraction:
        """The number itself."""
        return self.digits * self.unit * (-1 if self.sign else 1)


def read_number(text: str) -> Number | None:
    """The parts of a decimal's text; None where it is none, or is of no practicable size."""
    match = _DECIMAL.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", match[4] or ""
    if abs(int(exponent[1:] or 0)) > _LARGEST_EXPONENT:
        return None
    return Number(sign, int(whole + fraction), len(fraction), exponent)


def spell(number: Number) -> str:
    """The text of a decimal, with as many decimals and the exponent it is given."""
    digits = f"{number.digits:0{number.decimals + 1}d}"
    point = len(digits) - number.decimals
    return number.sign + digits[:point] + ("." + digits[point:] if number.decimals else "") + number.exponent


def _parameter(name: str, value: object) -> Fraction:
    """A number given as a parameter, as YAML spells it (a float's shortest text is what the user wrote)."""
    check(not isinstance(value, bool), name, "is not a number")
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise ParameterError(name, "is not a number") from None
    check(exact.is_finite() and exact > 0, name, "is not a number above zero")
    check(abs(exact.adjusted()) <= _LARGEST_EXPONENT, name, "is of no practicable size")
    return Fraction(exact)


@dataclass(frozen=True)
class _BoundPerturb(BoundMasker):
    context: ClassVar[tuple[str, ...]] = ("subject",)
    key: bytes = field(repr=False)
    share: Fraction
    absolute: Fraction

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return [self._one(*row) for row in zip(values, context["subject"], strict=True)]

    def _one(self, value: str, subject: str | None) -> str | None:
        number = read_number(value)
        if number is None or not number.digits:
            return value if number else None
        reach = (number.digits * self.share + self.absolute / number.unit) // 1
        # Every other number of this precision within reach, zero and the other sign left out.
        lowest = max(1, number.digits - reach)
        choices = number.digits + reach - lowest
        if not choices:
            return value
        parts = [value] if subject is None else [value, subject]
        digest = hmac_parts(self.key, *[part.encode("utf-8", "surrogatepass") for part in parts])
        chosen = lowest + (int.from_bytes(digest) * choices >> 256)
        return spell(number._replace(digits=chosen + (chosen >= number.digits)))


@register
@dataclass(frozen=True)
class Perturb(Masker):
    """Keyed noise of at most `percent` of the value, or at most `absolute` in the value's own unit; give one of them.

    The noise is uniform over the numbers of the value's own precision within reach, the value itself left out, and is
    keyed by value and subject: asking again tells nothing more. Decimals and exponent stay as they are spelled. Zero
    stays zero, for a zero often means "none", and nothing becomes zero or changes its sign. Where the last digit is
    coarser than the noise, the value stays: `5` has no other number within 5 percent. Unreadable: null.
    """

    name: ClassVar[str] = "perturb"
    percent: float | str | None = None
    absolute: float | str | None = None

    def __post_init__(self) -> None:
        check((self.percent is None) != (self.absolute is None), "percent", "give either percent or absolute")
        if self.percent is not None:
            check(_parameter("percent", self.percent) <= 100, "percent", "is above 100")
        else:
            _parameter("absolute", self.absolute)

    def bind(self, keys: Subkeys) -> BoundMasker:
        """Noise is keyed under the purpose `perturb`."""
        share = Fraction(0) if self.percent is None else _parameter("percent", self.percent) / 100
        absolute = Fraction(0) if self.absolute is None else _parameter("absolute", self.absolute)
        return _BoundPerturb(keys.subkey("perturb"), share, absolute)


@dataclass(frozen=True)
class _BoundBucket(BoundMasker):
    size: Fraction
    decimals: int

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return per_value(self._one, values)

    def _one(self, value: str) -> str | None:
        number = read_number(value)
        if number is None:
            return None
        floor = number.value // self.size * self.size
        return spell(Number("-" if floor < 0 else "", int(abs(floor) * 10**self.decimals), self.decimals, ""))


@register
@dataclass(frozen=True)
class Bucket(Masker):
    """The largest multiple of `size` that is not above the value, with the decimals of `size`: `37.52` by 10 is `30`.

    Negative values go down too: `-3` by 10 is `-10`. Unreadable: null. Keyless.
    """

    name: ClassVar[str] = "bucket"
    size: float | str

    def __post_init__(self) -> None:
        _parameter("size", self.size)

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        exponent = Decimal(str(self.size)).normalize().as_tuple().exponent
        return _BoundBucket(_parameter("size", self.size), max(0, -int(exponent)))


#: Units of age a year, by UCUM code and by the words people write (http://hl7.org/fhir/R4/valueset-age-units.html).
_A_YEAR = {
    **dict.fromkeys(("a", "y", "yr", "yrs", "yo", "year", "years", "year(s)", "ann"), Fraction(1)),
    **dict.fromkeys(("mo", "month", "months"), Fraction(12)),
    **dict.fromkeys(("wk", "week", "weeks"), Fraction("365.25") / 7),
    **dict.fromkeys(("d", "day", "days"), Fraction("365.25")),
    **dict.fromkeys(("h", "hour", "hours"), Fraction("365.25") * 24),
    **dict.fromkeys(("min", "minute", "minutes"), Fraction("365.25") * 24 * 60),
}


#: What is written around a unit of age: braces of UCUM's annotations, a full stop, "old", "of age".
_AROUND_UNIT = re.compile(r"[{}\[\].]|\b(?:old|of\s+(?:age|life))\b")


def _a_year(unit: str | None) -> Fraction | None:
    """How many of a unit make a year; None of what is no unit of age."""
    return _A_YEAR.get(" ".join(_AROUND_UNIT.sub(" ", (unit or "").casefold()).split()))


@dataclass(frozen=True)
class _BoundCapAge(BoundMasker):
    context: ClassVar[tuple[str, ...]] = ("unit",)
    limit: int
    value: int
    unknown: str

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return [self._one(*row) for row in zip(values, context["unit"], strict=True)]

    def _one(self, value: str, unit: str | None) -> str | None:
        a_year = _a_year(unit)
        if a_year is None and self.unknown == "keep":
            return value
        number = read_number(value)
        if number is None:
            return None
        # A unit that is missing or unknown counts as years: at worst a young age is capped, never an old one kept.
        a_year = a_year or Fraction(1)
        return value if number.value <= self.limit * a_year else str(-(-self.value * a_year // 1))


@register
@dataclass(frozen=True)
class CapAge(Masker):
    """Ages above `limit` years become `value` years; the others stay. Keyless.

    45 CFR 164.514(b)(2)(i)(C): ages over 89 may only be told as one category, 90 or older. The age is an `Age.value`;
    the context `unit` is the code beside it: years where it is missing or unknown, else months, weeks, days, hours or
    minutes, whose category is spelled in that unit (1080 months). Unreadable: null.

    With `unknown: keep` a value whose unit is missing or no unit of age stays: of a `Quantity`, which is seldom an age.
    """

    name: ClassVar[str] = "cap_age"
    limit: int = 89
    value: int = 90
    unknown: str = "years"

    def __post_init__(self) -> None:
        check(self.unknown in ("years", "keep"), "unknown", "is not what a missing unit may count as", "years or keep")
        for parameter in ("limit", "value"):
            check(type(getattr(self, parameter)) is int, parameter, "is not a whole number of years")
        check(0 < self.limit <= 150, "limit", "is not an age between 1 and 150")
        check(self.limit < self.value <= 200, "value", "is not above the limit (or is above 200)")

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _BoundCapAge(self.limit, self.value, self.unknown)
