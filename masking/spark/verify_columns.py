"""The texts in the string columns of a Parquet file, each once a row group. Runs in workers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from masking import storage
from masking.sources.leaves import is_text
from masking.verify.look import leaves

#: A UUID would be read as base64 too, which makes words of it.
_UUID = re.compile("([0-9A-Fa-f]{8})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{12})")
#: Between two texts: words that nobody bears, so that no name is made of the end of one and the beginning of the next.
_BREAK = "\nqzxj xqzj\n"


def texts_of(path: str) -> Iterator[str]:
    """All texts of each row group, in one; those within JSON one by one."""
    with storage.open_input(path) as file:
        table = pq.ParquetFile(file)
        for group in range(table.num_row_groups):
            content = table.read_row_group(group)
            texts = (text for column in content.columns for chunk in column.chunks for text in _texts(chunk))
            yield _BREAK.join(texts)


def _texts(array: Any) -> Iterator[str]:
    """The strings in an array of any type, at any depth."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        yield from _texts(array.dictionary)
    elif pa.types.is_struct(kind):
        for inner in array.flatten():
            yield from _texts(inner)
    elif pa.types.is_map(kind):
        yield from _texts(array.keys)
        yield from _texts(array.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _texts(array.flatten())
    elif is_text(kind):
        for value in pc.unique(array.cast(pa.large_binary())).to_pylist():
            if value is not None:
                text = value.decode("utf-8", "replace")
                yield from (_UUID.sub(r"\1 \2 \3 \4 \5", inner) for inner in _within(text))


def _within(text: str) -> Iterator[str]:
    if text[:1] in ("{", "["):  # a column of JSON, or a text that yields itself
        yield from (inner for _, inner in leaves(text.encode("utf-8", "surrogatepass")))
    else:
        yield text
