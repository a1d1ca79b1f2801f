"""How a Parquet file is written, so that another one is written alike: schema, codecs, encodings, what is said of columns.

Notes are not taken along, neither the file's own nor those on columns: they may hold anything, such as the values of an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking.sources.content import Unsupported
from masking.sources.restore import written_schema

_ARROW = b"ARROW:schema"
_CODECS = {"UNCOMPRESSED": "none", "LZ4_RAW": "lz4"}


@dataclass(frozen=True)
class Shape:
    """schema: as it is written again. options: for `ParquetWriter`."""

    schema: pa.Schema
    options: dict[str, Any]

    def writer(self, sink: Any) -> Any:
        """A writer of such a file."""
        return pq.ParquetWriter(sink, self.schema, **self.options)


def shape_of(file: Any) -> Shape:
    """The shape of an open Parquet file."""
    metadata = file.metadata
    notes = metadata.metadata or {}
    columns = list(_first_columns(metadata))
    codecs = {path: _CODECS.get(column.compression, column.compression.lower()) for path, column in columns}
    kinds = {_timestamp_kind(metadata.schema.column(number)) for number in range(metadata.num_columns)} - {""}
    if len(kinds) > 1:
        raise Unsupported(
            "it has timestamps as INT96 and as INT64, which are written one way or the other; write it anew with one"
        )
    options: dict[str, Any] = {
        "version": "2.6",
        "compression": _one_or_all(codecs, "snappy"),
        "use_dictionary": [path for path, column in columns if column.has_dictionary_page] if columns else True,
        "write_statistics": any(column.is_stats_set for _, column in columns) if columns else True,
        "write_page_index": any(column.has_offset_index for _, column in columns),
        "use_deprecated_int96_timestamps": kinds == {"INT96"},
        "use_compliant_nested_type": False,  # items of lists are called as they were
        "store_schema": _ARROW in notes,
    }
    return Shape(written_schema(file.schema_arrow), options)


def _timestamp_kind(column: Any) -> str:
    """How a column has timestamps; "" for one of something else."""
    physical: str = column.physical_type
    return physical if physical == "INT96" or column.logical_type.type == "TIMESTAMP" else ""


def _first_columns(metadata: Any) -> Iterator[tuple[str, Any]]:
    """Columns by their paths, as the first row group has them."""
    if metadata.num_row_groups:
        group = metadata.row_group(0)
        for number in range(group.num_columns):
            column = group.column(number)
            yield column.path_in_schema, column


def _one_or_all(codecs: dict[str, str], otherwise: str) -> str | dict[str, str]:
    each = set(codecs.values())
    return each.pop() if len(each) == 1 else codecs or otherwise
