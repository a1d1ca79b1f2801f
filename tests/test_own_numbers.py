"""A resource's own id, numbers and names in its own texts: what its narrative or its report says of it is masked as it is."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from documents import Resource, masked

PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "name": [{"family": "Novak", "given": ["Maria"]}]}
OF = {"subject": {"reference": "Patient/p"}}
V2 = "http://terminology.hl7.org/CodeSystem/v2-0203"
NUMBERS = [
    {"system": "urn:x:accessions", "value": "X352356"},
    {
        "type": {"coding": [{"system": V2, "code": "FILL"}]},
        "system": "http://lab.example.org/n",
        "value": "20150816-00124",
    },
    {"value": "É4471-03"},
    {"value": "12"},
]


def in_data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def report(**rest: Any) -> Resource:
    return {
        "resourceType": "DiagnosticReport",
        "id": "rep-88123",
        "status": "final",
        "identifier": NUMBERS,
        **OF,
        **rest,
    }


@pytest.mark.parametrize("batch", [0, 1])
def test_a_report_tells_the_numbers_that_its_elements_show(batch: int) -> None:
    said = "Report {id}, accession {0} (no. {1}, was {2}). {small} Glucose 120, 12 weeks, code 4471."
    before = said.format("X352356", "20150816-00124", "É4471-03", id="rep-88123", small="x352356!")
    data = in_data(before)
    source = report(conclusion=before, presentedForm=[{"contentType": "text/plain", "data": data, "size": len(before)}])
    again = report(conclusion="Glucose 120.", presentedForm=source["presentedForm"])
    _, seen, other = masked(PATIENT, source, again, batch=batch)
    values = [one["value"] for one in seen["identifier"]]
    expected = said.format(*values, id=seen["id"], small=f"{values[0]}!")
    assert seen["conclusion"] == expected
    for one in (seen, other):
        assert base64.b64decode(one["presentedForm"][0]["data"]).decode() == expected
        assert one["presentedForm"][0]["size"] == len(expected)
    assert other["conclusion"] == "Glucose 120."


def test_a_narrative_and_what_is_contained() -> None:
    tube = {"resourceType": "Specimen", "id": "s1", "accessionIdentifier": {"value": "SP-99281"}, **OF}
    xhtml = '<div xmlns="http://www.w3.org/1999/xhtml"><b>id</b>: rep-88123<br/>X352356 of SP-99281</div>'
    source = report(
        text={"status": "generated", "div": xhtml},
        contained=[{**tube, "note": [{"text": "Tube SP-99281 of X352356."}]}],
        specimen=[{"reference": "#s1"}],
    )
    _, seen = masked(PATIENT, source)
    own, inner = seen["identifier"][0]["value"], seen["contained"][0]["accessionIdentifier"]["value"]
    assert "99281" not in json.dumps(seen) and "352356" not in json.dumps(seen)
    assert seen["text"]["div"].endswith(f"<b>id</b>: {seen['id']}<br/>{own} of {inner}</div>")
    assert seen["contained"][0]["note"] == [{"text": f"Tube {inner} of {own}."}]


def test_another_resource_s_number_is_no_number_of_a_text() -> None:
    """Words and small numbers that happen to be an id or an identifier elsewhere stay; entries of a Bundle are others."""
    other = {"resourceType": "Observation", "id": "o-51234", "status": "final", "code": {"text": "x"}, **OF,
             "note": [{"text": "Lot K352356 and Glucose-77123."}]}  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": report(identifier=[{"value": "K352356"}, {"value": "Glucose-77123"}])}, {"resource": other}]}  # fmt: skip
    *_, seen = masked(PATIENT, bundle)[1]["entry"]
    assert seen["resource"]["note"] == other["note"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("HBA1C", "HbA1c 7.1, HBA1C better."), ("120/80", "BP 120/80."), ("12000", "Platelets 12000."),
        ("100 mg", "Takes 100 mg daily."), ("1.5 mg/dL", "Is 1.5 mg/dL."), ("COVID-19", "COVID-19 positive."),
        ("2024", "In 2024 she fell."), ("A1C1", "A1C1 low."), ("Stage IIIA", "Cancer stage IIIA."),
    ],
)  # fmt: skip
def test_a_number_that_is_a_word_of_the_text_changes_none(number: str, text: str) -> None:
    _, seen = masked(
        PATIENT, report(identifier=[{"value": number}], id=number.replace("/", "-").replace(" ", "-"), conclusion=text)
    )
    assert seen["conclusion"] == text


def test_an_id_with_few_figures_goes_where_it_is_spelled_so() -> None:
    text = "id: 1minute-apgar-score; 1 minute Apgar score"
    for said, changes in ((text, True), (text.partition("; ")[2], False)):
        _, seen = masked(PATIENT, report(identifier=[], id="1minute-apgar-score", conclusion=said))
        assert (seen["id"] in seen["conclusion"]) == changes == (seen["conclusion"] != said)


def test_a_day_is_moved_though_it_is_a_number_too() -> None:
    _, one, other = masked(
        PATIENT,
        *(report(identifier=[{"value": value}], conclusion="Seen 2024-05-01.") for value in ("2024-05-01", "x")),
    )
    assert one["conclusion"] == other["conclusion"] != "Seen 2024-05-01."


def test_many_numbers_of_one_resource_take_no_time_of_their_own() -> None:
    """Each contained resource has the numbers of all of them: they are gathered once, not once each."""

    def seconds(count: int) -> float:
        tubes = [{"resourceType": "Specimen", "id": f"s{n:05}", "accessionIdentifier": {"value": f"SP-{n:06}"}, **OF,
                  "note": [{"text": "Tube of nothing."}]} for n in range(count)]  # fmt: skip
        source = report(contained=tubes, specimen=[{"reference": f"#{tube['id']}"} for tube in tubes])
        start = time.process_time()
        _, seen = masked(PATIENT, source)
        assert len(seen["contained"]) == count
        return time.process_time() - start

    seconds(100)
    few, many = (min(seconds(count) for _ in range(2)) for count in (500, 4000))
    assert many < 24 * few  # eight times as many; sixty-four times if each were asked about each


@pytest.mark.parametrize(
    ("element", "number"),
    [("serialNumber", "SN-7741-K9"), ("lotNumber", "LT 55120"), ("distinctIdentifier", "A99971B4")],
)
def test_numbers_in_elements_of_their_own(element: str, number: str) -> None:
    device = {
        "resourceType": "Device",
        "id": "d-1",
        "patient": OF["subject"],
        element: number,
        "note": [{"text": f"Is {number}."}],
    }
    _, seen = masked(PATIENT, device)
    assert seen[element] != number
    assert seen["note"] == [{"text": f"Is {seen[element]}."}]


def test_what_another_rule_masks_shows_that_it_went() -> None:
    xhtml = '<div xmlns="http://www.w3.org/1999/xhtml">altId: 601847123, name: Grahame Quillfeather</div>'
    event = {"resourceType": "AuditEvent", "id": "a", "type": {"code": "rest"}, "text": {"status": "generated", "div": xhtml},
             "agent": [{"name": "Grahame Quillfeather", "altId": "601847123", "requestor": True,
                        "who": {"reference": "Patient/p"}}]}  # fmt: skip
    _, seen = masked(PATIENT, event)
    assert seen["text"]["div"].endswith(f">altId: [identifier], name: {seen['agent'][0]['name']}</div>")


def test_an_agent_by_name_alone() -> None:
    xhtml = '<div xmlns="http://www.w3.org/1999/xhtml">Grahame Quillfeather read it.</div>'
    event = {"resourceType": "AuditEvent", "id": "a", "type": {"code": "rest"}, "text": {"status": "generated", "div": xhtml},
             "agent": [{"name": "Grahame Quillfeather", "requestor": True}],
             "entity": [{"what": {"reference": "Patient/p"}}]}  # fmt: skip
    _, seen = masked(PATIENT, event)
    assert seen["text"]["div"].endswith(">[name] read it.</div>")


def test_a_relative_in_a_history() -> None:
    history = {"resourceType": "FamilyMemberHistory", "id": "f", "status": "completed", "name": "Ottoline Bramwell",
               "patient": OF["subject"], "note": [{"text": "Aunt Ottoline Bramwell had colon cancer."}]}  # fmt: skip
    _, seen = masked(PATIENT, history)
    assert seen["note"] == [{"text": "Aunt [name] had colon cancer."}]
