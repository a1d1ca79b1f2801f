"""Ctrl-C or SIGTERM while Spark works: the job is cancelled from beside, and the run ends as one that failed.

The main thread waits in the middle of an answer from Java, where it can neither ask for anything else nor be thrown out
without losing its place. So the signal starts a thread that cancels what runs, until the main thread has noticed. A
second Ctrl-C ends the process at once; what that leaves, the next run cleans up.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

_AGAIN_SECONDS = 0.5


class Terminated(KeyboardInterrupt):
    """SIGTERM, as service managers and schedulers send it: the same clean-up as after Ctrl-C."""


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Make SIGTERM a `Terminated` in here, unless somebody else listens to it already."""
    listens = threading.current_thread() is threading.main_thread()
    if not listens or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


class Interruptible:
    """A context manager around Spark's work; `cancel` is called from another thread, and again until the work ends."""

    def __init__(self, cancel: Callable[[], object], notice: Callable[[], object]) -> None:
        self._cancel = cancel
        self._notice = notice
        self._ended = threading.Event()
        self._before: dict[signal.Signals, Any] = {}
        self._stop: KeyboardInterrupt | None = None

    def __enter__(self) -> Self:
        # Python lets only the main thread listen; elsewhere (a notebook's, a test's) things stay as they are.
        if threading.current_thread() is threading.main_thread():
            for one in (signal.SIGINT, signal.SIGTERM):
                self._before[one] = signal.signal(one, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for one, handler in self._before.items():
            signal.signal(one, handler)
        if self._stop is not None and isinstance(error, Exception):
            raise self._stop from None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, _terminate)
        self._notice()
        threading.Thread(target=self._cancel_all, name="cancel", daemon=True).start()

    def _cancel_all(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(Exception):  # the session may be gone already
                self._cancel()
            self._ended.wait(_AGAIN_SECONDS)
