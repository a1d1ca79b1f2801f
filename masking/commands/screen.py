"""Where people read: results on standard output, everything said meanwhile on standard error.

In a terminal both have colours and as many columns as it has; a file or pipe gets plain text of `PLAIN_COLUMNS` (or
$COLUMNS). No text is taken for markup, and characters that a terminal would obey are spelled out: what is shown may
come from data.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_COLUMNS = 100
_OBEYED_IN_TEXT = {"\n", "\t"}


class Screen:
    """The two streams of a command; one that was closed before we began takes everything and keeps nothing."""

    def __init__(self) -> None:
        for number, name in enumerate(("stdout", "stderr"), 1):
            _make_usable(name, number)
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    def flush(self) -> None:
        """Write what is still held. `OSError` if nobody reads it or there is no room."""
        sys.stdout.flush()
        sys.stderr.flush()

    def give_up_broken(self) -> None:
        """From here on a stream that takes nothing more is ignored: Python would complain once more when it ends."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def say(self, text: str, style: str = "") -> None:
        """One line to standard error."""
        self.err.print(Text(printable(text), style=style), soft_wrap=True)

    def warn(self, text: str) -> None:
        """A warning to standard error."""
        self.err.print(Text.assemble(("Warning: ", "bold yellow"), printable(text)), soft_wrap=True)

    def fail(self, text: str) -> None:
        """What went wrong, to standard error; each line of it is one problem."""
        for line in printable(text).splitlines() or [""]:
            self.err.print(Text.assemble(("Error: ", "bold red"), line), soft_wrap=True)

    def show(self, *renderables: object) -> None:
        """Results to standard output: tables, `Text`, or text as it is."""
        for one in renderables:
            if isinstance(one, str):
                self.out.print(Text(printable(one)), soft_wrap=True)
            elif self.out.is_terminal:
                self.out.print(one)
            else:
                with self.out.capture() as drawn:
                    self.out.print(one)
                # Tables are padded to their width, which is of no use to a file or another program.
                self.out.file.write("\n".join(line.rstrip() for line in drawn.get().split("\n")))

    def show_lines(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values, each pair one line however long: a path that is broken in two cannot be copied."""
        width = max(len(name) for name, _ in pairs)
        for name, value in pairs:
            line = Text.assemble((f"{name:<{width}}  ", "dim"), printable(value))
            self.out.print(line, soft_wrap=True)

    def write(self, text: str) -> None:
        """Text for other programs to standard output: not wrapped, not coloured, nothing spelled out."""
        self.out.file.write(text)


class _Console(Console):
    """Rich ends the process with 1 where a reader has gone; here that is an exception like others, for `cli` to judge."""

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704 (called while the BrokenPipeError is handled)


def _make_usable(name: str, number: int) -> None:
    """A stream that was closed (`>&-`) becomes one to nowhere; what its encoding lacks is replaced, not an error."""
    stream = getattr(sys, name)
    if stream is None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.fstat(number)
        except OSError:  # or the next file that is opened would get the stream's number, and a child write into it
            os.dup2(nowhere, number)
        setattr(sys, name, os.fdopen(nowhere, "w"))
    elif hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace" if name == "stderr" else "replace")


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS", "").isdecimal() else PLAIN_COLUMNS
    return _Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width, legacy_windows=False)


def table(*columns: str, right: Sequence[str] = (), title: str = "", fold: Sequence[str] = ()) -> Table:
    """A table in the one look they all have; `right` names the columns of numbers, `fold` those that may wrap."""
    made = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for name in columns:
        is_number = name in right
        made.add_column(
            Text(name, style="dim"),
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=not fold or name not in fold,
        )
    return made


def facts(pairs: Iterable[tuple[str, str | Text]]) -> Table:
    """Names and what there is to say of each, a line or more."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(name, value if isinstance(value, Text) else Text(printable(value)))
    return made


def counted(count: int, thing: str) -> str:
    """A number and its noun: `1 file`, `2,000 files`."""
    return f"{count:,} {thing}" + ("s" if count != 1 else "")


def printable(text: str) -> str:
    r"""Text with every character that a terminal would obey spelled out, as in `\x1b`; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _OBEYED_IN_TEXT else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    # Other languages' spaces and joiners are no commands, but half of a surrogate pair cannot be written at all.
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def size(count: float) -> str:
    """Bytes as people read them: `812 B`, `4.2 MB`."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def duration(seconds: float) -> str:
    """A time as people read it: `4.2 s`, `3:07 min`, `1:02:07 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h"
