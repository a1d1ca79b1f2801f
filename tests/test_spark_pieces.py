"""Pieces that tasks leave reach who judges their share: all of them, once, in order of the tasks, whatever Spark does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from masking.spark.inprocess import InProcess
from masking.spark.pieces import Pieces, judge_shares, write_pieces

if TYPE_CHECKING:
    from pathlib import Path

TASKS, SHARES = 5, 7


@dataclass(frozen=True)
class Telling:
    """Says what it was given."""

    def judge(self, share: int, pieces: Pieces) -> bytes:
        return f"{share}: {' '.join(f'{task}={piece.decode()}' for task, piece in pieces)}".encode()


def left(folder: Path) -> list[bytes]:
    """Leaves pieces, but for some shares and one whole task none; what must be said."""
    for task in range(TASKS):
        pieces = [
            b"" if (task + share) % 3 == 0 or task == 2 else f"p{task}.{share}".encode() for share in range(SHARES)
        ]
        write_pieces(str(folder), "left", task, pieces)
    return sorted(
        f"{share}: {' '.join(f'{task}=p{task}.{share}' for task in (0, 1, 3, 4) if (task + share) % 3)}".encode()
        for share in range(SHARES)
    )


def test_in_this_process(tmp_path: Path) -> None:
    session: Any = InProcess()
    expected = left(tmp_path)
    assert sorted(judge_shares(session, str(tmp_path), "left", TASKS, SHARES, Telling())) == expected
    assert judge_shares(session, str(tmp_path), "left", 0, SHARES, Telling()) == []


@pytest.mark.spark
def test_by_spark(spark: Any, tmp_path: Path) -> None:
    expected = left(tmp_path)
    assert sorted(judge_shares(spark, str(tmp_path), "left", TASKS, SHARES, Telling())) == expected
