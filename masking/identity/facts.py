"""What one record says of a human being or an organization, as plain and small data.

Everything is a set, kept as a sorted tuple, so that records of one human merge by union: in whatever order they come,
the same comes out. Null is the empty text. These are PHI: no repr shows a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from masking.identity.names import RANK, contained_key, id_key, identifier_key, named_by, split

#: Longer texts are no names, numbers or address lines, and are passed over.
_LONGEST = 1000
#: Of each kind of fact, a merged record keeps the first so many: no human has more, and a record stays small.
MOST = 200
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", re.ASCII)
#: Extensions that hold a name, by the last part of their URL, and the use that the name is given here.
_NAME_EXTENSIONS = {
    "patient-mothersMaidenName": "mothers-maiden",
    "humanname-fathers-family": "family-part",
    "humanname-mothers-family": "family-part",
    "humanname-own-name": "family-part",
    "humanname-partner-name": "family-part",
}
T = TypeVar("T")


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
    """A ContactPoint."""

    system: str = ""
    value: str = ""
    use: str = ""


class Identifier(_Quiet, frozen=True):
    """An Identifier. types: the codes of its type (`MR`, `SS`)."""

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


class Contact(_Quiet, frozen=True):
    """Somebody who is named within a record and has none of their own (Patient.contact, Organization.contact)."""

    names: tuple[Name, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    addresses: tuple[Address, ...] = ()
    organization: str = ""  # a record's name


class Facts(msgspec.Struct, array_like=True, gc=False, eq=True):
    """What is known of one human (or organization), out of one record or of several that were merged.

    key: the subject key, as the engine spells it. resource_type: of the record; "" of a note about whoever has the key.
    relatives, same, carers: names of other records (`Patient/123`; `/123` where a reference leaves the type open).
    same: records of the same human. carers: general practitioner, practitioner and organization of a role and so on.
    aliases: keys under which a Bundle's fullUrl knows the record, if not its own.
    known_as: the names of all records that were merged; () for one alone.
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
    def spellings(self) -> tuple[str, ...]:
        """Keys beside its own by which references reach the record: `system|value` and aliases."""
        numbers = (identifier_key(number.system, number.value) for number in self.identifiers)
        return tuple(sorted({*numbers, *self.aliases} - {self.key}))


_KEPT = tuple(name for name in Facts.__struct_fields__ if name not in ("resource_type", "key"))


def merge(records: Iterable[Facts], resource_type: str, key: str) -> Facts:
    """All that is known of one human, under this name: the union of each kind of fact."""
    parts = list(records)
    if len(parts) == 1:
        return msgspec.structs.replace(parts[0], resource_type=resource_type, key=key)
    fields = {}
    for field in _KEPT:
        values = {value for part in parts for value in getattr(part, field)}
        fields[field] = tuple(sorted(values)[:MOST])
    return Facts(resource_type, key, **fields)


def reversed_links(facts: Facts) -> Iterator[Facts]:
    """Notes to the relatives of a record that it is theirs; merged with their own records, relation goes both ways."""
    for relative in facts.relatives:
        resource_type, _, key = relative.partition("/")
        yield Facts(resource_type, key, relatives=(facts.name,))


# ── from JSON; whatever is not of the kind that FHIR says is passed over ──


def facts_of(resource: Any, *, root_id: str | None = None, full_url: Any = None) -> Facts | None:
    """What a record says; None for other types and for a record that nothing can refer to.

    root_id: of a contained resource, the id of the outermost resource around it ("" if that has none). full_url: of
    the Bundle entry around the resource.
    """
    if not isinstance(resource, dict):
        return None
    resource_type = resource.get("resourceType")
    if not isinstance(resource_type, str) or resource_type not in RANK:
        return None
    own_id, given_name = _id(resource.get("id")), _by_full_url(full_url, resource_type)
    if root_id is None:
        key = id_key(own_id) if own_id else given_name
        root = own_id
    else:
        key = contained_key(root_id, own_id) if own_id else ""
        root = root_id
    if not key:
        return None
    aliases = (given_name,) if given_name not in ("", key) else ()
    return _read(resource, Facts(resource_type, key, aliases=aliases), root)


def _by_full_url(full_url: Any, resource_type: str) -> str:
    """The key that a fullUrl gives a record; empty where it gives none, or names another type."""
    if not isinstance(full_url, str) or len(full_url) > _LONGEST:
        return ""
    said, key = split(named_by(full_url, ""))
    return key if said in ("", resource_type) else ""


def _read(record: dict[str, Any], facts: Facts, root: str) -> Facts:
    facts.sexes = _set([_text(record.get("gender"))])
    facts.birth_dates = _set([date for date in [_text(record.get("birthDate"))] if _DATE.fullmatch(date)])
    facts.death_dates = _set([date for date in [_text(record.get("deceasedDateTime"))] if _DATE.match(date)])
    facts.names = _set([*_names(record.get("name")), *_other_names(record)])
    facts.telecoms = _set(_telecoms(record.get("telecom")))
    facts.identifiers = _set(_identifiers(record.get("identifier")))
    facts.addresses = _set([*_addresses(record.get("address")), *_birthplaces(record)])
    facts.contacts = _set(_contacts(record.get("contact"), root))
    facts.relatives, facts.same, facts.carers = (
        _set(name for path in paths.get(facts.resource_type, ()) for name in _named(record, path, root))
        for paths in (_RELATIVES, _SAME, _CARERS)
    )
    return facts


#: Where a record names others, by its type.
_RELATIVES = {"RelatedPerson": ("patient",), "PractitionerRole": ("practitioner",)}
_SAME = {"Patient": ("link.other",), "Person": ("link.target",)}
_CARERS = {
    "Patient": ("generalPractitioner", "managingOrganization", "contact.organization"),
    "Practitioner": ("qualification.issuer",),
    "Person": ("managingOrganization",),
    "PractitionerRole": ("practitioner", "organization"),
    "Organization": ("partOf",),
}


def _set(values: Iterable[T]) -> tuple[T, ...]:
    """The values in order, each once, the empty ones left out."""
    return tuple(sorted({value for value in values if value not in _EMPTY})[:MOST])  # type: ignore[type-var]


_EMPTY = frozenset({"", Name(), Telecom(), Identifier(), Address(), Contact()})


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""


def _id(value: Any) -> str:
    """An id, however long: it must be the very key by which others refer to it."""
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    """The texts of an array, in its order."""
    return tuple(text for item in _items(value) if (text := _text(item)))


def _items(value: Any) -> list[Any]:
    """The items of an array; a value that stands alone where an array is expected is taken for its only item."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in _items(value) if isinstance(item, dict))


def _names(value: Any) -> Iterator[Name]:
    for item in _items(value):
        if isinstance(item, str):  # Organization.name
            yield Name(text=_text(item))
        elif isinstance(item, dict):
            yield _name(item)
            companion = item.get("_family")
            yield from _extension_names(companion) if isinstance(companion, dict) else ()


def _name(item: dict[str, Any]) -> Name:
    name = Name(
        family=_text(item.get("family")),
        given=_texts(item.get("given")),
        prefix=_texts(item.get("prefix")),
        suffix=_texts(item.get("suffix")),
        text=_text(item.get("text")),
    )
    # A use alone is no name.
    return name if name == Name() else msgspec.structs.replace(name, use=_text(item.get("use")))


def _other_names(record: dict[str, Any]) -> Iterator[Name]:
    """Aliases of an organization, and names that stand in extensions."""
    yield from (Name(use="alias", text=text) for text in _texts(record.get("alias")))
    yield from _extension_names(record)


def _extension_names(holder: dict[str, Any]) -> Iterator[Name]:
    for extension in _objects(holder.get("extension")):
        use = _NAME_EXTENSIONS.get(_text(extension.get("url")).rpartition("/")[2])
        text = _text(extension.get("valueString"))
        if use and text:
            yield Name(use=use, text=text)


def _birthplaces(record: dict[str, Any]) -> Iterator[Address]:
    for extension in _objects(record.get("extension")):
        if _text(extension.get("url")).endswith("/patient-birthPlace"):
            for address in _addresses(extension.get("valueAddress")):
                yield msgspec.structs.replace(address, use="birthplace")


def _telecoms(value: Any) -> Iterator[Telecom]:
    for item in _objects(value):
        if text := _text(item.get("value")):
            yield Telecom(_text(item.get("system")), text, _text(item.get("use")))


def _identifiers(value: Any) -> Iterator[Identifier]:
    for item in _objects(value):
        if text := _text(item.get("value")):
            codes = {
                _text(coding.get("code"))
                for kind in _objects(item.get("type"))
                for coding in _objects(kind.get("coding"))
            }
            yield Identifier(_text(item.get("system")), text, tuple(sorted(codes - {""})))


def _addresses(value: Any) -> Iterator[Address]:
    for item in _objects(value):
        address = Address(
            lines=_texts(item.get("line")),
            city=_text(item.get("city")),
            district=_text(item.get("district")),
            state=_text(item.get("state")),
            postal_code=_text(item.get("postalCode")),
            country=_text(item.get("country")),
            text=_text(item.get("text")),
        )
        if address != Address():
            yield msgspec.structs.replace(address, use=_text(item.get("use")))


def _contacts(value: Any, root: str) -> Iterator[Contact]:
    for item in _objects(value):
        yield Contact(
            _set(_names(item.get("name"))),
            _set(_telecoms(item.get("telecom"))),
            _set(_addresses(item.get("address"))),
            next(iter(_named(item, "organization", root)), ""),
        )


def _named(record: dict[str, Any], path: str, root: str) -> list[str]:
    """The names of the records that the References at a path mean."""
    here: list[Any] = [record]
    for step in path.split("."):
        here = [item for holder in here if isinstance(holder, dict) for item in _items(holder.get(step))]
    return [name for item in here if isinstance(item, dict) and (name := _reference_name(item, root))]


def _reference_name(item: dict[str, Any], root: str) -> str:
    if isinstance(item.get("reference"), str):
        return named_by(_text(item["reference"]), root)
    number = item.get("identifier")
    if not isinstance(number, dict) or not (value := _text(number.get("value"))):
        return ""
    return "/" + identifier_key(_text(number.get("system")), value)
