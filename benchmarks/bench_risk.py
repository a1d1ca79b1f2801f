"""What a verification does with pairs of documents: compares them, and measures coverage, risk and utility; and attacks on a crowd.

The floor is an orjson parse of the same pairs in the same run, source and output. The output is the engine's, of the sample;
all in one process. Of each file the first part is taken, so that the mix of types is that of the whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256

import msgspec
import numpy as np
import orjson

from benchmarks.export import MB, bytes_of, files_of, find_export
from benchmarks.report import Report, Verdict
from benchmarks.scale import QUICK, Scale
from masking.document import Engine
from masking.keys import MasterKey
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.policy.specs import Policy
from masking.policy.stays import stays
from masking.risk.coverage import PathCounts
from masking.risk.facts import reads, told
from masking.risk.linkage import MOST_FACTS, Crowd
from masking.risk.mend import COARSER, mend
from masking.risk.people import Table
from masking.spark.collector import collect_seldom
from masking.verify.collect import Collector
from masking.verify.compare import Comparer
from masking.verify.tree import Tree

_ON = "2026-01-01"
_MOST_BYTES = 48 * MB
_FACTS, _ATTACKS = 300, 20_000  # of a person; of a verification


def main(scale: Scale) -> Report:
    """CPU seconds of one process, once each: what is remembered of one document is what makes the next one cheap."""
    lines = _lines(scale)
    size = sum(map(len, lines))
    policy = read_policy("realistic", reference_date=_ON)
    plan = Plan(policy, MasterKey.from_bytes(sha256(b"bench").digest()).keyring())
    masked = Engine(plan).mask_batch(lines).masked
    pairs = [(line, made) for line, made in zip(lines, masked, strict=True) if made is not None]
    actions = _actions(pairs, policy)
    report = Report("What a verification does with pairs, one core", ("What", "MB/s of source", "of orjson"))
    works: dict[str, Callable[[], None]] = {
        "comparing": lambda: _compare(pairs, actions),
        "coverage by path": lambda: _coverage(pairs),
        "facts": lambda: _facts(pairs),
    }
    floor = _seconds(lambda: _parse(pairs))
    times = {what: _seconds(work) for what, work in works.items()}
    floor = min(floor, _seconds(lambda: _parse(pairs)))
    times["coverage and facts"] = times["coverage by path"] + times["facts"]
    for what, seconds in times.items():
        report.rows.append((what, f"{size / seconds / 1e6:,.1f}", f"{floor / seconds:.3f}"))
    ratios = {what: floor / seconds for what, seconds in times.items()}
    report.verdicts.append(Verdict("comparing, against orjson", ratios["comparing"], 0.05))
    report.verdicts.append(Verdict("coverage and facts, against orjson", ratios["coverage and facts"], 0.015))
    report.figures = {"of_orjson": ratios, "mb_per_s": {what: size / seconds / 1e6 for what, seconds in times.items()}}
    people = 2_000 if scale == QUICK else 10_000
    report.notes.append(_crowd(people))
    report.notes.append(_mending(20_000 if scale == QUICK else 1_000_000))
    return report


def _lines(scale: Scale) -> list[bytes]:
    export = find_export(scale)
    room = _MOST_BYTES // 12 if scale == QUICK else _MOST_BYTES
    part = min(1.0, room / bytes_of(export))
    lines: list[bytes] = []
    for path in files_of(export):
        content = path.read_bytes()
        content = content[: content.find(b"\n", int(len(content) * part)) + 1]
        lines += [line for line in content.split(b"\n") if line.strip()]
    return lines


def _seconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _actions(pairs: list[tuple[bytes, bytes]], policy: Policy) -> dict[str, str]:
    collector = Collector()
    for line, _ in pairs:
        collector.document(line)
    return stays(policy, collector.tree.paths())


def _parse(pairs: list[tuple[bytes, bytes]]) -> None:
    for source, masked in pairs:
        orjson.loads(source)
        orjson.loads(masked)


def _compare(pairs: list[tuple[bytes, bytes]], actions: dict[str, str]) -> None:
    comparer = Comparer(Tree(actions), (), _ON)
    for _ in range(3):  # loads the machine code
        comparer.compare(*pairs[0])
    with collect_seldom():
        for source, masked in pairs:
            comparer.compare(source, masked)


def _coverage(pairs: list[tuple[bytes, bytes]]) -> None:
    counts = PathCounts()
    for source, masked in pairs:
        counts.pair(source, masked)
    counts.settle()


def _facts(pairs: list[tuple[bytes, bytes]]) -> None:
    decode = msgspec.json.Decoder(float_hook=str).decode
    for pair in pairs:
        before, after = map(decode, pair)
        if reads(kind := before["resourceType"]):
            told(kind, before, _ON)
            told(kind, after, _ON)


def _crowd(people: int) -> str:
    """Attacks on one share of people, whose facts are spread as those of charts are: few common, many rare."""
    whose = np.repeat(np.arange(1, people + 1, dtype=np.uint64), _FACTS)
    numbers = np.arange(len(whose), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)
    facts = (numbers**2 >> np.uint64(32)) + np.uint64(1)
    start = time.process_time()
    crowd = Crowd(facts, whose)
    made = time.process_time() - start
    rows = facts[: _ATTACKS * MOST_FACTS].reshape(-1, MOST_FACTS)
    start = time.process_time()
    crowd.fitting(rows, whose[: _ATTACKS * MOST_FACTS : MOST_FACTS])
    took = time.process_time() - start
    each = took / len(rows) * 1e6
    return (
        f"{people:,} people of {_FACTS} facts: a crowd in {made:.1f} s, {each:,.0f} µs an attack of {MOST_FACTS} facts"
    )


def _mending(people: int) -> str:
    """Generalizations for people who are nearly all alone in their cell."""
    columns = ("age_band", "sex", "race", "first_encounter", *COARSER)
    sizes = (19, 4, 6, 300, 10, 25)
    spread = np.arange(people, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    rows = np.stack([(spread >> np.uint64(7 * at)) % np.uint64(size) for at, size in enumerate(sizes)], axis=1)
    labels = [[str(label) for label in range(size)] for size in sizes]
    table = Table.joined([Table(columns, labels, rows.astype(np.int32), np.ones(people, np.int64))])
    start = time.process_time()
    steps = mend(table, columns[:4], 11)
    took = time.process_time() - start
    return f"{len(table.rows):,} combinations of {people:,} people: {len(steps)} steps found in {took:.1f} s"
