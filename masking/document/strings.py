"""JSON strings without their quotes, to text and back."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

#: What stands between the quotes of a JSON string, or null.
Part = bytes | None

_decode = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode
#: Characters that JSON escapes; the line feed is told by counting.
_TO_ESCAPE = re.compile(r'["\\\x00-\x09\x0b-\x1f]')


def to_text(spelled: bytes) -> str:
    """What a valid JSON string spells; `spelled` is what stands between its quotes."""
    return _decode(b'"' + spelled + b'"') if b"\\" in spelled else spelled.decode()


def to_part(text: str) -> bytes:
    """What stands between the quotes of the JSON string that spells a text."""
    return text.encode() if text.isascii() and text.isalnum() else _encode(text)[1:-1]


def plain(spelled: bytes) -> bytes:
    """The one spelling of what a JSON string spells: no escapes but those that JSON demands."""
    return to_part(to_text(spelled)) if b"\\" in spelled else spelled


def to_texts(parts: Sequence[bytes | None]) -> list[str | None]:
    """Many at once; null stays null."""
    if None not in parts:
        joined = b"\n".join(parts)  # type: ignore[arg-type]  # no null is in it
        if b"\\" not in joined:
            return joined.decode().split("\n")  # type: ignore[return-value]
    return [None if part is None else to_text(part) for part in parts]


def to_parts(texts: Sequence[str | None]) -> list[bytes | None]:
    """Many at once; null stays null."""
    if texts and None not in texts:
        joined = "\n".join(texts)  # type: ignore[arg-type]  # no null is in it
        if not _TO_ESCAPE.search(joined) and joined.count("\n") == len(texts) - 1:
            return joined.encode().split(b"\n")  # type: ignore[return-value]
    return [None if text is None else to_part(text) for text in texts]
