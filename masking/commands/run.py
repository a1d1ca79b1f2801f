"""Mask an export: NDJSON, Bundles or Parquet in, masked NDJSON and Parquet tables out, with a manifest.

SOURCE is a file, a folder (searched at any depth) or a glob; there may be several. Accepted are *.ndjson and *.jsonl
with a document a line, and *.json that is one document, such as a Bundle; also with .gz, .bz2 or .zst behind; and
*.parquet with a resource a row. What a file is, its first bytes tell. DESTINATION takes what is masked. The PHI area takes
what could not be masked; it lies outside DESTINATION.

Everything can stand in a job file too (--job); the command line wins. The key comes from --key-file or --key-env.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from masking.commands.job import Order, order_of
from masking.commands.options import add_json_column, add_key, add_policy
from masking.commands.risking import add_risk
from masking.commands.screen import Screen
from masking.errors import UsageError

USAGE = "fhir-mask run SOURCE … DESTINATION --phi-area DIR [--key-file F | --key-env NAME] [options]"
QUARANTINED = 3
_MEASURED = ("quasi_identifiers", "k", "population")


def add_arguments(parser: ArgumentParser) -> None:
    """What `run` takes."""
    add_making(parser)
    parser.add_argument("--verify", action="store_true", help="then look for what leaked (fhir-mask verify)")
    add_risk(parser)
    parser.add_argument("--incremental", action="store_true", help="read only files that no earlier run here has read")
    parser.add_argument("--reread", action="store_true", help="with it: read files again that were changed since")
    parser.add_argument("--anew", action="store_true", help="with it: begin another dataset, with all files")
    parser.add_argument(
        "--tables-like",
        metavar="ours|source",
        help="source: tables have the columns of the Parquet files that are read",
    )
    parser.add_argument("--in-place", action="store_true", help="replace the files of SOURCE; there is no DESTINATION")
    parser.add_argument("--yes", action="store_true", help="in place: do it; without, what would be done is told")
    parser.add_argument("--undo", action="store_true", help="in place: put kept originals back")
    parser.add_argument("--keep-originals", metavar="DIR", help="in place: copy originals there before (PHI)")
    parser.add_argument("--leave-others", action="store_true", help="in place: other files may be in SOURCE, and stay")
    parser.add_argument("--rename-files", action="store_true", help="in place: give all files names that tell nothing")
    parser.add_argument("--keep-file-names", action="store_true", help="in place: names that tell of people may stay")
    parser.add_argument("--keep-people", action="store_true", help="in place: later runs here know these people too")
    parser.add_argument("--no-verify", action="store_true", help="in place: replace without looking for what leaked")


def add_making(parser: ArgumentParser) -> None:
    """From what and how masked output is made."""
    parser.add_argument("paths", metavar="SOURCE … DESTINATION", nargs="*")
    parser.add_argument("--phi-area", metavar="DIR", help="where lines go that cannot be masked, with their PHI")
    parser.add_argument("--job", metavar="FILE", help="a job file (conf/jobs/local.yaml shows one)")
    add_policy(parser)
    add_key(parser)
    parser.add_argument("--types", metavar="T,…", help="mask these types alone; others are dropped and counted")
    parser.add_argument("--master", metavar="URL", help="Spark master (default: spark-submit's, else this machine)")
    parser.add_argument("--conf", metavar="K=V", action="append", help="a setting of Spark; may be given again")
    parser.add_argument(
        "--max-document-bytes", metavar="N", help="longer lines and *.json files go to quarantine (also 64M)"
    )
    parser.add_argument("--target-file-bytes", metavar="N", help="size at which an output file is finished (also 64M)")
    parser.add_argument(
        "--bundles", metavar="keep|split", help="split: write the resources of Bundles, not the Bundles"
    )
    add_json_column(parser)
    parser.add_argument(
        "--formats", metavar="F,…", help="ndjson[,parquet[,delta]]: also typed tables (default: ndjson,parquet)"
    )
    parser.add_argument(
        "--partition-by", metavar="auto|none|year|T,…", help="tables in a folder a year (auto: very large ones)"
    )
    parser.add_argument("--resource-column", action="store_true", help="tables also have each resource's whole JSON")
    parser.add_argument("--change-feed", action="store_true", help="new Delta tables keep a change data feed")
    parser.add_argument(
        "--allow-other-key", action="store_true", help="write beside output that was made with another key"
    )


def run(arguments: Namespace, screen: Screen) -> int:
    """Prepare, mask, tell."""
    order = order_of(arguments)
    if order.in_place:
        if arguments.verify and arguments.no_verify:
            raise UsageError("--verify or --no-verify, not both")
        from masking.commands.inplace import run_in_place  # noqa: PLC0415

        return run_in_place(order, arguments, screen)
    refuse_in_place_options(arguments)
    if not arguments.verify and (
        said := [f"--{name.replace('_', '-')}" for name in _MEASURED if getattr(arguments, name)]
    ):
        raise UsageError(f"{said[0]} says what a verification measures, and there is none; give --verify too")
    return carry(order, screen, verify=arguments.verify)


def carry(order: Order, screen: Screen, *, verify: bool = False) -> int:
    """Carry an order out and tell of it; the exit code."""
    # From here on Spark and the engine are needed, which take longer to import than a slip takes to be told.
    from masking.commands.carry import carry_out, places, verified  # noqa: PLC0415
    from masking.commands.prepare import prepare  # noqa: PLC0415
    from masking.commands.summary import show_facts, show_summary  # noqa: PLC0415
    from masking.commands.verdict import exit_code  # noqa: PLC0415

    prepared = prepare(order)
    result = carry_out(prepared, screen)
    if result is None:
        return 0
    try:
        show_summary(screen, result.manifest)
        show_facts(screen, result.manifest, places(result))
        screen.flush()
    except OSError:  # the run is published, whoever reads of it or not
        screen.give_up_broken()
        screen.warn(
            f"the summary cannot be written; run {result.run_id} is published: fhir-mask status {result.destination}"
        )
    if verify:
        verdict = verified(prepared, result, screen)
        if not verdict.verified:
            return exit_code(verdict)
    return QUARANTINED if result.quarantine else 0


def refuse_in_place_options(arguments: Namespace) -> None:
    """`UsageError` for options that mean something in place alone."""
    for name in ("yes", "undo", "no_verify"):  # the others are the order's
        if getattr(arguments, name):
            raise UsageError(f"--{name.replace('_', '-')} is for --in-place alone")
