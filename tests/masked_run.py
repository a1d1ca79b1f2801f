"""A masked run and the source that it was made of, verified in this process."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from documents import keyring

from masking.commands.verifying import facts_of
from masking.document import Engine
from masking.policy.plan import Plan
from masking.report.drill import Drill
from masking.report.manifest import MadeWith, Manifest, read_manifest
from masking.spark import RunSettings, mask
from masking.spark.drill import drill
from masking.spark.inprocess import InProcess
from masking.spark.verify import Verified, verify

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ON = "2026-01-01"


@dataclass(frozen=True)
class Masked:
    """A masked run, and the source that it was made of."""

    source: Path
    out: Path
    phi: Path
    policy: Any

    def verify(self) -> Verified:
        return verify(InProcess(), str(self.source), str(self.out), str(self.phi), policy=facts_of(self.policy))  # type: ignore[arg-type]

    def drill(self) -> Drill:
        return drill(str(self.source), str(self.out), str(self.phi), policy=facts_of(self.policy))

    @property
    def manifest(self) -> Manifest:
        found = read_manifest(str(self.out))
        assert found is not None
        return found

    def files(self, kind: str) -> list[Path]:
        return [self.out / file.path for file in self.manifest.files if file.resource_type == kind]

    def copy(self, folder: Path) -> Masked:
        shutil.copytree(self.out, folder / "out")
        shutil.copytree(self.phi, folder / "phi")
        return Masked(self.source, folder / "out", folder / "phi", self.policy)


def run(spark: SparkSession, folder: Path, source: Path, policy: Any) -> Masked:
    made_with = MadeWith(policy.name, policy.sha256, "fp-0123456789abcdef", "default", ON)
    engine = Engine(Plan(policy, keyring()))
    out, phi = folder / "out", folder / "phi"
    mask(spark, str(source), str(out), str(phi), engine=engine, made_with=made_with, settings=RunSettings(partitions=2))
    return Masked(source, out, phi, policy)
