"""The scrubber: texts in batches through the compiled loops, with Python where these stand still."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from masking.scrub import moving, names, numbers, plugins, references, strangers
from masking.scrub.answered import Answered, answered
from masking.scrub.batch import HEX, LABEL, MONTH, NUMBER, REFERENCE, SLASHED, SPELLED, TITLE, WORK, Texts, Tokens, ints
from masking.scrub.characters import to_points
from masking.scrub.library import Library, number_of
from masking.scrub.reader import Reader
from masking.scrub.scan import scan
from masking.scrub.settle import INITIAL, LINKED, settle
from masking.scrub.terms import AnyDossier, Found, Scrubbed, Span

#: Distinct values of one kind to their fakes; None where one cannot be read.
Masker = Callable[[list[str]], Sequence[str | None]]

_ANSWERS = 1 << 16  # fakes of shaped values kept
_BATCH = 1 << 19  # characters that are scanned in one go: with more, its arrays are too large for the caches
#: Kinds that the masker `identifier` can answer for.
_NUMBERS = frozenset(
    ("mrn", "account", "health_plan", "license", "plate", "device", "npi", "dea", "uuid", "mac", "vin")
)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: thousands of small tuples would set it off, and none is in a cycle."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class _Memory:
    """What a process keeps between batches: what is known, compiled, and fakes of shaped values. Never pickled."""

    __slots__ = ("answers", "library")

    def __init__(self) -> None:
        self.library = Library()
        self.answers: dict[tuple[str, str], str] = {}


@dataclass(frozen=True)
class Scrubber:
    """Replaces every identifier in texts.

    maskers: by kind, the bound maskers of the shaped: phone, ssn, email, url, reference (a URL that names a resource), id (of
    a resource), uuid, hex (a UUID without hyphens), ip, mac, mrn, account, health_plan,
    license, plate, device, npi, dea, vin, zip, name, employer; `identifier` answers for kinds of numbers that have none of their
    own. What no masker answers becomes `[kind]`. day_first: `3/4/2024` is 3 April. second: the name of a second scrubber
    (see `plugins`), which replaces what this one did not find; '' for none.
    """

    maskers: Mapping[str, Masker] = field(default_factory=dict, repr=False, hash=False)
    day_first: bool = False
    second: str = ""
    _memory: _Memory = field(init=False, repr=False, compare=False, default_factory=_Memory)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the memory: it holds people, and a worker fills its own.
        return type(self), (dict(self.maskers), self.day_first, self.second)

    def scrub(self, texts: Sequence[str], dossiers: Sequence[AnyDossier]) -> list[Scrubbed]:
        """The texts without identifiers, each by its own dossier; where nothing is found, the very text."""
        if not self.second:
            return [one for batch in self._batches(texts, dossiers) for one in batch.scrubbed()]
        return [
            Scrubbed(plugins.written(text, own), tuple(Span(*one[:4]) for one in own)) if own else Scrubbed(text, ())
            for text, own in zip(texts, self.find(texts, dossiers), strict=True)
        ]

    def find(self, texts: Sequence[str], dossiers: Sequence[AnyDossier]) -> list[list[Found]]:
        """Of each text its identifiers in order, and what takes their places."""
        batches = self._batches(texts, dossiers)
        found = [batch.found(number) for batch in batches for number in range(len(batch.texts))]
        return plugins.joined(texts, found, plugins.load(self.second)) if self.second else found

    def _batches(self, texts: Sequence[str], dossiers: Sequence[AnyDossier]) -> Iterator[Answered]:
        if len(texts) != len(dossiers):
            raise ValueError("as many dossiers as texts")
        start, size = 0, 0
        for place, text in enumerate(texts, 1):
            size += len(text)
            if size >= _BATCH or place == len(texts):
                with _uncollected():
                    batch = self._answer(texts[start:place], dossiers[start:place])
                yield batch
                start, size = place, 0

    def _answer(self, texts: Sequence[str], dossiers: Sequence[AnyDossier]) -> Answered:
        memory = self._memory
        if memory.library.is_full():
            memory.library = Library()
        library = memory.library
        known = library.known(dossiers)
        points, bounds = to_points(texts)
        rows = np.array([one.row for one in known], dtype=np.int32).reshape(-1)
        batch = Texts(points, bounds, rows)
        room = 2 * len(points)  # at most two tokens begin at one character
        starts, stops, codes, hints = (np.empty(room, dtype=np.int32) for _ in range(4))
        tokens = Tokens(starts, stops, codes, hints, ints(len(texts) + 1))
        size = scan(batch, library.lexicon(), tokens)
        tokens = Tokens(starts[:size], stops[:size], codes[:size], hints[:size], tokens.bounds)
        reader = Reader(texts, known, library.entries, tokens, self.day_first)
        asking = np.repeat(np.arange(len(texts), dtype=np.int32), 2)
        inputs = batch, tokens, library.fakes(), reader.links, reader.state, reader.answers, asking
        count, given = len(texts), number_of("given")
        while count := settle(*inputs, count, given, self.day_first):
            for number, why in asking[: 2 * count].reshape(-1, 2).tolist():
                _read(reader, number, why)
        self._ask(reader)
        return answered(batch, tokens, library.fakes(), reader)

    def _ask(self, reader: Reader) -> None:
        """Fill in what only maskers know: each is asked once, for all that the memory does not hold."""
        memory = self._memory.answers
        if len(memory) > _ANSWERS:
            memory.clear()
        wanted: dict[str, dict[str, None]] = {}
        for _, kind, value in reader.asks:
            if (kind, value) not in memory:
                wanted.setdefault(kind, {})[value] = None
        for kind, values in wanted.items():
            masker = self.maskers.get(kind) or (self.maskers.get("identifier") if kind in _NUMBERS else None)
            asked = list(values)
            fakes: Sequence[str | None] = masker(asked) if masker else [None] * len(asked)
            for value, fake in zip(asked, fakes, strict=True):
                memory[kind, value] = f"[{kind}]" if fake is None or fake == value else fake
        for place, kind, value in reader.asks:
            reader.made[place] = memory[kind, value]


def _read(reader: Reader, number: int, why: int) -> None:
    """Answer what a text stands still at."""
    place = reader.turn_to(number)
    if why == LINKED:
        reader.take_link()
        reader.note_link(place)
    elif why == INITIAL:
        names.middle_initial(reader)
    else:
        _token(reader, place, reader.codes[place], reader.starts[place], reader.stops[place])
        place += 1
    reader.leave(place)


def _token(reader: Reader, place: int, code: int, start: int, stop: int) -> None:
    if code >= 0:
        names.known(reader, place, start, stop)
    elif code in (NUMBER, SLASHED):
        numbers.number(reader, start)
    elif code == REFERENCE:
        references.reference(reader, start)
    elif code == LABEL:
        numbers.label(reader, place, start, stop)
    elif code == MONTH:
        moving.month(reader, start)
    elif code == TITLE:
        names.title(reader, place, start, stop)
    elif code == WORK:
        names.employer(reader, place, start, stop)
    elif code == HEX:
        numbers.hexed(reader, start)
    elif code == SPELLED:
        if not strangers.named(reader, place, start, stop):
            numbers.spelled_age(reader, start)
