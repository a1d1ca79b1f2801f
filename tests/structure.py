"""What is structurally wrong with a resource, by R4's own tables: for holding masked documents against their sources.

Values are judged by their primitive type alone; terminology and profiles are a validator's business.
"""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from masking.fhir.elements import Element, children, json_kind, regex, required, resource_types

_DIV = "{http://www.w3.org/1999/xhtml}div"

#: (path without indexes, what is wrong there) and how often
Faults = Counter[tuple[str, str]]


class Number(str):
    """A number as it is spelled."""

    __slots__ = ()


def faults(document: str) -> Faults:
    """What is wrong with a JSON text that is an object with a resourceType of R4."""
    resource = json.loads(document, parse_float=Number, parse_int=Number, parse_constant=Number)
    found: Faults = Counter()
    _object("Resource", resource, resource["resourceType"], found)
    return found


def new_faults(source: str, masked: str) -> Faults:
    """What is wrong with a masked document that was not with its source, or is so more often."""
    return faults(masked) - faults(source)


def _object(content: str, value: object, path: str, found: Faults) -> None:
    if not isinstance(value, dict) or not value:
        found[path, "no object, or an empty one"] += 1
        return
    is_resource = content == "Resource"
    if is_resource:
        content = value.get("resourceType", "")
        if content not in resource_types():
            found[path, "no resource"] += 1
            return
    known = children(content)
    for key, item in value.items():
        if is_resource and key == "resourceType":
            continue
        element = known.get(key.removeprefix("_"))
        if element is None or (key[:1] == "_" and not element.is_primitive):
            found[f"{path}.{key}", "no such element"] += 1
        elif isinstance(item, list) != element.is_array:
            found[f"{path}.{key}", "an array where none belongs, or none where one does"] += 1
        elif key[:1] == "_":
            _companion(element, item, f"{path}.{key}", found)
        else:
            _items(element, item, value.get("_" + key), f"{path}.{key}", found)
    _members(content, known, value, path, found)


def _members(content: str, known: Mapping[str, Element], value: dict[str, Any], path: str, found: Faults) -> None:
    """What an object as a whole must and must not have."""
    present = {key.removeprefix("_") for key in value}
    for name in required(content):
        if name not in present and not any(key in present for key in known if known[key].choice == name):
            found[f"{path}.{name}", "missing"] += 1
    stems = Counter(known[key].choice for key in present if key in known and known[key].choice)
    found.update((f"{path}.{stem}", "more than one choice") for stem, count in stems.items() if count > 1)
    if content == "Extension" and ("extension" in present) == (stems["value[x]"] > 0):
        found[path, "an extension has a value or extensions"] += 1


def _items(element: Element, item: Any, beside: Any, path: str, found: Faults) -> None:
    if not element.is_array:
        _one(element, item, path, found)
        return
    if not item:
        found[path, "an empty array"] += 1
    for index, one in enumerate(item):
        if one is not None:
            _one(element, one, path, found)
        elif not (element.is_primitive and isinstance(beside, list) and index < len(beside) and beside[index]):
            found[path, "null with nothing beside it"] += 1


def _one(element: Element, value: Any, path: str, found: Faults) -> None:
    if element.is_primitive:
        if not _fits(element.type, value):
            found[path, f"no {element.type}"] += 1
    elif element.content is not None:
        _object(element.content, value, path, found)


def _companion(element: Element, item: Any, path: str, found: Faults) -> None:
    for one in item if element.is_array else [item]:
        if one is not None or not element.is_array:
            _object("Element", one, path, found)


@functools.cache
def _pattern(primitive: str) -> re.Pattern[str]:
    return re.compile(regex(primitive))


def _fits(primitive: str, value: object) -> bool:
    kind = json_kind(primitive)
    if kind == "boolean":
        return isinstance(value, bool)
    if not isinstance(value, Number if kind == "number" else str) or (kind == "string" and isinstance(value, Number)):
        return False
    if primitive == "xhtml":
        return _is_narrative(str(value))
    return value != "" and _pattern(primitive).fullmatch(str(value)) is not None


def _is_narrative(div: str) -> bool:
    """Whether a narrative is one XHTML `div` that says or shows something (R4: txt-1, txt-2)."""
    try:
        root = ElementTree.fromstring(div)
    except ElementTree.ParseError:
        return False
    return root.tag == _DIV and (
        "".join(root.itertext()).strip() != "" or next(root.iter(f"{_DIV[:-3]}img"), None) is not None
    )
