"""The session of a job: what it asks for, and whose word counts for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masking.session import SETTINGS, open_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_the_session_is_as_a_job_wants_it(spark: SparkSession) -> None:
    assert {name: spark.conf.get(name) for name in SETTINGS} == dict(SETTINGS)
    assert spark.conf.get("spark.master") == "local[2,4]"


def test_a_session_that_is_there_is_taken_with_the_settings_it_has(spark: SparkSession) -> None:
    name = "spark.sql.files.maxPartitionBytes"
    try:
        spark.conf.set(name, "7m")
        assert open_session() is spark
        assert spark.conf.get(name) == "7m"
        open_session(conf={name: "9m"})
        assert spark.conf.get(name) == "9m"
    finally:
        spark.conf.set(name, SETTINGS[name])
