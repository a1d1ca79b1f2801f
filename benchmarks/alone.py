"""A benchmark in a process of its own: no cache, no Java and no memory of another is in its figures."""

from __future__ import annotations

import importlib
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from benchmarks.report import Report, load
from benchmarks.scale import Scale


def run_alone(name: str, scale: Scale) -> tuple[Report, dict[str, Any]]:
    """The report of `bench_<name>`, and how long it took at which load of the machine."""
    before, start = load(), time.monotonic()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        report = pool.submit(_run, name, scale).result()
    return report, {"seconds": round(time.monotonic() - start, 1), "load_before": before, "load_after": load()}


def _run(name: str, scale: Scale) -> Report:
    report: Report = importlib.import_module(f"benchmarks.bench_{name}").main(scale)
    return report
