"""Names of things and dates of people, a share of them at a time: whether they changed one to one. Run in workers.

Nothing of what the tasks of a verification met passes through the driver but what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from masking.spark.pieces import Pieces
from masking.spark.verify_gather import encode
from masking.verify.known import pack, unpack
from masking.verify.relations import Clash, broken, offsets, unsteady

#: What a task met of each share, see `masking.spark.pieces`.
RELATED = "related"
_SHARE_BYTES = 1 << 30  # of source: some million pairs of names, which take 200 MB of a worker


class Related(msgspec.Struct):
    """What a share says: what does not agree, and by how many days dates of the people asked for moved."""

    clashes: list[Clash]
    offsets: dict[int, int]


@dataclass(frozen=True, slots=True)
class RelationsJudge:
    """Judges shares. people: those whose offsets are asked for."""

    people: tuple[int, ...] = field(repr=False)

    def judge(self, share: int, pieces: Pieces) -> bytes:
        """What the share says."""
        arrays = [unpack(piece) for _, piece in pieces]
        numbers = [task for task, _ in pieces]
        clashes = [
            Clash(one.check, one.what, numbers[one.task], one.path, one.times,
                  [(numbers[task], file, line) for task, file, line in one.places])
            for one in (*broken(arrays), *unsteady(arrays))
        ]  # fmt: skip
        return encode(Related(clashes, offsets(arrays, self.people)))


def packed(parts: Iterable[dict[str, Any]]) -> Iterable[bytes]:
    """What a task met of each share as pieces; nothing of one of which it met nothing."""
    return (pack(part) if any(map(len, part.values())) else b"" for part in parts)


def count_shares(source_bytes: int) -> int:
    """Into how many shares the names in so much source are put."""
    return max(1, -(-source_bytes // _SHARE_BYTES))
