"""Whether names of files tell of people: `Joe_Bloggs_6d75.json` would stay where masked data is shared.

A name is taken apart into its words. Words of humans' names, and ids and numbers of theirs, must not be among them, nor
what some consecutive words make together. Dates are not looked for: an export bears the day on which it was made.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from masking.fhir.elements import resource_types
from masking.identity.entries import decode_entries
from masking.identity.facts import Facts, Name
from masking.identity.names import TYPES
from masking.identity.store import Store, bucket_path, read_rows

_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_PIECES = re.compile(r"[\s\-]+")
#: A UUID has five words, a telephone number with its country four.
_TOGETHER = 6
#: What is shorter tells nobody: `Jo`, `12`.
_LEAST_LETTERS, _LEAST_DIGITS = 3, 6
_HUMANS = frozenset(TYPES) - {"Organization", "PractitionerRole"}
#: Words of file names, and no sign of anybody: types, suffixes, and what exporters call their files.
_OWN = frozenset(
    {name.casefold() for name in resource_types()}
    | {"ndjson", "jsonl", "json", "gz", "bz2", "zst", "parquet", "snappy"}
)


def telling_names(names: Iterable[str], folder: str) -> set[str]:
    """Those of the names (of files, or of folders) that tell of somebody whom the store of people in `folder` knows."""
    by_word: dict[str, set[str]] = {}
    for name in names:
        for word in _words_of(name):
            by_word.setdefault(word, set()).add(name)
    found: set[str] = set()
    if by_word:
        for facts in _everybody(folder):
            for word in _told_by(facts):
                found |= by_word.get(word, set())
    return found


def _everybody(folder: str) -> Iterator[Facts]:
    store = Store.open(folder)
    for number in store.buckets:
        for _, payload in read_rows(bucket_path(folder, number)):
            for entry in decode_entries(payload):
                if entry.facts is not None:
                    yield entry.facts


def _words_of(name: str) -> set[str]:
    """The words of a file's name, with and without the digits in them, and what consecutive ones make together."""
    words = [word for word in _WORD.findall(_plain(name)) if word not in _OWN]
    letters = [part for word in words for part in _LETTERS.findall(word)]
    together = ("".join(words[at : at + count]) for at in range(len(words)) for count in range(1, _TOGETHER + 1))
    return {*words, *letters, *together}


def _told_by(facts: Facts) -> Iterator[str]:
    """What would tell of somebody, as `_words_of` spells it."""
    numbers = [
        facts.key,
        *(number.value for number in facts.identifiers),
        *(name.partition("/")[2] for name in facts.known_as),
    ]
    numbers += [telecom.value for telecom in facts.telecoms]
    for number in numbers:
        plain = "".join(_WORD.findall(_plain(number)))
        if len(plain) >= _LEAST_DIGITS and not plain.isalpha():
            yield plain
    if facts.resource_type in _HUMANS:
        names = [*facts.names, *(name for contact in facts.contacts for name in contact.names)]
        for name in names:
            yield from _name_words(name)


def _name_words(name: Name) -> Iterator[str]:
    """Each word, and what is written as one: `obrien` of O'Brien, `vandermeer` of Van der Meer."""
    for text in (name.family, *name.given, name.text):
        words = _LETTERS.findall(_plain(text))
        pieces = ["".join(_LETTERS.findall(piece)) for piece in _PIECES.split(_plain(text))]
        for word in {*words, *pieces, "".join(words)}:
            if len(word) >= _LEAST_LETTERS or (word and not word.isascii()):
                yield word


def _plain(text: str) -> str:
    """Lower case without accents."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()
