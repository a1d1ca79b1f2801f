"""Of whom more is known than was: which documents that bears on, and since when.

A document bears on somebody if it holds a *token* of his: the last part of an id, a reference, an identifier's value or
a fullUrl. Tokens err on the safe side alone: a document that holds another's token is masked once more and comes out as
it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

import msgspec

from masking.identity.facts import Facts, merge
from masking.identity.names import split

_TEXT = re.compile(rb'"(?:id|reference|value|fullUrl)"\s*:\s*("(?:[^"\\]|\\.)+")')
_LAST = re.compile(r"[/:]")
_text = msgspec.json.Decoder(str).decode


def tokens_in(document: bytes) -> set[str]:
    """All tokens of a document."""
    found = set()
    for spelled in set(_TEXT.findall(document)):
        try:
            found.add(token_of(_text(spelled)))
        except msgspec.DecodeError:  # the document is damaged, and will be told so
            continue
    return found


def token_of(text: str) -> str:
    """The token of an id, a reference in any form, an identifier's value, a name or a key; in lower case, for UUIDs fold."""
    rest = unquote(text) if "?" in text else text
    rest = rest.rsplit("|", 1)[-1].split("/_history/", 1)[0]
    rest = rest.split("#", 1)[0] or rest
    return _LAST.split(rest)[-1].lower()


def keys_of(facts: Facts) -> set[str]:
    """The tokens of those whose documents a record bears on: its own, its other names', and its relatives', for a relative's
    name stands in the notes of both.
    """
    names = (facts.key, *facts.spellings, *facts.same, *facts.relatives)
    return {token_of(_plain(name)) for name in names}


def bears_on(facts: Facts) -> Iterator[str]:
    """The keys of others who stand in what is said of a record's subject; when more is known of them, it bears on him."""
    for name in {*facts.carers, *facts.relatives, *facts.same, *(one.who for one in facts.met if one.who)}:
        yield split(name)[1]


class Growth:
    """What is known of one key, record by record in the order of runs, and the last run that added to it."""

    def __init__(self) -> None:
        self.last = -1
        self.tokens: set[str] = set()
        self._known: dict[str, Facts] = {}

    def add(self, run: int, facts: Facts) -> None:
        """What a run's files say of a record with this key."""
        before = self._known.get(facts.name)
        parts: Iterable[Facts] = (facts, facts) if before is None else (before, facts)
        after = merge(parts, facts.resource_type, facts.key)
        if after != before:
            self.last = run
            self._known[facts.name] = after
            self.tokens |= keys_of(after)

    def tie(self, key: str) -> None:
        """Somebody in whose documents whoever has this key is named."""
        self.tokens.add(token_of(_plain(key)))


def _plain(spelled: str) -> str:
    """A key as text; keys are spelled as between JSON's quotes."""
    return _text(f'"{spelled}"') if "\\" in spelled else spelled
