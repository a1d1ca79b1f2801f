"""Show the first resources of an export before and after masking, and which rule changed what. Writes nothing.

The left side is the source itself: PHI, unless it is a sample. Without --type, one resource of each type is shown, the
Patient first, up to -n of them in all.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from masking.commands.beside import show_beside
from masking.commands.firstlines import first_documents
from masking.commands.options import DEFAULT_POLICY, add_json_column, add_key, add_policy, keyring_of
from masking.commands.screen import Screen, counted
from masking.document import Engine
from masking.errors import KeyRefused, UsageError
from masking.keys import Keyring, MasterKey
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.report.manifest import choose_reference_date
from masking.sources.parquet import Hints

USAGE = "fhir-mask preview SOURCE … (--key-file F | --key-env NAME | --throwaway-key) [--type T] …"


def add_arguments(parser: ArgumentParser) -> None:
    """What `preview` takes."""
    parser.add_argument("sources", metavar="SOURCE", nargs="+", help="files, folders or globs, as for run")
    parser.add_argument("--type", metavar="T", help="show this resource type alone")
    parser.add_argument("-n", metavar="N", type=int, default=5, help="how many resources (default: 5)")
    add_json_column(parser)
    add_policy(parser)
    add_key(parser)
    parser.add_argument(
        "--throwaway-key", action="store_true", help="a random key for this look alone: no run repeats its values"
    )


def run(arguments: Namespace, screen: Screen) -> int:
    """Read, mask and show."""
    if arguments.n < 1:
        raise UsageError("-n must be 1 or more")
    keys = _keys(arguments)
    policy = read_policy(
        DEFAULT_POLICY if arguments.policy is None else arguments.policy,
        reference_date=choose_reference_date(None, arguments.on),
    )
    plan = Plan(policy, keys)
    hints = Hints(arguments.json_column or "")
    documents = first_documents(
        arguments.sources, arguments.n, arguments.type, hints=hints, name_files=screen.err.is_terminal
    )
    screen.warn("the left side is the source: PHI, unless your source is a sample. Mind your screen and scrollback.")
    if arguments.throwaway_key:
        screen.say("The key is a random one for this look alone: a run with your key gives other values.", "dim")
    engine = Engine(plan)
    if engine.asks_people:
        screen.say("A run gathers people first; here nobody is known, so displays and notes are placeholders.", "dim")
    batch = engine.mask_batch(documents)
    faults = {fault.index: fault for fault in batch.faults}
    for index, (document, masked) in enumerate(zip(documents, batch.masked, strict=True)):
        if masked is not None:
            show_beside(screen, plan, json.loads(document), json.loads(masked))
        elif index in faults:
            fault = faults[index]
            where = f" at {fault.place}" if fault.place else ""
            screen.say(f"{batch.resource_types[index] or 'A line'}: to quarantine{where}: {fault.message}", "yellow")
        else:
            screen.say(f"{batch.resource_types[index]}: not written, as the policy says", "yellow")
    screen.say(f"Shown: {counted(len(documents), 'resource')} under policy {policy.name}. Nothing was written.", "dim")
    return 0


def _keys(arguments: Namespace) -> Keyring:
    if not arguments.throwaway_key:
        try:
            return keyring_of(arguments)
        except KeyRefused as refused:
            raise KeyRefused(f"{refused}; or look with --throwaway-key") from None
    if arguments.key_file or arguments.key_env:
        raise UsageError("--throwaway-key stands in for a key; give the one or the other")
    return MasterKey.generate().keyring()
