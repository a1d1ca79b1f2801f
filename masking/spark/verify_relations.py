"""Names of things and dates of people, a share of them at a time: whether they changed one to one. Run in workers.

What the tasks of a verification met of a share lies in a file a task; nothing of it passes through the driver but what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from masking import storage
from masking.spark.verify_gather import encode, numbers, row
from masking.verify.known import unpack
from masking.verify.relations import Clash, broken, offsets, unsteady

_SHARE_BYTES = 1 << 30  # of source: some million pairs of names, which take 200 MB of a worker


class Related(msgspec.Struct):
    """What a share says: what does not agree, and by how many days dates of the people asked for moved."""

    clashes: list[Clash]
    offsets: dict[int, int]


@dataclass(frozen=True, slots=True)
class RelationsTask:
    """Judges shares. `run` is given to `mapInArrow`. tasks: how many wrote; people: those whose offsets are asked for."""

    folder: str
    tasks: int
    people: tuple[int, ...] = field(repr=False)

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Numbers of shares in, what they say out."""
        for share in numbers(rows):
            arrays = []
            for task in range(self.tasks):
                content = storage.read_bytes(storage.join(self.folder, share_file(task, share)))
                assert content is not None
                arrays.append(unpack(content))
            clashes = [*broken(arrays), *unsteady(arrays)] if arrays else []
            yield row(encode(Related(clashes, offsets(arrays, self.people))))


def share_file(task: int, share: int) -> str:
    """Where a task writes what it met of a share."""
    return f"related-{task:05d}-{share:05d}.npz"


def count_shares(source_bytes: int) -> int:
    """Into how many shares the names in so much source are put."""
    return max(1, -(-source_bytes // _SHARE_BYTES))
