"""The rows of Parquet files written again, as their documents come out masked: of the same schema, in the same order.

A row group of the source becomes one of the output, unless it is so large that it is parted. Runs in workers.
"""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking.errors import MaskingError
from masking.sources.content import Unsupported
from masking.sources.documents import Table
from masking.sources.parquet import Rows
from masking.sources.restore import Restorer
from masking.sources.shape import Shape
from masking.spark.lines import LineBatch, unreadable
from masking.spark.sink import Sink
from masking.spark.splits import Block

#: As much of a row group, as it is in memory, as is held before it is written.
_GROUP_BYTES = 256 << 20


@dataclass(slots=True)
class _Held:
    """Rows that wait for their masked documents. first: the line (from 0) of the first."""

    first: int
    rows: Rows
    masked: dict[int, bytes] = field(default_factory=dict)

    @property
    def stop(self) -> int:
        return self.first + len(self.rows.documents)


class RowsAgain:
    """The rows of one block. rows: written, with those that had no document. groups: row groups.

    denied: values of columns that are no part of a document and were made null, by column. unplaced: values that no
    column took, by FHIR path.
    """

    def __init__(self) -> None:
        self.rows = self.groups = 0
        self.denied: Counter[str] = Counter()
        self.unplaced: Counter[str] = Counter()
        self.shape: Shape | None = None
        self.table: Table | None = None
        self._put = self._restored = 0
        self._held: deque[_Held] = deque()
        self._restorer: Restorer | None = None
        self._last: _Held | None = None
        self._writer: Any = None
        self._sink: Sink
        self._group = -1
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0

    def keep(self, line: int, rows: Rows) -> None:
        """Rows that were read, the first of them from a line."""
        assert rows.origin is not None
        self.shape = rows.origin.shape
        if rows.documents:
            self.table = rows.origin.table
            self._held.append(_Held(line, rows))

    def put(self, line: int, masked: bytes) -> None:
        """A masked document; lines ascend."""
        if self._last is None or not self._last.first <= line < self._last.stop:
            self._last = next((held for held in self._held if held.first <= line < held.stop), None)
        if self._last is not None:
            self._last.masked[line] = masked
            self._put += 1
            return
        raise MaskingError("a masked document has no row in its table; this is a bug")

    @property
    def documents(self) -> int:
        """Masked documents that are in rows."""
        return self._restored

    def write(self, sink: Sink, settled: int | None = None) -> None:
        """Write the rows all of whose documents are done: those before a line, or all."""
        assert self.shape is not None
        if self._writer is None:
            self._sink = sink
            self._writer = self.shape.writer(pa.PythonFile(sink, "w"))
        while self._held and (settled is None or self._held[0].stop <= settled):
            self._restore(self._held.popleft())

    def finish(self, sink: Sink) -> None:
        """Write what is left, and the footer."""
        self.write(sink)
        self._write_group()
        self._writer.close()
        self._writer = None
        if self._put != self._restored:
            raise MaskingError("rows of a table are not as many as its masked documents; this is a bug")
        if self._restorer is not None:
            self.denied.update(self._restorer.denied)
            self.unplaced.update(self._restorer.unplaced)

    def discard(self) -> None:
        """Drop what was not finished."""
        if self._writer is not None:
            self._sink.drop()
            with contextlib.suppress(pa.ArrowException, OSError, ValueError):
                self._writer.close()
            self._writer = None

    def _restore(self, held: _Held) -> None:
        origin = held.rows.origin
        assert origin is not None and origin.batch is not None and origin.table is not None
        if self._restorer is None:
            self._restorer = Restorer(origin.table)
        masked = [held.masked.get(line) for line in range(held.first, held.stop)]
        if origin.group != self._group:
            self._write_group()
            self._group = origin.group
        try:
            batch = self._restorer.rows(origin.batch, held.rows.documents, masked)
        except (pa.ArrowException, ValueError) as error:  # a text that is no UTF-8, doubled names
            raise Unsupported(f"its columns cannot be written again ({type(error).__name__})") from None
        self._restored += sum(one is not None for one in masked)
        self._batches.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= _GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        """What is held, as a row group."""
        batches, self._batches, self._bytes = self._batches, [], 0
        rows = sum(batch.num_rows for batch in batches)
        if rows:
            assert self.shape is not None
            table = pa.Table.from_batches(batches, self.shape.schema)
            self._writer.write_table(table, row_group_size=rows)
            self.rows += rows
            self.groups += 1


class BlocksAgain:
    """The rows of a task's blocks, as far as these turn out to be of Parquet files; by the number of the block."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.found: dict[int, RowsAgain] = {}
        self._blocks = blocks
        self._settled: dict[int, int] = {}

    def keep(self, block: int, line: int, rows: Rows) -> None:
        """See `Reader.keep`."""
        self.found.setdefault(block, RowsAgain()).keep(line, rows)

    def take(self, batch: LineBatch, masked: Sequence[bytes | None]) -> None:
        """What became of the documents of a batch, as the engine gave it."""
        for span, stop in batch.stretches():
            if (rows := self.found.get(span.block)) is None:
                continue
            for place in range(span.first, stop):
                if (document := masked[place]) is not None:
                    rows.put(span.line + place - span.first, document)
            self._settled[span.block] = span.line + stop - span.first

    def write(self, block: int, sink: Sink) -> None:
        """Write the rows of a block whose documents are done."""
        with self._told(block):
            self.found[block].write(sink, self._settled.get(block, 0))

    def finish(self, block: int, sink: Sink) -> RowsAgain:
        """Write all that is left of a block."""
        with self._told(block):
            self.found[block].finish(sink)
        return self.found.pop(block)

    def discard(self) -> None:
        """Drop what was not finished."""
        for rows in self.found.values():
            rows.discard()

    @contextlib.contextmanager
    def _told(self, block: int) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, ValueError) as error:
            raise unreadable(self._blocks[block], str(error) if isinstance(error, Unsupported) else error) from None
