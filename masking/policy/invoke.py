"""From what a policy says of a masker to the masker itself: look up its name, check its parameters, note all problems.

Two parameters are special: `reference_date` is the run's where it is not given, and `file` is relative to the policy.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import masking.maskers  # noqa: F401 - registers every masker
from masking.errors import ParameterError
from masking.maskers.base import Masker, parameters, registered
from masking.policy.parameters import canonical, convert, convert_file
from masking.policy.problems import did_you_mean, key_path, one_of, short
from masking.policy.source import Built, Source, Unusable, unknown
from masking.policy.yaml_tree import Entry, MappingNode, Node, Scalar

_OWN_KEYS = ("mask", "why")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A rule as it is written: a name, where that stands, and the entries beside it."""

    name: str
    node: Scalar
    path: str
    mask_path: str
    entries: Mapping[str, Entry]


def spoken(node: Node, path: str, source: Source) -> Spoken:
    """Take a rule apart: a name alone, or a mapping with `mask`. Raises `Unusable`."""
    rest: Mapping[str, Entry] = {}
    name, mask_path = node, path
    if isinstance(node, MappingNode):
        entry = node.entries.get("mask")
        if entry is None:
            near = next((key for key in node.entries if did_you_mean(key, ["mask"])), "")
            hint = f"did you mean 'mask' by {near!r}?" if near else "add mask: keep, redact or a masker's name"
            raise source.bad(node, path, "a rule without 'mask'", hint)
        rest = {key: one for key, one in node.entries.items() if key != "mask"}
        name, mask_path = entry.node, key_path(path, "mask")
    if not isinstance(name, Scalar) or name.value is None:
        raise source.bad(name, mask_path, "expected keep, redact or a masker's name")
    return Spoken(name.text, name, path, mask_path, rest)


def nested(node: Node, path: str, source: Source) -> Built[Masker]:
    """A masker inside another one's parameters: a rule again. Raises `Unusable`."""
    said = spoken(node, path, source)
    reason(said, source)
    return masker(said, source)


def reason(said: Spoken, source: Source) -> str:
    """The text of `why`, if there is one; anything but text is noted."""
    entry = said.entries.get("why")
    try:
        return source.text(entry.node, key_path(said.path, "why")) if entry else ""
    except Unusable:
        return ""


def masker(said: Spoken, source: Source, also: Iterable[str] = ()) -> Built[Masker]:
    """The masker of a rule; `also` are keys of this kind of rule beside `mask` and `why`. Raises `Unusable`."""
    cls = registered().get(said.name)
    if cls is None:
        raise source.bad(said.node, said.mask_path, *unknown("masker", said.name, registered()))
    own = {*_OWN_KEYS, *also}
    entries = {key: entry for key, entry in said.entries.items() if key not in own}
    fields = {field.name: field for field in parameters(cls)}
    hints = typing.get_type_hints(cls)
    given: dict[str, Built[Any]] = {}
    bad = False
    for key, entry in entries.items():
        at = key_path(said.path, key)
        try:
            if key not in fields:
                hint = did_you_mean(key, [*fields, *own], one_of([*fields, *own]))
                raise source.bad(entry, at, f"masker {said.name!r} has no parameter {short(key)!r}", hint)
            given[key] = (
                convert_file(entry.node, at, source)
                if key == "file"
                else convert(hints[key], entry.node, at, source, nested)
            )
        except Unusable:
            bad = True
    if "reference_date" in fields and "reference_date" not in entries:
        # The manifest records the run's date; the policy, and so its hash, is the same on another day.
        given["reference_date"] = Built(source.reference_date, {"of": "run"})
    for name, field in fields.items():
        if _is_required(field) and name not in entries and name not in given:
            bad = True
            source.bad(said.node, said.path, f"masker {said.name!r} needs {name!r}")
    if bad:
        raise Unusable
    return _make(cls, said, given, source)


def _make(cls: type[Masker], said: Spoken, given: Mapping[str, Built[Any]], source: Source) -> Built[Masker]:
    try:
        made = cls(**{name: built.value for name, built in given.items()})
    except ParameterError as error:
        entry = said.entries.get(error.parameter.partition(".")[0])
        at = entry.node if entry else said.node
        raise source.bad(at, f"{said.path}.{error.parameter}", error.message, error.hint) from None
    defaults = {
        field.name: canonical(getattr(made, field.name)) for field in parameters(cls) if field.name not in given
    }
    return Built(made, {"mask": cls.name, **defaults, **{name: built.canonical for name, built in given.items()}})


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
