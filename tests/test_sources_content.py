"""What a file holds is told by its first bytes, whatever its name says."""

from __future__ import annotations

import bz2
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from masking.errors import UnreadableFile
from masking.sources.content import Content, Form, Unsupported, look
from masking.spark.lines import Limits, Reader
from masking.spark.splits import Block

WIDE = Limits(batch_rows=1000, batch_bytes=1 << 20, line_bytes=1 << 20)
COMPRESS = {"gzip": gzip.compress, "bz2": bz2.compress, "zstd": zstandard.ZstdCompressor().compress}
PATIENTS = [b'{"resourceType":"Patient","id":"%d","text":{"div":"x"}}' % number for number in range(3)]
LINES = b"\n".join(PATIENTS) + b"\n"
PRETTY = json.dumps(json.loads(PATIENTS[0]), indent=2).encode()
ARRAY = b"[\n  " + b",\n  ".join(PATIENTS) + b"\n]\n"


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"resource": [line.decode() for line in PATIENTS]}), out)
    return out.getvalue()


def seen(raw: bytes, form: Form = Form.LINES, codec: str = "") -> Content:
    file = pa.BufferReader(raw)
    found = look(file, Content(form, codec))
    assert file.tell() == 0
    return found


@pytest.mark.parametrize("named", [Form.LINES, Form.DOCUMENT, Form.PARQUET])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf", b"\n \r\n"])
@pytest.mark.parametrize(
    ("raw", "form"),
    [(LINES, Form.LINES), (PRETTY, Form.DOCUMENT), (ARRAY, Form.ARRAY), (ARRAY.replace(b"\n", b""), Form.ARRAY)],
)
def test_text_is_what_it_is_under_any_name_and_codec(raw: bytes, form: Form, bom: bytes, named: Form) -> None:
    assert seen(bom + raw, named) == Content(form, "")
    for codec, compress in COMPRESS.items():
        assert seen(compress(bom + raw), named) == Content(form, codec)
        assert seen(compress(bom + raw), named, "gzip") == Content(form, codec)
        assert seen(bom + raw, named, codec) == Content(form, "")


@pytest.mark.parametrize("named", list(Form))
def test_parquet_is_parquet_under_any_name(named: Form) -> None:
    assert seen(parquet(), named, "gzip") == Content(Form.PARQUET, "")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"{}",
        PATIENTS[0],
        PATIENTS[0] + b"\n",
        b'{"resourceType":"Patient","id":\n',
        b'{"resourceType":"Patient","id":\n' + LINES,
        b"[]\n" + LINES,
        b'[{"a":1}]\n' + LINES,
        b"no json\n" + LINES,
        b'"text"\n',
        b"\xff\xfd" * 9,
        LINES[:-9],
    ],
)
@pytest.mark.parametrize("codec", ["", "gzip"])
def test_what_bytes_leave_open_is_as_the_name_says(raw: bytes, codec: str) -> None:
    for named in (Form.LINES, Form.DOCUMENT):
        many = raw.count(b'"Patient"') > 1 and raw.startswith(PATIENTS[0])
        expected = Form.LINES if many else named
        assert seen(COMPRESS[codec](raw) if codec and raw else raw, named, codec) == Content(expected, codec)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"ORC\x08\x03", "ORC"),
        (b"Obj\x01\x04\x14avro.codec", "Avro"),
        (b"PK\x03\x04\x14", "unpack"),
        (b'<?xml version="1.0"?>\n<Patient xmlns="http://hl7.org/fhir"/>', "XML"),
        (b'\xef\xbb\xbf <Bundle xmlns="http://hl7.org/fhir">', "XML"),
        ('{"a":1}'.encode("utf-16"), "UTF-8"),
        (b"PARE\x15\x04", "encryption"),
    ],
)
def test_what_is_known_and_not_read_says_so(tmp_path: Path, raw: bytes, told: str) -> None:
    for form in Form:
        with pytest.raises(Unsupported, match=told):
            seen(raw, form)
    path = tmp_path / "Joe_Bloggs.ndjson"
    path.write_bytes(raw)
    with pytest.raises(UnreadableFile, match=told) as caught:
        list(Reader([Block(str(path), "", 0, len(raw), len(raw), 7)], WIDE))
    assert caught.value.number == 7
    assert "Bloggs" not in str(caught.value)


def documents(path: Path, cuts: int, form: Form, codec: str = "") -> tuple[list[bytes], Reader]:
    size = path.stat().st_size
    edges = [size * number // cuts for number in range(cuts + 1)]
    reader = Reader([Block(str(path), codec, *edges[at : at + 2], size, 1, form) for at in range(cuts)], WIDE)
    return [document for batch in reader for document in batch.documents], reader


@pytest.mark.parametrize("cuts", [1, 2, 5])
@pytest.mark.parametrize("codec", ["", *COMPRESS])
@pytest.mark.parametrize("raw", [LINES, PRETTY, ARRAY])
def test_a_file_that_was_cut_as_something_else_is_read_once(tmp_path: Path, raw: bytes, codec: str, cuts: int) -> None:
    path = tmp_path / "x"
    path.write_bytes(COMPRESS[codec](raw) if codec else raw)
    expected = [PRETTY] if raw is PRETTY else PATIENTS
    found, reader = documents(path, cuts, Form.LINES)
    assert found == expected
    assert sum(reader.lines) == len(expected)
    assert all((form is Form.LINES) is (raw is LINES) for form in reader.forms)


def test_a_broken_array_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(ARRAY[:-3])
    assert documents(path, 1, Form.DOCUMENT)[0] == [ARRAY[:-3]]
