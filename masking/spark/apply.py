"""One task: read its blocks, mask batch by batch, write what comes out, return a receipt. Runs in workers.

The documents never pass through Spark. It hands each task its number and takes back a receipt; the bytes go from file
to engine to file inside one Python process. Nothing here depends on the session's settings, and a line of 100 MB costs
no more than its own length.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking.document import Batch, Fault
from masking.report.manifest import UNKNOWN_TYPE, TypeCounts
from masking.sources.content import Form
from masking.spark.alike import AlikeWriter
from masking.spark.bundles import BUNDLE, only_deletes, take_apart
from masking.spark.collector import collect_seldom
from masking.spark.guard import DocumentEngine, Guard
from masking.spark.identify import Identities
from masking.spark.lines import Limits, LineBatch, PutAside, Reader, TooLong
from masking.spark.oneline import one_line
from masking.spark.progress import Beat
from masking.spark.receipts import Receipt, encode
from masking.spark.refreshing import Again
from masking.spark.splits import Block, Task
from masking.spark.versions import Versions, of_another_version
from masking.spark.write import DELETED, Places, Quarantined, QuarantineWriter, TypeWriter, quarantined


@dataclass(frozen=True, slots=True)
class MaskTask:
    """What travels to the workers: the engine, the tasks and the places. `run` is given to `mapInArrow`."""

    engine: DocumentEngine = field(repr=False)
    run_id: str
    tasks: tuple[Task, ...] = field(repr=False)
    places: Places
    limits: Limits
    file_bytes: int
    beat_seconds: float
    identities: Identities | None = None
    split_bundles: bool = False
    #: Whether Bundles that only ask to delete are taken as that, also where others are kept.
    takes_deletions: bool = False
    #: Which documents to mask, where not all of them are: those to be masked again.
    again: Again | None = None
    #: Whether rows of tables are written as rows of tables like them too.
    alike: bool = False

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Record batches with task numbers in, record batches with receipts out."""
        for batch in rows:
            for number in batch.column(0).to_pylist():
                receipt = self.running(number, self._warm(number)).finish()
                yield pa.RecordBatch.from_arrays([pa.array([encode(receipt)], pa.binary())], ["receipt"])

    def running(self, number: int, engine: Guard) -> Running:
        """One task, about to run."""
        return Running(self, number, engine)

    def _warm(self, number: int) -> Guard:
        """This process's engine for a run: the first that arrived, whose caches earlier tasks have filled.

        Where each task has knowledge of people of its own, each has its engine too.
        """
        people = self.identities
        name = self.run_id if people is None or people.whole else f"{self.run_id}/{number}"
        if name not in _ENGINES:
            _ENGINES.clear()
            _ENGINES[name] = Guard(self.engine if people is None else self.engine.with_people(people.open(number)))
        return _ENGINES[name]


_ENGINES: dict[str, Guard] = {}


class Running:
    """A task while it runs: its writers and counts."""

    def __init__(self, job: MaskTask, number: int, engine: Guard) -> None:
        self._job = job
        self._number = number
        self._engine = engine
        self._chosen = job.again.open(number) if job.again else None
        self._blocks: tuple[Block, ...] = job.tasks[number]
        self._reader = Reader(self._blocks, job.limits)
        self._writers: dict[str, TypeWriter] = {}
        self._deleted: dict[str, TypeWriter] = {}
        self._quarantine = QuarantineWriter(f"{number:05d}", job.places)
        self._counts: dict[str, Counter[str]] = {}  # by type, then by field of TypeCounts
        self._reasons: Counter[str] = Counter()
        self._redactions: Counter[str] = Counter()
        self._dangling: Counter[str] = Counter()
        self._versions = Versions()
        self._entries = 0  # of Bundles that were split
        self._dropped_entries: Counter[str] = Counter()
        self._alike: AlikeWriter | None = None
        self._rowless = 0  # documents that were masked and were no rows
        if job.alike:
            self._alike = AlikeWriter(self._blocks, job.places)
            self._reader.keep = self._alike.keep

    def finish(self) -> Receipt:
        """Do all of it. Whatever goes wrong, no half-written file keeps a name that counts."""
        beat = Beat(self._job.places.progress, self._number, self._job.beat_seconds)
        with contextlib.ExitStack() as cleanup, collect_seldom() as collect:
            cleanup.callback(self._discard)
            for batch in self._reader:
                self._take(batch)
                collect()
                beat.tick(self._snapshot)
            self._finish_files()
            unnumbered = self._quarantine.finish()
            beat.last(self._snapshot)
        return self._receipt(unnumbered)

    def _finish_files(self) -> None:
        for writer in (*self._writers.values(), *self._deleted.values()):
            writer.finish()
        if self._alike is not None:
            self._alike.finish()

    def _discard(self) -> None:
        for writer in (*self._writers.values(), *self._deleted.values()):
            writer.discard()
        if self._alike is not None:
            self._alike.discard()
        self._quarantine.discard()

    def _snapshot(self) -> dict[str, int]:
        return {
            "lines": sum(self._reader.lines),
            "bytes": self._reader.bytes_read,
            "masked": self._rows(),
            "quarantined": self._quarantine.rows,
        }

    def _rows(self) -> int:
        return sum(writer.rows for writer in self._writers.values())

    def _take(self, batch: LineBatch) -> None:
        if self._chosen is not None:
            batch = self._chosen.narrow(batch)
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
        if self._alike is not None:
            self._write_rows(self._alike, batch, outcome.masked)
        self._put_on_lines(batch, outcome.masked)
        types = outcome.resource_types
        alike = types.count(types[0]) == len(types) and None not in outcome.masked
        if (
            alike
            and self._chosen is None
            and not (types[0] == BUNDLE and (self._job.split_bundles or self._job.takes_deletions))
        ):
            self._tally(types[0], len(types), batch.size)
            self._write(types[0], outcome.masked)
        else:
            self._take_mixed(batch, outcome)

    def _write_rows(self, writer: AlikeWriter, batch: LineBatch, masked: Sequence[bytes | None]) -> None:
        """Write the rows of tables again: with what the engine gave, not with what becomes a line."""
        writer.take(batch, masked)
        for span, end in batch.stretches():
            if self._reader.forms[span.block] is not Form.PARQUET:
                self._rowless += sum(one is not None for one in masked[span.first : end])

    def _put_on_lines(self, batch: LineBatch, masked: list[bytes | None]) -> None:
        """Make one line of each masked document that was none; done last, so that quarantine has the source's bytes."""
        for span, end in batch.stretches():
            if self._reader.forms[span.block] is Form.LINES:
                continue
            for index in range(span.first, end):
                if (document := masked[index]) is not None:
                    masked[index] = one_line(document)

    def _take_mixed(self, batch: LineBatch, outcome: Batch) -> None:
        """A batch of several types, with faults or drops, or with Bundles to split."""
        groups: dict[str | None, list[bytes | None]] = {}
        sizes: Counter[str | None] = Counter()
        rows = zip(batch.documents, outcome.masked, outcome.resource_types, strict=True)
        for index, (document, masked, name) in enumerate(rows):
            if masked is not None and name == BUNDLE and self._comes_apart(document):
                self._split(document, masked, batch.place(index)[0])
            elif masked is not None and self._chosen and self._chosen.is_superseded(batch.place(index)[0], masked):
                self._chosen.passed += 1
            elif masked is not None:
                groups.setdefault(name, []).append(masked)
                sizes[name] += len(document)
        for name, documents in groups.items():
            self._tally(name, len(documents), sizes[name])
            self._write(name, documents)
        self._set_aside(batch, outcome)

    def _set_aside(self, batch: LineBatch, outcome: Batch) -> None:
        """Count what is dropped, and put into quarantine what is at fault."""
        for index in outcome.dropped:
            self._tally(outcome.resource_types[index], 1, len(batch.documents[index]), "dropped")
        for fault in outcome.faults:
            name = outcome.resource_types[fault.index]
            self._tally(name, 1, len(batch.documents[fault.index]), "quarantined")
            self._put_aside(batch, fault, name)

    def _comes_apart(self, bundle: bytes) -> bool:
        return self._job.split_bundles or (self._job.takes_deletions and only_deletes(bundle))

    def _split(self, document: bytes, masked: bytes, block: int) -> None:
        """Write the resources of a Bundle in its place, and what it asks to delete."""
        self._tally(BUNDLE, 1, len(document), "split")
        parts = take_apart(document, masked)
        self._entries += parts.entries
        self._dropped_entries.update(parts.dropped)
        for name, found in parts.resources.items():
            resources = [one for one in found if not (self._chosen and self._chosen.is_superseded(block, one))]
            if len(resources) < len(found):
                self._dropped_entries["superseded"] += len(found) - len(resources)
            if resources:
                self._counts.setdefault(name, Counter())["resources"] += len(resources)
                self._write(name, resources)
        if self._chosen is None:  # what is masked again was deleted when it was read
            for name, own_id in parts.deleted:
                self._delete(name, own_id)

    def _delete(self, resource_type: str, masked_id: str) -> None:
        """Write down that a resource is to be deleted."""
        writer = self._deleted.get(resource_type)
        if writer is None:
            task, job = f"{self._number:05d}", self._job
            writer = self._deleted[resource_type] = TypeWriter(resource_type, task, job.places, job.file_bytes, DELETED)
        writer.write([msgspec.json.encode({"resourceType": resource_type, "id": masked_id})])

    def _tally(self, resource_type: str | None, rows: int, size: int, fate: str = "") -> None:
        """Count documents read and, unless they were masked, what became of them: the writers count the masked."""
        counts = self._counts.setdefault(resource_type or UNKNOWN_TYPE, Counter())
        counts.update({"read": rows, "bytes_read": size})
        if fate:
            counts[fate] += rows

    def _write(self, resource_type: str | None, documents: Sequence[bytes | None]) -> None:
        """Write masked documents of one type; the guard has seen to it that there is a type and no null."""
        name = cast(str, resource_type)
        writer = self._writers.get(name)
        if writer is None:
            writer = TypeWriter(name, f"{self._number:05d}", self._job.places, self._job.file_bytes)
            self._writers[name] = writer
        writer.write(cast(Sequence[bytes], documents))

    def _put_aside(self, batch: LineBatch, fault: Fault, resource_type: str | None) -> None:
        block, line = batch.place(fault.index)
        fault = of_another_version(fault, batch.documents[fault.index])
        record = quarantined(
            self._blocks[block].path,
            line + 1,
            batch.documents[fault.index],
            resource_type=resource_type,
            reason=fault.reason,
            place=fault.place,
            message=fault.message,
        )
        self._file(block, record)

    def _put_aside_unread(self, line: TooLong) -> None:
        self._tally(None, 1, line.bytes, "quarantined")
        message = f"{line.bytes} bytes, more than a line may have; the document is in its file alone"
        path = self._blocks[line.block].path
        self._file(line.block, Quarantined(path, line.line + 1, None, "too-long", "", message, "none", ""))

    def _put_aside_refused(self, aside: PutAside) -> None:
        refused, name = aside.refused, aside.refused.resource_type
        self._tally(name, 1, len(refused.document), "quarantined")
        record = quarantined(
            self._blocks[aside.block].path,
            aside.line + 1,
            refused.document,
            resource_type=name,
            reason=refused.reason,
            place="",
            message=refused.message,
        )
        self._file(aside.block, record)

    def _file(self, block: int, record: Quarantined) -> None:
        self._reasons[record.reason] += 1
        if self._blocks[block].start == 0:
            self._quarantine.write(record)
        else:
            self._quarantine.write_unnumbered(self._blocks[block].start, record)

    def _written(self, resource_type: str) -> tuple[int, int]:
        """Documents of a type that were written, and their bytes."""
        writer = self._writers.get(resource_type)
        return (writer.rows, writer.bytes) if writer else (0, 0)

    def _receipt(self, unnumbered: bool) -> Receipt:
        # What was masked is counted where it is written, so that it can disagree with what was read.
        types = {}
        for name, counts in self._counts.items():
            rows, size = self._written(name)
            counts.update(masked=rows - counts["resources"], bytes_written=size)
            types[name] = TypeCounts(**counts)
        return Receipt(
            task=self._number,
            lines=sum(self._reader.lines),
            blank=self._reader.blank,
            types=types,
            files=[file for writer in self._writers.values() for file in writer.files],
            reasons=dict(self._reasons),
            redactions=dict(self._redactions),
            dangling=dict(self._dangling),
            versions=dict(self._versions.seen),
            left_out=sorted(self._reader.left_out),
            block_lines=[
                (block.path, block.start, lines)
                for block, lines in zip(self._blocks, self._reader.lines, strict=True)
                if not block.whole
            ],
            unnumbered=unnumbered,
            entries=self._entries,
            dropped_entries=dict(self._dropped_entries),
            deleted=[file for writer in self._deleted.values() for file in writer.files],
            passed=self._chosen.passed if self._chosen else 0,
            rowless=self._rowless,
            **({} if self._alike is None else self._alike.told()),
        )
