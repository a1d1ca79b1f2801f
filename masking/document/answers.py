"""The maskers' answers to a batch: by loops where a loop knows the answer, by kernels where it does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from masking.document.batch import Walked
from masking.document.columns import columns_of
from masking.document.fast import NOBODY, find_uuids, put_uuids, shift_days
from masking.document.kernels import Kernel
from masking.document.memory import Memory, give, size_of
from masking.document.settle import ANSWER, GONE, UNREADABLE, Answers
from masking.document.strings import Part, to_part, to_text
from masking.document.surroundings import text_of
from masking.document.tables import Tables
from masking.document.tape import ESCAPED, OBJECT, STRING, name_hash
from masking.document.walk import VOUCHED, member, vouches
from masking.maskers.base import BoundMasker, Masker
from masking.maskers.dates import BoundDateShift
from masking.maskers.identifiers import BoundPseudonymizeId
from masking.maskers.references import BoundReference
from masking.native import Bytes, Ints, bytes_of
from masking.policy.specs import Action

#: Offsets of subjects that are remembered, before all are forgotten.
_MEMORY = 100_000
_CODING, _DISPLAY = name_hash("coding"), name_hash("display")


class Maskers:
    """The bound maskers of a plan with what this process remembers of their answers."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._kernels: dict[tuple[str, bool], Kernel] = {}
        self._names: dict[int, str] = {}
        self._offsets: dict[str, dict[tuple[bytes, bool], int]] = {}

    def answer(self, walked: Walked) -> Answers:
        """What becomes of each job's value."""
        jobs = walked.jobs
        sheet = _Sheet(len(jobs))
        rules = jobs["rule"].copy()
        for job in np.flatnonzero(walked.tape["fate"][jobs["row"]] == VOUCHED).tolist():
            if self._judge(walked, job, sheet):
                rules[job] = -1
        order = np.argsort(rules, kind="stable")
        bounds = np.flatnonzero(np.diff(rules[order])) + 1
        for group in np.split(order.astype(np.int32), bounds):
            if len(group) and rules[group[0]] >= 0:
                self._answer_rule(walked, int(rules[group[0]]), group, sheet)
        return sheet.answers()

    def _answer_rule(self, walked: Walked, number: int, jobs: Ints, sheet: _Sheet) -> None:
        """Answer the jobs of one rule."""
        rule = self._tables.rules[number]
        assert rule.masker is not None
        bound = self._bound_of(number, rule.masker)
        name = self._names[number]
        rows = walked.jobs["row"][jobs]
        is_string = (walked.tape["kind"][rows] == STRING) | (walked.tape["kind"][rows] == ESCAPED)
        if is_string.all():
            if isinstance(bound, BoundPseudonymizeId | BoundReference):
                jobs = self._uuids(walked, bound, jobs, rows, sheet)
            elif isinstance(bound, BoundDateShift):
                jobs = self._dates(walked, bound, name, jobs, rows, sheet)
            self._by_kernel(walked, bound, name, jobs, sheet)
            return
        self._by_kernel(walked, bound, name, jobs[is_string], sheet)
        self._by_kernel(walked, bound, name, jobs[~is_string], sheet, literal=True)

    def _bound_of(self, number: int, masker: Masker) -> BoundMasker:
        """The bound masker of a rule; what it is called is found once."""
        if number not in self._names:
            self._names[number] = repr(masker)
        return self._tables.plan.bound_by_name(self._names[number])

    def _by_kernel(
        self, walked: Walked, bound: BoundMasker, name: str, jobs: Ints, sheet: _Sheet, *, literal: bool = False
    ) -> None:
        """Answer jobs by their masker; literal: they are numbers and booleans, and must be numbers again."""
        if not len(jobs):
            return
        kernel = self._kernels.get((name, literal))
        if kernel is None:
            kernel = self._kernels[name, literal] = Kernel(bound, literal=literal)
        columns = columns_of(walked, walked.jobs["row"][jobs], bound.needs, literal=literal)
        sheet.give(jobs, *kernel.answer(walked.text, columns))

    # ── what loops know ──

    def _uuids(
        self, walked: Walked, bound: BoundPseudonymizeId | BoundReference, jobs: Ints, rows: Ints, sheet: _Sheet
    ) -> Ints:
        """Answer ids and references that are UUIDs; the jobs that are left."""
        text, starts, stops = walked.text, walked.tape["start"][rows] + 1, walked.tape["stop"][rows] - 1
        blocks, places = np.empty(16 * len(rows), np.uint8), np.empty(len(rows), np.int32)
        is_reference = isinstance(bound, BoundReference)
        count = find_uuids(text, starts, stops, walked.look.types, is_reference, blocks, places)
        if count == 0:
            return jobs
        masked = bytes_of(bound.pseudonyms.permute_blocks(blocks[: 16 * count].tobytes()))
        out = np.empty(int((stops - starts).sum()), np.uint8)
        begins, ends = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32)
        size = put_uuids(text, starts, places, masked, out, begins, ends)
        is_done = places >= 0
        sheet.put_spans(jobs[is_done], out[:size], begins[is_done], ends[is_done])
        left: Ints = jobs[~is_done]
        return left

    def _dates(self, walked: Walked, bound: BoundDateShift, name: str, jobs: Ints, rows: Ints, sheet: _Sheet) -> Ints:
        """Answer full dates of known subjects; the jobs that are left."""
        known = self._offsets.setdefault(name, {})
        if len(known) > _MEMORY:
            known.clear()
        keys, place = walked.whose.charts(rows)
        found = []
        for key, is_patient in zip(keys, walked.whose.are_patients(len(keys)), strict=True):
            if key is not None and (key, is_patient) not in known:
                known[key, is_patient] = bound.offset(to_text(key), is_patient=is_patient)
            found.append(NOBODY if key is None else known[key, is_patient])
        days = np.array(found, np.int32)[place]
        starts, stops = walked.tape["start"][rows] + 1, walked.tape["stop"][rows] - 1
        out = np.empty(int((stops - starts).sum()), np.uint8)
        begins, ends = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32)
        size = shift_days(walked.text, starts, stops, days, out, begins, ends)
        is_done = ends != NOBODY
        sheet.put_spans(jobs[is_done], out[:size], begins[is_done], ends[is_done])
        left: Ints = jobs[~is_done]
        return left

    # ── texts that a code system may vouch for ──

    def _judge(self, walked: Walked, job: int, sheet: _Sheet) -> bool:
        """Answer a text that the walk could not compare with the displays beside it; False: it is for its masker."""
        row, rule = int(walked.jobs["row"][job]), self._tables.rules[walked.jobs["rule"][job]]
        spelled = walked.strings(np.array([row], np.int32))
        if to_text(spelled[0] or b"").casefold() in self._displays(walked, int(walked.tape[row]["parent"])):
            sheet.put(np.array([job], np.int32), spelled)
            return True
        if rule.action is Action.REDACT:
            sheet.gone(job)
            return True
        assert rule.masker is not None
        always = self._tables.plan.bound(rule.masker).always
        if always is None:
            return False
        sheet.put(np.array([job], np.int32), [to_part(always)], [True])
        return True

    @staticmethod
    def _displays(walked: Walked, concept: int) -> set[str]:
        """The displays of a concept's codings whose code system the policy knows, capitals folded."""
        tape, look = walked.tape, walked.look
        coding = member(tape, concept, _CODING)
        rows = np.arange(coding + 1, tape[coding]["after"], dtype=np.int32)
        items = rows[(tape["parent"][rows] == coding) & (tape["kind"][rows] == OBJECT)]
        known = look.code_systems, look.code_prefixes, look.blob
        found = [text_of(tape, item, _DISPLAY) for item in items if vouches(walked.text, tape, item, *known)]
        displays = walked.strings(np.array([row for row in found if row >= 0], np.int32))
        return {to_text(display or b"").casefold() for display in displays}


class _Sheet:
    """Answers as they come in, group by group."""

    def __init__(self, jobs: int) -> None:
        self._spans = np.zeros(jobs, ANSWER)
        self._spans["stop"] = UNREADABLE
        self._pieces: list[bytes | Bytes] = []
        self._size = 0

    def put(self, jobs: Ints, parts: Sequence[Part], blanked: Sequence[bool] | None = None) -> None:
        """Answers as parts, null where a value cannot be read; and which of them have lost something."""
        sizes = np.array([0 if part is None else len(part) for part in parts], np.int32)
        stops = np.cumsum(sizes, dtype=np.int32)
        is_read = np.array([part is not None for part in parts], np.bool_)
        joined = b"".join([part for part in parts if part is not None])
        self.put_spans(jobs[is_read], bytes_of(joined), (stops - sizes)[is_read], stops[is_read])
        if blanked is not None:
            self._spans["blanks"][jobs] = blanked

    def give(self, jobs: Ints, memory: Memory, places: Ints) -> None:
        """Answers that a memory holds."""
        out = np.empty(size_of(memory.slots, places), np.uint8)
        give(memory.slots, places, memory.answers, jobs, self._spans, self._size, out)
        self._pieces.append(out)
        self._size += len(out)

    def put_spans(self, jobs: Ints, text: Bytes, begins: Ints, ends: Ints) -> None:
        """Answers as spans of a text."""
        self._spans["start"][jobs], self._spans["stop"][jobs] = begins + self._size, ends + self._size
        self._pieces.append(text)
        self._size += len(text)

    def gone(self, job: int) -> None:
        """A value that goes without being counted."""
        self._spans[job]["stop"] = GONE

    def answers(self) -> Answers:
        """All of them."""
        return Answers(np.concatenate([*self._pieces, np.zeros(1, np.uint8)]), self._spans)
