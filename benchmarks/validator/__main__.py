"""Validate documents before and after masking, and report the faults that masking brought: `python -m benchmarks.validator`.

PATH is a folder or file of NDJSON, or a folder of *.json with a document each; by default the sample export, and with
it what is there of Synthea's export (`make synthea`) and HL7's examples (`make examples`). Faults are counted by type,
path and kind of message; no value of a document is shown or written. 1 if there are new errors.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.examples import EXAMPLES
from benchmarks.export import CACHE
from benchmarks.validator.documents import Pairs, mask_some
from benchmarks.validator.hapi import Fault, Hapi
from masking.errors import MaskingError
from masking.sample import write_sample

HAPI = CACHE.parent / "validator"
SYNTHEA = CACHE.parent / "synthea" / "export" / "fhir"
SAMPLE_PATIENTS = 60


def main() -> int:
    """One table a path."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validator", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("paths", metavar="PATH", nargs="*", type=Path)
    parser.add_argument("--most", metavar="N", type=int, default=100, help="documents of each type; 0: all (100)")
    parser.add_argument("--policy", metavar="NAME|FILE", default="realistic")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False, markup=False, emoji=False)
    errors = 0
    try:
        hapi = Hapi(HAPI)
        for path in arguments.paths or _usual():
            started = time.monotonic()
            pairs = mask_some(path, arguments.policy, arguments.most)
            before, after = hapi.faults(pairs.before), hapi.faults(pairs.after)
            new = new_faults(pairs, before, after)
            errors += sum(count for fault, count in new.items() if fault[1].is_error)
            _show(console, path, pairs, sum(map(Counter.total, before)), new, hapi.texts)
            console.print(f"  {time.monotonic() - started:.0f} s", style="dim")
    except MaskingError as error:
        console.print(f"Error: {error}", soft_wrap=True)
        return error.exit_code
    return 1 if errors else 0


def _usual() -> Iterator[Path]:
    sample = HAPI / "sample"
    if not (sample / "export").is_dir():
        write_sample(sample, patients=SAMPLE_PATIENTS, seed=1)
    yield sample / "export"
    if SYNTHEA.is_dir():
        yield SYNTHEA
    if EXAMPLES.is_dir():
        yield EXAMPLES


def new_faults(pairs: Pairs, before: list[Counter[Fault]], after: list[Counter[Fault]]) -> Counter[tuple[str, Fault]]:
    """By type of resource: in how many documents there are more faults of a kind at a path than there were."""
    new: Counter[tuple[str, Fault]] = Counter()
    for kind, old, now in zip(pairs.types, before, after, strict=True):
        new.update((kind, fault) for fault in now - old)
    return new


def _show(
    console: Console, path: Path, pairs: Pairs, old: int, new: Counter[tuple[str, Fault]], texts: dict[str, str]
) -> None:
    table = Table(title=f"New faults in {path}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in ("Type", "Path", "Kind of message"):
        table.add_column(name, header_style="dim", overflow="fold")
    table.add_column("Documents", header_style="dim", justify="right", no_wrap=True)
    for (kind, fault), count in sorted(new.items(), key=lambda item: (not item[0][1].is_error, item[0][0], -item[1])):
        table.add_row(kind, fault.path, f"{fault.severity} {fault.kind}", f"{count:,}")
    console.print("", table if new else f"{path}: no new faults")
    for kind in sorted({fault.kind for _, fault in new}):
        if texts.get(kind):
            console.print(f"  {kind}: {texts[kind]}", style="dim")
    unmasked = ", ".join(f"{count} {reason}" for reason, count in sorted(pairs.unmasked.items()))
    console.print(
        f"  {len(pairs.before):,} of {pairs.found:,} documents, of {len(set(pairs.types))} types, with {old:,} faults "
        f"before masking" + (f"; not masked: {unmasked}" if unmasked else "")
    )


if __name__ == "__main__":
    sys.exit(main())
