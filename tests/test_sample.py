"""The sample export: reproducible, linked, valid in shape, awkward where it should be, and true to its own truth."""

from __future__ import annotations

import base64
import json
import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from masking import checkdigits
from masking.errors import UsageError
from masking.fhir import elements
from masking.sample import KINDS, SampleSummary, write_sample
from masking.sample.awkward import CASES
from masking.sample.calendar import EXPORTED
from masking.sample.codes import BASE
from masking.sample.record import region_charts

pytest.importorskip("faker")

PATIENTS = 60
Resource = dict[str, Any]


class Export:
    """A written sample, read back: numbers as they are spelled."""

    def __init__(self, folder: Path) -> None:
        self.progress: list[tuple[int, int]] = []
        self.summary: SampleSummary = write_sample(
            folder, PATIENTS, seed=7, progress=lambda done, total: self.progress.append((done, total))
        )
        self.files = {path.name: path.read_bytes() for path in sorted(self.summary.export.iterdir())}
        self.lines = [line for data in self.files.values() for line in data.splitlines() if line.strip()]
        self.resources = [json.loads(line, parse_float=str, parse_int=str) for line in self.lines]
        self.by_type: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            self.by_type[resource["resourceType"]].append(resource)
        self.by_id = {(r["resourceType"], r["id"]): r for r in self.resources}
        self.truth = [json.loads(line) for line in self.summary.truth.read_text().splitlines()]
        self.raw = b"\n".join(self.lines)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    return Export(tmp_path_factory.mktemp("sample") / "made" / "here")


def walk(node: Any) -> Iterator[Any]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def at(node: Any, names: list[str]) -> Iterator[Any]:
    """The values at a path of JSON names; arrays are looked through."""
    if isinstance(node, list):
        for child in node:
            yield from at(child, names)
    elif not names:
        yield node
    elif isinstance(node, dict) and names[0] in node:
        yield from at(node[names[0]], names[1:])


def values(export: Export, path: str) -> list[Any]:
    kind, *names = path.split(".")
    return [value for resource in export.by_type[kind] for value in at(resource, names)]


# ---------------------------------------------------------------------------------------------- the same, again


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_same_seed_same_bytes_and_another_seed_nothing_in_common(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample(tmp_path / name, 4, seed=seed)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    names = [
        {json.loads(line)["value"] for line in (tmp_path / n / "truth.jsonl").read_text().splitlines()} for n in "ac"
    ]
    numbers = [{value for value in found if re.search(r"\d{8}", value)} for found in names]
    assert numbers[0] and not numbers[0] & numbers[1]


def test_patient_is_the_same_whatever_the_number_of_patients() -> None:
    few = {chart.patient: chart.lines for chart in region_charts(3, 0, 9) if chart.patient}
    many = {chart.patient: chart.lines for chart in region_charts(3, 0, 30) if chart.patient}
    assert len(few) == 9
    assert few == {patient: many[patient] for patient in few}


def test_processes_do_not_show(tmp_path: Path) -> None:
    write_sample(tmp_path / "one", 201, processes=1)
    write_sample(tmp_path / "two", 201, processes=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_global_generator_is_left_alone(tmp_path: Path) -> None:
    before = random.getstate()
    write_sample(tmp_path, 1)
    assert random.getstate() == before


# ---------------------------------------------------------------------------------------------- the call


def test_refuses_what_is_already_there_and_no_patients(tmp_path: Path) -> None:
    write_sample(tmp_path, 1)
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="already there"):
        write_sample(tmp_path, 1)
    with pytest.raises(UsageError, match="at least one"):
        write_sample(tmp_path / "x", 0)
    assert tree(tmp_path) == before


def test_takes_over_what_a_killed_run_left(tmp_path: Path) -> None:
    (tmp_path / "export.partial").mkdir()
    (tmp_path / "export.partial" / "Patient.000.ndjson").write_text("half a li")
    write_sample(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export", "truth.jsonl"]


def test_summary_counts_what_is_there(export: Export) -> None:
    summary = export.summary
    assert summary.resources == dict(sorted(Counter(r["resourceType"] for r in export.resources).items()))
    assert summary.resources["Patient"] == summary.patients == PATIENTS
    assert summary.total == len(export.resources)
    assert summary.files == len(export.files)
    assert summary.export_bytes == sum(map(len, export.files.values()))
    assert summary.truth_lines == len(export.truth)
    assert summary.truth_bytes == summary.truth.stat().st_size
    assert export.progress == [(PATIENTS, PATIENTS)]


# ---------------------------------------------------------------------------------------------- what it is


def test_bulk_layout_with_one_type_a_file_and_several_files_for_large_types(export: Export) -> None:
    assert len(export.by_type) >= 35
    for name, data in export.files.items():
        kind, number, _ = name.split(".")
        assert re.fullmatch(r"\d{3}", number)
        assert {json.loads(line)["resourceType"] for line in data.splitlines() if line.strip()} == {kind}
    assert {"Observation.000.ndjson", "Observation.001.ndjson"} <= set(export.files)


def test_size_is_that_of_real_records(export: Export) -> None:
    a_patient = len(export.resources) / PATIENTS
    assert 60 <= a_patient <= 150
    assert 1000 <= len(export.raw) / len(export.resources) <= 1700
    assert sum(len(line) > 10_000 for line in export.lines) > PATIENTS / 4


def test_ids_are_valid_and_never_twice(export: Export) -> None:
    assert len(export.by_id) == len(export.resources)
    assert all(re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", own_id) for _, own_id in export.by_id)
    uuids = [own_id for _, own_id in export.by_id if len(own_id) == 36]
    assert len(set(uuids)) == len(uuids) > len(export.by_id) * 0.9


def test_every_resource_keeps_to_the_element_table(export: Export) -> None:
    faults: set[str] = set()
    for resource in export.resources:
        faults |= set(faults_of(resource, resource["resourceType"], resource["resourceType"]))
    assert faults == set()


def faults_of(node: Resource, content: str, where: str) -> Iterator[str]:
    """What is not in the table, is missing, is an array or not against it, or has the wrong form."""
    known = elements.children(content)
    stems = {known[name].choice or name for name in node if name in known}
    companions = {name for name in node if name.startswith("_")}
    for need in elements.required(content):
        if need not in stems and f"_{need}" not in companions and need != "url" and not where.endswith(".div"):
            yield f"{where}: {need} is missing"
    for name, value in node.items():
        if name == "resourceType":
            continue
        element = known.get(name.removeprefix("_"))
        if element is None:
            yield f"{where}.{name} is unknown"
            continue
        if name in companions:
            continue
        if isinstance(value, list) != element.is_array or value in ([], {}, ""):
            yield f"{where}.{name} is not shaped as declared"
        for item in value if isinstance(value, list) else [value]:
            if element.content is None:
                pattern = elements.regex(element.type)
                text = str(item).lower() if isinstance(item, bool) else str(item)
                if pattern and not re.fullmatch(pattern, text) and element.type != "base64Binary":
                    yield f"{where}.{name} is no {element.type}"
            else:
                inner = item["resourceType"] if element.content == "Resource" else element.content
                yield from faults_of(item, inner, f"{where}.{name}")


def test_references_resolve(export: Export) -> None:
    by_number = {
        (kind, identifier["system"], identifier["value"])
        for kind in ("Patient", "Practitioner")
        for resource in export.by_type[kind]
        for identifier in resource["identifier"]
        if "system" in identifier
    }
    by_uuid = {own_id for _, own_id in export.by_id}
    forms: Counter[str] = Counter()
    for resource in export.resources:
        inside = {contained["id"] for contained in resource.get("contained", [])}
        for node in walk(resource):
            if isinstance(node, dict) and isinstance(text := node.get("reference"), str):
                form, found = resolve(text, export, by_number, by_uuid, inside)
                forms[form] += 1
                assert found, (resource["resourceType"], form)
            if isinstance(node, dict) and node.get("type") in ("Patient", "Practitioner") and "identifier" in node:
                number = node["identifier"]
                assert (node["type"], number["system"], number["value"]) in by_number
                forms["by identifier"] += 1
    assert {"relative", "absolute", "version", "urn", "conditional", "contained", "by identifier"} <= set(forms)


def resolve(
    text: str, export: Export, by_number: set[tuple[str, str, str]], by_uuid: set[str], inside: set[str]
) -> tuple[str, bool]:
    if text.startswith("#"):
        return "contained", text[1:] in inside
    if text.startswith("urn:uuid:"):
        return "urn", text[9:] in by_uuid
    if "?identifier=" in text:
        kind, _, query = text.partition("?identifier=")
        return "conditional", (kind, *query.split("|")) in by_number
    form = "absolute" if text.startswith(BASE) else "relative"
    kind, own_id, *version = text.removeprefix(f"{BASE}/").split("/")
    return "version" if version else form, (kind, own_id) in export.by_id


def test_records_of_one_patient_stay_with_that_patient(export: Export) -> None:
    """Whatever points at a patient by id, in a patient's own chart, points at that one or at a relative's record."""
    owner = {(line["type"], line["id"]): line["patient"] for line in export.truth}
    for observation in export.by_type["Observation"]:
        reference = observation["subject"].get("reference", "")
        own = owner[("Observation", observation["id"])]
        if "identifier" not in reference and reference:
            assert own in reference


# ---------------------------------------------------------------------------------------------- the truth


def test_truth_names_all_eighteen_kinds(export: Export) -> None:
    assert {line["kind"] for line in export.truth} == set(KINDS)
    assert len(KINDS) == 18


def test_truth_stands_where_it_says(export: Export) -> None:
    for line in export.truth:
        resource = export.by_id[line["type"], line["id"]]
        kind, *names = line["path"].split(".")
        found = [str(value) for value in at(resource, names)]
        if line["path"] == "DocumentReference.content.attachment.data":
            found = [base64.b64decode(value).decode() for value in found]
        assert kind == line["type"]
        assert any(line["value"] in value for value in found), line["path"]
        assert line["value"] and (line["patient"] is None or ("Patient", line["patient"]) in export.by_id)


def test_truth_leaves_no_number_of_a_patient_out(export: Export) -> None:
    """Wherever a patient's own numbers, phones and addresses stand in a text, the truth has a line for the resource.

    References are left out: some ids are the record number, and go by their resource.
    """
    known = defaultdict(set)
    for line in export.truth:
        known[line["type"], line["id"]].add(line["value"])
    charts = defaultdict(list)
    for resource in export.resources:
        told = known[resource["resourceType"], resource["id"]]
        leaves = [decoded(leaf) for leaf in walk(resource) if isinstance(leaf, str) and "Patient/" not in leaf]
        charts[owner_of(resource)].append((told, leaves))
    for patient in export.by_type["Patient"]:
        secrets = [i["value"] for i in patient["identifier"]] + [t["value"] for t in patient["telecom"]]
        for told, leaves in charts[patient["id"]]:
            for secret in secrets + [name["text"] for name in patient["name"]]:
                for text in leaves:
                    assert secret not in text or any(secret in value or value in text for value in told)


def owner_of(resource: Resource) -> str:
    subject = resource.get("subject") or resource.get("patient") or resource.get("beneficiary") or {}
    return subject.get("reference", "").rpartition("/")[2] if isinstance(subject, dict) else ""


def decoded(leaf: str) -> str:
    try:
        return base64.b64decode(leaf, validate=True).decode() if len(leaf) > 400 else leaf
    except ValueError:
        return leaf


# ---------------------------------------------------------------------------------------------- the awkward


def has(predicate: Callable[[Resource], Any], kind: str = "Patient") -> Callable[[Export], bool]:
    return lambda export: any(predicate(resource) for resource in export.by_type[kind])


def raw(pattern: bytes) -> Callable[[Export], bool]:
    return lambda export: re.search(pattern, export.raw) is not None


def of_names(test: Callable[[str], Any]) -> Callable[[Export], bool]:
    return lambda export: any(test(name) for name in values(export, "Patient.name.text"))


def exported(days: int = 0) -> str:
    return (date.fromordinal(EXPORTED) - timedelta(days)).isoformat()


AWKWARD: dict[str, Callable[[Export], Any]] = {
    "maiden name": has(lambda p: "maiden" in [n["use"] for n in p["name"]]),
    "nickname with emoji": of_names(lambda name: "🌹" in name and "\u200d" in name),
    "contact": has(lambda p: p["contact"][0]["address"]),
    "link to a relative's record": has(lambda p: "seealso" in [link["type"] for link in p.get("link", [])]),
    "link to the record that counts": has(lambda p: "replaced-by" in [link["type"] for link in p.get("link", [])]),
    "contained in five types": lambda e: len({r["resourceType"] for r in e.resources if "contained" in r}) >= 5,
    "unknown extension": raw(rb"https://ehr.hospital.test/fhir/StructureDefinition/social-worker"),
    "birth time": has(lambda p: "birthTime" in p.get("_birthDate", {}).get("extension", [{}])[0].get("url", "")),
    "no birth date, and why": has(lambda p: "birthDate" not in p and "data-absent-reason" in str(p["_birthDate"])),
    "geolocation": has(lambda p: "latitude" in str(p["address"])),
    "photo": has(lambda p: base64.b64decode(p["photo"][0]["data"]).startswith(b"\x89PNG") if "photo" in p else False),
    "picture elsewhere": has(lambda m: m["content"]["contentType"] == "image/png", "Media"),
    "voice": has(lambda m: m["content"]["contentType"] == "audio/wav", "Media"),
    "note in HTML": has(lambda d: "text/html" in d["content"][0]["attachment"]["contentType"], "DocumentReference"),
    "note with an emoji": lambda e: any(
        "🙂" in decoded(v) for v in values(e, "DocumentReference.content.attachment.data")
    ),
    "narrative": has(lambda p: p["text"]["div"].startswith('<div xmlns="http://www.w3.org/1999/xhtml"><p>')),
    "six systems and more": lambda e: len(set(values(e, "Patient.identifier.system"))) >= 8,
    "accents": of_names(
        lambda name: any("LATIN" in unicodedata.name(c) and not c.isascii() for c in name if c.isalpha())
    ),
    "words for names": of_names(lambda name: any("CJK" in unicodedata.name(c, "") for c in name)),
    "Greek": of_names(lambda name: any("GREEK" in unicodedata.name(c, "") for c in name)),
    "combining marks": of_names(lambda name: unicodedata.normalize("NFC", name) != name),
    "escapes": raw(rb'"family":"[^"]*\\u[0-9a-f]{4}'),
    "older than 89": has(lambda p: p.get("birthDate", "2") < exported(33_000)),
    "twins": lambda e: any(
        c == 2
        for c in Counter(
            (p["birthDate"], p["address"][0]["text"]) for p in e.by_type["Patient"] if "multipleBirthInteger" in p
        ).values()
    ),
    "newborn": has(lambda p: p.get("birthDate", "") > exported(41)),
    "deceased, when": has(lambda p: "deceasedDateTime" in p),
    "deceased, that": has(lambda p: p.get("deceasedBoolean")),
    "year of birth alone": has(lambda p: len(p.get("birthDate", "")) == 4),
    "month of birth alone": has(lambda p: len(p.get("birthDate", "")) == 7),
    "partial onset": lambda e: {4, 7, 10, 25} <= {len(v) for v in values(e, "Condition.onsetDateTime")},
    "29 February": has(lambda p: p.get("birthDate", "").endswith("-02-29")),
    "1.00": raw(rb":1\.00[,}]"),
    "1E2": raw(rb":1E2[,}]"),
    "1e0 and 10E-1": lambda e: re.search(rb":1e0[,}]", e.raw) and re.search(rb":10E-1[,}]", e.raw),
    "fifteen decimals": raw(rb":\d+\.\d{15}[,}]"),
    "plates and VINs": has(lambda p: any(checkdigits.is_valid("vin", i["value"]) for i in p["identifier"])),
    "serial numbers": has(lambda d: d["serialNumber"] in d["udiCarrier"][0]["carrierHRF"], "Device"),
    "home page": lambda e: "url" in values(e, "Patient.telecom.system"),
    "fax": lambda e: "fax" in values(e, "Patient.telecom.system"),
    "IPv4": lambda e: any("." in address for address in values(e, "AuditEvent.agent.network.address")),
    "IPv6": lambda e: any(":" in address for address in values(e, "AuditEvent.agent.network.address")),
    "biometric": raw(rb"fingerprint-template"),
    "a word for a name": lambda e: (
        {"Rose", "May", "Will", "Mark", "Grace", "Hope", "Joy", "Rich"} & set(values(e, "Patient.name.given"))
    ),
    "numeric id": has(lambda p: p["id"].isdigit() and len(p["id"]) == 4),
    "odd id": has(lambda p: ".." not in p["id"] and "--" in p["id"]),
    "record number as id": has(lambda p: p["id"] == p["identifier"][0]["value"]),
    "SSN without dashes": has(lambda p: re.fullmatch(r"\d{9}", p["identifier"][1]["value"])),
    "restricted ZIP": lambda e: {"059", "036", "821", "893"} & {z[:3] for z in values(e, "Patient.address.postalCode")},
    "other gender": lambda e: {"other", "unknown"} & set(values(e, "Patient.gender")),
    "age over 89 as a quantity": lambda e: any(int(v) > 89 for v in values(e, "Condition.onsetAge.value")),
    "family sharing home and name": lambda e: any(len(names) == 1 and n > 2 for names, n in homes(e)),
    "CRLF": lambda e: all(line.endswith(b"\r\n") for line in e.files["AllergyIntolerance.000.ndjson"].splitlines(True)),
    "empty lines": lambda e: b"\n\n" in e.files["Condition.000.ndjson"],
    "no end to the last line": lambda e: e.files["Goal.000.ndjson"].endswith(b"}"),
}


def homes(export: Export) -> list[tuple[set[str], int]]:
    """Family names, and how many live there, by address."""
    found: dict[str, list[str]] = defaultdict(list)
    for patient in export.by_type["Patient"]:
        found[patient["address"][0]["text"]].append(patient["name"][0]["family"])
    return [(set(names), len(names)) for names in found.values()]


@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_case_is_there(export: Export, case: str) -> None:
    assert AWKWARD[case](export)


def test_cases_come_within_sixty_patients() -> None:
    assert all(0 <= offset < period <= 60 for period, offset in CASES.values())


def test_every_line_is_json_and_unicode(export: Export) -> None:
    for line in export.lines:
        assert json.loads(line)["id"]
        line.decode()


def test_numbers_check(export: Export) -> None:
    numbers = [i for p in export.by_type["Practitioner"] for i in p["identifier"] if "system" in i]
    assert all(checkdigits.is_valid("npi", i["value"]) for i in numbers if i["system"].endswith("us-npi"))
    assert all(checkdigits.is_valid("dea", i["value"]) for i in numbers if "4.814" in i["system"])


def test_nobody_could_be_reached(export: Export) -> None:
    for host in [urlsplit(v).hostname for line in export.truth if line["kind"] == "url" for v in [line["value"]]]:
        assert host and host.endswith(".test")
    assert all(line["value"].endswith(".test") for line in export.truth if line["kind"] == "email")
    assert not any("-555-" in line["value"] for line in export.truth if line["kind"] == "phone")


def test_life_comes_in_order(export: Export) -> None:
    """No encounter before birth, after death or after the export."""
    patients = {p["id"]: p for p in export.by_type["Patient"]}
    last = exported()
    for encounter in export.by_type["Encounter"]:
        patient = patients.get(encounter["subject"].get("reference", "").rpartition("/")[2])
        start, end = (encounter["period"][key][:10] for key in ("start", "end"))
        assert start <= end <= last
        if patient and "birthDate" in patient:
            assert patient["birthDate"] <= start
            assert end <= patient.get("deceasedDateTime", "9")[:10]
