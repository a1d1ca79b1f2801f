"""The drill itself: it finds all that it plants, says so without a value, and would say if it did not."""

from __future__ import annotations

import dataclasses
import json
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from masked_run import Masked

from masking.cli import main
from masking.commands import verify as verify_command
from masking.commands.drill import MISSES, show_drill
from masking.commands.screen import Screen
from masking.commands.verdict import LEAK
from masking.report.drill import FOUND, MISSED, NOT_APPLICABLE, Drill, read_drill
from masking.spark import drill as drilling
from masking.spark import verify_relations
from masking.verify import hidden
from masking.verify.drill.edit import Document, Number, change_one
from masking.verify.drill.faults import AMONG_LINES, IN_DOCUMENTS
from masking.verify.drill.places import PLACES
from masking.verify.kinds import Kind, names_of

pytestmark = pytest.mark.slow  # a drill verifies some fifty times


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def copied(unharmed: Masked, tmp_path_factory: pytest.TempPathFactory) -> tuple[Masked, dict[str, bytes]]:
    """A run, and what is in its files before it is drilled."""
    masked = unharmed.copy(tmp_path_factory.mktemp("drilled"))
    return masked, contents(masked.out)


@pytest.fixture(scope="module")
def drilled(copied: tuple[Masked, dict[str, bytes]]) -> tuple[Masked, Drill]:
    masked, _ = copied
    return masked, masked.drill()


@pytest.fixture(scope="module")
def changed(copied: tuple[Masked, dict[str, bytes]], drilled: tuple[Masked, Drill]) -> set[str]:
    """The files that the drill left or changed, taken before a test verifies the run again."""
    masked, before = copied
    return {name for name, held in contents(masked.out).items() if before.get(name) != held}


def test_everything_that_is_planted_is_found(drilled: tuple[Masked, Drill]) -> None:
    _, done = drilled
    assert [one for one in (*done.leaks, *done.faults) if one.outcome == MISSED] == []
    assert done.missed == 0 and done.counts[FOUND] > 400
    cells = {(leak.kind, leak.place): leak for leak in done.leaks}
    assert len(cells) == len(done.leaks) == len(done.kinds) * len(done.places)
    assert [one for one in (*done.leaks, *done.faults) if (one.outcome == NOT_APPLICABLE) != bool(one.why)] == []


def test_what_is_not_applicable_is_little(drilled: tuple[Masked, Drill]) -> None:
    """Every kind that the sample has is found in nearly every place, and every fault can be made."""
    _, done = drilled
    assert [fault.name for fault in done.faults if fault.outcome != FOUND] == []
    absent = {"vehicle", "id"}  # of which the sample has none
    for kind in done.kinds.keys() - absent:
        found = [leak for leak in done.leaks if leak.kind == kind and leak.outcome == FOUND]
        assert len(found) >= len(done.places) - 9, kind


def test_the_copy_is_gone_and_nothing_else_is_touched(drilled: tuple[Masked, Drill], changed: set[str]) -> None:
    masked, done = drilled
    phi = masked.phi / "runs" / masked.manifest.run_id
    assert not (phi / "drill").exists()

    assert {name.rpartition("/")[2] for name in changed} <= {"drill.json"}
    assert read_drill(str(masked.out), done.run_id) == done


def test_the_matrix_holds_no_value(drilled: tuple[Masked, Drill]) -> None:
    masked, _ = drilled
    (matrix,) = masked.out.rglob("drill.json")
    text = matrix.read_text()
    for path in masked.source.glob("Patient.*"):
        for line in path.read_text().splitlines():
            patient = json.loads(line)
            values = [patient["id"], *(one["value"] for one in patient["identifier"])]
            values += [name["family"] for name in patient["name"] if "family" in name]
            assert [value for value in values if value in text] == []


def test_what_the_drill_left_is_verified(drilled: tuple[Masked, Drill], changed: set[str]) -> None:
    """The matrix lies where values are looked for."""
    assert changed
    assert drilled[0].verify().verdict.findings == ()


# ── a verification that is blind ─────────────────────────────────────────────────────────────────────────────────────


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Drill a few things alone."""
    for table in ("PLACES", "BESIDE", "IN_DOCUMENTS", "AMONG_LINES"):
        kept = tuple(one for one in getattr(drilling, table) if one.name in names)
        monkeypatch.setattr(drilling, table, kept)


def test_a_search_that_undoes_no_base64_is_told(
    unharmed: Masked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "note", "extension")
    monkeypatch.setattr(hidden, "from_base64", lambda run: b"")
    done = unharmed.copy(tmp_path).drill()
    missed = {leak.place for leak in done.leaks if leak.outcome == MISSED}
    assert missed == {"note"} and done.missed == done.counts[MISSED] > 10


def test_a_check_of_dates_that_is_gone_is_told(
    unharmed: Masked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "a date that moved by another day", "a wrong code")
    monkeypatch.setattr(verify_relations, "unsteady", lambda arrays: iter(()))
    done = unharmed.copy(tmp_path).drill()
    assert {fault.name: fault.outcome for fault in done.faults} == {
        "a wrong code": FOUND,
        "a date that moved by another day": MISSED,
    }


def test_the_command_ends_with_a_code_of_its_own_on_a_miss(
    unharmed: Masked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, "note", "extension", "names in another order")
    masked = unharmed.copy(tmp_path)
    words = ["verify", str(masked.source), str(masked.out), "--phi-area", str(masked.phi), "--drill"]
    assert main(words) == 0
    assert "were found" in capsys.readouterr().out
    monkeypatch.setattr(hidden, "from_base64", lambda run: b"")
    assert main(words) == MISSES == 13
    assert "MISSED" in capsys.readouterr().out
    # The report has the matrix, once it is made of what the drill left.
    assert main(["report", str(masked.out)]) == 0
    (report,) = masked.out.rglob("report.html")
    matrix = report.read_text().partition('id="drill"')[2]
    assert all(word in matrix for word in ("note", "extension", "names in another order", "missed"))


# ── planting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_document_keeps_all_other_bytes() -> None:
    before = b'{"resourceType":"Observation","valueQuantity":{"value":1.00},"id":"1","x":"\\u00e9","code":{"text":1E2}}'
    document = Document(before)
    assert change_one(document, lambda path, kind, value: "2" if path == "Observation.id" else None) == "Observation.id"
    assert document.as_bytes() == before.replace(b'"id":"1"', b'"id":"2"')
    path = change_one(document, lambda path, kind, value: Number(value + "0") if kind == "decimal" else None)
    assert path == "Observation.valueQuantity.value" and b'"value":1.000' in document.as_bytes()


def test_names_tell_places_and_faults_apart() -> None:
    names = [one.name for one in (*PLACES, *drilling.BESIDE, *IN_DOCUMENTS, *AMONG_LINES)]
    assert len(set(names)) == len(names)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_shows_every_kind_and_place(
    drilled: tuple[Masked, Drill], capsys: pytest.CaptureFixture[str]
) -> None:
    _, done = drilled
    show_drill(Screen(), done)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert all(place in out for place in done.places) and all(names_of(kind)[0] in out for kind in Kind)
    assert "all" in out and "were found" in out and "!" not in out.replace("! missed", "")
    leaks = (dataclasses.replace(done.leaks[0], outcome=MISSED), *done.leaks[1:])
    show_drill(Screen(), dataclasses.replace(done, leaks=leaks, counts={**done.counts, MISSED: 1}))
    assert "MISSED" in capsys.readouterr().out


@pytest.mark.parametrize(("leaked", "missed", "code"), [(False, 0, 0), (False, 2, MISSES), (True, 2, LEAK)])
def test_the_exit_code(
    unharmed: Masked,
    drilled: tuple[Masked, Drill],
    monkeypatch: pytest.MonkeyPatch,
    leaked: bool,
    missed: int,
    code: int,
) -> None:
    verdict = SimpleNamespace(verified=not leaked, leaked=leaked)
    done = SimpleNamespace(verdict=verdict, report="", findings="")
    monkeypatch.setattr(verify_command, "verify_run", lambda *args, **options: done)
    monkeypatch.setattr(verify_command, "show_verdict", lambda *args: None)
    told: list[Any] = []

    def drill_run(*args: Any) -> Any:
        told.append(args)
        return SimpleNamespace(missed=missed)

    monkeypatch.setattr(verify_command, "drill_run", drill_run)
    asked = Namespace(
        paths=[str(unharmed.source), str(unharmed.out)], phi_area=str(unharmed.phi), run=None, policy=None, types=None,
        master=None, conf=None, drill=True,
    )  # fmt: skip
    assert verify_command.run(asked, Screen()) == code
    assert len(told) == 1
