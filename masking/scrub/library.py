"""All that is known, compiled for searching: the spellings of every term once, and of every person whose they are.

It grows as texts come in, and starts anew when it has grown too large. It holds people, and is never pickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from masking.native import Hashes, Ints
from masking.scrub.batch import NO_DAYS, PHRASE, Fakes, Lexicon, Phrases, ints
from masking.scrub.births import Spelling, spellings
from masking.scrub.characters import CLASSES, FOLDS, to_points
from masking.scrub.lookup import fill, measure, move_phrases, put
from masking.scrub.spellings import NAME, NUMBER, WHOLE, Entry, Spelled
from masking.scrub.terms import TERM_KINDS, AnyDossier, Term
from masking.scrub.vocabulary import EPONYMS, MONTHS, level_of, words

#: What an answer may be, by number; a date comes first, for the compiled loops know its number.
KINDS = ["date", *TERM_KINDS]
_MOST_DOSSIERS, _MOST_ENTRIES = 1 << 15, 1 << 18  # some 500 and 300 bytes each
_MOST_PHRASES = 1 << 20  # 100 bytes each, as the table is never more than half full


_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


def number_of(kind: str) -> int:
    """The number of a kind; one that is new gets the next."""
    number = _NUMBERS.get(kind)
    if number is None:
        KINDS.append(kind)
        number = _NUMBERS[kind] = len(KINDS) - 1
    return number


class _Column:
    """An array that grows."""

    __slots__ = ("array", "size")

    def __init__(self, dtype: type[np.generic]) -> None:
        self.array: npt.NDArray[Any] = np.zeros(1024, dtype=dtype)
        self.size = 0

    def add(self, values: Any) -> int:
        """Put values behind those that are there; returns where they begin."""
        start = self.size
        self.room(len(values))[:] = values
        return start

    def room(self, size: int) -> npt.NDArray[Any]:
        """So many more places."""
        start, self.size = self.size, self.size + size
        if self.size > len(self.array):
            grown = np.zeros(2 * self.size, dtype=self.array.dtype)
            grown[:start] = self.array[:start]
            self.array = grown
        return self.array[start : self.size]


class Known:
    """A dossier ready for searching. row: see `Texts`."""

    def __init__(self, dossier: AnyDossier, spelled: Sequence[Sequence[Spelled]], row: tuple[int, ...]) -> None:
        self.dossier, self.days, self.row, self._spelled = dossier, dossier.days, row, spelled
        self._births_spelled: dict[str, Spelling] = {}

    @property
    def _backwards(self) -> Iterator[Spelled]:
        return (one for part in reversed(self._spelled) for one in reversed(part))

    @cached_property
    def initials(self) -> dict[str, str]:
        """Folded initials of given names, and those of their fakes; the first of equal ones stays."""
        return {initial: fake for one in self._backwards for initial, fake in reversed(one.initials)}

    @cached_property
    def exact(self) -> dict[str, tuple[str, str]]:
        """E-mail addresses and URLs in lower case, with kind and fake."""
        return {value: answer for one in self._backwards for value, answer in reversed(one.exact)}

    @cached_property
    def births(self) -> dict[str, str | None]:
        """Birth dates with their fakes."""
        terms = (term for part in reversed(self.dossier.parts) for term in reversed(part))
        return {term.real: term.fake for term in terms if term.kind == "birth_date"}

    def spelled_births(self, day_first: bool) -> dict[str, Spelling]:
        """Births in all their spellings, by the one order that a scrubber reads in."""
        self._births_spelled = self._births_spelled or spellings(self.births, day_first)
        return self._births_spelled


class _Part(NamedTuple):
    """A part that dossiers share. It holds its terms, so that no others take their identity."""

    number: int
    terms: tuple[Term, ...]
    spelled: list[Spelled]
    longest: int
    births: tuple[tuple[str, str | None], ...]


class Library:
    """Terms and their entries; the parts of dossiers, each with its phrases in one table; and dossiers, as lists of parts.

    A text is searched by the parts of its dossier: there is no table a dossier, for most have but one text.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._known: dict[AnyDossier, Known] = {}
        self._by_identity: dict[int, tuple[AnyDossier, Known]] = {}
        self._numbers: dict[Term, int] = {}
        self._spelled: list[Spelled] = []
        self._parts: dict[int, _Part] = {}
        self._phrases, self._bits, self._used = _table(1024), np.zeros(1024, dtype=np.uint8), 0
        self._hashes, self._firsts = _Column(np.uint64), _Column(np.uint64)
        self._spans, self._traits, self._births, self._listed = (_Column(np.int32) for _ in range(4))
        self._kinds, self._modes, self._symbols, self._bounds = (_Column(np.int32) for _ in range(4))
        self._points = _Column(np.uint32)
        self._bounds.add([0])

    def is_full(self) -> bool:
        """Whether it is time for a new one: not in the middle of a batch."""
        return (
            max(len(self._known), len(self._by_identity) // 4) >= _MOST_DOSSIERS
            or len(self.entries) >= _MOST_ENTRIES
            or self._used >= _MOST_PHRASES
        )

    def known(self, dossiers: Sequence[AnyDossier]) -> list[Known]:
        """Dossiers ready for searching; each is compiled once."""
        by_identity = self._by_identity
        strange = [dossier for dossier in dossiers if id(dossier) not in by_identity]
        if strange:
            missing = list(dict.fromkeys(dossier for dossier in strange if dossier not in self._known))
            self._take({id(part): part for dossier in missing for part in dossier.parts if id(part) not in self._parts})
            for dossier in missing:
                self._known[dossier] = self._join(dossier)
            # The dossier is held, so that no other takes its identity.
            by_identity.update((id(dossier), (dossier, self._known[dossier])) for dossier in strange)
        return [by_identity[id(dossier)][1] for dossier in dossiers]

    def lexicon(self) -> Lexicon:
        """What the scan looks words up in."""
        keys, values = _vocabulary()
        listed, births = self._listed.array, self._births.array
        return Lexicon(CLASSES, FOLDS, self._phrases, self._bits, listed, keys, values, births)

    def fakes(self) -> Fakes:
        """What takes the places of entries."""
        columns = self._kinds, self._modes, self._symbols, self._bounds, self._points
        return Fakes(*(column.array for column in columns))

    # ── terms ──

    def _learn(self, terms: Iterable[Term]) -> None:
        """Spell new terms: the entries of a term lie side by side, then its nicknames."""
        numbers, phrases, entries, spans = self._numbers, list[str](), list[Entry](), list[int]()
        at = len(self.entries)
        for term in terms:
            if term in numbers:
                continue
            numbers[term] = len(self._spelled)
            one = Spelled(*term)
            self._spelled.append(one)
            for rows in (one.rows, one.nicknames):
                spans += (at, at + len(rows))
                at += len(rows)
                phrases += [spelling for spelling, _ in rows]
                entries += [entry for _, entry in rows]
        self._spans.add(spans)
        if entries:
            self._add(phrases, entries)

    def _add(self, phrases: Sequence[str], entries: Sequence[Entry]) -> None:
        points, bounds = to_points(phrases)
        count = len(phrases)
        measure(points, bounds, CLASSES, FOLDS, self._hashes.room(count), self._firsts.room(count))
        self._traits.add(
            [value for row in zip(map(len, phrases), map(_is_sure, entries), strict=True) for value in row]
        )
        self._kinds.add([number_of(entry.kind) for entry in entries])
        self._modes.add([_mode(entry) for entry in entries])
        self._symbols.add([_symbols(entry) for entry in entries])
        forms, form_bounds = to_points(
            [form for entry in entries for form in (entry.fake, entry.fake.upper(), entry.fake.lower())]
        )
        self._bounds.add(form_bounds[1:] + self._points.size)
        self._points.add(forms[: form_bounds[-1]])
        self.entries += entries

    # ── dossiers ──

    def _take(self, parts: Mapping[int, tuple[Term, ...]]) -> None:
        """Put the phrases of new parts into the table."""
        if not parts:
            return
        self._learn(term for terms in parts.values() for term in terms)
        numbers, spelled, spans, first = self._numbers, self._spelled, self._spans.array, len(self._parts)
        own = [[numbers[term] for term in terms] for terms in parts.values()]
        flat = np.array([number for one in own for number in one], dtype=np.int32)
        bounds, longest = ints(len(own) + 1), ints(len(own))
        np.cumsum([len(one) for one in own], out=bounds[1:])
        self._widen(2 * int((spans[4 * flat + 3] - spans[4 * flat]).sum()))
        columns = self._hashes.array, self._firsts.array, self._traits.array
        fill(self._phrases, self._bits, first, flat, bounds, spans, *columns, longest)
        for number, (identity, terms), mine, most in zip(
            count(first), parts.items(), own, longest.tolist(), strict=False
        ):
            births = tuple((term.real, term.fake) for term in terms if term.kind == "birth_date")
            self._parts[identity] = _Part(number, terms, [spelled[one] for one in mine], most, births)

    def _widen(self, more: int) -> None:
        """Make room for so many more phrases: the table is never more than half full."""
        self._used += more
        if 2 * self._used > len(self._phrases):
            # What was counted may have been there already.
            self._used = more + int(np.count_nonzero(self._phrases["part"] != -1))
            wider = _table(1 << int(4 * self._used).bit_length())
            self._bits = np.zeros(len(wider), dtype=np.uint8)
            move_phrases(self._phrases, wider, self._bits)
            self._phrases = wider

    def _join(self, dossier: AnyDossier) -> Known:
        """List the parts of a dossier."""
        parts = [self._parts[id(part)] for part in dossier.parts]
        births = _birth_pairs(birth for part in parts for birth in part.births)
        row = (
            self._listed.add([part.number for part in parts]),
            len(parts),
            max((part.longest for part in parts), default=0),
            NO_DAYS if dossier.days is None else dossier.days,
            self._births.add([day for pair in births for day in pair]) // 2,
            len(births),
        )
        return Known(dossier, [part.spelled for part in parts], row)


def _table(places: int) -> Phrases:
    """An empty table of phrases."""
    made = np.zeros(places, dtype=PHRASE)
    made["part"] = -1
    return made


def _is_sure(entry: Entry) -> int:
    """4 for a name that is one wherever it stands."""
    return 4 if entry.mode in (WHOLE, NAME) and not entry.level and entry.folded not in EPONYMS else 0


def _mode(entry: Entry) -> int:
    """What the compiled loops do with an entry: see `Fakes`."""
    if entry.mode in (WHOLE, NAME) or (entry.mode == NUMBER and entry.folded):
        return -1
    if not entry.level:
        return entry.mode
    # A town that is no word of the language: `standing.is_name` asks for no more than its capital.
    return 4 if entry.kind == "city" and not level_of(entry.folded) and entry.folded not in MONTHS else -1


def _symbols(entry: Entry) -> int:
    """Letters and digits that are poured into what is found; -1 for a fake that is not poured, -2 for one not to be read."""
    if entry.mode != NUMBER or entry.fake[:1] == "[":
        return -1
    return sum(map(str.isalnum, entry.fake)) if entry.fake.isascii() else -2


def _birth_pairs(births: Iterable[tuple[str, str | None]]) -> list[tuple[int, int]]:
    """Birth dates and their fakes as yyyymmdd, of those that are whole days; of equal ones the first."""
    distinct: dict[str, str | None] = {}
    for real, fake in births:
        distinct.setdefault(real, fake)
    return [
        (int(real.replace("-", "")), int(fake[:10].replace("-", "")))
        for real, fake in distinct.items()
        if fake is not None and len(real) == 10 and len(fake) >= 10
    ]


@cache
def _vocabulary() -> tuple[Hashes, Ints]:
    """The table of the vocabulary's words."""
    classes = words()
    points, bounds = to_points(list(classes))
    hashes, firsts = (np.zeros(len(classes), dtype=np.uint64) for _ in range(2))
    measure(points, bounds, CLASSES, FOLDS, hashes, firsts)
    keys, values = np.zeros(1024, dtype=np.uint64), np.full(1024, -1, dtype=np.int32)
    for digest, number in zip(hashes, classes.values(), strict=True):
        put(keys, values, 0, 1023, digest, number << 3 | 1)
    return keys, values
