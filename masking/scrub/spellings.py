"""The ways in which people spell a term: every one is found, and has what takes its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

from masking.pools.titles import GUESSABLE_SUFFIXES, PARTICLES, PREFIXES, fold_title
from masking.scrub.characters import fold
from masking.scrub.terms import Term
from masking.scrub.vocabulary import LABELS, forms_of, level_of, nicknames, street_words

#: A whole name, one word of a name, a number that is poured into the punctuation found, text as it is.
WHOLE, NAME, NUMBER, TEXT = range(4)

_LEAST_NUMBER = 5  # symbols of a number that is looked for without a label: shorter ones are lab values as well
_LEAST_MIXED = 4  # the same, with letters and digits in it
_SPLIT = re.compile(r"[\s,;/()\[\]\"“”&+]+")
_EXTENSION = re.compile(r"\s*(?:;?\s*ext(?:ension)?\.?=?|x|#)\s*:?\s*([0-9]{1,8})$", re.IGNORECASE)
_MOST_LINES = 16
#: The unit at the end of a street line, which people leave out.
_UNIT = re.compile(
    r"[\s,]+(?:(?:apt|apartment|unit|suite|ste|room|rm|floor|fl|bldg|building|lot|no)\b\.?\s*#?|#)\s*[\w-]{1,8}\.?$",
    re.IGNORECASE,
)
#: Digits at the end of a number that are looked for without what stands before them.
_LEAST_TAIL = 6
_TAIL = re.compile(r"[^0-9]*?0*([1-9][0-9]*)")
#: `MRN-0045213`: a label that a record writes before its number.
_LABELLED = re.compile(r"([A-Za-z]{2,8})[^A-Za-z0-9]{1,2}[0-9]+$")
#: Letters of German and Nordic names as they are written without them.
_SPELLED_OUT = str.maketrans(
    {**dict(zip("äöüßøåæœ", "ae oe ue ss oe aa ae oe".split(), strict=True)),  # noqa: SIM905
     **dict(zip("ÄÖÜẞØÅÆŒ", "Ae Oe Ue SS Oe Aa Ae Oe".split(), strict=True))}  # noqa: SIM905
)  # fmt: skip
#: Of Groß, Maß, Loß and the like: names only beside another name or a title.
_SPELLED_AS_WORDS = frozenset(
    ("gross", "mass", "loss", "pass", "press", "bass", "less", "mess", "miss", "cross", "toss")
)
_APOSTROPHE = re.compile(r"(?<=\w)['’ʼ]([^\W\d_]{3,})")
#: A genitive of a shorter name is likelier another word; behind these letters it has no s.
_LEAST_GENITIVE, _HISSING = 4, frozenset("sßxzSẞXZ")
#: Of `St. John`: alone, a street's suffix.
_NO_NAMES = frozenset({"st", "ste"})


class Entry(NamedTuple):
    """What a spelling stands for. level: see `vocabulary.level_of`; folded: the word, for names of one word."""

    kind: str
    fake: str
    mode: int
    level: int
    folded: str


_Row = tuple[str, Entry]


class Spelled:
    """The spellings of one term, each with its entry; initials and exact values with their fakes."""

    __slots__ = ("exact", "initials", "nicknames", "rows")

    def __init__(self, kind: str, real: str, fake: str | None) -> None:
        self.rows: list[_Row] = []
        self.nicknames: list[_Row] = []
        self.initials: list[tuple[str, str]] = []
        self.exact: list[tuple[str, tuple[str, str]]] = []
        # A fake that equals its source would be a leak if it were written: the placeholder is.
        term = Term(kind, real, None if real == fake else fake)
        self._add(term)
        if kind in ("given", "name"):
            self._add_nicknames(term)

    def _put(self, spelling: str, entry: Entry) -> None:
        if spelling:
            # What is found ends with a letter: the dot behind it stays in the text.
            if spelling[-1] == "." and entry.fake[-1:] == ".":
                entry = entry._replace(fake=entry.fake[:-1])
            self.rows.append((spelling, entry))

    def _add(self, term: Term) -> None:
        kind, real = term.kind, term.real.strip()
        fake = term.fake if term.fake is not None else f"[{kind}]"
        if kind in ("given", "family", "name"):
            self._add_name(kind, real, fake)
        elif kind == "phone":
            for spelling, other in _phones(real, fake):
                self._put(spelling, Entry(kind, other, NUMBER, 0, ""))
        elif kind in ("identifier", "zip"):
            self._add_number(kind, real, fake)
        elif kind in ("email", "url"):
            bare = real.casefold().removeprefix("mailto:")
            self.exact.append((bare, (kind, fake)))
        elif kind == "birth_date":
            return
        elif kind == "line":
            street, other = _UNIT.sub("", real), _UNIT.sub("", fake)
            for spelling in _lines(real):
                self._put(spelling, Entry(kind, fake, TEXT, 0, ""))
            if street != real and any(map(str.isdigit, street)):
                for spelling in _lines(street):
                    self._put(spelling, Entry(kind, other, TEXT, 0, ""))
        else:
            folded = fold(real)
            # An organization or a town that is one word may be a word of the language as well.
            level = level_of(folded) if kind in ("city", "organization") and " " not in real else 0
            if kind == "city" and level == 0 and " " not in real:
                level = 1  # a capital is asked for: towns bear any word
            if len(real) > 2 and any(map(str.isalnum, real)):
                self._put(real, Entry(kind, fake, TEXT, level, folded))

    def _add_number(self, kind: str, real: str, fake: str) -> None:
        core = "".join(filter(str.isalnum, real))
        digits = sum(map(str.isdigit, core))
        if kind == "zip" and len(core) == 9 and digits == 9:
            self._put(real[:5], Entry(kind, fake[:5] if fake[:5].isdigit() else fake, NUMBER, 0, ""))
        if (len(core) >= _LEAST_NUMBER or (len(core) >= _LEAST_MIXED and 0 < digits < len(core))) and digits:
            label = _LABELLED.match(real)
            is_label = kind == "identifier" and label is not None and label[1].casefold() in LABELS
            self._put(real, Entry(kind, fake, NUMBER, 0, label[1].casefold() if label and is_label else ""))
        if kind == "identifier":
            for tail in _tails(real):
                other = fake[-len(tail) :]
                self._put(tail, Entry(kind, other if other.isdigit() else fake, NUMBER, 0, ""))

    def _add_name(self, kind: str, real: str, fake: str) -> None:
        spelling = _untitled(real)
        words, fakes = _in_turn(kind, real, real), _in_turn(kind, real, fake)
        if words and not spelling.isalpha() and len(spelling) > 2:
            for other in (spelling, *respelled(spelling)):
                self._put(other, Entry(kind, _untitled(fake), WHOLE, 0, ""))
        pairs = zip(words, fakes, strict=True) if len(words) == len(fakes) else ((word, fake) for word in words)
        for number, (word, other) in enumerate(pairs):
            part = kind if kind != "name" else ("family" if number == len(words) - 1 and number else "given")
            self._add_word(part, word, other)
            pieces, others = word.split("-"), other.split("-")
            if len(pieces) > 1:
                for place, piece in enumerate(pieces):
                    if len(piece) > 1 and piece.casefold() not in PARTICLES:
                        self._add_word(part, piece, others[min(place, len(others) - 1)])

    def _add_word(self, kind: str, word: str, fake: str) -> None:
        folded = fold(word)
        if not folded or folded in _NO_NAMES:
            return
        if kind == "given":
            self.initials.append((folded[0], fake[0].upper() if fake[0].isalpha() else "X"))
        if len(folded) > 1 or not word.isascii():
            self._put(word, Entry(kind, fake, NAME, level_of(folded) if word.isascii() else 0, folded))
            for other in respelled(word):
                level = 2 if fold(other) in _SPELLED_AS_WORDS else level_of(fold(other))
                self._put(other, Entry(kind, fake, NAME, level, fold(other)))
            for other in _genitives(word):
                ends = fake[-1:].isalpha() and fake[-1] not in _HISSING
                self._put(
                    other, Entry(kind, fake + "s" if ends else fake, NAME, max(1, level_of(fold(other))), fold(other))
                )
            bare = word.strip("0123456789")  # Synthea numbers its people
            if bare != word and len(bare) > 1:
                other = fake.strip("0123456789") or fake
                self._put(bare, Entry(kind, other, NAME, level_of(fold(bare)), fold(bare)))

    def _add_nicknames(self, term: Term) -> None:
        real = term.real.strip()
        words, fakes = _in_turn(term.kind, real, real), _in_turn(term.kind, real, term.fake or "[given]")
        given = words if term.kind == "given" else words[: max(1, len(words) - 1)]
        for number, word in enumerate(given):
            fake = fakes[number] if len(fakes) == len(words) else fakes[0] if fakes else "[given]"
            pieces, others = word.split("-"), fake.split("-")
            pairs = zip(pieces, others, strict=True) if len(pieces) == len(others) else ((one, fake) for one in pieces)
            for piece, other in ((word, fake), *pairs) if len(pieces) > 1 else ((word, fake),):
                short = next(iter(nicknames().get(fold(other), ())), "").title() or other
                for nick, is_short in forms_of(fold(piece.strip("0123456789"))):
                    entry = Entry("given", short if is_short else other, NAME, level_of(nick), nick)
                    self.nicknames.append((nick, entry))


def _words(text: str) -> list[str]:
    """The words of a name without titles, degrees and the like."""
    return [
        word
        for word in _SPLIT.split(text.strip())
        if word
        and fold_title(word) not in PREFIXES
        and fold_title(word) not in GUESSABLE_SUFFIXES
        and (word.casefold() not in PARTICLES or len(word) > 3)
    ]


def _in_turn(kind: str, real: str, text: str) -> list[str]:
    """The words of a name or of its fake, those of 'LAST, First' told apart by the comma. A placeholder is one word."""
    if text[:1] == "[":
        return [text]
    return _turned(text) if kind == "name" and "," in real else _words(text)


def respelled(text: str) -> Iterable[str]:
    """Other spellings of a name: `Mueller` of `Müller`, `Strasse` of `Straße`, `O Neil` of `O'Neil`."""
    other = unicodedata.normalize("NFC", text).translate(_SPELLED_OUT)
    if other != unicodedata.normalize("NFC", text):
        yield other
    found = _APOSTROPHE.search(text)
    # 'vitamin D or' is not D'Or
    if found is not None and level_of(fold(found[1])) == 0:
        yield _APOSTROPHE.sub(r" \1", text)


def _genitives(word: str) -> Iterable[str]:
    """`Müllers`, and `Muellers`: where a name has a letter of German and another ending than a hiss."""
    composed = unicodedata.normalize("NFC", word)
    if len(composed) >= _LEAST_GENITIVE and composed[-1] not in _HISSING and not composed.isupper():
        other = composed.translate(_SPELLED_OUT)
        if other != composed:
            yield from (composed + "s", other + "s")


def _untitled(text: str) -> str:
    """A name without the titles before it."""
    title, _, rest = text.partition(" ")
    return _untitled(rest.lstrip()) if rest and fold_title(title) in PREFIXES else text


def _turned(text: str) -> list[str]:
    before, _, after = text.partition(",")
    return _words(after) + _words(before)


def _phones(real: str, fake: str) -> Iterable[tuple[str, str]]:
    """The ways a number is dialled, with the digits that take their places."""
    found, other = _EXTENSION.search(real), _EXTENSION.search(fake)
    number = re.sub("[^0-9]", "", real[: found.start()] if found else real)
    digits = re.sub("[^0-9]", "", fake[: other.start()] if other else fake)
    national, fake_national = number, digits
    if len(number) == 11 and number[0] == "1":
        national = number[1:]
    if len(digits) == 11 and digits[0] == "1":
        fake_national = digits[1:]
    if len(national) < 7:
        return
    if len(national) != len(fake_national):
        yield number, fake
        return
    if found:
        extension = (other[1] if other else "")[: len(found[1])].rjust(len(found[1]), "0")
        for mark in ("x", "ext", "extension"):
            for prefix in ("", "1"):
                yield f"{prefix}{national}{mark}{found[1]}", f"{prefix}{fake_national}{mark}{extension}"
    yield national, fake_national
    yield "1" + national, "1" + fake_national
    yield "001" + national, "001" + fake_national
    if len(national) == 10:
        yield national[3:], fake_national[3:]


def _lines(real: str) -> Iterable[str]:
    """A street line with its words in full and abbreviated."""
    words = real.replace(",", " ").split()
    others = [street_words().get(word.strip(".").casefold()) if number else None for number, word in enumerate(words)]
    choices = [(word, other) if other else (word,) for word, other in zip(words, others, strict=True)]
    if len(real) < 3 or not words:
        return
    for number, spelling in enumerate(product(*choices)):
        if number >= _MOST_LINES:
            return
        yield " ".join(spelling)


def _tails(real: str) -> Iterable[str]:
    """The digits of `MRN-0045213` as they are written without the letters, and without the zeros, before them."""
    core = "".join(filter(str.isalnum, real))
    found = _TAIL.fullmatch(core)
    if found is not None:
        digits = core.lstrip("".join(filter(str.isalpha, core)))
        yield from (tail for tail in dict.fromkeys((digits, found[1])) if tail != core and len(tail) >= _LEAST_TAIL)


def cased(fake: str, found: str) -> str:
    """A fake name in the case of the word it stands for."""
    if found.islower():
        return fake.lower()
    return fake.upper() if len(found) > 1 and found.isupper() else fake


def pour(fake: str, found: str) -> str:
    """The letters and digits of a fake in the punctuation found; the fake itself where their number differs."""
    symbols = [symbol for symbol in fake if symbol.isalnum()]
    places = [symbol.isalnum() for symbol in found]
    if sum(places) != len(symbols) or fake[:1] == "[":
        return fake
    left = iter(symbols)
    return "".join(next(left) if place else symbol for place, symbol in zip(places, found, strict=True))
