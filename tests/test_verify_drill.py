"""A drill: leaks and faults planted one at a time in masked output, each of which must be found and told by its place.

The run is masked once on Spark; verifications are carried out in this process. Names come from the source at run time, so
nothing here knows what the sample says.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from masked_run import ON, Masked, run

from masking.commands.prepare import only
from masking.commands.verdict import LEAK, exit_code
from masking.errors import InputError, UsageError
from masking.policy.read import read_policy
from masking.report.manifest import publish_manifest
from masking.report.verdict import Finding, Verdict, read_verdict
from masking.spark import verify_relations

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Json = dict[str, Any]


@pytest.fixture
def harmed(unharmed: Masked, tmp_path: Path) -> Masked:
    return unharmed.copy(tmp_path)


def documents(source: Path, kind: str) -> list[Json]:
    texts = [path.read_text() for path in sorted(source.glob(f"{kind}.*"))]
    return [json.loads(line) for text in texts for line in text.split("\n") if line.strip()]


@dataclass
class Place:
    """A line of the output that was harmed."""

    file: str
    line: int


def edit(masked: Masked, kind: str, change: Callable[[Json, Json], bool], *, hashed: bool = True) -> Place:
    """Change the first document of a type that `change` (given it and its source) takes; the manifest is told of it."""
    sources = documents(masked.source, kind)
    number = 0
    for path in masked.files(kind):
        lines = path.read_text().splitlines()
        for index, line in enumerate(lines):
            document = json.loads(line)
            if change(document, sources[number]):
                lines[index] = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
                path.write_text("\n".join(lines) + "\n")
                if hashed:
                    own(masked, path)
                return Place(str(path.relative_to(masked.out)), index + 1)
            number += 1
    raise AssertionError(f"no {kind} fits")


def own(masked: Masked, path: Path) -> None:
    """Let the manifest say of a file what it is now."""
    content = path.read_bytes()
    short = str(path.relative_to(masked.out))
    files = tuple(
        replace(file, bytes=len(content), sha256=hashlib.sha256(content).hexdigest()) if file.path == short else file
        for file in masked.manifest.files
    )
    publish_manifest(str(masked.out), replace(masked.manifest, files=files))


def found(masked: Masked, check: str) -> tuple[Verdict, list[Finding]]:
    verdict = masked.verify().verdict
    assert not verdict.verified
    return verdict, [finding for finding in verdict.findings if finding.check == check]


def at(findings: list[Finding], place: Place, words: str = "") -> list[Finding]:
    return [one for one in findings if (place.file, place.line) in one.places and words in f"{one.what} {one.path}"]


def test_the_unharmed_run_is_verified(unharmed: Masked) -> None:
    done = unharmed.verify()
    assert done.verdict.findings == () and done.verdict.verified and exit_code(done.verdict) == 0
    assert done.findings is None
    assert done.verdict.documents == unharmed.manifest.total.masked > 1000
    assert done.verdict.people > 16 and done.verdict.kept_values > 10_000
    assert done.verdict.links > 4000 and done.verdict.dates > 2000
    for one in done.verdict.eighteen:
        assert one.letter == "L" or one.known > 0, f"nothing of ({one.letter}) was looked for"
    assert read_verdict(str(unharmed.out), unharmed.manifest.run_id) == done.verdict


# ── leaks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def full_name(patient: Json) -> str:
    name = patient["name"][0]
    return f"{name['given'][0]} {name['family']}"


def ascii_name(patient: Json) -> bool:
    return full_name(patient).isascii() and len(full_name(patient)) > 9


def into_note(document: Json, text: str) -> bool:
    attachment = document["content"][0]["attachment"]
    if "data" not in attachment:
        return False
    before = base64.b64decode(attachment["data"]).decode()
    attachment["data"] = base64.b64encode(f"{before}\n{text}\n".encode()).decode()
    return True


def patients(masked: Masked) -> dict[str, Json]:
    return {patient["id"]: patient for patient in documents(masked.source, "Patient")}


def of_note(masked: Masked, source: Json) -> Json | None:
    """The patient of a DocumentReference of the source."""
    subject = source["subject"].get("reference", "")
    return patients(masked).get(subject.rpartition("/")[2].rpartition(":")[2])


LEAKS: dict[str, tuple[str, Callable[[Masked, Json, Json], bool], str]] = {}


def leak(kind: str, words: str) -> Callable[[Callable[[Masked, Json, Json], bool]], None]:
    def add(change: Callable[[Masked, Json, Json], bool]) -> None:
        LEAKS[change.__name__.strip("_")] = (kind, change, words)

    return add


@leak("Patient", "full name")
def _kept_name(masked: Masked, document: Json, source: Json) -> bool:
    document["name"][0] |= {name: source["name"][0][name] for name in ("given", "family")}
    document["name"][0]["text"] = full_name(source)
    return True


@leak("Patient", "full name")
def _name_in_upper_case_without_accents(masked: Masked, document: Json, source: Json) -> bool:
    document.setdefault("contact", [{}])[0]["name"] = {"text": full_name(source).upper()}
    return ascii_name(source)


@leak("Patient", "phone")
def _phone_in_other_punctuation(masked: Masked, document: Json, source: Json) -> bool:
    phones = [one["value"] for one in source.get("telecom", ()) if one.get("system") == "phone"]
    digits = "".join(filter(str.isdigit, phones[0]))[-10:] if phones else ""
    document.setdefault("telecom", [{}])[0]["value"] = f"1 ({digits[:3]}) {digits[3:6]}.{digits[6:]}"
    return len(digits) == 10


@leak("Patient", "ssn")
def _ssn_without_dashes(masked: Masked, document: Json, source: Json) -> bool:
    numbers = [one["value"] for one in source["identifier"] if one.get("system", "").endswith("us-ssn")]
    if not numbers:
        return False
    document["identifier"][0]["value"] = numbers[0].replace("-", "")
    return True


@leak("DocumentReference", "birth")
def _birth_date_as_long_text(masked: Masked, document: Json, source: Json) -> bool:
    patient = of_note(masked, source)
    if patient is None or len(patient["birthDate"]) != 10:
        return False
    year, month, day = patient["birthDate"].split("-")
    names = "January February March April May June July August September October November December".split()  # noqa: SIM905
    return into_note(document, f"Born on the {int(day)}th of {names[int(month) - 1]}, {year}.")


@leak("DocumentReference", "full name")
def _name_in_base64(masked: Masked, document: Json, source: Json) -> bool:
    patient = of_note(masked, source)
    return patient is not None and into_note(document, f"Seen: {full_name(patient)}, better.")


@leak("DocumentReference", "record")
def _number_in_base64_in_base64(masked: Masked, document: Json, source: Json) -> bool:
    patient = of_note(masked, source)
    if patient is None:
        return False
    numbers = [one["value"] for one in patient["identifier"] if "MR" in json.dumps(one.get("type", {}))]
    return bool(numbers) and into_note(
        document, base64.b64encode(f"MRN of the patient is {numbers[0]}".encode()).decode()
    )


@leak("Patient", "full name")
def _name_in_html_entities(masked: Masked, document: Json, source: Json) -> bool:
    coded = "".join(f"&#{ord(letter)};" for letter in full_name(source))
    document["text"] = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{coded}</p></div>'}
    return True


@leak("Patient", "full name")
def _name_percent_encoded(masked: Masked, document: Json, source: Json) -> bool:
    coded = "".join(f"%{byte:02X}" for byte in full_name(source).encode())
    document.setdefault("telecom", [{}])[0] |= {"system": "url", "value": f"https://example.org/p/{coded}"}
    return True


@leak("Patient", "e-mail".replace("-", ""))
def _email_in_an_extension(masked: Masked, document: Json, source: Json) -> bool:
    emails = [one["value"] for one in source.get("telecom", ()) if one.get("system") == "email"]
    if not emails:
        return False
    document.setdefault("extension", []).append({"url": "http://example.org/x", "valueString": emails[0]})
    return True


@leak("Patient", "uuid")
def _uuid_without_hyphens(masked: Masked, document: Json, source: Json) -> bool:
    document.setdefault("identifier", [{}])[0]["value"] = source["id"].replace("-", "").upper()
    return len(source["id"]) == 36


@leak("Patient", "line")
def _street(masked: Masked, document: Json, source: Json) -> bool:
    document["address"][0]["text"] = source["address"][0]["line"][0].replace(" ", "  ")
    return True


@pytest.mark.parametrize("name", sorted(LEAKS))
def test_a_planted_leak_is_found_where_it_stands(harmed: Masked, name: str) -> None:
    kind, change, words = LEAKS[name]
    place = edit(harmed, kind, lambda document, source: change(harmed, document, source))
    done = harmed.verify()
    leaks = [finding for finding in done.verdict.findings if finding.check == "leak"]
    assert at(leaks, place, words), done.verdict.findings
    assert exit_code(done.verdict) == LEAK
    assert done.findings is not None and Path(done.findings).is_relative_to(harmed.phi)
    assert Path(done.findings).parent.stat().st_mode & 0o077 == 0
    known = {full_name(patient) for patient in patients(harmed).values()}
    clean = json.dumps(
        [json.loads(path.read_text()) for path in harmed.out.rglob("verification.json")], ensure_ascii=False
    )
    assert not [name for name in known if name in clean]


def test_a_name_in_a_file_name_is_found(harmed: Masked) -> None:
    person = next(patient for patient in patients(harmed).values() if ascii_name(patient))
    (harmed.files("Patient")[0].parent / f"{full_name(person).replace(' ', '_')}.txt").write_text("nothing")
    _, leaks = found(harmed, "leak")
    assert [one for one in leaks if "full name: in a name of a file" in one.what]
    assert full_name(person).split()[0] not in repr(leaks)


@pytest.mark.parametrize("column", ["plain", "nested", "json"])
def test_a_number_in_a_table_is_found(harmed: Masked, column: str) -> None:
    """In whatever column; what only two texts beside each other make up is none."""
    person = documents(harmed.source, "Patient")[0]
    value = person["identifier"][0]["value"]
    given, family = person["name"][0]["given"][0], person["name"][0]["family"]
    cells = {
        "plain": [family, f"no. {value}"],
        "nested": [{"identifier": [{"value": value}]}, None],
        "json": [json.dumps({"names": [given, family]}), json.dumps([{"value": value}])],
    }
    folder = harmed.files("Patient")[0].parents[2] / "parquet" / "patient"
    folder.mkdir(parents=True)
    table = folder / "Patient-00000-00000.parquet"
    pq.write_table(pa.table({"first": [given, given], "cell": cells[column]}), table)
    _, leaks = found(harmed, "leak")
    (leak,) = leaks
    assert leak.places == ((str(table.relative_to(harmed.out)), 1),)
    kinds = leak.what.partition(":")[0].split(" or ")
    assert leak.what.endswith("in a table, and in no document") and {"name word"} < set(kinds)
    assert "full name" not in kinds


def test_a_number_in_a_file_beside_the_documents_is_found(harmed: Masked) -> None:
    person = next(iter(patients(harmed).values()))
    report = harmed.out / "runs" / harmed.manifest.run_id / "notes.txt"
    report.write_text(f"asked for {person['identifier'][0]['value']}")
    _, leaks = found(harmed, "leak")
    assert [one for one in leaks if one.places == ((f"runs/{harmed.manifest.run_id}/notes.txt", 1),)]


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dropped_line_is_found(harmed: Masked) -> None:
    path = harmed.files("Observation")[0]
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    _, faults = found(harmed, "files")
    assert [(one.what, one.path) for one in faults] == [("1 lines fewer than the manifest says", "Observation")]


def test_a_dropped_line_that_the_manifest_hides_is_found(harmed: Masked) -> None:
    path = harmed.files("Observation")[-1]
    lines = path.read_text().splitlines()[:-1]
    path.write_text("\n".join(lines) + "\n")
    short = str(path.relative_to(harmed.out))
    files = tuple(replace(one, rows=one.rows - 1) if one.path == short else one for one in harmed.manifest.files)
    publish_manifest(str(harmed.out), replace(harmed.manifest, files=files))
    own(harmed, path)
    _, faults = found(harmed, "counts")
    assert [(one.path, one.times) for one in faults] == [("Observation", 1)]


def test_changed_bytes_are_found(harmed: Masked) -> None:
    place = edit(harmed, "Encounter", lambda document, source: True, hashed=False)
    path = harmed.out / place.file
    path.write_text(path.read_text().replace(" ", "  ", 1))
    _, faults = found(harmed, "files")
    assert [one.places[0][0] for one in faults] == [place.file]


def test_a_duplicated_id_is_found(harmed: Masked, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def change(document: Json, source: Json) -> bool:
        seen.append(document["id"])
        document["id"] = seen[0]
        return len(seen) > 1

    place = edit(harmed, "Condition", change)
    faults = found(harmed, "links")[1]
    assert at(faults, place, "several names became one")
    # A share of the names at a time, the same is told.
    monkeypatch.setattr(verify_relations, "_SHARE_BYTES", 100_000)
    assert found(harmed, "links")[1] == faults


def test_a_broken_reference_is_found(harmed: Masked) -> None:
    def change(document: Json, source: Json) -> bool:
        document["subject"]["reference"] = "Patient/00000000-0000-4000-8000-000000000000"
        return source["subject"].get("reference", "").startswith("Patient/")

    place = edit(harmed, "Procedure", change)
    faults = found(harmed, "links")[1]
    assert at(faults, place, "Procedure.subject.reference"), faults


def test_a_changed_value_of_a_kept_element_is_found(harmed: Masked) -> None:
    def change(document: Json, source: Json) -> bool:
        quantity = document.get("valueQuantity")
        if quantity is None:
            return False
        quantity["value"] += 1
        return True

    place = edit(harmed, "Observation", change)
    assert at(found(harmed, "kept")[1], place, "Observation.valueQuantity.value")


def test_a_number_that_is_spelled_otherwise_is_found(harmed: Masked) -> None:
    for path in harmed.files("Observation"):
        lines = path.read_text().splitlines()
        for index, line in enumerate(lines):
            value = json.loads(line).get("valueQuantity", {}).get("value")
            if isinstance(value, int):
                lines[index] = line.replace(f'"value":{value}', f'"value":{value}.0', 1)
                path.write_text("\n".join(lines) + "\n")
                own(harmed, path)
                place = Place(str(path.relative_to(harmed.out)), index + 1)
                assert at(found(harmed, "kept")[1], place, "Observation.valueQuantity.value")
                return
    raise AssertionError("no whole number in the sample")


def test_a_wrong_code_is_found(harmed: Masked) -> None:
    def change(document: Json, source: Json) -> bool:
        document["code"]["coding"][0]["code"] = "wrong"
        return True

    place = edit(harmed, "Condition", change)
    assert at(found(harmed, "kept")[1], place, "Condition.code.coding.code")


def test_a_date_that_moved_by_another_day_is_found(harmed: Masked) -> None:
    def change(document: Json, source: Json) -> bool:
        day = document.get("recordedDate", "")
        if len(day) < 10 or day[8:10] in ("28", "29", "30", "31"):
            return False
        document["recordedDate"] = f"{day[:8]}{int(day[8:10]) + 1:02d}{day[10:]}"
        return True

    place = edit(harmed, "Condition", change)
    assert at(found(harmed, "dates")[1], place, "Condition.recordedDate")


def test_a_date_that_did_not_move_is_found(harmed: Masked) -> None:
    def change(document: Json, source: Json) -> bool:
        document["recordedDate"] = source.get("recordedDate")
        return len(source.get("recordedDate", "")) > 9

    place = edit(harmed, "Condition", change)
    assert at(found(harmed, "dates")[1], place, "Condition.recordedDate")


def test_a_birth_date_of_another_age_is_found(harmed: Masked) -> None:
    def change(document: Json, source: Json) -> bool:
        document["birthDate"] = f"{int(document['birthDate'][:4]) - 1}{document['birthDate'][4:]}"
        return True

    place = edit(harmed, "Patient", change)
    assert at(found(harmed, "dates")[1], place, "another age")


@pytest.mark.parametrize(
    ("element", "value", "words"),
    [
        ("status", None, "Encounter.status"),
        ("id", "not an id!", "Encounter.id"),
        ("language", "", "Encounter.language"),
        ("nonsense", 1, "Encounter.?"),
        ("subject", {"reference": "Medication/1"}, "Encounter.subject"),
        ("text", {"status": "generated", "div": "<p>no div</p>"}, "Encounter.text.div"),
    ],
)
def test_what_became_invalid_is_found(harmed: Masked, element: str, value: Any, words: str) -> None:
    def change(document: Json, source: Json) -> bool:
        if value is None:
            del document[element]
        else:
            document[element] = value
        return True

    place = edit(harmed, "Encounter", change)
    assert at(found(harmed, "valid")[1], place, words)


# ── policies and places ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_policy_that_keeps_names_leaks(spark: SparkSession, source: Path, tmp_path: Path) -> None:
    policy = tmp_path / "bad.yaml"
    policy.write_text("policy: bad\nextends: realistic\nrules:\n  HumanName.family: keep\n  HumanName.given: keep\n")
    masked = run(spark, tmp_path, source, read_policy(str(policy), reference_date=ON))
    done = masked.verify()
    assert exit_code(done.verdict) == LEAK
    paths = {finding.path for finding in done.verdict.findings if finding.check == "leak"}
    assert {"Patient.name.family", "Patient.name.given"} <= paths


@pytest.mark.parametrize("name", ["safe_harbor", "limited_data_set"])
def test_other_policies_are_verified_too(spark: SparkSession, source: Path, tmp_path: Path, name: str) -> None:
    masked = run(spark, tmp_path, source, read_policy(name, reference_date=ON))
    verdict = masked.verify().verdict
    assert verdict.findings == ()


def test_another_policy_source_or_phi_area_is_refused(unharmed: Masked, tmp_path: Path) -> None:
    other = replace(unharmed, policy=read_policy("safe_harbor", reference_date=ON))
    with pytest.raises(UsageError, match="another one"):
        other.verify()
    with pytest.raises(UsageError, match="another one"):
        replace(unharmed, policy=only(unharmed.policy, ("Patient",))).verify()
    (tmp_path / "Patient.ndjson").write_text("{}\n")
    with pytest.raises(InputError, match="not the files that the run read"):
        replace(unharmed, source=tmp_path).verify()
