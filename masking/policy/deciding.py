"""Which rule decides at given paths, and what the key undoes of what the rules do, as plain data for reports.

Paths are those of `masking.verify.tree`: without indexes, an extension with its URL in brackets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

from masking.maskers.base import parts_of
from masking.policy.examples import example_key
from masking.policy.plan import UNKNOWN_ELEMENT, UNKNOWN_EXTENSION, UNNAMED, Child, Node, Plan, rules_of
from masking.policy.specs import Action, Policy, Rule, TypeAction
from masking.policy.stays import steps_of

_UNRULED = (UNNAMED, UNKNOWN_ELEMENT, UNKNOWN_EXTENSION)


class Decided(NamedTuple):
    """What is done at a path, by the rule of which line, and why. by_default: no rule names it, so it is redacted."""

    does: str
    place: str
    why: str
    by_default: bool


def deciding(policy: Policy, paths: Iterable[str]) -> dict[str, Decided]:
    """The answer for each path."""
    plan = Plan(policy, example_key())
    return {path: _said(_rule(plan, list(steps_of(path)))) for path in paths}


def ways_back(policy: Policy) -> list[tuple[str, str, int]]:
    """Each masker that the policy uses, how the holder of the key undoes it ("" if not), and how many rules use it."""
    found: Counter[tuple[str, str]] = Counter()
    for rule in rules_of(policy):
        if rule.masker is not None:
            used = {(part.name, type(part).way_back) for part in parts_of(rule.masker)}
            found.update(used)
    return [(*one, rules) for one, rules in sorted(found.items())]


def _rule(plan: Plan, steps: list[tuple[str, str | None]]) -> Rule:
    kind = steps[0][0]
    type_rule = plan.policy.types.get(kind, plan.policy.other_types)
    if type_rule.action in (TypeAction.REDACT, TypeAction.REFUSE):
        return Rule(Action.REDACT, type_rule.place, why=type_rule.why)
    node: Node | None = plan.root(kind)
    child: Child | None = None
    for name, url in steps[1:]:
        if node is None:
            return UNNAMED
        child = node.child(name)
        complex_ = child.element is not None and not child.element.is_primitive
        if child.element is None or (complex_ and child.rule.action is Action.REDACT):
            return child.rule
        node = child.node
        if url is not None and node is not None:
            node = plan.extension(node, url)
            if node.extension is not None and node.extension.rule is UNKNOWN_EXTENSION:
                return UNKNOWN_EXTENSION
    if child is None:
        return UNNAMED
    is_number = child.element is not None and child.element.path == "Identifier.value" and child.level > 2
    return plan.policy.identifiers.default if is_number else child.rule


def _said(rule: Rule) -> Decided:
    does = rule.masker.name if rule.masker is not None else rule.action.value
    place = f"{PurePath(rule.place.file).name}:{rule.place.line}" if rule.place.line else rule.place.file
    return Decided(does, place, rule.why, any(rule is one for one in _UNRULED))
