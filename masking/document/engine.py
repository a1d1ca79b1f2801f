"""The engine: decode → gather → mask → scatter → encode, over a batch of JSON documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from masking.document.compiler import Refused
from masking.document.cutter import Cutter
from masking.document.edits import Unstable
from masking.document.program import NOWHERE
from masking.document.tokens import DuplicateKey, TooDeep, restore, validate
from masking.document.units import Tally, Unit, resource_type
from masking.policy.plan import Plan

_BOM = b"\xef\xbb\xbf"
#: Lines longer than this are quarantined unread, unless the run says otherwise.
MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """A document that could not be masked.

    index: its place in the batch. reason: a slug for counts. place: a FHIR path, or "". message: for people; no values.
    """

    index: int
    reason: str
    place: str
    message: str


@dataclass(slots=True)
class Batch:
    """What became of a batch: one entry of `masked` and `resource_types` a document, None where there is none."""

    masked: list[bytes | None]
    resource_types: list[str | None]
    faults: list[Fault] = field(default_factory=list)
    #: indexes of documents whose type the policy redacts: not written, not quarantined
    dropped: list[int] = field(default_factory=list)
    #: values redacted because they could not be read, by FHIR path
    redactions: Counter[str] = field(default_factory=Counter)


class Engine:
    """Masks batches under one plan. Picklable; what it remembers stays in its process. Its repr shows no key."""

    def __init__(self, plan: Plan, *, max_bytes: int = MAX_BYTES) -> None:
        self.plan = plan
        self.max_bytes = max_bytes
        self._cutter: Cutter | None = None

    def __repr__(self) -> str:
        return f"Engine({self.plan!r})"

    def __getstate__(self) -> dict[str, object]:
        return {"plan": self.plan, "max_bytes": self.max_bytes, "_cutter": None}

    def mask_batch(self, documents: Sequence[bytes]) -> Batch:
        """Mask documents: one JSON text each, no newline at the end, any number of them. Never raises for what they
        hold.
        """
        cutter = self._cutter
        if cutter is None:
            cutter = self._cutter = Cutter(self.plan)
        batch = Batch([None] * len(documents), [None] * len(documents))
        units: list[tuple[int, Unit]] = []
        for index, document in enumerate(documents):
            try:
                units.append((index, self._prepare(cutter, document)))
            except Refused as refused:
                _refuse(batch, index, refused)
        for kernel in cutter.kernels.all():
            kernel.resolve()
        tally = Tally(batch.redactions)
        for index, unit in units:
            try:
                masked = unit.finish(tally)
            except Unstable:
                _refuse(batch, index, _unstable())
                continue
            if masked is not None and b"\\" in documents[index]:
                masked = restore(masked)
            batch.masked[index] = masked
            batch.resource_types[index] = resource_type(unit)
        for kernel in cutter.kernels.all():
            kernel.forget()
        return batch

    def _prepare(self, cutter: Cutter, document: bytes) -> Unit:
        """The unit of a document. Raises Refused for whatever is wrong with it."""
        if len(document) > self.max_bytes:
            raise Refused("too-long", f"longer than the limit of {self.max_bytes} bytes")
        # Nearly every line is one object and nothing else: look at its ends before copying it.
        bare = document[:1] == b"{" and document[-1:] == b"}"
        text = document if bare else document.removeprefix(_BOM).strip(b" \t\r\n")
        try:
            validate(text)
            if not text.isascii():
                text.decode()
            return cutter.resource(text, NOWHERE)
        except UnicodeDecodeError:
            raise Refused("not-utf-8", "not UTF-8 text") from None
        except msgspec.DecodeError:
            raise Refused("not-json", "not a valid JSON text") from None
        except (TooDeep, RecursionError):
            raise Refused("too-deep", "objects and arrays are nested too deep") from None
        except DuplicateKey:
            raise Refused("duplicate-key", "an object names one property twice") from None
        except Unstable:
            raise _unstable() from None


def _unstable() -> Refused:
    return Refused("unsupported-shape", "an array of numbers cannot be edited in its middle")


def _refuse(batch: Batch, index: int, refused: Refused) -> None:
    batch.resource_types[index] = refused.resource_type
    if refused.reason == "dropped-by-policy":
        batch.dropped.append(index)
    else:
        batch.faults.append(Fault(index, refused.reason, refused.place, refused.message))
