"""An export that arrives in drops: its files, and what all of it should come to."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from masking.report.manifest import Manifest, read_manifest
from masking.sample import write_sample

#: Whoever is known by these is known before anything is said of him.
PEOPLE = ("Patient", "RelatedPerson", "Practitioner", "Person", "Organization")
#: What is said of them, with references, texts, attachments and numbers; a table a type costs time.
TALK = ("Observation", "DocumentReference", "Claim", "Encounter")


def cut(
    folder: Path, count: int, *, patients: int = 8, seed: int = 3, types: tuple[str, ...] = (*PEOPLE, *TALK)
) -> list[dict[str, bytes]]:
    """A sample export in so many drops of files by name, people in the first and a part of all else in each other."""
    export = write_sample(folder / "sample", patients=patients, seed=seed, processes=1).export
    drops: list[dict[str, bytes]] = [{} for _ in range(count)]
    for path in sorted(export.iterdir()):
        name = path.name.partition(".")[0]
        lines = path.read_bytes().splitlines(keepends=True)
        if name not in types:
            continue
        if name in PEOPLE:
            drops[0][path.name] = b"".join(lines)
            continue
        for number in range(1, count):
            if part := lines[number - 1 :: count - 1]:
                drops[number][f"{number:02d}-{path.name}"] = b"".join(part)
    return drops


def deletion(*urls: str) -> bytes:
    """A line of Bulk Data's `deleted` folder."""
    entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode() + b"\n"


def arrive(drop: dict[str, bytes], folder: Path) -> None:
    """Put the files of a drop into the source."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in drop.items():
        (folder / name).write_bytes(content)


def dataset(out: Path) -> list[Manifest]:
    """The manifests of the runs that readers are told to read."""
    latest = read_manifest(str(out))
    assert latest is not None
    found = [read_manifest(str(out), run_id) for run_id in latest.runs]
    assert found[-1] == latest
    return [manifest for manifest in found if manifest is not None]


def lines(out: Path) -> Counter[bytes]:
    """All lines of a dataset's NDJSON, and how often each is there."""
    files = [file for manifest in dataset(out) for file in manifest.files]
    assert len({file.path for file in files}) == len(files)
    return Counter(line for file in files for line in (out / file.path).read_bytes().splitlines())


def rows(out: Path) -> Counter[str]:
    """All rows of a dataset's tables, as text, and how often each is there."""
    found: Counter[str] = Counter()
    for manifest in dataset(out):
        for file in manifest.tables:
            table: list[dict[str, Any]] = pq.ParquetFile(out / file.path).read().to_pylist()
            found.update(json.dumps(row, sort_keys=True, default=str) for row in table)
    return found


def quarantined(phi: Path) -> Counter[tuple[str, int]]:
    """All lines in quarantine by file name and number, and how often each is there."""
    found: Counter[tuple[str, int]] = Counter()
    for path in phi.glob("runs/*/quarantine/*"):
        for line in path.read_bytes().splitlines():
            record = json.loads(line)
            found[Path(record["file"]).name, record["line"]] += 1
    return found
