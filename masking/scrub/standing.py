"""Whether a word that is a name of somebody and a word of the language stands as a name where it was found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from masking.scrub.vocabulary import COMMON, CREDENTIALS, MONTHS, RELATIONS, level_of

if TYPE_CHECKING:
    from masking.scrub.reader import Reader
    from masking.scrub.spellings import Entry

#: Before a name.
_CUE = re.compile(
    r"(?:\b(?:mr|mrs|ms|miss|mx|dr|prof|professor|doctor|nurse|sir|patient|pt|name[ds]?|named|called|dear|attn|attention|"
    r"daughter|son|wife|husband|mother|father|mom|dad|brother|sister|aunt|uncle|cousin|friend|spouse|partner|neighbou?r|"
    r"caregiver|grandmother|grandfather|grandson|granddaughter|niece|nephew|guardian|signed|provider|physician|"
    r"attending|resident|re|hi|hello|thank you|thanks)\b\.?\s*[:,]?\s*|\b[A-Z]\.\s)$",
    re.IGNORECASE,
)
#: Behind a given name that begins a sentence.
_SAYS = re.compile(
    r"\s+(?:is|was|has|had|says?|said|states?|stated|reports?|reported|denies|denied|presents?|presented|came|comes|called|"
    r"complains?|complained|arrived|returns?|returned|feels?|felt|lives?|works?|takes?|took|wants?|tells?|told|went|did|does|"
    r"continues|keeps?|kept|will\s+be|needs|appears?|looks|seems|underwent|received|tolerated|agrees?|remains|admits|describes|endorses|requests|asks?|"
    r"and\s+(?:his|her|their)|'s)\b",
    re.IGNORECASE,
)
#: Behind somebody who is spoken to.
_ADDRESSED = re.compile(
    r",\s+(?:please|come|bring|take|do|don't|you|your|we|remember|call|see|stop|start|keep|drink|eat|fast|return|make|have|"
    r"thank|it\s+was|as\s+discussed|if\s+you)\b",
    re.IGNORECASE,
)
#: Behind a name: what the person is to the patient, or a degree.
_IS_WHO = re.compile(
    r"\s*(?:\((?:(?:the|his|her|their|pt'?s?|patient['’]s)\s+)?|,\s+(?:the|his|her|their|pt'?s|patient['’]s)\s+)"
    rf"(?:{'|'.join(sorted(RELATIONS))})\b|,?\s+(?:{'|'.join(sorted(word.upper() for word in CREDENTIALS))})\b"
)
_DATE_BEFORE = re.compile(
    r"\b(?:in|by|since|until|till|last|next|of|early|late|mid|this|during|from|through|to|[0-9]{1,2}(?:st|nd|rd|th)?)[\s-]+$",
    re.IGNORECASE,
)
_DATE_BEHIND = re.compile(r"[.,]?\s+['’]?[0-9]")
_APART = re.compile(r"(?:,?[ \t]+|-|\n)(?:[A-Z]\.?\s)?")
#: Before a name in quotes or brackets: `William "Bill" Smith`.
_ASIDE = re.compile(r",?\s{1,2}[(\"“'‘\[]")
#: At most three words, which may end a sentence.
_FEW_WORDS = re.compile(r"(?:['’]s)?[,.;]?\s(?:[\w'’-]{1,20}[,.;:]?\s){0,3}")
_NAMES = frozenset(("given", "family", "name"))
#: Given names that in small letters are likelier these.
_VERBS = frozenset(("will", "mark", "grant", "chase", *MONTHS))
_SENTENCE = re.compile(r"(?:^|[.!?:;\n\r•*|>\"“(]|-\s)\s*$")


def is_name(reader: Reader, place: int, start: int, stop: int, entry: Entry) -> bool:
    """Whether the word at `start` is a name: by its capital, its neighbours, and what stands before and behind it."""
    text = reader.text
    spelled = text[start:stop]
    if not spelled[0].isupper():
        return _is_small_name(reader, place, start, stop, entry)
    if _beside_name(reader, place, start, stop):
        return True
    if _CUE.search(text, max(0, start - 20), start) or _IS_WHO.match(text, stop):
        return True
    if entry.folded in MONTHS and (
        _DATE_BEHIND.match(text, stop) or _DATE_BEFORE.search(text, max(0, start - 8), start)
    ):
        return False
    if spelled.isupper() and len(spelled) > 1:
        if entry.kind == "given" and len(spelled) > 2 and entry.folded not in COMMON and _follows_name(reader, start):
            return True
        return entry.kind == "city" and level_of(entry.folded) == 0
    if entry.level == 1 and entry.folded not in COMMON:
        return True  # a short name that is no word: its capital is enough
    if text[stop : stop + 2] in ("'s", "’s"):
        return entry.level == 1 or not _SENTENCE.search(text, max(0, start - 4), start)
    begins = _SENTENCE.search(text, max(0, start - 4), start) is not None
    if entry.kind == "given" and begins and (_SAYS.match(text, stop) or _ADDRESSED.match(text, stop)):
        return True
    return entry.level == 1 and not begins


def _is_small_name(reader: Reader, place: int, start: int, stop: int, entry: Entry) -> bool:
    """`bob smith`: a given name in small letters before a family name that is one wherever it stands."""
    text = reader.text
    if entry.kind != "given" or entry.level > 1 or entry.folded in _VERBS or text[stop : stop + 1] != " ":
        return False
    for later in range(place + 1, min(place + 4, reader.stop)):
        if reader.starts[later] == stop + 1 and reader.codes[later] >= 0:
            other = reader.entries[reader.codes[later]]
            return other.kind == "family" and other.level == 0 and text[stop + 1].islower()
    return False


def _follows_name(reader: Reader, start: int) -> bool:
    """Whether a name in capitals too was found a few words before: `ROB SMITH is well. ROB left.`"""
    last = reader.before()
    if last is None or last[2] not in _NAMES or not _is_capitals(reader.text[last[0] : last[1]]):
        return False
    return _FEW_WORDS.fullmatch(reader.text, last[1], start) is not None


def _is_aside(reader: Reader, last: tuple[int, int, str], start: int, stop: int) -> bool:
    """Whether it stands in quotes or brackets behind the name found last; in capitals only where that is: `Smith (PAT)`."""
    text = reader.text
    if _is_capitals(text[start:stop]) and not _is_capitals(text[last[0] : last[1]]):
        return False
    return _ASIDE.fullmatch(text, last[1], start) is not None


def _is_capitals(spelled: str) -> bool:
    return len(spelled) > 1 and spelled.isupper()


def _beside_name(reader: Reader, place: int, start: int, stop: int, most: int = 2) -> bool:
    """Whether another name of the dossier stands beside it, or an initial between the two; one in quotes may follow a name.

    most: how many names that are words as well may stand between it and the name that is none.
    """
    text, last = reader.text, reader.before()
    if last and last[2] in _NAMES and (_APART.fullmatch(text, last[1], start) or _is_aside(reader, last, start, stop)):
        return text[last[0]].isupper()
    entries, codes, starts = reader.entries, reader.codes, reader.starts
    for later in range(place + 1, min(place + 4, reader.stop)):
        if starts[later] >= stop:
            if codes[later] >= 0 and entries[codes[later]].kind in _NAMES:
                if not text[starts[later]].isupper() or not _APART.fullmatch(text, stop, starts[later]):
                    return False
                other = entries[codes[later]]
                # Two words of the language side by side ('Chest Pain') are a name if one is given, one family.
                if other.kind != entry_kind(reader, place) or other.level == 0:
                    return True
                # 'Bill Bob Smith'
                return most > 0 and _beside_name(reader, later, starts[later], reader.stops[later], most - 1)
            if starts[later] > stop + 4:
                return False
    return False


def entry_kind(reader: Reader, place: int) -> str:
    """The kind of the entry that a token is of."""
    return reader.entries[reader.codes[place]].kind
