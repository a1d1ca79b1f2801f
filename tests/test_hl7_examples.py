"""HL7's own R4 examples through the job: awkward, and true.

`make examples` brings them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import scan
from documents import ON, plan
from structure import faults, new_faults

from benchmarks.examples import EXAMPLES, WHY_NOT
from masking.document import Engine
from masking.report.manifest import MadeWith
from masking.spark import RunResult, RunSettings, mask

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: Longer ones, 32 value sets and the like, are masked and counted but not looked at leaf by leaf.
LONGEST = 400_000
#: What lies between two tokens, and must not change numbers' or strings' spelling when it goes.
_BETWEEN = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')

needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason=WHY_NOT)


def examples() -> list[str]:
    """Each example on one line, in the order of their names."""
    texts = (path.read_text("utf-8-sig") for path in sorted(EXAMPLES.glob("*.json")) if path.name != "package.json")
    return [_BETWEEN.sub(lambda match: match[1] or "", text) for text in texts]


@needs_examples
@pytest.mark.slow
def test_all_of_them_are_masked_and_none_becomes_invalid(spark: SparkSession, tmp_path: Path) -> None:
    before = examples()
    assert len(before) > 5_000
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "all.ndjson").write_text("\n".join(before))
    made_with = MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON)
    places = [str(tmp_path / name) for name in ("in", "out", "phi")]
    result = mask(spark, *places, engine=Engine(plan()), made_with=made_with, settings=RunSettings(partitions=1))

    kinds = Counter(json.loads(line)["resourceType"] for line in before)
    counts = {kind: (count.read, count.masked, count.quarantined) for kind, count in result.manifest.types.items()}
    assert counts == {kind: (count, count, 0) for kind, count in kinds.items()}
    assert len(kinds) > 130
    after = {kind: iter(output(result, kind)) for kind in kinds}
    for source in before:
        kind = json.loads(source)["resourceType"]
        masked = next(after[kind])
        if len(source) <= LONGEST:
            assert not new_faults(source, masked), kind


def output(result: RunResult, kind: str) -> list[str]:
    """A type's lines in the order of the source: one task alone wrote them."""
    return [line for path in sorted(Path(result.ndjson, kind).iterdir()) for line in scan.lines(path)]


@pytest.mark.parametrize(
    ("member", "place", "fault"),
    [
        ('"birthDate":"03/14/1987"', "Patient.birthDate", "no date"),
        ('"birthdate":"1987-03-14"', "Patient.birthdate", "no such element"),
        ('"active":"true"', "Patient.active", "no boolean"),
        ('"name":{"family":"X"}', "Patient.name", "an array where none belongs, or none where one does"),
        ('"name":[]', "Patient.name", "an empty array"),
        ('"name":[{}]', "Patient.name", "no object, or an empty one"),
        ('"name":[{"given":["A",null]}]', "Patient.name.given", "null with nothing beside it"),
        ('"link":[{"type":"seealso"}]', "Patient.link.other", "missing"),
        ('"deceasedBoolean":true,"deceasedDateTime":"2001"', "Patient.deceased[x]", "more than one choice"),
        ('"extension":[{"url":"u"}]', "Patient.extension", "an extension has a value or extensions"),
        ('"contained":[{"id":"x"}]', "Patient.contained", "no resource"),
        ('"multipleBirthInteger":1.5', "Patient.multipleBirthInteger", "no integer"),
        ('"text":{"status":"empty","div":"<div>x</div>"}', "Patient.text.div", "no xhtml"),
    ],
)
def test_the_checker_sees(member: str, place: str, fault: str) -> None:
    assert faults('{"resourceType":"Patient",' + member + "}") == {(place, fault): 1}


def test_the_checker_lets_good_documents_be() -> None:
    document = """{"resourceType":"Patient","id":"p","active":true,"multipleBirthInteger":2,"_birthDate":{"id":"b"},
        "text":{"status":"empty","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">x</div>"},
        "name":[{"given":["A",null],"_given":[null,{"id":"g"}]}],"extension":[{"url":"u","valueDecimal":1E2}],
        "contained":[{"resourceType":"Observation","_status":{"id":"s"},"code":{"text":"t"},"valueInteger":-3}]}"""
    assert not faults(document)
