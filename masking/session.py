"""The Spark session of a job started by us: local by default, or as spark-submit has set it up.

The library takes whatever session it is given; what a job of ours wants of its session is said here alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from pyspark.sql import SparkSession

from masking.java import use_java

#: All cores; a task whose Python process dies is tried up to four times, as on a cluster.
LOCAL = "local[*,4]"

#: What a job asks for unless somebody has said otherwise. All of these can be set while a session runs.
SETTINGS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",  # FHIR dates are text, and no zone is to touch what is not
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
    "spark.sql.files.maxPartitionBytes": str(128 << 20),  # few, large partitions: a Python task has its fixed price
}
#: Beside these wherever a session is started. What is known of people is shuffled, and so lies on disks for a while, on
#: each that Spark was given: encrypted, under a key that the driver makes and keeps in memory.
START_SETTINGS: Mapping[str, str] = {"spark.io.encryption.enabled": "true"}
#: And beside those where we start Spark on this machine.
LOCAL_SETTINGS: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",  # our own progress is shown
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",  # works without a network, and offers nothing to it
    "spark.log.level": "ERROR",
}


#: What Spark is told at its start so that it knows Delta.
DELTA_SETTINGS: Mapping[str, str] = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}


def with_delta(master: str | None, conf: Mapping[str, str]) -> dict[str, str]:
    """Settings with those of Delta. Where we start Spark on this machine, Maven brings Delta's jars; a platform has its
    own.
    """
    found = {**DELTA_SETTINGS, **conf}
    if not is_submitted() and (master or LOCAL).startswith("local"):
        packages = [conf["spark.jars.packages"]] if "spark.jars.packages" in conf else []
        found["spark.jars.packages"] = ",".join([_delta_package(), *packages])
        # Rows of a thousand columns want more than the 1 GB that Spark takes by default.
        found.setdefault("spark.driver.memory", "3g")
        # Delta reads each table's log in 50 tasks unless told otherwise, which one machine would feel at every table.
        found.setdefault("spark.databricks.delta.snapshotPartitions", "2")
    return found


def _delta_package() -> str:
    """Maven's name of the Delta that fits the installed one: from 4.1 on it bears Spark's version too."""
    delta, spark = metadata.version("delta-spark"), metadata.version("pyspark")
    scala = "2.13" if int(spark.split(".")[0]) >= 4 else "2.12"
    numbers = [int(part) for part in delta.split(".")[:2]]
    middle = f"_{'.'.join(spark.split('.')[:2])}" if numbers >= [4, 1] else ""
    return f"io.delta:delta-spark{middle}_{scala}:{delta}"


def is_submitted() -> bool:
    """Whether spark-submit has started us, and Java: it has chosen the master, and none of ours could change it."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def open_session(master: str | None = None, conf: Mapping[str, str] | None = None) -> SparkSession:
    """The session to run in: the one that is active, else a new one.

    master: a Spark master; None: that of the active session, else `LOCAL`. Under spark-submit its own counts, whatever
    is given. conf: Spark's own settings; they win over those of spark-submit, and both over `SETTINGS`. Raises
    `masking.java.JavaNotFound` if Spark has to be started on this machine and no Java fits.
    """
    builder: Any = SparkSession.builder.appName("fhir-mask")
    given = dict(conf or {})
    # spark-submit has started Java; its settings are read by Spark itself.
    if SparkSession.getActiveSession() is None and not is_submitted():
        use_java()
        # Workers must be this very Python, not the first on PATH.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        master = master or LOCAL
        if master.startswith("local"):
            given = {**LOCAL_SETTINGS, **given}
    if SparkSession.getActiveSession() is None:
        given = {**START_SETTINGS, **given}
    if master is not None and not is_submitted():
        builder = builder.master(master)
    for name, value in given.items():
        builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    for name, value in SETTINGS.items():
        session.conf.set(name, session.conf.get(name, value) or value)  # as somebody has set it, else ours
    return session
