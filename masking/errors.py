"""Exceptions that name places (file, line, path, rule) and remedies, never values.

Every error a user can meet derives from `MaskingError`; the command line maps `exit_code` to the process's exit status.
Texts are built from places and counts alone: no argument of these classes may hold a value of the data or a key.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FULL, _FORBIDDEN = "free space or choose another place", "choose another place, or get the right to it"
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _FULL),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _FORBIDDEN),
}


class MaskingError(Exception):
    """What a user can meet; the text says what, where, and what to do."""

    exit_code = 1


class UsageError(MaskingError):
    """The call itself cannot be carried out: a missing option, a path that is not there."""

    exit_code = 2


class KeyRefused(MaskingError):
    """A key is missing, too short, too weak, or not the one that made the destination."""

    exit_code = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a policy or job file: where it stands, what it is, and the nearest right thing."""

    file: str
    line: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line} {self.path}: {self.message}{hint}"


class PolicyError(MaskingError):
    """All that is wrong with a policy or a job file, at once."""

    exit_code = 6

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ParameterError(ValueError):
    """A masker's parameter is not usable; the policy reader adds the file, line and path."""

    def __init__(self, parameter: str, message: str, hint: str = "") -> None:
        self.parameter = parameter
        self.message = message
        self.hint = hint
        super().__init__(f"{parameter}: {message}" + (f"; {hint}" if hint else ""))


#: Behind the text of an `UnreadableFile`: the file on the PHI side that holds its name.
NAMED_IN = "; its name is in "


class InputError(MaskingError):
    """The source cannot be read as what it claims to be."""

    exit_code = 7


class UnreadableFile(InputError):
    """An input file cannot be read. Workers know it by its number alone: names of files hold names of people.

    The text alone travels from a worker to the driver, so the number is read out of it again.
    """

    @classmethod
    def numbered(cls, number: int, reason: str) -> UnreadableFile:
        """The error for the file of that number, from 1, in order of name."""
        return cls(f"cannot read input file {number} (in order of name): {reason}")

    @classmethod
    def told_by(cls, number: int, error: OSError) -> UnreadableFile:
        """The same by the system's own words alone: Arrow's texts name the file."""
        return cls.numbered(number, os.strerror(error.errno) if error.errno else "the store does not give it")

    @property
    def number(self) -> int | None:
        """The file's number; None if the text tells none."""
        found = re.match(r"cannot read input file ([0-9]+) ", str(self))
        return int(found[1]) if found else None


class StorageError(MaskingError, OSError):
    """A place cannot be read or written; the text names it as it was given. Still an `OSError` to who can bear one."""

    @classmethod
    def of(cls, doing: str, error: OSError) -> StorageError:
        """`cannot {doing}: No space left on device; free space or choose another place`.

        The system's own words alone: a path may hold a name, the texts of a store's library anything.
        """
        if not error.errno:
            why = "the store cannot be reached, or refuses; check bucket, region, network and AWS credentials"
            return cls(f"cannot {doing}: {why}")
        remedy = _REMEDIES.get(error.errno)
        return cls(f"cannot {doing}: {os.strerror(error.errno)}" + (f"; {remedy}" if remedy else ""))


@contextlib.contextmanager
def naming(doing: str) -> Iterator[None]:
    """Make a `StorageError` of each `OSError` inside; `doing` names a place that the user named: `read the source /x`.

    A connection that breaks is Spark's or a reader's and passes.
    """
    try:
        yield
    except (StorageError, ConnectionError):
        raise
    except OSError as error:
        raise StorageError.of(doing, error) from None


class TablesBehind(MaskingError):
    """A run is finished and published, and its Delta tables could not be brought up to it."""

    exit_code = 12


class NotVerified(MaskingError):
    """What is masked is not as it must be; nothing was replaced."""

    exit_code = 10


class IdentifiersLeft(NotVerified):
    """Identifiers are left in what is masked; nothing was replaced."""

    exit_code = 4


class CountMismatch(MaskingError):
    """Lines read and lines written do not add up; nothing was published."""

    exit_code = 8
