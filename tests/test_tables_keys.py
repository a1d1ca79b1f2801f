"""Whose a line is and when it was."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from documents import Maker

from masking.fhir.compartment import subject_paths
from masking.fhir.elements import element, resource_types
from masking.tables.keys import KeyReader
from masking.tables.main_dates import is_day, main_date_paths
from masking.tables.moments import moments_of
from masking.tables.schema import Kind, columns

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def keys(resource_type: str, *documents: dict):
    lines = [json.dumps({"resourceType": resource_type, **document}).encode() for document in documents]
    return KeyReader(resource_type).read(lines)


@pytest.mark.parametrize(
    ("resource_type", "document", "patient"),
    [
        ("Patient", {"id": "p"}, "p"),
        ("Observation", {"subject": {"reference": "Patient/p"}}, "p"),
        ("Observation", {"subject": {"reference": "https://host/fhir/Patient/p/_history/2"}}, "p"),
        ("Observation", {"subject": {"reference": "Group/p"}, "performer": [{}, {"reference": "Patient/q"}]}, "q"),
        ("Observation", {"subject": {"reference": "#p"}}, None),
        ("Observation", {"subject": {"reference": "Patient?identifier=a|b"}}, None),
        ("Observation", {"subject": {"display": "p"}}, None),
        ("Observation", {"subject": 5}, None),
        ("Condition", {"subject": {"reference": "urn:uuid:6d75c0ee-3f5b-4b8d-9c33-0123456789ab"}},
         "6d75c0ee-3f5b-4b8d-9c33-0123456789ab"),
        ("Condition", {"asserter": {"reference": "urn:uuid:6d75c0ee-3f5b-4b8d-9c33-0123456789ab"}}, None),
        ("Appointment", {"participant": [{"actor": {"reference": "Practitioner/x"}}, {"actor": {"reference": "Patient/p"}},
                                         {"actor": {"reference": "Patient/q"}}]}, "p"),
        ("Task", {"for": {"reference": "Patient/p"}}, "p"),
        ("Organization", {"id": "o"}, None),
    ],
)  # fmt: skip
def test_whose_it_is(resource_type: str, document: dict, patient: str | None) -> None:
    other = {"id": "before"}
    found = keys(resource_type, other, document, other)
    assert found.patient.to_pylist()[1] == patient
    assert found.id.to_pylist()[::2] == ["before", "before"]


def test_the_first_date_that_is_there_counts() -> None:
    found = keys(
        "Observation",
        {"issued": "2020-01-01T00:00:00Z", "effectiveDateTime": "2019-06"},
        {"issued": "2019-12-31T23:30:00-05:00", "effectivePeriod": {"end": "2018"}},
        {"effectivePeriod": {"start": "2018-02-30"}, "effectiveInstant": "2018-03-01T00:00:00.123456789+01:00"},
        {"valueDateTime": "1999"},
    )
    assert found.date.to_pylist() == [
        dt.datetime(2019, 6, 1, tzinfo=dt.UTC),
        dt.datetime(2020, 1, 1, 4, 30, tzinfo=dt.UTC),
        dt.datetime(2018, 2, 28, 23, 0, 0, 123456, tzinfo=dt.UTC),
        None,
    ]
    assert found.year.to_pylist() == [2019, 2020, 2018, None]
    assert keys("Patient", {"birthDate": "1969-12-31"}, {}).date.to_pylist() == [dt.date(1969, 12, 31), None]
    assert keys("Patient", {"birthDate": "1969-12-31"}).year.to_pylist() == [1969]


def test_the_order_is_by_patient_date_and_id() -> None:
    documents = [
        {"id": "4"},
        {"id": "3", "subject": {"reference": "Patient/b"}, "recordedDate": "2020"},
        {"id": "2", "subject": {"reference": "Patient/a"}},
        {"id": "1", "subject": {"reference": "Patient/a"}, "recordedDate": "2021"},
        {"id": "0", "subject": {"reference": "Patient/a"}, "recordedDate": "2021"},
    ]
    found = keys("Condition", *documents)
    assert found.take(found.order()).id.to_pylist() == ["0", "1", "2", "3", "4"]
    assert found.take(found.order(by_year=True)).id.to_pylist() == ["3", "0", "1", "2", "4"]


def test_every_path_is_a_date_or_a_reference_with_a_column() -> None:
    for resource_type in resource_types():
        for path in main_date_paths(resource_type):
            assert element(f"{resource_type}.{path}").type in ("date", "dateTime", "instant")
        for path in (*main_date_paths(resource_type), *(f"{path}.reference" for path in subject_paths(resource_type))):
            fields = columns(resource_type)
            for name in path.split("."):
                column = next(column for column in fields if column.name == name)
                fields = column.fields
            assert column.kind is Kind.TEXT


def test_types_whose_main_date_is_a_day() -> None:
    assert {name for name in resource_types() if is_day(name)} == {
        "Basic", "Goal", "Patient", "Person", "Practitioner", "RelatedPerson",
    }  # fmt: skip


def moment(text: str) -> dt.datetime | None:
    """Slowly, by the standard library."""
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?", text):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        if len(text) < 10:
            text += "-01-01"[len(text) - 4 :]
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def test_moments() -> None:
    random = Random(3)
    texts = [
        "", "1", "198", "1987", "1987-", "1987-1", "1987-12", "1987-13", "1987-00", "0000", "0001", "9999-12-31", "1900-02-29",
        "2000-02-29", "2024-02-29", "2023-02-29", "1987-04-31", "2024-01-01T", "2024-01-01T10:00Z", "2024-01-01T10:00:00",
        "2024-01-01T10:00:00Z", "2024-01-01T10:00:00z", "2024-01-01 10:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T23:60:00Z",
        "2024-01-01T10:00:00.Z", "2024-01-01T10:00:00.5Z", "2024-01-01T10:00:00.123456789-14:00", "2024-01-01T10:00:00+05:30",
        "2024-01-01T10:00:00+0530", "2024-01-01T10:00:00ZZ", "1969-12-31T23:59:59.999999Z", "2024-1-01", "a987", "１９８７",
    ]  # fmt: skip
    for _ in range(3000):
        date = f"{random.randint(1, 9999):04d}-{random.randint(1, 12):02d}-{random.randint(1, 31):02d}"
        zone = random.choice(["Z", "+01:00", "-09:30", "+14:00"])
        texts += [
            date,
            f"{date}T{random.randint(0, 23):02d}:{random.randint(0, 59):02d}:07.{random.randint(0, 10**7)}{zone}",
        ]
    micros, known = moments_of(pa.array(texts))
    for text, found, is_known in zip(texts, micros.tolist(), known.tolist(), strict=True):
        try:
            expected = moment(text)
            number = expected and (expected - EPOCH) // dt.timedelta(microseconds=1)
        except OverflowError:  # the first or the last day of all, in another zone
            continue
        assert (found if is_known else None) == number, text
    leap, _ = moments_of(pa.array([None, "2016-12-31T23:59:60Z"]))
    assert leap[1] == (dt.datetime(2017, 1, 1, tzinfo=dt.UTC) - EPOCH) // dt.timedelta(microseconds=1)


@pytest.mark.parametrize("resource_type", ["Appointment", "Specimen", "AuditEvent", "Schedule", "Provenance"])
def test_documents_of_all_shapes_have_keys(resource_type: str) -> None:
    maker = Maker(Random(resource_type), wrong=0.05)
    maker.comma, maker.colon = ",", ":"
    lines = [maker.write(maker.resource(resource_type, 0)).encode() for _ in range(20)]
    together = KeyReader(resource_type).read(lines)
    for place, line in enumerate(lines):
        alone = KeyReader(resource_type).read([line])
        assert (alone.id[0], alone.patient[0], alone.date[0], alone.year[0]) == (
            together.id[place], together.patient[place], together.date[place], together.year[place],
        )  # fmt: skip


def test_the_docs_list_the_main_dates() -> None:
    text = (Path(__file__).resolve().parents[1] / "docs" / "tables.md").read_text()
    listed = {
        found[1]: tuple(re.findall(r"`([^`]+)`", found[2]))
        for found in re.finditer(r"^\| (\w+) \| (`.*`) \|$", text.partition("## Main dates")[2], re.MULTILINE)
    }
    assert listed == {name: main_date_paths(name) for name in resource_types() if main_date_paths(name)}
    none = re.search(r"No main date have: (.*)\.", text)
    assert none and set(none[1].split(", ")) == resource_types() - set(listed)
