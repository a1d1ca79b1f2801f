"""From a record's JSON to its facts. Whatever is not of the kind that FHIR says is passed over; nothing raises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from masking.fhir.compartment import facility_types
from masking.fhir.references import parse
from masking.identity.facts import MOST, Address, Contact, Facts, Identifier, Met, Name, Telecom, first_met
from masking.identity.names import RANK, contained_key, id_key, identifier_key, named_by, split

#: Longer texts are no names, numbers or address lines, and are passed over.
LONGEST = 1000
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
    if not isinstance(full_url, str) or len(full_url) > LONGEST:
        return ""
    said, key = split(named_by(full_url, ""))
    return key if said in ("", resource_type) else ""


def _read(record: dict[str, Any], facts: Facts, root: str) -> Facts:
    facts.sexes = _set([_text(record.get("gender"))])
    facts.birth_dates = _set([date for date in [_text(record.get("birthDate"))] if _DATE.fullmatch(date)])
    facts.death_dates = _set([date for date in [_text(record.get("deceasedDateTime"))] if _DATE.match(date)])
    facts.names = _set([*_names(record.get("name")), *_other_names(record)])
    home = next((address.in_one() for address in _addresses(record.get("address"))), "")
    facts.births = _set([_born_together(record, home)])
    facts.homes = _set([home]) if facts.resource_type in facility_types() else ()
    facts.telecoms = _set(_telecoms(record.get("telecom"), home))
    facts.identifiers = _set(_identifiers(record.get("identifier")))
    facts.addresses = _set([*_addresses(record.get("address")), *_birthplaces(record)])
    facts.contacts = _set(_contacts(record.get("contact"), root, home))
    facts.relatives, facts.same, facts.carers = (
        _set(name for path in paths.get(facts.resource_type, ()) for name in _named(record, path, root))
        for paths in (_RELATIVES, _SAME, _CARERS)
    )
    if facts.resource_type in ("Patient", "PractitionerRole"):  # whom texts may name though no record describes them
        carers = (item for path in _CARERS[facts.resource_type] for item in items_at(record, path))
        facts.met = first_met(_met(item, root, 0) for item in carers if _text(item.get("display")))
    return facts


def met_at(resource: dict[str, Any], path: str, root: str, rank: int = 0) -> Iterator[Met]:
    """Those whom the References at a path name, by record or display. root: the id of the outermost resource around them."""
    return (one for item in items_at(resource, path) if (one := _met(item, root, rank)).who or one.called)


def _met(item: dict[str, Any], root: str, rank: int) -> Met:
    who = _reference_name(item, root)
    if not who and not _may_be_somebody(item):
        return Met()
    return Met(who, _text(item.get("display")), rank)


def _may_be_somebody(item: dict[str, Any]) -> bool:
    """Whether a Reference that names no record of a person or place is not said to name something else, such as a Device."""
    said = _text(item.get("type")) or parse(_text(item.get("reference"))).type
    return not said or said in RANK


#: Where a record names others, by its type.
_RELATIVES = {"RelatedPerson": ("patient",), "PractitionerRole": ("practitioner",)}
_SAME = {"Patient": ("link.other",), "Person": ("link.target",)}
_CARERS = {
    "Patient": ("generalPractitioner", "managingOrganization", "contact.organization"),
    "Practitioner": ("qualification.issuer",),
    "Person": ("managingOrganization",),
    "PractitionerRole": ("practitioner", "organization"),
    "Organization": ("partOf",),
    "Location": ("managingOrganization", "partOf"),
    "HealthcareService": ("providedBy", "location"),
    "Endpoint": ("managingOrganization",),
}


def _born_together(record: dict[str, Any], home: str) -> str:
    """The day and the home of one of a multiple birth (`Patient.multipleBirth[x]`), by which the others are known."""
    day, number = _text(record.get("birthDate")), record.get("multipleBirthInteger")
    is_one = record.get("multipleBirthBoolean") is True or (isinstance(number, int) and not isinstance(number, bool))
    return f"{day}|{' '.join(home.casefold().split())}" if is_one and home and _DATE.fullmatch(day) else ""


def _set(values: Iterable[T]) -> tuple[T, ...]:
    """The values in order, each once, the empty ones left out."""
    return tuple(sorted({value for value in values if value not in _EMPTY})[:MOST])  # type: ignore[type-var]


_EMPTY = frozenset({"", Name(), Telecom(), Identifier(), Address(), Contact(), Met()})


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST else ""


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


def _telecoms(value: Any, home: str) -> Iterator[Telecom]:
    """home: see `Telecom.address`."""
    for item in _objects(value):
        if text := _text(item.get("value")):
            yield Telecom(_text(item.get("system")), text, _text(item.get("use")), home)


def _identifiers(value: Any) -> Iterator[Identifier]:
    for item in _objects(value):
        if text := _text(item.get("value")):
            codes = (
                _text(coding.get("code"))
                for kind in _objects(item.get("type"))
                for coding in _objects(kind.get("coding"))
            )
            # In the record's order: the first that has a rule masks the value there.
            yield Identifier(_text(item.get("system")), text, tuple(filter(None, dict.fromkeys(codes))))


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


def _contacts(value: Any, root: str, home: str) -> Iterator[Contact]:
    for item in _objects(value):
        yield Contact(
            _set(_names(item.get("name"))),
            _set(_telecoms(item.get("telecom"), home)),
            _set(_addresses(item.get("address"))),
            next(iter(_named(item, "organization", root)), ""),
            _text(item.get("gender")),
        )


def _named(record: dict[str, Any], path: str, root: str) -> list[str]:
    """The names of the records that the References at a path mean."""
    return [name for item in items_at(record, path) if (name := _reference_name(item, root))]


def items_at(record: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """The objects at a path."""
    here: list[Any] = [record]
    for step in path.split("."):
        here = [item for holder in here if isinstance(holder, dict) for item in _items(holder.get(step))]
    return [item for item in here if isinstance(item, dict)]


def _reference_name(item: dict[str, Any], root: str) -> str:
    if isinstance(item.get("reference"), str):
        return named_by(_text(item["reference"]), root)
    number = item.get("identifier")
    if not isinstance(number, dict) or not (value := _text(number.get("value"))):
        return ""
    return "/" + identifier_key(_text(number.get("system")), value)
