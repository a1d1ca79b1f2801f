"""Ten drops of files, with `kill -9` between any two steps, are one full run: no line twice, none missing.

A few kills by default; all moments, one after another through the drops, with KILLS=all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import drops
import killed_run
import processes
import pytest

from masking.cli import main
from masking.keys import write_key_file
from masking.report.manifest import read_manifest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (processes.PROC / "self" / "fd").is_dir(), reason="processes are killed as Linux does"),
]
DROPS = 10
QUARANTINED = 3
BROKEN = b'{"resourceType":"Observation","id":\n'
#: After these the killed run is published, so that the next one finds nothing new.
PUBLISHED = ("between the two manifests", "the manifest is out", "the marker is gone")
FEW = ("a first file is whole", "before the run's manifest", "between the two manifests")


def moments() -> Sequence[str]:
    everything = [*killed_run.MOMENTS, *killed_run.MOMENTS_BETWEEN]
    return everything if os.environ.get("KILLS") == "all" else (*FEW, *killed_run.MOMENTS_BETWEEN)


def words(root: Path, source: str, out: str, phi: str) -> list[str]:
    places = [str(root / source), str(root / out), "--phi-area", str(root / phi)]
    return ["run", *places, "--key-file", str(root / "key")]


def test_ten_drops_with_kills_are_one_run(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = drops.cut(tmp_path, DROPS)
    parts[4]["04-Observation.0.ndjson"] = parts[4].get("04-Observation.0.ndjson", b"") + BROKEN
    write_key_file(tmp_path / "key")
    for part in parts:
        drops.arrive(part, tmp_path / "whole")
    assert main(words(tmp_path, "whole", "one", "one-phi")) == QUARANTINED

    again = [*words(tmp_path, "in", "out", "phi"), "--incremental"]
    waiting = list(moments())
    for number, part in enumerate(parts):
        drops.arrive(part, tmp_path / "in")
        share = -(-len(waiting) // (len(parts) - number))
        turn, waiting = waiting[:share], waiting[share:]
        for place, moment in enumerate(turn):
            before = read_manifest(str(tmp_path / "out"))
            kill_at(tmp_path, moment, again)
            after = read_manifest(str(tmp_path / "out"))
            if moment not in PUBLISHED[1:]:
                assert after == before, f"killed at {moment!r}, a run is seen"
            if moment in PUBLISHED:
                waiting = [*turn[place + 1 :], *waiting]
                break
        assert main(again) in (0, QUARANTINED)
        capsys.readouterr()
        assert main(again) == 0
        assert "Nothing new" in capsys.readouterr().err
    assert not waiting, "there are more moments than drops to kill at"

    manifests = drops.dataset(tmp_path / "out")
    assert len(manifests) == DROPS
    assert sum(one.total.masked for one in manifests) == drops.dataset(tmp_path / "one")[0].total.masked
    assert sum(one.source_bytes for one in manifests) == drops.dataset(tmp_path / "one")[0].source_bytes
    assert drops.lines(tmp_path / "out") == drops.lines(tmp_path / "one")
    assert drops.rows(tmp_path / "out") == drops.rows(tmp_path / "one")
    assert drops.quarantined(tmp_path / "phi") == drops.quarantined(tmp_path / "one-phi")
    assert {path.name for path in (tmp_path / "out" / "runs").iterdir()} == {one.run_id for one in manifests}
    assert {path.name for path in (tmp_path / "phi" / "runs").iterdir()} == {one.run_id for one in manifests}


def kill_at(root: Path, moment: str, command: list[str]) -> None:
    """A run in a process of its own, dead at a moment."""
    program = [sys.executable, killed_run.__file__, moment, *command, "--master", "local[2,4]"]
    environment = {**os.environ, "KILLED_RUN": root.name}
    silent = subprocess.DEVNULL
    child = subprocess.run(program, env=environment, cwd=root, stdout=silent, stderr=silent, check=False)
    assert child.returncode == -9, f"not killed at {moment!r}"
    for folder in (root / "phi" / "runs").glob("*"):  # a folder without a marker is somebody's who is just starting
        if not list(folder.iterdir()):
            os.utime(folder, (1e9, 1e9))
