"""How a file is laid out, apart from its documents: kind, codec, byte order mark, line ends. Runs in workers.

What is masked in place is written as it was. A blank line is no document and goes; all line ends are as the first is;
items of an array stand a line each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.sources.content import BOM, Content, Form, Unsupported, look
from masking.spark.lines import READ_BYTES, unreadable
from masking.spark.splits import Block

_FIRST_BYTES = 1 << 16
_WHITE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Layout:
    """form, codec: as the file's bytes tell them. bom: what it begins with, or nothing. end: what each line ends with."""

    form: Form
    codec: str
    bom: bytes
    end: bytes

    @property
    def is_plain(self) -> bool:
        """Whether its lines are there to be cut and joined as they are stored."""
        return self.form is Form.LINES and not self.codec


def layout_of(block: Block) -> Layout:
    """The layout of the file that a block is of, whichever of its blocks it is; line ends of `\\n` where there are none."""
    try:
        with storage.open_input(block.path) as raw:
            content = look(raw, Content(block.form, block.codec))
            stream = pa.CompressedInputStream(raw, content.codec) if content.codec else raw
            return Layout(content.form, content.codec, *_ends(stream))
    except (OSError, pa.ArrowException) as error:
        raise unreadable(block, error) from None
    except Unsupported as error:
        raise unreadable(block, str(error)) from None


def _ends(stream: Any) -> tuple[bytes, bytes]:
    """The byte order mark and the first line end of a text."""
    bom, last = b"", b""
    chunk = stream.read(_FIRST_BYTES)
    if chunk.startswith(BOM):
        bom = BOM
    while chunk:
        first = chunk.find(b"\n")
        if first >= 0:
            before = chunk[first - 1 : first] if first else last
            return bom, b"\r\n" if before == b"\r" else b"\n"
        last = chunk[-1:]
        chunk = stream.read(READ_BYTES)
    return bom, b"\n"


def around(document: bytes) -> tuple[bytes, bytes]:
    """The white space before and after a document that is a file."""
    inner = document.lstrip(_WHITE)
    start = document[: len(document) - len(inner)]
    return start, inner[len(inner.rstrip(_WHITE)) :]
