"""NDJSON, Parquet and Delta of real exports and of HL7's examples hold the same rows, by their ids.

`make examples` brings HL7's; `FHIR_DELTA=1` lets Maven bring Delta's jars.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from formats_agree import check, masked
from test_hl7_examples import examples

from benchmarks.examples import EXAMPLES, WHY_NOT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "shared" / "data"
SOURCES = ("bulk-10-patients", "bundles", "examples")


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with resources."""
    if request.param != "examples":
        if not (DATA / request.param).is_dir():
            pytest.skip("the real export is not here")
        return DATA / request.param
    if not EXAMPLES.is_dir():
        pytest.skip(WHY_NOT)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "all.ndjson").write_text("\n".join(examples()))
    return tmp_path / "in"


@pytest.mark.slow
def test_ndjson_and_parquet_agree(spark: SparkSession, source: Path, tmp_path: Path) -> None:
    ids = check(masked(spark, source, tmp_path, "ndjson,parquet"))
    assert len(ids) > 10 and sum(found.total() for found in ids.values()) > 1_000


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("FHIR_DELTA") != "1", reason="FHIR_DELTA=1 lets Maven bring Delta's jars")
def test_delta_agrees_too(source: Path, tmp_path: Path) -> None:
    paths = os.pathsep.join((str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, str(HERE / "formats_agree.py"), str(source), str(tmp_path)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
