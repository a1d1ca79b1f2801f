"""Whose run is whose: a marker in the PHI area while a run lasts, and the removal of what killed runs left.

A run that was killed leaves no manifest, so nobody takes its files for output; the next run into the same destination
removes them. Only what a marker in this PHI area names is removed, and only when its owner is gone. Its workers may
outlive it by a moment and write once more, so the marker stays until the run that removed them has ended, which removes
them again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec

from masking import storage
from masking.errors import MaskingError
from masking.report.manifest import MANIFEST, run_folder
from masking.spark.ledger import LEDGER
from masking.spark.telling import stop_path
from masking.spark.write import LEFT_OUT, Places

_MARKER = "started.json"
#: The owner of a marker on another machine counts as gone when it has not been heard of for so long.
_SILENCE_SECONDS = 600.0
_BEAT_SECONDS = 30.0
#: A run writes its marker at once; a folder that has had none for so long, and holds nothing, was left by one that was killed.
_EMPTY_SECONDS = 60.0
#: How many of a destination's latest runs are looked at for a missing manifest; one request each in an object store.
_LOOK_BACK = 50


@dataclass(frozen=True, slots=True)
class Leftover:
    """An unfinished run that was found, and what was done about it."""

    run_id: str
    state: Literal["removed", "running", "finished", "not ours"]
    #: It ended by itself and took back what it had written, as it said at the time: nothing to tell of.
    known: bool = False

    def __str__(self) -> str:
        return {
            "removed": f"run {self.run_id} was broken off; what it left is removed",
            "running": f"run {self.run_id} is still at work; it is left alone",
            "finished": f"run {self.run_id} was broken off after its last file; its files are kept",
            "not ours": f"run {self.run_id} has no manifest and is not of this PHI area; it is left alone",
        }[self.state]


@dataclass(frozen=True, slots=True)
class _Mark:
    run_id: str
    destination: str
    host: str
    pid: int
    started: str
    taken_back: bool = False


class Marker:
    """Says that a run is at work, from `start` to `remove` or the death of its process.

    On one machine a lock on the marker says so, which the system takes back however the process ends; between machines
    its time of writing, which a thread renews from `start` to `release`.
    """

    def __init__(self, phi_area: str, run_id: str, destination: str) -> None:
        self._path = storage.join(run_folder(phi_area, run_id), _MARKER)
        started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._mark = _Mark(run_id, destination, socket.gethostname(), os.getpid(), started)
        self._lock: int | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="masking-marker", daemon=True)

    def start(self) -> None:
        """Write the marker and take its lock."""
        storage.write_bytes(self._path, msgspec.json.encode(self._mark))
        if storage.is_local(self._path):
            self._lock = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._thread.start()

    def _beat(self) -> None:
        while not self._over.wait(_BEAT_SECONDS):
            with contextlib.suppress(OSError):  # one that fails is made good by the next
                if self._lock is None:
                    storage.write_bytes(self._path, msgspec.json.encode(self._mark))
                else:
                    os.utime(self._path)  # the same file, for the lock is on it

    def release(self, *, taken_back: bool = False) -> None:
        """Give up the lock; the marker stays, so that the next run looks after what may be left.

        taken_back: it has failed, has removed what it wrote and says so itself; the next run need not.
        """
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if taken_back:
            with contextlib.suppress(OSError):  # the next run then tells of it once more
                storage.write_bytes(self._path, msgspec.json.encode(replace(self._mark, taken_back=True)))

    def remove(self) -> None:
        """The run is over and whole."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()  # it would write the marker anew
        storage.delete_file(self._path)
        self.release()


def clear_leftovers(destination: str, phi_area: str) -> list[Leftover]:
    """Remove what killed runs of this PHI area left at this destination, but their markers; say what was found."""
    found: dict[str, Leftover] = {}
    for run_id in storage.list_folders(storage.join(phi_area, "runs")):
        path = storage.join(run_folder(phi_area, run_id), _MARKER)
        mark = _read(path)
        if mark is None:
            _remove_if_empty(run_folder(phi_area, run_id))
        elif mark.run_id == run_id and mark.destination == destination:
            found[run_id] = Leftover(run_id, _settle(path, mark, destination, phi_area), mark.taken_back)
    for run_id in storage.list_folders(storage.join(destination, "runs"))[-_LOOK_BACK:]:
        if run_id not in found and not _has_manifest(destination, run_id):
            found[run_id] = Leftover(run_id, "not ours")
    return [found[run_id] for run_id in sorted(found)]


def refuse_others_at_work(destination: str, phi_area: str, run_id: str) -> None:
    """`MaskingError` if another run of this PHI area is at work at this destination. Call it with the own marker written,
    so that of two that begin at once at least one sees the other.
    """
    for other in storage.list_folders(storage.join(phi_area, "runs")):
        path = storage.join(run_folder(phi_area, other), _MARKER)
        mark = _read(path) if other != run_id else None
        if mark is not None and mark.destination == destination and not mark.taken_back and _alive(path, mark):
            raise MaskingError(
                f"run {other} is at work here, and incremental runs go one after another; wait until it has ended"
            )


@dataclass(frozen=True, slots=True)
class Marked:
    """A run that has a marker: what it works at, and whether it still does. taken_back: as of a `Leftover` that is known."""

    run_id: str
    destination: str
    is_alive: bool
    taken_back: bool


def marked_runs(phi_area: str) -> list[Marked]:
    """All runs of a PHI area that have a marker, whatever they work at."""
    found = []
    for run_id in storage.list_folders(storage.join(phi_area, "runs")):
        path = storage.join(run_folder(phi_area, run_id), _MARKER)
        mark = _read(path)
        if mark is not None and mark.run_id == run_id:
            found.append(Marked(run_id, mark.destination, _alive(path, mark), mark.taken_back))
    return found


def remove_marker(phi_area: str, run_id: str) -> None:
    """Delete the marker of a run that is over."""
    storage.delete_file(storage.join(run_folder(phi_area, run_id), _MARKER))


def forget_leftovers(destination: str, phi_area: str, leftovers: Iterable[Leftover]) -> None:
    """Remove once more what `clear_leftovers` removed, and the markers with it: whoever might write there is gone."""
    for leftover in leftovers:
        if leftover.state == "removed":
            storage.delete_folder(run_folder(destination, leftover.run_id))
            storage.delete_folder(run_folder(phi_area, leftover.run_id))


def remove_run(places: Places) -> None:
    """Take back what an unfinished run wrote, but its marker."""
    storage.delete_folder(places.run)
    for folder in (
        places.quarantine,
        places.unnumbered,
        places.progress,
        places.phi_scratch,
        places.identities,
        places.people,
    ):
        storage.delete_folder(folder)
    for file in (storage.join(places.phi, LEDGER), storage.join(places.phi, LEFT_OUT), stop_path(places.phi)):
        storage.delete_file(file)


def close_run(places: Places, marker: Marker | None = None) -> None:
    """Leave of a finished run nothing half-written, and no folder in the PHI area if nothing had to go there."""
    for folder in (places.scratch, places.unnumbered, places.progress, places.phi_scratch, places.identities):
        storage.delete_folder(folder)
    if marker is not None:
        marker.remove()
    else:
        storage.delete_file(storage.join(places.phi, _MARKER))
    if next(storage.list_files(places.phi), None) is None:
        storage.delete_folder(places.phi)


def _settle(path: str, mark: _Mark, destination: str, phi_area: str) -> Literal["removed", "running", "finished"]:
    if _alive(path, mark):
        return "running"
    places = Places(run_folder(destination, mark.run_id), run_folder(phi_area, mark.run_id))
    if _has_manifest(destination, mark.run_id):
        close_run(places)
        return "finished"
    remove_run(places)
    return "removed"


def _remove_if_empty(folder: str) -> None:
    """Remove a run's folder that has no marker and never held anything, if nobody can be about to write there."""
    if not storage.is_local(folder):
        return  # an object store has no empty folders
    with contextlib.suppress(OSError):
        names = [entry.name for entry in Path(folder).iterdir()]
        if time.time() - Path(folder).stat().st_mtime > _EMPTY_SECONDS and all(
            name.startswith(".writing-") for name in names
        ):
            storage.delete_folder(folder)


def _has_manifest(destination: str, run_id: str) -> bool:
    return storage.find_file(storage.join(run_folder(destination, run_id), MANIFEST)) is not None


def _read(path: str) -> _Mark | None:
    """A marker; None where there is none that can be read."""
    content = storage.read_bytes(path)
    try:
        return msgspec.json.decode(content, type=_Mark) if content else None
    except msgspec.DecodeError:
        return None


def _alive(path: str, mark: _Mark) -> bool:
    """Whether a marker's owner still holds it."""
    if storage.is_local(path) and mark.host == socket.gethostname():
        return _locked(path)
    file = storage.find_file(path)
    return file is not None and time.time() - file.modified < _SILENCE_SECONDS


def _locked(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
