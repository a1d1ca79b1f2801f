"""Find the records of people and organizations in a batch of documents, whatever else the batch holds.

Most documents hold none, and what is not looked for costs one search of its bytes. Documents that are damaged are
passed over: the masking pass says what is wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from masking.identity.charts import Charts, charts
from masking.identity.facts import Facts, first_met
from masking.identity.names import TYPES, identifier_key, named_by, split
from masking.identity.records import facts_of

_CHARTS = charts()
#: A record that spells its type with escapes is not seen.
_RECORD = re.compile(rb'"resourceType"\s*:\s*"(?:%s)"' % "|".join((*TYPES, *sorted(_CHARTS))).encode())
_REFERENCE = re.compile(rb'"reference"\s*:\s*"([^"\\]+)"')
#: An Identifier that stands alone and names no type, as those in references do.
_NUMBER = re.compile(rb'"identifier"\s*:\s*(\{[^{}\[\]]*\})')
_DEEPEST = 8  # Bundles within Bundles
_BOM = b"\xef\xbb\xbf"


class _Head(msgspec.Struct):
    """Of a document only what is needed to go on, unread."""

    resourceType: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815 (FHIR's spelling)
    id: msgspec.Raw = msgspec.Raw(b"null")
    entry: msgspec.Raw = msgspec.Raw(b"null")
    contained: msgspec.Raw = msgspec.Raw(b"null")
    parameter: msgspec.Raw = msgspec.Raw(b"null")


class _Entry(msgspec.Struct):
    fullUrl: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _Number(msgspec.Struct):
    system: str = ""
    value: str = ""


_head = msgspec.json.Decoder(_Head).decode
_entry = msgspec.json.Decoder(_Entry).decode
_number = msgspec.json.Decoder(_Number).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode


def gather(lines: Sequence[bytes], seen: Charts | None = None) -> Iterator[Facts]:
    """What the documents say of people and organizations: one JSON text each, resources or whole Bundles. seen: what was said
    before by charts, which is not told again.
    """
    search, seen = _RECORD.search, seen or Charts()
    for line in lines:
        if search(line):
            yield from _of_document(line, seen)


def referred_to(lines: Sequence[bytes]) -> set[bytes]:
    """The distinct texts of all references in these documents, but those that are spelled with escapes."""
    return set(_REFERENCE.findall(b"\n".join(lines)))


def numbers_in(lines: Sequence[bytes]) -> set[str]:
    """The keys of whoever may be meant by an identifier in these documents, but those whose type is said there."""
    found = set()
    for text in set(_NUMBER.findall(b"\n".join(lines))):
        try:
            number = _number(text)
        except msgspec.DecodeError:
            continue
        if number.value:
            found.add(identifier_key(number.system, number.value))
    return found


def _of_document(line: bytes, seen: Charts) -> Iterator[Facts]:
    seen.begin()
    try:
        yield from list(_walk(line.removeprefix(_BOM), None, 0, seen))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        seen.undo()  # damaged: nothing of it is taken, for it is not masked either


def _walk(text: bytes | msgspec.Raw, full_url: Any, depth: int, seen: Charts) -> Iterator[Facts]:
    """The records in a resource and below it."""
    head = _head(text)
    kind = _any(head.resourceType)
    if kind in TYPES:
        record = _any(text)
        facts = facts_of(record, full_url=full_url)
        if facts is not None:
            yield facts
        yield from _contained(record, record.get("id"))
    elif isinstance(kind, str) and kind in _CHARTS:
        yield from seen.read(kind, text, head.id)
    elif kind == "Bundle" and depth < _DEEPEST:
        yield from _resolved(_entries(head, depth))
    elif kind == "Parameters" and depth < _DEEPEST:
        for inner in _within_parameters(_any(head.parameter)):
            yield from _walk(msgspec.json.encode(inner), None, depth + 1, seen)
    if kind not in TYPES and _RECORD.search(head.contained):
        yield from _contained({"contained": _any(head.contained)}, _any(head.id))


def _contained(resource: dict[str, Any], root_id: Any) -> Iterator[Facts]:
    """Contained records, at any depth; all are keyed by the outermost resource."""
    found = resource.get("contained")
    for inner in found if isinstance(found, list) else [found]:
        if isinstance(inner, dict):
            facts = facts_of(inner, root_id=root_id if isinstance(root_id, str) else "")
            if facts is not None:
                yield facts
            yield from _contained(inner, root_id)


def _entries(head: _Head, depth: int) -> Iterator[tuple[str, list[Facts]]]:
    """The name that each entry's fullUrl gives its resource, and the records in it."""
    if bytes(head.entry)[:1] != b"[":
        return
    seen = Charts()  # its own, for a Bundle's fullUrls are
    for raw in _list(head.entry):
        if not _RECORD.search(raw) or bytes(raw)[:1] != b"{":
            continue
        entry = _entry(raw)
        if bytes(entry.resource)[:1] != b"{":
            continue
        full_url = _any(entry.fullUrl)
        given = named_by(full_url, "") if isinstance(full_url, str) else ""
        yield given, list(_walk(entry.resource, full_url, depth + 1, seen))


def _resolved(entries: Iterable[tuple[str, list[Facts]]]) -> Iterator[Facts]:
    """The records of a Bundle, where what its fullUrls name is known by the records' own names."""
    listed = list(entries)
    own = {
        given: facts[0].name
        for given, facts in listed
        if given and facts and facts[0].resource_type and given != facts[0].name
    }
    for _, records in listed:
        for facts in records:
            if own:
                facts.relatives, facts.same, facts.carers = (
                    tuple(sorted({own.get(name, name) for name in names}))
                    for names in (facts.relatives, facts.same, facts.carers)
                )
                facts.met = first_met(replace(one, who=own.get(one.who, one.who)) for one in facts.met)
                if not facts.resource_type:
                    _, facts.key = split(own.get(facts.name, facts.name))
            yield facts


def _within_parameters(value: Any) -> Iterator[Any]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            if isinstance(item.get("resource"), dict):
                yield item["resource"]
            yield from _within_parameters(item.get("part"))
