"""A stand-in for the document engine, importable by workers: plain, pure, and able to misbehave on demand."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from masking.document import Batch, Fault
from masking.report.manifest import MadeWith

MADE_WITH = MadeWith("double", "0" * 64, "fp-0123456789abcdef", "default", "2026-01-01")


@dataclass(frozen=True)
class Double:
    """Masks by adding a member; quarantines what is not JSON or of no type; drops Basic; raises on "BOOM"."""

    asks_people: ClassVar[bool] = False
    kill_flag: str = ""  # a file; the first process to see it removes it and dies
    seconds: float = 0.0

    def mask_batch(self, documents: list[bytes]) -> Batch:
        if self.kill_flag:
            self._die_once()
        time.sleep(self.seconds)
        batch = Batch([None] * len(documents), [None] * len(documents))
        for index, document in enumerate(documents):
            self._one(batch, index, document)
        return batch

    def _one(self, batch: Batch, index: int, document: bytes) -> None:
        if b"BOOM" in document:
            raise ValueError(f"cannot bear {document!r}")
        try:
            resource = json.loads(document)
        except ValueError:
            batch.faults.append(Fault(index, "not-json", "", "not a valid JSON text"))
            return
        name = resource.get("resourceType")
        if name not in ("Patient", "Observation", "Basic", "Claim"):
            batch.faults.append(Fault(index, "unknown-type", "", "not a type that R4 has"))
            return
        batch.resource_types[index] = name
        if name == "Basic":
            batch.dropped.append(index)
            return
        if "unreadable" in resource:
            batch.redactions.update(Counter({f"{name}.unreadable": 1}))
        batch.masked[index] = document[:-1] + b',"masked":true}'

    def _die_once(self) -> None:
        flag = Path(self.kill_flag)
        if flag.exists():
            flag.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


class Careless(Double):
    """Loses a document of each batch."""

    def mask_batch(self, documents: list[bytes]) -> Batch:
        batch = super().mask_batch(documents)
        batch.masked[0] = None
        return batch


class Wordy(Double):
    """Writes one document over two lines."""

    def mask_batch(self, documents: list[bytes]) -> Batch:
        batch = super().mask_batch(documents)
        batch.masked = [masked and masked.replace(b",", b",\n") for masked in batch.masked]
        return batch
