"""`_fhir_masking.json` in the source's folder: which files there are masked, by hash, and with what. On the clean side.

It lets a file that is masked be known again by whoever has no PHI area: it is not masked twice. It holds no name, no path
and nothing of an original. Readers pass it over, as they do whatever begins with `_`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from masking import storage
from masking.errors import InputError, naming
from masking.report.manifest import MadeWith

MARK = "_fhir_masking.json"
FORMAT = 1


class MarkedRun(msgspec.Struct, frozen=True):
    """A run in place. is_done: whether all of its files are replaced. sha256: of the masked files, sorted."""

    run_id: str
    made_with: MadeWith
    is_done: bool
    sha256: tuple[str, ...]


class Mark(msgspec.Struct, frozen=True):
    """All runs in place of a folder, in order of time."""

    runs: tuple[MarkedRun, ...] = ()
    format: int = FORMAT


def read_mark(folder: str) -> Mark:
    """The mark right in a folder; one without runs where there is none. `InputError` for one that cannot be read."""
    path = storage.join(folder, MARK)
    with naming("read the mark in a folder of the source"):
        content = storage.read_bytes(path)
    if content is None:
        return Mark()
    try:
        found = msgspec.json.decode(content, type=Mark)
    except msgspec.DecodeError:
        raise InputError(
            f"a folder of the source holds a {MARK} that is not this program's; is it another's?"
        ) from None
    if found.format > FORMAT:
        raise InputError(
            f"a {MARK} in the source was written by a later version of this program; update it to read this"
        )
    return found


def write_run(folder: str, run: MarkedRun) -> None:
    """Put a run into a folder's mark, in place of what is there of it."""
    others = tuple(one for one in read_mark(folder).runs if one.run_id != run.run_id)
    _write(folder, Mark((*others, run)))


def remove_run(folder: str, run_id: str) -> None:
    """Take a run out of a folder's mark; a mark without runs goes."""
    there = read_mark(folder).runs
    rest = tuple(one for one in there if one.run_id != run_id)
    if rest:
        _write(folder, Mark(rest))
    elif there:
        storage.delete_file(storage.join(folder, MARK))


def _write(folder: str, mark: Mark) -> None:
    path = storage.join(folder, MARK)
    with naming(f"write {path}"):
        storage.write_bytes(path, msgspec.json.format(msgspec.json.encode(mark), indent=1) + b"\n", durable=True)


def marked_runs(roots: Sequence[str], files: Iterable[str]) -> list[MarkedRun]:
    """The runs of all marks that may know these files: in their folders, in the roots, and above these."""
    folders = {path.rsplit("/", 1)[0] for path in files}
    for root in roots:
        scheme, _, rest = root.rpartition("://")
        parts = rest.split("/")
        above = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        folders.update(f"{scheme}://{one}" if scheme else one or "/" for one in above if one or not scheme)
    return [run for folder in sorted(folders) for run in read_mark(folder).runs]
