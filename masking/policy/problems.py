"""Collect what is wrong in the files of a policy, to be told all at once."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable

from masking.errors import PolicyError, Problem

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SHOWN = 80
_LIST = "known: "


class Problems:
    """The problems of one run of the reader; `file` is the one being read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[tuple[str, int, int, str], Problem] = {}
        self._lists: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def add(self, place: tuple[int, int], path: str, message: str, hint: str = "") -> None:
        """Note a problem at (line, column); the same one at the same place, met through an alias, counts once."""
        key = (self.file, *place, message)
        if key in self._found:
            return
        if hint.startswith(_LIST):  # the same long list under twenty problems would bury them
            hint, told = ("" if hint in self._lists else hint), hint
            self._lists.add(told)
        self._found[key] = Problem(self.file, place[0], path, message, hint)

    def refuse(self) -> None:
        """Raise `PolicyError` with all problems, file by file in the order of their lines, if there are any."""
        if self._found:
            files = list(dict.fromkeys(key[0] for key in self._found))
            order = sorted(self._found, key=lambda key: (files.index(key[0]), key[1], key[2]))
            raise PolicyError([self._found[key] for key in order])


def key_path(start: str, *parts: str | int) -> str:
    """Append keys and list positions to a path: `$.rules["Patient.birthDate"].mask`, `$.code_systems.keep[2]`."""
    for part in parts:
        if isinstance(part, int):
            start += f"[{part}]"
        elif _WORD.match(part):
            start += f".{part}"
        else:
            start += f"[{json.dumps(short(part))}]"
    return start


def short(word: str) -> str:
    """A name from the file, cut where it is too long for one line of an error."""
    return word if len(word) <= _SHOWN else word[:_SHOWN] + "…"


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for a name that is not known: its nearest known name, else `otherwise`."""
    by_lower = {name.lower(): str(name) for name in known}
    near = difflib.get_close_matches(word[:_SHOWN].lower(), by_lower, n=1)
    return f"did you mean {by_lower[near[0]]!r}?" if near else otherwise


def one_of(names: Iterable[str]) -> str:
    """The hint that lists all there is."""
    return _LIST + ", ".join(sorted(names))
