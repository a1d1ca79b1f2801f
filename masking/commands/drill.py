"""Carry out a drill and show its matrix: which planted leaks and faults the verification finds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from masking.commands.progress import Progressing
from masking.commands.screen import Screen, counted, duration, table
from masking.commands.verifying import facts_of
from masking.policy.specs import Policy
from masking.report.drill import FOUND, MISSED, NOT_APPLICABLE, Drill
from masking.spark.drill import drill

MISSES = 13
#: What stands for each kind at the head of a column.
_HEADS = {
    "name word": "Nw", "full name": "Nf", "line": "Li", "town": "To", "zip": "Zi", "facility": "Fa", "birth": "Bi",
    "phone": "Ph", "email": "Em", "ssn": "SS", "record": "MR", "plan": "Pl", "account": "Ac", "licence": "Lc",
    "vehicle": "Ve", "device": "De", "url": "UR", "ip": "IP", "photo": "Im", "id": "Id", "number": "Nu", "uuid": "UU",
}  # fmt: skip
_CELLS = {FOUND: ("+", "green"), MISSED: ("!", "bold red"), NOT_APPLICABLE: ("·", "dim")}
_MOST_REASONS = 8


def drill_run(
    sources: Sequence[str], destination: str, phi_area: str, policy: Policy, screen: Screen, run_id: str | None = None
) -> Drill:
    """Plant, look, and show the matrix."""
    started = time.monotonic()
    screen.say("Drilling: planting leaks and faults in a copy of a sample, in the PHI area, and verifying each")
    with Progressing(screen, "Drilling") as bar:
        done = drill(
            sources,
            destination,
            phi_area,
            policy=facts_of(policy),
            run_id=run_id,
            progress=bar.update,
        )
    screen.say(f"Drilled after {duration(time.monotonic() - started)}", "dim")
    show_drill(screen, done)
    return done


def show_drill(screen: Screen, done: Drill) -> None:
    """The matrix of leaks, the faults, and why some are not there."""
    heads = [_HEADS.get(kind, kind[:2]) for kind in done.kinds]
    shown = table("Planted in", *heads, title="The drill")
    shown.padding = (0, 1, 0, 0)
    cells = {(leak.place, leak.kind): leak.outcome for leak in done.leaks}
    for place in done.places:
        marks = [_CELLS[cells.get((place, kind), NOT_APPLICABLE)] for kind in done.kinds]
        shown.add_row(place, *(Text(mark, style=style) for mark, style in marks))
    screen.show("", shown)
    named = ", ".join(f"{head} {kind}" for head, kind in zip(heads, done.kinds, strict=True))
    screen.show(Text(f"  + found   ! missed   · cannot be or not in the sample\n  {named}", style="dim"), "")
    for fault in done.faults:
        mark, style = _CELLS[fault.outcome]
        screen.show(Text.assemble((f"  {mark} ", style), f"{fault.name} ({fault.check})"))
    reasons = Counter([leak.why for leak in done.leaks if leak.why] + [fault.why for fault in done.faults if fault.why])
    said = [(f"{count} ×", why) for why, count in reasons.most_common(_MOST_REASONS)]
    screen.show("")
    screen.show_lines(
        [
            ("Drill", _verdict(done)),
            ("Sample", f"{counted(done.documents, 'document')}, values of {done.people:,} people and places"),
            *said,
        ]
    )


def _verdict(done: Drill) -> str:
    """How many were found, and which were not."""
    found, missed = done.counts.get(FOUND, 0), done.counts.get(MISSED, 0)
    if not missed:
        return f"all {found:,} that were planted were found"
    names = [f"{leak.kind} in {leak.place}" for leak in done.leaks if leak.outcome == MISSED]
    names += [fault.name for fault in done.faults if fault.outcome == MISSED]
    return f"{missed:,} of {found + missed:,} were MISSED: {'; '.join(names)}"
