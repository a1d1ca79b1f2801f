"""A Spark session that carries out jobs of numbered tasks in this very process, one after the other, in an order of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from masking.spark.inprocess import Rows, numbers


@dataclass
class HereSpark:
    """Knows what `InProcess` knows, and a setting; counts the jobs."""

    version: str = "none"
    jobs: list[str] = field(default_factory=list)
    conf: dict[str, str] = field(default_factory=lambda: {"spark.io.encryption.enabled": "true"})

    def range(self, start: int, end: int, step: int, partitions: int) -> Rows:
        """The last number first: nothing may depend on the order."""
        return _Counted([[numbers(one)] for one in reversed(range(start, end, step))], jobs=self.jobs)


@dataclass(frozen=True)
class _Counted(Rows):
    jobs: list[str] = field(default_factory=list)

    def collect(self) -> list[Any]:
        self.jobs.append(self.schema)
        return super().collect()

    def _with(self, partitions: Iterable[Iterable[Any]], schema: str) -> Rows:
        return _Counted(partitions, schema, self.jobs)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> HereSpark:
    """The session; it has two cores."""
    for module in ("run", *(f"inplace.{name}" for name in ("stage", "run", "finish", "undo", "judge"))):
        monkeypatch.setattr(f"masking.spark.{module}.cores_of", lambda spark: 2)
    return HereSpark()
