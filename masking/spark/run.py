"""A run from end to end, on the driver: find, plan, mask, number, settle, check, publish.

The order is the safety: nothing is written before all is known to be possible, and the manifest that makes the output
visible is written when every line is accounted for.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pyspark.sql import SparkSession

from masking import storage
from masking.errors import TablesBehind, UnreadableFile, UsageError, naming
from masking.native import compile_once
from masking.report.manifest import (
    BUNDLES,
    FORMATS,
    MadeWith,
    Manifest,
    OutputFile,
    check_counts,
    check_tables,
    publish_manifest,
    read_manifest,
    refuse_other_key,
    run_folder,
)
from masking.sources.parquet import Hints
from masking.spark.alike import check_alike, part_by_schema, tell_of_lines
from masking.spark.apply import MaskTask
from masking.spark.begin import (
    cores_of,
    from_worker,
    make_private,
    new_run_id,
    now,
    tell_of_open_disks,
    versions,
    with_name_kept,
)
from masking.spark.delta import DELTA, merge_runs, require_delta
from masking.spark.finish import gather_small_files, number_quarantine, settle_files
from masking.spark.guard import DocumentEngine
from masking.spark.identify import Identities, identify
from masking.spark.increments import Drop, find_drop, find_refresh, refuse_overtaken, show_latest
from masking.spark.ledger import write_ledger
from masking.spark.lines import Limits
from masking.spark.progress import Progress, Watch, beat_seconds
from masking.spark.quiet import keep_commands_out_of_logs
from masking.spark.read import Inputs, find_inputs, refuse_shared_places
from masking.spark.receipts import Totals, total
from masking.spark.refresh import NothingLearned, find_again
from masking.spark.refreshing import Again
from masking.spark.splits import Task, count_tasks, plan_tasks
from masking.spark.tables import Tables, TableSettings, describe_tables, make_tables
from masking.spark.telling import heard, telling
from masking.spark.unfinished import (
    Leftover,
    Marker,
    clear_leftovers,
    close_run,
    forget_leftovers,
    refuse_others_at_work,
    remove_run,
)
from masking.spark.write import LEFT_OUT, Places
from masking.tables.like import OURS, SOURCE, fault_of_tables_like
from masking.tables.main_dates import AUTO

Notice = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a run is carried out. None of these changes a masked document, but for `bundles`; sizes are in bytes."""

    #: Tasks to cut the input into; None: two a core, or as many as `partition_bytes` asks for.
    partitions: int | None = None
    #: The most text that one task reads.
    partition_bytes: int = 128 << 20
    #: Documents that the engine masks at once: at most so many, and at most so many bytes (or one document).
    batch_rows: int = 10_000
    batch_bytes: int = 6 << 20
    #: A longer line, or file that is one document, is quarantined unread. The engine has a limit of its own.
    line_bytes: int = 512 << 20
    #: An output file is finished when it has reached this size.
    file_bytes: int = 128 << 20
    #: With more output files than this (an import job takes 10,000), small ones are joined.
    most_files: int = 10_000
    #: Write into a destination that was made with another key or project.
    allow_other_key: bool = False
    #: "keep": a Bundle is written as one. "split": its entries' resources are written instead, each under its type.
    bundles: str = "keep"
    #: What is written, joined by commas: always NDJSON; Parquet made of it; Delta made of the Parquet.
    formats: str = "ndjson"
    #: Tables partitioned by the year of their main date: "auto" (very large ones), "none", "year" (all), or types joined by commas.
    partition_by: str = "auto"
    #: Whose columns tables have: "ours", made of the NDJSON; "source", those of the Parquet files that were read.
    tables_like: str = OURS
    #: Whether tables also have each resource's whole JSON, in the column `resource_json`.
    resource_column: bool = False
    #: Whether Delta tables that this run makes keep a change data feed.
    change_feed: bool = False
    #: The column of Parquet files that holds resources as JSON; "" to find it.
    json_column: str = ""
    #: Read only files that the runs before have not read, and go on where they ended (`masking.spark.increments`).
    incremental: bool = False
    #: Of such a run: read files again that were changed since they were read.
    reread: bool = False
    #: Of such a run: begin another dataset, with all files.
    anew: bool = False
    #: Of such a run: read no new file, but mask documents of the runs before again: "changed" (those of people of whom more
    #: is known now), "listed" (of given people), "all". "" for no such run.
    refresh: str = ""

    def __post_init__(self) -> None:
        if self.bundles not in BUNDLES:
            raise UsageError(f"bundles must be {' or '.join(BUNDLES)}")
        formats = self.formats.split(",")
        if formats != [*FORMATS[: len(formats)]]:
            raise UsageError(f"formats must be the first of {','.join(FORMATS)}: each is made of the one before")
        if fault := fault_of_tables_like(
            self.tables_like,
            formats=formats,
            bundles=self.bundles,
            partitioned=self.partition_by != AUTO,
            resource=self.resource_column,
            incremental=self.incremental,
        ):
            raise UsageError(fault)
        for setting in dataclasses.fields(self):
            value = getattr(self, setting.name)
            if value is not None and not isinstance(value, (bool, str)) and value < 1:
                raise UsageError(f"{setting.name} must be 1 or more")
        if not self.incremental and (self.reread or self.anew or self.refresh):
            raise UsageError("reread, anew and refresh say how an incremental run goes; ask for one as well")
        if self.refresh not in ("", "changed", "listed", "all"):
            raise UsageError("refresh must be changed, listed or all")


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: its manifest, and where things are. `quarantine` and `parquet` are None if nothing is there.

    is_new: False of an incremental run that found nothing to read; all else is then of the finished run before it.
    """

    manifest: Manifest
    destination: str
    ndjson: str
    quarantine: str | None
    leftovers: tuple[Leftover, ...]
    parquet: str | None = None
    delta: str | None = None
    is_new: bool = True

    @property
    def run_id(self) -> str:
        """Names the run's folders; sorts by time."""
        return self.manifest.run_id


def mask(
    spark: SparkSession,
    sources: str | Sequence[str],
    destination: str,
    phi_area: str,
    *,
    engine: DocumentEngine,
    made_with: MadeWith,
    settings: RunSettings | None = None,
    progress: Progress | None = None,
    notice: Notice | None = None,
    subjects: Sequence[str] = (),
) -> RunResult:
    """Mask the NDJSON, JSON and Parquet files of `sources` into `destination`; what cannot be masked goes to `phi_area`.

    sources: files, folders or globs. engine: a compiled policy with its subkeys, made for the reference date that
    `made_with` names. progress: called every second or so, from another thread. notice: called with lines for people.

    Raises `UsageError` (places overlap), `InputError` (nothing to read, or not readable), `KeyRefused` (another key),
    `CountMismatch` (lines lost; a bug). After any of these nothing is published and what was written is removed. Only
    after `TablesBehind` the run is published: its Delta tables are the last step.
    """
    keep_commands_out_of_logs()
    settings = settings or RunSettings()
    notice = notice or (lambda line: None)
    clean, phi = storage.normalize(destination), storage.normalize(phi_area)
    refuse_shared_places(clean, phi)
    if "delta" in settings.formats.split(","):
        require_delta(spark)
    shown = read_manifest(clean)
    if not settings.allow_other_key:
        refuse_other_key(shown, made_with.key_fingerprint)
    inputs = find_inputs(sources, clean, phi, Hints(settings.json_column))
    if settings.tables_like == SOURCE:
        tell_of_lines(inputs, notice)
    if engine.asks_people:
        tell_of_open_disks(spark, notice)
    if inputs.ignored:
        notice(
            f"{inputs.ignored} files are neither NDJSON, JSON nor Parquet by their names, or no files, and were passed over"
        )
    with naming(f"write to the PHI area {phi}"):
        make_private(phi)
    with naming(f"read the runs at {clean} and {phi}"):
        leftovers = clear_leftovers(clean, phi)
    for leftover in leftovers:
        if not leftover.known:
            notice(str(leftover))
    drop = None
    if settings.incremental:
        find = find_refresh if settings.refresh else find_drop
        drop = find(inputs, clean, phi, made_with, settings)
        show_latest(clean, drop)
        notice(str(drop))
        if drop.latest is not None and drop.is_empty:
            forget_leftovers(clean, phi, leftovers)
            delta = _merge_into_delta(spark, clean, drop.latest.run_id, settings, notice)
            return _result(drop.latest, clean, phi, leftovers, delta, is_new=False)
        inputs = drop.inputs
    compile_once()  # before several workers on this machine do
    run_id = new_run_id(max(run.run_id if run else "" for run in (shown, drop.latest if drop else None)))
    places = Places(run_folder(clean, run_id), run_folder(phi, run_id))
    with naming(f"write to the PHI area {phi}"):
        make_private(places.phi)
    work = _Work(spark, inputs, clean, phi, places, settings, progress, drop, tuple(subjects))
    try:
        manifest = _publish_or_take_back(work, run_id, engine, made_with)
    except NothingLearned as nothing:
        if drop is None or drop.latest is None:
            raise
        notice(str(nothing))
        forget_leftovers(clean, phi, leftovers)
        delta = _merge_into_delta(spark, clean, drop.latest.run_id, settings, notice)
        return _result(drop.latest, clean, phi, leftovers, delta, is_new=False)
    forget_leftovers(clean, phi, leftovers)
    return _result(manifest, clean, phi, leftovers, _merge_into_delta(spark, clean, run_id, settings, notice))


def _publish_or_take_back(work: _Work, run_id: str, engine: DocumentEngine, made_with: MadeWith) -> Manifest:
    """Carry a run out, with its marker up meanwhile; if it fails, nothing stays."""
    places, inputs = work.places, work.inputs
    marker = Marker(work.phi_area, run_id, work.destination)
    marker.start()
    try:
        # Delta tables take runs in their order: one that was overtaken would never get in.
        if work.drop is not None or DELTA in work.settings.formats.split(","):
            refuse_others_at_work(work.destination, work.phi_area, run_id)
        manifest = work.publish(run_id, engine, made_with)
    except BaseException as error:
        remove_run(places)  # not its marker, for a task that is being killed may write once more
        marker.release(taken_back=True)
        ours = from_worker(error) or error
        if isinstance(ours, UnreadableFile) and ours.number is not None:
            raise with_name_kept(ours, inputs, places) from None
        if ours is not error:
            raise ours from None
        raise
    close_run(places, marker)
    return manifest


def _result(
    manifest: Manifest, clean: str, phi: str, leftovers: list[Leftover], delta: str | None, *, is_new: bool = True
) -> RunResult:
    places = Places(run_folder(clean, manifest.run_id), run_folder(phi, manifest.run_id))
    return RunResult(
        manifest,
        clean,
        places.ndjson,
        places.quarantine if manifest.total.quarantined > 0 else None,
        tuple(leftovers),
        places.parquet if manifest.tables else None,
        delta,
        is_new,
    )


def _merge_into_delta(
    spark: SparkSession, destination: str, run_id: str, settings: RunSettings, notice: Notice
) -> str | None:
    """Bring the Delta tables up to the published runs, if they are asked for; where they are.

    Delta has a log of its own, in which each run is once: should this fail, the next run or `maintain` does it.
    """
    if "delta" not in settings.formats.split(","):
        return None
    try:
        merge_runs(spark, destination, change_feed=settings.change_feed, notice=notice)
    except Exception as error:  # of Spark's, whose text may quote rows
        raise TablesBehind(
            f"run {run_id} is published, but the Delta tables are not up to it ({type(error).__name__}); "
            f"the next run brings them up to both, or: fhir-mask maintain {destination}"
        ) from None
    return storage.join(destination, DELTA)


@dataclass(frozen=True, slots=True)
class _Work:
    """What the steps of one run share."""

    spark: SparkSession
    inputs: Inputs
    destination: str
    phi_area: str
    places: Places
    settings: RunSettings
    progress: Progress | None
    drop: Drop | None  # of an incremental run
    subjects: tuple[str, ...] = field(default=(), repr=False)  # of a run that masks those of given people again

    def publish(self, run_id: str, engine: DocumentEngine, made_with: MadeWith) -> Manifest:
        """All steps up to the manifest."""
        started, clock = now(), time.monotonic()
        cores = cores_of(self.spark)
        weight = sum(file.weight for file in self.inputs.files)
        count = self.settings.partitions or count_tasks(weight, cores, self.settings.partition_bytes)
        tasks = plan_tasks(self.inputs.files, count)
        people = self._identify(tasks, cores) if engine.asks_people else None
        again = self._find_again(tasks, cores, people) if self.settings.refresh else None
        totals = self._mask(run_id, engine, tasks, people, again)
        if people is not None:
            people.remove()
        number_quarantine(self.spark, totals.unnumbered, totals.first_lines, self.places, cores)
        if totals.left_out:
            names = "".join(f"{name}\n" for name in totals.left_out).encode()
            storage.write_bytes(storage.join(self.places.phi, LEFT_OUT), names, scratch=self.places.phi_scratch)
        files = gather_small_files(
            self.spark,
            totals.files,
            self.destination,
            self.places,
            file_bytes=self.settings.file_bytes,
            most_files=self.settings.most_files,
            cores=cores,
        )
        settle_files(files, self.destination, self.places)
        settle_files(totals.deleted, self.destination, self.places, self.places.deleted)
        tables = self._tables_like_source(totals) if self._is_alike else self._make_tables(files, cores)
        check_counts(
            totals.lines, totals.blank, totals.types, files, totals.entries, totals.dropped_entries, totals.passed
        )
        manifest = Manifest(
            run_id=run_id,
            started=started,
            finished=now(),
            seconds=round(time.monotonic() - clock, 3),
            made_with=dataclasses.replace(made_with, versions={**versions(self.spark), **made_with.versions}),
            lines=totals.lines,
            blank=totals.blank,
            types=totals.types,
            files=files,
            reasons=totals.reasons,
            redactions=totals.redactions,
            dangling=totals.dangling,
            other_versions=totals.versions,
            left_out_columns=len(totals.left_out),
            entries=totals.entries,
            dropped_entries=totals.dropped_entries,
            settings={
                **dataclasses.asdict(self.settings),
                "partitions": count,
            },  # as it was cut: who verifies cuts it so
            source_files=len(self.inputs.files),
            source_bytes=self.inputs.bytes,
            source_versions=self.inputs.versions,
            tables=tables.files,
            misfits=tables.misfits,
            denied_columns=totals.denied,
            unplaced=totals.unplaced,
            deleted=totals.deleted,
            passed=totals.passed,
            refreshed=self._refreshed(run_id),
            dataset=(*(self.drop.continues if self.drop else ()), run_id),
        )
        self._refuse_other_key(made_with)  # a run with another key may have come in between
        if self.drop is not None:
            write_ledger(self.phi_area, run_id, () if self.settings.refresh else self.inputs.files)
            refuse_overtaken(self.destination, self.drop)
        publish_manifest(self.destination, manifest, self.places.scratch)
        return manifest

    def _refuse_other_key(self, made_with: MadeWith) -> None:
        if not self.settings.allow_other_key:
            refuse_other_key(read_manifest(self.destination), made_with.key_fingerprint)

    def _make_tables(self, files: tuple[OutputFile, ...], cores: int) -> Tables:
        """The tables that were asked for, of the lines that were written."""
        if "parquet" not in self.settings.formats.split(","):
            return Tables((), {})
        how = TableSettings(self.settings.partition_by, self.settings.resource_column)
        tables = make_tables(self.spark, files, self.destination, self.places, how, cores)
        settle_files(tables.files, self.destination, self.places, self.places.parquet)
        check_tables(files, tables.files)
        describe_tables(tables.files, self.destination, self.places, self.settings.resource_column)
        return tables

    @property
    def _is_alike(self) -> bool:
        return self.settings.tables_like == SOURCE

    def _tables_like_source(self, totals: Totals) -> Tables:
        """The tables that tasks wrote beside the lines."""
        files = part_by_schema(totals.alike, self.destination, self.places.scratch)
        settle_files(files, self.destination, self.places, self.places.parquet)
        check_alike(totals.alike, totals.types, totals.rowless)
        return Tables(files, {})

    def _identify(self, tasks: tuple[Task, ...], cores: int) -> Identities:
        """Gather what the export says of people, on the PHI side; with what earlier runs know, if this one adds to them."""
        return identify(
            self.spark,
            tasks,
            self.places.phi,
            limits=self._limits,
            cores=cores,
            progress=self.progress,
            kept=self.places.people if self.drop else None,
            earlier=self.drop.people(self.phi_area) if self.drop else (),
            gathers=not self.settings.refresh,
        )

    def _find_again(self, tasks: tuple[Task, ...], cores: int, people: Identities | None) -> Again:
        """Which documents are to be masked again; `NothingLearned` where none is."""
        drop = self.drop
        if drop is None or drop.latest is None or people is None:
            raise NothingLearned(
                "the policy asks nothing of people, so nothing that is learned of them changes a document"
            )
        place = drop.continues.index(drop.latest.refreshed) if drop.latest.refreshed in drop.continues else -1
        return find_again(
            self.spark,
            drop.people(self.phi_area),
            [manifest for run_id in drop.continues if (manifest := read_manifest(self.destination, run_id))],
            self.destination,
            people.folder,
            places=tuple(tuple(drop.read_by[block.path] for block in task) for task in tasks),
            refreshed=place if self.settings.refresh == "changed" else -1,
            subjects=self.subjects if self.settings.refresh == "listed" else None,
            everyone=self.settings.refresh == "all",
            limits=self._limits,
            cores=cores,
        )

    def _refreshed(self, run_id: str) -> str:
        """The last run of the dataset that has masked again all that it should."""
        if self.settings.refresh in ("changed", "all"):
            return run_id
        return self.drop.latest.refreshed if self.drop and self.drop.continues and self.drop.latest else ""

    @property
    def _limits(self) -> Limits:
        return Limits(self.settings.batch_rows, self.settings.batch_bytes, self.settings.line_bytes)

    def _mask(
        self,
        run_id: str,
        engine: DocumentEngine,
        tasks: tuple[Task, ...],
        people: Identities | None,
        again: Again | None,
    ) -> Totals:
        """The job itself: one Spark task a planned one. A range has exactly the partitions it is asked for."""
        if not tasks:
            return total(())
        job = MaskTask(
            engine=engine,
            run_id=run_id,
            tasks=tasks,
            places=self.places,
            limits=self._limits,
            file_bytes=self.settings.file_bytes,
            beat_seconds=beat_seconds(self.places.phi),
            identities=people,
            split_bundles=self.settings.bundles == "split",
            takes_deletions=self.drop is not None,
            again=again,
            alike=self._is_alike,
        )
        paths = (self.destination, *(file.path for file in self.inputs.files))
        run = telling(job, "receipt", self.places.phi, paths).run
        receipts = self.spark.range(0, len(tasks), 1, len(tasks)).mapInArrow(run, "receipt binary")
        with Watch(self.places.progress, self.inputs.bytes, len(tasks), self.progress):
            return total(heard(receipts.collect()))
