"""Put documents and what became of them side by side. Runs in workers.

A run masks each stretch of its input in order and writes a file a type, in the same order. So the n-th document of a type
in a stretch is the n-th line of that type in the stretch's files, once those that were quarantined or dropped are left
out. Nothing has to be looked up, and a stretch is read once, from beginning to end.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from masking import storage
from masking.fhir.elements import resource_types
from masking.report.manifest import Manifest, OutputFile
from masking.sources.content import Form
from masking.sources.parquet import NO_HINTS, Hints
from masking.spark.bundles import BUNDLE, only_deletes
from masking.spark.lines import Limits, LineBatch, Reader
from masking.spark.splits import Block, Task

_NAME = re.compile(r"[A-Za-z]+-([0-9]{5})(?:-([0-9]+))?\.ndjson")


#: The type of stretches that hold all types, in the order of the source.
ANY = "*"
_URN = re.compile(rb'("reference"\s*:\s*")([Uu][Rr][Nn]:[Uu][Uu][Ii][Dd]:[0-9A-Fa-f-]{36})"')


class _Header(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 (FHIR's name)
    id: str = ""


class _Entries(msgspec.Struct):
    entry: list[_Entry] = []


class _Entry(msgspec.Struct):
    fullUrl: str = ""  # noqa: N815 (FHIR's name)
    resource: msgspec.Raw = msgspec.Raw(b"null")


_header = msgspec.json.Decoder(_Header).decode
_entries = msgspec.json.Decoder(_Entries).decode


@dataclass(frozen=True, slots=True)
class Stretch:
    """The lines of one type that one task wrote: a file, or a part of one that was gathered. line: lines before it.

    form, codec, hints: as of a `Block`, where files keep the layout of the source.
    """

    path: str
    start: int
    end: int
    size: int
    line: int
    form: Form = Form.LINES
    codec: str = ""
    hints: Hints = NO_HINTS


class Pair(NamedTuple):
    """A document before and after; where it is now (file relative to the destination, line from 1) and where it was (number
    of the block in its task, line from 1).
    """

    source: bytes
    masked: bytes
    file: str
    line: int
    block: int
    source_line: int


def stretches(manifest: Manifest) -> dict[int, dict[str, list[Stretch]]]:
    """What each task wrote, by type and in order."""
    found: dict[int, dict[str, list[tuple[int, Stretch]]]] = {}
    for file in manifest.files:
        start = line = 0
        for name, size, rows in file.parts or ((file.path.rsplit("/", 1)[1], file.bytes, file.rows),):
            parts = _NAME.fullmatch(name)
            if parts is not None:
                one = Stretch(file.path, start, start + size, file.bytes, line)
                found.setdefault(int(parts[1]), {}).setdefault(file.resource_type, []).append((int(parts[2] or 0), one))
            start, line = start + size, line + rows
    return {
        task: {name: [one for _, one in sorted(many, key=lambda pair: pair[0])] for name, many in types.items()}
        for task, types in found.items()
    }


def document_key(document: bytes) -> bytes:
    """A document by its hash, as quarantined ones are known again."""
    return hashlib.blake2b(document, digest_size=16).digest()


class Outputs:
    """The documents of one task's output, a type at a time."""

    def __init__(self, types: Mapping[str, Sequence[Stretch]], destination: str, limits: Limits) -> None:
        self._streams = {name: self._read(many, destination, limits) for name, many in types.items()}

    def next(self, name: str) -> tuple[bytes, str, int] | None:
        """The next document of a type, its file and line; None where there is none any more."""
        stream = self._streams.get(name) or self._streams.get(ANY)
        return None if stream is None else next(stream, None)

    def rest(self) -> Iterator[tuple[str, bytes, str, int]]:
        """All that was not asked for, with its type."""
        for name, stream in self._streams.items():
            yield from ((name, *one) for one in stream)

    @staticmethod
    def _read(many: Sequence[Stretch], destination: str, limits: Limits) -> Iterator[tuple[bytes, str, int]]:
        for one in many:
            path = storage.join(destination, one.path)
            found = storage.find_file(path)
            if found is None:
                continue
            end = min(one.end, found.size) if one.end != one.size else found.size
            if end <= one.start:
                continue
            block = Block(path, one.codec, one.start, end, found.size, form=one.form, hints=one.hints)
            for batch in Reader((block,), limits):
                for span, documents in _spans(batch):
                    for offset, document in enumerate(documents):
                        yield document, one.path, one.line + span + offset + 1


def _spans(batch: LineBatch) -> Iterator[tuple[int, list[bytes]]]:
    """Runs of documents with the line (from 0) of the first."""
    for span, stop in batch.stretches():
        yield span.line, batch.documents[span.first : stop]


@dataclass(slots=True)
class Pairing:
    """Goes through a task. missing: documents of each type that have no line; types that are `loose` are not paired."""

    task: Task
    outputs: Outputs
    quarantined: Counter[bytes]
    unwritten: frozenset[str]
    loose: frozenset[str]
    split: bool
    takes_deletions: bool = False  # also where Bundles are not split
    missing: Counter[str] = field(default_factory=Counter)

    def pairs(self, limits: Limits) -> Iterator[Pair]:
        """All pairs, in order of the source."""
        for batch in Reader(self.task, limits):
            block = 0
            spans = iter([*batch.spans, None])
            span, after = None, next(spans)
            for index, document in enumerate(batch.documents):
                while after is not None and after.first <= index:
                    span, after = after, next(spans)
                assert span is not None
                block, line = span.block, span.line + index - span.first + 1
                for name, source in self._written(document):
                    if name in self.loose:
                        continue
                    masked = self.outputs.next(name)
                    if masked is None:
                        self.missing[name] += 1
                    else:
                        yield Pair(source, *masked, block, line)

    def _written(self, document: bytes) -> Iterator[tuple[str, bytes]]:
        """The resources that a document of the source is written as, with their types."""
        if self.quarantined and self.quarantined[key := document_key(document)] > 0:
            self.quarantined[key] -= 1
            return
        try:
            name = _header(document).resourceType
        except (msgspec.DecodeError, RecursionError):
            return
        if name == BUNDLE and (self.split or (self.takes_deletions and only_deletes(document))):
            yield from self._parts(_entries(document).entry)
        elif name in resource_types() and name not in self.unwritten:
            yield name, document

    def _parts(self, entries: Sequence[_Entry]) -> Iterator[tuple[str, bytes]]:
        """The resources of a Bundle that was split. Between files a `urn:uuid:` leads nowhere, so where the Bundle says what
        it means, the source is read as if it said so too.
        """
        resources: list[tuple[str, bytes]] = []
        targets: dict[bytes, set[bytes]] = {}
        for entry in entries:
            inner = bytes(entry.resource)
            if inner[:1] == b"{":
                head = _header(inner)
                if head.resourceType in resource_types():
                    resources.append((head.resourceType, inner))
                    name = f"{head.resourceType}/{head.id}".encode()
                    targets.setdefault(entry.fullUrl.lower().encode(), set()).add(name)

        def link(found: re.Match[bytes]) -> bytes:
            names = targets.get(found[2].lower(), set())
            return found[1] + (next(iter(names)) if len(names) == 1 else found[2]) + b'"'

        for kind, inner in resources:
            if kind not in self.unwritten:
                yield kind, inner if kind == BUNDLE else _URN.sub(link, inner)


def parts_of(pair: Pair) -> list[Pair]:
    """A Bundle as its entries, and what is around them, so that what is said of one person is not held for another's.

    Any other document is its own only part, and so is a Bundle whose entries are not as many as they were.
    """
    if b'"entry"' not in pair.masked:
        return [pair]
    try:
        before, after = _object(pair.source), _object(pair.masked)
        old, new = _list(before.pop("entry", _NOTHING)), _list(after.pop("entry", _NOTHING))
    except msgspec.DecodeError:
        return [pair]
    if after.get("resourceType") != _BUNDLE or len(old) != len(new):
        return [pair]
    around = pair._replace(source=msgspec.json.encode(before), masked=msgspec.json.encode(after))
    return [
        around,
        *(pair._replace(source=bytes(one), masked=bytes(other)) for one, other in zip(old, new, strict=True)),
    ]


_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_NOTHING = msgspec.Raw(b"[]")
_BUNDLE = msgspec.Raw(b'"Bundle"')


def file_faults(file: OutputFile, destination: str) -> tuple[str, int]:
    """What is wrong with an output file, "" if nothing is, and how many lines it has."""
    digest, rows, size, last = hashlib.sha256(), 0, 0, b"\n"
    try:
        with storage.open_input(storage.join(destination, file.path)) as source:
            while chunk := source.read(8 << 20):
                digest.update(chunk)
                rows += chunk.count(b"\n")
                size += len(chunk)
                last = chunk[-1:]
    except FileNotFoundError:
        return "the file is not there", 0
    rows += last != b"\n"
    if rows != file.rows:
        return f"{abs(rows - file.rows)} lines {'fewer' if rows < file.rows else 'more'} than the manifest says", rows
    return ("" if digest.hexdigest() == file.sha256 else "its bytes are not those that were written"), rows
