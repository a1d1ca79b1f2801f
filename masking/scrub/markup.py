"""Texts in markup: the words are scrubbed, the markup stays byte for byte.

A document is cut into *pieces*, each a source span and the characters that it stands for (`&amp;` stands for `&`, a tag
for nothing or for a line break). The characters make one plain text, in which a name may run across `<b>` and `&nbsp;`;
what is found there is written back, escaped, over the pieces that it covers. What cannot be cut is plain text: it is
scrubbed as it stands.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape

from masking.fhir.elements import resource_types
from masking.scrub import rtf
from masking.scrub.scrubber import Scrubber
from masking.scrub.strings import identifiers
from masking.scrub.terms import AnyDossier, Found, Scrubbed, Span

Kind = Literal["plain", "html", "xml", "json", "rtf"]


class Piece(NamedTuple):
    """A part of the source and the characters that it stands for; a part that stays is markup, whatever it reads as.

    is_number: a number of JSON, which may become a text.
    """

    start: int
    stop: int
    reads: str
    stays: bool = False
    is_number: bool = False


#: Elements that do not end a word.
_INLINE = frozenset(
    {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "em", "font", "i", "ins", "kbd", "mark", "q", "s"}
    | {"small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr"}
)
#: Attributes that speak of nobody: of form, of the language, and codes. All others are read.
_SILENT = frozenset(
    {"class", "style", "stylecode", "type", "rel", "lang", "dir", "charset", "http-equiv", "media", "width", "height"}
    | {"colspan", "rowspan", "align", "valign", "border", "cellpadding", "cellspacing", "target", "method", "scope"}
    | {"code", "codesystem", "codesystemname", "codesystemversion", "classcode", "moodcode", "typecode", "nullflavor"}
    | {"determinercode", "contextcontrolcode", "contextconductionind", "inversionind", "negationind", "unit", "use"}
    | {"operator", "mediatype", "representation"}
)
_SILENT_PREFIXES = ("xmlns", "xsi:", "xml:")
#: What a value is read behind: of an id in HL7's version 3, whose `extension` is the number.
_NUMBER_BEHIND = "\n\nMRN: "
_READ_BEHIND = {"extension": _NUMBER_BEHIND}
#: What an id of a resource, or of one that it contains, is read behind: see `references`.
_ID_BEHIND = "\n\nBasic/"
_TAG = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<![^>]*>|</?([A-Za-z][\w:.-]*)(?![\w:.-])((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ATTRIBUTE = re.compile(r"(?<![\w:.-])([\w:.-]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'<>=]+)")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*)"(\s*:)?', re.DOTALL)
_JSON_NUMBER = re.compile(r"(?<![\w.+-])(?:0|[1-9][0-9]*)(?![\w.])")
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)")


def scrub_markup(
    scrubber: Scrubber, kind: Kind, texts: Sequence[str], dossiers: Sequence[AnyDossier]
) -> list[Scrubbed]:
    """The documents without identifiers; spans are positions in the source."""
    if kind == "plain":
        return scrubber.scrub(texts, dossiers)
    cut, write = _KINDS[kind]
    pieces = [_whole(text, list(cut(text)) if _fits(kind, text) else None) for text in texts]
    plain = ["".join([piece.reads for piece in own]) for own in pieces]
    answer = []
    for text, own, found in zip(texts, pieces, scrubber.find(plain, dossiers), strict=True):
        answer.append(_put_back(text, own, found, write))
    return answer


def _fits(kind: Kind, text: str) -> bool:
    """Whether a document is what it is said to be."""
    if kind == "json":
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True
    if kind == "rtf":
        return text.lstrip().startswith("{\\rtf")
    # A '<' that begins no tag would hide what follows it up to the next '>'; as text it is read.
    return True


def _whole(text: str, pieces: list[Piece] | None) -> list[Piece]:
    """The pieces with all that lies between them read as it stands."""
    if pieces is None:
        return [Piece(0, len(text), text)] if text else []
    answer, at = [], 0
    for piece in pieces:
        if piece.start > at:
            answer.append(Piece(at, piece.start, text[at : piece.start]))
        answer.append(piece)
        at = piece.stop
    if at < len(text):
        answer.append(Piece(at, len(text), text[at:]))
    return answer


def _put_back(text: str, pieces: Sequence[Piece], found: Sequence[Found], write: Callable[[str], str]) -> Scrubbed:
    """Write what was found over the pieces that it covers: all of it over the first, nothing over the others."""
    out: list[str] = []
    spans: list[Span] = []
    offset, at = 0, 0  # where the piece begins in the plain text; the next span
    written = -1  # the last span whose text stands already
    for piece in pieces:
        end = offset + len(piece.reads)
        literal = len(piece.reads) == piece.stop - piece.start
        if piece.stays:
            out.append(text[piece.start : piece.stop])
            while at < len(found) and found[at][1] <= end:
                at += 1
            offset = end
            continue
        place = 0
        while at < len(found) and found[at][0] < end:
            start, stop, kind, how, new = found[at]
            first = max(start - offset, 0)
            last = min(stop - offset, len(piece.reads))
            if literal:
                out.append(text[piece.start + place : piece.start + first])
            elif first > place:
                out.append(text[piece.start : piece.stop])
            if written != at:
                out.append(json.dumps(new) if piece.is_number and not _JSON_NUMBER.fullmatch(new) else write(new))
                written = at
            source = (piece.start + first, piece.start + last) if literal else (piece.start, piece.stop)
            if spans and spans[-1].stop > source[0]:
                source = (spans[-1].stop, max(source[1], spans[-1].stop))
            spans.append(Span(*source, kind, how))
            place = last
            if stop > end:
                break
            at += 1
        if literal:
            out.append(text[piece.start + place : piece.stop])
        elif place == 0:
            out.append(text[piece.start : piece.stop])
        offset = end
    return Scrubbed("".join(out), tuple(spans))


def _entities(text: str, start: int, stop: int) -> Iterator[Piece]:
    for found in _ENTITY.finditer(text, start, stop):
        reads = html.unescape(found[0])
        if reads != found[0]:
            yield Piece(found.start(), found.end(), "\xa0" if reads == "\xa0" else reads)


def _cut_tags(text: str) -> Iterator[Piece]:
    """HTML or XML: tags read as nothing or a line break, attributes and comments as text of their own."""
    at = 0
    parent, in_identifier = "", False  # the tag before
    for tag in _TAG.finditer(text):
        yield from _entities(text, at, tag.start())
        at = tag.end()
        if tag[1] is None:
            yield from _cut_special(text, tag.start(), tag.end())
            continue
        start = tag.start()
        reads = "" if tag[1].lower() in _INLINE else "\n"
        for attribute in _ATTRIBUTE.finditer(text, tag.start(2), tag.end(2)):
            name = attribute[1].lower()
            if name in _SILENT or name.startswith(_SILENT_PREFIXES):
                continue
            begin, end = attribute.span(2)
            if attribute[2][0] in "\"'":
                begin, end = begin + 1, end - 1
            if begin == end:
                continue
            behind = _READ_BEHIND.get(name, "\n" * 2)
            if name == "value" and tag[1] == "id" and parent in resource_types():
                behind = _ID_BEHIND
            elif name == "value" and tag[1] == "value" and in_identifier:
                behind = _NUMBER_BEHIND
            elif name == "value" and tag[1] == "reference" and text.startswith("#", begin):
                begin, behind = begin + 1, _ID_BEHIND
            yield Piece(start, begin, behind, stays=True)
            yield from _entities(text, begin, end)
            start, reads = end, "\n" * 2
        yield Piece(start, tag.end(), reads, stays=True)
        parent = tag[1]
        in_identifier = not tag[0].startswith("</") if parent == "identifier" else in_identifier
    yield from _entities(text, at, len(text))


def _cut_special(text: str, start: int, stop: int) -> Iterator[Piece]:
    """A comment or CDATA is read inside its marks; a declaration stays."""
    for opening, closing in (("<!--", "-->"), ("<![CDATA[", "]]>")):
        if text.startswith(opening, start):
            yield Piece(start, start + len(opening), "\n", stays=True)
            yield Piece(stop - len(closing), stop, "\n", stays=True)
            return
    yield Piece(start, stop, "\n", stays=True)


def _cut_json(text: str) -> Iterator[Piece]:
    """JSON: what stands in strings that are values; keys and all else stay, numbers are read."""
    at, key = 0, ""
    ids, numbers = identifiers(text)
    special = dict.fromkeys(numbers, _NUMBER_BEHIND) | dict.fromkeys(ids, _ID_BEHIND)
    for found in _STRING.finditer(text):
        begin, end = found.span(1)
        if found[2] is not None:
            yield from _cut_between(text, at, found.start())
            yield Piece(found.start(), found.end(), "\n", stays=True)
            at, key = found.end(), found[1]
            continue
        yield from _cut_between(text, at, found.start())
        is_inner = key == "reference" and text.startswith("#", begin)
        behind = _ID_BEHIND if is_inner else special.get(found.start(), "\n")
        begin += is_inner
        yield Piece(found.start(), begin, behind, stays=True)
        for escaped in _ESCAPE.finditer(text, begin, end):
            yield Piece(escaped.start(), escaped.end(), str(json.loads(f'"{escaped[0]}"')))
        yield Piece(end, found.end(), "\n", stays=True)
        at = found.end()
    yield from _cut_between(text, at, len(text))


def _cut_between(text: str, start: int, stop: int) -> Iterator[Piece]:
    """Numbers, which may be identifiers, and what stands around them."""
    for number in _JSON_NUMBER.finditer(text, start, stop):
        if number.end() - number.start() >= 4:
            yield Piece(start, number.start(), "\n", stays=True)
            yield Piece(number.start(), number.end(), number[0], is_number=True)
            start = number.end()
    if stop > start:
        yield Piece(start, stop, "\n", stays=True)


def _cut_rtf(text: str) -> Iterator[Piece]:
    """RTF: control words and braces read as nothing or a break, escaped characters as themselves."""
    return (Piece(*one) for one in rtf.cut(text))


def _write_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _write_tags(text: str) -> str:
    return escape(text, {'"': "&quot;", "'": "&#39;"})


_KINDS: dict[str, tuple[Callable[[str], Iterator[Piece]], Callable[[str], str]]] = {
    "html": (_cut_tags, _write_tags),
    "xml": (_cut_tags, _write_tags),
    "json": (_cut_json, _write_json),
    "rtf": (_cut_rtf, rtf.write),
}
