"""A real bulk export of ten patients through the job: what went, what stayed, and what still holds together.

`REAL_EXPORT` names a folder with the same files elsewhere; without the export the tests are skipped.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import scan
from documents import ON, plan
from scan import DAY, UUID, Leaves, Pair, generic, holds, text
from structure import new_faults

from masking.document import Engine
from masking.pools.load import combinations
from masking.pools.states import STATES
from masking.report.manifest import MadeWith
from masking.spark import RunResult, RunSettings, mask

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FOLDER = Path(os.environ.get("REAL_EXPORT", Path(__file__).parents[2] / "shared" / "data" / "bulk-10-patients"))
SOURCES = sorted(FOLDER.glob("*.ndjson.gz"))
pytestmark = pytest.mark.skipif(not SOURCES, reason="the real export is not here")

#: Where a document of this export may differ from its source, by path; it must, but for what BY_CHANCE says.
CHANGES = re.compile(
    r"""\w+\.id
    | [\w.]+\.reference | [\w.]*dentifier\.(value|system) | [\w.]+[dD]ate | [\w.]+DateTime | [\w.]+\.(start|end)
    | MedicationRequest\.authoredOn | [\w.]+\.(family|given|line|city|state|postalCode)
    | [\w.]+\.telecom\.value | Patient\.extension\.valueString
    | Patient\.address\.extension\.extension\.valueDecimal | Location\.position\.(latitude|longitude)
    | (Location|Organization)\.name | Location\.description | Device\.(distinctIdentifier|lotNumber|serialNumber)
    | Device\.deviceName\.name | Patient\.text\.(status|div) | [\w.]+\.display | MedicationRequest\.dosageInstruction\.text
    | Encounter\.hospitalization\.dischargeDisposition\.text | DocumentReference\.content\.attachment\.data""",
    re.VERBOSE,
)
#: Where something may be gone: extensions that no rule names, bytes that nobody has read, a device's spelled-out number.
GONE = re.compile(
    r"(Organization|Practitioner)\.extension\.\w+|(Practitioner|PractitionerRole)\.telecom\.extension\.\w+"
    r"|Device\.udiCarrier\.carrierHRF|Device\.(manufactureDate|expirationDate)"
)
#: What may come: security labels, and the word that bytes are gone.
ADDED = {
    "meta.security.system": {"http://terminology.hl7.org/CodeSystem/v3-ObservationValue"},
    "meta.security.code": {"PSEUDED", "REDACTED"},
    "meta.security.display": {"pseudonymized", "redacted"},
    "content.attachment._data.extension.url": {"http://hl7.org/fhir/StructureDefinition/data-absent-reason"},
    "content.attachment._data.extension.valueCode": {"masked"},
}
#: A displayed word stays where a public code system vouches for it, and a fake state or sign may be the true one by chance.
#: So does a public system of identifiers.
#: And prose that names nobody stays as it is.
BY_CHANCE = re.compile(
    r"[\w.]+\.(state|display)|[\w.]*(dosageInstruction|note)\.text|[\w.]+\.div|[\w.]*dentifier\.system|Patient\.text\.status"
    r"|[\w.]+\.dischargeDisposition\.text|Location\.description"
)


@pytest.fixture(scope="module")
def run(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = tmp_path_factory.mktemp("real")
    made_with = MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON)
    out, phi = str(folder / "out"), str(folder / "phi")
    engine = Engine(plan())
    return mask(spark, str(FOLDER), out, phi, engine=engine, made_with=made_with, settings=RunSettings(batch_rows=700))


@pytest.fixture(scope="module")
def pairs(run: RunResult) -> list[Pair]:
    return scan.pairs(SOURCES, Path(run.ndjson))


@pytest.fixture(scope="module")
def said(run: RunResult, pairs: list[Pair]) -> str:
    """All that the clean side says: the documents, and every other file with its name."""
    clean = Path(run.destination)
    others = [path for path in clean.rglob("*") if path.is_file() and path.suffix != ".ndjson"]
    names = [str(path.relative_to(clean)) for path in clean.rglob("*")]
    return "\n".join([scan.haystack(pair.masked for pair in pairs), *(path.read_text() for path in others), *names])


def found(documents: list[Pair], pattern: str) -> set[str]:
    """What the sources say at the paths of a pattern."""
    whole = re.compile(pattern)
    return {text(value) for pair in documents for path, value in pair.source.items() if whole.fullmatch(generic(path))}


def test_every_line_is_counted_once_a_type(run: RunResult) -> None:
    read = {path.name.partition(".")[0]: len(scan.lines(path)) for path in SOURCES}
    counts = {kind: (c.read, c.masked, c.quarantined, c.dropped) for kind, c in run.manifest.types.items()}
    assert counts == {kind: (count, count, 0, 0) for kind, count in read.items()}
    assert run.quarantine is None
    assert run.manifest.redactions == {}


# ── what went ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_uuid_of_the_source_is_left(pairs: list[Pair], said: str) -> None:
    everything = scan.haystack(pair.source for pair in pairs)
    known = {uuid.lower() for uuid in UUID.findall(everything)}
    assert len(known) > 7000
    assert {uuid.lower() for uuid in UUID.findall(said)}.isdisjoint(known)
    bare = {uuid.replace("-", "") for uuid in known}
    assert set(re.findall(r"[0-9a-f]{32}", said.lower())).isdisjoint(bare)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        (r".*\.telecom\.value", 96),
        (r".*\.line", 53),
        (r".*[iI]dentifier\.value", 2606),
        (r"(Location|Organization)\.name", 38),
        (r"Device\.(lotNumber|serialNumber)|Device\.udiCarrier\.carrierHRF", 48),
        (r".*\.reference", 1398),
    ],
)
def test_no_number_address_or_facility_is_left(pairs: list[Pair], said: str, pattern: str, count: int) -> None:
    needles = found(pairs, pattern)
    assert len(needles) == count
    needles |= {re.sub(r"^\+?1?\D*(\d{3})\D*(\d{3})\D*(\d{4})$", r"\1\2\3", value) for value in needles}
    assert not [needle for needle in needles if holds(said, needle)]


def test_no_name_is_left(pairs: list[Pair], said: str) -> None:
    """Synthea's names end in digits, so that whole ones are found anywhere; bare ones may be somebody's fake elsewhere."""
    whole = found(pairs, r".*\.(given|family)|Patient\.extension\.valueString")
    assert len(whole) == 136
    names = {word for name in whole for word in name.split()}
    assert not [name for name in names if holds(said, name)]
    for pair in pairs:
        if pair.key[0] in ("Patient", "Practitioner"):
            bare = {word.rstrip("0123456789") for word in " ".join(found([pair], r".*\.(given|family)")).split()}
            own = scan.haystack([pair.masked])
            assert not [name for name in bare if len(name) > 2 and holds(own, name)]


def test_every_date_that_is_left_stands_where_one_stood(pairs: list[Pair]) -> None:
    """And is another one. With exact intervals, below, no date of a patient is given away but by one unknown offset."""
    count = 0
    for pair in pairs:
        for path, spelling in pair.masked.items():
            days = DAY.findall(text(spelling))
            if days:
                (before,) = DAY.findall(text(pair.source[path]))
                assert days != [before], path
                count += 1
    assert count == 16_108


# ── what stayed ──────────────────────────────────────────────────────────────────────────────────────────────────────


def parted(document: Leaves) -> tuple[list[tuple[str, str]], list[str]]:
    """The leaves that are to stay, and the paths of those that may change; both in order, without what comes or goes."""
    kept, changing = [], []
    for path, value in document.items():
        place = generic(path)
        if GONE.fullmatch(place) or place.partition(".")[2] in ADDED:
            continue
        if CHANGES.fullmatch(place):
            changing.append(path)
        else:
            kept.append((path, value))
    return kept, changing


def test_all_else_is_the_same_to_the_byte_and_in_its_order(pairs: list[Pair]) -> None:
    compared = 0
    for pair in pairs:
        kept, changing = parted(pair.source)
        assert parted(pair.masked) == (kept, changing), pair.key[0]
        for path in changing:
            assert pair.masked[path] != pair.source[path] or BY_CHANCE.fullmatch(generic(path)), generic(path)
        compared += len(kept)
    assert compared == 72_742


def test_what_is_gone_says_so_and_every_document_is_labelled(pairs: list[Pair]) -> None:
    for pair in pairs:
        for path, value in pair.masked.items():
            allowed = ADDED.get(generic(path).partition(".")[2])
            assert allowed is None or text(value) in allowed
        labels = {text(value) for path, value in pair.masked.items() if ".meta.security" in path}
        assert "PSEUDED" in labels
        if any(GONE.fullmatch(generic(path)) for path in pair.source):
            assert "REDACTED" in labels
        if pair.key[0] == "DocumentReference":
            # A note stays a note: its patient has another name, and nearly all other words are the same.
            before, after = (_note(document) for document in (pair.source, pair.masked))
            assert before != after
            words = before.split()
            assert len(set(words) & set(after.split())) > 0.8 * len(set(words))


def _note(document: dict[str, str]) -> str:
    data = next(value for path, value in document.items() if path.endswith("attachment.data"))
    return base64.b64decode(text(data)).decode()


def test_no_document_became_invalid(run: RunResult) -> None:
    for source in SOURCES:
        kind = source.name.partition(".")[0]
        after = [line for path in sorted(Path(run.ndjson, kind).iterdir()) for line in scan.lines(path)]
        for before, masked in zip(scan.lines(source), after, strict=True):
            assert not new_faults(before, masked), kind


# ── what still holds together ────────────────────────────────────────────────────────────────────────────────────────


def subject(pair: Pair) -> str | None:
    """The id of the patient that a document is about."""
    kind, own = pair.key
    references = (pair.source.get(f"{kind}.{name}.reference") for name in ("subject", "patient"))
    named = next((text(reference) for reference in references if reference), f"{kind}/{own}")
    return named.removeprefix("Patient/") if named.startswith("Patient/") else None


def day(spelling: str) -> date:
    return date.fromisoformat(DAY.findall(spelling)[0])


def test_every_interval_of_a_patient_is_exact(pairs: list[Pair]) -> None:
    """One offset a patient over all types and dates but the birth, not 0; times of day and zones as they were."""
    offsets: dict[str, set[int]] = defaultdict(set)
    kinds = set()
    for pair in pairs:
        for path, value in pair.source.items():
            if not DAY.search(value) or path not in pair.masked or path == "Patient.birthDate":
                continue
            new, patient = pair.masked[path], subject(pair)
            assert patient is not None
            assert DAY.sub("", new) == DAY.sub("", value)
            offsets[patient].add((day(new) - day(value)).days)
            kinds.add(pair.key[0])
    assert len(kinds) == 8
    assert len(offsets) == 13
    assert all(len(found) == 1 and 0 not in found for found in offsets.values())
    assert len({offset for found in offsets.values() for offset in found}) > 6


def age(birth: date, on: date) -> int:
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def test_ages_are_intact(pairs: list[Pair]) -> None:
    """On the reference date, and at the shifted death as at the true one."""
    patients = [pair for pair in pairs if pair.key[0] == "Patient"]
    for pair in patients:
        before, after = (day(document["Patient.birthDate"]) for document in (pair.source, pair.masked))
        assert before != after
        assert age(before, date.fromisoformat(ON)) == age(after, date.fromisoformat(ON))
        if death := pair.source.get("Patient.deceasedDateTime"):
            assert age(before, day(death)) == age(after, day(pair.masked["Patient.deceasedDateTime"]))
    assert len(patients) == 13


def test_every_address_is_a_real_place(pairs: list[Pair]) -> None:
    real = {(city.casefold(), state, zip_code) for city, state, zip_code in combinations()}
    towns = {(city, state) for city, state, _ in real}
    checked = Counter[str]()
    for pair in pairs:
        for path, city in pair.masked.items():
            if not path.endswith(".city"):
                continue
            place = path.removesuffix(".city")
            where, state = text(city).casefold(), text(pair.masked[f"{place}.state"])
            state = STATE_CODES.get(state, state)
            if f"{place}.postalCode" in pair.masked:
                zip_code = text(pair.masked[f"{place}.postalCode"])
                assert (where, state, zip_code[:5]) in real
                assert len(zip_code) == len(text(pair.source[f"{place}.postalCode"]))
                checked["with ZIP"] += 1
            else:
                assert (where, state) in towns
                checked["without"] += 1
    assert checked == {"with ZIP": 142, "without": 13}


def identified(documents: list[Leaves]) -> dict[str, set[int]]:
    """`Type|system|value` to the numbers of the documents that bear the identifier."""
    bearers: dict[str, set[int]] = defaultdict(set)
    for number, document in enumerate(documents):
        kind = next(iter(document)).partition(".")[0]
        for path, value in document.items():
            if re.fullmatch(rf"{kind}\.identifier\[\d+\]\.value", path):
                system = text(document[path.removesuffix("value") + "system"])
                bearers[f"{kind}|{system}|{text(value)}"].add(number)
    return bearers


def targets(documents: list[Leaves]) -> list[tuple[int, str, frozenset[int]]]:
    """Each reference, by its document and path, with the documents that it finds: none where it dangles."""
    by_id = {scan.resource_key(document): number for number, document in enumerate(documents)}
    by_identifier = identified(documents)
    resolved = []
    for number, document in enumerate(documents):
        for path, spelling in document.items():
            value = text(spelling)
            hits: set[int] = set()
            if path.endswith(".reference") and "?identifier=" in value:
                hits = by_identifier.get(value.replace("?identifier=", "|"), hits)
            elif path.endswith(".reference"):
                kind, _, own = value.partition("/")
                hits = {by_id[kind, own]} if (kind, own) in by_id else hits
            elif re.search(r"(practitioner|[oO]rganization|location\[\d+\])\.identifier\.value$", path):
                system = text(document[path.removesuffix("value") + "system"])
                kind = re.sub(r".*\.([a-zA-Z]+?)(\[\d+\])?\.identifier\.value", r"\1", path)
                kind = {"managingOrganization": "Organization"}.get(kind, kind.capitalize())
                hits = by_identifier.get(f"{kind}|{system}|{value}", hits)
            else:
                continue
            resolved.append((number, path, frozenset(hits)))
    return resolved


def test_references_find_what_they_found_and_nothing_else(pairs: list[Pair]) -> None:
    """Literal ones, conditional ones and those by identifier. Ids and identifiers stay as distinct as they were."""
    before, after = [pair.source for pair in pairs], [pair.masked for pair in pairs]
    assert len({pair.key for pair in pairs}) == len({pair.masked_key for pair in pairs}) == len(pairs)
    assert len(identified(before)) == len(identified(after))
    expected = targets(before)
    assert targets(after) == expected
    assert len(expected) == sum(bool(hits) for _, _, hits in expected) == 25_471
    # Half of an export: what dangles there is not caught by another document either.
    expected = targets(before[::2])
    assert targets(after[::2]) == expected
    assert 0 < sum(bool(hits) for _, _, hits in expected) < len(expected)


STATE_CODES = {name: code for code, name in STATES.items()}


def test_the_scan_sees() -> None:
    """The tools themselves: spelling, order, base64 and escapes undone, whole words only."""
    document = '{"resourceType":"Basic","id":"b","x":[1.00,"\\u00e9",{}],"d":"U21pdGgsIEouIDE5ODctMDMtMDI="}'
    found = scan.leaves(document)
    assert found["Basic.x[0]"] == "1.00"
    assert found["Basic.x[1]"] == '"\\u00e9"'
    assert list(found) == ["Basic.resourceType", "Basic.id", "Basic.x[0]", "Basic.x[1]", "Basic.x[2]", "Basic.d"]
    stack = scan.haystack([found])
    assert holds(stack, "Smith") and holds(stack, "é") and not holds(stack, "Smit")
    assert DAY.findall(stack) == ["1987-03-02"]
    assert json.loads(document)["d"] not in ("", scan.unwrapped("abc"))
