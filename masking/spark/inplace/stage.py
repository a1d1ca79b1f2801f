"""Mask all files of a source into a folder of the PHI area, in the layout of the source; nothing is replaced yet."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masking import storage
from masking.errors import CountMismatch, UsageError
from masking.report.manifest import MadeWith, Manifest, OutputFile
from masking.spark.begin import cores_of, now, versions
from masking.spark.finish import number_quarantine
from masking.spark.guard import DocumentEngine
from masking.spark.identify import Identities, identify
from masking.spark.inplace.apply import RewriteTask
from masking.spark.inplace.join import join_parts
from masking.spark.inplace.names import telling_names
from masking.spark.inplace.put import Print, fingerprint
from masking.spark.inplace.sources import Sources
from masking.spark.inplace.write import staged_name, staged_path
from masking.spark.lines import Limits
from masking.spark.progress import Progress, Watch, beat_seconds
from masking.spark.receipts import Part, Totals, total
from masking.spark.run import RunSettings
from masking.spark.splits import Task, count_tasks, plan_tasks
from masking.spark.telling import heard, telling
from masking.spark.write import Places

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True)
class Staged:
    """What is masked and not yet put. By number of the file, from 1: what it becomes, and the types of its documents.

    telling: names of files and folders that tell of people.
    """

    sources: Sources
    tasks: tuple[Task, ...]
    places: Places
    parts: tuple[Part, ...]
    prints: Mapping[int, Print]
    types: Mapping[int, tuple[str, ...]]
    telling: frozenset[str]
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Staging:
    """What its steps share. places: `run` is where masked files wait, `phi` the run's folder in the PHI area."""

    spark: SparkSession
    run_id: str
    sources: Sources
    places: Places
    settings: RunSettings
    progress: Progress | None
    file_names: str  # "check", "rename" or "keep"
    #: A folder in which what is known of people outlasts the run, and such folders of earlier ones.
    kept_people: str | None = None
    earlier_people: tuple[str, ...] = ()

    def stage(self, engine: DocumentEngine, made_with: MadeWith) -> Staged:
        """All steps: gather, look at names, mask, number, join, count."""
        started, clock = now(), time.monotonic()
        cores = cores_of(self.spark)
        files = self.sources.inputs.files
        count = self.settings.partitions or count_tasks(
            sum(file.weight for file in files), cores, self.settings.partition_bytes
        )
        tasks = plan_tasks(files, count)
        is_asked = engine.asks_people or self.file_names != "keep" or self.kept_people is not None
        people = self._identify(tasks, cores) if is_asked else None
        telling_parts = self._telling_names(people) if people is not None and self.file_names != "keep" else set()
        if self.file_names == "check":
            self._refuse_names(telling_parts)
        totals = self._mask(engine, tasks, people)
        if people is not None:
            people.remove()
        number_quarantine(self.spark, totals.unnumbered, totals.first_lines, self.places, cores)
        prints = self._join(totals, cores)
        rows: Counter[int] = Counter()
        types: dict[int, set[str]] = {}
        for part in totals.parts:
            rows[part.number] += part.rows
            types.setdefault(part.number, set()).update(part.types)
        _check_counts(totals, sum(rows.values()))
        kinds = {number: tuple(sorted(names)) for number, names in types.items()}
        manifest = Manifest(
            run_id=self.run_id,
            started=started,
            finished=now(),
            seconds=round(time.monotonic() - clock, 3),
            made_with=dataclasses.replace(made_with, versions={**versions(self.spark), **made_with.versions}),
            lines=totals.lines,
            blank=totals.blank,
            types=totals.types,
            files=tuple(
                OutputFile(
                    file.path,
                    ",".join(kinds.get(number, ())),
                    rows[number],
                    prints[number].size,
                    prints[number].sha256,
                )
                for number, file in enumerate(files, 1)
            ),
            reasons=totals.reasons,
            redactions=totals.redactions,
            dangling=totals.dangling,
            other_versions=totals.versions,
            denied_columns=totals.denied,
            unplaced=totals.unplaced,
            settings={**dataclasses.asdict(self.settings), "partitions": count},
            source_files=len(files),
            source_bytes=self.sources.inputs.bytes,
        )
        return Staged(self.sources, tasks, self.places, totals.parts, prints, kinds, frozenset(telling_parts), manifest)

    def _identify(self, tasks: tuple[Task, ...], cores: int) -> Identities:
        return identify(
            self.spark,
            tasks,
            self.places.phi,
            limits=self._limits,
            cores=cores,
            progress=self.progress,
            kept=self.kept_people,
            earlier=self.earlier_people,
        )

    @property
    def _limits(self) -> Limits:
        return Limits(self.settings.batch_rows, self.settings.batch_bytes, self.settings.line_bytes)

    def _telling_names(self, people: Identities) -> set[str]:
        """Names of files, and of folders below the sources' own, that tell of people."""
        names = {part for file in self.sources.inputs.files for part in self.sources.parts(file.path)}
        return telling_names(names, people.folder)

    def _refuse_names(self, telling_parts: set[str]) -> None:
        files = self.sources.inputs.files
        if found := sum(not telling_parts.isdisjoint(self.sources.parts(file.path)) for file in files):
            raise UsageError(
                f"{found} of {len(files)} files have names, or lie in folders, that tell of people in them, and names "
                "stay as they are; give all files others: --rename-files, or leave them so: --keep-file-names"
            )

    def _mask(self, engine: DocumentEngine, tasks: tuple[Task, ...], people: Identities | None) -> Totals:
        if not tasks:
            return total(())
        job = RewriteTask(
            engine=engine,
            run_id=self.run_id,
            tasks=tasks,
            places=self.places,
            limits=self._limits,
            file_bytes=self.settings.file_bytes,
            beat_seconds=beat_seconds(self.places.phi),
            identities=people if engine.asks_people else None,
        )
        run = telling(job, "receipt", self.places.phi, (file.path for file in self.sources.inputs.files)).run
        receipts = self.spark.range(0, len(tasks), 1, len(tasks)).mapInArrow(run, "receipt binary")
        with Watch(self.places.progress, self.sources.inputs.bytes, len(tasks), self.progress):
            return total(heard(receipts.collect()))

    def _join(self, totals: Totals, cores: int) -> dict[int, Print]:
        """What each file becomes; of an empty one, which is no task's, an empty one. `CountMismatch` for one that is missing."""
        files = self.sources.inputs.files
        prints = join_parts(self.spark, totals.parts, files, self.places, cores)
        for number, file in enumerate(files, 1):
            path = staged_path(self.places, staged_name(number))
            if not file.size:
                storage.write_bytes(path, b"")
                prints[number] = fingerprint(path) or Print(0, "")
        there = {file.path: file.size for file in storage.list_files(self.places.run)}
        wrong = [
            number
            for number in range(1, len(files) + 1)
            if number not in prints or there.get(staged_path(self.places, staged_name(number))) != prints[number].size
        ]
        if wrong:
            raise CountMismatch(
                f"{len(wrong)} of {len(files)} masked files are not at {self.places.run}; is it a place that every "
                "worker and this machine share? Nothing was replaced"
            )
        return prints


def _check_counts(totals: Totals, rows: int) -> None:
    """Every line in exactly one place, a type at a time and in all; else `CountMismatch`."""
    wrong = [
        f"{name}: read {count.read}, but masked {count.masked} + quarantined {count.quarantined} + dropped {count.dropped}"
        for name, count in sorted(totals.types.items())
        if count.read != count.masked + count.quarantined + count.dropped
    ]
    read = sum(count.read for count in totals.types.values())
    masked = sum(count.masked for count in totals.types.values())
    if totals.lines != read + totals.blank:
        wrong.append(f"all: {totals.lines} lines, but {read} documents + {totals.blank} blank")
    if rows != masked:
        wrong.append(f"all: masked {masked}, but {rows} in files")
    if wrong:
        raise CountMismatch("the counts do not add up, so nothing was replaced: " + "; ".join(wrong))
