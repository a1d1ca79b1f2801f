"""Which documents a masking task masks again. Runs in workers; what it goes by is written by `masking.spark.refresh`."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from masking import storage
from masking.identity.better import tokens_in
from masking.identity.store import read_rows
from masking.spark.bundles import only_deletes
from masking.spark.lines import LineBatch

#: How a token's last run is written, and the name of the file of newest versions.
PLACE = struct.Struct(">I")
NEWEST = "newest.bin"


def affected_folder(folder: str) -> str:
    """Where tokens lie, in a run's folder of identities."""
    return storage.join(folder, "affected")


class _Head(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 (FHIR's name)
    id: str = ""


_head = msgspec.json.Decoder(_Head).decode


def id_of(line: bytes) -> int:
    """A number for the type and id of a masked resource."""
    head = _head(line)
    digest = hashlib.blake2b(f"{head.resourceType}/{head.id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def row_rank(place: int) -> int:
    """How new a row is of the run at a place of its dataset; a deletion of the same run is newer by one."""
    return 2 * place


@dataclass(frozen=True, slots=True)
class Again:
    """What masking tasks are told. folder: of identities. places: of each task's blocks the place of the run that read it.

    everyone: mask all documents. refreshed: the place of the last run that has masked again all that it should.
    """

    folder: str
    places: tuple[tuple[int, ...], ...]
    refreshed: int
    everyone: bool

    def open(self, task: int) -> Chosen:
        """What one task asks."""
        if self.folder not in _LOADED:
            _LOADED.clear()
            _LOADED[self.folder] = (_tokens(self.folder), *_newest(self.folder))
        return Chosen(self.places[task], self.refreshed, self.everyone, *_LOADED[self.folder])


_LOADED: dict[str, tuple[dict[str, int], Any, Any]] = {}


def _tokens(folder: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for file in storage.list_files(affected_folder(folder)):
        if file.path.endswith(".parquet"):
            for token, payload in read_rows(file.path):
                found[token] = max(PLACE.unpack(payload)[0], found.get(token, -1))
    return found


def _newest(folder: str) -> tuple[Any, Any]:
    content = storage.read_bytes(storage.join(affected_folder(folder), NEWEST)) or b""
    count = len(content) // 12
    return np.frombuffer(content, np.int64, count), np.frombuffer(content, np.int32, count, 8 * count)


@dataclass(slots=True)
class Chosen:
    """Which documents of one task are masked again. passed: how many lines are not."""

    places: tuple[int, ...]
    refreshed: int
    everyone: bool
    tokens: dict[str, int] = field(repr=False)
    ids: Any = field(repr=False)
    ranks: Any = field(repr=False)
    passed: int = 0

    def narrow(self, batch: LineBatch) -> LineBatch:
        """The documents of a batch that bear on somebody of whom was learned since they were masked."""
        chosen = LineBatch()
        for index, document in enumerate(batch.documents):
            block, line = batch.place(index)
            if self._bears(document, max(self.places[block], self.refreshed)):
                chosen.add(block, line, [document], len(document))
        self.passed += len(batch.documents) - len(chosen.documents) + len(batch.too_long) + len(batch.put_aside)
        return chosen

    def _bears(self, document: bytes, since: int) -> bool:
        if only_deletes(document):
            return False  # it was carried out when it was read
        return self.everyone or any(self.tokens.get(token, -1) > since for token in tokens_in(document))

    def is_superseded(self, block: int, masked: bytes) -> bool:
        """Whether a run has written a newer version of a resource than the one of this block, or has deleted it."""
        if not len(self.ids):
            return False
        number = id_of(masked)
        at = int(np.searchsorted(self.ids, number))
        return at < len(self.ids) and self.ids[at] == number and bool(self.ranks[at] > row_rank(self.places[block]))
