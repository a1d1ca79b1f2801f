"""The Spark session of a job started by us: local by default, or as spark-submit has set it up.

The library takes whatever session it is given; what a job of ours wants of its session is said here alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from pyspark.sql import SparkSession

from masking.java import use_java

#: All cores; a task whose Python process dies is tried up to four times, as on a cluster.
LOCAL = "local[*,4]"

#: What a job asks for unless the user or the platform says otherwise.
SETTINGS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",  # FHIR dates are text, and no zone is to touch what is not
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
    "spark.sql.files.maxPartitionBytes": str(128 << 20),  # few, large partitions: a Python task has its fixed price
    "spark.ui.showConsoleProgress": "false",  # our own progress is shown
}
#: Beside these where Spark runs on this machine alone.
LOCAL_SETTINGS: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",  # works without a network, and offers nothing to it
    "spark.log.level": "ERROR",
}


def open_session(master: str | None = None, conf: Mapping[str, str] | None = None) -> SparkSession:
    """The session to run in: the one that is active, else a new one.

    master: a Spark master; None: what spark-submit set, else `LOCAL`. conf: wins over all settings here; those of
    spark-submit and of an active session win over `SETTINGS`. Raises `masking.java.JavaNotFound` if Spark has to be
    started on this machine and no Java fits.
    """
    active = SparkSession.getActiveSession()
    if active is not None and master is None:
        for name, value in (conf or {}).items():
            active.conf.set(name, value)
        return active
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ  # spark-submit has started Java and chosen the master
    builder: Any = SparkSession.builder.appName("fhir-mask")
    settings = {**SETTINGS}
    if not submitted:
        use_java()
        # Workers must be this very Python, not the first on PATH.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        master = master or LOCAL
        settings |= LOCAL_SETTINGS if master.startswith("local") else {}
    if master is not None:
        builder = builder.master(master)
    for name, value in _not_yet_set(settings, submitted).items():
        builder = builder.config(name, value)
    for name, value in (conf or {}).items():
        builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    return session


def _not_yet_set(settings: Mapping[str, str], submitted: bool) -> Mapping[str, str]:
    """Our settings less those that spark-submit was given: its user's word counts for more."""
    if not submitted:
        return settings
    from pyspark import SparkConf  # noqa: PLC0415 (reads the settings through the gateway that spark-submit opened)

    given = SparkConf()
    return {name: value for name, value in settings.items() if given.get(name, None) is None}
