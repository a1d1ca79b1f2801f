"""A second scrubber: loaded by name, asked for in a policy, and Presidio's adapter on a stub."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from documents import ON, keyring

from masking.document import Engine
from masking.errors import PolicyError, UsageError
from masking.identity.facts import Facts, Name
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.scrub import Dossier, Scrubber, Term, plugins, scrub_markup
from masking.scrub.terms import Found

ROSE = Facts(key="p1", resource_type="Patient", names=(Name(family="Winterbottom", given=("Rose",)),))
DOSSIER = Dossier((Term("given", "Robert", "Marcus"),), 10)
TOY = """
import re

def finder():
    def find(texts):
        return [[(*found.span(), "stranger") for found in re.finditer("Zed( Rose)?", text)] for text in texts]
    return find
"""


class Analyzer:
    """Finds 'Zed' as Presidio would."""

    def analyze(self, text: str, language: str) -> list[SimpleNamespace]:
        at = text.find("Zed")
        found = SimpleNamespace(start=at, end=at + 3, entity_type="PERSON", score=0.8)
        return [found, SimpleNamespace(start=0, end=1, entity_type="NRP", score=0.1)] if at >= 0 else []


class Known:
    def facts(self, who: str) -> Facts | None:
        return ROSE if who in ("p1", "Patient/p1") else None

    def canonical(self, who: str) -> str:
        return who


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution with an entry point, as pip would install it."""
    info = tmp_path / "toy_scrubber-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-scrubber\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fhir_masking.scrubbers]\ntoy = toy_scrubber:finder\n")
    (tmp_path / "toy_scrubber.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    plugins.load.cache_clear()
    yield
    plugins.load.cache_clear()


def written(policy: str, tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(policy)
    return path


def note(text: str) -> bytes:
    subject = {"reference": "Patient/p1"}
    return json.dumps(
        {"resourceType": "Observation", "id": "o1", "subject": subject, "note": [{"text": text}]}
    ).encode()


@pytest.mark.usefixtures("toy")
def test_a_policy_asks_for_a_second_scrubber(tmp_path: Path) -> None:
    second = "policy: mine\nextends: realistic\nrules:\n  Annotation.text: {mask: scrub, second: toy}\n"
    texts = []
    for policy in ("policy: mine\nextends: realistic\n", second):
        plan = Plan(read_policy(written(policy, tmp_path), reference_date=ON), keyring())
        engine = pickle.loads(pickle.dumps(Engine(plan))).with_people(Known())
        [answer] = engine.mask_batch([note("Zed Rose saw Rose Winterbottom; Zed coughs.")]).masked
        assert answer is not None
        texts.append(json.loads(answer)["note"][0]["text"])
    alone, both = texts
    assert alone.startswith("Zed ") and alone.endswith("; Zed coughs.")
    assert both.endswith("; [stranger] coughs.") and both.startswith("[stranger]")
    assert "Rose" not in both and "Winterbottom" not in both


def test_a_policy_that_asks_for_one_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    policy = written(
        "policy: mine\nextends: realistic\nrules:\n  Annotation.text: {mask: scrub, second: toyy}\n", tmp_path
    )
    with pytest.raises(PolicyError, match="is no scrubber that is installed"):
        read_policy(policy, reference_date=ON)


@pytest.mark.usefixtures("toy")
def test_markup_is_read_by_both_and_stays() -> None:
    scrubber = pickle.loads(pickle.dumps(Scrubber(second="toy")))
    html = "<p class='Zed'>Z<b>ed</b> and Robert</p>"
    [answer] = scrub_markup(scrubber, "html", [html], [DOSSIER])
    assert answer.text == "<p class='Zed'>[stranger]<b></b> and Marcus</p>"
    plain = scrubber.scrub(["Zed and Robert", "no one"], [DOSSIER] * 2)
    assert [one.text for one in plain] == ["[stranger] and Marcus", "no one"]
    assert [(span.start, span.stop, span.kind) for span in plain[0].spans] == [(0, 3, "stranger"), (8, 14, "given")]


def find(spans: Sequence[tuple[int, int, str]]) -> Callable[[Sequence[str]], list[Sequence[tuple[int, int, str]]]]:
    return lambda texts: [spans for _ in texts]


@pytest.mark.parametrize(
    ("spans", "masked"),
    [
        ([(0, 4, "a"), (2, 6, "b")], "[a][b]gh"),
        ([(2, 6, "b"), (0, 4, "a")], "[a][b]gh"),
        ([(-1, 99, "c")], "[c]"),
        ([(3, 3, "d"), (5, 4, "d"), (9, 12, "d")], "abcdefgh"),
        ([], "abcdefgh"),
    ],
)
def test_spans_of_the_second_that_overlap_leave_nothing(spans: list[tuple[int, int, str]], masked: str) -> None:
    [found] = plugins.joined(["abcdefgh"], [[]], find(spans))
    assert plugins.written("abcdefgh", found) == masked


@pytest.mark.parametrize(
    ("spans", "masked"),
    [
        ([(1, 7, "x")], "a[x]DE[x]h"),
        ([(0, 4, "x")], "[x]DEfgh"),
        ([(4, 8, "x")], "abcDE[x]"),
        ([(3, 5, "x")], "abcDEfgh"),
        ([(0, 8, "x"), (1, 2, "y")], "[x]DE[x]"),
    ],
)
def test_what_ours_found_has_its_own_fake(spans: list[tuple[int, int, str]], masked: str) -> None:
    ours = [Found(3, 5, "given", "known", "DE")]
    [found] = plugins.joined(["abcdefgh"], [ours], find(spans))
    assert plugins.written("abcdefgh", found) == masked


def test_one_that_does_not_answer_for_every_text_is_refused() -> None:
    with pytest.raises(UsageError, match="every text"):
        plugins.joined(["a", "b"], [[], []], lambda texts: [[]])


def test_presidio_finds_what_it_is_sure_of() -> None:
    finder = plugins.presidio(engine=Analyzer())
    texts = ["Seen by Zed.", "no one"]
    found = plugins.joined(texts, [[], []], finder)
    assert [plugins.written(*one) for one in zip(texts, found, strict=True)] == ["Seen by [person].", "no one"]


def test_an_unknown_name_says_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="presidoi"):
        plugins.load("presidoi")
    monkeypatch.setitem(__import__("sys").modules, "presidio_analyzer", None)
    assert "presidio" not in plugins.names()
    with pytest.raises(UsageError, match="not installed"):
        plugins.load("presidio")


@pytest.mark.usefixtures("toy")
def test_an_entry_point_is_loaded_once() -> None:
    assert "toy" in plugins.names()
    assert plugins.load("toy") is plugins.load("toy")
    assert plugins.load("toy")(["a Zed"]) == [[(2, 5, "stranger")]]
