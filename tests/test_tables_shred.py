"""The compiled loops make of every document what the plain way makes of it."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from documents import Maker, dump
from tables_oracle import actual_rows, expected_row, load

from masking.errors import MaskingError
from masking.fhir.elements import resource_types
from masking.tables.schema import arrow_schema, columns
from masking.tables.shred import Shredder

TYPES = sorted(resource_types())
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "bulk-10-patients"


def check(resource_type: str, lines: list[bytes]) -> Counter[str]:
    """Compare, and return what went aside."""
    shredder = Shredder(columns(resource_type), resource_type)
    arrays = shredder.shred(lines)
    schema = arrow_schema(resource_type)
    for column, array in zip(columns(resource_type), arrays, strict=True):
        array.validate(full=True)
        assert array.type == schema.field(column.name).type, column.path
    strays: Counter[str] = Counter()
    rows = actual_rows(columns(resource_type), arrays)
    for line, row in zip(lines, rows, strict=True):
        assert row == expected_row(columns(resource_type), load(line), resource_type, strays), line[:2000]
    assert shredder.misfits == strays
    return strays


@pytest.mark.parametrize("resource_type", TYPES)
def test_made_up_documents(resource_type: str) -> None:
    valid = made_up(resource_type, 0.0)
    assert not any(path.endswith(".?") for path in check(resource_type, valid)), "R4 has all names of a valid document"
    check(resource_type, valid + made_up(resource_type, 0.05))


def made_up(resource_type: str, wrong: float) -> list[bytes]:
    """Three documents, in three styles of white space."""
    maker = Maker(Random(f"{resource_type} {wrong}"), wrong=wrong)
    lines = []
    while len(lines) < 3:
        maker.comma, maker.colon = [(",", ":"), (", ", ": "), ("", "")][len(lines)]
        text = maker.write(maker.resource(resource_type, 0)).encode()
        if Counter(key for key, _ in json.loads(text, object_pairs_hook=list))["resourceType"] == 1:
            lines.append(text)
    return lines


@pytest.mark.skipif(not DATA.is_dir(), reason="the export of ten patients is not there")
@pytest.mark.parametrize("path", sorted(DATA.glob("*.gz")) or [DATA], ids=lambda path: path.name.split(".")[0])
def test_a_real_export(path: Path) -> None:
    lines = gzip.decompress(path.read_bytes()).splitlines()
    assert check(path.name.split(".")[0], lines) == {}


def test_what_does_not_fit_is_kept_and_counted() -> None:
    lines = [
        dump(
            {"resourceType": "Patient", "id": "1", "gender": 5, "name": {"family": "A"}, "unheard": [1], "active": True}
        ),
        dump({"resourceType": "Patient", "id": "2", "gender": 6, "name": [{"given": ["B", 7], "id": "n", "_use": {}}]}),
        dump({"resourceType": "Patient", "multipleBirthInteger": 2147483648, "_birthDate": {"id": "b"}, "_foo": 1}),
    ]
    shredder = Shredder(columns("Patient"), "Patient")
    arrays = dict(zip((column.name for column in columns("Patient")), shredder.shred(lines), strict=True))
    assert [text and json.loads(text) for text in arrays["other_json"].to_pylist()] == [
        {"gender": 5, "name": {"family": "A"}, "unheard": [1]},
        {"gender": 6},
        {"multipleBirthInteger": 2147483648, "_birthDate": {"id": "b"}, "_foo": 1},
    ]
    assert json.loads(arrays["name"].to_pylist()[1][0]["other_json"]) == {"given": ["B", 7], "id": "n", "_use": {}}
    assert shredder.misfits == {
        "Patient.gender": 2,
        "Patient.name": 1,
        "Patient.name.given": 1,
        "Patient.multipleBirthInteger": 1,
        "Patient.?": 2,
    }
    shredder.shred(lines[:1])
    assert shredder.misfits["Patient.gender"] == 3


@pytest.mark.parametrize("line", [b"[]", b"5", b"", b'{"id":', b'{"id":"\xff"}', b'{"id":"1","id":"2"}', b'"x"'])
def test_what_is_no_document_is_refused(line: bytes) -> None:
    with pytest.raises(MaskingError, match="masked Patient"):
        Shredder(columns("Patient"), "Patient").shred([b'{"id":"1"}', line])


def test_nothing_and_hardly_anything() -> None:
    shredder = Shredder(columns("Patient"), "Patient")
    assert [len(array) for array in shredder.shred([])] == [0] * len(columns("Patient"))
    check("Patient", [b"{}"])
    check("Patient", [b'{"name":[]}', b'{"name":[{}]}', b'{"name":[null,{"given":[]}]}', b'{"contact":[{"name":{}}]}'])


def test_texts_are_spelled_out() -> None:
    texts = ['a"b\\c/d', "\b\f\n\r\t", "\u0000", "ß€", "😀", "", "plain"]
    lines = [json.dumps({"resourceType": "Patient", "gender": text, "id": "x"}).encode() for text in texts]
    lines.append(rb'{"gender":"\/\u00DF\u20ac\uD83D\ude00","id":"x"}')
    arrays = dict(
        zip((c.name for c in columns("Patient")), Shredder(columns("Patient"), "Patient").shred(lines), strict=True)
    )
    assert arrays["gender"].to_pylist() == [*texts, "/ß€😀"]
