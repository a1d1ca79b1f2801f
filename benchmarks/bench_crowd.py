"""The pass over people where there are very many: time and peak memory, a million of them against a quarter.

The export is skewed as exports are: a third of its observations are of one patient, a third of nobody, a third of everybody
in no order; every tenth patient has a relative with a record, every hundredth a second record; all have one placeholder
for a number, and one doctor. Memory is resident memory, sampled ten times a second: of Java, and of the largest Python
worker. The floor is an orjson parse of the same lines, by one process; what is held against it are CPU seconds.
"""

from __future__ import annotations

import random
import resource
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from benchmarks.bench_identity import person
from benchmarks.export import CACHE, MB, bytes_of
from benchmarks.jobs import Usage, Watch, session
from benchmarks.report import Report, Verdict
from benchmarks.scale import FULL, Scale
from masking.identity.gather import referred_to
from masking.identity.names import named_by
from masking.spark.identify import IdentifySettings, Identities, identify
from masking.spark.lines import Limits, Reader
from masking.spark.read import find_inputs
from masking.spark.splits import Task, count_tasks, plan_tasks

GROWTH = 1.25  # a worker's peak memory, all people against a quarter of them: flat
JAVA = 2_000.0  # MB: Spark's default heap of 1 GB, and what Java needs beside it
_LIMITS = Limits(10_000, 6 << 20, 512 << 20)
_DOCTOR = {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Doctor", "given": ["A"]}]}


def main(scale: Scale) -> Report:
    """Measure a quarter, then all."""
    count = scale.people
    report = Report(
        f"People by task: {count:,} and a quarter of them",
        ("people", "MB", "tasks", "seconds", "CPU s", "of orjson", "Java MB", "worker MB", "look-ups/s", "look-up MB"),
    )
    rounds = [_measure(size) for size in (count // 4, count)]
    report.rows = [one.row for one in rounds]
    quarter, whole = rounds
    report.verdicts = [
        Verdict(
            "a worker's peak memory", whole.usage.peak.worker / quarter.usage.peak.worker, GROWTH, is_less_better=True
        ),
        Verdict(
            "peak memory of a task that looks up", whole.looked.peak / quarter.looked.peak, GROWTH, is_less_better=True
        ),
        Verdict("Java's peak memory", whole.usage.peak.java / MB, JAVA, unit=" MB", is_less_better=True),
    ]
    report.notes.append(f"{whole.looked.asked:,} look-ups of one task, {whole.looked.found:,} known; a batch's at once")
    report.figures["rounds"] = [dict(zip(report.columns, one.row, strict=True)) for one in rounds]
    return report


@dataclass(frozen=True, slots=True)
class _Looked:
    """What one task's look-ups came to. seconds: of CPU. peak: bytes of its process."""

    asked: int
    found: int
    seconds: float
    peak: int


@dataclass(frozen=True, slots=True)
class _Round:
    """One size."""

    row: tuple[str, ...]
    usage: Usage
    looked: _Looked


def _measure(count: int) -> _Round:
    folder = CACHE / "work" / f"crowd-{count}"
    shutil.rmtree(folder, ignore_errors=True)
    make_crowd(folder / "export", count)
    size = bytes_of(folder / "export")
    floor = _parse_seconds(folder / "export")
    files = find_inputs(str(folder / "export"), "/nowhere/clean", "/nowhere/phi").files
    with session() as spark:
        cores = spark.sparkContext.defaultParallelism
        tasks = plan_tasks(files, count_tasks(size, cores, 128 << 20))
        settings = IdentifySettings(whole_bytes=0)  # a quarter would fit into memory
        with Watch() as usage:
            found = identify(spark, tasks, str(folder / "phi"), limits=_LIMITS, cores=cores, settings=settings)
    looked = _alone(found, tasks)
    shutil.rmtree(folder)
    row = (
        f"{count:,}", f"{size / MB:,.0f}", f"{len(tasks)}", f"{usage.seconds:,.0f}", f"{usage.cpu:,.0f}",
        f"{usage.cpu / floor:.0f}×", f"{usage.peak.java / MB:,.0f}", f"{usage.peak.worker / MB:,.0f}",
        f"{looked.asked / looked.seconds:,.0f}", f"{looked.peak / MB:,.0f}",
    )  # fmt: skip
    return _Round(row, usage, looked)


# ── the export ──


def make_crowd(folder: Path, count: int) -> None:
    """Write the export: the same at every call."""
    folder.mkdir(parents=True)
    everybody = [str(person(index)["id"]) for index in range(count)]
    for name, resources in (
        ("Patient", (_patient(index) for index in range(count))),
        ("RelatedPerson", (_relative(everybody[index], index) for index in range(0, count, 10))),
        ("Practitioner", iter([_DOCTOR])),
        ("Observation", _observations(everybody)),
    ):
        with (folder / f"{name}.ndjson").open("wb") as file:
            file.writelines(orjson.dumps(resource) + b"\n" for resource in resources)


def _patient(index: int) -> dict[str, Any]:
    made = person(index)
    made["identifier"].append({"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-99-9999"})
    return made | {"generalPractitioner": [{"reference": "Practitioner/d1"}]}


def _relative(whose: str, index: int) -> dict[str, Any]:
    name = [{"family": f"Kin{index}", "given": ["Ann"]}]
    return {
        "resourceType": "RelatedPerson",
        "id": f"r{index}",
        "patient": {"reference": f"Patient/{whose}"},
        "name": name,
    }


def _observations(everybody: list[str]) -> Iterator[dict[str, Any]]:
    """As many as there are people, three times: of one of them, of nobody, of all in no order."""
    shuffled = random.Random(1).sample(everybody, len(everybody))
    for index, one in enumerate(shuffled):
        for subject in (everybody[0], None, one):
            made: dict[str, Any] = {"resourceType": "Observation", "id": f"o{index}", "status": "final"}
            yield made | {"subject": {"reference": f"Patient/{subject}"}} if subject else made


def _parse_seconds(folder: Path) -> float:
    """The floor."""
    start = time.process_time()
    for path in folder.iterdir():
        with path.open("rb") as file:
            for line in file:
                orjson.loads(line)
    return time.process_time() - start


# ── looking up ──


def _alone(found: Identities, tasks: tuple[Task, ...]) -> _Looked:
    """Look up what the busiest task refers to, in a process of its own."""
    sizes = {
        number: (Path(found.folder) / "by_task" / f"{number:05d}.parquet").stat().st_size
        for number in range(len(tasks))
    }
    number = max(sizes, key=sizes.__getitem__)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_look_up, found, number, tasks[number]).result()


def _look_up(found: Identities, number: int, task: Task) -> _Looked:
    lookup = found.open(number)
    asked = known = 0
    seconds = 0.0
    for batch in Reader(task, _LIMITS):
        names = [named_by(reference.decode(), "") for reference in referred_to(batch.documents)]
        start = time.process_time()
        facts = lookup.get_many(names)
        kin = [name for one in facts.values() for name in (*one.relatives, *one.carers)]
        known += len(facts) + len(lookup.get_many(kin))
        seconds += time.process_time() - start
        asked += len(names) + len(set(kin))
    return _Looked(asked, known, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    made = main(FULL)
    Console(width=130).print(made.as_table(), *made.verdicts_as_text(), sep="\n")
