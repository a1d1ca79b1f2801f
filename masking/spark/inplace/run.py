"""A run in place from end to end, on the driver: record, gather, mask, check, and only then replace, file by file.

The order is the safety. People are gathered from all originals, and nothing is replaced before everything is masked and
checked. Then the journal is written; whatever happens after that, the next run goes on from it, and each file is either
wholly old or wholly new.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from masking import storage
from masking.errors import KeyRefused, UnreadableFile, UsageError, naming
from masking.native import compile_once
from masking.report.manifest import MadeWith, Manifest, run_folder
from masking.sources.parquet import Hints
from masking.spark.begin import cores_of, from_worker, make_private, new_run_id, tell_of_open_disks, with_name_kept
from masking.spark.guard import DocumentEngine
from masking.spark.inplace.broken import clear_broken_off, forget_broken_off, marker_of, refuse_at_work
from masking.spark.inplace.finish import clear_staged, finish_swap
from masking.spark.inplace.jobs import hashes
from masking.spark.inplace.journal import (
    STAGED,
    Journal,
    JournalFile,
    masked_hashes,
    of_roots,
    read_journals,
    write_journal,
)
from masking.spark.inplace.mark import marked_runs
from masking.spark.inplace.put import Print
from masking.spark.inplace.rename import new_targets
from masking.spark.inplace.sources import Sources, find_sources, refuse_full, roots_of
from masking.spark.inplace.stage import Staged, Staging
from masking.spark.progress import Progress
from masking.spark.quiet import keep_commands_out_of_logs
from masking.spark.read import Inputs
from masking.spark.run import Notice, RunSettings
from masking.spark.unfinished import Marker, remove_run
from masking.spark.write import PEOPLE, QUARANTINE, Places

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: What becomes of names of files that may tell of people.
FileNames = Literal["check", "rename", "keep"]
#: Looks at what is staged before anything is replaced, and raises to stop that.
Judge = Callable[[Staged], None]


@dataclass(frozen=True, slots=True)
class InPlace:
    """How files are replaced.

    keep_originals: a folder that takes the originals before, or None. leave_others: whether the source may hold what is not
    masked. file_names: "check" refuses names that tell of people, "rename" gives all files others, "keep" does neither.
    keep_people: whether what the files say of people stays in the PHI area, for runs over files that come later.
    """

    keep_originals: str | None = None
    leave_others: bool = False
    file_names: FileNames = "check"
    keep_people: bool = False


@dataclass(frozen=True, slots=True)
class InPlaceResult:
    """A finished run in place.

    manifest: None where all files were masked already. already: how many were. is_resumed: it finished an earlier one.
    folder: the run's in the PHI area. quarantine, kept: where these are, None for nowhere.
    """

    manifest: Manifest | None
    already: int = 0
    is_resumed: bool = False
    folder: str = ""
    quarantine: str | None = None
    kept: str | None = None


def mask_in_place(
    spark: SparkSession,
    sources: str | Sequence[str],
    phi_area: str,
    *,
    engine: DocumentEngine,
    made_with: MadeWith,
    settings: RunSettings | None = None,
    how: InPlace | None = None,
    judge: Judge | None = None,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> InPlaceResult:
    """Replace the files of `sources` by masked ones; what cannot be masked, and all that is between, is in `phi_area`.

    Errors as of `mask`; and `UsageError` for sources that hold other things or names of people, `KeyRefused` for files
    masked with another key, `InputError` for files that somebody changed meanwhile, and what `judge` raises. Until files
    are being replaced, the source is as it was after any of them. A run that was broken off while it replaced files is
    finished instead, whatever else is asked for.
    """
    keep_commands_out_of_logs()
    named = [sources] if isinstance(sources, str) else list(sources)
    phi, roots = storage.normalize(phi_area), roots_of(named)
    with naming(f"write to the PHI area {phi}"):
        make_private(phi)
    work = _Work(
        spark, phi, engine, made_with, settings or RunSettings(), how or InPlace(), judge, progress,
        notice or (lambda line: None),
    )  # fmt: skip
    refuse_at_work(phi, roots)
    journals = read_journals(phi)
    begun = next((one for one in of_roots(journals, roots) if one.phase in ("swap", "undo")), None)
    if begun is not None:
        return work.resume(begun)
    broken = clear_broken_off(phi, roots, work.notice)
    tell_of_open_disks(spark, work.notice)
    compile_once()  # before several workers on this machine do
    hints = Hints(work.settings.json_column)
    found = find_sources(named, phi, keep=work.keep, leave_others=work.how.leave_others, hints=hints)
    result = work.start(found, journals)
    forget_broken_off(phi, broken)
    return result


@dataclass(frozen=True, slots=True)
class _Work:
    """What the steps of one run share."""

    spark: SparkSession
    phi: str
    engine: DocumentEngine
    made_with: MadeWith
    settings: RunSettings
    how: InPlace
    judge: Judge | None
    progress: Progress | None
    notice: Notice

    @property
    def keep(self) -> str | None:
        """The folder for originals, normalized."""
        return storage.normalize(self.how.keep_originals) if self.how.keep_originals else None

    def resume(self, journal: Journal) -> InPlaceResult:
        """Finish a run that was broken off while it replaced files."""
        if journal.phase == "undo":
            raise UsageError(
                f"run {journal.run_id} is half undone: put the rest of its originals back first, with --undo"
            )
        if journal.made_with.key_fingerprint != self.made_with.key_fingerprint:
            raise KeyRefused(
                f"run {journal.run_id} has replaced a part of these files under key {journal.made_with.key_fingerprint}, "
                f"and this is {self.made_with.key_fingerprint}; finish it with that key, or undo it: --undo"
            )
        self.notice(f"run {journal.run_id} was broken off while it replaced files; it is finished as it was begun")
        marker = marker_of(self.phi, journal.run_id, journal.roots)
        marker.start()
        return self._finish(journal, marker, is_resumed=True)

    def start(self, sources: Sources, journals: Sequence[Journal]) -> InPlaceResult:
        """All of it."""
        run_id = new_run_id()
        folder = run_folder(self.phi, run_id)
        places = Places(storage.join(folder, STAGED), folder)
        with naming(f"write to the PHI area {self.phi}"):
            make_private(folder)
        marker = marker_of(self.phi, run_id, sources.roots)
        marker.start()
        todo = sources
        try:
            todo, prints = self._record(sources, journals, folder)
            if not todo.inputs.files:
                marker.remove()
                storage.delete_folder(folder)
                return InPlaceResult(None, already=len(sources.inputs.files))
            earlier = people_of(self.phi, of_roots(journals, sources.roots), self.made_with.key_fingerprint)
            already = len(sources.inputs.files) - len(todo.inputs.files)
            if already and not earlier:
                self.notice(
                    "of people whom the files describe that are masked already nothing is known any more, and texts about "
                    "them become placeholders"
                )
            journal = self._stage(run_id, places, todo, prints, earlier)
        except BaseException as error:
            remove_run(places)  # not its marker, for a task that is being killed may write once more
            marker.release(taken_back=True)
            ours = from_worker(error) or error
            if isinstance(ours, UnreadableFile) and ours.number is not None:
                raise with_name_kept(ours, todo.inputs, places) from None
            if ours is not error:
                raise ours from None
            raise
        return self._finish(journal, marker, already=already)

    def _record(self, sources: Sources, journals: Sequence[Journal], folder: str) -> tuple[Sources, dict[int, Print]]:
        """The files that are not masked yet, and by number, from 1 in their order, what they are."""
        files = sources.inputs.files
        runs = marked_runs(sources.roots, (file.path for file in files))
        known = {one.run_id for one in journals}
        if broken := next((run for run in runs if not run.is_done and run.run_id not in known), None):
            raise UsageError(
                f"run {broken.run_id} has replaced a part of these files and was broken off; give the PHI area that it "
                "was given, to finish it or to undo it"
            )
        masked = dict(masked_hashes(journals))
        masked |= {sha256: run.made_with.key_fingerprint for run in runs for sha256 in run.sha256}
        numbered = [(number, file.path, file.size) for number, file in enumerate(files, 1)]
        found = hashes(self.spark, numbered, folder, cores_of(self.spark))
        keys = Counter(masked[one.sha256] for one in found.values() if one.sha256 in masked and one.size)
        ours = keys.pop(self.made_with.key_fingerprint, 0)
        if keys and not self.settings.allow_other_key:
            raise KeyRefused(
                f"{keys.total()} of {len(files)} files are masked already, with key {min(keys)}, and this is "
                f"{self.made_with.key_fingerprint}; use that key, or mask them once more: --allow-other-key"
            )
        is_ours = {sha256 for sha256, key in masked.items() if key == self.made_with.key_fingerprint}
        todo = [number for number, one in sorted(found.items()) if one.sha256 not in is_ours]
        if ours and todo:
            self.notice(f"{ours} of {len(files)} files are masked already and stay as they are")
        inputs = Inputs(tuple(files[number - 1] for number in todo), sources.inputs.ignored)
        return dataclasses.replace(sources, inputs=inputs), dict(enumerate((found[number] for number in todo), 1))

    def _stage(
        self, run_id: str, places: Places, todo: Sources, prints: dict[int, Print], earlier: tuple[str, ...]
    ) -> Journal:
        """Mask and check; the journal, written."""
        keep = self.keep
        if keep is not None:
            with naming(f"write to the folder for originals {keep}"):
                make_private(keep)
        refuse_full(self.phi, todo.inputs, keep)
        kept = places.people if self.how.keep_people else None
        names = self.how.file_names
        work = Staging(self.spark, run_id, todo, places, self.settings, self.progress, names, kept, earlier)
        staged = work.stage(self.engine, self.made_with)
        if self.judge is not None:
            self.judge(staged)
        targets = new_targets(staged) if self.how.file_names == "rename" else {}
        files = tuple(
            JournalFile(
                number,
                file.path,
                prints[number].size,
                prints[number].sha256,
                targets.get(number, file.path),
                staged.prints[number].size,
                staged.prints[number].sha256,
                _kept_at(keep, run_id, todo, file.path) if keep is not None else "",
            )
            for number, file in enumerate(todo.inputs.files, 1)
        )
        manifest = dataclasses.replace(
            staged.manifest,
            files=tuple(
                dataclasses.replace(one, path=file.target)
                for one, file in zip(staged.manifest.files, files, strict=True)
            ),
        )
        journal = Journal(run_id, "swap", todo.roots, manifest.made_with, files, manifest)
        write_journal(self.phi, journal)
        return journal

    def _finish(self, journal: Journal, marker: Marker, *, already: int = 0, is_resumed: bool = False) -> InPlaceResult:
        """From the journal to the end. What goes wrong here leaves everything as it is, for the next run to go on."""
        folder = run_folder(self.phi, journal.run_id)
        try:
            journal = finish_swap(self.spark, self.phi, journal, self.notice)
        except BaseException as error:
            marker.remove()
            self.notice(f"Run {journal.run_id} was replacing files; the same command again finishes it")
            ours = from_worker(error)
            if ours is not None:
                raise ours from None
            raise
        clear_staged(folder)
        marker.remove()
        quarantined = journal.manifest.total.quarantined > 0
        kept = next((file.kept for file in journal.files if file.kept), None)
        return InPlaceResult(
            journal.manifest,
            already,
            is_resumed,
            folder,
            storage.join(folder, QUARANTINE) if quarantined else None,
            kept.partition(f"/{journal.run_id}/")[0] + f"/{journal.run_id}" if kept else None,
        )


def people_of(phi_area: str, journals: Sequence[Journal], fingerprint: str) -> tuple[str, ...]:
    """The folders in which finished runs have kept what they knew of people."""
    runs = [one for one in journals if one.phase == "done" and one.made_with.key_fingerprint == fingerprint]
    folders = [storage.join(run_folder(phi_area, one.run_id), PEOPLE) for one in runs]
    return tuple(folder for folder in folders if next(storage.list_files(folder), None) is not None)


def _kept_at(keep: str, run_id: str, sources: Sources, path: str) -> str:
    """Where an original is kept: as it lies in its source, below the source's number."""
    root, below = sources.below(path)
    return storage.join(keep, run_id, str(sources.roots.index(root) + 1), below)
