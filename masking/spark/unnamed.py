"""Files whose names do not say that they are read: those that say nothing are opened, others are counted by kind. Driver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from masking import storage
from masking.sources.content import Content, told_by_content

#: Requests to an object store at once; each file takes one or two.
_AT_ONCE = 16
_KINDS = {
    ".orc": "ORC",
    ".avro": "Avro",
    ".xml": "XML",
    ".zip": "zip",
    ".csv": "CSV",
    ".tsv": "CSV",
}
_REMEDIES = {
    **dict.fromkeys(("ORC", "Avro", "CSV"), "Spark writes them as Parquet"),
    "XML": "export FHIR as JSON",
    "zip": "unpack them",
}


def says_nothing(name: str) -> bool:
    """Whether a file's name, without the suffix of a codec, has no suffix: `part-00000`."""
    return "." not in name.rpartition("/")[2]


def look_at(paths: Sequence[str]) -> dict[str, Content]:
    """What files are by their content, those left out that hold no FHIR. `OSError` where one cannot be read."""
    if not paths:
        return {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(_look, paths)
    return {path: content for path, content in zip(paths, found, strict=True) if content is not None}


def told_kinds(paths: Iterable[str]) -> str:
    """What is to be said of files that are not read, by kind; "" if none of them is of a kind that is known."""
    counts = Counter(kind for path in paths for suffix, kind in _KINDS.items() if path.lower().endswith(suffix))
    return "".join(f"; {count} {kind}: {_REMEDIES[kind]}" for kind, count in sorted(counts.items()))


def _look(path: str) -> Content | None:
    with storage.open_input(path) as raw:
        return told_by_content(raw)
