"""Extensions that a table keeps apart, as Pathling's do: a map for a row, from the number of an element to its extensions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

#: The number of an element within its row, and the column of maps.
FID, EXTENSION = "_fid", "_extension"
#: An extension's own extensions are found by its number too; R4's are hardly ever this deep.
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions of a batch as JSON arrays, by row and number of the element."""

    keys: pa.Int64Array
    found: pa.StringArray

    def of(self, rows: Any, numbers: pa.Array) -> pa.StringArray:
        """Those of elements, null where an element has none; `rows` are the rows that they are of."""
        return self.found.take(pc.index_in(_keys(rows, numbers), self.keys))


def extensions_of(maps: pa.Array, texts: Callable[[pa.Array, Any, Extensions | None], pa.StringArray]) -> Extensions:
    """The extensions of a batch out of its column of maps; `texts` makes JSON of lists of them.

    Each pass puts those into their elements that the pass before has made, until there is nothing more to put.
    """
    numbers, items, lengths = entries_of(maps)
    rows = np.repeat(np.arange(len(maps)), lengths)
    keys = _keys(rows, numbers)
    known = Extensions(keys, texts(items, rows, None))
    for _ in range(_DEEPEST):
        deeper = Extensions(keys, texts(items, rows, known))
        if deeper.found.equals(known.found):
            break
        known = deeper
    return known


def entries_of(maps: pa.Array) -> tuple[pa.Array, pa.Array, Any]:
    """Keys and values of all maps, one behind the other, and how many each map has."""
    offsets = maps.offsets.to_numpy()
    begin, count = int(offsets[0]), int(offsets[-1] - offsets[0])
    return maps.keys.slice(begin, count), maps.items.slice(begin, count), np.diff(offsets).astype(np.int64)


def _keys(rows: Any, numbers: pa.Array) -> pa.Int64Array:
    """One number for a row and an element's number, which has 32 bits."""
    place = pa.array(np.asarray(rows, np.int64) << 32)
    return pc.add(place, pc.bit_wise_and(numbers.cast(pa.int64()), pa.scalar(0xFFFFFFFF, pa.int64())))
