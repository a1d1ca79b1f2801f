"""What is known of people: gathered, stored, looked up. `python -m benchmarks.bench_identity` measures it alone.

Gathering is measured against an orjson parse of the same lines. The people are generated: five numbers, two names, an
address and a telephone each, about a kilobyte; every hundredth is linked to another. Seconds are CPU seconds, memory is the
process's peak.
"""

from __future__ import annotations

import hashlib
import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from benchmarks.bench_ff1 import best
from benchmarks.export import CACHE, MB
from benchmarks.report import Report, Verdict
from benchmarks.scale import FULL, Scale
from masking.identity import Facts, facts_of, gather
from masking.identity.build import build_store
from masking.identity.store import Store

SCAN_FLOOR = 400.0  # MB/s of lines without people
GROWTH = 1.6  # peak memory for all people against a fourth of them; a list of the links is what grows
_SYSTEMS = ("urn:mr", "http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.3.25", "urn:passport", "urn:plan")


def person(index: int) -> dict[str, Any]:
    """A Patient, the same at every call."""
    own = hashlib.md5(str(index).encode(), usedforsecurity=False).hexdigest()
    key = f"{own[:8]}-{own[8:12]}-{own[12:16]}-{own[16:20]}-{own[20:]}"
    name = {
        "use": "official",
        "family": f"Family{own[:5]}",
        "given": [f"Given{own[5:9]}", own[9:12]],
        "prefix": ["Ms."],
    }
    place = {
        "line": [f"{index % 900} {own[:6]} Street"],
        "city": f"City{own[:3]}",
        "state": "KS",
        "postalCode": own[:5],
    }
    made = {
        "resourceType": "Patient",
        "id": key,
        "identifier": [
            {"system": system, "value": f"{own[at : at + 9]}", "type": {"coding": [{"code": "MR"}]}}
            for at, system in enumerate(_SYSTEMS)
        ],
        "name": [name, {**name, "use": "maiden", "family": f"Maiden{own[7:12]}"}],
        "telecom": [{"system": "phone", "value": f"555-{index:07d}", "use": "home"}],
        "gender": "female",
        "birthDate": f"19{index % 90 + 10}-0{index % 9 + 1}-11",
        "address": [place | {"country": "US"}],
    }
    if index % 100 == 99:
        made["link"] = [{"other": {"reference": f"Patient/{person(index - 1)['id']}"}}]
    return made


def everybody(count: int) -> Iterator[Facts]:
    """The facts of so many."""
    found = (facts_of(person(index)) for index in range(count))
    return (facts for facts in found if facts is not None)


def main(scale: Scale) -> Report:
    """Measure gathering, building and looking up."""
    count, folder = scale.ff1_values, CACHE / "work" / "identity"
    shutil.rmtree(folder, ignore_errors=True)
    report = Report(f"People: {count:,} generated, one core", ("", "figure", ""))
    quarter = _build(folder / "quarter", count // 4)[1]
    seconds, peak, store = _build(folder / "all", count)
    report.rows += [
        ("build", f"{seconds:,.1f}", "s"),
        ("build", f"{count / seconds:,.0f}", "people/s"),
        ("on disk", f"{store.bytes / MB:,.0f}", "MB"),
        ("on disk", f"{store.bytes / count:,.0f}", "bytes a person"),
        ("loaded", f"{store.raw_bytes / count:,.0f}", "bytes a person"),
        ("peak memory", f"{peak / MB:,.0f}", "MB"),
    ]
    report.verdicts.append(Verdict("peak memory, all against a fourth", peak / quarter, GROWTH, is_less_better=True))
    report.figures |= {"build_seconds": round(seconds, 1), "bytes_on_disk": store.bytes, "raw_bytes": store.raw_bytes}
    _measure_looking_up(report, str(folder / "all" / "identities"), count)
    _measure_gathering(report)  # last, for it holds what it measures in memory
    shutil.rmtree(folder, ignore_errors=True)
    return report


def _measure_gathering(report: Report) -> None:
    with_people = [orjson.dumps(person(index)) for index in range(20_000)]
    other = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/1", "type": "Patient"}}
    without = [orjson.dumps(other | {"code": {"text": "x" * 40}, "component": [other] * 8}) for _ in range(100_000)]
    for name, lines in (("lines without people", without), ("lines of people", with_people)):
        size = sum(map(len, lines)) / MB
        speed = size / best(lambda lines=lines: sum(1 for _ in gather(lines)))  # type: ignore[misc]
        floor = size / best(lambda lines=lines: [orjson.loads(line) for line in lines])  # type: ignore[misc]
        report.rows.append((f"gather, {name}", f"{speed:,.0f}", f"MB/s; {speed / floor:.2f}× orjson"))
        report.figures[f"gather {name}"] = round(speed, 1)
        if lines is without:
            report.verdicts.append(Verdict("gathering where there is nobody", speed, SCAN_FLOOR, unit=" MB/s"))


def _build(folder: Path, count: int) -> tuple[float, int, Store]:
    """Seconds beside those of generating, peak memory so far, the store."""
    folder.mkdir(parents=True)
    start = time.process_time()
    for _ in everybody(count):
        pass
    generating = time.process_time() - start
    start = time.process_time()
    store = build_store(str(folder / "identities"), everybody(count), scratch=str(folder))
    seconds = time.process_time() - start - generating
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, store


def _measure_looking_up(report: Report, folder: str, count: int) -> None:
    chance = random.Random(1)
    keys = [str(person(chance.randrange(count))["id"]) for _ in range(20_000)]
    few, store = keys[:500], Store.open(folder)
    ways: tuple[tuple[str, int, Callable[[], Any]], ...] = (
        ("20,000 at once", len(keys), lambda: Store.open(folder).get_many(keys)),
        ("one by one", len(few), lambda: [store.get(key) for key in few]),
    )
    for name, asked, work in ways:
        start = time.process_time()
        work()
        speed = asked / (time.process_time() - start)
        report.rows.append((f"look-ups, {name}", f"{speed:,.0f}", "a second"))
        report.figures[f"lookups {name}"] = round(speed)
    start = time.process_time()
    loaded = Store.open(folder).load_all()
    report.rows.append(("load all", f"{time.process_time() - start:,.1f}", "s"))
    start = time.process_time()
    loaded.get_many(keys)
    speed = len(keys) / (time.process_time() - start)
    report.rows.append(("look-ups, loaded", f"{speed:,.0f}", "a second"))


if __name__ == "__main__":
    made = main(FULL)
    Console(width=110).print(made.as_table(), *made.verdicts_as_text(), sep="\n")
