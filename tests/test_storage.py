"""Places: their spelling, and that a file appears whole or not at all, on a disk and in an object store."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
import pytest

from masking import storage
from masking.errors import StorageError, UsageError, naming


@pytest.fixture(params=["local", "store"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place on the disk, and the same code as runs against an object store over a folder that plays the store."""
    if request.param == "local":
        return str(tmp_path / "place")
    (tmp_path / "store" / "bucket").mkdir(parents=True)
    play = pafs.SubTreeFileSystem(str(tmp_path / "store"), pafs.LocalFileSystem())
    monkeypatch.setattr(storage, "_bucket", lambda bucket: _Folders(play))
    return "s3://bucket/place"


class _Folders:
    """Object stores need no folders to be made; a disk does."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def open_output_stream(self, path: str) -> Any:
        self._inner.create_dir(path.rsplit("/", 1)[0], recursive=True)
        return self._inner.open_output_stream(path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/a/b/", "/a/b"),
        ("/a/../b", "/b"),
        ("file:///a/b", "/a/b"),
        ("file:/a/b", "/a/b"),
        ("s3://bucket/a/", "s3://bucket/a"),
        ("s3a://bucket/a", "s3://bucket/a"),
        ("s3://bucket", "s3://bucket"),
    ],
)
def test_one_spelling_a_place(text: str, place: str) -> None:
    assert storage.normalize(text) == place
    assert storage.normalize(place) == place


def test_relative_home_and_linked_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert storage.normalize("link/x") == storage.normalize("~/real/x") == str(tmp_path / "real" / "x")
    assert storage.normalize(Path("real")) == str(tmp_path / "real")


@pytest.mark.parametrize("text", ["", "  ", "ftp://host/x", "s3://user:secret@bucket/x"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        storage.normalize(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("folder", "path", "inside"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", True),
        ("/a", "/ab", False),
        ("/a/b", "/a", False),
        ("/", "/a", True),
        ("s3://bucket", "s3://bucket/a", True),
        ("s3://bucket/a", "s3://bucket/ab", False),
    ],
)
def test_inside(folder: str, path: str, inside: bool) -> None:
    assert storage.contains(folder, path) is inside


def test_write_read_list_delete(root: str) -> None:
    assert list(storage.list_files(root)) == []
    assert storage.list_folders(root) == []
    assert storage.read_bytes(storage.join(root, "a")) is None
    assert storage.find_file(storage.join(root, "a")) is None
    storage.write_bytes(storage.join(root, "a"), b"one")
    storage.write_bytes(storage.join(root, "b", "c"), b"two!", durable=True)
    storage.write_bytes(storage.join(root, "a"), b"three")
    assert storage.read_bytes(storage.join(root, "a")) == b"three"
    assert sorted((file.path, file.size) for file in storage.list_files(root)) == [
        (storage.join(root, "a"), 5),
        (storage.join(root, "b", "c"), 4),
    ]
    assert storage.list_folders(root) == ["b"]
    found = storage.find_file(storage.join(root, "b", "c"))
    assert found is not None
    assert found.modified > 1.7e9
    assert storage.find_file(storage.join(root, "b")) is None
    storage.delete_file(storage.join(root, "a"))
    storage.delete_file(storage.join(root, "a"))
    storage.delete_folder(storage.join(root, "b"))
    storage.delete_folder(storage.join(root, "b"))
    assert list(storage.list_files(root)) == []


def test_a_spooled_file_is_not_there_until_it_is_published(root: str, tmp_path: Path) -> None:
    path, scratch = storage.join(root, "out", "x"), str(tmp_path / "scratch")
    with storage.Spool(path, scratch) as file:
        file.write(b"a" * 3_000_000)
        assert storage.find_file(path) is None
        assert list(storage.list_files(root)) == []
        file.publish()
        assert storage.read_bytes(path) == b"a" * 3_000_000
    assert storage.read_bytes(path) == b"a" * 3_000_000


def test_what_is_not_published_leaves_nothing(root: str, tmp_path: Path) -> None:
    path, scratch = storage.join(root, "out", "x"), str(tmp_path / "scratch")
    with pytest.raises(RuntimeError), storage.Spool(path, scratch) as file:
        file.write(b"half")
        raise RuntimeError
    assert list(storage.list_files(root)) == []
    assert list(storage.list_files(scratch)) == []


def test_a_broken_upload_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Breaking:
        def __init__(self) -> None:
            self.deleted: list[str] = []

        def open_output_stream(self, path: str) -> Any:
            return self

        def write(self, content: bytes) -> None:
            raise OSError("connection lost")

        def close(self) -> None: ...

        def delete_file(self, path: str) -> None:
            self.deleted.append(path)

    store = Breaking()
    monkeypatch.setattr(storage, "_bucket", lambda bucket: store)
    with pytest.raises(OSError, match="cannot write s3://bucket/a: the store cannot be reached"):
        storage.write_bytes("s3://bucket/a", b"x")
    assert store.deleted == ["bucket/a"]


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").write_bytes(b"1")
    (tmp_path / "a" / "b" / "round").symlink_to(tmp_path / "a")
    assert [file.size for file in storage.list_files(str(tmp_path / "a"))] == [1]


def test_output_follows_the_umask(tmp_path: Path) -> None:
    storage.write_bytes(str(tmp_path / "x"), b"1")
    (tmp_path / "y").write_bytes(b"1")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


@contextmanager
def no_room(size: int) -> Iterator[None]:
    """No file may become larger: what a full disk is, but for the number of the error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("size", [1 << 10, 3 << 20])
def test_a_full_disk_is_named_and_nothing_half_written_stays(tmp_path: Path, size: int) -> None:
    place = tmp_path / "out" / "file"
    with (
        no_room(1 << 9),
        pytest.raises(StorageError, match=f"cannot write {place}: File too large") as caught,
        storage.Spool(str(place), str(tmp_path / "scratch")) as spool,
    ):
        spool.write(bytes(size))
        spool.publish()
    assert caught.value.exit_code == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_is_still_held_of_a_file_may_be_dropped_on_a_full_disk(tmp_path: Path) -> None:
    spool = storage.Spool(str(tmp_path / "file"))
    with no_room(1 << 9):
        spool.write(bytes(1 << 10))  # fits the buffer; closing cannot write it
        spool.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_probe_leaves_nothing(root: str, tmp_path: Path) -> None:
    place = storage.join(root, "a", "b")
    storage.probe(place, "destination")
    assert list(storage.list_files(root)) == []
    if storage.is_local(root):
        assert not Path(root).exists()
    storage.write_bytes(storage.join(place, "mine"), b"x")
    storage.probe(place, "destination")
    assert storage.read_bytes(storage.join(place, "mine")) == b"x"


def test_a_place_that_takes_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageError, match=f"cannot write to the destination {place}: Not a directory"):
            storage.probe(str(place), "destination")
    with no_room(0), pytest.raises(StorageError, match=f"cannot write to the PHI area {tmp_path}/new: File too large"):
        storage.probe(str(tmp_path / "new"), "PHI area")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "Oberhuber"), "No space left on device; free space or choose another place"),
        (PermissionError(errno.EACCES, "Oberhuber", "Oberhuber"), "Permission denied; choose another place, or get"),
        (OSError("Oberhuber"), "the store cannot be reached, or refuses; check bucket"),
    ],
)
def test_an_error_of_storage_names_the_place_and_the_remedy_alone(error: OSError, text: str) -> None:
    with pytest.raises(StorageError) as caught, naming("read the source /x"):
        raise error
    assert str(caught.value).startswith(f"cannot read the source /x: {text}")
    assert "Oberhuber" not in str(caught.value)
    assert isinstance(caught.value, OSError)


def test_a_broken_connection_is_no_place_that_fails() -> None:
    with pytest.raises(ConnectionRefusedError), naming("read the source /x"):
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
