"""HAPI's FHIR validator in a process of its own, which is given documents and gives back kinds and paths of faults."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from masking.errors import InputError, MaskingError
from masking.java import find_java

_PROGRAM = Path(__file__).with_name("Validate.java")
_INDEX = re.compile(r"\[[0-9]+\]")


class Fault(NamedTuple):
    """What HAPI finds wrong: how bad, which of its messages, and where, as a path without indexes."""

    severity: str
    kind: str
    path: str

    @property
    def is_error(self) -> bool:
        """Whether it makes a document invalid; a warning does not."""
        return self.severity != "warning"


class Hapi:
    """The validator, as Maven has put it into `folder`/lib (`make validate` does)."""

    def __init__(self, folder: Path) -> None:
        if not any(folder.glob("lib/hapi-fhir-validation-*.jar")):
            raise InputError(f"HAPI's validator is not in {folder}/lib; `make validate` brings it")
        # An empty one, first on the class path: looking the real one up takes three quarters of all time.
        (folder / "first").mkdir(exist_ok=True)
        (folder / "first" / "oidregistry.csv").touch()
        self._java = str(find_java("4.1").home / "bin" / "java")
        self._class_path = f"{folder}/first:{folder}/lib/*"
        #: What kinds of message say, with {0} for values.
        self.texts: dict[str, str] = {}

    def faults(self, documents: Sequence[bytes]) -> list[Counter[Fault]]:
        """Of each document, in order: errors and warnings, each with how often it is there. Nothing touches the disk."""
        command = [self._java, "-Xmx3g", "-cp", self._class_path, str(_PROGRAM)]
        # What it says on standard error may quote a document.
        done = subprocess.run(
            command, input=b"\n".join((*documents, b"")), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise MaskingError(f"the validator ended with code {done.returncode}")
        found: list[Counter[Fault]] = [Counter() for _ in documents]
        for line in done.stdout.decode().splitlines():
            number, *fault = line.split("\t")
            if number == "#":
                self.texts[fault[0]] = fault[1]
            else:
                severity, kind, path = fault
                found[int(number)][Fault(severity, kind, _INDEX.sub("", path))] += 1
        return found
