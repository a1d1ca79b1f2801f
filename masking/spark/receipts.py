"""What a task hands back: names, counts and hashes, a few kilobytes in all, never a document.

Only the receipts of successful attempts reach the driver, so the files they name are the output and all others are
leftovers: the way table formats commit, with no rename and no marker files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from masking.report.manifest import OutputFile, TypeCounts


@dataclass(frozen=True, slots=True)
class Part:
    """What a task wrote in place of one block of a file, in a run in place.

    number: of the input file. start, end: the block. name: of the staged file. rows: documents. types: whose they are.
    bytes, sha256: as stored. groups: row groups of a part of a table; -1 of any other.
    """

    number: int
    start: int
    end: int
    name: str
    rows: int
    types: tuple[str, ...]
    bytes: int
    sha256: str
    groups: int = -1

    @property
    def is_table(self) -> bool:
        """Whether it is of a Parquet file."""
        return self.groups >= 0


@dataclass(frozen=True, slots=True)
class Alike:
    """A table's file with the source's own columns. documents: rows that are masked documents. schema: its hash."""

    file: OutputFile
    documents: int
    schema: str


@dataclass(slots=True)
class Receipt:
    """One finished task."""

    task: int
    lines: int
    blank: int
    types: dict[str, TypeCounts]
    files: list[OutputFile]
    reasons: dict[str, int]
    redactions: dict[str, int]
    dangling: dict[str, int]
    #: (file, first byte of the block, lines) of blocks that are parts of a file.
    block_lines: list[tuple[str, int, int]] = field(default_factory=list)
    #: Whether quarantine holds lines that are still numbered from the start of their block.
    unnumbered: bool = False
    #: Of Bundles that were split: how many entries, and those that gave no resource, by reason.
    entries: int = 0
    dropped_entries: dict[str, int] = field(default_factory=dict)
    #: Types that seem to be of another version of FHIR, and why: in how many of the resources that were looked at.
    versions: dict[str, int] = field(default_factory=dict)
    #: Columns of tables that are no part of their documents: for the PHI side alone, as a name may hold anything.
    left_out: list[str] = field(default_factory=list)
    #: Files that name what is to be deleted.
    deleted: list[OutputFile] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    #: Lines that were not to be masked again.
    passed: int = 0
    alike: list[Alike] = field(default_factory=list)
    #: Of rows with the source's own columns: values that were made null, by column, and that no column took, by path.
    denied: dict[str, int] = field(default_factory=dict)
    unplaced: dict[str, int] = field(default_factory=dict)
    #: Documents that were masked and were no rows.
    rowless: int = 0


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Receipt)


def encode(receipt: Receipt) -> bytes:
    """For the way through Spark."""
    return _ENCODER.encode(receipt)


@dataclass(frozen=True, slots=True)
class Totals:
    """All receipts together."""

    lines: int
    blank: int
    types: Mapping[str, TypeCounts]
    files: tuple[OutputFile, ...]
    reasons: Mapping[str, int]
    redactions: Mapping[str, int]
    dangling: Mapping[str, int]
    versions: Mapping[str, int]
    left_out: tuple[str, ...]
    first_lines: Mapping[str, Mapping[int, int]]  # of files that were cut: block's first byte to lines before it
    unnumbered: tuple[int, ...]  # tasks
    entries: int
    dropped_entries: Mapping[str, int]
    deleted: tuple[OutputFile, ...]
    passed: int
    parts: tuple[Part, ...] = ()
    alike: tuple[Alike, ...] = ()
    denied: Mapping[str, int] = field(default_factory=dict)
    unplaced: Mapping[str, int] = field(default_factory=dict)
    rowless: int = 0


def total(receipts: Iterable[bytes]) -> Totals:
    """Add up the receipts of all tasks, in whatever order they come."""
    found = sorted((_DECODER.decode(receipt) for receipt in receipts), key=lambda receipt: receipt.task)
    types: dict[str, TypeCounts] = {}
    reasons: Counter[str] = Counter()
    redactions: Counter[str] = Counter()
    dangling: Counter[str] = Counter()
    dropped_entries: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    for receipt in found:
        for name, counts in receipt.types.items():
            types[name] = types.get(name, TypeCounts()) + counts
        reasons.update(receipt.reasons)
        redactions.update(receipt.redactions)
        dangling.update(receipt.dangling)
        versions.update(receipt.versions)
        dropped_entries.update(receipt.dropped_entries)
    return Totals(
        lines=sum(receipt.lines for receipt in found),
        blank=sum(receipt.blank for receipt in found),
        types=dict(sorted(types.items())),
        files=_in_order(file for receipt in found for file in receipt.files),
        reasons=dict(sorted(reasons.items())),
        redactions=dict(sorted(redactions.items())),
        dangling=dict(sorted(dangling.items())),
        versions=dict(sorted(versions.items())),
        left_out=tuple(sorted({name for receipt in found for name in receipt.left_out})),
        first_lines=_first_lines(block for receipt in found for block in receipt.block_lines),
        unnumbered=tuple(receipt.task for receipt in found if receipt.unnumbered),
        entries=sum(receipt.entries for receipt in found),
        dropped_entries=dict(sorted(dropped_entries.items())),
        deleted=_in_order(file for receipt in found for file in receipt.deleted),
        parts=tuple(sorted((part for receipt in found for part in receipt.parts), key=lambda part: part.name)),
        passed=sum(receipt.passed for receipt in found),
        alike=tuple(one for receipt in found for one in receipt.alike),
        denied=_added(receipt.denied for receipt in found),
        unplaced=_added(receipt.unplaced for receipt in found),
        rowless=sum(receipt.rowless for receipt in found),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one in counts:
        sums.update(one)
    return dict(sorted(sums.items()))


def _in_order(files: Iterable[OutputFile]) -> tuple[OutputFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _first_lines(blocks: Iterable[tuple[str, int, int]]) -> dict[str, dict[int, int]]:
    """For each file that was cut: how many lines lie before each of its blocks."""
    lines: dict[str, dict[int, int]] = {}
    before: Counter[str] = Counter()
    for path, start, count in sorted(blocks):
        lines.setdefault(path, {})[start] = before[path]
        before[path] += count
    return lines
