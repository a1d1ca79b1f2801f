"""Which files a Delta table consists of, read out of its log: JSON commits, and Parquet checkpoints of all before.

Not by Spark's reader of Delta: a run hands its tasks files, which they open themselves, and a log is a few small files.
So a table is read where no Delta is installed, and at a version that can be named. What changes how rows are to be read
(deletion vectors, mapped columns, features unknown here) is refused by name, with what to do about it: to read past it
would bring deleted rows back, or columns under wrong names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.errors import InputError

LOG = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet")
#: What a reader may know of and still read files as they are.
_HARMLESS = frozenset(
    {"appendOnly", "invariants", "timestampNtz", "typeWidening", "typeWidening-preview", "vacuumProtocolCheck"}
    | {"deletionVectors", "columnMapping", "v2Checkpoint"}  # looked at one by one
)
_READER = 3
_COPY = "or copy it with Spark: spark.read.format('delta').load(TABLE).write.parquet(COPY)"
_WANTED = ("add", "remove", "protocol", "metaData")


class Added(NamedTuple):
    """A file of a table: its place, its size, and the values of the columns that its rows share."""

    path: str
    size: int
    partition: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A table at a version: its files in order of their places."""

    version: int
    files: tuple[Added, ...]


class _Vector(msgspec.Struct):
    storageType: str | None = None  # noqa: N815 (Delta's names, here and below)


class _File(msgspec.Struct):
    path: str
    size: int = 0
    partitionValues: dict[str, str | None] | None = None  # noqa: N815
    deletionVector: _Vector | None = None  # noqa: N815


class _Protocol(msgspec.Struct):
    minReaderVersion: int = 1  # noqa: N815
    readerFeatures: list[str] | None = None  # noqa: N815


class _MetaData(msgspec.Struct):
    configuration: dict[str, str] | None = None


class _Action(msgspec.Struct):
    add: _File | None = None
    remove: _File | None = None
    protocol: _Protocol | None = None
    metaData: _MetaData | None = None  # noqa: N815


_action = msgspec.json.Decoder(_Action).decode


def read_log(root: str, logged: Iterable[str], version: int | None = None) -> Snapshot:
    """A table at a version, by default its latest. root: its place; logged: the files of its log, as they were listed.

    `InputError` for a log with gaps or without that version, and for a table that cannot be read file by file.
    """
    commits, checkpoints = _sorted(logged)
    latest = max([*commits, *checkpoints], default=-1)
    wanted = latest if version is None else version
    if not 0 <= wanted <= latest:
        raise InputError(f"the Delta table {root} has no version {wanted}; its latest is {latest}")
    start = max((number for number in checkpoints if number <= wanted), default=-1)
    missing = [number for number in range(start + 1, wanted + 1) if number not in commits]
    if missing:
        raise InputError(f"the log of the Delta table {root} lacks version {missing[0]}, which is needed to read it")
    state = _State(root)
    if start >= 0:
        for path in checkpoints[start]:
            state.take(_of_checkpoint(root, path))
    for number in range(start + 1, wanted + 1):
        state.take(_of_commit(root, commits[number]))
    return Snapshot(wanted, state.files())


def _sorted(logged: Iterable[str]) -> tuple[dict[int, str], dict[int, list[str]]]:
    """Commits by version, and the parts of each checkpoint that is there whole."""
    commits: dict[int, str] = {}
    parts: dict[int, dict[int, list[str]]] = {}
    for path in sorted(logged):
        name = path.rpartition("/")[2]
        if found := _COMMIT.fullmatch(name):
            commits[int(found[1])] = path
        elif found := _CHECKPOINT.fullmatch(name):
            parts.setdefault(int(found[1]), {}).setdefault(int(found[3] or 1), []).append(path)
    whole = {
        version: paths for version, kinds in parts.items() for count, paths in kinds.items() if len(paths) == count
    }
    return commits, whole


def _of_commit(root: str, path: str) -> list[_Action]:
    content = storage.read_bytes(path)
    try:
        return [_action(line) for line in (content or b"").splitlines() if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError(f"the log of the Delta table {root} is damaged: {path}") from None


def _of_checkpoint(root: str, path: str) -> list[_Action]:
    try:
        with storage.open_input(path) as raw, pq.ParquetFile(raw) as file:
            names = [name for name in _WANTED if name in file.schema_arrow.names]
            rows = file.read(columns=names).to_pylist(maps_as_pydicts="strict")
        return [msgspec.convert(_present(row), _Action) for row in rows]
    except (pa.ArrowException, msgspec.ValidationError):
        raise InputError(f"the log of the Delta table {root} is damaged: {path}") from None


def _present(value: Any) -> Any:
    """Without nulls, but for those of values of partitions."""
    if not isinstance(value, dict):
        return value
    return {name: one if name == "partitionValues" else _present(one) for name, one in value.items() if one is not None}


@dataclass(slots=True)
class _State:
    """A table while its log is read."""

    root: str
    protocol: _Protocol = field(default_factory=_Protocol)
    configuration: dict[str, str] = field(default_factory=dict)
    added: dict[str, _File] = field(default_factory=dict)

    def take(self, actions: Sequence[_Action]) -> None:
        """Carry out what one commit says, or a part of a checkpoint."""
        for action in actions:
            if action.protocol is not None:
                self.protocol = action.protocol
            if action.metaData is not None:
                self.configuration = action.metaData.configuration or {}
            if action.remove is not None:
                self.added.pop(action.remove.path, None)
        # A commit that puts a file back with another deletion vector removes and adds one path.
        for action in actions:
            if action.add is not None:
                self.added[action.add.path] = action.add

    def files(self) -> tuple[Added, ...]:
        """The files that are left, if they can be read as they are."""
        self._refuse_odd()
        made = [
            Added(self._place(file.path), file.size, tuple(sorted((file.partitionValues or {}).items())))
            for file in self.added.values()
        ]
        return tuple(sorted(made))

    def _place(self, path: str) -> str:
        """Where a file is: the log has it as a URI, relative to the table or absolute."""
        plain = unquote(path)
        return storage.normalize(plain) if plain.startswith("/") or ":/" in plain else storage.join(self.root, plain)

    def _refuse_odd(self) -> None:
        mapped = self.configuration.get("delta.columnMapping.mode", "none")
        if mapped != "none":
            raise self._refused("maps its columns to other names (delta.columnMapping.mode)", _COPY.removeprefix("or "))
        if any(file.deletionVector is not None for file in self.added.values()):
            raise self._refused(
                "has deletion vectors, rows that are deleted and still in its files",
                f"write them anew with REORG TABLE … APPLY (PURGE), {_COPY}",
            )
        unknown = sorted(set(self.protocol.readerFeatures or ()) - _HARMLESS)
        if unknown or self.protocol.minReaderVersion > _READER:
            what = ", ".join(unknown) or f"reader version {self.protocol.minReaderVersion}"
            raise self._refused(f"needs features that are not known here ({what})", _COPY.removeprefix("or "))

    def _refused(self, why: str, remedy: str) -> InputError:
        return InputError(f"the Delta table {self.root} {why}; {remedy}")
