"""Before and after: arrays that lost items are aligned, every change finds its rule, and planted values are judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.commands.compare import ABSENT, LABEL, _aligned, compare
from masking.commands.planted import Search, search
from masking.document import Engine
from masking.policy.examples import example_key
from masking.policy.explain import example_policy
from masking.policy.plan import Plan


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(example_policy("realistic"), example_key())


def masked(plan: Plan, source: dict[str, Any]) -> dict[str, Any]:
    answer = Engine(plan).mask_batch([json.dumps(source).encode()]).masked[0]
    assert answer is not None
    found: dict[str, Any] = json.loads(answer)
    return found


PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "3", "profile": ["http://hl7.org/fhir/StructureDefinition/Patient"]},
    "extension": [
        {"url": "http://nowhere.example/secret", "valueString": "x"},
        {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "Rivers"},
    ],
    "identifier": [
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "219-09-9999"},
        {"type": {"coding": [{"code": "MR"}]}, "value": "12345678"},
        {"value": "ABC-123"},
    ],
    "name": [{"family": "Novak", "given": ["Maria"]}],
    "birthDate": "1987-03-14",
    "photo": [{"title": "me"}],
}


def test_every_change_names_its_rule(plan: Plan) -> None:
    found = {change.path: change for change in compare(plan, PATIENT, masked(plan, PATIENT)).changes}

    def line_of(path: str, key: str) -> bool:
        return found[path].rule.place.path.endswith(key)

    assert line_of("birthDate", '["Patient.birthDate"]')
    assert line_of("name.given", '["HumanName.given"]')
    assert line_of("identifier[0].value", 'systems["http://hl7.org/fhir/sid/us-ssn"]')
    assert line_of("identifier[1].value", "types.MR")
    assert line_of("identifier[2].value", "identifiers.default")
    assert line_of("extension[1].valueString", 'patient-mothersMaidenName"]')
    assert found["extension[0].valueString"].after is None
    assert line_of("meta.versionId", '["Meta.versionId"]')
    assert found["meta.versionId"].after not in (None, "3")
    assert found["photo"].after is None
    assert found["meta.security"].rule == LABEL
    assert found["meta.security"].after == "PSEUDED, REDACTED"
    assert "meta.profile" not in found


def test_a_reason_for_what_is_absent_is_an_addition(plan: Plan) -> None:
    source = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "content": [{"attachment": {"data": "QQ=="}}],
    }
    found = {change.path: change for change in compare(plan, source, masked(plan, source)).changes}
    assert found["content.attachment.data"].after is None
    assert found["content.attachment._data"].before is None
    assert found["content.attachment._data"].rule == ABSENT


def test_resources_inside_are_compared_by_their_own_type(plan: Plan) -> None:
    source = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": PATIENT}, {"resource": PATIENT | {"id": "p2"}}],
    }
    found = {change.path: change for change in compare(plan, source, masked(plan, source)).changes}
    assert found["entry[1].resource.birthDate"].rule.place.path.endswith('["Patient.birthDate"]')


def test_unknown_types_and_shapes_do_no_harm(plan: Plan) -> None:
    assert compare(plan, {"resourceType": "Nonsense", "a": [{"b": None}, 3]}, {}).kept == 0
    assert compare(plan, {}, {}).changes == ()
    odd = {"resourceType": "Patient", "name": "no array", "identifier": [3, None, []], "extension": {"url": 1}}
    compare(plan, odd, {"name": [{"family": "x"}], "identifier": "y"})


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=8))
def test_items_that_stay_are_matched_in_their_order(items: list[tuple[int, bool]]) -> None:
    source = [{"url": f"u{number}", "at": index, "value": "before"} for index, (number, _) in enumerate(items)]
    left = [item | {"value": "after"} for item, (_, stays) in zip(source, items, strict=True) if stays]
    pairs = _aligned(source, left)
    assert [item for item, _ in pairs] == source
    assert [match for _, match in pairs if match is not None] == left
    assert all(match is None or match["at"] == item["at"] for item, match in pairs)


# ── planted values ───────────────────────────────────────────────────────────────────────────────────────────────────


def planted(tmp_path: Path, plan: Plan, spoil: dict[str, Any] | None = None) -> Search:
    """One patient masked, with `spoil` put over the result, searched for its name, birth date, SSN and two ids."""
    source = PATIENT | {"gender": "female"}
    truths = [
        ("Patient.id", "other", "p1"),
        ("Patient.name.family", "names", "Novak"),
        ("Patient.birthDate", "dates", "1987-03-14"),
        ("Patient.identifier.value", "ssn", "219-09-9999"),
        ("Patient.identifier.value", "mrn", "12345678"),
        ("Patient.gender", "other", "female"),
    ]
    lines = [{"patient": "p1", "type": "Patient", "id": "p1", "path": p, "kind": k, "value": v} for p, k, v in truths]
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Patient.000.ndjson").write_text(json.dumps(source) + "\n\n")
    (tmp_path / "out").mkdir()
    result = masked(plan, source) | (spoil or {})
    (tmp_path / "out" / "Patient.ndjson").write_text(json.dumps(result) + "\n")
    return search(plan, tmp_path / "truth.jsonl", tmp_path / "in", tmp_path / "out")


def test_nothing_is_found_but_what_a_rule_keeps(tmp_path: Path, plan: Plan) -> None:
    found = planted(tmp_path, plan)
    assert found.found == 0
    assert found.planted.total() == 6
    assert [(remains.path, count) for remains, count in found.kept.items()] == [("Patient.gender", 1)]
    assert found.lines == 1
    assert found.unseen == 0


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        ({"name": [{"family": "Novak"}]}, None),  # the fake is the same one: a common name
        ({"identifier": [{"value": "219-09-9999"}, {"value": "x"}, {"value": "y"}]}, "Patient.identifier.value"),
        ({"identifier": [{"value": "SSN 219.09.9999!"}, {"value": "x"}, {"value": "y"}]}, "Patient.identifier.value"),
    ],
)
def test_what_masking_left_behind_is_found(tmp_path: Path, plan: Plan, spoil: dict[str, Any], path: str | None) -> None:
    found = planted(tmp_path, plan, spoil)
    assert [remains.path for remains in found.leaked] == ([] if path is None else [path])
    assert found.found == (0 if path is None else 1)


def test_another_ones_number_as_a_fake_is_chance(tmp_path: Path, plan: Plan) -> None:
    found = planted(tmp_path, plan, {"language": "219-09-9999"})
    assert found.found == 0
    assert found.chance["ssn"] >= 1


def test_a_resource_that_was_not_written_is_told(tmp_path: Path, plan: Plan) -> None:
    found = planted(tmp_path, plan, {"id": "somebody-else"})
    assert found.unseen == 6
