"""The two jobs that are compared, and a watch on what the processes of a job use."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from benchmarks.engines import make_engine
from benchmarks.export import CACHE, bytes_of
from masking.commands.quiet import QuietStart
from masking.session import open_session
from masking.spark import RunSettings, mask
from masking.spark.splits import count_tasks

WORK = CACHE / "work"
_SAMPLE_SECONDS = 0.1


@contextlib.contextmanager
def session() -> Iterator[SparkSession]:
    """A session as `fhir-mask run` opens it."""
    os.environ["SPARK_LOCAL_DIRS"] = str(CACHE / "spark")
    with QuietStart():
        spark = open_session()
    try:
        yield spark
    finally:
        spark.stop()


@dataclass(slots=True)
class Peak:
    """The most resident memory, in bytes, of the driver, of its Java, and of the largest Python worker."""

    driver: int = 0
    java: int = 0
    worker: int = 0


@dataclass(slots=True)
class Usage:
    """What a job took: seconds on the wall, CPU seconds of all its processes, and peaks of memory."""

    seconds: float = 0.0
    cpu: float = 0.0
    peak: Peak = field(default_factory=Peak)


class Watch:
    """Measures what this process and all below it use between `with` and its end."""

    def __init__(self) -> None:
        self.usage = Usage()
        self._own = psutil.Process()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Usage:
        self._cpu, self._start = _cpu_seconds(self._own), time.monotonic()
        self._thread.start()
        return self.usage

    def __exit__(self, *error: object) -> None:
        self.usage.seconds = time.monotonic() - self._start
        self.usage.cpu = _cpu_seconds(self._own) - self._cpu
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        peak = self.usage.peak
        while not self._done.wait(_SAMPLE_SECONDS):
            peak.driver = max(peak.driver, self._own.memory_info().rss)
            for process in self._own.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    size = process.memory_info().rss
                    if process.name().startswith("java"):
                        peak.java = max(peak.java, size)
                    else:
                        peak.worker = max(peak.worker, size)


def _cpu_seconds(process: psutil.Process) -> float:
    """Of the process and all below it, those that have ended too."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            total += sum(one.cpu_times()[:4])  # own and of children that were waited for: user, system
    return total


def run_mask(spark: SparkSession, source: Path, partitions: int | None = None) -> Usage:
    """The job itself, from source to manifest, with a fresh engine."""
    engine, made_with = make_engine()
    settings = RunSettings(partitions=partitions)
    with folder("masked") as target, folder("phi") as phi, Watch() as usage:
        mask(spark, str(source), str(target), str(phi), engine=engine, made_with=made_with, settings=settings)
    return usage


def run_identity(spark: SparkSession, source: Path, partitions: int) -> Usage:
    """The floor: the same lines through Spark's text reader, a Python function that does nothing, and the text writer."""

    def identity(batches: Iterable[Any]) -> Iterator[Any]:  # nested, so that it travels by value
        yield from batches

    with folder("identity") as target:
        share = _share(spark, source, partitions)
        with Watch() as usage:
            spark.conf.set("spark.sql.files.maxPartitionBytes", str(share))
            lines = spark.read.text(str(source), recursiveFileLookup=True)
            lines.mapInArrow(identity, "value string").write.text(str(target))
    return usage


def count_partitions(spark: SparkSession, source: Path) -> int:
    """How many tasks the job cuts a source into."""
    return count_tasks(bytes_of(source), spark.sparkContext.defaultParallelism, RunSettings().partition_bytes)


def _share(spark: SparkSession, source: Path, partitions: int) -> int:
    """The partition size with which Spark's reader makes as many partitions as the job: it packs files less tightly."""
    spark.conf.set("spark.sql.files.openCostInBytes", "1")
    spark.conf.set("spark.sql.files.minPartitionNum", "1")
    share = math.ceil(bytes_of(source) / partitions)
    while True:
        spark.conf.set("spark.sql.files.maxPartitionBytes", str(share))
        if spark.read.text(str(source), recursiveFileLookup=True).rdd.getNumPartitions() <= partitions:
            return share
        share += share // 50 + 1


@contextlib.contextmanager
def folder(name: str) -> Iterator[Path]:
    """A place to write to that is gone before and after."""
    place = WORK / name
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
