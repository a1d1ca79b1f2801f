"""Say what a destination holds: its latest finished run, the runs before it, and those that were never finished."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from masking import storage
from masking.commands.screen import Screen, counted, duration, size, table
from masking.commands.summary import show_facts, show_summary
from masking.commands.verdict import show_verdict
from masking.errors import InputError, naming
from masking.report.manifest import IN_PLACE, MANIFEST, Manifest, TypeCounts, read_manifest, run_folder
from masking.report.page import REPORT
from masking.report.verdict import read_verdict

USAGE = "fhir-mask status DESTINATION [--run ID]"


def add_arguments(parser: ArgumentParser) -> None:
    """What `status` takes."""
    parser.add_argument("destination", metavar="DESTINATION")
    parser.add_argument("--run", metavar="ID", help="a run other than the latest")


def run(arguments: Namespace, screen: Screen) -> int:
    """Show the run that was asked for, then all there are."""
    destination = storage.normalize(arguments.destination)
    with naming(f"read the destination {destination}"):
        run_ids = storage.list_folders(storage.join(destination, "runs"))
    refuse_in_place(destination, run_ids)
    manifest = read_manifest(destination, arguments.run)
    if manifest is None:
        raise InputError(_nothing(destination, run_ids, arguments.run))
    show_summary(screen, manifest)
    ndjson = storage.join(run_folder(destination, manifest.run_id), "ndjson")
    show_facts(screen, manifest, [("Masked", ndjson), ("Manifest", storage.join(destination, MANIFEST))])
    if len(manifest.runs) > 1:
        screen.show_lines([("Dataset", _dataset(destination, manifest))])
    verdict = read_verdict(destination, manifest.run_id)
    if verdict is None and manifest.settings.get("refresh"):
        said = "a refresh is not verified by itself; --run ID of the runs before it is"
        screen.show_lines([("Verdict", said)])
    elif verdict is None:
        screen.show_lines([("Verdict", "not verified yet: fhir-mask verify SOURCE DESTINATION --phi-area DIR")])
    else:
        show_verdict(screen, verdict, storage.join(run_folder(destination, manifest.run_id), REPORT))
    if len(run_ids) > 1:
        _show_runs(screen, destination, run_ids, manifest)
        screen.say("fhir-mask status DESTINATION --run ID shows another one.", "dim")
    return 0


def refuse_in_place(destination: str, run_ids: list[str]) -> None:
    """`InputError` for the PHI area of runs in place: they have no destination, and all that they tell lies there."""
    done = [name for name in run_ids if storage.find_file(storage.join(run_folder(destination, name), IN_PLACE))]
    if done:
        raise InputError(
            "this is the PHI area of a run in place, which has no DESTINATION: its manifest, verdict and report are in "
            f"{run_folder(destination, max(done))}"
        )


def _dataset(destination: str, manifest: Manifest) -> str:
    """What the run and those before it hold together."""
    found = [manifest if name == manifest.run_id else read_manifest(destination, name) for name in manifest.runs]
    whole = [one for one in found if one is not None]
    total = sum((one.total for one in whole), TypeCounts())
    lost = f"; {counted(len(found) - len(whole), 'manifest')} of them gone" if len(whole) < len(found) else ""
    held = f"{total.masked + total.resources:,} lines masked, {total.quarantined:,} quarantined"
    return f"this run and {counted(len(found) - 1, 'run')} before it, {held}, {size(total.bytes_written)}{lost}"


def _nothing(destination: str, run_ids: list[str], asked: str | None) -> str:
    if asked is not None:
        return f"{destination} has no finished run of that id; without --run, its runs are listed"
    if run_ids:
        return f"no run into {destination} was finished; unfinished: {', '.join(run_ids[-5:])}"
    return f"there is no run at {destination}; what a run in place left is in its PHI area, in runs/ID"


def _show_runs(screen: Screen, destination: str, run_ids: list[str], shown: Manifest) -> None:
    numbers = ("Masked", "Quarantined", "Size", "Took")
    runs = table("Run", *numbers, "Key", "Policy", right=numbers, fold=("Policy",))
    for run_id in sorted(run_ids, reverse=True):
        one = shown if run_id == shown.run_id else read_manifest(destination, run_id)
        if one is None:
            runs.add_row(run_id, "", "", "", "", "", "unfinished: at work, or broken off")
            continue
        total, took = one.total, duration(one.seconds)
        counts = (f"{total.masked:,}", f"{total.quarantined:,}", size(total.bytes_written), took)
        runs.add_row(run_id, *counts, one.made_with.key_fingerprint, one.made_with.policy)
    screen.show("", runs)
