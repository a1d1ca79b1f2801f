"""Put kept originals back, file by file: as safe to break off as the run was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from masking import storage
from masking.errors import InputError, UsageError
from masking.report.manifest import run_folder
from masking.spark.begin import cores_of, from_worker
from masking.spark.inplace.broken import marker_of, refuse_at_work
from masking.spark.inplace.finish import clear_staged, refuse_changed, refuse_gone, sweep_beside
from masking.spark.inplace.jobs import move_all
from masking.spark.inplace.journal import Journal, of_roots, read_journals, write_journal
from masking.spark.inplace.mark import remove_run
from masking.spark.inplace.put import CHANGED, DONE
from masking.spark.inplace.sources import roots_of
from masking.spark.quiet import keep_commands_out_of_logs
from masking.spark.write import PEOPLE

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True)
class Undone:
    """A run that is undone: its id, how many files are as they were, and the earlier runs that can be undone next."""

    run_id: str
    files: int
    earlier: int


def undo_in_place(spark: SparkSession, sources: str | Sequence[str], phi_area: str) -> Undone:
    """Undo the latest run in place over these sources, finished or broken off; what it put aside stays in the PHI area.

    `InputError` where there is none, and for files that somebody has changed since; `UsageError` where originals were not
    kept, `MaskingError` where they are gone. Kept originals are not deleted.
    """
    keep_commands_out_of_logs()
    phi = storage.normalize(phi_area)
    roots = roots_of([sources] if isinstance(sources, str) else sources)
    refuse_at_work(phi, roots)
    left = [one for one in of_roots(read_journals(phi), roots) if one.phase != "undone"]
    if not left:
        raise InputError(f"the PHI area {phi} knows of no run in place over this source that could be undone")
    marker = marker_of(phi, left[-1].run_id, left[-1].roots)
    marker.start()
    try:
        _undo(spark, phi, left[-1])
    except BaseException as error:
        marker.remove()
        ours = from_worker(error)
        if ours is not None:
            raise ours from None
        raise
    marker.remove()
    return Undone(left[-1].run_id, len(left[-1].files), len(left) - 1)


def _undo(spark: SparkSession, phi: str, journal: Journal) -> None:
    folder, cores = run_folder(phi, journal.run_id), cores_of(spark)
    sweep_beside(journal)
    restores = journal.restores() if journal.is_kept else journal.swaps(phi)
    found = move_all(spark, restores, folder, cores, is_look=True)
    refuse_changed(journal, phi, [number for number, state in found.items() if state == CHANGED])
    if journal.is_kept:
        refuse_gone(found, "the folder for originals")
        write_journal(phi, msgspec.structs.replace(journal, phase="undo"))
        found = move_all(spark, restores, folder, cores)
        refuse_changed(journal, phi, [number for number, state in found.items() if state != DONE])
        sweep_beside(journal)
    else:
        _refuse_replaced(journal, found)
    for root in journal.roots:
        remove_run(root, journal.run_id)
    write_journal(phi, msgspec.structs.replace(journal, phase="undone"))
    clear_staged(folder)
    storage.delete_folder(storage.join(folder, PEOPLE))


def _refuse_replaced(journal: Journal, swaps: dict[int, str]) -> None:
    """Without originals a run can be undone that was broken off before it replaced a file."""
    same = {file.number for file in journal.files if (file.path, file.sha256) == (file.target, file.masked_sha256)}
    replaced = sum(state == DONE and number not in same for number, state in swaps.items())
    if replaced:
        raise UsageError(
            f"run {journal.run_id} kept no originals, and {replaced} of its {len(journal.files)} files are replaced; "
            + ("it can be finished: run it again" if journal.phase == "swap" else "it cannot be undone")
        )
