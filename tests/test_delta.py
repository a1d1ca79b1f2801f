"""Delta tables, in a process of their own: a session has to be started with Delta's jars, which Maven brings.

`FHIR_DELTA=1` says that it may.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from masking.errors import MaskingError, UsageError
from masking.session import with_delta
from masking.spark import RunSettings, delta
from masking.spark.delta import merge_runs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("FHIR_DELTA") != "1", reason="FHIR_DELTA=1 lets Maven bring Delta's jars")
@pytest.mark.parametrize("program", ["delta_run.py", "delta_drops.py"])
def test_runs_are_merged_each_once(tmp_path: Path, program: str) -> None:
    paths = os.pathsep.join((str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, str(HERE / program), str(tmp_path)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


def test_a_session_without_delta_is_told_so(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="DeltaSparkSessionExtension"):
        merge_runs(spark, str(tmp_path))


def test_a_run_has_a_number_that_grows_with_time() -> None:
    names = ["20261128T005231Z-000000", "20261128T005231Z-ffffff", "20261128T005232Z-000000", "20991231T235959Z-ffffff"]
    numbers = [delta._number(name) for name in names]
    assert sorted(numbers) == numbers and len(set(numbers)) == 4 and numbers[-1] < 2**63
    with pytest.raises(MaskingError):
        delta._number("latest")


def test_commits_of_others_are_of_no_run() -> None:
    assert delta._run_of('{"run_id": "20261128T005231Z-00000a"}') == "20261128T005231Z-00000a"
    for text in (None, "", "compacted by me", "[1]", '{"run_id": 5}', '{"run_id": "mine"}'):
        assert delta._run_of(text) == ""


def test_what_spark_is_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"delta-spark": "4.2.0", "pyspark": "4.1.1"}
    monkeypatch.setattr("masking.session.metadata.version", versions.__getitem__)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    conf = with_delta(None, {"spark.jars.packages": "a:b:1", "spark.x": "1"})
    assert conf["spark.jars.packages"] == "io.delta:delta-spark_4.1_2.13:4.2.0,a:b:1"
    assert conf["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtension" and conf["spark.x"] == "1"
    versions.update({"delta-spark": "3.3.2", "pyspark": "3.5.6"})
    assert with_delta("local[2]", {})["spark.jars.packages"] == "io.delta:delta-spark_2.12:3.3.2"
    assert "spark.jars.packages" not in with_delta("yarn", {})


def test_formats_build_on_each_other() -> None:
    for formats in ("parquet", "ndjson,delta", "delta", "", "ndjson,parquet,orc"):
        with pytest.raises(UsageError, match="formats"):
            RunSettings(formats=formats)
    assert RunSettings(formats="ndjson,parquet,delta").formats
