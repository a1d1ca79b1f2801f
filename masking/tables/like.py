"""Whose columns a run's tables have: this program's, made of its NDJSON, or those of the Parquet files that were read."""

from __future__ import annotations

from collections.abc import Sequence

OURS, SOURCE = "ours", "source"
TABLES_LIKE = (OURS, SOURCE)


def fault_of_tables_like(
    tables_like: str, *, formats: Sequence[str], bundles: str, partitioned: bool, resource: bool, incremental: bool
) -> str:
    """What does not go with such tables, "" if all does. The options are called as on the command line."""
    if tables_like not in TABLES_LIKE:
        return f"--tables-like: expected {' or '.join(TABLES_LIKE)}"
    if tables_like == OURS:
        return ""
    if "parquet" not in formats:
        return "--tables-like says whose columns tables have, and --formats asks for none; add parquet to it"
    if "delta" in formats:
        return "Delta tables are made of this program's tables: leave out delta of --formats, or --tables-like source"
    if bundles == "split":
        return "a row with a Bundle stays one row: leave out --bundles split, or --tables-like source"
    if partitioned or resource:
        return "tables like the source's have its columns and files: leave out --partition-by and --resource-column"
    if incremental:
        return (
            "runs that add to one another keep this program's tables: leave out --incremental, or --tables-like source"
        )
    return ""
