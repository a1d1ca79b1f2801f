"""The first documents of an export, read directly: no Spark, and no more of a file than is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from masking.commands.screen import counted
from masking.commands.unreadable import told_by_name
from masking.errors import InputError, UnreadableFile, UsageError
from masking.fhir.elements import resource_types
from masking.policy.problems import did_you_mean, short
from masking.sources.parquet import NO_HINTS, Hints
from masking.spark.lines import Limits, Reader
from masking.spark.read import InputFile, find_inputs
from masking.spark.splits import Block, whole_block

#: A longer line is passed by: this is for looking.
_LIMITS = Limits(batch_rows=50, batch_bytes=1 << 20, line_bytes=8 << 20)
_NOWHERE = "/dev/null/fhir-mask"  # a preview writes nothing, so there is nothing that could lie inside a source
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,64})"')


def first_documents(
    sources: Sequence[str],
    count: int,
    resource_type: str | None = None,
    *,
    hints: Hints = NO_HINTS,
    name_files: bool = False,
) -> list[bytes]:
    """At most `count` documents, of one type if one is named; one of each file in turn.

    Raises `UsageError` for a type that R4 does not have, `InputError` where nothing can be read or nothing fits; with
    `name_files` it names a file that cannot be read, else its number in order of name.
    """
    if resource_type is not None and resource_type not in resource_types():
        hint = did_you_mean(resource_type, resource_types())
        raise UsageError(f"R4 has no type {short(resource_type)!r}" + (f"; {hint}" if hint else ""))
    files = list(find_inputs(sources, _NOWHERE, _NOWHERE, hints).files)
    names = [file.path for file in files]
    wanted = None if resource_type is None else resource_type.encode()
    # Files that are named for the type first; Patient before others, for that is what people look for.
    first = resource_type or "Patient"
    files.sort(key=lambda file: (not file.path.rpartition("/")[2].startswith(first), file.path))
    if wanted is None:
        files = _one_a_type(files)
    found: list[bytes] = []
    numbers = {name: number for number, name in enumerate(names, 1)}
    streams = [_matching(whole_block(file, numbers[file.path]), wanted, names, name_files) for file in files]
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


def _matching(block: Block, wanted: bytes | None, names: Sequence[str], name_files: bool) -> Iterator[bytes]:
    """The documents of a file; of those of a type, a quick look tells most others apart and the root decides."""
    try:
        for batch in Reader((block,), _LIMITS):
            for line in batch.documents:
                text = line.strip(b" \t\r\n")
                if wanted is None or (
                    any(found[1] == wanted for found in _TYPE.finditer(text)) and _is_of(text, wanted)
                ):
                    yield text
    except UnreadableFile as told:
        raise told_by_name(told, names, name_files) from None


def _is_of(line: bytes, wanted: bytes) -> bool:
    try:
        document = json.loads(line)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("resourceType") == wanted.decode()
