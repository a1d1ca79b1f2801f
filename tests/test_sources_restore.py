"""Tables written again: what is kept is there cell for cell, and nothing is there that no document tells of."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents import Maker, one
from hypothesis import given, settings
from hypothesis import strategies as st
from rows_again import read_again, write_again
from test_sources_typed import _EXTENSION, _URL, DATA, PATHLING, TEXT, pathling, plainly, rows_of, struct

from masking.errors import UnreadableFile
from masking.fhir.elements import resource_types
from masking.spark.lines import Limits
from masking.tables.keys import KeyReader
from masking.tables.schema import arrow_schema, columns
from masking.tables.shred import Shredder


def same(path: Path, table: pa.Table, **how: Any) -> None:
    """Writes a table, and it again out of its documents as they are; both are the same, in schema and every cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **how)
    again = write_again(path)
    before, after = pq.read_table(path), read_again(path)
    assert after.schema.equals(before.schema)
    for name in before.schema.names:
        assert pa.table([after[name]], [name]).equals(pa.table([before[name]], [name])), name
    assert again.denied == {}
    # Numbers that our own tables have no column for are in the column of all that has none.
    assert again.unplaced == {} or "patient_id" in before.schema.names


def changed(path: Path, table: pa.Table, *swaps: tuple[str, str], **how: Any) -> list[dict[str, Any]]:
    """The rows written again with other texts in their documents."""
    pq.write_table(table, path, **how)

    def swap(document: bytes) -> bytes:
        for old, new in swaps:
            document = document.replace(old.encode(), new.encode())
        return document

    write_again(path, swap)
    found: list[dict[str, Any]] = read_again(path).to_pylist()
    return found


def is_json(document: bytes) -> bool:
    try:
        json.loads(document)
    except ValueError:
        return False
    return True


# ── kept ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ours(resource_type: str, lines: list[bytes], *, resource: bool = False) -> pa.Table:
    keys = KeyReader(resource_type).read(lines)
    arrays = [keys.patient, keys.date, keys.year, pa.array([resource_type] * len(lines))]
    arrays += Shredder(columns(resource_type), resource_type).shred(lines)
    if resource:
        arrays.append(pa.array([line.decode() for line in lines]))
    return pa.Table.from_arrays(arrays, schema=arrow_schema(resource_type, resource=resource))


@pytest.mark.skipif(not DATA.is_dir(), reason="the export of ten patients is not there")
@pytest.mark.parametrize("path", sorted(DATA.glob("*.gz")) or [DATA], ids=lambda path: path.name.split(".")[0])
def test_our_tables_of_the_real_export(tmp_path: Path, path: Path) -> None:
    lines = gzip.decompress(path.read_bytes()).splitlines()
    same(tmp_path / "x", ours(path.name.split(".")[0], lines), compression="zstd", row_group_size=150)
    same(tmp_path / "y", ours(path.name.split(".")[0], lines[:50], resource=True))


@pytest.mark.parametrize("resource_type", [*sorted(resource_types())[::16], "Claim", "Patient"])
def test_tables_of_all_sorts_of_types_with_a_column_less(tmp_path: Path, resource_type: str) -> None:
    """Without the column of all that has none, a table is not this program's, and is made cell by cell."""
    maker = Maker(Random(resource_type), wrong=0.0)
    maker.comma, maker.colon = ",", ":"
    lines = [json.dumps(plainly(json.loads(maker.write(maker.resource(resource_type, 0))))).encode() for _ in range(3)]
    table = ours(resource_type, lines)
    same(tmp_path / "x", table)
    same(tmp_path / "y", table.drop_columns(["other_json"]))


@pytest.mark.parametrize("int96", [True, False])
def test_pathling_s_tables(tmp_path: Path, int96: bool) -> None:
    same(tmp_path / "Patient.parquet" / "x", pathling(PATHLING), use_deprecated_int96_timestamps=int96)


def quantities() -> pa.Table:
    canonical = struct(value=pa.decimal128(38, 0), scale=pa.int32())
    quantity = struct(
        value=pa.decimal128(32, 6),
        value_scale=pa.int32(),
        _value_canonicalized=canonical,
        _code_canonicalized=TEXT,
        _fid=pa.int32(),
    )
    texts = [("1.500000", 2), ("0.000000", 0), ("-7.000001", 7), ("0.100000", None), ("1200.000000", 0)]
    rows = [
        {"id": "o", "status": "final", "valueQuantity": {"value": Decimal(text), "value_scale": scale, "_code_canonicalized": "g"}}
        for text, scale in texts
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema([("id", TEXT), ("status", TEXT), ("valueQuantity", quantity)]))


def test_decimals_with_their_places(tmp_path: Path) -> None:
    same(tmp_path / "observation.parquet", quantities())
    rows = changed(tmp_path / "observation.parquet", quantities(), ('"value":1.50', '"value":2.250'))
    assert rows[0]["valueQuantity"] == {
        "value": Decimal("2.250000"),
        "value_scale": 3,
        "_value_canonicalized": None,
        "_code_canonicalized": None,  # it follows from a value that is another now
        "_fid": None,
    }
    assert rows[1:] == quantities().to_pylist()[1:]


SYNAPSE: list[dict[str, Any]] = [
    {
        "resourceType": "Observation",
        "id": "o1",
        "code": {"coding": json.dumps([{"system": "http://loinc.org", "code": "8867-4"}]), "text": "Heart rate"},
        "value": {"quantity": {"value": 72.5, "unit": "/min"}, "string": None},
        "extension": json.dumps([{"url": _URL, "valueCode": "x"}]),
        "performer": [{"reference": "Practitioner/1", "identifier": json.dumps({"value": "7"})}],
    },
    {"resourceType": "Observation", "id": "o2", "value": {"string": "[high]"}},
]
SMALL_LETTERS: list[dict[str, Any]] = [
    {
        "resourcetype": "Patient",
        "id": "p1",
        "birthdate": dt.date(1987, 3, 2),
        "_birthdate": {"extension": json.dumps([{"url": _URL, "valueCode": "x"}])},
        "multiplebirthinteger": 2,
        "managingorganization": {"reference": "Organization/1"},
        "name": {
            "family": "van Dyck",
            "_family": {"id": "f1", "extension": json.dumps([{"url": _URL, "valueString": "van"}])},
            "given": "Joe",
        },
        "telecom": [{"system": "phone", "value": "555", "rank": 1}],
        "address": json.dumps([{"postalCode": "02139"}]),
    }
]


def test_synapse_s_tables_and_small_letters(tmp_path: Path) -> None:
    same(tmp_path / "x", pa.Table.from_pylist(SYNAPSE), compression="gzip")
    same(tmp_path / "y", pa.Table.from_pylist(SMALL_LETTERS), compression="brotli")
    rows = changed(
        tmp_path / "x", pa.Table.from_pylist(SYNAPSE), ('"[high]"', '"low"'), ('"8867-4"', '"x"'), ("/1", "/2")
    )
    assert rows[1]["value"] == {"quantity": None, "string": "low"}
    assert rows[0]["code"]["coding"] == '[{"system": "http://loinc.org", "code": "x"}]'
    assert rows[0]["performer"] == [{"reference": "Practitioner/2", "identifier": '{"value": "7"}'}]
    rows = changed(tmp_path / "y", pa.Table.from_pylist(SMALL_LETTERS), ('["Joe"]', '["Al","B"]'), ("van Dyck", "Doe"))
    assert (rows[0]["name"]["given"], rows[0]["name"]["family"]) == ('["Al","B"]', "Doe")


ARRAYS = [
    (pa.array([dt.datetime(2020, 1, 2, 3, 4, 5)], pa.timestamp("s")), "issued"),
    (pa.array([dt.datetime(2020, 1, 2)], pa.timestamp("ms", "Asia/Tokyo")), "issued"),
    (pa.array([dt.date(2020, 1, 2)]), "effectiveDateTime"),
    (pa.array([dt.time(3, 4, 5, 600000)]), "valueTime"),
    (pa.array([7]), "id"),
    (pa.array(["7"]), "valueInteger"),
    (pa.array(["seven"]), "valueInteger"),
    (pa.array(["true"]), "valueBoolean"),
    (pa.array([b"abc"]), "status"),
    (pa.array(["final"]).dictionary_encode(), "status"),
    (pa.array([Decimal("0.0000001")]), "valueInteger"),
    (pa.array(["final"], pa.large_string()), "status"),
    (pa.array([["a"]], pa.large_list(TEXT)), "instantiates"),
    (pa.array([{"versionId": "1", "tag": []}], struct(versionId=TEXT, tag=pa.list_(struct(code=TEXT)))), "meta"),
    (pa.array([{"value": float("inf")}]), "valueQuantity"),
    (pa.array([0.1], pa.float32()), "valueInteger"),
]


@pytest.mark.parametrize(("array", "name"), ARRAYS)
def test_values_of_every_type(tmp_path: Path, array: pa.Array, name: str) -> None:
    same(
        tmp_path / "x",
        pa.table({"resourceType": ["Observation"], name: array, "subject": [{"reference": "Patient/1"}]}),
    )


@settings(deadline=None)  # files are written
@given(rows=rows_of, most=st.integers(1, 4))
def test_nested_values_with_nulls_anywhere(tmp_path_factory: Any, rows: Any, most: int) -> None:
    """`contact` and its parts stand for any struct; cells made anew are those that are kept."""
    path = tmp_path_factory.mktemp("again") / "x"
    names = {"s": "period", "l": "name"}
    inner = pa.struct([("text", TEXT), ("given", pa.list_(TEXT))])

    def called(cell: Any) -> Any:
        if isinstance(cell, list):
            return [called(one) for one in cell]
        return None if cell is None else {"text": cell["a"], "given": cell["b"]}

    whole = [
        {"resourceType": "Patient", "id": str(at), **{names[key]: called(row[key]) for key in row}, "period": None}
        for at, row in enumerate(rows)
    ]
    schema = pa.schema([("resourceType", TEXT), ("id", TEXT), ("name", pa.list_(inner))])
    pq.write_table(pa.Table.from_pylist(whole, schema), path)
    write_again(path, limits=Limits(most, 1 << 20, 1 << 20))
    assert read_again(path).equals(pq.read_table(path))
    write_again(path, lambda document: document.replace(b'"name":', b'"name": '), limits=Limits(most, 1 << 20, 1 << 20))
    assert read_again(path).equals(pq.read_table(path))


def test_codecs_row_groups_and_names_of_items_stay(tmp_path: Path) -> None:
    rows = [
        {"resourceType": "Slot", "id": str(at), "comment": f"c{at}", "serviceType": [{"text": "x"}]} for at in range(25)
    ]
    path = tmp_path / "x"
    schema = pa.schema(
        [
            ("resourceType", TEXT),
            ("id", TEXT),
            ("comment", TEXT),
            ("serviceType", pa.list_(pa.field("array", struct(text=TEXT)))),
        ]
    )
    how: dict[str, Any] = {
        "compression": {"id": "gzip", "comment": "zstd"},
        "row_group_size": 10,
        "store_schema": False,
    }
    same(path, pa.Table.from_pylist(rows, schema), use_compliant_nested_type=False, use_dictionary=["comment"], **how)
    before, after = (pq.ParquetFile(one).metadata for one in (path, f"{path}.again"))
    assert [after.row_group(at).num_rows for at in range(3)] == [10, 10, 5]
    for at in range(4):
        one, other = before.row_group(0).column(at), after.row_group(0).column(at)
        assert (one.compression, one.has_dictionary_page) == (other.compression, other.has_dictionary_page)
        assert one.path_in_schema == other.path_in_schema
    assert after.metadata is None


def test_an_empty_table_keeps_its_schema(tmp_path: Path) -> None:
    same(tmp_path / "x", pa.table({"anything": pa.array([], pa.int8())}))


# ── denied ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_no_document_tells_of_is_null(tmp_path: Path) -> None:
    """Columns that R4 does not know, and what only looks like a column that helps another."""
    rows = [
        {
            "resourceType": "Patient",
            "id": "p1",
            "id_versioned": "Patient/p9/_history/1",
            "patient_id": "Joe Bloggs",
            "loaded_by": "Joe Bloggs",
            "gender": "male",
            "gender_canonicalized": "Joe Bloggs",
            "name": [{"family": "Doe", "text_canonicalized": "Joe Bloggs", "nick": "Joe Bloggs", "_fid": 7}],
            "_fid": 7,
        }
    ]
    path = tmp_path / "x"
    pq.write_table(pa.Table.from_pylist(rows), path)

    def policy(document: bytes) -> bytes:
        """As every policy does with what R4 does not know."""
        known = json.loads(document)
        for where, name in ((known, "loaded_by"), (known["name"][0], "nick")):
            del where[name]
        return json.dumps(known).encode()

    again = write_again(path, policy)
    found = read_again(path)
    assert found.schema.equals(pq.read_table(path).schema)
    assert "Joe" not in str(found.to_pylist())
    assert found.to_pylist() == [
        {
            **dict.fromkeys(rows[0]),
            "resourceType": "Patient",
            "id": "p1",
            "patient_id": "p1",  # as this program's tables have it
            "gender": "male",
            "name": [{"family": "Doe", "text_canonicalized": None, "nick": None, "_fid": None}],
        }
    ]
    assert again.denied == {"loaded_by": 1, "id_versioned": 1, "gender_canonicalized": 1, "_fid": 1}


def test_what_only_looks_like_pathling_s_columns_is_null(tmp_path: Path) -> None:
    """Numbers of elements that are texts, and what follows from a value where there is none."""
    name = struct(family=TEXT, _fid=TEXT, _code_canonicalized=TEXT, _value_canonicalized=TEXT)
    rows = [
        {
            "resourceType": "Patient",
            "id": "1",
            "name": [{"_fid": "Joe"}, {"family": "Doe", "_code_canonicalized": "Joe"}],
        },
        {"resourceType": "Patient", "id": "2", "name": [{"_value_canonicalized": "Joe"}], "_fid": "Joe"},
        {"resourceType": "Patient", "id": "3", "name": [{"_fid": "Joe"}]},
    ]
    schema = pa.schema([("resourceType", TEXT), ("id", TEXT), ("name", pa.list_(name)), ("_fid", TEXT)])
    path = tmp_path / "x"
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    write_again(path)
    assert "Joe" not in str(read_again(path).to_pylist())
    assert read_again(path)["name"].to_pylist()[0][1]["family"] == "Doe"


def test_the_time_of_a_day_that_no_document_shows_goes(tmp_path: Path) -> None:
    table = pa.table({"resourceType": ["Patient"], "birthDate": [dt.datetime(1987, 3, 2, 7, 30)]})
    assert changed(tmp_path / "x", table)[0]["birthDate"] == dt.datetime(1987, 3, 2)


def test_a_name_of_a_column_that_json_reads_otherwise_hides_nothing(tmp_path: Path) -> None:
    for name in ("c:\\new", "a\\u0062", 'x","gender":"male'):
        path = tmp_path / "x"
        pq.write_table(pa.table({"resourceType": ["Patient"], "id": ["1"], name: ["Joe Bloggs"]}), path)
        write_again(path, lambda document: b'{"resourceType":"Patient","id":"1"}' if is_json(document) else None)
        assert "Joe" not in str(read_again(path).to_pylist())


def test_two_columns_for_one_property_hide_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    rows = [{"resourceType": "Patient", "id": "1", "gender": "Joe", "GENDER": "male", "birthDate": "1987-03-02"}]
    pq.write_table(pa.Table.from_pylist(rows), path)
    write_again(path, lambda _: b'{"resourceType":"Patient","id":"1","gender":"male"}')
    assert read_again(path).to_pylist() == [{**rows[0], "gender": "male", "birthDate": None}]


def test_rows_that_are_put_aside_leave_nothing(tmp_path: Path) -> None:
    """Not their values, not what a dictionary has of them, and not what the file's notes say."""
    people = pa.array(["Joe Bloggs", "male"]).dictionary_encode()
    table = pa.table({"resourceType": ["Patient"] * 2, "id": ["1", "2"], "gender": people})
    path = tmp_path / "x"
    pq.write_table(table.replace_schema_metadata({"pandas": "Joe Bloggs"}), path)
    write_again(path, lambda document: None if b"Joe" in document else document)
    assert read_again(path).to_pylist() == table.to_pylist()[1:]
    assert pa.types.is_dictionary(read_again(path).schema.field("gender").type)
    assert b"Joe" not in (tmp_path / "x.again").read_bytes()


def test_required_columns_may_be_null_now(tmp_path: Path) -> None:
    meta = pa.struct([pa.field("versionId", TEXT, nullable=False)])
    schema = pa.schema([("resourceType", TEXT), pa.field("id", TEXT, False), pa.field("meta", meta, False)])
    table = pa.Table.from_pylist([{"resourceType": "Patient", "id": "1", "meta": {"versionId": "1"}}], schema)
    assert changed(tmp_path / "x", table, (',"meta":{"versionId":"1"}', ""), ('"id":"1",', ""))[0] == {
        "resourceType": "Patient",
        "id": "1",
        "meta": None,
    }


# ── values that a column cannot hold ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("array", "name", "masked", "expected"),
    [
        (pa.array([dt.date(1987, 3, 2)]), "birthDate", '"1987"', dt.date(1987, 1, 1)),
        (pa.array([dt.date(1987, 3, 2)]), "birthDate", '"1987-05"', dt.date(1987, 5, 1)),
        (pa.array([dt.datetime(1987, 3, 2)]), "birthDate", '"1987-03-09"', dt.datetime(1987, 3, 9)),
        (
            pa.array([dt.datetime(1987, 3, 2)], pa.timestamp("ms", "UTC")),
            "deceasedDateTime",
            '"2001-02-03T04:05:06.78+02:00"',
            dt.datetime(2001, 2, 3, 2, 5, 6, 780000, tzinfo=dt.UTC),
        ),
        (pa.array([dt.date(1987, 3, 2)]), "birthDate", '"soon"', None),
        (pa.array([7]), "id", '"a-b"', None),
        (pa.array([7], pa.int8()), "multipleBirthInteger", "300", None),
        (pa.array([7], pa.uint8()), "multipleBirthInteger", "-1", None),
        (pa.array([True]), "active", '"yes"', None),
        (pa.array([Decimal("1.5")]), "multipleBirthInteger", "2.26", Decimal("2.3")),
        (pa.array([Decimal("1.5")]), "multipleBirthInteger", "2226", None),
        (pa.array([1.5]), "multipleBirthInteger", '"Infinity"', None),
        (pa.array([dt.datetime(1987, 3, 2)], pa.timestamp("ns")), "deceasedDateTime", '"0900-01-01"', None),
    ],
)
def test_a_value_of_another_type_than_its_column(
    tmp_path: Path, array: pa.Array, name: str, masked: str, expected: Any
) -> None:
    """It is held as nearly as it can be, or null and counted by its path; never what was there before."""
    path = tmp_path / "x"
    pq.write_table(pa.table({"resourceType": ["Patient"], name: array}), path)
    again = write_again(path, lambda _: f'{{"resourceType":"Patient","{name}":{masked}}}'.encode())
    assert read_again(path)[name].to_pylist() == [expected]
    assert again.unplaced == ({} if expected is not None else {f"Patient.{name}": 1})


def test_what_masking_adds_goes_where_there_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "x"
    pq.write_table(pa.table({"resourceType": ["Patient"], "id": ["1"], "meta": [{"versionId": "1"}]}), path)
    document = b'{"resourceType":"Patient","meta":{"versionId":"1","security":[{"code":"PSEUDED"}]},"_birthDate":{}}'
    again = write_again(path, lambda _: document)
    assert again.unplaced == {"Patient.meta.security": 1, "Patient._birthDate": 1}
    labelled = struct(versionId=TEXT, security=pa.list_(struct(code=TEXT)))
    pq.write_table(pa.table({"resourceType": ["Patient"], "meta": pa.array([{"versionId": "1"}], labelled)}), path)
    write_again(path, lambda _: document)
    assert read_again(path)["meta"].to_pylist() == [{"versionId": "1", "security": [{"code": "PSEUDED"}]}]


def test_extensions_that_are_masked_stay_with_their_elements(tmp_path: Path) -> None:
    path = tmp_path / "Patient.parquet"
    pq.write_table(pathling(PATHLING), path)

    def mask(document: bytes) -> bytes:
        known = json.loads(document)
        if known["id"] == "p1":
            known["id"] = "zz"
            known["extension"][1]["valueString"] = "masked"
            del known["name"][1]["extension"]
        return json.dumps(known).encode()

    again = write_again(path, mask)
    row = read_again(path).to_pylist()[0]
    assert (row["id"], row["id_versioned"], row["meta"]["versionId_versioned"]) == (
        "zz",
        *["Patient/zz/_history/2"] * 2,
    )
    entries = dict(row["_extension"])
    assert list(entries) == [1, 20, 23]
    assert [one["valueString"] for one in entries[1]] == [None, "masked"]
    assert again.unplaced == {}
    assert _EXTENSION.num_fields == len(entries[1][0])


# ── a column of documents ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_column_of_documents_keeps_what_names_the_resource(tmp_path: Path) -> None:
    rows = [
        {"key": "p1", "resourceType": "Patient", "loaded_by": "Joe", "n": 1, "body": '\n{"resourceType": "Patient","id":"p1"} '},
        {"key": "p9", "resourceType": "Patient", "loaded_by": "Joe", "n": 2, "body": '{"resourceType":"Patient","id":"p2"}'},
        {"key": "p3", "resourceType": "Patient", "loaded_by": "Joe", "n": 3, "body": None},
        {"key": "p4", "resourceType": "Observation", "loaded_by": "Joe", "n": 4, "body": '{"resourceType":"Patient","id":"p4"}'},
    ]  # fmt: skip
    path = tmp_path / "x"
    pq.write_table(pa.Table.from_pylist(rows), path)
    again = write_again(path, lambda document: document.strip().replace(b'"p', b'"masked-p'))
    assert read_again(path).schema.equals(pq.read_table(path).schema)
    nothing = dict.fromkeys(rows[0])
    assert read_again(path).to_pylist() == [
        nothing
        | {"key": "masked-p1", "resourceType": "Patient", "body": '\n{"resourceType": "Patient","id":"masked-p1"} '},
        nothing | {"resourceType": "Patient", "body": '{"resourceType":"Patient","id":"masked-p2"}'},
        nothing,  # a row without a document; the one after it contradicts itself, and is put aside
    ]
    assert again.denied == {"key": 2, "loaded_by": 3, "n": 3}


@pytest.mark.parametrize("type_", [pa.binary(), pa.large_string(), pa.dictionary(pa.int32(), TEXT)])
def test_columns_of_documents_of_any_type_of_text(tmp_path: Path, type_: pa.DataType) -> None:
    body = ['{"resourceType":"Patient","id":"é"}', None]
    table = pa.table({"body": pa.array(body).cast(type_)})
    same(tmp_path / "x", table)


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_damaged_file_is_named_by_its_number_alone(tmp_path: Path) -> None:
    path = tmp_path / "Joe.parquet"
    pq.write_table(pa.table({"resourceType": ["Patient"] * 5000, "id": [str(at) for at in range(5000)]}), path)
    content = bytearray(path.read_bytes())
    content[40:400] = bytes(360)
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        write_again(path)
    assert "Joe" not in str(caught.value)
    assert caught.value.number == 7


def test_a_column_of_a_type_that_fhir_has_no_spelling_for(tmp_path: Path) -> None:
    path = tmp_path / "x"
    table = pa.table({"resourceType": ["Patient"], "id": ["1"], "active": pa.array([dt.timedelta(1)])})
    pq.write_table(table, path)
    with pytest.raises(UnreadableFile, match="no spelling"):
        write_again(path)


# ── what malformed cells and notes could carry over ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("type_", "cell"),
    [
        (pa.string(), '{"coding":[{"code":"1"}]},"subject":{"display":"Joe Bloggs"}'),
        (pa.string(), '{"coding":[{"code":"1"}]},"mrn":"Joe Bloggs"'),
        (
            pa.list_(pa.struct([("code", pa.string())])),
            [{"code": '{"coding":[{"code":"1"}]}}],"note":[{"text":"Joe Bloggs"'}],
        ),
    ],
)
def test_a_text_is_one_element_whatever_is_in_it(tmp_path: Path, type_: pa.DataType, cell: Any) -> None:
    """A policy is asked of the element in which a text stands, not of others that the text would open behind it."""
    name = "code" if pa.types.is_string(type_) else "component"
    table = pa.table({"resourceType": ["Observation"], "id": ["o"], "status": ["final"], name: pa.array([cell], type_)})
    pq.write_table(table, tmp_path / "x")
    write_again(tmp_path / "x", one)
    assert "Bloggs" not in str(read_again(tmp_path / "x").to_pylist())


def test_canonical_columns_follow_a_value_and_are_canonical(tmp_path: Path) -> None:
    quantity = pa.struct(
        [("value", pa.decimal128(32, 6)), ("_value_canonicalized", pa.string()), ("_code_canonicalized", pa.string())]
    )
    cells = [(None, "Joe A", "Joe B"), (Decimal(1), "Joe C", "Joe D"), (Decimal(2), None, "mmol")]
    rows = [dict(zip([field.name for field in quantity], cell, strict=True)) for cell in cells]
    table = pa.table({
        "resourceType": ["Observation"] * 3, "id": ["a", "b", "c"], "status": ["final"] * 3,
        "valueQuantity": pa.array(rows, quantity),
    })  # fmt: skip
    found = changed(tmp_path / "x", table)
    assert "Joe" not in str(found)
    assert found[2]["valueQuantity"] == rows[2]


def test_notes_of_columns_are_left_behind(tmp_path: Path) -> None:
    family = pa.field("family", pa.string(), metadata={"max": "Bloggs", "PARQUET:field_id": "7"})
    schema = pa.schema(
        [
            pa.field("id", pa.string(), metadata={"comment": "Joe Bloggs"}),
            pa.field("name", pa.list_(pa.struct([family]))),
        ],
        {"org.apache.spark.sql.parquet.row.metadata": '{"ml_attr":{"vals":["Joe Bloggs"]}}', "pandas": "Joe Bloggs"},
    )
    table = pa.Table.from_pylist([{"id": "p", "name": [{"family": "x"}]}], schema)
    pq.write_table(table.append_column("resourceType", pa.array(["Patient"])), tmp_path / "x")
    write_again(tmp_path / "x")
    written = pq.read_metadata(tmp_path / "x.again").metadata
    assert list(written) == [b"ARROW:schema"]
    assert b"Bloggs" not in Path(f"{tmp_path / 'x'}.again").read_bytes()
    assert b"Bloggs" not in base64.b64decode(written[b"ARROW:schema"])
    assert read_again(tmp_path / "x").schema.names == ["id", "name", "resourceType"]


def test_an_unknown_column_is_null_whatever_its_fields_are_called(tmp_path: Path) -> None:
    table = pathling(PATHLING).append_column(
        "mrn", pa.array([{"_fid": 12345678}] * 3, pa.struct([("_fid", pa.int32())]))
    )
    (tmp_path / "Patient.parquet").mkdir()
    pq.write_table(table, tmp_path / "Patient.parquet" / "x")
    again = write_again(tmp_path / "Patient.parquet" / "x")
    assert read_again(tmp_path / "Patient.parquet" / "x")["mrn"].null_count == 3
    assert again.denied == {"mrn": 3}


def test_doubled_names_are_told_of_without_them(tmp_path: Path) -> None:
    arrays = [pa.array(["Patient"]), pa.array(["p"]), pa.array(["male"]), pa.array(["x"]), pa.array(["y"])]
    pq.write_table(pa.Table.from_arrays(arrays, ["resourceType", "id", "gender", "Bloggs", "Bloggs"]), tmp_path / "x")
    with pytest.raises(UnreadableFile, match="input file 7") as raised:
        write_again(tmp_path / "x")
    assert "Bloggs" not in str(raised.value)


def test_bytes_of_any_size_come_back(tmp_path: Path) -> None:
    for type_ in (pa.binary(), pa.large_binary()):
        table = pa.table(
            {"resourceType": ["Binary"], "id": ["b"], "contentType": ["a/b"], "data": pa.array([b"\xffhello"], type_)}
        )
        same(tmp_path / str(type_), table)
        [row] = changed(tmp_path / "x", table, ("/2hlbGxv", "eHh4"))
        assert row["data"] == b"xxx"
