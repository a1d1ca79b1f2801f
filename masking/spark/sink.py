"""A spool as what Arrow takes for a file: bytes are counted and hashed on their way."""

from __future__ import annotations

import hashlib
from typing import Any

from masking import storage


class Sink:
    """What Arrow's writers and compressors take for a file."""

    closed = False

    def __init__(self, spool: storage.Spool) -> None:
        self._spool = spool
        self._is_dropped = False
        self.size = 0
        self.hash = hashlib.sha256()

    def write(self, content: Any) -> int:
        """Append bytes."""
        held = bytes(content)
        if self._is_dropped:
            return len(held)
        self._spool.write(held)
        self.hash.update(held)
        self.size += len(held)
        return len(held)

    def drop(self) -> None:
        """Pass over what is still written: a writer of Arrow's writes to its end when it is dropped."""
        self._is_dropped = True

    def tell(self) -> int:
        """Where the next byte goes."""
        return self.size

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """The spool is closed by who opened it."""
