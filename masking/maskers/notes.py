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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha1
from typing import Any, ClassVar

from masking.maskers.base import BETWEEN, BoundMasker, Masker, People, Subkeys, check, register, registered
from masking.pools.names import official
from masking.scrub import attachments, links, plugins
from masking.scrub.attachments import Document
from masking.scrub.markup import Kind, scrub_markup
from masking.scrub.scrubber import Scrubber
from masking.scrub.terms import Dossier, Term

#: Knowledge kept at hand in a worker, of so many people and texts' companies; then it starts anew.
_PEOPLE, _DOSSIERS = 20_000, 20_000
_FORMS = ("text", "xhtml", "attachment", "size", "hash")
#: Size and hash of scrubbed attachments kept at hand; then it starts anew.
_SUMS = 20_000
#: What a scrubbed text shows where something went and no fake took its place.
_MARK = re.compile(r"\[[a-z][a-z0-9_]{0,19}\]")
#: What is shaped like an identifier, and the masker that answers for it.
_SHAPED = {"phone": "phone", "ssn": "ssn", "email": "email", "url": "url", "ip": "ip", "uuid": "pseudonymize_id",
           "identifier": "format_preserving"}  # fmt: skip


@dataclass(frozen=True)
class RecordMaskers:
    """What masks a record's own values, by kind, as the policy rules them: `given`, `family`, `name`, `telecom`, `line`,
    `city`, `zip`, `organization`, `birth_date`, `date`, `reference`; and identifiers by system and by type code.
    """

    by_kind: Mapping[str, BoundMasker] = field(default_factory=dict)
    systems: Mapping[str, BoundMasker | None] = field(default_factory=dict)
    types: Mapping[str, BoundMasker | None] = field(default_factory=dict)
    default: BoundMasker | None = None

    def of_identifier(self, system: str, types: Sequence[str]) -> BoundMasker | None:
        """What masks the value of an identifier."""
        if system in self.systems:
            return self.systems[system]
        return next((self.types[code] for code in types if code in self.types), self.default)


@dataclass(frozen=True)
class _Ask:
    """A masker that is asked without context."""

    masker: BoundMasker

    def __call__(self, values: list[str]) -> Sequence[str | None]:
        return self.masker.mask_distinct(values, **{name: [None] * len(values) for name in self.masker.context})


@dataclass(frozen=True)
class BoundScrub(BoundMasker):
    """See `Scrub`."""

    asks_people = True
    may_blank = True
    context: ClassVar[tuple[str, ...]] = ("subject", "people", "content_type", "chart")
    form: str
    placeholder: str
    scrubber: Scrubber
    record: RecordMaskers = field(default_factory=RecordMaskers)
    people: People | None = field(default=None, repr=False, compare=False)
    _terms: dict[str, tuple[Term, ...]] = field(default_factory=dict, repr=False, compare=False)
    _dossiers: dict[tuple[str, str, str], Dossier | None] = field(default_factory=dict, repr=False, compare=False)

    def blanks(self, value: str, answer: str) -> bool:
        """Whether a placeholder or a mark of its kind stands where the source has none."""
        read = (value, answer) if self.form in ("text", "xhtml") else (_bytes_of(value), _bytes_of(answer))
        if read[1] == self.placeholder:
            return read[0] != self.placeholder
        return "[" in read[1] and bool(Counter(_MARK.findall(read[1])) - Counter(_MARK.findall(read[0])))

    def with_record(self, record: RecordMaskers) -> BoundScrub:
        """The same masker, able to mask what a record holds as the record's own rules do."""
        return replace(self, record=record)

    def with_people(self, people: People) -> BoundScrub:
        """Knowing people."""
        return replace(self, people=people, _terms={}, _dossiers={})

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "people": None, "_terms": {}, "_dossiers": {}}

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Scrub texts; attachments of types that are no text become null."""
        is_text = self.form in ("text", "xhtml")
        masked: list[str | None] = [self.placeholder if is_text else None] * len(values)
        groups: dict[Kind, list[tuple[int, Document, Dossier]]] = {}
        dossiers = self._dossiers_of(zip(context["subject"], context["people"], context["chart"], strict=True))
        for row, (value, content_type, dossier) in enumerate(
            zip(values, context["content_type"], dossiers, strict=True)
        ):
            read = self._read(value, content_type)
            if read is not None and dossier is not None:
                groups.setdefault(read.kind, []).append((row, read, dossier))
            elif read is not None and read.kind == "plain":
                masked[row] = self._written(read, self.placeholder)
        for kind, found in groups.items():
            texts, known = [read.text for _, read, _ in found], [dossier for _, _, dossier in found]
            answers = self._scrubbed(kind, texts, known)
            for (row, read, _), answer in zip(found, answers, strict=True):
                masked[row] = self._written(read, answer)
        return masked

    def _scrubbed(self, kind: Kind, texts: Sequence[str], known: Sequence[Dossier]) -> list[str]:
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

    def _read(self, value: str, content_type: str | None) -> Document | None:
        """A value as text; None for an attachment that is none."""
        if self.form in ("text", "xhtml"):
            return Document("plain" if self.form == "text" else "html", value, "", b"")
        return attachments.read(value, content_type)

    def _written(self, read: Document, text: str) -> str:
        return text if self.form in ("text", "xhtml") else attachments.write(read, text)

    # ── what is known ──

    def _company(self, subject: str | None, people: str | None) -> tuple[str, ...]:
        """The names of all whom a text may speak of, its subject first; () where the subject is not known."""
        own = self.people.facts(subject) if self.people is not None and subject is not None else None
        if own is None:
            return ()
        names = (own.name, *own.relatives, *own.carers, *(people or "").split(BETWEEN))
        return tuple(dict.fromkeys(name for name in names if name))

    def _dossiers_of(self, rows: Iterable[tuple[str | None, str | None, str | None]]) -> list[Dossier | None]:
        """What is known for each text, by its subject, the people around and the chart whose dates it tells; None where
        its subject is not known.
        """
        keys = [(subject or "", people or "", chart or "") for subject, people, chart in rows]
        missing = {key: self._company(*key[:2]) for key in dict.fromkeys(keys) if key not in self._dossiers}
        if len(self._dossiers) + len(missing) > _DOSSIERS:
            self._dossiers.clear()
            missing = {key: self._company(*key[:2]) for key in dict.fromkeys(keys)}
        self._learn(dict.fromkeys(name for company in missing.values() for name in company))
        for key, company in missing.items():
            self._dossiers[key] = self._dossier(key[2] or key[0], company) if company else None
        return [self._dossiers[key] for key in keys]

    def _dossier(self, chart: str, company: Sequence[str]) -> Dossier:
        assert self.people is not None
        terms = dict.fromkeys(term for name in company for term in self._terms[name])
        offset = getattr(self.record.by_kind.get("date"), "offset", None)
        return Dossier(tuple(terms), None if offset is None else offset(self.people.canonical(chart)))

    def _learn(self, names: Iterable[str]) -> None:
        """The terms of people who are not known yet. Each masker is asked once for all of them."""
        people = self.people
        if people is None:
            return
        if len(self._terms) > _PEOPLE:
            self._terms.clear()
        wishes = {name: list(_wishes(people.facts(name), self.record)) for name in names if name not in self._terms}
        by_masker: dict[int, list[_Wish]] = {}
        for found in wishes.values():
            for wish in found:
                if wish.masker is not None and wish.real:
                    by_masker.setdefault(id(wish.masker), []).append(wish)
        fakes: dict[int, str | None] = {}
        for group in by_masker.values():
            masker = group[0].masker
            assert masker is not None
            rows = [(wish.real, *(wish.told.get(name) for name in masker.context)) for wish in group]
            columns = list(zip(*dict.fromkeys(rows), strict=True))
            answers = masker.mask_distinct(columns[0], **dict(zip(masker.context, columns[1:], strict=True)))
            known = dict(zip(dict.fromkeys(rows), answers, strict=True))
            fakes.update((id(wish), known[row]) for wish, row in zip(group, rows, strict=True))
        for name, found in wishes.items():
            self._terms[name] = tuple(Term(wish.kind, wish.real, fakes.get(id(wish))) for wish in found if wish.real)


@dataclass(frozen=True)
class BoundSums(BoundScrub):
    """Size and hash of an attachment as its scrubbed bytes have them; null where those go. See `Scrub`."""

    may_blank = False
    context = (*BoundScrub.context, "data")
    _sums: dict[tuple[bytes, *tuple[str | None, ...]], tuple[str, str] | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    def with_people(self, people: People) -> BoundSums:
        """Knowing people."""
        return replace(self, people=people, _terms={}, _dossiers={}, _sums={})

    def __getstate__(self) -> dict[str, object]:
        return {**super().__getstate__(), "_sums": {}}

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """The size or the hash of what the attachment's data become, whatever the source says of its own."""
        data = context["data"]
        beside = list(zip(*(context[name] for name in BoundScrub.context), strict=True))
        keys = [(blake2b((one or "").encode()).digest(), *row) for one, row in zip(data, beside, strict=True)]
        if len(self._sums) > _SUMS:
            self._sums.clear()
        missing = {key: row for row, key in enumerate(keys) if data[row] is not None and key not in self._sums}
        if missing:
            rows = list(missing.values())
            columns = dict(zip(BoundScrub.context, zip(*(beside[row] for row in rows), strict=True), strict=True))
            scrubbed = super().mask_distinct([data[row] or "" for row in rows], **columns)
            self._sums.update(zip(missing, map(_sums_of, scrubbed), strict=True))
        found = [self._sums.get(key) if one is not None else None for key, one in zip(keys, data, strict=True)]
        return [None if sums is None else sums[self.form == "hash"] for sums in found]


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


def _sums_of(data: str | None) -> tuple[str, str] | None:
    """Attachment.size and Attachment.hash: the number of bytes, and their SHA-1 in base64."""
    if data is None:
        return None
    content = base64.b64decode(data)
    return str(len(content)), base64.b64encode(sha1(content, usedforsecurity=False).digest()).decode()


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    """A value of somebody, and what masks it where."""

    kind: str
    real: str
    masker: BoundMasker | None
    told: Mapping[str, str | None] = field(repr=False)


def _wishes(facts: Any, record: RecordMaskers) -> Iterator[_Wish]:
    """Everything that is known of somebody, with what masks it in the record."""
    if facts is None:
        return
    told = {"subject": facts.key, "sex": facts.sex, "deceased": facts.death_date, "birth_date": facts.birth_date}
    yield from _of_names(facts.names, told, record, is_person=facts.resource_type != "Organization")
    yield from _of_places(facts, told, record)
    for identifier in facts.identifiers:
        masker = record.of_identifier(identifier.system, identifier.types)
        yield _Wish("identifier", identifier.value, masker, {**told, "system": identifier.system or None})
    for date in facts.birth_dates:
        yield _Wish("birth_date", date, record.by_kind.get("birth_date"), told)
    for contact in facts.contacts:
        # A contact's own gender is not known here; its names are masked without it, as where none is given.
        apart = {**told, "sex": None}
        yield from _of_names(contact.names, apart, record, is_person=True)
        yield from _of_places(contact, apart, record)


def _of_names(names: Any, told: Mapping[str, str | None], record: RecordMaskers, *, is_person: bool) -> Iterator[_Wish]:
    ask = record.by_kind.get
    for name in names:
        beside = {**told, "family": name.family or None, "given": " ".join(name.given) or None}
        if name.family:
            yield _Wish("family", name.family, ask("family"), beside)
        for given in name.given:
            yield _Wish("given", given, ask("given"), beside)
        if name.text:
            kind = "name" if is_person else "organization"
            yield _Wish(kind, name.text, ask(kind), beside)


def _of_places(holder: Any, told: Mapping[str, str | None], record: RecordMaskers) -> Iterator[_Wish]:
    ask = record.by_kind.get
    kinds = {"email": "email", "url": "url"}
    family, given = official((name.use, name.family, " ".join(name.given)) for name in holder.names)
    for telecom in holder.telecoms:
        beside = {**told, "system": telecom.system or None, "family": family, "given": given}
        yield _Wish(kinds.get(telecom.system, "phone"), telecom.value, ask("telecom"), beside)
    for address in holder.addresses:
        groups = (address.lines, (address.city,), (address.state,), (address.postal_code,), (address.country,))
        whole = {**told, "address": "|".join(", ".join(part for part in group if part) for group in groups)}
        for line in address.lines:
            yield _Wish("line", line, ask("line"), whole)
        if address.city:
            yield _Wish("city", address.city, ask("city"), whole)
        if address.postal_code:
            yield _Wish("zip", address.postal_code, ask("zip"), whole)


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
        maskers["employer"] = _Ask(specs["hash"](length=16, prefix="Employer ").bind(keys))
        maskers["npi"] = _Ask(specs["check_digit"](scheme="npi").bind(keys))
        placeholder = self.placeholder
        if self.form == "xhtml":
            placeholder = f'<div xmlns="http://www.w3.org/1999/xhtml">{placeholder}</div>'
        bound = BoundSums if self.form in ("size", "hash") else BoundScrub
        return bound(self.form, placeholder, Scrubber(maskers, second=self.second))
