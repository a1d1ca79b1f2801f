"""Masked documents back into tables like the source's, against masking them: rows are read, made anew and written.

Three shapes: this program's tables, columns in FHIR's shape of another's, and a column of JSON. A new task's engine masks.
"""

from __future__ import annotations

import json
import tempfile
import time
from argparse import ArgumentParser
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bench_parquet_in import by_type
from benchmarks.engines import make_engine
from masking import storage
from masking.sample import write_sample
from masking.sources.content import Form
from masking.spark.again import BlocksAgain
from masking.spark.lines import Limits, Reader
from masking.spark.sink import Sink
from masking.spark.splits import Block
from masking.tables.keys import KeyReader
from masking.tables.schema import OTHER, arrow_schema, columns
from masking.tables.shred import Shredder

_LIMITS = Limits(10_000, 6 << 20, 1 << 30)


def main(words: list[str] | None = None) -> None:
    """Print the rates of each shape, all types together."""
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
        seconds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for name, lines in sorted(by_type(source).items()):
            if sum(map(len, lines)) < arguments.least:
                continue
            for shape, table in _shapes(name, lines).items():
                path = Path(folder) / f"{name}.parquet"
                pq.write_table(table, path, compression="zstd")
                spent = seconds[shape]
                spent[0] += sum(map(len, lines))
                masked, again = _measure(path)
                spent[1] += masked
                spent[2] += again
        for shape, (size, masking, again) in seconds.items():
            rates = f"masking {size / masking / 1e6:6.1f} MB/s, tables again {size / again / 1e6:6.1f} MB/s"
            print(f"{shape:8s} {size / 1e6:8.2f} MB of JSON  {rates}, {again / masking:5.2f} as long", flush=True)


def _shapes(name: str, lines: list[bytes]) -> dict[str, pa.Table]:
    keys = KeyReader(name).read(lines)
    arrays = [keys.patient, keys.date, keys.year, pa.array([name] * len(lines))]
    arrays += Shredder(columns(name), name).shred(lines)
    ours = pa.Table.from_arrays(arrays, schema=arrow_schema(name))
    plain = [field.with_type(_plain(field.type)) for field in ours.schema if field.name in ("resourceType", "id") or
             field.name in {column.name for column in columns(name)} - {OTHER}]  # fmt: skip
    text = pa.table({"id": [json.loads(line)["id"] for line in lines], "resource": [line.decode() for line in lines]})
    return {"ours": ours, "typed": pa.Table.from_pylist(ours.to_pylist(), pa.schema(plain)), "json": text}


def _plain(type_: Any) -> Any:
    """A type without the field of all that has none: what others write."""
    if pa.types.is_struct(type_):
        return pa.struct([field.with_type(_plain(field.type)) for field in type_ if field.name != OTHER])
    if pa.types.is_list(type_):
        return pa.list_(type_.value_field.with_type(_plain(type_.value_type)))
    return type_


def _measure(path: Path) -> tuple[float, float]:
    """Seconds of this process for masking all documents of a table, and for all else that gives a table like it."""
    engine, _ = make_engine()
    size = path.stat().st_size
    blocks = [Block(str(path), "", 0, size, size, 1, Form.PARQUET)]
    again = BlocksAgain(blocks)
    spent = 0.0
    start = time.process_time()
    with storage.Spool(f"{path}.again") as spool:
        sink = Sink(spool)
        for batch in Reader(blocks, _LIMITS, keep=again.keep):
            begun = time.process_time()
            masked = engine.mask_batch(batch.documents).masked
            spent += time.process_time() - begun
            again.take(batch, masked)
            again.write(0, sink)
        again.finish(0, sink)
    return spent, time.process_time() - start - spent


if __name__ == "__main__":
    main()
