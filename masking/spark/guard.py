"""The border to the document engine: what is asked of it, and what happens when it fails. Runs in workers."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Sequence
from pathlib import PurePath
from typing import Protocol

from masking.document import Batch, Fault
from masking.errors import CountMismatch
from masking.maskers.base import People


class DocumentEngine(Protocol):
    """What masks documents (`masking.document.Engine`): picklable, and a pure function of each document."""

    @property
    def asks_people(self) -> bool:
        """Whether it wants to know what the export says of people before it masks."""

    def with_people(self, people: People) -> DocumentEngine:
        """The same engine, knowing them."""

    def mask_batch(self, documents: Sequence[bytes]) -> Batch:
        """Mask one JSON text an entry; each is masked, at fault or dropped."""


class Guard:
    """Asks an engine, holds it to its word, and survives its failures."""

    def __init__(self, engine: DocumentEngine) -> None:
        self._engine = engine

    def mask_batch(self, documents: Sequence[bytes]) -> Batch:
        """The engine's answer. If it fails, one document at a time, and what it fails on alone is at fault.

        An exception's text may quote a document, so nothing of it goes on but its kind and where it arose.
        `CountMismatch` if the engine does not account for each document.
        """
        try:
            batch = self._engine.mask_batch(documents)
        except Exception as error:
            # It stopped midway and may hold half a batch: a copy shares its plan and starts anew.
            self._engine = copy.copy(self._engine)
            if len(documents) == 1:
                return Batch([None], [None], [Fault(0, "engine-error", "", where(error))])
        else:
            _check(batch, len(documents))
            return batch
        whole = Batch([], [])
        for document in documents:
            _append(whole, self.mask_batch([document]))
        return whole


def _append(whole: Batch, one: Batch) -> None:
    """Add the outcome of a single document to that of those before it."""
    index = len(whole.masked)
    whole.masked += one.masked
    whole.resource_types += one.resource_types
    whole.faults += [Fault(index, fault.reason, fault.place, fault.message) for fault in one.faults]
    whole.dropped += [index for _ in one.dropped]
    whole.redactions.update(one.redactions)
    whole.dangling.update(one.dangling)


def where(error: Exception) -> str:
    """An exception's kind and the place that raised it; no text of it, no source line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {PurePath(last.filename).name}:{last.lineno} in {last.name}"


def _check(batch: Batch, documents: int) -> None:
    """Each document masked (and of a named type), at fault or dropped, and only one of these."""
    unwritten = {fault.index for fault in batch.faults} | set(batch.dropped)
    right = (
        len(batch.masked) == len(batch.resource_types) == documents
        and len(unwritten) == len(batch.faults) + len(batch.dropped) == batch.masked.count(None)
        and all(0 <= index < documents and batch.masked[index] is None for index in unwritten)
        and all(index in unwritten for index, name in enumerate(batch.resource_types) if name is None)
    )
    if not right:
        raise CountMismatch("the engine did not account for each document of a batch; this is a bug in the engine")
