"""Whether Spark can be started with Delta on this machine: Maven brings Delta's jars, where there is a way to Maven.

It is tried in a process of its own, beside other work, and ended at a deadline: a network that drops what it does not let
through keeps Java waiting for many minutes, and Spark does not start until it has given up.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from masking.java import use_java
from masking.session import LOCAL, LOCAL_SETTINGS, with_delta

#: From the start of the process on. 86 MB come in that time at 6 Mbit/s, and the rest another time.
_SECONDS = 120.0

_START = """
import json, sys
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]")
for name, value in json.loads(sys.argv[1]).items():
    builder = builder.config(name, value)
builder.getOrCreate().stop()
"""


def delta_command(master: str | None) -> list[str] | None:
    """A command that ends with 0 if Spark starts with Delta here; None if Spark runs elsewhere, where Maven brings none.

    Raises `masking.java.JavaNotFound`.
    """
    if not (master or LOCAL).startswith("local"):
        return None
    use_java()
    settings = {**LOCAL_SETTINGS, **with_delta("local[1]", {})}
    return [sys.executable, "-c", _START, json.dumps(settings)]


class DeltaJars:
    """A context manager around a command that is tried, if there is one; leaving it ends the command."""

    def __init__(self, command: Sequence[str] | None, seconds: float = _SECONDS) -> None:
        self._command = command
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._command is not None:
            nowhere = subprocess.DEVNULL
            self._process = subprocess.Popen(
                self._command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # with the Java that it started
            self._process.wait()

    def are_there(self, seconds: float | None = None) -> bool | None:
        """Whether the command succeeded; None if it has not ended after `seconds`, False if it has not at the deadline."""
        if self._process is None:
            return False
        try:
            return self._process.wait(self._seconds if seconds is None else seconds) == 0
        except subprocess.TimeoutExpired:
            return None if seconds is not None else False
