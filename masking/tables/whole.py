"""The table of a type whose lines fit into memory, made at once."""

from __future__ import annotations

from collections.abc import Sequence

from masking.report.manifest import OutputFile
from masking.tables.keys import KeyReader, Keys, join_keys
from masking.tables.lines import PIECE_BYTES, Line, pieces, read_lines
from masking.tables.parquet import GROUP_BYTES, TableFolder, TableWriter, Written


def read_keys(reader: KeyReader, lines: Sequence[Line]) -> Keys:
    """The keys of lines; there is at least one."""
    return join_keys([reader.read(piece) for piece in pieces(lines, PIECE_BYTES)])


def make_table(table: TableFolder, files: Sequence[OutputFile], name: str) -> Written:
    """The whole table of a type, whose lines fit into memory, out of the run's NDJSON files."""
    return table_of([line for file in files for line in read_lines(table.destination, file)], table, name)


def table_of(lines: Sequence[Line], table: TableFolder, name: str) -> Written:
    """The same of lines that are at hand; each is a JSON object."""
    if not lines:
        return Written()
    keys = read_keys(KeyReader(table.resource_type), lines)
    order = keys.order(by_year=table.by_year)
    keys = keys.take(order)
    writer, start = TableWriter(table, name), 0
    try:
        for group in pieces([lines[place] for place in order.tolist()], GROUP_BYTES):
            writer.write(group, keys.slice(start, len(group)))
            start += len(group)
        return writer.finish()
    finally:
        writer.discard()
