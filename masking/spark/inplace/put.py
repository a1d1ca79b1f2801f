"""Put the bytes of one file under another's name: whole or not at all, known by their hash before and after.

What a place holds says how far a move is, so that a move can be tried any number of times, by anybody, after any kill.
Locally a file is written beside its place and put there by `os.replace`; in an object store by one upload or one copy
within the store, either of which it shows whole. Nothing is renamed or moved.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from masking import storage
from masking.errors import MaskingError, StorageError

#: Begins the name of what is half-written beside its place; hidden, so that no reader takes it for input.
ASIDE = ".fhir-masking-"
#: What `storage.Spool` begins such a name with: of a mark.
SPOOLED = ".writing-"
_CHUNK = 4 << 20
#: The most that a store copies by one call.
_COPY_BYTES = 5 << 30

#: How far a move is: to be done, done; neither, for what is there is neither old nor new; or it cannot be, for there is
#: nothing to put.
OPEN, DONE, CHANGED, GONE = "open", "done", "changed", "gone"


@dataclass(frozen=True, slots=True)
class Move:
    """One file to be put.

    number: of the input file. source, size, sha256: what is put. target: where. before: the hash of what lies there until
    then, "" for nothing. gone, gone_sha256: a file that is deleted after, unless it is the target.
    """

    number: int
    source: str
    size: int
    sha256: str
    target: str
    before: str
    gone: str = ""
    gone_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Print:
    """What tells a file's content: its size in bytes and its SHA-256."""

    size: int
    sha256: str


def fingerprint(path: str, size: int | None = None) -> Print | None:
    """Of a file, or of its first `size` bytes; None where there is none."""
    digest, read = hashlib.sha256(), 0
    try:
        with storage.open_input(path) as file:
            while chunk := file.read(_CHUNK if size is None else min(_CHUNK, size - read)):
                digest.update(chunk)
                read += len(chunk)
    except FileNotFoundError:
        return None
    return Print(read, digest.hexdigest())


def state(move: Move) -> str:
    """How far a move is. A file that is not there is to be put: whoever deleted it changed nothing in it."""
    there = fingerprint(move.target)
    rest = fingerprint(move.gone) if move.gone else None
    if rest is not None and rest.sha256 != move.gone_sha256:
        return CHANGED
    if there is not None and there.sha256 == move.sha256:
        return DONE if rest is None else OPEN
    if there is not None and there.sha256 != move.before and not _is_begun(move, there):
        return CHANGED
    return OPEN if storage.find_file(move.source) is not None else GONE


def _is_begun(move: Move, there: Print | None) -> bool:
    """Whether a store shows the beginning of what is put: an upload of ours that broke and was finished all the same."""
    if there is None or storage.is_local(move.target) or there.size >= move.size:
        return False
    return fingerprint(move.source, there.size) == there


def carry_out(move: Move) -> str:
    """Put the file if it is not there, and delete what it replaces; how far the move then is, read back.

    `MaskingError` if what is to be put is not what it was; `StorageError` if it cannot be written.
    """
    found = state(move)
    if found != OPEN:
        return found
    there = fingerprint(move.target)
    if there is None or there.sha256 != move.sha256:
        _put(move)
    if move.gone:
        storage.delete_file(move.gone)
    return state(move)


def _put(move: Move) -> None:
    try:
        if storage.is_local(move.target):
            _replace(move)
        elif _one_store(move) and move.size < _COPY_BYTES:
            _refuse_damaged(move, fingerprint(move.source))
            filesystem, target = storage.resolve(move.target)
            filesystem.copy_file(storage.resolve(move.source)[1], target)
        else:
            _upload(move)
    except StorageError:
        raise
    except OSError as error:
        # Places of files hold names, so it is told by its number alone.
        raise StorageError.of(f"write in place of input file {move.number} (in order of name)", error) from None


def _one_store(move: Move) -> bool:
    return not storage.is_local(move.source) and urlsplit(move.source).netloc == urlsplit(move.target).netloc


def _replace(move: Move) -> None:
    """Write beside the target, flush to the disk, and replace: of the old file's mode and, if we may, owner."""
    target = Path(move.target)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.parent / f"{ASIDE}{uuid.uuid4().hex}"
    try:
        # Its owner's alone until it takes the place of another: what undoing puts back, and what is kept, is an original.
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            _refuse_damaged(move, _copied(move.source, file))
            file.flush()
            os.fsync(file.fileno())
        for old in (move.target, move.gone):
            with contextlib.suppress(FileNotFoundError):
                if old:
                    _take_after(aside, os.stat(old))  # noqa: PTH116 (paths are texts throughout)
                    break
        aside.replace(target)
        storage.flush_folder(target.parent)
    finally:
        aside.unlink(missing_ok=True)


def _take_after(path: Path, old: os.stat_result) -> None:
    with contextlib.suppress(PermissionError):
        os.chown(path, old.st_uid, old.st_gid)
    path.chmod(stat.S_IMODE(old.st_mode))


def _upload(move: Move) -> None:
    """Upload from a file without a name on this machine, so that nothing but the store can fail midway."""
    with tempfile.TemporaryFile() as held:
        _refuse_damaged(move, _copied(move.source, held))
        held.seek(0)
        filesystem, inner = storage.resolve(move.target)
        # Arrow would compress what is compressed already, if the name says that it is.
        with filesystem.open_output_stream(inner, compression=None) as stream:
            shutil.copyfileobj(held, stream, _CHUNK)


def _copied(source: str, into: Any) -> Print:
    digest, size = hashlib.sha256(), 0
    with storage.open_input(source) as file:
        while chunk := file.read(_CHUNK):
            into.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return Print(size, digest.hexdigest())


def _refuse_damaged(move: Move, found: Print | None) -> None:
    if found != Print(move.size, move.sha256):
        raise MaskingError(
            f"what is to take the place of input file {move.number} (in order of name) is not what was written for it; "
            "does another program write to the PHI area?"
        )


def sweep(folders: Iterator[str]) -> None:
    """Delete what kills have left half-written in local folders."""
    for folder in folders:
        if storage.is_local(folder) and Path(folder).is_dir():
            for name in (ASIDE, SPOOLED):
                for path in Path(folder).glob(f"{name}*"):
                    if path.is_file():
                        path.unlink(missing_ok=True)
