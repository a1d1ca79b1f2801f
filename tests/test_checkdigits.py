"""Check digits against published examples and their own definitions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.checkdigits import SCHEMES, VIN_SYMBOLS, is_valid, luhn, vin, with_check

# Published examples: ISO's and the card networks' test numbers, CMS's NPI example, the well-known DEA and VIN examples.
VALID = [
    ("luhn", "79927398713"),
    ("luhn", "4111111111111111"),
    ("luhn", "378282246310005"),
    ("luhn", "00"),
    ("luhn", "808401234567893"),
    ("npi", "1234567893"),
    ("npi", "1245319599"),
    ("npi", "9999974493"),
    ("dea", "AB1234563"),
    ("dea", "F91234563"),
    ("vin", "1M8GDM9AXKP042788"),
    ("vin", "11111111111111111"),
    ("vin", "5GZCZ43D13S812715"),
]


@pytest.mark.parametrize(("scheme", "text"), VALID)
def test_published_examples(scheme, text):
    assert is_valid(scheme, text)
    rule = SCHEMES[scheme]
    assert with_check(scheme, rule.payload(text)) == text
    wrong = [rule.with_check(rule.payload(text), offset) for offset in range(1, len(rule.symbols))]
    assert len(set(wrong)) == len(rule.symbols) - 1
    assert not any(is_valid(scheme, other) for other in wrong)
    assert [rule.offset(other) for other in wrong] == list(range(1, len(rule.symbols)))


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        *(("luhn", text) for text in ("", "0", "12a4", "1 2", "٤٢", "79927398710")),
        *(("npi", text) for text in ("", "123456789", "12345678934", "1234567890", "123456789X")),
        *(("dea", text) for text in ("", "AB123456", "ab1234563", "A81234563", "AB1234560", "1B1234563")),
        *(
            ("vin", text)
            for text in ("", "1M8GDM9AXKP04278", "1M8GDM9AXKP04278O", "1M8GDM9A1KP042788", "1M8GDM9AAKP042788")
        ),
    ],
)
def test_not_valid(scheme, text):
    assert not is_valid(scheme, text)


def luhn_by_definition(text):
    total = 0
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@given(st.text("0123456789", min_size=1, max_size=30))
def test_luhn_is_its_definition(payload):
    assert [luhn_by_definition(payload + digit) for digit in "0123456789"].index(True) == luhn(payload)


@given(st.text(VIN_SYMBOLS, min_size=16, max_size=16))
def test_vin_letters_count_as_their_digits(payload):
    values = {letter: str(i % 9 + 1) for i, letter in enumerate("ABCDEFGH")}
    values |= dict(zip("JKLMN", "12345", strict=True)) | {"P": "7", "R": "9"}
    values |= dict(zip("STUVWXYZ", "23456789", strict=True))
    assert vin(payload) == vin("".join(values.get(symbol, symbol) for symbol in payload))


@given(st.sampled_from(sorted(SCHEMES)), st.data())
def test_with_check_is_valid(scheme, data):
    rule = SCHEMES[scheme]
    text = data.draw(st.from_regex(rule.form, fullmatch=True).filter(lambda t: re.fullmatch(r"[0-9A-Z]+", t)))
    payload = rule.payload(text)
    assert len(payload) == len(text) - 1
    made = with_check(scheme, payload)
    assert is_valid(scheme, made)
    assert rule.payload(made) == payload
    assert rule.with_check(payload, rule.offset(text)) == text


def test_unknown_scheme():
    with pytest.raises(KeyError):
        is_valid("isbn", "1")
