"""The manifest: counts that must add up, and what it refuses."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import CountMismatch, InputError, KeyRefused, UsageError
from masking.report.manifest import (
    MadeWith,
    Manifest,
    OutputFile,
    TypeCounts,
    check_counts,
    choose_reference_date,
    publish_manifest,
    read_manifest,
    refuse_other_key,
)

MADE_WITH = MadeWith("p", "0" * 64, "fp-1", "default", "2026-01-31", {"spark": "4.1.1"})
FILES = (OutputFile("runs/r/ndjson/Patient/Patient-00000.ndjson", "Patient", 3, 30, "00"),)
TYPES = {"Patient": TypeCounts(read=6, masked=3, quarantined=2, dropped=1, bytes_read=60, bytes_written=27)}


def manifest(**changes: object) -> Manifest:
    made = Manifest("r", "2026-01-31T00:00:00Z", "2026-01-31T00:00:01Z", 1.0, MADE_WITH, 7, 1, TYPES, FILES)
    return dataclasses.replace(made, **changes)


def test_written_and_read_again(tmp_path: Path) -> None:
    made = manifest(reasons={"not-json": 2}, redactions={"Patient.x": 1}, settings={"partitions": None, "a": 1})
    publish_manifest(str(tmp_path), made)
    assert read_manifest(str(tmp_path)) == made
    assert read_manifest(str(tmp_path), "r") == made
    assert read_manifest(str(tmp_path), "other") is None
    assert read_manifest(str(tmp_path / "nowhere")) is None


def test_the_destination_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("masking.storage.write_bytes", lambda path, *_, **__: written.append(path))
    publish_manifest(str(tmp_path), manifest())
    assert written == [f"{tmp_path}/runs/r/manifest.json", f"{tmp_path}/manifest.json"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"format": 1}', b'{"format": 99}'])
def test_another_file_in_its_place_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(InputError, match=r"manifest\.json"):
        read_manifest(str(tmp_path))


def test_total() -> None:
    both = manifest(types={"A": TypeCounts(1, 1, 0, 0, 5, 6), "B": TypeCounts(2, 0, 1, 1, 7, 0)})
    assert both.total == TypeCounts(3, 1, 1, 1, 12, 6)
    assert manifest(types={}).total == TypeCounts()


SPLIT = {"Bundle": TypeCounts(read=2, split=2), "Patient": TypeCounts(resources=3)}


def test_split_bundles_add_up() -> None:
    check_counts(2, 0, SPLIT, FILES, 5, {"delete": 1, "redacted": 1})
    total = manifest(types=SPLIT).total
    assert (total.read, total.split, total.resources) == (2, 2, 3)


@pytest.mark.parametrize(
    ("types", "entries", "dropped"),
    [
        (SPLIT, 6, {"delete": 2}),
        (SPLIT, 5, {}),
        ({**SPLIT, "Bundle": TypeCounts(read=2, split=1)}, 5, {"delete": 2}),
        ({**SPLIT, "Patient": TypeCounts(resources=2)}, 4, {"delete": 2}),
        ({**SPLIT, "Patient": TypeCounts(masked=3)}, 2, {"delete": 2}),
    ],
)
def test_split_bundles_that_are_off_are_seen(
    types: dict[str, TypeCounts], entries: int, dropped: dict[str, int]
) -> None:
    with pytest.raises(CountMismatch):
        check_counts(2, 0, types, FILES, entries, dropped)


def test_counts_that_add_up_pass() -> None:
    check_counts(7, 1, TYPES, FILES)
    check_counts(0, 0, {}, ())


@given(st.sampled_from(["lines", "blank", "read", "masked", "quarantined", "dropped", "rows"]), st.integers(1, 3))
def test_any_count_that_is_off_is_seen(what: str, by: int) -> None:
    lines, blank, types, files = 7, 1, dict(TYPES), FILES
    match what:
        case "lines":
            lines += by
        case "blank":
            blank += by
        case "rows":
            files = (dataclasses.replace(files[0], rows=files[0].rows + by),)
        case _:
            types["Patient"] = dataclasses.replace(types["Patient"], **{what: getattr(types["Patient"], what) + by})
    with pytest.raises(CountMismatch):
        check_counts(lines, blank, types, files)


def test_a_file_of_a_type_that_was_not_read_is_seen() -> None:
    with pytest.raises(CountMismatch, match="Claim"):
        check_counts(7, 1, TYPES, (*FILES, OutputFile("x", "Claim", 1, 1, "00")))


def test_another_key_is_refused() -> None:
    refuse_other_key(None, "fp-2")
    refuse_other_key(manifest(), "fp-1")
    with pytest.raises(KeyRefused, match="fp-2"):
        refuse_other_key(manifest(), "fp-2")


def test_reference_date() -> None:
    assert choose_reference_date(manifest(), "2025-02-28") == "2025-02-28"
    assert choose_reference_date(manifest(), None) == "2026-01-31"
    year = dt.datetime.now(dt.UTC).year  # a release tomorrow must not tell whose birthday was today
    assert choose_reference_date(None, None) in {f"{year}-01-01", f"{year + 1}-01-01"}
    for odd in ("31.01.2026", "20260131", "0001-01-01", "1899-12-31", f"{year + 2}-06-01", ""):
        with pytest.raises(UsageError, match="--on: expected a da"):
            choose_reference_date(None, odd)


def test_an_odd_reference_date_is_not_inherited() -> None:
    made = manifest()
    odd = dataclasses.replace(made, made_with=dataclasses.replace(made.made_with, reference_date="0001-01-01"))
    with pytest.raises(UsageError, match="the destination's last run has an odd reference date"):
        choose_reference_date(odd, None)
    assert choose_reference_date(odd, "2026-01-01") == "2026-01-01"
