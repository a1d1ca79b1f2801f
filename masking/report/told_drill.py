"""What the page tells of a drill: which planted leaks and faults were found."""

from __future__ import annotations

from masking.report.drill import FOUND, MISSED, Drill
from masking.report.markup import cell, paragraph, row, section, table


def drill(found: Drill | None) -> str:
    """The matrix; nothing where nobody has drilled."""
    if found is None:
        return ""
    said = (
        f"Leaks and faults were planted, one at a time, in a copy of {found.documents:,} documents of {found.people:,} people, "
        f"and looked for as in this run: {found.counts.get(FOUND, 0):,} found, {found.counts.get(MISSED, 0):,} missed."
    )
    by_place = {(one.kind, one.place): one for one in found.leaks}
    rows = []
    for kind in found.kinds:
        cells = []
        for place in found.places:
            one = by_place.get((kind, place))
            text = "" if one is None else one.outcome if one.outcome in (FOUND, MISSED) else "–"
            cells.append(cell(text, bad=text == MISSED))
        rows.append(row(kind, *cells))
    leaks = table(("Planted", *found.places), rows, "Leaks by kind and hiding place; – where it does not apply")
    broken = [row(one.name, cell(one.check), cell(one.outcome, bad=one.outcome == MISSED)) for one in found.faults]
    faults = table(("Broken", "Told by the check", "Outcome"), broken, "Faults")
    names = [row(name, cell(what)) for name, what in (*found.kinds.items(), *found.places.items())]
    legend = table(("Name", "What it is"), names, "Kinds and hiding places")
    return section(
        "drill",
        "Appendix: the drill",
        paragraph(said),
        leaks,
        faults,
        f"<details><summary>What the names mean</summary>{legend}</details>",
    )
