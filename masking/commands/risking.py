"""Options of a measurement of risk, for `verify` and `run --verify`: which attributes make cells, and how large they should be."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any

from masking.errors import UsageError
from masking.risk.facts import ATTRIBUTES, DEFAULT_ATTRIBUTES
from masking.risk.settings import DEFAULT_K, RiskSettings, fault_of_attributes, fault_of_k


def add_risk(parser: ArgumentParser) -> None:
    """`--quasi-identifiers`, `--k` and `--population`; None where they are not given."""
    names = ", ".join(ATTRIBUTES)
    parser.add_argument("--quasi-identifiers", metavar="A,…", help=f"what an attacker may know, of {names}")
    parser.add_argument("--k", metavar="N", help=f"how many people should share them (default: {DEFAULT_K})")
    parser.add_argument(
        "--population", metavar="N", help="of how many people the export's are some (default: nobody knows)"
    )


def attributes_of(text: str) -> tuple[str, ...]:
    """A list with commas. `UsageError` for what is none."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if fault := fault_of_attributes(names):
        raise UsageError(f"--quasi-identifiers: {fault}")
    return names


def number_of(text: str, option: str) -> int:
    """A number of people. `UsageError` for what is none."""
    if not text.isascii() or not text.isdecimal() or not 0 < len(text) < 13:
        raise UsageError(f"{option}: expected a number of people")
    found = int(text)
    if fault := fault_of_k(found) if option == "--k" else "":
        raise UsageError(f"{option}: {fault}")
    return found


def told_of(arguments: Namespace) -> dict[str, Any]:
    """What a command line says, by the names of an order; None, or nothing, of what it does not say."""
    words = {name: getattr(arguments, name, None) for name in ("quasi_identifiers", "k", "population")}
    attributes = words.pop("quasi_identifiers")
    numbers = {name: None if text is None else number_of(text, f"--{name}") for name, text in words.items()}
    return {"quasi_identifiers": () if attributes is None else attributes_of(attributes), **numbers}


def settings_of(
    quasi_identifiers: Sequence[str] = (), k: int | None = None, population: int | None = None
) -> RiskSettings:
    """The settings, with defaults where nothing was said."""
    return RiskSettings(tuple(quasi_identifiers) or DEFAULT_ATTRIBUTES, k or DEFAULT_K, population or None)
