"""Notice resources of another version of FHIR than R4: those put aside for their type, and a few of all that are masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from masking.document import Fault
from masking.fhir.versions import seems, version_of_type
from masking.sources.columns import type_of
from masking.sources.content import BOM

UNKNOWN_TYPE = "unknown-type"
#: Resources of a type that a task looks at, each the first of a batch.
_MOST = 5
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.Decoder().decode


def of_another_version(fault: Fault, document: bytes) -> Fault:
    """The fault of a document whose type R4 has not, with the version that has it: `unknown-type-r5`."""
    version = version_of_type(type_of(document)) if fault.reason == UNKNOWN_TYPE else None
    if version is None:
        return fault
    message = f"{fault.message}; {version} has it, and other versions than R4 are not read"
    return Fault(fault.index, f"{UNKNOWN_TYPE}-{version.lower()}", fault.place, message)


class Versions:
    """What a task has noticed. seen: `Encounter: STU3 (reason)`, and how often."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._looked: Counter[str] = Counter()

    def look(self, documents: Sequence[bytes], types: Sequence[str | None]) -> None:
        """Look at the first document of each type of a batch, until a few of the type have been looked at."""
        for name in set(types):
            if name is None or self._looked[name] >= _MOST:
                continue
            self._looked[name] += 1
            found = seems(_outline(documents[types.index(name)]))
            if found is not None:
                self.seen[f"{name}: {found.version} ({found.because})"] += 1


def _outline(document: bytes) -> dict[str, object]:
    """The names of a resource's properties, with the values of those by which a version is told; empty where it is broken."""
    try:
        found = _decode(document.removeprefix(BOM))
        outline: dict[str, object] = dict.fromkeys(found)
        outline.update({name: _text(found[name]) for name in ("resourceType", "fhirVersion") if name in found})
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return outline
