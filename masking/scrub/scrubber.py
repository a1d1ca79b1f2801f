"""The scrubber: tokens of a batch to spans, spans to text."""

from __future__ import annotations

import gc
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from masking.scrub import dates, shapes
from masking.scrub.dossier import NAME, NUMBER, TEXT, WHOLE, Known, cased, pour
from masking.scrub.scan import AT, DASHED, HEX, LINK, SLASHED, Tokens, tokens
from masking.scrub.scan import NUMBER as DIGITS
from masking.scrub.standing import is_name
from masking.scrub.terms import Dossier, Found, Scrubbed, Span
from masking.scrub.vocabulary import LABEL, MONTH, SPELLED, TITLE, WWW, is_eponym, words

#: Distinct values of one kind to their fakes; None where one cannot be read.
Masker = Callable[[list[str]], Sequence[str | None]]

_DOSSIERS = 4096  # compiled ones kept: some 10 KB each
_ANSWERS = 1 << 16  # fakes of shaped values kept
_BATCH = 1 << 20  # characters that are scanned in one go
_UNKNOWN_NAME = re.compile(
    r"\.?\s{1,2}((?:[A-Z]\.?\s)?[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)*(?:\s(?:[A-Z]\.\s)?[A-Z][a-z]+(?:['’-][A-Z]?[a-z]+)*)?)"
)
_NO_SURNAME = frozenset(
    {"who", "and", "or", "of", "in", "on", "at", "the", "is", "was", "has", "to", "for", "with", "said", "states"}
    | {"notes", "office", "clinic", "today"}
)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: thousands of small tuples would set it off, and none is in a cycle."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class _Memory:
    """What a process keeps between batches: compiled dossiers and fakes of shaped values. Never pickled."""

    __slots__ = ("answers", "by_identity", "known")

    def __init__(self) -> None:
        self.known: OrderedDict[Dossier, Known] = OrderedDict()
        self.by_identity: dict[int, tuple[Dossier, Known]] = {}
        self.answers: dict[tuple[str, str], str | None] = {}

    def compiled(self, dossier: Dossier) -> Known:
        kept = self.by_identity.get(id(dossier))
        if kept is not None and kept[0] is dossier:
            return kept[1]
        known = self.known.get(dossier)
        if known is None:
            if len(self.known) >= _DOSSIERS:
                self.known.popitem(last=False)
            known = self.known[dossier] = Known(dossier)
        else:
            self.known.move_to_end(dossier)
        if len(self.by_identity) >= _DOSSIERS:
            self.by_identity.clear()
        self.by_identity[id(dossier)] = (dossier, known)
        return known


@dataclass(frozen=True)
class Scrubber:
    """Replaces every identifier in texts.

    maskers: by kind, the bound maskers of the shaped: phone, ssn, email, url, ip, mac, uuid, mrn, account, health_plan,
    license, plate, device, npi, dea, vin, zip, name; `identifier` answers for kinds of numbers that have none of their
    own. What no masker answers becomes `[kind]`. day_first: `3/4/2024` is 3 April.
    """

    maskers: Mapping[str, Masker] = field(default_factory=dict, repr=False, hash=False)
    day_first: bool = False
    _memory: _Memory = field(init=False, repr=False, compare=False, default_factory=_Memory)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the memory: it holds people, and a worker fills its own.
        return type(self), (dict(self.maskers), self.day_first)

    def scrub(self, texts: Sequence[str], dossiers: Sequence[Dossier]) -> list[Scrubbed]:
        """The texts without identifiers, each by its own dossier; where nothing is found, the very text."""
        with _uncollected():
            return self._scrub(texts, dossiers)

    def _scrub(self, texts: Sequence[str], dossiers: Sequence[Dossier]) -> list[Scrubbed]:
        return [
            Scrubbed(_written(text, found), tuple([_new(Span, one[:4]) for one in found]))
            if found
            else Scrubbed(text, ())
            for text, found in zip(texts, self.find(texts, dossiers), strict=True)
        ]

    def find(self, texts: Sequence[str], dossiers: Sequence[Dossier]) -> list[list[Found]]:
        """Of each text its identifiers in order, and what takes their places."""
        if len(texts) != len(dossiers):
            raise ValueError("as many dossiers as texts")
        with _uncollected():
            return self._find_all(texts, dossiers)

    def _find_all(self, texts: Sequence[str], dossiers: Sequence[Dossier]) -> list[list[Found]]:
        compiled = self._memory.compiled
        known = [compiled(dossier) for dossier in dossiers]
        answer: list[list[Found]] = []
        start, size = 0, 0
        for place, text in enumerate(texts):
            size += len(text)
            if size >= _BATCH or place == len(texts) - 1:
                answer += self._find(texts[start : place + 1], known[start : place + 1])
                start, size = place + 1, 0
        return answer

    def _find(self, texts: Sequence[str], known: Sequence[Known]) -> list[list[Found]]:
        seen = tokens(texts, [one.table for one in known], words())
        answer: list[list[Found]] = []
        at = 0
        asking: list[int] = []
        for text, one, count, linked in zip(texts, known, seen.counts, seen.links, strict=True):
            if count:
                reader = Reader(text, one, seen, at, at + count, self.day_first)
                answer.append(reader.read(linked > 0))
                if reader.asks:
                    asking.append(len(answer) - 1)
                at += count
            else:
                answer.append([])
        if asking:
            asked = self._ask([texts[place] for place in asking], [answer[place] for place in asking])
            for place, found in zip(asking, asked, strict=True):
                answer[place] = found
        return answer

    def _ask(self, texts: Sequence[str], answer: list[list[Found]]) -> list[list[Found]]:
        """Fill in what only maskers know: each is asked once, for all that the memory does not hold."""
        memory = self._memory.answers
        if len(memory) > _ANSWERS:
            memory.clear()
        wanted: dict[str, dict[str, None]] = {}
        for text, found in zip(texts, answer, strict=True):
            for one in found:
                if one.new is None:
                    value = text[one.start : one.stop]
                    if (one.kind, value) not in memory:
                        wanted.setdefault(one.kind, {})[value] = None
        for kind, values in wanted.items():
            masker = self.maskers.get(kind) or (self.maskers.get("identifier") if kind in _NUMBERS else None)
            asked = list(values)
            fakes: Sequence[str | None] = masker(asked) if masker else [None] * len(asked)
            for value, fake in zip(asked, fakes, strict=True):
                memory[kind, value] = f"[{kind}]" if fake is None or fake == value else fake
        return [
            [
                one if one.new is not None else one._replace(new=memory[one.kind, text[one.start : one.stop]])
                for one in found
            ]
            for text, found in zip(texts, answer, strict=True)
        ]


#: Builds a named tuple of a tuple at a third of the cost of calling its class.
_new = tuple.__new__

#: Kinds that the masker `identifier` can answer for.
_NUMBERS = frozenset(
    ("mrn", "account", "health_plan", "license", "plate", "device", "npi", "dea", "uuid", "mac", "vin")
)


def _written(text: str, found: Sequence[Found]) -> str:
    pieces = []
    at = 0
    for start, stop, _, _, new in found:
        pieces.append(text[at:start])
        pieces.append(new or "")
        at = stop
    pieces.append(text[at:])
    return "".join(pieces)


class Reader:
    """One text: walks its tokens from left to right; what is found never overlaps what was found before."""

    __slots__ = (
        "asks",
        "codes",
        "day_first",
        "end",
        "found",
        "hints",
        "known",
        "links",
        "place",
        "starts",
        "stop",
        "stops",
        "text",
    )

    def __init__(self, text: str, known: Known, seen: Tokens, place: int, stop: int, day_first: bool) -> None:
        self.text, self.known, self.day_first = text, known, day_first
        self.starts, self.stops, self.codes, self.hints = seen[:4]
        self.place, self.stop = place, stop
        self.end = 0
        self.asks = False
        self.found: list[Found] = []
        self.links: list[tuple[int, int, str]] = []

    def read(self, linked: bool) -> list[Found]:  # noqa: PLR0912, PLR0915 (the hot loop)
        """All that is found."""
        found, put, text, end, links = self.found, self.found.append, self.text, 0, self.links
        starts, stops, codes, hints, forms = self.starts, self.stops, self.codes, self.hints, self.known.forms
        if linked:
            self._find_links()
        memo = self.known.memo
        for place in range(self.place, self.stop):
            start = starts[place]
            if start < end:
                continue
            if links and start >= links[0][0]:
                self._take_link()
                end = self.end
                if start < end:
                    continue
            code, hint = codes[place], hints[place]
            if hint:  # answered by the scan
                stop = stops[place]
                if code >= 0:
                    form = forms[code]
                    put(_new(Found, (start, stop, form[0], "known", form[hint])))
                    if form[0] == "given" and text[stop : stop + 1] == " " and found[-2:-1]:
                        self.end = stop
                        self._middle_initial(start, stop)
                        stop = self.end
                elif code == SLASHED:
                    if self.day_first:
                        self._number(start, stop)
                        end = self.end
                        continue
                    day = f"{hint // 100 % 100:02d}/{hint % 100:02d}/{hint // 10000:04d}"
                    put(_new(Found, (start, stop, "date", "shaped", day)))
                elif code == DASHED:
                    day = f"{hint // 10000:04d}-{hint // 100 % 100:02d}-{hint % 100:02d}"
                    put(_new(Found, (start, stop, "date", "shaped", day)))
                else:
                    day = f"{dates.MONTH_NAMES[hint // 100 % 100 - 1]} {hint % 100}, {hint // 10000:04d}"
                    put(_new(Found, (start, stop, "date", "shaped", day)))
                self.end = end = stop
                continue
            if code >= 0:
                stop = stops[place]
                before = memo.get(text[start:stop])
                if before is not None:
                    put(_new(Found, (start, stop, before[0], "known", before[1])))
                    self.end = end = stop
                    continue
                self._known(place, start, stop, code)
            else:
                self._shape(place, code, start, stops[place])
            end = self.end
        while self.links:
            self._take_link()
        return found

    def _known(self, place: int, start: int, stop: int, code: int) -> None:
        entry, text, memo = self.known.entries[code], self.text, self.known.memo
        if entry.mode in (NAME, WHOLE):
            self._name(place, start, stop, entry)
            return
        if entry.level and not is_name(self, place, start, stop, entry):
            return
        spelled = text[start:stop]
        new = _as_found(entry.fake, entry.mode, spelled)
        if new[:1] == "+":
            new = new[1:] if start and text[start - 1] == "+" else new
        elif not entry.level:
            memo[spelled] = entry.kind, new
        self.found.append(Found(start, stop, entry.kind, "known", new))
        self.end = stop

    def _shape(self, place: int, code: int, start: int, stop: int) -> None:
        text = self.text
        if code == DIGITS:
            self._number(start, stop)
        elif code == LABEL:
            self._label(place, start, stop)
        elif code == MONTH:
            self._month(start)
        elif code == TITLE:
            self._title(place, start, stop)
        elif code == HEX:
            hexed = shapes.AT_HEX.match(text, start)
            if hexed:
                self._address("mac" if hexed["mac"] else "uuid" if hexed["uuid"] else "ip6", hexed)
        elif code == SPELLED:
            aged = shapes.SPELLED_AGE.match(text, start)
            if aged:
                self._put(start, aged.end(), "age", "90+")

    def _put(self, start: int, stop: int, kind: str, new: str | None) -> None:
        self.found.append(Found(start, stop, kind, "shaped", new))
        self.end = stop
        if new is None:
            self.asks = True

    # --- links -------------------------------------------------------------------------------------------------------

    def _find_links(self) -> None:
        """E-mail addresses and URLs first, for names and numbers stand inside them."""
        text = self.text
        reach = 0
        for place in range(self.place, self.stop):
            code, start = self.codes[place], self.starts[place]
            if start < reach or code not in (AT, LINK, WWW):
                continue
            span = shapes.email_at(text, start) if code == AT else shapes.link_at(text, start)
            if span is not None and span[0] >= reach:
                self.links.append((*span, "email" if code == AT else "url"))
                reach = span[1]

    def _take_link(self) -> None:
        start, stop, kind = self.links.pop(0)
        start = max(start, self.end)
        if start >= stop:
            return
        exact = self.known.exact.get(self.text[start:stop].casefold())
        if exact:
            self.found.append(Found(start, stop, exact[0], "known", exact[1]))
            self.end = stop
        else:
            self._put(start, stop, kind, None)

    # --- names -------------------------------------------------------------------------------------------------------

    def _name(self, place: int, start: int, stop: int, entry: Any) -> None:
        text, found = self.text, self.found
        if entry.level and not is_name(self, place, start, stop, entry):
            return
        if is_eponym(entry.folded, text, stop):
            return
        # 'J. Smith' and 'John Q. Smith': the initial before it goes with the name.
        if start > 1 and text[start - 1] == " ":
            initial = start - 3 if text[start - 2] == "." else start - 2
            if (
                initial >= self.end
                and initial >= 0
                and text[initial].isupper()
                and not text[initial - 1 : initial].isalnum()
            ):
                named = entry.kind == "family" or (
                    bool(found) and found[-1].kind == "given" and self.end == initial - 1
                )
                if named and (text[start - 2] == "." or self._is_initial(initial)):
                    new = self.known.initials.get(text[initial].lower(), "X")
                    found.append(Found(initial, initial + 1, "given", "known", new))
        found.append(Found(start, stop, entry.kind, "known", cased(entry.fake, text[start:stop])))
        self.end = stop
        if entry.kind == "given" and text[stop : stop + 1] == " ":
            self._middle_initial(start, stop)

    def _middle_initial(self, start: int, stop: int) -> None:
        """`Smith, John Q.`: an initial behind a given name that stands behind the family name."""
        text, found = self.text, self.found
        letter, after = text[stop + 1 : stop + 2], text[stop + 2 : stop + 3]
        if letter.isupper() and len(found) > 1 and text[found[-2].stop : start] == ", " and not after.isalnum():
            found.append(Found(stop + 1, stop + 2, "given", "known", self.known.initials.get(letter.lower(), "X")))
            self.end = stop + 2

    def _is_initial(self, at: int) -> bool:
        """Whether one capital without a dot is an initial: one of the dossier's, or between two names."""
        between = bool(self.found) and self.found[-1].stop == at - 1 and self.found[-1].kind == "given"
        return between or self.text[at].lower() in self.known.initials

    def _title(self, place: int, start: int, stop: int) -> None:
        """`Dr. Somebody` whom the dossier does not know."""
        text = self.text
        if not text[start].isupper():
            return
        for later in range(place + 1, min(place + 4, self.stop)):
            if self.codes[later] >= 0 and self.starts[later] <= stop + 12:
                return  # somebody known
        unknown = _UNKNOWN_NAME.match(text, stop)
        if unknown is None or unknown[1].casefold() in _NO_SURNAME:
            return
        name = unknown[1]
        if text[start:stop].casefold() == "nurse" and name.isupper():
            return
        self._put(unknown.start(1), unknown.end(1), "name", None)

    # --- numbers -----------------------------------------------------------------------------------------------------

    def _number(self, start: int, stop: int) -> None:
        text = self.text
        if start:
            before = text[start - 1]
            if before == "+":
                end = shapes.international(text, start)
                if end:
                    self._put(start - 1, end, "phone", None)
                    return
            elif (
                before in ".-/:"
                and start > 1
                and text[start - 2].isalnum()
                and (before != ":" or text[start - 2].isdigit())
            ):
                return  # inside of a longer number or code
        shape = shapes.AT_NUMBER.match(text, start)
        if shape is None:
            short = dates.SHORT.match(text, start)
            if short:
                self._short(short)
            return
        kind = shape.lastgroup
        if kind in ("s1", "s2", "s3", "s4"):
            kind = next(
                name
                for name, value in shape.groupdict().items()
                if (value and len(name) > 2) or (value and name in ("my", "ip"))
            )
        self._shaped(str(kind), shape)

    def _shaped(self, kind: str, shape: re.Match[str]) -> None:
        text, start, stop = self.text, shape.start(), shape.end()
        if kind in _DATE_KINDS:
            self._date(kind, shape)
        elif kind == "phone":
            if shape[0].isdigit() and (shapes.is_number_of_code(text, start)):
                return
            begin = start
            if ")" in shape[0] and "(" not in shape[0]:
                if text[start - 1 : start] != "(":
                    return
                begin = start - 1
            self._put(begin, stop, "phone", None)
        elif kind == "local":
            if shapes.is_local_phone(text, start):
                self._put(start, stop, "phone", None)
        elif kind == "zip":
            if stop - start == 10 or shapes.is_zip(text, start):
                self._put(start, stop, "zip", None)
        elif kind == "age" or (kind == "bare" and shapes.is_age(text, start)):
            self._put(start, stop, "age", "90+")
        elif kind == "ssn":
            self._put(start, stop, "ssn", None)
        elif kind != "bare":
            self._address(kind, shape)

    def _address(self, kind: str, shape: re.Match[str]) -> None:
        value = shape[kind]
        if kind in ("ip", "ip6", "vin") and not shapes.is_address(kind, value):
            return
        self._put(shape.start(), shape.end(), "ip" if kind == "ip6" else kind, None)

    def _label(self, place: int, start: int, stop: int) -> None:
        labelled = shapes.label_value(self.text, start, stop)
        if labelled is None:
            return
        begin, end, kind = labelled
        for later in range(place + 1, self.stop):
            if self.starts[later] >= end:
                break
            if self.codes[later] >= 0 and self.starts[later] >= begin:
                return  # known: its own fake takes its place
        self._put(begin, end, kind, None)

    # --- dates -------------------------------------------------------------------------------------------------------

    def _date(self, kind: str, shape: re.Match[str]) -> None:
        spelled, known = shape[kind], self.known
        start, stop = shape.start(kind), shape.end(kind)
        if kind == "mdy" and not dates.is_sure(self.text, start, stop, spelled):
            return
        if known.days is None:
            if dates.numeric(kind, spelled, 1, self.day_first, {}) is not None:
                self._put(start, stop, "date", "[date]")
            return
        new = known.dates.get((kind, spelled))
        if new is None:
            moved = dates.numeric(kind, spelled, known.days, self.day_first, known.births)
            if moved is None:
                return
            new = known.dates[kind, spelled] = moved
        if self._weekday_before(start):
            self._put_weekday(start, kind, new)
        self._put(start, stop, "date", new)

    def _short(self, shape: re.Match[str]) -> None:
        """`3/14` behind a word that dates follow."""
        start, stop = shape.span()
        if not dates.is_short(self.text, start, stop):
            return
        if self.known.days is None:
            self._put(start, stop, "date", "[date]")
            return
        moved = dates.slashed(f"{shape[0]}/2001", self.known.days, self.day_first, {})
        if moved is not None:
            self._put(start, stop, "date", moved[:-5])

    def _month(self, start: int) -> None:
        text, known = self.text, self.known
        shape = dates.NAMED.match(text, start)
        if shape is None or not (text[start].isupper() or shape["year"] or (shape["only"] and start)):
            return
        if shape["a"] == "" and not shape["only"] and not shape["day"]:
            return
        new, moved = dates.named(shape, 1 if known.days is None else known.days, known.births)
        if new is None:
            return
        if known.days is None:
            new = "[date]"
        elif moved is not None and self._weekday_before(start):
            self._put_day(start, dates.weekday(moved, self._weekday_text(start)))
        self._put(start, shape.end(), "date", new)

    def _weekday_before(self, start: int) -> bool:
        return start > 3 and _DAY_BEFORE.search(self.text, max(self.end, start - 14), start) is not None

    def _weekday_text(self, start: int) -> str:
        before = _DAY_BEFORE.search(self.text, max(self.end, start - 14), start)
        return before[1] if before else ""

    def _put_weekday(self, start: int, kind: str, new: str) -> None:
        moved = dates.read_day(kind, new, self.day_first)
        if moved is not None:
            self._put_day(start, dates.weekday(moved, self._weekday_text(start)))

    def _put_day(self, start: int, new: str) -> None:
        before = _DAY_BEFORE.search(self.text, max(self.end, start - 14), start)
        if before:
            self._put(before.start(1), before.end(1), "date", new)


_DATE_KINDS = frozenset(("iso", "ymd", "mdy", "my", "ym", "stamp", "dmy"))
_DAY_BEFORE = re.compile(
    r"\b(mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\.?,?\s+$",
    re.IGNORECASE,
)


def _as_found(fake: str, mode: int, spelled: str) -> str:
    """A fake in the spelling found."""
    if mode == NUMBER:
        return pour(fake, spelled)
    return cased(fake, spelled) if mode in (WHOLE, TEXT) and spelled.isupper() else fake
