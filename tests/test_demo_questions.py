"""What the demo asks in SQL, of whom, and whether Delta is to be had."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from masking.commands import askers
from masking.commands.askers import Answer, SparkAsker, duckdb_asker
from masking.commands.deltajars import DeltaJars, delta_command
from masking.commands.questions import questions, show_answers, source_tables
from masking.commands.screen import Screen

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ON = "2026-06-15"


def export(folder: Path) -> Path:
    """Patients at the edges of the ages, codes that draw, encounters with and without a day or a patient."""
    births = ("2008-06-15", "2008-06-16", "2024-02-29", "1961-06-15", "1961-06-16", None)
    patients = [
        {"resourceType": "Patient", "id": f"p{number}", **({"birthDate": birth, "gender": "male"} if birth else {})}
        for number, birth in enumerate(births)
    ]
    codings = [{"system": "http://loinc.org", "code": "1"}, {"code": "1"}, {"system": "http://loinc.org"}]
    conditions = [
        {
            "resourceType": "Condition",
            "subject": {"reference": f"Patient/p{n % 2}"},
            "code": {"coding": codings[: n % 4]},
        }
        for n in range(8)
    ]
    starts = ("2024-02-29T23:30:00-05:00", "2024-03-01", "2025-02-28T10:00:00Z", "2025-03-02T10:00:00Z", None)
    encounters = [
        {"resourceType": "Encounter", "subject": {"reference": f"Patient/{patient}"}, "period": {"start": start}}
        for patient in ("p1", "p2")
        for start in starts
    ]
    encounters.append({"resourceType": "Encounter", "period": {"start": "2020-01-01"}})
    for documents in (patients, conditions, encounters):
        text = "\n\n".join(json.dumps(document) for document in documents)
        (folder / f"{documents[0]['resourceType']}.ndjson").write_text(text)
    return folder


def test_spark_and_duckdb_answer_alike(spark: SparkSession, tmp_path: Path) -> None:
    duck = duckdb_asker()
    if duck is None:
        pytest.skip("DuckDB is not installed")
    asked = questions(ON)
    target = tmp_path / "what's here"
    made = source_tables(export(tmp_path), target, [one.resource_type for one in asked])
    answers = []
    for question in asked:
        table = question.resource_type.lower()
        by_spark = SparkAsker(spark).ask(question.sql, {table: made[question.resource_type]})
        assert duck.ask(question.sql, {table: made[question.resource_type]}) == by_spark
        answers.append(by_spark)
    ages, codes, years = answers
    assert ages.names == ("gender", "age")
    assert ages.counts == {
        ("male", "0-17"): 2,
        ("male", "18-39"): 1,
        ("male", "40-64"): 1,
        ("male", "65 and over"): 1,
        (None, None): 1,
    }
    assert codes.counts == {("http://loinc.org", "1"): 2, (None, "1"): 2, ("http://loinc.org", None): 1}
    assert years.counts == {(0,): 6, (1,): 2, (None,): 2}


def test_answers_are_shown_with_whose_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    question = questions(ON)[2]
    one, other = Answer(("year",), {(0,): 1200, (None,): 1}), Answer(("year",), {(0,): 1200})
    show_answers(Screen(), question, {"Spark 1\nsource": one, "DuckDB 2\nsource": one})
    shown = capsys.readouterr().out
    assert "Equal on source and masked." in shown and "1,200" in shown and "–" in shown and "DuckDB 2" in shown
    assert "Not by calendar year" in shown
    show_answers(Screen(), question, {"Spark 1\nsource": one, "DuckDB 2\nsource": other})
    assert "NOT equal on source and masked." in capsys.readouterr().out


def test_without_duckdb_there_is_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(askers.importlib.util, "find_spec", lambda name: None)
    assert duckdb_asker() is None


# ── Delta's jars ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_command_that_ends_says_whether_they_are_there() -> None:
    for code in (0, 1):
        with DeltaJars([sys.executable, "-c", f"raise SystemExit({code})"]) as jars:
            assert jars.are_there() is (code == 0)


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    hang = f"sleep 60 & echo $! > {tmp_path}/child; wait"
    with DeltaJars(["/bin/sh", "-c", hang], seconds=0.2) as jars:
        assert jars.are_there(seconds=0.1) is None
        assert jars.are_there() is False
        while not (text := (tmp_path / "child").read_text() if (tmp_path / "child").exists() else "").endswith("\n"):
            time.sleep(0.01)
    deadline = time.monotonic() + 10
    while is_running(int(text)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(int(text))


def is_running(pid: int) -> bool:
    """Whether a process runs; one that nobody has buried does not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_elsewhere_maven_brings_nothing() -> None:
    assert delta_command("yarn") is None
    with DeltaJars(None) as jars:
        assert jars.are_there(seconds=1) is False


@pytest.mark.spark  # it looks for Java
def test_what_is_tried_has_deltas_jars() -> None:
    command = delta_command("local[2]")
    assert command is not None
    settings = json.loads(command[-1])
    assert settings["spark.jars.packages"].startswith("io.delta:") and settings["spark.ui.enabled"] == "false"
