"""The engine: scan → walk → mask → settle → write, over a batch of JSON documents."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from masking.document import tape as tapes
from masking.document import walk as walks
from masking.document.answers import Maskers
from masking.document.batch import Walked
from masking.document.settle import settle_all
from masking.document.subjects import Subjects
from masking.document.surroundings import make_paths
from masking.document.tables import Tables
from masking.document.tape import Tape, likely_rows, make_tape, most_rows, scan
from masking.document.walk import FRAME, JOB, QUESTION, Frames, Questions, walk
from masking.document.write import LABELS_SIZE, PHRASES, write_all
from masking.fhir.compartment import is_person
from masking.maskers.base import People
from masking.native import Bytes, Ints, bytes_of
from masking.policy.plan import Plan

_BOM = b"\xef\xbb\xbf"
#: Lines longer than this are quarantined unread, unless the run says otherwise.
MAX_BYTES = 256 << 20
#: Texts of a batch are worked on in runs of at most so many bytes, or one text; also keeps all spans within 32 bits.
_RUN_BYTES = 16 << 20
_QUESTIONS = 1024
#: Documents that are walked first, to see what must be asked.
_FEW = 32

_NOT_UTF8 = 100
#: reason, message, place: of what is wrong with a document
_JSON_FAULTS = {
    tapes.TOO_DEEP: ("too-deep", "objects and arrays are nested too deep", ""),
    tapes.DUPLICATE_KEY: ("duplicate-key", "an object names one property twice", ""),
    tapes.NOT_JSON: ("not-json", "not a valid JSON text", ""),
    _NOT_UTF8: ("not-utf-8", "not UTF-8 text", ""),
}
_FAULTS = {
    walks.NOT_A_RESOURCE: ("not-a-resource", "a JSON object is expected on each line", ""),
    walks.NO_TYPE: ("no-type", "resourceType is missing", "resourceType"),
    walks.UNKNOWN_TYPE: ("unknown-type", "resourceType names no R4 resource type", "resourceType"),
    walks.REFUSED_TYPE: ("refused-by-policy", "the policy refuses this type", ""),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A document that could not be masked.

    index: its place in the batch. reason: a slug for counts. place: a FHIR path, or "". message: for people; no values.
    """

    index: int
    reason: str
    place: str
    message: str


@dataclass(slots=True)
class Batch:
    """What became of a batch: one entry of `masked` and `resource_types` a document, None where there is none."""

    masked: list[bytes | None]
    resource_types: list[str | None]
    faults: list[Fault] = field(default_factory=list)
    #: indexes of documents whose type the policy redacts: not written, not quarantined
    dropped: list[int] = field(default_factory=list)
    #: values redacted because they could not be read, by FHIR path
    redactions: Counter[str] = field(default_factory=Counter)
    #: resources whose subject is known by a reference alone, by type; nothing where nobody is known
    dangling: Counter[str] = field(default_factory=Counter)


class Engine:
    """Masks batches under one plan. Picklable; what it remembers stays in its process. Its repr shows no key."""

    def __init__(self, plan: Plan, *, max_bytes: int = MAX_BYTES, people: People | None = None) -> None:
        self.plan = plan
        self.max_bytes = max_bytes
        self._people = people
        self._memory: _Memory | None = None

    @property
    def asks_people(self) -> bool:
        """Whether the plan asks for what the run knows of people; without it, what needs it is redacted."""
        return self.plan.asks_people

    def with_people(self, people: People) -> Engine:
        """An engine of the same plan that knows people: the records of one human share their dates' offset, displays and
        texts show the names that the records show. `people` is never pickled.
        """
        return Engine(self.plan, max_bytes=self.max_bytes, people=people)

    def __repr__(self) -> str:
        return f"Engine({self.plan!r})"

    def __copy__(self) -> Engine:
        """An engine that knows and remembers nothing of documents, but knows the same people."""
        return Engine(self.plan, max_bytes=self.max_bytes, people=self._people)

    def __getstate__(self) -> dict[str, object]:
        return {"plan": self.plan, "max_bytes": self.max_bytes, "_people": None, "_memory": None}

    def mask_batch(self, documents: Sequence[bytes]) -> Batch:
        """Mask documents: one JSON text each, no newline at the end, any number of them. Never raises for what they
        hold.
        """
        if self._memory is None:
            self._memory = _Memory(self.plan, self._people)
        batch = Batch([None] * len(documents), [None] * len(documents))
        start = size = 0
        for index, length in enumerate(map(len, documents)):
            if length > self.max_bytes or size + length > _RUN_BYTES:
                self._memory.mask(documents[start:index], start, batch)
                start, size = index, 0
            if length > self.max_bytes:
                message = f"longer than the limit of {self.max_bytes} bytes"
                batch.faults.append(Fault(index, "too-long", "", message))
                start = index + 1
            else:
                size += length
        self._memory.mask(documents[start:], start, batch)
        return batch


def _is_utf8(document: bytes) -> bool:
    try:
        document.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Memory:
    """What a process keeps between batches: the plan's tables as far as they were asked for, and maskers' answers."""

    def __init__(self, plan: Plan, people: People | None) -> None:
        if people is not None:
            plan = plan.with_people(people)
        self._labels = plan.policy.labels
        self._tables = Tables(plan)
        self._persons = np.array([is_person(name) + (name == "RelatedPerson") for name in self._tables.types], np.uint8)
        self._paths = make_paths(self._tables.types)
        self._maskers = Maskers(self._tables)
        self._subjects = Subjects(people)
        #: kept from batch to batch: fresh memory costs more than filling it
        self._tape = make_tape(0)

    def mask(self, run: Sequence[bytes], offset: int, batch: Batch) -> None:
        """Mask texts, the first of which is the batch's document number `offset`."""
        if not run:
            return
        raw = b"".join(run)
        sizes = np.fromiter(map(len, run), np.int32, len(run))
        ends = np.cumsum(sizes, dtype=np.int32)
        begins = ends - sizes
        text = bytes_of(raw + b"\0")  # so that there is a first and a last byte to look at
        # Nearly every line is one object and nothing else; a byte order mark and white space around it go.
        for place in np.flatnonzero((text[begins] != ord("{")) | (text[ends - 1] != ord("}"))).tolist():
            document = run[place]
            bare = document.removeprefix(_BOM).lstrip(b" \t\r\n")
            begins[place] += len(document) - len(bare)
            ends[place] -= len(bare) - len(bare.rstrip(b" \t\r\n"))
        first = np.empty(len(run) + 1, np.int32)
        json_faults, wide = np.empty(len(run), np.uint8), np.empty(len(run), np.uint8)
        if len(self._tape) < (likely := likely_rows(raw, len(run))):
            self._tape = make_tape(likely)
        tape = self._tape
        rows, resources = scan(text, begins, ends, tape, first, json_faults, wide)
        if rows < 0:
            tape = make_tape(most_rows(raw, len(run)))
            rows, resources = scan(text, begins, ends, tape, first, json_faults, wide)
        for place in np.flatnonzero(wide).tolist():
            if json_faults[place] != tapes.NOT_JSON and not _is_utf8(run[place]):
                json_faults[place] = _NOT_UTF8
        frames = np.empty(resources + 1, FRAME)
        walked, states, types = self._walk(raw, text, tape, rows, frames, first, json_faults)
        answers = self._maskers.answer(walked)
        look = walked.look
        unread = np.zeros(len(self._tables.children) + 1, np.int32)
        unknown = np.zeros(len(self._tables.nodes) + 1, np.int32)
        longer = settle_all(
            text, tape, first, states, look.children, look.rules, look.node_flags, look.blob, walked.frames, answers,
            unread, unknown, self._labels,
        )  # fmt: skip
        out = np.empty(len(raw) + longer + LABELS_SIZE * (len(walked.frames) + 1), np.uint8)
        offsets = np.empty(len(run) + 1, np.int32)
        size = write_all(
            text, begins, ends, tape, first, states, look.children, look.rules, look.blob, walked.frames, answers,
            self._labels, PHRASES, out, offsets,
        )  # fmt: skip
        self._report(offset, batch, out[:size].tobytes(), offsets.tolist(), states, types, json_faults)
        for kind in walked.whose.dangling():
            batch.dangling[self._tables.types[kind]] += 1
        for row in np.flatnonzero(unread).tolist():
            batch.redactions[self._tables.children[row].path] += int(unread[row])
        for row in np.flatnonzero(unknown).tolist():
            batch.redactions[f"{self._tables.nodes[row].path}.?"] += int(unknown[row])

    def _walk(
        self, raw: bytes, text: Bytes, tape: Tape, rows: int, frames: Frames, first: Ints, json_faults: Bytes
    ) -> tuple[Walked, Bytes, Ints]:
        """Walk all documents, as often as the tables must be asked."""
        count = len(json_faults)
        jobs, asked = np.empty(rows, JOB), np.empty(_QUESTIONS, QUESTION)
        used = np.zeros(4, np.int32)
        states, types = np.full(count, walks.WAITS, np.uint8), np.full(count, -1, np.int32)
        documents = np.flatnonzero(json_faults == tapes.FINE).astype(np.int32)
        few = _FEW
        while len(documents):
            # What is new comes with its like: a few documents ask for all of them.
            part, documents = documents[:few], documents[few:]
            used[2] = 0
            walk(text, tape, first, part, self._tables.look, frames, jobs, asked, used, states, types)
            self._answer(asked[: used[2]], raw, tape)
            waiting = part[states[part] == walks.WAITS]
            few = few * 8 if not len(waiting) else _FEW
            documents = np.concatenate([waiting, documents]) if len(waiting) else documents
        self._subjects.start()
        done = Walked(
            raw, text, tape, self._tables.look, frames[: used[0]], jobs[: used[1]], self._persons, self._paths,
            self._subjects, self._tables.types,
        )  # fmt: skip
        return done, states, types

    def _answer(self, asked: Questions, raw: bytes, tape: Tape) -> None:
        """Have the tables answer what the walk asked."""
        tables = self._tables
        for what, where, which in asked.tolist():
            if what == walks.FOR_CHILD:
                begin = int(tape[which]["key"]) + 1
                tables.answer_child(where, raw[begin : raw.index(b'"', begin)].decode())
            elif what == walks.FOR_ROOT:
                tables.answer_root(where)
            elif what == walks.FOR_NODE:
                tables.answer_node(where)
            else:
                tables.answer_url(where, which)

    def _report(
        self, offset: int, batch: Batch, out: bytes, offsets: list[int], states: Bytes, types: Ints, json_faults: Bytes
    ) -> None:  # fmt: skip
        """Put the outcome where it belongs."""
        names = [*self._tables.types, None]  # -1 is the last: of no type
        upto = offset + len(states)
        batch.resource_types[offset:upto] = [names[number] for number in types.tolist()]
        batch.masked[offset:upto] = [out[start:stop] for start, stop in itertools.pairwise(offsets)]
        for place in np.flatnonzero(states != walks.FINE).tolist():
            index, state = offset + place, int(states[place])
            batch.masked[index] = None
            if state == walks.DROPPED_TYPE:
                batch.dropped.append(index)
            else:
                found = _JSON_FAULTS[int(json_faults[place])] if state == walks.WAITS else _FAULTS[state]
                batch.faults.append(Fault(index, found[0], found[2], found[1]))
