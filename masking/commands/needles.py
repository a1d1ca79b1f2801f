"""Planted values as something to look for: in whatever spelling, and so that the sentence `no pain` is no find of Mr. Pain.

Two questions are asked of a masked document. Is a value in it that was planted in its source? And does it hold a value
that is one person's alone (a number, an address, a URL), whoever's it is?
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from masking.commands.readings import Day, Reading, compact, day_of, fold, readings, tokens, without_times
from masking.sample import NO_NAMES
from masking.scrub.vocabulary import level_of

#: Drawn from public lists and one calendar, so that fakes meet them.
SHARED = frozenset({"names", "geographic", "dates"})
#: Shorter ones stand everywhere by chance; a year alone identifies nobody (45 CFR 164.514(b)(2)(i)(C)).
_LEAST_ALONE, _LEAST_DATE, _LEAST_WORD = 6, 5, 3
_TELEPHONE = frozenset({"phone", "fax"})
#: Of a number that is written apart: at most so many parts, and symbols.
_PARTS, _SYMBOLS = 6, 24
_EXTENSION = re.compile(r"\s*(?:x|ext\.?)\s*[0-9]+$", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
#: Sentences of the sample in which words that are names are none, of whomever they tell.
_ELSE = re.compile("|".join(map(re.escape, NO_NAMES)))
_UUID_SIZE = 32
_UNSPACED = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)  # scripts that write no blanks between words


class Value(NamedTuple):
    """A planted value."""

    kind: str
    path: str
    text: str


class Needle(NamedTuple):
    """One form to look for. how: the name of what of a `Reading` it is looked for in."""

    how: str
    text: str = ""
    day: Day = (0, 0, 0)

    def stands_in(self, reading: Reading) -> bool:
        """Whether it is there."""
        if self.how == "days":
            return self.day in reading.days
        if self.how == "spelled":
            return _is_word_of(self.text, reading.spelled) and _is_word_of(self.text, _ELSE.sub(" ", reading.spelled))
        found: str = getattr(reading, self.how)
        return self.text in found


class Needles:
    """The forms of values; those of each are made once. words: of people's names, by themselves."""

    def __init__(self, words: frozenset[str] = frozenset()) -> None:
        self._words = words
        self._made: dict[tuple[str, str], tuple[Needle, ...]] = {}

    def of(self, value: Value) -> tuple[Needle, ...]:
        """What to look for: any of these is a find."""
        key = value.kind, value.text
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = tuple(dict.fromkeys(self._forms(value)))
        return made

    def stand_in(self, value: Value, reading: Reading) -> bool:
        """Whether a value is in a document in any spelling."""
        return any(needle.stands_in(reading) for needle in self.of(value))

    def _forms(self, value: Value) -> Iterator[Needle]:
        if value.kind == "dates":
            day = day_of(value.text)
            if day is not None:
                yield Needle("days", day=day)
            elif len(value.text) >= _LEAST_DATE:
                yield Needle("spelled", value.text)  # an age: `90+-year-old` is none
            return
        folded = fold(value.text)
        if value.kind in SHARED:
            yield from self._of_words(value.text, folded)
            if value.kind == "names":
                yield from self._of_halves(value.text)
            if value.kind == "geographic" and re.fullmatch(r"[0-9]{5}-[0-9]{4}", value.text):
                yield _words(folded[:5])
        elif len(text := number_of(value)) >= _LEAST_ALONE:
            yield Needle("numbers", text)
        else:  # figures that are glued to letters are part of another number: `id-…bed1704`
            yield Needle("spelled", value.text) if value.text.isdecimal() else _words(folded)

    def _of_words(self, text: str, folded: str) -> Iterator[Needle]:
        parts = tokens(folded)
        if _UNSPACED.search(text):
            yield Needle("folded", folded)
        elif len(parts) == 1 and level_of(folded):
            yield Needle("spelled", text)
            yield Needle("spelled", text.upper())
        else:
            yield _words(folded)

    def _of_halves(self, text: str) -> Iterator[Needle]:
        """A half of a name is a name; that of a street is none (White Crescent)."""
        if len(tokens(fold(text))) > 1:
            for part in re.findall(r"[^\W\d_]+", text):
                if len(part) >= _LEAST_WORD and fold(part) in self._words:
                    yield from self._of_words(part, fold(part))


def number_of(value: Value) -> str:
    """Its letters and digits; of a telephone number the last ten, without the extension."""
    if value.kind in _TELEPHONE:
        return compact(fold(_EXTENSION.sub("", value.text)))[-10:]
    return compact(fold(value.text))


def _words(folded: str) -> Needle:
    return Needle("words", f" {' '.join(tokens(folded))} ")


def _is_word_of(word: str, text: str) -> bool:
    """Whether a text holds a word by itself, in this very spelling."""
    at = text.find(word)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(word) : at + len(word) + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        at = text.find(word, at + 1)
    return False


@dataclass(slots=True)
class Alone:
    """Finds values that are one person's alone, whatever document they are in. Each string is looked at once."""

    values: Iterable[Value]
    _seen: set[int] = field(default_factory=set)
    _numbers: dict[str, Value] = field(default_factory=dict)
    _phrases: dict[str, Value] = field(default_factory=dict)
    _sizes: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        for value in self.values:
            parts, number = tokens(fold(value.text)), number_of(value)
            if value.kind in SHARED or len(number) < _LEAST_ALONE:
                continue
            self._phrases.setdefault(" ".join(parts), value)
            self._sizes[parts[0]].add(len(parts))
            if len(number) <= _SYMBOLS or _UUID.fullmatch(number):
                self._numbers.setdefault(number, value)
                if value.kind in _TELEPHONE:
                    self._numbers.setdefault(f"1{number}", value)
        self.values = ()

    def look(self, strings: Iterable[str]) -> list[Value]:
        """What is in those strings of a document that were not in an earlier one."""
        found: dict[Value, None] = {}
        for one in strings:
            mark = hash(one)
            if mark not in self._seen and len(one) >= _LEAST_ALONE:
                self._seen.add(mark)
                for text in readings(one):
                    found.update(dict.fromkeys(self._in_text(fold(text))))
        return list(found)

    def _in_text(self, folded: str) -> Iterator[Value]:
        for uuid in _UUID.findall(folded) if len(folded) >= _UUID_SIZE else ():
            if (value := self._numbers.get(uuid.replace("-", ""))) is not None:
                yield value
        parts = tokens(without_times(_UUID.sub(" ", folded) if len(folded) >= _UUID_SIZE else folded))
        for start, part in enumerate(parts):
            for size in self._sizes.get(part, ()):
                if (value := self._phrases.get(" ".join(parts[start : start + size]))) is not None:
                    yield value
            if part.isdecimal() or (len(part) <= 4 and start + 1 < len(parts) and parts[start + 1].isdecimal()):
                yield from self._from(parts[start : start + _PARTS])

    def _from(self, parts: Sequence[str]) -> Iterator[Value]:
        """Numbers that begin with these parts, however they are written apart."""
        text = ""
        for part in parts:
            text += part
            if len(text) > _SYMBOLS:
                return
            if (value := self._numbers.get(text)) is not None:
                yield value
