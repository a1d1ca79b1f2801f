"""Say which rule touches an element, from which line of which file, and what it does with a made-up example.

A target is a path (`Patient.birthDate`), a path within any type (`*.subject`), a resource or data type, the URL of an
extension, identifier system or code system, or an identifier's type code (`MR`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from masking.errors import UsageError
from masking.fhir.elements import children, contents, resource_types
from masking.policy.answers import NO_PATH, Answers, Explanation, shown
from masking.policy.examples import EXAMPLE_DATE
from masking.policy.paths import ABSTRACT, ANY_TYPE, check_key
from masking.policy.plan import Child, Node
from masking.policy.problems import did_you_mean, short
from masking.policy.read import read_policy
from masking.policy.specs import Action, Policy, TypeAction

_GONE = (TypeAction.REDACT, TypeAction.REFUSE)


def explain(policy: Policy, targets: Sequence[str] = ()) -> Iterator[Explanation]:
    """What the policy does with each target (all types if there is none), a type or complex element with all below it.

    The policy is one that `example_policy` has read. Raises `UsageError` with the nearest right thing for a target
    that is none, before anything is yielded.
    """
    explainer = _Explainer(policy)
    found = [explainer.target(target) for target in targets]
    if not targets:
        found = [explainer.resource_type(name) for name in sorted(resource_types())]
    return (answer for answers in found for answer in answers)


def example_policy(name_or_path: str) -> Policy:
    """A policy read for explaining: ages of examples are kept as of `EXAMPLE_DATE`. Raises as `read_policy`."""
    return read_policy(name_or_path, reference_date=EXAMPLE_DATE)


class _Explainer:
    """Finds the places that a target names."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.answers = Answers(policy)
        self.plan = self.answers.plan

    def target(self, target: str) -> Iterator[Explanation]:
        """The answers for one target; raises `UsageError` at once if it is none."""
        if ":" in target:
            return iter(self.url(target))
        if target in resource_types():
            return self.resource_type(target)
        if target in self.policy.identifiers.types:
            return iter([self.answers.identifier_type(target)])
        return self.dotted(target)

    def dotted(self, target: str) -> Iterator[Explanation]:
        """The answers for a path, or for a data type."""
        first, dot, rest = target.partition(".")
        if first == ANY_TYPE and dot:
            return iter(self.any_type(target, rest))
        if first in resource_types():
            gone = self.plan.type_action(first) in _GONE
            whole = iter([self.answers.whole_type(first)])
            return whole if gone else self.path(self.plan.root(first), target, rest)
        if first in contents() or first in ABSTRACT:
            node = Node(self.plan, first, NO_PATH + first, None)
            return self.path(node, target, rest) if dot else self.below(node, frozenset({first}))
        raise self.unknown(target)

    def unknown(self, target: str) -> UsageError:
        """The error for a target that is none."""
        fault = check_key(target, masks=False)
        hint = fault.hint if fault else ""
        if not hint and "." not in target:
            hint = did_you_mean(target, [*self.policy.identifiers.types, *contents()], "give a path, a type or a URL")
        return UsageError(f"unknown path or type {short(target)!r}" + (f"; {hint}" if hint else ""))

    def resource_type(self, name: str) -> Iterator[Explanation]:
        """The type, then every element in it unless it goes as a whole."""
        yield self.answers.whole_type(name)
        if self.plan.type_action(name) not in _GONE:
            yield from self.below(self.plan.root(name), frozenset({name}))

    def path(self, node: Node, path: str, rest: str) -> Iterator[Explanation]:
        """The element at a path below a node and all below it."""
        found = list(self._reach(node, path, rest.split(".")))
        if not found:
            raise self.unknown(path)
        return self._with_all_below(found)

    def _reach(self, node: Node, path: str, names: Sequence[str]) -> Iterator[tuple[Child, tuple[str, ...]]]:
        """The children that a path leads to, with notes; fewer steps where an enclosing element goes as a whole."""
        for child in self._children(node, names[0]):
            if len(names) == 1:
                yield child, ()
            elif child.rule.action is Action.REDACT and child.element is not None and not child.element.is_primitive:
                yield child, (f"{short(path)} goes with it",)
            elif child.node is None:
                raise self.unknown(path)
            elif child.node.content in ("Extension", "Resource"):
                what = "an extension is ruled by its URL: name that"
                other = "a resource inside is ruled by its own type: name that"
                where = shown(child.path)
                raise UsageError(f"{where} ends a path; {what if child.node.content == 'Extension' else other}")
            else:
                yield from self._reach(child.node, path, names[1:])

    def _children(self, node: Node, name: str) -> list[Child]:
        known = children(node.content)
        names = [one.name for one in known.values() if name.endswith("[x]") and one.choice == name] or [name]
        found = [node.child(one) for one in names]
        return [child for child in found if child.element is not None]

    def _with_all_below(self, found: Sequence[tuple[Child, tuple[str, ...]]]) -> Iterator[Explanation]:
        for child, notes in found:
            yield self.answers.element(child, notes)
            if child.element is not None and child.element.path == "Identifier.value" and child.level > 2:
                yield from self.identifiers(shown(child.path))
            if _opens(child) and child.node is not None:
                yield from self.below(child.node, frozenset({child.node.content}))

    def below(self, node: Node, opened: frozenset[str]) -> Iterator[Explanation]:
        """Every element below a node; a type that is open on the way down is not entered again."""
        for name in children(node.content):
            child = node.child(name)
            yield self.answers.element(child)
            if _opens(child) and child.node is not None and child.node.content not in opened:
                yield from self.below(child.node, opened | {child.node.content})

    def any_type(self, target: str, rest: str) -> list[Explanation]:
        """The element in all types that have it; those with one answer together."""
        groups: dict[tuple[object, ...], tuple[Explanation, list[str]]] = {}
        for name in sorted(name for name in resource_types() if self.plan.type_action(name) not in _GONE):
            for child in self._children_at(self.plan.root(name), rest.split(".")):
                answer = self.answers.element(child)
                key = (answer.place, answer.does, answer.level, answer.type, child.name)
                groups.setdefault(key, (answer, []))[1].append(name)
        if not groups:
            raise self.unknown(target)
        return [_grouped(answer, names) for answer, names in groups.values()]

    def _children_at(self, node: Node, names: Sequence[str]) -> Iterator[Child]:
        for child in self._children(node, names[0]):
            if len(names) == 1:
                yield child
            elif child.node is not None and child.node.content not in ("Extension", "Resource"):
                yield from self._children_at(child.node, names[1:])

    def identifiers(self, path: str) -> Iterator[Explanation]:
        """The rules for `Identifier.value` by system and by type code."""
        for system in self.policy.identifiers.systems:
            yield self.answers.identifier_system(system, f"{path} of {system}")
        for code in self.policy.identifiers.types:
            yield self.answers.identifier_type(code, f"{path} of type {code}")

    def url(self, url: str) -> list[Explanation]:
        """A URL in each role that the policy gives it; as extension, identifier and code system where it gives none."""
        answers: list[Explanation] = []
        extension, is_system = self.policy.extensions.get(url), url in self.policy.identifiers.systems
        # An extension of HL7's is no code system, though a pattern such as `http://hl7.org/fhir/*` takes it in.
        is_vouched = self.plan.vouches(url) and extension is None and not is_system
        public = self.answers.publisher(url) if extension is None else None
        is_known = extension is not None or is_system or is_vouched or public is not None
        if extension is not None or not is_known:
            answers += self.answers.extension(url, extension)
        if is_system or not is_known:
            answers.append(self.answers.identifier_system(url))
        if is_vouched or not is_known:
            answers.append(self.answers.code_system(url, is_vouched))
        return answers if public is None else [*answers, public]


def _opens(child: Child) -> bool:
    """Whether what lies in an element is decided one by one."""
    return (
        child.node is not None
        and child.rule.action is not Action.REDACT
        and child.node.content not in ("Extension", "Resource")
    )


def _grouped(answer: Explanation, types: Sequence[str]) -> Explanation:
    path = ANY_TYPE + "." + answer.path.partition(".")[2]
    where = f"in {len(types)} types: {', '.join(types)}" if len(types) > 1 else f"in {types[0]}"
    return replace(answer, path=path, notes=(*answer.notes, where))
