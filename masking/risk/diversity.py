"""l-diversity of diagnoses in cells of people who share their quasi-identifiers.

A person has many diagnoses, so l is taken by frequency (R. C. Wong et al. 2006, (alpha, k)-anonymity with alpha = 1/l): the
people of a cell through those who have its commonest diagnosis. Who knows that somebody is in the cell then guesses none of
their diagnoses with a chance above 1/l. A. Machanavajjhala et al. 2007 for the count of distinct codes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from masking.report.measures import Diversity
from masking.risk.persons import AFTER, Share, share_of
from masking.risk.sketch import hashed

_BETWEEN = "\x1f"


def pairs_of(share: Share, attributes: Sequence[str], shares: int) -> list[dict[str, Any]]:
    """Cells and diagnoses of a share of people, by the share of cells: the size of each cell, and how many have a code."""
    diagnoses = share.diagnoses()
    sizes: Counter[int] = Counter()
    pairs: Counter[tuple[int, int]] = Counter()
    for person in share.people():
        cell = hashed(_BETWEEN.join(share.attributes(person, AFTER, attributes)))
        sizes[cell] += 1
        pairs.update((cell, code) for code in diagnoses.get(person, ()))
    found = []
    for number in range(shares):
        cells = [(cell, size) for cell, size in sizes.items() if share_of(cell, shares) == number]
        codes = [(*pair, many) for pair, many in pairs.items() if share_of(pair[0], shares) == number]
        found.append(
            {
                "cells": np.array(cells, np.uint64).reshape(-1, 2),
                "codes": np.array(codes, np.uint64).reshape(-1, 3),
            }
        )
    return found


def diversity(parts: Sequence[Mapping[str, Any]]) -> Diversity:
    """Of one share of cells. People without a diagnosis lower nobody's l, and cells without any are left out."""
    sizes: Counter[int] = Counter()
    codes: dict[int, Counter[int]] = {}
    for part in parts:
        for cell, size in part["cells"].tolist():
            sizes[cell] += size
        for cell, code, many in part["codes"].tolist():
            codes.setdefault(cell, Counter())[code] += many
    least, distinct, below, learned = float("inf"), 0, 0, 0
    for cell, counts in codes.items():
        size, most = sizes[cell], max(counts.values())
        least = min(least, size / most)
        distinct = min(distinct or len(counts), len(counts))
        below += size if size < 2 * most else 0
        learned += size if size == most and size > 1 else 0
    return Diversity(least if codes else 0.0, distinct, below, learned)


def joined(found: Sequence[Diversity]) -> Diversity | None:
    """Of all shares of cells; None where there are no diagnoses."""
    some = [one for one in found if one.distinct]
    if not some:
        return None
    return Diversity(
        round(min(one.least for one in some), 3),
        min(one.distinct for one in some),
        sum(one.below_two for one in some),
        sum(one.learned for one in some),
    )
