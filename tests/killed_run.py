"""`fhir-mask` in small tasks and batches, and dead at a moment: `python killed_run.py MOMENT run …`.

The process kills itself with SIGKILL, which it can no more answer than a kill from outside; only so is a moment between
two lines of the program hit for certain. What happens in workers meanwhile is watched by their files.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from masking import cli, storage
from masking.commands import carry as command
from masking.commands import prepare
from masking.spark import RunSettings, delta
from masking.spark.unfinished import Marker

#: Many tasks and many batches, so that there is time between them.
TASKS = 8
SETTINGS = functools.partial(RunSettings, partitions=TASKS, batch_rows=30)
POLL_SECONDS = 0.001

job: Any = sys.modules["masking.spark.run"]


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, when: Callable[..., bool] = lambda *_: True) -> None:
    """Die where a function is called."""
    function = getattr(owner, name)

    def deadly(*arguments: Any, **more: Any) -> Any:
        if when(*arguments):
            die()
        return function(*arguments, **more)

    setattr(owner, name, deadly)


def after(owner: Any, name: str) -> None:
    """Die where a function has returned."""
    function = getattr(owner, name)

    def deadly(*arguments: Any, **more: Any) -> None:
        function(*arguments, **more)
        die()

    setattr(owner, name, deadly)


def seen(pattern: str) -> int:
    """How many files there are; none where a folder goes while it is looked at, for it will be looked at again."""
    try:
        return len(list(Path.cwd().glob(pattern)))
    except FileNotFoundError:
        return 0


def once(pattern: str, count: int = 1) -> None:
    """Die when there are so many files more than now, seen from the folder that holds destination and PHI area."""
    now = seen(pattern)

    def watch() -> None:
        while seen(pattern) < now + count:
            time.sleep(POLL_SECONDS)
        die()

    threading.Thread(target=watch, daemon=True).start()


def publishes(root: bool) -> Callable[[storage.Spool], bool]:
    """Whether a file is to get its name that is the destination's manifest, or a run's."""
    return lambda spool: spool.path.endswith("/manifest.json") and ("/runs/" not in spool.path) == root


#: In order of time. What a destination has at each is said in the test.
MOMENTS: dict[str, Callable[[], None]] = {
    "before Spark starts": lambda: before(command, "open_session"),
    "Spark is up": lambda: after(command, "open_session"),
    "before the marker": lambda: before(Marker, "start"),
    "the marker is written": lambda: after(Marker, "start"),
    "a first file is being written": lambda: once("out/runs/*/.writing/.writing-*"),
    "a first file is whole": lambda: once("out/runs/*/ndjson/*/*.ndjson"),
    "between tasks": lambda: once("phi/runs/*/progress/*.json", TASKS // 2),
    "before line numbers": lambda: before(job, "number_quarantine"),
    "all files are whole": lambda: before(job, "settle_files"),
    "a first table is whole": lambda: once("out/runs/*/parquet/*/*.parquet"),
    "before tables are described": lambda: before(job, "describe_tables"),
    "before the run's manifest": lambda: before(storage.Spool, "publish", publishes(root=False)),
    "between the two manifests": lambda: before(storage.Spool, "publish", publishes(root=True)),
    "the manifest is out": lambda: after(job, "publish_manifest"),
    "the marker is gone": lambda: after(Marker, "remove"),
}

#: Of incremental runs alone.
MOMENTS_BETWEEN: dict[str, Callable[[], None]] = {
    "people are kept": lambda: after(job, "identify"),
    "the ledger is written": lambda: after(job, "write_ledger"),
}
#: Of runs into Delta tables.
MOMENTS_OF_DELTA: dict[str, Callable[[], None]] = {
    "a first table is merged": lambda: after(delta, "_merge"),
    "rows are deleted": lambda: before(delta, "_one_an_id", lambda rows: "valueQuantity" in rows.columns),
}

if __name__ == "__main__":
    vars(prepare)["RunSettings"] = SETTINGS
    (MOMENTS | MOMENTS_BETWEEN | MOMENTS_OF_DELTA)[sys.argv[1]]()
    sys.exit(cli.main(sys.argv[2:]))
