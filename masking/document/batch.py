"""A batch on its way: its text, its tape, and what is known of each value so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from masking.document.memory import FIELD, put_rows
from masking.document.strings import Part, plain, to_part
from masking.document.subjects import Subjects, contained_key, id_key, identifier_key, names_in
from masking.document.surroundings import (
    CANDIDATE,
    SPAN,
    Paths,
    context_rows,
    find_candidates,
    find_identifiers,
    find_names,
    find_plain,
    find_references,
    join_addresses,
    join_texts,
    number_of,
    own_ids,
    reference_types,
)  # fmt: skip
from masking.document.tables import Look
from masking.document.tape import OBJECT, Tape
from masking.document.walk import Frames, Jobs
from masking.document.within import RESOURCE, find_resources, keys_of, tell
from masking.maskers.base import BETWEEN
from masking.native import Bytes, Ints
from masking.pools.names import official

#: In `Walked.persons`: a RelatedPerson.
RELATED = 2

#: Ranks of candidates are below this one.
_NOBODY = (4, b"")


class Candidate(NamedTuple):
    """What may name the subject of a frame: a reference, or an Identifier's parts; and the type that it is said to have."""

    frame: int
    reference: Part
    system: Part
    value: Part
    resource_type: Part
    says_whose: int


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
    #: subjects found so far: by frame, the place of its key among the distinct ones; and keys by frame
    _key_of: Ints | None = None
    _distinct: list[bytes | None] = field(default_factory=list)
    _keys: dict[int, bytes | None] = field(default_factory=dict)
    #: by document: of the keys of its own resources, whether each is a Patient's
    _told: dict[int, dict[bytes, bool]] = field(default_factory=dict)

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
        if name == "subject":
            keys, place = self.subjects(rows)
            return [keys[at] for at in place.tolist()]
        if name == "chart":
            charts = self.charts_of(rows)
            return [charts[0][at] for at in charts[1].tolist()] if charts is not None else [None] * len(rows)
        if name == "people":
            return self._people(rows)
        found = self.context_rows(name, rows)
        if name == "referent":
            return self._referents(rows, found)
        texts = self._joined(found, name == "address") if name in ("address", "given") else self.strings(found)
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
            return self.references.named(spelled, self.root_id(frame))
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

    def _people(self, rows: Ints) -> list[Part]:
        """The names of all records of humans and organizations that each value's resource refers to, with BETWEEN between."""
        frames = self.tape["frame"][rows]
        names: dict[int, list[bytes]] = {}
        of, numbers = self.people_in(np.unique(frames))
        for frame, number in zip(of.tolist(), numbers.tolist(), strict=True):
            names.setdefault(frame, []).append(self.references.name(number))
        joined = {frame: BETWEEN.encode().join(sorted(found)) for frame, found in names.items()}
        return [joined.get(frame) for frame in frames.tolist()]

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
        numbers[is_plain] = self._numbers(rows[is_plain])
        others = rows[~is_plain]
        numbers[~is_plain] = [self.references.number(name or b"") for name in self._referents(others, others)]
        pairs = np.unique(of[numbers >= 0].astype(np.int64) << 32 | numbers[numbers >= 0])
        return (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)

    def _numbers(self, rows: Ints) -> Ints:
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

    def dangling(self) -> list[int]:
        """The types, by number, of resources whose subject a reference names and no record describes, one a resource."""
        if self._key_of is None:
            return []
        unknown = [key is not None and self.references.is_unknown(key) for key in self._distinct]
        found = np.flatnonzero((self._key_of >= 0) & np.array([*unknown, False])[self._key_of])
        kinds = self.frames["type"][found].tolist()
        return [
            kind
            for frame, kind in zip(found.tolist(), kinds, strict=True)
            # What names nobody goes by its own id.
            if not self.persons[kind]
            and self._distinct[self._key_of[frame]] != self.references.canonical(id_key(self._own[frame]))
        ]

    def charts(self, rows: Ints) -> tuple[list[bytes | None], Ints]:
        """As `subjects`, but of a RelatedPerson the patient in whose chart it stands, so that their dates move together."""
        keys, place = self.subjects(rows)
        frames = self.tape["frame"][rows]
        charts = self._charts(frames)
        if not charts:
            return keys, place
        of_frame = np.full(len(self.frames), -1, np.int32)
        of_frame[list(charts)] = np.arange(len(keys), len(keys) + len(charts))
        of_chart = of_frame[frames]
        return [*keys, *charts.values()], np.where(of_chart >= 0, of_chart, place)

    def charts_of(self, rows: Ints) -> tuple[list[Part], Ints] | None:
        """The keys of the patients in whose charts RelatedPersons stand, null for whatever is none, and for each value the
        place of its own; None where nothing is one.
        """
        frames = self.tape["frame"][rows]
        charts = self._charts(frames)
        if not charts:
            return None
        of_frame = np.full(len(self.frames), len(charts), np.int32)
        of_frame[list(charts)] = np.arange(len(charts))
        return [*charts.values(), None], of_frame[frames]

    def _charts(self, frames: Ints) -> dict[int, bytes | None]:
        """The keys of the patients of the RelatedPersons among these frames."""
        related = np.unique(frames[self.persons[self.frames["type"][frames]] == RELATED])
        if not len(related):
            return {}
        return {frame: self.references.canonical(key) for frame, key in self._named(related).items()}

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
            self._distinct.append(self.references.canonical(id_key(self.raw[start:stop])))
        others: list[int] = frames[~is_plain].tolist()
        if others:
            self._find_others(others)
            self._key_of[others] = range(len(self._distinct), len(self._distinct) + len(others))
            self._distinct += [self.references.canonical(self._keys[frame]) for frame in others]

    @cached_property
    def _own(self) -> list[bytes | None]:
        """The id of each resource."""
        rows = np.empty(len(self.frames), np.int32)
        own_ids(self.tape, self.frames, rows)
        return self.strings(rows)

    @cached_property
    def _around(self) -> list[int]:
        return self.frames["around"].tolist()  # type: ignore[no-any-return]

    def _root(self, frame: int) -> int:
        """The frame of the outermost resource, that `#…` is relative to."""
        while self._around[frame] >= 0:
            frame = self._around[frame]
        return frame

    def root_id(self, frame: int) -> bytes | None:
        """The id of the outermost resource."""
        return self._own[self._root(frame)]

    def _document(self, frame: int) -> int:
        """The frame of the whole document."""
        while self._around[frame] != -1:
            frame = self._root(frame)
            if self._around[frame] < -1:
                frame = -2 - self._around[frame]
        return frame

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
        keys = self._keys
        kinds = self.frames["type"][frames].tolist()
        others = []
        for frame, kind in zip(frames, kinds, strict=True):
            if not self.persons[kind]:
                others.append(frame)
                continue
            own = self._own[frame]
            is_contained = self._around[frame] >= 0
            keys[frame] = (
                None if own is None else contained_key(self.root_id(frame), b"#" + own) if is_contained else id_key(own)
            )
        named = self._named(np.array(others, np.int32)) if others else {}
        for frame in others:
            if frame in named:
                keys[frame] = named[frame]
            elif self._around[frame] < 0:
                keys[frame] = id_key(self._own[frame])

    def _named(self, frames: Ints) -> dict[int, bytes]:
        """The patients that these resources name, by the likeliest of their references."""
        best: dict[int, tuple[int, bytes]] = {}
        for candidate in self._candidates(frames):
            found = self._ranked(candidate)
            if found is not None and found[0] < best.get(candidate.frame, _NOBODY)[0]:
                best[candidate.frame] = found
        return {frame: key for frame, (_, key) in best.items()}

    def _ranked(self, candidate: Candidate) -> tuple[int, bytes] | None:
        """How likely a candidate is to be the subject, 0 the likeliest, and its key; None where it is no patient.

        References come before Identifiers, and both before what stands where anybody may and of which nothing tells that it
        is a patient.
        """
        frame, spelled, system, value, kind, says_whose = candidate
        is_patient: bool | None
        if spelled is not None:
            key = self.references.of(spelled, self.root_id(frame) if spelled[:1] == b"#" else None)
            is_patient = self.references.says_type(spelled) or None
        else:
            key = None if value is None else identifier_key(system, value)
            is_patient = None
        if key is None:
            return None
        if is_patient is None and spelled is not None:
            is_patient = self._told_within(self._document(frame)).get(key)
        if is_patient is None and kind is not None:
            is_patient = plain(kind) == b"Patient"
        if is_patient is None:
            is_patient = self.references.is_patient(key)
        if is_patient is False:
            return None
        return (spelled is None) + (0 if is_patient or says_whose else 2), key

    def _told_within(self, document: int) -> dict[bytes, bool]:
        """Of the keys of the resources in a document, whether each is a Patient's."""
        told = self._told.get(document)
        if told is None:
            top, room = int(self.frames["row"][document]), 64
            while True:
                found = np.empty(room, RESOURCE)
                count = find_resources(self.tape, top, found)
                if count <= room:
                    break
                room = count
            found = found[:count]
            kinds, owns, urls, roots = (self.strings(found[name]) for name in ("type", "id", "full_url", "root"))
            leads = (None if url is None else self.references.of(url, None) for url in urls)
            keys = [
                keys_of(own, lead, root, inside=inside)
                for own, lead, root, inside in zip(owns, leads, roots, found["inside"].tolist(), strict=True)
            ]
            told = self._told[document] = tell(kinds, keys)
        return told

    def _candidates(self, frames: Ints) -> Iterator[Candidate]:
        """All that may name a subject: a reference, or an Identifier's parts."""
        room = 4 * len(frames)
        while True:
            found = np.empty(room, CANDIDATE)
            count = find_candidates(self.text, self.tape, self.frames, frames, self.paths, found)
            if count <= room:
                break
            room = count
        found = found[:count]
        rows = np.ascontiguousarray(found["row"])
        is_identifier = self.tape["kind"][rows] == OBJECT
        systems, values, types = np.full((3, count), -1, np.int32)
        parts = np.empty((2, int(is_identifier.sum())), np.int32)
        find_identifiers(self.tape, rows[is_identifier], parts[0], parts[1])
        systems[is_identifier], values[is_identifier] = parts
        reference_types(self.tape, rows, types)
        references = self.strings(np.where(is_identifier, np.int32(-1), rows))
        return map(
            Candidate, found["frame"].tolist(), references, *map(self.strings, (systems, values, types)),
            found["says_whose"].tolist(),
        )  # fmt: skip
