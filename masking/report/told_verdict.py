"""What the page tells of the verdict and its scope."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from masking.report.data import Report
from masking.report.markup import cell, figure, number, paragraph, row, section, table
from masking.report.plots import documents_plot, searched_plot
from masking.report.verdict import CHECKS, Verdict

#: Where each of the eighteen is looked for in a source.
_WHERE = {
    "A": "every HumanName; displays of references to people; authors of notes; maiden names",
    "B": "lines, towns and ZIPs of every Address; names of organizations and locations",
    "C": "births and deaths anywhere; every other date against the one it was",
    "D": "every ContactPoint: phone, pager, sms",
    "E": "every ContactPoint: fax",
    "F": "every ContactPoint: e-mail",
    "G": "identifiers of type SS or of the SSN's system",
    "H": "identifiers of type MR, PI, PT",
    "I": "identifiers of type MB, MA, MC, SN; subscriber and group numbers",
    "J": "identifiers of type AN, BA, CC",
    "K": "identifiers of type DL, PPN, MD, DEA, NPI, LN",
    "L": "identifiers of type VIN",
    "M": "serial and distinct numbers of devices, UDI carriers",
    "N": "every ContactPoint: url; addresses of attachments",
    "O": "network addresses in audit events",
    "P": "bytes of images, sound and video",
    "Q": "bytes of images, sound and video",
    "R": "ids of resources, UUIDs, all other identifiers",
}


def verdict(found: Verdict) -> str:
    """In a sentence."""
    wrong = [name for name, count in found.checks.items() if count]
    if found.verified:
        text = (
            "<strong>Verified.</strong> No known identifier was found that chance does not explain, and the output agrees "
            "with its source in everything that was to stay."
        )
    elif found.leaked:
        text = "<strong>Not verified: identifiers are left.</strong> Do not share this output; the findings say where."
    else:
        text = f"<strong>Not verified.</strong> No identifier was found, yet the output is not as it must be: {', '.join(wrong)}."
    return f'<p class="verdict{"" if found.verified else " bad"}" role="status">{text}</p>'


def scope(report: Report) -> str:
    """What was masked, of what, with what; and the documents by type."""
    run, found = report.scope, report.verdict
    counts = run.types.values()
    written = sum(one.masked + one.resources for one in counts)
    aside, dropped = sum(one.quarantined for one in counts), sum(one.dropped for one in counts)
    made = run.made_with
    facts = [
        ("Run", run.run_id),
        ("Masked", f"{written:,} documents, {run.bytes_written / 1e6:,.1f} MB, in {run.files:,} files"),
        ("Read", f"{run.lines:,} lines of {run.source_files:,} files; {aside:,} put aside, {dropped:,} dropped"),
        (
            "Searched",
            f"{found.documents:,} documents for {found.values:,} values of {found.people:,} people and places",
        ),
        ("Compared", f"{found.kept_values:,} values that stay, {found.links:,} references, {found.dates:,} dates"),
        ("Policy", f"{found.policy}, SHA-256 {found.policy_sha256}"),
        ("Key", f"fingerprint {found.key_fingerprint}, project {made.project}"),
        ("Ages as of", found.reference_date),
        ("Made with", _versions(made.versions.items())),
        ("Verified with", f"{_versions(found.versions.items())}, {found.finished}, {found.seconds:,.0f} s"),
    ]
    shown = table(
        ("", ""), [row(name, cell(text)) for name, text in facts], "What was masked and verified, and with what"
    )
    rows = [
        row(name, *map(number, (count.read, count.masked + count.resources, count.quarantined, count.dropped)))
        for name, count in sorted(run.types.items())
    ]
    by_type = table(("Type", "#Read", "#Written", "#Put aside", "#Dropped"), rows, "Documents by type")
    plot = figure("Documents by type", documents_plot(run.types))
    return section("scope", "Scope", shown, f"<details><summary>Documents by type</summary>{by_type}{plot}</details>")


def _versions(versions: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions))


def eighteen(found: Verdict) -> str:
    """Where each was, and what became of it."""
    rows = []
    for one in found.eighteen:
        if one.leaked:
            fate = cell(f"{one.leaked:,} left that chance does not explain", bad=True)
        elif one.kept:
            fate = cell(f"kept by the policy ({one.kept:,} seen)")
        elif not one.known:
            fate = cell("none in the source")
        else:
            fate = cell(f"none left{'; ' + format(one.own, ',') + ' by chance' if one.own else ''}")
        numbers = number(one.known), number(one.own), number(one.expected, ",.1f")
        rows.append(row(f"({one.letter}) {one.name}", cell(_WHERE[one.letter]), *numbers, fate))
    columns = ("Identifier", "Where it was", "#Values", "#With their owner", "#Chance explains", "What became of it")
    caption = "45 CFR 164.514(b)(2)(i), (A) to (R). A value may count in more than one row."
    plot = figure("Values looked for, and those that stand with their owner", searched_plot(found))
    return section("eighteen", "The eighteen identifiers", table(columns, rows, caption), plot)


def findings(found: Verdict) -> str:
    """What must hold, and what does not."""
    checks = []
    for name, fine in CHECKS.items():
        count = found.checks.get(name, 0)
        checks.append(row(name, cell(fine), cell(f"wrong {count:,} times", bad=True) if count else cell("holds")))
    parts = [table(("Check", "What must hold", "Outcome"), checks, "The checks")]
    if found.uncompared:
        text = (
            f"{found.uncompared:,} documents were searched but not compared, for their file is not as it was written."
        )
        parts.append(paragraph(text))
    rows = []
    for one in found.findings:
        places = "<br>".join(f"<code>{escape(file)}{f':{line}' if line else ''}</code>" for file, line in one.places)
        rows.append(
            row(one.check, cell(one.what), cell(one.path, code=True), number(one.times), f'<td class="t">{places}</td>')
        )
    if rows:
        caption = "Places only. What stands there is in the PHI area, with the run's findings."
        parts.append(table(("Check", "What", "Path", "#Times", "First places"), rows, caption))
    else:
        parts.append(paragraph("Nothing was found."))
    return section("findings", "Findings", *parts)


def weaknesses(report: Report) -> str:
    """What the report cannot show."""
    items = "".join(f"<li>{escape(one)}</li>" for one in report.weaknesses)
    return section("weaknesses", "Known weaknesses", f"<ul>{items}</ul>")


def reproduce(report: Report) -> str:
    """The command, and what it needs."""
    text = "With the source, the destination and the PHI area of the run; no key is needed:"
    return section(
        "reproduce", "How to reproduce", paragraph(text), f"<pre><code>{escape(report.reproduce)}</code></pre>"
    )
