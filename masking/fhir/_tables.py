"""The committed R4 table as it lies in `data/r4.json`, read once a process, on first use."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import TypeAlias, TypedDict

#: name, min, max (None = any number), type codes, short text, binding strength, value set.
Row: TypeAlias = tuple[str, int, int | None, list[str], str, str | None, str | None]


class Tables(TypedDict):
    """The file's top level; see `masking.fhir.generate.render`."""

    source: dict[str, object]
    resources: list[str]
    data_types: list[str]
    primitives: dict[str, str | None]
    subjects: dict[str, list[str]]
    contents: dict[str, tuple[str | None, list[Row]]]


@functools.cache
def tables() -> Tables:
    """The whole table; about 10 ms and 5 MB the first time, then free."""
    text = resources.files("masking.fhir").joinpath("data/r4.json").read_bytes()
    loaded: Tables = json.loads(text)
    return loaded


@functools.cache
def resource_types() -> frozenset[str]:
    """R4's concrete resource types: 146. HL7's code list has 148, with the abstract Resource and DomainResource."""
    return frozenset(tables()["resources"])
