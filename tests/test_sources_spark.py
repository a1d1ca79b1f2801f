"""Runs over tables: what comes out is what would of the same resources as lines, and is verified against the table."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents import keyring

from masking.commands.verifying import facts_of
from masking.document import Engine
from masking.fhir.elements import primitive_types
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.report.manifest import UNKNOWN_TYPE, MadeWith
from masking.report.verdict import Verdict
from masking.sample import write_sample
from masking.sources.documents import ANOTHER_TYPE
from masking.spark import RunResult, RunSettings, mask
from masking.spark.inprocess import InProcess
from masking.spark.verify import verify

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ON = "2026-01-01"
BULK = Path(__file__).resolve().parents[2] / "shared" / "data" / "bulk-10-patients"
#: What a rule of its own in every policy stands before the rule of its type.
_NARROWER = ("Reference.reference", "Reference.display", "Identifier.system", "Identifier.value")
needs_bulk = pytest.mark.skipif(not BULK.is_dir(), reason="the real export is not here")


def run(
    spark: SparkSession, source: list[Path], at: Path, settings: RunSettings | None = None, named: str = "realistic"
) -> RunResult:
    policy = read_policy(named, reference_date=ON)
    keys = keyring()
    made_with = MadeWith(policy.name, policy.sha256, keys.fingerprint, "default", ON)
    return mask(
        spark, [str(one) for one in source], str(at / "out"), str(at / "phi"),
        engine=Engine(Plan(policy, keys)), made_with=made_with, settings=settings,
    )  # fmt: skip


def verified(source: Path, at: Path, named: str = "realistic") -> Verdict:
    facts = facts_of(read_policy(named, reference_date=ON))
    return verify(InProcess(), str(source), str(at / "out"), str(at / "phi"), policy=facts).verdict  # type: ignore[arg-type]


def lines_of(result: RunResult) -> list[bytes]:
    return sorted(line for path in Path(result.ndjson).rglob("*.ndjson") for line in path.read_bytes().splitlines())


@needs_bulk
@pytest.mark.spark
def test_a_table_of_json_gives_the_lines_that_lines_give(spark: SparkSession, tmp_path: Path) -> None:
    """The real export as three tables that are named and cut unlike each other, with a pretty-printed one among them."""
    documents = [line for path in sorted(BULK.glob("*.gz")) for line in gzip.decompress(path.read_bytes()).splitlines()]
    texts = [line.decode() for line in documents]
    types = [json.loads(line)["resourceType"] for line in documents]
    source = tmp_path / "lake"
    source.mkdir()
    third = len(texts) // 3
    pq.write_table(
        pa.table({"resourceType": types[:third], "loaded_by": ["Joe Bloggs"] * third, "resource": texts[:third]}),
        source / "a.snappy.parquet",
        row_group_size=100,
    )
    pretty = [None, *(json.dumps(json.loads(text), indent=1, ensure_ascii=False) for text in texts[third : 2 * third])]
    pq.write_table(pa.table({"n": range(len(pretty)), "payload": pretty}), source / "b.parquet", compression="zstd")
    pq.write_table(pa.table({"value": [text.encode() for text in texts[2 * third :]]}), source / "c.ndjson")
    settings = RunSettings(formats="ndjson", partitions=5)
    result = run(spark, [source], tmp_path, settings)
    assert (result.manifest.lines, result.manifest.blank) == (len(texts) + 1, 1)
    assert result.manifest.total.masked == len(texts)
    expected = run(spark, [BULK], tmp_path / "lines", settings)
    compact = [json.loads(line) for line in lines_of(result)]
    by_key = {(one["resourceType"], one["id"]): one for one in compact}
    assert by_key == {(one["resourceType"], one["id"]): one for one in map(json.loads, lines_of(expected))}
    # Where the document is laid out as in the lines, so is what comes of it.
    assert len(set(lines_of(result)) & set(lines_of(expected))) >= 2 * third
    clean = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"Joe Bloggs" not in clean
    assert b"payload" not in clean
    assert b"loaded_by" not in clean
    assert result.manifest.left_out_columns == 2
    aside = tmp_path / "phi" / "runs" / result.run_id / "columns-left-out.txt"
    assert aside.read_text() == "loaded_by\nn\n"
    assert verified(source, tmp_path).verified


@pytest.mark.spark
def test_rows_that_contradict_themselves_are_quarantined_by_their_number(spark: SparkSession, tmp_path: Path) -> None:
    rows = [json.dumps({"resourceType": "Patient", "id": f"p{number}"}) for number in range(30)]
    types = ["Patient"] * 30
    types[7] = "Observation"
    rows[11] = "{broken"
    source = tmp_path / "in"
    source.mkdir()
    pq.write_table(pa.table({"resource_type": types, "json": rows}), source / "x.parquet", row_group_size=10)
    result = run(spark, [source], tmp_path, RunSettings(formats="ndjson"))
    assert result.manifest.reasons == {ANOTHER_TYPE: 1, "not-json": 1}
    assert (result.manifest.types["Patient"].masked, result.manifest.types["Patient"].quarantined) == (28, 1)
    assert result.manifest.types[UNKNOWN_TYPE].quarantined == 1
    aside = [
        json.loads(line)
        for path in sorted((tmp_path / "phi").rglob("quarantine/*"))
        for line in path.read_text().splitlines()
    ]
    assert sorted((one["line"], one["reason"], one["document"]) for one in aside) == [
        (8, ANOTHER_TYPE, rows[7]),
        (12, "not-json", "{broken"),
    ]
    assert verified(source, tmp_path).verified


@needs_bulk
@pytest.mark.spark
def test_our_own_tables_in_again_give_the_tables_they_were(spark: SparkSession, tmp_path: Path) -> None:
    """The real export and the sample as tables, and these as tables again, under a policy that keeps everything."""
    write_sample(tmp_path / "sample", 6, seed=3)
    keeps = tmp_path / "keep.yaml"
    rules = "".join(f"  {name}: keep\n" for name in [*sorted(primitive_types()), *_NARROWER])
    keeps.write_text(
        f"policy: keep\ndescription: Everything.\ntypes: {{default: mask}}\nrules:\n{rules}"
        "identifiers: {default: keep}\nextensions: {default: keep}\n"
    )
    formats = RunSettings(formats="ndjson,parquet")
    first = run(spark, [BULK, tmp_path / "sample" / "export"], tmp_path / "first", formats, str(keeps))
    assert first.parquet is not None
    second = run(spark, [Path(first.parquet)], tmp_path / "second", formats, str(keeps))
    assert second.parquet is not None
    assert second.manifest.total.read == second.manifest.total.masked == first.manifest.total.masked > 7160
    tables = sorted(path.name for path in Path(first.parquet).iterdir())
    assert len(tables) > 30
    assert tables == sorted(path.name for path in Path(second.parquet).iterdir())
    for name in tables:
        one, other = (pq.read_table(Path(place) / name) for place in (first.parquet, second.parquet))
        assert one.equals(other), name
    assert verified(Path(first.parquet), tmp_path / "second", str(keeps)).checks["counts"] == 0
