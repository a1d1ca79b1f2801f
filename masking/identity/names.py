"""How a record is named: its type and its subject key, `Patient/123`; of what a reference leaves open, `/123`.

Keys are spelled as `masking.document.subjects` spells them, which is what stands between JSON's quotes. Numbers of
one server may repeat between types (`Patient/1`, `Practitioner/1`), so a key alone names nobody for certain; where it
must, the first of `TYPES` is meant.
"""

from __future__ import annotations

import re

import msgspec

from masking.fhir.references import parse

#: The types that are gathered, in the order in which a bare key is taken for one of them.
TYPES = (
    *("Patient", "RelatedPerson", "Practitioner", "Person", "PractitionerRole"),
    *("Organization", "Location", "HealthcareService", "Endpoint"),
)
RANK = {name: rank for rank, name in enumerate(TYPES)}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_encode = msgspec.json.Encoder().encode


def spelled(text: str) -> str:
    """A text as it stands between the quotes of JSON."""
    return text if text.isascii() and text.isalnum() else _encode(text)[1:-1].decode()


def id_key(own_id: str) -> str:
    """The key of a record by its own id; UUIDs fold to lower case."""
    key = spelled(own_id)
    return key.lower() if len(key) == 36 and _UUID.fullmatch(key) else key


def contained_key(root_id: str, own_id: str) -> str:
    """The key of a contained record, by the id of the outermost resource and its own."""
    return f"{spelled(root_id)}#{spelled(own_id)}"


def identifier_key(system: str, value: str) -> str:
    """The key of whoever is known by an identifier alone."""
    return spelled(f"{system}|{value}")


def split(name: str) -> tuple[str, str]:
    """The type and the key of a name; the type is empty where it is open. Takes bare keys too."""
    head, slash, key = name.partition("/")
    return (head, key) if slash and (not head or head in RANK) else ("", name)


def named_by(reference: str, root_id: str) -> str:
    """The name of the record that a reference means; empty where that is none of a person or organization.

    root_id: the id of the outermost resource around the reference, that `#…` is relative to.
    """
    if reference[:1] == "#":
        return f"/{contained_key(root_id, reference[1:])}" if len(reference) > 1 else ""
    parts = parse(reference)
    if parts.kind in ("urn_uuid", "urn_oid") and parts.id is not None:
        return "/" + id_key(parts.id)
    if parts.type not in RANK:
        return ""
    if parts.kind == "conditional":
        whom = parts.of_whom()
        return "" if whom is None else "/" + id_key(whom)
    return f"{parts.type}/{id_key(parts.id)}" if parts.id is not None else ""
