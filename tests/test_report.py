"""The report: its page, its data and the schema of these hold together, and none of them says what it must not."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import msgspec
import pytest

from masking.cli import main
from masking.report.data import REPORT_DATA, Report, encoded, report_of, schema, shipped_schema
from masking.report.drill import FOUND, MISSED, Drill, Fault, Leak, publish_drill
from masking.report.manifest import MadeWith, Manifest, OutputFile, TypeCounts, publish_manifest
from masking.report.measures import (
    Attribute,
    Cells,
    Compared,
    Coverage,
    Diversity,
    Domain,
    Keys,
    Linked,
    Measures,
    PathCount,
    Reversible,
    Review,
    Risk,
    SmallCell,
    Step,
)
from masking.report.page import REPORT, page
from masking.report.verdict import CHECKS, Finding, Searched, Verdict, publish_verdict

ON = "2026-01-01"
RULES = (("rules", "Patient.gender", "redact"),)
MEASURES = Measures(
    coverage=Coverage(
        (
            PathCount("Patient.gender", "keep", "realistic.yaml:53", "", False, 60, 60, 0, 0),
            PathCount(
                "Patient.extension.valueString", "redact", "built in", "no rule names this extension", True, 9, 0, 0, 9
            ),
        ),
        (Review("Device.udiCarrier.deviceIdentifier", "realistic.yaml:233", 23, 23, 1.0, 0.0, 1.0),),
    ),
    risk=Risk(
        people=60,
        attributes=(Attribute("sex", 2, 1.0, True), Attribute("zip3", 29, -0.01, False)),
        wanted=11,
        population=6000,
        cells=Cells(1, 3, 1, ((1, 1, 1, 1), (20, 49, 2, 59)), (1.0, 0.05), (0.05, 0.001), 1 / 60),
        cells_of_all=Cells(1, 60, 60, ((1, 1, 60, 60),), (1.0, 1.0), (0.1, 0.1), 1.0),
        diversity=Diversity(1.5, 2, 4, 1),
        smallest=(SmallCell(1, (("sex", "female"),), 30),),
        steps=(Step("sex", "gone", 60, 0.0, RULES),),
        snippet="policy: realistic_k11\nextends: realistic\nrules:\n  Patient.gender: redact\n",
        linked=(
            *tuple(
                Linked(knows, facts, "", 120, 100, 20, 5, 45, 50) for knows in ("any", "kept") for facts in (1, 2, 3, 4)
            ),
            Linked("any", 1, "a diagnosis", 60, 3, 3, 0, 0, 57),
        ),
        targets=60,
    ),
    utility=(
        Compared("Sex", "", 60, 60, 0.0, None, None, (("female", 30, 30), ("male", 30, 30))),
        Compared("Age", "years", 60, 60, 0.25, 0.1, 2.5, (("below 10", None, 12), ("10–20", 48, 48))),
        Compared("Age, female", "", 30, 30, 0.0, None, None, (("0–4", 15, 15), ("90+", 15, 15))),
        Compared("Age, male", "", 30, 30, 0.0, None, None, (("0–4", None, None), ("35–39", 29, 29))),
    ),
    keys=Keys((Domain("ssn", 62, 0, 62, 0, 0),), (Reversible("format_preserving", True, "FF1 under its subkey", 15),)),
    seconds=3.0,
)
MANIFEST = Manifest(
    run_id="20260101T000000Z-abcdef",
    started="2026-01-01T00:00:00+00:00",
    finished="2026-01-01T00:01:00+00:00",
    seconds=60.0,
    made_with=MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON, {"python": "3.12"}),
    lines=60,
    blank=0,
    types={"Patient": TypeCounts(60, 60, 0, 0, 6000, 6100)},
    files=(
        OutputFile("runs/20260101T000000Z-abcdef/ndjson/Patient/Patient-00000.ndjson", "Patient", 60, 6100, "0" * 64),
    ),
    redactions={"Media.content.data": 3},
)
VERDICT = Verdict(
    run_id=MANIFEST.run_id,
    verified=False,
    finished="2026-01-01T00:02:00+00:00",
    seconds=9.0,
    versions={"fhir-masking": "0.1"},
    policy="realistic",
    policy_sha256="0" * 64,
    key_fingerprint="fp-0123456789abcdef",
    reference_date=ON,
    documents=60,
    bytes=6100,
    files=1,
    people=60,
    values=900,
    kept_values=100,
    links=10,
    dates=60,
    eighteen=(Searched("A", "Names", 120, 1, 0, 0.5, 1, 0), Searched("C", "Dates but the year", 60, 0, 0, 0.0, 0, 0)),
    findings=(Finding("leak", "name word", "Patient.name.<family>", 1, (("runs/x/Patient-00000.ndjson", 7),)),),
    checks={name: int(name == "leak") for name in CHECKS},
    measures=MEASURES,
)
DRILL = Drill(
    run_id=MANIFEST.run_id,
    finished="2026-01-01T00:03:00+00:00",
    seconds=5.0,
    versions={},
    documents=60,
    people=10,
    places={"display": "a display", "url": "a URL"},
    kinds={"ssn": "an SSN"},
    leaks=(Leak("ssn", "display", FOUND, "", 1, 1), Leak("ssn", "url", MISSED, "", 1, 0)),
    faults=(Fault("a line was dropped", "counts", FOUND),),
    counts={FOUND: 2, MISSED: 1},
)


@pytest.fixture(scope="module")
def report() -> Report:
    return report_of(MANIFEST, VERDICT, DRILL)


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return page(report)


# ── the data ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_schema_is_that_of_the_program() -> None:
    assert json.loads(shipped_schema()) == json.loads(msgspec.json.encode(schema()))


def test_a_report_is_what_its_schema_says(report: Report) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    for one in (report, replace(report, drill=None), replace(report, verdict=replace(VERDICT, measures=None))):
        jsonschema.validate(json.loads(encoded(one)), schema(), jsonschema.Draft202012Validator)
    broken = json.loads(encoded(report))
    del broken["verdict"]["measures"]["risk"]["cells"]["k"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema(), jsonschema.Draft202012Validator)


def test_a_report_can_be_read_again(report: Report) -> None:
    assert msgspec.json.decode(encoded(report), type=Report) == report


def test_what_reproduces_it_measures_the_same(report: Report) -> None:
    risk = report.verdict.measures.risk if report.verdict.measures else None
    assert risk is not None
    names = ",".join(one.name for one in risk.attributes)
    assert f"--run {report.scope.run_id}" in report.reproduce
    assert f"--quasi-identifiers {names} --k {risk.wanted}" in report.reproduce


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.captions = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def seen(html: str) -> _Seen:
    found = _Seen()
    found.feed(html)
    assert found.open == []
    return found


def test_the_page_is_whole_and_needs_no_network(html: str) -> None:
    tags = seen(html).tags
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object"}
    for _, attributes in tags:
        for name in ("href", "xlink:href", "src"):
            assert (attributes.get(name) or "#").startswith("#")
    assert "@import" not in html and "url(http" not in html


def test_the_page_can_be_read_by_all(html: str) -> None:
    tags = seen(html).tags
    names = Counter(tag for tag, _ in tags)
    assert names["h1"] == 1 and ("html", {"lang": "en"}) in tags
    assert names["caption"] == names["table"] > 10
    assert all(attributes.get("scope") for tag, attributes in tags if tag == "th")
    assert names["svg"] >= 6 and names["title"] == 1 + names["svg"]
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in tags:
        for name in ("aria-labelledby", "href", "xlink:href"):
            if name in attributes:
                assert (attributes[name] or "").removeprefix("#") in ids


def test_the_page_tells_things_in_their_order(html: str) -> None:
    titles = re.findall(r"<h2[^>]*>([^<]*)</h2>", html)
    assert titles == [
        "Scope", "The eighteen identifiers", "Findings", "Coverage", "Risk", "Keys", "Utility", "Known weaknesses",
        "How to reproduce", "Appendix: the drill",
    ]  # fmt: skip
    assert html.index('role="status"') < html.index("<h2")
    assert "Not verified: identifiers are left." in html


def test_what_stands_in_the_data_stands_on_the_page(html: str) -> None:
    for text in ("Patient.extension.valueString", "Device.udiCarrier.deviceIdentifier", "realistic_k11", "FF1 under its subkey",
                 "a diagnosis", "under 11", "fp-0123456789abcdef", "Media.content.data", MANIFEST.run_id):  # fmt: skip
        assert text in html
    assert "Patient.name.&lt;family&gt;" in html and "<family>" not in html


def test_a_verdict_without_measures_is_a_page_too() -> None:
    html = page(report_of(MANIFEST, replace(VERDICT, measures=None), None))
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", html)[3:] == ["Known weaknesses", "How to reproduce"]
    nobody = replace(MEASURES, risk=None, utility=(), coverage=Coverage((), ()), keys=Keys((), ()))
    seen(page(report_of(MANIFEST, replace(VERDICT, measures=nobody), None)))


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    publish_manifest(str(tmp_path), MANIFEST)
    publish_verdict(str(tmp_path), VERDICT)
    return tmp_path


def test_a_report_that_is_missing_is_made_anew(destination: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = destination / "runs" / MANIFEST.run_id
    assert main(["report", str(destination)]) == 4
    out = capsys.readouterr().out
    assert str(folder / REPORT) in out and str(folder / REPORT_DATA) in out and "NOT verified" in out
    assert "Appendix" not in (folder / REPORT).read_text()
    (folder / REPORT).write_text("mine")
    main(["report", str(destination)])
    assert (folder / REPORT).read_text() == "mine"
    main(["report", str(destination), "--anew", "--run", MANIFEST.run_id])
    assert (folder / REPORT).read_text() != "mine"
    publish_drill(str(destination), DRILL)  # a drill comes after the report, which is behind then
    main(["report", str(destination)])
    assert "Appendix" in (folder / REPORT).read_text()
    assert json.loads((folder / REPORT_DATA).read_bytes())["drill"]["people"] == 10


def test_a_report_is_opened(
    destination: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: bool(opened.append(url)))
    main(["report", str(destination), "--open"])
    assert opened == [(destination / "runs" / MANIFEST.run_id / REPORT).as_uri()]
    assert "no browser could be opened" in capsys.readouterr().err
    assert main(["report", "s3://bucket/masked", "--open"]) == 2


def test_what_cannot_be_reported_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 7
    publish_manifest(str(tmp_path), MANIFEST)
    assert main(["report", str(tmp_path)]) == 7
    assert "not verified yet" in capsys.readouterr().err
