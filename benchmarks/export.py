"""The data to measure on: the sample export, made once and cached, or the folder that BENCH_EXPORT names.

A slice holds the first part of every file, so that its mix of types is that of the whole. It is a copy and not a link:
a job reads a file once, by whatever names it is reached.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.scale import Scale
from masking.errors import UsageError
from masking.sample import write_sample
from masking.spark.lines import Limits, Reader
from masking.spark.splits import Block

CACHE = Path(__file__).parents[1] / ".cache" / "bench"
MB = 10**6
#: Lines that the engine is given at once.
BATCH_ROWS = 2_000


def find_export(scale: Scale) -> Path:
    """The export that all benchmarks of a round share; the sample is made if it is not there."""
    if named := os.environ.get("BENCH_EXPORT"):
        folder = Path(named).resolve()
        if not files_of(folder):
            raise UsageError(f"BENCH_EXPORT: no *.ndjson in {folder}")
        return folder
    folder = CACHE / f"sample-{scale.patients}"
    if not (folder / "export").exists():
        shutil.rmtree(folder, ignore_errors=True)
        write_sample(folder, scale.patients, seed=1)
    return folder / "export"


def files_of(folder: Path) -> list[Path]:
    """The NDJSON files of an export, by name. Compressed ones cannot be sliced and are left out."""
    return sorted(folder.rglob("*.ndjson"))


def bytes_of(folder: Path) -> int:
    """The size of an export."""
    return sum(file.stat().st_size for file in files_of(folder))


def slice_of(export: Path, megabytes: int) -> Path:
    """About so much of an export, or all of it where it is smaller; made if it is not there."""
    whole = bytes_of(export)
    part = megabytes * MB / whole
    if part >= 1:
        return export
    name = hashlib.sha256(f"{export} {whole}".encode()).hexdigest()[:8]
    folder = CACHE / "slices" / f"{name}-{megabytes}"
    if not folder.exists():
        unfinished = folder.with_suffix(".partial")
        shutil.rmtree(unfinished, ignore_errors=True)
        for file in files_of(export):
            target = unfinished / file.relative_to(export)
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy_part(file, target, part)
        unfinished.rename(folder)
    return folder


def _copy_part(source: Path, target: Path, part: float) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        writing.write(reading.read(int(source.stat().st_size * part)))
        writing.write(reading.readline())


def batches_of(folder: Path) -> Iterator[list[bytes]]:
    """The documents of an export, read as the job reads them, in batches that end with their file."""
    limits = Limits(batch_rows=BATCH_ROWS, batch_bytes=1 << 40, line_bytes=1 << 40)
    for file in files_of(folder):
        size = file.stat().st_size
        for batch in Reader([Block(str(file), "", 0, size, size)], limits):
            if batch.documents:
                yield batch.documents
