"""People as rows of small numbers: a column a quasi-identifier, a number a label. What tasks hand over and the driver joins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: Labels of one attribute that are told apart; all further ones are one.
_MOST_LABELS = 20_000
OTHER = "(others)"


@dataclass(slots=True)
class Labels:
    """The labels of one attribute, numbered as they come."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, label: str) -> int:
        """The number of a label."""
        found = self.numbers.get(label)
        if found is None:
            if len(self.numbers) >= _MOST_LABELS:
                label = OTHER
            found = self.numbers.setdefault(label, len(self.numbers))
        return found

    def texts(self) -> list[str]:
        """The labels by number."""
        return list(self.numbers)


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
        numbered = [Labels() for _ in columns]
        rows = np.array(
            [[one.number(label) for one, label in zip(numbered, person, strict=True)] for person in people], np.int32
        ).reshape(-1, len(columns))
        return cls(tuple(columns), [one.texts() for one in numbered], *_distinct(rows, np.ones(len(rows), np.int64)))

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """All people of several tables of the same columns."""
        columns = tables[0].columns
        numbered = [Labels() for _ in columns]
        parts = []
        for table in tables:
            part = np.empty_like(table.rows)
            for column, (one, texts) in enumerate(zip(numbered, table.labels, strict=True)):
                numbers = np.array([one.number(text) for text in texts], np.int32)
                part[:, column] = numbers[table.rows[:, column]] if len(numbers) else 0
            parts.append(part)
        rows, counts = np.concatenate(parts), np.concatenate([table.counts for table in tables])
        return cls(columns, [one.texts() for one in numbered], *_distinct(rows, counts))

    @property
    def people(self) -> int:
        """How many there are."""
        return int(self.counts.sum())

    def cells(self, columns: Sequence[str]) -> tuple[Any, Any]:
        """The number of the cell of each row when people are told apart by some columns alone, and the size of each cell."""
        if not len(self.rows):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        chosen = [self.columns.index(name) for name in columns]
        if not chosen:
            return np.zeros(len(self.rows), np.int64), np.array([self.people], np.int64)
        _, cell = np.unique(self.rows[:, chosen], axis=0, return_inverse=True)
        cell = cell.reshape(-1)
        return cell, np.bincount(cell, weights=self.counts).astype(np.int64)

    def label(self, row: int, column: str) -> str:
        """What a row has in a column."""
        at = self.columns.index(column)
        return self.labels[at][int(self.rows[row, at])]

    def arrays(self) -> Mapping[str, Any]:
        """Rows and counts, to be written."""
        return {"rows": self.rows, "counts": self.counts}


def _distinct(rows: Any, counts: Any) -> tuple[Any, Any]:
    if not len(rows):
        return rows, counts
    found, which = np.unique(rows, axis=0, return_inverse=True)
    return found, np.bincount(which.reshape(-1), weights=counts).astype(np.int64)
