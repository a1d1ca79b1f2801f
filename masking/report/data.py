"""The whole report as data: what the page shows, in one machine-readable file beside it, with a JSON schema.

It is made of the manifest, the verdict and, where there was one, the drill, which hold no value, so it holds none either.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from masking import storage
from masking.errors import InputError
from masking.policy.library import shipped
from masking.report.drill import Drill, read_drill
from masking.report.manifest import MadeWith, Manifest, TypeCounts, read_manifest, run_folder
from masking.report.verdict import Verdict, read_verdict

REPORT_DATA = "report.json"
SCHEMA = "report.schema.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """What the run made, of what. Times are ISO 8601 in UTC; source_bytes as stored."""

    run_id: str
    started: str
    finished: str
    seconds: float
    made_with: MadeWith
    lines: int
    source_files: int
    source_bytes: int
    files: int
    bytes_written: int
    types: Mapping[str, TypeCounts]
    reasons: Mapping[str, int] = field(default_factory=dict)
    redactions: Mapping[str, int] = field(default_factory=dict)
    dangling: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. verdict.measures: coverage, risk, utility and keys; weaknesses: what it cannot show; reproduce: a command."""

    scope: Scope
    verdict: Verdict
    drill: Drill | None
    weaknesses: tuple[str, ...]
    reproduce: str
    format: int = FORMAT


#: What no report can show; `docs/known-weaknesses.md` has more.
WEAKNESSES = (
    "People whom the source knows in prose alone: nobody told the search whom to look for.",
    "A rare disease, a sequence of visits or a place in time that tells who somebody is without naming them: the risk below is "
    "measured for the attributes and facts that it lists, and for no others.",
    "What pictures, scans and sound show or say. Text inside PDF and compressed files is not read.",
    "A single common name left in one document of many: it looks like chance, unless it stands where it stood.",
    "What the holder of the key can do: to them the output is pseudonymous, not anonymous.",
    "What is known elsewhere: registers, other releases and the memory of neighbours are not in this export.",
)


def report_of(manifest: Manifest, verdict: Verdict, drill: Drill | None) -> Report:
    """Put it together."""
    total = manifest.total
    scope = Scope(
        run_id=manifest.run_id,
        started=manifest.started,
        finished=manifest.finished,
        seconds=manifest.seconds,
        made_with=manifest.made_with,
        lines=manifest.lines,
        source_files=manifest.source_files,
        source_bytes=manifest.source_bytes,
        files=len(manifest.files),
        bytes_written=total.bytes_written,
        types=manifest.types,
        reasons=manifest.reasons,
        redactions=manifest.redactions,
        dangling=manifest.dangling,
    )
    return Report(scope, verdict, drill, WEAKNESSES, _command(manifest, verdict))


def _command(manifest: Manifest, verdict: Verdict) -> str:
    """What verifies and measures the same again."""
    words = ["fhir-mask verify SOURCE DESTINATION --phi-area DIR", f"--run {manifest.run_id}"]
    if manifest.made_with.policy.partition(",")[0] not in shipped():
        words.append("--policy FILE")
    risk = verdict.measures.risk if verdict.measures else None
    if risk is not None:
        words += [f"--quasi-identifiers {','.join(one.name for one in risk.attributes)}", f"--k {risk.wanted}"]
        words += [f"--population {risk.population}"] if risk.population is not None else []
    return " ".join(words)


def gather_report(destination: str, run_id: str | None = None) -> Report:
    """The report of a verified run, by default the latest. `InputError` where there is no such run, or no verdict on it."""
    manifest = read_manifest(destination, run_id)
    if manifest is None:
        raise InputError(f"there is no finished run at {destination}")
    verdict = read_verdict(destination, manifest.run_id)
    if verdict is None:
        raise InputError(
            "the run is not verified yet, so there is nothing to report: fhir-mask verify SOURCE DESTINATION --phi-area DIR"
        )
    return report_of(manifest, verdict, read_drill(destination, manifest.run_id))


def publish_data(destination: str, report: Report) -> str:
    """Write the data into the run's folder; where they are."""
    path = storage.join(run_folder(destination, report.scope.run_id), REPORT_DATA)
    storage.write_bytes(path, encoded(report), durable=True)
    return path


def encoded(report: Report) -> bytes:
    """The file."""
    return msgspec.json.format(msgspec.json.encode(report, order="deterministic"), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the file, as the program's own types have it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Report)}


def shipped_schema() -> bytes:
    """The schema as it lies in the package, for readers who do not run the program."""
    return importlib.resources.files("masking.report").joinpath(SCHEMA).read_bytes()
