"""One answer a place: the rule, the line it stands in, its precedence, and what it does with a made-up example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from masking.fhir.elements import resource_types
from masking.maskers.base import Masker, parameters
from masking.maskers.references import PublicUri
from masking.policy.examples import (
    ExamplePeople,
    example_key,
    example_value,
    extension_example,
    identifier_example,
    run_example,
)
from masking.policy.parameters import canonical
from masking.policy.plan import Child, Node, Plan
from masking.policy.problems import did_you_mean
from masking.policy.specs import Action, ExtensionRule, Place, Policy, Rule, TypeAction

#: The levels of precedence (`masking.policy.plan`), the most specific first.
LEVELS = {
    0: "the whole resource type",
    1: "a path of one resource type",
    2: "a path within any resource type",
    3: "an identifier's system or type code, or an extension's URL",
    4: "an element of a data type",
    5: "a complex data type",
    6: "the nearest enclosing rule that says keep",
    7: "a primitive type",
    8: "nothing names it, so it goes",
    9: "an entry of a list, code_systems or publishers, or what is said there of others",
}
_LISTED = 9
#: What is done where no rule of its own decides.
INSIDE, BY_URL, BY_TYPE = "element by element", "by its URL", "by its own type"
NO_PATH = "?."  # before the path of a data type, so that no rule of a resource's path can match
_TYPE_ACTIONS = {
    TypeAction.MASK: "rule by rule",
    TypeAction.KEEP: "what no closer rule names is kept",
    TypeAction.REDACT: "nothing of it is written; its lines are counted as dropped",
    TypeAction.REFUSE: "its lines go to quarantine",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer. `before` and `after` are made up; `after` is None where nothing is left of the value."""

    path: str
    type: str  #: FHIR type, or "resource type", "extension", "identifier system", "identifier type", "code system", "publisher"
    cardinality: str  #: as in `0..*`; "" where there is none
    does: str  #: keep, redact, a masker's name, a type's action, or one of INSIDE, BY_URL, BY_TYPE
    parameters: Mapping[str, Any]  #: of the masker, those that are not its defaults
    place: Place
    level: int
    why: str
    before: str | None = None
    after: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def precedence(self) -> str:
        """Why this rule and no other, in words."""
        return "no rule of its own" if self.does == INSIDE else LEVELS[self.level]

    def as_json(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "path": self.path,
            "type": self.type,
            "cardinality": self.cardinality,
            "does": self.does,
            "parameters": dict(self.parameters),
            "file": self.place.file,
            "line": self.place.line,
            "rule": self.place.path,
            "level": self.level,
            "precedence": self.precedence,
            "why": self.why,
            "example": None if self.before is None else {"before": self.before, "after": self.after},
            "notes": list(self.notes),
        }


def spoken(masker: Masker) -> str:
    """A masker as a reader would write it on one line: `address(part=city)`."""
    given = ", ".join(f"{name}={value}" for name, value in given_parameters(masker).items())
    return f"{masker.name}({given})" if given else masker.name


def given_parameters(masker: Masker) -> dict[str, Any]:
    """The parameters that differ from their defaults, as plain data; maskers in them by name."""
    given = {field.name: getattr(masker, field.name) for field in parameters(type(masker))}
    defaults = {one.name: one.default for one in parameters(type(masker))}
    return {name: _plain(value) for name, value in given.items() if value != defaults[name]}


def _plain(value: Any) -> Any:
    if isinstance(value, Masker):
        return spoken(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return canonical(value)


class Answers:
    """Makes the answers under one policy, with the public key of examples."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.plan = Plan(policy, example_key()).with_people(ExamplePeople())
        self._known: dict[tuple[int, str, str | None], str | None] = {}

    def whole_type(self, name: str) -> Explanation:
        """What is done with a resource type."""
        rule = self.policy.types.get(name, self.policy.other_types)
        notes = (_TYPE_ACTIONS[rule.action],)
        return Explanation(name, "resource type", "", rule.action.value, {}, rule.place, 0, rule.why, notes=notes)

    def element(self, child: Child, notes: tuple[str, ...] = ()) -> Explanation:
        """The answer for an element."""
        element, rule, level = child.element, child.rule, child.level
        assert element is not None
        path = shown(child.path)
        if path.partition(".")[0] not in resource_types() and level == 1:
            level = 4  # the path of a data type is the rule's whole key
        is_identifier = element.path == "Identifier.value" and level > 2
        if is_identifier:
            rule, level = self.policy.identifiers.default, 3
            notes += ("by system, else by type code, else this",)
        if rule.action is Action.REDACT and (element.min > 0 or rule.absent):
            notes += ("a data-absent-reason stands in its place",)
        if child.fallback is not None:
            other = "redact" if child.fallback.masker is None else spoken(child.fallback.masker)
            notes += (f"if the code system's displays are kept, else {other}",)
        before = identifier_example() if is_identifier else example_value(element, path)
        after = self._after(rule, before, "phone" if element.path == "ContactPoint.value" else None)
        does = _does(child, rule)
        given = given_parameters(rule.masker) if rule.masker else {}
        cardinality = f"{element.min}..{'*' if element.max is None else element.max}"
        return Explanation(
            path, element.type, cardinality, does, given, rule.place, level, rule.why, before, after, notes
        )

    def identifier_system(self, system: str, path: str | None = None) -> Explanation:
        """The rule for identifiers of a system, named or not."""
        rules = self.policy.identifiers
        rule = rules.systems.get(system, rules.default)
        notes = () if system in rules.systems else ("no rule names the system: its type code decides, else this",)
        return self._ruled(
            path or system, "identifier system", rule, before=identifier_example(system), notes=notes, system=system
        )

    def identifier_type(self, code: str, path: str | None = None) -> Explanation:
        """The rule for identifiers of a type code."""
        rule = self.policy.identifiers.types[code]
        return self._ruled(path or code, "identifier type", rule, before=identifier_example(code=code))

    def extension(self, url: str, said: ExtensionRule | None) -> Iterator[Explanation]:
        """The rule of an extension and, indented by its own URL, of each part."""
        if said is None:
            near = did_you_mean(url, self.policy.extensions)
            node = Node(self.plan, "Extension", "Extension", None)
            found = self.plan.extension(node, url).extension
            assert found is not None
            yield self._ruled(url, "extension", found.rule, before=None, notes=(near,) if near else (), level=8)
            return
        masker = said.rule.masker
        part = getattr(masker, "part", None)
        before = extension_example(masker.name, part) if masker else None
        passed = ", ".join(["codes, booleans and numbers", *said.types])
        notes = (f"{passed}; a value of another type is ruled as its type is",)
        is_kept = said.rule.action is Action.KEEP
        yield self._ruled(url, "extension", said.rule, before=before, notes=notes if is_kept else ())
        for name, inner in said.parts.items():
            yield from self.extension(f"{url} › {name}", inner)

    def code_system(self, url: str, is_vouched: bool) -> Explanation:
        """Whether displays of a code system are kept."""
        rule = self.policy.other_texts or Rule(Action.REDACT, Place("built in", 0, "$"))
        if is_vouched:
            rule = Rule(Action.KEEP, self._listed("code_systems", url), why="its displays are public words")
        return self._ruled(
            url,
            "code system",
            rule,
            before="Body weight",
            notes=("the display of a kept code",),
            level=_LISTED if rule.place.path.startswith("$.code_systems") else 7,
        )

    def publisher(self, url: str) -> Explanation | None:
        """That a URI is one of a public definition; None if the policy's `publishers` do not list it."""
        public = PublicUri(self.policy.publishers)
        if public.bind(example_key()).mask_distinct([url]) != [url]:
            return None
        place = self._listed("publishers", url.partition("|")[0])
        rule = Rule(Action.KEEP, place, why="a public definition, or a kind of number that everybody has")
        return self._ruled(url, "publisher", rule, before=url, notes=("where public_uri masks",), level=_LISTED)

    def _listed(self, section: str, url: str) -> Place:
        """Where the entry of a list stands that takes in a URL: the URL itself, else the longest beginning of it."""
        found = [
            (len(entry), place)
            for (name, entry), place in self.policy.listed.items()
            if name == section and (entry == url or (entry.endswith("*") and url.startswith(entry[:-1])))
        ]
        return max(found, key=lambda one: one[0], default=(0, Place(self.policy.files[-1], 0, f"$.{section}")))[1]

    def _ruled(
        self,
        path: str,
        kind: str,
        rule: Rule,
        *,
        before: str | None,
        notes: tuple[str, ...] = (),
        system: str | None = None,
        level: int = 3,
    ) -> Explanation:
        does = rule.masker.name if rule.masker else rule.action.value
        given = given_parameters(rule.masker) if rule.masker else {}
        after = self._after(rule, before, system)
        return Explanation(path, kind, "", does, given, rule.place, level, rule.why, before, after, notes)

    def _after(self, rule: Rule, before: str | None, system: str | None) -> str | None:
        if before is None or rule.action is Action.REDACT:
            return None
        if rule.masker is None:
            return before
        key = (id(rule.masker), before, system)
        if key not in self._known:
            self._known[key] = run_example(self.plan.bound(rule.masker), before, system=system)
        return self._known[key]


def _does(child: Child, rule: Rule) -> str:
    element = child.element
    assert element is not None
    if rule.masker is not None:
        return rule.masker.name
    if rule.action is not Action.REDACT:
        if element.type == "Extension":
            return BY_URL
        if element.type == "Resource":
            return BY_TYPE
    return INSIDE if rule.action is Action.MASK else rule.action.value


def shown(path: str) -> str:
    """A path as people write it."""
    return path.removeprefix(NO_PATH)
