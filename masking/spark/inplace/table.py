"""What takes the place of a Parquet file, or of a stretch of one: the rows that are left, of the same schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.errors import CountMismatch
from masking.sources.parquet import begin_of
from masking.sources.shape import shape_of
from masking.spark.again import BlocksAgain
from masking.spark.inplace.write import part_name, staged_path
from masking.spark.receipts import Part
from masking.spark.sink import Sink
from masking.spark.splits import Block
from masking.spark.write import Places


class TablePart:
    """What one block of a Parquet file becomes: a Parquet file, also where nothing is left. `PartWriter` is of all others.

    denied, unplaced: as of `RowsAgain`, once it is finished.
    """

    def __init__(self, block: Block, number: int, again: BlocksAgain, places: Places) -> None:
        self.rows = 0  # that are masked documents
        self.denied: Counter[str] = Counter()
        self.unplaced: Counter[str] = Counter()
        self._block, self._number, self._again = block, number, again
        self._types: set[str] = set()
        self._spool = storage.Spool(staged_path(places, part_name(block)), places.scratch)
        self._sink = Sink(self._spool)

    def write(self, types: Sequence[str]) -> None:
        """Write the rows that are done; types: of the documents that were masked since."""
        self.rows += len(types)
        self._types.update(types)
        self._again.write(self._number, self._sink)

    def finish(self, *, ended: bool = True) -> Part:
        """Publish it."""
        done = self._again.finish(self._number, self._sink)
        if done.documents != self.rows:
            raise CountMismatch("rows of a table are not as many as were masked; nothing was replaced")
        self.denied, self.unplaced = done.denied, done.unplaced
        self._spool.publish()
        self._spool.discard()  # what went to a store still waits on this machine
        block, types = self._block, tuple(sorted(self._types))
        size, digest = self._sink.size, self._sink.hash.hexdigest()
        return Part(block.number, block.start, block.end, part_name(block), self.rows, types, size, digest, done.groups)

    def discard(self) -> None:
        """Drop it if it was not published."""
        self._sink.drop()
        self._spool.discard()


def join_tables(original: str, parts: Iterable[str], sink: Sink) -> None:
    """Write the row groups of several files, one after the other, as the original is written. Paths in order.

    Memory: a row group.
    """
    with storage.open_input(original) as raw:
        shape = shape_of(_opened(raw))
    with shape.writer(pa.PythonFile(sink, "w")) as writer:
        for path in parts:
            with storage.open_input(path) as raw:
                file = _opened(raw)
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group, use_threads=False)
                    table = table.replace_schema_metadata(shape.schema.metadata)
                    writer.write_table(table, row_group_size=table.num_rows)


def starts_of_groups(path: str) -> list[int]:
    """Where the row groups of a Parquet file begin."""
    with storage.open_input(path) as raw:
        metadata = _opened(raw).metadata
        return [begin_of(metadata.row_group(number)) for number in range(metadata.num_row_groups)]


def _opened(raw: object) -> pq.ParquetFile:
    return pq.ParquetFile(raw, pre_buffer=False, coerce_int96_timestamp_unit="us")
