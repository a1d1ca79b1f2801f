"""What `make validate` counts as new, without the validator itself."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.validator.__main__ import new_faults
from benchmarks.validator.documents import Pairs, mask_some
from benchmarks.validator.hapi import Fault, Hapi
from masking.errors import InputError

MINIMUM = Fault("error", "Validation_VAL_Profile_Minimum", "Patient.name")
UNKNOWN = Fault("warning", "Validation_VAL_Profile_Unknown", "Patient.meta.profile")


def patient(name: str) -> bytes:
    return json.dumps({"resourceType": "Patient", "id": name, "birthDate": "1987-03-14"}).encode()


def test_only_what_was_not_there_before_is_new() -> None:
    pairs = Pairs([b"", b"", b""], [b"", b"", b""], ["Patient", "Patient", "Person"])
    before = [Counter({UNKNOWN: 1}), Counter({MINIMUM: 2}), Counter[Fault]()]
    after = [Counter({UNKNOWN: 1, MINIMUM: 3}), Counter({MINIMUM: 1}), Counter({UNKNOWN: 1})]
    assert new_faults(pairs, before, after) == {("Patient", MINIMUM): 1, ("Person", UNKNOWN): 1}
    assert MINIMUM.is_error
    assert not UNKNOWN.is_error


def test_documents_are_paired_with_what_they_become(tmp_path: Path) -> None:
    lines = [patient(f"p{number}") for number in range(10)] + [b"{broken", b'{"resourceType":"Basic","id":"b"}']
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(b"\n".join(lines)))
    pairs = mask_some(tmp_path, "realistic", 4)
    assert pairs.before == [lines[0], lines[3], lines[6], lines[9], lines[11]][: len(pairs.before)]
    assert [json.loads(document)["resourceType"] for document in pairs.after] == pairs.types
    assert pairs.found == 12
    assert pairs.unmasked["not-json"] == 1
    assert len(pairs.after) + sum(pairs.unmasked.values()) == 6


def test_a_folder_of_json_has_a_document_a_file(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "x.json").write_text('\ufeff{"resourceType": "Patient",\n "id": "a  b", "active": true}')
    assert mask_some(tmp_path, "realistic", 0).before == [b'{"resourceType":"Patient","id":"a  b","active":true}']


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to read"):
        mask_some(tmp_path / "x.ndjson", "realistic", 0)
    with pytest.raises(InputError, match="make validate"):
        Hapi(tmp_path)
