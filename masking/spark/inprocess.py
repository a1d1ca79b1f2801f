"""Carry out a job of tasks in this very process, one after the other: for jobs so small that Spark costs more than they."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class InProcess:
    """Knows `range(…).mapInArrow(…).collect()`, which is all that a verification asks of a Spark session."""

    version: str = "none"

    def range(self, start: int, end: int, step: int, partitions: int) -> _Range:
        """The numbers of tasks."""
        return _Range(range(start, end, step))


@dataclass(frozen=True, slots=True)
class _Range:
    numbers: Iterable[int]
    function: Callable[[Iterator[Any]], Iterator[Any]] | None = None

    def mapInArrow(self, function: Callable[[Iterator[Any]], Iterator[Any]], schema: str) -> _Range:  # noqa: N802 (Spark's name)
        """What is done with each number. `schema` is one binary column."""
        return _Range(self.numbers, function)

    def collect(self) -> list[SimpleNamespace]:
        """Rows with a field `found`, in order."""
        assert self.function is not None
        rows: list[SimpleNamespace] = []
        for number in self.numbers:
            batch = pa.RecordBatch.from_arrays([pa.array([number], pa.int64())], ["id"])
            for made in self.function(iter([batch])):
                rows += [SimpleNamespace(found=value) for value in made.column(0).to_pylist()]
        return rows
