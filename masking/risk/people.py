"""People as rows of small numbers: a column a quasi-identifier, a number a label. What tasks hand over and the driver joins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Labels of one attribute that are told apart; all further ones are one.
_MOST_LABELS = 20_000
OTHER = "(others)"


def _numbered(labels: Iterable[str]) -> dict[str, int]:
    """Labels with their numbers, in their own order: whoever counts people, and in whatever order, numbers alike."""
    found = sorted(set(labels))
    numbers = {label: number for number, label in enumerate(found[:_MOST_LABELS])}
    if len(found) > _MOST_LABELS:
        other = numbers.setdefault(OTHER, len(numbers))
        numbers.update(dict.fromkeys(found[_MOST_LABELS:], other))
    return numbers


def _texts(numbers: Mapping[str, int]) -> list[str]:
    """The labels by number."""
    found: dict[int, str] = {}
    for label, number in numbers.items():
        if number not in found or label == OTHER:
            found[number] = label
    return [found[number] for number in range(len(found))]


@dataclass(slots=True)
class Table:
    """Combinations of labels and how many people have each. rows: a line a combination, a column an attribute."""

    columns: tuple[str, ...]
    labels: list[list[str]]
    rows: Any
    counts: Any

    @classmethod
    def of(cls, columns: Sequence[str], people: Sequence[Sequence[str]]) -> Table:
        """Of a list of labels a person."""
        numbered = [_numbered(person[column] for person in people) for column in range(len(columns))]
        rows = np.array(
            [[numbers[label] for numbers, label in zip(numbered, person, strict=True)] for person in people], np.int32
        ).reshape(-1, len(columns))
        return cls(tuple(columns), [_texts(one) for one in numbered], *_distinct(rows, np.ones(len(rows), np.int64)))

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """All people of several tables of the same columns."""
        columns = tables[0].columns
        numbered = [_numbered(text for table in tables for text in table.labels[at]) for at in range(len(columns))]
        parts = []
        for table in tables:
            part = np.empty_like(table.rows)
            for column, (one, texts) in enumerate(zip(numbered, table.labels, strict=True)):
                numbers = np.array([one[text] for text in texts], np.int32)
                part[:, column] = numbers[table.rows[:, column]] if len(numbers) else 0
            parts.append(part)
        rows, counts = np.concatenate(parts), np.concatenate([table.counts for table in tables])
        return cls(columns, [_texts(one) for one in numbered], *_distinct(rows, counts))

    @property
    def people(self) -> int:
        """How many there are."""
        return int(self.counts.sum())

    def cells(self, columns: Sequence[str]) -> tuple[Any, Any]:
        """The number of the cell of each row when people are told apart by some columns alone, and the size of each cell."""
        if not len(self.rows):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        cell = _cell_of(self.rows, [self.columns.index(name) for name in columns])
        return cell, np.bincount(cell, weights=self.counts).astype(np.int64)

    def label(self, row: int, column: str) -> str:
        """What a row has in a column."""
        at = self.columns.index(column)
        return self.labels[at][int(self.rows[row, at])]

    def arrays(self) -> Mapping[str, Any]:
        """Rows and counts, to be written."""
        return {"rows": self.rows, "counts": self.counts}


def _cell_of(rows: Any, columns: Sequence[int]) -> Any:
    """The number of each row's cell, in the order of the labels' numbers. A column at a time, as digits of one number."""
    cell = np.zeros(len(rows), np.int64)
    for column in columns:
        digits = rows[:, column]
        cell = cell * (int(digits.max()) + 1) + digits
        cell = np.unique(cell, return_inverse=True)[1].reshape(-1)
    return cell


def _distinct(rows: Any, counts: Any) -> tuple[Any, Any]:
    if not len(rows):
        return rows, counts
    cell = _cell_of(rows, range(rows.shape[1]))
    _, first = np.unique(cell, return_index=True)
    return rows[first], np.bincount(cell, weights=counts).astype(np.int64)
