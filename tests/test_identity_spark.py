"""The pass over people: what Spark builds is what one process knows; each task finds whom it refers to; nothing stays."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from people import bundle, line, linked, patient, related
from spark_double import MADE_WITH, Double

import masking.spark.identify as identify_module
from masking.errors import InputError, UsageError
from masking.identity import Facts, People, gather
from masking.identity.store import bucket_path, read_rows, write_index, write_rows
from masking.spark import mask
from masking.spark.identify import IdentifySettings, Identities, identify
from masking.spark.identify_split import meet
from masking.spark.identify_tasks import GatherTask, references_path, task_path
from masking.spark.lines import Limits
from masking.spark.read import find_inputs
from masking.spark.splits import Task, plan_tasks

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LIMITS = Limits(batch_rows=7, batch_bytes=1 << 20, line_bytes=1 << 20)


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


@pytest.mark.parametrize("settings", [{}, {"whole_bytes": 0}])
def test_what_spark_builds_is_what_one_process_knows(
    spark: SparkSession, tmp_path: Path, settings: dict[str, int]
) -> None:
    lines = export()
    write(tmp_path / "in", lines)
    tasks = plan(tmp_path / "in", 3)
    chosen = IdentifySettings(bucket_bytes=40_000, **settings)
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


def test_partitions_order_and_the_shuffle_do_not_matter(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Little is settled by one task, much by many: what they write is the same."""
    lines = export()
    stores = []
    shuffled = lines[::-1] + lines[:50]
    for name, order, tasks, alone in (
        ("one", lines, 1, 1 << 20),
        ("four", shuffled, 4, 1 << 20),
        ("shuffle", lines, 2, 0),
    ):
        monkeypatch.setattr(identify_module, "_ALONE_BYTES", alone)
        write(tmp_path / name, order, tasks)
        phi = tmp_path / f"phi-{name}"
        found = identify(spark, plan(tmp_path / name, tasks), str(phi), limits=LIMITS, cores=2)
        stores.append({path.name: path.read_bytes() for path in Path(found.folder).iterdir()})
    assert stores[0] == stores[1] == stores[2]


def test_nothing_is_broadcast_and_masking_shuffles_nothing(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark takes what comes of `mapInArrow` for tiny, so a join of its own would send the store through the driver."""
    plans: list[str] = []
    frame = type(spark.range(1))
    genuine = frame.collect

    def recorded(self: Any) -> Any:
        before = self._jdf.queryExecution().executedPlan().toString()
        rows = genuine(self)
        # The plan that was run at last may differ from the one that was made at first.
        plans.append(before + self._jdf.queryExecution().executedPlan().toString())
        return rows

    monkeypatch.setattr(frame, "collect", recorded)
    write(tmp_path / "in", export())
    settings = IdentifySettings(whole_bytes=0)
    identify(spark, plan(tmp_path / "in", 3), str(tmp_path / "phi-i"), limits=LIMITS, cores=2, settings=settings)
    looking, masked = len(plans), tmp_path / "out"
    mask(spark, str(tmp_path / "in"), str(masked), str(tmp_path / "phi"), engine=Double(), made_with=MADE_WITH)
    assert not [one for one in plans if "Broadcast" in one or "Join" in one or "Cartesian" in one]
    assert sum("Exchange" in one for one in plans[:looking]) > 3
    masking = [one for one in plans[looking:] if "receipt#" in one]
    assert len(masking) == 1
    assert "MapInArrow" in masking[0]
    assert not [one for one in plans[looking:] if "Exchange" in one]


def test_a_task_has_all_whom_its_notes_may_speak_of(spark: SparkSession, tmp_path: Path) -> None:
    """By an identifier alone, of a linked record, with relatives under other names: what is asked is in the task's file."""
    number = {"identifier": [{"system": "urn:mr", "value": "77"}]}
    doctor = {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Doctor"}]}
    note = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient?identifier=urn:mr|77"}}
    (tmp_path / "in").mkdir()
    everybody = [
        patient("b", "B", **number, **linked("Patient/a"), generalPractitioner=[{"reference": "Practitioner/d"}]),
        patient("a", "A"), related("r2", "Patient/b"), doctor, patient("else", "Else"),
        {"resourceType": "Person", "id": "p", "link": [{"target": {"reference": f"RelatedPerson/{r}"}} for r in ("r1", "r2")]},
        related("r1", "Patient/z"),
    ]  # fmt: skip
    for name, rows in (("1", everybody), ("2", [note, *[note | {"id": f"o{index}"} for index in range(500)]])):
        (tmp_path / "in" / f"{name}.ndjson").write_bytes(b"\n".join(map(line, rows)) + b"\n")
    tasks = plan(tmp_path / "in", 2)
    settings = IdentifySettings(whole_bytes=0, bucket_bytes=500)
    found = identify(spark, tasks, str(tmp_path / "phi"), limits=LIMITS, cores=2, settings=settings)
    asking = next(number for number, task in enumerate(tasks) if task[0].path.endswith("2.ndjson"))
    there = dict(read_rows(task_path(found.folder, asking)))
    assert {"urn:mr|77", "a", "d", "r1"} <= set(there), "who has the number, the doctor, the relative's own record"
    assert "else" not in there
    people = People(gather([line(row) for row in everybody]))
    asked = ["urn:mr|77", "Patient/a", "Practitioner/d", "RelatedPerson/r2"]
    lookup = found.open(asking)
    (Path(found.folder) / "by_task" / f"{asking:05d}.parquet").unlink()
    for bucket in Path(found.folder).glob("bucket-*"):
        bucket.unlink()
    assert lookup.get_many(asked) == {who: people.facts(who) for who in asked}


# ── without Spark ──


def test_what_is_shuffled_is_encrypted(spark: SparkSession, tmp_path: Path) -> None:
    """Spark's disks are not the PHI area: no name can be read there."""
    lines = [line(patient(f"p{index}", "Wolkenstein")) for index in range(300)]
    write(tmp_path / "in", lines)
    tasks, small = plan(tmp_path / "in", 3), IdentifySettings(bucket_bytes=1 << 10)
    identify(spark, tasks, str(tmp_path / "phi"), limits=LIMITS, cores=2, settings=small)
    java: Any = spark.sparkContext._jvm
    blocks = java.org.apache.spark.SparkEnv.get().blockManager().diskBlockManager().localDirs()
    written = [path for block in blocks for path in Path(block.getPath()).rglob("shuffle_*.data")]
    assert sum(path.stat().st_size for path in written) > 1000
    assert spark.conf.get("spark.io.encryption.enabled") == "true"
    # Spark compresses before it encrypts; what is only compressed shows its literals.
    assert not any(b"Wolkenstein" in path.read_bytes() for path in written)


def test_questions_meet_a_bucket_in_order(tmp_path: Path) -> None:
    path = bucket_path(str(tmp_path), 0)
    write_rows(path, [("b", b"B"), ("d", b"D"), ("é", b"E")])
    asked = [(0, key.encode(), question) for key in ("a", "b", "c", "é", "é", "ü") for question in (b"1", b"2")]
    met = [(key.decode(), questions, found) for key, questions, found in meet(path, asked)]
    assert met == [(key, [b"1", b"2"], found) for key, found in zip("abcéü", (b"", b"B", b"", b"E", b""), strict=True)]
    assert [found for *_, found in meet(str(tmp_path / "none"), asked)] == [b""] * 5


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


def test_references_are_gathered_along_or_afterwards(tmp_path: Path) -> None:
    write(tmp_path / "in", export(), 1)
    tasks = plan(tmp_path / "in", 1)
    found = []
    for folder, records in ((tmp_path / "along", True), (tmp_path / "after", False)):
        folder.mkdir()
        GatherTask(tasks, str(folder), LIMITS, records=records, references=True)._gather(0)
        found.append(dict(read_rows(references_path(str(folder), 0))))
    assert found[0] == found[1]
    assert {"p0", "unknown", "urn:mr|000007", "everywhere", "r5"} <= set(found[0])


def test_an_export_without_people(tmp_path: Path) -> None:
    write(tmp_path / "in", [line({"resourceType": "Observation", "id": "o"})], 1)
    done = GatherTask(plan(tmp_path / "in", 1), str(tmp_path), LIMITS, records=True, references=True)._gather(0)
    assert (done.records, done.pairs) == (0, [])
    assert not (tmp_path / "gathered").exists()
    write_index(str(tmp_path / "identities"), 1, [])
    for whole in (True, False):
        assert Identities(str(tmp_path / "identities"), 0, whole).open(0).get_many(["p1"]) == {}
