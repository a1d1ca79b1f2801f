"""Hiding places beside the documents: names of files and folders, other files, tables."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking.report.manifest import Manifest, publish_manifest, run_folder
from masking.spark.drill_sample import Copy
from masking.verify.collect import Found
from masking.verify.kinds import Kind

_PROSE = Kind.NAME_WORD | Kind.TOWN | Kind.ZIP | Kind.BIRTH
_LONGEST = 100  # bytes of a name of a file

#: The manifest as it is published, and of each kind the places at which it may be told of.
Planted = tuple[Manifest, dict[Kind, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Beside:
    """A hiding place beside the documents. plant: given the copy, its manifest and a value of each kind."""

    name: str
    what: str
    plant: Callable[[Copy, Manifest, Mapping[Kind, Found]], Planted]
    why_not: Callable[[Found], str]


def _each(manifest: Manifest, lot: Mapping[Kind, Found]) -> Iterator[tuple[int, Kind, str, str]]:
    """Number, kind, text, and the run's folder relative to the destination."""
    root = run_folder("", manifest.run_id).strip("/")
    for number, (kind, found) in enumerate(lot.items()):
        yield number, kind, found.text, root


def _file_name(copy: Copy, manifest: Manifest, lot: Mapping[Kind, Found]) -> Planted:
    places = {}
    for number, kind, text, root in _each(manifest, lot):
        copy.put(f"{root}/planted-{number}x/{_as_name(text)}.txt", b"nothing")
        places[kind] = frozenset({f"{root}/planted-{number}x/*.txt"})
    return manifest, places


def _folder_name(copy: Copy, manifest: Manifest, lot: Mapping[Kind, Found]) -> Planted:
    places = {}
    for number, kind, text, root in _each(manifest, lot):
        copy.put(f"{root}/planted-{number}x/{_as_name(text)}/nothing.txt", b"nothing")
        places[kind] = frozenset({f"{root}/planted-{number}x/*/nothing.txt"})
    return manifest, places


def _as_name(text: str) -> str:
    return text.replace("/", "_").replace("\0", "_")


def _text_file(copy: Copy, manifest: Manifest, lot: Mapping[Kind, Found]) -> Planted:
    places = {}
    for number, kind, text, root in _each(manifest, lot):
        path = f"{root}/planted-{number}x.txt"
        copy.put(path, f"Asked for {text}, twice.".encode())
        places[kind] = frozenset({path})
    return manifest, places


def _schema_file(copy: Copy, manifest: Manifest, lot: Mapping[Kind, Found]) -> Planted:
    places = {}
    for number, kind, text, root in _each(manifest, lot):
        path = f"{root}/schema/Planted-{number}x.schema.json"
        copy.put(path, json.dumps({"properties": {"id": {"type": "string", "examples": [text]}}}).encode())
        places[kind] = frozenset({path})
    return manifest, places


def _manifest(copy: Copy, manifest: Manifest, lot: Mapping[Kind, Found]) -> Planted:
    notes = {f"planted-{number}x": text for number, _, text, _ in _each(manifest, lot)}
    manifest = dataclasses.replace(manifest, settings={**manifest.settings, **notes})
    publish_manifest(copy.clean, manifest)
    root = run_folder("", manifest.run_id).strip("/")
    return manifest, dict.fromkeys(lot, frozenset({f"{root}/manifest.json", "manifest.json"}))


def _table(cell: Callable[[str], object]) -> Callable[[Copy, Manifest, Mapping[Kind, Found]], Planted]:
    """A table that holds a value in a cell, one row before it and one behind."""

    def plant(copy: Copy, manifest: Manifest, lot: Mapping[Kind, Found]) -> Planted:
        places = {}
        for number, kind, text, root in _each(manifest, lot):
            path = f"{root}/parquet/planted/Planted-00000-{number:05d}.parquet"
            rows = pa.table({"first": ["nothing", None, ""], "cell": [None, cell(text), None]})
            buffer = io.BytesIO()
            pq.write_table(rows, buffer)
            copy.put(path, buffer.getvalue())
            places[kind] = frozenset({path})
        return manifest, places

    return plant


def _delta(copy: Copy, manifest: Manifest, lot: Mapping[Kind, Found]) -> Planted:
    """A Delta table of the run's that has a row more than Parquet."""
    places = {}
    for number, kind, text, _ in _each(manifest, lot):
        folder, name = f"delta/planted-{number}x", "part-00000.snappy.parquet"
        buffer = io.BytesIO()
        pq.write_table(pa.table({"id": ["nothing", None], "cell": [None, text]}), buffer)
        copy.put(f"{folder}/{name}", buffer.getvalue())
        info = {"userMetadata": json.dumps({"run_id": manifest.run_id})}
        add = {"path": name, "partitionValues": {}, "size": buffer.tell(), "dataChange": True}
        protocol = {"minReaderVersion": 1, "minWriterVersion": 2}
        commit = [json.dumps(one) for one in ({"commitInfo": info}, {"protocol": protocol}, {"add": add})]
        copy.put(f"{folder}/_delta_log/{0:020d}.json", "\n".join(commit).encode())
        places[kind] = frozenset({f"{folder}/{name}"})
    return dataclasses.replace(manifest, settings={**manifest.settings, "formats": "ndjson,parquet,delta"}), places


def _no_name(found: Found) -> str:
    if found.kind == Kind.ZIP:
        return "five digits stand in names of files by chance"
    return "longer than names of files are" if len(found.text.encode("utf-8", "surrogatepass")) > _LONGEST else ""


def _no_prose(found: Found) -> str:
    return "a word or a day, as it stands in the program's own prose" if found.kind & _PROSE else ""


BESIDE = (
    Beside("file name", "the name of a file", _file_name, _no_name),
    Beside("folder name", "the name of a folder", _folder_name, _no_name),
    Beside("text file", "a file in the run's folder", _text_file, _no_prose),
    Beside("schema file", "a schema of a table", _schema_file, _no_prose),
    Beside("manifest", "a setting in the manifest", _manifest, _no_prose),
    Beside("table", "a text column of a Parquet table alone", _table(lambda text: text), lambda found: ""),
    Beside(
        "table, nested",
        "a column of lists in a Parquet table alone",
        _table(lambda text: [{"value": text}]),
        lambda found: "",
    ),
    Beside("Delta table", "a text column of a Delta table alone", _delta, lambda found: ""),
    Beside(
        "table, JSON",
        "a column of JSON in a Parquet table alone",
        _table(lambda text: json.dumps({"a": [text]})),
        lambda found: "",
    ),
)
