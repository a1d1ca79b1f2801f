"""The shape of a JSON text: all of it but its values that are strings or numbers, and these in order, its leaves.

Two texts of one shape have the same objects, names and arrays. An export has few shapes and many texts. A text is not
parsed for that: machine code goes over it once (`masking.verify.cut`).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np

from masking.native import Bytes, Ints, bytes_of
from masking.verify.cut import cut

_DEPTH = 64
_stack, _digest = np.zeros(_DEPTH, np.int32), np.zeros(2, np.uint64)


class Text:
    """A text by its shape, which is equal for texts of one. spans: begin and end of each leaf in turn; ends: the same as a list."""

    __slots__ = ("content", "document", "ends", "shape", "spans")

    def __init__(self, document: bytes, content: Bytes, spans: Ints, shape: bytes) -> None:
        self.document, self.content, self.spans, self.shape = document, content, spans, shape
        self.ends: list[int] = spans.tolist()

    def leaf(self, number: int) -> str:
        """A leaf, as it reads. Raises `msgspec.DecodeError` for what is no text of JSON."""
        ends = self.ends
        spelled = self.document[ends[2 * number] : ends[2 * number + 1]]
        return spelled.decode() if b"\\" not in spelled else plain(spelled)

    def spelled(self, first: int, last: int) -> bytes:
        """All from one leaf to another, as it is spelled, quotes at both ends aside."""
        return self.document[self.ends[2 * first] : self.ends[2 * last + 1]]

    def is_number(self, number: int) -> bool:
        """Whether a leaf is a number."""
        start = self.ends[2 * number]
        return not start or self.document[start - 1] != ord('"')

    def tree(self) -> Any:
        """The text as JSON, with the number of each leaf in its place. Raises `ValueError` where it is none."""
        ends, out, at = self.ends, [], 0
        for number in range(len(ends) // 2):
            quote = not self.is_number(number)
            out += [self.document[at : ends[2 * number] - quote], str(number).encode()]
            at = ends[2 * number + 1] + quote
        return json.loads(b"".join([*out, self.document[at:]]))


def read(document: bytes) -> Text | None:
    """A text by its shape; None where it has to be looked at otherwise."""
    content = bytes_of(document)
    spans = np.empty(len(document) + 2, np.int32)
    count = cut(content, spans, _stack, _digest)
    if count < 0:
        return None
    if not document.isascii():
        try:
            document.decode()
        except UnicodeDecodeError:
            return None
    return Text(document, content, spans[: 2 * count], _digest.tobytes())


def plain(spelled: bytes) -> str:
    """A leaf as it reads. Raises `msgspec.DecodeError` for what is no text of JSON."""
    return spelled.decode() if b"\\" not in spelled else msgspec.json.decode(b'"' + spelled + b'"', type=str)
