"""Numbers by which people are referred to: what the record shows, a reference by identifier shows, in every form it has."""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import quote

import pytest
from documents import ON, dump, keyring, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.document import Engine
from masking.identity import People, gather
from masking.policy.plan import Plan
from masking.policy.read import read_policy

Resource = dict[str, Any]
LOCAL = "https://stmarys.example/numbers"
V2 = "http://terminology.hl7.org/CodeSystem/v2-0203"


def number(value: str, *codes: str, system: str | None = LOCAL) -> Resource:
    kind = {"type": {"coding": [{"system": V2, "code": code} for code in codes]}} if codes else {}
    return {**kind, **({"system": system} if system else {}), "value": value}


def observation(subject: Resource | None = None, performer: Resource | None = None) -> Resource:
    return {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
        **({"subject": {"identifier": subject}} if subject else {}),
        **({"performer": [{"identifier": performer}]} if performer else {}),
    }  # fmt: skip


def record(kind: str, own_id: str, *numbers: Resource) -> Resource:
    return {"resourceType": kind, "id": own_id, "identifier": list(numbers)}


def masked(documents: list[Resource], known: list[Resource] | None = None, batch: int = 0) -> list[Resource]:
    """Documents, masked by an engine that knows the people in them, so many at once."""
    lines = [dump(document) for document in documents]
    engine = Engine(plan()).with_people(People(gather([dump(one) for one in (documents if known is None else known)])))
    size = batch or len(lines)
    found = []
    for start in range(0, len(lines), size):
        done = engine.mask_batch(lines[start : start + size])
        assert done.faults == []
        found += done.masked
    return [json.loads(line or b"") for line in found]


def asked(system: str | None, value: str) -> str:
    return "identifier=" + quote(f"{system or ''}|{value}", safe=":/|")


@pytest.mark.parametrize("system", [LOCAL, None])
@pytest.mark.parametrize(
    ("kind", "value", "codes"),
    [
        ("Patient", "123-45-6789", ("SS",)),
        ("Patient", "123-45-6789", ("SS", "MR")),
        ("Patient", "123456789012", ("MR", "SS")),
        ("Patient", "H00123456789", ("ZZ",)),
        ("Practitioner", "1234567893", ("NPI",)),
        ("Organization", "1234567893", ("NPI",)),
    ],
)
def test_a_number_is_one_fake_wherever_it_refers(
    kind: str, value: str, codes: tuple[str, ...], system: str | None
) -> None:
    own = record(kind, "r", number(value, *codes, system=system))
    refers = number(value, system=system)
    others = [
        {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}, "performer": [
            {"identifier": refers}, {"reference": f"{kind}?{asked(system, value)}"}]},
        {"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "extension": [
            {"url": "http://a", "valueReference": {"identifier": refers}}], "author": {"identifier": refers}},
        {"resourceType": "Bundle", "type": "transaction", "entry": [{
            "resource": {"resourceType": "Basic", "code": {"text": "x"}, "author": {"identifier": refers}},
            "request": {"method": "POST", "url": kind, "ifNoneExist": asked(system, value)}}]},
        {"resourceType": "Parameters", "parameter": [{"name": "who", "valueIdentifier": refers}]},
    ]  # fmt: skip
    for batch in (0, 1, 2):
        documents = masked([own, *others], batch=batch)
        shown = documents[0]["identifier"][0]
        answer, at = shown["value"], shown.get("system")
        assert answer != value
        first, second = documents[1]["performer"]
        assert first["identifier"] == ({"system": at} if at else {}) | {"value": answer}
        assert second["reference"] == f"{kind}?{asked(at, answer)}"
        assert documents[2]["author"]["identifier"]["value"] == answer
        entry = documents[3]["entry"][0]
        assert entry["resource"]["author"]["identifier"]["value"] == answer
        assert entry["request"]["ifNoneExist"] == asked(at, answer)
        assert documents[4]["parameter"][0]["valueIdentifier"]["value"] == answer


def test_a_record_s_word_goes_before_the_reference_s_own() -> None:
    patient = record("Patient", "p", number("123-45-6789"))
    typed = observation(number("123-45-6789", "SS"))
    known = masked([patient, typed])
    assert known[1]["subject"]["identifier"]["value"] == known[0]["identifier"][0]["value"]
    # Nobody's record has it: what the reference says of it holds.
    alone = masked([typed], known=[])[0]["subject"]["identifier"]["value"]
    assert alone.startswith("9") and alone != known[0]["identifier"][0]["value"]


def test_a_number_of_nobody_is_masked_as_one_without_a_type() -> None:
    device = {"resourceType": "Device", "id": "d", "identifier": [number("A1234567890")]}
    found = masked([device, observation(number("A1234567890"))])
    assert found[1]["subject"]["identifier"]["value"] == found[0]["identifier"][0]["value"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Patient", "Practitioner"]),
            st.integers(0, 3),
            st.sampled_from([(), ("SS",), ("NPI",), ("MR",), ("ZZ", "SS")]),
            st.sampled_from(["123-45-6789", "1234567893", "00A123456789"]),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one[3],
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=25)
def test_whoever_has_a_number_it_is_the_record_s(holders: list[Any], chance: random.Random) -> None:
    documents = [record(kind, f"{kind}-{n}", number(value, *codes)) for kind, n, codes, value in holders]
    documents += [observation(number(value), number(value)) for *_, value in holders]
    order = list(range(len(documents)))
    chance.shuffle(order)
    once = masked(documents)
    again = masked([documents[at] for at in order], known=documents, batch=1)
    assert [again[order.index(at)] for at in range(len(documents))] == once
    for own, refers in zip(once[: len(holders)], once[len(holders) :], strict=True):
        value = own["identifier"][0].get("value")  # no number of the kind that its type says: gone in all places
        assert (
            value == refers["subject"]["identifier"].get("value") == refers["performer"][0]["identifier"].get("value")
        )


@pytest.mark.parametrize(
    ("default", "type_rule"), [("keep", "ssn"), ("hash", "keep"), ("redact", "ssn"), ("hash", "hash"), ("hash", "ssn")]
)
def test_what_a_policy_says_of_types_holds_for_references(tmp_path: Any, default: str, type_rule: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "policy: p\ndescription: d\ntypes: {default: {action: mask}}\n"
        "rules: {Identifier.system: keep, code: keep, id: keep, CodeableConcept: keep}\n"
        f"identifiers: {{types: {{SS: {type_rule}}}, default: {default}}}\n"
    )
    documents = [record("Patient", "p", number("123-45-6789", "SS")), observation(number("123-45-6789"))]
    lines = [dump(document) for document in documents]
    engine = Engine(Plan(read_policy(str(path), reference_date=ON), keyring())).with_people(People(gather(lines)))
    one, other = (json.loads(line or b"") for line in engine.mask_batch(lines).masked)
    own = one["identifier"][0]["value"]
    assert (own == "123-45-6789") == (type_rule == "keep")
    referred = other["subject"]["identifier"].get("value") if "subject" in other else None
    assert referred == (None if default == "redact" else own)  # what redacts numbers redacts these too
