"""What is wrong with a resource by R4's own tables: names, cardinality, primitives, choices, targets of references.

Only what is new counts: a source may be as it is. Codes of required bindings are not held against their value sets, for
R4's table carries names of value sets and no codes; a code is kept to the byte, so it cannot become a wrong one.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from masking.fhir.elements import Element, children, json_kind, regex, required, resource_types
from masking.fhir.references import parse

_DIV = "{http://www.w3.org/1999/xhtml}div"
_IMAGE = "{http://www.w3.org/1999/xhtml}img"

#: Path without indexes and what is wrong there, and how often.
Faults = Counter[tuple[str, str]]


class Spelled(str):
    """A number as it is spelled; no string equals it."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spelled) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)


def faults_in(content: str, value: Any, path: str) -> Faults:
    """What is wrong with a value of a content type (`Patient`, `HumanName`), and with all in it."""
    found: Faults = Counter()
    _object(content, value, path, found)
    return found


def faults_of(element: Element, value: Any, companion: bool, path: str) -> Faults:
    """What is wrong with one property of a resource, nulls beside companions aside."""
    found: Faults = Counter()
    if isinstance(value, list) != element.is_array:
        found[path, "an array where none belongs, or none where one does"] += 1
    elif companion:
        for one in value if element.is_array else [value]:
            if one is not None or not element.is_array:
                _object("Element", one, path, found)
    else:
        for one in value if element.is_array else [value]:
            if one is not None:
                _one(element, one, path, found)
        if element.is_array and not value:
            found[path, "an empty array"] += 1
        if element.max is not None and element.is_array and len(value) > element.max:
            found[path, "more than may be"] += 1
    return found


def members(content: str, names: frozenset[str], path: str) -> Faults:
    """What an object as a whole must have and has not, or has more than one choice of; `names` are those of its properties."""
    found: Faults = Counter()
    known = children(content)
    present = {name.removeprefix("_") for name in names}
    for name in required(content):
        if name not in present and not any(known[one].choice == name for one in present if one in known):
            found[f"{path}.{name}", "missing"] += 1
    stems = Counter(known[one].choice for one in present if one in known and known[one].choice)
    found.update((f"{path}.{stem}", "more than one choice") for stem, count in stems.items() if count > 1)
    if content == "Extension" and ("extension" in present) == (stems["value[x]"] > 0):
        found[path, "an extension has a value or extensions"] += 1
    return found


def _object(content: str, value: Any, path: str, found: Faults) -> None:
    if not isinstance(value, dict) or not value:
        found[path, "no object, or an empty one"] += 1
        return
    if content == "Resource":
        kind = value.get("resourceType", "")
        if kind not in resource_types():
            found[path, "no resource"] += 1
            return
        content = kind
    known: Mapping[str, Element] = children(content)
    for name, item in value.items():
        if name == "resourceType" and content in resource_types():
            continue
        is_companion = name[:1] == "_"
        element = known.get(name.removeprefix("_"))
        if element is None or (is_companion and not element.is_primitive):
            found[f"{path}.?", "no such element"] += 1
            continue
        below = f"{path}.{name}"
        found.update(faults_of(element, item, is_companion, below))
        if element.is_array and isinstance(item, list) and not is_companion and None in item:
            beside = value.get("_" + name)
            for index, one in enumerate(item):
                if one is None and not (isinstance(beside, list) and index < len(beside) and beside[index]):
                    found[below, "null with nothing beside it"] += 1
    found.update(members(content, frozenset(value), path))


def _one(element: Element, value: Any, path: str, found: Faults) -> None:
    if element.is_primitive:
        if not fits(element.type, value):
            found[path, f"no {element.type}"] += 1
        return
    assert element.content is not None
    _object(element.content, value, path, found)
    if element.type == "Reference" and isinstance(value, dict) and isinstance(reference := value.get("reference"), str):
        target = parse(reference).type
        if target is not None and not element.may_point_at(target):
            found[path, "points at a type that may not stand there"] += 1


@functools.cache
def _pattern(primitive: str) -> re.Pattern[str]:
    return re.compile(regex(primitive))


def fits(primitive: str, value: Any) -> bool:
    """Whether a JSON value is one of a primitive type, by R4's regular expressions."""
    kind = json_kind(primitive)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, (bool, int)):
        return (
            kind == "number" and not isinstance(value, bool) and _pattern(primitive).fullmatch(str(value)) is not None
        )
    if isinstance(value, Spelled) != (kind == "number") or not isinstance(value, str):
        return False
    if primitive == "xhtml":
        return _is_narrative(value)
    return value != "" and _pattern(primitive).fullmatch(value) is not None


def _is_narrative(div: str) -> bool:
    """Whether a narrative is one XHTML `div` that says or shows something (R4: txt-1, txt-2)."""
    try:
        root = ElementTree.fromstring(div)
    except ElementTree.ParseError:
        return False
    return root.tag == _DIV and ("".join(root.itertext()).strip() != "" or next(root.iter(_IMAGE), None) is not None)
