"""How far something long is: one moving line in a terminal, a plain line now and then where there is none."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from masking.commands.screen import Screen

PLAIN_SECONDS = 10.0


class Progressing:
    """A context manager around the work; `update` as often as you like."""

    def __init__(self, screen: Screen, what: str, plain_seconds: float = PLAIN_SECONDS) -> None:
        self._screen = screen
        self._what = what
        self._every = plain_seconds
        self._next = time.monotonic() + plain_seconds
        self._bar: Progress | None = None
        if screen.err.is_terminal:
            text = TextColumn("{task.description}", markup=False)
            detail = TextColumn("{task.fields[detail]}", markup=False, style="dim")
            columns = (text, BarColumn(24), TaskProgressColumn(), detail, TimeElapsedColumn())
            self._bar = Progress(*columns, console=screen.err, transient=True)
            self._task = self._bar.add_task(what, total=None, detail="")

    def update(self, done: float, total: float, detail: str = "", what: str | None = None) -> None:
        """`done` of `total`, in any unit; `detail` in words; `what` if that is another thing than before."""
        self._what = what or self._what
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None, detail=detail, description=self._what)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            share = f" {100 * done / total:.0f} %" if total else ""
            self._screen.say(f"{self._what}:{share}{', ' if share and detail else ' '}{detail}".rstrip())

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
