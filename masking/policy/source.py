"""What the parts of the policy reader share: the file being read, and values with their canonical form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from masking.policy import specs
from masking.policy.problems import Problems, did_you_mean, key_path, one_of, short
from masking.policy.yaml_tree import Entry, MappingNode, Node, Place, Scalar

T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,64}\Z")


class Unusable(Exception):
    """A part of the policy has no meaning; the problem is already noted."""


@dataclass(frozen=True, slots=True)
class Built(Generic[T]):
    """A value and its canonical form: plain data, equal for equal meaning, that the policy's hash is made of."""

    value: T
    canonical: Any


@dataclass(frozen=True, slots=True)
class Source:
    """The file that is being read, and what holds for all of it."""

    problems: Problems
    file: str
    folder: Path
    reference_date: str

    def bad(self, at: Node | Entry | Place, path: str, message: str, hint: str = "") -> Unusable:
        """Note a problem; raise the exception that comes back to leave the part that has it."""
        place = at if isinstance(at, tuple) else (at.line, at.column)
        self.problems.add(place, path, message, hint)
        return Unusable()

    def place(self, at: Node | Entry, path: str) -> specs.Place:
        """Where a rule stands."""
        return specs.Place(self.file, at.line, path)

    def entries(self, node: Node, path: str, known: Iterable[str] | None = None) -> Mapping[str, Entry]:
        """The entries of a section, unknown keys noted and left out; an empty section has none."""
        if isinstance(node, Scalar) and node.value is None:
            return {}
        if not isinstance(node, MappingNode):
            self.bad(node, path, "expected a mapping")
            return {}
        if known is None:
            return node.entries
        names = list(known)
        for key, entry in node.entries.items():
            if key not in names:
                hint = did_you_mean(key, names, one_of(names))
                self.bad(entry, key_path(path, key), f"unknown key {short(key)!r}", hint)
        return {key: entry for key, entry in node.entries.items() if key in names}

    def text(self, node: Node, path: str) -> str:
        """Text that is not blank; raises `Unusable`."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.text.strip():
            raise self.bad(node, path, "expected text")
        return node.text

    def flag(self, node: Node, path: str) -> bool:
        """True or false; raises `Unusable`."""
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            raise self.bad(node, path, "expected true or false")
        return node.value


def unknown(what: str, name: str, known: Iterable[str]) -> tuple[str, str]:
    """Message and hint for a name that is not known; text that cannot be a name is not repeated."""
    if not _NAME.match(name):
        return f"this is no {what}", one_of(known)
    return f"unknown {what} {name!r}", did_you_mean(name, known, one_of(known))
