"""Write a task's output: a file a resource type, rolled at a size, and what was quarantined. Runs in workers.

Counts and hashes are made on the way. A name depends on the type, the task and the order of files alone, so a second
attempt at a task puts the same bytes under the same names.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from masking import storage
from masking.errors import MaskingError
from masking.report.manifest import OutputFile

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
NDJSON = "ndjson"
PARQUET = "parquet"
QUARANTINE = "quarantine"
IDENTITIES = "identities"
#: In a run's folder on the PHI side: the names of columns of tables that are no part of their documents.
LEFT_OUT = "columns-left-out.txt"
PEOPLE = "people"
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run writes, all normalized: its folder at the destination and its folder in the PHI area."""

    run: str
    phi: str

    @property
    def ndjson(self) -> str:
        """Nothing but the output files lies below it."""
        return storage.join(self.run, NDJSON)

    @property
    def parquet(self) -> str:
        """The tables: a folder a type."""
        return storage.join(self.run, PARQUET)

    @property
    def deleted(self) -> str:
        """Types and masked ids of what the source asks to delete: a folder a type."""
        return storage.join(self.run, DELETED)

    @property
    def schema(self) -> str:
        """What describes the tables to others."""
        return storage.join(self.run, "schema")

    @property
    def scratch(self) -> str:
        """For half-written files; on the output's file system, so that a rename is all it takes to finish one."""
        return storage.join(self.run, ".writing")

    @property
    def phi_scratch(self) -> str:
        """The same for quarantine."""
        return storage.join(self.phi, ".writing")

    @property
    def quarantine(self) -> str:
        """Finished quarantine files, and nothing else."""
        return storage.join(self.phi, QUARANTINE)

    @property
    def unnumbered(self) -> str:
        """Quarantine files whose line numbers still count from the start of a block."""
        return storage.join(self.phi, "unnumbered")

    @property
    def identities(self) -> str:
        """What the run knows of people, while it lasts."""
        return storage.join(self.phi, IDENTITIES)

    @property
    def people(self) -> str:
        """What an incremental run gathered of people, for the runs after it."""
        return storage.join(self.phi, PEOPLE)

    @property
    def progress(self) -> str:
        """A small file a task, while the run lasts."""
        return storage.join(self.phi, "progress")


class Quarantined(msgspec.Struct):
    """A line that could not be masked, as quarantine holds it. This is PHI: `document` is the line itself."""

    file: str
    line: int  # from 1
    resource_type: str | None
    reason: str
    place: str
    message: str
    encoding: str  # of `document`: utf-8, base64 where the line is not UTF-8, "none" where it was too long to hold
    document: str


class Unnumbered(msgspec.Struct):
    """A quarantined line whose number counts from the start of its block."""

    block: int  # the block's first byte
    record: Quarantined


def quarantined(
    file: str, line: int, document: bytes, *, resource_type: str | None, reason: str, place: str, message: str
) -> Quarantined:
    """The record of one line; `line` from 1."""
    try:
        text, encoding = document.decode(), "utf-8"
    except UnicodeDecodeError:
        text, encoding = base64.b64encode(document).decode(), "base64"
    return Quarantined(file, line, resource_type, reason, place, message, encoding, text)


class OutputPart:
    """One output file while it is written: its bytes go aside, its hash and counts are made on the way.

    `name` is what stands behind the type in the file's name, `folder` the run's folder that it lies in.
    """

    def __init__(self, resource_type: str, name: str, places: Places, folder: str = NDJSON) -> None:
        # The engine checks types against R4; this is the second lock, for here a type becomes a path.
        if not _TYPE.fullmatch(resource_type):
            raise MaskingError("a resource type that is not a name cannot become a folder")
        self.size = 0
        self._type = resource_type
        self._path = storage.join(folder, resource_type, f"{resource_type}-{name}.ndjson")
        self._run = places.run
        self._rows = 0
        self._hash = hashlib.sha256()
        self._spool = storage.Spool(storage.join(places.run, self._path), places.scratch)

    def append(self, content: bytes, rows: int) -> None:
        """Append bytes in which `rows` lines end."""
        self._spool.write(content)
        self._hash.update(content)
        self.size += len(content)
        self._rows += rows

    def publish(self) -> OutputFile:
        """Give the file its name; its path is relative to the destination, where the run is runs/<run_id>."""
        self._spool.publish()
        path = storage.join("runs", self._run.rsplit("/", 1)[1], self._path)
        return OutputFile(path, self._type, self._rows, self.size, self._hash.hexdigest())

    def discard(self) -> None:
        """Drop the file if it was not published."""
        self._spool.discard()


class TypeWriter:
    """The files of one resource type in one task, rolled at `file_bytes`. `task` stands in their names."""

    def __init__(self, resource_type: str, task: str, places: Places, file_bytes: int, folder: str = NDJSON) -> None:
        self.files: list[OutputFile] = []
        self.rows = 0
        self.bytes = 0  # of the documents, without line ends
        self._type = resource_type
        self._task = task
        self._places = places
        self._limit = file_bytes
        self._folder = folder
        self._part: OutputPart | None = None

    def write(self, documents: Sequence[bytes]) -> None:
        """Append documents (one or more), each with a line end; a file that has reached its size is finished first."""
        content = b"\n".join((*documents, b""))
        # A line end within a document would make two lines of it for every reader that follows.
        if content.count(b"\n") != len(documents):
            raise MaskingError(f"a masked {self._type} spans more than one line; this is a bug in the engine")
        if self._part is not None and self._part.size >= self._limit:
            self.finish()
        if self._part is None:
            name = f"{self._task}-{len(self.files)}" if self.files else self._task
            self._part = OutputPart(self._type, name, self._places, self._folder)
        self._part.append(content, len(documents))
        self.rows += len(documents)
        self.bytes += len(content) - len(documents)

    def finish(self) -> None:
        """Publish the file that is open, if one is."""
        if self._part is not None:
            self.files.append(self._part.publish())
            self._part = None

    def discard(self) -> None:
        """Drop the file that is open, if one is."""
        if self._part is not None:
            self._part.discard()
            self._part = None


class QuarantineWriter:
    """The quarantine file of one task; there is none if nothing is written."""

    def __init__(self, task: str, places: Places) -> None:
        self.rows = 0
        self._name = f"part-{task}.ndjson"
        self._places = places
        self._files: dict[str, storage.Spool] = {}
        self._encoder = msgspec.json.Encoder()

    def write(self, record: Quarantined) -> None:
        """Append a line whose number is the file's."""
        self._append(self._places.quarantine, record)

    def write_unnumbered(self, block: int, record: Quarantined) -> None:
        """Append a line whose number counts from a block."""
        self._append(self._places.unnumbered, Unnumbered(block, record))

    def _append(self, folder: str, record: Quarantined | Unnumbered) -> None:
        if folder not in self._files:
            path = storage.join(folder, self._name)
            self._files[folder] = storage.Spool(path, self._places.phi_scratch)
        self._files[folder].write(self._encoder.encode(record) + b"\n")
        self.rows += 1

    def finish(self) -> bool:
        """Publish what was written; whether some of it waits for its line numbers."""
        for file in self._files.values():
            file.publish()
        return self._places.unnumbered in self._files

    def discard(self) -> None:
        """Drop what was not published."""
        for file in self._files.values():
            file.discard()
