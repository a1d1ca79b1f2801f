"""Processes as Linux tells of them in /proc: whose children they are, and what they have open."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

PROC = Path("/proc")


def _all() -> dict[int, int]:
    """The parent of each process that has not ended."""
    parents = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                if state not in "ZX":
                    parents[int(folder.name)] = int(parent)
    return parents


def with_word(name: str, value: str) -> list[int]:
    """The processes that have a variable of that value in their environment: those started by whoever set it."""
    found, wanted = [], f"{name}={value}".encode()
    for pid in _all():
        with contextlib.suppress(OSError):
            if wanted in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


_DAEMONS: set[int] = set()


def python_workers() -> tuple[list[int], list[int]]:
    """Spark's daemons below this process, which fork workers, and the workers.

    A daemon leads a group of processes. Its workers stay in it, and at work, when it has died and they are nobody's.
    """
    parents = _all()
    for pid in parents:
        if os.getpid() in _line(pid, parents) and "pyspark" in _command(pid) and _group(pid) == pid:
            _DAEMONS.add(pid)
    return sorted(_DAEMONS & parents.keys()), [
        pid for pid in parents if pid not in _DAEMONS and _group(pid) in _DAEMONS
    ]


def _group(pid: int) -> int:
    with contextlib.suppress(OSError):
        return os.getpgid(pid)
    return 0


def _line(pid: int, parents: dict[int, int]) -> list[int]:
    """The parents of a process, and theirs."""
    line: list[int] = []
    while (pid := parents.get(pid, 0)) > 0:
        line.append(pid)
    return line


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    return ""


def has_open(pid: int, folder: Path) -> bool:
    """Whether a process has a file below a folder open."""
    with contextlib.suppress(OSError):
        for link in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(link).startswith(f"{folder}/"):  # noqa: PTH115 (what it names may be gone)
                    return True
    return False


def kill(pid: int) -> bool:
    """Kill a process; whether it was there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
