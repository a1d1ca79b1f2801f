r"""A JSON text as the parts between its quotes, the shape that many texts share, and the tree of one shape.

`text.split(b'"')` puts structure and numbers at the even places and strings (keys and values) at the odd ones. Two
documents whose even parts differ in digits alone and whose keys are equal have one *shape*: what must be done to them
is worked out once. That is what makes the engine fast: an export of millions of resources has a few hundred shapes.

Escaped quotes would split in the wrong place. JSON allows no control characters inside strings, so two of them stand
in for `\\` and `\"` while a text is in parts.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import msgspec
import numpy as np

QUOTE = b'"'
#: What varies between texts of one shape: the characters of numbers. `true`, `false` and `null` stay distinct without
#: them.
_NUMBER_CHARACTERS = b"0123456789+-.eE"
_BACKSLASH, _ESCAPED_QUOTE = b"\x00", b"\x01"

LITERAL = re.compile(rb"-?[0-9][0-9+\-.eE]*|true|false|null")
NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TOKEN = re.compile(rb"[{}\[\],:]|-?[0-9][0-9+\-.eE]*|true|false|null")

MAX_DEPTH = 100
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))

_json_string = msgspec.json.Decoder(str)
_json_text = msgspec.json.Decoder(msgspec.Raw)
_to_json = msgspec.json.Encoder().encode


class TooDeep(ValueError):
    """Objects and arrays are nested deeper than `MAX_DEPTH`."""


class DuplicateKey(ValueError):
    """An object names one property twice: readers would disagree about its value."""


def stand_in(text: bytes) -> bytes:
    """The text with the escapes that hide a quote stood in for; `restore` undoes it."""
    return text.replace(b"\\\\", _BACKSLASH).replace(b'\\"', _ESCAPED_QUOTE) if b"\\" in text else text


def split(text: bytes) -> list[bytes]:
    """The parts between the quotes of a valid JSON text; joined by quotes and restored they are the text again."""
    return stand_in(text).split(QUOTE)


def validate(text: bytes) -> None:
    """Raise msgspec.DecodeError or RecursionError for a text that is no JSON. UTF-8 is for the caller to check."""
    _json_text.decode(text)


def check_depth(plain: bytes) -> None:
    """Raise TooDeep for what `parse` would refuse: a text that is cut must not fare better. `plain`: as `stand_in` gives."""
    # Brackets inside strings may make it look deeper than it is: only then is it worth taking the strings out.
    if _depth(plain) > MAX_DEPTH and _depth(b"".join(plain.split(QUOTE)[::2])) > MAX_DEPTH:
        raise TooDeep


def _depth(text: bytes) -> int:
    """How deep the brackets of a text go: 0 for the outermost, as `parse` counts."""
    brackets = np.frombuffer(text.translate(None, _NOT_BRACKETS), dtype=np.uint8)
    steps = np.where((brackets == ord("{")) | (brackets == ord("[")), 1, -1)
    return int(steps.cumsum().max(initial=1)) - 1


def restore(text: bytes) -> bytes:
    """Undo the stand-ins for escapes."""
    if _ESCAPED_QUOTE in text:
        text = text.replace(_ESCAPED_QUOTE, b'\\"')
    if _BACKSLASH in text:
        text = text.replace(_BACKSLASH, b"\\\\")
    return text


def signature(parts: list[bytes]) -> bytes:
    """The structure of a text without its strings and numbers."""
    return QUOTE.join(parts[::2]).translate(None, _NUMBER_CHARACTERS)


def to_text(part: bytes) -> str:
    """The string that an odd part spells. Raises ValueError where the escapes are no valid text."""
    if b"\\" in part or _BACKSLASH in part or _ESCAPED_QUOTE in part:
        return _json_string.decode(b'"' + restore(part) + b'"')
    return part.decode()


def plain(part: bytes) -> bytes:
    """The one spelling of what a part spells: no escapes but those that JSON demands."""
    is_escaped = b"\\" in part or _BACKSLASH in part or _ESCAPED_QUOTE in part
    return to_part(to_text(part)) if is_escaped else part


def to_part(text: str) -> bytes:
    """The odd part that spells a string: JSON's escapes and UTF-8, without the quotes."""
    if text.isalnum() and text.isascii():
        return text.encode()
    return _to_json(text)[1:-1]


# ── the tree of one shape ──

#: A place between characters: (part, offset in the part).
Position = tuple[int, int]


@dataclass(slots=True)
class Text:
    """A string value: the odd part that holds it."""

    part: int

    @property
    def end(self) -> Position:
        """After its closing quote."""
        return self.part + 1, 0


@dataclass(slots=True)
class Literal:
    """A number, true, false or null: where it stands in an even part, and the how-manieth literal of the part it is."""

    start: Position
    end: Position
    ordinal: int
    spelling: bytes


@dataclass(slots=True)
class Array:
    """An array with its items."""

    start: Position
    end: Position
    items: list[Value]


@dataclass(slots=True)
class Member:
    """A property of an object: the odd part that holds its key, and its value."""

    key: str
    part: int
    value: Value


@dataclass(slots=True)
class Object:
    """An object with its properties, in order."""

    start: Position
    end: Position
    members: dict[str, Member]


Value = Text | Literal | Array | Object


#: A token: its kind (a character of structure, a literal, or None for a string), its part, span, and ordinal among
#: literals.
_Token = tuple[bytes | None, int, int, int, int]


def parse(parts: list[bytes]) -> Value:
    """The tree of a valid JSON text in parts. Raises TooDeep and DuplicateKey."""
    return _value(_tokens(parts), 0, parts, 0)[0]


def _tokens(parts: list[bytes]) -> list[_Token]:
    tokens: list[_Token] = []
    last = len(parts) - 1
    for part in range(0, last + 1, 2):
        for kind, start, stop, ordinal in _structure(parts[part]):
            tokens.append((kind, part, start, stop, ordinal))
        if part < last:
            tokens.append((None, part + 1, 0, 0, 0))
    tokens.append((b"", last, 0, 0, 0))
    return tokens


@functools.lru_cache(maxsize=4096)
def _structure(text: bytes) -> tuple[tuple[bytes, int, int, int], ...]:
    """The tokens of an even part. Few kinds of them make up nearly all of JSON, so they are remembered."""
    found, ordinal = [], 0
    for match in _TOKEN.finditer(text):
        kind = match.group()
        found.append((kind, match.start(), match.end(), ordinal))
        ordinal += kind not in b"{}[],:"
    return tuple(found)


def _value(tokens: list[_Token], at: int, parts: list[bytes], depth: int) -> tuple[Value, int]:
    """The value whose first token is at `at`, and the place after it."""
    kind, part, start, stop, ordinal = tokens[at]
    if kind is None:
        return Text(part), at + 1
    if kind in (b"{", b"["):
        if depth > MAX_DEPTH:
            raise TooDeep
        return (_object if kind == b"{" else _array)(tokens, at, parts, depth)
    return Literal((part, start), (part, stop), ordinal, kind), at + 1


def _object(tokens: list[_Token], at: int, parts: list[bytes], depth: int) -> tuple[Object, int]:
    _, part, start, _, _ = tokens[at]
    members: dict[str, Member] = {}
    at += 1
    while tokens[at][0] is None:
        key_part = tokens[at][1]
        key = parts[key_part].decode()
        if key in members:
            raise DuplicateKey
        value, at = _value(tokens, at + 2, parts, depth + 1)  # past the key and the colon
        members[key] = Member(key, key_part, value)
        at += tokens[at][0] == b","
    return Object((part, start), (tokens[at][1], tokens[at][3]), members), at + 1


def _array(tokens: list[_Token], at: int, parts: list[bytes], depth: int) -> tuple[Array, int]:
    _, part, start, _, _ = tokens[at]
    items: list[Value] = []
    at += 1
    while tokens[at][0] != b"]":
        value, at = _value(tokens, at, parts, depth + 1)
        items.append(value)
        at += tokens[at][0] == b","
    return Array((part, start), (tokens[at][1], tokens[at][3]), items), at + 1
