"""The search for planted values: whatever hides one is undone, what is nobody's is no find, and chance is told from leaks."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from masking.commands.needles import Alone, Needles, Value
from masking.commands.planted import Search, search
from masking.commands.readings import Reading, day_of, leaves
from masking.document import Engine
from masking.identity import People, gather
from masking.keys import MasterKey
from masking.policy.plan import Plan
from masking.policy.read import read_policy


def reading(*texts: Any) -> Reading:
    return Reading(leaves({"text": list(texts)}))


def stands(kind: str, value: str, *texts: Any) -> bool:
    return Needles(frozenset({"novak", "pain", "bill"})).stand_in(Value(kind, "X.y", value), reading(*texts))


def encoded(text: str, charset: str = "utf-8") -> str:
    return base64.b64encode(text.encode(charset)).decode()


NOVAK = "seen: José Novák, today"


@pytest.mark.parametrize(
    "text",
    [
        NOVAK,
        NOVAK.upper(),
        "Jose NOVAK",
        "Jose\u0301 Nova\u0301k",
        "Jos&eacute; Nov&#225;k",
        "<b>Jos</b>&eacute; <i>No</i>v&#xe1;k",
        "https://x.test/?who=Jos%C3%A9%20Nov%C3%A1k",
        '{"name": "Jos\\u00e9 Nov\\u00e1k"}',
        "{\\rtf Jos\\'e9 Nov\\'e1k}",
        encoded(NOVAK),
        encoded(NOVAK, "utf-16"),
        encoded(NOVAK + "…", "cp1252"),
        f"<observationMedia>{encoded(f'<p>{encoded(NOVAK)}</p>')}</observationMedia>",
        "\n".join(encoded(NOVAK * 9)[at : at + 76] for at in range(0, 400, 76)),
    ],
)
def test_a_name_in_any_disguise(text: str) -> None:
    assert stands("names", "José Novák", text)
    assert not stands("names", "José Novotny", text)


def test_half_a_name_is_a_name_and_a_word_is_none() -> None:
    assert stands("names", "José Novák", "Mr. Novak came")
    assert not stands("names", "Anna Ward-Smith", "Annals of a smith")
    assert stands("names", "Bill Pain", "Bill says so")
    assert stands("names", "Pain", "MR. PAIN")
    assert not stands("names", "Bill Pain", "no pain on pressure; Bill to account 12")
    assert stands("names", "山田", "患者は山田太郎です")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("phone", "+1 (617) 803-6842 x12", "6178036842"),
        ("phone", "6178036842", "call 1.617.803.6842 now"),
        ("ssn", "134-45-3231", "SSN 134 45 3231"),
        ("mrn", "35316728", "MRN35316728;"),
        ("license", "S80464146", "licence s-804-641-46"),
        ("email", "pam.hodge@postbox.test", "mailto:PAM.HODGE%40POSTBOX.TEST"),
        ("other", "0E5B9CC4-1111-4222-8333-94df00000002", "urn:uuid:0e5b9cc411114222833394DF00000002"),
        ("url", "https://x.test/m/353?who=a", "see HTTPS://X.TEST/m/353?who=a."),
    ],
)
def test_a_number_in_any_punctuation(kind: str, value: str, text: str) -> None:
    assert stands(kind, value, text)
    assert Alone([Value(kind, "X.y", value)]).look([text]) == [Value(kind, "X.y", value)]
    assert Alone([Value(kind, "X.y", value)]).look(["at 16:17:80.3684+02:00", "something else 617"]) == []


def test_a_time_of_day_and_an_oid_are_no_values() -> None:
    assert not stands("device", "15022105", "2024-03-04T15:02:21-05:00")
    assert not stands("dates", "2025-04-03", "urn:oid:2.16.840.1.113883.4.3.25")


@pytest.mark.parametrize(
    "text",
    ["2019-03-04T10:00:00Z", "03/04/2019", "3/4/19", "4.3.2019", "March 4, 2019", "4 MARCH 2019", "04MAR2019", "20190304",
     "Mar. 4th, 2019", "the 4th of March 2019", "2019/3/4", "2019-03-04/2019-04-01"],
)  # fmt: skip
def test_a_day_in_any_spelling(text: str) -> None:
    assert stands("dates", "2019-03-04", text)
    assert not stands("dates", "2019-03-05", text)
    assert not stands("dates", "2019-03", text), "a day is no month"


def test_months_years_and_ages() -> None:
    assert day_of("1987-03") == (1987, 3, 0)
    assert stands("dates", "1987-03", "since March 1987")
    assert day_of("1987") is None
    assert not stands("dates", "1987", "1987")
    assert stands("dates", "93-year-old", "a 93-year-old man")
    assert not stands("dates", "90-year-old", "a 90+-year-old man")


# ── verdicts ──


def plan() -> Plan:
    policy = read_policy("realistic", reference_date="2026-01-01")
    return Plan(policy, MasterKey.from_bytes(hashlib.sha256(b"planted").digest()).keyring())


PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Novak"}], "birthDate": "1987-03-14"}
NOTE = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p1"},
    "note": [{"text": "Zdenka Havlová waits outside."}],
}


def searched(folder: Path, truths: list[tuple[str, str, str, str, str]], spoil: dict[str, str]) -> Search:
    """The two resources masked, `spoil` put over the masked texts, and searched."""
    folder = folder / "export"
    folder.mkdir()
    lines = [json.dumps(one).encode() for one in (PATIENT, NOTE)]
    for line in lines:
        (folder / f"{json.loads(line)['resourceType']}.000.ndjson").write_bytes(line + b"\n")
    (folder.parent / "truth.jsonl").write_text(
        "".join(
            json.dumps(dict(zip(("patient", "type", "id", "path", "kind", "value"), ("p1", *one), strict=True))) + "\n"
            for one in truths
        )
    )
    made = plan()
    (folder.parent / "masked").mkdir()
    with (folder.parent / "masked" / "all.ndjson").open("w") as out:
        for masked in Engine(made).with_people(People(gather(lines))).mask_batch(lines).masked:
            assert masked is not None
            text = masked.decode()
            for old, new in spoil.items():
                text = text.replace(old, new)
            out.write(text + "\n")
    return search(made, folder.parent / "truth.jsonl", folder, folder.parent / "masked")


def test_what_no_masker_touches_is_found_under_every_key_and_what_comes_of_one_is_chance(tmp_path: Path) -> None:
    """A neighbor whom no record has stays in the note: a leak, by the rule of the note. A name that is its own fake is none."""
    family = json.loads(Engine(plan()).mask_batch([json.dumps(PATIENT).encode()]).masked[0] or b"")["name"][0]["family"]
    truths = [
        ("Observation", "o1", "Observation.note.text", "names", "Zdenka Havlová"),
        ("Patient", "p1", "Patient.name.family", "names", "Novak"),
        ("Patient", "p1", "Patient.birthDate", "dates", "1987-03-14"),
    ]
    found = searched(tmp_path, truths, {family: "Novak"})
    assert [(remains.path, count) for remains, count in found.leaked.items()] == [("Observation.note.text", 1)]
    assert next(iter(found.leaked)).rule.action.value == "mask"
    assert found.chance == {"names": 1}
    assert found.recall("names") == 0.5
    assert found.recall("dates") == 1
    found.write(tmp_path / "recall.csv")
    rows = list(csv.DictReader((tmp_path / "recall.csv").read_text().splitlines()))
    assert [(row["path"], row["found"], row["same_by_chance"], row["recall"]) for row in rows] == [
        ("Patient.birthDate", "0", "0", "1.000000"),
        ("Observation.note.text", "1", "0", "0.000000"),
        ("Patient.name.family", "0", "1", "1.000000"),
    ]
    assert "Novak" not in (tmp_path / "recall.csv").read_text()


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("id-cf435dc4d93e0292bed1704", False),
        ("room 1704", True),
        ("no. 1704.", True),
        ("1704a", False),
        ("17 04", False),
    ],
)
def test_few_figures_are_looked_for_as_a_word(text: str, is_there: bool) -> None:
    assert Needles().stand_in(Value("other", "Patient.id", "1704"), Reading([text])) == is_there
