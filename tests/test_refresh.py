"""Documents that were masked before their people were known are masked again, and no others."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import drops
import pytest
from drops import deletion
from people import line, patient, related
from test_incremental import Scene, note, notes, person

from masking.cli import main
from masking.identity.better import Growth, token_of, tokens_in
from masking.identity.facts import Facts
from masking.identity.gather import gather

NAME = "Ashgrovian"


def facts(*documents: dict[str, Any]) -> list[Facts]:
    return list(gather([line(document) for document in documents]))


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("123", "123"),
        ("Patient/123", "123"),
        ("https://host/fhir/Patient/AB-1/_history/2", "ab-1"),
        ("urn:uuid:0C3151BD-1CBF-4D64-B04D-CD9187A4C6EA", "0c3151bd-1cbf-4d64-b04d-cd9187a4c6ea"),
        ("Practitioner?identifier=http://x.example/npi%7C99", "99"),
        ("http://x.example/mrn|M7", "m7"),
        ("container#p1", "container"),
        ("#p1", "#p1"),
        ("/123", "123"),
        ("", ""),
    ],
)
def test_one_token_whatever_the_form(text: str, token: str) -> None:
    assert token_of(text) == token


def test_tokens_of_a_document() -> None:
    document = {
        "resourceType": "Observation",
        "id": "o1",
        "subject": {"reference": "Patient/p1", "identifier": {"system": "s", "value": "a/b|C"}},
        "performer": [{"reference": "https://h/Practitioner/x\u00fc"}],
    }
    assert tokens_in(json.dumps(document).encode()) == {"o1", "p1", "c", "xü"}
    assert tokens_in(json.dumps(document).replace("/", "\\/").encode()) == {"o1", "p1", "c", "xü"}
    assert tokens_in(b'{"id":"\\ud800","reference":"') == set()


def test_what_is_learned_and_when() -> None:
    [first] = facts(person(NAME))
    [second] = facts(person("Marblethorpian"))
    for order, last in (
        ((first,), 0),
        ((first, first, first), 0),
        ((first, second), 1),
        ((first, second, first, second), 1),
    ):
        grown = Growth()
        for place, one in enumerate(order):
            grown.add(place, one)
        assert (grown.last, "p1" in grown.tokens) == (last, True), order


def test_the_order_within_a_run_changes_nothing() -> None:
    many = facts(*(person(name) for name in ("A", "B", "C")), person("D", own_id="p2"))
    found = set()
    for order in itertools.permutations(many):
        grown = Growth()
        for one in order:
            grown.add(0, one)
        found.add((grown.last, tuple(sorted(grown.tokens))))
    assert len(found) == 1


def test_relatives_are_told_both_ways() -> None:
    relation = {"code": [{"text": "sister"}]}
    [relative] = facts(related("r1", "Patient/p1", name=[{"family": NAME}], relationship=[relation]))
    grown = Growth()
    grown.add(2, relative)
    assert grown.tokens >= {"r1", "p1"}


# ── runs ──


@pytest.fixture
def scene(tmp_path: Path, capsys: pytest.CaptureFixture[str], spark: object) -> Scene:
    return Scene(tmp_path, capsys)


def refresh(scene: Scene, *options: str) -> tuple[int, str]:
    places = [str(scene.root / "in"), str(scene.out), "--phi-area", str(scene.phi)]
    scene._capsys.readouterr()
    code = main(["refresh", *places, "--key-file", str(scene.root / "key"), *options])
    return code, scene._capsys.readouterr().err


def rows_now(scene: Scene) -> dict[str, bytes]:
    """What counts of a dataset: of each id the row of the latest run, but what was deleted since."""
    found: dict[str, bytes] = {}
    for manifest in drops.dataset(scene.out):
        for file in manifest.files:
            for row in (scene.out / file.path).read_bytes().splitlines():
                found[json.loads(row)["resourceType"] + "/" + json.loads(row)["id"]] = row
        for file in manifest.deleted:
            for row in (scene.out / file.path).read_bytes().splitlines():
                found.pop("/".join(json.loads(row).values()), None)
    return found


def test_a_late_patient(scene: Scene) -> None:
    scene.arrive("1.ndjson", note(1, f"Mrs {NAME} was seen."), note(2, "Mr Other was seen.", "Patient/p2"))
    assert scene.run()[0] == 0
    before = notes(drops.lines(scene.out))
    scene.arrive("2.ndjson", person(NAME), patient("p3", "Elsewhere"), note(3, f"Mrs {NAME} again."))
    assert scene.run()[0] == 0
    assert scene.run(out="whole", phi="whole-phi", incremental=False)[0] == 0
    whole = notes(drops.lines(scene.root / "whole"))
    assert notes(set(rows_now(scene).values())) != whole, "the first note was masked before its patient was known"

    assert refresh(scene)[0] == 0
    assert set(rows_now(scene).values()) == set(drops.lines(scene.root / "whole"))
    manifest = drops.dataset(scene.out)[-1]
    assert (manifest.lines, manifest.passed, manifest.total.masked) == (5, 4, 1), "one note alone is masked again"
    [again] = notes(set((scene.out / manifest.files[0].path).read_bytes().splitlines()))
    assert again in whole - before and not [one for one in rows_now(scene).values() if NAME.encode() in one]

    count = len(scene.runs())
    code, said = refresh(scene)
    assert (code, "Nothing was learned" in said) == (0, True)
    assert len(scene.runs()) == count
    scene.arrive("3.ndjson", note(4, f"Mrs {NAME} once more."))
    assert scene.run()[0] == 0, "the dataset goes on"
    assert drops.dataset(scene.out)[-1].refreshed == manifest.run_id
    assert "Nothing was learned" in refresh(scene)[1]


def test_versions_and_deletions_are_not_undone(scene: Scene) -> None:
    scene.arrive("1.ndjson", note(1, "first"), note(2, "first"), note(3, "first"), note(4, "first", "Patient/p2"))
    assert scene.run()[0] == 0
    scene.arrive("2.ndjson", note(1, "second", "Patient/p2"), json.loads(deletion("Observation/o2")))
    assert scene.run()[0] == 0
    scene.arrive("3.ndjson", person(NAME))
    assert scene.run()[0] == 0
    assert refresh(scene)[0] == 0
    manifest = drops.dataset(scene.out)[-1]
    assert manifest.total.masked == 1, "o3 alone: of o1 there is a newer version, o2 is deleted, o4 is another's"
    assert not manifest.deleted
    assert len(rows_now(scene)) == 4
    # Everybody's: again no older version, and no deletion twice.
    assert refresh(scene, "--subjects", "all")[0] == 0
    manifest = drops.dataset(scene.out)[-1]
    assert (manifest.total.masked, len(manifest.deleted), len(rows_now(scene))) == (4, 0, 4)


def test_people_who_are_listed(scene: Scene) -> None:
    scene.arrive("1.ndjson", person(NAME), note(1, "seen"), note(2, "seen", "Patient/p2"))
    assert scene.run()[0] == 0
    listed = scene.root / "subjects.txt"
    listed.write_text("Patient/p2\n\n")
    assert refresh(scene, "--subjects", str(listed))[0] == 0
    manifest = drops.dataset(scene.out)[-1]
    assert (manifest.total.masked, manifest.refreshed, manifest.settings["refresh"]) == (1, "", "listed")
    assert not [path for path in scene.out.rglob("*") if path.is_file() and b"p2" in path.read_bytes()]
    listed.write_text("\n")
    assert refresh(scene, "--subjects", str(listed))[0] == 7


def test_files_that_are_gone_and_places_without_a_dataset(scene: Scene) -> None:
    gone = scene.arrive("1.ndjson", note(1, "seen"))
    scene.arrive("2.ndjson", note(2, "seen"))
    assert refresh(scene)[0] == 7
    assert scene.run(incremental=False)[0] == 0
    code, said = refresh(scene)
    assert code == 7 and "only such a one can be refreshed" in said
    assert scene.run()[0] == 0
    gone.unlink()
    code, said = refresh(scene, "--subjects", "all")
    assert code == 7 and "1 of the files that earlier runs have read are not in the source" in said
