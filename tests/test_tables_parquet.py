"""Files of tables: what readers find in them, in which order, and what they can skip."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from tables_oracle import actual_rows, expected_row, load

from masking.errors import CountMismatch
from masking.report.manifest import OutputFile
from masking.tables import parquet, whole
from masking.tables.parquet import TableFolder, Written
from masking.tables.schema import arrow_schema, columns


def conditions(count: int) -> list[dict]:
    """Of 20 patients over 30 years, shuffled; some of nobody, some of no time."""
    random = Random(5)
    made = []
    for number in range(count):
        document = {"resourceType": "Condition", "id": f"c{number:05d}", "code": {"text": "ü" * random.randrange(60)}}
        if number % 11:
            document["subject"] = {"reference": f"Patient/p{random.randrange(20):02d}"}
        if number % 13:
            document["onsetDateTime"] = f"{1990 + random.randrange(30)}-{random.randint(1, 12):02d}-07"
        made.append(document)
    return made


def write_lines(folder: Path, documents: list[dict], files: int = 3) -> list[OutputFile]:
    """NDJSON as a run writes it."""
    made = []
    for number in range(files):
        lines = [json.dumps(document, ensure_ascii=False) + "\n" for document in documents[number::files]]
        content = "".join(lines).encode()
        (folder / f"Condition-{number}.ndjson").write_bytes(content)
        made.append(OutputFile(f"Condition-{number}.ndjson", "Condition", len(lines), len(content), ""))
    return made


def make(folder: Path, files: list[OutputFile], **how: bool) -> Written:
    table = TableFolder("Condition", str(folder), "parquet/condition", str(folder / ".writing"), **how)
    return whole.make_table(table, files, "00000")


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "GROUP_BYTES", 3000)
    monkeypatch.setattr(parquet, "PIECE_BYTES", 1000)


def key(document: dict) -> tuple:
    """The order of a table; nulls last."""
    patient = document.get("subject", {}).get("reference", "~").removeprefix("Patient/")
    return patient, document.get("onsetDateTime", "~"), document["id"]


@pytest.mark.usefixtures("small_groups")
def test_rows_are_the_lines_in_order(tmp_path: Path) -> None:
    documents = conditions(500)
    written = make(tmp_path, write_lines(tmp_path, documents), resource=True)
    [file] = written.files
    content = (tmp_path / file.path).read_bytes()
    assert (file.rows, file.bytes, file.sha256) == (500, len(content), hashlib.sha256(content).hexdigest())
    assert written.misfits == {}
    assert list((tmp_path / ".writing").iterdir()) == []
    table = pq.read_table(tmp_path / file.path)
    assert table.schema.equals(arrow_schema("Condition", resource=True))
    table.validate(full=True)
    documents.sort(key=key)
    assert table["id"].to_pylist() == [document["id"] for document in documents]
    assert [json.loads(text) for text in table["resource_json"].to_pylist()] == documents
    assert set(table["resourceType"].to_pylist()) == {"Condition"}
    own = [table[column.name].combine_chunks() for column in columns("Condition")]
    expected = [expected_row(columns("Condition"), load(json.dumps(d).encode()), "Condition", {}) for d in documents]
    assert actual_rows(columns("Condition"), own) == expected
    years = [int(d["onsetDateTime"][:4]) if "onsetDateTime" in d else None for d in documents]
    assert table["main_year"].to_pylist() == years


@pytest.mark.usefixtures("small_groups")
def test_a_reader_may_skip(tmp_path: Path) -> None:
    [file] = make(tmp_path, write_lines(tmp_path, conditions(500))).files
    found = pq.ParquetFile(tmp_path / file.path)
    names = [found.metadata.row_group(0).column(place).path_in_schema for place in range(found.metadata.num_columns)]
    place = {name: names.index(name) for name in ("patient_id", "main_date", "id", "code.text", "extension")}
    groups = [found.metadata.row_group(number) for number in range(found.num_row_groups)]
    assert len(groups) > 10
    spans = [group.column(place["patient_id"]).statistics for group in groups]
    hit = [span for span in spans if span.has_min_max and span.min <= "p07" <= span.max]
    assert 1 <= len(hit) <= 3, "the rows of a patient lie together"
    for name in ("patient_id", "main_date", "id", "code.text"):
        chunk = groups[0].column(place[name])
        assert chunk.is_stats_set and chunk.has_column_index and chunk.has_offset_index, name
        assert chunk.compression == "ZSTD"
    assert not groups[0].column(place["extension"]).is_stats_set, "the smallest of JSON texts tells nothing"


@pytest.mark.usefixtures("small_groups")
def test_a_folder_a_year(tmp_path: Path) -> None:
    documents = conditions(300)
    written = make(tmp_path, write_lines(tmp_path, documents), by_year=True)
    years = {int(d["onsetDateTime"][:4]) if "onsetDateTime" in d else None for d in documents}
    folders = {Path(file.path).parent.name for file in written.files}
    assert folders == {f"main_year={year or '__HIVE_DEFAULT_PARTITION__'}" for year in years}
    assert len(written.files) == len(years)
    for file in written.files:
        table = pq.read_table(tmp_path / file.path, partitioning=None)
        assert "main_year" not in table.column_names
        found = {date and date.year for date in table["main_date"].to_pylist()}
        assert {Path(file.path).parent.name} == {f"main_year={year or '__HIVE_DEFAULT_PARTITION__'}" for year in found}
    everything = pq.read_table(tmp_path / "parquet" / "condition")
    assert sorted(everything["id"].to_pylist()) == sorted(document["id"] for document in documents)


def test_a_full_file_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_groups: None
) -> None:
    monkeypatch.setattr(parquet, "FILE_BYTES", 1)
    written = make(tmp_path, write_lines(tmp_path, conditions(100)))
    assert len(written.files) > 2
    assert [Path(file.path).name for file in written.files] == [
        f"Condition-00000-{number:05d}.parquet" for number in range(len(written.files))
    ]
    assert pq.read_table(tmp_path / "parquet").num_rows == sum(file.rows for file in written.files) == 100


def test_the_same_lines_give_the_same_bytes(tmp_path: Path) -> None:
    documents = conditions(200)
    for name, files in (("a", 1), ("b", 7)):
        (tmp_path / name).mkdir()
        make(tmp_path / name, write_lines(tmp_path / name, documents[:: 1 if files == 1 else -1], files))
    one, other = ((tmp_path / name).rglob("*.parquet") for name in ("a", "b"))
    assert next(one).read_bytes() == next(other).read_bytes()


def test_lines_that_went_missing_are_noticed(tmp_path: Path) -> None:
    files = write_lines(tmp_path, conditions(9))
    (tmp_path / files[1].path).write_bytes(b"")
    with pytest.raises(CountMismatch, match=r"Condition-1.ndjson has 0 lines where 3 were written"):
        make(tmp_path, files)
    assert not (tmp_path / "parquet").exists()
    assert make(tmp_path, []) == Written()
