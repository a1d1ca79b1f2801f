"""Take a literal reference, URL or canonical apart, and put it together again.

Every part is a substring of the input, so that an untouched reference comes out as the very text that came in.
Parsing is total: what is none of the known forms is `other`, with the whole text as its base, and callers must treat
that as unreadable.

Forms (R4, references.html and http.html): `Patient/1`, `https://host/fhir/Patient/1/_history/2`, `urn:uuid:…`,
`urn:oid:…`, `#contained` and `#`, `Practitioner?identifier=system|value`, `http://host/ValueSet/x|1.0#part`.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote

from masking.fhir._tables import resource_types

#: In search parameters (R4, search.html#escaping).
_ESCAPED, _SPECIAL = re.compile(r"\\([\\|,$])"), re.compile(r"[\\|,$]")
Kind = Literal["relative", "absolute", "urn_uuid", "urn_oid", "fragment", "conditional", "type", "canonical", "other"]
Query = tuple[tuple[str, str | None], ...]

# [base]Type[/id[/_history/version]][?query][|version][#fragment]. The id is any text without delimiters: servers mint
# ids that R4 forbids (`a_b`, 70 characters), and their links must follow them all the same.
_REST = (
    r"([A-Z][A-Za-z]+)"
    r"(?:/([^\s/?#|]+)(?:/_history/([^\s/?#|]+))?)?"
    r"(?:\?([^#]*))?"
    r"(?:\|([^\s#]*))?"
    r"(?:#(.*))?"
)
#: The shortest base first (`…/StructureDefinition/Patient` has the id Patient), then the longest
#: (`https://host/FHIR/Patient`).
_LITERALS = tuple(re.compile(rf"([A-Za-z][A-Za-z0-9+.-]*://[^\s?#|]*{lazy}/)?{_REST}", re.DOTALL) for lazy in ("?", ""))
#: By far the most common form, tried first.
_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]+)")
_UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_OID = r"[0-2](?:\.(?:0|[1-9][0-9]*))+"
_URN = re.compile(
    rf"([Uu][Rr][Nn]:[Uu][Uu][Ii][Dd]:)({_UUID})(?:\|([^\s#]*))?(?:#(.*))?"
    rf"|([Uu][Rr][Nn]:[Oo][Ii][Dd]:)({_OID})(?:\|([^\s#]*))?(?:#(.*))?",
    re.DOTALL,
)
_CANONICAL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:[^\s|#]*)\|([^\s#]*)(?:#(.*))?", re.DOTALL)


class Reference(NamedTuple):
    """The parts of a reference; None is "not there", the empty text is "there and empty".

    kind: what form it has. `type` is a bare `Patient` or `https://host/fhir/Patient`, as a Bundle's request.url has it.
    base: what comes before the type, with its last slash; `urn:uuid:`, `urn:oid:`; of a canonical that names no R4
        type the whole URL; of `other` the whole text; else "".
    type: an R4 resource type. id: the id, uuid or oid.
    version: after `/_history/`, or after `|` in a canonical. fragment: after `#`.
    query: name and value pairs after `?`, not decoded; a value is None where there is no `=`.

    A named tuple, not a dataclass: references are built by the million, and this takes a third of the time.
    """

    kind: Kind
    base: str = ""
    type: str | None = None
    id: str | None = None
    version: str | None = None
    fragment: str | None = None
    query: Query | None = None

    def __str__(self) -> str:
        parts = [self.base, self.type or ""]
        if self.id is not None:
            parts += ["/", self.id] if self.type is not None else [self.id]
        if self.version is not None and self.kind != "canonical":
            parts += ["/_history/", self.version]
        if self.query is not None:
            parts += ["?", "&".join(name if value is None else f"{name}={value}" for name, value in self.query)]
        if self.version is not None and self.kind == "canonical":
            parts += ["|", self.version]
        if self.fragment is not None:
            parts += ["#", self.fragment]
        return "".join(parts)

    def with_id(self, new: str) -> Reference:
        """The same reference to another id, uuid or oid; raises ValueError where it has none."""
        if self.id is None:
            raise ValueError(f"a reference of kind {self.kind} has no id")
        return Reference(self.kind, self.base, self.type, new, *self[4:])

    def with_base(self, new: str) -> Reference:
        """The same reference on another server; `new` ends in a slash. Raises ValueError where it has no base."""
        if not self.base:
            raise ValueError(f"a reference of kind {self.kind} has no base here")
        return self._replace(base=new)

    def with_version(self, new: str | None) -> Reference:
        """The same reference to another version, or to none."""
        return self._replace(version=new)

    def with_fragment(self, new: str | None) -> Reference:
        """The same reference to another fragment (contained id), or to none."""
        return self._replace(fragment=new)

    def with_query(self, new: Query | None) -> Reference:
        """The same reference with other raw criteria, or with none."""
        return self._replace(query=new)

    def criteria(self) -> tuple[tuple[str, str | None], ...]:
        """The query's pairs with `%` and `+` decoded; () where there is no query."""
        return tuple((_decode(name), value and _decode(value)) for name, value in self.query or ())

    def of_whom(self) -> str | None:
        """Of a conditional reference the key of whom it finds: `system|value` of its identifier, else the id that it asks for.

        None where it asks for neither.
        """
        asked = {name: value for name, value in reversed(self.criteria()) if value}
        number = asked.get("identifier")
        return asked.get("_id") if number is None else _ESCAPED.sub(r"\1", number)

    def with_criteria(self, new: tuple[tuple[str, str | None], ...]) -> Reference:
        """The same reference with decoded criteria: pairs that equal the present ones keep their spelling.

        A changed value is escaped as the old one in its place was: fully where that holds a `%`, else only as far as
        needed.
        """
        old, old_decoded = self.query or (), self.criteria()
        pairs: list[tuple[str, str | None]] = []
        for index, (name, value) in enumerate(new):
            if index < len(old) and old_decoded[index] == (name, value):
                pairs.append(old[index])
                continue
            safe = "" if index < len(old) and "%" in (old[index][1] or "") else "|:/,;@!$'()*"
            pairs.append((quote(name, safe=":."), None if value is None else quote(value, safe=safe)))
        return self._replace(query=tuple(pairs))


def read_token(token: str) -> tuple[str, str]:
    r"""The system ("" for none) and the value of a search token, `system|value`; `\|`, `\,`, `\$` and `\\` mean themselves."""
    at = _ESCAPED.sub("  ", token).rfind("|")
    return _ESCAPED.sub(r"\1", token[: max(at, 0)]), _ESCAPED.sub(r"\1", token[at + 1 :])


def write_token(system: str, value: str, like: str) -> str:
    """A search token in the place of `like`: with a bar, and escaped, where that is."""
    escaped = _ESCAPED.search(like) is not None
    parts = [_SPECIAL.sub(r"\\\g<0>", part) if escaped else part for part in (system, value)]
    return ("|" if "|" in _ESCAPED.sub("  ", like) else "").join(parts)


def parse(text: str) -> Reference:
    """Take a reference apart. Never raises; `str(parse(text)) == text` for any text."""
    relative = _RELATIVE.fullmatch(text)
    if relative is not None and relative[1] in resource_types():
        return Reference("relative", "", relative[1], relative[2])
    if text[:1] == "#":
        return Reference("fragment", fragment=text[1:])
    urn = _URN.fullmatch(text)
    if urn is not None:
        uuid, parts = urn[1] is not None, urn.groups()
        base, id_, version, fragment = parts[:4] if uuid else parts[4:]
        kind: Kind = "canonical" if version is not None else "urn_uuid" if uuid else "urn_oid"
        return Reference(kind, base, None, id_, version, fragment)
    for pattern in _LITERALS:
        match = pattern.fullmatch(text)
        if match is None:
            break
        if match[2] in resource_types():
            literal = _literal(match)
            if literal is not None:
                return literal
            break
    canonical = _CANONICAL.fullmatch(text)
    if canonical is not None:
        return Reference("canonical", canonical[1], version=canonical[2], fragment=canonical[3])
    return Reference("other", text)


def _literal(match: re.Match[str]) -> Reference | None:
    """The reference that the common pattern found; None where its parts contradict each other."""
    base, type_, id_, history, query, version, fragment = match.groups()
    if (base and _names_a_resource(base)) or (version is not None and history is not None):
        return None
    kind: Kind = "canonical"
    if version is None:
        kind = ("absolute" if base else "relative") if id_ is not None else "type" if query is None else "conditional"
        version = history
    return Reference(kind, base or "", type_, id_, version, fragment, _pairs(query))


def _names_a_resource(base: str) -> bool:
    """Whether a base goes through a resource (`https://host/Patient/1/`): its id would pass for a server's part."""
    return not resource_types().isdisjoint(base.split("/"))


def _pairs(query: str | None) -> Query | None:
    if query is None:
        return None
    split = (pair.partition("=") for pair in query.split("&"))
    return tuple((name, value if equals else None) for name, equals, value in split)


def _decode(text: str) -> str:
    return unquote(text.replace("+", " "))
