"""Notes written by hand: `{...}` marks an identifier, `{on|...}` one that a word stands before; `@who` names the dossier."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

from masking.scrub import Dossier, Term

HERE = Path(__file__).parent / "data" / "notes"
_MARK = re.compile(r"\{(?:([^{}|]*)\|)?([^{}]*)\}")


class Hard(NamedTuple):
    """A text, whose dossier is the one called `who`, and where its identifiers stand."""

    who: str
    text: str
    spans: tuple[tuple[int, int], ...]


def dossiers() -> dict[str, Dossier]:
    """By name."""
    people = json.loads((HERE / "people.json").read_text("utf-8"))
    return {who: Dossier(tuple(Term(*term) for term in one["terms"]), one["days"]) for who, one in people.items()}


def hard(name: str = "hard") -> list[Hard]:
    """The notes with identifiers. `fresh`: those by which nothing was tuned; they are measured, never made to pass."""
    answer = []
    lines = (HERE / f"{name}.txt").read_text("utf-8").splitlines()
    for who, marked in zip(lines[::2], lines[1::2], strict=True):
        text, spans, at = "", [], 0
        for found in _MARK.finditer(marked):
            text += marked[at : found.start()] + (f"{found[1]} " if found[1] else "")
            spans.append((len(text), len(text) + len(found[2])))
            text, at = text + found[2], found.end()
        answer.append(Hard(who[1:], text + marked[at:], tuple(spans)))
    return answer


def clinical() -> list[str]:
    """Sentences in which nobody is identified, full of what looks as if."""
    return (HERE / "clinical.txt").read_text("utf-8").splitlines()
