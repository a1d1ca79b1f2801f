"""The first documents of an export, read directly: no Spark, and no more of a file than is needed."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.commands.screen import counted
from masking.commands.unreadable import told_by_name
from masking.errors import InputError, UnreadableFile, UsageError
from masking.fhir.elements import resource_types
from masking.policy.problems import did_you_mean, short
from masking.spark.read import InputFile, find_inputs

#: A longer line is passed by: this is for looking.
_LONGEST = 8 << 20
_NOWHERE = "/dev/null/fhir-mask"  # a preview writes nothing, so there is nothing that could lie inside a source
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,64})"')


def first_documents(
    sources: Sequence[str], count: int, resource_type: str | None = None, *, name_files: bool = False
) -> list[bytes]:
    """At most `count` lines (or files of one document) that are not blank, of one type if one is named; one of each file in turn.

    Raises `UsageError` for a type that R4 does not have, `InputError` where nothing can be read or nothing fits; with
    `name_files` it names a file that cannot be read, else its number in order of name.
    """
    if resource_type is not None and resource_type not in resource_types():
        hint = did_you_mean(resource_type, resource_types())
        raise UsageError(f"R4 has no type {short(resource_type)!r}" + (f"; {hint}" if hint else ""))
    files = list(find_inputs(sources, _NOWHERE, _NOWHERE).files)
    names = [file.path for file in files]
    wanted = None if resource_type is None else resource_type.encode()
    # Files that are named for the type first; Patient before others, for that is what people look for.
    first = resource_type or "Patient"
    files.sort(key=lambda file: (not file.path.rpartition("/")[2].startswith(first), file.path))
    if wanted is None:
        files = _one_a_type(files)
    found: list[bytes] = []
    with ExitStack() as opened:
        streams = [_matching(file, wanted, opened, names, name_files) for file in files]
        if wanted is not None:
            found = list(islice((line for stream in streams for line in stream), count))
        while wanted is None and streams and len(found) < count:
            turn = [(stream, next(stream, None)) for stream in streams[: count - len(found)]]
            found += [line for _, line in turn if line is not None]
            ended = [stream for stream, line in turn if line is None]
            streams = [stream for stream in streams if stream not in ended]
    if not found:
        what = "document" if resource_type is None else f"{resource_type}"
        raise InputError(f"there is no {what} in {counted(len(files), 'file')}")
    return found


def _one_a_type(files: Sequence[InputFile]) -> list[InputFile]:
    """The first file of each name up to its number (`Observation.000.ndjson`, `Observation.001.ndjson`)."""
    seen: dict[str, InputFile] = {}
    for file in files:
        seen.setdefault(re.split(r"[^A-Za-z]", file.path.rpartition("/")[2], maxsplit=1)[0], file)
    return list(seen.values())


def _matching(
    file: InputFile, wanted: bytes | None, opened: ExitStack, names: Sequence[str], name_files: bool
) -> Iterator[bytes]:
    """The lines of a file; of those of a type, a quick look tells most others apart and the root decides."""
    try:
        for line in _lines(file, opened):
            if wanted is None or (any(found[1] == wanted for found in _TYPE.finditer(line)) and _is_of(line, wanted)):
                yield line
    except (OSError, pa.ArrowException) as error:
        known = isinstance(error, OSError) and error.errno
        reason = os.strerror(known) if known else f"what {file.codec or 'it'} holds is damaged or cut off"
        told = UnreadableFile.numbered(names.index(file.path) + 1, reason)
        raise told_by_name(told, names, name_files) from None


def _is_of(line: bytes, wanted: bytes) -> bool:
    try:
        document = json.loads(line)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("resourceType") == wanted.decode()


def _lines(file: InputFile, opened: ExitStack) -> Iterator[bytes]:
    """Lines that are not blank, without their ends."""
    source: Any = opened.enter_context(storage.open_input(file.path))
    if file.codec:
        source = opened.enter_context(pa.CompressedInputStream(source, file.codec))
    stream = io.BufferedReader(source)
    if file.document:
        text = stream.read(_LONGEST + 1).removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
        if text and len(text) <= _LONGEST:
            yield text
        return
    while line := stream.readline(_LONGEST):
        if not line.endswith(b"\n") and len(line) == _LONGEST:
            while (rest := stream.readline(_LONGEST)) and not rest.endswith(b"\n"):
                pass
            continue
        text = line.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
        if text:
            yield text
