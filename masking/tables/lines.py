"""The lines of an NDJSON file, held as one text, and stretches of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from masking import storage
from masking.errors import CountMismatch
from masking.report.manifest import OutputFile

#: Text that is made columns of at once: few enough bytes to stay near the processor.
PIECE_BYTES = 8 << 20
Line = bytes | memoryview


def read_lines(destination: str, file: OutputFile) -> list[Line]:
    """The lines of a file that the run wrote, without their ends; none is blank.

    `CountMismatch` if there are not as many as were written.
    """
    content = storage.read_bytes(storage.join(destination, file.path)) or b""
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n")).tolist()
    if len(ends) != file.rows:
        raise CountMismatch(f"{file.path} has {len(ends)} lines where {file.rows} were written")
    view = memoryview(content)
    return [view[begin:end] for begin, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)]


def pieces(lines: Sequence[Line], most_bytes: int) -> Iterator[Sequence[Line]]:
    """Neighbours that together have about so many bytes."""
    start = size = 0
    for place, line in enumerate(lines):
        size += len(line)
        if size >= most_bytes:
            yield lines[start : place + 1]
            start, size = place + 1, 0
    if start < len(lines):
        yield lines[start:]
