"""l-diversity of cells, by frequency."""

from __future__ import annotations

from typing import Any

import numpy as np

from masking.report.measures import Diversity
from masking.risk.diversity import diversity, joined


def part(cells: list[tuple[int, int]], codes: list[tuple[int, int, int]]) -> dict[str, Any]:
    return {"cells": np.array(cells, np.uint64).reshape(-1, 2), "codes": np.array(codes, np.uint64).reshape(-1, 3)}


def test_l_is_people_through_those_who_have_the_commonest() -> None:
    # Cell 1: six people, three of whom have code 7. Cell 2: two, who both have it. Cell 3: one. Cell 4: no diagnosis.
    one = part([(1, 4), (2, 2), (3, 1), (4, 9)], [(1, 7, 2), (1, 8, 1), (2, 7, 2), (3, 9, 1)])
    other = part([(1, 2)], [(1, 7, 1), (1, 9, 1)])
    assert diversity([one, other]) == Diversity(1.0, 1, 3, 2)
    assert diversity([part([(1, 6)], [(1, 7, 3), (1, 8, 2)])]) == Diversity(2.0, 2, 0, 0)


def test_shares_of_cells_are_joined() -> None:
    assert joined([Diversity(2.0, 3, 4, 5), Diversity(0.0, 0, 0, 0), Diversity(1.5, 4, 1, 1)]) == Diversity(
        1.5, 3, 5, 6
    )
    assert joined([Diversity(0.0, 0, 0, 0)]) is None
