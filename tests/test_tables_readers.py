"""The table of every type as others read it: pyarrow, DuckDB and Spark find the same columns and the same rows."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fullest import fullest, least
from jsonschema import Draft202012Validator
from structure import faults
from tables_oracle import actual_rows, expected_row, load

from masking.fhir.elements import resource_types
from masking.tables.ddl import create_table, json_schema
from masking.tables.parquet import TableFolder
from masking.tables.schema import arrow_schema, columns
from masking.tables.whole import table_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TYPES = sorted(resource_types())
#: Whose rows Spark reads whole, which takes it some seconds of compiling each; of all the others it reads the columns.
_COLLECTED = frozenset(("Account", "Basic", "Bundle", "CarePlan", "Observation", "Patient", "Task"))


@functools.cache
def lines_of(resource_type: str) -> list[bytes]:
    """One that says the least, ones that say all, and one with what has no column."""
    documents = [least(resource_type), *fullest(resource_type)]
    beside = {**least(resource_type), "id": "z", "_id": {"id": "i"}, "_implicitRules": {"id": "i"}}
    return [json.dumps(document, ensure_ascii=False).encode() for document in (*documents, beside)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Gives the folder of a type's table, which is made when it is first asked for."""
    folder = tmp_path_factory.mktemp("tables")
    return functools.cache(lambda resource_type: write(folder, resource_type))


def write(folder: Path, resource_type: str) -> str:
    """The table; its folder."""
    where = TableFolder(resource_type, str(folder), resource_type.lower(), str(folder / ".writing"), resource=True)
    made = table_of(lines_of(resource_type), where, "00000")
    assert len(made.files) == 1 and made.misfits == {}
    return str(folder / resource_type.lower())


def leaves(name: str, array: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    """The columns that Parquet has, each with its values."""
    if pa.types.is_list(array.type):
        yield from leaves(name, array.flatten())
    elif pa.types.is_struct(array.type):
        for field, inner in zip(array.type, array.flatten(), strict=True):
            yield from leaves(f"{name}.{field.name}", inner)
    else:
        yield name, array


@pytest.mark.parametrize("resource_type", TYPES)
def test_documents_are_valid_and_fill_every_column(resource_type: str, written: Callable[[str], str]) -> None:
    for line in lines_of(resource_type):
        assert not faults(line.decode()), line
    table = pq.read_table(written(resource_type))
    empty = [
        name
        for column in table.schema.names
        for name, array in leaves(column, table[column].combine_chunks())
        if array.null_count == len(array) and not name.endswith("other_json")
    ]
    dateless = {"main_date", "main_year"} if table["main_date"].null_count == table.num_rows else set()
    assert set(empty) <= {"patient_id", *dateless}, "a reader of all columns has read something in each"


@pytest.mark.parametrize("resource_type", TYPES)
def test_pyarrow_and_duckdb_read_what_was_written(resource_type: str, written: Callable[[str], str]) -> None:
    folder = written(resource_type)
    table = pq.read_table(folder)
    assert table.schema.equals(arrow_schema(resource_type, resource=True))
    table.validate(full=True)
    own = [table[column.name].combine_chunks() for column in columns(resource_type)]
    found = [json.dumps(row, sort_keys=True) for row in actual_rows(columns(resource_type), own)]
    wanted = [expected_row(columns(resource_type), load(line), resource_type, {}) for line in lines_of(resource_type)]  # type: ignore[arg-type]
    assert sorted(found) == sorted(json.dumps(row, sort_keys=True) for row in wanted)

    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        read = connection.read_parquet(f"{folder}/*.parquet").to_arrow_table()
    assert read.schema.names == table.schema.names
    assert read.to_pylist() == table.to_pylist()


@pytest.mark.parametrize("resource_type", TYPES)
def test_rows_are_as_the_json_schema_says(resource_type: str, written: Callable[[str], str]) -> None:
    schema = json.loads(json_schema(resource_type, resource=True))
    Draft202012Validator.check_schema(schema)
    checker = Draft202012Validator(schema)
    rows = pq.read_table(written(resource_type)).to_pylist()
    for row in rows:
        as_json = json.loads(json.dumps(row, default=str))
        assert not list(checker.iter_errors(as_json))
    assert list(checker.iter_errors({**as_json, "another": 1})), "no other column"
    assert list(checker.iter_errors({**as_json, "resourceType": 1}))


@pytest.mark.slow
def test_spark_reads_what_was_written_and_the_statements_describe_it(
    spark: SparkSession, written: Callable[[str], str]
) -> None:
    from pyspark.sql.types import StructType, _parse_datatype_string  # noqa: PLC0415

    for resource_type in TYPES:
        folder = written(resource_type)
        table = pq.read_table(folder)
        read = spark.read.parquet(folder)
        statement = create_table(resource_type, folder, resource=True)
        said = _parse_datatype_string(statement.split("(\n", 1)[1].split("\n)\nSTORED AS", 1)[0])
        assert isinstance(said, StructType)
        assert bare(said.jsonValue()) == bare(read.schema.jsonValue()), resource_type
        if resource_type in _COLLECTED:
            rows = sorted((plain(row.asDict(recursive=True)) for row in read.collect()), key=repr)
            assert rows == sorted((plain(row) for row in table.to_pylist()), key=repr), resource_type


def bare(schema: Any) -> Any:
    """A schema of Spark's without comments."""
    if isinstance(schema, dict):
        return {name: bare(value) for name, value in schema.items() if name != "metadata"}
    return [bare(item) for item in schema] if isinstance(schema, list) else schema


def plain(value: Any) -> Any:
    """A row with moments in UTC: Spark gives them as the clock on the wall shows them."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_there_are_as_many_types_as_r4_has() -> None:
    assert len(TYPES) == 146, "148 with Resource and DomainResource, of which there are no documents"
