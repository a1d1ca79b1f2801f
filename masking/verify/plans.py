"""Plans of the pairs of shapes that were met, learned from pairs that have no fault.

A pair that was looked at closely shows of its two shapes which leaves must be equal, which are dates, which lead somewhere.
Another pair of these shapes differs in leaves alone, so looking at them tells all that looking closely would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from masking.fhir.elements import Element
from masking.verify.abreast import Abreast
from masking.verify.collect import owner_paths
from masking.verify.judged import Vouching, leads
from masking.verify.leads import Fault, items
from masking.verify.outcome import Outcome
from masking.verify.passing import At, Check, Judge, Leading, Named
from masking.verify.plan import Plan
from masking.verify.shapes import Text, read
from masking.verify.tree import AGE, KEEP, SHIFT, VOUCHED, Branch, Tree, Twig, told
from masking.verify.values import dicts, flat

_MOST = 8_000  # plans
_MET = 200_000  # pairs of shapes that were met
_OFTEN = 2  # times that a pair of shapes has to be met to be worth a plan


#: What a pair is: a document, or a member of an object by its name.
Unit = tuple[Branch, str] | None


class Pair(NamedTuple):
    """A text before and after, by their shapes."""

    source: Text
    masked: Text
    unit: Unit

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for all pairs of one plan."""
        return self.unit, self.source.shape, self.masked.shape


class Known:
    """What plans share."""

    def __init__(self) -> None:
        self._judges: dict[tuple[int, bool, bool], Judge] = {}
        self._leading: dict[Twig, Leading] = {}

    def judge(self, element: Element, is_number: bool, is_target: bool) -> Judge:
        """The one of an element."""
        key = id(element), is_number, is_target
        if key not in self._judges:
            self._judges[key] = Judge(element, is_number, is_target)
        return self._judges[key]

    def leading(self, twig: Twig) -> Leading:
        """The one of a place."""
        if twig not in self._leading:
            self._leading[twig] = Leading(told(twig.path))
        return self._leading[twig]


class Plans:
    """All of a comparer."""

    def __init__(self, tree: Tree, vouches: Vouching, on: str) -> None:
        self._tree, self._vouches, self._on = tree, vouches, on
        self._known = Known()
        self._plans: dict[tuple[object, ...], Plan | None] = {}
        self._met: Counter[int] = Counter()

    def read(self, source: bytes, masked: bytes, unit: Unit = None) -> Pair | None:
        """The shapes of a pair; None where one has none."""
        before = read(source)
        after = read(masked) if before is not None else None
        return None if before is None or after is None else Pair(before, after, unit)

    def outcome(self, pair: Pair) -> Outcome | None:
        """What a pair gives, where a plan can tell."""
        plan = self._plans.get(pair.key)
        return None if plan is None else plan.outcome(pair.source, pair.masked, self._on, self._vouches)

    def learn(self, pair: Pair) -> None:
        """Of a pair that has no fault; what comes seldom is not worth a plan."""
        key = pair.key
        if key in self._plans:
            return
        if len(self._met) > _MET:
            self._met.clear()
        self._met[hash(key)] += 1
        if self._met[hash(key)] >= _OFTEN:
            if len(self._plans) > _MOST:
                self._plans.clear()
            self._plans[key] = _plan(self._tree, pair, self._known)


class _Unplanned(Exception):
    """What a plan cannot say."""


def _plan(tree: Tree, pair: Pair, known: Known) -> Plan | None:
    """The plan of a pair without faults; None where there can be none."""
    plan = Plan()
    learner = _Learner(plan, pair, known)
    try:
        before, after = pair.source.tree(), pair.masked.tree()
        if pair.unit is None:
            learner.document(tree, before, after)
        else:
            learner.member(tree, pair.unit, before, after)
    except (_Unplanned, ValueError, RecursionError):
        return None
    return plan.settle()


def _people(kind: str, resource: dict[str, Any], source: Text) -> tuple[int, ...] | None:
    """The references to those whose a resource may be; None where some are told otherwise."""
    found: list[int] = []
    for path in owner_paths(kind):
        values: list[Any] = [resource]
        for name in path.split("."):
            values = [value[name] for value in flat(values) if isinstance(value, dict) and name in value]
        for value in dicts(values):
            if (
                (reference := value.get("reference")) is not None
                and _is_leaf(reference)
                and not source.is_number(reference)
            ):
                found.append(reference)
            elif "identifier" in value:
                return None
    return tuple(found)


class _Learner:
    """Notes where in two trees of numbers what stands."""

    def __init__(self, plan: Plan, pair: Pair, known: Known) -> None:
        self._plan, self._known = plan, known
        self._pair = pair
        self._beside: dict[int, int] = {}

    def document(self, tree: Tree, before: dict[str, Any], after: dict[str, Any]) -> None:
        """All of a resource."""
        kind = self._plan.kind = before["resourceType"]
        branch = tree.root(kind)
        if branch is None or kind == "Bundle":  # whose entries are documents of their own
            raise _Unplanned
        self.resource(kind, before, after, False)
        for name in before.keys() | after.keys():
            if name != "resourceType":
                Abreast(tree, self).member(branch, name, before.get(name), after.get(name), {})
        self._check(tree, branch, after)
        own = before.get("id")
        self._plan.own = None if own is None else self.string(own)
        self._plan.people = _people(kind, before, self._pair.source)
        self._plan.contains = "contained" in before

    def member(self, tree: Tree, unit: tuple[Branch, str], before: Any, after: Any) -> None:
        """A member of an object."""
        branch, name = unit
        Abreast(tree, self).member(branch, name, before, after, {})
        self._check(tree, branch, {name: after})

    def value(self, twig: Twig, before: Any, after: Any, around: dict[str, Any]) -> None:
        if isinstance(before, (dict, list)) or isinstance(after, (dict, list)):
            raise _Unplanned
        if not _is_leaf(before):
            self._constant(twig, before, after)
            return
        if not _is_leaf(after):
            if after is not None or twig.action == KEEP:
                raise _Unplanned
            if twig.action == VOUCHED and (system := around.get("system")) is not None:
                self._plan.vouched.append((self.string(system), before, None))
            return
        self._beside[after] = before
        is_text = not self._pair.source.is_number(before)
        if is_text == self._pair.masked.is_number(after):
            raise _Unplanned
        if twig.action == KEEP:
            self._plan.kept.append((before, after))
        elif twig.action == VOUCHED and (system := around.get("system")) is not None:
            self._plan.vouched.append((self.string(system), before, after))
        elif twig.action in (SHIFT, AGE) and is_text:
            self._plan.dates.append((twig, before, after))
        if is_text and leads(twig):
            self._plan.links.append((self._known.leading(twig), before, after))
        elif is_text and twig.path.endswith(".div"):
            self._plan.narratives.append((twig.path, before, after))

    def resource(self, kind: str, before: dict[str, Any], after: dict[str, Any], contained: bool) -> None:
        if contained:
            return
        if (own := before.get("id")) is not None:
            other = after.get("id")
            new = None if other is None else self.string(other, is_after=True)
            self._plan.names.append(Named(f"{kind}.id", f"{kind}/", (None, self.string(own)), (None, new)))
        for one, two in zip(items(before.get("identifier")), items(after.get("identifier")), strict=False):
            if isinstance(one, dict) and isinstance(two, dict) and "value" in one and "value" in two:
                old = self._part(one, "system"), self.string(one["value"])
                now = self._part(two, "system", is_after=True), self.string(two["value"], is_after=True)
                self._plan.names.append(Named(f"{kind}.identifier", f"{kind}?identifier=", old, now))

    def fault(self, fault: Fault) -> None:
        raise _Unplanned

    def string(self, leaf: Any, *, is_after: bool = False) -> int:
        """The number of a leaf that is a text."""
        if not _is_leaf(leaf) or (self._pair.masked if is_after else self._pair.source).is_number(leaf):
            raise _Unplanned
        return int(leaf)

    def _check(self, tree: Tree, branch: Branch, value: dict[str, Any]) -> None:
        """What must be valid of an object as it is now. What had to stay and did is as valid as it was."""
        kept = {after for _, after in self._plan.kept}
        for check in self._checks(tree, branch, value):
            if check.after not in kept:
                self._plan.checks.append(check)

    def _checks(self, tree: Tree, branch: Branch, value: dict[str, Any]) -> Iterator[Check]:
        for name, inner in value.items():
            if name == "resourceType":
                continue
            twig = branch.twig(name)
            if twig.element is None:
                raise _Unplanned
            for one in items(inner):
                below = twig.below
                if isinstance(one, dict):
                    if twig.is_extension:
                        below = twig.extension(one.get("url")).below
                    elif twig.is_resource:
                        below = tree.root(one.get("resourceType"))
                    if below is None:
                        raise _Unplanned
                    yield from self._checks(tree, below, one)
                    if twig.element.type == "Reference" and _is_leaf(one.get("reference")):
                        to = int(one["reference"])
                        yield Check(self._known.judge(twig.element, False, True), self._beside.get(to), to)
                elif _is_leaf(one):
                    if not twig.element.is_primitive or twig.is_companion:
                        raise _Unplanned
                    judge = self._known.judge(twig.element, self._pair.masked.is_number(one), False)
                    yield Check(judge, self._beside.get(one), one)

    def _constant(self, twig: Twig, before: Any, after: Any) -> None:
        """A value that is part of the shape: true, false, what says what stands beside it."""
        if _is_leaf(after) or twig.action == VOUCHED or leads(twig):
            raise _Unplanned
        if twig.action == KEEP:
            if type(before) is not type(after) or before != after:
                raise _Unplanned
            self._plan.constant += 1
        elif twig.action in (SHIFT, AGE) and isinstance(before, str):
            raise _Unplanned

    def _part(self, value: dict[str, Any], name: str, *, is_after: bool = False) -> At:
        return self.string(value[name], is_after=is_after) if name in value else None


def _is_leaf(leaf: Any) -> bool:
    return isinstance(leaf, int) and not isinstance(leaf, bool)
