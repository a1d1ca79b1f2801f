"""The journal of a run in place: what each file was, what it becomes, and how far the run is. On the PHI side.

It is written, whole and flushed to the disk, before the first file is replaced. From then on the run needs nothing but
it and what is staged: not the source, of which a part is masked already, and no knowledge of people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from masking import storage
from masking.errors import InputError, naming
from masking.report.manifest import IN_PLACE, MadeWith, Manifest, run_folder
from masking.spark.inplace.put import Move
from masking.spark.inplace.write import staged_name

JOURNAL = IN_PLACE
STAGED = "staged"
#: In a run's folder: what is half-written.
WRITING = ".writing"
FORMAT = 1

#: swap: files are being replaced. done: all are. undo: originals are being put back. undone: all are.
Phase = Literal["swap", "done", "undo", "undone"]


class JournalFile(msgspec.Struct, frozen=True):
    """One file: where and what it was, where and what it becomes, and where the original is kept ("" for nowhere)."""

    number: int
    path: str
    size: int
    sha256: str
    target: str
    masked_size: int
    masked_sha256: str
    kept: str = ""

    def __repr__(self) -> str:
        return f"JournalFile({self.number})"


class Journal(msgspec.Struct, frozen=True):
    """A run in place. roots: the folders that hold its sources. manifest: what the run's manifest will be."""

    run_id: str
    phase: Phase
    roots: tuple[str, ...]
    made_with: MadeWith
    files: tuple[JournalFile, ...]
    manifest: Manifest
    format: int = FORMAT

    def __repr__(self) -> str:
        return f"Journal({self.run_id}, {self.phase})"

    @property
    def is_kept(self) -> bool:
        """Whether originals are kept."""
        return all(file.kept for file in self.files)

    def swaps(self, phi_area: str) -> list[Move]:
        """What replaces the originals."""
        staged = storage.join(run_folder(phi_area, self.run_id), STAGED)
        return [
            Move(
                file.number,
                storage.join(staged, staged_name(file.number)),
                file.masked_size,
                file.masked_sha256,
                file.target,
                file.sha256 if file.target == file.path else "",
                *((file.path, file.sha256) if file.target != file.path else ("", "")),
            )
            for file in self.files
        ]

    def keeps(self) -> list[Move]:
        """What puts originals aside."""
        return [Move(file.number, file.path, file.size, file.sha256, file.kept, "") for file in self.files if file.kept]

    def restores(self) -> list[Move]:
        """What puts them back."""
        return [
            Move(
                file.number,
                file.kept,
                file.size,
                file.sha256,
                file.path,
                file.masked_sha256 if file.target == file.path else "",
                *((file.target, file.masked_sha256) if file.target != file.path else ("", "")),
            )
            for file in self.files
        ]


def write_journal(phi_area: str, journal: Journal) -> None:
    """Write it in place of the one that is there; it outlasts a power cut."""
    folder = run_folder(phi_area, journal.run_id)
    path, scratch = storage.join(folder, JOURNAL), storage.join(folder, WRITING)
    with naming(f"write to the PHI area {phi_area}"):
        storage.write_bytes(path, msgspec.json.encode(journal), durable=True, scratch=scratch)


def read_journals(phi_area: str) -> list[Journal]:
    """All runs in place of a PHI area, in order of time. `InputError` for a journal that this version cannot read."""
    found = []
    for run_id in storage.list_folders(storage.join(phi_area, "runs")):
        path = storage.join(run_folder(phi_area, run_id), JOURNAL)
        with naming(f"read {path}"):
            content = storage.read_bytes(path)
        if content is None:
            continue
        try:
            if msgspec.json.decode(content, type=_Header).format > FORMAT:
                raise InputError(f"{path} was written by a later version of this program; update it to read this")
            found.append(msgspec.json.decode(content, type=Journal))
        except msgspec.DecodeError:
            raise InputError(f"{path} is not a journal of this program") from None
    return sorted(found, key=lambda journal: journal.manifest.started)


class _Header(msgspec.Struct):
    format: int


def of_roots(journals: Sequence[Journal], roots: Sequence[str]) -> list[Journal]:
    """Those that have to do with files in these folders."""
    return [
        journal
        for journal in journals
        if any(storage.contains(one, other) or storage.contains(other, one) for one in journal.roots for other in roots)
    ]


def masked_hashes(journals: Sequence[Journal]) -> Mapping[str, str]:
    """The key's fingerprint by the hash of each masked file."""
    return {
        file.masked_sha256: journal.made_with.key_fingerprint
        for journal in journals
        if journal.phase in ("swap", "done")
        for file in journal.files
    }
