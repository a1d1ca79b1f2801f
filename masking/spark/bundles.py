"""Take a masked Bundle apart into the resources of its entries. Knows nothing of Spark.

It was masked as a whole, so that references and subjects within it are right. Between files of resources a reference
by `urn:uuid:` leads nowhere, so where the Bundle itself says which resource that is, it becomes `Type/id`. No other
byte of a resource changes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from masking.errors import CountMismatch
from masking.fhir.elements import resource_types
from masking.fhir.references import parse

BUNDLE = "Bundle"
DELETE, DELETE_BY_SEARCH = "delete", "delete-by-search"
_ASKING = ("transaction", "batch")  # types of Bundles whose requests are to be carried out
_BOM = b"\xef\xbb\xbf"
_NULL = msgspec.Raw(b"null")
_URN = re.compile(r"urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
#: A quote within a string stands behind a backslash, so in valid JSON this is a property of that name and its value.
#: Not by IGNORECASE, which would cost the search for the fixed beginning and with it most of the speed.
_REFERENCE = re.compile(rb'("reference"\s*:\s*")([Uu][Rr][Nn]:[Uu][Uu][Ii][Dd]:[0-9A-Fa-f-]{36})"')


class _Entries(msgspec.Struct):
    entry: msgspec.Raw = _NULL
    type: msgspec.Raw = _NULL


class _Entry(msgspec.Struct):
    fullUrl: msgspec.Raw = _NULL  # noqa: N815 (FHIR's spelling)
    resource: msgspec.Raw = _NULL
    request: msgspec.Raw = _NULL
    response: msgspec.Raw = _NULL


class _Resource(msgspec.Struct):
    resourceType: msgspec.Raw = _NULL  # noqa: N815
    id: msgspec.Raw = _NULL


_entries_of = msgspec.json.Decoder(_Entries).decode
_entry_of = msgspec.json.Decoder(_Entry).decode
_resource_of = msgspec.json.Decoder(_Resource).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Parts:
    """What came of a Bundle: its resources by type, how many entries it had, and why some gave no resource.

    deleted: type and masked id of what it asks to delete. (A history tells of what was once deleted, and asks nothing.)
    """

    resources: dict[str, list[bytes]] = field(default_factory=dict)
    deleted: list[tuple[str, str]] = field(default_factory=list)
    entries: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def take_apart(source: bytes, masked: bytes) -> Parts:
    """The resources of a masked Bundle, in order. `source` is the Bundle as it was, for what is gone is seen there.

    Reasons of entries without a resource: `delete` (a request to delete), `delete-by-search` (one that names no id, so that
    what it means is not known), `request-only`, `response-only`,
    `no-resource` (nothing of the kind), and `redacted`: it had one, which the policy lets not through or which is no
    R4 resource.
    """
    parts = Parts()
    asks = _any(_entries_of(masked).type) in _ASKING
    for entry in _entries(source.removeprefix(_BOM)):
        parts.entries += 1
        if _is_null(entry.resource):
            parts.dropped[_why_none(entry)] += 1
    found: list[tuple[str, bytes]] = []
    targets: dict[str, set[bytes]] = {}
    for entry in _entries(masked):
        resource = bytes(entry.resource)
        if asks and _is_null(entry.resource) and (gone := _deleted(entry)) is not None:
            parts.deleted.append(gone)
        head = _resource_of(resource) if resource[:1] == b"{" else _Resource()
        name, id_, url = _any(head.resourceType), _any(head.id), _any(entry.fullUrl)
        if not isinstance(name, str) or name not in resource_types():
            continue
        found.append((name, resource))
        urn = _URN.fullmatch(url) if isinstance(url, str) else None
        if urn is not None and isinstance(id_, str) and id_:
            targets.setdefault(urn[0].lower(), set()).add(f"{name}/{id_}".encode())
    # Two resources under one fullUrl: which is meant is not known, so the reference stays what it is.
    links = {urn.encode(): target for urn, (target, *more) in targets.items() if not more}
    for name, resource in found:
        # A Bundle within the Bundle stays whole, with names of its own.
        parts.resources.setdefault(name, []).append(resource if name == BUNDLE else _linked(resource, links))
    redacted = parts.entries - parts.dropped.total() - len(found)
    if redacted < 0:
        raise CountMismatch("a masked Bundle has more resources than its source; this is a bug in the engine")
    parts.dropped.update({"redacted": redacted} if redacted else {})
    return parts


def _entries(bundle: bytes) -> Iterator[_Entry]:
    """All entries; what is no object counts as one that says nothing. One that stands in no array is one, too."""
    raw = _entries_of(bundle).entry
    start = bytes(raw)[:1]
    for item in _list(raw) if start == b"[" else [raw] if start == b"{" else []:
        yield _entry_of(item) if bytes(item)[:1] == b"{" else _Entry()


def only_deletes(bundle: bytes) -> bool:
    """Whether a document is a Bundle that does nothing but ask to delete, as those of Bulk Data's `deleted` folder."""
    if b'"DELETE"' not in bundle:
        return False
    try:
        bundle = bundle.removeprefix(_BOM)
        entries = list(_entries(bundle)) if _any(_entries_of(bundle).type) in _ASKING else []
        return bool(entries) and all(_is_null(one.resource) and _why_none(one).startswith(DELETE) for one in entries)
    except msgspec.DecodeError:
        return False


def _deleted(entry: _Entry) -> tuple[str, str] | None:
    """The type and id that a request to delete names; None for other requests."""
    request: Any = _any(entry.request)
    if not isinstance(request, dict) or request.get("method") != "DELETE" or not isinstance(request.get("url"), str):
        return None
    named = parse(request["url"])
    if named.type is None or not named.id or named.query is not None or named.type not in resource_types():
        return None
    return named.type, named.id


def _is_null(raw: msgspec.Raw) -> bool:
    return bytes(raw) == b"null"


def _why_none(entry: _Entry) -> str:
    if not _is_null(entry.request):
        request: Any = _any(entry.request)
        if not isinstance(request, dict) or request.get("method") != "DELETE":
            return "request-only"
        return DELETE if _deleted(entry) else DELETE_BY_SEARCH
    return "no-resource" if _is_null(entry.response) else "response-only"


def _linked(resource: bytes, links: dict[bytes, bytes]) -> bytes:
    """The resource with `Type/id` in place of each `urn:uuid:` reference that the Bundle resolves."""
    if not links:
        return resource

    def link(found: re.Match[bytes]) -> bytes:
        return found[1] + links.get(found[2].lower(), found[2]) + b'"'

    return _REFERENCE.sub(link, resource)
