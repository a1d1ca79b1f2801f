"""`kill -9` at every stage of a run in place: each file is wholly old or wholly new, and it can be finished and undone.

Each moment is a test; two by default, all with KILLS=all.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import killed_inplace
import msgspec
import processes
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from masking.cli import main
from masking.commands import inplace
from masking.keys import write_key_file
from masking.report.manifest import Manifest, TypeCounts
from masking.sample import write_sample
from masking.spark.inplace.mark import MARK

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (processes.PROC / "self" / "fd").is_dir(), reason="processes are watched as Linux shows them"
    ),
]
QUARANTINED = 3
BROKEN = b'{"resourceType":"Patient","id":'
FEW = ("half of the tasks are done", "half of the files are replaced")
#: Before this moment nothing is recorded, so there is nothing to undo, and a rerun begins anew.
FIRST_RECORDED = "the journal is written"


@dataclass(frozen=True)
class World:
    """A source, what an unbroken run makes of it, and its counts."""

    key: Path
    before: dict[str, bytes]
    after: dict[str, bytes]
    types: dict[str, TypeCounts]

    def put(self, folder: Path) -> None:
        (folder / "in").mkdir()
        for name, content in self.before.items():
            (folder / "in" / name).write_bytes(content)

    def words(self, folder: Path, *more: str) -> list[str]:
        places = [str(folder / "in"), "--in-place", "--yes", "--phi-area", str(folder / "phi")]
        return ["run", *places, "--key-file", str(self.key), *more]

    def run(self, folder: Path) -> list[str]:
        return self.words(folder, "--keep-originals", str(folder / "originals"), "--no-verify")


def there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != MARK}


def manifests(folder: Path) -> list[Manifest]:
    found = sorted((folder / "phi" / "runs").glob("*/manifest.json"))
    return [msgspec.json.decode(path.read_bytes(), type=Manifest) for path in found]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tasks and batches."""
    monkeypatch.setattr(inplace, "RunSettings", killed_inplace.SETTINGS)


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    files = {
        path.name: path.read_bytes()
        for path in write_sample(root / "sample", patients=12, seed=2, processes=1).export.iterdir()
    }
    for name in ("Claim", "Observation", "Patient"):  # lines that go to quarantine, in files that are cut
        path = next(path for path in files if path.startswith(f"{name}."))
        lines = files[path].splitlines()
        files[path] = b"\n".join(part for line in lines for part in (line, BROKEN)[: 1 + (hash_of(line) % 9 == 0)])
    name = next(path for path in files if path.startswith("Encounter."))
    files[name + ".gz"] = gzip.compress(files.pop(name))
    patient = next(line for line in files[next(path for path in files if path.startswith("Patient."))].splitlines())
    name = next(path for path in files if path.startswith("Procedure."))
    texts = [line.decode() for line in files.pop(name).splitlines()]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"resource": texts, "n": range(len(texts))}), sink, row_group_size=50)
    files["Procedure.parquet"] = bytes(sink.getvalue())
    files["one.json"] = msgspec.json.format(patient, indent=2)
    write_key_file(root / "key")
    empty = World(root / "key", files, {}, {})
    empty.put(root)
    assert killed_inplace.SIGN not in b"".join(files.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inplace, "RunSettings", killed_inplace.SETTINGS)
        assert main(empty.run(root)) == QUARANTINED
    (manifest,) = manifests(root)
    return World(root / "key", files, there(root / "in"), dict(manifest.types))


def hash_of(line: bytes) -> int:
    return hashlib.sha256(line).digest()[0]


def chosen() -> list[Any]:
    skip = pytest.mark.skip(reason="KILLS=all tries all moments")
    everything = os.environ.get("KILLS") == "all"
    return [pytest.param(name, marks=[] if everything or name in FEW else skip) for name in killed_inplace.MOMENTS]


def check_whole(world: World, folder: Path) -> int:
    """Each file is wholly old or wholly new; how many are new."""
    found = {name: content for name, content in there(folder / "in").items() if not name.startswith(".fhir-masking-")}
    assert found.keys() == world.before.keys()
    assert all(content in (world.before[name], world.after[name]) for name, content in found.items())
    return sum(content != world.before[name] for name, content in found.items())


def check_rerun(world: World, folder: Path) -> None:
    """All is masked as by an unbroken run, all is counted, and nothing is left of the killed one."""
    assert there(folder / "in") == world.after
    assert manifests(folder)[-1].types == world.types
    for run in (folder / "phi" / "runs").iterdir():
        assert {path.name for path in run.iterdir()} <= {"in-place.json", "manifest.json", "quarantine", "started.json"}
    assert not list(folder.rglob(".fhir-masking-*"))


@pytest.mark.parametrize("moment", chosen())
def test_a_run_in_place_killed(world: World, tmp_path: Path, moment: str, capsys: pytest.CaptureFixture[str]) -> None:
    world.put(tmp_path)
    word = tmp_path.name
    command = [sys.executable, killed_inplace.__file__, moment, *world.run(tmp_path), "--master", "local[2,4]"]
    environment = {**os.environ, "KILLED_RUN": word}
    child = subprocess.run(
        command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    assert child.returncode == -9
    moments = list(killed_inplace.MOMENTS)
    is_recorded = moments.index(moment) >= moments.index(FIRST_RECORDED)
    new = check_whole(world, tmp_path)
    assert new == 0 or is_recorded
    undo = world.words(tmp_path, "--undo")
    if moments.index(moment) % 2:  # undone first, while the dead one's Java and workers may still be there
        assert main(undo) == (0 if is_recorded else 7)
        assert there(tmp_path / "in").items() >= world.before.items()
        assert main(world.run(tmp_path)) == QUARANTINED
        check_rerun(world, tmp_path)
    else:
        rerun = main(world.run(tmp_path))
        done = moments.index(moment) >= moments.index("the journal has ended")
        assert rerun == (0 if done else QUARANTINED)
        assert ("is finished as it was begun" in capsys.readouterr().err) == (is_recorded and not done)
        check_rerun(world, tmp_path)
        assert main(world.run(tmp_path)) == 0  # masked already
        assert there(tmp_path / "in") == world.after
    deadline = time.monotonic() + 30
    while left := processes.with_word("KILLED_RUN", word):
        assert time.monotonic() < deadline, f"{len(left)} processes outlive their driver"
        time.sleep(0.1)
    assert main(undo) == 0
    assert there(tmp_path / "in") == world.before
