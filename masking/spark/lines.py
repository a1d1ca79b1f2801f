"""Read the documents of a task's blocks, in batches. Runs in workers; knows nothing of Spark.

What a file holds is told by its first bytes, whatever its name says (`masking.sources`). A line ends at `\\n`; a `\\r`
before it is not part of the line, nor is a byte order mark at the start of a file. Blank lines are counted and left out.
A line belongs to the block that holds its first byte, so each is read exactly once however a file is cut. A file that is
one document is read whole, as if it were one line; of an array each item is taken for a line, and of a table each row.
"""

from __future__ import annotations

import bisect
import dataclasses
import operator
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.errors import InputError, UnreadableFile
from masking.sources.content import BOM, Content, Form, Unsupported, look
from masking.sources.documents import Refused
from masking.sources.parquet import Rows, read_rows
from masking.spark.splits import Block

READ_BYTES = 4 << 20
#: Steps beyond a block's end, where only the rest of one line is missing.
_TAIL_BYTES = 1 << 16
_SHORTER = "it became shorter while it was read"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held at once.

    A line longer than `line_bytes` (and than one read, `READ_BYTES`) is passed by and reported as `TooLong`; so is a
    document of a table or a file that is one document or an array, if it is longer than `line_bytes`.
    """

    batch_rows: int
    batch_bytes: int
    line_bytes: int


@dataclass(frozen=True, slots=True)
class Span:
    """Documents of a batch, from number `first` on, that are consecutive lines of a block, from `line` on (from 0)."""

    first: int
    block: int
    line: int


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that was not kept in memory: where it is and how long."""

    block: int
    line: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PutAside:
    """A document that is not to be masked, for its row contradicts it, and where it is."""

    block: int
    line: int
    refused: Refused


@dataclass(slots=True)
class LineBatch:
    """Documents for the engine, and what else was met on the way."""

    documents: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    too_long: list[TooLong] = field(default_factory=list)
    put_aside: list[PutAside] = field(default_factory=list)
    size: int = 0  # of the documents, in bytes

    def place(self, index: int) -> tuple[int, int]:
        """The block and the line (from 0) of a document."""
        span = self.spans[bisect.bisect_right(self.spans, index, key=operator.attrgetter("first")) - 1]
        return span.block, span.line + index - span.first

    def stretches(self) -> Iterator[tuple[Span, int]]:
        """The spans, each with the index behind its last document."""
        ends = [span.first for span in self.spans[1:]] + [len(self.documents)] if self.spans else []
        return zip(self.spans, ends, strict=True)

    def add(self, block: int, line: int, documents: list[bytes], size: int) -> None:
        """Append consecutive lines of a block, `size` bytes in all."""
        self.spans.append(Span(len(self.documents), block, line))
        self.documents += documents
        self.size += size


#: Consecutive lines of a block; of one that is not for the engine, its length alone or why it is refused.
_Piece = list[bytes] | int | Refused


@dataclass(slots=True)
class Reader:
    """Iterates over the documents of some blocks. Counts on the way, so read the counts at the end."""

    blocks: Sequence[Block]
    limits: Limits
    lines: list[int] = field(default_factory=list)  # of each block, blank ones too
    forms: list[Form] = field(default_factory=list)  # of each block, as its file turned out to be
    left_out: set[str] = field(default_factory=set)  # columns of tables that are no part of their documents
    blank: int = 0
    bytes_read: int = 0  # as stored, for progress
    unended: set[int] = field(default_factory=set)  # blocks whose file ends without a line end
    #: Given each stretch of rows before its documents: the block, the line (from 0) of its first row, and the rows.
    keep: Callable[[int, int, Rows], None] | None = None

    def __iter__(self) -> Iterator[LineBatch]:
        """Batches of at most `batch_rows` documents and `batch_bytes` (or one document that is longer)."""
        batch, held = LineBatch(), 0  # of what is refused, in bytes
        for number, block in enumerate(self.blocks):
            self.lines.append(0)
            self.forms.append(block.form)
            for piece in self._pieces(block):
                line = self.lines[number]
                if not isinstance(piece, list):
                    self.lines[number] += 1
                    if isinstance(piece, int):
                        batch.too_long.append(TooLong(number, line, piece))
                    else:
                        batch.put_aside.append(PutAside(number, line, piece))
                        held += len(piece.document)
                        if held >= self.limits.batch_bytes:
                            held = 0
                            yield batch
                            batch = LineBatch()
                    continue
                self.lines[number] += len(piece)
                if line == block.start == 0:
                    piece[0] = piece[0].removeprefix(BOM)
                self.blank += len(piece)
                for offset, run in _runs(piece):
                    self.blank -= len(run)
                    for start, documents, size in _portions(run, self.limits):
                        if batch.documents and not self._fits(batch, len(documents), size):
                            yield batch
                            batch = LineBatch()
                        batch.add(number, line + offset + start, documents, size)
        yield batch

    def _fits(self, batch: LineBatch, rows: int, size: int) -> bool:
        return len(batch.documents) + rows <= self.limits.batch_rows and batch.size + size <= self.limits.batch_bytes

    def _pieces(self, block: Block) -> Iterator[_Piece]:
        """The lines of a block, many at a time; the length alone of a line that is too long."""
        try:
            with storage.open_input(block.path) as raw:
                content = look(raw, Content(block.form, block.codec))
                self.forms[-1] = content.form
                yield from self._read_as(content, block, raw)
        except Unsupported as error:
            raise unreadable(block, str(error)) from None
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise unreadable(block, error) from None

    def _read_as(self, content: Content, block: Block, raw: Any) -> Iterator[_Piece]:
        if content.form is Form.PARQUET:
            return self._read_rows(block, raw)
        if content.codec or content.form is not Form.LINES:
            if block.start:  # it was cut by its name, and is read whole by whoever has its beginning
                return iter(())
            block = dataclasses.replace(block, codec=content.codec, end=block.size)
        if content.form is Form.LINES:
            return self._read(dataclasses.replace(block, codec=content.codec), raw)
        return self._read_document(block, raw, is_array=content.form is Form.ARRAY)

    def _read_rows(self, block: Block, raw: Any) -> Iterator[_Piece]:
        """The rows of a stretch of a table."""
        if raw.size() != block.size:
            raise Unsupported("it has another size than when it was listed")
        before = self.bytes_read
        most = self.limits.batch_rows, self.limits.batch_bytes
        number, line = len(self.lines) - 1, 0
        for rows in read_rows(raw, block.start, block.end, block.path, block.hints, *most, self.keep is not None):
            if self.keep is not None:
                self.keep(number, line, rows)
                line += len(rows.documents)
            self.bytes_read = before + int(rows.share * (block.end - block.start))
            self.left_out.update(rows.left_out)
            yield from _apart(rows.documents, self.limits.line_bytes)
        self.bytes_read = before + block.end - block.start

    def _read(self, block: Block, raw: Any) -> Iterator[_Piece]:
        before = self.bytes_read
        # One byte early: if it ends a line, the block's first byte begins one; else the line before runs on.
        lead = 1 if block.start else 0
        raw.seek(block.start - lead)
        stream = pa.CompressedInputStream(raw, block.codec) if block.codec else raw
        splitter = _Splitter(self.limits.line_bytes, inside=bool(lead))
        left = block.end - block.start + lead
        while block.codec or left > 0:
            chunk = stream.read(READ_BYTES if block.codec else min(READ_BYTES, left))
            if not chunk:
                break
            left -= len(chunk)
            self.bytes_read = before + raw.tell() - block.start
            yield from splitter.feed(chunk)
        if not block.codec and left > 0:
            raise unreadable(block, _SHORTER)
        while splitter.open and (chunk := stream.read(_TAIL_BYTES)):
            yield from splitter.close(chunk)
        if splitter.open:
            self.unended.add(len(self.lines) - 1)
        yield from splitter.flush()
        self.bytes_read = before + block.end - block.start

    def _read_document(self, block: Block, raw: Any, *, is_array: bool) -> Iterator[_Piece]:
        """The whole file as one line, whatever line ends it holds, or its items as lines; nothing of an empty one."""
        before = self.bytes_read
        stream = pa.CompressedInputStream(raw, block.codec) if block.codec else raw
        held: list[bytes] = []
        size = 0
        while chunk := stream.read(READ_BYTES):
            size += len(chunk)
            self.bytes_read = before + raw.tell()
            if size <= self.limits.line_bytes:
                held.append(chunk)
            else:
                held.clear()
        if not block.codec and size < block.size:
            raise unreadable(block, _SHORTER)
        if size > self.limits.line_bytes:
            yield size
        elif size:
            whole = b"".join(held)
            yield _items(whole) if is_array else [whole]
        self.bytes_read = before + block.end


def unreadable(block: Block, why: str | Exception) -> InputError:
    """The error for a block's file, without the name of an input file: this text ends in executors' logs.

    Arrow's own texts quote names of files, so the system's error, or that there is damage, is all that is told.
    """
    if isinstance(why, str):
        reason = why
    elif isinstance(why, OSError) and why.errno:
        reason = os.strerror(why.errno)
    else:
        reason = f"what {block.codec or 'it'} holds is damaged or cut off"
    return (
        UnreadableFile.numbered(block.number, reason)
        if block.number
        else InputError(f"cannot read {block.path}: {reason}")
    )


class _Splitter:
    """Cuts chunks into lines and holds what is not yet a line. `inside`: it starts within a line of someone else."""

    def __init__(self, limit: int, inside: bool) -> None:
        self._limit = limit
        self._inside = inside
        self._held: list[bytes] = []
        self._size = 0

    @property
    def open(self) -> bool:
        """Whether a line of ours has begun and not ended."""
        return self._size > 0 and not self._inside

    def feed(self, chunk: bytes) -> Iterator[list[bytes] | int]:
        """The lines that end in this chunk."""
        last = chunk.rfind(b"\n")
        if last < 0:
            self._hold(chunk)
            return
        start = 0
        if self._size or self._inside:
            start = chunk.find(b"\n") + 1
            yield from self.close(chunk[:start])
        if start <= last:
            yield _lines(chunk[start:last])
        self._hold(chunk[last + 1 :])

    def close(self, chunk: bytes) -> Iterator[list[bytes] | int]:
        """The line that is open, if it ends in this chunk; the rest of the chunk is someone else's."""
        end = chunk.find(b"\n")
        self._hold(chunk if end < 0 else chunk[:end])
        if end >= 0:
            yield from self.flush(ended=True)

    def flush(self, ended: bool = False) -> Iterator[list[bytes] | int]:
        """The open line, which the end of the file ends too."""
        if not self._inside and (self._size or ended):
            yield self._size if self._size > self._limit else _lines(b"".join(self._held))
        self._held, self._size, self._inside = [], 0, False

    def _hold(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._inside or self._size > self._limit:
            self._held.clear()
        elif chunk:
            self._held.append(chunk)


def _items(whole: bytes) -> list[bytes]:
    """The items of an array; the whole of it where it is broken, to be found so as a document."""
    try:
        return [bytes(item) for item in _array(whole.removeprefix(BOM))] or [whole]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [whole]


_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _apart(documents: Sequence[bytes | Refused], most_bytes: int) -> Iterator[_Piece]:
    """Documents of a table, with those apart that are too long or refused."""
    run: list[bytes] = []
    for document in documents:
        if isinstance(document, bytes) and len(document) <= most_bytes:
            run.append(document)
            continue
        if run:
            yield run
            run = []
        yield len(document) if isinstance(document, bytes) else document
    if run:
        yield run


def _lines(text: bytes) -> list[bytes]:
    """The lines of a text that ends one, each without the `\r` of a CRLF."""
    lines = text.split(b"\n")
    # Looked for in the whole first: JSON holds no bare `\r` but between members, and most exports have none at all.
    return [line.removesuffix(b"\r") for line in lines] if b"\r" in text else lines


def _runs(lines: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Runs of lines that are not blank, each with the number of its first."""
    if all(lines) and not any(map(bytes.isspace, lines)):
        yield 0, lines
        return
    start = 0
    for number, line in enumerate([*lines, b""]):
        if not line or line.isspace():
            if number > start:
                yield start, lines[start:number]
            start = number + 1


def _portions(run: list[bytes], limits: Limits) -> Iterator[tuple[int, list[bytes], int]]:
    """A run cut to what one batch may hold: number of the first document, documents, bytes."""
    sizes = list(map(len, run))
    start = size = 0
    if len(run) <= limits.batch_rows and sum(sizes) <= limits.batch_bytes:
        yield 0, run, sum(sizes)
        return
    for number, length in enumerate(sizes):
        if number > start and (number - start >= limits.batch_rows or size + length > limits.batch_bytes):
            yield start, run[start:number], size
            start, size = number, 0
        size += length
    yield start, run[start:], size
