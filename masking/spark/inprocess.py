"""Carry out a job of tasks in this very process, one after the other: for jobs so small that Spark costs more than they."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

_Function = Callable[[Iterator[Any]], Iterator[Any]]


@dataclass(frozen=True)
class InProcess:
    """Knows what a verification asks of a Spark session: `range(…)`, `mapInArrow(…)`, bringing rows together, `collect()`."""

    version: str = "none"

    def range(self, start: int, end: int, step: int, partitions: int) -> Rows:
        """The numbers of tasks, a partition each."""
        return Rows([[numbers(one)] for one in range(start, end, step)])


def numbers(*tasks: int) -> pa.RecordBatch:
    """Numbers of tasks as Spark's `range` has them."""
    return pa.record_batch([pa.array(tasks, pa.int64())], ["id"])


@dataclass(frozen=True)
class Rows:
    """Record batches by partition, and the names of their columns as Spark is told them: `share int, piece binary`."""

    partitions: Iterable[Iterable[Any]]
    schema: str = "id bigint"

    def mapInArrow(self, function: _Function, schema: str) -> Rows:  # noqa: N802 (Spark's name)
        """What is done with each partition."""
        return self._with((function(iter(batches)) for batches in self.partitions), schema)

    def repartition(self, count: int, column: str) -> Rows:
        """All rows in one partition, so that those with an equal column are in one."""
        return self._with(([batch for batches in self.partitions for batch in batches],), self.schema)

    def sortWithinPartitions(self, *columns: str) -> Rows:  # noqa: N802 (Spark's name)
        """In order of these columns."""
        order = [(column, "ascending") for column in columns]
        tables = (pa.Table.from_batches(batches) for batches in map(list, self.partitions) if batches)
        return self._with((table.sort_by(order).to_batches() for table in tables), self.schema)

    def collect(self) -> list[Any]:
        """All rows, with a field a column."""
        names = [column.split()[0] for column in self.schema.split(",")]
        row = namedtuple("row", names)  # type: ignore[misc]
        made = (batch for batches in self.partitions for batch in batches)
        return [
            row(*values) for one in made for values in zip(*(part.to_pylist() for part in one.columns), strict=True)
        ]

    def _with(self, partitions: Iterable[Iterable[Any]], schema: str) -> Rows:
        return Rows(partitions, schema)
