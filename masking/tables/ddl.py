"""What describes a table to others: the statement that makes it in Athena, Glue or Spark, and its rows as a JSON schema."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking.tables.schema import MAIN_YEAR, arrow_schema

#: Glue takes comments of so many characters.
_LONGEST_COMMENT = 255
_NAMES = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamp",
}
_JSON: dict[pa.DataType, dict[str, str]] = {
    pa.string(): {"type": "string"},
    pa.bool_(): {"type": "boolean"},
    pa.int32(): {"type": "integer"},
    pa.float64(): {"type": "number"},
    pa.date32(): {"type": "string", "format": "date"},
    pa.timestamp("us", tz="UTC"): {"type": "string", "format": "date-time"},
}


def create_table(resource_type: str, location: str, *, by_year: bool = False, resource: bool = False) -> str:
    """`CREATE EXTERNAL TABLE` over the Parquet files in the folder `location`, named as the type in lower case.

    Every name is quoted, for FHIR has some that SQL reserves (`end`, `group`).
    """
    schema = arrow_schema(resource_type, resource=resource)
    own = [f for f in schema if not (by_year and f.name == MAIN_YEAR)]
    lines = ",\n".join(f"  `{f.name}` {_type(f.type)}{_comment(f)}" for f in own)
    year = f"PARTITIONED BY (`{MAIN_YEAR}` int{_comment(schema.field(MAIN_YEAR))})\n" if by_year else ""
    name = resource_type.lower()
    repair = f"-- Then, and after each run: MSCK REPAIR TABLE `{name}`;\n" if by_year else ""
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{name}` (\n{lines}\n)\n{year}STORED AS PARQUET\n"
        f"LOCATION '{_quoted(location)}/'\nTBLPROPERTIES ('classification' = 'parquet');\n{repair}"
    )


def json_schema(resource_type: str, *, resource: bool = False) -> str:
    """A JSON schema (2020-12) of the rows of a table; every value may be null."""
    schema = arrow_schema(resource_type, resource=resource)
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": resource_type,
        "description": f"A row of the table {resource_type.lower()}: a masked {resource_type} of FHIR R4",
        **_object(schema),
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _type(type_: pa.DataType) -> str:
    if pa.types.is_list(type_):
        return f"array<{_type(type_.value_type)}>"
    if pa.types.is_struct(type_):
        return "struct<" + ",".join(f"`{field.name}`:{_type(field.type)}" for field in type_) + ">"
    return _NAMES[type_]


def _comment(field: pa.Field) -> str:
    text = _text(field)
    text = text if len(text) <= _LONGEST_COMMENT else text[: _LONGEST_COMMENT - 1] + "…"
    return f" COMMENT '{_quoted(text)}'" if text else ""


def _text(field: pa.Field) -> str:
    comment: bytes = (field.metadata or {}).get(b"comment", b"")
    return comment.decode()


def _quoted(text: str) -> str:
    """A text as it stands between single quotes in Hive's SQL, Athena's and Spark's."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _object(fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.name: _described(field) for field in fields},
        "additionalProperties": False,
    }


def _described(field: pa.Field) -> dict[str, Any]:
    text = _text(field)
    return {**({"description": text} if text else {}), **_nullable(_schema(field.type))}


def _schema(type_: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(type_):
        return {"type": "array", "items": _nullable(_schema(type_.value_type))}
    return _object(type_) if pa.types.is_struct(type_) else dict(_JSON[type_])


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}
