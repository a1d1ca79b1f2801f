"""`fhir-mask run --in-place` in small tasks, dead at a moment: `python killed_inplace.py MOMENT run …`, as `killed_run.py`.

Runs where `in`, `phi` and `originals` are: source, PHI area and kept originals.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from killed_run import POLL_SECONDS, SETTINGS, after, before, die, once

from masking import cli, storage
from masking.commands import carry, inplace
from masking.spark.inplace import finish, journal, run, stage
from masking.spark.unfinished import Marker

#: In each masked resource and in no original of the test's.
SIGN = b"PSEUDED"
_STAGED = "phi/runs/*/staged"


def replaced(count: int) -> None:
    """Die when so many plain files are masked ones."""

    def watch() -> None:
        while sum(SIGN in path.read_bytes() for path in sorted(Path.cwd().glob("in/*.ndjson"))[:40]) < count:
            time.sleep(POLL_SECONDS)
        die()

    threading.Thread(target=watch, daemon=True).start()


def at_call(owner: Any, name: str, count: int) -> None:
    """Die where a function is called for the n-th time."""
    calls: list[int] = []

    def is_due(*_: object) -> bool:
        calls.append(1)
        return len(calls) == count

    before(owner, name, is_due)


def writes(ending: str) -> Callable[[storage.Spool], bool]:
    """Whether a file of that name is to appear."""
    return lambda spool: spool.path.endswith(ending)


#: In order of time.
MOMENTS: dict[str, Callable[[], None]] = {
    "before Spark starts": lambda: before(carry, "open_session"),
    "before the marker": lambda: before(Marker, "start"),
    "the marker is written": lambda: after(Marker, "start"),
    "originals are recorded": lambda: before(run, "refuse_full"),
    "people are gathered": lambda: before(stage.Staging, "_refuse_names"),
    "a first file is being masked": lambda: once(f"{_STAGED}/.writing/.writing-*"),
    "a first file is masked": lambda: once(f"{_STAGED}/0*"),
    "half of the tasks are done": lambda: once("phi/runs/*/progress/*.json", 4),
    "before parts are joined": lambda: before(stage, "join_parts"),
    "all is masked": lambda: before(run, "new_targets") or before(run, "JournalFile"),
    "before the journal": lambda: before(storage.Spool, "publish", writes(journal.JOURNAL)),
    "the journal is written": lambda: after(run, "write_journal"),
    "a first original is being kept": lambda: once("originals/*/*/.fhir-masking-*"),
    "a first original is kept": lambda: once("originals/*/*/*"),
    "before the mark": lambda: before(finish, "_mark"),
    "a first file is being replaced": lambda: once("in/.fhir-masking-*"),
    "a first file is replaced": lambda: replaced(1),
    "half of the files are replaced": lambda: replaced(15),
    "all files are replaced": lambda: at_call(finish, "_mark", 2),
    "before the manifest": lambda: before(storage.Spool, "publish", writes("/manifest.json")),
    "before the journal ends": lambda: before(finish, "write_journal"),
    "the journal has ended": lambda: after(finish, "write_journal"),
    "the marker is gone": lambda: after(Marker, "remove"),
}

if __name__ == "__main__":
    vars(inplace)["RunSettings"] = SETTINGS
    MOMENTS[sys.argv[1]]()
    sys.exit(cli.main(sys.argv[2:]))
