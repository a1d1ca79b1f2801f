"""What tasks of a verification do: hold the output against what is known of people, and against its source. Run in workers.

Documents do not pass through Spark. A task is handed its number and hands back a receipt of counts and places; what is
larger, and all that could tell of a person, goes to files in the PHI area.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from masking import storage
from masking.spark.collector import collect_seldom
from masking.spark.lines import Limits
from masking.spark.pieces import write_pieces
from masking.spark.splits import Task
from masking.spark.verify_gather import encode, load_known, numbers, row
from masking.spark.verify_pairs import Outputs, Pair, Pairing, Stretch, parts_of
from masking.spark.verify_receipts import Checked, FaultCount
from masking.spark.verify_relations import RELATED, packed
from masking.verify.collect import candidates, name_of, owner_paths
from masking.verify.compare import Comparer
from masking.verify.details import ordinal_of
from masking.verify.finds import Find
from masking.verify.kinds import NOBODYS, POOL, Kind
from masking.verify.known import owner_key, pack
from masking.verify.leads import Fault, Link
from masking.verify.look import Leaf, Looker
from masking.verify.outcome import Moved
from masking.verify.prose import Prose, stands_alike
from masking.verify.relations import shared
from masking.verify.tree import Tree
from masking.verify.words import KIND_SHIFT

_REFERENCE = re.compile(rb'"(?:reference|fullUrl)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_BATCH_BYTES = 4 << 20
_PLACES = 5  # told of each finding
_DETAILS = 400  # own finds that a task looks at closely, of each set of kinds
_TEXT = 300  # characters of a text that go to the PHI area
_MEMORY = 200_000


@dataclass(frozen=True, slots=True)
class CheckTask:
    """Holds the output against the source. `run` is given to `mapInArrow`."""

    tasks: tuple[Task, ...] = field(repr=False)
    outputs: Mapping[int, Mapping[str, Sequence[Stretch]]] = field(repr=False)
    destination: str
    folder: str
    humans: int
    limits: Limits
    actions: Mapping[str, str] = field(repr=False)
    vouched: tuple[str, ...]
    reference_date: str
    quarantined: Mapping[bytes, int] = field(repr=False)
    unwritten: frozenset[str]
    loose: Mapping[int, frozenset[str]]
    split: bool
    takes_deletions: bool = False
    shares: int = 1  # of names and people, by which it is compared how they changed

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Task numbers in, receipts out."""
        for number in numbers(rows):
            yield row(encode(_Checking(self, number).finish()))


class _Checking:
    """A task while it runs."""

    def __init__(self, job: CheckTask, number: int) -> None:
        self._job = job
        self._number = number
        self._known = load_known(job.folder, job.humans)
        self._looker = Looker.of(self._known)
        self._tree = Tree(job.actions)
        self._comparer = Comparer(self._tree, job.vouched, job.reference_date)
        self._faults: dict[Fault, FaultCount] = {}
        self._finds: list[Find] = []
        self._looked: Counter[int] = Counter()
        self._owners: dict[bytes, int] = {}
        self._own: set[tuple[int, int]] = set()
        self._others: list[Any] = []
        self._words: list[Any] = []
        self._humans: set[int] = set()
        self._links: dict[tuple[int, int], tuple[int, int, int]] = {}
        self._paths: dict[str, int] = defaultdict(lambda: len(self._paths))
        self._files: dict[str, int] = defaultdict(lambda: len(self._files))
        self._moved: dict[tuple[int, int], tuple[int, int, int]] = {}
        self._done = Checked(number, 0, 0, 0, 0, 0, 0, [], [], [], [])

    def finish(self) -> Checked:
        """All of it."""
        job, number = self._job, self._number
        outputs = Outputs(job.outputs.get(number, {}), job.destination, job.limits)
        pairing = Pairing(
            job.tasks[number],
            outputs,
            Counter(job.quarantined),
            job.unwritten,
            job.loose.get(number, frozenset()),
            job.split,
            job.takes_deletions,
        )
        held: list[Pair] = []
        size = 0
        with collect_seldom() as collect:
            for pair in pairing.pairs(job.limits):
                held.append(pair)
                size += len(pair.masked)
                if size >= _BATCH_BYTES:
                    self._take(held)
                    collect()
                    held, size = [], 0
            self._take(held)
        for name, count in pairing.missing.items():
            fault = Fault("counts", "documents of the source that are not in the output", name)
            self._fault(fault, "", 0, count)
        self._take_rest(outputs)
        return self._receipt()

    def _take_rest(self, outputs: Outputs) -> None:
        """Documents without a source beside them: what is nobody's to be anywhere is looked for all the same."""
        held: list[Pair] = []
        for name, document, file, line in outputs.rest():
            if name not in self._job.loose.get(self._number, frozenset()):
                self._fault(Fault("counts", "a document that the source does not have", name), file, line)
            self._done.uncompared += 1
            self._done.documents += 1
            held.append(Pair(b"", document, file, line, -1, 0))
            if len(held) >= 2000:
                self._look(held, [[] for _ in held])
                held = []
        self._look(held, [[] for _ in held])

    def _take(self, pairs: Sequence[Pair]) -> None:
        if not pairs:
            return
        parts = [part for pair in pairs for part in parts_of(pair)]
        self._look(parts, [self._people(part.source) for part in parts])
        self._done.documents += len(pairs)
        for pair in pairs:
            self._compare(pair)

    # ── known values ──

    def _people(self, source: bytes) -> list[int]:
        """Those of whom a document of the source speaks, patients first."""
        found: dict[int, None] = {}
        for spelled in _REFERENCE.findall(source):
            owner = self._owners.get(spelled)
            if owner is None:
                if len(self._owners) > _MEMORY:
                    self._owners.clear()
                name = name_of(spelled.replace(b"\\/", b"/").decode("utf-8", "replace"))
                owner = self._owners[spelled] = self._known.owner(name) if name else 0
            if owner:
                found[owner] = None
        kind, own = _head(source)
        if own:
            found[self._known.owner(f"{kind}/{own}")] = None
        if owner_paths(kind) and not any(map(self._known.is_patient, found)):
            # Whose it is may be said by an identifier alone.
            resource = _decode(source)
            for name in candidates(kind, resource.get("resource", resource)):
                found[self._known.owner(name)] = None
        return sorted(found, key=lambda owner: not self._known.is_patient(owner))

    def _look(self, pairs: Sequence[Pair], people: Sequence[Sequence[int]]) -> None:
        if not pairs:
            return
        finds = self._looker.look([pair.masked for pair in pairs], people)
        self._done.bytes += sum(len(pair.masked) for pair in pairs)
        first = np.array([who[0] if who else 0 for who in people], np.uint64)
        self._humans.update(first.tolist())
        kinds = self._known.marks[finds.places] >> KIND_SHIFT
        is_own = finds.owners != 0
        self._note(self._others, finds, ~is_own, first)
        if pairs[0].source:
            # What stands in the source of people whose it is not is a word: `will`, `Long`, `X-ray`.
            before = self._looker.look([pair.source for pair in pairs], people)
            pool = (self._known.marks[before.places] >> KIND_SHIFT & int(POOL)) > 0
            self._note(self._words, before, pool & (before.owners == 0), first)
        self._own.update(zip(finds.places[is_own].tolist(), finds.owners[is_own].tolist(), strict=True))
        close = is_own | ((kinds & int(NOBODYS)) > 0)
        by_document: dict[int, list[int]] = defaultdict(list)
        for index in np.nonzero(close)[0].tolist():
            by_document[int(finds.documents[index])].append(index)
        for document, indexes in by_document.items():
            masks = {int(kinds[index]) for index in indexes}
            if all(self._looked[mask] >= _DETAILS for mask in masks):
                continue
            self._looked.update(masks)
            self._detail(pairs[document], finds, indexes, kinds, int(first[document]))

    @staticmethod
    def _note(pieces: list[Any], finds: Any, which: Any, first: Any) -> None:
        """Keep values and the humans in whose documents they stand."""
        if which.any():
            rows = np.stack([finds.places[which].astype(np.uint64), first[finds.documents[which]]])
            pieces.append(np.unique(rows, axis=1))

    def _detail(self, pair: Pair, finds: Any, indexes: Sequence[int], kinds: Any, patient: int) -> None:
        """Where exactly values stand, and whether they stood there before."""
        places = frozenset(int(finds.places[index]) for index in indexes)
        block = self._job.tasks[self._number][pair.block] if pair.block >= 0 else None
        after = self._looker.where(pair.masked, places)
        before = self._looker.where(pair.source, places) if pair.source else {}
        is_asked = pair.source and any(int(kinds[index]) & (Kind.BIRTH | Kind.NAME_WORD) for index in indexes)
        old, new = (
            Prose(text if is_asked else None, self._looker.places_in_each) for text in (pair.source, pair.masked)
        )
        for index in indexes:
            place = int(finds.places[index])
            stood = {leaf.path for leaf in before.get(place, ())}
            for leaf in after.get(place, [Leaf("?", "")])[:3]:
                action = self._job.actions.get(leaf.path, "")
                days: set[int] = set()
                day = ordinal_of(int(finds.days[index])) or 0
                if int(kinds[index]) & Kind.BIRTH:
                    days = old.days(leaf.path)
                alike = leaf.path not in stood or not int(kinds[index]) & Kind.NAME_WORD
                alike = alike or stands_alike(old.near(leaf.path, place), new.near(leaf.path, place))
                self._finds.append(
                    Find(
                        place=place,
                        owner=int(finds.owners[index]),
                        kinds=int(kinds[index]),
                        path=leaf.path,
                        file=pair.file,
                        line=pair.line,
                        inside=leaf.path in stood,
                        action=action,
                        text=leaf.text[:_TEXT],
                        source=block.path if block else "",
                        source_start=block.start if block else 0,
                        source_line=pair.source_line,
                        day=day,
                        sure=leaf.path not in new or day in new.days(leaf.path, sure=True),
                        days=sorted(days)[:200],
                        patient=patient,
                        alike=alike,
                    )
                )

    # ── pairs ──

    def _compare(self, pair: Pair) -> None:
        outcome = self._comparer.compare(pair.source, pair.masked)
        done = self._done
        done.kept += outcome.kept
        done.links += len(outcome.links)
        done.dates += len(outcome.moved)
        for fault in outcome.faults:
            self._fault(fault, pair.file, pair.line)
        for link in (*outcome.links, *outcome.names):
            self._link(link, pair)
        for moved in outcome.moved:
            self._move(moved, pair)

    def _link(self, link: Link, pair: Pair) -> None:
        key = owner_key(link.before), owner_key(link.after)
        if key not in self._links:
            self._links[key] = self._paths[link.path], self._files[pair.file], pair.line

    def _move(self, moved: Moved, pair: Pair) -> None:
        owner = next((one for one in map(self._known.owner, moved.owners) if self._known.is_patient(one)), 0)
        key = owner, moved.days
        if key not in self._moved:
            self._moved[key] = self._paths[moved.path], self._files[pair.file], pair.line

    def _fault(self, fault: Fault, file: str, line: int, times: int = 1) -> None:
        found = self._faults.get(fault)
        if found is None:
            found = self._faults[fault] = FaultCount(*fault)
        found.times += times
        if file and len(found.places) < _PLACES:
            found.places.append((file, line))

    def _receipt(self) -> Checked:
        others, words = _each_once(self._others), _each_once(self._words)
        own = sorted(self._own)
        arrays = {
            "own_places": np.array([place for place, _ in own], np.int64),
            "own_owners": np.array([owner for _, owner in own], np.uint64),
            "other_places": others[0].astype(np.int64),
            "other_humans": others[1],
            "word_places": words[0].astype(np.int64),
            "word_humans": words[1],
            "humans": np.array(sorted(self._humans), np.uint64),
        }
        folder = self._job.folder
        storage.write_bytes(storage.join(folder, f"found-{self._number:05d}.npz"), pack(arrays))
        moved = (
            np.array([owner for owner, _ in self._moved], np.uint64),
            np.array([days for _, days in self._moved], np.int64),
            np.array(list(self._moved.values()), np.int64).reshape(-1, 3),
        )
        keys = np.array(list(self._links), np.uint64).reshape(-1, 2)
        places = np.array(list(self._links.values()), np.int64).reshape(-1, 3)
        write_pieces(folder, RELATED, self._number, packed(shared(keys, places, moved, self._job.shares)))
        self._done.faults = list(self._faults.values())
        self._done.finds = self._finds
        self._done.paths, self._done.files = list(self._paths), list(self._files)
        return self._done


def _each_once(pieces: Sequence[Any]) -> Any:
    return np.unique(np.concatenate(pieces, axis=1), axis=1) if pieces else np.zeros((2, 0), np.uint64)


class _Head(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 (FHIR's name)
    id: str = ""
    resource: _Head | None = None  # of a Bundle's entry


_head_of = msgspec.json.Decoder(_Head).decode
_decode = msgspec.json.Decoder(float_hook=str).decode


def _head(document: bytes) -> tuple[str, str]:
    """The type and id of a resource, or of the one in a Bundle's entry; empty where there is none."""
    try:
        head = _head_of(document)
    except (msgspec.DecodeError, RecursionError):
        return "", ""
    head = head.resource or head
    return head.resourceType, head.id
