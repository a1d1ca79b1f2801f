"""What a verification measures of a run of the sample: exact where masking promises it, the same however tasks share the work,
and what it advises to do about risk is what does it.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from quick_run import Quick, quick_run

from masking.cli import main
from masking.policy.read import read_policy
from masking.report.measures import SHOWN_FROM, Measures, Risk
from masking.risk.facts import ATTRIBUTES
from masking.risk.mend import FORMS, snippet
from masking.risk.settings import RiskSettings
from masking.sample import write_sample
from masking.verify.tree import told

ON = "2026-01-01"
ETHNICITY = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"
#: Attributes by which a sample of some tens of people can be told apart, and be mended.
SOME = RiskSettings(("age_band", "sex", "race", "death"), k=4)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    write_sample(folder, 24, seed=7)
    return folder / "export"


@pytest.fixture(scope="module")
def run(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Quick:
    return quick_run(source, tmp_path_factory.mktemp("realistic"), read_policy("realistic", reference_date=ON), ON)


@pytest.fixture(scope="module")
def measures(run: Quick) -> Measures:
    found: Measures = run.measures(SOME)
    return found


def risk_of(measures: Measures) -> Risk:
    assert measures.risk is not None
    return measures.risk


def patients(source: Path) -> list[dict[str, Any]]:
    texts = [path.read_text() for path in source.glob("Patient.*")]
    return [json.loads(line) for text in texts for line in text.splitlines() if line.strip()]


# ── utility and coverage ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_masking_keeps_is_exactly_as_it_was(measures: Measures) -> None:
    found = {one.name: one for one in measures.utility}
    assert {
        "Sex",
        "Age",
        "Diagnoses",
        "Treatments",
        "Length of stay",
        "Months since the first encounter",
    } <= found.keys()
    assert sum(name.startswith("Result ") for name in found) == 6
    for one in found.values():
        assert one.before == one.after and one.apart == 0, one.name
        assert {one.ks, one.wasserstein} <= {0.0, None}


def test_counts_are_those_of_the_source(measures: Measures, source: Path) -> None:
    counts = {one.path: one for one in measures.coverage.paths}
    people = patients(source)
    assert counts["Patient.gender"].kept == sum("gender" in one for one in people)
    birth = counts["Patient.birthDate"]
    assert (birth.does, birth.gone) == ("retain_age", 0) and birth.values == sum("birthDate" in one for one in people)
    names = sum(len(name.get("given", [])) for one in people for name in one.get("name", []))
    assert counts["Patient.name.given"].values == names and counts["Patient.name.given"].kept == 0
    assert counts["Patient.name.given"].place.startswith("realistic.yaml:")
    for one in measures.coverage.paths:
        assert one.values == one.kept + one.changed + one.gone and one.path == told(one.path)
    by_default = [one for one in measures.coverage.paths if one.by_default]
    assert by_default and all(one.gone == one.values for one in by_default)


def test_what_is_kept_and_looks_like_a_number_is_for_review(run: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.spark.measure._TEXTS", 5)
    measures: Measures = run.measures(SOME)
    assert "Device.udiCarrier.deviceIdentifier" in {one.path for one in measures.coverage.review}


def test_nothing_measured_repeats_a_value(run: Quick, measures: Measures, source: Path) -> None:
    texts = {
        path.name: path.read_text() for path in (run.out / "runs").glob("*/*.*") if path.suffix in (".json", ".html")
    }
    assert {"report.json", "report.html", "verification.json"} <= texts.keys()
    values = {one["id"] for one in patients(source)}
    for one in patients(source):
        values |= {name["family"] for name in one.get("name", []) if "family" in name}
        values |= {number["value"] for number in one.get("identifier", []) if "value" in number}
    told = {word for text in texts.values() for word in re.findall(r"[\w.-]+", text)}
    assert len(values) > 50 and {value for value in values if len(value) > 4} & told == set()


# ── risk ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cells_are_those_of_the_patients(measures: Measures, source: Path) -> None:
    risk = risk_of(measures)
    assert risk.people == len(patients(source))
    assert sum(people for _, _, _, people in risk.cells.sizes) == risk.people
    assert all(one.told == 1 and one.counted for one in risk.attributes)  # realistic keeps all four
    for cell in risk.smallest:
        assert cell.shared_by >= SHOWN_FROM > cell.size


def test_a_fake_place_makes_no_cell(run: Quick) -> None:
    risk = risk_of(run.measures(RiskSettings(("sex", "zip3"))))
    sex, place = risk.attributes
    assert (sex.counted, place.counted) == (True, False)
    assert risk.cells.cells < risk.cells_of_all.cells


def test_attackers_find_by_what_stands_and_not_by_what_moved(measures: Measures) -> None:
    one_fact = {one.kind: one for one in risk_of(measures).linked if one.kind}
    for kind in ("day of birth", "the day of a visit", "ZIP, three digits"):
        assert one_fact[kind].after < max(1, one_fact[kind].before) <= one_fact[kind].attacks
    for kind in ("age in years", "days between two visits in a row", "a result with its value", "sex", "a diagnosis"):
        assert one_fact[kind].after == one_fact[kind].before
    linked = {(one.knows, one.facts): one for one in risk_of(measures).linked if not one.kind}
    shares = [linked["kept", facts].after / linked["kept", facts].attacks for facts in (1, 2, 3, 4)]
    assert shares == sorted(shares) and shares[3] > shares[0]
    for facts in (2, 3, 4):
        assert linked["any", facts].after < linked["any", facts].before
    for one in risk_of(measures).linked:
        assert one.attacks == one.after + one.misled + one.nobody + one.several


def test_the_work_may_be_shared_out_in_any_way(run: Quick, measures: Measures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.spark.measure._SHARE", 5)
    assert replace(run.measures(SOME), seconds=0) == replace(measures, seconds=0)


def test_a_population_is_heeded(run: Quick, measures: Measures) -> None:
    risk = risk_of(run.measures(replace(SOME, population=24_000)))
    assert risk.cells.journalist[0] < risk_of(measures).cells.journalist[0] == risk_of(measures).cells.prosecutor[0]
    assert replace(risk.cells, journalist=(0, 0)) == replace(risk_of(measures).cells, journalist=(0, 0))


def test_a_run_without_patients_has_no_risk(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    for path in source.glob("Organization.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    measures = quick_run(folder, tmp_path, read_policy("realistic", reference_date=ON), ON).measures()
    assert measures.risk is None and measures.utility == () and measures.coverage.paths


# ── what would mend it ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_advice_is_a_policy_that_lifts_the_smallest_cell_to_k(
    measures: Measures, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    risk = risk_of(measures)
    assert risk.cells.k < SOME.k and risk.steps[-1].least >= SOME.k
    advice = tmp_path / "advice.yaml"
    advice.write_text(risk.snippet)
    assert main(["policy", "check", str(advice)]) == 0
    assert "is a valid policy" in capsys.readouterr().err
    policy = read_policy(str(advice), reference_date=ON)
    mended = risk_of(quick_run(source, tmp_path, policy, ON).measures(SOME))
    assert mended.cells.k >= SOME.k and mended.cells.at_risk == 0 and mended.steps == ()
    assert mended.cells.k == risk.steps[-1].least


@pytest.fixture(scope="module")
def few(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Patients and their encounters alone; what the sample has too little of is given to every third."""
    folder = tmp_path_factory.mktemp("few")
    for path in source.glob("Encounter.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    people = patients(source)
    for one in people[::3]:
        category = {
            "url": "ombCategory",
            "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2135-2"},
        }
        one.setdefault("extension", []).append({"url": ETHNICITY, "extension": [category]})
        one["maritalStatus"] = {"coding": [{"code": "W"}]}
        one["communication"] = [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}}]
    (folder / "Patient.000.ndjson").write_text("".join(json.dumps(one) + "\n" for one in people))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_the_rules_of_an_attribute_do_what_they_say(attribute: str, few: Path, tmp_path: Path) -> None:
    """Each coarser form is a policy that makes cells as large as they were foretold."""
    settings = RiskSettings((attribute,), k=24)
    base = "limited_data_set" if attribute in ("zip3", "state") else "realistic"
    policy = read_policy(base, reference_date=ON)
    before = risk_of(quick_run(few, tmp_path / "0", policy, ON).measures(settings))
    assert before.attributes[0].counted
    assert [step.to for step in before.steps] == [form.to for form in FORMS[attribute]]
    for number, step in enumerate(before.steps, 1):
        path = tmp_path / f"{number}.yaml"
        path.write_text(snippet(before.steps[:number], base, 24))
        policy = read_policy(str(path), reference_date=ON)
        after = risk_of(quick_run(few, tmp_path / str(number), policy, ON).measures(settings))
        assert after.cells_of_all.k == step.least
