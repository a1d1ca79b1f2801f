"""The same export cut, shuffled and batched in other ways, and under other keys: what must be equal, and what must not."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import scan
from documents import ON
from scan import UUID, Leaves, generic, text

from masking.commands.prepare import only
from masking.document import Engine
from masking.keys import MasterKey
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.report.manifest import MadeWith
from masking.sample import write_sample
from masking.spark import RunSettings, mask

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MADE_WITH = MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON)


def engine(key: str = "one", project: str = "default", types: tuple[str, ...] = ()) -> Engine:
    """An engine that knows nothing yet."""
    keys = MasterKey.from_bytes(sha256(key.encode()).digest()).keyring(project)
    return Engine(Plan(only(read_policy("realistic", reference_date=ON), types), keys))


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample"), patients=12, seed=3, processes=1).export


@pytest.fixture(scope="module")
def documents(export: Path) -> list[str]:
    return [line for path in sorted(export.iterdir()) for line in scan.lines(path)]


Run = Callable[..., list[bytes]]


@pytest.fixture
def run(spark: SparkSession, tmp_path: Path) -> Run:
    """Mask a folder; the output's lines, sorted."""

    def run(source: Path, types: tuple[str, ...] = (), **settings: int) -> list[bytes]:
        places = [str(tmp_path / name) for name in ("out", "phi")]
        result = mask(
            spark,
            str(source),
            *places,
            engine=engine(types=types),
            made_with=MADE_WITH,
            settings=RunSettings(**settings),
        )
        assert result.quarantine is None
        return sorted(line for path in Path(result.ndjson).rglob("*.ndjson") for line in path.read_bytes().splitlines())

    return run


def test_partitions_batches_and_order_change_no_byte(
    run: Run, export: Path, documents: list[str], tmp_path: Path
) -> None:
    whole = run(export, partitions=1)
    assert len(whole) == len(documents)
    assert run(export, partitions=7, batch_rows=1000) == whole
    assert run(export, partitions=2, batch_rows=1) == whole
    # Other files altogether: every type in every file, in no order, a patient's record after what refers to it.
    mixed = random.Random(1).sample(documents, len(documents))
    for number in range(5):
        path = tmp_path / "mixed" / f"{number}.ndjson"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(mixed[number::5]))
    assert run(tmp_path / "mixed", partitions=7, batch_rows=13) == whole


@pytest.mark.parametrize("count", [1, 3, 50])
def test_one_export_in_any_number_of_files(run: Run, documents: list[str], tmp_path: Path, count: int) -> None:
    whole = run(_cut(documents, tmp_path / "one", 1, seed=0))
    assert run(_cut(documents, tmp_path / "cut", count, seed=count), partitions=min(count, 4)) == whole


def test_one_type_a_run_is_all_types_in_one(run: Run, documents: list[str], tmp_path: Path) -> None:
    """Runs that write some of the types read whom the others describe from the same source."""
    source = _cut(documents, tmp_path / "cut", 3, seed=4)
    kinds = sorted({scan.resource_key(scan.leaves(document))[0] for document in documents})
    parts = [("Observation",), ("Patient",), tuple({*kinds} - {"Observation", "Patient"})]
    assert sorted(line for part in parts for line in run(source, part, partitions=1)) == run(source, partitions=1)


def _cut(documents: list[str], folder: Path, count: int, seed: int) -> Path:
    """The documents in so many files, in no order."""
    mixed = random.Random(seed).sample(documents, len(documents))
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.ndjson").write_text("\n".join(mixed[number::count]))
    return folder


def test_a_document_does_not_depend_on_the_others(documents: list[str]) -> None:
    """What an incremental run gives: each alone, by an engine that has seen all or a few."""
    lines = [document.encode() for document in documents]
    together = dict(zip(lines, engine().mask_batch(lines).masked, strict=True))
    seasoned = engine()
    for line in random.Random(2).sample(lines, len(lines)):
        assert seasoned.mask_batch([line]).masked == [together[line]]
    for line in random.Random(3).sample(lines, 25):
        assert engine().mask_batch([line]).masked == [together[line]]


#: What must differ, with the share that may be equal by chance at the same place of the same document. The chance is one
#: over the pool: ten thousand names, 100 fictional numbers an exchange, and so on.
UNLINKED = {
    "id": 0.0,
    "reference": 0.0,
    "given": 0.02,
    "family": 0.02,
    "line": 0.01,
    "postalCode": 0.01,
    "birthDate": 0.02,
    "telecom.value": 0.01,
    "identifier.value": 0.0,
}


@pytest.mark.parametrize("other", [("two", "default"), ("one", "research")], ids=["key", "project"])
def test_another_key_or_project_shares_nothing_beyond_chance(documents: list[str], other: tuple[str, str]) -> None:
    lines = [document.encode() for document in documents]
    source, first, second = (
        [scan.leaves(line) for line in part] for part in (documents, said(engine(), lines), said(engine(*other), lines))
    )
    assert uuids(first).isdisjoint(uuids(second))
    assert uuids(first) and uuids(second)
    for name, chance in UNLINKED.items():
        pairs = [pair for trio in zip(source, first, second, strict=True) for pair in at(name, *trio)]
        same = sum(a == b for a, b in pairs)
        assert len(pairs) > 12, name
        assert same <= chance * len(pairs), f"{name}: {same} of {len(pairs)} are the same"


def said(masker: Engine, lines: list[bytes]) -> list[str]:
    """What an engine makes of documents, all of which it can mask."""
    return [masked.decode() for masked in masker.mask_batch(lines).masked if masked is not None]


def uuids(documents: list[Leaves]) -> set[str]:
    return {uuid.lower() for document in documents for value in document.values() for uuid in UUID.findall(value)}


def at(name: str, source: Leaves, first: Leaves, second: Leaves) -> list[tuple[str, str]]:
    """The two values at each path that ends so, where they are masked at all."""
    return [
        (text(first[path]), text(second[path]))
        for path, value in source.items()
        if generic(path).endswith(f".{name}") and path in first and path in second and first[path] != value
    ]
