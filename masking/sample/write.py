"""A sample export on disk: regions made in as many processes as asked, and a folder that appears whole.

The regions are spliced in their order, so the bytes do not depend on how many processes there are.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from masking.errors import UsageError
from masking.sample.facilities import REGION_SIZE
from masking.sample.files import ExportFiles, Spool, spooled
from masking.sample.names import require_faker
from masking.sample.record import region_charts
from masking.sample.truth import truth_lines

#: Called with the number of patients written so far and of all.
Progress = Callable[[int, int], None]

#: Below so many regions another process costs more than it brings.
_WORTH_A_PROCESS = 8


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was written: places, and counts by type."""

    export: Path
    truth: Path
    patients: int
    seed: int
    resources: dict[str, int]
    files: int
    export_bytes: int
    truth_lines: int
    truth_bytes: int

    @property
    def total(self) -> int:
        """Resources of all types."""
        return sum(self.resources.values())


@dataclass(frozen=True, slots=True)
class _Order:
    """What a process needs to know to make a region."""

    folder: Path
    seed: int
    patients: int

    @property
    def regions(self) -> int:
        return -(-self.patients // REGION_SIZE)

    def make(self, number: int) -> Spool:
        """Make a region and leave it in a spool file."""
        lines: dict[str, list[bytes]] = {}
        truths: list[bytes] = []
        count = 0
        for chart in region_charts(self.seed, number, self.patients):
            for resource_type, own in chart.lines.items():
                lines.setdefault(resource_type, []).extend(own)
            truths.append(truth_lines(chart.truth))
            count += len(chart.truth)
        return spooled(self.folder / f".region-{number}", lines, count, b"".join(truths))


def write_sample(
    destination: Path, patients: int, seed: int = 1, progress: Progress | None = None, processes: int | None = None
) -> SampleSummary:
    """Write `destination/export/<Type>.<nnn>.ndjson` and, outside the export, `destination/truth.jsonl`.

    Args:
        destination: the folder to write into; made if need be.
        patients: how many, at least one.
        seed: the same seed gives the same bytes, and patient `i` the same lines whatever `patients` is.
        progress: told after every region of 200 patients.
        processes: how many to work in; by default one a core, and one alone for a few hundred patients. Processes are
            spawned: a script that asks for more than one guards its call with `if __name__ == "__main__"`.

    Raises:
        UsageError: no patients asked for, a sample is already there, or Faker is missing.
    """
    if patients < 1:
        raise UsageError("a sample needs at least one patient: --patients 1 or more")
    export, truth = destination / "export", destination / "truth.jsonl"
    require_faker()
    for place in (export, truth):
        if place.exists():
            raise UsageError(f"{place} is already there; name another folder, or remove it first")
    staged, staged_truth = destination / "export.partial", destination / "truth.jsonl.partial"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    order, planted = _Order(staged, seed, patients), 0
    with ExportFiles(staged) as files, staged_truth.open("wb") as truth_file:
        for number, spool in enumerate(_spools(order, processes)):
            with spool.path.open("rb") as source:
                truth_file.write(source.read(spool.truth_size))
                files.splice(source, spool.chunks)
            spool.path.unlink()
            planted += spool.truths
            if progress:
                progress(min((number + 1) * REGION_SIZE, patients), patients)
        truth_bytes = truth_file.tell()
    staged_truth.rename(truth)
    staged.rename(export)
    counts = dict(sorted(files.counts.items()))
    return SampleSummary(export, truth, patients, seed, counts, files.files, files.bytes, planted, truth_bytes)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _spools(order: _Order, processes: int | None) -> Iterator[Spool]:
    """The regions in order; with several processes at most two a process are under way or waiting."""
    workers = min(order.regions, processes or (_cores() if order.regions >= _WORTH_A_PROCESS else 1))
    if workers == 1:
        yield from map(order.make, range(order.regions))
        return
    # Spawned, not forked: whoever calls may have threads (a JVM gateway, a progress bar).
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[Spool]] = deque()
        for number in range(order.regions):
            waiting.append(pool.submit(order.make, number))
            if len(waiting) == workers * 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
