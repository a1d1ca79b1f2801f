"""Options that several commands take: the policy, the key and the reference date."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from masking.errors import UsageError
from masking.keys import DEFAULT_ENV, Keyring, MasterKey

DEFAULT_POLICY = "realistic"
DEFAULT_PROJECT = "default"


def add_policy(parser: ArgumentParser) -> None:
    """`--policy` and `--on`; None where they are not given."""
    parser.add_argument("--policy", metavar="NAME|FILE", help=f"shipped or your own (default: {DEFAULT_POLICY})")
    parser.add_argument(
        "--on", metavar="DATE", help="the day on which ages are kept (default: as the last run, or 1 January)"
    )


def add_json_column(parser: ArgumentParser) -> None:
    """`--json-column`; None where it is not given."""
    parser.add_argument(
        "--json-column",
        metavar="NAME",
        help="the column of Parquet files that holds resources as JSON (default: found)",
    )


def add_key(parser: ArgumentParser) -> None:
    """`--key-file`, `--key-env` and `--project`; None where they are not given."""
    parser.add_argument("--key-file", metavar="F", help="the master key's file (fhir-mask keygen makes one)")
    parser.add_argument("--key-env", metavar="NAME", help=f"the variable that holds the key (default: {DEFAULT_ENV})")
    parser.add_argument("--project", metavar="NAME", help="outputs of two projects cannot be linked (default: default)")


def refuse_empty_key(key_file: str | None, key_env: str | None) -> None:
    """`UsageError` for empty text, as of a shell's variable that is not set: no other key may stand in for that one."""
    for option, text in (("--key-file", key_file), ("--key-env", key_env)):
        if text is not None and not text.strip():
            raise UsageError(f"{option} is empty")


def keyring(key_file: str | None, key_env: str | None, project: str | None) -> Keyring:
    """The subkeys of a project under the key that was named. `KeyRefused` and `UsageError` as `masking.keys`."""
    refuse_empty_key(key_file, key_env)
    if key_file and key_env:
        raise UsageError("the key is in --key-file or in --key-env, not in both")
    key = MasterKey.from_file(key_file) if key_file else MasterKey.from_env(key_env or DEFAULT_ENV)
    return key.keyring(DEFAULT_PROJECT if project is None else project)


def keyring_of(arguments: Namespace) -> Keyring:
    """`keyring` of a command's arguments."""
    return keyring(arguments.key_file, arguments.key_env, arguments.project)
