"""A Parquet file written again out of its documents, as tasks do it, without Spark."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from masking import storage
from masking.sources.content import Form
from masking.sources.parquet import NO_HINTS, Hints
from masking.spark.again import BlocksAgain, RowsAgain
from masking.spark.lines import Limits, Reader
from masking.spark.sink import Sink
from masking.spark.splits import Block

WIDE = Limits(batch_rows=1000, batch_bytes=1 << 20, line_bytes=1 << 24)


def write_again(
    path: Path,
    change: Callable[[bytes], bytes | None] = lambda document: document,
    limits: Limits = WIDE,
    hints: Hints = NO_HINTS,
) -> RowsAgain:
    """Write `path.again` with what `change` makes of each document, None for one that is put aside."""
    size = path.stat().st_size
    blocks = [Block(str(path), "", 0, size, size, 7, Form.PARQUET, hints)]
    again = BlocksAgain(blocks)
    reader = Reader(blocks, limits, keep=again.keep)
    with contextlib.ExitStack() as stack:
        spool = stack.enter_context(storage.Spool(f"{path}.again"))
        stack.callback(again.discard)
        sink = Sink(spool)
        for batch in reader:
            again.take(batch, [change(document) for document in batch.documents])
            if 0 in again.found:
                again.write(0, sink)
        rows = again.finish(0, sink)
        spool.publish()
    return rows


def read_again(path: Path) -> pa.Table:
    """What was written."""
    return pq.read_table(f"{path}.again")
