"""From lines to files: spooled regions, rotation, and the oddities of real files.

Whoever makes a region writes it into a spool file of its own; the one writer splices the spools, in order, into the
files of the export. So no line travels between processes, and memory holds one region a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

#: Oddities of real exports, each in one type: lines that end in CRLF, empty lines between, no end to the last line.
CRLF_TYPE = "AllergyIntolerance"
EMPTY_LINES_TYPE = "Condition"
OPEN_END_TYPE = "Goal"
_EMPTY_LINE_EVERY = 10

#: The first file of a type is closed at this size and each next one at twice the last one's, up to the largest: a small
#: export has several files of its large types too, and a large one few files.
_FIRST_FILE = 1 << 20
_LARGEST_FILE = 1 << 25
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one type in a spool, in the order of the spool."""

    resource_type: str
    lines: int
    size: int


@dataclass(slots=True)
class Spool:
    """A region on disk: first its truth, then its chunks."""

    path: Path
    truths: int = 0
    truth_size: int = 0
    chunks: list[Chunk] = field(default_factory=list)


def spooled(path: Path, lines: dict[str, list[bytes]], truths: int, truth: bytes) -> Spool:
    """Write a region into a spool file."""
    spool = Spool(path, truths, len(truth))
    with path.open("wb") as file:
        file.write(truth)
        for resource_type, own in lines.items():
            for piece in _pieces(_ended(resource_type, own)):
                data = b"".join(piece)
                file.write(data)
                spool.chunks.append(Chunk(resource_type, len(piece), len(data)))
    return spool


def _ended(resource_type: str, lines: list[bytes]) -> Iterator[bytes]:
    """The lines with their ends, and with empty lines after some of them."""
    end = b"\r\n" if resource_type == CRLF_TYPE else b"\n"
    for position, line in enumerate(lines):
        empty = resource_type == EMPTY_LINES_TYPE and position % _EMPTY_LINE_EVERY == 1
        yield line + end + (end if empty else b"")


def _pieces(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines in pieces of about a chunk; never a part of a line."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


class ExportFiles:
    """The files of an export: one open a type, followed by the next when it is large enough."""

    def __init__(self, folder: Path) -> None:
        self.counts: dict[str, int] = {}
        self.files = 0
        self.bytes = 0
        self._folder = folder
        self._open: dict[str, tuple[BinaryIO, int]] = {}

    def __enter__(self) -> ExportFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for resource_type, (file, _) in self._open.items():
            self._close(resource_type, file)

    def splice(self, source: BinaryIO, chunks: Iterable[Chunk]) -> None:
        """Append chunks, read from where `source` stands, to the files of their types."""
        for chunk in chunks:
            self._file(chunk.resource_type).write(source.read(chunk.size))
            self.counts[chunk.resource_type] = self.counts.get(chunk.resource_type, 0) + chunk.lines

    def _file(self, resource_type: str) -> BinaryIO:
        """The file that has room for the next chunk of a type."""
        file, number = self._open.get(resource_type, (None, -1))
        if file is not None:
            if file.tell() < min(_FIRST_FILE << min(number, 10), _LARGEST_FILE):
                return file
            self._close(resource_type, file)
        number += 1
        file = (self._folder / f"{resource_type}.{number:03}.ndjson").open("wb")
        self._open[resource_type] = file, number
        self.files += 1
        return file

    def _close(self, resource_type: str, file: BinaryIO) -> None:
        if resource_type == OPEN_END_TYPE:
            file.truncate(file.tell() - 1)
            file.seek(0, 2)
        self.bytes += file.tell()
        file.close()
