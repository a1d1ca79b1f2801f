"""What tests share: one lazy Spark session, and a masked run. A test that asks for `spark` carries the marker `spark`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from masked_run import Masked
    from pyspark.sql import SparkSession

TESTS = Path(__file__).parent

# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Two cores; a task whose Python process dies is tried again, as on a cluster."""
    from masking.session import open_session  # noqa: PLC0415 (most tests start no Spark and need not import it)

    with pytest.MonkeyPatch.context() as patch:
        # Workers find the tests' own modules, and the package where it is not installed.
        patch.setenv("PYTHONPATH", os.pathsep.join((str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", ""))))
        session = open_session("local[2,4]", {"spark.sql.shuffle.partitions": "2"})
        yield session
        session.stop()


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of sixteen made-up patients."""
    from masking.sample import write_sample  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("verified-sample")
    write_sample(folder, 16, seed=5)
    return folder / "export"


@pytest.fixture(scope="session")
def unharmed(spark: SparkSession, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Masked:
    """That export, masked. Who wants to harm it takes a copy."""
    from masked_run import ON, run  # noqa: PLC0415

    from masking.policy.read import read_policy  # noqa: PLC0415

    return run(spark, tmp_path_factory.mktemp("verified"), source, read_policy("realistic", reference_date=ON))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by the fixture, so that no Spark test can lack its marker."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
