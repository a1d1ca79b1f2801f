"""Measure, as ratios to floors measured in the same run: `python -m benchmarks [NAME …] [--quick] [--check]`.

Prints a table a benchmark and writes all figures to `.cache/bench/results.json`. The data is a sample export, made once
and cached in `.cache/bench`; the variable BENCH_EXPORT names a folder of NDJSON to measure on instead.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from typing import Any

from rich.console import Console

from benchmarks.alone import run_alone
from benchmarks.export import CACHE, MB, bytes_of, find_export
from benchmarks.scale import FULL, QUICK
from masking.errors import MaskingError

NAMES = ("engine", "job", "size", "cipher", "sample", "identity", "crowd", "tables", "delta", "verify", "risk")
RESULTS = CACHE / "results.json"


def main() -> int:
    """Run those that are named, all by default. 1 with --check and a floor that is not reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="little data: tells that they work, not how fast it is")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a floor is not reached")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    scale = QUICK if arguments.quick else FULL
    console = Console(width=None if sys.stdout.isatty() else 110)
    try:
        export = find_export(scale)
    except MaskingError as error:
        console.print(f"Error: {error}", highlight=False)
        return error.exit_code
    said = f"{export}: {bytes_of(export) / MB:,.0f} MB. {os.cpu_count()} cores, Python {platform.python_version()}."
    console.print(said, highlight=False, soft_wrap=True)
    reports = {}
    for name in arguments.names or NAMES:
        report, took = run_alone(name, scale)
        reports[name] = report
        console.print("", report.as_table(), *report.verdicts_as_text(), sep="\n")
        console.print(f"  {_told(took)}", style="dim", highlight=False)
        _keep(name, {**took, **report.as_json()})
    shutil.rmtree(CACHE / "work", ignore_errors=True)
    console.print(f"\nAll figures: {RESULTS}", highlight=False, soft_wrap=True)
    failed = [one for report in reports.values() for one in report.verdicts if not one.holds]
    return 1 if arguments.check and failed else 0


def _told(took: dict[str, Any]) -> str:
    return f"{took['seconds']} s; load average {took['load_before']} before, {took['load_after']} after"


def _keep(name: str, figures: dict[str, Any]) -> None:
    """Put one benchmark's figures beside those of the others, which may be of another day."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known[name] = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **figures}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
