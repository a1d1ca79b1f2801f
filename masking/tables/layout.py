"""A type's columns as numbers for the compiled loops: one row a column, list or item, and where a name leads from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np

from masking.document.tape import name_hash
from masking.native import Bytes, Of, bytes_of
from masking.tables.schema import RESOURCE_TYPE, Column, Kind

#: A list is a place of its own, right before the place of its items; what is IGNORED is in the table without a column
#: of the resource's. The other kinds of places are as in `Kind`.
LIST, IGNORED = len(Kind), len(Kind) + 1
ROOT = 0

#: One place: what it holds (`Kind` or LIST), and the place of the `other_json` of a struct, 0 elsewhere.
PLACE = np.dtype([("kind", np.int32), ("other", np.int32)], align=True)
#: Where a name leads: the place it is asked at, the hash of the name, its spelling (a span of `names`), the place it leads to.
STEP = np.dtype([("name", np.uint64), *((name, np.int32) for name in ("at", "to", "start", "stop"))], align=True)
Places: TypeAlias = Annotated[Any, Of(PLACE)]
Steps: TypeAlias = Annotated[Any, Of(STEP)]


@dataclass(frozen=True, slots=True)
class Node:
    """A column or field and its place. items: the place of its items or of itself where it is no list."""

    column: Column
    place: int
    items: int
    fields: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of the loops. `steps` is a hash table with open addressing; `to` 0 is a free row."""

    nodes: tuple[Node, ...]
    other: int
    paths: tuple[str, ...]  # of each place
    known: Mapping[tuple[int, bytes], str]  # the path of what a name leads to, by where it is asked
    places: Places
    steps: Steps
    names: Bytes

    def all_nodes(self) -> Iterator[Node]:
        """Every node, parents first."""
        return _walk(self.nodes)


def lay_out(columns: Sequence[Column], resource_type: str) -> Layout:
    """Give each column its place. What `columns` leaves out goes to their `other_json`, or nowhere if there is none."""
    kinds: list[tuple[int, int]] = [(Kind.STRUCT, 0)]
    paths: list[str] = [resource_type]
    steps: list[tuple[int, str, int]] = []

    def place(kind: int, path: str) -> int:
        kinds.append((kind, 0))
        paths.append(path)
        return len(kinds) - 1

    def inside(fields: Sequence[Column], at: int) -> tuple[Node, ...]:
        made = []
        for column in fields:
            here = place(LIST if column.is_list else column.kind, column.path)
            items = place(column.kind, column.path) if column.is_list else here
            if column.kind is Kind.OTHER:
                kinds[at] = (kinds[at][0], here)
            else:
                steps.append((at, column.name, here))
            made.append(Node(column, here, items, inside(column.fields, items)))
        return tuple(made)

    nodes = inside(columns, ROOT)
    steps.append((ROOT, RESOURCE_TYPE, place(IGNORED, resource_type)))
    table, names = _hashed(steps)
    known = {(at, name.encode()): paths[to] for at, name, to in steps}
    return Layout(nodes, kinds[ROOT][1], tuple(paths), known, np.array(kinds, PLACE), table, names)


def _hashed(steps: Sequence[tuple[int, str, int]]) -> tuple[Any, Bytes]:
    size = 1 << max(4, (2 * len(steps)).bit_length())
    table = np.zeros(size, STEP)
    spelled = bytearray()
    for at, name, to in steps:
        start = len(spelled)
        spelled += name.encode()
        hashed = name_hash(name)
        row = int(home(at, hashed)) & (size - 1)
        while table[row]["to"]:
            row = (row + 1) & (size - 1)
        table[row] = (hashed, at, to, start, len(spelled))
    return table, bytes_of(bytes(spelled))


def home(at: int, name: np.uint64) -> np.uint64:
    """Where the search for a step begins."""
    with np.errstate(over="ignore"):
        mixed = (name ^ (np.uint64(at) * _SPREAD)) * _SPREAD
    return np.uint64(mixed >> np.uint64(32))


_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def _walk(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.fields)
