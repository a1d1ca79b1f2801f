"""Maskers as pandas UDFs: the same answers as without Spark, and nulls that stay nulls on their way through it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from pyspark.sql.functions import col

from masking.errors import ParameterError, UsageError
from masking.keys import MasterKey
from masking.maskers.base import registered
from masking.spark import udf

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

KEYS = MasterKey.from_text("5f0a91c3e7b2486d9c14f7a05be3d826b71e9f04c35a68d27b0e4891fac6d35e").keyring()


def answers(spark: SparkSession, column: object, values: list[object], kind: str = "string") -> list[object]:
    frame = spark.createDataFrame([(value, "s") for value in values], f"value {kind}, subject string").repartition(2)
    rows = frame.select("value", column.alias("masked")).collect()  # type: ignore[attr-defined]
    found = {row.value: row.masked for row in rows}
    return [found[value] for value in values]


def test_by_name_as_without_spark(spark: SparkSession) -> None:
    values = ["123-45-6789", "987-65-4321", None, "", "0", "no number"]
    bound = registered()["ssn"]().bind(KEYS)
    expected = [None if value is None else bound.mask_distinct([value])[0] for value in values]
    assert answers(spark, udf("ssn", KEYS)("value"), values) == expected
    assert expected[0] not in (None, values[0])


@pytest.mark.parametrize("ansi", ["true", "false"])
def test_context_comes_from_columns(spark: SparkSession, ansi: str) -> None:
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        column = udf("date_shift", KEYS)(col("value"), subject="subject")
        shifted = answers(spark, column, ["2020-02-29", "2020", None])
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before or "false")
    bound = registered()["date_shift"]().bind(KEYS)
    assert shifted == [*bound.mask_distinct(["2020-02-29", "2020"], subject=["s", "s"]), None]


def test_no_log_holds_a_key(spark: SparkSession, caplog: pytest.LogCaptureFixture) -> None:
    """py4j would log each command to Java at DEBUG, the pickled masker too."""
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "py4j.clientserver"):
        answers(spark, udf("ssn", KEYS)("value"), ["123-45-6789"])
    assert not [record for record in caplog.records if "Command to send" in record.getMessage()]


def test_other_types_are_read_as_text(spark: SparkSession) -> None:
    bound = registered()["hash"]().bind(KEYS)
    assert answers(spark, udf("hash", KEYS)("value"), [17, None], "int") == [bound.mask_distinct(["17"])[0], None]


def test_an_empty_column(spark: SparkSession) -> None:
    assert answers(spark, udf("ssn", KEYS)("value"), []) == []


def test_a_master_key_stands_for_the_keyring_of_the_default_project(spark: SparkSession) -> None:
    key = MasterKey.from_text("5f0a91c3e7b2486d9c14f7a05be3d826b71e9f04c35a68d27b0e4891fac6d35e")
    assert answers(spark, udf("ssn", key)("value"), ["123-45-6789"]) == answers(
        spark, udf("ssn", KEYS)("value"), ["123-45-6789"]
    )


def test_parameters_that_a_masker_does_not_have_or_lacks() -> None:
    with pytest.raises(ParameterError, match="dayz: masker 'date_shift' has no such parameter; did you mean 'days'"):
        udf("date_shift", KEYS, dayz=3)
    with pytest.raises(ParameterError, match="reference_date: masker 'retain_age' needs it"):
        udf("retain_age", KEYS)


def test_what_is_wrong_is_said_before_spark_starts() -> None:
    with pytest.raises(UsageError, match="did you mean 'date_shift'"):
        udf("dateshift", KEYS)
    with pytest.raises((ParameterError, TypeError)):
        udf("date_shift", KEYS, days=-5)
    with pytest.raises(UsageError, match="does not take sex"):
        udf("ssn", KEYS)("value", sex="sex")
    with pytest.raises(UsageError, match="its own"):
        udf(registered()["ssn"](), KEYS, days=5)
