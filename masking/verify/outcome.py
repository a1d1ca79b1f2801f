"""What comparing one document with what became of it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from masking.verify.leads import Fault, Link


class Moved(NamedTuple):
    """A date that moved by so many days, and those whose it may be, by name, best first."""

    path: str
    days: int
    owners: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """What one pair gave."""

    faults: list[Fault] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    names: list[Link] = field(default_factory=list)  # of resources: id, fullUrl, identifiers
    kept: int = 0  # values that had to stay and did

    def add(self, other: Outcome) -> None:
        """The other's too."""
        self.kept += other.kept
        if other.faults:
            self.faults += other.faults
        if other.moved:
            self.moved += other.moved
        if other.links:
            self.links += other.links
        if other.names:
            self.names += other.names
