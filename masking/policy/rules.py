"""Read the sections of one policy file into rules, every problem noted and every other rule still read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from masking.fhir.elements import choices, resource_types
from masking.policy.invoke import Spoken, masker, reason, spoken
from masking.policy.paths import check_key
from masking.policy.problems import did_you_mean, key_path, one_of, short
from masking.policy.source import Built, Source, Unusable, unknown
from masking.policy.specs import Action, ExtensionRule, Place, Rule, TypeAction, TypeRule
from masking.policy.yaml_tree import Entry, Node, Scalar, SequenceNode

T = TypeVar("T")
Section = dict[str, Built[T]]

KEYS = (
    "policy", "description", "extends", "labels", "types", "rules", "extensions", "identifiers", "code_systems", "publishers",
)  # fmt: skip
DEFAULT = "default"
OTHERS = "others"
_NAME = re.compile(r"[A-Za-z0-9_\-]{1,64}\Z")


@dataclass(slots=True)
class Listed:
    """Patterns that one file gives, and where each stands: `keep` replaces what it inherits (None: it does not), `more`
    adds to it.
    """

    keep: dict[str, Place] | None = None
    more: dict[str, Place] = field(default_factory=dict)


@dataclass(slots=True)
class Sections:
    """What one file says; `extends` not yet followed. None and empty: it says nothing."""

    policy: str = ""
    description: str = ""
    extends: Entry | None = None
    labels: bool | None = None
    types: Section[TypeRule] = field(default_factory=dict)
    rules: Section[Rule] = field(default_factory=dict)
    extensions: Section[ExtensionRule] = field(default_factory=dict)
    systems: Section[Rule] = field(default_factory=dict)
    codes: Section[Rule] = field(default_factory=dict)
    default: Built[Rule] | None = None
    code_systems: Listed = field(default_factory=Listed)
    publishers: Listed = field(default_factory=Listed)
    #: for texts of codes that no listed code system vouches for
    other_texts: Built[Rule] | None = None


def read_sections(root: Node, source: Source) -> Sections:
    """All sections of a file."""
    said = Sections()
    entries = source.entries(root, "$", KEYS)
    if "policy" not in entries:
        source.bad(root, "$", "a policy without a name", "add policy: NAME at the top")
    readers: Mapping[str, Callable[[Entry], object]] = {
        "policy": lambda entry: setattr(said, "policy", _name(entry.node, source)),
        "description": lambda entry: setattr(said, "description", source.text(entry.node, "$.description")),
        "extends": lambda entry: setattr(said, "extends", entry if source.text(entry.node, "$.extends") else None),
        "labels": lambda entry: setattr(said, "labels", source.flag(entry.node, "$.labels")),
        "types": lambda entry: setattr(said, "types", _each(entry.node, "$.types", source, _type)),
        "rules": lambda entry: setattr(said, "rules", _each(entry.node, "$.rules", source, _keyed_rule)),
        "extensions": lambda entry: setattr(said, "extensions", _each(entry.node, "$.extensions", source, _extension)),
        "identifiers": lambda entry: _identifiers(entry.node, source, said),
        "code_systems": lambda entry: _code_systems(entry.node, source, said),
        "publishers": lambda entry: _listed(entry.node, "$.publishers", source, said.publishers),
    }
    for key, entry in entries.items():
        try:
            readers[key](entry)
        except Unusable:
            continue
    return said


def _each(node: Node, path: str, source: Source, read: Callable[[Entry, str, Source], Built[T]]) -> Section[T]:
    """Every entry of a section that has no problem."""
    found: Section[T] = {}
    for key, entry in source.entries(node, path).items():
        try:
            if not key.strip():
                raise source.bad(entry, key_path(path, key), "an empty key")
            found[key] = read(entry, key_path(path, key), source)
        except Unusable:
            continue
    return found


def _name(node: Node, source: Source) -> str:
    name = source.text(node, "$.policy")
    if not _NAME.match(name):
        raise source.bad(node, "$.policy", "expected a name of letters, digits, '-' and '_', at most 64")
    return name


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rule(entry: Entry, path: str, source: Source) -> Built[Rule]:
    return _answer(entry, spoken(entry.node, path, source), source)


def _answer(entry: Entry, said: Spoken, source: Source, also: tuple[str, ...] = ()) -> Built[Rule]:
    """The rule that was spoken; `also` are keys that its kind of rule has beside every rule's."""
    place, why = source.place(entry, said.path), reason(said, source)
    action = _action(said, also)
    absent = _absent(said, source, action)
    if action is not Action.MASK:
        return Built(Rule(action, place, why=why, absent=absent), {"action": said.name, "absent": absent})
    built = masker(said, source, ("absent", *also))
    return Built(Rule(action, place, built.value, why, absent), built.canonical)


def _action(said: Spoken, also: tuple[str, ...] = ()) -> Action:
    """Keep and redact need no masker, unless a parameter asks for one (`redact` with a `placeholder`)."""
    if said.name in (Action.KEEP, Action.REDACT) and set(said.entries) <= {"why", "absent", *also}:
        return Action(said.name)
    return Action.MASK


def _absent(said: Spoken, source: Source, action: Action) -> bool:
    entry = said.entries.get("absent")
    if entry is None:
        return False
    path = key_path(said.path, "absent")
    if action is not Action.REDACT and said.name != "scrub":
        raise source.bad(entry, path, "only redact and scrub leave a data-absent-reason", "remove 'absent'")
    return source.flag(entry.node, path)


def _keyed_rule(entry: Entry, path: str, source: Source) -> Built[Rule]:
    said = spoken(entry.node, path, source)
    fault = check_key(entry.key, masks=_action(said) is Action.MASK)
    if fault is not None:
        source.bad(entry, path, fault.message, fault.hint)
    built = _answer(entry, said, source)
    if fault is not None:
        raise Unusable
    return built


def _extension(entry: Entry, path: str, source: Source) -> Built[ExtensionRule]:
    said = spoken(entry.node, path, source)
    parts: Section[ExtensionRule] = {}
    if "parts" in said.entries:
        parts = _each(said.entries["parts"].node, key_path(path, "parts"), source, _extension)
    types = _value_types(said, source)
    rule = _answer(entry, said, source, ("parts", "types"))
    canonical = {"rule": rule.canonical, "types": types, "parts": {url: part.canonical for url, part in parts.items()}}
    return Built(ExtensionRule(rule.value, tuple(types), {url: one.value for url, one in parts.items()}), canonical)


def _value_types(said: Spoken, source: Source) -> list[str]:
    """The types of value that an extension's keep is meant for beyond codes and numbers, sorted."""
    entry, path = said.entries.get("types"), key_path(said.path, "types")
    if entry is None:
        return []
    if said.name != Action.KEEP:
        raise source.bad(entry, path, "only keep asks for the value's type", "remove 'types'")
    if not isinstance(entry.node, SequenceNode):
        raise source.bad(entry.node, path, "expected a list")
    known = [one.type for one in choices("Extension", "value[x]")]
    found: set[str] = set()
    for index, item in enumerate(entry.node.items):
        name = source.text(item, key_path(path, index))
        if name not in known:
            raise source.bad(item, key_path(path, index), *unknown("type of an extension's value", name, known))
        found.add(name)
    return sorted(found)


# ── types, identifiers, code systems ─────────────────────────────────────────────────────────────────────────────────


def _type(entry: Entry, path: str, source: Source) -> Built[TypeRule]:
    node, action_path, why = entry.node, path, ""
    bad = entry.key != DEFAULT and entry.key not in resource_types()
    if bad:
        hint = did_you_mean(entry.key, [*resource_types(), DEFAULT])
        source.bad(entry, path, f"unknown resource type {short(entry.key)!r}", hint)
    if not isinstance(node, Scalar):
        inside = source.entries(node, path, ("action", "why"))
        if "why" in inside:
            why = source.text(inside["why"].node, key_path(path, "why"))
        if "action" not in inside:
            raise source.bad(node, path, "a type without 'action'", one_of(TypeAction))
        node, action_path = inside["action"].node, key_path(path, "action")
    text = source.text(node, action_path)
    if text not in list(TypeAction):
        raise source.bad(node, action_path, *unknown("action", text, TypeAction))
    if bad:
        raise Unusable
    return Built(TypeRule(TypeAction(text), source.place(entry, path), why), text)


def _identifiers(node: Node, source: Source, said: Sections) -> None:
    path = "$.identifiers"
    for key, entry in source.entries(node, path, ("systems", "types", DEFAULT)).items():
        at = key_path(path, key)
        if key == "systems":
            said.systems = _each(entry.node, at, source, _rule)
        elif key == "types":
            said.codes = _each(entry.node, at, source, _rule)
        else:
            said.default = _rule(entry, at, source)


def _code_systems(node: Node, source: Source, said: Sections) -> None:
    path = "$.code_systems"
    others = _listed(node, path, source, said.code_systems, OTHERS).get(OTHERS)
    if others is not None:
        said.other_texts = _rule(others, key_path(path, OTHERS), source)


def _listed(node: Node, path: str, source: Source, said: Listed, *beside: str) -> Mapping[str, Entry]:
    """Read the lists; the entries that may stand beside them are the caller's."""
    entries = source.entries(node, path, ("keep", "also_keep", *beside))
    for key, entry in entries.items():
        if key in beside:
            continue
        at = key_path(path, key)
        if isinstance(entry.node, SequenceNode):
            patterns = _patterns(entry.node, at, source)
        elif isinstance(entry.node, Scalar) and entry.node.value is None:
            patterns = {}
        else:
            source.bad(entry.node, at, "expected a list")
            continue
        if key == "keep":
            said.keep = patterns
        else:
            said.more = patterns
    return entries


def _patterns(node: SequenceNode, path: str, source: Source) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for index, item in enumerate(node.items):
        at = key_path(path, index)
        try:
            pattern = source.text(item, at)
        except Unusable:
            continue
        if "*" in pattern[:-1]:
            source.bad(item, at, "'*' stands at the end only, for any rest")
        found.setdefault(pattern, source.place(item, at))
    return found
