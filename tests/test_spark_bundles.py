"""Bundles taken apart: every entry accounted for, every resource as the Bundle has it, every link still a link."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from documents import ON, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.document import Engine
from masking.errors import CountMismatch
from masking.report.manifest import MadeWith
from masking.spark import RunSettings, mask
from masking.spark.bundles import Parts, only_deletes, take_apart

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BUNDLES = sorted((Path(__file__).parents[2] / "shared" / "data" / "bundles").glob("*.json.gz"))
needs_bundles = pytest.mark.skipif(not BUNDLES, reason="the real Bundles are not here")
ONE, TWO, THREE = (f"0c3151bd-1cbf-4d64-b04d-cd9187a4c6e{n}" for n in "abc")


def patient(id_: str | None = ONE) -> dict[str, Any]:
    return {"resourceType": "Patient", **({"id": id_} if id_ else {}), "birthDate": "1970-01-01"}


def observation(reference: str, id_: str = TWO) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": id_, "subject": {"reference": reference}, "valueInteger": 7}


def bundle(*entries: Any, kind: str = "transaction") -> bytes:
    return json.dumps({"resourceType": "Bundle", "id": "b", "type": kind, "entry": entries}).encode()


def entry(resource: Any, url: str = "", **more: Any) -> dict[str, Any]:
    return {**({"fullUrl": url} if url else {}), "resource": resource, **more}


def same(source: bytes) -> Parts:
    """As if masking changed nothing."""
    return take_apart(source, source)


def resources(parts: Parts, kind: str) -> list[Any]:
    return [json.loads(one) for one in parts.resources.get(kind, ())]


def masked(source: bytes) -> Parts:
    (made,) = Engine(plan()).mask_batch([source]).masked
    assert made is not None
    parts = take_apart(source, made)
    assert parts.entries == sum(map(len, parts.resources.values())) + parts.dropped.total()
    return parts


# ── what comes of an entry ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_transaction_with_everything() -> None:
    source = bundle(
        entry(patient(), f"urn:uuid:{ONE}", request={"method": "PUT", "url": f"Patient/{ONE}"}),
        entry(observation(f"urn:uuid:{ONE}"), f"urn:uuid:{TWO}", request={"method": "POST", "url": "Observation"}),
        {"request": {"method": "DELETE", "url": "Patient/1"}},
        {"request": {"method": "GET", "url": "Patient?name=x"}},
        {"response": {"status": "200", "outcome": {"resourceType": "OperationOutcome"}}},
        {},
        None,
        {"resource": None},
        entry({"resourceType": "Nonsense", "id": "x"}),
        entry({"id": "x"}),
        entry([patient()]),
    )
    parts = masked(source)
    assert parts.entries == 11
    assert parts.dropped == {"delete": 1, "request-only": 1, "response-only": 1, "no-resource": 3, "redacted": 3}
    assert [name for name, _ in parts.deleted] == ["Patient"]
    (person,), (finding,) = resources(parts, "Patient"), resources(parts, "Observation")
    assert person["id"] != ONE
    assert finding["subject"]["reference"] == f"Patient/{person['id']}"


def test_what_is_to_be_deleted_is_told_by_the_id_that_the_resource_has() -> None:
    own = masked(bundle(entry(patient()), entry(observation("Patient/x")))).resources
    ids = {name: json.loads(one)["id"] for name, (one,) in own.items()}
    urls = (f"Patient/{ONE}", f"https://host.example/fhir/Observation/{TWO}", f"Patient/{ONE}/_history/2")
    source = bundle(*({"request": {"method": "DELETE", "url": url}} for url in urls))
    parts = masked(source)
    assert parts.deleted == [
        ("Patient", ids["Patient"]),
        ("Observation", ids["Observation"]),
        ("Patient", ids["Patient"]),
    ]
    assert (parts.dropped, only_deletes(source)) == ({"delete": 3}, True)


def test_what_is_to_be_deleted_and_is_not_named() -> None:
    urls = ("Patient?identifier=a|b", "Patient", "", "Nonsense/1", None, 5)
    source = bundle(*({"request": {"method": "DELETE", "url": url}} for url in urls))
    parts = masked(source)
    assert (parts.deleted, parts.dropped) == ([], {"delete-by-search": len(urls)})
    assert only_deletes(source)


@pytest.mark.parametrize(
    "source",
    [
        bundle(),
        bundle({"request": {"method": "DELETE", "url": "Patient/1"}}, entry(patient())),
        bundle(
            {"request": {"method": "DELETE", "url": "Patient/1"}}, {"request": {"method": "GET", "url": "Patient/1"}}
        ),
        bundle({"request": {"method": "DELETE", "url": "Patient/1"}}, kind="history"),
        b'{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE"',
        b'{"resourceType":"Bundle","type":"transaction","entry":"DELETE"}',
    ],
)
def test_a_bundle_that_does_more_than_delete(source: bytes) -> None:
    assert not only_deletes(source)


def test_a_history_tells_of_deletions_and_asks_for_none() -> None:
    parts = masked(bundle({"request": {"method": "DELETE", "url": "Patient/1"}}, kind="history"))
    assert (parts.deleted, parts.dropped) == ([], {"delete": 1})


@pytest.mark.parametrize("kind", ["batch", "searchset", "document", "message", "history", "collection"])
def test_every_kind_of_bundle_and_every_version(kind: str) -> None:
    url = f"http://x.example/Patient/{ONE}"
    parts = masked(bundle(*[entry(patient(), url)] * 2, entry(observation(f"Patient/{ONE}")), kind=kind))
    people = resources(parts, "Patient")
    assert len(people) == 2
    assert resources(parts, "Observation")[0]["subject"]["reference"] == f"Patient/{people[0]['id']}"


@pytest.mark.parametrize("source", [b'{"resourceType":"Bundle"}', bundle(), b'{"resourceType":"Bundle","entry":null}'])
def test_a_bundle_without_entries(source: bytes) -> None:
    assert same(source) == Parts()


def test_an_entry_that_stands_in_no_array_is_one() -> None:
    source = b'{"resourceType":"Bundle","entry":{"resource":{"resourceType":"Basic"}}}'
    parts = take_apart(b"\xef\xbb\xbf" + source, source)
    assert parts.resources == {"Basic": [b'{"resourceType":"Basic"}']}


def test_bytes_of_a_resource_stay() -> None:
    resource = b'{"b" : 1.00,"resourceType":"Basic","a":"\\u00e9 \\"reference\\":\\"urn:uuid:' + ONE.encode() + b'\\""}'
    source = b'{"resourceType":"Bundle","entry":[{"resource":' + resource + b'},{"fullUrl":"urn:uuid:'
    source += ONE.encode() + b'","resource":{"resourceType":"Patient","id":"1"}}]}'
    assert same(source).resources["Basic"] == [resource]


def test_a_bundle_within_stays_whole() -> None:
    inner = json.loads(bundle(entry(observation(f"urn:uuid:{ONE}")), entry(patient(), f"urn:uuid:{ONE}")))
    parts = same(bundle(entry(patient("p"), f"urn:uuid:{ONE}"), entry(inner)))
    assert resources(parts, "Bundle") == [inner]
    assert parts.entries == 2


def test_more_resources_than_there_were_is_a_bug() -> None:
    with pytest.raises(CountMismatch):
        take_apart(bundle(entry(patient())), bundle(entry(patient()), entry(patient())))


kinds = st.sampled_from([entry(patient()), entry({"resourceType": "X"}), entry(7), {}, None, {"request": {}}, 1, []])


@settings(deadline=None)  # the first example compiles the policy
@given(st.lists(kinds, max_size=6))
def test_every_entry_is_accounted_for(entries: list[Any]) -> None:
    assert masked(bundle(*entries)).entries == len(entries)


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def linked(reference: str, *entries: dict[str, Any]) -> str:
    parts = same(bundle(*entries, entry(observation(reference))))
    return str(resources(parts, "Observation")[-1]["subject"]["reference"])


def test_a_urn_leads_to_the_resource_of_its_entry() -> None:
    here = entry(patient("other-id"), f"urn:uuid:{ONE}")
    assert linked(f"urn:uuid:{ONE}", here) == "Patient/other-id"
    assert linked(f"URN:UUID:{ONE.upper()}", here) == "Patient/other-id"
    assert linked(f"urn:uuid:{TWO}", here) == f"urn:uuid:{TWO}"
    assert linked("Patient/1", here) == "Patient/1"


def test_a_urn_stays_where_the_bundle_does_not_say_which() -> None:
    urn = f"urn:uuid:{ONE}"
    assert linked(urn, entry(patient(None), urn)) == urn
    assert linked(urn, entry(patient("a"), urn), entry(patient("b"), urn)) == urn
    assert linked(urn, entry(patient("a"), urn), entry(patient("a"), urn)) == "Patient/a"  # two versions
    assert linked(urn, entry(patient("a"), "urn:oid:1.2.3")) == urn


def test_only_references_are_rewritten() -> None:
    urn = f"urn:uuid:{ONE}"
    named = {**observation(urn), "identifier": [{"system": "urn:ietf:rfc:3986", "value": urn}], "implicitRules": urn}
    named["contained"] = [{"resourceType": "Basic", "subject": {"reference": urn}}]
    (found,) = resources(same(bundle(entry(patient("p"), urn), entry(named))), "Observation")
    assert found["subject"] == found["contained"][0]["subject"] == {"reference": "Patient/p"}
    assert (found["identifier"], found["implicitRules"]) == (named["identifier"], urn)


@needs_bundles
def test_real_bundles_come_apart() -> None:
    for path in BUNDLES[:3]:
        source = gzip.decompress(path.read_bytes())
        parts = masked(source)
        entries = json.loads(source)["entry"]
        expected = Counter(one["resource"]["resourceType"] for one in entries)
        assert {kind: len(found) for kind, found in parts.resources.items()} == expected
        assert not parts.dropped
        everything = b"".join(one for found in parts.resources.values() for one in found)
        known = {f"{kind}/{one['id']}" for kind in parts.resources for one in resources(parts, kind)}
        own = [one["fullUrl"].encode() for one in json.loads(source)["entry"]]
        assert not any(url in everything for url in own)
        patient_id = resources(parts, "Patient")[0]["id"] if "Patient" in parts.resources else ""
        assert b'"reference":"urn:uuid:' + patient_id.encode() not in everything.replace(b'": "', b'":"')
        assert f"Patient/{patient_id}" in known or not patient_id


# ── a run ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_writes_resources_by_type_and_its_counts_hold(spark: SparkSession, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    whole = json.loads(
        bundle(
            entry(patient(), f"urn:uuid:{ONE}"),
            entry(observation(f"urn:uuid:{ONE}"), f"urn:uuid:{TWO}"),
            {"request": {"method": "DELETE", "url": "Patient/1"}},
        )
    )
    (source / "Joe_Bloggs.json").write_bytes(json.dumps(whole, indent=2).encode())
    (source / "a.ndjson").write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in (whole, patient(), whole)))
    (source / "b.json").write_bytes(b'{"resourceType":"Bundle",')
    out, phi = str(tmp_path / "out"), str(tmp_path / "phi")
    made_with = MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON)
    made = RunSettings(bundles="split", partitions=2)
    result = mask(spark, str(source), out, phi, engine=Engine(plan()), made_with=made_with, settings=made)

    manifest = result.manifest
    counts = {kind: (c.read, c.masked, c.split, c.resources) for kind, c in manifest.types.items()}
    assert counts.pop("(unknown)")[:2] == (1, 0)
    assert counts == {"Bundle": (3, 0, 3, 0), "Patient": (1, 1, 0, 3), "Observation": (0, 0, 0, 3)}
    assert (manifest.entries, manifest.dropped_entries) == (9, {"delete": 3})
    assert manifest.settings["bundles"] == "split"
    assert {file.resource_type for file in manifest.deleted} == {"Patient"}
    assert sum(file.rows for file in manifest.deleted) == 3
    lines: dict[str, list[Any]] = {}
    for file in manifest.files:
        lines.setdefault(file.resource_type, []).extend(
            map(json.loads, (Path(out) / file.path).read_bytes().splitlines())
        )
    assert {kind: len(found) for kind, found in lines.items()} == {"Patient": 4, "Observation": 3}
    (pseudonym,) = {one["id"] for one in lines["Patient"]}
    assert {one["subject"]["reference"] for one in lines["Observation"]} == {f"Patient/{pseudonym}"}
