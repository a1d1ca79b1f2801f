"""Rows of Parquet with a JSON column: each exactly once, in its place, however the file is cut and its column is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import UnreadableFile
from masking.sources.content import Form
from masking.sources.documents import ANOTHER_TYPE
from masking.sources.parquet import NO_HINTS, Hints
from masking.spark.lines import Limits, Reader
from masking.spark.splits import Block

WIDE = Limits(batch_rows=1000, batch_bytes=1 << 20, line_bytes=1 << 20)


def patient(number: int, extra: str = "") -> str:
    return json.dumps({"resourceType": "Patient", "id": str(number), "birthDate": "1987", "x": extra})


ROWS = [patient(number) for number in range(40)]


def read(path: Path, cuts: list[int], hints: Hints = NO_HINTS, limits: Limits = WIDE) -> tuple[dict[int, str], Reader]:
    """Row number, absolute, to document."""
    size = path.stat().st_size
    edges = sorted({0, size, *(cut % size for cut in cuts)})
    blocks = [Block(str(path), "", *edges[at : at + 2], size, 7, Form.PARQUET, hints) for at in range(len(edges) - 1)]
    reader = Reader(blocks, limits)
    found: list[tuple[tuple[int, int], str]] = []
    for batch in reader:
        assert len(batch.documents) <= limits.batch_rows
        found += [(batch.place(index), document.decode()) for index, document in enumerate(batch.documents)]
    first = [sum(reader.lines[:block]) for block in range(len(blocks))]
    assert reader.bytes_read == size
    return {first[block] + row: document for (block, row), document in found}, reader


def write(path: Path, columns: dict[str, Any], **how: Any) -> Path:
    pq.write_table(pa.table(columns), path, **how)
    return path


@settings(deadline=None)  # files are written
@given(
    rows=st.lists(st.none() | st.integers(0, 99).map(patient), min_size=1, max_size=40),
    group=st.integers(1, 15),
    cuts=st.lists(st.integers(0, 100_000), max_size=8),
    most=st.integers(1, 50),
    room=st.integers(1, 2000),
    type_=st.sampled_from([pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]),
)
def test_each_row_exactly_once_in_its_place(tmp_path_factory, rows, group, cuts, most, room, type_):
    path = tmp_path_factory.mktemp("rows") / "x.parquet"
    write(path, {"n": range(len(rows)), "fhir": pa.array(rows, type_)}, row_group_size=group, compression="zstd")
    hints = Hints("fhir") if not any(rows) else Hints()  # nothing tells a column of nulls
    found, reader = read(path, cuts, hints, Limits(most, room, 1 << 20))
    assert found == {number: row for number, row in enumerate(rows) if row is not None}
    assert sum(reader.lines) == len(rows)
    assert reader.blank == rows.count(None)


@pytest.mark.parametrize("name", ["resource", "Body", "blob_9"])
@pytest.mark.parametrize("type_", [pa.string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_the_column_is_found_by_its_values(tmp_path: Path, name: str, type_: pa.DataType) -> None:
    noise = [json.dumps({"note": number}) for number in range(40)]
    columns = {"json": noise, "id": [str(number) for number in range(40)], name: pa.array(ROWS).cast(type_)}
    found, _ = read(write(tmp_path / "x", columns), [])
    assert list(found.values()) == ROWS


def test_the_likeliest_name_wins_and_a_named_column_wins_over_it(tmp_path: Path) -> None:
    others = [patient(number, "other") for number in range(40)]
    path = write(tmp_path / "x", {"aaa": others, "value": ROWS})
    assert list(read(path, [])[0].values()) == ROWS
    assert list(read(path, [], Hints("aaa"))[0].values()) == others
    late = [None] * 1500 + [patient(1)]
    assert list(read(write(tmp_path / "late", {"x": late}), [])[0]) == [1500]


@pytest.mark.parametrize("name", ["resourceType", "resource_type", "type"])
@pytest.mark.parametrize("spelled", ["Patient", "patient"])
def test_a_row_that_names_another_type_is_put_aside(tmp_path: Path, name: str, spelled: str) -> None:
    types = [spelled] * 40
    types[3], types[9] = "Observation", None
    path = write(tmp_path / "x", {name: types, "resource": [*ROWS[:20], "{broken", "{}", *ROWS[22:]]})
    size = path.stat().st_size
    reader = Reader([Block(str(path), "", 0, size, size, 7, Form.PARQUET)], WIDE)
    batches = list(reader)
    (aside,) = [one for batch in batches for one in batch.put_aside]
    assert (aside.line, aside.refused.reason, aside.refused.document) == (3, ANOTHER_TYPE, ROWS[3].encode())
    assert aside.refused.resource_type == "Patient"
    # What is broken or names no type is for the engine to judge.
    assert sum(len(batch.documents) for batch in batches) == 39
    places = [batch.place(index)[1] for batch in batches for index in range(len(batch.documents))]
    assert places == [row for row in range(40) if row != 3]


@pytest.mark.parametrize("values", [["final"] * 40, ["Observation"] * 40, list(range(40))])
def test_a_column_called_type_that_means_something_else_is_none(tmp_path: Path, values: list[Any]) -> None:
    found, _ = read(write(tmp_path / "x", {"type": values, "resource": ROWS}), [])
    assert len(found) == 40


def test_a_document_beyond_the_limit_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "x", {"resource": [ROWS[0], patient(1, "x" * 500), ROWS[2]]})
    size = path.stat().st_size
    (batch,) = Reader([Block(str(path), "", 0, size, size, 7, Form.PARQUET)], Limits(10, 1000, 200))
    assert [(one.line, one.bytes) for one in batch.too_long] == [(1, len(patient(1, "x" * 500)))]
    assert [batch.place(index)[1] for index in range(2)] == [0, 2]


def test_memory_is_bounded_by_the_batch_and_not_by_the_row_group(tmp_path: Path) -> None:
    rows = [patient(number, "x" * 10_000) for number in range(4000)]
    path = write(tmp_path / "x", {"resource": rows}, row_group_size=4000, use_dictionary=False)
    size, before = path.stat().st_size, pa.total_allocated_bytes()
    most = 0
    for batch in Reader([Block(str(path), "", 0, size, size, 7, Form.PARQUET)], Limits(10_000, 1 << 20, 1 << 20)):
        most = max(most, pa.total_allocated_bytes() - before)
        assert batch.size <= 1 << 20
    assert most < 16 << 20  # of 40 MB


@pytest.mark.parametrize("hints", [Hints(), Hints("gone")])
def test_a_table_without_documents_is_an_error_without_a_name(tmp_path: Path, hints: Hints) -> None:
    path = write(tmp_path / "Joe_Bloggs.parquet", {"note": ["x", "y"], "n": [1, 2]})
    with pytest.raises(UnreadableFile, match="--json-column") as caught:
        read(path, [], hints)
    assert "Bloggs" not in str(caught.value)


def test_a_damaged_or_changed_file_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "x", {"resource": ROWS})
    size, raw = path.stat().st_size, path.read_bytes()
    path.write_bytes(raw[:-9])
    with pytest.raises(UnreadableFile, match="damaged or cut off"):
        read(path, [])
    path.write_bytes(raw)
    with pytest.raises(UnreadableFile, match="another size"):
        list(Reader([Block(str(path), "", 0, size - 1, size - 1, 7, Form.PARQUET)], WIDE))


def test_a_table_without_rows_holds_nothing(tmp_path: Path) -> None:
    assert read(write(tmp_path / "x", {"resource": pa.array([], pa.string())}), [])[0] == {}
