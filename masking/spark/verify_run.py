"""The steps of a verification on the driver: gather, search, compare, weigh. The work is in `verify_tasks`."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from masking import storage
from masking.errors import InputError
from masking.report.manifest import Manifest, run_folder
from masking.report.measures import Measures
from masking.report.verdict import Finding
from masking.risk.settings import RiskSettings
from masking.sources.documents import ANOTHER_TYPE
from masking.spark.lines import Limits, Reader
from masking.spark.measure import RuleFacts, measure
from masking.spark.pieces import Judge, judge_shares
from masking.spark.read import InputFile, Inputs
from masking.spark.splits import Block, plan_tasks
from masking.spark.verify_aside import JUDGED, AsideTask, search_names
from masking.spark.verify_delta import DeltaTask, TablesTask
from masking.spark.verify_gather import CollectTask, FilesTask
from masking.spark.verify_pairs import Stretch, document_key, stretches
from masking.spark.verify_receipts import Checked, FaultCount
from masking.spark.verify_relations import RELATED, Related, RelationsJudge, count_shares
from masking.spark.verify_tables import delta_parts, own_files
from masking.spark.verify_tasks import CheckTask
from masking.spark.verify_weighing import Faults, pairs_of
from masking.spark.write import QUARANTINE
from masking.verify.kinds import Kind
from masking.verify.known import Known, Pieces, joined, pack, save, unpack
from masking.verify.relations import findings
from masking.verify.weigh import Pairs, Weighed, weigh

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FINDINGS = "findings"
_BATCH_BYTES = 6 << 20
_EARLIER_BYTES = 128 << 20  # that a task reads of files of earlier runs
_ASIDE = 200  # tasks that search files beside the documents: there may be thousands of small ones


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What a verification is told of a policy, as data. stays: given paths, what is done at each (`masking.policy.stays`)."""

    name: str
    sha256: str
    vouched: tuple[str, ...]
    unwritten: tuple[str, ...]
    stays: Callable[[Sequence[str]], Mapping[str, str]] = field(repr=False)
    rules: RuleFacts = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a verification found, before anything of it is written. findings: all, the leaks too. checked: what each task saw."""

    findings: list[Finding]
    weighed: Weighed
    pairs: Pairs
    known: Known
    checked: list[Checked]


class Verification:
    """Holds a run against its source. `work` is a folder in the PHI area, which the caller makes and removes.

    earlier: files that runs before it have read, whose people are known too.
    """

    def __init__(
        self,
        spark: SparkSession,
        inputs: Inputs,
        clean: str,
        phi: str,
        manifest: Manifest,
        policy: PolicyFacts,
        work: str,
        earlier: Sequence[InputFile] = (),
    ) -> None:
        self._spark, self._inputs, self._clean, self._work = spark, inputs, clean, work
        self._manifest, self._policy = manifest, policy
        self._quarantine = storage.join(run_folder(phi, manifest.run_id), QUARANTINE)
        partitions = manifest.settings.get("partitions")
        if not isinstance(partitions, int) or isinstance(partitions, bool):
            raise InputError("the run does not say how it cut its input; mask again to be able to verify")
        self.tasks = plan_tasks(inputs.files, partitions)
        weight = sum(file.weight for file in earlier)
        self._known_from = (*self.tasks, *plan_tasks(earlier, math.ceil(weight / _EARLIER_BYTES)))
        self.limits = Limits(10_000, _BATCH_BYTES, int(manifest.settings.get("line_bytes") or 512 << 20))
        self._faults = Faults()
        self._known: tuple[Known, dict[str, str]] | None = None
        self._checking: CheckTask | None = None

    @property
    def unwritten(self) -> frozenset[str]:
        """The types that the policy does not let through."""
        written = {name for name, count in self._manifest.types.items() if count.masked or count.resources}
        return frozenset(self._policy.unwritten) - written

    @property
    def splits_bundles(self) -> bool:
        """Whether the run wrote Bundles as the resources of their entries."""
        return self._manifest.settings.get("bundles") == "split"

    def judge(self, manifest: Manifest | None = None) -> Judged:
        """All steps. manifest: of a run of the same source at the same place, if it is another one than before; what is
        known of the source is then not gathered again.
        """
        self._manifest = manifest or self._manifest
        self._faults = Faults()
        loose = self._check_files()
        known, actions = self.gathered()
        checked = self._check(known, actions, loose)
        arrays = [self._arrays(one.task) for one in checked]
        for receipt in checked:
            for fault in receipt.faults:
                self._faults.add(fault)
        finds = [find for one in checked for find in one.finds]
        offsets = self._relate(checked, {find.patient for find in finds if find.kinds & Kind.BIRTH})
        pairs = pairs_of(known, arrays)
        weighed = weigh(known, pairs, finds, offsets)
        aside = self._search_aside(known, arrays)
        return Judged([*weighed.findings, *aside, *self._faults.told()], weighed, pairs, known, checked)

    def measure(self, settings: RiskSettings) -> Measures:
        """What is measured beside the verdict; after `judge`, whose files it reads."""
        assert self._checking is not None
        patients = len(self.gathered()[0].patients)
        return measure(self._job, self._judge, self._checking, patients, self._policy.rules, settings)

    def gathered(self) -> tuple[Known, dict[str, str]]:
        """What is known of the source, and what the policy does at each path that it has."""
        if self._known is None:
            self._known = self._collect()
        return self._known

    # ── the jobs ──

    def _job(self, task: Any, count: int, most: int = 2000) -> list[bytes]:
        if not count:
            return []
        rows = self._spark.range(0, count, 1, min(count, most)).mapInArrow(task.run, "found binary").collect()
        return [bytes(row.found) for row in rows]

    def _judge(self, stem: str, tasks: int, shares: int, judge: Judge) -> list[bytes]:
        return judge_shares(self._spark, self._work, stem, tasks, shares, judge)

    def _check_files(self) -> dict[int, frozenset[str]]:
        """Hold files against the manifest; the types of each task whose lines are not as many as there were."""
        files = self._manifest.files
        found = self._job(FilesTask(files, self._clean), len(files))
        bad: set[str] = set()
        for content in found:
            number, what, rows = msgspec.json.decode(content, type=tuple[int, str, int])
            if what:
                file = files[number]
                self._faults.add(FaultCount("files", what, file.resource_type, 1, [(file.path, 0)]))
                if rows != file.rows:
                    bad.add(file.path)
        loose: dict[int, frozenset[str]] = {}
        for task, types in stretches(self._manifest).items():
            loose[task] = frozenset(name for name, many in types.items() if any(one.path in bad for one in many))
        return loose

    def _collect(self) -> tuple[Known, dict[str, str]]:
        tasks = self._known_from
        found = self._job(CollectTask(tasks, self._work, self.limits), len(tasks))
        paths = sorted({path for content in found for path in msgspec.json.decode(content, type=list[str])})
        parts = []
        for number in range(len(tasks)):
            content = storage.read_bytes(storage.join(self._work, f"known-{number:05d}.npz"))
            assert content is not None
            parts.append(Pieces.of_bytes(content))
        known = joined(parts)
        save(known, lambda name, content: storage.write_bytes(storage.join(self._work, name), content))
        return known, dict(self._policy.stays(paths))

    def _check(self, known: Known, actions: Mapping[str, str], loose: dict[int, frozenset[str]]) -> list[Checked]:
        job = self._checking = CheckTask(
            tasks=self.tasks,
            outputs=self._outputs(),
            destination=self._clean,
            folder=self._work,
            humans=known.humans,
            limits=self.limits,
            actions=actions,
            vouched=self._policy.vouched,
            reference_date=self._manifest.made_with.reference_date,
            quarantined=self.quarantined(),
            unwritten=self.unwritten,
            loose=loose,
            split=self.splits_bundles,
            takes_deletions=self._manifest.is_incremental,
            shares=self._shares,
        )
        found = self._job(job, len(self.tasks))
        return sorted((msgspec.json.decode(one, type=Checked) for one in found), key=lambda one: one.task)

    def _relate(self, checked: Sequence[Checked], people: set[int]) -> dict[int, int]:
        """Hold names and dates of all tasks against each other; by how many days the dates of these people moved."""
        found = self._judge(RELATED, len(checked), self._shares, RelationsJudge(tuple(sorted(people))))
        related = [msgspec.json.decode(one, type=Related) for one in found]
        for finding in findings(checked, [clash for one in related for clash in one.clashes]):
            self._faults.add(FaultCount(**dataclasses.asdict(finding)))
        return {person: days for one in related for person, days in one.offsets.items()}

    @property
    def _shares(self) -> int:
        return count_shares(sum(file.weight for file in self._inputs.files))

    def _outputs(self) -> dict[int, dict[str, list[Stretch]]]:
        """What each task wrote, by type."""
        return stretches(self._manifest)

    def _arrays(self, task: int) -> dict[str, Any]:
        content = storage.read_bytes(storage.join(self._work, f"found-{task:05d}.npz"))
        assert content is not None
        return unpack(content)

    def quarantined(self) -> dict[bytes, int]:
        """The documents that were put aside, by hash, and how often each."""
        found: Counter[bytes] = Counter()
        for file in storage.list_files(self._quarantine):
            for batch in Reader((Block(file.path, "", 0, file.size, file.size),), self.limits):
                for line in batch.documents:
                    record = msgspec.json.decode(line, type=_Aside)
                    if record.encoding != "none" and record.reason != ANOTHER_TYPE:
                        found[document_key(record.as_bytes())] += 1
        # What was put aside before the engine saw it is put aside again by who reads the source.
        unread = sum(self._manifest.reasons.get(reason, 0) for reason in ("too-long", ANOTHER_TYPE))
        wanted = self._manifest.total.quarantined - unread
        if found.total() != wanted:
            raise InputError(
                f"the run put {wanted} lines aside, but its quarantine holds {found.total()}: "
                "give the PHI area that the run was given"
            )
        return dict(found)

    def _search_aside(self, known: Known, arrays: Sequence[Mapping[str, Any]]) -> list[Finding]:
        """Search everything but NDJSON: names of files and folders, and what is in the files; hold tables against documents."""
        manifest, clean = self._manifest, self._clean
        files, names = own_files(manifest, clean)
        parts, delta, faults = delta_parts(manifest, clean)
        self._save_judged(arrays)
        jobs = (
            (AsideTask((*files, *delta), self._work, known.humans), len(files) + len(delta)),
            (TablesTask(manifest.tables, clean), len(manifest.tables)),
            (DeltaTask(tuple(parts), clean), len(parts)),
        )
        found = [msgspec.json.decode(one, type=Finding) for job, count in jobs for one in self._job(job, count, _ASIDE)]
        run = run_folder("", manifest.run_id).strip("/") + "/"
        faults += search_names(known, run, names)
        faults += search_names(known, "", [file.short for file in delta])
        return [*faults, *sorted(found, key=lambda one: one.places)]

    def _save_judged(self, arrays: Sequence[Mapping[str, Any]]) -> None:
        """For who searches tables: the values that were met in documents."""
        met = [one[name] for one in arrays for name in ("own_places", "other_places")]
        judged = np.unique(np.concatenate(met)) if met else np.zeros(0, np.int64)
        storage.write_bytes(storage.join(self._work, JUDGED), pack({"places": judged}))


class _Aside(msgspec.Struct):
    """What of a quarantined line is needed to know it again."""

    reason: str
    encoding: str
    document: str

    def as_bytes(self) -> bytes:
        return base64.b64decode(self.document) if self.encoding == "base64" else self.document.encode()


def private(folder: str) -> None:
    """A folder that is its owner's alone, where folders have owners."""
    if storage.is_local(folder):
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(folder).chmod(0o700)
