"""What is wrong with a resource by R4's own tables: names, cardinality, primitives, choices, targets of references, codes of
required bindings where their value set is closed.

Only what is new counts: a source may be as it is.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from masking.fhir.codes import codes
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


#: The same, one by one.
Found = list[tuple[str, str]]


def faults_of(element: Element, value: Any, companion: bool, path: str) -> Faults:
    """What is wrong with one property of a resource, nulls beside companions aside."""
    found: Found = []
    _property(element, value, companion, path, found)
    return Counter(found)


def new_faults(element: Element, before: Any, after: Any, companion: bool, path: str) -> Faults:
    """What is wrong with a property that was not before. Only what became another is looked at: most of it did not."""
    found: Faults = Counter()
    _compare(element, before, after, companion, path, found)
    return found


def _compare(element: Element, before: Any, after: Any, companion: bool, path: str, found: Faults) -> None:
    if before == after:
        return
    alike = not companion and element.type != "Reference" and element.content != "Resource"
    if (
        alike
        and isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
        and element.is_array
    ):
        if None not in before and None not in after:
            for one, other in zip(before, after, strict=True):
                _compare_one(element, one, other, path, found)
            return
    elif alike and not element.is_array and not isinstance(after, list) and after is not None:
        _compare_one(element, before, after, path, found)
        return
    found.update(faults_of(element, after, companion, path) - faults_of(element, before, companion, path))


def _compare_one(element: Element, before: Any, after: Any, path: str, found: Faults) -> None:
    """The same of one of its values."""
    if before == after:
        return
    if (
        element.content is not None
        and isinstance(before, dict)
        and isinstance(after, dict)
        and before.keys() == after.keys()
    ):
        known = children(element.content)
        if all(name in known for name in after):
            for name, value in after.items():
                _compare(known[name], before[name], value, False, f"{path}.{name}", found)
            return
    old: Found = []
    new: Found = []
    _one(element, after, path, new)
    if new:
        _one(element, before, path, old)
        found.update(Counter(new) - Counter(old))


def members(content: str, names: frozenset[str], path: str) -> Faults:
    """What an object as a whole must have and has not, or has more than one choice of; `names` are those of its properties."""
    return Counter((path + below, what) for below, what in _members(content, names))


@functools.lru_cache(50_000)
def _members(content: str, names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """The same, with what stands behind the object's path. Few sets of names make up most of an export."""
    found = []
    known = children(content)
    present = {name.removeprefix("_") for name in names}
    for name in required(content):
        if name not in present and not any(known[one].choice == name for one in present if one in known):
            found.append((f".{name}", "missing"))
    stems = Counter(known[one].choice for one in present if one in known and known[one].choice)
    found += [(f".{stem}", "more than one choice") for stem, count in stems.items() if count > 1]
    if content == "Extension" and ("extension" in present) == (stems["value[x]"] > 0):
        found.append(("", "an extension has a value or extensions"))
    return tuple(found)


def _property(element: Element, value: Any, companion: bool, path: str, found: Found) -> None:
    is_array = element.is_array
    if isinstance(value, list) != is_array:
        found.append((path, "an array where none belongs, or none where one does"))
    elif companion:
        for one in value if is_array else [value]:
            if one is not None or not is_array:
                _object("Element", one, path, found)
    elif not is_array:
        if value is not None:
            _one(element, value, path, found)
    else:
        for one in value:
            if one is not None:
                _one(element, one, path, found)
        if not value:
            found.append((path, "an empty array"))
        elif element.max is not None and len(value) > element.max:
            found.append((path, "more than may be"))


def _object(content: str, value: Any, path: str, found: Found) -> None:
    if not isinstance(value, dict) or not value:
        found.append((path, "no object, or an empty one"))
        return
    if content == "Resource":
        kind = value.get("resourceType", "")
        if not isinstance(kind, str) or kind not in resource_types():
            found.append((path, "no resource"))
            return
        content = kind
    known: Mapping[str, Element] = children(content)
    for name, item in value.items():
        element = known.get(name)
        is_companion = False
        if element is None:
            if name == "resourceType" and content in resource_types():
                continue
            is_companion = name[:1] == "_"
            element = known.get(name[1:]) if is_companion else None
            if element is None or not element.is_primitive:
                found.append((f"{path}.?", "no such element"))
                continue
        below = f"{path}.{name}"
        _property(element, item, is_companion, below, found)
        if not is_companion and isinstance(item, list) and None in item:
            beside = value.get("_" + name)
            for index, one in enumerate(item):
                if one is None and not (isinstance(beside, list) and index < len(beside) and beside[index]):
                    found.append((below, "null with nothing beside it"))
    found += [(path + below, what) for below, what in _members(content, frozenset(value))]


def _one(element: Element, value: Any, path: str, found: Found) -> None:
    if element.is_primitive:
        if what := of_primitive(element, value):
            found.append((path, what))
        return
    assert element.content is not None
    _object(element.content, value, path, found)
    if element.type == "Reference" and isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str) and not may_lead_to(element, reference):
            found.append((path, "points at a type that may not stand there"))


def of_primitive(element: Element, value: Any) -> str:
    """What is wrong with the value of a primitive element; "" where nothing is."""
    if not fits(element.type, value):
        return f"no {element.type}"
    if element.type == "code" and element.binding == "required" and not _is_listed(element.value_set, value):
        return "no code of its value set"
    return ""


def matching(element: Element) -> Callable[[str], re.Match[str] | None] | None:
    """What tells of a text whether `of_primitive` has no fault; None where a match is not all."""
    if element.type == "xhtml" or element.binding == "required" or json_kind(element.type) != "string":
        return None
    return _filled(element.type).fullmatch


def may_lead_to(element: Element, reference: str) -> bool:
    """Whether a reference may stand at an element, by the type that it names."""
    target = _type_of(reference)
    return target is None or element.may_point_at(target)


@functools.lru_cache(100_000)
def _type_of(reference: str) -> str | None:
    return parse(reference).type


def _is_listed(value_set: str | None, code: str) -> bool:
    """Whether a code is one of a value set's, as far as that can be told."""
    known = codes(value_set) if value_set else None
    return known is None or code in known


@functools.cache
def _pattern(primitive: str) -> re.Pattern[str]:
    return re.compile(regex(primitive))


@functools.cache
def _filled(primitive: str) -> re.Pattern[str]:
    """The same for a text that is not empty."""
    return re.compile(f"(?=[\\s\\S])(?:{regex(primitive)})")


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
