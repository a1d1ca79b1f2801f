"""All that is known, compiled for searching: the spellings of every term once, and a table a dossier.

It grows as texts come in, and starts anew when it has grown too large. It holds people, and is never pickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.native import Hashes, Ints
from masking.scrub.batch import NO_DAYS, ROW, Fakes, Lexicon, ints
from masking.scrub.characters import CLASSES, FOLDS, to_points
from masking.scrub.lookup import fill, measure, put
from masking.scrub.spellings import NAME, NUMBER, WHOLE, Entry, Spelled
from masking.scrub.terms import TERM_KINDS, Dossier, Term
from masking.scrub.vocabulary import EPONYMS, MONTHS, level_of, words

#: What an answer may be, by number; a date comes first, for the compiled loops know its number.
KINDS = ["date", *TERM_KINDS]
_MOST_DOSSIERS, _MOST_ENTRIES = 4096, 1 << 18  # some 4 KB and 300 bytes each


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
    """A dossier with its table. row: see `Texts`."""

    def __init__(self, dossier: Dossier, spelled: Sequence[Spelled], row: tuple[int, ...]) -> None:
        self.dossier, self.days, self.row, self._spelled = dossier, dossier.days, row, spelled

    @cached_property
    def initials(self) -> dict[str, str]:
        """Folded initials of given names, and those of their fakes; the first of equal ones stays."""
        return {initial: fake for one in reversed(self._spelled) for initial, fake in reversed(one.initials)}

    @cached_property
    def exact(self) -> dict[str, tuple[str, str]]:
        """E-mail addresses and URLs in lower case, with kind and fake."""
        return {value: answer for one in reversed(self._spelled) for value, answer in reversed(one.exact)}

    @cached_property
    def births(self) -> dict[str, str | None]:
        """Birth dates with their fakes."""
        return {term.real: term.fake for term in reversed(self.dossier.terms) if term.kind == "birth_date"}


class Library:
    """Terms, their entries, and the tables of dossiers."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._known: dict[Dossier, Known] = {}
        self._by_identity: dict[int, tuple[Dossier, Known]] = {}
        self._numbers: dict[Term, int] = {}
        self._spelled: list[Spelled] = []
        self._keys, self._hashes, self._firsts = _Column(np.uint64), _Column(np.uint64), _Column(np.uint64)
        self._values, self._spans, self._traits, self._births = (_Column(np.int32) for _ in range(4))
        self._kinds, self._modes, self._symbols, self._bounds = (_Column(np.int32) for _ in range(4))
        self._points = _Column(np.uint32)
        self._bounds.add([0])

    def is_full(self) -> bool:
        """Whether it is time for a new one: not in the middle of a batch."""
        return (
            max(len(self._known), len(self._by_identity) // 4) >= _MOST_DOSSIERS or len(self.entries) >= _MOST_ENTRIES
        )

    def known(self, dossiers: Sequence[Dossier]) -> list[Known]:
        """Dossiers ready for searching; each is compiled once."""
        by_identity = self._by_identity
        strange = [dossier for dossier in dossiers if id(dossier) not in by_identity]
        if strange:
            missing = dict.fromkeys(dossier for dossier in strange if dossier not in self._known)
            if missing:
                self._compile(list(missing))
            # The dossier is held, so that no other takes its identity.
            by_identity.update((id(dossier), (dossier, self._known[dossier])) for dossier in strange)
        return [by_identity[id(dossier)][1] for dossier in dossiers]

    def lexicon(self) -> Lexicon:
        """What the scan looks words up in."""
        keys, values = _vocabulary()
        return Lexicon(CLASSES, FOLDS, self._keys.array, self._values.array, keys, values, self._births.array)

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

    def _compile(self, dossiers: Sequence[Dossier]) -> None:
        self._learn(term for dossier in dossiers for term in dossier.terms)
        numbers, spelled, spans = self._numbers, self._spelled, self._spans.array
        terms = [[numbers[term] for term in dossier.terms] for dossier in dossiers]
        flat = np.array([number for own in terms for number in own], dtype=np.int32)
        bounds = ints(len(terms) + 1)
        np.cumsum([len(own) for own in terms], out=bounds[1:])
        sizes = np.append(np.int32(0), np.cumsum(spans[4 * flat + 3] - spans[4 * flat]))
        rows = ints(ROW * len(terms))
        table = rows.reshape(-1, ROW)
        table[:, 1] = [max(8, 1 << int(3 * size).bit_length()) for size in np.diff(sizes[bounds])]
        table[:, 0] = self._keys.size + np.append(0, np.cumsum(table[:-1, 1]))
        self._keys.room(int(table[:, 1].sum()))
        self._values.room(self._keys.size - self._values.size)[:] = -1
        table[:, 1] -= 1
        columns = self._hashes.array, self._firsts.array, self._traits.array
        fill(self._keys.array, self._values.array, rows, flat, bounds, spans, *columns)
        for dossier, own, row in zip(dossiers, terms, table, strict=True):
            pairs = _birth_pairs(dossier)
            row[3:] = NO_DAYS if dossier.days is None else dossier.days, self._births.size // 2, len(pairs)
            self._births.add([day for pair in pairs for day in pair])
            self._known[dossier] = Known(dossier, [spelled[number] for number in own], tuple(row.tolist()))


def _is_sure(entry: Entry) -> int:
    """4 for a name that is one wherever it stands."""
    return 4 if entry.mode in (WHOLE, NAME) and not entry.level and entry.folded not in EPONYMS else 0


def _mode(entry: Entry) -> int:
    """What the compiled loops do with an entry: see `Fakes`."""
    if entry.mode in (WHOLE, NAME):
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


def _birth_pairs(dossier: Dossier) -> list[tuple[int, int]]:
    """Birth dates and their fakes as yyyymmdd, of those that are whole days."""
    births: dict[str, str | None] = {}
    for kind, real, fake in dossier.terms:
        if kind == "birth_date":
            births.setdefault(real, fake)
    return [
        (int(real.replace("-", "")), int(fake[:10].replace("-", "")))
        for real, fake in births.items()
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
        put(keys, values, 0, 1023, digest, digest, number << 3 | 1)
    return keys, values
