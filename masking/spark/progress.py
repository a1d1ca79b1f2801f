"""How far a run is: each task keeps a small file in the PHI area up to date, the driver adds them up.

Files, because they need nothing of Spark: no accumulators, no status API, and so they work through Spark Connect too.
They never decide anything; the receipts do.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from masking import storage

_LOG = logging.getLogger(__name__)
LOCAL_SECONDS = 2.0
STORE_SECONDS = 15.0  # an object store counts and charges each of these


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run at a moment. Bytes are those of the source as stored.

    step: "people", the pass before masking that gathers whom the export is about, or "mask".
    """

    step: str
    lines: int
    masked: int
    quarantined: int
    bytes: int
    bytes_total: int
    seconds: float
    tasks: int  # that have begun
    tasks_total: int


Progress: TypeAlias = Callable[[Snapshot], None]


def beat_seconds(phi_area: str) -> float:
    """How often a task says how far it is."""
    return LOCAL_SECONDS if storage.is_local(phi_area) else STORE_SECONDS


class Beat:
    """A task's side: writes its counts, not more often than every `seconds`."""

    def __init__(self, folder: str, task: int, seconds: float) -> None:
        self._path = storage.join(folder, f"{task:05d}.json")
        self._seconds = seconds
        self._next = time.monotonic() + seconds

    def tick(self, counts: Callable[[], dict[str, int]]) -> None:
        """Write the counts if it is time."""
        if time.monotonic() >= self._next:
            self.last(counts)
            self._next = time.monotonic() + self._seconds

    def last(self, counts: Callable[[], dict[str, int]]) -> None:
        """Write the counts now. A failure to do so is no failure of the task."""
        with contextlib.suppress(OSError):
            storage.write_bytes(self._path, msgspec.json.encode(counts()))


class Watch:
    """The driver's side: a thread that calls `report` now and then while the Spark action runs.

    The action itself stays in the calling thread, where an interrupt reaches it and cancels the job.
    """

    def __init__(
        self,
        folder: str,
        bytes_total: int,
        tasks_total: int,
        report: Callable[[Snapshot], None] | None,
        step: str = "mask",
    ) -> None:
        self._folder = folder
        self._step = step
        self._bytes_total = bytes_total
        self._tasks_total = tasks_total
        self._report = report
        self._started = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="masking-progress", daemon=True)

    def __enter__(self) -> Watch:
        if self._report is not None:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = 1.0 if storage.is_local(self._folder) else STORE_SECONDS
        while self._report is not None and not self._done.wait(pause):
            try:
                self._report(self.snapshot())
            except Exception as error:
                # A display that fails must not stop the run, and its text might hold anything.
                _LOG.warning("progress is not shown any more: %s", type(error).__name__)
                self._report = None

    def snapshot(self) -> Snapshot:
        """All tasks' latest counts together."""
        counts = {"lines": 0, "masked": 0, "quarantined": 0, "bytes": 0}
        tasks = 0
        for file in storage.list_files(self._folder):
            content = storage.read_bytes(file.path) if file.path.endswith(".json") else None
            if content:
                tasks += 1
                for name, count in msgspec.json.decode(content, type=dict[str, int]).items():
                    counts[name] += count
        return Snapshot(
            step=self._step,
            **counts,
            bytes_total=self._bytes_total,
            seconds=time.monotonic() - self._started,
            tasks=tasks,
            tasks_total=self._tasks_total,
        )
