"""A finished run without Spark, for tests of what is done with one: an export masked in one batch, with a manifest."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from documents import keyring

from masking.commands.verifying import facts_of
from masking.document import Engine
from masking.identity.gather import gather
from masking.identity.people import People
from masking.policy.plan import Plan
from masking.policy.specs import Policy
from masking.report.manifest import MadeWith, Manifest, OutputFile, TypeCounts, publish_manifest
from masking.risk.settings import RiskSettings
from masking.spark.inprocess import InProcess
from masking.spark.verify import Verified, verify

RUN = "20260101T000000Z-000000"


@dataclass(frozen=True)
class Quick:
    """Where a run lies, and what it was made with."""

    source: Path
    out: Path
    phi: Path
    policy: Policy

    def verify(self, risk: RiskSettings | None = None) -> Verified:
        """In this process."""
        spark: Any = InProcess()
        paths = str(self.source), str(self.out), str(self.phi)
        return verify(spark, *paths, policy=facts_of(self.policy), risk=risk or RiskSettings())

    def measures(self, risk: RiskSettings | None = None) -> Any:
        """What was measured."""
        return self.verify(risk).verdict.measures


def quick_run(source: Path, folder: Path, policy: Policy, on: str) -> Quick:
    """Mask the NDJSON files of a folder."""
    files = sorted(source.glob("*.ndjson"))
    lines = [line for file in files for line in file.read_bytes().split(b"\n") if line.strip()]
    batch = Engine(Plan(policy, keyring()), people=People(gather(lines))).mask_batch(lines)
    assert batch.faults == []
    out: dict[str, list[bytes]] = defaultdict(list)
    for line, masked in zip(lines, batch.masked, strict=True):
        if masked is not None:
            out[json.loads(line)["resourceType"]].append(masked)
    written = []
    for name, many in out.items():
        path = f"runs/{RUN}/ndjson/{name}/{name}-00000.ndjson"
        content = b"".join(line + b"\n" for line in many)
        (folder / "out" / path).parent.mkdir(parents=True)
        (folder / "out" / path).write_bytes(content)
        written.append(OutputFile(path, name, len(many), len(content), hashlib.sha256(content).hexdigest()))
    made_with = MadeWith(policy.name, policy.sha256, "fp-0123456789abcdef", "default", on)
    manifest = Manifest(
        run_id=RUN,
        started="2026-01-01T00:00:00+00:00",
        finished="2026-01-01T00:00:01+00:00",
        seconds=1.0,
        made_with=made_with,
        lines=len(lines),
        blank=0,
        types={name: TypeCounts(len(many), len(many)) for name, many in out.items()},
        files=tuple(written),
        settings={"partitions": 1},
        source_files=len(files),
        source_bytes=sum(file.stat().st_size for file in files),
    )
    publish_manifest(str(folder / "out"), manifest)
    return Quick(source, folder / "out", folder / "phi", policy)
