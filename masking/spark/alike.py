"""Tables with the source's own columns, beside the NDJSON of a task: a file for each stretch of a Parquet file that it reads."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from masking import storage
from masking.errors import CountMismatch, UsageError
from masking.report.manifest import OutputFile, TypeCounts
from masking.sources.content import Form
from masking.sources.documents import TypedTable
from masking.spark.again import BlocksAgain, RowsAgain
from masking.spark.lines import LineBatch
from masking.spark.read import Inputs
from masking.spark.receipts import Alike
from masking.spark.sink import Sink
from masking.spark.splits import Block
from masking.spark.write import PARQUET, Places

#: The folder of tables with a column of documents, and the type of their files: they may hold any.
DOCUMENTS, ANY_TYPE = "documents", "(any)"
_COPY_BYTES = 8 << 20


class AlikeWriter:
    """The files of one task."""

    def __init__(self, blocks: Sequence[Block], places: Places) -> None:
        self.made: list[Alike] = []
        self.denied: Counter[str] = Counter()
        self.unplaced: Counter[str] = Counter()
        self._blocks = blocks
        self._places = places
        self._again = BlocksAgain(blocks)
        self.keep = self._again.keep
        self._open: dict[int, _File] = {}

    def take(self, batch: LineBatch, masked: Sequence[bytes | None]) -> None:
        """Write what became of a batch."""
        self._again.take(batch, masked)
        last = batch.spans[-1].block if batch.spans else -1
        for block in sorted(self._again.found):
            if block < last:
                self._finish(block)
            elif block == last and self._again.found[block].table is not None:
                self._again.write(block, self._file(block).sink)

    def finish(self) -> None:
        """Publish all files."""
        for block in sorted(self._again.found):
            self._finish(block)

    def discard(self) -> None:
        """Drop what was not published."""
        self._again.discard()
        for file in self._open.values():
            file.spool.discard()

    def told(self) -> dict[str, Any]:
        """For the receipt."""
        return {"alike": self.made, "denied": dict(self.denied), "unplaced": dict(self.unplaced)}

    def _file(self, block: int) -> _File:
        if block not in self._open:
            self._open[block] = _File(self._blocks[block], self._again.found[block], self._places)
        return self._open[block]

    def _finish(self, block: int) -> None:
        if self._again.found[block].table is None:  # no row group of the file begins in this stretch
            del self._again.found[block]
            return
        file = self._file(block)
        rows = self._again.finish(block, file.sink)
        file.spool.publish()
        file.spool.discard()  # what went to a store still waits on this machine
        del self._open[block]
        self.denied.update(rows.denied)
        self.unplaced.update(rows.unplaced)
        assert rows.shape is not None
        schema = hashlib.sha256(rows.shape.schema.serialize().to_pybytes()).hexdigest()
        output = OutputFile(file.path, file.type, rows.rows, file.sink.size, file.sink.hash.hexdigest())
        self.made.append(Alike(output, rows.documents, schema))


class _File:
    """A file while it is written."""

    def __init__(self, block: Block, rows: RowsAgain, places: Places) -> None:
        named = rows.table.resource_type if isinstance(rows.table, TypedTable) else ""
        self.type = named or ANY_TYPE
        stem = f"{named or DOCUMENTS}-{block.number:06d}" + ("" if block.whole else f"-{block.start:015d}")
        folder = storage.join(PARQUET, (named or DOCUMENTS).lower())
        self.path = storage.join("runs", places.run.rsplit("/", 1)[1], folder, f"{stem}.parquet")
        self.spool = storage.Spool(storage.join(places.run, folder, f"{stem}.parquet"), places.scratch)
        self.sink = Sink(self.spool)


def tell_of_lines(inputs: Inputs, notice: Callable[[str], None]) -> None:
    """`UsageError` if no file has rows, by its name; a notice if some have none."""
    tables = sum(file.form is Form.PARQUET for file in inputs.files)
    if not tables:
        raise UsageError("--tables-like source: no file of the source is Parquet; leave it out")
    if others := len(inputs.files) - tables:
        notice(f"{others} of {len(inputs.files)} files are no tables; what is in them is in the NDJSON alone")


def part_by_schema(made: Iterable[Alike], destination: str, scratch: str) -> tuple[OutputFile, ...]:
    """The files, each folder with one schema: those of a second one are in a folder with a 2 behind, and so on."""
    known: dict[str, dict[str, int]] = {}
    files = []
    for one in sorted(made, key=lambda one: one.file.path):
        folder, _, name = one.file.path.rpartition("/")
        schemas = known.setdefault(folder, {})
        number = schemas.setdefault(one.schema, len(schemas) + 1)
        path = one.file.path if number == 1 else storage.join(f"{folder}-{number}", name)
        if path != one.file.path:
            _move(storage.join(destination, one.file.path), storage.join(destination, path), scratch)
        files.append(OutputFile(path, one.file.resource_type, one.file.rows, one.file.bytes, one.file.sha256))
    return tuple(sorted(files, key=lambda file: file.path))


def _move(source: str, target: str, scratch: str) -> None:
    with storage.Spool(target, scratch) as spool:
        with storage.open_input(source) as file:
            while chunk := file.read(_COPY_BYTES):
                spool.write(chunk)
        spool.publish()
    storage.delete_file(source)


def check_alike(made: Iterable[Alike], types: Mapping[str, TypeCounts], lines: int) -> None:
    """As many documents in tables as were masked out of them; else `CountMismatch`. lines: masked that no table held."""
    rows, masked = sum(one.documents for one in made), sum(count.masked for count in types.values())
    if rows + lines != masked:
        raise CountMismatch(
            f"the tables are not what was masked, so nothing was published: masked {masked}, but {rows} in rows and "
            f"{lines} in no table"
        )
