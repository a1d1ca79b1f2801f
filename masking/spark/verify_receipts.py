"""What a task of a verification hands back: counts and places, and what it looked at closely."""

from __future__ import annotations

import msgspec

from masking.verify.finds import Find


class FaultCount(msgspec.Struct):
    """A fault that a task met: how often, and where first."""

    check: str
    what: str
    path: str
    times: int = 0
    places: list[tuple[str, int]] = []


class Checked(msgspec.Struct):
    """What a task found."""

    task: int
    documents: int
    bytes: int
    kept: int
    links: int
    dates: int
    uncompared: int
    faults: list[FaultCount]
    finds: list[Find]
    paths: list[str]  # of links
    files: list[str]
