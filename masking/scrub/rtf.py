"""RTF: which characters its control words stand for, and which of its groups hold no text.

Rich Text Format Specification 1.9.1. A group that is no text of the document (`\\info`, a picture, an object) goes; one that
is text of its own (a footnote, a field) is read apart from what stands around it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Set
from typing import NamedTuple

#: Groups that tell of the document, or hold bytes: author, title, company; pictures, objects, fonts.
_GONE = frozenset(
    {"info", "pict", "shppict", "nonshppict", "objdata", "objalias", "objname", "datastore", "themedata", "userprops"}
    | {
        "colorschememapping",
        "revtbl",
        "atnauthor",
        "atnid",
        "atndate",
        "atnref",
        "docvar",
        "fontemb",
        "fontfile",
        "blipuid",
    }
    | {"xmlnstbl", "passwordhash", "mailmerge", "generator", "protusertbl", "ud", "template", "nextfile", "filetbl"}
)
#: Groups that are texts of their own.
_APART = frozenset(
    {
        "field",
        "fldinst",
        "fldrslt",
        "footnote",
        "annotation",
        "header",
        "headerl",
        "headerr",
        "headerf",
        "footer",
        "footerl",
    }
    | {
        "footerr",
        "footerf",
        "listtext",
        "pntext",
        "object",
        "result",
        "shp",
        "shptxt",
        "fonttbl",
        "colortbl",
        "stylesheet",
    }
)
_TABLES = frozenset({"fonttbl", "colortbl", "stylesheet"})
_BREAKS = frozenset({"par", "line", "pard", "cell", "row", "tab", "page", "sect", "nestcell", "nestrow", "column"})
_OPENING = re.compile(r"\{(\s*\\\*)?(?:\s*\\([a-z]+))?", re.IGNORECASE)
_TOKEN = re.compile(
    r"\\u(?P<unicode>-?[0-9]{1,6}) ?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]+)(?P<number>-?[0-9]{1,10})? ?"
    r"|\\(?P<symbol>[^a-zA-Z])|(?P<brace>[{}])|(?P<line>[\r\n]+)"
)
_FALLBACK = re.compile(r"\\'[0-9a-fA-F]{2}|\\[a-zA-Z]+(?:-?[0-9]+)? ?|\\[^a-zA-Z]|[^\\{}\r\n]")
_BRACES = re.compile(r"\\[\\{}]|[{}]")
_BIN = re.compile(r"\\bin([0-9]{1,18}) ?")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}\s*){64,}")
_PAGE = re.compile(r"\\(?:ansicpg([0-9]+)|(mac|pca|pc)(?![a-zA-Z]))")
_FONT = re.compile(r"\\f([0-9]+)(?:\\[a-z]+-?[0-9]*\s?){0,8}?\\fcharset([0-9]{1,5})")
_USED = re.compile(r"\\f([0-9]+)")
_MARKS = re.compile(r"(?:\\[a-zA-Z]+-?[0-9]* ?|[{}\r\n])+$")
_OLD = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
#: \\fcharsetN -> code page; 0 and 1 are the document's own, 2 is of symbols.
_CHARSETS = {77: "mac_roman", 128: "cp932", 129: "cp949", 134: "cp936", 136: "cp950", 161: "cp1253", 162: "cp1254",
             163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250"}  # fmt: skip
#: The most characters behind `\\u` that are skipped; nothing that writes RTF puts more than two there.
_MOST_SKIPS = 16
_MANY_BYTES = frozenset({"cp932", "cp936", "cp949", "cp950"})


class Read(NamedTuple):
    """A part of the source, what it reads as, and whether it stays as it is."""

    start: int
    stop: int
    reads: str
    stays: bool


class _Group(NamedTuple):
    """What holds in a group: bytes behind `\\u`, the code page of its font, and whether it is a text of its own."""

    skips: int
    page: str
    is_apart: bool


def without_bytes(text: str) -> str | None:
    """The document without the groups that are none of its text; None where they cannot be told, or its letters not."""
    bare = _without_groups(_without_bins(text))
    if bare is None:
        return None
    bare = _HEX.sub("", bare)
    body, fonts = _without_groups(bare, _TABLES) or "", _fonts(bare)
    pages = {_page(bare), *(fonts[font] for font in _USED.findall(body) if font in fonts)}
    # A byte alone is no character of some pages, and none at all where nobody knows the page.
    return None if "\\'" in body and (None in pages or pages & _MANY_BYTES) else bare


def _without_bins(text: str) -> str:
    """Without `\\binN` and the N bytes behind it, in which braces may stand."""
    out: list[str] = []
    at = 0
    while found := _BIN.search(text, at):
        out.append(text[at : found.start()])
        at = min(found.end() + int(found[1]), len(text))
    return "".join([*out, text[at:]])


def _without_groups(text: str, names: Set[str] = _GONE) -> str | None:
    """Without the groups of these names; None where braces do not match."""
    out: list[str] = []
    depth, at, gone = 0, 0, 0  # where what is kept begins; how deep the group is that goes
    for brace in _BRACES.finditer(text):
        if brace[0] == "{":
            depth += 1
            opening = _OPENING.match(text, brace.start())
            if not gone and opening and (opening[2] or "").lower() in names:
                out.append(text[at : brace.start()])
                gone = depth
        elif brace[0] == "}":
            if gone == depth:
                at, gone = brace.end(), 0
            depth -= 1
            if depth < 0:
                return None
    return None if depth else "".join([*out, text[at:]])


def _page(text: str) -> str | None:
    """The document's code page; None where Python has none of the name."""
    found = _PAGE.search(text)
    if found is None or found[1] in ("0", "1252"):
        return "cp1252"
    return _OLD[found[2]] if found[2] else _codec(f"cp{found[1]}")


def _codec(name: str) -> str | None:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _fonts(text: str) -> dict[str, str | None]:
    """The code page of each font that has its own."""
    fonts = ((number, int(charset)) for number, charset in _FONT.findall(text))
    return {number: _CHARSETS.get(charset) for number, charset in fonts if charset > 2 and charset != 255}


def cut(text: str) -> Iterator[Read]:
    """Control words and braces as nothing or a break, escaped characters as themselves; what lies between is plain."""
    own, fonts = _page(text) or "cp1252", _fonts(text)
    groups = [_Group(1, own, is_apart=False)]
    at = 0
    while found := _TOKEN.search(text, at):
        start, at = found.start(), found.end()
        state, word = groups[-1], found["word"]
        if found["unicode"] is not None:
            for _ in range(state.skips):
                skipped = _FALLBACK.match(text, at)
                at = skipped.end() if skipped else at
            yield Read(start, at, chr(int(found["unicode"]) % 65536), stays=False)
        elif found["byte"] is not None:
            yield Read(start, at, bytes([int(found["byte"], 16)]).decode(state.page, "replace"), stays=False)
        elif found["brace"] == "{":
            is_apart = _is_apart(text, start)
            groups.append(state._replace(is_apart=is_apart))
            yield Read(start, at, "\n" if is_apart else _seam(text, start, at), stays=True)
        elif found["brace"] == "}":
            closed = groups.pop() if len(groups) > 1 else state
            yield Read(start, at, "\n" if closed.is_apart else _seam(text, start, at), stays=True)
        elif found["symbol"] is not None:
            yield _symbol(start, at, found["symbol"])
        else:
            if word == "uc":
                groups[-1] = state._replace(skips=min(int(found["number"] or 1), _MOST_SKIPS))
            elif word == "f":
                groups[-1] = state._replace(page=fonts.get(found["number"] or "0") or own)
            yield Read(start, at, "\n" if word in _BREAKS else _seam(text, start, at), stays=True)


def _is_apart(text: str, start: int) -> bool:
    opening = _OPENING.match(text, start)
    return opening is not None and (opening[1] is not None or (opening[2] or "").lower() in _APART)


def _seam(text: str, start: int, stop: int) -> str:
    """A blank where marks stand between a small letter and a capital: `{\\b Robert}{\\b Smithers}` are two words.

    Where nothing says so they are one, for Word divides words among groups as well.
    """
    if not text[stop : stop + 1].isupper():
        return ""
    before = _MARKS.sub("", text[max(0, start - 80) : start])
    return " " if before[-1:].islower() else ""


def _symbol(start: int, stop: int, symbol: str) -> Read:
    reads = {"~": "\xa0", "_": "-", "\n": "\n", "\r": "\n"}.get(symbol, symbol if symbol in "\\{}" else "")
    return Read(start, stop, reads, stays=symbol not in "\\{}~_")


def write(text: str) -> str:
    """Text as RTF has it; what is no ASCII by its number, in a group that says that one character follows it."""
    spelled = re.sub(r"([\\{}])", r"\\\1", text)
    return re.sub(r"[^\x00-\x7f]+", lambda found: "{\\uc1" + "".join(_units(found[0])) + "}", spelled)


def _units(text: str) -> Iterator[str]:
    data = text.encode("utf-16-le", "surrogatepass")
    for at in range(0, len(data), 2):
        unit = int.from_bytes(data[at : at + 2], "little")
        yield f"\\u{unit - 65536 if unit > 32767 else unit}?"
