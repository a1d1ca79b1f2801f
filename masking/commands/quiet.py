"""Keep what Java says while it starts off the screen, unless it fails to start.

Spark writes a dozen lines to standard error before a setting of ours can reach it. Its process inherits our standard
error when it is launched, so it gets a pipe instead: what comes before `ready` is held back, what comes after is passed
on as it is.
"""

from __future__ import annotations

import os
import socketserver
import sys
import threading
from types import TracebackType
from typing import Any, Self

from pyspark import accumulators

_STANDARD_ERROR = 2
_HELD = 1 << 16  # bytes


class QuietStart:
    """A context manager around the launch. Leaving it with an exception shows what was held back."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._lock = threading.Lock()
        self._passes = False
        self._real = -1

    def __enter__(self) -> Self:
        sys.stderr.flush()
        self._real = os.dup(_STANDARD_ERROR)
        read_end, write_end = os.pipe()
        os.dup2(write_end, _STANDARD_ERROR)  # what is launched from here on inherits the pipe
        os.close(write_end)
        threading.Thread(target=self._carry, args=(read_end,), name="spark-stderr", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stderr.flush()
        os.dup2(self._real, _STANDARD_ERROR)
        with self._lock:
            self._passes = True
            if error is not None and not isinstance(error, KeyboardInterrupt):
                os.write(self._real, bytes(self._held))
            self._held.clear()

    def mute(self) -> None:
        """From here on nothing is passed on: Spark complains at length about being stopped."""
        with self._lock:
            self._passes, self._held = False, bytearray(_HELD)

    def _carry(self, read_end: int) -> None:
        """Until the last process that holds the pipe has ended."""
        while chunk := os.read(read_end, 1 << 16):
            with self._lock:
                if self._passes:
                    os.write(self._real, chunk)
                elif len(self._held) < _HELD:
                    self._held += chunk
        os.close(read_end)


def hush_accumulators() -> None:
    """Let the server of PySpark's accumulators, of which we use none, end without a trace when Java has gone."""
    for kind in vars(accumulators).values():
        if (
            isinstance(kind, type)
            and issubclass(kind, socketserver.BaseServer)
            and kind.__module__ == accumulators.__name__
        ):
            kind.handle_error = _say_nothing  # type: ignore[method-assign, assignment]


def _say_nothing(server: socketserver.BaseServer, request: Any, client_address: Any) -> None:
    pass
