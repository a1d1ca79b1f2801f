"""Cells of people, their risks, and what would lift them: against what can be counted by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.report.measures import SHOWN_FROM
from masking.risk.cells import journalist, kappa, measure_cells, smallest_cells
from masking.risk.mend import COARSER, FORMS, mend, snippet
from masking.risk.people import Table

COLUMNS = ("sex", "race", "age_band")


def table(rows: list[tuple[str, ...]]) -> Table:
    return Table.of((*COLUMNS, *COARSER), [(*row, "1980", "3") for row in rows])


PEOPLE = [("f", "a", "30–34")] * 20 + [("m", "a", "30–34")] * 3 + [("m", "b", "30–34")] + [("f", "b", "90+")]


def test_cells_are_counted() -> None:
    cells = measure_cells(table(PEOPLE), COLUMNS, 11, None)
    assert (cells.k, cells.cells, cells.unique) == (1, 4, 2)
    assert cells.sizes == ((1, 1, 2, 2), (3, 4, 1, 3), (20, 49, 1, 20))
    assert cells.prosecutor == (1.0, 4 / 25) and cells.at_risk == 5 / 25
    assert cells.journalist == cells.prosecutor  # nobody knows of a population, so the export is all there are


def test_who_is_not_told_apart_is_one_cell() -> None:
    cells = measure_cells(table(PEOPLE), (), 11, None)
    assert (cells.k, cells.cells, cells.unique, cells.at_risk) == (25, 1, 0, 0.0)


@pytest.mark.parametrize("p", [0.9, 0.6, 0.5, 0.1, 0.001, 1e-8])
def test_journalist_risk_is_that_of_the_closed_forms(p: float) -> None:
    """Franconi and Polettini 2004 give them for one and for two people."""
    q = 1 - p
    assert journalist(1, p) == pytest.approx(p / q * math.log(1 / p), rel=1e-5)
    assert journalist(2, p) == pytest.approx(p / q * (p / q * math.log(p) + 1), rel=1e-5)


@given(st.integers(1, 60))
def test_both_ways_to_the_journalists_risk_agree(size: int) -> None:
    below, above = journalist(size, 0.5), journalist(size, math.nextafter(0.5, 1))
    assert below == pytest.approx(above, rel=1e-9)


@given(st.integers(1, 200), st.floats(1e-9, 1.0))
def test_journalist_risk_lies_below_the_prosecutors(size: int, fraction: float) -> None:
    found = journalist(size, fraction)
    assert 0 < found <= 1 / size and found >= fraction / size * 0.99
    assert journalist(size, 1.0) == 1 / size


def test_a_population_lowers_the_journalists_risk_and_nothing_else() -> None:
    alone, some = (measure_cells(table(PEOPLE), COLUMNS, 11, population) for population in (None, 25_000))
    assert some.prosecutor == alone.prosecutor and some.unique == alone.unique
    assert some.journalist[0] < 0.01 < alone.journalist[0]


def test_kappa_tells_the_truth_from_a_fake() -> None:
    half = {"f": 50, "m": 50}
    assert kappa(100, half, half) == 1
    assert kappa(50, half, half) == 0
    assert kappa(0, {"f": 100}, {"": 100}) == 0  # gone
    assert kappa(100, {"f": 100}, {"f": 100}) == 1
    assert kappa(0, {}, {}) == 0


def test_no_small_cell_is_told_by_what_makes_it_small() -> None:
    people = table(PEOPLE)
    found = smallest_cells(people, COLUMNS)
    assert [one.size for one in found] == [1, 1, 3]
    for one in found:
        have = sum(all(row[COLUMNS.index(name)] == label for name, label in one.labels) for row in PEOPLE)
        assert have == one.shared_by >= SHOWN_FROM
    assert "90+" not in str(found) and "'m'" not in str(found)


people = st.lists(
    st.tuples(st.sampled_from("fm"), st.sampled_from("abc"), st.sampled_from(["0–4", "5–9", "90+"])), max_size=60
)


@given(people, people)
def test_tables_join_whatever_their_parts(first: list[tuple[str, ...]], second: list[tuple[str, ...]]) -> None:
    joined, whole = Table.joined([table(first), table(second)]), table(first + second)
    assert measure_cells(joined, COLUMNS, 5, None) == measure_cells(whole, COLUMNS, 5, None)


@given(people, st.integers(2, 8))
def test_mending_reaches_k_and_does_no_more_than_it_needs(rows: list[tuple[str, ...]], k: int) -> None:
    of = table(rows)
    steps = mend(of, COLUMNS, k)

    def least(levels: dict[str, int]) -> int:
        columns = [FORMS[name][level - 1].column if level else name for name, level in levels.items()]
        sizes = of.cells([name for name in columns if name])[1]
        return int(sizes.min()) if len(sizes) else k

    levels = dict.fromkeys(COLUMNS, 0)
    for step in steps:
        assert FORMS[step.attribute][levels[step.attribute]].to == step.to
        levels[step.attribute] += 1
        assert step.least == least(levels)
    if len(rows) >= k:
        assert least(levels) >= k
        for name in {step.attribute for step in steps}:
            assert least({**levels, name: levels[name] - 1}) < k


def test_the_snippet_says_the_last_word_on_each_rule() -> None:
    steps = mend(table(PEOPLE), COLUMNS, 11)
    text = snippet(steps, "realistic", 11)
    assert text.startswith("policy: realistic_k11\nextends: realistic\n")
    keys = [line.partition(": ")[0] for line in text.splitlines() if line.startswith("  ")]
    assert keys and len(keys) == len(set(keys))
    assert snippet([], "realistic", 11) == ""
