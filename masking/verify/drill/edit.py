"""A JSON document that is changed in one place: all other bytes stay, numbers as they are spelled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from masking.fhir.elements import children, resource_types

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class Number(str):
    """A number as it is spelled."""

    __slots__ = ()


class Verbatim(str):
    """A JSON string as it is to be written, escapes and all, quotes aside."""

    __slots__ = ()


def decode(content: bytes) -> Any:
    """A JSON value whose numbers are `Number`."""
    return json.loads(content, parse_float=Number, parse_int=Number)


def encode(value: Any) -> bytes:
    """The same again."""
    if isinstance(value, Number):
        return value.encode()
    if isinstance(value, Verbatim):
        return f'"{value}"'.encode()
    if isinstance(value, dict):
        return b"{" + b",".join(_encode(name) + b":" + encode(inner) for name, inner in value.items()) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(encode, value)) + b"]"
    return _encode(value)


class Document:
    """A resource by its members. Raises `msgspec.DecodeError` for what is no JSON object."""

    def __init__(self, content: bytes) -> None:
        self._members = _members(content)

    @property
    def kind(self) -> str:
        """Its resource type."""
        kind = self.get("resourceType")
        return kind if isinstance(kind, str) and kind in resource_types() else ""

    @property
    def name(self) -> str:
        """`Type/id`; "" where it has no id."""
        own = self.get("id")
        return f"{self.kind}/{own}" if isinstance(own, str) else ""

    def names(self) -> list[str]:
        """Of its members."""
        return list(self._members)

    def get(self, name: str) -> Any:
        """A member; None where there is none."""
        raw = self._members.get(name)
        return None if raw is None else decode(bytes(raw))

    def put(self, name: str, value: Any) -> None:
        """Set a member; None removes it."""
        if value is None:
            self._members.pop(name, None)
        else:
            self._members[name] = msgspec.Raw(encode(value))

    def take(self, other: Document, name: str) -> None:
        """Set a member to another document's, byte for byte."""
        raw = other._members.get(name)
        if raw is None:
            self._members.pop(name, None)
        else:
            self._members[name] = raw

    def reverse(self) -> None:
        """Turn the order of the members around, all but its type's."""
        kind = {name: raw for name, raw in self._members.items() if name == "resourceType"}
        self._members = {**kind, **dict(reversed(self._members.items()))}

    def append(self, name: str, value: Any) -> None:
        """Add to a member that is an array."""
        there = self.get(name)
        self.put(name, [*(there if isinstance(there, list) else []), value])

    def as_bytes(self) -> bytes:
        """The document."""
        return _encode(self._members)


#: Given a path, the type of what stands there and the value: what it becomes, None where it stays.
Choose = Callable[[str, str, Any], Any]


def change_one(document: Document, choose: Choose) -> str:
    """Change the first leaf that `choose` wants changed; its path, "" where there is none. Extensions and resources within
    are passed over.
    """
    for name in document.names():
        value = document.get(name)
        holder = {name: value}
        for path in _changed(holder, document.kind, document.kind, choose):
            document.put(name, holder[name])
            return path
    return ""


def _changed(holder: Json, content: str, path: str, choose: Choose) -> Iterator[str]:
    """Yields once something is changed."""
    known = children(content)
    for name, value in list(holder.items()):
        element = known.get(name)
        if element is None or element.content in ("Extension", "Resource"):
            continue
        below = f"{path}.{name}"
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, dict) and element.content is not None:
                yield from _changed(item, element.content, below, choose)
            elif element.is_primitive and item is not None and (new := choose(below, element.type, item)) is not None:
                if isinstance(value, list):
                    value[index] = new
                else:
                    holder[name] = new
                yield below
