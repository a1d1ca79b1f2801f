"""Python's garbage collector in a worker: where nothing is cyclic and much is remembered, it is told when to go."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator

#: Calls between two garbage collections; between them nothing is collected, for nothing there is cyclic.
_EVERY = 50


@contextlib.contextmanager
def collect_seldom() -> Iterator[Callable[[], None]]:
    """Garbage collection by call only, and only of what is made from here on: what is remembered is not walked again."""
    calls = 0

    def collect() -> None:
        nonlocal calls
        calls += 1
        if calls % _EVERY == 0:
            gc.collect()

    enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield collect
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()
