"""A batch on its way: its text, its tape, and what is known of each value so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from masking.document.native import Bytes, Ints, Records, bytes_of
from masking.document.subjects import Subjects, contained_key, id_key, identifier_key
from masking.document.surroundings import (
    CANDIDATE, Paths, context_rows, find_candidates, number_of, own_ids, text_of,
)  # fmt: skip
from masking.document.tables import Look
from masking.document.tape import ARRAY, ESCAPED, OBJECT, STRING, hash_bytes
from masking.document.walk import member
from masking.fhir.compartment import is_person

#: What makes up a whole address, in the order in which its masker wants it.
_ADDRESS = ("line", "city", "state", "postalCode", "country")


def _hash_of(name: str) -> np.uint64:
    text = name.encode()
    return np.uint64(hash_bytes(bytes_of(text), 0, len(text)))


_PARTS = tuple(map(_hash_of, _ADDRESS))
_SYSTEM, _VALUE = _hash_of("system"), _hash_of("value")


@dataclass
class Walked:
    """A batch whose values have their rules; `jobs` are those that maskers must answer."""

    raw: bytes
    tape: Records
    look: Look
    frames: Records
    jobs: Records
    types: Sequence[str]
    paths: Paths
    subjects: Subjects
    _keys: dict[int, bytes | None] = field(default_factory=dict)
    _joined: dict[int, bytes] = field(default_factory=dict)

    @cached_property
    def text(self) -> Bytes:
        """The text as an array."""
        return bytes_of(self.raw)

    # ── values ──

    def strings(self, rows: Ints) -> list[bytes | None]:
        """What stands between the quotes of these strings; None where a row is negative."""
        starts, stops = (self.tape["start"][rows] + 1).tolist(), (self.tape["stop"][rows] - 1).tolist()
        raw = self.raw
        if (rows >= 0).all():
            return [raw[start:stop] for start, stop in zip(starts, stops, strict=True)]
        return [
            raw[start:stop] if row >= 0 else None for row, start, stop in zip(rows.tolist(), starts, stops, strict=True)
        ]

    def context(self, name: str, rows: Ints) -> list[bytes | None]:
        """A column of context for these values."""
        if name == "subject":
            return [self._keys[frame] for frame in self.subjects_of(rows)]
        found = np.empty(len(rows), np.int32)
        context_rows(self.tape, self.look.node_flags, self.frames, rows, number_of(name), found)
        if name == "address":
            return [self._address(row) if row >= 0 else None for row in found.tolist()]
        if name == "given":
            return [self._given(row) if row >= 0 else None for row in found.tolist()]
        return self.strings(found)

    def _given(self, row: int) -> bytes | None:
        texts = self._texts(row)
        return b" ".join(texts) if texts else None

    def _address(self, row: int) -> bytes:
        """A whole address in one line."""
        if row not in self._joined:
            found = (int(member(self.tape, row, name)) for name in _PARTS)
            self._joined[row] = b"|".join(b", ".join(self._texts(part)) for part in found)
        return self._joined[row]

    def _texts(self, row: int) -> list[bytes]:
        """The strings at a row: itself, the items of an array, or none."""
        if row < 0:
            return []
        tape = self.tape
        if tape[row]["kind"] != ARRAY:
            rows = np.array([row], np.int32)
        else:
            rows = np.arange(row + 1, tape[row]["after"], dtype=np.int32)
            rows = rows[tape["parent"][rows] == row]
        is_text = np.isin(tape["kind"][rows], (STRING, ESCAPED))
        return [text for text in self.strings(rows[is_text]) if text is not None]

    # ── subjects ──

    def subjects_of(self, rows: Ints) -> list[int]:
        """The frame of each value; the subjects of all of them are known afterwards (`key`)."""
        frames = self.tape["frame"][rows]
        wanted = np.unique(frames)
        self._find([frame for frame in wanted.tolist() if frame not in self._keys])
        listed: list[int] = frames.tolist()
        return listed

    def key(self, frame: int) -> bytes | None:
        """The key of the human whose resource this is, once it is found."""
        return self._keys[frame]

    @cached_property
    def _own(self) -> list[bytes | None]:
        """The id of each resource."""
        rows = np.empty(len(self.frames), np.int32)
        own_ids(self.tape, self.frames, rows)
        return self.strings(rows)

    @cached_property
    def _around(self) -> list[int]:
        return self.frames["around"].tolist()  # type: ignore[no-any-return]

    def _root_id(self, frame: int) -> bytes | None:
        """The id of the outermost resource, that `#…` is relative to."""
        while self._around[frame] >= 0:
            frame = self._around[frame]
        return self._own[frame]

    def _find(self, frames: list[int]) -> None:
        """Find the subjects of these frames and of their containers."""
        pending = frames
        while pending:
            self._find_these(pending)
            pending = [a for a in {self._around[f] for f in pending if f not in self._keys} if a >= 0]
            pending = [frame for frame in pending if frame not in self._keys]
        # A contained resource that names nobody belongs to its container's subject.
        for frame in frames:
            if frame not in self._keys:
                around = self._around[frame]
                while around not in self._keys:
                    around = self._around[around]
                self._keys[frame] = self._keys[around]

    def _find_these(self, frames: list[int]) -> None:
        keys, kinds = self._keys, self.frames["type"]
        others = []
        for frame in frames:
            if is_person(self.types[kinds[frame]]):
                own = self._own[frame]
                is_contained = self._around[frame] >= 0
                keys[frame] = (
                    None if own is None else contained_key(self._root_id(frame), b"#" + own) if is_contained else id_key(own)
                )
            else:
                others.append(frame)
        if not others:
            return
        by_identifier: dict[int, bytes] = {}
        for frame, row, spelled in self._candidates(np.array(others, np.int32)):
            if keys.get(frame) is not None:
                continue
            if spelled is None:
                if frame not in by_identifier and (number := self._identifier(row)) is not None:
                    by_identifier[frame] = number
            elif (key := self.subjects.of(spelled, self._root_id(frame))) is not None:
                keys[frame] = key
        for frame in others:
            if frame not in keys:
                if frame in by_identifier:
                    keys[frame] = by_identifier[frame]
                elif self._around[frame] < 0:
                    keys[frame] = id_key(self._own[frame])

    def _candidates(self, frames: Ints) -> list[tuple[int, int, bytes | None]]:
        """(frame, row, reference) of all that may name a subject; no reference where the row is an Identifier's."""
        room = 4 * len(frames)
        while True:
            found = np.empty(room, CANDIDATE)
            count = find_candidates(self.text, self.tape, self.frames, frames, self.paths, found)
            if count <= room:
                break
            room = count
        rows = found["row"][:count]
        is_identifier = self.tape["kind"][rows] == OBJECT
        texts = self.strings(np.where(is_identifier, np.int32(-1), rows))
        return list(zip(found["frame"][:count].tolist(), rows.tolist(), texts, strict=True))

    def _identifier(self, row: int) -> bytes | None:
        value = text_of(self.tape, row, _VALUE)
        if value < 0:
            return None
        system = text_of(self.tape, row, _SYSTEM)
        told, number = self.strings(np.array([system, value], np.int32))
        assert number is not None
        return identifier_key(told, number)
