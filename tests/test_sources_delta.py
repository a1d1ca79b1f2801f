"""Delta tables: the files that their logs name are read, and no other; what cannot be read so is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from masking.errors import InputError
from masking.sources.deltalog import LOG, read_log
from masking.spark.lines import Limits, Reader
from masking.spark.read import Inputs, find_inputs
from masking.spark.splits import whole_block

OUT, PHI = "/nowhere/out", "/nowhere/phi"
PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
META = {"metaData": {"id": "t", "format": {"provider": "parquet"}, "schemaString": "{}", "configuration": {}}}


def struct(**fields: pa.DataType) -> pa.DataType:
    return pa.struct(list(fields.items()))


def patients(*ids: str) -> pa.Table:
    return pa.table({"id": list(ids), "birthDate": ["1987"] * len(ids), "gender": ["female"] * len(ids)})


class Delta:
    """A table that grows, a commit at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.version = -1
        (root / LOG).mkdir(parents=True)

    def add(self, name: str, *ids: str, partition: dict[str, str | None] | None = None, **more: Any) -> dict[str, Any]:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(patients(*ids), path)
        uri = name.replace("%", "%25").replace(" ", "%20")
        return {
            "add": {
                "path": uri,
                "size": path.stat().st_size,
                "partitionValues": partition or {},
                "dataChange": True,
                **more,
            }
        }

    def commit(self, *actions: dict[str, Any]) -> None:
        self.version += 1
        lines = [json.dumps({"commitInfo": {"operation": "WRITE"}}), *map(json.dumps, actions)]
        (self.root / LOG / f"{self.version:020d}.json").write_text("\n".join(lines) + "\n")

    def checkpoint(self, *actions: dict[str, Any], parts: int = 1) -> None:
        """All actions up to now in as many files, and the commits before it gone, as a clean-up leaves it."""
        text, texts = pa.string(), pa.map_(pa.string(), pa.string())
        add = struct(path=text, size=pa.int64(), partitionValues=texts, deletionVector=struct(storageType=text))
        schema = pa.schema(
            [
                ("add", add),
                ("remove", struct(path=text)),
                ("protocol", struct(minReaderVersion=pa.int32(), readerFeatures=pa.list_(text))),
                ("metaData", struct(configuration=texts)),
                ("txn", struct(appId=text)),
            ]
        )
        rows = [{"txn": {"appId": "x"}}, *json.loads(json.dumps(actions))]
        for number in range(parts):
            name = f".{number + 1:010d}.{parts:010d}" if parts > 1 else ""
            path = self.root / LOG / f"{self.version:020d}.checkpoint{name}.parquet"
            pq.write_table(pa.Table.from_pylist(rows[number::parts], schema), path)
        for number in range(self.version + 1):
            (self.root / LOG / f"{number:020d}.json").unlink(missing_ok=True)


@pytest.fixture
def table(tmp_path: Path) -> Delta:
    delta = Delta(tmp_path / "lake" / "patient")
    delta.commit(PROTOCOL, META, delta.add("a.parquet", "1", "2"))
    delta.commit(delta.add("b c%.parquet", "3"))
    delta.commit({"remove": {"path": "a.parquet", "dataChange": True}}, delta.add("d.parquet", "1b"))
    return delta


def ids_of(inputs: Inputs) -> list[str]:
    limits = Limits(100, 1 << 20, 1 << 20)
    blocks = [whole_block(file, number) for number, file in enumerate(inputs.files, 1)]
    return sorted(json.loads(line)["id"] for batch in Reader(blocks, limits) for line in batch.documents)


def find(path: Path | str, versions: list[int] | None = None) -> Inputs:
    return find_inputs(str(path), OUT, PHI, versions=versions)


def test_removed_files_are_not_read(table: Delta) -> None:
    (table.root / "_change_data").mkdir()
    pq.write_table(patients("changed"), table.root / "_change_data" / "x.parquet")
    pq.write_table(patients("orphan"), table.root / "orphan.parquet")
    found = find(table.root)
    assert (ids_of(found), found.versions) == (["1b", "3"], (2,))


def test_a_version_that_is_named_is_read_though_others_follow(table: Delta) -> None:
    assert ids_of(find(table.root, [0])) == ["1", "2"]
    assert ids_of(find(table.root, [1])) == ["1", "2", "3"]
    with pytest.raises(InputError, match="no version 3; its latest is 2"):
        find(table.root, [3])


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_checkpoint_stands_for_the_commits_before_it(table: Delta, parts: int) -> None:
    kept = [table.add("b c%.parquet", "3"), table.add("d.parquet", "1b")]
    table.checkpoint(PROTOCOL, META, *kept, {"remove": {"path": "a.parquet"}}, parts=parts)
    assert ids_of(find(table.root)) == ["1b", "3"]
    table.commit({"remove": {"path": "b%20c%25.parquet"}}, table.add("e.parquet", "4"))
    found = find(table.root)
    assert (ids_of(found), found.versions) == (["1b", "4"], (3,))
    with pytest.raises(InputError, match="lacks version 0"):
        find(table.root, [1])


def test_a_checkpoint_that_is_not_whole_is_passed_by(table: Delta) -> None:
    part = table.root / LOG / f"{2:020d}.checkpoint.0000000001.0000000002.parquet"
    pq.write_table(pa.table({"add": [None]}), part)
    assert ids_of(find(table.root)) == ["1b", "3"]


def test_a_log_with_a_gap_or_damage_is_an_error(table: Delta) -> None:
    commit = table.root / LOG / f"{1:020d}.json"
    content = commit.read_text()
    commit.write_text(content[:-9])
    with pytest.raises(InputError, match="damaged"):
        find(table.root)
    commit.unlink()
    with pytest.raises(InputError, match="lacks version 1"):
        find(table.root)


def test_a_mixed_folder(table: Delta) -> None:
    lake = table.root.parent
    other = Delta(lake / "deep" / "Patient.delta")
    other.commit(PROTOCOL, META, other.add("x.parquet", "8"))
    (lake / "more.ndjson").write_text('{"resourceType":"Patient","id":"9"}\n')
    (lake / "plain").mkdir()
    pq.write_table(patients("7"), lake / "plain" / "patient.parquet")
    found = find(lake)
    assert (ids_of(found), found.versions) == (["1b", "3", "7", "8", "9"], (0, 2))
    assert ids_of(find(f"{lake}/pat*")) == ["1b", "3"]


@pytest.mark.parametrize("part", ["d.parquet", "*.parquet", "status=final", "status=final/*"])
def test_a_part_of_a_table_is_refused(table: Delta, part: str) -> None:
    table.commit(table.add("status=final/f.parquet", "5", partition={"status": "final"}))
    with pytest.raises(InputError, match=r"is a part of the Delta table .*; name the table itself"):
        find(f"{table.root}/{part}")


def test_columns_that_the_log_alone_has_are_part_of_the_documents(tmp_path: Path) -> None:
    delta = Delta(tmp_path / "t")
    shared = {"maritalStatus": '{"text":"x"}', "resourceType": "Patient", "active": "true"}
    shared |= {"main_year": "2020", "deceasedBoolean": None}
    delta.commit(PROTOCOL, META, delta.add("p=1/f.parquet", "5", partition=shared))
    found = find(delta.root)
    (batch,) = Reader([whole_block(found.files[0], 1)], Limits(100, 1 << 20, 1 << 20))
    assert json.loads(batch.documents[0]) == {
        "resourceType": "Patient",
        "id": "5",
        "birthDate": "1987",
        "gender": "female",
        "active": True,
        "maritalStatus": {"text": "x"},
    }


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ([{"metaData": {"id": "t", "configuration": {"delta.columnMapping.mode": "name"}}}], "columnMapping.*copy it"),
        ([{"protocol": {"minReaderVersion": 4, "minWriterVersion": 7}}], "reader version 4.*copy it"),
        (
            [
                {
                    "protocol": {
                        "minReaderVersion": 3,
                        "minWriterVersion": 7,
                        "readerFeatures": ["deletionVectors", "later"],
                    }
                }
            ],
            r"not known here \(later\).*copy it",
        ),
    ],
)
def test_what_changes_how_rows_are_read_is_refused_by_name(table: Delta, actions: list[Any], told: str) -> None:
    table.commit(*actions)
    with pytest.raises(InputError, match=told):
        find(table.root)


def test_deletion_vectors_are_refused_as_long_as_there_are_any(table: Delta) -> None:
    features = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors", "timestampNtz"]}
    table.commit({"protocol": features})
    assert ids_of(find(table.root)) == ["1b", "3"]
    vector = {"storageType": "u", "pathOrInlineDv": "x", "sizeInBytes": 1, "cardinality": 1}
    table.commit({"remove": {"path": "d.parquet"}}, table.add("d.parquet", "1b", deletionVector=vector))
    with pytest.raises(InputError, match=r"deletion vectors.*REORG TABLE.*PURGE"):
        find(table.root)
    table.commit({"remove": {"path": "d.parquet"}}, table.add("g.parquet", "1b"))
    assert ids_of(find(table.root)) == ["1b", "3"]


def test_files_that_lie_elsewhere(table: Delta, tmp_path: Path) -> None:
    clone = Delta(tmp_path / "clone")
    uri = (table.root / "d.parquet").as_uri()
    clone.commit(PROTOCOL, META, {"add": {"path": uri, "size": (table.root / "d.parquet").stat().st_size}})
    assert ids_of(find(clone.root)) == ["1b"]
    log = [str(path) for path in (clone.root / LOG).iterdir()]
    assert [file.path for file in read_log(str(clone.root), log).files] == [str(table.root / "d.parquet")]
