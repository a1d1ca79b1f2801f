"""The document engine on one core, against an orjson round trip (loads, dumps) of the same lines.

A fresh process and a fresh engine: all that is loaded, compiled and remembered on the way is in the figure. Both take
turns batch by batch and are timed in CPU seconds, so that whatever else the machine does meets both. A second pass over
the same data shows what is left when everything is known.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import orjson

from benchmarks.engines import make_engine
from benchmarks.export import MB, batches_of, find_export, slice_of
from benchmarks.report import Report, Verdict
from benchmarks.scale import Scale
from masking.document import Engine

FLOOR, GOAL = 0.35, 0.5
#: As in a task (`masking.spark.apply`): garbage is collected between batches, and seldom.
_COLLECT_EVERY = 50
_SHOWN = 14


@dataclass(slots=True)
class Spent:
    """CPU seconds over documents of one type."""

    documents: int = 0
    bytes: int = 0
    unmasked: int = 0
    orjson: float = 0.0
    engine: float = 0.0

    @property
    def ratio(self) -> float:
        """The engine's speed as a share of orjson's."""
        return self.orjson / self.engine

    def __iadd__(self, other: Spent) -> Spent:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def measure(engine: Engine, folder: Path, passes: int = 2) -> list[dict[str, Spent]]:
    """Both over an export, by type, once a pass. Runs in a process of its own."""
    gc.disable()
    gc.freeze()
    return [_one_pass(engine, folder) for _ in range(passes)]


def _one_pass(engine: Engine, folder: Path) -> dict[str, Spent]:
    by_type: dict[str, Spent] = defaultdict(Spent)
    for number, documents in enumerate(batches_of(folder), 1):
        start = time.process_time()
        _round_trip(documents)
        middle = time.process_time()
        batch = engine.mask_batch(documents)
        if number % _COLLECT_EVERY == 0:
            gc.collect()
        end = time.process_time()
        unmasked = len(batch.faults) + len(batch.dropped)
        size = sum(map(len, documents))
        by_type[batch.resource_types[0] or "?"] += Spent(len(documents), size, unmasked, middle - start, end - middle)
    return dict(by_type)


def _round_trip(documents: list[bytes]) -> None:
    for document in documents:
        # What orjson refuses, such as a lone surrogate, costs it little.
        with contextlib.suppress(orjson.JSONDecodeError):
            orjson.dumps(orjson.loads(document))


def main(scale: Scale) -> Report:
    """Measure and tell by type."""
    folder = slice_of(find_export(scale), scale.engine_mb)
    engine, _ = make_engine()
    # The engine travels to a spawned process as it does to a worker: with its subkeys, without anything remembered.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        cold, warm = pool.submit(measure, engine, folder).result()
    cold["all"], warm["all"] = _sum(cold), _sum(warm)
    report = Report(
        f"Engine, {cold['all'].bytes / MB:,.0f} MB, one core, CPU time",
        ("type", "documents", "MB", "orjson MB/s", "cold MB/s", "cold ÷ orjson", "warm ÷ orjson", "cold CPU s"),
    )
    types = sorted(cold, key=lambda name: cold[name].engine, reverse=True)
    report.rows = [_row(name, cold[name], warm[name]) for name in types[: _SHOWN + 1]]
    report.verdicts = [Verdict("engine, cold, against orjson", cold["all"].ratio, FLOOR, GOAL)]
    if len(types) > _SHOWN + 1:
        report.notes.append(f"{len(types) - _SHOWN - 1} types that took less are in results.json")
    if cold["all"].unmasked:
        report.notes.append(f"{cold['all'].unmasked:,} documents were at fault or dropped")
    report.figures = {"cold": {n: _json(s) for n, s in cold.items()}, "warm": {n: _json(s) for n, s in warm.items()}}
    return report


def _sum(by_type: dict[str, Spent]) -> Spent:
    total = Spent()
    for spent in by_type.values():
        total += spent
    return total


def _row(name: str, cold: Spent, warm: Spent) -> tuple[str, ...]:
    size = cold.bytes / MB
    speeds = (f"{size / cold.orjson:,.0f}", f"{size / cold.engine:,.1f}")
    ratios = (f"{cold.ratio:.3f}×", f"{warm.ratio:.3f}×")
    return (name, f"{cold.documents:,}", f"{size:,.1f}", *speeds, *ratios, f"{cold.engine:,.2f}")


def _json(spent: Spent) -> dict[str, float]:
    return {
        "documents": spent.documents,
        "bytes": spent.bytes,
        "unmasked": spent.unmasked,
        "orjson_seconds": round(spent.orjson, 4),
        "engine_seconds": round(spent.engine, 4),
        "ratio": round(spent.ratio, 4),
    }
