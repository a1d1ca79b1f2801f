"""What a benchmark hands back, as plain data, and how that looks in a terminal and in `results.json`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure held against what was promised: the floor it must reach and, if there is one, the goal beyond it."""

    what: str
    value: float
    floor: float
    goal: float | None = None
    unit: str = "×"
    is_less_better: bool = False

    @property
    def holds(self) -> bool:
        """Whether the floor is reached."""
        return self._reaches(self.floor)

    @property
    def reached(self) -> str:
        """The best that was reached: `goal`, `floor` or `neither`."""
        if self.goal is not None and self._reaches(self.goal):
            return "goal"
        return "floor" if self.holds else "neither"

    def _reaches(self, bound: float) -> bool:
        return self.value <= bound if self.is_less_better else self.value >= bound

    def as_text(self) -> Text:
        """One line."""
        sign = "at most" if self.is_less_better else "at least"
        bounds = f"floor {sign} {self.floor:,.10g}{self.unit}"
        if self.goal is not None:
            bounds += f", goal {self.goal:,.10g}{self.unit}"
        word, style = {
            "goal": ("goal reached", "green"),
            "floor": ("floor reached" if self.goal is not None else "reached", "green"),
            "neither": ("FLOOR NOT REACHED", "bold red"),
        }[self.reached]
        return Text.assemble(
            f"  {self.what}: ", (f"{self.value:,.3g}{self.unit}", "bold"), f" ({bounds}) ", (word, style)
        )


@dataclass(slots=True)
class Report:
    """One benchmark's outcome. rows: cells as they are shown. figures: the same, and more, for `results.json`."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_table(self) -> Table:
        """The rows; the first column on the left, numbers on the right."""
        table = Table(title=self.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for number, name in enumerate(self.columns):
            table.add_column(name, justify="right" if number else "left", header_style="dim")
        for row in self.rows:
            table.add_row(*row)
        return table

    def verdicts_as_text(self) -> list[Text]:
        """What was promised and what was reached, then what else is to be said."""
        return [one.as_text() for one in self.verdicts] + [Text(f"  {note}", style="dim") for note in self.notes]

    def as_json(self) -> Mapping[str, Any]:
        """For `results.json`."""
        judged = [
            {
                "what": one.what,
                "value": one.value,
                "unit": one.unit,
                "floor": one.floor,
                "goal": one.goal,
                "reached": one.reached,
            }
            for one in self.verdicts
        ]
        return {"title": self.title, "verdicts": judged, "notes": self.notes, **self.figures}


def load() -> float:
    """The machine's load average of the last minute: others at work make every figure worse."""
    return round(os.getloadavg()[0], 2)
