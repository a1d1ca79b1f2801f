"""Attachments: text in base64 of the types that hold text, by the charset that they say; what is not what it says is gone."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

import pytest
from documents import keyring
from hypothesis import given
from hypothesis import strategies as st

from masking.identity.facts import Facts, Identifier, Name
from masking.maskers._known import RecordMaskers
from masking.maskers.base import BoundMasker
from masking.maskers.identifiers import FormatPreserving
from masking.maskers.notes import Scrub
from masking.maskers.people import FirstName, LastName
from masking.scrub import attachments

JOSE = Facts(
    key="p1",
    resource_type="Patient",
    sexes=("male",),
    names=(Name(family="Núñez", given=("José",)),),
    identifiers=(Identifier(value="51984734", system="urn:mrn", types=("MR",)),),
)
UTF16 = "text/plain; charset=utf-16"
TEXT = "José Núñez, MRN 51984734, has a cough."


class Known:
    def facts(self, who: str) -> Facts | None:
        return JOSE if who in ("p1", "Patient/p1") else None

    def canonical(self, who: str) -> str:
        return who


@pytest.fixture(scope="module")
def bound() -> BoundMasker:
    keys = keyring()
    kinds = {"given": FirstName().bind(keys), "family": LastName().bind(keys)}
    scrub = Scrub(form="attachment").bind(keys)
    return scrub.with_record(RecordMaskers(kinds, default=FormatPreserving().bind(keys))).with_people(Known())


def answer(bound: BoundMasker, data: str, content_type: str | None, owner: str | None = "Patient/p1") -> str | None:
    beside = {name: [None] for name in ("people", "chart", "strangers", "numbers")}
    [found] = bound.mask_distinct([data], owner=[owner], content_type=[content_type], **beside)
    return found


def masked(bound: BoundMasker, raw: bytes, content_type: str | None, owner: str | None = "Patient/p1") -> bytes | None:
    found = answer(bound, base64.b64encode(raw).decode(), content_type, owner)
    return None if found is None else base64.b64decode(found, validate=True)


def is_clean(text: str) -> bool:
    return not any(part in text for part in ("José", "Núñez", "Jos", "51984734", "JOS"))


@pytest.mark.parametrize(
    ("content_type", "before", "behind"),
    [
        ("text/plain", "", ""),
        ("text/markdown", "# Note\n\n", "\n"),
        ("text/csv", "a,b\n1,", "\n"),
        ("text/html", "<html><body><p class='x'>", "</p></body></html>"),
        ("application/xhtml+xml", '<div xmlns="http://www.w3.org/1999/xhtml">', "</div>"),
        ("application/xml", "<?xml version='1.0'?><a b='1'>", "</a>"),
        ("application/json", '{"note": "', '", "n": 1.50}'),
        ("application/hl7-cda+xml", '<ClinicalDocument xmlns="urn:hl7-org:v3"><text>', "</text></ClinicalDocument>"),
        ("TEXT/HTML; charset=UTF-8", "<b>", "</b>"),
        ('text/plain; format=flowed; charset="utf-8"', "", ""),
    ],
)
def test_text_of_every_type_is_scrubbed_and_its_markup_stays(
    bound: BoundMasker, content_type: str, before: str, behind: str
) -> None:
    answer = masked(bound, f"{before}{TEXT}{behind}".encode(), content_type)
    assert answer is not None
    text = answer.decode()
    assert text.startswith(before) and text.endswith(f", has a cough.{behind}")
    assert is_clean(text)


def test_rtf(bound: BoundMasker) -> None:
    answer = masked(bound, rb"{\rtf1\ansi {\b Jos\'e9 N\'fa\'f1ez}, MRN 51984734\par has a cough.}", "application/rtf")
    assert answer is not None
    assert answer.startswith(rb"{\rtf1\ansi {\b ") and answer.endswith(rb"\par has a cough.}")
    assert b"Jos" not in answer and b"51984734" not in answer


def test_a_clinical_document_of_hl7(bound: BoundMasker) -> None:
    cda = (
        '<ClinicalDocument xmlns="urn:hl7-org:v3" classCode="DOCCLIN"><id root="2.16.840.1.113883.19.5.9" extension="XY99"/>'
        '<code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><effectiveTime value="20240304101500-0500"/>'
        '<patientRole><id root="2.16.840.1.113883.19.5" extension="51984734"/><telecom use="HP" value="tel:+1(212)736-5000"/>'
        '<patient><name use="L"><given>José</given><family>Núñez</family></name><birthTime value="19640109"/></patient>'
        '</patientRole><observation><value xsi:type="PQ" value="7.2" unit="%"/><text>José coughs.</text></observation>'
        "</ClinicalDocument>"
    )
    answer = masked(bound, cda.encode(), "application/hl7-cda+xml")
    assert answer is not None
    text = answer.decode()
    assert is_clean(text)
    assert not any(part in text for part in ("XY99", "19640109", "20240304", "736-5000"))
    shape = re.compile(
        r'(?<=extension=")[^"]+|(?<=Time value=")[^"]+|tel:[^"]+|(?<=given>)\w+|(?<=family>)\w+|\w+(?= coughs)'
    )
    assert shape.sub("", text) == shape.sub("", cda)


@pytest.mark.parametrize(
    ("charset", "codec", "mark"),
    [
        ("iso-8859-1", "latin-1", b""),
        ("ISO-8859-1", "latin-1", b""),
        ("latin1", "latin-1", b""),
        ("windows-1252", "cp1252", b""),
        ("iso-8859-15", "iso8859-15", b""),
        ("utf-16", "utf-16-le", b"\xff\xfe"),
        ("utf-16", "utf-16-be", b"\xfe\xff"),
        ("UTF-16LE", "utf-16-le", b""),
        ("utf-16be", "utf-16-be", b""),
        ("utf-8", "utf-8", b"\xef\xbb\xbf"),
    ],
)
def test_a_text_is_written_back_in_its_charset(bound: BoundMasker, charset: str, codec: str, mark: bytes) -> None:
    answer = masked(bound, mark + TEXT.encode(codec), f"text/plain; charset={charset}")
    assert answer is not None and answer.startswith(mark)
    text = answer[len(mark) :].decode(codec)
    plain = masked(bound, TEXT.encode(), "text/plain")
    assert plain is not None and text == plain.decode()
    assert is_clean(text)
    untouched = mark + "Ça va. Température 38°.".encode(codec)
    assert masked(bound, untouched, f"text/plain; charset={charset}") == untouched


@pytest.mark.parametrize(
    ("content_type", "raw"),
    [
        ("text/plain", TEXT.encode("latin-1")),  # says nothing, and is not UTF-8
        ("text/plain; charset=us-ascii", TEXT.encode()),
        ("text/plain; charset=iso-8859-1", TEXT.encode()),  # UTF-8: the names would read as 'JosÃ©'
        ("text/plain; charset=windows-1252", "Jos\x81".encode("latin-1")),
        ("text/plain; charset=iso-8859-2", "O\x92Brien".encode("latin-1")),
        ("text/plain", "Robert".encode("utf-16-le")),  # valid UTF-8, with a zero byte between the letters
        ("text/plain; charset=iso-8859-1", TEXT.encode("utf-16-le")),
        (UTF16, TEXT.encode("utf-16-le")),  # no mark of the order
        ("text/plain; charset=utf-16be", TEXT.encode("utf-16-le")),
        ("text/plain; charset=utf-16le", TEXT.encode("utf-16-be")),
        ("text/plain; charset=utf-16le", b"Robert Smith"),  # of the length that UTF-16 may have
        ("text/plain; charset=utf-16le", b"Robert"[:5]),
        ("text/plain; charset=utf-16le", b"\x00\xd8"),
        ("text/plain; charset=utf-7", b"Jos+AOk-"),
        ("text/plain; charset=rot13", b"Wbfr"),
        ("text/plain; charset=hex", b"4a6f7365"),
        ("text/plain; charset=nonsense", b"Jose"),
        ("text/plain; charset=utf-8; charset=latin1", b"Jose"),
        ("text/plain; charset", b"Jose"),
        ("text/plain; charset='utf-8'", b"Jose"),
        ("application/pdf", b"%PDF-1.7"),
        ("image/png", b"\x89PNG"),
        (None, b"Jose"),
        ("", b"Jose"),
    ],
)
def test_what_is_not_what_it_says_is_gone(bound: BoundMasker, content_type: str | None, raw: bytes) -> None:
    assert masked(bound, raw, content_type) is None


def test_what_is_no_base64_is_gone(bound: BoundMasker) -> None:
    for data in ("Jose!", "Sm9z=ZQ", "Sm9zZ"):
        assert answer(bound, data, "text/plain") is None


def test_base64_in_lines_is_read(bound: BoundMasker) -> None:
    data = base64.encodebytes(TEXT.encode() * 5).decode()
    found = answer(bound, data, "text/plain")
    assert found is not None and is_clean(base64.b64decode(found).decode())


def test_a_text_of_somebody_unknown_is_the_placeholder_in_its_charset(bound: BoundMasker) -> None:
    raw = b"\xff\xfe" + TEXT.encode("utf-16-le")
    assert masked(bound, raw, UTF16, owner=None) == b"\xff\xfe" + "[redacted]".encode("utf-16-le")
    assert masked(bound, b"<p>Jose</p>", "text/html", owner="Patient/stranger") is None


def test_a_mark_is_seen_in_every_charset() -> None:
    scrub = Scrub(form="attachment").bind(keyring())
    for codec in ("utf-8", "latin-1", "utf-16", "utf-16-be"):
        source, answer, placeholder = (
            base64.b64encode(text.encode(codec)).decode() for text in ("José [a]", "é [name]", "[redacted]")
        )
        assert scrub.blanks(source, answer) and scrub.blanks(source, placeholder)
        assert not scrub.blanks(answer, answer) and not scrub.blanks(placeholder, placeholder)


def test_a_character_that_the_charset_lacks_is_written_otherwise() -> None:
    for content_type, written in (("text/plain", b"?ga"), ("text/html", b"&#332;ga")):
        document = attachments.read(base64.b64encode(b"Jos\xe9").decode(), content_type + "; charset=latin1")
        assert document is not None and document.text == "José"
        assert base64.b64decode(attachments.write(document, "Ōga")) == written


@given(st.binary(max_size=40), st.sampled_from(["", "; charset=latin1", "; charset=utf-16", "; charset=utf-16le"]))
def test_what_is_read_and_not_changed_is_the_very_bytes(raw: bytes, charset: str) -> None:
    document = attachments.read(base64.b64encode(raw).decode(), "text/plain" + charset)
    assert document is None or base64.b64decode(attachments.write(document, document.text)) == raw


@given(st.text(st.characters(codec="latin-1", min_codepoint=32, max_codepoint=126)), st.sampled_from([1, 2]))
def test_ascii_read_as_utf16_is_gone(text: str, times: int) -> None:
    document = attachments.read(base64.b64encode((text * 2).encode()).decode(), "text/plain; charset=utf-16le")
    assert document is None or document.text == ""


def test_the_same_key_gives_the_same_bytes(bound: BoundMasker) -> None:
    answer = masked(bound, TEXT.encode("latin-1"), "text/plain; charset=iso-8859-1")
    assert answer is not None
    assert (
        sha256(answer).digest()
        == sha256(masked(bound, TEXT.encode("latin-1"), "text/plain;charset=latin1") or b"").digest()
    )
