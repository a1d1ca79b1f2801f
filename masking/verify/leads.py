"""What leads where: names of resources and references in narratives and within a document, before and after; and whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from masking.fhir.references import parse as parse_reference
from masking.verify.collect import candidates, name_of, owner_paths
from masking.verify.valid import Spelled

#: A JSON value whose decimals are as they are spelled.
decode = msgspec.json.Decoder(float_hook=Spelled).decode
_LINK = re.compile(r"""(?:href|src)\s*=\s*["']([^"']+)["']""")


class Fault(NamedTuple):
    """What is wrong, and at which path."""

    check: str  # kept, dates, valid, links
    what: str
    path: str


class Link(NamedTuple):
    """What a reference, or a resource's own name, was and is."""

    path: str
    before: str
    after: str


def items(value: Any) -> list[Any]:
    """What an array holds; a value that is none as the only item, nothing for null."""
    return value if isinstance(value, list) else [] if value is None else [value]


def text_of(raw: Any) -> str:
    """A string that is still JSON; "" for none."""
    return str(decode(raw)) if raw is not None else ""


def loose(members: dict[str, msgspec.Raw], name: str) -> Any:
    """A member, decoded; None where there is none."""
    return decode(members[name]) if name in members else None


def names(kind: str, before: Any, after: Any, identifiers: Any, others: Any, contained: str) -> Iterator[Link]:
    """What a resource is found by, before and after. What is contained is found within its document alone."""
    if contained:
        return
    if isinstance(before, str):
        yield Link(f"{kind}.id", f"{kind}/{before}", f"{kind}/{after}" if isinstance(after, str) else "")
    for one, other in zip(items(identifiers), items(others), strict=False):
        if isinstance(one, dict) and isinstance(other, dict) and "value" in one and "value" in other:
            old, new = (f"{kind}?identifier={part.get('system', '')}|{part['value']}" for part in (one, other))
            yield Link(f"{kind}.identifier", old, new)


def owners(kind: str, members: dict[str, msgspec.Raw]) -> tuple[str, ...]:
    """Those whose a resource may be, by name; its own where it says nothing."""
    heads = {path.partition(".")[0] for path in owner_paths(kind)}
    parts = {name: decode(members[name]) for name in heads if name in members}
    own = loose(members, "id")
    found = tuple(dict.fromkeys(candidates(kind, parts)))
    return found or ((f"{kind}/{own}",) if isinstance(own, str) else ("?",))


def full_url(old: Any, new: Any) -> Iterator[Link]:
    """The name that a Bundle gives to a resource."""
    if isinstance(old, str) and isinstance(new, str) and (name := name_of(old)):
        yield Link("Bundle.entry.fullUrl", name, name_of(new))


def narrative_links(path: str, before: str, after: str) -> Iterator[Link]:
    """References in a narrative, where as many are left."""
    old, new = _LINK.findall(before), _LINK.findall(after)
    if len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            if (name := name_of(one)) and parse_reference(one).kind != "conditional":
                yield Link(path, name, name_of(other))


_FRAGMENT = re.compile(rb'"reference"\s*:\s*"#([^"]+)"')
_OWN_ID = re.compile(rb'"id"\s*:\s*"([^"]+)"')


def fragments(kind: str, source: bytes, masked: bytes) -> list[Fault]:
    """References within a document: as many of them lead somewhere as did."""

    def leading(document: bytes) -> list[bool]:
        ids = set(_OWN_ID.findall(document))
        return [target in ids for target in _FRAGMENT.findall(document)]

    before, after = leading(source), leading(masked)
    if sum(after) < sum(before) and len(after) >= len(before):
        return [Fault("links", "a reference to what is contained leads nowhere", f"{kind}.contained")]
    return []
