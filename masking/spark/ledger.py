"""Which files a run has read: a list on the PHI side, written before the run is published. Driver only.

It is what makes incremental runs exact. A list counts if its run is published, so the manifest alone decides what has
been read, and nothing can say otherwise: there is no second commit that a kill could part from the first. (Structured
Streaming's file source keeps offsets of its own, which would be such a commit; and documents would have to pass through
Spark.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec

from masking import storage
from masking.errors import InputError
from masking.report.manifest import run_folder
from masking.spark.read import InputFile

#: In a run's folder on the PHI side.
LEDGER = "sources.ndjson"
#: Lists that are fetched at once; each is a request in an object store.
_FETCHED_AT_ONCE = 16
#: A second look at a file may tell its time in other digits.
_SAME_SECONDS = 0.001


class _Line(msgspec.Struct):
    path: str
    size: int
    modified: float


_NEVER: tuple[int, _Line | None] = (-1, None)
_decode = msgspec.json.Decoder(_Line).decode


@dataclass(frozen=True, slots=True)
class Sorted:
    """Files by whether runs have read them, each in the order in which they were given. changed: since it was read.

    read_by: of each seen file's path the place of the last run that read it. gone: what was read and is not given.
    """

    new: tuple[InputFile, ...]
    seen: tuple[InputFile, ...]
    changed: tuple[InputFile, ...]
    read_by: Mapping[str, int]
    gone: tuple[str, ...]


def write_ledger(phi_area: str, run_id: str, files: Iterable[InputFile]) -> None:
    """Say what a run has read."""
    lines = (_Line(storage.normalize(file.path), file.size, file.modified) for file in files)
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    storage.write_bytes(_path(phi_area, run_id), content, durable=True)


def read_ledger(phi_area: str, run_id: str) -> dict[str, _Line]:
    """What a run has read, by place. `InputError` where this PHI area has no list of that run."""
    content = storage.read_bytes(_path(phi_area, run_id))
    if content is None:
        raise InputError(
            f"the PHI area {phi_area} does not say which files run {run_id} has read; give the one that the run was given"
        )
    lines = map(_decode, content.splitlines())
    return {line.path: line for line in lines}


def sort_files(files: Iterable[InputFile], phi_area: str, runs: Sequence[str]) -> Sorted:
    """Hold files against what these runs, oldest first, have read; of a file that was read twice the later time counts."""
    known: dict[str, tuple[int, _Line]] = {}
    with ThreadPoolExecutor(_FETCHED_AT_ONCE) as pool:
        for place, ledger in enumerate(pool.map(lambda run_id: read_ledger(phi_area, run_id), runs)):
            known.update((path, (place, line)) for path, line in ledger.items())
    new, seen, changed = [], [], []
    read_by: dict[str, int] = {}
    gone = dict.fromkeys(known)
    for file in files:
        path = storage.normalize(file.path)
        gone.pop(path, None)
        place, line = known.get(path, _NEVER)
        if line is None:
            new.append(file)
        elif line.size == file.size and abs(line.modified - file.modified) < _SAME_SECONDS:
            seen.append(file)
            read_by[file.path] = place
        else:
            changed.append(file)
    return Sorted(tuple(new), tuple(seen), tuple(changed), read_by, tuple(gone))


def _path(phi_area: str, run_id: str) -> str:
    return storage.join(run_folder(phi_area, run_id), LEDGER)
