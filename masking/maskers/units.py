"""The masker of units of measure: unit.

`Quantity.unit` is text for people (http://hl7.org/fhir/R4/datatypes.html#Quantity), so anything can be typed there; the
unit that counts stands in `code`. A text stays only where it can be nothing but a unit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from masking.maskers.base import BoundMasker, Masker, Subkeys, register

UCUM = "http://unitsofmeasure.org"
_LONGEST = 24
#: Letters, digits and the signs that units are written with; no `@`, no `:`, nothing that only sentences have.
_FORM = re.compile(rf"[A-Za-zµμΩÅ0-9 %°‰\[\]{{}}()/*^.·×+_#'\"²³⁶⁹-]{{1,{_LONGEST}}}")
#: Longer than any exponent or reference area (`1.73`), as short as a ZIP code or a piece of any number.
_NUMBER = re.compile("[0-9]{5}")
_MOST_DIGITS = 6
_WORD = re.compile(r"[^\W\d_]+")
#: Symbols of up to three letters (`kg`, `mmo`, `Cel`) are too many to list, and too short to tell much.
_SHORT = 3

#: Longer words that units are made of, in the singular; what is not here is taken from the code beside it.
_TEXT = """
ampere ampule area atom bar base beat becquerel body bottle breath calorie cell celsius centimeter centimetre
cigarette copies copy count creat creatinine cubic cycle dalton day decibel deciliter decilitre degree diopter
dose drink drop dyne each episode equivalent event fahrenheit feet field film fold foot fraction gallon gauss
grain gram gray hemoglobin hertz high hour inch index international item joule kcal kelvin kilocalorie
kilogram kilometer kilopascal liter litre lumen mass mcmol mercury meter metre microgram microliter micrometer
micromole mile milli milliequivalent milligram milliliter millilitre millimeter millimetre millimole
millisecond millivolt minute mmhg mmol molar mole month mosm mosmol nanogram nanomole newton night nkat nmol
normal number ohms osmole ounce pack pair part pascal patch percent percentage percentile person picogram
piece pill pint pmol point pound power protein puff quart ratio sachet score second session sievert spray
square standard surface tabl tablespoon tablet teaspoon time titer torr total tube umol unit unspecified vial
visit volt volume watt weber week weight yard year
"""
_WORDS = frozenset(_TEXT.split())


def _is_word_of_units(word: str) -> bool:
    low = word.casefold().replace("μ", "u")  # the folded form of µ, too
    return len(word) <= _SHORT or low in _WORDS or low.removesuffix("s") in _WORDS or low.removesuffix("es") in _WORDS


def _can_be_nothing_else(text: str) -> bool:
    """Whether a text is a unit by its form and by each of its words."""
    return _has_form(text) and all(map(_is_word_of_units, _WORD.findall(text))) and len(_WORD.findall(text)) <= 5


def _has_form(text: str) -> bool:
    if _FORM.fullmatch(text) is None or _NUMBER.search(text) is not None:
        return False
    return sum(map(str.isdigit, text)) <= _MOST_DIGITS


@dataclass(frozen=True)
class _BoundUnit(BoundMasker):
    context: ClassVar[tuple[str, ...]] = ("system", "unit")

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return [self._one(*row) for row in zip(values, context["system"], context["unit"], strict=True)]

    def _one(self, value: str, system: str | None, code: str | None) -> str | None:
        if _can_be_nothing_else(value):
            return value
        # The code beside it, or the text once more where there is none.
        if code is None or code == value:
            return value if system == UCUM and code == value and " " not in value and _has_form(value) else None
        return code


@register
@dataclass(frozen=True)
class Unit(Masker):
    """The text of a unit, if it can be nothing else; else the code that stands beside it; else null. Keyless.

    - Kept: at most 24 letters, digits and signs, without a run of five digits, of words that units are made of and
      symbols of up to three letters: `mm[Hg]`, `mL/min/{1.73_m2}`, `breaths per minute`. A number of a patient, a date or a
      sentence has another form; of names only those of three letters pass (`Joe`).
    - Kept too: what is the UCUM code itself, without blanks and of that form.
    - The context `unit` is `Quantity.code`, and this text where there is none; `system` is `Quantity.system`.
    """

    name: ClassVar[str] = "unit"

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _BoundUnit()
