"""What a run knows of the people whom texts may speak of, as the scrubber wants it: each value with what the record's own
rules make of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from masking.fhir.compartment import facility_types, person_types
from masking.maskers._short import calls_otherwise
from masking.maskers._together import is_patients
from masking.maskers.base import APART, BETWEEN, BoundMasker, People
from masking.pools.facilities import is_generic
from masking.pools.names import official
from masking.scrub import Company, Term
from masking.scrub.called import name_in

#: Knowledge kept at hand in a worker, of so many people and texts' companies; then it starts anew.
_PEOPLE, _COMPANIES = 20_000, 20_000
#: Scrubbed attachments kept at hand, and characters in them.
_ATTACHMENTS, _ATTACHMENTS_SIZE = 20_000, 64 << 20

#: The name of the record whose text it is, the names of those whom its resource refers to, the chart whose dates it tells,
#: the strangers whom its resource names, and the numbers of its resource that it may tell.
Around: TypeAlias = tuple[str | None, str | None, str | None, str | None, str | None]


@dataclass(frozen=True)
class RecordMaskers:
    """What masks a record's own values, by kind, as the policy rules them: `given`, `family`, `name`, `telecom`, `line`,
    `city`, `zip`, `birth_date`, `date`, `reference`, `display`; names of facilities by type (`Organization`, `Location`); and
    identifiers by system and by type code.
    """

    by_kind: Mapping[str, BoundMasker] = field(default_factory=dict)
    systems: Mapping[str, BoundMasker | None] = field(default_factory=dict)
    types: Mapping[str, BoundMasker | None] = field(default_factory=dict)
    default: BoundMasker | None = None

    def with_people(self, people: People) -> RecordMaskers:
        """The same, knowing people."""
        return replace(self, by_kind={kind: masker.with_people(people) for kind, masker in self.by_kind.items()})

    def of_identifier(self, system: str, types: Sequence[str]) -> BoundMasker | None:
        """What masks the value of an identifier."""
        if system in self.systems:
            return self.systems[system]
        return next((self.types[code] for code in types if code in self.types), self.default)


#: An attachment's scrubbed data, and their size and hash; null where they go.
Attachment: TypeAlias = tuple[str | None, str | None, str | None]


class Attachments:
    """Scrubbed attachments kept at hand by whatever tells them apart: their sums are asked for beside them."""

    def __init__(self) -> None:
        self._known: dict[Any, Attachment] = {}
        self._size = 0

    def get(self, key: Any) -> Attachment | None:
        """One that is at hand."""
        return self._known.get(key)

    def put(self, key: Any, attachment: Attachment) -> None:
        """Keep one; what is very large is not kept."""
        size = len(attachment[0] or "")
        if size > _ATTACHMENTS_SIZE // 4:
            return
        if len(self._known) >= _ATTACHMENTS or self._size + size > _ATTACHMENTS_SIZE:
            self._known.clear()
            self._size = 0
        self._known[key] = attachment
        self._size += size


class Knowledge:
    """What is known for texts. One for all maskers of a plan, so that each person is learned once a process.

    Holds people, and is never pickled.
    """

    def __init__(self, people: People, record: RecordMaskers) -> None:
        self.people, self.record = people, record.with_people(people)
        #: by any name of theirs, and by the one that their facts have
        self._terms: dict[str, tuple[Term, ...]] = {}
        self._humans: dict[str, tuple[Term, ...]] = {}
        self._companies: dict[Around, Company | None] = {}
        #: one company for all texts that speak of the same people
        self._distinct: dict[tuple[int | None, ...], Company] = {}

        self._strangers: dict[str, tuple[Term, ...]] = {}
        self._numbers: dict[str, tuple[Term, ...]] = {}
        self._otherwise: dict[tuple[str, str], bool] = {}
        self._attachments: dict[tuple[str, str], Attachments] = {}

    def __repr__(self) -> str:
        return f"Knowledge({len(self._terms)} people)"

    def attachments(self, second: str, placeholder: str) -> Attachments:
        """Those at hand of all maskers that scrub alike."""
        return self._attachments.setdefault((second, placeholder), Attachments())

    def of(self, rows: Sequence[Around]) -> list[Company | None]:
        """What is known for each text; None where its subject is not known."""
        missing = [row for row in dict.fromkeys(rows) if row not in self._companies]
        if missing:
            if len(self._companies) + len(missing) > _COMPANIES:
                self._companies.clear()
                self._distinct.clear()
                missing = list(dict.fromkeys(rows))
            self._learn_companies(missing)
        return [self._companies[row] for row in rows]

    def _learn_companies(self, rows: Sequence[Around]) -> None:
        names = self._names(rows)
        self._learn(dict.fromkeys(name for own in names for name in own))
        offset = getattr(self.record.by_kind.get("date"), "offset", None)
        for row, own in zip(rows, names, strict=True):
            if not own:
                self._companies[row] = None
                continue
            owner, _, chart, strangers, numbers = row
            is_patient = chart is not None or is_patients(owner)
            days = (
                None if offset is None else offset(self.people.canonical(chart or owner or ""), is_patient=is_patient)
            )
            said = (*(strangers or "").split(BETWEEN), *self._met((owner or "", *own)))
            known = [*map(self._terms.__getitem__, own), *map(self._stranger, filter(None, said))]
            known += map(self._number, filter(None, (numbers or "").split(BETWEEN)))
            parts = {id(terms): terms for terms in known}
            key = (*parts, days)
            company = self._distinct.get(key)
            if company is None:  # which holds its terms, so that no others take their identity
                company = self._distinct[key] = Company(tuple(parts.values()), days)
            self._companies[row] = company

    def _names(self, rows: Sequence[Around]) -> list[tuple[str, ...]]:
        """The names of all whom each text may speak of, its owner first; () where the owner is not known."""
        owners = dict.fromkeys(owner for owner, *_ in rows if owner is not None)
        facts = {owner: self.people.facts(owner) for owner in owners}
        known = {
            owner: ((own.name, *own.relatives, *own.carers), tuple(one.who for one in own.met))
            for owner, own in facts.items()
            if own is not None
        }

        def named(owner: str | None, people: str | None) -> tuple[str, ...]:
            """Whom the text's own resource names comes before those whom the chart does: the first who has a name has it."""
            if owner not in known:
                return ()
            own, met = known[owner]
            return tuple(self._in_person(filter(None, (*own, *(people or "").split(BETWEEN), *met))))

        return [named(owner, people) for owner, people, *_ in rows]

    def _in_person(self, names: Iterable[str]) -> Iterable[str]:
        """Names, each once, and of roles the names of those who have them."""
        found: dict[str, None] = {}
        for name in names:
            found[name] = None
            if name.startswith("PractitionerRole/") and (role := self.people.facts(name)) is not None:
                found.update(dict.fromkeys(role.carers))
        return found

    def _met(self, names: Iterable[str]) -> Iterator[str]:
        """The strangers whom the chart of a text's owner names, and those of roles."""
        for place, name in enumerate(names):
            facts = self.people.facts(name) if not place or name.startswith("PractitionerRole/") else None
            for one in facts.met if facts is not None else ():
                if one.called and (not self._is_named(one.who) or self._is_other_name(one.who, one.called)):
                    yield f"{one.who}{APART}{one.called}"

    def _is_named(self, who: str) -> bool:
        """Whether there is a name in a record: others are known by what refers to them alone."""
        facts = self.people.facts(who) if who else None
        return facts is not None and (bool(facts.names) or facts.resource_type == "PractitionerRole")

    def _is_other_name(self, who: str, text: str) -> bool:
        """Whether a display has a name for a human that the record has not."""
        found = self._otherwise.get((who, text))
        if found is None:
            if len(self._otherwise) > _PEOPLE:
                self._otherwise.clear()
            found = self._otherwise[who, text] = calls_otherwise(self.people.facts(who), text)
        return found

    def _stranger(self, said: str) -> tuple[Term, ...]:
        """The term of somebody whom no record describes: what a reference says of them, and what its display shows."""
        terms = self._strangers.get(said)
        if terms is None:
            if len(self._strangers) > _PEOPLE:
                self._strangers.clear()
            terms = self._strangers[said] = tuple(_of_stranger(said, self.record.by_kind.get("display")))
        return terms

    def _number(self, said: str) -> tuple[Term, ...]:
        """The term of a number by which a text's resource is known (see `numbers` in `masking.maskers.base.CONTEXT`)."""
        terms = self._numbers.get(said)
        if terms is None:
            if len(self._numbers) > _PEOPLE:
                self._numbers.clear()
            terms = self._numbers[said] = (_of_number(said, self.record),)
        return terms

    def _learn(self, names: Iterable[str]) -> None:
        """The terms of people who are not known yet, once for all names of one human. Each masker is asked once for all."""
        if len(self._terms) > _PEOPLE:
            self._terms.clear()
            self._humans.clear()
        humans = {name: self.people.facts(name) for name in names if name not in self._terms}
        new = {facts.name: facts for facts in humans.values() if facts is not None and facts.name not in self._humans}
        wishes = {name: list(_wishes(facts, self.record)) for name, facts in new.items()}
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
            terms = (Term(wish.kind, wish.real, fakes.get(id(wish))) for wish in found if wish.real)
            self._humans[name] = tuple(dict.fromkeys(terms))
        self._terms.update((name, () if facts is None else self._humans[facts.name]) for name, facts in humans.items())


def _of_number(said: str, record: RecordMaskers) -> Term:
    """A number of a resource with what masks it there."""
    *codes, value = said.split(APART)
    told = None
    if value == said:
        masker = record.by_kind.get("reference")
    elif len(codes) == 2:
        masker, told = record.of_identifier(codes[0], codes[1].split()), codes[0] or None
    else:
        masker = None
    fake = None
    if masker is not None:
        context = {name: [told if name == "system" else None] for name in masker.context}
        fake = masker.mask_distinct([value], **context)[0]
    if value == said:  # a reference keeps its type
        value, fake = value.partition("/")[2], (fake or "").partition("/")[2] or None
    return Term("identifier", value, fake)


def _of_stranger(said: str, masker: BoundMasker | None) -> Iterator[Term]:
    """What is known of a stranger by the text that a resource has for them; nothing where that is no name."""
    who, _, text = said.partition(APART)
    kind = who.partition("/")[0]
    is_place = kind in facility_types()
    if not is_place:
        text = name_in(text, is_human=kind in person_types() or kind == "PractitionerRole")
    if not text or (is_place and is_generic(text)):
        return
    fake = None
    if who[-1:] not in ("", "/") and masker is not None:
        told = {name: [who if name == "referent" else None] for name in masker.context}
        fake = masker.mask_distinct([text], **told)[0]
    shown = fake if fake is not None and fake[:1] != "[" else None  # no placeholder stands for each of its words
    yield Term("organization" if is_place else "name", text, shown)


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    """A value of somebody, and what masks it where."""

    kind: str
    real: str
    masker: BoundMasker | None
    told: Mapping[str, str | None] = field(repr=False)


def _wishes(facts: Any, record: RecordMaskers) -> Iterator[_Wish]:
    """Everything that is known of somebody, with what masks it in the record."""
    told = {
        "subject": facts.key,
        "owner": facts.name,
        "sex": facts.sex,
        "deceased": facts.death_date,
        "birth_date": facts.birth_date,
    }
    if facts.resource_type in facility_types():
        yield from _of_facility(facts, told, record)
    else:
        yield from _of_names(facts.names, told, record)
    yield from _of_places(facts, told, record)
    for identifier in facts.identifiers:
        masker = record.of_identifier(identifier.system, identifier.types)
        yield _Wish("identifier", identifier.value, masker, {**told, "system": identifier.system or None})
    for date in facts.birth_dates:
        yield _Wish("birth_date", date, record.by_kind.get("birth_date"), told)
    for date in facts.death_dates:  # found in the spellings of a birth, moved as other dates are
        if len(date) >= len("2020-01-03"):
            yield _Wish("birth_date", date[:10], record.by_kind.get("date"), told)
    for contact in facts.contacts:
        apart = {**told, "sex": contact.sex or None}
        yield from _of_names(contact.names, apart, record)
        yield from _of_places(contact, apart, record)


def _of_facility(facts: Any, told: Mapping[str, str | None], record: RecordMaskers) -> Iterator[_Wish]:
    """The names of a facility, aliases too, each with the fake of the name that its record shows."""
    masker = record.by_kind.get(facts.resource_type)
    beside = {**told, "facility": facts.called, "address": facts.home}
    for name in facts.names:
        if name.text and (facts.resource_type == "Organization" or not is_generic(name.text)):
            yield _Wish("organization", name.text, masker, beside)


def _of_names(names: Any, told: Mapping[str, str | None], record: RecordMaskers) -> Iterator[_Wish]:
    ask = record.by_kind.get
    for name in names:
        beside = {**told, "family": name.family or None, "given": " ".join(name.given) or None}
        if name.family:
            yield _Wish("family", name.family, ask("family"), beside)
        for given in name.given:
            yield _Wish("given", given, ask("given"), beside)
        if name.text:
            yield _Wish("name", name.text, ask("name"), beside)


def _of_places(holder: Any, told: Mapping[str, str | None], record: RecordMaskers) -> Iterator[_Wish]:
    ask = record.by_kind.get
    kinds = {"email": "email", "url": "url"}
    family, given = official((name.use, name.family, " ".join(name.given)) for name in holder.names)
    for telecom in holder.telecoms:
        around = {"address": telecom.address or None, "family": family, "given": given}
        beside = {**told, **around, "system": telecom.system or None}
        yield _Wish(kinds.get(telecom.system, "phone"), telecom.value, ask("telecom"), beside)
    for address in holder.addresses:
        whole = {**told, "address": address.in_one()}
        for line in address.lines:
            yield _Wish("line", line, ask("line"), whole)
        if address.city:
            yield _Wish("city", address.city, ask("city"), whole)
        if address.postal_code:
            yield _Wish("zip", address.postal_code, ask("zip"), whole)
