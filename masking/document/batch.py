"""A batch on its way: its text, its tape, and what is known of each value so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from masking.native import Bytes, Ints, bytes_of
from masking.document.subjects import Subjects, contained_key, id_key, identifier_key
from masking.document.surroundings import (
    CANDIDATE,
    SPAN,
    Paths,
    context_rows,
    find_candidates,
    find_plain,
    join_addresses,
    join_texts,
    number_of,
    own_ids,
    text_of,
)  # fmt: skip
from masking.document.tables import Look
from masking.document.tape import OBJECT, Tape, hash_bytes
from masking.document.walk import Frames, Jobs


def _hash_of(name: str) -> np.uint64:
    text = name.encode()
    return np.uint64(hash_bytes(bytes_of(text), 0, len(text)))


_SYSTEM, _VALUE = _hash_of("system"), _hash_of("value")


@dataclass
class Walked:
    """A batch whose values have their rules; `jobs` are those that maskers must answer."""

    raw: bytes
    text: Bytes
    tape: Tape
    look: Look
    frames: Frames
    jobs: Jobs
    #: whether a type, by number, is a human's own record
    persons: Bytes
    paths: Paths
    references: Subjects
    #: subjects found so far: by frame, the place of its key among the distinct ones; and keys by frame
    _key_of: Ints | None = None
    _distinct: list[bytes | None] = field(default_factory=list)
    _keys: dict[int, bytes | None] = field(default_factory=dict)

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
            keys, place = self.subjects(rows)
            return [keys[at] for at in place.tolist()]
        found = np.empty(len(rows), np.int32)
        context_rows(self.tape, self.look.node_flags, self.frames, rows, number_of(name), found)
        return self._joined(found, name == "address") if name in ("address", "given") else self.strings(found)

    def _joined(self, rows: Ints, is_address: bool) -> list[bytes | None]:
        """The given names or the whole addresses at these rows, each in one line."""
        distinct, place = np.unique(rows, return_inverse=True)
        distinct = distinct.astype(np.int32)
        sizes = np.where(distinct >= 0, self.tape["stop"][distinct] - self.tape["start"][distinct] + 8, 0)
        out = np.empty(int(sizes.sum()), np.uint8)
        ends = np.zeros(len(distinct), np.int32)
        size = (join_addresses if is_address else join_texts)(self.text, self.tape, distinct, out, ends)
        line, begins = out[:size].tobytes(), np.concatenate([[0], ends[:-1]]).tolist()
        # A name without a given one has none; an address without parts is an address all the same.
        texts = [
            line[begin:end] if row >= 0 and (is_address or end > begin) else None
            for row, begin, end in zip(distinct.tolist(), begins, ends.tolist(), strict=True)
        ]
        return [texts[at] for at in place.tolist()]

    # ── subjects ──

    def subjects(self, rows: Ints) -> tuple[list[bytes | None], Ints]:
        """The keys of the humans whose values these are, null for nobody, and for each value the place of its own."""
        frames = self.tape["frame"][rows]
        if self._key_of is None:
            self._key_of = np.full(len(self.frames), -1, np.int32)
        missing = np.unique(frames[self._key_of[frames] < 0])
        if len(missing):
            self._find(missing)
        return self._distinct, self._key_of[frames]

    def _find(self, frames: Ints) -> None:
        """Find the subjects of these frames: those that are plainly written by a loop, the others one by one."""
        assert self._key_of is not None
        spans = np.empty(len(frames), SPAN)
        find_plain(self.text, self.tape, self.frames, frames, self.paths, self.persons, spans)
        is_plain = spans["start"] >= 0
        _, first, place = np.unique(spans["hash"][is_plain], return_index=True, return_inverse=True)
        chosen = spans[is_plain][first]
        self._key_of[frames[is_plain]] = len(self._distinct) + place
        for start, stop in zip(chosen["start"].tolist(), chosen["stop"].tolist(), strict=True):
            self._distinct.append(id_key(self.raw[start:stop]))
        others: list[int] = frames[~is_plain].tolist()
        if others:
            self._find_others(others)
            self._key_of[others] = range(len(self._distinct), len(self._distinct) + len(others))
            self._distinct += [self._keys[frame] for frame in others]

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

    def _find_others(self, frames: list[int]) -> None:
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
        """The subjects that these resources name themselves; a contained one that names nobody is left out."""
        keys, of = self._keys, self.references.of
        kinds = self.frames["type"][frames].tolist()
        others = []
        for frame, kind in zip(frames, kinds, strict=True):
            if not self.persons[kind]:
                others.append(frame)
                continue
            own = self._own[frame]
            is_contained = self._around[frame] >= 0
            keys[frame] = (
                None
                if own is None
                else contained_key(self._root_id(frame), b"#" + own)
                if is_contained
                else id_key(own)
            )
        if not others:
            return
        by_identifier: dict[int, bytes] = {}
        for frame, row, spelled in self._candidates(np.array(others, np.int32)):
            if frame in keys:
                continue
            if spelled is None:
                if frame not in by_identifier and (number := self._identifier(row)) is not None:
                    by_identifier[frame] = number
                continue
            key = of(spelled, self._root_id(frame) if spelled[:1] == b"#" else None)
            if key is not None:
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
