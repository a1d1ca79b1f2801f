"""The plan as arrays: what the compiled walk looks up at each value, filled in where the data goes.

A plan is a tree without end (an extension may hold extensions, an entry a resource that holds resources). So a place
becomes a row when a document first comes to it: the walk asks, `Tables` has the plan answer, and the walk goes on.
Names that R4 does not have need no row: a node's row comes with all names that R4 knows there.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np

from masking.document.labels import ABSENT as ABSENT_VALUE
from masking.document.lookup import ABSENT, Growing, Places, Texts, get, joint, make_texts
from masking.document.strings import to_part
from masking.document.tape import name_hash
from masking.fhir.elements import children, companion, is_companion, json_kind
from masking.fhir.elements import resource_types as r4_types
from masking.native import Bytes, Ints, Of, bytes_of
from masking.policy.plan import Child, Node, Plan
from masking.policy.specs import Action, ExtensionRule, Rule, TypeAction

# What holds for a property of a node.
IS_ARRAY, IS_PRIMITIVE, IS_COMPANION, IS_REQUIRED = 1, 2, 4, 8
IS_RESOURCE, IS_CONTAINED, IS_RESOURCE_TYPE, IS_EXTENSION = 16, 32, 64, 128
IS_IDENTIFIER_VALUE, IS_VOUCHED_DISPLAY, IS_VOUCHED_TEXT = 256, 512, 1024
#: It makes an extension say something; of an Identifier's value: it says who is meant.
SAYS, IS_REFERRED = 2048, 4096
# What holds for a node.
EXTENSION_NODE, HAS_SYSTEM, HAS_FAMILY, HAS_UNIT, HAS_CODE, HAS_GENDER, ADDRESS_NODE, NAME_NODE, HAS_NAME, MAY_NAME = (
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512,
)  # fmt: skip
#: It is an Identifier; its `name` is a human's in one string.
IDENTIFIER_NODE, BEARS_NAME = 1024, 2048
KEEP, REDACT, MASK = range(3)
TEXT_KIND, NUMBER_KIND, BOOLEAN_KIND = range(3)
_KINDS = {"string": TEXT_KIND, "number": NUMBER_KIND, "boolean": BOOLEAN_KIND}
#: A row that is not there yet: the walk must ask, or has asked.
ASK, ASKED_FOR = -2, -5
#: In `type_root`: the policy refuses the type, or redacts it.
REFUSED, DROPPED = -3, -4


_INT = np.int32
#: What is known of a property of a node. below: its node, or none (-1), or ASK. name, absent: spans in `blob` of its name,
#: and of the property that says its value was masked.
CHILD = np.dtype(
    [(name, _INT) for name in ("flags", "kind", "rule", "fallback", "node", "name_start", "name_stop", "absent_start",
                               "absent_stop")]
)  # fmt: skip
#: constant: the span in `blob` of what a text becomes whatever it is; -1 where it depends.
RULE = np.dtype([(name, _INT) for name in ("action", "absent", "is_masked", "constant_start", "constant_stop")])
Children: TypeAlias = Annotated[Any, Of(CHILD)]
Rules: TypeAlias = Annotated[Any, Of(RULE)]


class Look(NamedTuple):
    """What the walk reads. Children, rules and nodes by number; `-1` is none, `ASK` is not known yet."""

    child_of: Places  #: joint(node, hash of a name) → child
    children: Children
    node_flags: Ints
    url_of: Places  #: joint(node of an extension, number of its URL) → node
    rules: Rules
    blob: Bytes
    types: Texts  #: names of R4's resource types → number
    type_root: Ints
    urls: Texts  #: URLs of extensions that the policy names
    systems: Texts  #: identifier systems that the policy names → rule
    codes: Texts  #: identifier type codes → rule
    default_identifier: int
    referred_codes: Texts  #: the same for identifiers by which somebody is referred to
    default_referred: int
    code_systems: Texts  #: code systems whose displays are kept
    code_prefixes: Ints  #: the same by how they begin: start and stop in `blob`


class _Column:
    """An array that grows."""

    def __init__(self, dtype: Any) -> None:
        self.array = np.zeros(256, dtype)
        self._used = 0

    def add(self, value: Any) -> None:
        if self._used == len(self.array):
            self.array = np.concatenate([self.array, np.zeros_like(self.array)])
        self.array[self._used] = value
        self._used += 1


class Tables:
    """The rows that were asked for so far, and what they stand for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.children: list[Child] = []
        self.nodes: list[Node] = []
        self.rules: list[Rule] = []
        self._rule_rows: dict[tuple[int, str], int] = {}
        self._blob = bytearray()
        self._spans: dict[bytes, tuple[int, int]] = {}
        self._child_of, self._url_of = Growing(), Growing()
        self._children, self._rule_records = _Column(CHILD), _Column(RULE)
        self._node_flags = _Column(_INT)
        self.types = sorted(r4_types())
        self._types = make_texts((name, number) for number, name in enumerate(self.types))
        self._type_root = np.array([_root_of(plan, name) for name in self.types], np.int32)
        self._url_names = sorted(_urls(plan.policy.extensions))
        self._urls = make_texts((url, number) for number, url in enumerate(self._url_names))
        self._by_identifier()
        self._look: Look | None = None

    def _by_identifier(self) -> None:
        policy = self.plan.policy
        self._systems = make_texts((name, self.rule(rule)) for name, rule in policy.identifiers.systems.items())
        self._codes = make_texts((name, self.rule(rule)) for name, rule in policy.identifiers.types.items())
        self._default = self.rule(policy.identifiers.default)
        referred = self.plan.referred
        self._referred_codes = make_texts((name, self.rule(rule)) for name, rule in referred.types.items())
        self._default_referred = self.rule(referred.default)
        exact = [name for name in policy.code_systems if not name.endswith("*")]
        self._code_systems = make_texts((name, 1) for name in exact)
        prefixes = [self._span(name[:-1].encode()) for name in policy.code_systems if name.endswith("*")]
        self._code_prefixes = np.array([place for span in prefixes for place in span], np.int32)

    @property
    def look(self) -> Look:
        """What the walk reads, as it is now."""
        if self._look is None:
            self._look = Look(
                self._child_of.table, self._children.array, self._node_flags.array, self._url_of.table,
                self._rule_records.array, bytes_of(bytes(self._blob) + b"\0"), self._types, self._type_root, self._urls,
                self._systems, self._codes, self._default, self._referred_codes, self._default_referred, self._code_systems,
                self._code_prefixes,
            )  # fmt: skip
        return self._look

    # ── what the walk asks for ──

    def answer_root(self, type_row: int) -> None:
        """A resource type that the walk came to."""
        self._look = None
        self._type_root[type_row] = self._add_node(self.plan.root(self.types[type_row]))

    def answer_child(self, node_row: int, name: str) -> None:
        """A property of a node."""
        self._look = None
        node = self.nodes[node_row]
        row = self._add_child(node.child(name), node)
        self._child_of.put(joint(node_row, name_hash(name)), row)

    def answer_node(self, child_row: int) -> None:
        """The node below a property."""
        self._look = None
        node = self.children[child_row].node
        assert node is not None
        made = self._add_node(node)  # the array may be another one then
        self._children.array[child_row]["node"] = made

    def answer_url(self, node_row: int, url_row: int) -> None:
        """The node of an extension whose URL is known to the policy, or (-1) is not."""
        self._look = None
        if get(self._url_of.table, joint(node_row, np.uint64(url_row + 1))) != ABSENT:
            return
        url = self._url_names[url_row] if url_row >= 0 else ""
        row = self._add_node(self.plan.extension(self.nodes[node_row], url))
        self._url_of.put(joint(node_row, np.uint64(url_row + 1)), row)

    # ── rows ──

    def _add_node(self, node: Node) -> int:
        row = len(self.nodes)
        self.nodes.append(node)
        known = children(node.content)
        flags = EXTENSION_NODE if node.content == "Extension" else 0
        for name, flag in _CONTEXT_FLAGS.items():
            flags |= flag if name in known else 0
        flags |= ADDRESS_NODE if node.content == "Address" else NAME_NODE if node.content == "HumanName" else 0
        named = known.get("name")
        flags |= HAS_NAME if named is not None and named.content == "HumanName" else 0
        flags |= BEARS_NAME if node.content in ("AuditEvent.agent", "FamilyMemberHistory") else 0
        flags |= IDENTIFIER_NODE if node.content == "Identifier" else 0
        flags |= MAY_NAME if node.content == "Reference" and node.refers else 0
        self._node_flags.add(flags)
        for hash_ in _names(node.content, node.content in r4_types()):
            self._child_of.put(joint(row, hash_), ASK)
        return row

    def _add_child(self, child: Child, node: Node) -> int:
        row = len(self.children)
        self.children.append(child)
        element, name = child.element, child.name
        absent = (0, 0)
        kind, below, flags = TEXT_KIND, -1, IS_RESOURCE_TYPE
        if element is not None:
            flags = _flags_of(child, node)
            if element.is_primitive:
                kind = _KINDS[json_kind(element.type)]
            elif element.content != "Resource":
                below = ASK
            shown = companion(name) if element.is_primitive else name
            value = b"[" + ABSENT_VALUE + b"]" if element.is_array else ABSENT_VALUE
            absent = self._span(b'"%b":%b' % (shown.encode(), value))
        fallback = -1 if child.fallback is None else self.rule(child.fallback)
        spans = (*self._span(name.encode()), *absent)
        self._children.add((flags, kind, self.rule(child.rule), fallback, below, *spans))
        return row

    def rule(self, rule: Rule) -> int:
        """The row of a rule; equal acts share one."""
        wish = (_ACTIONS[rule.action] * 2 + rule.absent, repr(rule.masker))
        if wish in self._rule_rows:
            return self._rule_rows[wish]
        row = self._rule_rows[wish] = len(self.rules)
        self.rules.append(rule)
        always = self.plan.bound(rule.masker).always if rule.masker is not None else None
        constant = (-1, -1) if always is None else self._span(to_part(always))
        self._rule_records.add((_ACTIONS[rule.action], rule.absent, rule.masker is not None, *constant))
        return row

    def _span(self, text: bytes) -> tuple[int, int]:
        if text not in self._spans:
            self._spans[text] = len(self._blob), len(self._blob) + len(text)
            self._blob += text
        return self._spans[text]


_CONTEXT_FLAGS = {"system": HAS_SYSTEM, "family": HAS_FAMILY, "unit": HAS_UNIT, "code": HAS_CODE, "gender": HAS_GENDER}
_ACTIONS = {Action.KEEP: KEEP, Action.REDACT: REDACT, Action.MASK: MASK}


def _flags_of(child: Child, node: Node) -> int:
    element, name = child.element, child.name
    assert element is not None
    is_text = child.fallback is not None and name == "text"
    is_display = child.fallback is not None and name == "display"
    holds = {
        IS_ARRAY: element.is_array,
        IS_PRIMITIVE: element.is_primitive,
        IS_COMPANION: is_companion(name),
        IS_REQUIRED: element.min > 0,
        IS_RESOURCE: element.content == "Resource",
        IS_CONTAINED: name == "contained",
        IS_EXTENSION: element.content == "Extension",
        IS_IDENTIFIER_VALUE: node.content == "Identifier" and name == "value" and child.level > 2,
        IS_REFERRED: node.content == "Identifier" and name == "value" and node.refers,
        IS_VOUCHED_DISPLAY: is_display,
        IS_VOUCHED_TEXT: is_text,
        SAYS: name == "extension" or name.startswith(("value", "_value")),
    }
    return sum(flag for flag, does_hold in holds.items() if does_hold)


def _root_of(plan: Plan, resource_type: str) -> int:
    action = plan.type_action(resource_type)
    return REFUSED if action is TypeAction.REFUSE else DROPPED if action is TypeAction.REDACT else ASK


def _urls(extensions: Any) -> set[str]:
    found: set[str] = set()
    pending: list[dict[str, ExtensionRule]] = [extensions]
    while pending:
        for url, rule in pending.pop().items():
            found.add(url)
            pending.append(rule.parts)  # type: ignore[arg-type]
    return found


@functools.cache
def _names(content: str, is_resource: bool) -> tuple[np.uint64, ...]:
    """The hashes of all properties that an object of this content may have."""
    known = children(content)
    names = [*known, *(companion(name) for name, element in known.items() if element.is_primitive)]
    return tuple(name_hash(name) for name in (*names, *(["resourceType"] if is_resource else [])))
