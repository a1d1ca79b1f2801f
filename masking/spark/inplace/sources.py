"""What a run in place is about to replace: the files, the folders they are in, and why it must not. Reads no content."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from masking import storage
from masking.errors import StorageError, UsageError, naming
from masking.sources.content import Form
from masking.sources.parquet import NO_HINTS, Hints
from masking.spark.inplace.mark import MARK
from masking.spark.inplace.put import ASIDE, SPOOLED
from masking.spark.read import Inputs, base_of, find_inputs

#: Markers of other programs that say nothing of a file beside them.
_HARMLESS = (MARK, "_SUCCESS")
#: What is staged is a little larger than what it replaces, for each resource says that it is masked.
_LARGER = 1.1
#: Of Parquet: values that recurred in a column may do so no more.
_LARGER_TABLE = 1.5


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of the sources, by name, and the folders that hold the sources, sorted, none in another."""

    inputs: Inputs
    roots: tuple[str, ...]

    def below(self, path: str) -> tuple[str, str]:
        """The root that holds a file, and the file's path below it."""
        root = next(root for root in self.roots if storage.contains(root, path))
        return root, path.removeprefix(root).strip("/")

    def parts(self, path: str) -> list[str]:
        """The names of the folders below the root that a file lies in, and its own."""
        return self.below(path)[1].split("/")


def find_sources(
    sources: Sequence[str], phi_area: str, *, keep: str | None, leave_others: bool, hints: Hints = NO_HINTS
) -> Sources:
    """All that is to be replaced. keep: the folder for originals, if there is to be one; this and the PHI area normalized.
    hints: what is known of tables.

    `UsageError` where one of these lies within, where files are reached by links, and, unless `leave_others`, where the
    folders hold anything else; `InputError` as `find_inputs`.
    """
    inputs = find_inputs(sources, phi_area, phi_area, hints)
    places = [storage.normalize(source) for source in sources]
    roots = _outermost([_root(place) for place in places])
    if keep is not None and any(storage.contains(root, keep) or storage.contains(keep, root) for root in roots):
        raise UsageError(
            f"the folder for originals {keep} and the source lie inside one another; choose another folder"
        )
    _refuse_delta(inputs)
    _refuse_links(inputs)
    if not leave_others:
        _refuse_others(inputs, places)
    return Sources(inputs, roots)


def roots_of(sources: Sequence[str]) -> tuple[str, ...]:
    """The folders that hold the sources, whatever is there by now."""
    return _outermost([_root(storage.normalize(source)) for source in sources])


def _root(source: str) -> str:
    with naming(f"read the source {source}"):
        is_file = storage.find_file(source) is not None
    return source.rsplit("/", 1)[0] if is_file else base_of(source)


def _outermost(folders: Sequence[str]) -> tuple[str, ...]:
    each = sorted(set(folders))
    return tuple(one for one in each if not any(other != one and storage.contains(other, one) for other in each))


def _refuse_delta(inputs: Inputs) -> None:
    """`UsageError` for Delta tables: their logs hold sizes and smallest values of files, and name older ones."""
    if tables := len(inputs.tables):
        raise UsageError(
            f"the source holds {tables} Delta tables, which are not masked in place: the log and the files of earlier "
            "versions would stay as they are; mask them into a destination (--formats ndjson,parquet,delta makes Delta "
            "tables there), or name the source by a glob that leaves them out"
        )


def _refuse_links(inputs: Inputs) -> None:
    linked = sum(storage.normalize(file.path) != file.path for file in inputs.files)
    if linked:
        raise UsageError(
            f"{linked} files of the source are reached by links; what a link leads to would stay as it is: name the "
            "folders where the files are"
        )


def _refuse_others(inputs: Inputs, places: Sequence[str]) -> None:
    """Folders that were named as such are to hold nothing but what is masked, and files no second name."""
    named = {file.path for file in inputs.files}
    others: list[str] = []
    odd: list[str] = []
    for place in places:
        if base_of(place) == place and place not in named:
            others += [file.path for file in storage.list_files(place, odd) if file.path not in named]
    others = [path for path in others if not path.rsplit("/", 1)[1].startswith((*_HARMLESS, ASIDE, SPOOLED))]
    if count := len(others) + len(odd):
        raise UsageError(
            f"the source holds {count} other files, which would stay as they are and may tell of people (hidden ones "
            "count, such as checksums of files that are about to change); move them, or: --leave-others"
        )
    local = [path for path in named if storage.is_local(path)]
    with naming("read the source"):
        twice = sum(os.stat(path).st_nlink > 1 for path in local)  # noqa: PTH116 (paths are texts throughout)
    if twice:
        raise UsageError(
            f"{twice} files of the source have other names too (hard links), under which they would stay as they are; "
            "remove these, or: --leave-others"
        )


def disk_needed(inputs: Inputs) -> int:
    """About how many bytes the PHI area takes for a while. Parts of a table are there twice, while they are joined."""
    tables = sum(file.size for file in inputs.files if file.form is Form.PARQUET)
    return int((inputs.bytes - tables) * _LARGER + tables * _LARGER_TABLE)


def refuse_full(phi_area: str, inputs: Inputs, keep: str | None) -> None:
    """`StorageError` if a local PHI area, or where originals are kept, has too little room; before anything is written."""
    wants: dict[str, int] = {phi_area: disk_needed(inputs)}
    if keep is not None:
        wants[keep] = inputs.bytes
    by_disk: dict[int, tuple[int, str]] = {}
    for place, bytes_ in wants.items():
        if storage.is_local(place):
            disk = os.stat(place).st_dev  # noqa: PTH116
            by_disk[disk] = by_disk.get(disk, (0, place))[0] + bytes_, place
    for needed, place in by_disk.values():
        free = shutil.disk_usage(place).free
        if free < needed:
            raise StorageError(
                f"the disk of {place} has {free >> 20:,} MB free, and masking in place needs about {needed >> 20:,} MB "
                "there: what is masked waits until all of it is; free space or choose another place"
            )
