"""A batch on its way: its text, its tape, and what is known of each value so far."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from masking.document.memory import FIELD, put_rows
from masking.document.ownnumbers import numbers_in
from masking.document.strangers import strangers_in
from masking.document.strings import Part, to_part
from masking.document.subjects import Subjects, identifier_key, names_in
from masking.document.surroundings import (
    CANDIDATE,
    Paths,
    context_rows,
    find_identifiers,
    find_names,
    find_references,
    join_addresses,
    join_texts,
    number_of,
)  # fmt: skip
from masking.document.tables import Look
from masking.document.tape import OBJECT, Tape
from masking.document.walk import Frames, Jobs
from masking.document.whose import Whose
from masking.maskers.base import BETWEEN
from masking.native import Bytes, Ints
from masking.pools.names import official


@dataclass
class Walked:
    """A batch whose values have their rules; `jobs` are those that maskers must answer."""

    raw: bytes
    text: Bytes
    tape: Tape
    look: Look
    frames: Frames
    jobs: Jobs
    #: whether a type, by number, is a human's own record, and RELATED if that stands in a patient's chart
    persons: Bytes
    paths: Paths
    references: Subjects
    #: the types by number
    types: list[str]

    @cached_property
    def whose(self) -> Whose:
        """Whose each resource is."""
        return Whose(self)

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

    def literals(self, rows: Ints) -> list[Part]:
        """The spelling of these numbers and booleans."""
        spans = zip(self.tape["start"][rows].tolist(), self.tape["stop"][rows].tolist(), strict=True)
        return [self.raw[start:stop] for start, stop in spans]

    def context(self, name: str, rows: Ints) -> list[bytes | None]:
        """A column of context for these values."""
        if name in ("subject", "owner"):
            found, place = self.whose.subjects(rows) if name == "subject" else self.whose.owners(rows)
            return [found[at] for at in place.tolist()]
        if name == "chart":
            charts = self.whose.charts_of(rows)
            return [charts[0][at] for at in charts[1].tolist()] if charts is not None else [None] * len(rows)
        if name == "people":
            return self._people(rows)
        if name == "strangers":
            strangers = self.strangers_of(rows)
            return [strangers[0][at] for at in strangers[1].tolist()] if strangers is not None else [None] * len(rows)
        if name == "numbers":
            numbers = self.numbers_told(rows)
            return [numbers[0][at] for at in numbers[1].tolist()] if numbers is not None else [None] * len(rows)
        beside = self.context_rows(name, rows)
        if name == "referent":
            return self._referents(rows, beside)
        texts = self._joined(beside, name == "address") if name in ("address", "given") else self.strings(beside)
        return self._or_own_name(name, rows, texts) if name in ("family", "given") else texts

    def context_rows(self, name: str, rows: Ints) -> Ints:
        """The rows where the context of these values is found, see `masking.document.surroundings`."""
        found = np.empty(len(rows), np.int32)
        context_rows(self.tape, self.look.node_flags, self.frames, rows, number_of(name), found)
        return found

    def own_names(self, rows: Ints) -> Ints:
        """Of values that stand in no name, the row of the `name` of whom the record around them is about, -1 where there is
        none; -2 of those that stand in one.
        """
        found = np.empty(len(rows), np.int32)
        find_names(self.tape, self.look.node_flags, self.frames, rows, found)
        return found

    def _or_own_name(self, name: str, rows: Ints, texts: list[Part]) -> list[Part]:
        """Of values that stand in no name, the family or given name of whom the record around them is about."""
        found = self.own_names(rows)
        if (found == -2).all():
            return texts
        own: dict[int, Part] = {-1: None}
        for row in np.unique(found[found >= 0]).tolist():
            known = official(names_in(self.raw[self.tape[row]["start"] : self.tape[row]["stop"]]))[name == "given"]
            own[row] = None if known is None else to_part(known)
        return [text if row == -2 else own[row] for row, text in zip(found.tolist(), texts, strict=True)]

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

    # ── whom references mean ──

    def is_fragment(self, rows: Ints) -> npt.NDArray[np.bool_]:
        """Whether these are references to what is contained: `#…`."""
        is_string = (rows >= 0) & (self.tape["kind"][rows] != OBJECT)
        first = np.where(is_string, self.tape["start"][rows] + 1, 0)
        return is_string & (self.text[first] == ord("#"))  # type: ignore[no-any-return]

    def _name(self, spelled: bytes, frame: int) -> bytes:
        """The name of the record of a human or an organization that a reference means; empty where it means none."""
        if spelled[:1] == b"#":
            return self.references.named(spelled, self.whose.root_id(frame))
        return self.references.named(spelled, None)

    def _referents(self, rows: Ints, found: Ints) -> list[Part]:
        """The names of the records that the references beside values mean; by an Identifier where there is no reference."""
        is_identifier = (found >= 0) & (self.tape["kind"][found] == OBJECT)
        parts = np.full((2, len(rows)), -1, np.int32)
        some = np.empty((2, int(is_identifier.sum())), np.int32)
        find_identifiers(self.tape, found[is_identifier].astype(np.int32), some[0], some[1])
        parts[:, is_identifier] = some
        literal = self.strings(np.where(is_identifier, np.int32(-1), found).astype(np.int32))
        frames = self.tape["frame"][rows].tolist()
        answers: list[Part] = []
        for frame, spelled, system, value in zip(
            frames, literal, self.strings(parts[0]), self.strings(parts[1]), strict=True
        ):
            if spelled is not None:
                answers.append(self._name(spelled, frame) or None)
            else:
                answers.append(None if value is None else b"/" + identifier_key(system, value))
        return answers

    def named_by_number(self, identifiers: Ints) -> list[Part]:
        """The names of whoever is meant by these Identifiers; null where one has no value."""
        systems, values = np.empty(len(identifiers), np.int32), np.empty(len(identifiers), np.int32)
        find_identifiers(self.tape, identifiers.astype(np.int32), systems, values)
        pairs = zip(self.strings(systems), self.strings(values), strict=True)
        return [None if value is None else b"/" + identifier_key(system, value) for system, value in pairs]

    def _people(self, rows: Ints) -> list[Part]:
        """The names of all records of humans and organizations that each value's resource refers to, with BETWEEN between."""
        frames = self.tape["frame"][rows]
        names: dict[int, list[bytes]] = {}
        of, numbers = self.people_in(np.unique(frames))
        for frame, number in zip(of.tolist(), numbers.tolist(), strict=True):
            names.setdefault(frame, []).append(self.references.name(number))
        joined = {frame: BETWEEN.encode().join(sorted(found)) for frame, found in names.items()}
        return [joined.get(frame) for frame in frames.tolist()]

    def strangers_of(self, rows: Ints) -> tuple[list[Part], Ints] | None:
        """The strangers of these values' resources, null where there are none, and for each value the place of its own; None
        where no resource names any.
        """
        frames = self.tape["frame"][rows]
        new = [frame for frame in np.unique(frames).tolist() if frame not in self._strangers]
        if new:
            found = strangers_in(self, np.array(new, np.int32))
            self._strangers.update((frame, found.get(frame)) for frame in new)
        distinct = {frame: text for frame in np.unique(frames).tolist() if (text := self._strangers[frame]) is not None}
        if not distinct:
            return None
        of_frame = np.full(len(self.frames), len(distinct), np.int32)
        of_frame[list(distinct)] = np.arange(len(distinct))
        return [*distinct.values(), None], of_frame[frames]

    def numbers_told(self, rows: Ints) -> tuple[list[Part], Ints] | None:
        """The numbers of these texts' own resources that they may tell, null where there are none, and for each text the place
        of its own; None where no text tells any.
        """
        told = numbers_in(self, rows)
        if not told:
            return None
        place = np.full(len(rows), len(told), np.int32)
        place[list(told)] = np.arange(len(told))
        return [*told.values(), None], place

    @cached_property
    def _strangers(self) -> dict[int, Part]:
        return {}

    def people_in(self, frames: Ints) -> tuple[Ints, Ints]:
        """The numbers of the names of all records of humans and organizations that these resources refer to, beside each the
        resource's frame: in order of both, each pair once.
        """
        wanted = np.zeros(len(self.frames), np.int32)
        wanted[frames] = 1
        room = 8 * len(frames) + 64
        while True:
            found = np.empty(room, CANDIDATE)
            count = find_references(self.tape, self.frames, wanted, found)
            if count <= room:
                break
            room = count
        of, rows = np.ascontiguousarray(found["frame"][:count]), np.ascontiguousarray(found["row"][:count])
        is_plain = (self.tape["kind"][rows] != OBJECT) & ~self.is_fragment(rows)
        numbers = np.empty(count, np.int32)
        numbers[is_plain] = self.numbers_of(rows[is_plain])
        others = rows[~is_plain]
        numbers[~is_plain] = [self.references.number(name or b"") for name in self._referents(others, others)]
        pairs = np.unique(of[numbers >= 0].astype(np.int64) << 32 | numbers[numbers >= 0])
        return (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)

    def numbers_of(self, rows: Ints) -> Ints:
        """The numbers of the names that these literal references mean; -1 where they mean none."""
        fields = np.zeros(len(rows), FIELD)
        put_rows(self.tape, rows, fields, 0, 1, True)
        known = self.references.numbers
        places, new = known.look_up(self.text, self.text, fields, 1)
        if len(new):
            names = (self.references.named(one or b"", None) for one in self.strings(rows[new]))
            fresh = (self.references.number(name) for name in names)
            known.learn(places[new], [None if number < 0 else number.to_bytes(4, "little") for number in fresh], None)
        spans = known.slots["start"][places]
        numbers = np.full(len(rows), -1, np.int32)
        at = spans[spans >= 0, None] + np.arange(4)
        numbers[spans >= 0] = np.ascontiguousarray(known.answers[at]).view("<i4").reshape(-1)
        return numbers
