"""Carry out a job of tasks in this very process, one after the other: for jobs so small that Spark costs more than they."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

_Function = Callable[[Iterator[Any]], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class InProcess:
    """Knows what a verification asks of a Spark session: `range(…)`, `mapInArrow(…)`, bringing rows together, `collect()`."""

    version: str = "none"

    def range(self, start: int, end: int, step: int, partitions: int) -> _Rows:
        """The numbers of tasks, a partition each."""
        return _Rows(
            tuple((pa.record_batch([pa.array([number], pa.int64())], ["id"]),) for number in range(start, end, step))
        )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Record batches by partition."""

    partitions: Iterable[Iterable[Any]]

    def mapInArrow(self, function: _Function, schema: str) -> _Rows:  # noqa: N802 (Spark's names)
        """What is done with each partition."""
        return _Rows(function(iter(batches)) for batches in self.partitions)

    def repartition(self, count: int, column: str) -> _Rows:
        """All rows in one partition, so that those with an equal column are in one."""
        return _Rows(([batch for batches in self.partitions for batch in batches],))

    def sortWithinPartitions(self, *columns: str) -> _Rows:  # noqa: N802 (Spark's name)
        """In order of these columns."""
        order = [(column, "ascending") for column in columns]
        return _Rows(
            pa.Table.from_batches(batches).sort_by(order).to_batches() for batches in self.partitions if batches
        )

    def collect(self) -> list[SimpleNamespace]:
        """Rows with a field `found`, in order."""
        made = (batch for batches in self.partitions for batch in batches)
        return [SimpleNamespace(found=value) for batch in made for value in batch.column(0).to_pylist()]
