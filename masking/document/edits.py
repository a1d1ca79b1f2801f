"""Edits of a text in parts: what is cut out and put in, as a recipe that holds for every text of the shape.

Texts of one shape differ in the digits of their even parts, so an offset is kept from whichever end of its part has
no number before it. Edits that meet in one part are carried out as one.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from masking.document.tokens import Position

#: Of the literals of a shape only numbers vary: `true`, `false` and `null` stand in its structure as they are.
_VARIES = re.compile(rb"[-0-9]")


class Unstable(ValueError):
    """A place between two numbers of one part: no offset finds it in every text of the shape."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what stands between two places by other bytes; equal places insert."""

    start: Position
    end: Position
    put: bytes = b""


#: The parts `low:high` give way to one part, made of pieces: constant bytes, or a slice of the part of that number.
Splice = tuple[int, int, tuple[bytes | tuple[int, slice], ...]]


def compile_edits(edits: list[Edit], parts: list[bytes]) -> tuple[Splice, ...]:
    """The splices for these edits, last one first, so that carrying out one does not move the places of the next."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    chains: list[list[Edit]] = []
    for edit in ordered:
        if chains and chains[-1][-1].end[0] == edit.start[0]:
            chains[-1].append(edit)
        else:
            chains.append([edit])
    return tuple(_splice(chain, parts) for chain in reversed(chains))


def carry_out(splices: tuple[Splice, ...], parts: list[bytes]) -> None:
    """Edit the parts of one text in place."""
    for low, high, pieces in splices:
        parts[low:high] = [
            b"".join([piece if isinstance(piece, bytes) else parts[piece[0]][piece[1]] for piece in pieces])
        ]


def _splice(chain: list[Edit], parts: list[bytes]) -> Splice:
    pieces: list[bytes | tuple[int, slice]] = []
    low, high = chain[0].start[0], chain[-1].end[0]
    cursor: Position = (low, 0)
    for edit in chain:
        pieces.append((cursor[0], slice(_from(cursor, parts), _stable(edit.start, parts))))
        if edit.put:
            pieces.append(edit.put)
        cursor = edit.end
    pieces.append((high, slice(_from(cursor, parts), None)))
    return low, high + 1, tuple(pieces)


def _from(position: Position, parts: list[bytes]) -> int:
    """The offset as the start of a slice, where None would mean the beginning instead of the end."""
    offset = _stable(position, parts)
    return sys.maxsize if offset is None else offset


def _stable(position: Position, parts: list[bytes]) -> int | None:
    """The offset that finds this place in every text of the shape: from the left, or from the right (None: the end)."""
    part, offset = position
    text = parts[part]
    if not _VARIES.search(text, 0, offset):
        return offset
    if _VARIES.search(text, offset):
        raise Unstable
    return offset - len(text) or None
