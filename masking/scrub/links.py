"""Links of narratives that lead to resources: taken out before a text is scrubbed, put back as references are masked.

A scrubber sees a URL or a number; where it leads, only the references' own masker knows. Links to anchors of the
narrative itself stay, as do the anchors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from masking.fhir.references import parse

_LINK = re.compile(
    r"<[A-Za-z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*?\s(?:href|src)\s*=\s*(?:\"([^\"<&]*)\"|'([^'<&]*)')", re.IGNORECASE
)
_ANCHOR = re.compile(r"\s(?:id|name)\s*=\s*[\"']([^\"']*)[\"']", re.IGNORECASE)
_LEADS = frozenset({"relative", "absolute", "urn_uuid", "urn_oid"})
#: What a conditional reference may ask for: other criteria may be anybody's letters, and the scrubber reads them.
_ASKS = frozenset({"identifier", "_id"})


def taken_out(text: str) -> tuple[str, list[str | None]]:
    """The text with an empty link for each that leads to a resource; and all links, null for those that stay in it."""
    anchors: set[str] | None = None
    links: list[str | None] = []
    out: list[str] = []
    at = 0
    for found in _LINK.finditer(text):
        group = 1 if found[1] is not None else 2
        link = found[group]
        if link[:1] == "#" and anchors is None:
            anchors = set(_ANCHOR.findall(text))
        leads = len(link) > 1 and link[1:] not in (anchors or ()) if link[:1] == "#" else _leads(link)
        links.append(link if leads else None)
        if leads:
            out.append(text[at : found.start(group)])
            at = found.end(group)
    return "".join([*out, text[at:]]) if out else text, links


def _leads(link: str) -> bool:
    """Whether a link names a resource, by its id or by its identifier."""
    reference = parse(link)
    if reference.kind == "conditional":
        return _ASKS.issuperset(name for name, _ in reference.criteria())
    return reference.kind in _LEADS and (reference.type is not None or reference.kind.startswith("urn"))


def put_back(text: str, links: Sequence[str | None], masked: Callable[[str], str | None]) -> str | None:
    """The scrubbed text with the links masked; null if its links are not those that were taken out."""
    found = list(_LINK.finditer(text))
    if len(found) != len(links):
        return None
    out: list[str] = []
    at = 0
    for one, link in zip(found, links, strict=True):
        if link is not None:
            group = 1 if one[1] is not None else 2
            if one[group]:
                return None
            out += [text[at : one.start(group)], masked(link) or ""]
            at = one.end(group)
    return "".join([*out, text[at:]])
