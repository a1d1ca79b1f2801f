"""What a file holds, told by its first bytes: lines, one document, an array of documents, a Parquet file; and its codec.

A name may be wrong; bytes are not. What they leave open (an empty file, broken JSON) is as the name says. What is known
and not read is `Unsupported`, with what to do about it.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

BOM = b"\xef\xbb\xbf"
_WHITE = b" \t\r\n"
#: As much of a file's text as is looked at.
HEAD_BYTES = 32 << 10
#: Of a compressed file: bzip2 tells nothing of a block before it has all of it.
_STORED_BYTES = 1 << 20

_CODECS = ((b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bz2"))
_PARQUET = b"PAR1"
_CONVERT = "convert it to NDJSON or Parquet, as with spark.read.format({!r}).load(…).write.parquet(…)"
_REFUSED = (
    (b"ORC", "it is an ORC file; " + _CONVERT.format("orc")),
    (b"Obj\x01", "it is an Avro file; " + _CONVERT.format("avro")),
    (b"PARE", "it is a Parquet file with an encrypted footer; write it without encryption"),
    (b"PK\x03\x04", "it is a zip archive; unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive; unpack it"),
    (b"\xfd7zXZ\x00", "it is compressed with xz; use gzip, bzip2 or Zstandard, or none"),
    (b"\xff\xfe", "it is UTF-16 text; FHIR is UTF-8"),
    (b"\xfe\xff", "it is UTF-16 text; FHIR is UTF-8"),
)
_XML = "it is XML; export FHIR as JSON or NDJSON"


class Form(enum.StrEnum):
    """How documents lie in a file."""

    LINES = "lines"  # a document a line
    DOCUMENT = "document"  # the file is one document, which may span lines
    ARRAY = "array"  # of documents; no name says so, content alone
    PARQUET = "parquet"  # a document a row


class Content(NamedTuple):
    """What a file is: its form, and the codec that is around it ("" for none)."""

    form: Form
    codec: str


class Unsupported(ValueError):
    """A file is of a kind that is not read, or does not hold what its kind should. Tells no name and no value."""


def look(raw: Any, named: Content) -> Content:
    """What an open file is; `named` is what its name says. Leaves it at its beginning.

    `Unsupported` for kinds that are known and not read; what the file raises where it cannot be read.
    """
    head = _read(raw)
    codec = next((codec for magic, codec in _CODECS if head.startswith(magic)), "")
    if codec:
        form = _form(_inside(raw, codec), named.form)
        return Content(form, codec)
    form = _form(head, named.form)
    # With nothing to say otherwise, a file that is named as compressed is taken for one that is damaged.
    known = head.startswith(_PARQUET) or head.removeprefix(BOM).lstrip(_WHITE)[:1] in (b"{", b"[")
    return Content(form, "" if known else named.codec)


def told_by_content(raw: Any) -> Content | None:
    """What an open file is whose name says nothing: Parquet, or text that begins as JSON and soon names a resourceType.

    None for all else, what is known and not read too. Leaves the file at its beginning.
    """
    try:
        content = look(raw, Content(Form.LINES, ""))
    except Unsupported:
        return None
    if content.form is Form.PARQUET:
        return content
    head = _inside(raw, content.codec) if content.codec else _read(raw)
    is_json = head.removeprefix(BOM).lstrip(_WHITE)[:1] in (b"{", b"[")
    return content if is_json and b'"resourceType"' in head else None


def _read(stream: Any) -> bytes:
    head = bytes(stream.read(HEAD_BYTES))
    stream.seek(0)
    return head


def _inside(raw: Any, codec: str) -> bytes:
    """The first of what is compressed; empty where it is damaged, which whoever reads it will find."""
    stored = pa.BufferReader(raw.read(_STORED_BYTES))  # a stream of its own, for closing that one would close the file
    raw.seek(0)
    try:
        return bytes(pa.CompressedInputStream(stored, codec).read(HEAD_BYTES))
    except (OSError, pa.ArrowException):
        return b""


def _form(head: bytes, named: Form) -> Form:
    """The form by the first bytes, of which those of a text may be cut off anywhere."""
    if head.startswith(_PARQUET):
        return Form.PARQUET
    for magic, why in _REFUSED:
        if head.startswith(magic):
            raise Unsupported(why)
    if named is Form.PARQUET and head[:1] not in (b"{", b"[", b"\xef", b"<", b" ", b"\n", b"\r", b"\t"):
        return named
    text = head.removeprefix(BOM).lstrip(_WHITE)
    if text.startswith((b"<?xml", b"<Bundle", b"<!--")):
        raise Unsupported(_XML)
    return _text_form(text, Form.LINES if named is Form.PARQUET else named)


def _text_form(text: bytes, named: Form) -> Form:
    line, newline, rest = text.partition(b"\n")
    below = rest.lstrip(_WHITE)[:1]
    if text[:1] == b"[" and text[1:].lstrip(_WHITE)[:1] == b"{":
        return named if below and _is_whole(line) else Form.ARRAY
    if text[:1] != b"{" or not newline:
        return named
    if _is_whole(line):
        return Form.LINES if below == b"{" else named
    # Printed for the eye: no line of NDJSON begins with a name or a closing brace.
    return Form.DOCUMENT if below in (b'"', b"}") else named


def _is_whole(line: bytes) -> bool:
    try:
        _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


_decode = msgspec.json.Decoder().decode
