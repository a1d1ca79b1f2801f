"""The matrix of a drill: which leaks and faults were planted in a copy of the output, and which of them were found.

It lies beside the run's manifest, on the clean side: it names kinds, places and numbers, never a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from masking import storage
from masking.errors import InputError
from masking.report.manifest import run_folder

DRILL = "drill.json"
FORMAT = 1

FOUND, MISSED, NOT_APPLICABLE = "found", "missed", "not applicable"


@dataclass(frozen=True, slots=True)
class Leak:
    """A kind of identifier in a hiding place. outcome: found, missed, or not applicable, for the reason `why`.

    planted: of how many people a value was planted; found: of how many it was found where it stood. Of values that all the
    world shares (names, towns, ZIPs) many are planted at once, and found where the whole is told as more than chance.
    """

    kind: str
    place: str
    outcome: str
    why: str = ""
    planted: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was broken, and the check (of `masking.report.verdict.CHECKS`) that must tell of it."""

    name: str
    check: str
    outcome: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill of one run. Times are ISO 8601 in UTC. documents, people: of the sample that was planted in.

    places, kinds: in the order in which a table shows them, each with what it is. leaks: one a kind and place.
    """

    run_id: str
    finished: str
    seconds: float
    versions: Mapping[str, str]
    documents: int
    people: int
    places: Mapping[str, str]
    kinds: Mapping[str, str]
    leaks: tuple[Leak, ...]
    faults: tuple[Fault, ...]
    counts: Mapping[str, int] = field(default_factory=dict)  # of leaks and faults together, by outcome
    format: int = FORMAT

    @property
    def missed(self) -> int:
        """How many were not found."""
        return counted(self.leaks, self.faults)[MISSED]


def counted(leaks: tuple[Leak, ...], faults: tuple[Fault, ...]) -> dict[str, int]:
    """How many there are of each outcome."""
    found = Counter([one.outcome for one in leaks] + [one.outcome for one in faults])
    return {outcome: found[outcome] for outcome in (FOUND, MISSED, NOT_APPLICABLE)}


def publish_drill(destination: str, drill: Drill) -> str:
    """Write the matrix beside its manifest; where it is."""
    path = storage.join(run_folder(destination, drill.run_id), DRILL)
    content = msgspec.json.format(msgspec.json.encode(drill), indent=2) + b"\n"
    storage.write_bytes(path, content, durable=True)
    return path


def read_drill(destination: str, run_id: str) -> Drill | None:
    """The matrix of a run; None where nobody has drilled. `InputError` if the file is none."""
    path = storage.join(run_folder(storage.normalize(destination), run_id), DRILL)
    content = storage.read_bytes(path)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Drill)
    except msgspec.DecodeError as error:
        raise InputError(f"{path} is not a matrix of this program: {error}") from None
