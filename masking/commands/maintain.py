"""Keep a destination's Delta tables in order: merge finished runs that are not in them yet, and join small files.

A run with `--formats ndjson,parquet,delta` merges itself when it is published; what one that was killed in between has
not merged, this does. Then each table is rewritten where it has small files, with a patient's rows together.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from pyspark.sql import SparkSession

from masking import storage
from masking.commands.job import conf_of
from masking.commands.quiet import QuietStart
from masking.commands.screen import Screen, counted
from masking.commands.sparkfailed import failed
from masking.errors import InputError
from masking.report.manifest import read_manifest
from masking.session import open_session, with_delta
from masking.spark.delta import merge_runs, optimize

USAGE = "fhir-mask maintain DESTINATION [--change-feed] [--master URL] [--conf K=V]"
ON_PLATFORMS = True


def add_arguments(parser: ArgumentParser) -> None:
    """What `maintain` takes."""
    parser.add_argument("destination", metavar="DESTINATION")
    parser.add_argument("--change-feed", action="store_true", help="new Delta tables keep a change data feed")
    parser.add_argument("--master", metavar="URL", help="Spark master (default: spark-submit's, else this machine)")
    parser.add_argument("--conf", metavar="K=V", action="append", help="a setting of Spark; may be given again")


def run(arguments: Namespace, screen: Screen) -> int:
    """Merge, then OPTIMIZE."""
    destination = storage.normalize(arguments.destination)
    if read_manifest(destination) is None:
        raise InputError(f"there is no finished run at {destination}")
    conf = conf_of(arguments.conf or [])
    was_active = SparkSession.getActiveSession() is not None
    java = QuietStart()
    try:
        with java:
            spark = open_session(arguments.master, with_delta(arguments.master, conf))
        try:
            merged = merge_runs(spark, destination, change_feed=arguments.change_feed, notice=screen.say)
            names = optimize(spark, destination)
        finally:
            if not was_active:
                spark.stop()
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("py4j", "pyspark", "delta"):
            raise
        raise failed(error, "each table is as it was or up to date") from None
    screen.show(f"{counted(len(merged.commits), 'merge')}; {counted(len(names), 'table')} optimized")
    return 0
