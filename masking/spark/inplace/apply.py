"""A masking task whose output keeps the layout of its input: a part for each block, the documents in their order.

All else is as in `masking.spark.apply`: the same engine on the same batches, the same quarantine, the same counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from masking.document import Batch
from masking.sources.content import Form
from masking.spark.again import BlocksAgain
from masking.spark.apply import MaskTask, Running
from masking.spark.guard import Guard
from masking.spark.inplace.layout import around
from masking.spark.inplace.table import TablePart
from masking.spark.inplace.write import PartWriter
from masking.spark.lines import LineBatch
from masking.spark.receipts import Part, Receipt


@dataclass(frozen=True, slots=True)
class RewriteTask(MaskTask):
    """What travels to the workers; `run` is given to `mapInArrow`. Of its places, `run` is where parts are staged."""

    def running(self, number: int, engine: Guard) -> Running:
        """One task, about to run."""
        return Rewriting(self, number, engine)


class Rewriting(Running):
    """A task while it runs. Blocks are read one after the other, so one part is open at a time."""

    def __init__(self, job: MaskTask, number: int, engine: Guard) -> None:
        super().__init__(job, number, engine)
        self._part: PartWriter | TablePart | None = None
        self._again = BlocksAgain(self._blocks)
        self._reader.keep = self._again.keep
        self._denied: Counter[str] = Counter()
        self._unplaced: Counter[str] = Counter()
        self._parts: list[Part] = []  # finished: those of the first blocks
        self._masked: Counter[str] = Counter()
        self._masked_bytes: Counter[str] = Counter()

    def _take(self, batch: LineBatch) -> None:
        for line in batch.too_long:
            self._put_aside_unread(line)
        for aside in batch.put_aside:
            self._put_aside_refused(aside)
        if not batch.documents:
            return
        outcome = self._engine.mask_batch(batch.documents)
        self._redactions.update(outcome.redactions)
        self._dangling.update(outcome.dangling)
        self._versions.look(batch.documents, outcome.resource_types)
        for document, masked, name in zip(batch.documents, outcome.masked, outcome.resource_types, strict=True):
            if masked is not None and name is not None:
                self._tally(name, 1, len(document))
                self._masked[name] += 1
                self._masked_bytes[name] += len(masked)
        self._set_aside(batch, outcome)
        self._again.take(batch, outcome.masked)
        for span, stop in batch.stretches():
            self._write_span(span.block, batch, outcome, range(span.first, stop))

    def _write_span(self, block: int, batch: LineBatch, outcome: Batch, places: range) -> None:
        documents: list[bytes] = []
        types: list[str] = []
        for place in places:
            masked, name = outcome.masked[place], outcome.resource_types[place]
            if masked is None or name is None:
                continue
            if self._reader.forms[block] is Form.DOCUMENT:
                before, after = around(batch.documents[place])
                masked = before + masked + after
            documents.append(masked)
            types.append(name)
        part = self._writer(block)
        if isinstance(part, TablePart):
            part.write(types)
        else:
            part.write(documents, types)

    def _writer(self, block: int) -> PartWriter | TablePart:
        """The writer of a block; whatever lies before it is read and finished."""
        if self._part is None or len(self._parts) < block:
            self._finish_until(block)
            self._part = self._opened(block)
        return self._part

    def _opened(self, number: int) -> PartWriter | TablePart:
        """The writer of a block that has been read, or of which a part has."""
        if number in self._again.found:
            return TablePart(self._blocks[number], number, self._again, self._job.places)
        return PartWriter(self._blocks[number], self._job.places)

    def _finish_until(self, block: int) -> None:
        """Finish the parts of all blocks before one; those of which nothing is left too."""
        while len(self._parts) < block:
            number = len(self._parts)
            part = self._part = self._part or self._opened(number)
            self._parts.append(part.finish(ended=number not in self._reader.unended))
            if isinstance(part, TablePart):
                self._denied.update(part.denied)
                self._unplaced.update(part.unplaced)
            self._part = None

    def _finish_files(self) -> None:
        self._finish_until(len(self._blocks))

    def _discard(self) -> None:
        super()._discard()
        self._again.discard()
        if self._part is not None:
            self._part.discard()

    def _rows(self) -> int:
        return sum(part.rows for part in self._parts) + (self._part.rows if self._part else 0)

    def _written(self, resource_type: str) -> tuple[int, int]:
        return self._masked[resource_type], self._masked_bytes[resource_type]

    def _receipt(self, unnumbered: bool) -> Receipt:
        receipt = super()._receipt(unnumbered)
        receipt.parts = self._parts
        receipt.denied, receipt.unplaced = dict(self._denied), dict(self._unplaced)
        return receipt
