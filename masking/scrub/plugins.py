"""A second scrubber beside ours: whatever finds spans in texts, named by an entry point of `fhir_masking.scrubbers`.

The entry point is a function without arguments that returns a `Finder`. What it finds and ours did not becomes
`[kind]`. One is shipped: `presidio`, an adapter of Microsoft Presidio's analyzer, which is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from masking.errors import UsageError
from masking.scrub.terms import Scrubbed

GROUP = "fhir_masking.scrubbers"

#: A batch of texts to the spans of each: start, stop, kind.
Finder = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int, str]]]]


def load(name: str) -> Finder:
    """The finder of this name; `UsageError` where none is installed."""
    found = [one for one in entry_points(group=GROUP) if one.name == name]
    if not found:
        if name == "presidio":
            return presidio()
        known = ", ".join(sorted({"presidio", *(one.name for one in entry_points(group=GROUP))}))
        raise UsageError(f"no scrubber is called {name!r}", f"there are {known}")
    finder: Finder = found[0].load()()
    return finder


def second(scrubbed: Sequence[Scrubbed], finder: Finder) -> list[str]:
    """Texts that ours has scrubbed, with what the finder still sees replaced by `[kind]`.

    It reads our output, so it sees our fakes as well: a fake that it replaces is a fake less, never a leak.
    """
    texts = [one.text for one in scrubbed]
    answer = []
    for text, spans in zip(texts, finder(texts), strict=True):
        pieces, at = [], 0
        for start, stop, kind in sorted(spans):
            if at <= start < stop <= len(text):
                pieces += [text[at:start], f"[{kind}]"]
                at = stop
            elif start < at < stop <= len(text):  # overlaps the one before: what sticks out goes too
                at = stop
        answer.append("".join([*pieces, text[at:]]))
    return answer


def presidio(language: str = "en", least: float = 0.5, engine: Any = None) -> Finder:
    """Presidio's analyzer as a finder; `UsageError` where `presidio-analyzer` is not installed."""
    if engine is None:
        try:
            engine = import_module("presidio_analyzer").AnalyzerEngine()  # optional, and slow to import
        except ImportError:
            raise UsageError("presidio-analyzer is not installed", "pip install presidio-analyzer") from None

    def find(texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
        return [
            [
                (one.start, one.end, one.entity_type.lower())
                for one in engine.analyze(text=text, language=language)
                if one.score >= least
            ]
            for text in texts
        ]

    return find
