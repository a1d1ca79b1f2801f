"""Check a masker's parameter against its declared type, and turn it into a value of that type.

Types are text, whole numbers, numbers, true/false, choices (`Literal`, enumerations), lists, mappings from text,
maskers, and unions of these. Text is taken as it is spelled: a number or a word such as `true` needs no quotes where
text is due. No message repeats a value.
"""

from __future__ import annotations

import enum
import hashlib
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from masking.maskers.base import Masker
from masking.policy.problems import did_you_mean, key_path
from masking.policy.source import Built, Source, Unusable
from masking.policy.yaml_tree import MappingNode, Node, Scalar, SequenceNode

#: Reads a masker that stands in another one's parameters: node, path, source.
Nested = Callable[[Node, str, Source], Built[Masker]]

_WORDS: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_LISTS = (tuple, list, Sequence, frozenset, set)
_CHUNK = 1 << 20


def convert(hint: Any, node: Node, path: str, source: Source, nested: Nested) -> Built[Any]:
    """The value of a parameter whose declared type is `hint`.

    Raises `Unusable` after noting what is wrong, and `TypeError` for a type that no policy can give: a masker's fault.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if isinstance(node, Scalar) and node.value is None and type(None) in arguments:
            return Built(None, None)
        return convert(_arm(arguments, node), node, path, source, nested)
    if isinstance(hint, type) and issubclass(hint, Masker):
        return nested(node, path, source)
    if origin in _LISTS:
        return _list(hint, node, path, source, nested)
    if _is_mapping(hint):
        return _mapping(arguments[1], node, path, source, nested)
    return _scalar(hint, node, path, source)


def _is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _arm(arms: tuple[Any, ...], node: Node) -> Any:
    """The alternative of a union that the node looks like; the first one where it looks like none."""
    arms = tuple(arm for arm in arms if arm is not type(None))
    wanted: list[Any] = []
    if isinstance(node, Scalar):
        wanted = [type(node.value), *([float] if type(node.value) is int else []), str]
    exact = next((arm for kind in wanted for arm in arms if arm is kind), None)
    if exact is not None:
        return exact
    is_list, is_mapping = isinstance(node, SequenceNode), isinstance(node, MappingNode)
    for arm in arms:
        if (is_list and get_origin(arm) in _LISTS) or (is_mapping and _is_mapping(arm)):
            return arm
    return arms[0]


def _scalar(kind: Any, node: Node, path: str, source: Source) -> Built[Any]:
    if get_origin(kind) is Literal:
        return _choice({str(value): value for value in get_args(kind)}, node, path, source)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _choice({str(member.value): member for member in kind}, node, path, source)
    if kind not in _WORDS:
        raise TypeError(f"no policy can give a parameter of type {kind}")
    if isinstance(node, Scalar) and node.value is not None:
        if kind is str:
            return Built(node.text, node.text)
        if type(node.value) is kind or (kind is float and type(node.value) is int):
            return Built(node.value, node.value)
    raise source.bad(node, path, f"expected {_WORDS[kind]}")


def _choice(options: Mapping[str, Any], node: Node, path: str, source: Source) -> Built[Any]:
    if isinstance(node, Scalar) and node.value is not None and node.text in options:
        return Built(options[node.text], node.text)
    hint = did_you_mean(node.text, options) if isinstance(node, Scalar) else ""
    raise source.bad(node, path, f"expected one of {', '.join(options)}", hint)


def _list(hint: Any, node: Node, path: str, source: Source, nested: Nested) -> Built[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if not isinstance(node, SequenceNode):
        raise source.bad(node, path, "expected a list")
    kinds: Sequence[Any] = [arguments[0]] * len(node.items)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        kinds = arguments
        if len(kinds) != len(node.items):
            raise source.bad(node, path, f"expected a list of {len(kinds)}")
    parts = [(kind, item, key_path(path, at)) for at, (kind, item) in enumerate(zip(kinds, node.items, strict=True))]
    built = _each(parts, source, nested)
    make = origin if origin in (list, frozenset, set) else tuple
    return Built(make(one.value for one in built), [one.canonical for one in built])


def _mapping(kind: Any, node: Node, path: str, source: Source, nested: Nested) -> Built[Any]:
    if not isinstance(node, MappingNode):
        raise source.bad(node, path, "expected a mapping")
    parts = [(kind, entry.node, key_path(path, key)) for key, entry in node.entries.items()]
    built = _each(parts, source, nested)
    named = list(zip(node.entries, built, strict=True))
    return Built({key: one.value for key, one in named}, {key: one.canonical for key, one in named})


def _each(parts: Sequence[tuple[Any, Node, str]], source: Source, nested: Nested) -> list[Built[Any]]:
    """Convert every part, so that every problem is noted; raises `Unusable` at the end if there was one."""
    done: list[Built[Any]] = []
    for hint, node, path in parts:
        try:
            done.append(convert(hint, node, path, source, nested))
        except Unusable:
            continue
    if len(done) < len(parts):
        raise Unusable
    return done


def convert_file(node: Node, path: str, source: Source) -> Built[Any]:
    """The file that a parameter names, relative to the policy's folder; its bytes, not its name, go into the hash."""
    if isinstance(node, Scalar) and node.value is None:
        return Built(None, None)
    if not isinstance(node, Scalar):
        raise source.bad(node, path, "expected a file's name")
    file = source.folder / node.text
    digest = hashlib.sha256()
    try:
        if not file.is_file():
            raise source.bad(node, path, "there is no such file", "a relative name starts from the policy's folder")
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise source.bad(node, path, "this file cannot be read") from None
    return Built(str(file), {"sha256": digest.hexdigest()})


def canonical(value: Any) -> Any:
    """Plain data for the value of a parameter that the policy left at its default."""
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(canonical(item) for item in value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [canonical(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
