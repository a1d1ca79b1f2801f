"""Whose each resource of a batch is: the key of a human, and the name of the record that the key is of.

The key is what maskers derive from. The name (`Patient/1`) is what is asked for where something must be known of that very
record: ids of one server may repeat between types, and `Practitioner/1` tells nothing of `Patient/1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from masking.document.strings import Part, plain
from masking.document.subjects import contained_key, id_key, identifier_key
from masking.document.surroundings import (
    CANDIDATE,
    SPAN,
    find_candidates,
    find_identifiers,
    find_plain,
    own_ids,
    reference_types,
    text_of,
)
from masking.document.tape import OBJECT, name_hash
from masking.document.within import RESOURCE, find_resources, keys_of, tell
from masking.native import Ints

if TYPE_CHECKING:
    from masking.document.batch import Walked

#: In `Walked.persons`: a RelatedPerson.
RELATED = 2
_FULL_URL = name_hash("fullUrl")
#: Tells a patient that is named apart from a record of the same id.
_APART = np.uint64(0x9E3779B97F4A7C15)
#: Ranks of candidates are below this one.
_NOBODY = (4, b"", b"")


class Candidate(NamedTuple):
    """What may name the subject of a frame: a reference, or an Identifier's parts; and the type that it is said to have."""

    frame: int
    reference: Part
    system: Part
    value: Part
    resource_type: Part
    says_whose: int


class Whose:
    """The subjects of a batch, found as they are asked for."""

    def __init__(self, walked: Walked) -> None:
        self._walked = walked
        self._frames, self._references = walked.frames, walked.references
        #: by frame, the place of its key among the distinct ones
        self._key_of = np.full(len(walked.frames), -1, np.int32)
        self._distinct: list[bytes | None] = []
        self._names: list[bytes | None] = []
        #: by frame, the key and the name of whom it is of, where they are not plainly written
        self._found: dict[int, tuple[bytes, bytes] | None] = {}
        #: by document: of the keys of its own resources, whether each is a Patient's
        self._told: dict[int, dict[bytes, bool]] = {}

    def subjects(self, rows: Ints) -> tuple[list[bytes | None], Ints]:
        """The keys of the humans whose values these are, null for nobody, and for each value the place of its own."""
        place = self._places(rows)
        return self._distinct, place

    def owners(self, rows: Ints) -> tuple[list[bytes | None], Ints]:
        """As `subjects`, but the names of the records: `Patient/1`, `/1` where a reference leaves the type open, the own name
        of what names nobody.
        """
        place = self._places(rows)
        return self._names, place

    def _places(self, rows: Ints) -> Ints:
        frames = self._walked.tape["frame"][rows]
        self._find(np.unique(frames))
        found: Ints = self._key_of[frames]
        return found

    def dangling(self) -> list[int]:
        """The types, by number, of resources whose subject a reference names and no record describes, one a resource."""
        unknown = [name is not None and _is_named(name) and self._references.is_unknown(name) for name in self._names]
        found = np.flatnonzero((self._key_of >= 0) & np.array([*unknown, False])[self._key_of])
        kinds = self._frames["type"][found].tolist()
        persons, bundle = self._walked.persons, self._bundle
        return [kind for kind in kinds if not persons[kind] and kind != bundle]

    def charts(self, rows: Ints) -> tuple[list[bytes | None], Ints]:
        """As `subjects`, but of a RelatedPerson the patient in whose chart it stands, so that their dates move together."""
        keys, place = self.subjects(rows)
        frames = self._walked.tape["frame"][rows]
        charts = self._charts(frames)
        if not charts:
            return keys, place
        of_frame = np.full(len(self._frames), -1, np.int32)
        of_frame[list(charts)] = np.arange(len(keys), len(keys) + len(charts))
        of_chart = of_frame[frames]
        return [*keys, *charts.values()], np.where(of_chart >= 0, of_chart, place)

    def are_patients(self, count: int) -> list[bool]:
        """Of the first so many of the keys of `charts` whether each is a patient's, and not what names nobody's own."""
        own = [name is not None and _is_named(name) for name in self._names[:count]]
        return own + [True] * (count - len(own))

    def charts_of(self, rows: Ints) -> tuple[list[Part], Ints] | None:
        """The keys of the patients in whose charts RelatedPersons stand, null for whatever is none, and for each value the
        place of its own; None where nothing is one.
        """
        frames = self._walked.tape["frame"][rows]
        charts = self._charts(frames)
        if not charts:
            return None
        of_frame = np.full(len(self._frames), len(charts), np.int32)
        of_frame[list(charts)] = np.arange(len(charts))
        return [*charts.values(), None], of_frame[frames]

    def root_id(self, frame: int) -> bytes | None:
        """The id of the outermost resource, that `#…` is relative to."""
        return self._own[self._root(frame)]

    def _charts(self, frames: Ints) -> dict[int, bytes | None]:
        """The keys of the patients of the RelatedPersons among these frames."""
        related = np.unique(frames[self._walked.persons[self._frames["type"][frames]] == RELATED])
        if not len(related):
            return {}
        return {frame: self._references.canonical(key) for frame, (key, _) in self._named(related).items()}

    @cached_property
    def _bundle(self) -> int:
        """The number of the type Bundle; -1 where there is none."""
        types = self._walked.types
        return types.index("Bundle") if "Bundle" in types else -1

    # ── finding ──

    def _find(self, frames: Ints) -> None:
        """Find the subjects of these frames: those that are plainly written by a loop, the others one by one."""
        walked, frames = self._walked, frames[self._key_of[frames] < 0]
        if not len(frames):
            return
        spans = np.empty(len(frames), SPAN)
        find_plain(walked.text, walked.tape, self._frames, frames, walked.paths, walked.persons, spans)
        is_plain = (spans["start"] >= 0) & (self._frames["type"][frames] != self._bundle)
        hashes = spans["hash"] + (spans["own"] + 1).astype(np.uint64) * _APART
        _, first, place = np.unique(hashes[is_plain], return_index=True, return_inverse=True)
        chosen = spans[is_plain][first]
        self._key_of[frames[is_plain]] = len(self._distinct) + place
        for own, start, stop in zip(*(chosen[name].tolist() for name in ("own", "start", "stop")), strict=True):
            key = id_key(walked.raw[start:stop])
            assert key is not None
            self._add(key, b"Patient/" + key if own < 0 else self._name(own, key))
        others: list[int] = frames[~is_plain].tolist()
        if others:
            self._find_others(others)
            for frame in others:
                self._key_of[frame] = len(self._distinct)
                self._add(*(self._found[frame] or (None, None)))

    def _add(self, key: bytes | None, name: bytes | None) -> None:
        self._distinct.append(self._references.canonical(key))
        self._names.append(name)

    def _name(self, kind: int, key: bytes) -> bytes:
        """The name of a record by the number of its type."""
        return self._walked.types[kind].encode() + b"/" + key

    @cached_property
    def _own(self) -> list[bytes | None]:
        """The id of each resource."""
        rows = np.empty(len(self._frames), np.int32)
        own_ids(self._walked.tape, self._frames, rows)
        return self._walked.strings(rows)

    @cached_property
    def _around(self) -> list[int]:
        return self._frames["around"].tolist()  # type: ignore[no-any-return]

    def _root(self, frame: int) -> int:
        """The frame of the outermost resource, that `#…` is relative to."""
        while self._around[frame] >= 0:
            frame = self._around[frame]
        return frame

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
            pending = [a for a in {self._around[f] for f in pending if f not in self._found} if a >= 0]
            pending = [frame for frame in pending if frame not in self._found]
        # A contained resource that names nobody belongs to its container's subject.
        for frame in frames:
            if frame not in self._found:
                around = self._around[frame]
                while around not in self._found:
                    around = self._around[around]
                self._found[frame] = self._found[around]

    def _find_these(self, frames: list[int]) -> None:
        """The subjects that these resources name themselves; a contained one that names nobody is left out."""
        kinds = self._frames["type"][frames].tolist()
        bundles = [frame for frame, kind in zip(frames, kinds, strict=True) if kind == self._bundle]
        if bundles:
            self._find(np.concatenate([self._entries(bundle) for bundle in bundles]))
        others = []
        for frame, kind in zip(frames, kinds, strict=True):
            if self._walked.persons[kind]:
                self._found[frame] = self._by_own_id(frame, kind)
            elif kind == self._bundle and (only := self._only_patient(frame)) is not None:
                self._found[frame] = only
            else:
                others.append((frame, kind))
        named = self._named(np.array([frame for frame, _ in others], np.int32)) if others else {}
        for frame, kind in others:
            if frame in named:
                self._found[frame] = named[frame]
            elif self._around[frame] < 0:
                self._found[frame] = self._by_own_id(frame, kind)

    def _by_own_id(self, frame: int, kind: int) -> tuple[bytes, bytes] | None:
        """The key and the name of a resource by its own id or, where it has none, by the fullUrl that a Bundle gives it."""
        own = self._own[frame]
        if self._around[frame] >= 0:
            key = None if own is None else contained_key(self.root_id(frame), b"#" + own)
        else:
            key = id_key(own) if own is not None else self._by_full_url(frame)
        return None if key is None else (key, self._name(kind, key))

    def _by_full_url(self, frame: int) -> bytes | None:
        if self._around[frame] == -1:
            return None
        tape = self._walked.tape
        row = text_of(tape, int(tape["parent"][self._frames["row"][frame]]), _FULL_URL)
        url = self._walked.strings(np.array([row], np.int32))[0]
        return None if url is None else self._references.of_url(url)

    @cached_property
    def _by_container(self) -> tuple[Ints, Ints]:
        """The frames in order of what they stand in, and what each of these stands in."""
        order = np.argsort(self._frames["around"], kind="stable").astype(np.int32)
        return order, self._frames["around"][order]

    def _entries(self, bundle: int) -> Ints:
        """The frames of a Bundle's entries."""
        order, around = self._by_container
        first, after = np.searchsorted(around, (-2 - bundle, -1 - bundle))
        found: Ints = order[first:after]
        return found

    def _only_patient(self, bundle: int) -> tuple[bytes, bytes] | None:
        """The one patient whom all entries of a Bundle are of that are of any, so that its own dates move with theirs."""
        places = set(self._key_of[self._entries(bundle)].tolist())
        found = {self._distinct[at]: name for at in places if (name := self._names[at]) is not None and _is_named(name)}
        if len(found) != 1:
            return None
        [(key, name)] = found.items()
        return None if key is None else (key, name)

    def _named(self, frames: Ints) -> dict[int, tuple[bytes, bytes]]:
        """The patients that these resources name, by the likeliest of their references: keys and names."""
        best: dict[int, tuple[int, bytes, bytes]] = {}
        for candidate in self._candidates(frames):
            found = self._ranked(candidate)
            if found is not None and found[0] < best.get(candidate.frame, _NOBODY)[0]:
                best[candidate.frame] = found
        return {frame: (key, name) for frame, (_, key, name) in best.items()}

    def _ranked(self, candidate: Candidate) -> tuple[int, bytes, bytes] | None:
        """How likely a candidate is to be the subject, 0 the likeliest, its key and its name; None where it is no patient.

        References come before Identifiers, and both before what stands where anybody may and of which nothing tells that it
        is a patient.
        """
        frame, spelled, system, value, kind, says_whose = candidate
        is_patient: bool | None
        if spelled is not None:
            root = self.root_id(frame) if spelled[:1] == b"#" else None
            key, name = self._references.of(spelled, root), self._references.named(spelled, root)
            is_patient = self._references.says_type(spelled) or None
        else:
            key = None if value is None else identifier_key(system, value)
            name, is_patient = b"/" + (key or b""), None
        if key is None:
            return None
        if is_patient is None and spelled is not None:
            is_patient = self._told_within(self._document(frame)).get(key)
        if is_patient is None and kind is not None:
            is_patient = plain(kind) == b"Patient"
        if is_patient is None:
            is_patient = self._references.is_patient(key)
        if is_patient is False:
            return None
        return (spelled is None) + (0 if is_patient or says_whose else 2), key, name

    def _told_within(self, document: int) -> dict[bytes, bool]:
        """Of the keys of the resources in a document, whether each is a Patient's."""
        told = self._told.get(document)
        if told is None:
            walked = self._walked
            top, room = int(self._frames["row"][document]), 64
            while True:
                found = np.empty(room, RESOURCE)
                count = find_resources(walked.tape, top, found)
                if count <= room:
                    break
                room = count
            found = found[:count]
            kinds, owns, urls, roots = (walked.strings(found[name]) for name in ("type", "id", "full_url", "root"))
            leads = (None if url is None else self._references.of(url, None) for url in urls)
            keys = [
                keys_of(own, lead, root, inside=inside)
                for own, lead, root, inside in zip(owns, leads, roots, found["inside"].tolist(), strict=True)
            ]
            told = self._told[document] = tell(kinds, keys)
        return told

    def _candidates(self, frames: Ints) -> Iterator[Candidate]:
        """All that may name a subject: a reference, or an Identifier's parts."""
        walked = self._walked
        room = 4 * len(frames)
        while True:
            found = np.empty(room, CANDIDATE)
            count = find_candidates(walked.text, walked.tape, self._frames, frames, walked.paths, found)
            if count <= room:
                break
            room = count
        found = found[:count]
        rows = np.ascontiguousarray(found["row"])
        is_identifier = walked.tape["kind"][rows] == OBJECT
        systems, values, types = np.full((3, count), -1, np.int32)
        parts = np.empty((2, int(is_identifier.sum())), np.int32)
        find_identifiers(walked.tape, rows[is_identifier], parts[0], parts[1])
        systems[is_identifier], values[is_identifier] = parts
        reference_types(walked.tape, rows, types)
        references = walked.strings(np.where(is_identifier, np.int32(-1), rows))
        return map(
            Candidate, found["frame"].tolist(), references, *map(walked.strings, (systems, values, types)),
            found["says_whose"].tolist(),
        )  # fmt: skip


def _is_named(name: bytes) -> bool:
    """Whether it is a patient's name, as those of subjects are that references name."""
    return name.startswith((b"Patient/", b"/"))
