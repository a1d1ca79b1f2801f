"""The report: one HTML file without a network, for a privacy officer first, then an engineer, then an analyst.

Whatever a plot shows stands in a table too. `masking.report.data` has the same as JSON.
"""

from __future__ import annotations

from html import escape

from masking import storage
from masking.report import told_measures, told_verdict
from masking.report.data import Report, publish_data, report_of
from masking.report.drill import read_drill
from masking.report.manifest import Manifest, run_folder
from masking.report.markup import STYLE
from masking.report.told_drill import drill
from masking.report.verdict import Verdict

REPORT = "report.html"

_CONTENTS = {
    "scope": "Scope",
    "eighteen": "The eighteen identifiers",
    "findings": "Findings",
    "coverage": "Coverage",
    "risk": "Risk",
    "keys": "Keys",
    "utility": "Utility",
    "weaknesses": "Known weaknesses",
    "reproduce": "How to reproduce",
    "drill": "Appendix: the drill",
}


def publish_report(destination: str, manifest: Manifest, verdict: Verdict) -> str:
    """Write the report and its data into the run's folder; where the report is."""
    return publish(destination, report_of(manifest, verdict, read_drill(destination, manifest.run_id)))


def publish(destination: str, report: Report) -> str:
    """The same of a report that is put together."""
    path = storage.join(run_folder(destination, report.scope.run_id), REPORT)
    storage.write_bytes(path, page(report).encode(), durable=True)
    publish_data(destination, report)
    return path


def page(report: Report) -> str:
    """The whole file."""
    verdict = report.verdict
    title = "Masked FHIR export: " + ("verified" if verdict.verified else "not verified")
    parts = [
        told_verdict.scope(report),
        told_verdict.eighteen(verdict),
        told_verdict.findings(verdict),
        told_measures.coverage(verdict.measures, report.scope),
        told_measures.risk(verdict.measures),
        told_measures.keys(verdict.measures),
        told_measures.utility(verdict.measures),
        told_verdict.weaknesses(report),
        told_verdict.reproduce(report),
        drill(report.drill),
    ]
    links = "".join(
        f'<li><a href="#{anchor}">{escape(name)}</a></li>'
        for anchor, name in _CONTENTS.items()
        if any(f'id="{anchor}"' in part for part in parts)
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>\n<h1>{escape(title)}</h1>\n"
        + told_verdict.verdict(verdict)
        + f'\n<nav aria-label="Contents"><ul>{links}</ul></nav>\n'
        + "\n".join(part for part in parts if part)
        + "\n</main></body></html>\n"
    )
