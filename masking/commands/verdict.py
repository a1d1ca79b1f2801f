"""A verdict in a terminal: what was looked for, what was found, and where."""

from __future__ import annotations

from rich.text import Text

from masking.commands.screen import Screen, counted, duration, size, table
from masking.report.verdict import CHECKS, Verdict

_MOST = 12
LEAK = 4
UNVERIFIED = 10


def exit_code(verdict: Verdict) -> int:
    """0 verified, 4 a leak, 10 anything else that is wrong."""
    return 0 if verdict.verified else LEAK if verdict.leaked else UNVERIFIED


def show_verdict(screen: Screen, verdict: Verdict, report: str | None = None, findings: str | None = None) -> None:
    """All of it; `report` is where the whole report is, `findings` where they are as they stand."""
    shown = table(
        "The eighteen identifiers",
        "Looked for",
        "Left",
        "By chance",
        "Leaked",
        right=("Looked for", "Left", "By chance", "Leaked"),
    )
    for one in verdict.eighteen:
        bad = "bold red" if one.leaked else "dim"
        cells = (f"{one.known:,}", f"{one.own:,}", f"{one.expected:,.1f}", Text(f"{one.leaked:,}", style=bad))
        shown.add_row(f"({one.letter}) {one.name}", *cells)
    screen.show(shown, "")
    for name, fine in CHECKS.items():
        count = verdict.checks.get(name, 0)
        said = fine if not count else f"{name}: wrong {count:,} times"
        screen.show(
            Text.assemble(("  ok    " if not count else "  FAULT ", "green" if not count else "bold red"), said)
        )
    if verdict.findings:
        listed = table(
            "Check", "What", "Path", "Times", "First at", right=("Times",), fold=("What", "Path", "First at")
        )
        for finding in verdict.findings[:_MOST]:
            where = f"{finding.places[0][0]}:{finding.places[0][1]}" if finding.places else ""
            listed.add_row(finding.check, finding.what, finding.path, f"{finding.times:,}", where)
        if len(verdict.findings) > _MOST:
            listed.add_row("", f"and {counted(len(verdict.findings) - _MOST, 'other')}", "", "", "")
        screen.show("", listed)
    scope = f"{verdict.documents:,} documents, {size(verdict.bytes)}, {verdict.values:,} values of {verdict.people:,} people"
    lines: list[tuple[str, str]] = [
        (
            "Verdict",
            "verified" if verdict.verified else "NOT verified" + (": identifiers are left" if verdict.leaked else ""),
        ),
        ("Searched", f"{scope}, in {duration(verdict.seconds)}"),
        (
            "Compared",
            f"{verdict.kept_values:,} values that stay, {verdict.links:,} references, {verdict.dates:,} dates",
        ),
    ]
    lines += _measured(verdict)
    lines += [("Report", report)] if report else []
    lines += [("Findings", f"{findings} (PHI)")] if findings else []
    screen.show("")
    screen.show_lines(lines)


def _measured(verdict: Verdict) -> list[tuple[str, str]]:
    """Risk and utility in a line each; the report has the rest."""
    if verdict.measures is None:
        return []
    risk, utility = verdict.measures.risk, verdict.measures.utility
    lines = []
    if risk is not None:
        worst = [one for one in risk.linked if one.knows == "kept"]
        known = f"; {worst[-1].facts} facts find {worst[-1].after / worst[-1].attacks:.0%}" if worst else ""
        alone = f"{risk.cells.unique:,} of {risk.people:,} people are alone in their cell"
        lines.append(("Risk", f"{alone}, {risk.cells.at_risk:.0%} in cells below {risk.wanted}{known}"))
    if utility:
        equal = sum(one.apart == 0 for one in utility)
        lines.append(("Utility", f"{equal} of {len(utility)} distributions are the same after as before"))
    return lines
