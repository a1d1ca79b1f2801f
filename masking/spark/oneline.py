"""Make one line of a pretty-printed JSON document: white space between tokens goes, every other byte stays."""

from __future__ import annotations

import numpy as np

_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_WHITE = np.zeros(256, bool)
_WHITE[list(b" \t\r\n")] = True


def one_line(document: bytes) -> bytes:
    """The document without the white space outside its strings, if it has a line end at all; else the very bytes.

    `document` is valid JSON, so it has no line end within a string and no backslash outside of one.
    """
    if b"\n" not in document and b"\r" not in document:
        return document
    text = np.frombuffer(document, np.uint8)
    quotes = text == _QUOTE
    if b'\\"' in document:
        quotes[_escaped(text)] = False
    # How many quotes stand before and at a byte: odd within a string. Counted modulo 256, which keeps odd and even.
    within = (np.cumsum(quotes, dtype=np.uint8) & 1).view(bool)
    return text[within | ~_WHITE[text]].tobytes()


def _escaped(text: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Where a byte stands that a backslash escapes: behind a run of backslashes of odd length."""
    slashes = np.flatnonzero(text == _BACKSLASH)
    last = np.append(np.diff(slashes) != 1, True)
    ends = slashes[last]
    lengths = np.diff(np.flatnonzero(last), prepend=-1)
    behind = ends[lengths % 2 == 1] + 1
    inside: np.ndarray[tuple[int], np.dtype[np.intp]] = behind[behind < len(text)]
    return inside
