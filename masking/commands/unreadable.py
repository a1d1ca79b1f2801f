"""An input file that cannot be read, told by its name where a person looks, and by its number where a log is kept."""

from __future__ import annotations

from collections.abc import Sequence

from masking.errors import NAMED_IN, InputError, UnreadableFile


def told_by_name(error: UnreadableFile, files: Sequence[str], at_terminal: bool) -> InputError:
    """The error with the name of its file, for a person at a terminal alone: names hold names, and logs are kept."""
    number = error.number
    if not at_terminal or number is None or number > len(files):
        return error
    return InputError(f"{str(error).partition(NAMED_IN)[0]}: {files[number - 1]}")
