"""Loops over bytes as machine code: what is written here in plain Python is compiled by numba when it is first called.

The machine code is kept on disk, so that one process a machine waits for the compiler and all others load what it
made. Its folder bears the hash of all the sources, for code compiled of one of them holds code of the others.

Bounds are not checked in compiled loops; `NUMBA_BOUNDSCHECK=1` in the environment has them checked, for tests.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., Any])

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
#: An array of records: one argument however many columns, and a row's fields lie side by side in memory.
Records = Any


def _folder() -> Path | None:
    """Where machine code is kept: in the user's cache, else in a folder of the user's own among the temporary files."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    name = digest.hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for parent in (Path(cache, "fhir-masking"), Path(tempfile.gettempdir(), f"fhir-masking-{os.getuid()}")):
        with contextlib.suppress(OSError):
            folder = parent / name
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What lies there is run: it must be ours, and nobody else may write to it.
            found = parent.stat()
            if found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and os.access(folder, os.W_OK):
                return folder
    return None


try:
    _FOLDER = _folder()
except (OSError, RuntimeError):  # no source beside this file, or no home
    _FOLDER = None


def compiled(function: F) -> F:
    """The function as machine code. It must touch arrays and numbers only."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_FOLDER or "")
    try:
        made: F = numba.njit(cache=_FOLDER is not None, nogil=True, error_model="numpy")(function)
    finally:
        numba.config.CACHE_DIR = before
    return made


def bytes_of(text: bytes) -> Bytes:
    """A view of a text as an array; nothing is copied."""
    return np.frombuffer(text, dtype=np.uint8)
