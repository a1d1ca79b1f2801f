"""perturb, bucket and cap_age."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import masking.maskers  # noqa: F401
from masking.errors import ParameterError
from masking.keys import hmac_parts
from masking.maskers.numbers import Bucket, CapAge, Perturb, read_number, spell


class Keys:
    def __init__(self, seed: bytes = b"one") -> None:
        self.seed = seed

    def subkey(self, purpose: str) -> bytes:
        return hmac_parts(self.seed, purpose.encode())


NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?\Z")
NO_NUMBERS = [
    "",
    " 1",
    "1 ",
    "+1",
    "01",
    ".5",
    "5.",
    "1e",
    "0x1",
    "1_000",
    "1,5",
    "NaN",
    "Infinity",
    "-",
    "1\n",
    "١",
    "1e999",
    "9" * 401,
]


def perturb(value, subject="s", **parameters):
    return Perturb(**parameters).bind(Keys()).mask_distinct([value], subject=[subject])[0]


def bucket(value, size):
    return Bucket(size).bind(Keys()).mask_distinct([value])[0]


def cap(value, unit=None, **parameters):
    return CapAge(**parameters).bind(Keys()).mask_distinct([value], unit=[unit])[0]


@given(NUMBERS)
def test_reading_and_spelling_gives_the_same_text(text):
    number = read_number(text)
    assert spell(number) == text
    assert Decimal(text) == Decimal(number.value.numerator) / Decimal(number.value.denominator) or len(text) > 20


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_becomes_null(value):
    assert perturb(value, percent=5) is None
    assert bucket(value, 10) is None
    assert cap(value) is None


# perturb


@settings(deadline=None)
@given(NUMBERS, st.integers(1, 100), st.text(max_size=5))
def test_noise_stays_within_its_percentage(text, percent, subject):
    before, after = read_number(text), read_number(perturb(text, subject, percent=percent))
    assert (after.sign, after.decimals, after.exponent) == (before.sign, before.decimals, before.exponent)
    assert abs(after.value - before.value) * 100 <= abs(before.value) * percent
    assert (after.value == 0) == (before.value == 0)
    # Changed whenever a step of the last digit is within reach and does not lead to zero.
    assert (after != before) == (before.digits * percent >= 100 and before.digits > 0)


@settings(deadline=None)
@given(NUMBERS, st.decimals("0.001", 1000, places=3))
def test_noise_stays_within_its_bound(text, absolute):
    before, after = read_number(text), read_number(perturb(text, absolute=str(absolute)))
    assert abs(after.value - before.value) <= absolute
    assert (after.sign, after.decimals, after.exponent) == (before.sign, before.decimals, before.exponent)
    assert (after.value == 0) == (before.value == 0)


@pytest.mark.parametrize("zero", ["0", "-0", "0.00", "0E5", "-0.0"])
def test_zero_stays_zero(zero):
    assert perturb(zero, percent=50) == zero
    assert perturb(zero, absolute=3) == zero


def test_every_number_within_reach_is_used_but_the_true_one():
    results = {perturb("1.00", str(subject), percent=3) for subject in range(300)}
    assert results == {"0.97", "0.98", "0.99", "1.01", "1.02", "1.03"}
    assert {perturb("2", str(subject), absolute=5) for subject in range(300)} == {"1", "3", "4", "5", "6", "7"}
    assert {perturb("-15E1", str(subject), absolute="25") for subject in range(100)} == {
        *("-13E1", "-14E1", "-16E1", "-17E1")
    }


def test_long_numbers_move_in_their_leading_digits():
    results = {perturb("5" * 100, str(subject), percent=50)[:3] for subject in range(50)}
    assert len(results) > 20


def test_noise_is_keyed_by_value_and_subject():
    assert perturb("100.00", percent=5) == perturb("100.00", percent=5)
    assert len({perturb("100.00", subject, percent=5) for subject in (None, "", "a", "b")}) == 4
    values = ["100.00"] * 2
    other = Perturb(percent=5).bind(Keys(b"two")).mask_distinct(values, subject=["s", "t"])
    assert other != Perturb(percent=5).bind(Keys()).mask_distinct(values, subject=["s", "t"])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"percent": 5, "absolute": 5},
        {"percent": 0},
        {"percent": -1},
        {"percent": 101},
        {"percent": "x"},
        {"percent": True},
        {"absolute": 0},
        {"absolute": float("nan")},
        {"absolute": float("inf")},
        {"absolute": "1e999"},
        {"absolute": []},
    ],
)
def test_perturb_checks_its_parameters(parameters):
    with pytest.raises(ParameterError):
        Perturb(**parameters)


def test_a_float_parameter_means_what_was_written():
    assert Perturb(percent=0.1).bind(Keys()) == Perturb(percent="0.1").bind(Keys())


# bucket


@pytest.mark.parametrize(
    ("value", "size", "expected"),
    [
        ("37.52", 10, "30"),
        ("30", 10, "30"),
        ("29.999999999999999999999999999999999", 10, "20"),
        ("-3", 10, "-10"),
        ("-0", 10, "0"),
        ("0.00", 10, "0"),
        ("1E2", 30, "90"),
        ("1.5e-3", "0.001", "0.001"),
        ("37.52", 0.5, "37.5"),
        ("-37.52", 0.5, "-38.0"),
        ("0.3", 0.1, "0.3"),
        ("7", "1E1", "0"),
        ("17", "10.0", "10"),
        ("7", 2.5, "5.0"),
        ("1" + "0" * 50 + "7", 10, "1" + "0" * 51),
    ],
)
def test_bucket_is_the_multiple_below(value, size, expected):
    assert bucket(value, size) == expected


@settings(deadline=None)
@given(NUMBERS, st.sampled_from(["1", "10", "0.25", "365"]))
def test_bucket_is_within_one_size(text, size):
    gap = read_number(text).value - read_number(bucket(text, size)).value
    assert 0 <= gap < read_number(size).value


@pytest.mark.parametrize("size", [0, -5, "ten", None, True, float("nan")])
def test_bucket_checks_its_size(size):
    with pytest.raises(ParameterError, match="size: "):
        Bucket(size)


# cap_age


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("89", "a", "89"),
        ("89.0", None, "89.0"),
        ("89.5", "a", "90"),
        ("90", "a", "90"),
        ("1.12E2", "years", "90"),
        ("0", "a", "0"),
        ("-1", "a", "-1"),
        ("95", None, "90"),
        ("95", "parsec", "90"),
        ("95", "mo", "95"),
        ("1068", "mo", "1068"),
        ("1069", "Months", "1080"),
        ("5000", "wk", "4697"),
        ("32000", "d", "32000"),
        ("33000", "d", "32873"),
        ("1000000", "h", "788940"),
        ("99999999", "min", "47336400"),
    ],
)
def test_ages_over_the_limit_become_the_category(value, unit, expected):
    assert cap(value, unit) == expected


def test_the_limit_and_the_category_are_parameters():
    assert CapAge(79, 80).bind(Keys()).mask_distinct(["79", "81"], unit=["a", "a"]) == ["79", "80"]


@pytest.mark.parametrize(
    "parameters",
    [{"limit": 0}, {"limit": 151, "value": 152}, {"limit": 89.5}, {"limit": 90}, {"value": 201}, {"value": "90"}],
)
def test_cap_age_checks_its_parameters(parameters):
    with pytest.raises(ParameterError):
        CapAge(**parameters)
