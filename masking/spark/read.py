"""Find the files of an export. Runs on the driver, reads no content of files whose names say what they are: a task that
opens one sees what it truly is.

Accepted: `.ndjson` and `.jsonl`, a document a line, and `.json`, a document a file; plain or with `.gz`, `.bz2` or
`.zst` behind; and `.parquet`, a document a row. A source is a file, a folder (searched at any depth) or a glob (`*`, `?`,
`[…]`, `**`). Names that begin with `.` or `_` are markers of other programs and do not count, unless a source names them.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from masking import storage
from masking.errors import InputError, UsageError, naming
from masking.keys import refuse_pasted_key
from masking.sources.content import Content, Form
from masking.sources.deltalog import LOG, read_log
from masking.sources.parquet import NO_HINTS, Hints
from masking.spark.unnamed import look_at, says_nothing, told_kinds

_LINES = (".ndjson", ".jsonl")
_DOCUMENT = ".json"
_PARQUET = (".parquet", ".parq", ".pq")
_CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
ACCEPTED = (
    "files named *.ndjson, *.jsonl or *.json, also with .gz, .bz2 or .zst behind, *.parquet, and names without a suffix "
    "if they hold FHIR"
)
#: How much text a byte of a compressed FHIR export holds, roughly (12 for gzip and 15 for zstd on Synthea's).
EXPANSION = 12
#: A smaller stretch of a Parquet file, as stored, may well hold the beginning of no row group.
LEAST_STRETCH = 32 << 20
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read: its place, its size as stored, and the codec it is compressed with ("" for none).

    form: how its documents lie in it. Both go by its name. hints: what else is known of a table. modified: when it was written
    (seconds since 1970).
    """

    path: str
    size: int
    codec: str
    form: Form = Form.LINES
    hints: Hints = NO_HINTS
    modified: float = 0.0

    @property
    def cuttable(self) -> bool:
        """Whether tasks can share it."""
        if self.form is Form.PARQUET:
            return self.size > LEAST_STRETCH
        return not self.codec and self.form is Form.LINES

    @property
    def scale(self) -> int:
        """About how many bytes of text a stored byte holds."""
        return EXPANSION if self.codec or self.form is Form.PARQUET else 1

    @property
    def weight(self) -> int:
        """About how many bytes of text it holds."""
        return self.size * self.scale


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the sources hold: the files to read by name, and how many others were passed over.

    versions: of the Delta tables among them, in order of their places; tables: these places.
    """

    files: tuple[InputFile, ...]
    ignored: int
    versions: tuple[int, ...] = ()
    tables: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """As stored."""
        return sum(file.size for file in self.files)


def content_of(path: str) -> Content | None:
    """What the file is by its name; None if that is not the name of an accepted file."""
    name, codec = _split(path)
    if name.endswith(_LINES):
        return Content(Form.LINES, codec)
    if name.endswith(_DOCUMENT):
        return Content(Form.DOCUMENT, codec)
    return Content(Form.PARQUET, "") if path.lower().endswith(_PARQUET) else None


def suffix_of(path: str) -> str:
    """What the file's name ends with that tells its kind, in lower case: `.ndjson.gz`."""
    if table := next((suffix for suffix in _PARQUET if path.lower().endswith(suffix)), ""):
        return table
    name, codec = _split(path)
    end = next((suffix for suffix in (*_LINES, _DOCUMENT) if name.endswith(suffix)), "")
    return end + next((suffix for suffix, one in _CODECS.items() if one == codec), "")


def _split(path: str) -> tuple[str, str]:
    """The name in lower case without the suffix of a codec, and that codec."""
    name = path.lower()
    for suffix, codec in _CODECS.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix), codec
    return name, ""


def find_inputs(
    sources: str | Sequence[str],
    destination: str,
    phi_area: str,
    hints: Hints = NO_HINTS,
    versions: Sequence[int] | None = None,
) -> Inputs:
    """All files of all sources, each once, in order of name; of a Delta table those that it consists of.

    `destination` and `phi_area` are normalized. hints: what is known of the source's tables. versions: of the Delta
    tables, in order of their places, by default the latest. `UsageError` where reading and writing overlap; `InputError`
    where a source is missing or holds no accepted file, and for a Delta table that cannot be read.
    """
    sources = [sources] if isinstance(sources, str) else list(sources)
    if not sources:
        raise UsageError("no source is given")
    found: dict[str, InputFile] = {}
    logs: dict[str, list[str]] = {}
    ignored = 0
    for source in sources:
        place = storage.normalize(source)
        _refuse_overlap(place, destination, phi_area)
        with naming(f"read the source {place}"):
            listed = list_source(place)
            contents = contents_of(listed.files)
        files = [
            InputFile(file.path, file.size, content.codec, content.form, hints, file.modified)
            for file in listed.files
            if (content := contents.get(file.path)) is not None
        ]
        _refuse_odd(place, [file.path for file in files], listed.others)
        if not files and not listed.logs:
            many = len(listed.files)
            others = told_kinds(file.path for file in listed.files)
            some = f"all of its files have other names ({many}{others})" if many else "it is empty or not there"
            raise InputError(f"nothing to read at {place}: {some}; accepted are {ACCEPTED}")
        ignored += len(listed.files) - len(files) + len(listed.others)
        # By the true name, so that a file reached by two sources or a link is read once.
        found.update((storage.normalize(file.path), file) for file in files)
        logs.update(listed.logs)
    with naming("read the log of a Delta table"):
        numbers = replace_tables(found, logs, hints, versions)
    for place, name in ((destination, "destination"), (phi_area, "PHI area")):
        if inside := sum(storage.contains(place, path) for path in found):  # by a link, or named by a table's log
            raise UsageError(f"{inside} files of the source lie inside the {name} {place}; choose another {name}")
    return Inputs(tuple(file for _, file in sorted(found.items())), ignored, numbers, tuple(sorted(logs)))


def contents_of(files: Iterable[storage.StoredFile]) -> dict[str, Content]:
    """What files are, by path: by their names, and by their content where a name says nothing; others are left out."""
    named = {file.path: content_of(file.path) for file in files}
    nameless = [path for path, content in named.items() if content is None and says_nothing(_split(path)[0])]
    told = look_at(nameless)
    return {path: known for path, content in named.items() if (known := content or told.get(path)) is not None}


def replace_tables(
    found: dict[str, InputFile], logs: Mapping[str, Sequence[str]], hints: Hints, versions: Sequence[int] | None
) -> tuple[int, ...]:
    """Put the files of each Delta table in place of those that lie in its folder; the versions of the tables."""
    tables = sorted(logs)
    if versions is not None and len(versions) != len(tables):
        raise InputError(f"the sources have {len(tables)} Delta tables, and the run read {len(versions)}")
    numbers = []
    for number, table in enumerate(tables):
        snapshot = read_log(table, logs[table], None if versions is None else versions[number])
        numbers.append(snapshot.version)
        inside = [path for path in found if storage.contains(table, path) and found[path].form is Form.PARQUET]
        there = {path: found.pop(path) for path in inside}
        for file in snapshot.files:
            # What is listed has its size by the store's word; what lies elsewhere, as of a shallow clone, by the log's.
            known = there.get(file.path) or InputFile(file.path, file.size, "", Form.PARQUET)
            found[file.path] = replace(known, hints=replace(hints, partition=file.partition))
    return tuple(numbers)


def refuse_shared_places(destination: str, phi_area: str) -> None:
    """`UsageError` if one of the clean and the PHI side lies inside the other (both normalized)."""
    if storage.contains(destination, phi_area) or storage.contains(phi_area, destination):
        raise UsageError(
            f"the PHI area {phi_area} and the destination {destination} lie inside one another; what is quarantined is "
            "PHI and must not be where masked data is shared"
        )


def refuse_key_place(key_file: str, sources: Sequence[str], destination: str | None) -> None:
    """`UsageError` if the key lies where masked data is shared, or in the export: who gets the folder gets the key.

    destination: None where the export itself is masked.
    """
    refuse_pasted_key(key_file, "a file")
    key = storage.normalize(key_file)
    if destination is not None and storage.contains(destination, key):
        raise UsageError(f"the key file {key} is inside the destination {destination}, which is shared; move the key")
    for source in map(storage.normalize, sources):
        if _covers(source, key):
            raise UsageError(f"the key file {key} is inside the source {source}; keep the key apart from the data")


def _refuse_overlap(source: str, destination: str, phi_area: str) -> None:
    for place, name in ((destination, "destination"), (phi_area, "PHI area")):
        if storage.contains(place, source):
            raise UsageError(f"the source {source} is inside the {name} {place}; choose another {name}")
        if _covers(source, place):
            raise UsageError(
                f"the {name} {place} is inside the source {source}, so the next run would read what this one writes; "
                f"choose another {name}"
            )


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is at a source: files of any kind, what is no file, and the logs of Delta tables by the tables' places."""

    files: list[storage.StoredFile]
    others: list[str]
    logs: dict[str, list[str]]


def list_source(source: str) -> Listing:
    """What one normalized source names; hidden files count not. `InputError` for a part of a Delta table."""
    one = storage.find_file(source)
    if one is not None:
        if content_of(source) == Content(Form.PARQUET, ""):
            _refuse_part(source)
        return Listing([one], [], {})
    base = base_of(source)
    others: list[str] = []
    found: list[storage.StoredFile] = []
    logs: dict[str, list[str]] = {}
    for file in storage.list_files(base, others):
        table, log, name = file.path.rpartition(f"/{LOG}/")
        if log and "/" not in name and not _is_hidden(table, base):
            logs.setdefault(storage.normalize(table), []).append(file.path)
        elif not _is_hidden(file.path, base) and (base == source or _covers(source, file.path)):
            found.append(file)
    for table in [*logs]:
        if base != source and not _covers(source, table):
            if any(storage.contains(table, storage.normalize(file.path)) for file in found):
                raise _part_of(source, table)
            del logs[table]
    if base not in logs and any(content_of(file.path) == Content(Form.PARQUET, "") for file in found):
        _refuse_part(base)
    others = [path for path in others if not _is_hidden(path, base) and (base == source or _covers(source, path))]
    return Listing(found, others, logs)


def _is_hidden(path: str, base: str) -> bool:
    return any(part.startswith((".", "_")) for part in path.removeprefix(base).strip("/").split("/"))


def _refuse_part(place: str) -> None:
    """`InputError` if a folder around a place is a Delta table: which of the table's files count, its log alone says."""
    folder = place.rpartition("/")[0]
    while folder and not folder.endswith((":/", ":")):
        if next(iter(storage.list_files(storage.join(folder, LOG))), None) is not None:
            raise _part_of(place, folder)
        folder = folder.rpartition("/")[0]


def _part_of(place: str, table: str) -> InputError:
    return InputError(f"{place} is a part of the Delta table {table}; name the table itself")


def _refuse_odd(place: str, files: Sequence[str], others: Sequence[str]) -> None:
    """`InputError` for what is named like input and cannot be read as a run reads: it would be lost without a word."""
    unread = sum(content_of(path) is not None for path in others)
    if unread:
        raise InputError(
            f"{unread} at {place} are named like input and are no files (links that lead nowhere, pipes); mend or "
            "remove them, or name the source by a glob that leaves them out"
        )
    nameless = sum(not storage.is_text(path) for path in files)
    if nameless:
        raise InputError(
            f"{nameless} of the {len(files)} files to read at {place} have names that are not UTF-8; rename them: "
            "quarantine and receipts name files"
        )


def base_of(source: str) -> str:
    """The folder above the first wildcard; the source itself if there is none."""
    parts = source.split("/")
    wild = next((place for place, part in enumerate(parts) if _WILD.search(part)), None)
    return source if wild is None else "/".join(parts[:wild]) or "/"


def _covers(source: str, path: str) -> bool:
    """Whether a source, which may be a glob, takes in a place: the place is what it names or lies below."""
    return storage.contains(source, path) or _matches(path.split("/"), source.split("/"))


def _matches(parts: list[str], pattern: list[str]) -> bool:
    """Name by name; `*`, `?` and `[…]` stay within a name, `**` is any number of names, and what is below is in."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (bool(parts) and _matches(parts[1:], pattern))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
