"""What tasks of a measurement do: read pairs, put people together, carry attacks out, look into cells. Run in workers.

As those of a verification, they hand back counts; what tells of people goes, hashed, to files in the PHI area. People are
shared out by a hash: a task of the second and later steps holds one share of them, so that memory is bounded by a share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from masking import storage
from masking.risk.coverage import PathCounts
from masking.risk.diversity import diversity, pairs_of
from masking.risk.facts import reads, told
from masking.risk.linkage import MOST_FACTS
from masking.risk.persons import AFTER, BEFORE, Gathered, Share
from masking.risk.utility import Distributions
from masking.spark.pieces import Pieces, write_pieces
from masking.spark.verify_gather import encode, load_known, numbers, row
from masking.spark.verify_pairs import Outputs, Pair, Pairing, parts_of
from masking.spark.verify_tasks import CheckTask
from masking.verify.collect import candidates
from masking.verify.known import Known, pack, unpack

_encode = msgspec.msgpack.Encoder().encode
#: What a task read of each share of people, see `masking.spark.pieces`.
READ = "read"
_value = msgspec.json.Decoder(float_hook=str).decode


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Reads pairs of documents. `run` is given to `mapInArrow`. checking: the verification's own task, which says where all is."""

    checking: CheckTask
    shares: int

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Task numbers in; numbers out."""
        for number in numbers(rows):
            _Reading(self, number).write()
            yield row(encode(number))


class _Reading:
    """A task of the first step while it runs."""

    def __init__(self, job: ReadTask, number: int) -> None:
        self._job, self._number = job, number
        self._known = load_known(job.checking.folder, job.checking.humans)
        self._counts = PathCounts()
        self._gathered = Gathered(job.shares)

    def write(self) -> None:
        """Read all, write what was found."""
        job, number = self._job.checking, self._number
        outputs = Outputs(job.outputs.get(number, {}), job.destination, job.limits)
        loose = job.loose.get(number, frozenset())
        task = job.tasks[number]
        pairing = Pairing(task, outputs, Counter(job.quarantined), job.unwritten, loose, job.split)
        for pair in pairing.pairs(job.limits):
            for part in parts_of(pair):
                self._counts.pair(part.source, part.masked)
                self._person(part)
        self._counts.settle()
        folder = job.folder
        pieces = (pack(self._gathered.arrays(share, self._counts)) for share in range(self._job.shares))
        write_pieces(folder, READ, number, pieces)
        sketches = {path: one.told() for path, one in self._counts.sketches.items()}
        answer = dict(self._counts.counts), sketches, self._gathered.distributions.told()
        storage.write_bytes(storage.join(folder, f"paths-{number:05d}"), msgspec.msgpack.encode(answer))

    def _person(self, pair: Pair) -> None:
        before, after = _resource(pair.source), _resource(pair.masked)
        kind = before.get("resourceType")
        if not isinstance(kind, str) or not reads(kind):
            return
        person = _person_of(self._known, kind, before)
        on = self._job.checking.reference_date
        self._gathered.add(person, BEFORE, told(kind, before, on))
        self._gathered.add(person, AFTER, told(kind, after, on))


def _resource(document: bytes) -> dict[str, Any]:
    """A resource, or the one in a Bundle's entry; nothing where there is none."""
    try:
        found = _value(document)
        if isinstance(found, dict) and "resourceType" not in found:
            found = found.get("resource")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _person_of(known: Known, kind: str, resource: dict[str, Any]) -> int:
    """The patient of whom a resource speaks; 0 where it speaks of none that is known."""
    if kind == "Patient":
        own = resource.get("id")
        found = [known.owner(f"Patient/{own}")] if isinstance(own, str) else []
    else:
        found = [known.owner(name) for name in candidates(kind, resource)]
    return next((owner for owner in found if known.is_patient(owner)), 0)


@dataclass(frozen=True, slots=True)
class _Shared:
    """A task of a later step."""

    folder: str
    shares: int

    def _file(self, name: str) -> dict[str, Any]:
        content = storage.read_bytes(storage.join(self.folder, name))
        assert content is not None
        return unpack(content)

    def _write(self, name: str, arrays: dict[str, Any]) -> None:
        storage.write_bytes(storage.join(self.folder, name), pack(arrays))


@dataclass(frozen=True, slots=True)
class PeopleJudge(_Shared):
    """Puts the people of a share together and draws the attacks on them. people: how many there are."""

    attributes: tuple[str, ...]
    people: int

    def judge(self, number: int, pieces: Pieces) -> bytes:
        """Agreement of labels, labels of the table, domains and visits by month."""
        share = Share([unpack(piece) for _, piece in pieces])
        # For the attacks, which all shares stand.
        storage.write_bytes(storage.join(self.folder, f"share-{number:05d}"), _encode([piece for _, piece in pieces]))
        table = share.table(self.attributes)
        attacks = list(share.attacks(self.people))
        self._write(f"people-{number:05d}.npz", dict(table.arrays()))
        self._write(
            f"attacks-{number:05d}.npz",
            {
                "targets": np.array([one.target for one in attacks], np.uint64),
                "models": np.array([one.model for one in attacks], np.int8),
                "kinds": np.array([one.kind for one in attacks], np.int8),
                "facts": np.array(
                    [[*one.facts, *[0] * (MOST_FACTS - len(one.facts))] for one in attacks], np.uint64
                ).reshape(-1, MOST_FACTS),
            },
        )
        months = Distributions()
        share.months(months)
        return _encode((number, share.agreement(self.attributes), table.labels, share.domains(), months.told()))


@dataclass(frozen=True, slots=True)
class AttackTask(_Shared):
    """Carries all attacks out on one share of people, and tells cells and diagnoses to whoever sums them up.

    attributes: those that make cells.
    """

    attributes: tuple[str, ...] = field(default=())

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Numbers of shares in; of each attack and side how many fit and whether the target does, out."""
        for number in numbers(rows):
            content = storage.read_bytes(storage.join(self.folder, f"share-{number:05d}"))
            assert content is not None
            share = Share([unpack(piece) for piece in msgspec.msgpack.decode(content, type=list[bytes])])
            attacks = [self._file(f"attacks-{other:05d}.npz") for other in range(self.shares)]
            facts = np.concatenate([one["facts"] for one in attacks])
            targets = np.concatenate([one["targets"] for one in attacks])
            found = [np.stack(share.crowd(side).fitting(facts, targets)).astype(np.uint8) for side in (BEFORE, AFTER)]
            pairs = pairs_of(share, self.attributes, self.shares)
            for other, arrays in enumerate(pairs):
                self._write(f"cells-{number:05d}-{other:05d}.npz", arrays)
            yield row(np.stack(found).tobytes())


@dataclass(frozen=True, slots=True)
class CellTask(_Shared):
    """Sums up the diagnoses of one share of cells. `run` is given to `mapInArrow`."""

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Numbers of shares of cells in; least l, least number of codes, people below two, people who are found out, out."""
        for number in numbers(rows):
            parts = [self._file(f"cells-{other:05d}-{number:05d}.npz") for other in range(self.shares)]
            yield row(encode(diversity(parts)))
