"""Masking in place with the engine itself: the same documents as a run into a destination gives, verified before they
replace anything, under names that tell nothing.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from documents import ON, keyring
from here_spark import HereSpark, here

from masking.commands.verifying import facts_of
from masking.document import Batch, Engine
from masking.errors import IdentifiersLeft, NotVerified, UsageError
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.report.manifest import MadeWith, Manifest, TypeCounts
from masking.risk.settings import RiskSettings
from masking.sample import write_sample
from masking.spark import RunSettings, mask
from masking.spark.inplace.judge import refuse_unverified, verify_staged
from masking.spark.inplace.mark import MARK
from masking.spark.inplace.run import InPlace, InPlaceResult, mask_in_place
from masking.spark.inplace.stage import Staged
from masking.spark.inplace.undo import undo_in_place
from masking.spark.oneline import one_line
from masking.spark.verify import Verified

__all__ = ["here"]  # a fixture

DATA = Path(__file__).parents[2] / "shared" / "data"
POLICY = read_policy("realistic", reference_date=ON)
ENGINE = Engine(Plan(POLICY, keyring()))
MADE_WITH = MadeWith(POLICY.name, POLICY.sha256, keyring().fingerprint, "default", ON)
SETTINGS = RunSettings(partitions=3, batch_rows=200)
Run = Callable[..., InPlaceResult]


@pytest.fixture
def run(here: HereSpark, tmp_path: Path) -> Run:
    """Mask `tmp_path/in` in place with `tmp_path/phi`, and verify it before."""
    verdicts: list[Verified] = []

    def judge(staged: Staged) -> None:
        done = verify_staged(here, staged, str(tmp_path / "phi"), facts_of(POLICY), RiskSettings())  # type: ignore[arg-type]
        verdicts.append(done)
        refuse_unverified(done)

    def run(engine: Any = ENGINE, **how: Any) -> InPlaceResult:
        result = mask_in_place(
            here,  # type: ignore[arg-type]
            str(tmp_path / "in"),
            str(tmp_path / "phi"),
            engine=engine,
            made_with=MADE_WITH,
            settings=SETTINGS,
            how=InPlace(**how),
            judge=judge,
        )
        assert verdicts.pop().verdict.verified
        return result

    return run


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample"), patients=3, seed=4, processes=1).export


def source(tmp_path: Path, name: str, sample: Path) -> Path:
    folder = tmp_path / "in"
    origin = sample if name == "sample" else DATA / name
    if not origin.is_dir():
        pytest.skip("the real data are not here")
    shutil.copytree(origin, folder)
    for path in folder.iterdir():
        path.chmod(0o600)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """All files but the mark, unpacked."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MARK)
    return {
        str(path.relative_to(folder)): gzip.decompress(content) if path.suffix == ".gz" else content
        for path in files
        for content in (path.read_bytes(),)
    }


def documents(files: dict[str, bytes]) -> list[bytes]:
    """All documents, each on a line, sorted."""
    found: list[bytes] = []
    for name, content in files.items():
        found += (
            [one_line(content.strip())] if ".json" in name else [line for line in content.splitlines() if line.strip()]
        )
    return sorted(found)


@pytest.mark.parametrize(
    ("name", "how"), [("sample", {}), ("bulk-10-patients", {}), ("bundles", {"file_names": "keep"})]
)
def test_the_same_documents_as_in_a_destination(
    run: Run, here: HereSpark, tmp_path: Path, sample: Path, name: str, how: dict[str, Any]
) -> None:
    folder = source(tmp_path, name, sample)
    before = contents(folder)
    there = mask(
        here, str(folder), str(tmp_path / "out"), str(tmp_path / "phi-out"), engine=ENGINE, made_with=MADE_WITH,
        settings=SETTINGS,  # type: ignore[arg-type]
    )  # fmt: skip
    result = run(**how)
    after = contents(folder)
    assert after.keys() == before.keys()
    masked = {file.path: (tmp_path / "out" / file.path).read_bytes() for file in there.manifest.files}
    assert documents(after) == documents(masked)
    assert result.manifest is not None
    assert counts(result.manifest) == counts(there.manifest)
    for path, content in before.items():  # in their order, each in its place
        if ".json" not in path:
            assert kinds(after[path]) == kinds(content)
        else:
            assert after[path].startswith(b'{\n    "resourceType": "Bundle"')  # as it was printed, but for what is gone
            assert after[path].count(b"\n") > content.count(b"\n") / 2


def counts(manifest: Manifest) -> dict[str, TypeCounts]:
    """By type, but for the bytes that were written: here what was printed for the eye stays so."""
    return {name: dataclasses.replace(count, bytes_written=0) for name, count in manifest.types.items()}


def kinds(content: bytes) -> list[str]:
    return [json.loads(line)["resourceType"] for line in content.splitlines() if line.strip()]


def test_names_of_patients_in_names_of_files(run: Run, here: HereSpark, tmp_path: Path, sample: Path) -> None:
    folder = source(tmp_path, "bundles", sample)
    (folder / "ward").mkdir()
    (folder / "Beer").mkdir()
    first, second, *_ = sorted(folder.glob("*.gz"))
    first.rename(folder / "ward" / first.name)
    second.rename(folder / "Beer" / second.name)
    before = contents(folder)
    with pytest.raises(UsageError, match=r"5 of 6 files have names, or lie in folders, that tell of people") as refused:
        run()
    assert "Beer" not in str(refused.value)
    assert contents(folder) == before
    result = run(file_names="rename", keep_originals=str(tmp_path / "originals"))
    after = contents(folder)
    assert len(after) == 6
    for name in after:
        *parents, own = name.split("/")
        assert own.startswith("Bundle-")
        assert own.endswith(".json.gz")
        assert not parents or parents == ["ward"] or parents[0].startswith("folder-")
    assert sum("ward/" in name for name in after) == sum("folder-" in name for name in after) == 1
    assert result.manifest is not None
    assert {Path(file.path).name for file in result.manifest.files} == {Path(name).name for name in after}
    assert run_again(run) == 6
    undo_in_place(here, str(folder), str(tmp_path / "phi"))  # type: ignore[arg-type]
    assert contents(folder) == before


def run_again(run: Run) -> int:
    with pytest.raises(IndexError):  # nothing to judge: nothing was masked
        run()
    return 6


def test_files_that_come_later_know_the_people_of_those_before(
    run: Run, here: HereSpark, tmp_path: Path, sample: Path
) -> None:
    folder = source(tmp_path, "sample", sample)
    run()
    at_once = contents(folder)
    shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "phi")
    folder.mkdir()
    first = ("Patient", "RelatedPerson", "Practitioner", "Person", "Organization", "Location")
    for name in sorted(at_once):
        if name.startswith(first):
            shutil.copy(sample / name, folder / name)
    run(keep_people=True)
    for name in at_once:
        if not (folder / name).exists():
            shutil.copy(sample / name, folder / name)
    assert run(keep_people=True).already == sum(name.startswith(first) for name in at_once)
    assert contents(folder) == at_once
    assert len(list((tmp_path / "phi").glob("runs/*/people"))) == 2


@dataclasses.dataclass(frozen=True)
class Leaky:
    """The engine, but for a name that it lets through in one document."""

    engine: Any
    what: bytes

    @property
    def asks_people(self) -> bool:
        return True

    def with_people(self, people: Any) -> Leaky:
        return Leaky(self.engine.with_people(people), self.what)

    def mask_batch(self, documents: list[bytes]) -> Batch:
        batch: Batch = self.engine.mask_batch(documents)
        for index, (document, masked) in enumerate(zip(documents, batch.masked, strict=True)):
            if masked is not None and self.what == b"source" and b'"Patient"' in document[:40]:
                batch.masked[index] = document
            elif masked is not None and self.what == b"lost" and index == 1:
                batch.masked[index] = batch.masked[0]
        return batch


@pytest.mark.parametrize(("what", "error"), [(b"source", IdentifiersLeft), (b"lost", NotVerified)])
def test_what_is_not_as_it_must_be_replaces_nothing(
    run: Run, tmp_path: Path, sample: Path, what: bytes, error: type[Exception]
) -> None:
    folder = source(tmp_path, "sample", sample)
    before = contents(folder)
    with pytest.raises(error, match="nothing was replaced"):
        run(engine=Leaky(ENGINE, what))
    assert contents(folder) == before
    assert not (folder / MARK).exists()
    (folder_of_run,) = (tmp_path / "phi" / "runs").iterdir()
    there = {path.name for path in folder_of_run.iterdir()}
    assert {"verification.json", "report.html"} <= there
    assert ("findings" in there) == (what == b"source")
    assert "staged" not in there
    run()
    assert contents(folder).keys() == before.keys()
    assert not folder_of_run.exists()


def test_printed_documents_stay_printed(run: Run, tmp_path: Path) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": "Núñez", "given": ["Zoë"]}],
        "birthDate": "1987-03-02",
    }
    (tmp_path / "in").mkdir()
    printed = msgspec.json.format(msgspec.json.encode(patient), indent=4)
    (tmp_path / "in" / "one.json").write_bytes(b"\n" + printed.replace(b"\n", b"\r\n") + b"\r\n")
    run()
    after = (tmp_path / "in" / "one.json").read_bytes()
    assert after.startswith(b'\n{\r\n    "resourceType": "Patient",\r\n    "id": "')
    assert after.endswith(b"\r\n}\r\n")
    assert after.count(b"\r\n") == printed.count(b"\n") + 1
    assert "Núñez".encode() not in after
