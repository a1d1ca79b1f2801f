"""Keeps what travels to the workers out of logs: subkeys, and paths of the source.

py4j logs each command to Java at DEBUG, and a pickled masker is a command. Whoever sets the root logger to DEBUG, in a
notebook say, would find all subkeys of the run in the log.
"""

from __future__ import annotations

import logging
from typing import Final

_TALKATIVE: Final = ("py4j.java_gateway", "py4j.clientserver")


class _NoCommands(logging.Filter):
    """Lets pass what py4j says at INFO and above, which quotes no command."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


_NO_COMMANDS: Final = _NoCommands("fhir-masking")


def keep_commands_out_of_logs() -> None:
    """From now on py4j logs no command in this process, whatever its loggers' levels. To call again changes nothing."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_NO_COMMANDS)  # which takes the same one once
