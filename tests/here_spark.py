"""A Spark session that carries out jobs of numbered tasks in this very process, one after the other, in an order of its own."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest


@dataclass
class HereSpark:
    """Knows `range(…)`, `mapInArrow(…)`, bringing rows together, and `collect()`; counts the jobs."""

    version: str = "none"
    jobs: list[str] = field(default_factory=list)
    conf: dict[str, str] = field(default_factory=lambda: {"spark.io.encryption.enabled": "true"})

    def range(self, start: int, end: int, step: int, partitions: int) -> _Rows:
        """The last number first: nothing may depend on the order."""
        numbers = (
            [pa.RecordBatch.from_arrays([pa.array([n], pa.int64())], ["id"])] for n in reversed(range(start, end, step))
        )
        return _Rows(self, numbers)


@dataclass
class _Rows:
    spark: HereSpark
    partitions: Iterable[Iterable[Any]]
    schema: str = ""

    def mapInArrow(self, function: Callable[[Iterator[Any]], Iterator[Any]], schema: str) -> _Rows:  # noqa: N802 (Spark's name)
        return _Rows(self.spark, (function(iter(batches)) for batches in self.partitions), schema)

    def repartition(self, count: int, column: str) -> _Rows:
        return _Rows(self.spark, ([batch for batches in self.partitions for batch in batches],), self.schema)

    def sortWithinPartitions(self, *columns: str) -> _Rows:  # noqa: N802 (Spark's name)
        order = [(column, "ascending") for column in columns]
        found = (pa.Table.from_batches(batches).sort_by(order).to_batches() for batches in self.partitions if batches)
        return _Rows(self.spark, found, self.schema)

    def collect(self) -> list[Any]:
        self.spark.jobs.append(self.schema)
        row = namedtuple("row", [column.split()[0] for column in self.schema.split(",")])
        made = (batch for batches in self.partitions for batch in batches)
        return [
            row(*values)
            for batch in made
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> HereSpark:
    """The session; it has two cores."""
    for module in ("run", *(f"inplace.{name}" for name in ("stage", "run", "finish", "undo", "judge"))):
        monkeypatch.setattr(f"masking.spark.{module}.cores_of", lambda spark: 2)
    return HereSpark()
