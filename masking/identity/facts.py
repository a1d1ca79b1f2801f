"""What one record says of a human being or an organization, as plain and small data.

Everything is a set, kept as a sorted tuple, so that records of one human merge by union: in whatever order they come,
the same comes out. Null is the empty text. These are PHI: no repr shows a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from masking.fhir.compartment import facility_types
from masking.identity.names import identifier_key

#: Of each kind of fact, a merged record keeps the first so many: no human has more, and a record stays small.
MOST = 200
#: Of those whom a patient has met, people, and places as many, with so many displays of each: some have met hundreds, and
#: all texts of theirs are searched for all of them.
MOST_MET, _SPELLINGS = 50, 4


class _Quiet(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """A value that is compared and stored, never shown."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class Name(_Quiet, frozen=True):
    """A HumanName, or the name of an organization (`text`).

    use: FHIR's, or `alias` (Organization.alias), `mothers-maiden` and `family-part` (from extensions).
    """

    use: str = ""
    family: str = ""
    given: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    text: str = ""


class Telecom(_Quiet, frozen=True):
    """A ContactPoint. address: the first of the record that it stands in, in one (`Address.in_one`): what a telephone's
    area code goes by; "" where the record has none.
    """

    system: str = ""
    value: str = ""
    use: str = ""
    address: str = ""


class Identifier(_Quiet, frozen=True):
    """An Identifier. types: the codes of its type (`MR`, `SS`), in the order in which the record has them."""

    system: str = ""
    value: str = ""
    types: tuple[str, ...] = ()


class Address(_Quiet, frozen=True):
    """An Address. use: FHIR's, or `birthplace` (from the extension)."""

    use: str = ""
    lines: tuple[str, ...] = ()
    city: str = ""
    district: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    text: str = ""

    def in_one(self) -> str:
        """`line, line|city|state|postalCode|country`, as the engine tells maskers of the address around a value."""
        return "|".join((", ".join(self.lines), self.city, self.state, self.postal_code, self.country))


class Contact(_Quiet, frozen=True):
    """Somebody who is named within a record and has none of their own (Patient.contact, Organization.contact)."""

    names: tuple[Name, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    addresses: tuple[Address, ...] = ()
    organization: str = ""  # a record's name
    sex: str = ""


class Met(_Quiet, frozen=True):
    """Somebody who took part in a patient's care, or where that was, as the patient's chart has it or the record itself.

    who: a record's name; "" where none is meant, a type with a slash where it is known of which somebody is. called: the
    display beside it. rank: 0 of those whom visits, teams and the record name; they and the others
    are bounded apart.
    """

    who: str = ""
    called: str = ""
    rank: int = 0


class Facts(msgspec.Struct, array_like=True, gc=False, eq=True):
    """What is known of one human (or organization), out of one record or of several that were merged.

    key: the subject key, as the engine spells it. resource_type: of the record; "" of a note about whoever has the key.
    relatives, same, carers: names of other records (`Patient/123`; `/123` where a reference leaves the type open).
    same: records of the same human. carers: general practitioner, practitioner and organization of a role and so on.
    aliases: keys under which a Bundle's fullUrl knows the record, if not its own.
    known_as: the names of all records that were merged; () for one alone.
    homes: of a facility, the first address of its record in one (`Address.in_one`): its fake name is of that state.
    met: of a patient, who took part in the care; of a role, who has it and where, if there is a display.
    births: of one of a multiple birth, the day and the home in one, which those who were born together share.
    """

    resource_type: str
    key: str
    sexes: tuple[str, ...] = ()
    birth_dates: tuple[str, ...] = ()
    death_dates: tuple[str, ...] = ()
    names: tuple[Name, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    relatives: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    carers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    known_as: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    births: tuple[str, ...] = ()
    met: tuple[Met, ...] = ()

    def __repr__(self) -> str:
        return f"Facts({self.resource_type})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("resource_type", self.resource_type)]

    @property
    def name(self) -> str:
        """What names the record: `Patient/123`."""
        return f"{self.resource_type}/{self.key}"

    @property
    def sex(self) -> str | None:
        """The administrative gender; where records disagree, female or male rather than unknown or other."""
        return min(self.sexes, key=lambda sex: (sex not in ("female", "male"), sex), default=None)

    @property
    def birth_date(self) -> str | None:
        """The most precise birth date; the earliest of several."""
        return min(self.birth_dates, key=lambda date: (-len(date), date), default=None)

    @property
    def death_date(self) -> str | None:
        """The most precise date or dateTime of death; the earliest of several."""
        return min(self.death_dates, key=lambda date: (-len(date), date), default=None)

    @property
    def called(self) -> str | None:
        """Of a facility, the name that its record has; of several the first."""
        return next((name.text for name in self.names if name.text and name.use != "alias"), None)

    @property
    def home(self) -> str | None:
        """Of a facility, where it is; of several places the first."""
        return next(iter(self.homes), None)

    @property
    def spellings(self) -> tuple[str, ...]:
        """Keys beside its own by which references reach the record: `system|value` and aliases."""
        numbers = (identifier_key(number.system, number.value) for number in self.identifiers)
        return tuple(sorted({*numbers, *self.aliases} - {self.key}))


def first_met(met: Iterable[Met]) -> tuple[Met, ...]:
    """The first by name: of each rank `MOST_MET` people and as many places, `_SPELLINGS` displays of each. The same whatever
    the order, and whatever part was bounded before.
    """
    counts: dict[tuple[int, bool], int] = {}
    kept: dict[tuple[int, str, str], list[Met]] = {}
    for one in sorted(set(met), key=lambda one: (one.rank, one.who, one.called)):
        whose = (one.rank, one.who, one.called if one.who[-1:] in ("", "/") else "")
        if whose not in kept:
            rank_of = one.rank, one.who.partition("/")[0] in facility_types()
            counts[rank_of] = counts.get(rank_of, 0) + 1
            kept[whose] = []
            if counts[rank_of] > MOST_MET:
                continue
        elif not kept[whose]:
            continue  # one too many
        if len(kept[whose]) < _SPELLINGS:
            kept[whose].append(one)
    return tuple(one for those in kept.values() for one in those)


_KEPT = tuple(name for name in Facts.__struct_fields__ if name not in ("resource_type", "key"))


def merge(records: Iterable[Facts], resource_type: str, key: str) -> Facts:
    """All that is known of one human, under this name: the union of each kind of fact."""
    parts = list(records)
    if len(parts) == 1:
        return msgspec.structs.replace(parts[0], resource_type=resource_type, key=key)
    fields: dict[str, Any] = {}
    for field in _KEPT:
        values = {value for part in parts for value in getattr(part, field)}
        fields[field] = first_met(values) if field == "met" else tuple(sorted(values)[:MOST])
    return Facts(resource_type, key, **fields)


def reversed_links(facts: Facts) -> Iterator[Facts]:
    """Notes to the relatives of a record that it is theirs; merged with their own records, relation goes both ways."""
    for relative in facts.relatives:
        resource_type, _, key = relative.partition("/")
        yield Facts(resource_type, key, relatives=(facts.name,))
