"""The schema of every type: names, kinds, and how it is described to others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from masking.fhir.elements import children, element, resource_types
from masking.tables.ddl import create_table, json_schema
from masking.tables.schema import Column, Kind, arrow_schema, columns

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TYPES = sorted(resource_types())


def every(fields: Sequence[Column]) -> Iterator[Column]:
    for field in fields:
        yield field
        yield from every(field.fields)


def structs(type_: pa.DataType) -> Iterator[list[str]]:
    """The names of the fields of each struct."""
    if pa.types.is_list(type_):
        yield from structs(type_.value_type)
    elif pa.types.is_struct(type_):
        yield [field.name for field in type_]
        for field in type_:
            yield from structs(field.type)


@pytest.mark.parametrize("resource_type", TYPES)
def test_names(resource_type: str) -> None:
    schema = arrow_schema(resource_type, resource=True)
    for names in [schema.names, *(found for field in schema for found in structs(field.type))]:
        assert len({name.lower() for name in names}) == len(names), "Athena and Spark tell no case"
    assert set(children(resource_type)) < set(schema.names), "no property of R4's is without a column"
    for column in every(columns(resource_type)):
        if column.kind is not Kind.OTHER:
            found = element(column.path)
            assert found.type == column.type
            assert schema.field(column.path.split(".")[1]).metadata, "a comment"
            if column.kind is not Kind.JSON:
                assert column.is_list == found.is_array


def kind(path: str) -> tuple[Kind, bool]:
    resource_type, *names = path.split(".")
    fields = columns(resource_type)
    for name in names:
        column = next(column for column in fields if column.name == name)
        fields = column.fields
    return column.kind, column.is_list


def test_what_columns_hold() -> None:
    assert kind("Patient.birthDate") == (Kind.TEXT, False)
    assert kind("Patient.name.given") == (Kind.TEXT, True)
    assert kind("Patient.active") == (Kind.BOOLEAN, False)
    assert kind("Patient.multipleBirthInteger") == (Kind.INTEGER, False)
    assert kind("Observation.code.coding") == (Kind.STRUCT, True)
    assert kind("Observation.component.valueQuantity.value") == (Kind.DECIMAL, False)
    assert kind("Observation.component.referenceRange.low") == (Kind.STRUCT, False), (
        "HL7 refers to another place for it"
    )
    for path in (
        "Patient.extension", "Patient.contained", "Patient.name.extension", "Bundle.entry.resource", "Questionnaire.item.item",
        "Patient.managingOrganization.identifier.assigner", "Parameters.parameter.part", "Task.input.valueHumanName",
        "Parameters.parameter.resource", "Patient.contact.modifierExtension", "ValueSet.expansion.contains.contains",
    ):  # fmt: skip
        assert kind(path) == (Kind.JSON, False), path
    assert kind("Task.input.valueString") == (Kind.TEXT, False)
    assert kind("Task.for.identifier.value") == (Kind.TEXT, False)


def test_derived_columns() -> None:
    schema = arrow_schema("Observation")
    assert schema.names[:4] == ["patient_id", "main_date", "main_year", "resourceType"]
    assert schema.field("main_date").type == pa.timestamp("us", tz="UTC")
    assert arrow_schema("Patient").field("main_date").type == pa.date32()
    assert "resource_json" not in schema.names
    assert arrow_schema("Observation", resource=True).names[-1] == "resource_json"
    with pytest.raises(KeyError):
        columns("Nothing")


@pytest.mark.parametrize("resource_type", TYPES)
def test_statements_are_no_longer_than_athena_and_glue_take(resource_type: str) -> None:
    statement = create_table(resource_type, "s3://bucket/masked", by_year=True, resource=True)
    assert len(statement.encode()) < 262_144
    rows = [line for line in statement.splitlines() if line.startswith("  `")]
    assert len(rows) == len(arrow_schema(resource_type, resource=True)) - 1
    assert max(len(line.split(" COMMENT ")[0]) for line in rows) < 131_072
    assert max(len(line.split(" COMMENT ")[1]) for line in rows) < 255 + 30


def test_spark_reads_the_statements(spark: SparkSession) -> None:
    parser = spark._jsparkSession.sessionState().sqlParser()
    for resource_type in TYPES:
        parser.parsePlan(
            create_table(resource_type, "s3://bucket/it's", by_year=resource_type < "M", resource=True).strip()
        )


def test_a_json_schema_says_the_same() -> None:
    made = json.loads(json_schema("Patient", resource=True))
    assert list(made["properties"]) == arrow_schema("Patient", resource=True).names
    name = made["properties"]["name"]
    assert name["description"] == "A name associated with the patient"
    assert name["type"] == ["array", "null"]
    assert name["items"]["properties"]["given"]["items"] == {"type": ["string", "null"]}
    assert made["properties"]["main_date"]["format"] == "date"
    assert made["properties"]["multipleBirthInteger"]["type"] == ["integer", "null"]
