"""What is of the dossier and needs a look around: names that are words as well, initials; and names behind a title."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from masking.scrub.spellings import NAME, NUMBER, TEXT, WHOLE, Entry, cased, pour
from masking.scrub.standing import is_name
from masking.scrub.vocabulary import TITLES, is_eponym

if TYPE_CHECKING:
    from masking.scrub.reader import Reader

_UNKNOWN_NAME = re.compile(
    r"\.?\s{1,2}((?:[A-Z]\.?\s)?[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)*(?:\s(?:[A-Z]\.\s)?[A-Z][a-z]+(?:['’-][A-Z]?[a-z]+)*)?)"
)
#: Of `Smith, C. difficile` the letter is the germ's.
_INITIALS_BEHIND = re.compile(
    r", ?([^\W\d_a-z])(?![\w'’-])(?!\.? (?:coli|diff|difficile|aureus|pneumoniae|faecalis|albicans|pylori|baumannii)\b)"
    r"(?:\. ?([^\W\d_a-z])(?=\.))?"
)
_LABEL_MARK = re.compile(r"\s*[:#]\s*|\s+")
_NO_SURNAME = frozenset(
    {"who", "and", "or", "of", "in", "on", "at", "the", "is", "was", "has", "to", "for", "with", "said", "states"}
    | {"notes", "office", "clinic", "today"}
)


_FIRM = (
    r"(?:the\s+)?(?P<firm>(?P<first>[^\W\d_a-z][\w'’]*)"
    r"(?:(?:,?\s+(?:and|&|of)\s+|,\s+|\s+|-)[^\W\d_a-z][\w'’]*)*(?:\s+and\s+Sons\b)?)"
)
#: `works as a cook for Hill and Sons`, `employed by Acme`, `Employer: Acme`; never over a number, for that may be a date.
_EMPLOYED = re.compile(
    rf"(?:\s+as\s+[^.;:\n\d]{{2,70}}?)?\s+(?P<how>for|at|by|with)\s+{_FIRM}|\s*(?::|is|was)\s*{_FIRM.replace('?P<', '?P<is_')}"
)


def known(reader: Reader, place: int, start: int, stop: int) -> None:
    """An entry of the dossier."""
    entry = reader.entries[reader.codes[place]]
    if entry.level and not is_name(reader, place, start, stop, entry):
        return
    if entry.mode in (NAME, WHOLE):
        _name(reader, start, stop, entry)
        return
    if entry.mode == NUMBER and entry.folded:
        _labelled(reader, start, stop, entry)
        return
    new = _as_found(entry.fake, entry.mode, reader.text[start:stop])
    if new[:1] == "+" and start and reader.text[start - 1] == "+":
        new = new[1:]
    reader.put(start, stop, entry.kind, new, "known")


def _labelled(reader: Reader, start: int, stop: int, entry: Entry) -> None:
    """A number whose label is of it in the record: where it stands as a word of the text, it stays."""
    spelled, fake = reader.text[start:stop], entry.fake
    size = len(entry.folded)
    behind = _LABEL_MARK.match(spelled, size)
    if behind is not None and spelled[:size].casefold() == entry.folded and fake[:1] != "[":
        start, spelled = start + behind.end(), spelled[behind.end() :]
        fake = "".join(filter(str.isalnum, fake))[size:]
    reader.put(start, stop, entry.kind, pour(fake, spelled), "known")


def _as_found(fake: str, mode: int, spelled: str) -> str:
    """A fake in the spelling found."""
    if mode == NUMBER:
        return pour(fake, spelled)
    return cased(fake, spelled) if mode in (WHOLE, TEXT) and spelled.isupper() else fake


def _name(reader: Reader, start: int, stop: int, entry: Entry) -> None:
    text = reader.text
    last = reader.before()
    is_beside = last is not None and last[2] == "given" and text[last[1] : start] == " "
    if is_eponym(entry.folded, text, start, stop, is_beside=is_beside):
        return
    # 'J. Smith' and 'John Q. Smith': the initial before it goes with the name.
    if start > 1 and text[start - 1] == " ":
        initial = start - 3 if text[start - 2] == "." else start - 2
        is_apart = initial >= reader.end and initial >= 0 and not text[initial - 1 : initial].isalnum()
        if is_apart and text[initial].isupper():
            last = reader.before()
            named = entry.kind == "family" or (last is not None and last[2] == "given" and reader.end == initial - 1)
            if named and (text[start - 2] == "." or _is_initial(reader, initial)):
                for at in (*_initial_before(reader, initial), initial):
                    reader.put(at, at + 1, "given", _initial(reader, text[at]), "known")
    reader.put(start, stop, entry.kind, cased(entry.fake, text[start:stop]), "known")
    if entry.kind == "given" and text[stop : stop + 1] == " ":
        middle_initial(reader)
    elif text[stop : stop + 1] == ",":
        _initials_behind(reader, stop)


def _initials_behind(reader: Reader, stop: int) -> None:
    """`Smith, J.` and `Smith, J. Q.`: initials of the dossier behind a name and a comma."""
    found = _INITIALS_BEHIND.match(reader.text, stop)
    if found is None or not found[1].isupper() or found[1].lower() not in reader.known.initials:
        return
    for group in (1, 2):
        if found[group]:
            reader.put(*found.span(group), "given", _initial(reader, found[group]), "known")


def _initial_before(reader: Reader, initial: int) -> Iterator[int]:
    """Where the first one of `J. Q. Smith` or `J.Q. Smith` stands, if it is one of the dossier's."""
    text = reader.text
    at = initial - 3 if text[initial - 2 : initial] == ". " else initial - 2
    if at >= reader.end and at >= 0 and text[at + 1] == "." and not text[at - 1 : at].isalnum():
        if text[at].isupper() and text[at].lower() in reader.known.initials:
            yield at


def _initial(reader: Reader, letter: str) -> str:
    return reader.known.initials.get(letter.lower(), "X")


def _is_initial(reader: Reader, at: int) -> bool:
    """Whether one capital without a dot is an initial: one of the dossier's, or between two names."""
    last = reader.before()
    between = last is not None and last[1] == at - 1 and last[2] == "given"
    return between or reader.text[at].lower() in reader.known.initials


def middle_initial(reader: Reader) -> None:
    """`Smith, John Q.`: an initial behind a given name, found last, that stands behind the family name."""
    text, last, family = reader.text, reader.before(), reader.before(2)
    if last is None or family is None:
        return
    start, stop, _ = last
    letter, after = text[stop + 1 : stop + 2], text[stop + 2 : stop + 3]
    if letter.isupper() and text[family[1] : start] == ", " and not after.isalnum():
        reader.put(stop + 1, stop + 2, "given", _initial(reader, letter), "known")


def title(reader: Reader, place: int, start: int, stop: int) -> None:
    """`Dr. Somebody` whom the dossier does not know."""
    text = reader.text
    if not text[start].isupper():
        return
    for later in range(place + 1, min(place + 4, reader.stop)):
        if reader.codes[later] >= 0 and reader.starts[later] <= stop + 12:
            return  # somebody known
    unknown = _UNKNOWN_NAME.match(text, stop)
    if unknown is None or unknown[1].casefold() in _NO_SURNAME:
        return
    if text[start:stop].casefold() == "nurse" and unknown[1].isupper():
        return
    reader.put(unknown.start(1), unknown.end(1), "name", None)


def employer(reader: Reader, place: int, start: int, stop: int) -> None:
    """The firm behind `works for`; of strangers, for whom no record has a name."""
    text, word = reader.text, reader.text[start:stop].lower()
    found = _EMPLOYED.match(text, stop, stop + 200)
    if found is None:
        return
    how, group = found["how"], "firm" if found["how"] else "is_firm"
    first = found["first"] or found["is_first"]
    if how is None and word != "employer":
        return
    if how is not None and (
        word == "employer" or how not in (("by", "at", "with") if word == "employed" else ("for", "at"))
    ):
        return
    # 'worked for HTN': a short word in capitals is a disease as well
    if first.casefold() in TITLES or (how == "for" and found[group] == first and first.isupper()):
        return
    begin, end = found.span(group)
    for later in range(place + 1, reader.stop):
        if reader.starts[later] >= begin:
            break
        if reader.codes[later] >= 0:  # somebody known, before the firm: `works as Smith's driver for Acme`
            known(reader, later, reader.starts[later], reader.stops[later])
    if reader.end <= begin:
        reader.put(begin, end, "employer", None)
