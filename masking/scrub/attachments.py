"""Bytes that are text: which types are read and how, by the charset that they say, and written back in it.

Text that is read by another charset than it was written in holds names that no search finds, so a document whose bytes
do not look like what its type says is not read at all.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Mapping
from typing import NamedTuple

from masking.scrub.embedded import without_bytes
from masking.scrub.markup import Kind

#: Types of attachments whose bytes are read as text (RFC 6838 names, without parameters), and how.
_READ: Mapping[str, Kind] = {
    "text/plain": "plain",
    "text/markdown": "plain",
    "text/csv": "plain",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/json": "json",
    "application/fhir+json": "json",
    "text/xml": "xml",
    "application/xml": "xml",
    "application/fhir+xml": "xml",
    "application/hl7-cda+xml": "xml",
    "application/hl7-v3+xml": "xml",
    "text/rtf": "rtf",
    "application/rtf": "rtf",
}
#: Python's names of charsets -> what is read by them. As browsers do (the Encoding Standard), Latin-1 is read as its
#: superset of Windows, whose apostrophe stands in names.
_CODECS = (
    {"utf-8": "utf-8", "ascii": "ascii", "iso8859-1": "cp1252", "iso8859-9": "cp1254"}
    | {f"iso8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
    | {f"cp125{part}": f"cp125{part}" for part in range(9)}
    | {name: name for name in ("utf-16", "utf-16-le", "utf-16-be")}
)
_CHARSET = re.compile(r"""\s*charset\s*=\s*("?)([A-Za-z0-9._:+-]+)\1\s*""", re.IGNORECASE)
_PARAMETER = re.compile(r"""\s*[\w.!#$&^`|~+*-]+\s*=\s*(?:"[^"]*"|[^\s";]+)\s*""")
_MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_CONTROL = re.compile("[\0\x80-\x9f]")


class Document(NamedTuple):
    """The text of an attachment, how it is read, and what it was written with: a codec and the byte order mark."""

    kind: Kind
    text: str
    codec: str
    mark: bytes


def read(data: str, content_type: str | None) -> Document | None:
    """The text in base64, without what is embedded in it; None where the type is none of text, or the bytes are not
    what it says.
    """
    media_type, *parameters = (content_type or "").split(";")
    kind, charset = _READ.get(media_type.strip().lower()), _charset(parameters)
    if kind is None or charset is None:
        return None
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    codec = _of_order(charset, raw)
    if codec is None:
        return None
    mark = _MARKS.get(codec, b"")
    mark = mark if mark and raw.startswith(mark) else b""
    try:
        text = raw[len(mark) :].decode(codec)
    except UnicodeDecodeError:
        return None
    bare = without_bytes(kind, text) if _is_likely(raw[len(mark) :], text, codec) else None
    return None if bare is None else Document(kind, bare, codec, mark)


def write(document: Document, text: str) -> str:
    """A text in place of the document's, in base64. A character of a fake that its charset lacks is written otherwise."""
    errors = "xmlcharrefreplace" if document.kind in ("html", "xml") else "replace"
    return base64.b64encode(document.mark + text.encode(document.codec, errors)).decode()


def _charset(parameters: list[str]) -> str | None:
    """The codec by the parameters of a type, UTF-8 without one; None where it is not known, or they say two things."""
    said = []
    for parameter in parameters:
        found = _CHARSET.fullmatch(parameter)
        if found:
            said.append(found[2])
        elif parameter.strip() and (not _PARAMETER.fullmatch(parameter) or "charset" in parameter.lower()):
            return None
    if not said:
        return "utf-8"
    try:
        names = {codecs.lookup(one).name for one in said}
    except LookupError:
        return None
    return _CODECS.get(names.pop()) if len(names) == 1 else None


def _of_order(codec: str, raw: bytes) -> str | None:
    """UTF-16 by its byte order mark; without one nobody knows."""
    if codec != "utf-16":
        return codec
    return next((name for name, mark in _MARKS.items() if name != "utf-8" and raw.startswith(mark)), None)


def _is_likely(raw: bytes, text: str, codec: str) -> bool:
    """Whether bytes look like what their charset is said to be."""
    if _CONTROL.search(text) or text.startswith("\ufffe"):
        return False
    if codec in ("utf-8", "ascii") or not raw:
        return True
    if codec in ("utf-16-le", "utf-16-be"):
        other = raw.decode("utf-16-be" if codec == "utf-16-le" else "utf-16-le", "replace")
        return not (b"\0" not in raw and _is_utf8(raw)) and _ascii(other) <= _ascii(text)
    return raw.isascii() or not _is_utf8(raw)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _ascii(text: str) -> int:
    return len(text.encode("ascii", "ignore"))
