"""Files that are one document each, such as a Bundle: masked like lines, written as lines."""

from __future__ import annotations

import bz2
import gzip
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from documents import ON, plan
from hypothesis import given
from hypothesis import strategies as st

from masking.document import Engine
from masking.identity.gather import gather
from masking.report.manifest import UNKNOWN_TYPE, MadeWith
from masking.spark import RunResult, RunSettings, mask
from masking.spark.oneline import one_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BUNDLES = sorted((Path(__file__).parents[2] / "shared" / "data" / "bundles").glob("*.json.gz"))
needs_bundles = pytest.mark.skipif(not BUNDLES, reason="the real Bundles are not here")
MADE_WITH = MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON)
NAME = "Joe_Bloggs_6d75"
_TOKEN = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')

# ── one line ─────────────────────────────────────────────────────────────────────────────────────────────────────────

texts = st.text(st.sampled_from('a"\\/\n\r\t {}[]:,é\u2028'), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 0, 1, 3, "\t"]), st.booleans(), st.booleans())
def test_white_space_between_tokens_goes_and_nothing_else(value: Any, indent: Any, ascii_: bool, crlf: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_).encode()
    text = text.replace(b"\n", b"\r\n") if crlf else text
    made = one_line(text)
    assert made == (_TOKEN.sub(lambda found: found[1] or b"", text) if b"\n" in text else text)
    assert b"\n" not in made
    assert json.loads(made) == value


def test_spelling_and_order_stay() -> None:
    text = b'{\n "b" : 1.00, "a": [1E2, -0.0, "\\u00e9 \\\\", "x\\\\\\" y"],\r\n\t"b \\" ": " " }'
    assert one_line(text) == b'{"b":1.00,"a":[1E2,-0.0,"\\u00e9 \\\\","x\\\\\\" y"],"b \\" ":" "}'
    assert one_line(b'{"a": 1 }') == b'{"a": 1 }'


def pretty(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


@needs_bundles
def test_how_a_bundle_is_laid_out_changes_nothing() -> None:
    for path in BUNDLES[:2]:
        bundle = json.loads(gzip.decompress(path.read_bytes()))
        lines, laid_out = json.dumps(bundle, separators=(",", ":")).encode(), json.dumps(bundle, indent=4).encode()
        (expected,), (found,) = Engine(plan()).mask_batch([lines]).masked, Engine(plan()).mask_batch([laid_out]).masked
        assert expected is not None
        assert found is not None
        assert one_line(found) == expected
        assert list(gather([lines])) == list(gather([laid_out]))


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def patient(number: int) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"p{number}", "birthDate": "1970-01-01", "name": [{"family": "Bloggs"}]}


def observation(number: int, subject: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": subject},
        "valueQuantity": {"value": 57.10},
    }


def bundle(kind: str, *resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"http://x.example/{r['resourceType']}/{r['id']}", "resource": r} for r in resources]
    return {"resourceType": "Bundle", "id": kind, "type": kind, "entry": entries, **more}


def carry_out(spark: SparkSession, folder: Path, **settings: Any) -> RunResult:
    out, phi = str(folder / "out"), str(folder / "phi")
    made = RunSettings(**settings)
    return mask(spark, str(folder / "in"), out, phi, engine=Engine(plan()), made_with=MADE_WITH, settings=made)


def output(result: RunResult, kind: str) -> list[bytes]:
    root = Path(result.destination)
    files = [root / file.path for file in result.manifest.files if file.resource_type == kind]
    return [line for file in files for line in file.read_bytes().splitlines()]


def quarantine(result: RunResult) -> dict[str, dict[str, Any]]:
    paths = Path(result.quarantine).iterdir() if result.quarantine else ()
    records = [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]
    return {Path(record["file"]).name: record for record in records}


def test_files_of_one_document_among_files_of_lines(
    spark: SparkSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    kinds = ["transaction", "batch", "searchset", "document", "message", "history"]
    bundles = [bundle(kind, patient(1), observation(1, "Patient/p1")) for kind in kinds]
    for packed, suffix, one in zip(
        [bytes, gzip.compress, bz2.compress, zstandard.compress, bytes, bytes],
        ["", ".gz", ".bz2", ".zst", "", ""],
        bundles,
        strict=True,
    ):
        (source / f"{NAME}_{one['type']}.json{suffix}").write_bytes(packed(pretty(one)))
    crlf = b"\xef\xbb\xbf" + pretty(patient(1)).replace(b"\n", b"\r\n") + b"\r\n"
    (source / f"{NAME}_alone.json").write_bytes(crlf)
    (source / "lines.ndjson").write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in (*bundles, patient(1))))
    two = pretty(patient(1)) + b"\n" + pretty(patient(2))
    damaged = {"two": two, "cut": pretty(bundles[0])[:-20], "empty": b"", "blank": b" \n", "long": pretty(["x" * 9999])}
    for name, raw in damaged.items():
        (source / f"{NAME}_{name}.json").write_bytes(raw)
    result = carry_out(spark, tmp_path, partitions=3, line_bytes=9000)

    for kind, count in (("Bundle", 6), ("Patient", 1)):  # what was a file is what was a line
        lines = [re.sub(rb"([:,]) ", rb"\1", line) for line in output(result, kind)]
        assert len(lines) == 2 * count
        assert len(set(lines)) == count
    records = quarantine(result)
    assert {name.removeprefix(f"{NAME}_"): (record["reason"], record["line"]) for name, record in records.items()} == {
        "two.json": ("not-json", 1),
        "cut.json": ("not-json", 1),
        "long.json": ("too-long", 1),
    }
    assert records[f"{NAME}_two.json"]["document"].encode() == two  # as it was, line ends too
    assert result.manifest.types[UNKNOWN_TYPE].read == 3
    assert (result.manifest.blank, result.manifest.lines) == (1, 18)
    said = "".join(capfd.readouterr())
    for path in (tmp_path / "out").rglob("*"):
        said += path.name + (path.read_text() if path.is_file() else "")
    assert "Bloggs" not in said


@needs_bundles
def test_real_bundles_are_masked_whole(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in BUNDLES[-2:]:
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    result = carry_out(spark, tmp_path)
    counts = result.manifest.types
    assert {kind: (count.read, count.masked) for kind, count in counts.items()} == {"Bundle": (2, 2)}
    for line in output(result, "Bundle"):
        assert json.loads(line)["resourceType"] == "Bundle"
