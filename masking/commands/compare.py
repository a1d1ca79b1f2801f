"""What masking changed in one resource: path by path, before and after, and by which rule.

Works on parsed JSON of the source and of what came out. An array that has lost items is aligned with what is left of it
by likeness, for the items that stay are in their order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masking.fhir.elements import resource_types
from masking.policy.plan import Child, Node, Plan
from masking.policy.specs import Action, Place, Rule

_ADDED = Place("built in", 0, "$")
LABEL = Rule(Action.MASK, _ADDED, why="says that the resource is masked")
ABSENT = Rule(Action.REDACT, _ADDED, why="says that a value stood here")
UNKNOWN = Rule(Action.REDACT, _ADDED, why="R4 has no such element")
_Asked = tuple[Child | None, Rule]


@dataclass(frozen=True, slots=True)
class Change:
    """A place where the two differ. `before` None: it was added; `after` None: it is gone. Texts are JSON's."""

    path: str
    before: str | None
    after: str | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes of one resource, and how many values came out as they went in."""

    changes: tuple[Change, ...]
    kept: int


def compare(plan: Plan, source: Mapping[str, Any], masked: Mapping[str, Any]) -> Comparison:
    """Compare a resource with what the plan made of it."""
    every = list(pairs(plan, source, masked))
    changes = tuple(pair for pair in every if pair.before is None or pair.before != pair.after)
    return Comparison(changes, len(every) - len(changes))


def pairs(plan: Plan, source: Mapping[str, Any], masked: Mapping[str, Any]) -> Iterator[Change]:
    """Every value of a resource with what it became, those that stayed too."""
    return _object(plan, _root(plan, source), source, masked, "")


def _root(plan: Plan, resource: Mapping[str, Any]) -> Node | None:
    name = resource.get("resourceType")
    return plan.root(name) if isinstance(name, str) and name in resource_types() else None


def _object(
    plan: Plan, node: Node | None, source: Mapping[str, Any], masked: Mapping[str, Any] | None, path: str
) -> Iterator[Change]:
    """Each value of an object, those that did not change too."""
    left = dict(masked or {})
    if node is not None and node.content == "Extension":
        node = plan.extension(node, str(source.get("url", "")))
    for key, value in source.items():
        child = node.child(key) if node is not None else None
        here = f"{path}.{key}" if path else key
        rule = _rule(plan, node, child, source)
        yield from _value(plan, (child, rule), value, left.pop(key, None), here)
    for key, value in left.items():
        here = f"{path}.{key}" if path else key
        yield from _added(value, here)


def _rule(plan: Plan, node: Node | None, child: Child | None, source: Mapping[str, Any]) -> Rule:
    """The rule of a property, where what stands beside it decides."""
    if node is None or child is None:
        return UNKNOWN
    if node.content == "Identifier" and child.name == "value":
        kind = source.get("type")
        codings = kind.get("coding", []) if isinstance(kind, dict) else []
        codes = tuple(str(coding["code"]) for coding in codings if isinstance(coding, dict) and "code" in coding)
        return plan.identifier_rule(node, source.get("system"), codes)
    if child.fallback is not None and (child.name != "display" or not plan.vouches(source.get("system"))):
        return child.fallback
    return child.rule


def _value(plan: Plan, asked: _Asked, source: Any, masked: Any, path: str) -> Iterator[Change]:
    child, rule = asked
    if isinstance(source, list):
        left = masked if isinstance(masked, list) else []
        pairs = _aligned(source, left) if masked is not None else [(item, None) for item in source]
        for index, (item, match) in enumerate(pairs):
            yield from _value(plan, asked, item, match, f"{path}[{index}]" if len(source) > 1 else path)
        if len(left) > len(source):  # only labels are ever appended
            yield from _added(left[len(source) :], path)
        return
    whole = rule.action is Action.REDACT and isinstance(source, dict)
    if isinstance(source, dict) and not whole and (child is None or child.node is not None):
        node = child.node if child is not None else None
        if node is not None and node.content == "Resource":
            node = _root(plan, source)
        yield from _object(plan, node, source, masked if isinstance(masked, dict) else None, path)
        return
    yield Change(path, _text(source), None if masked is None and source is not None else _text(masked), rule)


def _added(value: Any, path: str) -> Iterator[Change]:
    """What the source did not have: security labels in one line, and reasons for what is absent."""
    if path == "meta" and isinstance(value, dict):
        for key, inner in value.items():
            yield from _added(inner, f"{path}.{key}")
    elif path == "meta.security":
        labels = value if isinstance(value, list) else [value]
        codes = [str(label.get("code", "")) for label in labels if isinstance(label, dict)]
        yield Change(path, None, ", ".join(codes), LABEL)
    else:
        yield Change(path, None, _text(value), ABSENT)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ── arrays ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _aligned(source: Sequence[Any], masked: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each item with what it became (None: it is gone); items of `masked` keep their order, the best total wins."""
    if len(source) == len(masked):
        return list(zip(source, masked, strict=True))
    if len(masked) > len(source):
        return list(zip(source, masked, strict=False))
    best = [[0.0] * (len(masked) + 1) for _ in range(len(source) + 1)]
    for i in reversed(range(len(source))):
        for j in reversed(range(len(masked))):
            # As many items as are left must be matched: one that is skipped must leave enough behind it.
            take = best[i + 1][j + 1] + _likeness(source[i], masked[j])
            skip = best[i + 1][j] if len(source) - i > len(masked) - j else -1e9
            best[i][j] = max(take, skip)
        if len(source) - i < len(masked):
            best[i][: len(masked) - (len(source) - i)] = [-1e9] * (len(masked) - (len(source) - i))
    pairs: list[tuple[Any, Any]] = []
    j = 0
    for i, item in enumerate(source):
        can_take = j < len(masked)
        if can_take and best[i][j] == best[i + 1][j + 1] + _likeness(item, masked[j]):
            pairs.append((item, masked[j]))
            j += 1
        else:
            pairs.append((item, None))
    return pairs


def _likeness(source: Any, masked: Any) -> float:
    """How much of one is in the other: equal values count most, equal names a little, foreign names against."""
    if isinstance(source, dict) and isinstance(masked, dict):
        score = 0.0
        for key, value in masked.items():
            score += _likeness(source[key], value) + 0.2 if key in source else -1.0
        return score
    if isinstance(source, list) and isinstance(masked, list):
        return sum(max((_likeness(one, item) for one in source), default=-1.0) for item in masked)
    return 2.0 if source == masked else 0.0 if type(source) is type(masked) else -1.0
