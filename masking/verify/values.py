"""The identifying values in one object and all below it, by FHIR's data types: names, contacts, identifiers, attachments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from masking.fhir.references import parse
from masking.verify.kinds import ELEMENTS, IDENTIFIER_SYSTEMS, IDENTIFIER_TYPES, NAME_EXTENSIONS, Kind
from masking.verify.tree import Branch, Tree

_TELECOM = {"phone": Kind.PHONE, "fax": Kind.PHONE, "pager": Kind.PHONE, "sms": Kind.PHONE, "email": Kind.EMAIL,
            "url": Kind.URL}  # fmt: skip


def flat(values: list[Any]) -> Iterator[Any]:
    """What is in lists of lists."""
    for value in values:
        if isinstance(value, list):
            yield from flat(value)
        else:
            yield value


def dicts(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a value that may be one, or an array of them, or nothing of the kind."""
    return (one for one in flat([value]) if isinstance(one, dict))


def walk(branch: Branch, value: dict[str, Any]) -> Iterator[tuple[Kind, str] | dict[str, Any]]:
    """The values in an object; resources within as they are."""
    special = _SPECIAL.get(branch.content)
    if special is not None:
        yield from special(value)
    for name, inner in value.items():
        twig = branch.twig(name)
        element = twig.element
        if element is None:
            continue
        if twig.is_extension:
            for one in dicts(inner):
                below = twig.extension(one.get("url")).below
                assert below is not None
                yield from walk(below, one)
        elif twig.is_resource:
            yield from dicts(inner)
        elif twig.below is not None:
            for one in dicts(inner):
                yield from walk(twig.below, one)
        elif (kind := ELEMENTS.get(element.path)) is not None:
            yield from ((kind, text) for text in texts(inner))


def texts(value: Any) -> Iterator[str]:
    """The texts in a value that may be one, or an array of them."""
    return (one for one in flat([value]) if isinstance(one, str))


def _human_name(name: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
    given, family = " ".join(texts(name.get("given"))), " ".join(texts(name.get("family")))
    first = next(texts(name.get("given")), "")
    if given and family:
        for text in {f"{given} {family}", f"{family} {given}", f"{first} {family}", f"{family} {first}"}:
            yield Kind.FULL_NAME, text


def _contact(contact: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
    value, system = contact.get("value"), contact.get("system")
    if isinstance(value, str):
        kind = _TELECOM.get(system) if isinstance(system, str) else None
        if kind is None:
            kind = Kind.EMAIL if "@" in value else Kind.URL if "://" in value else Kind.PHONE
        yield kind, value


def _identifier(identifier: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
    value, system = identifier.get("value"), identifier.get("system")
    if not isinstance(value, str):
        return
    kind = IDENTIFIER_SYSTEMS.get(system) if isinstance(system, str) else None
    for coding in dicts((next(dicts(identifier.get("type")), {})).get("coding")):
        code = coding.get("code")
        if kind is None and isinstance(code, str):
            kind = IDENTIFIER_TYPES.get(code)
    yield kind or Kind.NUMBER, value


def _attachment(attachment: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
    kind = attachment.get("contentType")
    if (
        isinstance(data := attachment.get("data"), str)
        and isinstance(kind, str)
        and kind.startswith(("image", "audio", "video"))
    ):
        yield Kind.PHOTO, data
    if isinstance(url := attachment.get("url"), str):
        yield Kind.URL, url


def _reference(reference: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
    if isinstance(display := reference.get("display"), str) and _is_person(reference):
        yield Kind.FULL_NAME, display


def _extension(extension: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
    if isinstance(url := extension.get("url"), str) and url in NAME_EXTENSIONS:
        yield from ((Kind.NAME_WORD, text) for text in texts(extension.get("valueString")))
    yield from ((Kind.PHOTO, text) for text in texts(extension.get("valueBase64Binary")))


_SPECIAL: dict[str, Callable[[dict[str, Any]], Iterator[tuple[Kind, str]]]] = {
    "HumanName": _human_name,
    "ContactPoint": _contact,
    "Identifier": _identifier,
    "Attachment": _attachment,
    "Reference": _reference,
    "Extension": _extension,
}


def walk_bundle(tree: Tree, bundle: dict[str, Any]) -> Iterator[tuple[Kind, str] | dict[str, Any]]:
    """The same of a Bundle; its entries' resources as they are."""
    branch = tree.root("Bundle")
    assert branch is not None
    return walk(branch, bundle)


def _is_person(reference: dict[str, Any]) -> bool:
    target = reference.get("reference")
    return isinstance(target, str) and parse(target).type in ("Patient", "Practitioner", "RelatedPerson", "Person")
