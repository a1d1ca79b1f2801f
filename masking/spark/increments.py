"""What an incremental run is to read, and which runs it goes on from. Driver only; reads no content.

Incremental runs into a destination make one dataset, which its manifest names run by run. Each takes the files that
none of the dataset's runs has read (`masking.spark.ledger`), so all of them together read each file once. A run that is
not incremental is a dataset by itself; the incremental run after it begins another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from masking import storage
from masking.errors import InputError, MaskingError, UsageError, naming
from masking.pools import POOLS_VERSION
from masking.report.manifest import MadeWith, Manifest, read_manifest, run_folder, show_manifest
from masking.spark.ledger import sort_files
from masking.spark.read import InputFile, Inputs
from masking.spark.write import PEOPLE

if TYPE_CHECKING:
    from masking.spark.run import RunSettings

_ANEW = "or begin another dataset here, which takes all files: --anew"


@dataclass(frozen=True, slots=True)
class Drop:
    """What there is to do. latest: the finished run that readers are to see now, None where there is none.

    continues: the dataset that the run adds to, oldest run first; () if it begins one. seen: files that are not read again.
    read_by: of a run that masks again, of each file the place of the run that read it.
    """

    inputs: Inputs
    latest: Manifest | None
    continues: tuple[str, ...]
    seen: int = 0
    read_by: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self.inputs.files

    def __str__(self) -> str:
        if self.read_by:
            left = f"; {self.seen:,} are new and left to the next incremental run" if self.seen else ""
            return f"{len(self.inputs.files):,} files are read once more{left}"
        if self.is_empty:
            return f"Nothing new: {self.seen:,} files, all of which earlier runs have read"
        if self.seen:
            return f"{len(self.inputs.files):,} files are new; {self.seen:,} were read by earlier runs"
        if self.latest is not None and not self.continues:
            return f"This run begins another dataset with all files; readers see run {self.latest.run_id} until it is published"
        return f"{len(self.inputs.files):,} files are new"

    def people(self, phi_area: str) -> tuple[str, ...]:
        """The folders in which the runs before kept what they knew of people."""
        return tuple(storage.join(run_folder(phi_area, run_id), PEOPLE) for run_id in self.continues)


def find_drop(inputs: Inputs, destination: str, phi_area: str, made_with: MadeWith, settings: RunSettings) -> Drop:
    """Of the files that there are those that an incremental run is to read. Both places are normalized.

    `UsageError` where what is there was made otherwise than this run would make it; `InputError` where a file that was
    read has changed (unless `settings.reread`) or was taken out of its Delta table, and where this is not the PHI area of
    the runs before.
    """
    latest = latest_finished(destination)
    if latest is None or not latest.is_incremental or settings.anew:
        return Drop(inputs, latest, ())
    _refuse_mixture(latest, made_with, settings)
    with naming(f"read the runs at {phi_area}"):
        found = sort_files(inputs.files, phi_area, latest.runs)
    rewritten = [path for path in found.gone if any(storage.contains(table, path) for table in inputs.tables)]
    if rewritten:
        raise InputError(
            f"{len(rewritten)} files that earlier runs have read are no part of their Delta table any more: rows were changed or "
            "deleted, or files joined (UPDATE, DELETE, MERGE, OPTIMIZE), and files alone do not tell which; only tables that "
            f"are appended to can be read bit by bit; {_ANEW.removeprefix('or ')}"
        )
    if found.changed and not settings.reread:
        raise InputError(
            f"{len(found.changed)} of the files that earlier runs have read were changed since; to read these again, with "
            f"rows that replace the earlier ones by id: --reread; {_ANEW}"
        )
    wanted = {file.path for file in (*found.new, *found.changed)}
    files = tuple(file for file in inputs.files if file.path in wanted)
    return Drop(replace(inputs, files=files), latest, latest.runs, len(found.seen))


def find_refresh(inputs: Inputs, destination: str, phi_area: str, made_with: MadeWith, settings: RunSettings) -> Drop:
    """The files that a dataset's runs have read, of which some documents are to be masked again. Raises as `find_drop`, and
    `InputError` where a file that was read is gone, or there is no dataset.
    """
    latest = latest_finished(destination)
    if latest is None or not latest.is_incremental:
        raise InputError(f"there is no dataset of incremental runs at {destination}; only such a one can be refreshed")
    _refuse_mixture(latest, made_with, settings)
    with naming(f"read the runs at {phi_area}"):
        found = sort_files(inputs.files, phi_area, latest.runs)
    if found.changed or found.gone:
        raise InputError(
            f"{len(found.gone)} of the files that earlier runs have read are not in the source, {len(found.changed)} were changed "
            f"since; a refresh reads all of them again, so bring them back, {_ANEW}"
        )
    return Drop(replace(inputs, files=found.seen), latest, latest.runs, len(found.new), found.read_by)


def files_of_run(inputs: Inputs, phi_area: str, manifest: Manifest) -> tuple[Inputs, tuple[InputFile, ...]]:
    """Of the files that there are those that an incremental run has read, and those that the runs before it have.

    `InputError` unless all that the run has read are there as they were.
    """
    if manifest.settings.get("refresh"):
        raise UsageError(f"run {manifest.run_id} has masked documents of earlier runs again; verify these: --run")
    own = sort_files(inputs.files, phi_area, [manifest.run_id])
    if len(own.seen) != manifest.source_files:
        raise InputError(
            f"{manifest.source_files - len(own.seen)} of the {manifest.source_files} files that run {manifest.run_id} has "
            "read are not there as they were"
        )
    earlier = sort_files(own.new, phi_area, manifest.runs[:-1])
    return replace(inputs, files=own.seen), (*earlier.seen, *earlier.changed)


def latest_finished(destination: str) -> Manifest | None:
    """The latest finished run that readers are to see.

    That is the destination's manifest, or that of an incremental run that was killed when it had written its own
    manifest and not yet the destination's: its list of files counts, so it does.
    """
    latest = read_manifest(destination)
    for run_id in reversed(storage.list_folders(storage.join(destination, "runs"))):
        if latest is not None and run_id <= latest.run_id:
            break
        later = read_manifest(destination, run_id)
        if later is not None and later.is_incremental:
            return later
    return latest


def show_latest(destination: str, drop: Drop) -> None:
    """Let readers see what is finished, if the run that made it was killed before it could."""
    shown = read_manifest(destination)
    if drop.latest is not None and (shown is None or shown.run_id != drop.latest.run_id):
        show_manifest(destination, drop.latest)


def refuse_overtaken(destination: str, drop: Drop) -> None:
    """`MaskingError` if another run was published since a drop was found: it may have read the same files."""
    latest = latest_finished(destination)
    if (latest and latest.run_id) != (drop.latest and drop.latest.run_id):
        raise MaskingError("another run was published here meanwhile, so this one was not; run it again")


def _refuse_mixture(latest: Manifest, made_with: MadeWith, settings: RunSettings) -> None:
    """`UsageError` unless the rows of this run and those of the runs before are of one making."""
    before = latest.made_with
    now = {
        "key": (before.key_fingerprint, made_with.key_fingerprint),
        "policy": (before.policy_sha256, made_with.policy_sha256),
        "reference date (--on)": (before.reference_date, made_with.reference_date),
        "--formats": (latest.settings.get("formats"), settings.formats),
        "--bundles": (latest.settings.get("bundles"), settings.bundles),
        "version of the pools of fakes": (before.versions.get("pools"), POOLS_VERSION),
    }
    other = [name for name, (there, here) in now.items() if there != here]
    if other:
        raise UsageError(
            f"run {latest.run_id} was made with another {' and another '.join(other)}: rows of both would not fit "
            f"together; give the same, {_ANEW}"
        )
