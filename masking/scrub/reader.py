"""What Python sees of a batch where the compiled loops stand still: one text, its tokens, and what was found so far."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from masking.native import Ints
from masking.scrub import references, shapes
from masking.scrub.batch import AT, LINK, MADE, MOST, WWW, Answers, Links, State, Tokens, ints
from masking.scrub.library import KINDS, Known, number_of
from masking.scrub.spellings import Entry
from masking.scrub.terms import How

_AT_SIGN = re.compile(r"\s?\(at\)\s?")


def _views(columns: Sequence[Ints]) -> tuple[memoryview[int], ...]:
    return tuple(column.data for column in columns)


class Reader:
    """One text at a time (`turn_to`); what is put never overlaps what was found before.

    text, known: of the text, with its dossier; end: where what was found ends; stop: behind its last token. `made`: the
    texts that were made for answers, None where a masker must be asked, and `asks` these: place, kind, value.
    """

    def __init__(
        self, texts: Sequence[str], known: Sequence[Known], entries: list[Entry], tokens: Tokens, day_first: bool
    ) -> None:
        self.texts, self.all_known, self.entries, self.day_first = texts, known, entries, day_first
        count, size = len(texts), int(tokens.bounds[-1])
        # Views: their numbers are Python's own, and cheap to read.
        self.starts, self.stops, self.codes, self.hints, self._bounds = _views(tokens)
        starts, stops, kinds, forms, offsets, sizes = (np.empty(MOST * size, dtype=np.int32) for _ in range(6))
        self.answers = Answers(starts, stops, kinds, forms, offsets, sizes, ints(count))
        self._answers = _views(self.answers)
        self.spans: list[tuple[int, int, str]] = []
        self.links = self._find_links(tokens)
        self.state = State(tokens.bounds[:-1].copy(), ints(count), self.links.bounds[:-1].copy(), ints(count) - 1)
        self._state = _views(self.state)
        self.made: list[str | None] = []
        self.places: list[int] = []
        self.asks: list[tuple[int, str, str]] = []
        self.number = self.stop = self.end = self._first = self._next = 0
        self.text, self.known = "", known[0]

    def _find_links(self, tokens: Tokens) -> Links:
        """E-mail addresses and URLs first, for names and numbers stand inside them."""
        bounds = ints(len(self.texts) + 1)
        found = np.flatnonzero((tokens.codes == AT) | (tokens.codes == LINK) | (tokens.codes == WWW))
        if not found.size:
            return Links(ints(1), bounds)
        numbers = np.searchsorted(tokens.bounds, found, side="right") - 1
        last, reach = -1, 0
        for number, place in zip(numbers.tolist(), found.tolist(), strict=True):
            reach = reach if number == last else 0
            last = number
            code, start, text = self.codes[place], self.starts[place], self.texts[number]
            if start < reach:
                continue
            span = shapes.email_at(text, start) if code == AT else shapes.link_at(text, start)
            if span is not None and span[0] >= reach:
                self.spans.append((*span, "email" if code == AT else "url"))
                bounds[number + 1] += 1
                reach = span[1]
        return Links(
            np.array([start for start, _, _ in self.spans] or [0], dtype=np.int32),
            np.cumsum(bounds, dtype=np.int32),
        )

    # ── one text ──

    def turn_to(self, number: int) -> int:
        """Read this text; returns the token that it stands at."""
        self.number, self.text, self.known = number, self.texts[number], self.all_known[number]
        self._first, self.stop = MOST * self._bounds[number], self._bounds[number + 1]
        self._next = self._first + self._answers[6][number]
        self.end = self._state[1][number]
        return self._state[0][number]

    def leave(self, place: int) -> None:
        """The compiled loops go on from this token."""
        self._state[0][self.number], self._state[1][self.number] = place, self.end
        self._answers[6][self.number] = self._next - self._first

    def put(self, start: int, stop: int, kind: str, new: str | None, how: How = "shaped", asked: str = "") -> None:
        """What takes the place of a part of the text; None: a masker must be asked, for this part or for `asked`."""
        answers, place = self._answers, self._next
        answers[0][place], answers[1][place] = start, stop
        answers[2][place], answers[3][place] = 2 * number_of(kind) + (how == "shaped"), MADE
        if new is None:
            self.asks.append((len(self.made), kind, asked or self.text[start:stop]))
        self.made.append(new)
        self.places.append(place)
        self._next, self.end = place + 1, stop

    def before(self, back: int = 1) -> tuple[int, int, str] | None:
        """Start, stop and kind of what was found last, or so many before; None where there is none."""
        place = self._next - back
        if place < self._first:
            return None
        return self._answers[0][place], self._answers[1][place], KINDS[self._answers[2][place] >> 1]

    def take_link(self) -> None:
        """Put the next link."""
        place = self._state[2][self.number]
        self._state[2][self.number] = place + 1
        start, stop, kind = self.spans[place]
        start = max(start, self.end)
        if start >= stop:
            return
        found = self.text[start:stop]
        exact = self.known.exact.get(_AT_SIGN.sub("@", found.casefold()))
        if exact:
            self.put(start, stop, exact[0], exact[1], "known")
        elif kind == "url" and references.is_public(found):
            self.end = stop  # nothing in it is anybody's
        elif kind == "url" and references.names_resource(found):
            self.put(start, stop, "reference", None)
        else:
            self.put(start, stop, kind, None)

    def note_link(self, place: int) -> None:
        """At this token one link was taken: no other is."""
        self._state[3][self.number] = place
