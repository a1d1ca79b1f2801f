"""Names of people whom no record knows, where the words around say that it is a name: behind a relation, before a degree."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from masking.pools.load import given_names
from masking.scrub.vocabulary import COMMON, CREDENTIALS, EPONYMS, RELATIONS, is_clinical

if TYPE_CHECKING:
    from masking.scrub.reader import Reader

_WORD = r"[A-Z][a-z]+(?:['’-][A-Z]?[a-z]+)*"
#: `daughter Greta`, `son, Caleb Jones,`: the second word is of the name where it is a capital's too.
_RELATIVE = re.compile(rf",?\s({_WORD})(?:\s({_WORD}))?")
#: `Ruth Osei, MD`, `L. Abernathy RN`.
_SIGNED = re.compile(rf"(?<![\w'’-])((?:{_WORD}|[A-Z]\.?)\s(?:[A-Z]\.?\s)?({_WORD})),?\s$")
#: A state and its ZIP: `Silver Spring, MD 20910`.
_ZIP = re.compile(r"\s+[0-9]{5}")
_LONGEST = 60


def named(reader: Reader, place: int, start: int, stop: int) -> bool:
    """Put the name of a stranger behind or before a word; False where the word is neither a relation nor a degree."""
    word = reader.text[start:stop]
    if word.lower() in RELATIONS:
        _relative(reader, place, stop)
        return True
    if word.lower() in CREDENTIALS:
        if any(map(str.isupper, word[1:])):
            _signed(reader, start, stop)
        return True
    return False


def _relative(reader: Reader, place: int, stop: int) -> None:
    """A given name of the lists that is no other word: what follows a relation mostly is what the relative has or does."""
    text = reader.text
    found = _RELATIVE.match(text, stop, stop + _LONGEST)
    if found is None or not _is_given(found[1]) or _is_known(reader, place, found.start(1), found.end()):
        return
    second = found[2]
    whole = second is not None and not is_clinical(second.casefold()) and second.casefold() not in EPONYMS
    reader.put(found.start(1), found.end(2 if whole else 1), "name", None)


def _signed(reader: Reader, start: int, stop: int) -> None:
    """Two capitalized words before a degree, or an initial and one."""
    text = reader.text
    found = _SIGNED.search(text, max(0, start - _LONGEST), start)
    if found is None or found.start(1) < reader.end or _ZIP.match(text, stop):
        return
    words = found[1].replace(".", "").casefold().split()
    if not any(map(is_clinical, words)):
        reader.put(found.start(1), found.end(1), "name", None)


def _is_known(reader: Reader, place: int, start: int, stop: int) -> bool:
    """Whether a term of the dossier begins there, which has a fake of its own."""
    for later in range(place + 1, reader.stop):
        if reader.starts[later] >= stop:
            return False
        if reader.codes[later] >= 0 and reader.starts[later] >= start:
            return True
    return False


@cache
def _given() -> frozenset[str]:
    names = {name.casefold() for sex in ("female", "male", None) for name in given_names(sex)}
    return frozenset(names - COMMON - EPONYMS)


def _is_given(word: str) -> bool:
    return len(word) > 2 and word.casefold() in _given()
