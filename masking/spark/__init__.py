"""Masking on Spark: `mask_export` and `mask` for exports, `udf` for columns. Takes a session; never makes or configures one."""

from masking.spark.progress import Snapshot
from masking.spark.run import RunResult, RunSettings, mask
from masking.spark.simple import mask_export
from masking.spark.udf import udf

__all__ = ["RunResult", "RunSettings", "Snapshot", "mask", "mask_export", "udf"]
