"""The session of a job: what it asks for, and whose word counts for more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import masking.session
from masking.commands import verifying
from masking.commands.screen import Screen
from masking.errors import InputError
from masking.policy.read import read_policy
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


class Builder:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.builder = self
        self.conf = self

    def getActiveSession(self) -> None:  # noqa: N802 (Spark's name)
        return None

    def appName(self, name: str) -> Builder:  # noqa: N802
        return self

    def getOrCreate(self) -> Builder:  # noqa: N802
        return self

    def config(self, name: str, value: str) -> Builder:
        self.asked[name] = value
        return self

    def master(self, master: str) -> Builder:
        return self.config("master", master)

    def get(self, name: str, default: str) -> str:
        return default

    def set(self, name: str, value: str) -> None: ...


@pytest.mark.parametrize("is_submitted", [True, False])
def test_under_spark_submit_its_own_master_counts(is_submitted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    spark: Any = Builder()
    monkeypatch.setattr(masking.session, "SparkSession", spark)
    monkeypatch.setattr(masking.session, "use_java", lambda: None)
    monkeypatch.setenv("PYSPARK_PYTHON", "python")
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    if is_submitted:
        monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    open_session("local[3]", {"spark.x": "1"})
    assert spark.asked.get("master") == (None if is_submitted else "local[3]")
    assert spark.asked["spark.x"] == "1"
    assert ("spark.ui.enabled" in spark.asked) is not is_submitted


@pytest.mark.parametrize(("conf", "tells"), [({}, True), ({"spark.io.encryption.enabled": "true"}, False)])
def test_a_verification_says_where_disks_are_open(
    conf: dict[str, str], tells: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it knows of people goes through Spark's shuffle, as a run's does."""
    session = SimpleNamespace(conf=conf, stop=lambda: None)
    monkeypatch.setattr(verifying, "open_session", lambda *_: session)
    with pytest.raises(InputError):
        verifying.verify_run(
            ["nowhere"], "/nowhere/out", "/nowhere/phi", read_policy("realistic", reference_date="2026-01-01"), Screen()
        )
    assert ("as it is; to encrypt it" in capsys.readouterr().err) == tells
