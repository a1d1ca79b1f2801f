"""The store of what is known of people: Parquet files on the PHI side, read by key.

A key lies in the bucket that its hash names; a bucket is one file, sorted by key, in row groups of about
`GROUP_BYTES`. The index holds the first key of every row group, so that a look-up reads the one group it needs. A record
stands once, under its human's canonical key; its other keys lead there.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.errors import InputError
from masking.identity.entries import Entry, choose, decode_entries
from masking.identity.facts import Facts
from masking.identity.names import split

INDEX = "index.json"
GROUP_BYTES = 256 << 10
#: How much is in a bucket, about; one that is built in one process is sorted in memory.
BUCKET_BYTES = 32 << 20
CACHE_BYTES = 64 << 20
_CACHED_KEYS = 10_000
_SCHEMA = pa.schema([pa.field("key", pa.binary(), nullable=False), pa.field("entries", pa.binary(), nullable=False)])


class Bucket(msgspec.Struct, frozen=True):
    """One file: its rows, its size, the bytes of its keys and entries, and the first key of each row group."""

    number: int
    rows: int
    bytes: int
    raw_bytes: int
    firsts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Bucket({self.number}, rows={self.rows})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("number", self.number), ("rows", self.rows)]


class _Index(msgspec.Struct, frozen=True):
    buckets: int
    files: tuple[Bucket, ...]

    def __repr__(self) -> str:
        return f"_Index({self.buckets})"


def bucket_of(key: str, buckets: int) -> int:
    """The bucket that holds a key."""
    return zlib.crc32(key.encode()) % buckets


def bucket_path(folder: str, number: int) -> str:
    """The file of a bucket."""
    return storage.join(folder, f"bucket-{number:05d}.parquet")


class _Sink:
    """What Parquet's writer takes for a file."""

    closed = False

    def __init__(self, spool: storage.Spool) -> None:
        self._spool = spool
        self.size = 0

    def write(self, content: Any) -> int:
        self._spool.write(bytes(content))
        self.size += len(content)
        return len(content)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """The spool is closed by who opened it."""


def write_bucket(folder: str, number: int, rows: Iterable[tuple[str, bytes]], scratch: str | None = None) -> Bucket:
    """Write one bucket from its keys in order with their encoded entries."""
    return write_rows(bucket_path(folder, number), rows, number=number, scratch=scratch)


def write_rows(path: str, rows: Iterable[tuple[str, bytes]], *, number: int = 0, scratch: str | None = None) -> Bucket:
    """Write a file of keys with payloads, whole or not at all; holds one row group in memory."""
    count = raw_bytes = size = 0
    firsts: list[str] = []
    keys: list[bytes] = []
    entries: list[bytes] = []
    with storage.Spool(path, scratch) as spool:
        sink = _Sink(spool)
        with pq.ParquetWriter(
            sink, _SCHEMA, compression="zstd", use_dictionary=False, column_encoding={"key": "DELTA_BYTE_ARRAY"},
            write_statistics=False,
        ) as writer:  # fmt: skip
            for key, payload in rows:
                if not keys:
                    firsts.append(key)
                keys.append(key.encode())
                entries.append(payload)
                size += len(keys[-1]) + len(payload)
                if size >= GROUP_BYTES:
                    writer.write_table(_table(keys, entries))
                    count, raw_bytes, size = count + len(keys), raw_bytes + size, 0
                    keys, entries = [], []
            if keys:
                writer.write_table(_table(keys, entries))
        spool.publish()
    return Bucket(number, count + len(keys), sink.size, raw_bytes + size, tuple(firsts))


def _table(keys: list[bytes], entries: list[bytes]) -> Any:
    return pa.Table.from_arrays([pa.array(keys, pa.binary()), pa.array(entries, pa.binary())], schema=_SCHEMA)


def write_index(folder: str, buckets: int, files: Iterable[Bucket]) -> None:
    """Make the store readable; put last."""
    index = _Index(buckets, tuple(sorted(files, key=lambda file: file.number)))
    storage.write_bytes(storage.join(folder, INDEX), msgspec.json.encode(index))


def read_rows(path: str) -> Iterator[tuple[str, bytes]]:
    """The keys and payloads of a file, in its order; holds one row group in memory."""
    with storage.open_input(path) as raw, pq.ParquetFile(raw) as file:
        for at in range(file.num_row_groups):
            keys, payloads = file.read_row_group(at, use_threads=False).columns
            for key, payload in zip(keys.to_pylist(), payloads.to_pylist(), strict=True):
                yield key.decode(), payload


class _Group:
    """A row group in memory; keys are compared in place."""

    def __init__(self, table: Any) -> None:
        self.size = table.nbytes
        self._keys, self._entries = (table.column(name).combine_chunks() for name in ("key", "entries"))
        if isinstance(self._keys, pa.ChunkedArray):  # an older Arrow gives chunks all the same
            self._keys, self._entries = self._keys.chunk(0), self._entries.chunk(0)
        self._offsets = memoryview(self._keys.buffers()[1]).cast("i")[self._keys.offset :]
        self._data = memoryview(self._keys.buffers()[2])

    def find(self, key: bytes) -> bytes | None:
        offsets, data = self._offsets, self._data
        low, high = 0, len(self._keys)
        while low < high:
            middle = (low + high) // 2
            if bytes(data[offsets[middle] : offsets[middle + 1]]) < key:
                low = middle + 1
            else:
                high = middle
        if low == len(self._keys) or bytes(data[offsets[low] : offsets[low + 1]]) != key:
            return None
        found: bytes = self._entries[low].as_py()
        return found


class Lookup(ABC):
    """Whoever knows what keys mean. Keys are as in `People`: a name (`Patient/123`) or a subject key (`123`)."""

    @abstractmethod
    def entries(self, keys: Iterable[str]) -> dict[str, list[Entry]]:
        """What these subject keys mean by themselves; those that mean nothing are left out."""

    def get_many(self, keys: Iterable[str]) -> dict[str, Facts]:
        """What is known of these; those of whom nothing is known are left out."""
        wanted = {who: split(who) for who in keys}
        entries = self.entries(key for _, key in wanted.values())
        chosen = {who: choose(entries.get(key, ()), name) for who, (name, key) in wanted.items()}
        ways = {who: split(entry.canonical) for who, entry in chosen.items() if entry and entry.facts is None}
        beyond = self.entries(key for _, key in ways.values())
        chosen |= {who: choose(beyond.get(key, ()), name) for who, (name, key) in ways.items()}
        return {who: entry.facts for who, entry in chosen.items() if entry is not None and entry.facts is not None}

    def get(self, who: str) -> Facts | None:
        """What is known of one; None where nothing is. Many at once cost far less than one by one."""
        resource_type, key = split(who)
        entry = choose(self.meaning(key), resource_type)
        if entry is not None and entry.facts is None:
            resource_type, key = split(entry.canonical)
            entry = choose(self.meaning(key), resource_type)
        return None if entry is None else entry.facts

    def meaning(self, key: str) -> Sequence[Entry]:
        """What one subject key means by itself."""
        return self.entries((key,)).get(key, ())

    def facts(self, who: str) -> Facts | None:
        """The same, as maskers ask for it (`masking.maskers.base.People`)."""
        return self.get(who)

    def canonical(self, who: str) -> str:
        """The one key of a human with several records; of somebody unknown the key that was given."""
        facts = self.get(who)
        return facts.key if facts else split(who)[1]


class Store(Lookup):
    """What is known of people, looked up in files. Holds at most `cache_bytes` of them in memory."""

    def __init__(self, folder: str, index: _Index, cache_bytes: int) -> None:
        self._folder = folder
        self._buckets = index.buckets
        self._files = {file.number: file for file in index.files}
        self._limit = cache_bytes
        self._groups: OrderedDict[tuple[int, int], _Group] = OrderedDict()
        self._size = 0
        self._known: OrderedDict[str, list[Entry]] = OrderedDict()

    @classmethod
    def open(cls, folder: str, *, cache_bytes: int = CACHE_BYTES) -> Self:
        """Read the index; `InputError` where there is no store."""
        content = storage.read_bytes(storage.join(folder, INDEX))
        if content is None:
            raise InputError(f"there is no store of people at {folder}")
        return cls(folder, msgspec.json.decode(content, type=_Index), cache_bytes)

    def __repr__(self) -> str:
        return f"Store({self._folder!r}, rows={self.rows})"

    @property
    def rows(self) -> int:
        """Keys that lead somewhere."""
        return sum(file.rows for file in self._files.values())

    @property
    def bytes(self) -> int:
        """On disk."""
        return sum(file.bytes for file in self._files.values())

    @property
    def raw_bytes(self) -> int:
        """In memory, when all is loaded."""
        return sum(file.raw_bytes for file in self._files.values())

    def load_all(self) -> Self:
        """Hold all of it in memory from now on."""
        self._limit = max(self._limit, 2 * self.raw_bytes)
        for file in self._files.values():
            for _ in self._read(file.number, range(len(file.firsts))):
                pass
        return self

    @property
    def buckets(self) -> tuple[int, ...]:
        """The numbers of the buckets that hold anything."""
        return tuple(sorted(self._files))

    @property
    def bucket_count(self) -> int:
        """How many buckets keys are dealt out to, those that hold nothing too."""
        return self._buckets

    def meaning(self, key: str) -> Sequence[Entry]:
        """See `Lookup`."""
        known = self._known.get(key)
        if known is None:
            return super().meaning(key)
        self._known.move_to_end(key)
        return known

    def entries(self, keys: Iterable[str]) -> dict[str, list[Entry]]:
        """See `Lookup`."""
        found: dict[str, list[Entry]] = {}
        missing: dict[tuple[int, int], list[str]] = {}
        for key in dict.fromkeys(keys):
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                found[key] = known
                continue
            number = bucket_of(key, self._buckets)
            file = self._files.get(number)
            at = bisect_right(file.firsts, key) - 1 if file else -1
            if at >= 0:
                missing.setdefault((number, at), []).append(key)
        for group, group_keys in self._in_order(missing):
            for key in group_keys:
                payload = group.find(key.encode())
                found[key] = self._remember(key, [] if payload is None else decode_entries(payload))
        return {key: entries for key, entries in found.items() if entries}

    def _remember(self, key: str, entries: list[Entry]) -> list[Entry]:
        self._known[key] = entries
        if len(self._known) > _CACHED_KEYS:
            self._known.popitem(last=False)
        return entries

    def _in_order(self, missing: dict[tuple[int, int], list[str]]) -> Iterator[tuple[_Group, list[str]]]:
        """Each row group that is needed, file by file, with the keys that are looked for in it."""
        by_file: dict[int, list[int]] = {}
        for number, at in sorted(missing):
            if (number, at) in self._groups:
                self._groups.move_to_end((number, at))
                yield self._groups[number, at], missing[number, at]
            else:
                by_file.setdefault(number, []).append(at)
        for number, places in by_file.items():
            for at, group in self._read(number, places):
                yield group, missing[number, at]

    def _read(self, number: int, places: Sequence[int]) -> Iterator[tuple[int, _Group]]:
        with storage.open_input(bucket_path(self._folder, number)) as raw, pq.ParquetFile(raw) as file:
            for at in places:
                group = _Group(file.read_row_group(at, use_threads=False))
                self._groups[number, at] = group
                self._size += group.size
                while self._size > self._limit and len(self._groups) > 1:
                    self._size -= self._groups.popitem(last=False)[1].size
                yield at, group
