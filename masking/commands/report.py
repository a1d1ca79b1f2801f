"""Say where a verified run's report is, and open it; it is made anew of what the run left where it is missing or behind.

The report is one HTML file without a network, and report.json beside it is the same for programs. Neither holds a value of
the data. --anew makes both again, such as after an update of the program, or after matplotlib was installed.
"""

from __future__ import annotations

import webbrowser
from argparse import ArgumentParser, Namespace
from pathlib import Path

from masking import storage
from masking.commands.screen import Screen
from masking.commands.status import refuse_in_place
from masking.commands.verdict import exit_code
from masking.errors import UsageError, naming
from masking.report.data import REPORT_DATA, encoded, gather_report
from masking.report.manifest import run_folder
from masking.report.page import REPORT, publish

USAGE = "fhir-mask report DESTINATION [--run ID] [--anew] [--open]"


def add_arguments(parser: ArgumentParser) -> None:
    """What `report` takes."""
    parser.add_argument("destination", metavar="DESTINATION")
    parser.add_argument("--run", metavar="ID", help="a run other than the latest")
    parser.add_argument("--anew", action="store_true", help="make it again of what the run left")
    parser.add_argument("--open", action="store_true", help="show it in the browser (a local destination alone)")


def run(arguments: Namespace, screen: Screen) -> int:
    """Find or make it, tell, open it. The code is the verdict's: 0 verified, 4 a leak, 10 anything else that is wrong."""
    destination = storage.normalize(arguments.destination)
    if arguments.open and not storage.is_local(destination):
        raise UsageError("--open takes a local destination; copy the report first")
    with naming(f"read the destination {destination}"):
        refuse_in_place(destination, storage.list_folders(storage.join(destination, "runs")))
        report = gather_report(destination, arguments.run)
    folder = run_folder(destination, report.scope.run_id)
    places = [storage.join(folder, name) for name in (REPORT, REPORT_DATA)]
    # A drill leaves its matrix after the report was made; so does whatever else changes what the report is made of.
    is_current = storage.find_file(places[0]) is not None and storage.read_bytes(places[1]) == encoded(report)
    if arguments.anew or not is_current:
        publish(destination, report)
    verdict = "verified" if report.verdict.verified else "NOT verified"
    screen.show_lines([("Verdict", verdict), ("Report", places[0]), ("As data", places[1])])
    if arguments.open and not webbrowser.open(Path(places[0]).as_uri()):
        screen.warn("no browser could be opened; open the file yourself")
    return exit_code(report.verdict)
