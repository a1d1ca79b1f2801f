"""What lies beside the documents: names of files and folders, manifests, reports, tables. Nobody's values belong there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from masking import storage
from masking.fhir.elements import resource_types
from masking.report.verdict import Finding
from masking.spark.verify_columns import texts_of
from masking.spark.verify_gather import encode, load_known, numbers, row
from masking.verify.kinds import Kind, names_of
from masking.verify.known import Known, unpack
from masking.verify.look import Looker
from masking.verify.words import KIND_SHIFT

#: Words alone are no finding in prose of the program's own, nor are days: a run has a day.
_IN_FILES = ~int(Kind.NAME_WORD | Kind.TOWN | Kind.ZIP | Kind.BIRTH)
#: Tables are made of the documents, in which values were judged: what is in a table alone is a finding whatever it is. In one
#: that other runs have rows in, names, towns and days may be fakes of theirs.
_IN_TABLES, _IN_SHARED = ~0, _IN_FILES & ~int(Kind.FULL_NAME)
_IN_NAMES = ~int(Kind.ZIP)
_MOST_BYTES = 256 << 20
_CHUNK = 8 << 20
_TABLE = ".parquet"
JUDGED = "judged.npz"
_NONE = np.zeros(0, np.int64)


def search_names(known: Known, run: str, names: Iterable[str]) -> list[Finding]:
    """Search paths below a run's folder (`runs/<id>/`). A part of one that is a value is not repeated."""
    looker = Looker.of(known)
    found = []
    for name in names:
        kinds, shown = _in_name(looker, name)
        if kinds:
            what = f"{_named(kinds)}: in a name of a file or folder"
            found.append(Finding("leak", what, "", 1, ((run + shown, 0),)))
    return found


def _in_name(looker: Looker, name: str) -> tuple[int, str]:
    """The kinds of the values in a path, and the path without them: as a whole, for a value may be parted by a slash."""
    types = {one.casefold() for one in resource_types()}
    parts = name.split("/")
    kinds = [_kinds(looker, _without_types(part, types), _IN_NAMES) for part in parts]
    if not any(kinds) and (whole := _kinds(looker, "/".join(_without_types(part, types) for part in parts), _IN_NAMES)):
        kinds = [whole] * len(parts)
    found = 0
    for one in kinds:
        found |= one
    shown = ["*" if one else part for part, one in zip(parts, kinds, strict=True)]
    if kinds[-1] and (suffix := parts[-1].rpartition(".")[2]).isalpha() and suffix != parts[-1]:
        shown[-1] = f"*.{suffix}"  # the kind of file
    return found, "/".join(shown)


def _without_types(word: str, types: set[str]) -> str:
    """A file's or folder's name without the resource type that it is, or begins with."""
    head, dash, rest = word.partition("-")
    return "" if word.casefold() in types else rest if dash and head.casefold() in types else word


@dataclass(frozen=True, slots=True)
class Beside:
    """A file that lies beside the documents: its place below the destination, its path, and whether it is this run's alone.

    is_rows: whether it holds rows without being named so.
    """

    short: str
    path: str
    is_own: bool = True
    is_rows: bool = False

    @property
    def is_table(self) -> bool:
        """Whether it holds rows."""
        return self.is_rows or self.path.endswith(_TABLE)

    @property
    def mask(self) -> int:
        """The kinds that are a finding in it."""
        return _IN_FILES if not self.is_table else _IN_TABLES if self.is_own else _IN_SHARED


@dataclass(frozen=True, slots=True)
class AsideTask:
    """Searches what is in files. `run` is given to `mapInArrow`.

    folder: of the tables of what is known, and of `JUDGED`: the places there of values that were met in documents, with
    whose they are; tables hold the same once more.
    """

    files: tuple[Beside, ...]
    folder: str
    humans: int

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes of files in; of each that holds what it must not, a finding out."""
        looker = Looker.of(load_known(self.folder, self.humans))
        judged = unpack(storage.read_bytes(storage.join(self.folder, JUDGED)) or b"")["places"]
        for number in numbers(rows):
            file = self.files[number]
            known = judged if file.is_table else _NONE
            where = "in a table, and in no document" if file.is_table else "in a file beside the documents"
            for part, content in enumerate(texts_of(file.path) if file.is_table else _contents(file.path), 1):
                if kinds := _kinds(looker, content, file.mask, known):
                    place = (_shown(looker, file.short), part)
                    yield row(encode(Finding("leak", f"{_named(kinds)}: {where}", "", 1, (place,))))
                    break


def _shown(looker: Looker, short: str) -> str:
    """A file's place for the clean side: `runs/<id>/` and what is below, without values."""
    head, run, rest = short.split("/", 2) if short.count("/") > 1 else ("", "", short)
    return f"{head}/{run}/{_in_name(looker, rest)[1]}" if head else _in_name(looker, rest)[1]


def _kinds(looker: Looker, text: str, mask: int, judged: Any = _NONE) -> int:
    kinds = 0
    places = np.array(sorted(looker.places_in(text)), np.int64)
    for place in places[~np.isin(places, judged)].tolist():
        kinds |= int(looker.known.marks[place]) >> KIND_SHIFT & mask
    return kinds


def _contents(path: str) -> Iterator[str]:
    """The texts of a file: the strings and names of JSON, all of anything else."""
    with storage.open_input(path) as file:
        content = bytes(file.read(_MOST_BYTES))
    if path.endswith(".json"):
        try:
            value = json.loads(content)
        except ValueError:
            pass
        else:
            yield "\n".join(_strings(value))
            return
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK + 200].decode("utf-8", "replace")


def _strings(value: Any) -> Iterator[str]:
    """The strings of JSON, and its names. Its numbers are counts and sizes: they would meet somebody's number by chance."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _named(kinds: int) -> str:
    return " or ".join(names_of(kinds))
