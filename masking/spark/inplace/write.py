"""Write what takes the place of one block of a file: the same codec, the same form, the documents that are left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.errors import MaskingError
from masking.sources.content import Form
from masking.spark.inplace.layout import layout_of
from masking.spark.receipts import Part
from masking.spark.sink import Sink
from masking.spark.splits import Block
from masking.spark.write import Places


def staged_path(places: Places, name: str) -> str:
    """Where what is masked waits, on the PHI side: nobody else is to read it before all of it is there."""
    return storage.join(places.run, name)


def staged_name(number: int) -> str:
    """What takes the place of an input file, by its number."""
    return f"{number:06d}"


def part_name(block: Block) -> str:
    """What takes the place of a block: of the whole file, or a part that is joined with others."""
    return staged_name(block.number) if block.whole else f"{staged_name(block.number)}-{block.start:015d}"


class PartWriter:
    """What one block becomes. A file with nothing left is empty (of a compressed one: what it unpacks to), not missing.

    Of lines that lie as they are stored, a block becomes a part, and parts are joined later, with what is before the first
    line and behind the last. Of any other file the first block is all, and there is nothing in others.
    """

    def __init__(self, block: Block, places: Places) -> None:
        self.rows = 0
        self._block = block
        self._types: Counter[str] = Counter()
        self._layout = layout_of(block)
        self._is_part = not block.whole and self._layout.is_plain
        self._spool = storage.Spool(staged_path(places, part_name(block)), places.scratch)
        self._sink = Sink(self._spool)
        codec = self._layout.codec if not block.start else ""
        self._stream = pa.CompressedOutputStream(pa.PythonFile(self._sink, "w"), codec) if codec else None

    def write(self, documents: Sequence[bytes], types: Sequence[str]) -> None:
        """Append documents, each a line of its own unless the file is one document, with their types."""
        if not documents:
            return
        between = {Form.DOCUMENT: b"", Form.ARRAY: b"," + self._layout.end}.get(self._layout.form, self._layout.end)
        text = between.join(documents)
        # A line end within a document would make two lines of it for every reader that follows.
        if self._layout.form is Form.LINES and text.count(b"\n") != len(documents) - 1:
            raise MaskingError("a masked document spans more than one line; this is a bug in the engine")
        self._put((between if self.rows else self._before) + text)
        self.rows += len(documents)
        self._types.update(types)

    @property
    def _before(self) -> bytes:
        bom = b"" if self._is_part else self._layout.bom
        return bom + b"[" + self._layout.end if self._layout.form is Form.ARRAY else bom

    def finish(self, *, ended: bool) -> Part:
        """Publish it. ended: whether the file's last line has a line end."""
        if self.rows and self._layout.form is Form.LINES and (ended or self._is_part):
            self._put(self._layout.end)
        elif self.rows and self._layout.form is Form.ARRAY:
            self._put(self._layout.end + b"]" + self._layout.end)
        if self._stream is not None:
            self._stream.close()
        self._spool.publish()
        self._spool.discard()  # what went to a store still waits on this machine
        block, name = self._block, part_name(self._block)
        types = tuple(sorted(self._types))
        digest = self._sink.hash.hexdigest()
        return Part(block.number, block.start, block.end, name, self.rows, types, self._sink.size, digest)

    def discard(self) -> None:
        """Drop it if it was not published."""
        self._spool.discard()

    def _put(self, content: bytes) -> None:
        if self._stream is None:
            self._sink.write(content)
        else:
            self._stream.write(content)
