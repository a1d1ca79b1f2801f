"""Distances of distributions: 0 where nothing changed, what can be computed by hand where something did."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.report.measures import SHOWN_FROM
from masking.risk.utility import Distributions, compare, distances, rounded, total_variation

counts = st.dictionaries(st.sampled_from(["1", "2", "3.5", "10"]), st.integers(1, 50), min_size=1).map(Counter)


@given(counts)
def test_equal_distributions_are_not_apart(one: Counter[str]) -> None:
    found = compare("Age", one, Counter(one))
    assert (found.apart, found.ks, found.wasserstein) == (0.0, 0.0, 0.0)


@given(counts, counts)
def test_distances_are_symmetric_and_bounded(one: Counter[str], other: Counter[str]) -> None:
    apart, (ks, moved) = total_variation(one, other), distances(one, other)
    assert apart == pytest.approx(total_variation(other, one)) and 0 <= apart <= 1
    assert ks is not None and moved is not None and 0 <= ks <= apart + 1e-12
    assert distances(other, one) == (pytest.approx(ks), pytest.approx(moved))


def test_distances_are_those_computed_by_hand() -> None:
    before, after = Counter({"0": 2, "10": 2}), Counter({"0": 1, "10": 2, "20": 1})
    assert total_variation(before, after) == 0.25
    assert distances(before, after) == (0.25, 5.0)
    assert total_variation(before, Counter()) == 1.0 and distances(before, Counter()) == (None, None)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(1, 30)).map(Counter))
def test_no_small_count_is_shown(found: Counter[str]) -> None:
    for _, before, after in compare("Diagnoses", found, found).rows:
        assert all(one is None or one == 0 or one >= SHOWN_FROM for one in (before, after))


def test_labels_that_only_the_source_has_are_not_told() -> None:
    before, after = Counter({"secret": 40, "told": 20}), Counter({"told": 20})
    rows = compare("Diagnoses", before, after).rows
    assert rows == (("told", 20, 20), ("all others", 40, 0))


def test_a_distribution_of_few_is_not_told_at_all() -> None:
    found = Distributions()
    for side in (0, 1):
        found.add("Sex", "other", side, SHOWN_FROM - 1)
        found.add("Diagnoses", "a", side, SHOWN_FROM)
    assert [one.name for one in found.compared()] == ["Diagnoses"]


def test_numbers_are_counted_in_bins_that_hold_all() -> None:
    values = Counter({str(number): 20 for number in range(1, 101)})
    values["100000"] = 15
    rows = compare("Age", values, values).rows
    assert sum(before or 0 for _, before, _ in rows) == values.total() and 2 <= len(rows) <= 14


def test_no_bin_tells_an_extreme() -> None:
    """The edges are the masked side's and have some values beyond them: an age that was capped does not show."""
    after = Counter({str(age): 2 for age in range(20, 90)}) + Counter({"90": 1})
    told = [
        [label for label, *_ in compare("Age", before, after).rows] for before in (after, after + Counter({"104": 1}))
    ]
    assert told[0] == told[1]
    assert all(float(label.split()[0].partition("–")[0]) < 90 for label in told[0] if not label.startswith("below"))
    few = Counter({"13.1": 1, "13.9": 11})
    assert [label for label, *_ in compare("Results", few, few).rows] and "13.1" not in str(
        compare("Results", few, few).rows
    )


@pytest.mark.parametrize(("text", "found"), [("1.2345", "1.23"), ("-0", "-0"), ("1E2", "100"), ("x", ""), ("nan", "")])
def test_numbers_are_told_to_three_digits(text: str, found: str) -> None:
    assert rounded(text) == found


def test_what_tasks_counted_adds_up() -> None:
    parts, whole = [Distributions(), Distributions()], Distributions()
    for number in range(40):
        for which in (parts[number % 2], whole):
            which.add("Diagnoses", f"c{number % 3}", 0)
            which.add("Result 1234-5 mg", str(number), number % 2)
    joined = Distributions()
    for part in parts:
        joined.join(part.told())
    assert joined.compared() == whole.compared()
