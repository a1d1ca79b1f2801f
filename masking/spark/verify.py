"""Verify a finished run, and tell. On the driver; the steps are in `verify_run`, the work in `verify_tasks`.

What tells of people stays in the PHI area, in the run's `findings`. The verdict is put beside the run's manifest.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from masking import __version__, storage
from masking.errors import InputError, UsageError
from masking.report.manifest import Manifest, read_manifest, run_folder
from masking.report.measures import Measures
from masking.report.page import publish_report
from masking.report.verdict import CHECKS, Verdict, publish_verdict
from masking.risk.settings import RiskSettings
from masking.sources.parquet import Hints
from masking.spark.increments import files_of_run
from masking.spark.quiet import keep_commands_out_of_logs
from masking.spark.read import InputFile, Inputs, find_inputs
from masking.spark.verify_run import FINDINGS, Judged, PolicyFacts, Verification, private
from masking.verify.finds import Find

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MOST = 500  # findings that are told one by one; all are counted


@dataclass(frozen=True, slots=True)
class Verified:
    """A verification that is done: the verdict, where it and the report are, and where the findings are as they stand (PHI),
    if there are any.
    """

    verdict: Verdict
    path: str
    report: str
    findings: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A finished run, and the files that it read. clean, phi: the destination and the PHI area, normalized.

    earlier: of an incremental run, the files that the runs before it have read, so far as they are there.
    """

    manifest: Manifest
    inputs: Inputs
    clean: str
    phi: str
    earlier: tuple[InputFile, ...] = ()


def held(
    sources: str | Sequence[str], destination: str, phi_area: str, policy: PolicyFacts, run_id: str | None = None
) -> Held:
    """A run of the destination, by default the latest, with its sources.

    `InputError` where there is no such run, and where the sources are not those that it read; `UsageError` for another
    policy than the run's.
    """
    clean, phi = storage.normalize(destination), storage.normalize(phi_area)
    manifest = read_manifest(clean, run_id)
    if manifest is None:
        raise InputError(f"there is no finished run at {clean}")
    if policy.sha256 != manifest.made_with.policy_sha256:
        raise UsageError(
            f"the run was made with the policy {manifest.made_with.policy}, which is another one: --policy"
        )
    hints = Hints(str(manifest.settings.get("json_column") or ""))
    inputs = find_inputs(sources, clean, phi, hints, manifest.source_versions or None)
    if manifest.is_incremental:
        own, earlier = files_of_run(inputs, phi, manifest)
        return Held(manifest, own, clean, phi, earlier)
    if (len(inputs.files), inputs.bytes) != (manifest.source_files, manifest.source_bytes):
        raise InputError("these are not the files that the run read: their number or size is another one")
    return Held(manifest, inputs, clean, phi)


def verify(
    spark: SparkSession,
    sources: str | Sequence[str],
    destination: str,
    phi_area: str,
    *,
    policy: PolicyFacts,
    run_id: str | None = None,
    risk: RiskSettings = RiskSettings(),  # noqa: B008 (frozen)
) -> Verified:
    """Hold a run of the destination, by default the latest, against its sources.

    Raises as `held`, and `InputError` where the run was made by a version that did not say how it cut its sources.
    """
    keep_commands_out_of_logs()
    return carried_out(spark, held(sources, destination, phi_area, policy, run_id), policy, risk)


def carried_out(
    spark: SparkSession,
    run: Held,
    policy: PolicyFacts,
    risk: RiskSettings,
    steps: Callable[..., Verification] = Verification,
) -> Verified:
    """Do it and write down what came of it. steps: what is made for the run, called as `Verification` is."""
    clock = time.monotonic()
    phi = run_folder(run.phi, run.manifest.run_id)
    folder = storage.join(phi, FINDINGS)
    work = storage.join(folder, ".work")
    private(phi)
    storage.delete_folder(folder)
    private(folder)
    private(work)
    try:
        verification = steps(spark, run.inputs, run.clean, run.phi, run.manifest, policy, work, run.earlier)
        judged = verification.judge()
        measures = verification.measure(risk)
    finally:
        storage.delete_folder(work)
    verdict = verdict_of(judged, run.manifest, spark.version, time.monotonic() - clock, measures)
    findings = _write_findings(folder, judged.weighed.leaks)
    path = publish_verdict(run.clean, verdict)
    return Verified(verdict, path, publish_report(run.clean, run.manifest, verdict), findings)


def verdict_of(
    judged: Judged, manifest: Manifest, spark: str, seconds: float, measures: Measures | None = None
) -> Verdict:
    """What was found, as it is told."""
    made, checked = manifest.made_with, judged.checked
    counts: Counter[str] = Counter()
    for one in judged.findings:
        counts[one.check] += one.times
    return Verdict(
        run_id=manifest.run_id,
        verified=not judged.findings,
        finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        versions={"fhir-masking": __version__, "spark": spark},
        policy=made.policy,
        policy_sha256=made.policy_sha256,
        key_fingerprint=made.key_fingerprint,
        reference_date=made.reference_date,
        documents=sum(one.documents for one in checked),
        bytes=sum(one.bytes for one in checked),
        files=len(manifest.files),
        people=judged.known.humans,
        values=int(judged.known.counts.sum()),
        kept_values=sum(one.kept for one in checked),
        links=sum(one.links for one in checked),
        dates=sum(one.dates for one in checked),
        eighteen=judged.weighed.eighteen,
        findings=tuple(sorted(judged.findings, key=lambda one: (list(CHECKS).index(one.check), -one.times))[:_MOST]),
        checks={name: counts[name] for name in CHECKS},
        uncompared=sum(one.uncompared for one in checked),
        measures=measures,
    )


def _write_findings(folder: str, leaks: Sequence[Find]) -> str | None:
    """What was found as it stands, on the PHI side."""
    if not leaks:
        storage.delete_folder(folder)
        return None
    path = storage.join(folder, "leaks.ndjson")
    storage.write_bytes(path, b"".join(msgspec.json.encode(leak) + b"\n" for leak in leaks))
    return path
