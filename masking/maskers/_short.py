"""Names in short, in displays as texts have them: `Bill Smith` of whom the record calls William."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from masking.pools.names import BREAKS
from masking.scrub.characters import fold
from masking.scrub.spellings import cased
from masking.scrub.vocabulary import nicknames


class Formal(NamedTuple):
    """A name with the given name of the record in place of another form of it.

    at: which of its pieces that is. found: what stood there. is_short: whether that was the short form.
    """

    text: str
    at: int
    found: str
    is_short: bool


def formal(text: str, told: Mapping[str, str | None]) -> Formal | None:
    """A display with the record's own given name where it has a short or a long form of it; None where it has none.

    told: `given` and `family` of the record's names, by spaces. A word that is a name of the record stays.
    """
    given = (told.get("given") or "").split()
    names = {fold(word) for word in (*given, *(told.get("family") or "").split())}
    pieces = BREAKS.split(text)
    for at in range(0, len(pieces), 2):
        word = fold(pieces[at])
        if not word or word in names:
            continue
        for own in given:
            is_short = word in nicknames().get(fold(own), ())
            if is_short or fold(own) in nicknames().get(word, ()):
                whole = [*pieces[:at], cased(own, pieces[at]), *pieces[at + 1 :]]
                return Formal("".join(whole), at, pieces[at], is_short)
    return None


def shortened(name: Formal, fake: str | None, fake_given: str | None) -> str | None:
    """The fake of a formal name with the short form of its given name, where the source had a short one.

    fake_given: what the record's given name becomes alone. The short form is the one that texts show.
    """
    if fake is None or fake_given is None or not name.is_short:
        return fake
    short = next(iter(nicknames().get(fold(fake_given), ())), "").title() or fake_given
    pieces = BREAKS.split(fake)
    places = [at for at in range(0, len(pieces), 2) if fold(pieces[at]) == fold(fake_given)]
    if places:
        pieces[places[0]] = cased(short, name.found)
    return "".join(pieces)
