"""Names of files that tell of people, and those that only look so."""

from __future__ import annotations

import pytest

from masking.identity.facts import Contact, Facts, Identifier, Name, Telecom
from masking.spark.inplace import names

PEOPLE = (
    Facts(
        "Patient",
        "6d75a1f0-1c2b-4d3e-8f90-abcdefabcdef",
        birth_dates=("1987-03-02",),
        names=(Name(family="Núñez-O'Brien123", given=("Zoë", "Jo")),),
        identifiers=(Identifier("mrn", "MRN-50703152"), Identifier("short", "12")),
        telecoms=(Telecom("phone", "+1 (508) 998-0035"),),
        contacts=(Contact(names=(Name(text="Ada Lovelace"),)),),
    ),
    Facts(
        "Organization", "org-77", names=(Name(text="General Hospital"),), identifiers=(Identifier("", "99-1234567"),)
    ),
)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_everybody", lambda folder: iter(PEOPLE))


@pytest.mark.parametrize(
    "name",
    [
        "Zoe_x.json",
        "NUNEZ.ndjson",
        "a-Nuñez12.json.gz",
        "OBrien77_Zoë99_6d75.json",
        "obrien.json",
        "6D75A1F0-1C2B-4D3E-8F90-ABCDEFABCDEF.ndjson",
        "bundle_6d75a1f01c2b4d3e8f90abcdefabcdef.json",
        "mrn50703152.json",
        "chart-MRN-50703152-2.json",
        "15089980035.json",
        "call 1 508 998 0035.json",
        "lovelace",
        "99.1234567.ndjson",
    ],
)
def test_names_that_tell(name: str) -> None:
    assert names.telling_names([name, "Patient.000.ndjson"], "") == {name}


@pytest.mark.parametrize(
    "name",
    [
        "Patient.000.ndjson",
        "Patient-00000.ndjson.gz",
        "Jo.ndjson",  # two letters are no name
        "12.json",
        "1987-03-02.ndjson",  # the day of an export
        "general-hospital",  # an organization is nobody
        "6d75.json",
        "Zoetic.json",
        "export_20240101",
        "practitionerInformation1559319163815.json",
    ],
)
def test_names_that_do_not(name: str) -> None:
    assert names.telling_names([name], "") == set()
