"""Masking on Spark: `mask` for exports, `udf` for columns. Takes a session; never makes or configures one."""

from masking.spark.progress import Snapshot
from masking.spark.run import RunResult, RunSettings, mask
from masking.spark.udf import udf

__all__ = ["RunResult", "RunSettings", "Snapshot", "mask", "udf"]
