"""From charts to files: rotation, the oddities of real files, several processes, and a folder that appears whole.

Regions are made in as many processes as asked and written in their order, so the bytes do not depend on how many there
are. At most a few regions wait in memory at a time, whatever the number of patients.
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
from types import TracebackType
from typing import BinaryIO

from masking.errors import UsageError
from masking.sample.facilities import REGION_SIZE
from masking.sample.names import words
from masking.sample.record import region_charts
from masking.sample.truth import truth_lines

#: Called with the number of patients written so far and of all.
Progress = Callable[[int, int], None]

#: Oddities of real exports, each in one type: lines that end in CRLF, empty lines between, no end to the last line.
CRLF_TYPE = "AllergyIntolerance"
EMPTY_LINES_TYPE = "Condition"
_EMPTY_LINE_EVERY = 10
OPEN_END_TYPE = "Goal"

#: The first file of a type is closed at this size and each next one at twice the last one's, up to the largest: a small
#: export has several files of its large types too, and a large one few files.
_FIRST_FILE = 1 << 20
_LARGEST_FILE = 1 << 25


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


#: A region in transit: lines by type, the lines of truth in one piece, and how many they are.
_Batch = tuple[dict[str, list[bytes]], bytes, int]


def write_sample(
    destination: Path, patients: int, seed: int = 1, progress: Progress | None = None, processes: int | None = None
) -> SampleSummary:
    """Write `destination/export/<Type>.<nnn>.ndjson` and, outside the export, `destination/truth.jsonl`.

    Args:
        destination: the folder to write into; made if need be.
        patients: how many, at least one.
        seed: the same seed gives the same bytes, and patient `i` the same lines whatever `patients` is.
        progress: told after every region of 200 patients.
        processes: how many to work in; by default one a core, and one alone for up to 600 patients.

    Raises:
        UsageError: no patients asked for, a sample is already there, or Faker is missing.
    """
    if patients < 1:
        raise UsageError("a sample needs at least one patient: --patients 1 or more")
    export, truth = destination / "export", destination / "truth.jsonl"
    for place in (export, truth):
        if place.exists():
            raise UsageError(f"{place} is already there; name another folder, or remove it first")
    words(seed)
    staged, staged_truth = destination / "export.partial", destination / "truth.jsonl.partial"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    count = -(-patients // REGION_SIZE)
    workers = min(count, processes or (_cores() if count > 3 else 1))
    with _Writer(staged) as writer, staged_truth.open("wb") as truth_file:
        planted = 0
        for number, (lines, truths, found) in enumerate(_batches(seed, count, patients, workers)):
            writer.write(lines)
            planted += found
            truth_file.write(truths)
            if progress:
                progress(min((number + 1) * REGION_SIZE, patients), patients)
        truth_bytes = truth_file.tell()
    staged_truth.rename(truth)
    staged.rename(export)
    counts = dict(sorted(writer.counts.items()))
    return SampleSummary(export, truth, patients, seed, counts, writer.files, writer.bytes, planted, truth_bytes)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _batches(seed: int, count: int, patients: int, workers: int) -> Iterator[_Batch]:
    """The regions in order; with several processes at most two a process are under way or waiting."""
    if workers == 1:
        for number in range(count):
            yield _batch(seed, number, patients)
        return
    # Spawned, not forked: whoever calls may have threads (a JVM gateway, a progress bar).
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[_Batch]] = deque()
        for number in range(count):
            waiting.append(pool.submit(_batch, seed, number, patients))
            if len(waiting) == workers * 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _batch(seed: int, number: int, patients: int) -> _Batch:
    lines: dict[str, list[bytes]] = {}
    truths: list[bytes] = []
    found = 0
    for chart in region_charts(seed, number, patients):
        for resource_type, own in chart.lines.items():
            lines.setdefault(resource_type, []).extend(own)
        truths.append(truth_lines(chart.truth))
        found += len(chart.truth)
    return lines, b"".join(truths), found


class _Writer:
    """One open file a type, closed and followed by the next when it is large enough."""

    def __init__(self, folder: Path) -> None:
        self.counts: dict[str, int] = {}
        self.files = 0
        self.bytes = 0
        self._folder = folder
        self._open: dict[str, tuple[BinaryIO, int, int]] = {}

    def __enter__(self) -> _Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file, _, _ in self._open.values():
            file.close()

    def write(self, lines: dict[str, list[bytes]]) -> None:
        """Append lines to the files of their types."""
        for resource_type, own in lines.items():
            for line in own:
                self._append(resource_type, line)

    def _append(self, resource_type: str, line: bytes) -> None:
        file, number, room = self._open.get(resource_type) or self._next(resource_type, 0)
        written = self.counts.get(resource_type, 0)
        before, after = b"", b"\n"
        if resource_type == CRLF_TYPE:
            after = b"\r\n"
        elif resource_type == EMPTY_LINES_TYPE and written % _EMPTY_LINE_EVERY == 1:
            after = b"\n\n"
        elif resource_type == OPEN_END_TYPE:
            before, after = b"\n" if file.tell() else b"", b""
        size = file.write(before + line + after)
        self.bytes += size
        self.counts[resource_type] = written + 1
        self._open[resource_type] = file, number, room - size
        if room <= size:
            file.close()
            self._next(resource_type, number + 1)

    def _next(self, resource_type: str, number: int) -> tuple[BinaryIO, int, int]:
        """Open the next file of a type."""
        file = (self._folder / f"{resource_type}.{number:03}.ndjson").open("wb")
        self.files += 1
        self._open[resource_type] = file, number, min(_FIRST_FILE << min(number, 20), _LARGEST_FILE)
        return self._open[resource_type]
