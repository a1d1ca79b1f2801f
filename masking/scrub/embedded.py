"""Bytes inside of texts: pictures, PDF files and the like, in base64 or hexadecimal digits. They are not read, so they go.

What is left is as valid as before: an element keeps its tags, a FHIR element says that it is masked, a string of JSON
is empty. A document whose bytes cannot be told from its text goes as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from masking.scrub import rtf
from masking.scrub.strings import json_values

#: An embedded file as a URL (RFC 2397). In place of one: the shortest, which is empty.
_URL = re.compile(
    r"\bdata:(?:[\w.+-]{1,64}/[\w.+-]{1,64})?(?:;[\w.+-]{1,64}(?:=[^;,\"'<>\s]{0,128})?){0,8},[^\"'<>)\s]*",
    re.IGNORECASE,
)
_NO_URL = "data:,"
#: Base64 long enough to be nothing else: in lines of 60 characters or more, with letters of both cases and digits.
_RUN = re.compile(r"(?:(?:[A-Za-z0-9+/]|\\/){60,}={0,2}\s*)+(?:[A-Za-z0-9+/]{4,}={0,2})?(?![A-Za-z0-9])")
#: An element of HL7's version 3 whose content is base64.
_ENCODED = re.compile(
    r"<([A-Za-z][\w:.-]*)(?![\w:.-])(?=[^<>]*\brepresentation\s*=\s*[\"']B64[\"'])(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>",
    re.IGNORECASE,
)
#: Of FHIR in XML: base64Binary. `SampledData.data` is none.
_VALUE = re.compile(
    r"<(?P<prefix>(?:[\w.-]+:)?)(?P<name>data|hash|valueBase64Binary)\s+value\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')"
    r"(?P<rest>(?:\s[^<>/]*)?)(?P<closed>/?)>"
)
_SAMPLED = re.compile(r"<([\w.:-]{0,64}SampledData)\b[^<>]*>")
_ABSENT = (
    '<{prefix}extension url="http://hl7.org/fhir/StructureDefinition/data-absent-reason">'
    '<{prefix}valueCode value="masked"/></{prefix}extension>'
)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")
_BINARY = frozenset({"data", "hash", "valueBase64Binary"})
_MASKED = json.dumps(
    {
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"},
        ]
    }
)


def without_bytes(kind: str, text: str) -> str | None:
    """The text of a document without embedded bytes; None where they cannot be told from it."""
    if kind == "rtf" and text.lstrip().startswith("{\\rtf"):
        bare = rtf.without_bytes(text)
    elif kind == "xml":
        bare = _without_elements(text)
    elif kind == "json":
        bare = _without_values(text)
    else:
        bare = text
    if bare is None:
        return None
    bare = without_urls(bare)
    return _RUN.sub(lambda found: _gone(found[0], kind), bare)


def without_urls(text: str) -> str:
    """Without `data:image/png;base64,…`."""
    return _URL.sub(_NO_URL, text) if "data:" in text.lower() else text


def _gone(run: str, kind: str) -> str:
    if not (re.search("[a-z]", run) and re.search("[A-Z]", run) and re.search("[0-9]", run)):
        return run  # a sequence of bases, a line of a table
    behind = run[len(run.rstrip()) :]
    return ("[bytes]" if kind == "plain" else "") + behind


def _without_elements(text: str) -> str | None:
    """XML without the content of elements that say it is base64, and of FHIR's binary elements."""
    out: list[str] = []
    at = 0
    for opening in _ENCODED.finditer(text):
        if opening.start() < at or opening[2]:
            continue
        closing = re.compile(rf"</{re.escape(opening[1])}\s*>").search(text, opening.end())
        if closing is None:
            return None
        out.append(text[at : opening.end()])
        at = closing.start()
    bare = "".join([*out, text[at:]])
    if "http://hl7.org/fhir" not in bare:
        return bare
    out, at = [], 0
    for start, stop in _sampled(bare):
        out += [_VALUE.sub(_without_value, bare[at:start]), bare[start:stop]]
        at = stop
    return "".join([*out, _VALUE.sub(_without_value, bare[at:])])


def _sampled(text: str) -> Iterator[tuple[int, int]]:
    """Where elements of FHIR's SampledData begin and end, whose `data` are numbers; up to one without an end."""
    at = 0
    while opening := _SAMPLED.search(text, at):
        at = opening.end()
        if opening[0].endswith("/>"):
            continue
        closing = text.find(f"</{opening[1]}", at)
        at = text.find(">", closing) + 1
        if closing < 0 or at == 0:
            return
        yield opening.start(), at


def _without_value(found: re.Match[str]) -> str:
    """A binary element of FHIR without its value, which its extension says is masked."""
    prefix, name = found["prefix"], found["name"]
    value = found["double"] if found["double"] is not None else found["single"]
    if _BASE64.fullmatch(value) is None:
        return found[0]
    absent = _ABSENT.format(prefix=prefix)
    return f"<{prefix}{name}{found['rest'].rstrip()}>{absent}" + (f"</{prefix}{name}>" if found["closed"] else "")


def _without_values(text: str) -> str | None:
    """JSON without binary values of FHIR: their extension says that they are masked."""
    if not _is_fhir(text):
        return text
    beside = {key for key in _BINARY if f'"_{key}"' in text}
    out: list[str] = []
    at = 0
    for one in json_values(text):
        if one.key not in _BINARY or (one.key == "data" and one.parent.endswith("ampledData")):
            continue
        if one.key in beside:
            return None  # what it says already stands elsewhere
        out += [text[at : one.key_start], f'"_{one.key}":{_MASKED}']
        at = one.stop
    return "".join([*out, text[at:]])


def _is_fhir(text: str) -> bool:
    if '"resourceType"' not in text:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
