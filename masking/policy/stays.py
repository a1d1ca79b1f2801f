"""What a policy does at given paths, as plain data: for those who check a run without following its rules themselves.

Paths are those of `masking.verify.tree`: without indexes, an extension with its URL in brackets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from masking.policy.examples import example_key
from masking.policy.plan import Child, Node, Plan
from masking.policy.specs import Action, Policy, TypeAction

#: Maskers that move a date by its subject's days, and those that keep the age; by name.
_SHIFTS, _AGES = "date_shift", "retain_age"


def stays(policy: Policy, paths: Iterable[str]) -> dict[str, str]:
    """Of each path what is done there: `keep`, `vouched` (kept where a listed code system vouches), `shift`, `age`, `gone`.

    Paths at which something else is done are left out, and so is what the policy does not name.
    """
    plan = Plan(policy, example_key())
    answers = {}
    for path in paths:
        answer = _answer(plan, list(steps_of(path)))
        if answer is not None:
            answers[path] = answer
    return answers


def unwritten(policy: Policy, types: Iterable[str]) -> tuple[str, ...]:
    """Those of the types whose resources the policy does not let through."""
    rules = {name: policy.types.get(name, policy.other_types).action for name in types}
    return tuple(sorted(name for name, action in rules.items() if action in (TypeAction.REDACT, TypeAction.REFUSE)))


def steps_of(path: str) -> Iterator[tuple[str, str | None]]:
    """The names of a path, each with the URL in the brackets behind it. URLs hold dots, and may hold brackets."""
    name, url, depth = "", "", 0
    for letter in path + ".":
        if letter == "[":
            depth += 1
            if depth == 1:
                url = ""
                continue
        elif letter == "]" and depth:
            depth -= 1
            if not depth:
                continue
        if depth:
            url += letter
        elif letter == ".":
            yield name, (url or None)
            name, url = "", ""
        else:
            name += letter


def _answer(plan: Plan, steps: list[tuple[str, str | None]]) -> str | None:
    kind = steps[0][0]
    if plan.type_action(kind) in (TypeAction.REDACT, TypeAction.REFUSE):
        return "gone"
    node: Node | None = plan.root(kind)
    child: Child | None = None
    for name, url in steps[1:]:
        if node is None:
            return None
        child = node.child(name)
        if node.content == "Identifier" and name == "value" and child.level > 2:
            return None  # its system and its type decide, each time
        complex_ = child.element is not None and not child.element.is_primitive
        if child.element is None or (complex_ and child.rule.action is Action.REDACT):
            return "gone"
        node = child.node
        if url is not None and node is not None:
            node = plan.extension(node, url)
    return None if child is None or child.node is not None else _said(child)


def _said(child: Child) -> str | None:
    rule = child.rule
    if rule.action is Action.KEEP:
        if child.fallback is None:
            return "keep"
        return "vouched" if child.name == "display" else None
    if rule.action is Action.REDACT:
        return "gone"
    name = rule.masker.name if rule.masker is not None else ""
    return "shift" if name == _SHIFTS else "age" if name == _AGES else None
