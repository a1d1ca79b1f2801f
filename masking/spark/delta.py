"""The Delta tables of a destination: one a resource type, brought up to its finished runs by MERGE, each run once.

They are made of what runs have published, oldest run first, so a process that dies anywhere is made good by the next
call: a table says in its own log which runs it holds, and a commit bears the run's number, which Delta takes once.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from delta.tables import DeltaTable
from pyspark.sql import Window, functions

from masking import storage
from masking.errors import MaskingError, UsageError
from masking.report.manifest import Manifest, read_manifest
from masking.spark.write import PARQUET
from masking.tables.schema import PATIENT_ID

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DELTA = "delta"
#: Names us in Delta's log, beside the run's number.
_APP_ID = "fhir-masking"
_DELETIONS = "fhir-masking-deletions"
_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
_RUN_ID = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{6})")
#: How far back in a table's log its last run is looked for, behind commits of OPTIMIZE and of others.
_LOOK_BACK = 100
#: Tables that are merged side by side, where there are as many cores.
_MOST_AT_ONCE = 8
_HIDDEN = "(redacted)"
#: Rows that are read at once: a row has a thousand columns, each of which has its place in memory for all of them.
_ROWS_AT_ONCE = ("spark.sql.parquet.columnarReaderBatchSize", "512")
Notice = Callable[[str], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Merged:
    """What was done: each pair is a run and a type."""

    commits: tuple[tuple[str, str], ...]


def require_delta(spark: SparkSession) -> None:
    """`UsageError` unless the session knows Delta: that has to be said when Spark is started."""
    if _EXTENSION not in (spark.conf.get("spark.sql.extensions", "") or ""):
        raise UsageError(
            f"this Spark session knows no Delta: start it with spark.sql.extensions={_EXTENSION} and "
            "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog (on Glue: --datalake-formats delta)"
        )


def merge_runs(
    spark: SparkSession, destination: str, *, change_feed: bool = False, notice: Notice | None = None
) -> Merged:
    """Merge into the Delta tables all finished runs that are for them and not in them yet, by `id`.

    A row whose id is there replaces that row; of rows with one id in one run the last that was updated counts. Rows
    without an id are added. What a run's source asks to delete is deleted, also where the run has a row of it.
    change_feed: new tables keep a change data feed. Raises `UsageError` as `require_delta`.
    """
    require_delta(spark)
    root = storage.normalize(destination)
    waiting: list[Manifest] = []
    known: dict[str, str] = {}
    with _Sessions(spark) as sessions:
        for run_id in reversed(storage.list_folders(storage.join(root, "runs"))):
            manifest = read_manifest(root, run_id)
            if manifest is None or DELTA not in str(manifest.settings.get("formats", "")).split(","):
                continue
            types = _types(manifest)
            new = sorted(types - known.keys())
            known.update(zip(new, sessions.map(lambda own, name: _last_run(own, _path(root, name)), new), strict=True))
            if types and all(known[name] >= run_id for name in types):
                break  # and so were those before it; a run of nothing tells nothing of them
            waiting.append(manifest)
        waiting.reverse()

        def merge_all(own: SparkSession, name: str) -> list[str]:
            """Bring one table up to all runs, in their order; the runs that were not in it."""
            runs = [each for each in waiting if name in _types(each) and known[name] < each.run_id]
            for each in runs:
                _merge(own, root, each, name, change_feed)
            return [each.run_id for each in runs]

        names = sorted(known)
        merged = dict(zip(names, sessions.map(merge_all, names), strict=True))
    for manifest in waiting:
        if notice:
            notice(f"run {manifest.run_id} is merged into the Delta tables")
    return Merged(tuple((each.run_id, name) for each in waiting for name in names if each.run_id in merged[name]))


class _Sessions:
    """Sessions side by side in one Spark, a thread each: tables know nothing of each other, and for a small change Spark
    plans longer than it works. A commit's settings are of a session, so each thread has its own.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._own = threading.local()
        # What a new session has not of Spark's start: what has been set since. Spark hides what it takes for a secret.
        since = [(row.key, row.value) for row in spark.sql("SET").collect() if _HIDDEN not in row.value]
        self._settings = [_ROWS_AT_ONCE, *since]  # as somebody has set it, else ours
        count = min(_MOST_AT_ONCE, max(1, spark.sparkContext.defaultParallelism))
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="delta")

    def __enter__(self) -> _Sessions:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def map(self, work: Callable[[SparkSession, str], Answer], names: Sequence[str]) -> list[Answer]:
        """What each name gives, in their order; the first error is raised when what has begun has ended."""
        return list(self._pool.map(lambda name: work(self._session(), name), names))

    def _session(self) -> SparkSession:
        if not hasattr(self._own, "spark"):
            own = self._own.spark = self._spark.newSession()
            for name, value in self._settings:
                if own.conf.isModifiable(name) and own.conf.get(name, None) != value:
                    own.conf.set(name, value)
        found: SparkSession = self._own.spark
        return found


def optimize(spark: SparkSession, destination: str) -> tuple[str, ...]:
    """Rewrite small files of each Delta table into large ones, rows of a patient together; the names of the tables."""
    require_delta(spark)
    root = storage.normalize(destination)
    names = tuple(storage.list_folders(storage.join(root, DELTA)))
    for name in names:
        DeltaTable.forPath(spark, storage.join(root, DELTA, name)).optimize().executeZOrderBy(PATIENT_ID)
    return names


def _path(root: str, resource_type: str) -> str:
    return storage.join(root, DELTA, resource_type.lower())


def _last_run(spark: SparkSession, path: str) -> str:
    """The latest run that a table holds; "" where there is none."""
    if not DeltaTable.isDeltaTable(spark, path):
        return ""
    rows = DeltaTable.forPath(spark, path).history(_LOOK_BACK).select("userMetadata").collect()
    runs = [_run_of(row.userMetadata) for row in rows]
    return max(runs, default="")


def _run_of(metadata: str | None) -> str:
    """The run that a commit says it is of; "" for commits of others."""
    try:
        found = json.loads(metadata or "{}")
    except ValueError:
        return ""
    run_id = found.get("run_id") if isinstance(found, dict) else None
    return run_id if isinstance(run_id, str) and _RUN_ID.fullmatch(run_id) else ""


def _types(manifest: Manifest) -> set[str]:
    """The types whose tables a run changes."""
    return {file.resource_type for file in (*manifest.tables, *manifest.deleted)}


def _merge(spark: SparkSession, root: str, manifest: Manifest, name: str, change_feed: bool) -> None:
    """Bring one table up to one run: first delete, then replace and add. Either can be done again and changes nothing."""
    path = _path(root, name)
    made = {"policy_sha256": manifest.made_with.policy_sha256}
    gone = _gone(spark, root, manifest, name)
    has_rows = any(file.resource_type == name for file in manifest.tables)
    if gone is not None and DeltaTable.isDeltaTable(spark, path):
        # A table is up to the run with its last commit for it, so this one says so only where no other follows.
        says = {("deletions_of" if has_rows else "run_id"): manifest.run_id, **made}
        with _commit(spark, manifest, says, _DELETIONS):
            merge = DeltaTable.forPath(spark, path).alias("there").merge(gone.alias("gone"), "there.id = gone.id")
            merge.whenMatchedDelete().execute()
    if not has_rows:
        return
    rows = spark.read.parquet(storage.join(root, "runs", manifest.run_id, PARQUET, name.lower()))
    rows = _one_an_id(rows if gone is None else rows.join(gone, "id", "left_anti").select(rows.columns))
    with _commit(spark, manifest, {"run_id": manifest.run_id, **made}, _APP_ID):
        if not DeltaTable.isDeltaTable(spark, path):
            _create(rows, path, change_feed)
            return
        table = DeltaTable.forPath(spark, path).alias("there")
        merge = table.merge(rows.alias("new"), "there.id = new.id")
        merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()


def _commit(
    spark: SparkSession, manifest: Manifest, says: dict[str, str], application: str
) -> contextlib.AbstractContextManager[None]:
    """What is written inside is one commit of a run, which Delta takes once."""
    return _settings(
        spark,
        {
            "spark.databricks.delta.commitInfo.userMetadata": json.dumps(says),
            "spark.databricks.delta.write.txnAppId": application,
            "spark.databricks.delta.write.txnVersion": str(_number(manifest.run_id)),
            "spark.databricks.delta.schema.autoMerge.enabled": "true",  # new columns alone; another type is an error
        },
    )


def _gone(spark: SparkSession, root: str, manifest: Manifest, name: str) -> DataFrame | None:
    """The ids of one type that a run's source asks to delete; None where it asks for none."""
    paths = [storage.join(root, file.path) for file in manifest.deleted if file.resource_type == name]
    return spark.read.schema("id string").json(paths).distinct() if paths else None


def _create(rows: DataFrame, path: str, change_feed: bool) -> None:
    writer = rows.write.format("delta").mode("append")
    if change_feed:
        writer = writer.option("delta.enableChangeDataFeed", "true")
    writer.save(path)


def _one_an_id(rows: DataFrame) -> DataFrame:
    """The rows with the last updated one of each id; most exports have no id twice, which costs a look at the ids."""
    twice = rows.where("id IS NOT NULL").groupBy("id").count().where("count > 1").limit(1).collect()
    if not twice:
        return rows
    order = [functions.desc_nulls_last("meta.lastUpdated"), functions.desc_nulls_last("main_date")]
    # Any order, so that a second attempt takes the same of two that were updated at one time.
    order.append(functions.xxhash64(*rows.columns))
    place = functions.row_number().over(Window.partitionBy("id").orderBy(*order))
    return rows.withColumn("place", place).where("id IS NULL OR place = 1").drop("place")


def _number(run_id: str) -> int:
    """A run's number in Delta's log, which grows with time: the second it began, and the random part of its name."""
    found = _RUN_ID.fullmatch(run_id)
    if found is None:
        raise MaskingError(f"{run_id} is no name of a run")
    began = dt.datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    return (int(began.timestamp()) << 24) + int(found[2], 16)


@contextlib.contextmanager
def _settings(spark: SparkSession, settings: dict[str, str]) -> Iterator[None]:
    """The session with these settings, as it was afterwards."""
    before: dict[str, Any] = {name: spark.conf.get(name, None) for name in settings}
    try:
        for name, value in settings.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, value in before.items():
            if value is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, value)
