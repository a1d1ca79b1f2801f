"""Make a FHIR R4 export of made-up patients, to try things on.

Writes DEST/export (NDJSON, up to 37 resource types, linked as a hospital's data is) and, beside it,
DEST/truth.jsonl: every identifying value in the export, with its patient and its path. The same seed makes the same
bytes.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from masking.commands.progress import Progressing
from masking.commands.screen import Screen, duration, size, table
from masking.errors import naming
from masking.sample import SampleSummary, write_sample

USAGE = "fhir-mask sample DEST [--patients N] [--seed S]"


def add_arguments(parser: ArgumentParser) -> None:
    """What `sample` takes."""
    parser.add_argument("dest", metavar="DEST", type=Path, help="folder to write to; made if it is not there")
    parser.add_argument("--patients", metavar="N", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--seed", metavar="S", type=int, default=1, help="a whole number (default: 1)")


def run(arguments: Namespace, screen: Screen) -> int:
    """Write the sample and say what is in it."""
    started = time.monotonic()
    made = make_sample(screen, arguments.dest, arguments.patients, arguments.seed)
    shown = table("Type", "Resources", right=("Resources",))
    for name, count in made.resources.items():
        shown.add_row(name, f"{count:,}")
    screen.show(shown)
    screen.say(f"{told(made)} in {duration(time.monotonic() - started)}.")
    screen.say(f"Export: {made.export}")
    screen.say(f"Truth:  {made.truth} ({made.truth_lines:,} values that identify someone, where they stand)")
    screen.say(f"Next:   fhir-mask preview {made.export} --throwaway-key")
    return 0


def make_sample(screen: Screen, dest: Path, patients: int, seed: int) -> SampleSummary:
    """Write a sample, with progress. Raises as `write_sample`."""
    with naming(f"write the sample to {dest}"), Progressing(screen, "Making patients") as bar:
        return write_sample(
            dest, patients, seed, progress=lambda done, total: bar.update(done, total, f"{done:,} of {total:,}")
        )


def told(made: SampleSummary) -> str:
    """A sample in one line."""
    types = len(made.resources)
    return (
        f"Wrote {made.patients:,} patients: {made.total:,} resources of {types} types, "
        f"{size(made.export_bytes)} in {made.files} files"
    )
