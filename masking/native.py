"""Loops over bytes as machine code: what is written here in plain Python is compiled by numba when it is first called.

The machine code is kept on disk, so that one process a machine waits for the compiler and all others load what it
made. Its folder bears the hash of all the sources, for code compiled of one of them holds code of the others.

Bounds are not checked in compiled loops; `NUMBA_BOUNDSCHECK=1` in the environment has them checked, for tests.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numba
import numpy as np
import numpy.typing as npt
from numba.extending import typeof_impl

#: The rooms whose loops are compiled.
_ROOMS = ("document", "scrub", "tables", "verify")

F = TypeVar("F", bound=Callable[..., Any])

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
Points = npt.NDArray[np.uint32]


class Of:
    """In an annotation: an array of records of this dtype. One argument however many columns, a row's fields side by side."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype


def _folder() -> Path | None:
    """Where machine code is kept: in the user's cache, else in a folder of the user's own among the temporary files."""
    digest = hashlib.sha256(numba.__version__.encode())
    here = Path(__file__)
    if not here.is_file():  # it lies in an archive
        return None
    for source in [here, *(path for room in _ROOMS for path in sorted((here.parent / room).glob("*.py")))]:
        digest.update(source.read_bytes())
    name = digest.hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for parent in (Path(cache, "fhir-masking"), Path(tempfile.gettempdir(), f"fhir-masking-{os.getuid()}")):
        with contextlib.suppress(OSError):
            folder = parent / name
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What lies there is run: it must be ours, and nobody else may write to it.
            found = parent.stat()
            if (
                found.st_uid == os.getuid()
                and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
                and os.access(folder, os.W_OK)
            ):
                return folder
    return None


try:
    _FOLDER = _folder()
except (OSError, RuntimeError):  # no source beside this file, or no home
    _FOLDER = None


_TYPES: dict[Any, Any] = {
    int: numba.int64,
    bool: numba.boolean,
    np.uint64: numba.uint64,
    Bytes: numba.uint8[::1],
    Ints: numba.int32[::1],
    Hashes: numba.uint64[::1],
    Points: numba.uint32[::1],
    type(None): numba.void,
}


class Loop:
    """A function that is compiled, or loaded as machine code, when it is first called, or first compiled into another.

    Most are parts of others, whose machine code holds theirs: a process that finds these on disk never loads them.
    """

    def __init__(self, function: Callable[..., Any], *, makes: bool, inline: bool) -> None:
        self._function = function
        self._how: Any = {"nogil": True, "error_model": "numpy", "_nrt": makes, "forceinline": inline}
        self._made: Any = None
        functools.update_wrapper(self, function)
        LOOPS.append(self)

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        return (self._made or self.made())(*arguments)

    def made(self) -> Any:
        """numba's function."""
        if self._made is None:
            hints = get_type_hints(self._function, include_extras=True)
            answer = _type_of(hints.pop("return"))
            signature = answer(*map(_type_of, hints.values()))
            config: Any = numba.config
            before, config.CACHE_DIR = config.CACHE_DIR, str(_FOLDER or "")
            try:
                self._made = numba.njit(signature, cache=_FOLDER is not None, **self._how)(self._function)
            finally:
                config.CACHE_DIR = before
        return self._made


#: All of them, in modules that are imported.
LOOPS: list[Loop] = []


@typeof_impl.register(Loop)
def _type_of_loop(loop: Loop, context: Any) -> Any:
    """What a loop is to numba where another calls it."""
    return typeof_impl(loop.made(), context)


def compiled(function: F) -> F:
    """The function as machine code for the types of its annotations. It must touch arrays and numbers only, and make no
    array itself.

    Whoever calls it holds the arrays that it is given, so it counts no references to them: counting is atomic, and costs
    more than a short loop does.
    """
    return cast(F, Loop(function, makes=False, inline=False))


def making(function: F) -> F:
    """The same for a function that makes arrays."""
    return cast(F, Loop(function, makes=True, inline=False))


def borrowing(function: F) -> F:
    """The same as `compiled` for a short function that becomes part of whatever calls it."""
    return cast(F, Loop(function, makes=False, inline=True))


def compile_once() -> None:
    """Compile all loops of all rooms, unless this machine has them on disk; nothing where they are not kept. For whoever
    starts processes that need them.
    """
    if _FOLDER is None or (done := _FOLDER / "complete").exists():
        return
    for room in _ROOMS:
        for source in sorted((Path(__file__).parent / room).glob("*.py")):
            importlib.import_module(f"masking.{room}.{source.stem}")
    for loop in LOOPS:
        loop.made()
    with contextlib.suppress(OSError):
        done.touch()


def _type_of(hint: Any) -> Any:
    """numba's type for an annotation."""
    if hint in _TYPES:
        return _TYPES[hint]
    if get_origin(hint) is tuple:
        types: Any = numba.types
        return types.Tuple([_type_of(part) for part in get_args(hint)])
    if get_origin(hint) is Annotated:
        return numba.from_dtype(get_args(hint)[1].dtype)[::1]
    parts = get_type_hints(hint, include_extras=True).values()  # a NamedTuple's
    tuples: Any = numba.types.BaseTuple
    return tuples.from_types([_type_of(part) for part in parts], hint)  # one of like parts has a type of its own


def bytes_of(text: bytes) -> Bytes:
    """A text as an array, copied: one that may be written to has the type that all compiled loops are compiled for."""
    return np.frombuffer(bytearray(text), dtype=np.uint8)
