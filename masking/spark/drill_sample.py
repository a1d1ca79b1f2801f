"""A run in small: some documents of a run with their sources, laid down as a run of their own that can be harmed.

Which ones is a function of the run alone: the first of each type, in order of the run's files, with those before others
that speak of the people whose records are among them. However large a run is, some hundred megabytes are read.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from masking import storage
from masking.report.manifest import Manifest, OutputFile, TypeCounts, publish_manifest, run_folder
from masking.spark.bundles import BUNDLE
from masking.spark.lines import Limits
from masking.spark.splits import Task
from masking.spark.verify_pairs import Outputs, Pair, Pairing, stretches
from masking.spark.verify_run import Verification
from masking.verify.drill.edit import Document

_PEOPLE = frozenset({"Patient", "Practitioner", "Organization", "Location", "RelatedPerson", "Person"})
_RECORDS = 40  # of each type of people
_OTHERS = 8  # of each other type
_TASK_BYTES = 24 << 20  # read of each task
_DOCUMENT_BYTES = 128 << 10  # longer ones are taken for want of others alone
_BUNDLES, _ENTRIES = 12, 40

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_entries = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_encode = msgspec.json.Encoder().encode


class Spot(NamedTuple):
    """A resource of the sample: the number of its row, and that of its entry in a Bundle (-1: it is the row)."""

    row: int
    entry: int


@dataclass(frozen=True, slots=True)
class Row:
    """A document before and after."""

    kind: str
    source: bytes
    masked: bytes


def sample(verification: Verification, manifest: Manifest, clean: str) -> list[Row]:
    """Documents of a run, as many as can be planted in within a minute."""
    outputs = stretches(manifest)
    tasks = sorted(
        {min(task for task in outputs if name in outputs[task]) for name in manifest.types if _written(name, outputs)}
    )
    quarantined = verification.quarantined()
    taken: dict[str, list[Row]] = defaultdict(list)
    spare: dict[str, list[Row]] = defaultdict(list)
    names: set[bytes] = set()
    # Records of people first, so that of other types those are taken that speak of them.
    for number in sorted(tasks, key=lambda number: (not _PEOPLE & outputs[number].keys(), number)):
        pairing = Pairing(
            verification.tasks[number],
            Outputs(outputs[number], clean, verification.limits),
            Counter(quarantined),
            verification.unwritten,
            frozenset(),
            verification.splits_bundles,
            manifest.is_incremental,
        )
        for kind, pair in _some(pairing, verification.tasks[number], verification.limits, outputs[number]):
            _take(Row(kind, pair.source, pair.masked), taken, spare, names)
    for kind, rows in spare.items():
        taken[kind] += rows[: max(0, _most(kind) - len(taken[kind]))]
    return [row for kind in sorted(taken) for row in taken[kind]]


def _written(name: str, outputs: Mapping[int, Mapping[str, object]]) -> bool:
    return any(name in types for types in outputs.values())


def _some(pairing: Pairing, task: Task, limits: Limits, types: Mapping[str, object]) -> Iterator[tuple[str, Pair]]:
    """The pairs of a task from its beginning on, until enough of them are read."""
    read = 0
    for pair in pairing.pairs(limits):
        read += len(pair.source)
        yield pair.file.rsplit("/", 2)[-2], pair
        if read > _TASK_BYTES:
            return


def _most(kind: str) -> int:
    return _RECORDS if kind in _PEOPLE else _BUNDLES if kind == BUNDLE else _OTHERS


def _take(row: Row, taken: dict[str, list[Row]], spare: dict[str, list[Row]], names: set[bytes]) -> None:
    """Put a document with those that are taken, or with those that will do."""
    rows = taken[row.kind]
    if len(rows) >= _most(row.kind):
        return
    if row.kind == BUNDLE:
        rows.append(_shortened(row))
        return
    if len(row.source) > _DOCUMENT_BYTES:
        return
    if row.kind in _PEOPLE:
        name = Document(row.source).name
        if name:
            names.add(f'"{name}"'.encode())
        rows.append(row)
    elif any(name in row.source for name in names):
        rows.append(row)
    elif len(spare[row.kind]) < _OTHERS:
        spare[row.kind].append(row)


def _shortened(row: Row) -> Row:
    """A Bundle with some of its entries: the first of each type, the same ones before and after."""
    source, masked = _members(row.source), _members(row.masked)
    before, after = _list(source), _list(masked)
    if len(before) != len(after):
        return row
    seen: Counter[str] = Counter()
    keep: list[int] = []
    for index, entry in enumerate(before):
        kind = Document(bytes(entry.get("resource", b"{}"))).kind
        seen[kind] += 1
        if seen[kind] <= _OTHERS // 4 and len(keep) < _ENTRIES:
            keep.append(index)
    for members, entries in ((source, before), (masked, after)):
        members["entry"] = msgspec.Raw(_encode([entries[index] for index in keep]))
    return Row(row.kind, _encode(source), _encode(masked))


def _list(bundle: Mapping[str, msgspec.Raw]) -> list[dict[str, msgspec.Raw]]:
    return _entries(bytes(bundle.get("entry", b"[]")))


class Copy:
    """A sample laid down below a folder of the PHI area. `lay` writes its output anew."""

    def __init__(self, folder: str, rows: Sequence[Row], manifest: Manifest) -> None:
        self.rows = rows
        self.source = storage.join(folder, "source")
        self.clean, self.phi = storage.join(folder, "out"), storage.join(folder, "phi")
        content = b"".join(row.source.replace(b"\n", b" ") + b"\n" for row in rows)
        storage.write_bytes(storage.join(self.source, "sample.ndjson"), content)
        counts = Counter(row.kind for row in rows)
        self._manifest = replace(
            manifest,
            types={kind: TypeCounts(read=count, masked=count) for kind, count in counts.items()},
            reasons={},
            settings={**manifest.settings, "partitions": 1, "bundles": "keep", "incremental": False, "json_column": ""},
            source_files=1,
            source_bytes=len(content),
            tables=(),
            deleted=(),
        )
        self._laid: dict[str, bytes] = {}
        self._beside: list[str] = []
        self.spots: dict[Spot, bytes] = {}
        self.kinds: dict[Spot, str] = {}
        #: The resource that is a person's record, by all its names.
        self.records: dict[str, Spot] = {}
        for number, row in enumerate(rows):
            self._find(number, row)

    def _find(self, number: int, row: Row) -> None:
        """Take note of a row's resources."""
        if row.kind != BUNDLE:
            self._note(Spot(number, -1), row.source, "")
            return
        for index, entry in enumerate(_list(_members(row.source))):
            if "resource" in entry:
                url = msgspec.json.decode(entry["fullUrl"]) if "fullUrl" in entry else ""
                self._note(Spot(number, index), bytes(entry["resource"]), url)

    def _note(self, spot: Spot, resource: bytes, url: str) -> None:
        document = Document(resource)
        self.spots[spot], self.kinds[spot] = resource, document.kind
        if document.kind in _PEOPLE:
            for name in filter(None, (document.name, url)):
                self.records.setdefault(name, spot)

    def masked(self, spot: Spot) -> bytes:
        """What became of a resource."""
        row = self.rows[spot.row]
        return row.masked if spot.entry < 0 else bytes(_list(_members(row.masked))[spot.entry]["resource"])

    def place(self, spot: Spot) -> tuple[str, int]:
        """The file and line in which a resource stands once it is laid down."""
        kind = self.rows[spot.row].kind
        return self._path(kind), sum(row.kind == kind for row in self.rows[: spot.row + 1])

    def lines(self, planted: Mapping[Spot, bytes] | None = None) -> dict[str, list[bytes]]:
        """The masked lines by type, with some resources as they are given."""
        by_row: dict[int, dict[int, bytes]] = defaultdict(dict)
        for spot, content in (planted or {}).items():
            by_row[spot.row][spot.entry] = content
        found: dict[str, list[bytes]] = defaultdict(list)
        for number, row in enumerate(self.rows):
            found[row.kind].append(_with(row.masked, by_row[number]) if number in by_row else row.masked)
        return found

    def lay(self, lines: Mapping[str, Sequence[bytes]], untold: frozenset[str] = frozenset()) -> Manifest:
        """Write the output, with nothing beside it. untold: types of whose files the manifest still says what they were."""
        whole, files = self.lines(), []
        for kind in sorted(whole):
            path, content = self._path(kind), _joined(lines[kind])
            if self._laid.get(path) != content:
                storage.write_bytes(storage.join(self.clean, path), content)
                self._laid[path] = content
            told = whole[kind] if kind in untold else lines[kind]
            content = _joined(told)
            files.append(OutputFile(path, kind, len(told), len(content), hashlib.sha256(content).hexdigest()))
        for path in self._beside:
            storage.delete_file(storage.join(self.clean, path))
        self._beside.clear()
        manifest = replace(self._manifest, files=tuple(files))
        publish_manifest(self.clean, manifest)
        return manifest

    def put(self, path: str, content: bytes) -> None:
        """Write a file beside the documents, until the next `lay`."""
        storage.write_bytes(storage.join(self.clean, path), content)
        self._beside.append(path)

    def _path(self, kind: str) -> str:
        return storage.join(run_folder("", self._manifest.run_id).strip("/"), "ndjson", kind, f"{kind}-00000.ndjson")


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _with(masked: bytes, planted: Mapping[int, bytes]) -> bytes:
    """A document with resources that were planted in: itself, or those of its entries."""
    if -1 in planted:
        return planted[-1]
    members = _members(masked)
    entries = _list(members)
    for index, content in planted.items():
        entries[index]["resource"] = msgspec.Raw(content)
    members["entry"] = msgspec.Raw(_encode(entries))
    return _encode(members)
