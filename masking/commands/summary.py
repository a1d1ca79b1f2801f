"""A finished run in one table: types, counts, sizes, and where things are. Reads a manifest alone, so holds no PHI."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from masking.commands.screen import Screen, counted, duration, size, table
from masking.report.manifest import Manifest

_MOST = 8  # lines of reasons and of redactions


def show_summary(screen: Screen, manifest: Manifest) -> None:
    """The counts of a run."""
    total = manifest.total
    if not total.read:
        screen.warn("the source holds no resource: there was nothing to mask")
    seldom = {"Dropped": "dropped", "Split": "split", "From Bundles": "resources"}
    also = {title: name for title, name in seldom.items() if getattr(total, name)}
    columns = ["Type", "Read", "Masked", "Quarantined", *also, "MB"]
    shown = table(*columns, right=columns[1:])
    digits = 1 if total.bytes_written >= 100e6 else 2
    for name, count in [*sorted(manifest.types.items()), ("All", total)]:
        if name == "All":
            shown.add_section()
        bad = "bold yellow" if count.quarantined else "dim"
        cells: list[str | Text] = [
            Text(name, style="bold" if name == "All" else ""),
            f"{count.read:,}",
            f"{count.masked:,}",
            Text(f"{count.quarantined:,}", style=bad),
            *(f"{getattr(count, name):,}" for name in also.values()),
            f"{count.bytes_written / 1e6:,.{digits}f}",
        ]
        shown.add_row(*cells)
    screen.show(shown, "")
    _show_counts(screen, "Quarantined because", dict(manifest.reasons))
    entries = "Entries of Bundles that hold no resource to write."
    _show_counts(screen, "Not written", dict(manifest.dropped_entries), entries)
    deleted: Counter[str] = Counter()
    for file in manifest.deleted:
        deleted[file.resource_type] += file.rows
    asked = "Asked for by the source; Delta tables follow, of files see docs/incremental.md."
    _show_counts(screen, "To be deleted", dict(deleted), asked)
    redacted = "Values that no masker reads, bytes of images among them."
    _show_counts(screen, "Redacted", dict(manifest.redactions), redacted)
    strangers = "Resources whose subject no record describes; who that is, is drawn from the reference."
    _show_counts(screen, "Of somebody unknown", dict(manifest.dangling), strangers)
    _show_counts(
        screen,
        "Seems not to be R4",
        dict(manifest.other_versions),
        "Of the few resources of each type that were looked at. What R4 does not have was removed or quarantined.",
    )
    _show_counts(
        screen,
        "JSON alone",
        dict(manifest.misfits),
        "In tables as JSON alone, for R4 has no such property or another type there.",
    )
    # How a column is called is the source's own word: the manifest has it, as the tables have, and no log.
    null = {"in columns that are no part of a resource": sum(manifest.denied_columns.values())}
    _show_counts(
        screen,
        "Made null",
        null if manifest.denied_columns else {},
        "Of the source's tables: no rule lets them through. The manifest names the columns.",
    )
    unplaced = "Masked values that the source's columns have no place for, or no column at all."
    _show_counts(screen, "Without a column", dict(manifest.unplaced), unplaced)


def _show_counts(screen: Screen, title: str, counts: dict[str, int], explained: str = "") -> None:
    if not counts:
        return
    shown = table(title, "Times", right=("Times",))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ordered[:_MOST]:
        shown.add_row(name, f"{count:,}")
    if len(ordered) > _MOST:
        shown.add_row(f"and {counted(len(ordered) - _MOST, 'other')}", f"{sum(c for _, c in ordered[_MOST:]):,}")
    screen.show(shown)
    if explained:
        screen.show(Text(explained, style="dim"))
    screen.show("")


def show_facts(screen: Screen, manifest: Manifest, places: list[tuple[str, str]]) -> None:
    """How the run was made, and `places`: names and paths."""
    total, made = manifest.total, manifest.made_with
    rate = f"{size(total.bytes_read / manifest.seconds)}/s" if manifest.seconds > 0 else ""
    dropped = f", {total.dropped:,} dropped by policy" if total.dropped else ""
    split = f", {total.split:,} split into {total.resources:,} resources" if total.split else ""
    pairs = [
        ("Run", f"{manifest.run_id}, {duration(manifest.seconds)}, {size(total.bytes_read)} at {rate}"),
        ("Lines", f"{manifest.lines:,} read: {total.masked:,} masked, {total.quarantined:,} quarantined{dropped}{split}, "
                  f"{manifest.blank:,} blank"),
        *_tables(manifest),
        *_left_out(manifest),
        ("Made with", f"policy {made.policy}, key {made.key_fingerprint}, project {made.project}"),
        ("Ages as of", made.reference_date),
        *places,
    ]  # fmt: skip
    screen.show_lines(pairs)


def _left_out(manifest: Manifest) -> list[tuple[str, str]]:
    many = manifest.left_out_columns
    told = f"{counted(many, 'column')} beside the JSON; the names are in the PHI area, columns-left-out.txt"
    return [("Not read", told)] if many else []


def _tables(manifest: Manifest) -> list[tuple[str, str]]:
    files = manifest.tables
    if not files:
        return []
    types = len({file.resource_type for file in files})
    rows, bytes_ = sum(file.rows for file in files), sum(file.bytes for file in files)
    return [("In tables", f"{rows:,} rows of {counted(types, 'type')}, {counted(len(files), 'file')}, {size(bytes_)}")]
