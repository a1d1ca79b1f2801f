"""The verdict on a run: what was looked for, what was found, and whether the output may be called verified.

It lies beside the run's manifest, which is published before anybody can verify and is never written again. It is on the
clean side: it names places, kinds and numbers, never a value; what was found as it stands is in the PHI area.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from masking import storage
from masking.errors import InputError
from masking.report.manifest import run_folder
from masking.report.measures import Measures

VERDICT = "verification.json"
FORMAT = 1

#: The checks, in the order in which they are told, with what each says when nothing is wrong.
CHECKS = {
    "leak": "no known identifier of a person is left in what is said of them",
    "files": "every file is the one that the manifest names",
    "counts": "every document of the source is there once",
    "links": "references lead where they led, and ids are as distinct as they were",
    "kept": "what the policy keeps is there to the byte",
    "dates": "each person's dates moved by one number of days, and ages are as they were",
    "valid": "no document became invalid",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, at one path: how often, and where first (file relative to the destination, line from 1)."""

    check: str
    what: str
    path: str
    times: int
    places: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """One of HIPAA's eighteen. known: values with an owner. own, others: found in what is said of the owner, and of others.

    expected: of `own`, how many chance explains. leaked: findings that chance does not explain. kept: found where the policy
    says that it stays.
    """

    letter: str
    name: str
    known: int
    own: int
    others: int
    expected: float
    leaked: int
    kept: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found of one run. Times are ISO 8601 in UTC."""

    run_id: str
    verified: bool
    finished: str
    seconds: float
    versions: Mapping[str, str]
    policy: str
    policy_sha256: str
    key_fingerprint: str
    reference_date: str
    documents: int
    bytes: int
    files: int
    people: int  # patients, practitioners and others with values of their own
    values: int  # distinct ones that were looked for
    kept_values: int  # that had to stay, and did
    links: int
    dates: int  # that moved
    eighteen: tuple[Searched, ...]
    findings: tuple[Finding, ...]
    checks: Mapping[str, int] = field(default_factory=dict)  # of each check how often something is wrong
    uncompared: int = 0  # documents without their source beside them, for their file is not as it was
    measures: Measures | None = None  # None where it was made by a version that measured nothing
    format: int = FORMAT

    @property
    def leaked(self) -> bool:
        """Whether an identifier is left."""
        return self.checks.get("leak", 0) > 0


def publish_verdict(destination: str, verdict: Verdict) -> str:
    """Write the verdict beside its manifest; where it is."""
    path = storage.join(run_folder(destination, verdict.run_id), VERDICT)
    content = msgspec.json.format(msgspec.json.encode(verdict, order="deterministic"), indent=2) + b"\n"
    storage.write_bytes(path, content, durable=True)
    return path


def read_verdict(destination: str, run_id: str) -> Verdict | None:
    """The verdict on a run; None where nobody has verified it. `InputError` if the file is none."""
    path = storage.join(run_folder(storage.normalize(destination), run_id), VERDICT)
    content = storage.read_bytes(path)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Verdict)
    except msgspec.DecodeError as error:
        raise InputError(f"{path} is not a verdict of this program: {error}") from None
