"""From the journal on: keep originals, replace file by file, say so. All of it can be broken off and begun again."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from masking import storage
from masking.errors import InputError, MaskingError, naming
from masking.report.manifest import MANIFEST, run_folder
from masking.spark.begin import cores_of, now
from masking.spark.inplace.jobs import move_all
from masking.spark.inplace.journal import STAGED, WRITING, Journal, write_journal
from masking.spark.inplace.mark import MarkedRun, write_run
from masking.spark.inplace.put import CHANGED, DONE, GONE, sweep
from masking.spark.write import IDENTITIES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: In a run's folder on the PHI side: the names of input files that somebody has changed.
CHANGED_FILES = "changed-files.txt"

Notice = Callable[[str], None]


def finish_swap(spark: SparkSession, phi_area: str, journal: Journal, notice: Notice) -> Journal:
    """Bring a run from wherever it is to its end; the journal as it then is.

    `InputError` for files that are neither as they were recorded nor masked; each of the others is wholly old or new.
    """
    folder, cores = run_folder(phi_area, journal.run_id), cores_of(spark)
    sweep_beside(journal)
    swaps = journal.swaps(phi_area)
    found = move_all(spark, swaps, folder, cores, is_look=True)
    refuse_changed(journal, phi_area, [number for number, state in found.items() if state == CHANGED])
    refuse_gone(found, storage.join(folder, STAGED))
    _keep(spark, journal, folder, cores, found, notice)
    _mark(journal, is_done=False)
    found = move_all(spark, swaps, folder, cores)
    refuse_changed(journal, phi_area, [number for number, state in found.items() if state != DONE])
    _mark(journal, is_done=True)
    sweep_beside(journal)
    manifest = dataclasses.replace(journal.manifest, finished=now())
    content = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2) + b"\n"
    with naming(f"write to the PHI area {phi_area}"):
        storage.write_bytes(
            storage.join(folder, MANIFEST), content, durable=True, scratch=storage.join(folder, WRITING)
        )
    journal = msgspec.structs.replace(journal, phase="done", manifest=manifest)
    write_journal(phi_area, journal)
    return journal


def _keep(
    spark: SparkSession, journal: Journal, folder: str, cores: int, swaps: dict[int, str], notice: Notice
) -> None:
    """Keep the originals that are there; of those that are replaced, it was done before."""
    same = {file.number for file in journal.files if file.sha256 == file.masked_sha256}
    keeps = [move for move in journal.keeps() if swaps[move.number] != DONE or move.number in same]
    states = Counter(move_all(spark, keeps, folder, cores).values())
    if states[CHANGED]:
        raise MaskingError(
            f"{states[CHANGED]} originals cannot be kept, for something else is in their place; nothing was replaced"
        )
    if states[GONE]:
        notice(f"{states[GONE]} files of the source have been deleted meanwhile, and are not kept")


def _mark(journal: Journal, *, is_done: bool) -> None:
    hashes = tuple(sorted({file.masked_sha256 for file in journal.files}))
    for root in journal.roots:
        write_run(root, MarkedRun(journal.run_id, journal.made_with, is_done, hashes))


def refuse_changed(journal: Journal, phi_area: str, numbers: Sequence[int]) -> None:
    """`InputError` if there are any; their names go to the PHI side."""
    if not numbers:
        return
    path = storage.join(run_folder(phi_area, journal.run_id), CHANGED_FILES)
    names = {file.number: file.path for file in journal.files}
    with naming(f"write to the PHI area {phi_area}"):
        storage.write_bytes(path, "".join(f"{names[number]}\n" for number in sorted(numbers)).encode())
    raise InputError(
        f"{len(numbers)} of {len(journal.files)} files are neither as they were before run {journal.run_id} nor as it "
        f"masks them: somebody changed them meanwhile, and they are left alone; their names are in {path}: move them "
        "elsewhere or put them back, and run again"
    )


def refuse_gone(states: dict[int, str], folder: str) -> None:
    """`MaskingError` if what is to be put is not there."""
    if gone := list(states.values()).count(GONE):
        raise MaskingError(f"{gone} files that are to be put are not at {folder}; does another program clean it?")


def sweep_beside(journal: Journal) -> None:
    """Delete what was killed while it was written beside files, or beside a mark."""
    places = {path for file in journal.files for path in (file.path, file.target, file.kept) if path}
    sweep(iter(sorted({*journal.roots, *(path.rsplit("/", 1)[0] for path in places)})))


def clear_staged(folder: str) -> None:
    """Delete what a run needs no more."""
    for name in (STAGED, IDENTITIES, "progress", WRITING, "unnumbered"):
        storage.delete_folder(storage.join(folder, name))
    storage.delete_file(storage.join(folder, CHANGED_FILES))
