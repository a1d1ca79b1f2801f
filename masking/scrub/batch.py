"""The arrays of a batch, as the compiled loops pass them on: texts, what is known, tokens, answers."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np

from masking.native import Bytes, Hashes, Ints, Of, Points

#: Codes of tokens; what is of the dossier has the number of its entry, 0 and up.
NUMBER, HEX, AT, LINK = -1, -2, -3, -4
#: Dates that the scan answers, `01/09/1964`, `1964-01-09`, `January 9, 1964`; the token's hint is yyyymmdd.
SLASHED, DASHED, WRITTEN = -5, -6, -7
#: The slash of what may be a reference to a resource: `Patient/123`.
REFERENCE = -8
#: The vocabulary's classes count down from here: words that say what stands beside them.
WORDS = -10
WWW, MONTH, WEEKDAY, TITLE, SPELLED, LABEL, WORK = (WORDS - number for number in range(7))
#: Hints of a known name that is one wherever it stands: as the fake is written, in capitals, in lower case.
ASK, TITLED, CAPITALS, SMALL = range(4)
#: In a text's row: its dates are not moved by the scan.
NO_DAYS = -(1 << 30)
#: Numbers in a text's row.
ROW = 6

#: What takes a place: a fake as it is; its letters and digits in the punctuation found; a text that was made for it; a
#: day in one of three spellings.
AS_IS, POURED, MADE, SLASHES, DASHES, WORDED = range(6)
#: Answers that one token may have at most: an initial, the name, a middle initial; or a weekday and a date.
MOST = 3


class Texts(NamedTuple):
    """Code points one text behind the other, where each begins (and the end), and a row of six numbers a text.

    A row: where in `Lexicon.parts` the parts of the text's dossier begin, and how many they are; the length of its longest
    phrase; its days; where its birth dates begin, and how many they are.
    """

    points: Points
    bounds: Ints
    rows: Ints


#: A place in the table of phrases. Its key is a hash and the part of a dossier (a person, mostly) that the phrase is
#: known from, -1 where the place is empty. name: the entry whose own phrase that is, with its bits, or 2 where phrases
#: merely begin with it; nickname: the same for short forms. See `lookup.put_phrase`.
PHRASE = np.dtype([("digest", np.uint64), ("part", np.int32), ("name", np.int32), ("nickname", np.int32)], align=True)
Phrases: TypeAlias = Annotated[Any, Of(PHRASE)]


class Lexicon(NamedTuple):
    """Classes and folds of characters; what is known: the phrases of all parts, a bit for each hash that is one of theirs,
    and the parts of all dossiers; the table of the vocabulary; and pairs of birth dates.
    """

    classes: Bytes
    folds: Points
    phrases: Phrases
    bits: Bytes
    parts: Ints
    word_keys: Hashes
    word_values: Ints
    births: Ints


class Tokens(NamedTuple):
    """Starts and stops (in their text), codes and hints of all tokens; and where those of each text begin, with the end."""

    starts: Ints
    stops: Ints
    codes: Ints
    hints: Ints
    bounds: Ints


class Fakes(NamedTuple):
    """Of each entry: the number of its kind, its mode, letters and digits of its fake, and forms.

    A mode is -1 where Python must be asked, else as in `spellings`; 4 is text that stands for itself with a capital only.

    symbols: -1 where the fake is never poured. Three forms an entry (as it is, upper, lower) lie in `points`; form i
    is at bounds[i] to bounds[i + 1].
    """

    kinds: Ints
    modes: Ints
    symbols: Ints
    bounds: Ints
    points: Points


class Links(NamedTuple):
    """Starts of e-mail addresses and URLs in their text, and where those of each text begin, with the end."""

    starts: Ints
    bounds: Ints


class State(NamedTuple):
    """How far each text is: its next token, the end of what was found, its next link, the token a link was taken at."""

    places: Ints
    ends: Ints
    links: Ints
    taken: Ints


class Answers(NamedTuple):
    """What was found: start, stop, kind, form, and of the form an offset and a size; the number of answers a text.

    A text has `MOST` places for each of its tokens, in the order of the tokens.
    """

    starts: Ints
    stops: Ints
    kinds: Ints
    forms: Ints
    offsets: Ints
    sizes: Ints
    counts: Ints


def ints(size: int) -> Ints:
    """Zeros."""
    return np.zeros(size, dtype=np.int32)
