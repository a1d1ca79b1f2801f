"""The search of a verification: how fast known values are looked for, and how large what is known becomes.

The floor is an orjson round trip of the same lines in the same run. *Searched* is all of it: the bytes as they are, what
they hide, and whose each find is. A table of made-up people shows what a million of them would need.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.export import MB, find_export
from benchmarks.report import Report, Verdict
from benchmarks.scale import QUICK, Scale
from masking.native import bytes_of
from masking.verify import letters, words
from masking.verify.collect import Collector
from masking.verify.hidden import Opener
from masking.verify.known import Pieces, joined
from masking.verify.look import Looker

#: Values of one person: names, numbers, address, dates, ids of some records.
_VALUES = 30
_MOST_BYTES = 64 * MB
_BATCH = 4 << 20


def main(scale: Scale) -> Report:
    """Rates in CPU seconds of one process; the best of several rounds in which all take turns."""
    lines = _lines(find_export(scale), _MOST_BYTES)
    size = sum(map(len, lines))
    collector = Collector()
    for line in lines:
        collector.document(line)
    known = joined([collector.pieces()])
    looker = Looker.of(known)
    batches = _batches(lines)
    people = [[[known.owner(f"Patient/{number}")] for number in range(len(batch))] for batch in batches]
    joint = [b"\n".join(batch) + b"\n" for batch in batches]
    opener = Opener()

    def plain() -> None:
        for text in joint:
            found = [np.zeros(len(text) // 4, np.int32) for _ in range(3)]
            words.scan(
                bytes_of(text),
                True,
                known.keys,
                known.marks,
                len(known.keys) - 1,
                letters.folds(),
                letters.powers(),
                *found,
            )

    def hidden() -> None:
        for text in joint:
            for _ in opener.strings(text):
                pass

    def search() -> None:
        for batch, who in zip(batches, people, strict=True):
            looker.look(batch, who)

    def round_trip() -> None:
        for line in lines:
            orjson.dumps(orjson.loads(line))

    works = {
        "orjson round trip": round_trip,
        "known words": plain,
        "hidden texts": hidden,
        "searched, all of it": search,
    }
    times = _best(works, 3)
    floor = times["orjson round trip"]
    report = Report("Search for known identifiers, one core", ("What", "MB/s", "of orjson"))
    for what, seconds in times.items():
        report.rows.append((what, f"{size / seconds / 1e6:,.0f}", f"{floor / seconds:.2f}"))
    rate = size / times["searched, all of it"] / 1e6
    report.verdicts.append(Verdict("searched", rate, 50, unit=" MB/s"))
    count = 20_000 if scale == QUICK else 1_000_000
    crowd, took = _crowd(count)
    report.notes.append(
        f"{count:,} made-up people of {_VALUES} values: {crowd / 1e9:.2f} GB of tables, joined in {took:.0f} s"
    )
    report.figures = {
        "mb_per_s": rate,
        "of_orjson": floor / times["searched, all of it"],
        "people": count,
        "table_bytes": crowd,
    }
    return report


def _lines(export: Path, most: int) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    for path in sorted(export.rglob("*.ndjson")):
        share = most // 20
        for line in path.read_bytes().split(b"\n"):
            if line.strip() and share > 0 and size < most:
                found.append(line)
                share -= len(line)
                size += len(line)
    return found


def _batches(lines: Sequence[bytes]) -> list[list[bytes]]:
    found: list[list[bytes]] = [[]]
    size = 0
    for line in lines:
        if size > _BATCH:
            found.append([])
            size = 0
        found[-1].append(line)
        size += len(line)
    return found


def _best(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    times = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            start = time.process_time()
            work()
            times[name] = min(times[name], time.process_time() - start)
    return times


def _crowd(people: int) -> tuple[int, float]:
    """The size of the tables of so many people, and how long they took to make."""
    count = people * _VALUES
    values = (np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(2)
    owners = np.repeat(np.arange(1, people + 1, dtype=np.uint64) * np.uint64(0xD6E8FEB86659FD93), _VALUES)
    marks = np.full(count, words.COMPLETE | 1 << words.KIND_SHIFT, np.uint32)
    nobody = np.zeros(0, np.uint64)
    start = time.process_time()
    known = joined([Pieces(values, marks, values, owners, np.ones(count, np.uint32), nobody, nobody, nobody)])
    return known.bytes, time.process_time() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    from benchmarks.scale import FULL

    made = main(QUICK if parser.parse_args().quick else FULL)
    for row in made.rows:
        print(*row, sep="\t")
    print(*made.verdicts_as_text(), sep="\n")
