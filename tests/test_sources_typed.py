"""Tables in FHIR's shape: what each of their writers makes of resources becomes those resources again."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents import Maker
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import UnreadableFile
from masking.fhir.elements import resource_types
from masking.sources.content import Form
from masking.sources.names import type_of_shape, types_of_path
from masking.spark.lines import Limits, Reader
from masking.spark.splits import Block
from masking.tables.schema import columns
from masking.tables.shred import Shredder

WIDE = Limits(batch_rows=1000, batch_bytes=1 << 20, line_bytes=1 << 24)
TEXT = pa.string()
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "bulk-10-patients"


def struct(**fields: pa.DataType) -> pa.DataType:
    return pa.struct(list(fields.items()))


def read(path: Path, limits: Limits = WIDE) -> list[bytes]:
    size = path.stat().st_size
    reader = Reader([Block(str(path), "", 0, size, size, 7, Form.PARQUET)], limits)
    return [document for batch in reader for document in batch.documents]


def made_of(path: Path, table: pa.Table, **how: Any) -> list[dict[str, Any]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **how)
    return [json.loads(document) for document in read(path)]


def numbers_alike(value: Any) -> Any:
    """Whole doubles as integers: a column of doubles does not know how 1.0 was spelled."""
    if isinstance(value, float) and value == int(value):
        return int(value)
    if isinstance(value, dict):
        return {name: numbers_alike(one) for name, one in value.items()}
    return [numbers_alike(one) for one in value] if isinstance(value, list) else value


# ── this job's own ───────────────────────────────────────────────────────────────────────────────────────────────────


def there_and_back(tmp_path: Path, resource_type: str, lines: list[bytes]) -> list[bytes]:
    """Lines as this job's table and out of it again; the table made of these is the same."""
    fields = columns(resource_type)
    arrays = Shredder(fields, resource_type).shred(lines)
    names = ["resourceType", *(column.name for column in fields), "patient_id", "main_year"]
    beside = [pa.array(["Joe Bloggs"] * len(lines)), pa.array([1987] * len(lines))]
    pq.write_table(pa.table([pa.array([resource_type] * len(lines)), *arrays, *beside], names=names), tmp_path / "x")
    found = read(tmp_path / "x")
    for column, before, after in zip(fields, arrays, Shredder(fields, resource_type).shred(found), strict=True):
        assert before.equals(after), column.path
    assert b"Joe Bloggs" not in b"".join(found)
    return found


@pytest.mark.skipif(not DATA.is_dir(), reason="the export of ten patients is not there")
@pytest.mark.parametrize("path", sorted(DATA.glob("*.gz")) or [DATA], ids=lambda path: path.name.split(".")[0])
def test_the_real_export_is_what_it_was(tmp_path: Path, path: Path) -> None:
    lines = gzip.decompress(path.read_bytes()).splitlines()
    found = there_and_back(tmp_path, path.name.split(".")[0], lines)
    assert [numbers_alike(json.loads(line)) for line in found] == [numbers_alike(json.loads(line)) for line in lines]


@pytest.mark.parametrize("resource_type", sorted(resource_types()))
def test_made_up_documents_of_every_type(tmp_path: Path, resource_type: str) -> None:
    maker = Maker(Random(resource_type), wrong=0.0)
    maker.comma, maker.colon = ", ", ": "
    lines = [maker.write(maker.resource(resource_type, 0)).encode() for _ in range(3)]
    # A struct without values is an absent element, and FHIR has no empty object.
    there_and_back(tmp_path, resource_type, [json.dumps(plainly(json.loads(line))).encode() for line in lines])


# ── Pathling's ───────────────────────────────────────────────────────────────────────────────────────────────────────

_URL = "http://example.org/"
_EXTENSION = pa.struct([("id", pa.string()), ("url", pa.string()), ("valueString", pa.string()), ("_fid", pa.int32())])


#: Patients whose extensions are kept in a map, by the numbers of their elements.
PATHLING: list[dict[str, Any]] = [
    {
        "id": "p1",
        "id_versioned": "Patient/p1/_history/2",
        "meta": {
            "versionId": "2",
            "versionId_versioned": "Patient/p1/_history/2",
            "lastUpdated": dt.datetime(2020, 1, 2, 3, 4, 5, 670000),
        },
        "name": [{"family": "Bloggs", "given": ["Joe", "J"], "_fid": 11}, {"family": "Blagg", "_fid": -12}],
        "_fid": 1,
        "_extension": [
            (1, [{"url": _URL + "race", "_fid": 20}, {"url": _URL + "b", "valueString": "é\n", "_fid": 21}]),
            (-12, [{"url": _URL + "own", "valueString": "x", "_fid": 22}]),
            (20, [{"url": "text", "valueString": "inner", "_fid": 23}]),
            (23, [{"url": "deeper", "valueString": "innermost"}]),
        ],
    },
    {"id": "p2", "name": [{"family": "Doe", "_fid": 11}], "_fid": 1, "deceasedBoolean": False, "_extension": []},
    {"id": "p3", "_fid": 1},
]


def pathling(rows: list[dict[str, Any]]) -> pa.Table:
    name = pa.struct([("family", pa.string()), ("given", pa.list_(pa.string())), ("_fid", pa.int32())])
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("id_versioned", pa.string()),
            ("meta", struct(versionId=TEXT, versionId_versioned=TEXT, lastUpdated=pa.timestamp("ns"))),
            ("name", pa.list_(name)),
            ("birthDate", pa.string()),
            ("deceasedBoolean", pa.bool_()),
            ("_fid", pa.int32()),
            ("_extension", pa.map_(pa.int32(), pa.list_(_EXTENSION))),
        ]
    )  # fmt: skip
    return pa.Table.from_pylist(rows, schema)


def test_pathling_keeps_extensions_in_a_map(tmp_path: Path) -> None:
    found = made_of(
        tmp_path / "Patient.parquet" / "part-0.parquet", pathling(PATHLING), use_deprecated_int96_timestamps=True
    )
    inner = {"url": "text", "valueString": "inner", "extension": [{"url": "deeper", "valueString": "innermost"}]}
    assert found == [
        {
            "resourceType": "Patient",
            "id": "p1",
            "meta": {"versionId": "2", "lastUpdated": "2020-01-02T03:04:05.67Z"},
            "name": [
                {"family": "Bloggs", "given": ["Joe", "J"]},
                {"family": "Blagg", "extension": [{"url": _URL + "own", "valueString": "x"}]},
            ],
            "extension": [
                {"url": _URL + "race", "extension": [inner]},
                {"url": _URL + "b", "valueString": "é\n"},
            ],
        },
        {"resourceType": "Patient", "id": "p2", "name": [{"family": "Doe"}], "deceasedBoolean": False},
        {"resourceType": "Patient", "id": "p3"},
    ]


def test_pathling_says_how_many_places_a_decimal_had(tmp_path: Path) -> None:
    canonical = struct(value=pa.decimal128(38, 0), scale=pa.int32())
    quantity = struct(
        value=pa.decimal128(32, 6),
        value_scale=pa.int32(),
        _value_canonicalized=canonical,
        _code_canonicalized=TEXT,
        _fid=pa.int32(),
    )
    values = [("1.500000", 2), ("0.000000", 0), ("-7.000001", 7), ("0.100000", None), ("1200.000000", 0)]
    rows = [
        {"id": "o", "status": "final", "valueQuantity": {"value": Decimal(text), "value_scale": scale, "_code_canonicalized": "g"}}
        for text, scale in values
    ]  # fmt: skip
    table = pa.Table.from_pylist(
        rows, pa.schema([("id", pa.string()), ("status", pa.string()), ("valueQuantity", quantity)])
    )
    pq.write_table(table, tmp_path / "observation.parquet")
    texts = [line.decode().partition('"value":')[2].rstrip("}") for line in read(tmp_path / "observation.parquet")]
    assert texts == ["1.50", "0", "-7.000001", "0.100000", "1200"]


# ── others' ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_synapse_has_structs_for_choices_and_json_where_it_is_deep(tmp_path: Path) -> None:
    coding = [{"system": "http://loinc.org", "code": "8867-4"}]
    rows = [
        {
            "resourceType": "Observation",
            "id": "o1",
            "code": {"coding": json.dumps(coding), "text": "Heart rate"},
            "value": {"quantity": {"value": 72.5, "unit": "/min"}, "string": None},
            "extension": json.dumps([{"url": _URL, "valueCode": "x"}]),
            "performer": [{"reference": "Practitioner/1", "identifier": json.dumps({"value": "7"})}],
        },
        {"resourceType": "Observation", "id": "o2", "value": {"string": "[high]"}},
    ]
    assert made_of(tmp_path / "x", pa.Table.from_pylist(rows)) == [
        {
            "resourceType": "Observation",
            "id": "o1",
            "code": {"coding": coding, "text": "Heart rate"},
            "valueQuantity": {"value": 72.5, "unit": "/min"},
            "extension": [{"url": _URL, "valueCode": "x"}],
            "performer": [{"reference": "Practitioner/1", "identifier": {"value": "7"}}],
        },
        {"resourceType": "Observation", "id": "o2", "valueString": "[high]"},
    ]


def test_small_letters_companions_and_single_values(tmp_path: Path) -> None:
    """As catalogues that know no capitals have them, with primitives' companions as structs."""
    family = {"id": "f1", "extension": json.dumps([{"url": _URL, "valueString": "van"}])}
    rows = [
        {
            "resourcetype": "Patient",
            "id": "p1",
            "birthdate": dt.date(1987, 3, 2),
            "_birthdate": {"extension": json.dumps([{"url": _URL}])},
            "multiplebirthinteger": 2,
            "managingorganization": {"reference": "Organization/1"},
            "name": {"family": "van Dyck", "_family": family, "given": "Joe"},
            "telecom": [{"system": "phone", "value": "555", "rank": 1}],
            "address": json.dumps([{"postalCode": "02139"}]),
        }
    ]
    assert made_of(tmp_path / "x", pa.Table.from_pylist(rows)) == [
        {
            "resourceType": "Patient",
            "id": "p1",
            "birthDate": "1987-03-02",
            "_birthDate": {"extension": [{"url": _URL}]},
            "multipleBirthInteger": 2,
            "managingOrganization": {"reference": "Organization/1"},
            "name": [
                {
                    "family": "van Dyck",
                    "_family": {"id": "f1", "extension": [{"url": _URL, "valueString": "van"}]},
                    "given": ["Joe"],
                }
            ],
            "telecom": [{"system": "phone", "value": "555", "rank": 1}],
            "address": [{"postalCode": "02139"}],
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("array", "name", "expected"),
    [
        (pa.array([dt.datetime(2020, 1, 2, 3, 4, 5)], pa.timestamp("s")), "issued", "2020-01-02T03:04:05Z"),
        (pa.array([dt.datetime(2020, 1, 2)], pa.timestamp("ms", "Asia/Tokyo")), "issued", "2020-01-02T00:00:00Z"),
        (pa.array([dt.date(2020, 1, 2)]), "effectiveDateTime", "2020-01-02"),
        (pa.array([dt.time(3, 4, 5, 600000)]), "valueTime", "03:04:05.6"),
        (pa.array([7]), "id", "7"),
        (pa.array(["7"]), "valueInteger", 7),
        (pa.array(["seven"]), "valueInteger", "seven"),
        (pa.array(["true"]), "valueBoolean", True),
        (pa.array([b"abc"]), "status", "abc"),
        (pa.array(["final"]).dictionary_encode(), "status", "final"),
        (pa.array([Decimal("0.0000001")]), "valueInteger", 1e-7),
    ],
)
def test_values_are_spelled_as_fhir_spells_them(tmp_path: Path, array: pa.Array, name: str, expected: Any) -> None:
    table = pa.table({"resourceType": ["Observation"], name: array})
    assert made_of(tmp_path / "x", table) == [{"resourceType": "Observation", name: expected}]


def test_numbers_that_json_cannot_spell_are_absent(tmp_path: Path) -> None:
    table = pa.table({"resourceType": ["Slot"] * 2, "id": ["1", "2"], "x": [float("nan"), float("inf")]})
    assert made_of(tmp_path / "x", table) == [{"resourceType": "Slot", "id": "1"}, {"resourceType": "Slot", "id": "2"}]


def test_what_r4_does_not_know_keeps_its_name_for_the_policy_to_judge(tmp_path: Path) -> None:
    rows = [{"resourceType": "Patient", "id": "1", "loaded_by": "Joe", "tags": {"a": [1, None], "b": "x"}}]
    tags = struct(a=pa.list_(pa.int8()), b=TEXT)
    schema = pa.schema(
        [("resourceType", TEXT), ("id", TEXT), ("loaded_by", TEXT), ("tags", tags), ("m", pa.map_(TEXT, pa.int64()))]
    )
    rows[0]["m"] = [("k", 1), ('"', None)]
    assert made_of(tmp_path / "x", pa.Table.from_pylist(rows, schema)) == [
        {"resourceType": "Patient", "id": "1", "loaded_by": "Joe", "tags": {"a": [1, None], "b": "x"}, "m": {"k": 1, '"': None}}
    ]  # fmt: skip


def test_a_row_of_nulls_is_blank_and_rows_may_name_their_types(tmp_path: Path) -> None:
    table = pa.table({"resourceType": ["Slot", None, "Schedule"], "id": ["1", None, "3"]})
    assert made_of(tmp_path / "x", table) == [
        {"resourceType": "Slot", "id": "1"},
        {"resourceType": "Schedule", "id": "3"},
    ]


# ── any struct ───────────────────────────────────────────────────────────────────────────────────────────────────────

scalars = st.sampled_from([None, "", "a", 'q"\\\x01', "é\u2028😀", "[", "{"])
inner = st.fixed_dictionaries({"a": scalars, "b": st.none() | st.lists(scalars, max_size=3)})
rows_of = st.lists(
    st.fixed_dictionaries({"s": st.none() | inner, "l": st.none() | st.lists(st.none() | inner, max_size=3)}),
    min_size=1,
    max_size=6,
)
_INNER = pa.struct([("a", pa.string()), ("b", pa.list_(pa.string()))])


def plainly(value: Any) -> Any:
    """What JSON has of a value: null and empty are absent, but for null items beside others."""
    if isinstance(value, dict):
        return {name: one for name, inner_ in value.items() if (one := plainly(inner_)) is not None} or None
    if isinstance(value, list):
        found = [plainly(one) for one in value]
        return None if all(one is None for one in found) else found
    return value


@settings(deadline=None)  # files are written
@given(rows=rows_of, most=st.integers(1, 4))
def test_nested_values_with_nulls_anywhere(tmp_path_factory, rows, most):
    path = tmp_path_factory.mktemp("typed") / "x"
    whole = [{"resourceType": "Basic", "id": str(number), **row} for number, row in enumerate(rows)]
    schema = pa.schema([("resourceType", pa.string()), ("id", pa.string()), ("s", _INNER), ("l", pa.list_(_INNER))])
    pq.write_table(pa.Table.from_pylist(whole, schema), path)
    assert [json.loads(line) for line in read(path, Limits(most, 1 << 20, 1 << 20))] == [plainly(row) for row in whole]


# ── which type ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("/lake/patient/part-0.snappy.parquet", ["Patient"]),
        ("/location/Patient.parquet/part-0.parquet", ["Patient", "Location"]),
        ("/x/resource_type=Claim/y=Group/part-1.parquet", ["Claim"]),
        ("s3://b/fhir/Observation-00001.parquet", ["Observation"]),
        ("/x/patients/part.parquet", []),
    ],
)
def test_the_type_that_a_path_tells(path: str, types: list[str]) -> None:
    assert list(types_of_path(path)) == types


def test_the_type_that_columns_tell() -> None:
    assert type_of_shape(["id", "birthDate", "gender", "maritalStatus"]) == "Patient"
    assert type_of_shape(["id", "birthdate", "gender", "multiplebirth"]) == "Patient"
    assert type_of_shape(["id", "status", "code"]) == ""
    told = {name: type_of_shape([column.name for column in columns(name)]) for name in resource_types()}
    by_shape: dict[str, list[str]] = defaultdict(list)
    for name, found in told.items():
        by_shape[found].append(name)
    assert sum(name == found for name, found in told.items()) > 140
    assert all(found in (name, "") for name, found in told.items())


@pytest.mark.parametrize(
    ("name", "columns_"),
    [
        ("Location.parquet", {"id": ["1"], "speed": [1], "heading": [2], "battery": [3], "lat": [4]}),
        ("x.parquet", {"id": ["1"], "status": ["final"]}),
        ("Patient.parquet", {"mrn": ["1"], "first": ["a"]}),
    ],
)
def test_what_is_no_fhir_is_an_error_whatever_its_name(tmp_path: Path, name: str, columns_: dict[str, Any]) -> None:
    with pytest.raises(UnreadableFile, match="elements of one type of R4") as caught:
        made_of(tmp_path / name, pa.table(columns_))
    assert name not in str(caught.value)
