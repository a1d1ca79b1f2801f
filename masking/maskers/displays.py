"""The masker of `Reference.display`: the name of what the reference means, as that record itself shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeAlias

from masking.fhir.compartment import facility_types, person_types
from masking.maskers.base import BoundMasker, Masker, People, Subkeys, check, register

#: What a person's name is masked with, as the record's own is.
_ASKED = ("subject", "sex", "family", "given")
#: A value by its place, and what its masker is told of whom or what it means.
_Told: TypeAlias = tuple[int, dict[str, str | None]]


@dataclass(frozen=True)
class BoundByReferent(BoundMasker):
    """See `ByReferent`. One call a part of the batch: people, places, the rest."""

    asks_people = True
    may_blank = True
    context = ("referent",)
    person: BoundMasker
    place: BoundMasker
    default: BoundMasker
    people: People | None = field(default=None, repr=False, compare=False)

    def with_people(self, people: People) -> BoundByReferent:
        """Knowing people."""
        return replace(self, people=people)

    def blanks(self, value: str, answer: str) -> bool:
        """Whether any of the three does."""
        return any(part.blanks(value, answer) for part in (self.person, self.place, self.default))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "people": None}

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask displays by what their references mean."""
        masked: list[str | None] = [None] * len(values)
        people: list[_Told] = []
        places: list[_Told] = []
        others: list[_Told] = []
        for row, referent in enumerate(context["referent"]):
            told = self._person(referent)
            if told is not None:
                people.append((row, told))
            elif (told := self._facility(referent)) is not None:
                places.append((row, told))
            else:
                others.append((row, {}))
        for rows, masker in ((people, self.person), (places, self.place), (others, self.default)):
            if rows:
                columns = {name: [told.get(name) for _, told in rows] for name in masker.context}
                texts = [values[row] for row, _ in rows]
                for (row, _), answer in zip(rows, masker.mask_distinct(texts, **columns), strict=True):
                    masked[row] = answer
        return masked

    def _person(self, referent: str | None) -> dict[str, str | None] | None:
        """What a person's name is masked with; None where the reference means no person."""
        if referent is None or self.people is None:
            return None
        kind, _, key = referent.partition("/")
        facts = self.people.facts(referent)
        if facts is not None and facts.resource_type == "PractitionerRole":
            facts = next(
                (found for who in facts.carers if (found := self.people.facts(who)) and _is_person(found)), facts
            )
        if facts is None:
            # The export lacks the record: the name comes of the reference alone.
            return {"subject": key} if kind in person_types() else None
        if not _is_person(facts):
            return None
        family = [name.family for name in facts.names if name.family]
        given = [word for name in facts.names for word in name.given]
        return {
            "subject": facts.key,
            "sex": facts.sex,
            "family": " ".join(family) or None,
            "given": " ".join(given) or None,
        }

    def _facility(self, referent: str | None) -> dict[str, str | None] | None:
        """What a facility's name is masked with; None where the reference means no facility."""
        facts = self.people.facts(referent) if self.people is not None and referent is not None else None
        if facts is not None and facts.resource_type in facility_types():
            return {"facility": facts.called, "address": facts.home}
        return {} if facts is None and (referent or "").partition("/")[0] in facility_types() else None


def _is_person(facts: object) -> bool:
    return getattr(facts, "resource_type", "") in person_types()


@register
@dataclass(frozen=True)
class ByReferent(Masker):
    """A display by what the reference beside it means: a human's is masked by `person` with what the run knows of that human, so
    that it shows the name that the record itself shows; an organization's or a location's by `place`, likewise; any other by
    `default`.

    A human whose record the export lacks gets a name keyed by the reference alone, a facility one by the display alone.
    Where the run gathers no knowledge of people, all go to `place` or `default`.
    """

    name: ClassVar[str] = "by_referent"
    person: Masker
    place: Masker
    default: Masker

    def __post_init__(self) -> None:
        for name in ("person", "place", "default"):
            check(isinstance(getattr(self, name), Masker), name, "is not a masker")

    def bind(self, keys: Subkeys) -> BoundByReferent:
        """Bind all three."""
        return BoundByReferent(self.person.bind(keys), self.place.bind(keys), self.default.bind(keys))
