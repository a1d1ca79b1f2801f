"""A Spark session that carries out jobs of numbered tasks in this very process, one after the other, in an order of its own."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest


@dataclass
class HereSpark:
    """Knows `range(…).mapInArrow(…).collect()`; counts the jobs."""

    version: str = "none"
    jobs: list[str] = field(default_factory=list)
    conf: dict[str, str] = field(default_factory=lambda: {"spark.io.encryption.enabled": "true"})

    def range(self, start: int, end: int, step: int, partitions: int) -> _Range:
        return _Range(self, range(start, end, step))


@dataclass
class _Range:
    spark: HereSpark
    numbers: Sequence[int]
    function: Callable[[Iterator[Any]], Iterator[Any]] | None = None
    schema: str = ""

    def mapInArrow(self, function: Callable[[Iterator[Any]], Iterator[Any]], schema: str) -> _Range:  # noqa: N802 (Spark's name)
        return _Range(self.spark, self.numbers, function, schema)

    def collect(self) -> list[Any]:
        assert self.function is not None
        self.spark.jobs.append(self.schema)
        row = namedtuple("row", [column.split()[0] for column in self.schema.split(",")])
        rows = []
        for number in reversed(self.numbers):
            batch = pa.RecordBatch.from_arrays([pa.array([number], pa.int64())], ["id"])
            for made in self.function(iter([batch])):
                rows += [row(*values) for values in zip(*(column.to_pylist() for column in made.columns), strict=True)]
        return rows


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> HereSpark:
    """The session; it has two cores."""
    for module in ("run", *(f"inplace.{name}" for name in ("stage", "run", "finish", "undo", "judge"))):
        monkeypatch.setattr(f"masking.spark.{module}.cores_of", lambda spark: 2)
    return HereSpark()
