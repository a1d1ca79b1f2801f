"""A drill: leaks and faults are planted in a copy of a run's output, and the verification must find each.

The copy is a sample of the run, in the PHI area, and is removed afterwards. A place is planted with all kinds at once, each
in a document of its own, and the sample is verified once for each; so is it once for each fault. In this process: the sample
is small.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence

from masking import __version__, storage
from masking.report.drill import FOUND, MISSED, NOT_APPLICABLE, Drill, Fault, Leak, counted, publish_drill
from masking.report.manifest import run_folder
from masking.report.verdict import Finding
from masking.spark.drill_beside import BESIDE, Beside
from masking.spark.drill_sample import Copy, Spot, sample
from masking.spark.inprocess import InProcess
from masking.spark.read import find_inputs
from masking.spark.verify import held
from masking.spark.verify_run import Judged, PolicyFacts, Verification, private
from masking.verify.collect import Found
from masking.verify.drill.edit import Document
from masking.verify.drill.faults import AMONG_LINES, IN_DOCUMENTS, AmongLines, InDocument
from masking.verify.drill.picked import Picked, keys_of, pick
from masking.verify.drill.places import PLACES, Place, holds
from masking.verify.kinds import POOL, Kind, names_of, what_is

_FOLDER = "drill"
_NONE = "the sample has no such value"
_FEW = 5  # people of whom a value that all share must be left to tell it from chance
Progress = Callable[[int, int], None]


def drill(
    sources: str | Sequence[str],
    destination: str,
    phi_area: str,
    *,
    policy: PolicyFacts,
    run_id: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Drill:
    """Plant in a sample of a run of the destination, by default the latest, and say what is found. Raises as `verify`.

    progress: called with how many of the plantings are done, and of how many.
    """
    clock = time.monotonic()
    run = held(sources, destination, phi_area, policy, run_id)
    phi = run_folder(run.phi, run.manifest.run_id)
    folder = storage.join(phi, _FOLDER)
    work = storage.join(folder, "work")
    private(phi)
    storage.delete_folder(folder)
    private(folder)
    private(work)
    try:
        whole = Verification(InProcess(), run.inputs, run.clean, run.phi, run.manifest, policy, work)  # type: ignore[arg-type]
        copy = Copy(folder, sample(whole, run.manifest, run.clean), run.manifest)
        done = _Drilling(copy, policy, work, progress)
        leaks, faults = tuple(done.leaks()), tuple(done.faults())
    finally:
        storage.delete_folder(folder)
    made = Drill(
        run_id=run.manifest.run_id,
        finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 1),
        versions={"fhir-masking": __version__},
        documents=len(copy.rows),
        people=done.people,
        places={place.name: place.what for place in (*PLACES, *BESIDE)},
        kinds={_named(kind): what_is(kind) for kind in Kind},
        leaks=leaks,
        faults=faults,
        counts=counted(leaks, faults),
    )
    publish_drill(run.clean, made)
    return made


def _named(kind: Kind) -> str:
    return names_of(kind)[0]


#: Values of a kind and where each is planted.
Lot = list[tuple[Found, Spot]]


class _Drilling:
    """A drill while it is at work."""

    def __init__(self, copy: Copy, policy: PolicyFacts, work: str, progress: Progress) -> None:
        self._copy, self._progress = copy, progress
        self._clean = copy.lines()
        manifest = copy.lay(self._clean)
        inputs = find_inputs(copy.source, copy.clean, copy.phi)
        self._verification = Verification(InProcess(), inputs, copy.clean, copy.phi, manifest, policy, work)  # type: ignore[arg-type]
        self._base = self._verification.judge()
        self._actions = self._verification.gathered()[1]
        picked: Picked = pick([row.source for row in copy.rows], copy.records)
        self._values, self.people = picked.values, picked.people
        self._steps = 0

    def _step(self) -> None:
        self._steps += 1
        self._progress(self._steps, len(PLACES) + len(BESIDE) + len(IN_DOCUMENTS) + len(AMONG_LINES))

    # ── leaks ──

    def leaks(self) -> Iterator[Leak]:
        """Each kind in each place."""
        for place in PLACES:
            yield from self._in_documents(place)
            self._step()
        for beside in BESIDE:
            yield from self._beside(beside)
            self._step()

    def _in_documents(self, place: Place) -> Iterator[Leak]:
        planted: dict[Spot, Document] = {}
        lots: dict[Kind, Lot] = {}
        for kind in Kind:
            lots[kind], why = self._lot(place, kind)
            if not lots[kind]:
                yield Leak(_named(kind), place.name, NOT_APPLICABLE, why)
            for found, spot in lots[kind]:
                document = planted.setdefault(spot, Document(self._copy.masked(spot)))
                place.plant(document, Document(self._copy.spots[spot]), found)
        lines = self._copy.lines({spot: document.as_bytes() for spot, document in planted.items()})
        judged = self._verification.judge(self._copy.lay(lines))
        yield from (self._outcome(place, kind, lot, judged) for kind, lot in lots.items() if lot)

    def _lot(self, place: Place, kind: Kind) -> tuple[Lot, str]:
        """Values of a kind and where each is planted; none, and why. One, but of values that all share as many as there are."""
        lot: Lot = []
        why = _NONE
        for found in self._values[kind]:
            if not_here := place.why_not(found):
                why = not_here
                continue
            spot = self._spot(place, found)
            if spot is None:
                why = "the sample has no document to plant it in"
                continue
            if self._stays(place, found, spot):
                why = "the policy lets it stay as it was"
                continue
            lot.append((found, spot))
            if not kind & POOL:
                break
        if kind & POOL and len(lot) < _FEW:
            return [], why if not lot else "too few people to tell it from chance"
        return lot, why

    def _stays(self, place: Place, found: Found, spot: Spot) -> bool:
        """Whether planting changes nothing, for the policy has left a value where it was."""
        document = Document(self._copy.masked(spot))
        before = document.as_bytes()
        place.plant(document, Document(self._copy.spots[spot]), found)
        return document.as_bytes() == before

    def _spot(self, place: Place, found: Found) -> Spot | None:
        """Where a value is planted: in its owner's record, in another document that speaks of the owner, where it stood."""
        record = self._copy.records[found.owner]
        if place.name == "as it was":
            return next((spot for spot in self._about(record) if self._stands(spot, found)), None)
        if place.elsewhere:
            others = [spot for spot in self._about(record) if spot != record]
            notes = [spot for spot in others if self._copy.kinds[spot] == "DocumentReference"]
            return next(iter(notes if place.name == "note" and notes else others), None)
        return record

    def _about(self, record: Spot) -> list[Spot]:
        """A record, and the documents that speak of its owner."""
        names = [f'"{name}"'.encode() for name, spot in self._copy.records.items() if spot == record]
        others = (spot for spot, source in self._copy.spots.items() if any(name in source for name in names))
        return [record, *(spot for spot in others if spot != record)]

    def _stands(self, spot: Spot, found: Found) -> bool:
        source = Document(self._copy.spots[spot])
        return any(name != "text" and holds(source.get(name), found) for name in source.names())

    def _outcome(self, place: Place, kind: Kind, lot: Lot, judged: Judged) -> Leak:
        keys = judged.known.keys
        leaks = {(int(keys[one.place]), one.file, one.line) for one in judged.weighed.leaks}
        before = {(int(keys[one.place]), one.file, one.line) for one in self._base.weighed.leaks}
        there = [any((key, *self._copy.place(spot)) in leaks - before for key in keys_of(found)) for found, spot in lot]
        name = _named(kind)
        if kind & POOL:
            if any(there) or any(
                one.check == "leak" and one.what.startswith(f"{name}: more") for one in judged.findings
            ):
                return Leak(name, place.name, FOUND, planted=len(lot), found=len(lot))
            words = {int(keys[one]) for one in judged.pairs.words}
            left = [found for found, _ in lot if not keys_of(found) <= words]
            if len(left) < _FEW:
                return Leak(
                    name, place.name, NOT_APPLICABLE, "words that stand in the source of people whose they are not"
                )
        return Leak(name, place.name, FOUND if all(there) else MISSED, planted=len(lot), found=sum(there))

    def _beside(self, beside: Beside) -> Iterator[Leak]:
        """Each kind in a file of its own beside the documents."""
        lot: dict[Kind, Found] = {}
        for kind in Kind:
            why = _NONE
            for found in self._values[kind]:
                if why := beside.why_not(found):
                    continue
                lot[kind] = found
                break
            if kind not in lot:
                yield Leak(_named(kind), beside.name, NOT_APPLICABLE, why)
        if not lot:
            return
        manifest = self._copy.lay(self._clean)
        manifest, places = beside.plant(self._copy, manifest, lot)
        judged = self._verification.judge(manifest)
        for kind in lot:
            there = any(_tells(one, kind, places[kind]) for one in judged.findings)
            yield Leak(_named(kind), beside.name, FOUND if there else MISSED, planted=1, found=int(there))

    # ── faults ──

    def faults(self) -> Iterator[Fault]:
        """Each fault."""
        for fault in IN_DOCUMENTS:
            yield self._fault_in_document(fault)
            self._step()
        for among in AMONG_LINES:
            yield self._fault_among_lines(among)
            self._step()

    def _fault_in_document(self, fault: InDocument) -> Fault:
        for spot, source in self._copy.spots.items():
            document = Document(self._copy.masked(spot))
            before = document.as_bytes()
            if (
                document.kind
                and fault.make(document, Document(source), self._actions)
                and document.as_bytes() != before
            ):
                judged = self._verification.judge(self._copy.lay(self._copy.lines({spot: document.as_bytes()})))
                return Fault(fault.name, fault.check, FOUND if self._is_told(judged, fault.check) else MISSED)
        return Fault(fault.name, fault.check, NOT_APPLICABLE, "the sample has nothing to do it to")

    def _fault_among_lines(self, fault: AmongLines) -> Fault:
        kinds = sorted(self._clean, key=lambda kind: (kind != "Patient", kind))
        for kind in kinds:
            made = fault.make(self._clean[kind])
            if made is not None:
                untold = frozenset() if fault.told else frozenset({kind})
                judged = self._verification.judge(self._copy.lay({**self._clean, kind: made}, untold))
                return Fault(fault.name, fault.check, FOUND if self._is_told(judged, fault.check) else MISSED)
        return Fault(fault.name, fault.check, NOT_APPLICABLE, "the sample has nothing to do it to")

    def _is_told(self, judged: Judged, check: str) -> bool:
        """Whether a check tells more than of the sample as it was."""

        def told(findings: Sequence[Finding]) -> set[tuple[str, str, int]]:
            return {(one.what, one.path, one.times) for one in findings if one.check == check}

        return bool(told(judged.findings) - told(self._base.findings))


def _tells(finding: Finding, kind: Kind, places: frozenset[str]) -> bool:
    """Whether a finding says that a value of a kind is at one of these places."""
    kinds = finding.what.partition(":")[0].split(" or ")
    return finding.check == "leak" and _named(kind) in kinds and any(file in places for file, _ in finding.places)
