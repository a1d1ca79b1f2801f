"""Look for what is known in a batch of documents, and say whose it is: one's own, or somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np

from masking.native import Bytes, Ints, bytes_of
from masking.verify import letters, words
from masking.verify.hidden import Opener, undone
from masking.verify.known import Known, owned
from masking.verify.valid import Spelled

_decode = msgspec.json.Decoder(float_hook=Spelled).decode


class Finds(NamedTuple):
    """Values met in a batch: the place of each in the table, the number of its document, the day (YYYYMMDD, of days only),
    and the owner among the people of its document (0: none of theirs). Each once a document.
    """

    places: Any
    documents: Any
    days: Any
    owners: Any


class Leaf(NamedTuple):
    """Where in a document a value stands: path without indexes, and the text there."""

    path: str
    text: str


#: Finds for which there is room at least.
_ROOM = 256


@dataclass(slots=True)
class Looker:
    """Searches with the tables of one source."""

    known: Known
    _opener: Opener
    _buffer: int = 1 << 16

    @classmethod
    def of(cls, known: Known) -> Looker:
        """With these tables."""
        return cls(known, Opener())

    def look(self, documents: Sequence[bytes], people: Sequence[Sequence[int]], *, is_json: bool = True) -> Finds:
        """Search documents. people: of each, whose it may be said to be (keys of owners)."""
        text = b"\n".join(documents) + b"\n"
        bounds = np.zeros(len(documents) + 1, np.int64)
        np.cumsum([len(document) + 1 for document in documents], out=bounds[1:])
        ends, places, days = self._scan(text, is_json)
        numbers = np.searchsorted(bounds, ends - 1, side="right") - 1
        hidden: list[bytes] = []
        starts: list[int] = []
        for start, texts in self._opener.strings(text, is_json=is_json):
            hidden += texts
            starts += [start] * len(texts)
        if hidden:
            more = self._in_texts(hidden)
            of_text = np.searchsorted(bounds, np.array(starts, np.int64), side="right") - 1
            places, days = np.concatenate([places, more[1]]), np.concatenate([days, more[2]])
            numbers = np.concatenate([numbers, of_text[more[0]]])
        found = np.unique(np.stack([numbers.astype(np.int64), places.astype(np.int64), days.astype(np.int64)]), axis=1)
        return self._owned(found, people)

    def _in_texts(self, texts: Sequence[bytes]) -> tuple[Any, Any, Any]:
        """Number of the text, place and day of each find in texts that are no JSON."""
        bounds = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) + 1 for text in texts], out=bounds[1:])
        ends, places, days = self._scan(b"\n".join(texts) + b"\n", False)
        return np.searchsorted(bounds, ends - 1, side="right") - 1, places, days

    def _scan(self, text: bytes, is_json: bool) -> tuple[Any, Any, Any]:
        known = self.known
        content: Bytes = bytes_of(text)
        room = min(self._buffer, max(_ROOM, len(text)))
        while True:
            found: list[Ints] = [np.zeros(room, np.int32) for _ in range(3)]
            count = words.scan(
                content,
                is_json,
                known.keys,
                known.marks,
                len(known.keys) - 1,
                letters.folds(),
                letters.powers(),
                *found,
            )
            if count >= 0:
                return tuple(one[:count] for one in found)  # type: ignore[return-value]
            room *= 4
            self._buffer = max(self._buffer, room)

    def _owned(self, found: Any, people: Sequence[Sequence[int]]) -> Finds:
        numbers, places, days = found
        bounds = np.zeros(len(people) + 1, np.int32)
        np.cumsum([len(who) for who in people], out=bounds[1:])
        everybody = np.array([one for who in people for one in who] or [0], np.uint64)
        owners = np.zeros(len(places), np.uint64)
        values = np.ascontiguousarray(self.known.keys[places])
        pairs = self.known.pairs
        owned(pairs, len(pairs) - 1, values, numbers.astype(np.int32), bounds, everybody, owners)
        return Finds(places, numbers, days, owners)

    def where(self, document: bytes, places: frozenset[int]) -> dict[int, list[Leaf]]:
        """The leaves of a JSON document in which values stand that were found in it, by the values' places in the table.

        Of decimals only what stands before the point is anybody's number: behind it stand cents, and what rounding left
        (`25883.99999999999`).
        """
        found: dict[int, list[Leaf]] = {}
        listed = [Leaf(*one) for one in _as_spelled(document)]
        for leaf, there in zip(listed, self.places_in_each([leaf.text for leaf in listed]), strict=True):
            for place in there & places:
                where = found.setdefault(place, [])
                if not isinstance(leaf.text, Spelled) or place in self.places_in(leaf.text.partition(".")[0]):
                    where.append(leaf)
        return found

    def places_in(self, text: str) -> set[int]:
        """The places of all values in one text, hidden ones too."""
        (found,) = self.places_in_each([text])
        return found

    def places_in_each(self, texts: Sequence[str]) -> list[set[int]]:
        """The same of each of many texts, in one search."""
        found: list[set[int]] = [set() for _ in texts]
        searched: list[bytes] = []
        of_text: list[int] = []
        for number, text in enumerate(texts):
            content = text.encode("utf-8", "surrogatepass")
            opened = [content, *undone(content)]
            searched += opened
            of_text += [number] * len(opened)
        if searched:
            numbers, places, _ = self._in_texts(searched)
            for number, place in zip(numbers.tolist(), places.tolist(), strict=True):
                found[of_text[number]].add(place)
        return found


def leaves(document: bytes) -> Iterator[tuple[str, str]]:
    """Every string and number of a JSON document with its path; names of properties that are texts themselves as `?`."""
    return ((path, str(text)) for path, text in _as_spelled(document))


def _as_spelled(document: bytes) -> Iterator[tuple[str, str]]:
    """The same, decimals told apart from strings."""
    try:
        value = _decode(document)
    except (msgspec.DecodeError, RecursionError):
        yield "?", document.decode("utf-8", "replace")
        return
    kind = value.get("resourceType") if isinstance(value, dict) else None
    yield from _leaves(value, kind if isinstance(kind, str) and kind.isalpha() else "?")


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            plain = name.removeprefix("_").isalnum() and len(name) < 40
            if not plain:
                yield f"{path}.?", name
            if name in ("extension", "modifierExtension"):
                for one in inner if isinstance(inner, list) else [inner]:
                    url = one.get("url") if isinstance(one, dict) else None
                    yield from _leaves(one, f"{path}.{name}[{url}]" if isinstance(url, str) else f"{path}.{name}[?]")
            else:
                yield from _leaves(inner, _within(inner, f"{path}.{name}" if plain else f"{path}.?"))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, _within(inner, path))
    elif isinstance(value, str):
        yield path, value
    elif value is not None and not isinstance(value, bool):
        yield path, str(value)


def _within(value: Any, path: str) -> str:
    """The path of an item: what is contained begins anew with its type."""
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) and kind.isalpha() else path
