"""The small parts of the sample: numbers that never repeat, moments, ages, escapes, draws."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from masking.errors import UsageError
from masking.sample import write_sample
from masking.sample.awkward import escape
from masking.sample.calendar import age, instant, moment
from masking.sample.contacts import SSN_COUNT, ssn
from masking.sample.draw import Draw, spread


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "001-01-0001"), (9_998, "001-01-9999"), (9_999, "001-02-0001"), (SSN_COUNT - 1, "899-99-9999")],
)
def test_ssn(number: int, text: str) -> None:
    assert ssn(number) == text


def test_ssn_leaves_the_number_of_the_beast_out() -> None:
    a_whole_area = 99 * 9_999
    assert ssn(664 * a_whole_area).startswith("665-")
    assert ssn(665 * a_whole_area).startswith("667-")


@pytest.mark.parametrize("modulus", [SSN_COUNT, 90_000_000, 10**8, 10**9, 9 * 10**11])
def test_spread_meets_nobody_twice(modulus: int) -> None:
    assert len({spread(index, modulus, "x", 1) for index in range(5_000)}) == 5_000
    assert modulus % 2_147_483_647 != 0


@pytest.mark.parametrize(
    ("day", "second", "text"),
    [
        (date(2024, 2, 29), 0, "2024-02-29T00:00:00-05:00"),
        (date(2024, 2, 29), 86_399, "2024-02-29T23:59:59-05:00"),
        (date(2024, 2, 29), 86_400, "2024-03-01T00:00:00-05:00"),
        (date(2023, 12, 31), 3 * 86_400 + 61, "2024-01-03T00:01:01-05:00"),
    ],
)
def test_moment(day: date, second: int, text: str) -> None:
    assert moment(day.toordinal(), second, "-05:00") == text


def test_instant_has_milliseconds() -> None:
    assert re.fullmatch(r"2024-02-29T00:00:01\.\d{3}Z", instant(date(2024, 2, 29).toordinal(), 1, "Z"))


@pytest.mark.parametrize(
    ("born", "then", "years"),
    [
        (date(2000, 2, 29), date(2001, 2, 28), 0),
        (date(2000, 2, 29), date(2001, 3, 1), 1),
        (date(2000, 2, 29), date(2004, 2, 29), 4),
        (date(1935, 7, 1), date(2025, 6, 30), 89),
        (date(1935, 6, 30), date(2025, 6, 30), 90),
    ],
)
def test_age(born: date, then: date, years: int) -> None:
    assert age(born.toordinal(), then.toordinal()) == years


def test_escape_spells_the_same() -> None:
    line = json.dumps({"a": 'é🌹e\u0301 山 \\ " /'}, ensure_ascii=False).encode()
    assert escape(line).isascii()
    assert json.loads(escape(line)) == json.loads(line)
    assert b"\\ud83c\\udf39" in escape(line)
    assert escape(b'{"a":1.00}') == b'{"a":1.00}'


def test_draws_stay_within_bounds() -> None:
    draw = Draw("x")
    assert {draw.between(3, 5) for _ in range(200)} == {3, 4, 5}
    assert sorted(draw.several("abc", 9)) == ["a", "b", "c"]
    assert all(len(draw.digits(4)) == 4 for _ in range(50))
    assert Draw("ab", "c").fraction() != Draw("a", "bc").fraction()


def test_without_faker_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("masking.sample.names.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"fhir-masking\[sample\]"):
        write_sample(tmp_path / "x", 1)
    assert not (tmp_path / "x").exists()
