"""Mask an export under a policy and a key, with nothing else to put together: what notebooks and pipelines call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from masking import storage
from masking.document import Engine
from masking.keys import MasterKey
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.report.manifest import MadeWith, choose_reference_date, read_manifest
from masking.spark.progress import Progress
from masking.spark.run import Notice, RunResult, RunSettings, mask


def mask_export(
    spark: SparkSession,
    sources: str | Sequence[str],
    destination: str,
    phi_area: str,
    *,
    key: MasterKey,
    policy: str | Path = "realistic",
    project: str = "default",
    on: str | None = None,
    settings: RunSettings | None = None,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> RunResult:
    """Do what `fhir-mask run` does, in a session that is there.

    policy: the name of a policy that comes with this package, or a file. project: outputs of two projects cannot be
    linked. on: the day, YYYY-MM-DD, as of which ages are kept; None: that of the destination's last run, else 1 January
    of this year. The rest is as in `mask`, which this calls; so are the errors, and `PolicyError` for the policy's.
    """
    keys = key.keyring(project)
    reference_date = choose_reference_date(read_manifest(storage.normalize(destination)), on)
    read = read_policy(str(policy), reference_date=reference_date)
    made_with = MadeWith(
        policy=read.name,
        policy_sha256=read.sha256,
        key_fingerprint=keys.fingerprint,
        project=project,
        reference_date=reference_date,
    )
    engine = Engine(Plan(read, keys))
    return mask(
        spark,
        sources,
        destination,
        phi_area,
        engine=engine,
        made_with=made_with,
        settings=settings,
        progress=progress,
        notice=notice,
    )
