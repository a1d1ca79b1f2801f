"""The report: one HTML file without a network, for a privacy officer first, then an engineer, then an analyst.

It is made of the manifest and the verdict alone, which hold no value, so it holds none either. Light and dark follow the
reader's system; on paper it is light. Whatever a plot shows stands in a table too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from masking import storage
from masking.report.manifest import Manifest, run_folder
from masking.report.plots import plots
from masking.report.verdict import CHECKS, Verdict

REPORT = "report.html"

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

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #59626d; --paper: #fff; --line: #d5dae0; --bar: #2f6fb0;
  --second: #c2571a; --good: #1c6b3a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #a2abb6; --paper: #14171b; --line: #39414b;
  --bar: #78aee6; --second: #f0a06a; --good: #7fd69f; --bad: #ff9d94; } }
@media print { :root { --ink: #000; --soft: #333; --paper: #fff; --line: #999; --bar: #2f6fb0; --second: #c2571a;
  --good: #1c6b3a; --bad: #b3261e; } section { break-inside: avoid; } main { max-width: none; padding: 0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
p { max-width: 46rem; } .soft { color: var(--soft); }
.verdict { border-left: .4rem solid var(--good); padding: .6rem 1rem; margin: 1rem 0; font-size: 1.15rem; }
.verdict.bad { border-color: var(--bad); } .verdict strong { color: var(--good); } .bad strong, .bad-cell { color: var(--bad); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { overflow-wrap: normal; }
thead th { color: var(--soft); font-weight: 600; }
td.n, th.n { text-align: right; padding-right: 1rem; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
code { font-size: .9em; overflow-wrap: anywhere; } figure { margin: 1rem 0; } figcaption { color: var(--soft); }
"""


def publish_report(destination: str, manifest: Manifest, verdict: Verdict) -> str:
    """Write the report into the run's folder; where it is."""
    path = storage.join(run_folder(destination, manifest.run_id), REPORT)
    storage.write_bytes(path, page(manifest, verdict).encode(), durable=True)
    return path


def page(manifest: Manifest, verdict: Verdict) -> str:
    """The whole file."""
    title = "Masked FHIR export: " + ("verified" if verdict.verified else "not verified")
    parts = [
        _verdict(verdict),
        _scope(manifest, verdict),
        _checks(verdict),
        _eighteen(verdict),
        _findings(verdict),
        _plots(verdict, manifest),
        _documents(manifest),
        _limits(verdict),
        _reproduce(manifest),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def _verdict(verdict: Verdict) -> str:
    wrong = [name for name, count in verdict.checks.items() if count]
    if verdict.verified:
        text = (
            "<strong>Verified.</strong> No known identifier was found that chance does not explain, and the output agrees "
            "with its source in everything that was to stay."
        )
    elif verdict.leaked:
        text = "<strong>Not verified: identifiers are left.</strong> Do not share this output; the findings say where."
    else:
        text = f"<strong>Not verified.</strong> No identifier was found, yet the output is not as it must be: {', '.join(wrong)}."
    return f'<p class="verdict{"" if verdict.verified else " bad"}" role="status">{text}</p>'


def _scope(manifest: Manifest, verdict: Verdict) -> str:
    total = manifest.total
    written = f"{total.masked + total.resources:,} documents, {total.bytes_written / 1e6:,.1f} MB"
    read = f"{manifest.lines:,} lines of {manifest.source_files:,} files"
    compared = f"{verdict.kept_values:,} values that stay, {verdict.links:,} references, {verdict.dates:,} dates"
    people = f"{verdict.values:,} values of {verdict.people:,} people and places"
    rows = [
        ("Run", manifest.run_id),
        ("Masked", f"{written} in {len(manifest.files):,} files"),
        ("Read", f"{read}; {total.quarantined:,} put aside, {total.dropped:,} dropped"),
        ("Searched", f"{verdict.documents:,} documents for {people}"),
        ("Compared", compared),
        ("Policy", f"{verdict.policy}, SHA-256 {verdict.policy_sha256}"),
        ("Key", f"fingerprint {verdict.key_fingerprint}, project {manifest.made_with.project}"),
        ("Ages as of", verdict.reference_date),
        ("Made with", _versions(manifest.made_with.versions.items())),
        ("Verified with", f"{_versions(verdict.versions.items())}, {verdict.finished}, {verdict.seconds:,.0f} s"),
    ]
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows)
    return f"<section><h2>Scope</h2><div class='wide'><table><tbody>{body}</tbody></table></div></section>"


def _versions(versions: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions))


def _checks(verdict: Verdict) -> str:
    rows = []
    for name, fine in CHECKS.items():
        count = verdict.checks.get(name, 0)
        cell = "<td>holds</td>" if not count else f'<td class="bad-cell">wrong {count:,} times</td>'
        rows.append(f'<tr><th scope="row">{name}</th><td>{escape(fine)}</td>{cell}</tr>')
    table = _table(("Check", "What must hold", "Outcome"), rows)
    note = (
        f"<p>{verdict.uncompared:,} documents were searched but not compared, for their file is not as it was written.</p>"
        if verdict.uncompared
        else ""
    )
    return f"<section><h2>Checks</h2>{table}{note}</section>"


def _eighteen(verdict: Verdict) -> str:
    rows = []
    for one in verdict.eighteen:
        if one.leaked:
            fate = f'<td class="bad-cell">{one.leaked:,} left that chance does not explain</td>'
        elif one.kept:
            fate = f"<td>kept by the policy ({one.kept:,} seen)</td>"
        elif not one.known:
            fate = "<td>none in the source</td>"
        else:
            fate = f"<td>none left{'; ' + format(one.own, ',') + ' by chance' if one.own else ''}</td>"
        numbers = "".join(
            f'<td class="n">{text}</td>' for text in (f"{one.known:,}", f"{one.own:,}", f"{one.expected:,.1f}")
        )
        head = f'<th scope="row">({one.letter}) {escape(one.name)}</th>'
        rows.append(f"<tr>{head}<td>{escape(_WHERE[one.letter])}</td>{numbers}{fate}</tr>")
    columns = (
        "Identifier",
        "Looked for in the source's",
        "#Values",
        "#With their owner",
        "#Chance explains",
        "Outcome",
    )
    caption = "45 CFR 164.514(b)(2)(i), (A) to (R). A value may count in more than one row."
    return f"<section><h2>The eighteen identifiers</h2>{_table(columns, rows, caption)}</section>"


def _findings(verdict: Verdict) -> str:
    if not verdict.findings:
        return "<section><h2>Findings</h2><p>None.</p></section>"
    rows = []
    for one in verdict.findings:
        places = "<br>".join(f"<code>{escape(file)}{f':{line}' if line else ''}</code>" for file, line in one.places)
        what = f'<th scope="row">{escape(one.check)}</th><td>{escape(one.what)}</td><td><code>{escape(one.path)}</code></td>'
        rows.append(f'<tr>{what}<td class="n">{one.times:,}</td><td>{places}</td></tr>')
    table = _table(("Check", "What", "Path", "#Times", "First places"), rows)
    note = "<p class='soft'>Places only. What stands there is in the PHI area, with the run's findings.</p>"
    return f"<section><h2>Findings</h2>{note}{table}</section>"


def _plots(verdict: Verdict, manifest: Manifest) -> str:
    made = plots(verdict, manifest)
    if not made:
        return ""
    figures = "".join(f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>" for title, svg in made)
    return f"<section><h2>In pictures</h2><p class='soft'>The same numbers stand in the tables.</p>{figures}</section>"


def _documents(manifest: Manifest) -> str:
    rows = []
    for name, count in sorted(manifest.types.items()):
        numbers = (count.read, count.masked + count.resources, count.quarantined, count.dropped)
        cells = "".join(f'<td class="n">{number:,}</td>' for number in numbers)
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    table = _table(("Type", "#Read", "#Written", "#Put aside", "#Dropped"), rows)
    return f"<section><h2>Documents by type</h2>{table}</section>"


def _limits(verdict: Verdict) -> str:
    return (
        "<section><h2>What this cannot show</h2><ul>"
        "<li>People whom the source knows in prose alone: nobody told the search whom to look for.</li>"
        "<li>A rare disease, a sequence of visits or a place in time that tells who somebody is without naming them.</li>"
        "<li>What pictures, scans and sound show or say. Text inside PDF and compressed files is not read.</li>"
        "<li>A single common name left in one document of many: it looks like chance, unless it stands where it stood.</li>"
        "<li>What the holder of the key can do: to them the output is pseudonymous, not anonymous.</li></ul>"
        f"<p>Values with very few letters or digits are not looked for. {verdict.people:,} owners were known.</p></section>"
    )


def _reproduce(manifest: Manifest) -> str:
    command = f"fhir-mask verify SOURCE DESTINATION --phi-area DIR --run {manifest.run_id}"
    return f"<section><h2>Do it again</h2><p><code>{escape(command)}</code></p></section>"


def _table(columns: Sequence[str], rows: Sequence[str], caption: str = "") -> str:
    """A table; columns that begin with # hold numbers."""
    heads = "".join(
        f'<th scope="col"{" class=" + chr(34) + "n" + chr(34) if name[0] == "#" else ""}>{escape(name.lstrip("#"))}</th>'
        for name in columns
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="wide"><table>{said}<thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
