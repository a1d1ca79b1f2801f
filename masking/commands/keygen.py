"""Make a master key of 256 random bits.

With --out, into a new file that only you may read (mode 600; a file that exists is never overwritten). Without, to
standard output, to be piped into a secret store.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from masking.commands.screen import Screen
from masking.keys import DEFAULT_ENV, MasterKey, write_key_file


def add_arguments(parser: ArgumentParser) -> None:
    """What `keygen` takes."""
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the key to this new file")


def run(arguments: Namespace, screen: Screen) -> int:
    """Write the key; say how it is told from others, and what to do with it."""
    if arguments.out is None:
        key = MasterKey.generate()
        screen.write(key.reveal() + "\n")  # the one place that shows a key, and only because it was asked to
        screen.say(
            f"Fingerprint {key.keyring().fingerprint}. Put the key where secrets are kept, not in a shell's history."
        )
        return 0
    key = write_key_file(arguments.out)
    screen.say(f"Wrote a new key to {arguments.out}, for your eyes only. Fingerprint {key.keyring().fingerprint}.")
    screen.say("Keep a copy where secrets are kept: without it, later exports cannot be masked the same way.")
    screen.say(f"Use it with --key-file {arguments.out}, or put its last line in {DEFAULT_ENV}.")
    return 0
