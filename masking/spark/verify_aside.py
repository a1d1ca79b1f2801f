"""What lies beside the documents: names of files and folders, manifests, reports, tables. Nobody's values belong there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.fhir.elements import resource_types
from masking.report.verdict import Finding
from masking.spark.verify_gather import encode, load_known, numbers, row
from masking.verify.kinds import Kind, names_of
from masking.verify.known import Known, unpack
from masking.verify.look import Looker, leaves
from masking.verify.words import KIND_SHIFT

#: Words alone are no finding in prose of the program's own, nor are days: a run has a day.
_IN_FILES = ~int(Kind.NAME_WORD | Kind.TOWN | Kind.ZIP | Kind.BIRTH)
#: In tables, which hold what the documents hold, whole names are no finding either: a fake may bear the name of somebody, and
#: here it is not told whose it is. They are judged in the documents.
_IN_TABLES = _IN_FILES & ~int(Kind.FULL_NAME)
_IN_NAMES = ~int(Kind.ZIP)
_MOST_BYTES = 256 << 20
_CHUNK = 8 << 20
#: Between two texts: words that nobody bears, so that no name is made of the end of one and the beginning of the next.
_BREAK = "\nqzxj xqzj\n"
_PARQUET = ".parquet"
JUDGED = "judged.npz"
_NONE = np.zeros(0, np.int64)


def search_names(known: Known, names: Iterable[str]) -> list[Finding]:
    """Search paths below the run's folder. One that is a value is not repeated."""
    looker = Looker.of(known)
    own = {name.casefold() for name in resource_types()}
    found = []
    for name in names:
        words = [_without_types(word, own) for word in name.split("/") if word.casefold() not in own]
        if kinds := _kinds(looker, "/".join(words), _IN_NAMES):
            what = f"{_named(kinds)}: in a name of a file or folder"
            found.append(Finding("leak", what, "", 1, ((_masked_name(name), 0),)))
    return found


@dataclass(frozen=True, slots=True)
class AsideTask:
    """Searches what is in files. `run` is given to `mapInArrow`.

    files: of each the path below the destination, and the place. folder: of the tables of what is known, and of `JUDGED`:
    the places there of values that were met in documents, with whose they are; tables hold the same once more.
    """

    files: tuple[tuple[str, str], ...]
    folder: str
    humans: int

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Indexes of files in; of each that holds what it must not, a finding out."""
        looker = Looker.of(load_known(self.folder, self.humans))
        judged = unpack(storage.read_bytes(storage.join(self.folder, JUDGED)) or b"")["places"]
        for number in numbers(rows):
            short, path = self.files[number]
            is_table = path.endswith(_PARQUET)
            mask, known = (_IN_TABLES, judged) if is_table else (_IN_FILES, _NONE)
            for part, content in enumerate(_contents(path), 1):
                if kinds := _kinds(looker, content, mask, known):
                    what = f"{_named(kinds)}: in a file beside the documents"
                    yield row(encode(Finding("leak", what, "", 1, ((short, part),))))
                    break


def _without_types(word: str, types: set[str]) -> str:
    """A file's name without the resource type that it begins with."""
    head, dash, rest = word.partition("-")
    return rest if dash and head.casefold() in types else word


def _masked_name(path: str) -> str:
    """A path for the clean side when its last name is a value: the folder, and the kind of file."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/*.{name.rpartition('.')[2]}" if "." in name else f"{folder}/*"


def _kinds(looker: Looker, text: str, mask: int, judged: Any = _NONE) -> int:
    kinds = 0
    places = np.array(sorted(looker.places_in(text)), np.int64)
    for place in places[~np.isin(places, judged)].tolist():
        kinds |= int(looker.known.marks[place]) >> KIND_SHIFT & mask
    return kinds


def _contents(path: str) -> Iterator[str]:
    """The texts of a file: the strings of JSON, those of the string columns of Parquet, all of anything else."""
    if path.endswith(_PARQUET):
        with storage.open_input(path) as file:
            table = pq.ParquetFile(file)
            for batch in table.iter_batches():
                yield _BREAK.join(_strings(batch.to_pylist()))
        return
    with storage.open_input(path) as file:
        content = bytes(file.read(_MOST_BYTES))
    if path.endswith(".json"):
        try:
            json.loads(content)
        except ValueError:
            pass
        else:
            # Numbers are counts and sizes: they would meet somebody's number by chance.
            yield "\n".join(text for _, text in leaves(content) if not text.replace(".", "").isdecimal())
            return
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK + 200].decode("utf-8", "replace")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value[:1] in ("{", "["):  # a column of JSON, or a text that yields itself
        yield from (text for _, text in leaves(value.encode("utf-8", "surrogatepass")))
    elif isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _named(kinds: int) -> str:
    return " or ".join(names_of(kinds))
