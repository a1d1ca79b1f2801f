"""Lines of one resource type to a record batch of its table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from masking.document.tape import OBJECT, likely_rows, make_tape, most_rows, scan
from masking.errors import MaskingError
from masking.native import Bytes, bytes_of
from masking.tables.kernels import PART, ROOM, fill, place
from masking.tables.layout import Node, lay_out
from masking.tables.schema import Column, Kind

#: Texts of a batch lie in one buffer whose places are 32-bit numbers.
MOST_BYTES = 1 << 30
_TRUE = 2  # the bit of a mark


class Shredder:
    """Makes columns of lines.

    columns: of the table, or some of them without `other_json`, where what is not asked for is passed over. misfits:
    how often a value was put into `other_json` because its column cannot hold it, by path, and how often because R4
    has no such property, by the path of its object and `.?`; never a value.
    """

    def __init__(self, columns: Sequence[Column], resource_type: str) -> None:
        self.misfits: Counter[str] = Counter()
        self._type = resource_type
        self._layout = lay_out(columns, resource_type)
        self._arrow = {node.place: (node.column.arrow.type, node.column.item) for node in self._layout.all_nodes()}
        self._tape = make_tape(0)  # kept from batch to batch: fresh memory costs more than filling it

    def shred(self, lines: Sequence[bytes | memoryview]) -> list[pa.Array]:
        """An array a column, with an entry a line. lines: JSON objects, together less than `MOST_BYTES`.

        `MaskingError` if one is no JSON object: masked lines all are.
        """
        raw = b"".join(lines)
        if len(raw) >= MOST_BYTES:
            raise MaskingError(f"{len(raw)} bytes are too many to be made columns of at once")
        text = bytes_of(raw + b"\0")
        rows = self._scan(raw, text, np.fromiter(map(len, lines), np.int32, len(lines)))
        layout = self._layout
        rooms = np.zeros(len(layout.places), ROOM)
        strays = np.empty(rows if layout.other else 0, np.int32)
        lost = place(text, self._tape, rows, layout.places, layout.steps, layout.names, rooms, strays)
        self._count(text, strays[:lost])
        return self._fill(text, rows, rooms, len(lines))

    def _scan(self, raw: bytes, text: Bytes, sizes: Any) -> int:
        """Fill the tape; how many rows it has."""
        count = len(sizes)
        ends = np.cumsum(sizes, dtype=np.int32)
        first, faults, wide = np.empty(count + 1, np.int32), np.empty(count, np.uint8), np.empty(count, np.uint8)
        if len(self._tape) < (likely := likely_rows(raw, count)):
            self._tape = make_tape(likely)
        rows, _ = scan(text, ends - sizes, ends, self._tape, first, faults, wide)
        if rows < 0:
            self._tape = make_tape(most_rows(raw, count))
            rows, _ = scan(text, ends - sizes, ends, self._tape, first, faults, wide)
        sound = not faults.any() and bool((self._tape["kind"][first[:-1]] == OBJECT).all())
        if not sound or (wide.any() and not _is_utf8(raw)):
            raise MaskingError(f"a masked {self._type} is no JSON object in UTF-8; this is a bug in the engine")
        return rows

    def _count(self, text: Bytes, strays: Any) -> None:
        """Name what was put aside: its path if R4 has it."""
        if not len(strays):
            return
        tape = self._tape
        found = np.empty(len(strays), [("above", np.int64), ("name", np.uint64)])
        found["above"], found["name"] = tape["node"][tape["parent"][strays]], tape["name"][strays]
        kinds, examples, counts = np.unique(found, return_index=True, return_counts=True)
        for above, row, count in zip(kinds["above"].tolist(), strays[examples].tolist(), counts.tolist(), strict=True):
            start = stop = int(tape["key"][row]) + 1
            while text[stop] != ord('"'):
                stop += 1
            known = self._layout.known.get((above, text[start:stop].tobytes()))
            self.misfits[known or f"{self._layout.paths[above]}.?"] += count

    def _fill(self, text: Bytes, rows: int, rooms: Any, count: int) -> list[pa.Array]:
        parts = np.zeros(len(rooms), PART)
        sizes = np.zeros(3, np.int64)  # of marks, numbers, texts
        self._make_room(self._layout.nodes, count, rooms, parts, sizes)
        marks, numbers, texts = np.zeros(sizes[0], np.uint8), np.zeros(sizes[1], np.int32), np.empty(sizes[2], np.uint8)
        begins = parts["texts"].tolist()
        fill(text, self._tape, rows, self._layout.places, parts, marks, numbers, texts)
        made = _Made(rooms, parts, begins, marks, numbers, texts, self._arrow)
        return [made.column(node, count) for node in self._layout.nodes]

    def _make_room(self, nodes: Sequence[Node], slots: int, rooms: Any, parts: Any, sizes: Any) -> None:
        """Give the places that hold anything their part of the buffers; `slots` is how many each of them has."""
        for node in nodes:
            if not rooms["filled"][node.place]:
                continue
            inner = int(rooms["slots"][node.items]) if node.column.is_list else slots
            for place_, slots_ in {node.place: slots, node.items: inner}.items():
                parts[place_] = tuple(sizes)
                sizes += (slots_, slots_, rooms["bytes"][place_])
            self._make_room(node.fields, inner, rooms, parts, sizes)


class _Made:
    """The filled buffers of a batch as Arrow arrays."""

    def __init__(
        self, rooms: Any, parts: Any, begins: list[int], marks: Any, numbers: Any, texts: Any, arrow: Any
    ) -> None:
        self._filled, self._slots = rooms["filled"].tolist(), rooms["slots"].tolist()
        self._marks_at, self._numbers_at = parts["marks"].tolist(), parts["numbers"].tolist()
        self._begins, self._ends = begins, parts["texts"].tolist()
        self._marks, self._numbers, self._texts = marks, numbers, texts
        self._arrow = arrow

    def column(self, node: Node, slots: int) -> pa.Array:
        """A column or field with so many entries."""
        type_, item = self._arrow[node.place]
        if not self._filled[node.place]:
            return pa.nulls(slots, type_)
        if not node.column.is_list:
            return self._values(node, item, node.place, slots)
        items = self._values(node, item, node.items, self._slots[node.items])
        buffers, nulls = self._there(node.place, slots)
        return pa.Array.from_buffers(type_, slots, [buffers, self._offsets(node.place, slots)], nulls, children=[items])

    def _values(self, node: Node, type_: pa.DataType, at: int, slots: int) -> pa.Array:
        """The values of a column, or the items of its lists."""
        if not self._filled[at]:
            return pa.nulls(slots, type_)
        there, nulls = self._there(at, slots)
        kind = node.column.kind
        if kind is Kind.STRUCT:
            fields = [self.column(field, slots) for field in node.fields]
            return pa.Array.from_buffers(type_, slots, [there], nulls, children=fields)
        if kind is Kind.BOOLEAN:
            true = self._marks[self._marks_at[at] : self._marks_at[at] + slots] & _TRUE
            return pa.Array.from_buffers(type_, slots, [there, _bits(true)], nulls)
        if kind is Kind.INTEGER:
            numbers = self._numbers[self._numbers_at[at] : self._numbers_at[at] + slots]
            return pa.Array.from_buffers(type_, slots, [there, pa.py_buffer(numbers)], nulls)
        texts = pa.py_buffer(self._texts[self._begins[at] : self._ends[at]])
        array = pa.Array.from_buffers(pa.string(), slots, [there, self._offsets(at, slots), texts], nulls)
        return array.cast(type_) if kind is Kind.DECIMAL else array

    def _there(self, at: int, slots: int) -> tuple[pa.Buffer | None, int]:
        """Which entries are there, None for all; and how many are not."""
        marks = self._marks[self._marks_at[at] : self._marks_at[at] + slots]
        there = int(np.count_nonzero(marks))
        return (None if there == slots else _bits(marks)), slots - there

    def _offsets(self, at: int, slots: int) -> pa.Buffer:
        offsets = np.zeros(slots + 1, np.int32)
        np.cumsum(self._numbers[self._numbers_at[at] : self._numbers_at[at] + slots], out=offsets[1:])
        return pa.py_buffer(offsets)


def _bits(marks: Any) -> pa.Buffer:
    """A bit for each mark, set where it is not 0."""
    return pa.py_buffer(np.packbits(marks, bitorder="little"))


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
