"""A second scrubber: loaded by name, and Presidio's adapter on a stub."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from masking.errors import UsageError
from masking.scrub import Scrubbed, plugins


class Analyzer:
    """Finds 'Zed' as Presidio would."""

    def analyze(self, text: str, language: str) -> list[SimpleNamespace]:
        at = text.find("Zed")
        found = SimpleNamespace(start=at, end=at + 3, entity_type="PERSON", score=0.8)
        return [found, SimpleNamespace(start=0, end=1, entity_type="NRP", score=0.1)] if at >= 0 else []


def test_presidio_finds_what_ours_did_not() -> None:
    finder = plugins.presidio(engine=Analyzer())
    assert plugins.second([Scrubbed("Seen by Zed.", ()), Scrubbed("no one", ())], finder) == [
        "Seen by [person].",
        "no one",
    ]


def test_spans_that_overlap_leave_nothing() -> None:
    finder = lambda texts: [[(0, 4, "a"), (2, 6, "b"), (-1, 99, "c")] for _ in texts]  # noqa: E731
    assert plugins.second([Scrubbed("abcdefgh", ())], finder) == ["[a]gh"]


def test_an_unknown_name_says_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="presid"):
        plugins.load("presidoi")
    monkeypatch.setitem(__import__("sys").modules, "presidio_analyzer", None)
    with pytest.raises(UsageError, match="not installed"):
        plugins.load("presidio")


def test_an_entry_point_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = plugins.presidio(engine=Analyzer())
    point = SimpleNamespace(name="mine", load=lambda: lambda: finder)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point] if group == plugins.GROUP else [])
    assert plugins.load("mine") is finder
