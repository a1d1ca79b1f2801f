"""Check the keys under `rules`: each must name something that R4 has and that a plan looks up.

A key that no plan would ever look up is refused too: a rule that silently does nothing is worse than none.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from masking.fhir.elements import (
    Element,
    children,
    choices,
    data_types,
    element,
    primitive_types,
    resource_types,
    suggest,
)
from masking.policy.problems import did_you_mean, short

ANY_TYPE = "*"
#: Types that only others inherit from: their elements can be named, they themselves are no element's type.
ABSTRACT = frozenset({"Element", "BackboneElement", "Resource", "DomainResource"})
_TOO_LONG = 200
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a key cannot be used, and the nearest right thing."""

    message: str
    hint: str = ""


def check_key(key: str, *, masks: bool) -> Fault | None:
    """What is wrong with a rule's key; None when it is usable. `masks` tells a masker's rule from keep and redact."""
    first, dot, rest = key.partition(".")
    if not dot:
        return _check_type(key, masks)
    found = _any_type(rest) if first == ANY_TYPE else _elements(key)
    if not found:
        return Fault(f"unknown path {short(key)!r}", _nearest(key))
    fault = _unreachable(key, found[0])
    if fault is None and masks:
        inside = next((one for one in found if not one.is_primitive), None)
        if inside is not None:
            where = f" in {inside.path.partition('.')[0]}" if first == ANY_TYPE else ""
            at = f"{key.rpartition('.')[0]}.{inside.name}"
            if first in data_types() | ABSTRACT and inside.content in data_types():
                at = inside.content  # the only spelling that is allowed for what lies in there
            return _complex(f"{short(key)!r} is a {inside.type}{where}", at, inside.content)
    return fault


def _check_type(name: str, masks: bool) -> Fault | None:
    if name in primitive_types():
        return None
    if name in data_types():
        return _complex(f"{name!r} is a complex type", name, name) if masks else None
    if name in resource_types():
        return Fault(f"{name!r} is a resource type", "rule whole resource types under `types`")
    if name in ABSTRACT:
        return Fault(f"{name!r} is the type of no element", f"name an element of it, as in '{name}.id'")
    known = data_types() | primitive_types() | resource_types()
    return Fault(f"unknown type or path {short(name)!r}", did_you_mean(name, known))


def _complex(what: str, key: str, content: str | None) -> Fault:
    """A masker maps primitives; say which ones there are."""
    inside = children(content).items() if content else ()
    names = [f"{key}.{name}" for name, child in inside if child.is_primitive and name != "id"]
    more = ", …" if len(names) > _NAMED else ""
    hint = "name its primitives" + (f": {', '.join(names[:_NAMED])}{more}" if names else "")
    return Fault(f"{what}, and a masker maps primitives only", hint)


def _elements(path: str) -> tuple[Element, ...]:
    """The element at a path, or all properties of the choice that its last part is the stem of (`value[x]`)."""
    parent, _, name = path.rpartition(".")
    try:
        if not name.endswith("[x]"):
            return (element(path),)
        content = element(parent).content if "." in parent else parent
        return choices(content, name) if content else ()
    except KeyError:
        return ()


def _any_type(rest: str) -> tuple[Element, ...]:
    return tuple(one for found in (_elements(f"{name}.{rest}") for name in _types()) for one in found)


def _unreachable(key: str, found: Element) -> Fault | None:
    """A key that names something real, yet where no plan looks."""
    first, *names = key.split(".")
    if first in data_types() | ABSTRACT:
        if found.path.rpartition(".")[0] != key.rpartition(".")[0]:
            owner = f"{found.path.rpartition('.')[0]}.{names[-1]}"
            return Fault("a data type's rule names its own elements only", f"write {owner!r} or a resource's path")
        return None
    for outer in _outer(first, names[:-1]):
        if outer.type == "Extension":
            return Fault("a path ends where extensions begin", "rule an extension by its URL under `extensions`")
        if outer.type == "Resource":
            return Fault("a path ends where another resource begins", "rule it by its own type's paths")
    return None


def _outer(first: str, names: list[str]) -> Iterator[Element]:
    """The elements on the way to the last one, in the first type that has them all."""
    path = ".".join(names)
    candidates = _types() if first == ANY_TYPE else (first,)
    start = next((name for name in candidates if not path or _elements(f"{name}.{path}")), None)
    if start is not None:
        for depth in range(1, len(names) + 1):
            yield from _elements(".".join([start, *names[:depth]]))


def _nearest(key: str) -> str:
    if len(key) > _TOO_LONG:
        return ""
    first, _, rest = key.partition(".")
    near = _nearest_of_any(rest) if first == ANY_TYPE else suggest(key)
    return f"did you mean {near!r}?" if near and near != key else ""


def _nearest_of_any(rest: str) -> str | None:
    name, dot, below = rest.partition(".")
    if name not in _first_names():
        hint = did_you_mean(name, _first_names())
        name = hint.split("'")[1] if hint else ""
    owner = _first_names().get(name)
    if owner is None or not dot:
        return owner and f"{ANY_TYPE}.{name}"
    near = suggest(f"{owner}.{name}.{below}")
    return near and f"{ANY_TYPE}.{near.partition('.')[2]}"


@functools.cache
def _types() -> tuple[str, ...]:
    return tuple(sorted(resource_types()))


@functools.cache
def _first_names() -> dict[str, str]:
    """The elements right below a resource type, each with one type that has it."""
    return {name: owner for owner in reversed(_types()) for name in children(owner)}
