"""Numbers that an authority issues: valid where they were, from outside real issue where there is room."""

from __future__ import annotations

import pickle
import re
from hashlib import sha256

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.checkdigits import SCHEMES, VIN_SYMBOLS, is_valid, with_check
from masking.errors import ParameterError
from masking.keys import MasterKey
from masking.maskers.issued import CheckDigit, Ssn

KEYS = MasterKey.from_bytes(sha256(b"a key for tests").digest()).keyring()
ELSEWHERE = MasterKey.from_bytes(sha256(b"a key for tests").digest()).keyring("another")

#: Known answers under `KEYS`: a change here is a breaking change.
GOLDEN = {
    CheckDigit(): {
        "4111 1111 1111 1111": "4520 5966 3136 7521",
        "79927398713": "38013526793",
        "12344": "95672378745526417881704",
        "": None,
        "12a4567": None,
    },
    CheckDigit("card"): {
        "4111 1111 1111 1111": "0152 6226 3198 8752",
        "378282246310005": "942962225988254",
        "12345678903": None,
    },
    CheckDigit("npi"): {
        "1234567893": "4423119823",
        "1234567890": "4423119820",
        "9999974493": "6685428891",
        "3234567890": "24056352699045207340786",
        "123456789": None,
    },
    CheckDigit("dea"): {"AB1234563": "YF5547027", "ab1234563": "yf5547027", "1234567": None},
    CheckDigit("vin"): {"1M8GDM9AXKP042788": "559SGML4XNX8KBM3E", "1M8GDM9AXKP04278O": None},
    Ssn(): {
        "123-45-6789": "977-20-5734",
        "123456789": "977205734",
        "123 45 6789": "977 20 5734",
        "999-12-3456": "961-32-0630",
        "6789": "7888",
        "XXX-XX-6789": "XXX-XX-7888",
        "0": None,
        "": None,
        "123-45-678x": None,
    },
}


@pytest.mark.parametrize("spec", GOLDEN, ids=str)
def test_known_answers(spec):
    bound = spec.bind(KEYS)
    values = list(GOLDEN[spec])
    assert dict(zip(values, bound.mask_distinct(values), strict=True)) == GOLDEN[spec]
    assert [bound.mask_distinct([value])[0] for value in values] == list(GOLDEN[spec].values())
    assert pickle.loads(pickle.dumps(bound)).mask_distinct(values) == list(GOLDEN[spec].values())
    assert not {text for text in spec.bind(ELSEWHERE).mask_distinct(values) if text} & set(GOLDEN[spec].values())
    masked = bound(pd.Series([values[0], None, values[0]], index=[3, 4, 3]))
    assert masked.tolist() == [GOLDEN[spec][values[0]], None, GOLDEN[spec][values[0]]]
    assert bound(pd.Series([], dtype=object)).empty
    assert "key" not in repr(bound)


FORMS = {
    "luhn": "[0-9]{7,24}",
    "card": "[2-6][0-9]{11,18}",
    "npi": "[1256789][0-9]{9}",
    "dea": "[A-Z][A-Z9][0-9]{7}",
    "vin": f"[{VIN_SYMBOLS}]{{8}}[0-9X][{VIN_SYMBOLS}]{{8}}",
}


@pytest.mark.parametrize("scheme", FORMS)
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_check_digits_stay_right_or_wrong(scheme, data):
    values = data.draw(st.lists(st.from_regex(FORMS[scheme], fullmatch=True), max_size=5, unique=True))
    rule = SCHEMES["luhn" if scheme == "card" else scheme]
    values += [rule.with_check(rule.payload(value)) for value in values]
    values = [value for value in dict.fromkeys(values) if len(value) != 23]
    found = CheckDigit(scheme).bind(KEYS).mask_distinct(values)
    assert [rule.offset(text) for text in found] == [rule.offset(value) for value in values]
    assert [len(text) for text in found] == [len(value) for value in values]
    assert len(set(found)) == len(values)


def test_npis_are_none_that_was_issued():
    real = [with_check("npi", f"{first}{number:08d}") for first in "12" for number in range(0, 10**8, 99_991)]
    other = [with_check("npi", f"{first}{number:08d}") for first in "034956789" for number in range(0, 10**8, 999_983)]
    values = list(dict.fromkeys(real + other))
    found = dict(zip(values, CheckDigit("npi").bind(KEYS).mask_distinct(values), strict=True))
    assert len(set(found.values())) == len(values)
    assert {found[value][0] for value in real} == {"3", "4"}
    for value, text in found.items():
        if value[0] in "34":
            assert re.fullmatch("[0-9]{23}", text)
            assert is_valid("luhn", text)
        else:
            assert is_valid("npi", text)
            assert text[0] not in "12"


def test_cards_are_of_no_large_payment_network():
    values = [with_check("luhn", f"{first}{number:014d}") for first in "23456" for number in range(300)]
    found = CheckDigit("card").bind(KEYS).mask_distinct(values)
    assert len(set(found)) == len(values)
    assert {text[0] for text in found} == set("01789")
    assert all(is_valid("luhn", text) and len(text) == 16 for text in found)
    (wide,) = CheckDigit("card").bind(KEYS).mask_distinct(["8991101200003204510"])
    assert re.fullmatch("[0-9]{23}", wide)


def test_short_luhn_numbers_are_hashed_and_apart():
    values = [f"{number:0{width}d}" for width in range(2, 5) for number in range(10**width)]
    values += ["1" * 23, "1" * 22, "1" * 24, "123456", "1234567"]
    found = dict(zip(values, CheckDigit().bind(KEYS).mask_distinct(values), strict=True))
    assert len(set(found.values())) == len(values)
    assert [len(found[value]) for value in values[-5:]] == [23, 22, 24, 23, 7]
    assert all(is_valid("luhn", found[value]) for value in values[:100])
    assert CheckDigit().bind(KEYS).mask_distinct(["1" * 65, "1"]) == [None, None]


def test_separators_and_case_do_not_matter():
    bound = CheckDigit("npi").bind(KEYS)
    plain, spaced, odd = bound.mask_distinct(["1234567893", "1234 567-893", "1234_567893"])
    assert re.sub("[ -]", "", spaced) == plain
    assert spaced[4] + spaced[8] == " -"
    assert odd is None
    upper, lower = CheckDigit("vin").bind(KEYS).mask_distinct(["1M8GDM9AXKP042788", "1m8gdm9axkp042788"])
    assert lower == upper.lower()


def test_schemes_and_domains_are_apart():
    found = [
        spec.bind(KEYS).mask_distinct(["1234567893"])[0]
        for spec in (CheckDigit(), CheckDigit("npi"), CheckDigit(domain="d"), CheckDigit("npi", "d"))
    ]
    assert len(set(found)) == 4


def is_fake_ssn(text):
    area, group, serial = text[:3], int(text[3:5]), text[5:]
    itin = 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 99
    irsn = 1 <= group <= 10 or 17 <= group <= 19 or 28 <= group <= 29 or 37 <= group <= 39 or group in (49, 66, 89)
    return area[0] == "9" and group != 0 and not itin and not irsn and serial != "0000"


def test_ssns_are_none_that_was_issued():
    values = [f"{number:09d}" for number in range(0, 10**9, 99_991)]
    found = Ssn().bind(KEYS).mask_distinct(values)
    assert all(is_fake_ssn(text) and len(text) == 9 for text in found)
    assert not any(text == value for text, value in zip(found, values, strict=True))
    assert len(values) - len(set(found)) <= 6  # one shared fake is to be expected among ten thousand


def test_fake_ssns_are_permuted_among_themselves():
    values = [f"999{number:06d}" for number in range(0, 10**6, 7)]
    values = [value for value in values if is_fake_ssn(value)][:30_000]
    found = Ssn().bind(KEYS).mask_distinct(values)
    assert len(set(found)) == len(values)
    assert all(map(is_fake_ssn, found))


@given(st.from_regex(r"[0-9]{3}[-. ]?[0-9]{2}[-. ]?[0-9]{4}", fullmatch=True))
@settings(deadline=None)
def test_ssns_are_spelled_as_asked(value):
    digits = re.sub("[^0-9]", "", value)
    (plain,) = Ssn("plain").bind(KEYS).mask_distinct([value])
    assert Ssn().bind(KEYS).mask_distinct([digits, value]) == [
        plain,
        re.sub("[0-9]", "{}", value).format(*plain),
    ]
    assert Ssn("dashes").bind(KEYS).mask_distinct([value]) == [f"{plain[:3]}-{plain[3:5]}-{plain[5:]}"]


@pytest.mark.parametrize(
    "value", ["", "0", "12345678", "1234567890", "123--45-6789", "١٢٣٤٥٦٧٨٩", "123-45-6789 ", "n/a"]
)
def test_what_is_no_ssn_is_not_read(value):
    assert Ssn().bind(KEYS).mask_distinct([value]) == [None]


def test_last_four_digits():
    values = [f"{number:04d}" for number in range(10_000)]
    found = Ssn().bind(KEYS).mask_distinct(values)
    assert all(re.fullmatch("[0-9]{4}", text) and text != "0000" for text in found)
    assert 6_000 < len(set(found)) < 6_700  # ten thousand drawn from as many: 6,321 different ones
    styled = Ssn("dashes").bind(KEYS).mask_distinct(["***-**-6789", "xxxxx6789", "###.##.6789", "6789"])
    assert [text[-4:] for text in styled] == [found[6789]] * 4
    assert [text[:-4] for text in styled] == ["***-**-", "xxxxx", "###.##.", ""]


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: CheckDigit("isbn"), "scheme"),
        (lambda: CheckDigit(None), "scheme"),
        (lambda: CheckDigit(["npi"]), "scheme"),
        (lambda: Ssn(["keep"]), "style"),
        (lambda: CheckDigit(domain=3), "domain"),
        (lambda: Ssn("keeps"), "style"),
    ],
)
def test_parameters_are_checked_at_once(make, parameter):
    with pytest.raises(ParameterError) as caught:
        make()
    assert caught.value.parameter == parameter
