"""The manifest: what a finished run made, from what settings, and whether its counts add up.

It lies on the clean side, so it holds no value, no source path and no input file name. `DESTINATION/manifest.json` is
the latest finished run's, put there last and whole: what a reader reads first, and the only thing that makes a run's
files an output.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from masking import storage
from masking.errors import CountMismatch, InputError, KeyRefused, UsageError, naming

MANIFEST = "manifest.json"
#: The journal of a run in place, in the run's folder in the PHI area.
IN_PLACE = "in-place.json"
#: What becomes of a Bundle: written as one, or as the resources of its entries.
BUNDLES = ("keep", "split")
FORMATS = ("ndjson", "parquet", "delta")  # of a run's output
FIRST_YEAR = 1900  # of reference dates
FORMAT = 1  # of this file; readers refuse a higher one
UNKNOWN_TYPE = "(unknown)"  # the type of lines that name none that R4 has


@dataclass(frozen=True, slots=True)
class TypeCounts:
    """What became of the lines of one resource type. Bytes are those of the documents without line ends.

    split: Bundles that were written as the resources of their entries, not as Bundles. resources: lines of this type
    that were written out of such Bundles; they were not read as lines of their own, so `read` does not count them.
    """

    read: int = 0
    masked: int = 0
    quarantined: int = 0
    dropped: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    split: int = 0
    resources: int = 0

    def __add__(self, other: TypeCounts) -> TypeCounts:
        """The counts of both together."""
        return TypeCounts(
            self.read + other.read,
            self.masked + other.masked,
            self.quarantined + other.quarantined,
            self.dropped + other.dropped,
            self.bytes_read + other.bytes_read,
            self.bytes_written + other.bytes_written,
            self.split + other.split,
            self.resources + other.resources,
        )


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file of the output: its place relative to the destination, and what is in it.

    parts: of a file that was gathered of smaller ones, their names, bytes and rows, in order.
    """

    path: str
    resource_type: str
    rows: int
    bytes: int
    sha256: str
    parts: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class MadeWith:
    """What the output is a function of, beside the input. A policy goes by name and hash, a key by its fingerprint."""

    policy: str
    policy_sha256: str
    key_fingerprint: str
    project: str
    reference_date: str  # YYYY-MM-DD; ages are kept as of this day
    versions: Mapping[str, str] = field(default_factory=dict)  # of this package, its pools, Spark, Python


@dataclass(frozen=True, slots=True)
class Manifest:
    """A finished run. Times are ISO 8601 in UTC."""

    run_id: str
    started: str
    finished: str
    seconds: float
    made_with: MadeWith
    lines: int  # all lines read, blank ones too
    blank: int
    types: Mapping[str, TypeCounts]
    files: tuple[OutputFile, ...]
    reasons: Mapping[str, int] = field(default_factory=dict)  # of quarantine, by kind
    redactions: Mapping[str, int] = field(default_factory=dict)  # values no masker could read, by FHIR path
    #: resources whose subject no record of the source describes, by type: a persona comes of the reference
    dangling: Mapping[str, int] = field(default_factory=dict)
    #: types that seem to be of another version of FHIR, which and why: in how many of the resources that were looked at
    other_versions: Mapping[str, int] = field(default_factory=dict)
    entries: int = 0  # of the Bundles that were split
    dropped_entries: Mapping[str, int] = field(default_factory=dict)  # those that gave no resource, by kind
    settings: Mapping[str, int | str | bool | None] = field(default_factory=dict)
    source_files: int = 0
    source_bytes: int = 0  # as stored, so compressed where they are
    left_out_columns: int = (
        0  # of tables with a column of documents: others, which are not read; names are on the PHI side
    )
    source_versions: tuple[int, ...] = ()  # of the Delta tables among the sources, in order of their places
    tables: tuple[OutputFile, ...] = ()  # Parquet files of the same lines, in order of their paths
    misfits: Mapping[str, int] = field(default_factory=dict)  # values that a table holds as JSON alone, by FHIR path
    #: of tables with the source's columns: values of columns that are no part of a document, which are null, by column
    denied_columns: Mapping[str, int] = field(default_factory=dict)
    unplaced: Mapping[str, int] = field(default_factory=dict)  # of these: masked values that no column takes, by path
    #: the runs that together are what there is to read, oldest first, this one last: more than one of an incremental run
    dataset: tuple[str, ...] = ()
    refreshed: str = ""  # the run of the dataset that was the last to mask again all that it should
    passed: int = 0  # of a run that masks again: lines that did not have to be
    deleted: tuple[OutputFile, ...] = ()  # files that name, by type and masked id, what the source asks to delete
    format: int = FORMAT

    @property
    def total(self) -> TypeCounts:
        """All types together."""
        return sum(self.types.values(), TypeCounts())

    @property
    def runs(self) -> tuple[str, ...]:
        """`dataset`, also of a manifest that was written before there was one."""
        return self.dataset or (self.run_id,)

    @property
    def is_incremental(self) -> bool:
        """Whether another run can go on where this one ended."""
        return self.settings.get("incremental") is True


def check_counts(
    lines: int,
    blank: int,
    types: Mapping[str, TypeCounts],
    files: tuple[OutputFile, ...],
    entries: int = 0,
    dropped_entries: Mapping[str, int] | None = None,
    passed: int = 0,
) -> None:
    """Every line, and every entry of a Bundle that was split, in exactly one place, a type at a time and in all; else
    `CountMismatch` with all that is off.
    """
    wrong = [
        f"{name}: read {count.read}, but masked {count.masked} + quarantined {count.quarantined}"
        f" + dropped {count.dropped} + split {count.split}"
        for name, count in sorted(types.items())
        if count.read != count.masked + count.quarantined + count.dropped + count.split
    ]
    read = sum(count.read for count in types.values())
    if lines != read + blank + passed:
        over = f" + {passed} that were not to be masked again" if passed else ""
        wrong.append(f"all: {lines} lines, but {read} documents + {blank} blank{over}")
    resources, dropped = sum(count.resources for count in types.values()), sum((dropped_entries or {}).values())
    if entries != resources + dropped:
        wrong.append(f"split Bundles: {entries} entries, but {resources} resources + {dropped} dropped")
    rows: dict[str, int] = {}
    for file in files:
        rows[file.resource_type] = rows.get(file.resource_type, 0) + file.rows
    for name in sorted({*types, *rows}):
        count = types.get(name, TypeCounts())
        if rows.get(name, 0) != count.masked + count.resources:
            out_of_bundles = f" + {count.resources} out of Bundles" if count.resources else ""
            wrong.append(f"{name}: masked {count.masked}{out_of_bundles}, but {rows.get(name, 0)} lines in files")
    if wrong:
        raise CountMismatch("the counts do not add up, so nothing was published: " + "; ".join(wrong))


def check_tables(files: tuple[OutputFile, ...], tables: tuple[OutputFile, ...]) -> None:
    """As many rows in a type's table as lines in its NDJSON files; else `CountMismatch` with all that is off."""
    lines, rows = (Counter[str](), Counter[str]())
    for counts, made in ((lines, files), (rows, tables)):
        for file in made:
            counts[file.resource_type] += file.rows
    wrong = [
        f"{name}: {lines[name]} lines, but {rows[name]} rows"
        for name in sorted(lines | rows)
        if lines[name] != rows[name]
    ]
    if wrong:
        raise CountMismatch("the tables are not what was masked, so nothing was published: " + "; ".join(wrong))


def run_folder(destination: str, run_id: str) -> str:
    """The folder of one run, at the destination or in the PHI area."""
    return storage.join(destination, "runs", run_id)


def publish_manifest(destination: str, manifest: Manifest, scratch: str | None = None) -> None:
    """Write the run's manifest and then the destination's: with the second, the run becomes visible.

    scratch: a folder of the run's where they are written aside, so that a broken off run leaves nothing elsewhere.
    """
    for folder in (run_folder(destination, manifest.run_id), destination):
        _put(folder, manifest, scratch)


def show_manifest(destination: str, manifest: Manifest) -> None:
    """Put a finished run's manifest where readers look first: the second half of `publish_manifest`."""
    _put(destination, manifest, None)


def _put(folder: str, manifest: Manifest, scratch: str | None) -> None:
    content = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2) + b"\n"
    storage.write_bytes(storage.join(folder, MANIFEST), content, durable=True, scratch=scratch)


def read_manifest(destination: str, run_id: str | None = None) -> Manifest | None:
    """The latest finished run's manifest, or that of one run; None where nothing was finished.

    `InputError` if the file is not a manifest or is of a later format.
    """
    root = storage.normalize(destination)
    path = storage.join(run_folder(root, run_id) if run_id else root, MANIFEST)
    with naming(f"read {path}"):
        content = storage.read_bytes(path)
    if content is None:
        return None
    try:
        if msgspec.json.decode(content, type=_Header).format > FORMAT:
            raise InputError(f"{path} was written by a later version of this program; update it to read this")
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise InputError(f"{path} is not a manifest of this program: {error}") from None


@dataclass(frozen=True, slots=True)
class _Header:
    format: int


def refuse_other_key(previous: Manifest | None, fingerprint: str) -> None:
    """`KeyRefused` if the destination's output was made with another key or project: the two would not link."""
    if previous is not None and previous.made_with.key_fingerprint != fingerprint:
        raise KeyRefused(
            f"the destination was made with key {previous.made_with.key_fingerprint} (project "
            f"{previous.made_with.project}), this run has {fingerprint}: the same person would get two fakes; "
            "use that key, another destination, or allow another key explicitly"
        )


def choose_reference_date(previous: Manifest | None, given: str | None) -> str:
    """The day on which ages are kept: as given, else as in the destination's last run, else 1 January of this year.

    The one clock that reaches an output; the manifest records it, so the next run repeats it. It is a year and no day:
    two releases a day apart would otherwise tell whose birthday lay between them.
    `UsageError` if what is given, or what the last run had, is no date on which ages make sense.
    """
    if given is not None:
        if fault := fault_of_reference_date(given):
            raise UsageError(f"--on: {fault}")
        return given
    if previous is None:
        return f"{dt.datetime.now(dt.UTC).year:04d}-01-01"
    if fault := fault_of_reference_date(previous.made_with.reference_date):
        raise UsageError(f"the destination's last run has an odd reference date: {fault}; give another one: --on DATE")
    return previous.made_with.reference_date


def fault_of_reference_date(text: str) -> str:
    """Why ages cannot be kept as of such a day, "" if they can.

    From another century every age is negative or above 89, and each would go without a word.
    """
    last = dt.datetime.now(dt.UTC).year + 1
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        return "expected a date of the form YYYY-MM-DD"
    if not FIRST_YEAR <= day.year <= last:
        return f"expected a day from {FIRST_YEAR} to {last}, for ages are kept as of it"
    return ""
