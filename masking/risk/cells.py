"""Risk of being singled out, by cells: all people who share their quasi-identifiers are one cell.

Prosecutor: the attacker knows that the target is in the data, so finds them among f, the cell's people: 1/f. Journalist:
the attacker does not, and picks from the F people of the population who fit, of whom f are in the data: 1/F, which has to
be estimated. K. El Emam, Guide to the De-Identification of Personal Health Information, CRC Press 2013, chapters 16 to 18.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from masking.report.measures import SHOWN_FROM, Cells, SmallCell
from masking.risk.people import Table

#: Bounds of the sizes by which cells are told.
_SIZES = ((1, 1), (2, 2), (3, 4), (5, 10), (11, 19), (20, 49), (50, 0))
_EXACT = 200  # cells up to this size have their risk summed; above, it is the sampling fraction through their size
_MOST_SHOWN = 12
#: An attribute counts where its labels agree with the truth so much more often than by chance (Cohen's kappa).
TOLD_FROM = 0.05


def measure_cells(table: Table, columns: Sequence[str], k: int, population: int | None) -> Cells:
    """Cells by some columns. population: of how many people these are some; None: of none but themselves."""
    _, sizes = table.cells(columns)
    people = max(1, table.people)
    fraction = min(1.0, people / population) if population else 1.0
    small = np.unique(sizes[sizes <= _EXACT])
    chance = {int(size): journalist(int(size), fraction) for size in small}
    risks = np.array([chance.get(int(size), fraction / size) for size in sizes])
    return Cells(
        k=int(sizes.min()) if len(sizes) else 0,
        cells=len(sizes),
        unique=int((sizes == 1).sum()),
        sizes=tuple(
            (low, high, int(within.sum()), int(sizes[within].sum()))
            for low, high in _SIZES
            if (within := (sizes >= low) & ((sizes <= high) if high else True)).any()
        ),
        prosecutor=(float(1 / sizes.min()), len(sizes) / people) if len(sizes) else (0.0, 0.0),
        journalist=(float(risks.max()), float((risks * sizes).sum() / people)) if len(sizes) else (0.0, 0.0),
        at_risk=float(sizes[sizes < k].sum() / people),
    )


def journalist(size: int, fraction: float) -> float:
    """The mean of 1/F where f of the F people who fit are in a sample that each is in with the same chance.

    F given f is negative binomial (J. G. Bethlehem, W. J. Keller, J. Pannekoek 1990; as in mu-Argus, L. Franconi,
    S. Polettini 2004): for one person it is p ln(1/p) / (1 - p), p the fraction.
    """
    if fraction >= 1:
        return 1 / size
    if fraction > 0.5:
        return _by_series(size, fraction)
    # p times the integral of s**(f - 1) / (p + (1 - p) s) over 0 to 1, by parts; errors shrink where p is below a half.
    rest = 1 - fraction
    found = -math.log(fraction) / rest
    for one in range(1, size):
        found = (1 / one - fraction * found) / rest
    return min(fraction * found, 1 / size)


def _by_series(size: int, fraction: float) -> float:
    """The same: terms P(F) / F from F = f on, each made of the one before, until what is left does not count."""
    total, many, chance = 0.0, size, fraction**size
    while chance / many > 1e-12 * total or many < 2 * size:
        total += chance / many
        chance *= many / (many - size + 1) * (1 - fraction)
        many += 1
    return min(total, 1 / size)


def kappa(same: int, before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Cohen's kappa: 1 where every label is what it was, 0 where they agree as often as chance makes them.

    Of one label alone it says nothing; that is 1 if it is the true one and 0 else.
    """
    people = sum(before.values())
    if not people:
        return 0.0
    chance = sum(count * after.get(label, 0) for label, count in before.items()) / people**2
    agree = same / people
    if math.isclose(chance, 1.0):
        return 1.0
    return (agree - chance) / (1 - chance)


def smallest_cells(table: Table, columns: Sequence[str]) -> list[SmallCell]:
    """The smallest cells, each as coarse as `SHOWN_FROM` people share it.

    What makes a cell small is what identifies, so labels are told only as long as so many people have all of them: the
    commonest label first, each further one if enough are left. Labels that are missing are not told.
    """
    cell, sizes = table.cells(columns)
    order = np.argsort(sizes, kind="stable")
    found: dict[tuple[tuple[tuple[str, str], ...], int], SmallCell] = {}
    for number in order[: 50 * _MOST_SHOWN]:
        if sizes[number] >= SHOWN_FROM or len(found) >= _MOST_SHOWN:
            break
        row = int(np.nonzero(cell == number)[0][0])
        labels, shared = _coarse(table, row, columns)
        key = labels, int(sizes[number])
        found.setdefault(key, SmallCell(int(sizes[number]), labels, shared))
    return list(found.values())


def _coarse(table: Table, row: int, columns: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], int]:
    places = [table.columns.index(name) for name in columns if table.label(row, name)]
    alike = {at: table.rows[:, at] == table.rows[row, at] for at in places}
    counts: dict[int, int] = {at: int(table.counts[same].sum()) for at, same in alike.items()}
    kept: Any = np.ones(len(table.rows), bool)
    shared, told = table.people, []
    for at in sorted(places, key=lambda place: (-counts[place], place)):
        within = kept & alike[at]
        if (many := int(table.counts[within].sum())) >= SHOWN_FROM:
            kept, shared = within, many
            told.append((table.columns[at], table.label(row, table.columns[at])))
    return tuple(sorted(told, key=lambda one: columns.index(one[0]))), shared
