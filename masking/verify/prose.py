"""The texts of a document by path, and what is asked of them: days, and the words near a value. Each is learned once a path."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from masking.verify.details import days_in
from masking.verify.hidden import undone
from masking.verify.look import leaves

_TOKEN = re.compile(r"[^\W_](?:['’-]?[^\W_])+")
#: How many words away still is near.
_NEAR = 3
#: Words that stand beside any other.
_JOINTS = frozenset(
    "a an and as at by for from has his her in is of on or said says she he that the their to was who whose will with".split()  # noqa: SIM905
)

PlacesIn = Callable[[Sequence[str]], list[set[int]]]
#: A word, and how far away it is: -1 is the one before.
Near = set[tuple[int, str]]


class Words:
    """Words of some texts, so that what is near a value is found without going through them again.

    places_in: of each of some words, the places of all values in it in the table of known values.
    """

    def __init__(self, texts: Iterable[str], places_in: PlacesIn) -> None:
        self._texts = [[token.casefold() for token in _TOKEN.findall(text)] for text in texts]
        self._at: dict[int, list[tuple[int, int]]] = defaultdict(list)
        words = list(dict.fromkeys(token for tokens in self._texts for token in tokens))
        known = dict(zip(words, places_in(words), strict=True))
        for number, tokens in enumerate(self._texts):
            for at, token in enumerate(tokens):
                for place in known[token]:
                    self._at[place].append((number, at))

    def near(self, place: int) -> Near:
        """The words near a value."""
        found = set()
        for number, at in self._at.get(place, ()):
            tokens = self._texts[number]
            near = range(max(0, at - _NEAR), min(len(tokens), at + _NEAR + 1))
            found |= {(other - at, tokens[other]) for other in near if other != at}
        return found


class Prose:
    """What stands at each path of a document, hidden texts too. None: a document of which nothing is asked."""

    def __init__(self, document: bytes | None, places_in: PlacesIn) -> None:
        self._places_in = places_in
        self._texts: dict[str, list[str]] = defaultdict(list)
        self._days: dict[tuple[str, bool], set[int]] = {}
        self._words: dict[str, Words] = {}
        for path, text in leaves(document) if document is not None else ():
            hidden = undone(text.encode("utf-8", "surrogatepass"))
            self._texts[path] += [text, *(inner.decode("utf-8", "replace") for inner in hidden)]

    def __contains__(self, path: object) -> bool:
        """Whether there is a text at a path."""
        return path in self._texts

    def days(self, path: str, *, sure: bool = False) -> set[int]:
        """The days that are named at a path, as `days_in` reads them."""
        if (path, sure) not in self._days:
            texts: Sequence[str] = self._texts.get(path, ())
            self._days[path, sure] = {day for text in texts for day in days_in(text, sure=sure)}
        return self._days[path, sure]

    def near(self, path: str, place: int) -> Near:
        """The words near a value at a path."""
        if path not in self._words:
            self._words[path] = Words(self._texts.get(path, ()), self._places_in)
        return self._words[path].near(place)


def stands_alike(was: Near, now: Near) -> bool:
    """Whether a word that texts held before and hold now stands among the same words: next to one of them that is no mere
    joint (`by`), or within three words of two, on the same side and as far away; or has no other neighbors.

    What names people in a text goes, and what tells of them stays; so a name among other words is another person's,
    whose fake it happens to be. True where the word is by itself in none.
    """
    same = was & now
    beside = any(abs(distance) == 1 and word not in _JOINTS for distance, word in same)
    return not was or not now or len(same) > 1 or beside or same in (was, now)
