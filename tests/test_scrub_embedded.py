"""Attachments hold bytes and ids as well: what is no text goes, ids become those of the records, and what is left is valid."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from documents import dump, plan

from masking.document import Engine
from masking.identity import People, gather
from masking.scrub.embedded import without_bytes

JPEG = "/9j/4AAQSkZJRgABAQEAYABgAAD"
ROBERT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "gender": "male",
    "birthDate": "1964-01-09",
    "name": [{"family": "Smithers", "given": ["Robert"]}],
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999974493"}],
}


def masked(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [dump(document) for document in (ROBERT, *documents)]
    batch = Engine(plan("realistic")).with_people(People(gather(lines))).mask_batch(lines)
    assert not batch.faults
    return [json.loads(line) for line in batch.masked if line is not None]


def attachment(
    text: str, content_type: str, *, others: tuple[dict[str, Any], ...] = ()
) -> tuple[str | None, list[dict[str, Any]]]:
    """The text of a masked attachment of Robert's, None where it is gone; and the records beside it."""
    document = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "subject": {"reference": "Patient/p1"},
        "content": [{"attachment": {"contentType": content_type, "data": base64.b64encode(text.encode()).decode()}}],
    }
    *records, answer = masked(*others, document)
    data = answer["content"][0]["attachment"].get("data")
    return None if data is None else base64.b64decode(data).decode(), records


def test_a_cda_keeps_its_elements_and_loses_their_bytes() -> None:
    cda = (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><nonXMLBody><text mediaType="application/pdf" representation="B64">'
        f"JVBERi0xLjQKUm9iZXJ0</text></nonXMLBody></component><text>Robert came</text><observationMedia>"
        "<value representation='B64' "
        f'mediaType="image/jpeg">{JPEG}</value></observationMedia><value representation="B64"/></ClinicalDocument>'
    )
    text, _ = attachment(cda, "application/hl7-cda+xml")
    assert text is not None and "JVBER" not in text and JPEG not in text and "Robert" not in text
    assert [one.tag.rpartition("}")[2] for one in ElementTree.fromstring(text).iter()] == [
        one.tag.rpartition("}")[2] for one in ElementTree.fromstring(cda).iter()
    ]


def test_a_cda_whose_bytes_do_not_end_goes_as_a_whole() -> None:
    assert attachment('<a><text representation="B64">JVBERi0xLjQ</a>', "application/hl7-cda+xml")[0] is None


@pytest.mark.parametrize("quoted", [f'"data:image/jpeg;base64,{JPEG}=="', f"'DATA:image/png;base64,{JPEG}'"])
def test_pictures_in_html_go(quoted: str) -> None:
    text, _ = attachment(
        f"<p style=\"background:url(data:image/gif;base64,{JPEG})\"><img src={quoted} alt='x'/></p>", "text/html"
    )
    assert text is not None and "9j/4" not in text
    assert [one.tag for one in ElementTree.fromstring(text).iter()] == ["p", "img"]


def test_pictures_in_narratives_go() -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><img src="data:image/jpeg;base64,{JPEG}=" alt="Robert"/></div>'
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {},
        "subject": {"reference": "Patient/p1"},
        "text": {"status": "generated", "div": div},
    }
    text = masked(observation)[1]["text"]["div"]
    assert JPEG not in text and "Robert" not in text
    assert ElementTree.fromstring(text)[0].get("src") == "data:,"


def test_base64_in_lines_of_a_text_goes() -> None:
    lines = base64.encodebytes(bytes(range(256)) * 4).decode()
    text, _ = attachment(f"OBX|1|ED|PDF^^Base64^{lines}\nRobert came ACGT{'ACGT' * 30}", "text/plain")
    assert text is not None and text.startswith("OBX|1|ED|PDF^^Base64^[bytes]") and text.endswith("ACGT" * 30)
    assert all(line not in text for line in lines.splitlines())


def test_resources_in_json_have_the_ids_of_the_records_and_no_bytes() -> None:
    organization = {"resourceType": "Organization", "id": "98765", "name": "Acme"}
    source = {
        "resourceType": "Observation",
        "id": "12345",
        "contained": [{"id": "dev", "resourceType": "Device", "identifier": [{"value": "X-99812"}]}],
        "subject": {"reference": "Patient/p1"},
        "device": {"reference": "#dev"},
        "performer": [{"reference": "Organization/98765"}, {"reference": "http://h.org/fhir/Patient/p1"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "1234-5"}]},
        "valueSampledData": {"dimensions": 1, "data": "1 2 3 4 E U L"},
        "extension": [{"valueAttachment": {"contentType": "image/png", "data": JPEG, "hash": "aGVsbG8="}}],
    }
    text, (robert, acme) = attachment(json.dumps(source), "application/fhir+json", others=(organization,))
    assert text is not None
    found = json.loads(text)
    assert found["subject"]["reference"] == f"Patient/{robert['id']}"
    assert found["performer"][0]["reference"] == f"Organization/{acme['id']}"
    assert found["performer"][1]["reference"].endswith(f"/fhir/Patient/{robert['id']}")
    assert (
        found["id"] not in ("12345", "") and found["device"]["reference"] == f"#{found['contained'][0]['id']}" != "#dev"
    )
    assert found["contained"][0]["identifier"][0]["value"] != "X-99812"
    assert found["code"] == source["code"] and found["valueSampledData"] == source["valueSampledData"]
    bytes_ = found["extension"][0]["valueAttachment"]
    assert set(bytes_) == {"contentType", "_data", "_hash"}
    assert bytes_["_data"]["extension"][0] == {
        "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
        "valueCode": "masked",
    }


def test_resources_in_xml_have_the_ids_of_the_records_and_no_bytes() -> None:
    source = (
        '<Observation xmlns="http://hl7.org/fhir"><id value="12345"/><subject><reference value="Patient/p1"/></subject>'
        f'<identifier><value value="X-99812"/></identifier><photo><data value="{JPEG}"/></photo>'
        '<valueSampledData><data value="1 2 3 4"/></valueSampledData></Observation>'
    )
    text, (robert,) = attachment(source, "application/fhir+xml")
    assert text is not None
    space = {"f": "http://hl7.org/fhir"}
    root = ElementTree.fromstring(text)
    values = {path: one.get("value") for path in ("id", "subject/reference", "identifier/value", "valueSampledData/data")
              for one in root.findall("f:" + path.replace("/", "/f:"), space)}  # fmt: skip
    assert values["subject/reference"] == f"Patient/{robert['id']}"
    assert values["id"] not in ("12345", None) and values["identifier/value"] not in ("X-99812", None)
    assert values["valueSampledData/data"] == "1 2 3 4"
    [data] = root.findall("f:photo/f:data", space)
    assert data.get("value") is None and data[0][0].get("value") == "masked"


def test_links_of_html_lead_where_the_records_do() -> None:
    text, (robert,) = attachment('<a href="Patient/p1">x</a> <a href="Patient/example">y</a>', "text/html")
    assert text is not None and f'href="Patient/{robert["id"]}"' in text and "Patient/example" not in text


def test_a_conditional_link_of_a_narrative_asks_for_the_masked_identifier() -> None:
    link = "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999974493"
    composition = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {},
        "subject": {"reference": "Patient/p1"},
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{link}">c</a></div>',
        },
    }
    robert, answer = masked(composition)
    number = robert["identifier"][0]["value"]
    assert number != "9999974493"
    assert f"Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|{number}" in answer["text"]["div"]


@pytest.mark.parametrize("kind", ["plain", "html", "xml", "json", "rtf"])
@pytest.mark.parametrize("text", ["", "0", "Robert came", "<p>a &lt; b</p>", '{"data": "AAAA"}', "{\\rtf1 x}"])
def test_what_holds_no_bytes_stays(kind: str, text: str) -> None:
    assert without_bytes(kind, text) == text
