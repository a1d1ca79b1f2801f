"""The masker of free text: what is known of the people it may speak of, and what is shaped like an identifier, is
replaced; the rest stays (see `masking.scrub`).

What is known comes from the run's knowledge of people, each value with what the record's own rules make of it, so that
a note agrees with the record. A text of somebody whom the run does not know is not read but replaced: names in it could
not be told from other words.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha1
from typing import Any, ClassVar

from masking.maskers._known import Around, Attachment, Attachments, Knowledge, RecordMaskers
from masking.maskers.base import BETWEEN, BoundMasker, Masker, People, Subkeys, check, register, registered
from masking.scrub import attachments, links, plugins
from masking.scrub.attachments import Document
from masking.scrub.embedded import without_urls
from masking.scrub.markup import Kind, scrub_markup
from masking.scrub.scrubber import Scrubber
from masking.scrub.terms import Company

_FORMS = ("text", "xhtml", "attachment", "size", "hash")
#: What a scrubbed text shows where something went and no fake took its place.
_MARK = re.compile(r"\[[a-z][a-z0-9_]{0,19}\]")
#: What is shaped like an identifier, and the masker that answers for it.
_SHAPED = {"phone": "phone", "ssn": "ssn", "email": "email", "url": "url", "ip": "ip", "uuid": "pseudonymize_id",
           "id": "pseudonymize_id", "reference": "reference",
           "identifier": "format_preserving"}  # fmt: skip


@dataclass(frozen=True)
class _Ask:
    """A masker that is asked without context."""

    masker: BoundMasker

    def __call__(self, values: list[str]) -> Sequence[str | None]:
        return self.masker.mask_distinct(values, **{name: [None] * len(values) for name in self.masker.context})


@dataclass(frozen=True)
class _AskHex(_Ask):
    """A masker of UUIDs, asked for those that are written without hyphens."""

    def __call__(self, values: list[str]) -> Sequence[str | None]:
        whole = ["-".join((one[:8], one[8:12], one[12:16], one[16:20], one[20:])) for one in values]
        return [None if one is None else one.replace("-", "") for one in super().__call__(whole)]


@dataclass(frozen=True)
class BoundScrub(BoundMasker):
    """See `Scrub`."""

    asks_people = True
    may_blank = True
    context: ClassVar[tuple[str, ...]] = ("owner", "people", "strangers", "numbers", "content_type", "chart")
    form: str
    placeholder: str
    scrubber: Scrubber
    record: RecordMaskers = field(default_factory=RecordMaskers)
    knowledge: Knowledge | None = field(default=None, repr=False, compare=False)

    @property
    def needs(self) -> tuple[str, ...]:
        """Where nobody is known, nothing depends on whom a text may speak of."""
        apart = () if self.form in ("text", "xhtml") else ("content_type", "data")
        return tuple(name for name in self.context if self.knowledge is not None or name in apart)

    def blanks(self, value: str, answer: str) -> bool:
        """Whether a placeholder or a mark of its kind stands where the source has none."""
        is_text = self.form in ("text", "xhtml")
        said = answer if is_text else _bytes_of(answer)
        if said != self.placeholder and "[" not in said:
            return False
        read = value if is_text else _bytes_of(value)
        return read != said if said == self.placeholder else bool(_marks(said) - _marks(read))

    def with_record(self, record: RecordMaskers, scrubber: Scrubber | None = None) -> BoundScrub:
        """The same masker, able to mask what a record holds as the record's own rules do. scrubber: one like its own that it
        shares with others.
        """
        return replace(self, record=record, scrubber=scrubber or self.scrubber)

    def with_people(self, people: People) -> BoundScrub:
        """Knowing people."""
        return self.with_knowledge(Knowledge(people, self.record))

    def with_knowledge(self, knowledge: Knowledge) -> BoundScrub:
        """Knowing people, together with other maskers."""
        return replace(self, knowledge=knowledge)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "knowledge": None}

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Scrub texts; attachments of types that are no text become null."""
        around = self._around(len(values), context)
        if self.form in ("text", "xhtml"):
            kind: Kind = "plain" if self.form == "text" else "html"
            texts = values if self.form == "text" else map(without_urls, values)
            documents = [Document(kind, text, "", b"") for text in texts]
            answers = self._scrub(documents, around)
            return [self.placeholder if answer is None else answer for answer in answers]
        return [found[0] for found in self._attachments(values, context["content_type"], around)]

    def _around(self, count: int, context: Mapping[str, Sequence[str | None]]) -> list[Around]:
        """Whom each text may speak of; nobody where nobody is known."""
        if self.knowledge is None:
            return [(None, None, None, None, None)] * count
        return list(zip(*(context[name] for name in ("owner", "people", "chart", "strangers", "numbers")), strict=True))

    def _scrub(self, documents: Sequence[Document | None], around: Sequence[Around]) -> list[str | None]:
        """The texts of documents, scrubbed; None of those that are none, and where the subject is not known."""
        masked: list[str | None] = [None] * len(documents)
        if self.knowledge is None:
            return masked
        groups: dict[Kind, list[tuple[int, str, Company]]] = {}
        told = [(*row[:4], numbers_told(row[4], read)) for row, read in zip(around, documents, strict=True)]
        for row, (read, company) in enumerate(zip(documents, self.knowledge.of(told), strict=True)):
            if read is not None and company is not None:
                groups.setdefault(read.kind, []).append((row, read.text, company))
        for kind, found in groups.items():
            rows, texts, companies = zip(*found, strict=True)
            for row, answer in zip(rows, self._scrubbed(kind, texts, companies), strict=True):
                masked[row] = answer
        return masked

    def _scrubbed(self, kind: Kind, texts: Sequence[str], known: Sequence[Company]) -> list[str]:
        """Scrubbed texts; links of narratives to resources as the record's own rule for references has them."""
        masker = self.record.by_kind.get("reference")
        if self.form != "xhtml" or masker is None:
            return [one.text for one in scrub_markup(self.scrubber, kind, texts, known)]
        taken = [links.taken_out(text) for text in texts]
        answers = [one.text for one in scrub_markup(self.scrubber, kind, [text for text, _ in taken], known)]
        leading = list(dict.fromkeys(link for _, own in taken for link in own if link is not None))
        if not leading:
            return answers
        masked = dict(zip(leading, _Ask(masker)(leading), strict=True))
        whole = [links.put_back(answer, own, masked.get) for answer, (_, own) in zip(answers, taken, strict=True)]
        odd = [row for row, answer in enumerate(whole) if answer is None]  # its links cannot be told apart: all is read
        read = scrub_markup(self.scrubber, kind, [texts[row] for row in odd], [known[row] for row in odd])
        again = dict(zip(odd, (one.text for one in read), strict=True))
        return [again[row] if answer is None else answer for row, answer in enumerate(whole)]

    # ── attachments ──

    def _attachments(
        self, data: Sequence[str | None], content_types: Sequence[str | None], around: Sequence[Around]
    ) -> list[Attachment]:
        """Each scrubbed, with its sums: data, size and hash are asked for one after the other."""
        memory = self.knowledge.attachments(self.scrubber.second, self.placeholder) if self.knowledge else Attachments()
        keys = [
            (None if one is None else blake2b(one.encode()).digest(), kind, *row)
            for one, kind, row in zip(data, content_types, around, strict=True)
        ]
        found = {key: known for key in keys if (known := memory.get(key)) is not None}
        missing = {key: row for row, key in enumerate(keys) if key not in found}
        if missing:
            rows = missing.values()
            made = self._new_attachments(
                [data[row] for row in rows], [content_types[row] for row in rows], [around[row] for row in rows]
            )
            found.update(zip(missing, made, strict=True))
            for key, one in zip(missing, made, strict=True):
                memory.put(key, one)
        return [found[key] for key in keys]

    def _new_attachments(
        self, data: Sequence[str | None], content_types: Sequence[str | None], around: Sequence[Around]
    ) -> list[Attachment]:
        documents = [
            None if one is None else attachments.read(one, kind) for one, kind in zip(data, content_types, strict=True)
        ]
        made: list[Attachment] = []
        for read, text in zip(documents, self._scrub(documents, around), strict=True):
            answer = self.placeholder if text is None and read is not None and read.kind == "plain" else text
            written = None if read is None or answer is None else attachments.write(read, answer)
            made.append((written, *_sums_of(written)))
        return made


@dataclass(frozen=True)
class BoundSums(BoundScrub):
    """Size and hash of an attachment as its scrubbed bytes have them; null where those go. See `Scrub`."""

    may_blank = False
    context = (*BoundScrub.context, "data")

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """The size or the hash of what the attachment's data become, whatever the source says of its own."""
        around = self._around(len(values), context)
        found = self._attachments(context["data"], context["content_type"], around)
        return [sums[1 + (self.form == "hash")] for sums in found]


def numbers_told(numbers: str | None, read: Document | None) -> str | None:
    """Those of a resource's numbers whose ends stand in a text; None where there are none. Most attachments tell none."""
    if not numbers or read is None:
        return None
    return BETWEEN.join(number for number in numbers.split(BETWEEN) if number[-4:] in read.text) or None


def _marks(text: str) -> Counter[str]:
    return Counter(_MARK.findall(text))


def _bytes_of(data: str) -> str:
    """The text in base64 data, whatever its charset, as far as it is ASCII; what is none reads as empty."""
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    raw = raw.removeprefix(codecs.BOM_UTF16_LE).removeprefix(codecs.BOM_UTF16_BE).replace(b"\0", b"")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _sums_of(data: str | None) -> tuple[str, str] | tuple[None, None]:
    """Attachment.size and Attachment.hash: the number of bytes, and their SHA-1 in base64."""
    if data is None:
        return None, None
    content = base64.b64decode(data)
    return str(len(content)), base64.b64encode(sha1(content, usedforsecurity=False).digest()).decode()


@register
@dataclass(frozen=True)
class Scrub(Masker):
    """Free text with every identifier replaced: names, numbers, addresses and dates of the people it may speak of by what
    their own records show, and what is shaped like an identifier by a keyed fake.

    form: `text`; `xhtml` for a narrative, whose markup stays; `attachment` for base64 with a contentType beside it, of
    which types that are no text become null; `size` and `hash` for what an attachment says of its data: of the scrubbed
    ones, null where there are none. A text of a subject whom the run does not know becomes `placeholder`.
    second: the name of a second scrubber that is installed; what it finds beyond ours becomes `[kind]`.
    """

    name: ClassVar[str] = "scrub"
    way_back: ClassVar[str] = "the numbers, ids and dates in it, as their own maskers"
    form: str = "text"
    placeholder: str = "[redacted]"
    second: str = ""

    def __post_init__(self) -> None:
        check(self.form in _FORMS, "form", "is no form of text", "one of: " + ", ".join(_FORMS))
        check(isinstance(self.placeholder, str) and self.placeholder.strip() != "", "placeholder", "is blank")
        if self.second:
            names = plugins.names()
            check(
                self.second in names,
                "second",
                "is no scrubber that is installed",
                f"there are {', '.join(names) or 'none'}",
            )

    def bind(self, keys: Subkeys) -> BoundScrub:
        """The maskers of what is shaped like an identifier bind to their own purposes."""
        specs: Mapping[str, Any] = registered()
        maskers = {kind: _Ask(specs[name]().bind(keys)) for kind, name in _SHAPED.items()}
        maskers["hex"] = _AskHex(specs["pseudonymize_id"]().bind(keys))
        maskers["employer"] = _Ask(specs["hash"](length=16, prefix="Employer ").bind(keys))
        maskers["npi"] = _Ask(specs["check_digit"](scheme="npi").bind(keys))
        placeholder = self.placeholder
        if self.form == "xhtml":
            placeholder = f'<div xmlns="http://www.w3.org/1999/xhtml">{placeholder}</div>'
        bound = BoundSums if self.form in ("size", "hash") else BoundScrub
        return bound(self.form, placeholder, Scrubber(maskers, second=self.second))
