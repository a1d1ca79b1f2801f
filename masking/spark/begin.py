"""What a run needs of its surroundings, whatever it does: its name, cores, versions, and errors out of workers."""

from __future__ import annotations

import datetime as dt
import platform
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import SparkSession, functions

from masking import __version__, storage
from masking.errors import NAMED_IN, MaskingError, UnreadableFile
from masking.pools import POOLS_VERSION
from masking.spark.read import Inputs
from masking.spark.telling import revived
from masking.spark.write import Places

_ENCRYPTED = "spark.io.encryption.enabled"  # can be set when a session is started alone
#: More cores than this are not counted; the size of partitions decides there anyhow.
_MOST_CORES = 2048

_STAMP, _RUN_ID = "%Y%m%dT%H%M%SZ", re.compile(r"[0-9]{8}T[0-9]{6}Z-", re.ASCII)
#: In a run's folder on the PHI side: the name of the input file that could not be read.
UNREADABLE = "unreadable-file.txt"


def cores_of(spark: SparkSession) -> int:
    """How many tasks run at once: the partitions that a range gets by itself, for no other way works everywhere.

    The rows are collected as they are, for an aggregation would be another stage.
    """
    rows = spark.range(0, _MOST_CORES).select(functions.spark_partition_id().alias("partition")).collect()
    return len({row.partition for row in rows})


def tell_of_open_disks(spark: SparkSession, notice: Callable[[str], None]) -> None:
    """Say so where what is known of people would lie on Spark's disks as it is."""
    if spark.conf.get(_ENCRYPTED, "false") != "true":
        notice(f"What is known of people is shuffled through Spark's disks as it is; to encrypt it: {_ENCRYPTED}=true")


def versions(spark: SparkSession) -> dict[str, str]:
    """What took part in making the output."""
    return {
        "fhir-masking": __version__,
        "pools": POOLS_VERSION,
        "spark": spark.version,
        "python": platform.python_version(),
    }


def now() -> str:
    """The time, in UTC, for manifests."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def new_run_id(after: str = "") -> str:
    """Sorts by time; names folders and never enters a masked document.

    after: the latest run of the place. What is told of runs goes by their order, so this one is later than that, also within
    its second or by a clock that is behind.
    """
    now = dt.datetime.now(dt.UTC)
    if _RUN_ID.match(after):
        now = max(now, dt.datetime.strptime(after[:16], _STAMP).replace(tzinfo=dt.UTC) + dt.timedelta(seconds=1))
    return f"{now:{_STAMP}}-{secrets.token_hex(3)}"


def make_private(phi: str) -> None:
    """A PHI area that we create is its owner's alone; one that exists is as its owner made it."""
    if storage.is_local(phi):
        Path(phi).parent.mkdir(parents=True, exist_ok=True)
        Path(phi).mkdir(mode=0o700, exist_ok=True)


def from_worker(error: BaseException) -> MaskingError | None:
    """The error of ours that a worker raised, out of the text that Spark made of it; None for any other."""
    if isinstance(error, MaskingError) or not isinstance(error, Exception):
        return None
    found = re.search(r"^masking\.errors\.(\w+): (.*)$", str(error), re.MULTILINE)
    return revived(found[1], found[2]) if found else None


def with_name_kept(error: UnreadableFile, inputs: Inputs, places: Places) -> UnreadableFile:
    """The error with the place on the PHI side where its file is named: logs are to tell no name, people need one."""
    path = storage.join(places.phi, UNREADABLE)
    number = error.number or 0
    if not 0 < number <= len(inputs.files):
        return error
    try:
        storage.write_bytes(path, f"{inputs.files[number - 1].path}\n".encode(errors="surrogateescape"))
    except OSError:
        return error
    return UnreadableFile(f"{error}{NAMED_IN}{path}")
