"""`kill -9` at every stage of a run, of its driver and of its Python workers: then a rerun equals an unbroken run.

Each moment is a test. Three of each kind by default; all with KILLS=all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import killed_run
import processes
import pytest

from masking.cli import main
from masking.commands import prepare
from masking.keys import write_key_file
from masking.report.manifest import Manifest, read_manifest
from masking.sample import write_sample

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (processes.PROC / "self" / "fd").is_dir(), reason="processes are watched as Linux shows them"
    ),
]
QUARANTINED = 3
SPARK_FAILED = 9
REMOVED = "was broken off; what it left is removed"
KEPT = "was broken off after its last file; its files are kept"
BROKEN = b'{"resourceType":"Patient","id":'


def chosen(moments: dict[str, Any], few: tuple[str, ...]) -> list[Any]:
    """Those that are to be tried, each a parameter."""
    skip = pytest.mark.skip(reason="KILLS=all tries all moments")
    everything = os.environ.get("KILLS") == "all"
    return [pytest.param(name, marks=[] if everything or name in few else skip) for name in moments]


@dataclass(frozen=True)
class World:
    """An export, the key, and what an unbroken run made of it."""

    root: Path
    lines: list[bytes]
    tables: dict[str, str]
    quarantine: list[str]
    run_id: str

    def copy(self, to: Path) -> None:
        """A destination and a PHI area that hold that run."""
        for name in ("out", "phi"):
            shutil.copytree(self.root / name, to / name)

    def words(self, folder: Path) -> list[str]:
        """The command line of a run."""
        places = [str(self.root / "in"), str(folder / "out"), "--phi-area", str(folder / "phi")]
        return ["run", *places, "--key-file", str(self.root / "key")]


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    export = write_sample(root / "sample", patients=16, seed=2, processes=1).export.rename(root / "in")
    for name in ("Claim", "Observation", "Patient"):  # lines that go to quarantine, in files that are cut
        path = next(export.glob(f"{name}.*"))
        lines = path.read_bytes().splitlines()
        path.write_bytes(b"\n".join(part for line in lines for part in (line, BROKEN)[: 1 + (hash_of(line) % 9 == 0)]))
    write_key_file(root / "key")
    empty = World(root, [], {}, [], "")
    assert main(empty.words(root)) == QUARANTINED
    manifest = read_manifest(str(root / "out"))
    assert manifest is not None
    return World(root, masked(root, manifest), tabled(root, manifest), quarantined(root, manifest), manifest.run_id)


def hash_of(line: bytes) -> int:
    return hashlib.sha256(line).digest()[0]


def masked(folder: Path, manifest: Manifest) -> list[bytes]:
    """All lines, sorted; each file is there and as the manifest says, and there are no others."""
    lines: list[bytes] = []
    for file in (*manifest.files, *manifest.tables):
        content = (folder / "out" / file.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
        lines += content.splitlines() if file in manifest.files else []
    run = f"runs/{manifest.run_id}"
    there = {str(path.relative_to(folder / "out")) for path in (folder / "out" / run).rglob("*") if path.is_file()}
    described = {f"{run}/schema/{name.lower()}.sql" for name in manifest.types if manifest.types[name].masked}
    described |= {f"{run}/schema/{name}.schema.json" for name in manifest.types if manifest.types[name].masked}
    assert there == {file.path for file in (*manifest.files, *manifest.tables)} | described | {f"{run}/manifest.json"}
    return sorted(lines)


def tabled(folder: Path, manifest: Manifest) -> dict[str, str]:
    """The hash of each table's file by its name in the run."""
    return {file.path.split("/", 2)[2]: file.sha256 for file in manifest.tables}


def quarantined(folder: Path, manifest: Manifest) -> list[str]:
    """All records, sorted; there is nothing else of the run's in the PHI area."""
    run = folder / "phi" / "runs" / manifest.run_id
    assert [path.name for path in run.iterdir()] == ["quarantine"]
    records = [json.loads(line) for path in (run / "quarantine").iterdir() for line in path.read_bytes().splitlines()]
    return sorted(json.dumps(record) for record in records)


def check_whole(world: World, folder: Path, manifest: Manifest | None) -> None:
    """A run equals the unbroken one, byte for byte."""
    assert manifest is not None
    assert masked(folder, manifest) == world.lines
    assert tabled(folder, manifest) == world.tables
    assert quarantined(folder, manifest) == world.quarantine


def check_visible(world: World, folder: Path, run_id: str | None) -> None:
    """What a reader sees is whole, and is the run that was there before or the one named."""
    for path in (folder / "out").rglob("manifest.json"):
        manifest = json.loads(path.read_bytes())
        for file in manifest["files"]:
            content = (folder / "out" / file["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
    latest = read_manifest(str(folder / "out"))
    assert latest is not None
    assert latest.run_id == (run_id or world.run_id)


def check_rerun(world: World, folder: Path, said: str, expected: str, kept: set[str]) -> None:
    """A run after the killed one: what it said, what it made, and that there is nothing else."""
    assert expected in said
    assert ("broken off" in said) == bool(expected)
    latest = read_manifest(str(folder / "out"))
    check_whole(world, folder, latest)
    assert latest is not None
    assert {path.name for path in (folder / "out").iterdir()} == {"manifest.json", "runs"}
    for side in ("out", "phi"):
        assert {path.name for path in (folder / side / "runs").iterdir()} == {world.run_id, latest.run_id, *kept}
    for run_id in kept:
        check_whole(world, folder, read_manifest(str(folder / "out"), run_id))


def runs(folder: Path) -> set[str]:
    return {path.name for path in (folder / "out" / "runs").iterdir()}


# The driver.

#: For each moment what the next run says, and whether the killed run's files stay.
SAID: dict[str, tuple[str, bool]] = dict.fromkeys(killed_run.MOMENTS, (REMOVED, False)) | {
    "before Spark starts": ("", False),
    "Spark is up": ("", False),
    "before the marker": ("", False),
    "between the two manifests": (KEPT, True),
    "the manifest is out": (KEPT, True),
    "the marker is gone": ("", True),
}
VISIBLE = ("the manifest is out", "the marker is gone")


@pytest.mark.parametrize(
    "moment",
    chosen(
        killed_run.MOMENTS, ("a first file is being written", "before the run's manifest", "between the two manifests")
    ),
)
def test_a_driver_killed(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], moment: str) -> None:
    world.copy(tmp_path)
    word = tmp_path.name
    command = [sys.executable, killed_run.__file__, moment, *world.words(tmp_path), "--master", "local[2,4]"]
    environment = {**os.environ, "KILLED_RUN": word}
    child = subprocess.run(
        command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    assert child.returncode == -9
    expected, stays = SAID[moment]
    kept = runs(tmp_path) - {world.run_id} if stays else set()
    assert len(kept) == stays
    check_visible(world, tmp_path, *kept if moment in VISIBLE else [None])
    for folder in (tmp_path / "phi" / "runs").iterdir():  # a folder without a marker is somebody's who is just starting
        if not list(folder.iterdir()):
            os.utime(folder, (1e9, 1e9))
    # At once, while the dead one's Java and workers may still be there.
    assert main(world.words(tmp_path)) == QUARANTINED
    said = capsys.readouterr().err
    deadline = time.monotonic() + 30
    while left := processes.with_word("KILLED_RUN", word):
        assert time.monotonic() < deadline, f"{len(left)} processes outlive their driver"
        time.sleep(0.1)
    check_rerun(world, tmp_path, said, expected, kept)


# Workers.


@dataclass
class Killer:
    """Kills, from another thread, what `victims` finds, `times` times with a pause; counts what it killed."""

    folder: Path
    victims: Callable[[Killer], list[int]]
    times: int = 1
    pause: float = 0.3
    known: set[str] = field(default_factory=set)
    killed: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Killer:
        self.known = runs(self.folder)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self._thread.join()

    def _work(self) -> None:
        while self.killed < self.times and not self.over.is_set():
            victims = self.victims(self)
            if sum([processes.kill(pid) for pid in victims]):
                self.killed += 1
                self.over.wait(self.pause)
            else:
                self.over.wait(0.005)

    def new(self, pattern: str) -> int:
        """How many files of the run match, below its folder on either side."""
        found = [*self.folder.glob(f"*/runs/*/{pattern}")]
        return sum(path.relative_to(self.folder).parts[2] not in self.known for path in found)

    def writing(self, side: str = "out") -> list[int]:
        """A worker that has a file of the run open."""
        workers = processes.python_workers()[1]
        return [pid for pid in workers if processes.has_open(pid, self.folder / side)][:1]


def when(pattern: str, count: int, side: str = "out") -> Callable[[Killer], list[int]]:
    """A worker that is writing, when there are so many files."""
    return lambda killer: killer.writing(side) if killer.new(pattern) >= count else []


def any_worker(killer: Killer) -> list[int]:
    return processes.python_workers()[1][:1]


def daemons(killer: Killer) -> list[int]:
    return processes.python_workers()[0] if killer.new("progress/*.json") else []


WORKERS: dict[str, tuple[Callable[[Killer], list[int]], int]] = {
    "before it has work": (any_worker, 1),
    "writing a first file": (when(".writing/*", 1), 1),
    "writing quarantine": (when(".writing/*", 1, "phi"), 1),
    "a first file is whole": (when("ndjson/*/*", 1), 1),
    "a task is done": (when("progress/*.json", 1), 1),
    "three tasks are done": (when("progress/*.json", 3), 1),
    "five tasks are done": (when("progress/*.json", 5), 1),
    "the last task": (when("progress/*.json", killed_run.TASKS - 1), 1),
    "three in a row": (when(".writing/*", 1), 3),
    "the daemon that forks them": (daemons, 1),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Many tasks and batches."""
    monkeypatch.setattr(prepare, "RunSettings", killed_run.SETTINGS)
    yield


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("moment", chosen(WORKERS, ("writing a first file", "five tasks are done", "three in a row")))
def test_a_worker_killed(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], moment: str) -> None:
    world.copy(tmp_path)
    victims, times = WORKERS[moment]
    with Killer(tmp_path, victims, times) as killer:
        assert main(world.words(tmp_path)) == QUARANTINED
    assert killer.killed == times
    check_rerun(world, tmp_path, capsys.readouterr().err, "", set())


@pytest.mark.usefixtures("small")
def test_workers_killed_until_the_run_gives_up(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.copy(tmp_path)
    with Killer(tmp_path, when(".writing/*", 1), times=1000, pause=0.0) as killer:
        assert main(world.words(tmp_path)) == SPARK_FAILED
    assert killer.killed >= 4
    check_visible(world, tmp_path, None)
    assert "nothing was published" in capsys.readouterr().err
    assert main(world.words(tmp_path)) == QUARANTINED
    check_rerun(world, tmp_path, capsys.readouterr().err, "", set())  # it has taken itself back
