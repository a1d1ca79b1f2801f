"""What lies beside the documents: names of files and folders, manifests, reports, tables. Nobody's values belong there."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Sequence
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.fhir.elements import resource_types
from masking.report.verdict import Finding
from masking.verify.kinds import Kind, names_of
from masking.verify.known import Known
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
_PARQUET = (".parquet", ".snappy.parquet")


def search_aside(known: Known, texts: Sequence[tuple[str, str]], judged: Container[int] = ()) -> list[Finding]:
    """Search what is beside the documents.

    judged: places of values that were met in documents, with whose they are: tables hold the same once more.
    texts: pairs. ("name", a path below the run's folder): the name itself is searched; else a path relative to the
    destination, and the file's place: its content is.
    """
    looker = Looker.of(known)
    found = []
    own = {name.casefold() for name in resource_types()}
    for what, text in texts:
        if what == "name":
            words = [word for part in text.split("/") for word in (part,) if part.casefold() not in own]
            kinds = _kinds(looker, "/".join(_without_types(word, own) for word in words), _IN_NAMES)
            if kinds:  # the name itself is a value: it is not repeated
                found.append(
                    Finding(
                        "leak", f"{_named(kinds)}: in a name of a file or folder", "", 1, ((_masked_name(text), 0),)
                    )
                )
        else:
            for number, content in enumerate(_contents(text), 1):
                is_table = text.endswith(_PARQUET)
                kinds = _kinds(looker, content, _IN_TABLES if is_table else _IN_FILES, judged if is_table else ())
                if kinds:
                    found.append(
                        Finding("leak", f"{_named(kinds)}: in a file beside the documents", "", 1, ((what, number),))
                    )
                    break
    return found


def _without_types(word: str, types: set[str]) -> str:
    """A file's name without the resource type that it begins with."""
    head, dash, rest = word.partition("-")
    return rest if dash and head.casefold() in types else word


def _masked_name(path: str) -> str:
    """A path for the clean side when its last name is a value: the folder, and the kind of file."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/*.{name.rpartition('.')[2]}" if "." in name else f"{folder}/*"


def _kinds(looker: Looker, text: str, mask: int, judged: Container[int] = ()) -> int:
    kinds = 0
    for place in looker.places_in(text):
        if place not in judged:
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
