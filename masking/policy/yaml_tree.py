"""Strict YAML into a tree of nodes that know their line, column and spelling.

The tree is built from PyYAML's event stream with a stack of our own, so that each limit is held while reading: depth,
the number of nodes, and the size that aliases expand to. Plain scalars follow JSON, not YAML 1.1: `null`, `true`,
`false` and JSON numbers are what they look like; anything else (`NO`, `on`, `1_000`, `0123`, `2020-01-01`) is the text
that stands there. Aliases share their anchor's node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from masking.errors import UsageError
from masking.policy.problems import Problems, key_path

MAX_BYTES = 512 * 1024
MAX_DEPTH = 24
MAX_NODES = 20_000
#: Nodes after every alias is written out: a file may repeat itself, not explode.
MAX_EXPANDED = 60_000

# Eighteen digits fit every integer type there is; a longer number stays text and fails where a number is due.
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?\Z")
_WORDS: dict[str, bool | None] = {"null": None, "true": True, "false": False, "": None}
_MERGE_KEY = "<<"
_SURROGATE = re.compile("[\ud800-\udfff]")  # an escape can spell half of a character, which no output can hold

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Node:
    """A value in the file: its first line and column (from 1), and the depth and size it unfolds to."""

    line: int
    column: int
    height: int = field(default=1, repr=False)
    size: int = field(default=1, repr=False)


@dataclass(frozen=True, slots=True)
class Scalar(Node):
    """A scalar: `text` as spelled, `value` as read (quoted scalars are text)."""

    text: str = ""
    value: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with the place of the key, and its value."""

    key: str
    line: int
    column: int
    node: Node


@dataclass(frozen=True, slots=True)
class MappingNode(Node):
    """A mapping with its entries in the order of the file."""

    entries: Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SequenceNode(Node):
    """A list."""

    items: Sequence[Node] = ()


def read_tree(path: Path, problems: Problems) -> Node | None:
    """Parse the file at `path`; what is wrong goes to `problems`, and None means that nothing usable is there.

    Raises `UsageError` when the file cannot be read at all.
    """
    try:
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not a usable path'}") from None
    if len(content) > MAX_BYTES:
        problems.add((1, 1), "$", f"the file is larger than {MAX_BYTES // 1024} KiB", "split it with `extends`")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.add((line, 1), "$", "the file is not UTF-8")
        return None
    return parse_tree(text, problems)


def parse_tree(text: str, problems: Problems) -> Node | None:
    """Parse YAML text into a tree; None when it has no usable document (then `problems` says why)."""
    try:
        return _Builder(problems).build(yaml.parse(text, Loader=yaml.SafeLoader))
    except _Unusable:
        return None
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        problems.add(place, "$", f"this is not YAML: {_quoteless(error.problem)}")
    except yaml.reader.ReaderError as error:
        at = error.position if isinstance(error.position, int) else 0
        problems.add((text.count("\n", 0, at) + 1, 1), "$", "this is not YAML: a character that YAML does not allow")
    except (
        ValueError,
        OverflowError,
    ):  # PyYAML converts numbers of directives and escapes without a look at their range
        problems.add((1, 1), "$", "this is not YAML: a number in a directive or an escape is out of range")
    return None


def _quoteless(problem: str | None) -> str:
    """PyYAML's own words up to where they quote the file."""
    return re.split(r"[,:]? *[\"']", problem or "", maxsplit=1)[0] or "it cannot be read"


def _resolve(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


class _Unusable(Exception):
    """A limit was met; the problem is already noted."""


@dataclass(slots=True)
class _Open:
    """A mapping or list that is still being read."""

    place: Place
    anchor: str | None
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Node | None = None
    height: int = 1
    size: int = 1


class _Builder:
    """Turns events into nodes."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.anchors: dict[str, Node | None] = {}  # None: still open, so an alias to it would be a cycle
        self.stack: list[_Open] = []
        self.nodes = 0
        self.root: Node | None = None
        self.documents = 0

    def build(self, events: Iterator[yaml.Event]) -> Node:
        for event in events:
            place = _place(event.start_mark)
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    self.stop(place, "a second document", "keep one policy a file")
            elif isinstance(event, yaml.AliasEvent):
                self.alias(event.anchor, place)
            elif isinstance(event, yaml.ScalarEvent):
                self.start(event, place)
                value = event.value if event.style else _resolve(event.value)
                self.done(Scalar(*place, text=event.value, value=value), place, event.anchor)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self.start(event, place)
                if len(self.stack) >= MAX_DEPTH:
                    self.stop(place, f"nested deeper than {MAX_DEPTH} levels")
                self.stack.append(_Open(place, event.anchor, isinstance(event, yaml.MappingStartEvent)))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self.close()
        if self.root is None:
            self.problems.add((1, 1), "$", "the file is empty")
            raise _Unusable
        return self.root

    def start(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, place: Place) -> None:
        """What holds for every new value: the limit on their number, no tag, an anchor of its own."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.stop(place, f"more than {MAX_NODES} values")
        if event.tag is not None:
            self.note(place, "tags are not allowed", "write the value without it")
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            self.stop(place, "an escape that is half of a character", "write the character itself")
        if event.anchor is not None:
            if event.anchor in self.anchors:
                self.note(place, "this anchor's name is taken", "give each anchor its own name")
            self.anchors[event.anchor] = None

    def alias(self, anchor: str | None, place: Place) -> None:
        if anchor is None or anchor not in self.anchors:
            self.stop(place, "an alias of an anchor that does not stand above it")
        node = self.anchors[anchor]
        if node is None:
            self.stop(place, "an alias inside its own anchor")
        self.done(node, place, None)

    def close(self) -> None:
        top = self.stack.pop()
        at = (*top.place, top.height, top.size)
        node = MappingNode(*at, entries=top.entries) if top.is_mapping else SequenceNode(*at, items=tuple(top.items))
        self.done(node, top.place, top.anchor)

    def done(self, node: Node, place: Place, anchor: str | None) -> None:
        """Put a finished node where it belongs; `place` is where it is used: for an alias, not where it stands."""
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.height = max(top.height, node.height + 1)
        top.size += node.size
        if len(self.stack) + node.height > MAX_DEPTH + 1:
            self.stop(place, f"aliases nested deeper than {MAX_DEPTH} levels")
        if top.size > MAX_EXPANDED:
            self.stop(place, f"aliases that expand to more than {MAX_EXPANDED} values")
        if not top.is_mapping:
            top.items.append(node)
        elif top.key is None:
            top.key = self.key(node, place)
        else:
            key, top.key = top.key, None
            if isinstance(key, Scalar) and key.text not in top.entries:
                top.entries[key.text] = Entry(key.text, key.line, key.column, node)

    def key(self, node: Node, place: Place) -> Node:
        """Check a key; a plain `Node` comes back for one that cannot be used, a `Scalar` for one that can."""
        entries = self.stack[-1].entries
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self.note(place, "a key that is not text", "put it in quotes")
            return Node(*place)
        if node.text == _MERGE_KEY:
            self.problems.add(place, self.path(node.text), "merge keys are not allowed", "write the entries out")
            return Node(*place)
        if node.text in entries:
            first = entries[node.text].line
            self.problems.add(place, self.path(node.text), f"the same key a second time; the first is in line {first}")
        return Scalar(*place, text=node.text, value=node.text)

    def path(self, *more: str) -> str:
        parts: list[str | int] = []
        for level in self.stack:
            if not level.is_mapping:
                parts.append(len(level.items))
            elif isinstance(level.key, Scalar):
                parts.append(level.key.text)
        return key_path("$", *parts, *more)

    def note(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.add(place, self.path(), message, hint)

    def stop(self, place: Place, message: str, hint: str = "") -> NoReturn:
        self.note(place, message, hint)
        raise _Unusable


def _place(mark: Any) -> Place:
    """Line and column from 1; PyYAML counts from 0."""
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
