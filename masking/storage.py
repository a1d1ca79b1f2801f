"""Where bytes are read and written: local folders and object stores, each place named by one text.

A place is an absolute local path or `s3://bucket/key` (`s3a://` is taken and spelled `s3://`). Whatever this module
writes appears whole under its name or not at all: locally by `os.replace`, in an object store by one upload.
Credentials come from where the platform keeps them (the AWS default chain); none are read or passed here.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

import pyarrow.fs as pafs  # type: ignore[import-untyped]

from masking.errors import StorageError, UsageError, naming

_SCHEMES = {"s3": "s3", "s3a": "s3", "s3n": "s3"}
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class StoredFile:
    """A file that is there: its place, its size in bytes, and when it was written (seconds since 1970)."""

    path: str
    size: int
    modified: float


def normalize(path: str | os.PathLike[str]) -> str:
    """The one spelling of a place: absolute and without symbolic links if local, `s3://…` else; no slash at the end.

    `UsageError` for an empty text, for one that is not UTF-8, and for a scheme that is not served.
    """
    text = os.fspath(path)
    if not text.strip():
        raise UsageError("a path is empty")
    scheme, separator, rest = text.partition("://")
    if not separator and text.startswith("file:"):
        scheme, separator, rest = "file", "://", text.removeprefix("file:")
    if not separator:
        return _real(Path(text).expanduser())
    if scheme == "file":
        return _real("/" + rest.lstrip("/"))
    if scheme not in _SCHEMES:
        raise UsageError(f"{scheme}:// is not served; use a local path or s3://")
    if "@" in rest.split("/", 1)[0]:
        raise UsageError("credentials do not belong in a path; use the AWS environment, profile or role")
    return f"{_SCHEMES[scheme]}://{rest.strip('/')}"


def _real(path: str | Path) -> str:
    real = os.path.realpath(path)
    if not is_text(real):
        raise UsageError("a path is not UTF-8; rename it, for what is written about it has to be text")
    return real


def is_text(path: str) -> bool:
    """Whether a name is UTF-8; a disk takes any bytes."""
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def is_local(path: str) -> bool:
    """Whether a normalized place is on a file system that this machine mounts."""
    return "://" not in path


def join(folder: str, *names: str) -> str:
    """A place below a folder."""
    return "/".join((folder.rstrip("/"), *names))


def contains(folder: str, path: str) -> bool:
    """Whether a place is that folder or below it; both normalized."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def list_files(folder: str, others: list[str] | None = None) -> Iterator[StoredFile]:
    """Every file below a folder at any depth, unordered; nothing where there is no such folder.

    Local links to folders are followed, each folder once. `others` takes the paths of what is neither a file nor a
    folder: links that lead nowhere, pipes, sockets.
    """
    if is_local(folder):
        yield from _walk(folder, set(), [] if others is None else others)
        return
    filesystem, inner = resolve(folder)
    for info in filesystem.get_file_info(pafs.FileSelector(inner, allow_not_found=True, recursive=True)):
        if info.type == pafs.FileType.File:
            yield _stored(f"{urlsplit(folder).scheme}://{info.path}", info)


def _walk(folder: str, seen: set[str], others: list[str]) -> Iterator[StoredFile]:
    real = os.path.realpath(folder)
    if real in seen or not os.path.isdir(real):  # noqa: PTH112 (paths are texts throughout)
        return
    seen.add(real)
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        if entry.is_dir():
            yield from _walk(entry.path, seen, others)
        elif entry.is_file():
            status = entry.stat()
            yield StoredFile(entry.path, status.st_size, status.st_mtime)
        else:
            others.append(entry.path)


def find_file(path: str) -> StoredFile | None:
    """The file of that very name; None where there is none or it is a folder."""
    filesystem, inner = resolve(path)
    info = filesystem.get_file_info(inner)
    return _stored(path, info) if info.type == pafs.FileType.File else None


def _stored(path: str, info: Any) -> StoredFile:
    return StoredFile(path, info.size, (info.mtime_ns or 0) / 1e9)


def open_input(path: str) -> Any:
    """Open a file to be read at any position: `read(n)`, `seek`, `tell`, a context manager. `OSError` if it fails."""
    filesystem, inner = resolve(path)
    return filesystem.open_input_file(inner)


def read_bytes(path: str) -> bytes | None:
    """A whole small file; None where there is none."""
    try:
        with open_input(path) as file:
            return bytes(file.read())
    except FileNotFoundError:
        return None


def write_bytes(path: str, content: bytes, *, durable: bool = False, scratch: str | None = None) -> None:
    """Write a small file whole; a reader sees the old content or the new. `durable`: it outlasts a power cut.

    `scratch`: as for `Spool`.
    """
    with Spool(path, scratch) as file:
        file.write(content)
        file.publish(durable=durable)


class Spool:
    """A file that is written aside on local disk and then put under its name whole, or never.

    `scratch` is a folder on the file system of a local `path` where a half-written file disturbs nobody; by default
    it is written beside `path` under a hidden name. What goes to an object store waits in a file without a name, so
    that no copy outlives the process. A context manager: what was not published when it ends is gone.
    """

    def __init__(self, path: str, scratch: str | None = None) -> None:
        self.path = path
        self._aside: Path | None = None
        self._file: IO[bytes]
        if not is_local(path):
            self._file = tempfile.TemporaryFile(buffering=_BUFFER_BYTES)  # noqa: SIM115 (closed by `discard`)
            return
        folder = Path(scratch) if scratch else Path(path).parent
        # A random name, for two attempts at one task may run at once; it is never part of an output.
        self._aside = folder / f".writing-{uuid.uuid4().hex}"
        with naming(f"write {path}"):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._aside.open("xb", buffering=_BUFFER_BYTES)

    def write(self, content: bytes) -> None:
        """Append bytes."""
        try:
            self._file.write(content)
        except OSError as error:
            raise StorageError.of(f"write {self.path}", error) from None

    def publish(self, *, durable: bool = False) -> None:
        """Put the file under its name, in place of what is there. `durable`: flushed to the disk before and after."""
        with naming(f"write {self.path}"):
            if self._aside is None:
                self._upload()
            else:
                self._rename(self._aside, durable)

    def _rename(self, aside: Path, durable: bool) -> None:
        if durable:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        folder = Path(self.path).parent
        folder.mkdir(parents=True, exist_ok=True)
        aside.replace(self.path)
        if durable:
            flush_folder(folder)

    def _upload(self) -> None:
        filesystem, inner = resolve(self.path)
        self._file.seek(0)
        stream = filesystem.open_output_stream(inner)
        try:
            shutil.copyfileobj(self._file, stream, _BUFFER_BYTES)
            stream.close()
        except BaseException:
            # Arrow finishes an upload even when its stream is dropped, so a broken one has to be taken back.
            with contextlib.suppress(OSError):
                stream.close()
            delete_file(self.path)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.discard()

    def discard(self) -> None:
        """Drop what was not published; nothing happens if it was."""
        try:
            with contextlib.suppress(OSError):  # closing writes what is still held, for which there may be no room
                self._file.close()
        finally:
            if self._aside is not None:
                self._aside.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make a rename in a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def delete_file(path: str) -> None:
    """Delete a file; nothing happens where there is none."""
    filesystem, inner = resolve(path)
    with contextlib.suppress(FileNotFoundError):
        filesystem.delete_file(inner)


def delete_folder(path: str) -> None:
    """Delete a folder and all below it; nothing happens where there is none."""
    if is_local(path):
        shutil.rmtree(path, ignore_errors=True)  # a task that is just being killed may still add or remove files
        return
    filesystem, inner = resolve(path)
    with contextlib.suppress(FileNotFoundError):
        filesystem.delete_dir(inner)


def list_folders(folder: str) -> list[str]:
    """The names of the folders right below a folder, sorted; empty where there is no such folder."""
    filesystem, inner = resolve(folder)
    infos = filesystem.get_file_info(pafs.FileSelector(inner, allow_not_found=True))
    return sorted(info.base_name for info in infos if info.type == pafs.FileType.Directory)


def probe(folder: str, name: str) -> None:
    """`StorageError` if no file can be put into a folder (normalized); `name` is how the error calls it.

    Nothing stays: neither the file nor a folder that was made for it.
    """
    file = join(folder, f".probe-{uuid.uuid4().hex}")
    with naming(f"write to the {name} {folder}"), contextlib.ExitStack() as undo:
        if is_local(folder):
            if Path(folder).exists() and not Path(folder).is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "")
            for missing in reversed([place for place in (Path(folder), *Path(folder).parents) if not place.exists()]):
                missing.mkdir(exist_ok=True)
                undo.callback(_remove_empty, missing)
        filesystem, inner = resolve(file)
        undo.callback(delete_file, file)
        with filesystem.open_output_stream(inner) as stream:
            stream.write(b"\n")


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # somebody else has begun to use it
        folder.rmdir()


def resolve(path: str) -> tuple[Any, str]:
    """The file system of a place and the place's name in it."""
    if is_local(path):
        return _local(), path
    parts = urlsplit(path)
    return _bucket(parts.netloc), parts.netloc + parts.path


@functools.cache
def _local() -> Any:
    return pafs.LocalFileSystem()


@functools.cache
def _bucket(bucket: str) -> Any:
    """The object store that holds a bucket, once a process; honours the AWS endpoint variables."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        parts = urlsplit(endpoint)
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        return pafs.S3FileSystem(endpoint_override=parts.netloc, scheme=parts.scheme, region=region)
    return pafs.S3FileSystem(region=pafs.resolve_s3_region(bucket))
