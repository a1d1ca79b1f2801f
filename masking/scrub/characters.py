"""Characters as numbers: of what class each is, and what it is compared as.

Texts are code points (UTF-32), so that positions are those of Python.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np

from masking.native import Bytes, Ints, Points, borrowing

OTHER, LETTER, DIGIT, IDEOGRAPH, MARK = range(5)

_TABLED = 0x3000


def _tables() -> tuple[Bytes, Points]:
    """Class and folded form of the code points below `_TABLED`; 0 is the fold of a mark."""
    classes = np.zeros(_TABLED, dtype=np.uint8)
    folds = np.zeros(_TABLED, dtype=np.uint32)
    for point in range(_TABLED):
        character = chr(point)
        category = unicodedata.category(character)
        base = unicodedata.normalize("NFKD", character.lower())[0]
        folds[point] = ord(unicodedata.normalize("NFKD", base.casefold())[0])
        if category[0] == "L":
            classes[point] = LETTER
        elif "0" <= character <= "9":
            classes[point] = DIGIT
        elif category in ("Mn", "Mc", "Cf") and point != 0x0345:
            classes[point], folds[point] = MARK, 0
    for source, target in ("øo", "łl", "đd", "ħh", "ıi", "ßs", "æa", "œo", "þt", "ðd", "ςσ"):
        folds[ord(source)] = folds[ord(source.upper()[0])] = ord(target)
    folds[ord("S")], folds[ord("I")] = ord("s"), ord("i")
    return classes, folds


CLASSES, FOLDS = _tables()


@borrowing
def class_of(point: int, classes: Bytes) -> int:
    """The class of a character by its code point; beyond the table, by the blocks of Unicode."""
    if point < 0x3000:
        kind: int = classes[point]
        return kind
    if (
        0x3005 <= point <= 0x3007
        or 0x3040 <= point <= 0x9FFF
        or 0xAC00 <= point <= 0xD7AF
        or 0xF900 <= point <= 0xFAFF
        or 0x20000 <= point <= 0x323AF
    ):
        return 3
    if 0xFE00 <= point <= 0xFE0F:
        return 4
    return 0


def to_points(texts: Sequence[str]) -> tuple[Points, Ints]:
    """The texts one behind the other, and where each begins, with the end."""
    joined = "".join(texts)
    # One more than there are, so that an empty batch has an array of the right kind too.
    points = np.zeros(len(joined) + 1, dtype=np.uint32)
    if joined.isascii():
        points[:-1] = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
    else:
        points[:-1] = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    bounds = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in texts], out=bounds[1:])
    return points, bounds


def to_text(points: Points) -> str:
    """Code points as a text."""
    if not points.size or points.max() < 128:
        return points.astype(np.uint8).tobytes().decode("ascii")
    return points.tobytes().decode("utf-32-le", "surrogatepass")


@cache
def fold_table() -> dict[int, int | None]:
    """`str.translate` table of the folding: None for what is no letter or digit."""
    return {
        point: int(fold) if kind in (LETTER, DIGIT) else None
        for point, (kind, fold) in enumerate(zip(CLASSES.tolist(), FOLDS.tolist(), strict=True))
    }


def fold(text: str) -> str:
    """The letters and digits of a text, folded, as the tables compare them."""
    return text.translate(fold_table())
