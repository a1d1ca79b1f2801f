"""Drops into Delta tables, with kills in between, in processes of their own: `python delta_drops.py FOLDER`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import drops
import killed_run

from masking.cli import main
from masking.keys import write_key_file
from masking.session import open_session, with_delta
from masking.spark.delta import merge_runs

DROPS = 10
#: A moment of each kind; the drops that they fall upon are those after the first.
#: After this one the killed run is published, so that the next one finds nothing new but tables to merge.
PUBLISHED = ("between the two manifests", "the manifest is out", "the marker is gone")
FEW = ("before the run's manifest", "the marker is gone", "a first table is merged", "rows are deleted")


def rows(spark: Any, out: Path) -> dict[str, Counter[str]]:
    """All rows of all Delta tables, as text."""
    found = {}
    for folder in sorted((out / "delta").iterdir()):
        table = spark.read.format("delta").load(str(folder)).collect()
        found[folder.name] = Counter(json.dumps(row.asDict(True), sort_keys=True, default=str) for row in table)
    return {name: table for name, table in found.items() if table}


def words(root: Path, source: str, out: str, phi: str) -> list[str]:
    places = [str(root / source), str(root / out), "--phi-area", str(root / phi)]
    return ["run", *places, "--key-file", str(root / "key"), "--formats", "ndjson,parquet,delta", "--incremental"]


def test(root: Path) -> None:
    spark = open_session("local[2]", with_delta("local", {"spark.sql.shuffle.partitions": "2"}))
    parts = drops.cut(root, DROPS, patients=4, types=("Patient", "Observation"))  # a merge a table takes seconds
    first = next(json.loads(line) for name, one in parts[2].items() if "Obs" in name for line in one.splitlines())
    parts[6]["deleted.ndjson"] = drops.deletion(
        f"Observation/{first['id']}", "Observation/never-there", "Patient/neither"
    )
    write_key_file(root / "key")
    for part in parts:
        drops.arrive(part, root / "whole")
    assert main(words(root, "whole", "one", "one-phi")) == 0
    whole = rows(spark, root / "one")

    again = words(root, "in", "out", "phi")
    moments = (
        [*killed_run.MOMENTS, *killed_run.MOMENTS_BETWEEN, *killed_run.MOMENTS_OF_DELTA]
        if os.environ.get("KILLS") == "all"
        else FEW
    )
    waiting = [moment for moment in moments if moment != "rows are deleted"]
    for number, part in enumerate(parts):
        drops.arrive(part, root / "in")
        share = -(-len(waiting) // (len(parts) - number)) if number else 0
        turn, waiting = waiting[:share], waiting[share:]
        for place, moment in enumerate(turn):
            kill(root, moment, again)
            if moment in PUBLISHED:  # the next run finds nothing new
                waiting = [*turn[place + 1 :], *waiting]
                break
        if number == 6:
            kill(root, "rows are deleted", again)
        assert main(again) == 0
        print(number, flush=True)
    manifests = drops.dataset(root / "out")
    assert len(manifests) == DROPS
    found = rows(spark, root / "out")
    assert found == whole, {
        name: (found.get(name), whole.get(name)) for name in whole if found.get(name) != whole[name]
    }
    assert sum(table.total() for table in whole.values()) == drops.lines(root / "one").total() - 1, "one is deleted"
    assert not merge_runs(spark, str(root / "out")).commits
    for folder in (root / "out" / "delta").iterdir():
        log = spark.sql(f"DESCRIBE HISTORY delta.`{folder}`").collect()
        says = Counter(entry.userMetadata for entry in log)
        assert max(says.values()) == 1, "each run is one commit"
    spark.stop()


def kill(root: Path, moment: str, command: list[str]) -> None:
    program = [sys.executable, killed_run.__file__, moment, *command, "--master", "local[2,4]"]
    child = subprocess.run(program, cwd=root, capture_output=True, text=True, check=False)
    assert child.returncode == -9, f"not killed at {moment!r}: {child.stderr[-2000:]}"
    for folder in (root / "phi" / "runs").glob("*"):
        if not list(folder.iterdir()):
            os.utime(folder, (1e9, 1e9))


if __name__ == "__main__":
    test(Path(sys.argv[1]))
