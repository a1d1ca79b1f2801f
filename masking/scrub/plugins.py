"""A second scrubber beside ours: whatever finds spans in texts, named by an entry point of `fhir_masking.scrubbers`.

The entry point is a function without arguments that returns a `Finder`. What it finds and ours did not becomes
`[kind]`. One is shipped: `presidio`, an adapter of Microsoft Presidio's analyzer, which is imported when it is asked for.
A finder must say the same of a text in every process and in every batch: what is written depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from masking.errors import UsageError
from masking.scrub.terms import Found

GROUP = "fhir_masking.scrubbers"

#: A batch of texts to the spans of each: start, stop, kind.
Finder = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int, str]]]]


def names() -> list[str]:
    """What may be asked for here."""
    shipped = {"presidio"} if find_spec("presidio_analyzer") else set[str]()
    return sorted(shipped | {one.name for one in entry_points(group=GROUP)})


@cache
def load(name: str) -> Finder:
    """The finder of this name, one a process; `UsageError` where none is installed."""
    found = [one for one in entry_points(group=GROUP) if one.name == name]
    if not found:
        if name == "presidio":
            return presidio()
        raise UsageError(f"no scrubber is called {name!r}", f"there are {', '.join(names()) or 'none'}")
    finder: Finder = found[0].load()()
    return finder


def joined(texts: Sequence[str], found: Sequence[Sequence[Found]], finder: Finder) -> list[list[Found]]:
    """What ours found, in order and apart, and of what the finder sees in the same texts all that lies outside of it."""
    answers = finder(texts)
    if len(answers) != len(texts):
        raise UsageError("a second scrubber did not answer for every text", "")
    return [_joined(len(text), own, spans) for text, own, spans in zip(texts, found, answers, strict=True)]


def _joined(size: int, own: Sequence[Found], spans: Sequence[tuple[int, int, str]]) -> list[Found]:
    answer = list(own)
    for start, stop, kind in sorted(spans):
        at = max(start, 0)
        # Where they overlap, what sticks out of ours on either side goes too.
        for taken in [*sorted(one for one in answer if one.stop > at), Found(size, size, "", "shaped", "")]:
            end = min(taken.start, stop)
            if at < end:
                answer.append(Found(at, end, kind, "shaped", _mark(kind)))
            at = max(at, taken.stop)
            if at >= stop:
                break
    return sorted(answer)


def _mark(kind: str) -> str:
    """`[kind]` as our own marks are spelled: by them a resource is known to have lost something."""
    plain = re.sub(r"[^a-z0-9]+", "_", kind.lower()).strip("_")[:20]
    return f"[{plain}]" if plain[:1].isalpha() else "[identifier]"


def written(text: str, found: Sequence[Found]) -> str:
    """A text with what takes the places of what was found."""
    pieces, at = [], 0
    for start, stop, _, _, new in found:
        pieces += [text[at:start], new]
        at = stop
    return "".join([*pieces, text[at:]])


def presidio(language: str = "en", least: float = 0.5, engine: Any = None) -> Finder:
    """Presidio's analyzer as a finder; `UsageError` where `presidio-analyzer` is not installed."""
    if engine is None:
        try:
            engine = import_module("presidio_analyzer").AnalyzerEngine()  # optional, and slow to import
        except ImportError:
            raise UsageError("presidio-analyzer is not installed", "pip install 'fhir-masking[presidio]'") from None

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
