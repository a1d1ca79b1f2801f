"""Rows of typed Parquet to JSON documents, against the plain way: `to_pylist` of the same batches and orjson of each row."""

from __future__ import annotations

import tempfile
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from masking import storage
from masking.sample import write_sample
from masking.sources.parquet import NO_HINTS, read_rows
from masking.spark.lines import Limits, Reader
from masking.spark.read import find_inputs
from masking.spark.splits import whole_block
from masking.tables.schema import columns
from masking.tables.shred import Shredder

_ROWS, _BYTES = 10_000, 6 << 20


class _Header(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 (FHIR's name)


def main(words: list[str] | None = None) -> None:
    """Print, for each type that is large enough, the rates and their ratio."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="?", help="an export; by default a sample that is made")
    parser.add_argument("--patients", type=int, default=60)
    parser.add_argument("--least", type=int, default=200_000, help="bytes of a type, below which it is left out")
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        source = arguments.source
        if source is None:
            write_sample(Path(folder) / "sample", arguments.patients, seed=1)
            source = str(Path(folder) / "sample" / "export")
        whole: dict[str, float] = defaultdict(float)
        for name, lines in sorted(by_type(source).items()):
            size = sum(map(len, lines))
            if size < arguments.least:
                continue
            path = Path(folder) / f"{name}.parquet"
            _write(path, name, lines)
            ours, plain = _fastest(lambda path=path: _ours(path)), _fastest(lambda path=path: _plainly(path))
            whole["ours"] += ours
            whole["plain"] += plain
            whole["size"] += size
            _tell(name, size, ours, plain)
        _tell("all", whole["size"], whole["ours"], whole["plain"])


def _tell(name: str, size: float, ours: float, plain: float) -> None:
    rates = f"{size / ours / 1e6:8.1f} MB/s, to_pylist and orjson {size / plain / 1e6:8.1f} MB/s"
    print(f"{name:28s} {size / 1e6:8.2f} MB  {rates}, ratio {plain / ours:5.2f}")


def by_type(source: str) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = defaultdict(list)
    header = msgspec.json.Decoder(_Header)
    files = find_inputs(source, "/nowhere/out", "/nowhere/phi").files
    for number, file in enumerate(files, 1):
        for batch in Reader((whole_block(file, number),), Limits(_ROWS, _BYTES, 1 << 30)):
            for document in batch.documents:
                found[header.decode(document).resourceType].append(document)
    return found


def _write(path: Path, name: str, lines: list[bytes]) -> None:
    arrays = Shredder(columns(name), name).shred(lines)
    names = ["resourceType", *(column.name for column in columns(name))]
    pq.write_table(pa.table([pa.array([name] * len(lines)), *arrays], names=names), path, compression="zstd")


def _ours(path: Path) -> Iterator[Any]:
    size = path.stat().st_size
    with storage.open_input(str(path)) as raw:
        yield from (rows.documents for rows in read_rows(raw, 0, size, str(path), NO_HINTS, _ROWS, _BYTES))


def _plainly(path: Path) -> Iterator[Any]:
    """Null members and all: less than is asked for, so that the floor is not flattered."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS, use_threads=False):
            yield [orjson.dumps(row) for row in batch.to_pylist()]


def _fastest(make: Callable[[], Iterator[Any]]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for _ in make():
            pass
        best = min(best, time.process_time() - start)
    return best


if __name__ == "__main__":
    main()
