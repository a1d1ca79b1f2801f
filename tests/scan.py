"""A scan of masked output that knows nothing of the program: its own JSON reader, its own idea of what gives people away.

A document is taken as its leaves: the path of each and its spelling, which is the very text in the document. So `1.0` is
not `1.00` and `"\\u00e9"` is not `"é"`: a test that compares leaves compares bytes.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Path (`Patient.name[0].given[1]`) to spelling, in the document's order.
Leaves = dict[str, str]

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DAY = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_INDEX = re.compile(r"\[\d+\]")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}")


def leaves(document: str) -> Leaves:
    """Every string, number, true, false, null, `{}` and `[]` of a valid JSON object with a resourceType."""
    found: Leaves = {}
    tokens = iter(_TOKEN.findall(document))
    _value(next(tokens), tokens, "", found)
    kind = text(found[".resourceType"])
    return {kind + path: spelling for path, spelling in found.items()}


def _value(token: str, tokens: Iterator[str], path: str, found: Leaves) -> None:
    if token not in ("{", "["):
        found[path] = token
        return
    is_object, count = token == "{", 0
    token = next(tokens)
    if token in "}]":
        found[path] = "{}" if is_object else "[]"
        return
    while True:
        below = f"{path}.{token[1:-1]}" if is_object else f"{path}[{count}]"
        if is_object:
            next(tokens)  # the colon
            token = next(tokens)
        _value(token, tokens, below, found)
        count += 1
        if next(tokens) in "}]":
            return
        token = next(tokens)


def text(spelling: str) -> str:
    """What a leaf says: strings without quotes and escapes, anything else as it is spelled."""
    return str(json.loads(spelling)) if spelling[:1] == '"' else spelling


def generic(path: str) -> str:
    """A path without its indexes."""
    return _INDEX.sub("", path)


def unwrapped(value: str) -> str:
    """What base64 hides; "" where it hides nothing."""
    if len(value) % 4 or not _BASE64.fullmatch(value):
        return ""
    try:
        return base64.b64decode(value).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def haystack(documents: Iterable[Leaves]) -> str:
    """All that documents say, once each: values with JSON and base64 undone, and what stands in keys."""
    said: set[str] = set()
    for document in documents:
        for path, spelling in document.items():
            value = text(spelling)
            said.update((generic(path), value, unwrapped(value)))
    return "\n".join(sorted(said))


def holds(stack: str, needle: str) -> bool:
    """Whether a text holds another that is not the inside of a longer word or number."""
    return needle in stack and re.search(rf"(?<!\w){re.escape(needle)}(?!\w)", stack) is not None


def lines(path: Path) -> list[str]:
    """The documents of an NDJSON file; U+2028 and its like end no line."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [line for line in content.decode().split("\n") if line.strip()]


@dataclass(frozen=True)
class Pair:
    """A document before and after."""

    source: Leaves
    masked: Leaves

    @property
    def key(self) -> tuple[str, str]:
        """The source's type and id."""
        return resource_key(self.source)

    @property
    def masked_key(self) -> tuple[str, str]:
        """The type and id that it has now."""
        return resource_key(self.masked)


def resource_key(document: Leaves) -> tuple[str, str]:
    """A resource's type and id."""
    kind = next(iter(document)).partition(".")[0]
    return kind, text(document[f"{kind}.id"])


def pairs(sources: Iterable[Path], ndjson: Path) -> list[Pair]:
    """Documents before and after, where each source file holds one type and was not cut: then the order is the same."""
    found = []
    for source in sorted(sources):
        before = lines(source)
        kind = source.name.partition(".")[0]
        after = [line for path in sorted((ndjson / kind).iterdir()) for line in lines(path)]
        assert len(before) == len(after), kind
        found += [Pair(leaves(a), leaves(b)) for a, b in zip(before, after, strict=True)]
    return found
