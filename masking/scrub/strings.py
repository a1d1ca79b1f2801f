"""The strings of a JSON text, each with its key and the object that it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*)"(\s*:\s*)?|[{}\[\]]', re.DOTALL)


class Value(NamedTuple):
    """A string that is a value, between its quotes `text`: the number of its object, the key of that, its own key and where
    that begins, and where it begins and ends, with its quotes.
    """

    holder: int
    parent: str
    key: str
    key_start: int
    start: int
    stop: int
    text: str


def json_values(text: str) -> Iterator[Value]:
    """All strings of a valid JSON text that are values."""
    open_: list[tuple[int, str]] = []  # of objects and arrays: their numbers and keys
    key, key_start, count = "", 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("{", "["):
            # What an array holds goes by the array's own key.
            open_.append((count, key))
            count += 1
            key = key if token[0] == "[" else ""
        elif token[0] in ("}", "]"):
            key = open_.pop()[1] if open_ else ""
        elif token[2] is not None:
            key, key_start = token[1], token.start()
        else:
            holder, parent = open_[-1] if open_ else (-1, "")
            yield Value(holder, parent, key, key_start, token.start(), token.end(), token[1])


def identifiers(text: str) -> tuple[list[int], list[int]]:
    """Where the ids of FHIR's resources begin in a JSON text, and where the values of their identifiers do."""
    ids: list[tuple[int, int]] = []
    values: list[int] = []
    resources: set[int] = set()
    for value in json_values(text) if '"resourceType"' in text else ():
        if value.key == "id":
            ids.append((value.holder, value.start))
        elif value.key == "resourceType":
            resources.add(value.holder)
        elif value.key == "value" and value.parent == "identifier":
            values.append(value.start)
    return [start for holder, start in ids if holder in resources], values
