"""Damaged lines: each is masked or at fault, none breaks the engine, and nothing that is said of them holds a value."""

import functools
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from documents import Maker, plan
from oracle import Oracle

from masking.document import Engine
from masking.sample import write_sample

LINES = 10_000


@functools.cache
def sample() -> tuple[tuple[bytes, ...], frozenset[str]]:
    """The lines of a small made-up export, and the values that were planted in it."""
    with TemporaryDirectory() as folder:
        summary = write_sample(Path(folder), patients=2, seed=5)
        lines = [
            line for file in sorted(summary.export.iterdir()) for line in file.read_bytes().split(b"\n") if line.strip()
        ]
        truths = [json.loads(line) for line in summary.truth.read_bytes().splitlines()]
    # Short ones occur by chance in any number, and a day that was moved may be another's true one.
    long = {truth["value"] for truth in truths if len(truth["value"]) >= 8 and truth["kind"] != "dates"}
    return tuple(lines), frozenset(long)


# ── ways to damage a line ────────────────────────────────────────────────────────────────────────────────────────────


def flip(line: bytes, random: Random) -> bytes:
    """Up to four bits turned over."""
    damaged = bytearray(line)
    for _ in range(random.randint(1, 4)):
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def truncate(line: bytes, random: Random) -> bytes:
    """Cut off at either end."""
    at = random.randrange(len(line))
    return line[:at] if random.random() < 0.7 else line[at:]


def drop(line: bytes, random: Random) -> bytes:
    """A few bytes lost in the middle."""
    start = random.randrange(len(line))
    return line[:start] + line[start + random.randint(1, 30) :]


def double(line: bytes, random: Random) -> bytes:
    """A stretch written twice: duplicate keys, values out of place."""
    start = random.randrange(len(line))
    return line[:start] + line[start : start + random.randint(1, 200)] + line[start:]


def mark(line: bytes, random: Random) -> bytes:
    """One character of JSON's own put in or in the place of another."""
    at, width = random.randrange(len(line)), random.randrange(2)
    return (
        line[:at]
        + random.choice([b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\\u0000"])
        + line[at + width :]
    )


def nest(line: bytes, random: Random) -> bytes:
    """A value wrapped in arrays or objects, some of them far too deep."""
    depth = random.choice([1, 2, 50, 150, 5000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"extension":', b"}"), (b'[{"item":', b"}]")])
    start = line.rfind(b":", 0, random.randrange(len(line))) + 1
    end = line.find(b",", start)
    return line[:start] + opening * depth + line[start:end] + closing * depth + line[end:]


def retype(line: bytes, random: Random) -> bytes:
    """Valid JSON with values of the wrong kind: at a path of the document, or at several."""
    tree = json.loads(line)
    for _ in range(random.randint(1, 3)):
        holder, key = random.choice(list(places(tree)))
        try:
            held = holder[key]
        except (IndexError, KeyError):
            continue
        options = [None, 5, -0.0, True, "", "x", [], {}, [held], {"value": held}, [None], [[held]], str(held)]
        holder[key] = random.choice(options)
    return json.dumps(
        tree, separators=random.choice([(",", ":"), (", ", ": ")]), ensure_ascii=random.random() < 0.5
    ).encode()


def rename(line: bytes, random: Random) -> bytes:
    """A property under another name: one of R4's that means something else, a companion's, or a value's."""
    tree = json.loads(line)
    holders = [holder for holder, _ in places(tree) if isinstance(holder, dict) and holder]
    holder = random.choice(holders)
    key = random.choice(list(holder))
    new = random.choice(
        ["id", "url", "extension", "meta", "contained", "_" + key, str(holder[key])[:40], "resourceType", "system", ""]
    )
    holder[new] = holder.pop(key)
    return json.dumps(tree, separators=(",", ":")).encode()


def places(tree: object) -> Iterator[tuple]:
    """Every (holder, key) of a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from places(value)


DAMAGES: list[Callable[[bytes, Random], bytes]] = [
    flip,
    truncate,
    drop,
    double,
    mark,
    nest,
    retype,
    retype,
    retype,
    rename,
]


def damaged(count: int, seed: int) -> list[bytes]:
    """Damaged lines; the seed decides."""
    random = Random(seed)
    lines = [line for line in sample()[0] if len(line) < 6000]
    made = []
    for _ in range(count):
        line = random.choice(lines)
        for _ in range(random.choice([1, 1, 1, 2])):
            line = (
                random.choice(DAMAGES[:6] if line != line.strip() or not _is_json(line) else DAMAGES)(line, random)
                or b"{"
            )
        made.append(line)
    return made


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


# ── what must hold ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_ten_thousand_damaged_lines(caplog):
    caplog.set_level(logging.DEBUG)
    engine = Engine(plan())
    said, masked, faults = [], 0, 0
    for seed in range(20):
        lines = damaged(LINES // 20, seed)
        batch = engine.mask_batch(lines)
        at_fault = {fault.index for fault in batch.faults}
        assert at_fault == {index for index, line in enumerate(batch.masked) if line is None}
        assert len(at_fault) == len(batch.faults)
        for index, line in enumerate(batch.masked):
            if line is not None:
                assert json.loads(line)["resourceType"] == batch.resource_types[index]
                assert b"\n" not in line
        masked, faults = masked + len(lines) - len(at_fault), faults + len(at_fault)
        said += [repr(batch.faults), repr(dict(batch.redactions)), repr(batch.dropped), repr(batch.resource_types)]
    assert masked > LINES // 4 and faults > LINES // 4
    said += [repr(engine), repr(engine.plan), repr(engine._memory), caplog.text]
    everything = "\n".join(said)
    assert [value for value in sample()[1] if value in everything] == []


def test_damaged_lines_as_the_oracle_says():
    oracle, engine = Oracle(plan()), Engine(plan())
    lines = damaged(500, 1000) + [Maker(Random(seed), wrong=0.1).document() for seed in range(50)]
    batch = engine.mask_batch(lines)
    reasons = {fault.index: fault.reason for fault in batch.faults}
    for index, line in enumerate(lines):
        answer = oracle.mask(line)
        if reasons.get(index) == "too-deep" and answer.reason == "not-json":
            continue  # the engine stops at the depth, before it comes to what else is wrong
        assert (batch.masked[index], reasons.get(index)) == (answer.masked, answer.reason), line[:3000]


def test_no_planted_value_is_in_the_masked_sample():
    """Undamaged: nothing that names somebody comes out, in whole lines and in whatever way they are spelled."""
    lines, planted = sample()
    batch = Engine(plan()).mask_batch(lines)
    assert batch.faults == []
    out = [json.dumps(json.loads(line), ensure_ascii=False) for line in batch.masked]
    assert [value for value in sorted(planted) if any(value in line for line in out)] == []
