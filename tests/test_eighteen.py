"""docs/eighteen-identifiers.md, held against R4's element table and the compiled policy `realistic`.

Each row must be true; nothing in the document may be missing that the policy lets through.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from masking.fhir.elements import children, data_types, resource_types
from masking.maskers.referred import Referred
from masking.policy.answers import Explanation
from masking.policy.explain import example_policy, explain
from masking.policy.plan import Child, Node, Plan
from masking.policy.specs import Action, Policy, Rule, TypeAction

DOCUMENT = Path(__file__).parents[1] / "docs" / "eighteen-identifiers.md"
#: 45 CFR 164.514(b)(2)(i), (A) to (R).
LETTERS = [chr(letter) for letter in range(ord("A"), ord("R") + 1)]
#: Primitives that can spell, date or point at a person; codes come from fixed lists, numbers are measured.
TELLING = {
    "string", "markdown", "xhtml", "base64Binary", "date", "dateTime", "instant", "id", "oid", "uuid", "uri", "url",
    "canonical",
}  # fmt: skip
_ROW = re.compile(
    r"\| `(?P<path>[^`]+)`(?: of (?P<kind>type )?`(?P<of>[^`]+)`)? \| `(?P<does>\w+)` \| `(?P<rule>.+)` \|"
)
_HEADING = re.compile(r"## (.*)")


@dataclass(frozen=True)
class Row:
    letters: str
    path: str
    kind: str | None
    of: str | None
    does: str
    rule: str

    def __str__(self) -> str:
        return f"{self.path} of {self.of}" if self.of else self.path


def sections() -> Iterator[tuple[str, str]]:
    """Heading and line, of every line below a heading."""
    heading = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if found := _HEADING.fullmatch(line):
            heading = found[1]
        elif heading:
            yield heading, line


def table() -> list[Row]:
    found = ((re.findall(r"\((\w)\)", heading), _ROW.fullmatch(line)) for heading, line in sections())
    return [Row("".join(letters), **row.groupdict()) for letters, row in found if letters and row]


ROWS = table()


class PublicKeys:
    def subkey(self, purpose: str) -> bytes:
        return purpose.encode().ljust(32, b".")[:32]


@functools.cache
def policy() -> Policy:
    return example_policy("realistic")


@functools.cache
def plan() -> Plan:
    return Plan(policy(), PublicKeys())


def key_of(rule: Rule) -> str:
    """A rule's key as the document spells it."""
    path = rule.place.path
    if path.startswith("$.extensions"):
        return "extensions"
    if path.startswith("$.identifiers.systems"):
        return "identifiers.systems"
    if found := re.fullmatch(r'\$\.rules(?:\.(\w+)|\["(.+)"\])', path):
        return found[1] or found[2]
    return path.removeprefix("$.")


TYPES = sorted(resource_types())


def masked_types() -> list[str]:
    return [name for name in TYPES if plan().type_action(name) is TypeAction.MASK]


def kept_types() -> list[str]:
    return [name for name in TYPES if plan().type_action(name) is TypeAction.KEEP]


def below(node: Node, opened: frozenset[str]) -> Iterator[tuple[Node, Child]]:
    """Every place that a plan decides below a node; a type that is open on the way down is not entered again."""
    for name in children(node.content):
        child = node.child(name)
        yield node, child
        inner = child.node
        if child.rule.action is Action.REDACT or inner is None or inner.content in ("Extension", "Resource"):
            continue
        if inner.content not in opened:
            yield from below(inner, opened | {inner.content})


@functools.cache
def places() -> tuple[tuple[Node, Child], ...]:
    """Every place in every type that is masked rule by rule."""
    return tuple(place for name in masked_types() for place in below(plan().root(name), frozenset({name})))


def does(rule: Rule) -> str:
    return rule.masker.name if rule.masker else rule.action.value


# ── each row is true ─────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def answers(target: str) -> tuple[Explanation, ...]:
    return tuple(explain(policy(), [target]))


def answer(row: Row) -> Explanation:
    """What the policy says of a row's place; fails where R4 or the policy has no such place."""
    target = row.path.partition(" › ")[0]
    wanted = row.path
    if row.of:
        wanted = f"{row.path} of type {row.of}" if row.kind else f"{row.path} of {row.of}"
    found = [one for one in answers(target) if one.path == wanted]
    assert len(found) == 1, f"no place {wanted}"
    return found[0]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row_is_what_the_policy_does(row: Row) -> None:
    said = answer(row)
    assert said.does == row.does
    assert key_of(Rule(Action.KEEP, said.place)) == row.rule


def test_all_eighteen_are_there() -> None:
    told = "".join(dict.fromkeys(letter for heading, _ in sections() for letter in re.findall(r"\((\w)\)", heading)))
    assert list(told) == LETTERS
    assert {letter for row in ROWS for letter in row.letters} == set(LETTERS)


def test_no_row_twice() -> None:
    assert len({(row.letters, str(row)) for row in ROWS}) == len(ROWS)


# ── a row of a data type is true everywhere ──────────────────────────────────────────────────────────────────────────


def test_rows_of_data_types_hold_in_every_resource_type() -> None:
    """`HumanName.family` in the document means all of them: contacts, contained, practitioners, and so on."""
    by_path = {row.path: row for row in ROWS if row.path.partition(".")[0] in data_types() and not row.of}
    own = {row.path for row in ROWS}
    wrong = set()
    for node, child in places():
        row = by_path.get(f"{node.content}.{child.name}")
        if row is None or child.path in own or child.rule.action is Action.REDACT:
            continue
        if row.path == "Identifier.value":
            found, default = plan().identifier_rule(node, None, ()), policy().identifiers.default
            if node.refers:  # by the record's rule; where there is none, by the default
                default = replace(default, masker=Referred(default.masker))
            if found != default:
                wrong.add(child.path)
        elif does(child.rule) != row.does and key_of(child.rule) not in said_to_stay():
            wrong.add(child.path)
    assert not wrong


@pytest.mark.parametrize("data_type", ["HumanName", "Address", "ContactPoint", "Attachment", "Annotation"])
def test_every_telling_element_of_a_personal_data_type_is_masked(data_type: str) -> None:
    node = Node(plan(), data_type, f"?.{data_type}", None)
    kept = {
        name
        for name, element in children(data_type).items()
        if element.type in TELLING and node.child(name).rule.action is Action.KEEP
    }
    assert not kept


# ── what stays is said ───────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def said_to_stay() -> frozenset[str]:
    rows = [line for heading, line in sections() if heading.startswith("Text, dates") and line.startswith("| `")]
    return frozenset(name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1]))


def test_the_rules_that_keep_telling_values_are_those_listed() -> None:
    kept = {
        key_of(child.rule)
        for _, child in places()
        if child.element is not None and child.element.type in TELLING and child.rule.action is Action.KEEP
    }
    assert kept | {"Extension.url"} == said_to_stay()


def test_no_date_stays_outside_of_definitions() -> None:
    kept = {
        child.path
        for _, child in places()
        if child.element is not None
        and child.element.type in ("date", "dateTime", "instant")
        and child.rule.action is Action.KEEP
    }
    assert not kept


def test_bytes_never_stay() -> None:
    bytes_ = [child for _, child in places() if child.element is not None and child.element.type == "base64Binary"]
    assert bytes_
    # What is text is scrubbed; bytes that are none the masker cannot read, and they go.
    assert all(child.rule.action is Action.REDACT or does(child.rule) == "scrub" for child in bytes_)


def test_the_types_that_are_kept_whole_are_those_listed() -> None:
    lines = " ".join(line for heading, line in sections() if heading.startswith("Types that are kept"))
    assert re.findall(r"`(\w+)`", lines) == kept_types()
    assert all(plan().type_action(name) in (TypeAction.KEEP, TypeAction.MASK) for name in TYPES)


def test_an_extension_that_no_rule_names_goes() -> None:
    node = plan().root("Patient").child("extension").node
    assert node is not None
    unknown = plan().extension(node, "https://nobody.example.org/unknown")
    assert {unknown.child(name).rule.action for name in children("Extension") if name.startswith("value")} == {
        Action.REDACT
    }
