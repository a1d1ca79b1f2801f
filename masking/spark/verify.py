"""Verify a finished run: gather, search, compare, weigh, tell. On the driver; the work is in `verify_tasks`.

What tells of people stays in the PHI area, in the run's `findings`. The verdict is put beside the run's manifest.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from masking import __version__, storage
from masking.errors import InputError, UsageError
from masking.report.manifest import MANIFEST, Manifest, read_manifest, run_folder
from masking.report.page import REPORT, publish_report
from masking.report.verdict import CHECKS, VERDICT, Finding, Verdict, publish_verdict
from masking.spark.lines import Limits, Reader
from masking.spark.quiet import keep_commands_out_of_logs
from masking.spark.read import Inputs, find_inputs
from masking.spark.splits import Block, plan_tasks
from masking.spark.verify_aside import JUDGED, AsideTask, search_names
from masking.spark.verify_gather import CollectTask, FilesTask
from masking.spark.verify_pairs import document_key, stretches
from masking.spark.verify_receipts import Checked, FaultCount
from masking.spark.verify_tasks import CheckTask
from masking.spark.write import QUARANTINE
from masking.verify.finds import Find
from masking.verify.known import Known, Pieces, joined, pack, save, unpack
from masking.verify.relations import broken, unsteady
from masking.verify.weigh import WORD, Pairs, Weighed, weigh

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FINDINGS = "findings"
_BATCH_BYTES = 6 << 20
_ASIDE = 200  # tasks that search files beside the documents: there may be thousands of small ones
_MOST = 500  # findings that are told one by one; all are counted


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What a verification is told of a policy, as data. stays: given paths, what is done at each (`masking.policy.stays`)."""

    name: str
    sha256: str
    vouched: tuple[str, ...]
    unwritten: tuple[str, ...]
    stays: Callable[[Sequence[str]], Mapping[str, str]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """A verification that is done: the verdict, where it and the report are, and where the findings are as they stand (PHI),
    if there are any.
    """

    verdict: Verdict
    path: str
    report: str
    findings: str | None


def verify(
    spark: SparkSession,
    sources: str | Sequence[str],
    destination: str,
    phi_area: str,
    *,
    policy: PolicyFacts,
    run_id: str | None = None,
    notice: Callable[[str], None] = lambda line: None,
) -> Verified:
    """Hold a run of the destination, by default the latest, against its sources.

    `InputError` where there is no such run, where the sources are not those that it read, and where it was made by a version
    that did not say how it cut them; `UsageError` for another policy than the run's.
    """
    keep_commands_out_of_logs()
    clean, phi = storage.normalize(destination), storage.normalize(phi_area)
    manifest = read_manifest(clean, run_id)
    if manifest is None:
        raise InputError(f"there is no finished run at {clean}")
    if policy.sha256 != manifest.made_with.policy_sha256:
        raise UsageError(
            f"the run was made with the policy {manifest.made_with.policy}, which is another one: --policy"
        )
    inputs = find_inputs(sources, clean, phi)
    if (len(inputs.files), inputs.bytes) != (manifest.source_files, manifest.source_bytes):
        raise InputError("these are not the files that the run read: their number or size is another one")
    return _Verification(spark, inputs, clean, phi, manifest, policy, notice).run()


class _Verification:
    """A verification while it is at work."""

    def __init__(
        self,
        spark: SparkSession,
        inputs: Inputs,
        clean: str,
        phi: str,
        manifest: Manifest,
        policy: PolicyFacts,
        notice: Callable[[str], None],
    ) -> None:
        self._spark, self._inputs, self._clean = spark, inputs, clean
        self._manifest, self._policy, self._notice = manifest, policy, notice
        self._phi = run_folder(phi, manifest.run_id)
        self._folder = storage.join(self._phi, FINDINGS)
        self._work = storage.join(self._folder, ".work")
        partitions = manifest.settings.get("partitions")
        if not isinstance(partitions, int) or isinstance(partitions, bool):
            raise InputError("the run does not say how it cut its input; mask again to be able to verify")
        self._tasks = plan_tasks(inputs.files, partitions)
        self._limits = Limits(10_000, _BATCH_BYTES, int(manifest.settings.get("line_bytes") or 512 << 20))
        self._faults: dict[tuple[str, str, str], FaultCount] = {}

    def run(self) -> Verified:
        """All steps."""
        clock = time.monotonic()
        _private(self._phi)
        storage.delete_folder(self._folder)
        _private(self._folder)
        _private(self._work)
        try:
            verdict, weighed = self._verdict(clock)
        finally:
            storage.delete_folder(self._work)
        findings = self._write_findings(weighed.leaks)
        path = publish_verdict(self._clean, verdict)
        return Verified(verdict, path, publish_report(self._clean, self._manifest, verdict), findings)

    def _verdict(self, clock: float) -> tuple[Verdict, Weighed]:
        loose = self._check_files()
        known, actions = self._collect()
        checked = self._check(known, actions, loose)
        arrays = [self._arrays(one.task) for one in checked]
        for receipt in checked:
            for fault in receipt.faults:
                self._fault(fault)
        for finding in (*broken(checked, arrays), *unsteady(checked, arrays)):
            self._fault(FaultCount(**dataclasses.asdict(finding)))
        offsets = {
            int(owner): int(days)
            for found in arrays
            for owner, days in zip(found["moved_owners"], found["moved_days"], strict=True)
        }
        pairs = _pairs(known, arrays)
        weighed = weigh(known, pairs, [find for one in checked for find in one.finds], offsets)
        aside = self._search_aside(known, arrays)
        findings = [*weighed.findings, *aside, *self._told()]
        counts: Counter[str] = Counter()
        for one in findings:
            counts[one.check] += one.times
        made = self._manifest.made_with
        verdict = Verdict(
            run_id=self._manifest.run_id,
            verified=not findings,
            finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - clock, 1),
            versions={"fhir-masking": __version__, "spark": self._spark.version},
            policy=made.policy,
            policy_sha256=made.policy_sha256,
            key_fingerprint=made.key_fingerprint,
            reference_date=made.reference_date,
            documents=sum(one.documents for one in checked),
            bytes=sum(one.bytes for one in checked),
            files=len(self._manifest.files),
            people=known.humans,
            values=int(known.counts.sum()),
            kept_values=sum(one.kept for one in checked),
            links=sum(one.links for one in checked),
            dates=sum(one.dates for one in checked),
            eighteen=weighed.eighteen,
            findings=tuple(sorted(findings, key=lambda one: (list(CHECKS).index(one.check), -one.times))[:_MOST]),
            checks={name: counts[name] for name in CHECKS},
            uncompared=sum(one.uncompared for one in checked),
        )
        return verdict, weighed

    # ── the jobs ──

    def _job(self, task: Any, count: int, most: int = 2000) -> list[bytes]:
        if not count:
            return []
        rows = self._spark.range(0, count, 1, min(count, most)).mapInArrow(task.run, "found binary").collect()
        return [bytes(row.found) for row in rows]

    def _check_files(self) -> dict[int, frozenset[str]]:
        """Hold files against the manifest; the types of each task whose lines are not as many as there were."""
        files = self._manifest.files
        found = self._job(FilesTask(files, self._clean), len(files))
        bad: set[str] = set()
        for content in found:
            number, what, rows = msgspec.json.decode(content, type=tuple[int, str, int])
            if what:
                file = files[number]
                self._fault(FaultCount("files", what, file.resource_type, 1, [(file.path, 0)]))
                if rows != file.rows:
                    bad.add(file.path)
        loose: dict[int, frozenset[str]] = {}
        for task, types in stretches(self._manifest).items():
            loose[task] = frozenset(name for name, many in types.items() if any(one.path in bad for one in many))
        return loose

    def _collect(self) -> tuple[Known, dict[str, str]]:
        found = self._job(CollectTask(self._tasks, self._work, self._limits), len(self._tasks))
        paths = sorted({path for content in found for path in msgspec.json.decode(content, type=list[str])})
        parts = []
        for number in range(len(self._tasks)):
            content = storage.read_bytes(storage.join(self._work, f"known-{number:05d}.npz"))
            assert content is not None
            parts.append(Pieces.of_bytes(content))
        known = joined(parts)
        save(known, lambda name, content: storage.write_bytes(storage.join(self._work, name), content))
        return known, dict(self._policy.stays(paths))

    def _check(self, known: Known, actions: Mapping[str, str], loose: dict[int, frozenset[str]]) -> list[Checked]:
        written = {name for name, count in self._manifest.types.items() if count.masked or count.resources}
        job = CheckTask(
            tasks=self._tasks,
            outputs=stretches(self._manifest),
            destination=self._clean,
            folder=self._work,
            humans=known.humans,
            limits=self._limits,
            actions=actions,
            vouched=self._policy.vouched,
            reference_date=self._manifest.made_with.reference_date,
            quarantined=self._quarantined(),
            unwritten=frozenset(self._policy.unwritten) - written,
            loose=loose,
            split=self._manifest.settings.get("bundles") == "split",
        )
        found = self._job(job, len(self._tasks))
        return sorted((msgspec.json.decode(one, type=Checked) for one in found), key=lambda one: one.task)

    def _arrays(self, task: int) -> dict[str, Any]:
        content = storage.read_bytes(storage.join(self._work, f"found-{task:05d}.npz"))
        assert content is not None
        return unpack(content)

    def _quarantined(self) -> dict[bytes, int]:
        """The documents that were put aside, by hash, and how often each."""
        found: Counter[bytes] = Counter()
        for file in storage.list_files(storage.join(self._phi, QUARANTINE)):
            for batch in Reader((Block(file.path, "", 0, file.size, file.size),), self._limits):
                for line in batch.documents:
                    record = msgspec.json.decode(line, type=_Aside)
                    if record.encoding != "none":
                        found[document_key(record.as_bytes())] += 1
        wanted = self._manifest.total.quarantined - self._manifest.reasons.get("too-long", 0)
        if found.total() != wanted:
            raise InputError(
                f"the run put {wanted} lines aside, but its quarantine holds {found.total()}: "
                "give the PHI area that the run was given"
            )
        return dict(found)

    def _search_aside(self, known: Known, arrays: Sequence[Mapping[str, Any]]) -> list[Finding]:
        """Search everything at the run's place but its NDJSON: names of files and folders, and what is in the files."""
        root = run_folder(self._clean, self._manifest.run_id)
        named = {storage.join(self._clean, file.path) for file in self._manifest.files}
        names: list[str] = []
        files: list[tuple[str, str]] = []
        manifest = storage.join(self._clean, MANIFEST)
        paths = [file.path for file in storage.list_files(root)]
        own = {storage.join(root, VERDICT), storage.join(root, REPORT)}  # made of the manifest and of numbers
        for path in sorted([*paths, manifest]):
            short = path.removeprefix(self._clean).strip("/")
            names.append(short.removeprefix(f"runs/{self._manifest.run_id}/"))
            if path not in named and path not in own:
                files.append((short, path))
        met = [one[name] for one in arrays for name in ("own_places", "other_places")]
        judged = np.unique(np.concatenate(met)) if met else np.zeros(0, np.int64)
        storage.write_bytes(storage.join(self._work, JUDGED), pack({"places": judged}))
        job = AsideTask(tuple(files), self._work, known.humans)
        found = [msgspec.json.decode(one, type=Finding) for one in self._job(job, len(files), _ASIDE)]
        return [*search_names(known, names), *sorted(found, key=lambda one: one.places)]

    # ── what is told ──

    def _fault(self, fault: FaultCount) -> None:
        key = fault.check, fault.what, fault.path
        found = self._faults.get(key)
        if found is None:
            self._faults[key] = FaultCount(fault.check, fault.what, fault.path, fault.times, list(fault.places))
        else:
            found.times += fault.times
            found.places = (found.places + fault.places)[:5]

    def _told(self) -> list[Finding]:
        return [
            Finding(one.check, one.what, one.path, one.times, tuple((file, line) for file, line in one.places))
            for one in self._faults.values()
        ]

    def _write_findings(self, leaks: Sequence[Find]) -> str | None:
        """What was found as it stands, on the PHI side."""
        if not leaks:
            storage.delete_folder(self._folder)
            return None
        path = storage.join(self._folder, "leaks.ndjson")
        content = b"".join(msgspec.json.encode(leak) + b"\n" for leak in leaks)
        storage.write_bytes(path, content)
        return path


class _Aside(msgspec.Struct):
    """What of a quarantined line is needed to know it again."""

    encoding: str
    document: str

    def as_bytes(self) -> bytes:
        return base64.b64decode(self.document) if self.encoding == "base64" else self.document.encode()


def _pairs(known: Known, arrays: Sequence[Mapping[str, Any]]) -> Pairs:
    """All tasks' pairs together, each once."""

    def both(one: str, other: str) -> tuple[Any, Any]:
        if not arrays:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64)
        first = np.concatenate([found[one] for found in arrays]).astype(np.uint64)
        second = np.concatenate([found[other] for found in arrays])
        rows = np.unique(np.stack([first, second]), axis=1)
        return rows[0].astype(np.int64), rows[1]

    humans = np.unique(np.concatenate([found["humans"] for found in arrays])) if arrays else np.zeros(0, np.uint64)
    places, others = both("other_places", "other_humans")
    patients = np.intersect1d(humans, known.patients)
    if len(patients):  # what is said of a clinic is little beside a chart
        humans = patients
        is_patient = np.isin(others, patients)
        places, others = places[is_patient], others[is_patient]
    words, count = np.unique(both("word_places", "word_humans")[0], return_counts=True)
    return Pairs(*both("own_places", "own_owners"), places, others, words[count >= WORD], len(humans))


def _private(folder: str) -> None:
    """A folder that is its owner's alone, where folders have owners."""
    if storage.is_local(folder):
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(folder).chmod(0o700)
