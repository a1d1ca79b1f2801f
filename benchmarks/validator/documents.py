"""What is validated: a sample of the documents of some files, each beside what it becomes."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec

from masking import storage
from masking.document import Engine
from masking.errors import InputError
from masking.keys import MasterKey
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.sources.content import Form
from masking.spark.lines import Limits, Reader
from masking.spark.read import ACCEPTED, InputFile, content_of
from masking.spark.splits import Block

#: Ages are kept as of this day.
ON = "2026-01-01"
_LIMITS = Limits(batch_rows=1000, batch_bytes=8 << 20, line_bytes=64 << 20)
#: Not validated: definitions of FHIR itself, which take HAPI a second each and are nobody's, and what is longer than this.
_PASSED_OVER = {"StructureDefinition"}
_LONGEST = 2_000_000
#: A string, which stays as it is, or what lies between two tokens.
_BETWEEN = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')


class _Named(msgspec.Struct, rename="camel"):
    resource_type: str = ""


@dataclass(slots=True)
class Pairs:
    """Documents before and after, the types they are of, and how many there were and were not masked."""

    before: list[bytes] = field(default_factory=list)
    after: list[bytes] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    found: int = 0
    unmasked: Counter[str] = field(default_factory=Counter)


def mask_some(path: Path, policy: str, most: int) -> Pairs:
    """Mask at most `most` documents of each type, taken evenly from all there are; 0 takes all."""
    counts = Counter(kind for kind, _ in _documents(path))
    steps = {kind: max(1, -(-count // most)) if most else 1 for kind, count in counts.items()}
    pairs, seen = Pairs(found=sum(counts.values())), Counter[str]()
    key = MasterKey.from_bytes(sha256(b"validate").digest())  # no secret: nothing that it masks is kept
    engine = Engine(Plan(read_policy(policy, reference_date=ON), key.keyring()))
    for kind, document in _documents(path):
        seen[kind] += 1
        if (seen[kind] - 1) % steps[kind] or kind in _PASSED_OVER or len(document) > _LONGEST:
            continue
        batch = engine.mask_batch([document])
        masked = batch.masked[0]
        if masked is None:
            pairs.unmasked[batch.faults[0].reason if batch.faults else "dropped"] += 1
            continue
        pairs.before.append(document)
        pairs.after.append(masked)
        pairs.types.append(kind)
    return pairs


def _documents(path: Path) -> Iterator[tuple[str, bytes]]:
    """All documents, each on one line, with their types."""
    decoder = msgspec.json.Decoder(_Named)
    for document in _lines(path):
        try:
            yield decoder.decode(document).resource_type, document
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield "", document


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of the NDJSON files of a folder; where it has none, its `*.json` and `*.json.gz`, each a document."""
    files = sorted(storage.list_files(storage.normalize(path))) or [_one(path)]
    exports = [
        InputFile(file.path, file.size, content.codec, content.form)
        for file in files
        if (content := content_of(file.path)) is not None and content.form is not Form.DOCUMENT
    ]
    if exports:
        yield from _of_exports(exports)
        return
    texts = [Path(file.path) for file in files if file.path.endswith((".json", ".json.gz"))]
    if not texts:
        raise InputError(f"nothing to read at {path}: accepted are {ACCEPTED}")
    for text in texts:
        if text.name != "package.json" and text.name[0] != ".":
            content = text.read_bytes()
            content = gzip.decompress(content) if text.suffix == ".gz" else content
            yield _BETWEEN.sub(lambda match: match[1] or "", content.decode("utf-8-sig")).encode()


def _one(path: Path) -> storage.StoredFile:
    file = storage.find_file(storage.normalize(path))
    if file is None:
        raise InputError(f"nothing to read at {path}")
    return file


def _of_exports(files: Iterable[InputFile]) -> Iterator[bytes]:
    for file in files:
        for batch in Reader((Block(file.path, file.codec, 0, file.size, file.size, form=file.form),), _LIMITS):
            yield from batch.documents
