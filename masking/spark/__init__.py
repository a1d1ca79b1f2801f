"""Masking on Spark: `mask_export` and `mask` for exports, `udf` for columns. Takes a session; never makes or configures one.

What is here is loaded when it is first asked for: a worker that masks needs none of what the driver does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from masking.spark.progress import Snapshot
    from masking.spark.run import RunResult, RunSettings, mask
    from masking.spark.simple import mask_export
    from masking.spark.udfs import udf

__all__ = ["RunResult", "RunSettings", "Snapshot", "mask", "mask_export", "udf"]

_HOMES = {
    "RunResult": "run",
    "RunSettings": "run",
    "Snapshot": "progress",
    "mask": "run",
    "mask_export": "simple",
    "udf": "udfs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
