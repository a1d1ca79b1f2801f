"""unit: what can be nothing but a unit stays."""

import pytest

from masking.maskers.base import registered

UCUM = "http://unitsofmeasure.org"


def unit(value: str, code: str | None = None, system: str | None = None) -> str | None:
    """What becomes of a text beside a code; the context says the text itself where there is none."""
    bound = registered()["unit"]().bind(None)  # type: ignore[arg-type]
    return bound.mask_distinct([value], system=[system], unit=[value if code is None else code])[0]


@pytest.mark.parametrize(
    "text",
    [
        "mm[Hg]", "mg/dL", "kg/m2", "%", "10*3/uL", "x10E3/uL", "10^9/L", "mL/min/{1.73_m2}", "mL/min/1.73m2", "{score}", "(score)",
        "breaths per minute", "beats/minute", "/min", "Cel", "°C", "degrees Celsius", "µmol/L", "mmHg", "mosm/kg", "IU/L",
        "tablet(s)", "{tablet}", "years", "a", "inches", "cells/µL", "copies/mL", "ng/mL{FEU}", "Units", "/[HPF]", "cm H2O", "1",
    ],
)  # fmt: skip
def test_units_stay(text):
    assert unit(text) == text == unit(text, "other", UCUM)


@pytest.mark.parametrize(
    "text",
    [
        "Joe Smith", "Novak", "for Mrs. Novak", "{Novak}", "219-09-9999", "2065550142", "62701", "1987-03-14", "3/14/1987 12",
        "joe@example.org", "http://x", "room: 5", "mg/dL, seen by Dr. May", "mg\ndL", "mg" * 20, "", " kg of Annie", "Zoë",
    ],
)  # fmt: skip
def test_what_can_be_something_else_gives_way_to_the_code(text):
    assert unit(text, "kg", UCUM) == unit(text, "kg") == "kg"
    assert unit(text) is None


def test_a_ucum_code_vouches_for_itself():
    assert unit("[arb'U]/mL", system=UCUM) == "[arb'U]/mL"
    assert unit("[Amb'a'1'U]", system=UCUM) == "[Amb'a'1'U]"
    assert unit("{Karnofsky}", system=UCUM) == "{Karnofsky}"
    assert unit("{Karnofsky}") is None
    assert unit("Karnofsky of Joe", system=UCUM) is unit("219-09-9999", system=UCUM) is None
