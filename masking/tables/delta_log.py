"""The log of a Delta table, read without Spark: which files the table is at its latest version, and which runs made it.

A version is the last checkpoint (Parquet, in one part or several) and the commits (JSON, an action a line) behind it. Only what
a reader needs is read; what this cannot read it refuses, for a table half read would look whole.

Source: the Delta Transaction Log Protocol, https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.errors import InputError

LOG = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet")


@dataclass(frozen=True, slots=True)
class DeltaTable:
    """A table at its latest version. files: below its folder. deleted: rows that are marked as deleted in them.

    runs: those whose commits are in the log, oldest first; whole: every commit from the first on is there, so none is missing.
    """

    version: int
    files: tuple[str, ...]
    deleted: int
    runs: tuple[str, ...]
    is_whole: bool


def read_log(folder: str) -> DeltaTable | None:
    """The table in a folder; None where there is no log. `InputError` where the log has a gap or cannot be read."""
    names = [file.path.rsplit("/", 1)[1] for file in storage.list_files(storage.join(folder, LOG))]
    commits = sorted(int(found[1]) for name in names if (found := _COMMIT.fullmatch(name)))
    start, parts = _last_checkpoint(names)
    if not commits and start < 0:
        return None
    behind = [number for number in commits if number > start]
    if behind != list(range(start + 1, start + 1 + len(behind))):
        raise InputError(f"the log of the Delta table at {folder} has a gap")
    files: dict[str, int] = {}
    for part in parts:
        _replay(_rows(storage.join(folder, LOG, part)), files)
    runs: list[str] = []
    for number in commits:
        actions = list(_actions(storage.join(folder, LOG, f"{number:020d}.json")))
        runs += filter(None, map(_run_of, actions))
        if number > start:
            _replay(iter(actions), files)
    version = behind[-1] if behind else start
    whole = commits == list(range(version + 1))
    return DeltaTable(version, tuple(sorted(files)), sum(files.values()), tuple(dict.fromkeys(runs)), whole)


def _last_checkpoint(names: list[str]) -> tuple[int, list[str]]:
    """The version of the last checkpoint all of whose parts are there, and their names; -1 where there is none."""
    found: dict[int, list[tuple[str, int]]] = {}
    for name in names:
        if part := _CHECKPOINT.fullmatch(name):
            found.setdefault(int(part[1]), []).append((name, int(part[3] or 1)))
    whole = {version: parts for version, parts in found.items() if len(parts) >= parts[0][1]}
    if not whole:
        return -1, []
    version = max(whole)
    return version, sorted(name for name, _ in whole[version])


def _actions(path: str) -> Iterator[dict[str, Any]]:
    content = storage.read_bytes(path) or b""
    for line in filter(bytes.strip, content.split(b"\n")):
        try:
            action = json.loads(line)
        except ValueError:
            action = None
        if not isinstance(action, dict):
            raise InputError(f"{path} is no commit of a Delta table")
        yield action


def _rows(path: str) -> Iterator[dict[str, Any]]:
    with storage.open_input(path) as file:
        table = pq.ParquetFile(file)
        wanted = [name for name in ("add", "remove", "sidecar") if name in table.schema_arrow.names]
        for batch in table.iter_batches(columns=wanted):
            for row in batch.to_pylist():
                if row.get("sidecar"):
                    raise InputError(f"{path} is a checkpoint of a kind that is not read here")
                yield row


def _replay(actions: Iterator[dict[str, Any]], files: dict[str, int]) -> None:
    """Take files in and out: of each how many of its rows are marked as deleted."""
    for action in actions:
        if add := action.get("add"):
            vector = add.get("deletionVector") or {}
            files[unquote(add["path"])] = int(vector.get("cardinality") or 0)
        if remove := action.get("remove"):
            files.pop(unquote(remove["path"]), None)


def _run_of(action: dict[str, Any]) -> str:
    """The run whose commit it is; "" for anything else."""
    info = action.get("commitInfo")
    try:
        said = json.loads(info.get("userMetadata") or "{}") if isinstance(info, dict) else {}
    except ValueError:
        return ""
    run_id = said.get("run_id") if isinstance(said, dict) else None
    return run_id if isinstance(run_id, str) else ""
