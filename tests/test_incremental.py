"""Incremental runs: what they read, what they know of people, and when they refuse."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drops
import pytest
from drops import deletion
from people import line, linked, patient

from masking import storage
from masking.cli import main
from masking.keys import write_key_file
from masking.report.manifest import MANIFEST, read_manifest
from masking.spark import run as runs
from masking.spark.begin import new_run_id
from masking.spark.ledger import LEDGER, read_ledger
from masking.spark.unfinished import Marker

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.usefixtures("spark")
OLD, NEW = "Quennelle Ashgrovian", "Marblethorpian"


class Scene:
    """A source that grows, and the command over it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.out, self.phi = root / "out", root / "phi"
        self._capsys = capsys
        write_key_file(root / "key")

    def arrive(self, name: str, *documents: dict[str, Any]) -> Path:
        path = self.root / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(line(document) + b"\n" for document in documents))
        return path

    def run(self, *options: str, out: str = "out", phi: str = "phi", incremental: bool = True) -> tuple[int, str]:
        """The exit code, and what was said."""
        places = [str(self.root / "in"), str(self.root / out), "--phi-area", str(self.root / phi)]
        words = ["run", *places, "--key-file", str(self.root / "key"), "--formats", "ndjson", *options]
        self._capsys.readouterr()
        code = main([*words, *["--incremental"][:incremental]])
        return code, self._capsys.readouterr().err

    def runs(self) -> list[str]:
        manifest = read_manifest(str(self.out))
        return [] if manifest is None else list(manifest.runs)


@pytest.fixture
def scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scene:
    return Scene(tmp_path, capsys)


def person(*families: str, own_id: str = "p1") -> dict[str, Any]:
    given = OLD.split(maxsplit=1)[0]
    return patient(own_id, name=[{"family": family, "given": [given]} for family in families], gender="female")


def note(number: int, text: str, subject: str = "Patient/p1") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"text": "Note"},
        "subject": {"reference": subject},
        "note": [{"text": text}],
    }


def notes(found: Iterable[bytes]) -> set[bytes]:
    return {one for one in found if json.loads(one)["resourceType"] == "Observation"}


def test_what_earlier_drops_knew_is_known(scene: Scene) -> None:
    scene.arrive("1.ndjson", person(OLD.split()[1]))
    assert scene.run()[0] == 0
    scene.arrive("2.ndjson", note(1, f"{OLD} was seen with her brother."))
    assert scene.run()[0] == 0
    scene.arrive("3.ndjson", person(NEW), note(2, f"{OLD}, now {OLD.split(maxsplit=1)[0]} {NEW}, was seen."))
    assert scene.run()[0] == 0
    scene.arrive("4.ndjson", note(3, f"Mrs {NEW}, formerly {OLD.split()[1]}, came."))
    assert scene.run()[0] == 0
    assert len(scene.runs()) == 4
    found = drops.lines(scene.out)
    for name in (*OLD.split(), NEW):
        assert not [one for one in found if name.encode() in one], "a name is left"
    assert scene.run(out="whole", phi="whole-phi", incremental=False)[0] == 0
    whole = drops.lines(scene.root / "whole")
    # What was masked when all was known, and what nothing later bears on, is as in one run over all.
    assert len(notes(found)) == 3
    assert len(notes(found) & notes(whole)) >= 2
    read = [read_ledger(str(scene.phi), run_id) for run_id in scene.runs()]
    assert [[Path(path).name for path in one] for one in read] == [[f"{n}.ndjson"] for n in (1, 2, 3, 4)]


def test_records_that_are_linked_later_are_one_human_from_then_on(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian", own_id="p1"), person(NEW, own_id="p2"))
    assert scene.run()[0] == 0
    scene.arrive("2.ndjson", {**person("Ashgrovian", own_id="p1"), **linked("Patient/p2")})
    assert scene.run()[0] == 0
    scene.arrive("3.ndjson", note(1, f"Mrs {NEW} was seen."), note(2, "Mrs Ashgrovian was seen.", "Patient/p2"))
    assert scene.run()[0] == 0
    assert not [one for one in drops.lines(scene.out) if b"Ashgrovian" in one or NEW.encode() in one]
    assert scene.run(out="whole", phi="whole-phi", incremental=False)[0] == 0
    assert len(notes(drops.lines(scene.out))) == 2
    assert notes(drops.lines(scene.out)) == notes(drops.lines(scene.root / "whole"))


def test_nothing_new_leaves_no_run_and_starts_no_spark(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    assert scene.run()[0] == 0
    before = (scene.out / MANIFEST).read_bytes()
    monkeypatch.setattr("masking.commands.carry.open_session", None)
    code, said = scene.run()
    assert (code, "Nothing new: 1 files" in said) == (0, True)
    assert (scene.out / MANIFEST).read_bytes() == before
    assert [path.name for path in (scene.phi / "runs").iterdir()] == scene.runs()


def test_a_run_that_is_not_incremental_replaces_and_keeps_nothing_of_people(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    assert scene.run()[0] == 0
    first = scene.runs()
    kept = scene.phi / "runs" / first[0]
    assert sorted(path.name for path in kept.iterdir()) == ["people", LEDGER]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert scene.run(incremental=False)[0] == 0
    second = scene.runs()
    assert len(second) == 1 and second != first
    assert not (scene.phi / "runs" / second[0]).exists()
    code, said = scene.run()
    assert (code, "begins another dataset" in said) == (0, True)
    assert len(scene.runs()) == 1 and scene.runs() not in (first, second)


def test_a_changed_file_is_refused_and_read_again_if_told(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"), note(1, "seen"))
    scene.arrive("2.ndjson", note(2, "seen"))
    assert scene.run()[0] == 0
    changed = scene.arrive("1.ndjson", person("Ashgrovian"), note(1, "seen"), note(3, "seen"))
    scene.arrive("3.ndjson", note(4, "seen"))
    before = scene.runs()
    code, said = scene.run()
    assert code == 7 and "1 of the files" in said and "--reread" in said and str(changed) not in said
    assert scene.runs() == before
    assert scene.run("--reread")[0] == 0
    assert drops.dataset(scene.out)[-1].lines == 4
    assert scene.run()[0] == 0, "its new state is known"
    os.utime(changed, (1e9, 1e9))
    assert scene.run()[0] == 7, "of the same size, but of another time"
    assert scene.run("--anew")[0] == 0
    assert len(scene.runs()) == 1 and drops.dataset(scene.out)[-1].lines == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--policy", "safe_harbor"), "another policy"),
        (("--on", "1999-01-01"), "another reference date"),
        (("--bundles", "split"), "another --bundles"),
        (("--formats", "ndjson,parquet"), "another --formats"),
        (("--types", "Patient"), "another policy"),
    ],
)
def test_a_dataset_is_of_one_making(scene: Scene, options: tuple[str, ...], said: str) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    assert scene.run()[0] == 0
    scene.arrive("2.ndjson", note(1, "seen"))
    code, told = scene.run(*options)
    assert code == 2 and said in told and "--anew" in told
    assert len(scene.runs()) == 1


def test_another_phi_area_is_refused(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    assert scene.run()[0] == 0
    code, said = scene.run(phi="other")
    assert code == 7 and "does not say which files" in said


def test_options_without_it_are_refused(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    assert scene.run("--anew", incremental=False)[0] == 2
    assert scene.run("--reread", incremental=False)[0] == 2
    assert scene.run("--reread", "--anew")[0] == 2


def test_a_run_that_is_published_meanwhile_is_not_overtaken(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    assert scene.run()[0] == 0
    scene.arrive("2.ndjson", note(1, "seen"))
    with monkeypatch.context() as patch:
        write = runs.write_ledger

        def overtaken(*arguments: Any) -> None:
            patch.setattr(runs, "write_ledger", write)
            write(*arguments)
            patch.setattr(runs, "refuse_others_at_work", lambda *_: None)
            assert scene.run()[0] == 0

        patch.setattr(runs, "write_ledger", overtaken)
        code, said = scene.run()
    assert code == 1 and "published here meanwhile" in said
    assert len(scene.runs()) == 2
    assert drops.lines(scene.out).total() == 2
    assert {path.name for path in (scene.out / "runs").iterdir()} == set(scene.runs())


def test_one_at_a_time(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    clean, phi = storage.normalize(scene.out), storage.normalize(scene.phi)
    other = Marker(phi, "20200101T000000Z-000000", clean)
    other.start()
    try:
        code, said = scene.run()
        assert code == 1 and "is at work here" in said
    finally:
        other.remove()
    assert scene.run()[0] == 0


def test_a_run_between_its_two_manifests_is_shown_by_the_next(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    assert scene.run()[0] == 0
    before = (scene.out / MANIFEST).read_bytes()
    scene.arrive("2.ndjson", note(1, "seen"))
    assert scene.run()[0] == 0
    after = (scene.out / MANIFEST).read_bytes()
    (scene.out / MANIFEST).write_bytes(before)
    code, said = scene.run()
    assert (code, "Nothing new: 2 files" in said) == (0, True)
    assert (scene.out / MANIFEST).read_bytes() == after


def test_a_run_is_later_than_the_one_before_it_whatever_the_clock_says() -> None:
    first = new_run_id()
    ids = [first]
    for _ in range(5):  # within a second
        ids.append(new_run_id(ids[-1]))
    assert ids == sorted(ids) and len({one[:16] for one in ids}) == 6
    assert new_run_id("20991231T235959Z-ffffff").startswith("21000101T000000Z-")
    assert new_run_id("20200101T000000Z-ffffff")[:8] >= first[:8]


def test_status_tells_of_the_dataset(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2, 3):
        scene.arrive(f"{number}.ndjson", note(number, "seen"))
        assert scene.run()[0] == 0
    capsys.readouterr()
    assert main(["status", str(scene.out)]) == 0
    assert "this run and 2 runs before it, 3 lines masked, 0 quarantined" in " ".join(capsys.readouterr().out.split())
    assert json.loads((scene.out / MANIFEST).read_bytes())["dataset"] == scene.runs()


def test_deletions_are_told_by_masked_ids(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"), note(1, "seen"), note(2, "seen"))
    assert scene.run()[0] == 0
    urls = ("Observation/o2", "Patient/p9", "Patient?identifier=x|y")
    kept = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": note(3, "seen")}]}
    scene.arrive("2.ndjson", json.loads(deletion(*urls)), kept)
    assert scene.run()[0] == 0
    manifest = drops.dataset(scene.out)[-1]
    assert manifest.dropped_entries == {"delete": 2, "delete-by-search": 1}
    assert (manifest.types["Bundle"].masked, manifest.types["Bundle"].split) == (1, 1), "others are kept"
    found = [
        json.loads(line) for file in manifest.deleted for line in (scene.out / file.path).read_bytes().splitlines()
    ]
    assert [one["resourceType"] for one in found] == ["Observation", "Patient"]
    ids = [json.loads(one)["id"] for one in notes(drops.lines(scene.out))]
    assert found[0]["id"] in ids and len(ids) == 2
    assert not any(b"o2" in path.read_bytes() for path in scene.out.rglob("*") if path.is_file())


def test_an_increment_is_verified_with_the_people_of_earlier_ones(scene: Scene) -> None:
    scene.arrive("1.ndjson", person("Ashgrovian"))
    assert scene.run()[0] == 0
    scene.arrive("2.ndjson", note(1, "Mrs Ashgrovian was seen."), json.loads(deletion("Observation/o9")))
    assert scene.run("--verify")[0] == 0
    verify = ["verify", str(scene.root / "in"), str(scene.out), "--phi-area", str(scene.phi)]
    assert main([*verify, "--run", scene.runs()[0]]) == 0
    leaking = scene.out / drops.dataset(scene.out)[-1].files[0].path
    assert leaking.name.startswith("Observation")
    text = leaking.read_bytes()
    leaking.write_bytes(text.replace(b'"text":"Note"', b'"text":"Ashgrovian"').replace(b'"Note"', b'"Ashgrovian"'))
    assert leaking.read_bytes() != text
    assert main(verify) == 4, "a name that only the first drop tells of"
    (scene.root / "in" / "2.ndjson").unlink()
    assert main(verify) == 7
