"""Where a leak may hide in a document, and in what form: each place plants one value and leaves all else as it is."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus

from masking.fhir.elements import children
from masking.verify.collect import Found
from masking.verify.drill.edit import Document, Json, Verbatim
from masking.verify.kinds import Kind

_URL = "http://example.org/planted"
_DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
_NAMES = Kind.NAME_WORD | Kind.FULL_NAME | Kind.TOWN | Kind.FACILITY | Kind.LINE
_ACCENTS = str.maketrans("aeiouAEIOUcnCN", "àéîõüÀÉÎÕÜçñÇÑ")
_GROUP = 3
#: Of so many digits and more, groups of digits are a number; of fewer they are in every text.
_GROUPED = 7


@dataclass(frozen=True, slots=True)
class Place:
    """A hiding place. plant: given the masked document, its source and a value. why_not: why a value cannot hide there, ""
    if it can. elsewhere: it is planted in another document than the owner's own record.
    """

    name: str
    what: str
    plant: Callable[[Document, Document, Found], None]
    why_not: Callable[[Found], str] = lambda found: ""
    elsewhere: bool = False


def _extension(document: Document, text: str) -> None:
    document.append("extension", {"url": _URL, "valueString": text})


def _sentence(text: str) -> str:
    return f"Noted for {text}, as before."


# ── as it was ──


def _as_it_was(document: Document, source: Document, found: Found) -> None:
    """The member in which it stands, as the source has it."""
    for name in source.names():
        if holds(source.get(name), found) and name != "text":
            document.take(source, name)
            return


def holds(value: object, found: Found) -> bool:
    """Whether a value is the one that was found, or has it within."""
    if isinstance(value, dict):
        if found.kind == Kind.FULL_NAME and _full(value, found.text):
            return True
        return any(holds(inner, found) for inner in value.values())
    if isinstance(value, list):
        return any(holds(inner, found) for inner in value)
    return isinstance(value, str) and (value.strip() == found.text or found.text == value.lower())


def _full(name: Json, text: str) -> bool:
    """Whether a HumanName is the full name that a text is."""
    given, family = name.get("given"), name.get("family")
    first = given[0] if isinstance(given, list) and given else None
    return isinstance(first, str) and isinstance(family, str) and first in text and family in text


# ── in elements ──


def _display(document: Document, source: Document, found: Found) -> None:
    """Beside a reference, where R4 lets a document of that type have several; else in an extension."""
    for element in children(document.kind).values():
        if element.type == "Reference" and element.is_array:
            document.append(element.name, {"display": found.text})
            return
    document.append("extension", {"url": _URL, "valueReference": {"display": found.text}})


def _contained(document: Document, source: Document, found: Found) -> None:
    document.append("contained", {"resourceType": "Basic", "id": "planted", "code": {"text": found.text}})


def _attach(document: Document, content: bytes, mime: str = "text/plain") -> None:
    """As a text that is attached: a note, if the document is one."""
    attachment = {"contentType": mime, "data": base64.b64encode(content).decode()}
    if document.kind == "DocumentReference":
        document.append("content", {"attachment": attachment})
        return
    for element in children(document.kind).values():
        if element.type == "Attachment" and element.is_array:
            document.append(element.name, attachment)
            return
    document.append("extension", {"url": _URL, "valueAttachment": attachment})


def _note(document: Document, source: Document, found: Found) -> None:
    _attach(document, _sentence(found.text).encode())


def _twice(document: Document, source: Document, found: Found) -> None:
    _attach(document, base64.b64encode(_sentence(found.text).encode()))


def _wide(document: Document, source: Document, found: Found) -> None:
    _attach(document, _sentence(found.text).encode("utf-16-le"))


def _plain(document: Document, source: Document, found: Found) -> None:
    _extension(document, found.text)


def _within_sentence(document: Document, source: Document, found: Found) -> None:
    _extension(document, _sentence(found.text))


def _upper(document: Document, source: Document, found: Found) -> None:
    _extension(document, found.text.upper() if found.text.upper() != found.text else found.text.lower())


def _accented(document: Document, source: Document, found: Found) -> None:
    _extension(document, found.text.translate(_ACCENTS))


def _punctuated(document: Document, source: Document, found: Found) -> None:
    _extension(document, otherwise(found))


def _escaped(document: Document, source: Document, found: Found) -> None:
    wide = found.text.encode("utf-16-be")
    units = (wide[at : at + 2].hex() for at in range(0, len(wide), 2))
    _extension(document, Verbatim("".join(f"\\u{unit}" for unit in units)))


def _narrative(document: Document, inside: str) -> None:
    """Into the narrative, behind what was planted there before."""
    there = document.get("text")
    div = there.get("div") if isinstance(there, dict) else None
    before = div.removesuffix("</div>") if isinstance(div, str) and div.startswith(_DIV) else _DIV
    document.put("text", {"status": "generated", "div": f"{before}<p>{inside}</p></div>"})


def _entities(document: Document, source: Document, found: Found) -> None:
    _narrative(document, "".join(f"&#{ord(letter)};" for letter in found.text))


def _tags(document: Document, source: Document, found: Found) -> None:
    _narrative(document, f"<b>{html.escape(found.text[:2])}</b>{html.escape(found.text[2:])}")


def _meta(document: Document, system: str) -> None:
    there = document.get("meta")
    meta = there if isinstance(there, dict) else {}
    document.put("meta", {**meta, "tag": [*meta.get("tag", ()), {"system": system}]})


def _url(document: Document, source: Document, found: Found) -> None:
    _meta(document, f"https://example.org/search?for={quote_plus(found.text)}")


def _percent(document: Document, source: Document, found: Found) -> None:
    _meta(document, "https://example.org/" + "".join(f"%{byte:02X}" for byte in found.text.encode()))


def _property(document: Document, source: Document, found: Found) -> None:
    document.put(found.text, True)


# ── what cannot be ──


def otherwise(found: Found) -> str:
    """A value in other punctuation; as it is where there is no other."""
    kind, text, _ = found
    if kind == Kind.BIRTH:
        return f"{int(text[8:10])}.{int(text[5:7])}.{text[:4]}"
    if kind == Kind.UUID:
        return text.replace("-", "")
    if kind & (_NAMES | Kind.EMAIL):
        return re.sub(r"\s+", " / ", text).replace("@", " @ ")
    digits = "".join(filter(str.isdecimal, text))
    if kind == Kind.PHONE and len(digits) >= 10:
        return f"1 ({digits[-10:-7]}) {digits[-7:-4]}.{digits[-4:]}"
    letters = "".join(filter(str.isalnum, text))
    if letters != digits or len(digits) < _GROUPED:
        return letters
    return " . ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))


def _no_other_punctuation(found: Found) -> str:
    if found.kind & (Kind.PHOTO | Kind.URL | Kind.ZIP | Kind.IP):
        return "it is written in one way"
    return "" if otherwise(found) != found.text else "a single word, which nothing parts"


def _no_letters(found: Found) -> str:
    if found.kind == Kind.PHOTO:
        return "another case is another picture"
    return "" if found.text.upper() != found.text.lower() else "it has no letters"


def _no_accents(found: Found) -> str:
    if not found.kind & _NAMES:
        return "accents are put on names"
    return "" if found.text.translate(_ACCENTS) != found.text else "it has no letter that bears one"


def _too_long(found: Found) -> str:
    return "bytes of a picture are no name of a property" if found.kind == Kind.PHOTO else ""


#: All places within documents.
PLACES = (
    Place("as it was", "the element that holds it, as the source has it", _as_it_was),
    Place("display", "the display of a reference", _display),
    Place("extension", "an extension that no rule names", _plain),
    Place("sentence", "within a sentence", _within_sentence),
    Place("other document", "in another document that speaks of its owner", _within_sentence, elsewhere=True),
    Place("contained", "a contained resource", _contained),
    Place("note", "a note in base64", _note, elsewhere=True),
    Place("base64 twice", "base64 within base64", _twice),
    Place("UTF-16", "base64 of UTF-16", _wide),
    Place("other case", "in the other case", _upper, _no_letters),
    Place("accents", "with accents that it does not have", _accented, _no_accents),
    Place("punctuation", "in other punctuation", _punctuated, _no_other_punctuation),
    Place("JSON escapes", "each letter as \\uXXXX", _escaped),
    Place("HTML entities", "each letter as an entity of the narrative", _entities),
    Place("HTML tags", "broken by a tag of the narrative", _tags),
    Place("URL", "in the query of a URL", _url),
    Place("percent", "percent-encoded in the path of a URL", _percent),
    Place("property name", "as the name of a property", _property, _too_long),
)
