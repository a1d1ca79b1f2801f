"""Codes of required bindings: closed value sets alone, out of HL7's own files, and light to load."""

from __future__ import annotations

from pathlib import Path

import pytest

from masking.fhir import codes as table
from masking.fhir import generate_codes
from masking.fhir.codes import codes
from masking.fhir.elements import element
from masking.verify.valid import faults_of

HL7 = "http://hl7.org/fhir/ValueSet/"


def test_codes_are_those_of_the_standard() -> None:
    assert codes(f"{HL7}administrative-gender|4.0.1") == {"male", "female", "other", "unknown"}
    assert codes(f"{HL7}observation-status") == {
        *("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"),
    }
    assert "Patient" in (codes(f"{HL7}resource-types") or ())


def test_open_value_sets_are_not_known() -> None:
    required = generate_codes.required_value_sets()
    open_ones = {url.rpartition("/")[2] for url in required if codes(url) is None}
    assert open_ones == {"currencies", "mimetypes", "ucum-units", "LL379-9"}
    assert codes(f"{HL7}languages") is None


def test_no_code_is_lost_to_the_way_they_are_written() -> None:
    listed = table._sets()
    assert len(listed) == 220
    assert all(text == " ".join(sorted(set(text.split(" ")))) and text.strip() == text for text in listed.values())
    assert sum(map(len, listed.values())) < 40_000


@pytest.mark.parametrize(
    ("path", "value", "fine"),
    [
        ("Patient.gender", "male", True),
        ("Patient.gender", "Male", False),
        ("Observation.status", "final", True),
        ("Observation.status", "done", False),
        ("Attachment.contentType", "made/up", True),  # of an open one
        ("Observation.language", "xx", True),  # preferred, not required
    ],
)
def test_validity_holds_codes_against_them(path: str, value: str, fine: bool) -> None:
    assert bool(faults_of(element(path), value, False, path)) != fine


SYSTEM = (
    '<CodeSystem><url value="s"/><content value="{}"/><concept><code value="a"/><concept><code value="b"/></concept></concept>'
    "</CodeSystem>"
)


def _terms(folder: Path, *parts: str, content: str = "complete") -> generate_codes.Terms:
    whole = '<Bundle xmlns="http://hl7.org/fhir">{}</Bundle>'
    sets = "".join(
        f'<ValueSet><url value="v{number}"/><compose>{part}</compose></ValueSet>' for number, part in enumerate(parts)
    )
    (folder / "deep").mkdir(exist_ok=True)
    (folder / "valuesets.xml").write_text(whole.format(sets))
    (folder / "v3-codesystems.xml").write_text(whole.format(SYSTEM.format(content)))
    (folder / "deep" / "v2-tables.xml").write_text(whole.format(""))
    return generate_codes.read(folder)


WHOLE = '<include><system value="s"/></include>'
LISTED = '<include><system value="t"/><concept><code value="c"/></concept></include>'


def test_a_value_set_is_closed_where_each_part_is(tmp_path: Path) -> None:
    terms = _terms(tmp_path, WHOLE + LISTED, '<include><valueSet value="v0"/></include>')
    assert generate_codes.closed(terms, "v0|4.0.1") == ["a", "b", "c"] == generate_codes.closed(terms, "v1")


@pytest.mark.parametrize(
    "part",
    [
        '<include><system value="elsewhere"/></include>',
        '<include><system value="s"/><filter><property value="concept"/></filter></include>',
        LISTED + '<exclude><system value="t"/></exclude>',
        '<include><valueSet value="v0"/></include>',  # itself
        '<include><system value="s"/><valueSet value="v1"/></include>',
        "",
    ],
)
def test_others_are_open(tmp_path: Path, part: str) -> None:
    assert generate_codes.closed(_terms(tmp_path, part, LISTED), "v0") is None


def test_a_code_system_of_which_a_part_is_there_is_open(tmp_path: Path) -> None:
    assert generate_codes.closed(_terms(tmp_path, WHOLE, content="fragment"), "v0") is None


def test_the_table_is_read_apart_from_that_of_elements() -> None:
    """The engine, which needs no codes, is not slowed by them."""
    table._sets.cache_clear()
    table.codes.cache_clear()
    assert element("Patient.gender").binding == "required"
    assert table._sets.cache_info().currsize == 0
