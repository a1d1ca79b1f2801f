"""A find that was looked at closely: what it is judged by."""

from __future__ import annotations

import msgspec


class Find(msgspec.Struct):
    """A known value in the output, looked at closely. This is PHI: `text` is what stands there.

    owner: 0 where it is nobody's who has to do with the document. inside: whether it stood at that path before. action: what
    the policy does at the path. Of birth dates alone, sure: whether the day is named in an order that leaves no doubt; days:
    those that dates in the text at that path may have named before. Of words of names alone, alike: whether one stands among
    the same words as before.
    """

    place: int
    owner: int
    kinds: int
    path: str
    file: str
    line: int
    inside: bool
    action: str
    text: str
    source: str
    source_start: int  # byte from which on lines of the source are counted
    source_line: int
    day: int = 0
    days: list[int] = []
    patient: int = 0
    sure: bool = True
    alike: bool = True
