"""A batch with its answers: the texts that were written, and on demand what was found where."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from masking.native import Ints, Points
from masking.scrub.assemble import MONTH_BOUNDS, MONTHS, assemble, room
from masking.scrub.batch import MOST, Answers, Fakes, Texts, Tokens, ints
from masking.scrub.characters import to_points, to_text
from masking.scrub.library import KINDS
from masking.scrub.reader import Reader
from masking.scrub.terms import Found, Scrubbed, Span


class Answered:
    """The texts of a batch, what was written for those in which something was found, and the answers."""

    __slots__ = ("_answers", "_bounds", "_firsts", "_written", "texts")

    def __init__(self, texts: Sequence[str], written: str, bounds: Ints, firsts: Ints, answers: Answers) -> None:
        self.texts, self._written, self._bounds, self._firsts, self._answers = texts, written, bounds, firsts, answers

    def scrubbed(self) -> list[Scrubbed]:
        """Each text as it is written; its spans are read when they are asked for."""
        bounds, written = self._bounds.tolist(), self._written
        return [
            Scrubbed(written[start:stop], partial(self.spans, number)) if count else Scrubbed(text, ())
            for number, (text, count, start, stop) in enumerate(
                zip(self.texts, self._answers.counts.tolist(), bounds, bounds[1:], strict=False)
            )
        ]

    def spans(self, number: int) -> tuple[Span, ...]:
        """The spans of one text."""
        return tuple(Span(*one[:4]) for one in self.found(number))

    def found(self, number: int) -> list[Found]:
        """What was found in one text, with what takes its place."""
        first = int(self._firsts[number])
        last = first + int(self._answers.counts[number])
        starts, stops, kinds, _, offsets, sizes = (column[first:last].tolist() for column in self._answers[:6])
        return [
            Found(start, stop, KINDS[kind >> 1], "shaped" if kind & 1 else "known", self._written[at : at + size])
            for start, stop, kind, at, size in zip(starts, stops, kinds, offsets, sizes, strict=True)
        ]


def answered(texts: Texts, tokens: Tokens, fakes: Fakes, reader: Reader) -> Answered:
    """Write the texts in which something was found."""
    answers = reader.answers
    made, bounds = to_points([new or "" for new in reader.made])
    places = np.array(reader.places, dtype=np.int32)
    answers.offsets[places], answers.sizes[places] = bounds[:-1], np.diff(bounds)
    out: Points = np.empty(room(texts, tokens, answers), dtype=np.uint32)
    out_bounds = ints(len(texts.bounds))
    size = assemble(texts, tokens, fakes, answers, made, MONTHS, MONTH_BOUNDS, out, out_bounds)
    return Answered(reader.texts, to_text(out[:size]), out_bounds, MOST * tokens.bounds, answers)
