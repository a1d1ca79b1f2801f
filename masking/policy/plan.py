"""A policy compiled to an answer for each element of each type: the plan that the document engine follows.

Precedence, the most specific wins (docs/policies.md shows the same table):

1. a path of one resource type          `Patient.contact.name.family`
2. a path within any resource type      `*.subject`
3. an identifier's system, then its type code, then the identifiers' default (for `Identifier.value` alone); an
   extension's URL, whose keep is for codes, booleans, numbers and the types of value that it names
4. an element of a data type            `HumanName.family`, `Element.id`, `Resource.implicitRules`
5. a complex data type                  `CodeableConcept` (on an element of that type)
6. the nearest enclosing element or resource type whose rule says keep (for primitives)
7. a primitive type                     `date`; `canonical` before 6, for what is kept must name a definition as others do
8. nothing named it: redact

A node stands for one place in the tree of elements and answers `child(key)` in one dictionary look-up; nodes are made when
first asked for, so that a plan is cheap to build and to send, and remember their answers per process.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from masking.fhir.compartment import facility_types, person_types
from masking.fhir.elements import Element, children, companion, is_companion, without_companion
from masking.fhir.elements import resource_types as r4_types
from masking.maskers._known import Knowledge
from masking.maskers.base import BoundMasker, Masker, People, Subkeys
from masking.maskers.generic import Keep, Redact
from masking.maskers.notes import BoundScrub, BoundSums, Scrub
from masking.maskers.references import BoundPublicUri, BoundReference, BoundSearch
from masking.maskers.referred import BoundReferred
from masking.policy.record import identifier_maskers, record_maskers, referred_rules
from masking.policy.specs import CODED, Action, ExtensionRule, Place, Policy, Rule, TypeAction
from masking.scrub import Scrubber

_NOWHERE = Place("built in", 0, "$")
#: Law 2: what no rule names is redacted.
UNNAMED = Rule(Action.REDACT, _NOWHERE, why="no rule names it")
UNKNOWN_ELEMENT = Rule(Action.REDACT, _NOWHERE, why="R4 has no such element")
UNKNOWN_EXTENSION = Rule(Action.REDACT, _NOWHERE, why="no rule names this extension")
_KEEP = Rule(Action.KEEP, _NOWHERE, why="tells readers what the resource is")
_RESOURCE_LEVEL = ("Resource", "DomainResource")
_DATA_LEVEL = ("Element", "BackboneElement")


@dataclass(frozen=True, slots=True)
class Child:
    """One property of a node: what R4 says of it, what the policy does with it, and the node below it."""

    name: str
    path: str
    element: Element | None
    rule: Rule
    level: int
    node: Node | None
    #: for a kept text that a code system must vouch for: the rule of its primitive type, applied when none does
    fallback: Rule | None = None

    @property
    def is_required(self) -> bool:
        """Whether R4 demands a value, so that one that goes must leave a data-absent-reason."""
        return self.element is not None and self.element.min > 0

    @property
    def place(self) -> str:
        """The path for counts and reports. A name that R4 does not have came out of the data: it may be anything."""
        return self.path if self.element is not None else f"{self.path.removesuffix(self.name)}?"


class Node:
    """An object of one content type (`Patient`, `HumanName`, `Patient.contact`) at one place under one policy."""

    __slots__ = ("_children", "coded_only", "content", "extension", "inherited", "path", "plan", "refers")

    def __init__(
        self,
        plan: Plan,
        content: str,
        path: str,
        inherited: Rule | None,
        extension: ExtensionRule | None = None,
        *,
        coded_only: bool = False,
        refers: bool = False,
    ) -> None:
        self.plan = plan
        self.content = content
        self.path = path
        #: the nearest enclosing rule that says keep
        self.inherited = inherited
        #: whether that is an extension's, which passes codes, booleans and numbers alone
        self.coded_only = coded_only
        #: within an extension: the rule its URL has found
        self.extension = extension
        #: whether it is a Reference that may mean a human or an organization, or an Identifier by which one is referred to
        self.refers = refers
        self._children: dict[str, Child] = {}

    def child(self, key: str) -> Child:
        """The answer for a property, companions (`_birthDate`) and unknown ones included."""
        try:
            return self._children[key]
        except KeyError:
            made = self.plan._child(self, key)
            if made.element is not None:  # the names that R4 does not have are without number
                self._children[key] = made
            return made


class Plan:
    """What to do with every element of every type under one policy and one set of subkeys. Picklable; repr shows no key."""

    def __init__(self, policy: Policy, keys: Subkeys) -> None:
        self.policy = policy
        self.referred = referred_rules(policy.identifiers)
        rules = [*rules_of(policy), *self.referred.types.values(), self.referred.default]
        bound = {repr(rule.masker): rule.masker.bind(keys) for rule in rules if rule.masker}
        for name, masker in bound.items():
            if isinstance(masker, BoundPublicUri):
                bound[name] = masker.with_publishers(policy.publishers)
        kept = Keep().bind(keys)
        system_rule = Node(self, "Identifier", "?.Identifier", None).child("system").rule
        identifiers = identifier_maskers(policy, bound, system_rule, kept)
        for name, masker in bound.items():
            if isinstance(masker, BoundReference | BoundSearch | BoundReferred):
                bound[name] = masker.with_identifiers(identifiers)
        record = record_maskers(policy, bound)  # whose links follow identifiers too
        scrubbers: dict[str, Scrubber] = {}  # what one of them learns of people all know
        for name, masker in bound.items():
            if isinstance(masker, BoundScrub):
                own = masker.scrubber
                bound[name] = masker.with_record(record, scrubbers.setdefault(own.second, own))
        if not _scrubs_attachments(policy):
            # What is said of bytes goes with them.
            bound |= {name: Redact().bind(keys) for name, masker in bound.items() if isinstance(masker, BoundSums)}
        self._bound = bound
        self._roots: dict[str, Node] = {}

    @property
    def asks_people(self) -> bool:
        """Whether any rule asks for what the run knows of people."""
        return any(masker.asks_people for masker in self._bound.values())

    def with_people(self, people: People) -> Plan:
        """The same plan, knowing people. What it knows stays in this process."""
        knowing = copy.copy(self)
        texts = [masker for masker in self._bound.values() if isinstance(masker, BoundScrub)]
        known = Knowledge(people, texts[0].record) if texts else None
        knowing._bound = {
            name: masker.with_knowledge(known)
            if known is not None and isinstance(masker, BoundScrub)
            else masker.with_people(people)
            for name, masker in self._bound.items()
        }
        knowing._roots = {}
        return knowing

    def __repr__(self) -> str:
        return f"Plan({self.policy.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"policy": self.policy, "referred": self.referred, "_bound": self._bound, "_roots": {}}

    def bound(self, masker: Masker) -> BoundMasker:
        """The bound form of a rule's masker."""
        return self._bound[repr(masker)]

    def bound_by_name(self, name: str) -> BoundMasker:
        """The same by the `repr` of the masker."""
        return self._bound[name]

    def type_action(self, resource_type: str) -> TypeAction:
        """What the policy does with a whole resource type."""
        return self.policy.types.get(resource_type, self.policy.other_types).action

    def root(self, resource_type: str) -> Node:
        """The node of a resource type; raises KeyError for a type that R4 does not have."""
        node = self._roots.get(resource_type)
        if node is None:
            if resource_type not in r4_types():
                raise KeyError(resource_type)
            type_rule = self.policy.types.get(resource_type, self.policy.other_types)
            keeps = type_rule.action is TypeAction.KEEP
            inherited = Rule(Action.KEEP, type_rule.place, why=type_rule.why) if keeps else None
            node = self._roots[resource_type] = Node(self, resource_type, resource_type, inherited)
        return node

    def extension(self, node: Node, url: str) -> Node:
        """The node of an extension object whose `url` is known; `node` is the one its place alone has found."""
        known = node.extension.parts if node.extension is not None else self.policy.extensions
        rule = known.get(url) or ExtensionRule(UNKNOWN_EXTENSION)
        keeps = rule.rule if rule.rule.action is Action.KEEP else None
        return Node(self, "Extension", node.path, keeps, rule, coded_only=True)

    def identifier_rule(self, node: Node, system: str | None, codes: tuple[str, ...]) -> Rule:
        """The rule for `Identifier.value` at this node, by its system, its type codes, or the default."""
        child = node.child("value")
        if child.level <= 2:
            return child.rule
        rules = self.referred if node.refers else self.policy.identifiers
        if system is not None and system in rules.systems:
            return rules.systems[system]
        return next((rules.types[code] for code in codes if code in rules.types), rules.default)

    def vouches(self, system: str | None) -> bool:
        """Whether a code system is one whose displays the policy keeps."""
        if system is None:
            return False
        return any(
            system.startswith(known[:-1]) if known.endswith("*") else system == known
            for known in self.policy.code_systems
        )

    # ── how an answer is found ──

    def _child(self, node: Node, key: str) -> Child:
        known = children(node.content)
        element = known.get(key)
        path = f"{node.path}.{key}"
        if element is None:
            if key == "resourceType" and node.content in r4_types():
                return Child(key, path, None, _KEEP, 0, None)
            base = known.get(without_companion(key)) if is_companion(key) else None
            if base is None or not base.is_primitive:
                return Child(key, path, None, UNKNOWN_ELEMENT, 8, None)
            return Child(key, path, companion_element(base), _ENTER, 6, Node(self, "Element", path, None))
        rule, level = self._resolve(node, path, element)
        below = None if element.content is None else self._below(node, path, element, rule, level)
        fallback = None
        if rule.action is Action.KEEP and level in (5, 6) and f"{node.content}.{key}" in _VOUCHED:
            fallback = self.policy.other_texts or UNNAMED
        return Child(key, path, element, rule, level, below, fallback)

    def _below(self, node: Node, path: str, element: Element, rule: Rule, level: int) -> Node:
        assert element.content is not None
        inherited = rule if rule.action is Action.KEEP else node.inherited
        coded_only = node.coded_only and (level == 6 or rule.action is not Action.KEEP)
        if element.type == "Extension":
            # Only an extension's own rule opens it: what encloses it never does.
            return Node(self, "Extension", path, None, node.extension if node.content == "Extension" else None)
        refers = node.refers if node.content == "Reference" else _refers(element)
        return Node(self, element.content, path, inherited, coded_only=coded_only, refers=refers)

    def _resolve(self, node: Node, path: str, element: Element) -> tuple[Rule, int]:
        rules = self.policy.rules
        stem = f"{node.path}.{element.choice}" if element.choice else path
        for level, spelling in ((1, path), (1, stem), (2, any_type(path)), (2, any_type(stem))):
            if spelling in rules:
                return rules[spelling], level
        if node.content == "Extension" and node.extension is not None and element.choice == "value[x]":
            rule = node.extension.rule
            passes = element.type in node.extension.types or element.type in CODED
            if rule.action is not Action.KEEP or passes:
                return rule, 3
        for spelling in _type_level(node.content, element):
            if spelling in rules:
                return rules[spelling], 4
        if not element.is_primitive:
            if element.type in rules:
                return rules[element.type], 5
            # A complex element that no rule names is entered: its own elements are decided one by one.
            return (node.inherited, 6) if node.inherited else (_ENTER, 6)
        # The URL has found the rule, so it is the policy's own word.
        if element.type == "canonical" and "canonical" in rules:
            return rules["canonical"], 7
        if node.inherited is not None and (
            not node.coded_only or element.type in CODED or element.path == "Extension.url"
        ):
            return node.inherited, 6
        if element.type in rules:
            return rules[element.type], 7
        return UNNAMED, 8


def _refers(element: Element) -> bool:
    """Whether an element may say by an identifier who is meant: a Reference to anybody, an Identifier that is some value."""
    if element.type == "Reference":
        return not element.targets or any(target in _NAMED for target in element.targets)
    return element.type == "Identifier" and element.choice == "value[x]"


#: What may be meant: types that people know, and those that may be any.
_NAMED = person_types() | facility_types() | {"PractitionerRole", "Resource"}
_ENTER = Rule(Action.MASK, _NOWHERE, why="its elements are decided one by one")
#: Texts that a kept code carries: kept only where a code system of the policy's list vouches for them.
_VOUCHED = frozenset({"Coding.display", "CodeableConcept.text"})


def any_type(path: str) -> str:
    """The `*.` spelling of a path within a resource type."""
    return "*." + path.partition(".")[2]


def _type_level(content: str, element: Element) -> list[str]:
    """The keys under which level 4 rules for an element of `content` may stand, nearest first."""
    names = [f"{content}.{element.name}"]
    if element.choice:
        names.append(f"{content}.{element.choice}")
    names.append(element.path)
    bases = _RESOURCE_LEVEL if content in r4_types() else _DATA_LEVEL
    if any(element.name in children(base) for base in bases):
        names += [f"{base}.{element.name}" for base in bases]
    return names


def companion_element(base: Element) -> Element:
    """The companion of a primitive: an optional `Element` object, or an array of them where the primitive repeats."""
    return Element(
        path=base.path,
        name=companion(base.name),
        type="Element",
        min=0,
        max=base.max,
        choice=None,
        targets=(),
        binding=None,
        value_set=None,
        content="Element",
        short="",
        is_primitive=False,
    )


def rules_of(policy: Policy) -> list[Rule]:
    """Every rule of a policy, those of identifiers and extensions included."""
    found = [*policy.rules.values(), policy.identifiers.default, *([policy.other_texts] if policy.other_texts else [])]
    found += [*policy.identifiers.systems.values(), *policy.identifiers.types.values()]
    pending: list[Mapping[str, ExtensionRule]] = [policy.extensions]
    while pending:
        for extension in pending.pop().values():
            found.append(extension.rule)
            pending.append(extension.parts)
    return found


def _scrubs_attachments(policy: Policy) -> bool:
    rule = policy.rules.get("Attachment.data")
    return rule is not None and isinstance(rule.masker, Scrub) and rule.masker.form == "attachment"
