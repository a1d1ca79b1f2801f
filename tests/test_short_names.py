"""Names in short: a display shows the fake of the record's own name, in short where it was, and as texts have it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from documents import dump, plan

from masking.document import Engine
from masking.identity import People, gather
from masking.scrub.vocabulary import nicknames


def masked(given: list[str], display: str, note: str) -> tuple[dict[str, Any], str, str]:
    """The record's fake name, and what becomes of a display and a note about it."""
    documents = [
        {"resourceType": "Patient", "id": "p", "gender": "male", "name": [{"family": "Smith", "given": given}]},
        {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
         "subject": {"reference": "Patient/p", "display": display}, "note": [{"text": note}]},
    ]  # fmt: skip
    lines = [dump(document) for document in documents]
    one, other = (
        json.loads(line or b"") for line in Engine(plan()).with_people(People(gather(lines))).mask_batch(lines).masked
    )
    return one["name"][0], other["subject"]["display"], other["note"][0]["text"]


@pytest.mark.parametrize("given", [["William"], ["Robert", "James"], ["Edward"], ["Thomas"], ["Michael"]])
def test_a_nickname_is_the_records_name_in_short(given: list[str]) -> None:
    nick = nicknames()[given[0].lower()][0].title()
    name, display, note = masked(given, f"{nick} Smith", f"{nick} Smith is well.")
    fake = name["given"][0]
    short = next(iter(nicknames().get(fake.lower(), ())), fake).title()
    assert display == f"{short} {name['family']}"
    assert note == f"{display} is well."
    assert masked(given, nick, "x")[1] == short
    assert masked(given, f"SMITH, {nick.upper()}", "x")[1] == f"{name['family'].upper()}, {short.upper()}"
    assert masked(given, f"Mr. {nick} Smith Jr.", "x")[1] == f"Mr. {short} {name['family']} Jr."


def test_the_long_form_of_a_record_in_short() -> None:
    name, display, note = masked(["Bill"], "William Smith", "William Smith is well.")
    assert display == f"{name['given'][0]} {name['family']}"
    assert note == f"{display} is well."


def test_a_middle_name_in_short() -> None:
    name, display, _ = masked(["Otto", "William"], "Bill Smith", "x")
    fake = name["given"][1]
    assert display == f"{next(iter(nicknames().get(fake.lower(), ())), fake).title()} {name['family']}"


def test_what_is_no_short_form_is_another_name() -> None:
    name, display, _ = masked(["William"], "Ottokar Smith", "x")
    assert display.split()[0] not in (name["given"][0], "Ottokar")
    assert display.split()[1] == name["family"]


def test_two_user_names_stay_two() -> None:
    person = {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Smith", "given": ["William"]}]}
    agents = [{"who": {"reference": "Practitioner/d"}, "altId": one, "requestor": True} for one in ("Bill", "William")]
    audit = {"resourceType": "AuditEvent", "id": "a", "type": {"code": "rest"}, "recorded": "2024-01-01T00:00:00Z",
             "agent": agents, "source": {"observer": {"display": "x"}}}  # fmt: skip
    lines = [dump(person), dump(audit)]
    masked = Engine(plan()).with_people(People(gather(lines))).mask_batch(lines).masked
    first, second = (agent["altId"] for agent in json.loads(masked[1] or b"")["agent"])
    assert first != second
