"""A value and its context as fields of bytes, by which answers are remembered; as texts only where an answer is not.

A field holds what the context is made of, in the source's own spelling: the whole `name` where a family name is read out
of it, the whole Address. Fields may tell apart what the texts do not; never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from masking.document.batch import Walked
from masking.document.memory import BESIDE, FIELD, NULL, Fields, put_rows
from masking.document.strings import Part
from masking.native import Bytes, Ints, bytes_of


@dataclass
class Columns:
    """The values of some rows, each with its context.

    fields: `count` a value, row by row. beside: what fields hold that does not stand in the text.
    """

    walked: Walked
    rows: Ints
    names: tuple[str, ...]
    literal: bool
    fields: Fields
    count: int
    beside: Bytes

    def texts(self, places: Ints) -> list[list[Part]]:
        """The columns of some of the values, as parts: the value first, then its context."""
        rows = self.rows[places]
        values = self.walked.literals(rows) if self.literal else self.walked.strings(rows)
        return [values, *(self.walked.context(name, rows) for name in self.names)]


def columns_of(walked: Walked, rows: Ints, names: tuple[str, ...], *, literal: bool) -> Columns:
    """The values of these rows with the context of these names. literal: they are numbers or booleans, not strings."""
    made = _Making(walked, rows, 1 + len(names) + ("referent" in names))
    put_rows(walked.tape, rows, made.fields, 0, made.width, not literal)
    column = 1
    for name in names:
        column += made.add(name, column)
    return Columns(walked, rows, names, literal, made.fields, made.width, made.beside())


class _Making:
    """Fields while they are filled in; what is not filled in is null."""

    def __init__(self, walked: Walked, rows: Ints, width: int) -> None:
        self._walked, self._rows, self.width = walked, rows, width
        self.fields = np.zeros(len(rows) * width, FIELD)
        self._pieces: list[bytes] = []
        self._size = 0

    def beside(self) -> Bytes:
        return bytes_of(b"".join([*self._pieces, b"\0"]))

    def add(self, name: str, column: int) -> int:
        """Fill in a name of context; how many columns it takes."""
        walked, rows = self._walked, self._rows
        if name == "subject":
            self._put_parts(column, *walked.whose.subjects(rows))
        elif name == "owner":
            self._put_parts(column, *walked.whose.owners(rows))
        elif name == "chart":
            charts = walked.whose.charts_of(rows)
            if charts is not None:
                self._put_parts(column, *charts)
        elif name == "people":
            self._put_people(column)
        elif name == "strangers":
            strangers = walked.strangers_of(rows)
            if strangers is not None:
                self._put_parts(column, *strangers)
        elif name == "numbers":
            numbers = walked.numbers_told(rows)
            if numbers is not None:
                self._put_parts(column, *numbers)
        else:
            found = walked.context_rows(name, rows)
            if name in ("family", "given"):
                own = walked.own_names(rows)
                found = np.where(own == -2, found, own).astype(np.int32)
            put_rows(walked.tape, found, self.fields, column, self.width, False)
            if name == "referent":
                self._put_roots(column + 1, found)
                return 2
        return 1

    def _put(self, column: int, starts: Ints, stops: Ints, content: bytes) -> None:
        """Fill in spans of what is put beside the text; null where a stop is negative."""
        own = self.fields.reshape(-1, self.width)[:, column]
        is_there = stops >= 0
        own["where"] = np.where(is_there, BESIDE, NULL)
        own["start"] = np.where(is_there, starts + self._size, 0)
        own["stop"] = np.where(is_there, stops + self._size, 0)
        self._pieces.append(content)
        self._size += len(content)

    def _put_parts(self, column: int, parts: Sequence[Part], place: Ints) -> None:
        """Fill in one of these parts for each value."""
        sizes = np.array([0 if part is None else len(part) for part in parts], np.int32)
        stops = np.cumsum(sizes, dtype=np.int32)
        starts = stops - sizes
        stops[[part is None for part in parts]] = -1
        self._put(column, starts[place], stops[place], b"".join([part for part in parts if part is not None]))

    def _put_people(self, column: int) -> None:
        """Fill in the numbers of the names of all whom the resource refers to."""
        frames = self._walked.tape["frame"][self._rows]
        of, numbers = self._walked.people_in(np.unique(frames))
        starts, stops = np.searchsorted(of, frames, "left"), np.searchsorted(of, frames, "right")
        begins, ends = (4 * starts).astype(np.int32), np.where(stops > starts, 4 * stops, -1).astype(np.int32)
        self._put(column, begins, ends, numbers.tobytes())

    def _put_roots(self, column: int, found: Ints) -> None:
        """Fill in the id of the outermost resource for references to what is contained."""
        walked = self._walked
        inside = np.flatnonzero(walked.is_fragment(found))
        if len(inside):
            frames = walked.tape["frame"][self._rows[inside]].tolist()
            place = np.full(len(found), len(inside), np.int32)
            place[inside] = np.arange(len(inside))
            self._put_parts(column, [*map(walked.whose.root_id, frames), None], place)
