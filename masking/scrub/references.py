"""What names a resource in a text: `Patient/123`, `urn:oid:…`, a UUID without hyphens, a URL of a server.

Ids take the pseudonyms that the records' own ids take, so that a text still leads to its resources.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from masking.fhir.elements import resource_types
from masking.fhir.references import parse

if TYPE_CHECKING:
    from masking.scrub.reader import Reader

_TYPE = re.compile(r"[A-Z][A-Za-z]+$")
_ID = re.compile(r"(?P<id>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?)(?:/_history/[A-Za-z0-9.-]*[A-Za-z0-9])?")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
#: HL7's own branch, whose OIDs name code systems, templates and kinds of numbers; but for the one of its members.
_PUBLIC_OID = re.compile(r"2\.16\.840\.1\.113883\.(?!3\.|19\.)")
_HEX = re.compile(r"(?=[0-9]*[A-Fa-f])(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{32}(?![0-9A-Za-z])")
#: Who publishes code systems, units and the standard itself. A query could say anything behind a publisher's name.
_PUBLIC = re.compile(
    r"(?:https?://)?(?:(?:www\.)?hl7\.org|terminology\.hl7\.org|loinc\.org|snomed\.info|unitsofmeasure\.org|(?:www\.)?w3\.org"
    r"|www\.nlm\.nih\.gov|www\.ama-assn\.org|www\.cdc\.gov|dicom\.nema\.org|nucc\.org|fdasis\.nlm\.nih\.gov)(?::80)?"
    r"(?:/[A-Za-z0-9/._~+-]*)?(?:[|#][A-Za-z0-9._-]*)?",
    re.IGNORECASE,
)


def reference(reader: Reader, start: int) -> None:
    """The id behind the slash of `Patient/123`. A word without digits is one only where nothing else is in its line."""
    text = reader.text
    found = _TYPE.search(text, max(0, start - 40), start)
    named = _ID.match(text, start + 1)
    if found is None or named is None or found[0] not in resource_types():
        return
    if not any(map(str.isdigit, named["id"])):
        before, behind = text[max(0, found.start() - 1) : found.start()], text[named.end() : named.end() + 1]
        if before not in ("", "\n", "/") or behind not in ("", "\n", "#"):
            return  # 'Patient/family education'
    reader.put(named.start(), named.end(), "id", None, asked=named["id"])


def oid(reader: Reader, start: int) -> bool:
    """Put the OID behind `urn:oid:`; False where there is none. What names a code system stays."""
    if reader.text[max(0, start - 8) : start].lower() != "urn:oid:":
        return False
    found = _OID.match(reader.text, start)
    if found is None:
        return False
    if _PUBLIC_OID.match(found[0]):
        reader.end = max(reader.end, found.end())
    else:
        reader.put(start, found.end(), "id", None)
    return True


def hexed(reader: Reader, start: int) -> bool:
    """Put a UUID that is written without hyphens; False where there is none."""
    found = _HEX.match(reader.text, start)
    if found is None:
        return False
    reader.put(start, found.end(), "hex", None)
    return True


def is_public(url: str) -> bool:
    """Whether a URL is that of a public definition."""
    return _PUBLIC.fullmatch(url) is not None


def names_resource(url: str) -> bool:
    """Whether a URL is that of a resource on some server."""
    return parse(url).kind == "absolute"
