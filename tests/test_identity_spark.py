"""The pass over people: what Spark builds is what one process knows; each task finds whom it refers to; nothing stays."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from people import bundle, line, linked, patient, related

from masking.errors import InputError, UsageError
from masking.identity import Facts, People, gather
from masking.spark.identify import Identities, IdentifySettings, identify
from masking.spark.identify_tasks import GatherTask
from masking.spark.lines import Limits
from masking.spark.read import find_inputs
from masking.spark.splits import Task, plan_tasks

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LIMITS = Limits(batch_rows=7, batch_bytes=1 << 20, line_bytes=1 << 20)
DATA = Path("/work/shared/data")


def export() -> list[bytes]:
    """People linked across files, one patient in every Bundle, observations, damaged lines."""
    rows: list[Any] = []
    for index in range(120):
        number = {"identifier": [{"system": "urn:mr", "value": f"{index:06d}"}]}
        link = linked(f"Patient/p{index - 60}") if index % 10 == 9 and index >= 60 else {}
        rows += [patient(f"p{index}", f"Family{index}", **number, **link), related(f"r{index}", f"Patient/p{index}")]
        rows += [{"resourceType": "Observation", "id": f"o{index}", "subject": {"reference": f"Patient/p{index % 3}"}}]
        rows.append(bundle(("", patient("everywhere", f"Name{index % 2}")), ("", {"resourceType": "Basic", "id": "b"})))
    rows.append(
        {"resourceType": "Observation", "id": "last", "subject": {"reference": "Patient?identifier=urn:mr|000007"}}
    )
    rows.append({"resourceType": "Observation", "id": "none", "subject": {"reference": "Patient/unknown"}})
    lines = [line(row) for row in rows] + [b'{"resourceType":"Patient",', b"not JSON"]
    random.Random(3).shuffle(lines)
    return lines


def write(folder: Path, lines: list[bytes], files: int = 3) -> None:
    folder.mkdir()
    for number in range(files):
        (folder / f"{number}.ndjson").write_bytes(b"\n".join(lines[number::files]) + b"\n")


def plan(folder: Path, count: int) -> tuple[Task, ...]:
    return plan_tasks(find_inputs(str(folder), "/nowhere/clean", "/nowhere/phi").files, count)


def known_of(found: Identities, people: People, task: int) -> dict[str, Facts]:
    return found.open(task).get_many([*people.entries(), "RelatedPerson/r3", "Patient/unknown"])


def expected(people: People) -> dict[str, Facts]:
    asked = [*people.entries(), "RelatedPerson/r3", "Patient/unknown"]
    return {who: facts for who in asked if (facts := people.facts(who)) is not None}


@pytest.mark.parametrize("settings", [{}, {"whole_bytes": 0}, {"whole_bytes": 0, "scan_from": 1}])
def test_what_spark_builds_is_what_one_process_knows(
    spark: SparkSession, tmp_path: Path, settings: dict[str, int]
) -> None:
    lines = export()
    write(tmp_path / "in", lines)
    tasks = plan(tmp_path / "in", 5)
    chosen = IdentifySettings(bucket_bytes=10_000, **settings)
    found = identify(spark, tasks, str(tmp_path / "phi"), limits=LIMITS, cores=2, settings=chosen)
    people = People(gather(lines))
    assert found.whole == (not settings)
    for task in (0, len(tasks) - 1):
        assert known_of(found, people, task) == expected(people)
    folder = tmp_path / "phi" / "identities"
    there = {path.name for path in folder.iterdir() if not path.name.startswith("bucket-")}
    assert there == {"index.json"} | ({"by_task"} if settings else set())
    if settings:
        assert len(list((folder / "by_task").iterdir())) == len(tasks)
    found.remove()
    assert not folder.exists()


def test_partitions_and_order_do_not_matter(spark: SparkSession, tmp_path: Path) -> None:
    lines = export()
    stores = []
    for name, order, tasks, files in (("one", lines, 1, 1), ("seven", lines[::-1] + lines[:50], 7, 4)):
        write(tmp_path / name, order, files)
        phi = tmp_path / f"phi-{name}"
        found = identify(spark, plan(tmp_path / name, tasks), str(phi), limits=LIMITS, cores=2)
        stores.append({path.name: path.read_bytes() for path in Path(found.folder).iterdir()})
    assert stores[0] == stores[1]


def test_an_export_without_people_and_none(spark: SparkSession, tmp_path: Path) -> None:
    write(tmp_path / "in", [line({"resourceType": "Observation", "id": "o"})], 1)
    for tasks in (plan(tmp_path / "in", 1), ()):
        found = identify(
            spark, tasks, str(tmp_path / "phi"), limits=LIMITS, cores=2, settings=IdentifySettings(whole_bytes=1)
        )
        assert (found.records, found.open(0).get_many(["p1"])) == (0, {})


@pytest.mark.skipif(not DATA.exists(), reason="the export is not here")
def test_a_true_export(spark: SparkSession, tmp_path: Path) -> None:
    tasks = plan(DATA / "bulk-10-patients", 2)
    found = identify(spark, tasks, str(tmp_path / "phi"), limits=LIMITS, cores=2)
    assert found.records == 13 + 3 * 43
    known = found.open(0).get_many(
        ["129c6ac7-8d06-89de-ad63-0204a93e76c3", "http://hl7.org/fhir/sid/us-npi|9999999698"]
    )
    assert [facts.sex for facts in known.values()] == ["female", "female"]
    assert {facts.resource_type for facts in known.values()} == {"Patient", "Practitioner"}


# ── without Spark ──


def test_settings_are_checked() -> None:
    with pytest.raises(UsageError):
        IdentifySettings(bucket_bytes=0)


def test_what_travels_shows_nothing(tmp_path: Path) -> None:
    write(tmp_path / "in", [line(patient("p1"))], 1)
    job = GatherTask(plan(tmp_path / "in", 1), str(tmp_path), LIMITS, records=True, references=True)
    assert "ndjson" not in repr(job)
    assert "p1" not in repr(job._gather(0))


def test_a_task_that_cannot_read_says_so(tmp_path: Path) -> None:
    write(tmp_path / "in", [line(patient("p1"))], 1)
    tasks = plan(tmp_path / "in", 1)
    (tmp_path / "in" / "0.ndjson").unlink()
    with pytest.raises(InputError, match="cannot read"):
        GatherTask(tasks, str(tmp_path), LIMITS, records=True, references=False)._gather(0)
    assert not (tmp_path / "gathered").exists()


def test_a_sample_export_is_understood(tmp_path: Path) -> None:
    from masking.sample import write_sample  # noqa: PLC0415

    assert json and write_sample
