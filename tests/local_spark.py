"""A stand-in for a Spark session that carries out a job of tasks in this very process, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pyarrow as pa


@dataclass
class LocalSpark:
    """Knows `range(…).mapInArrow(…).collect()`, which is all that a verification asks of Spark."""

    version: str = "none"

    def range(self, start: int, end: int, step: int, partitions: int) -> _Range:
        return _Range(range(start, end, step))


@dataclass
class _Range:
    numbers: Iterable[int]
    function: Callable[[Iterator[Any]], Iterator[Any]] | None = None

    def mapInArrow(self, function: Callable[[Iterator[Any]], Iterator[Any]], schema: str) -> _Range:  # noqa: N802 (Spark's name)
        assert schema.endswith(" binary")
        return _Range(self.numbers, function)

    def collect(self) -> list[SimpleNamespace]:
        assert self.function is not None
        rows: list[SimpleNamespace] = []
        for number in self.numbers:
            batch = pa.RecordBatch.from_arrays([pa.array([number], pa.int64())], ["id"])
            for made in self.function(iter([batch])):
                rows += [SimpleNamespace(found=value) for value in made.column(0).to_pylist()]
        return rows
