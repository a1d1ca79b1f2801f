"""Mask documents again of people of whom more is known now than when their documents were masked.

For incremental runs: a Patient who came later than notes about him, a name that has changed. SOURCE holds all files that
the runs into DESTINATION have read; they are read once more. What is masked again becomes another run of the dataset,
whose rows replace the earlier ones by id. Key, policy and the rest are as in the runs before.
"""

from __future__ import annotations

import dataclasses
from argparse import ArgumentParser, Namespace
from pathlib import Path

from masking.commands.job import order_of
from masking.commands.run import add_making, carry
from masking.commands.screen import Screen
from masking.errors import InputError, UsageError, naming

USAGE = "fhir-mask refresh SOURCE … DESTINATION --phi-area DIR [--subjects FILE|all] [options]"


def add_arguments(parser: ArgumentParser) -> None:
    """What `refresh` takes."""
    add_making(parser)
    parser.add_argument(
        "--subjects", metavar="FILE|all", help="whose: one id or reference a line (default: those of whom was learned)"
    )
    parser.set_defaults(incremental=True, reread=False, anew=False)
    parser.set_defaults(
        in_place=False,
        keep_originals=None,
        tables_like=None,
        leave_others=False,
        rename_files=False,
        keep_file_names=False,
        keep_people=False,
    )


def run(arguments: Namespace, screen: Screen) -> int:
    """Find, mask again, tell."""
    order = order_of(arguments)
    if order.in_place:
        raise UsageError("what was masked in place has no runs that could be refreshed")
    if arguments.subjects is None:
        order = dataclasses.replace(order, refresh="changed")
    elif arguments.subjects == "all":
        order = dataclasses.replace(order, refresh="all")
    else:
        order = dataclasses.replace(order, refresh="listed", subjects=_listed(arguments.subjects))
    return carry(order, screen)


def _listed(name: str) -> tuple[str, ...]:
    """Whom a file names."""
    if not name.strip():
        raise UsageError("--subjects is empty")
    try:
        with naming("read the file of --subjects"):
            lines = Path(name).read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError("the file of --subjects is not UTF-8") from None
    listed = tuple(line.strip() for line in lines if line.strip())
    if not listed:
        raise InputError("the file of --subjects names nobody; expected an id or a reference a line, as in Patient/123")
    return listed
