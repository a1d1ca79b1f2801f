"""The document engine's rules once more: slow, plain, one value after the other, with a reader of its own.

Shares with the engine the plan's answers (`Node`, `Child`), the bound maskers and FHIR's tables, and nothing else: no
shapes, no parts, no programs, no batches. What it makes of a document is what the engine must make of it, to the byte.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from masking.fhir.compartment import is_person, says_whose, subject_paths
from masking.fhir.elements import children, json_kind, resource_types
from masking.fhir.references import parse as parse_reference
from masking.identity.names import named_by
from masking.maskers.base import People
from masking.policy.plan import Child, Node, Plan
from masking.policy.specs import Action, Rule, TypeAction
from masking.pools.names import official

ABSENT = '{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}'
LABEL_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
DEEPEST = 100
_SPACE = " \t\r\n"
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def label(code: str, display: str) -> str:
    """A security label as the engine writes it."""
    return f'{{"system":"{LABEL_SYSTEM}","code":"{code}","display":"{display}"}}'


PSEUDED, REDACTED = label("PSEUDED", "pseudonymized"), label("REDACTED", "redacted")


# ── a reader that keeps every spelling ───────────────────────────────────────────────────────────────────────────────


@dataclass
class String:
    """A string; `raw` is what stands between the quotes."""

    raw: str

    @property
    def text(self) -> str:
        """What it spells."""
        return json.loads(f'"{self.raw}"')


@dataclass
class Bare:
    """A number, true, false or null."""

    raw: str


@dataclass
class Items:
    """An array: white space after the bracket, the values, what stands between them, white space before the end."""

    lead: str
    values: list[Value]
    gaps: list[str]
    tail: str


@dataclass
class Members:
    """An object, as `Items`; `starts` are the keys with their quotes and colons, `keys` the raw keys."""

    lead: str
    starts: list[str]
    keys: list[str]
    values: list[Value]
    gaps: list[str]
    tail: str

    def get(self, key: str) -> Value | None:
        """The value of a property."""
        return self.values[self.keys.index(key)] if key in self.keys else None

    def string(self, key: str) -> str | None:
        """The text of a property that is a string."""
        found = self.get(key)
        return found.text if isinstance(found, String) else None


Value = String | Bare | Items | Members


class Fault(Exception):
    """The document cannot be masked; the reason."""


class _Reader:
    """Reads a JSON text that is known to be valid."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def space(self) -> str:
        start = self.at
        while self.text[self.at : self.at + 1] and self.text[self.at] in _SPACE:
            self.at += 1
        return self.text[start : self.at]

    def string(self) -> str:
        start = self.at = self.at + 1
        while self.text[self.at] != '"':
            self.at += 2 if self.text[self.at] == "\\" else 1
        self.at += 1
        return self.text[start : self.at - 1]

    def value(self, depth: int = 0) -> Value:
        first = self.text[self.at]
        if first == '"':
            return String(self.string())
        if first in "[{":
            if depth > DEEPEST:
                raise Fault("too-deep")
            return self.array(depth) if first == "[" else self.object(depth)
        start = self.at
        while self.text[self.at : self.at + 1] and self.text[self.at] not in _SPACE + ",]}":
            self.at += 1
        return Bare(self.text[start : self.at])

    def array(self, depth: int) -> Items:
        self.at += 1
        made = Items(self.space(), [], [], "")
        while self.text[self.at] != "]":
            made.values.append(self.value(depth + 1))
            made.gaps.append(self.gap())
        made.gaps, made.tail = made.gaps[:-1], made.gaps[-1] if made.gaps else ""
        self.at += 1
        return made

    def object(self, depth: int) -> Members:
        self.at += 1
        made = Members(self.space(), [], [], [], [], "")
        while self.text[self.at] != "}":
            start = self.at
            made.keys.append(self.string())
            self.space()
            self.at += 1
            self.space()
            made.starts.append(self.text[start : self.at])
            made.values.append(self.value(depth + 1))
            made.gaps.append(self.gap())
        if len(set(made.keys)) < len(made.keys):
            raise Fault("duplicate-key")
        made.gaps, made.tail = made.gaps[:-1], made.gaps[-1] if made.gaps else ""
        self.at += 1
        return made

    def gap(self) -> str:
        before = self.space()
        if self.text[self.at] != ",":
            return before
        self.at += 1
        return before + "," + self.space()


def read(document: bytes) -> Value:
    """The tree of a document. Raises Fault."""
    try:
        stripped = document.removeprefix(b"\xef\xbb\xbf").strip(_SPACE.encode())
        json.loads(stripped.decode("latin-1"), parse_int=str, parse_float=str, parse_constant=_refuse)
        text = stripped.decode()
        plain = json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
        json.dumps(plain, ensure_ascii=False).encode()  # lone surrogates cannot be
    except UnicodeEncodeError:
        raise Fault("not-json") from None
    except UnicodeDecodeError:
        raise Fault("not-utf-8") from None
    except ValueError:
        raise Fault("not-json") from None
    except RecursionError:
        raise Fault("too-deep") from None
    return _Reader(text).value()


def _refuse(_: str) -> None:
    raise ValueError


def spelled(value: Value) -> str:
    """The very text of a value."""
    match value:
        case String(raw):
            return f'"{raw}"'
        case Bare(raw):
            return raw
        case Items():
            return _run("[", value, [spelled(item) for item in value.values], "]")
        case Members():
            texts = [start + spelled(item) for start, item in zip(value.starts, value.values, strict=True)]
            return _run("{", value, texts, "}")


def _run(opening: str, source: Items | Members, texts: list[str | None], closing: str, put: str = "") -> str:
    """The live texts; between two of them stands what followed the first. `put` comes after the last."""
    live = [index for index, text in enumerate(texts) if text is not None]
    joined = "".join(f"{texts[i]}{source.gaps[i] if i != live[-1] else ''}" for i in live)
    if not live:
        put = put.removeprefix(",")
    return opening + source.lead + joined + put + source.tail + closing


# ── the rules ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Scope:
    """The resource that a value stands in."""

    root: Members
    node: Node
    container: Scope | None
    #: all of the document
    document: Members
    plan: Plan
    people: People | None = None
    redacts: bool = False
    #: what became of the properties of its `meta`
    meta: list[str | None] = field(default_factory=list)

    @property
    def outermost(self) -> Scope:
        """The resource that `#…` is relative to."""
        return self.container.outermost if self.container else self


Trail = tuple[tuple[Members, Node], ...]


@dataclass
class Answer:
    """What becomes of a document: its masked bytes, or the reason why there are none."""

    masked: bytes | None = None
    reason: str | None = None
    resource_type: str | None = None
    redactions: Counter[str] = field(default_factory=Counter)


class Oracle:
    """Masks documents under a plan, one value at a time."""

    def __init__(self, plan: Plan, people: People | None = None) -> None:
        self.plan = plan if people is None else plan.with_people(people)
        self.people = people
        self.unreadable: Counter[str] = Counter()

    def mask(self, document: bytes) -> Answer:
        """What the engine must make of a document."""
        self.unreadable = Counter()
        try:
            tree = read(document)
            if not isinstance(tree, Members):
                raise Fault("not-a-resource")
            masked, scope = self.resource(tree, None, tree, labelled=True)
        except Fault as fault:
            return Answer(reason=str(fault))
        return Answer(masked.encode(), None, scope.node.content, self.unreadable)

    # ── resources ──────────────────────────────────────────────────────────────────────────────────────────────────

    def resource(
        self, tree: Members, container: Scope | None, document: Members, *, labelled: bool
    ) -> tuple[str, Scope]:
        """A resource of a document and everything in it."""
        resource_type = tree.string("resourceType")
        if resource_type is None:
            raise Fault("no-type")
        if resource_type not in resource_types():
            raise Fault("unknown-type")
        action = self.plan.type_action(resource_type)
        if action in (TypeAction.REFUSE, TypeAction.REDACT):
            raise Fault("refused-by-policy" if action is TypeAction.REFUSE else "dropped-by-policy")
        scope = Scope(tree, self.plan.root(resource_type), container, document, self.plan, self.people)
        texts = self.members(tree, scope.node, scope, ((tree, scope.node),))
        if labelled and self.plan.policy.labels:
            texts = self.labelled(tree, texts, scope)
        return _run("{", tree, texts, "}"), scope

    def labelled(self, tree: Members, texts: list[str | None], scope: Scope) -> list[str | None]:
        """With the security labels in `meta`, which is made where none is left."""
        both = "," + PSEUDED + ("," + REDACTED if scope.redacts else "")
        fresh = '"meta":{"security":[' + both[1:] + "]}"
        meta = tree.get("meta")
        if meta is None:
            alive_id = "id" in tree.keys and texts[tree.keys.index("id")] is not None
            after = tree.keys.index("id" if alive_id else "resourceType")
            texts[after] = f"{texts[after]},{fresh}"
            return texts
        at = tree.keys.index("meta")
        own_texts = scope.meta
        if texts[at] is None or not isinstance(meta, Members):
            texts[at] = fresh
        elif texts[at] != tree.starts[at] + _run("{", meta, own_texts, "}"):
            texts[at] = fresh  # a data-absent-reason stands there
        else:
            texts[at] = tree.starts[at] + self._labelled_meta(meta, own_texts, scope)
        return texts

    def _labelled_meta(self, meta: Members, texts: list[str | None], scope: Scope) -> str:
        security = meta.get("security")
        at = meta.keys.index("security") if "security" in meta.keys else 0
        alive = isinstance(security, Items) and texts[at] is not None
        present = {item.string("code") for item in security.values if isinstance(item, Members)
                   and item.string("system") == LABEL_SYSTEM} if alive else set()  # fmt: skip
        put = "" if "PSEUDED" in present else "," + PSEUDED
        put += "," + REDACTED if scope.redacts and "REDACTED" not in present else ""
        if put and alive:
            items = [self.quietly(item, meta, scope) for item in security.values]
            texts = [*texts]
            texts[at] = meta.starts[at] + _run("[", security, items, "]", put)
            put = ""
        return _run("{", meta, texts, "}", f',"security":[{put[1:]}]' if put else "")

    def quietly(self, item: Value, meta: Members, scope: Scope) -> str | None:
        """An item of meta.security once more, without counting."""
        counted = Counter(self.unreadable)
        node = scope.node.child("meta").node
        assert node is not None
        child = node.child("security")
        text = self.single(item, child, child.rule, scope, ((scope.root, scope.node), (meta, node)))
        self.unreadable = counted
        return text

    def nested(self, value: Members, child: Child, scope: Scope) -> str | None:
        """A resource inside a resource."""
        contained = child.name == "contained"
        try:
            text, inner = self.resource(value, scope if contained else None, scope.document, labelled=not contained)
        except Fault:
            return self.unread(child.path, scope)
        scope.redacts = scope.redacts or inner.redacts
        return text

    # ── objects and arrays ─────────────────────────────────────────────────────────────────────────────────────────

    def members(self, tree: Members, node: Node, scope: Scope, trail: Trail) -> list[str | None]:
        """The text of each property, None for those that go; companions are decided after what they accompany."""
        texts: list[str | None] = [None] * len(tree.keys)
        absent: set[str] = set()
        for index in sorted(range(len(tree.keys)), key=lambda i: tree.keys[i].startswith("_")):
            key, value, start = tree.keys[index], tree.values[index], tree.starts[index]
            child = node.child(key)
            rule = self.rule(tree, node, child)
            text = self.value(value, child, rule, scope, trail)
            if key.startswith("_") and key[1:] in absent:
                continue  # the data-absent-reason stands for both
            if text is not None:
                texts[index] = start + text
                continue
            scope.redacts = True
            if child.element is not None and (child.element.min > 0 or rule.absent):
                absent.add(key)
                reason = f"[{ABSENT}]" if child.element.max != 1 else ABSENT
                texts[index] = f'"{"_" if child.element.is_primitive else ""}{key}":{reason}'
        return texts

    def rule(self, tree: Members, node: Node, child: Child) -> Rule:
        """The rule of a property, where what stands beside it decides."""
        if node.content == "Identifier" and child.name == "value":
            return self.plan.identifier_rule(node, tree.string("system"), tuple(self.type_codes(tree)))
        if child.fallback is not None and child.name == "display" and not self.plan.vouches(tree.string("system")):
            return child.fallback
        return child.rule

    @staticmethod
    def type_codes(identifier: Members) -> Iterator[str]:
        """The codes of Identifier.type."""
        kind = identifier.get("type")
        coding = kind.get("coding") if isinstance(kind, Members) else None
        for item in coding.values if isinstance(coding, Items) else []:
            code = item.string("code") if isinstance(item, Members) else None
            if code is not None:
                yield code

    def value(self, value: Value, child: Child, rule: Rule, scope: Scope, trail: Trail) -> str | None:
        """The text of a property's value; None: it goes."""
        element = child.element
        if element is None:
            return spelled(value) if rule.action is Action.KEEP else self.unread(child.place, scope)
        if (element.max != 1) != isinstance(value, Items):
            return self.unread(child.path, scope)
        if not isinstance(value, Items):
            return self.single(value, child, rule, scope, trail)
        texts = [self.single(item, child, rule, scope, trail) for item in value.values]
        if None not in texts:
            return _run("[", value, texts, "]")
        scope.redacts = True
        has_nulls = element.is_primitive or child.name.startswith("_")
        if all(text is None or (has_nulls and text == "null") for text in texts):
            return None
        has_companion = child.name.startswith("_") or (element.is_primitive and "_" + child.name in trail[-1][0].keys)
        return _run("[", value, [text or "null" for text in texts] if has_companion else texts, "]")

    def single(self, value: Value, child: Child, rule: Rule, scope: Scope, trail: Trail) -> str | None:
        """One value that is not an array."""
        element = child.element
        assert element is not None
        if value == Bare("null"):
            return "null"
        if element.is_primitive:
            return self.leaf(value, child, rule, scope, trail)
        if not isinstance(value, Members):
            return self.unread(child.path, scope)
        if rule.action is Action.REDACT or rule.masker is not None:
            scope.redacts = True
            return None
        if element.content == "Resource":
            return self.nested(value, child, scope)
        assert child.node is not None
        node = child.node
        if node.content == "Extension":
            node = self.plan.extension(node, value.string("url") or "")
        texts = self.members(value, node, scope, (*trail, (value, node)))
        if child.path.count(".") == 1 and child.name == "meta" and scope.root is trail[-1][0]:
            scope.meta = texts
        live = [key for key, text in zip(value.keys, texts, strict=True) if text is not None]
        if node.content == "Extension":
            says_nothing = not any(key == "extension" or key.startswith(("value", "_value")) for key in live)
        else:
            says_nothing = bool(texts) and not live
        return None if says_nothing else _run("{", value, texts, "}")

    # ── leaves ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def leaf(self, value: Value, child: Child, rule: Rule, scope: Scope, trail: Trail) -> str | None:
        """A primitive."""
        assert child.element is not None
        kind = json_kind(child.element.type)
        is_kind = {
            "string": isinstance(value, String),
            "boolean": value in (Bare("true"), Bare("false")),
            "number": isinstance(value, Bare) and value.raw not in ("true", "false"),
        }
        if not is_kind[kind]:
            return self.unread(child.path, scope)
        if child.fallback is not None and child.name == "text" and rule is child.rule:
            displays = [text.casefold() for text in self.vouched_displays(trail[-1][0])]
            assert isinstance(value, String)
            if value.text.casefold() in displays:
                return spelled(value)
            rule = child.fallback
        if rule.action is Action.KEEP:
            return spelled(value)
        if rule.action is Action.REDACT:
            scope.redacts = True
            return None
        return self.masked(value, child, rule, scope, trail)

    def masked(self, value: Value, child: Child, rule: Rule, scope: Scope, trail: Trail) -> str | None:
        """What a masker makes of a primitive."""
        assert rule.masker is not None
        bound = self.plan.bound(rule.masker)
        if isinstance(value, String) and bound.always is not None:
            scope.redacts = True
            return json.dumps(bound.always, ensure_ascii=False)
        assert isinstance(value, String | Bare)
        text = value.text if isinstance(value, String) else value.raw
        context = {name: [self.context(name, scope, trail)] for name in bound.context}
        answer = bound.mask_distinct([text], **context)[0]
        if answer is None or (isinstance(value, Bare) and not _NUMBER.fullmatch(answer)):
            return self.unread(child.path, scope)
        scope.redacts = scope.redacts or (isinstance(value, String) and bound.blanks(text, answer))
        return json.dumps(answer, ensure_ascii=False) if isinstance(value, String) else answer

    def vouched_displays(self, concept: Members) -> Iterator[str]:
        """The displays of a concept's codings whose code system the policy knows."""
        coding = concept.get("coding")
        for item in coding.values if isinstance(coding, Items) else []:
            display = item.string("display") if isinstance(item, Members) else None
            if display is not None and self.plan.vouches(item.string("system")):
                yield display

    def unread(self, path: str, scope: Scope) -> None:
        """Count a value that is not what R4 says, or that its masker cannot read."""
        self.unreadable[path] += 1
        scope.redacts = True

    # ── what a masker may ask for ──────────────────────────────────────────────────────────────────────────────────

    def context(self, name: str, scope: Scope, trail: Trail) -> str | None:
        """A value of `masking.maskers.base.CONTEXT`."""
        beside = trail[-1][0]
        match name:
            case "subject":
                return self.canonical(subject(scope))
            case "chart":
                return self.canonical(chart(scope))
            case "family" | "given" if trail[-1][1].content != "HumanName":
                return own_name(trail)[name == "given"]
            case "system" | "family":
                return beside.string(name) if name in children(trail[-1][1].content) else None
            case "unit":
                known = children(trail[-1][1].content)
                code = beside.string("code") if "unit" in known and "code" in known else None
                return code if code is not None else beside.string("unit") if "unit" in known else None
            case "given":
                given = beside.get("given") if trail[-1][1].content == "HumanName" else None
                texts = [i.text for i in given.values if isinstance(i, String)] if isinstance(given, Items) else []
                return " ".join(texts) if texts else None
            case "referent":
                who = beside.get("who")
                return referent(who if isinstance(who, Members) else beside, scope)
            case "people" | "strangers" | "numbers" | "facility" | "owner":
                return None  # nobody is known here, so it does not matter whom a resource refers to
            case "content_type":
                return beside.string("contentType")
            case "data":
                return beside.string("data")
            case "sex":
                around = [obj for obj, node in trail if "gender" in children(node.content)]
                return around[-1].string("gender") if around else None
            case "deceased":
                return scope.root.string("deceasedDateTime")
            case "birth_date":
                return scope.root.string("birthDate")
        assert name == "address"
        return address(scope, trail)

    def canonical(self, key: str | None) -> str | None:
        """The one key of a human with several records."""
        if key is None or self.people is None:
            return key
        canonical: str = json.loads(f'"{self.people.canonical(json_part(key))}"')
        return canonical


def address(scope: Scope, trail: Trail) -> str | None:
    """The address around a value, else the first of the resource, as `line|city|state|postalCode|country`."""
    around = [obj for obj, node in trail if node.content == "Address"]
    found: Value | None = around[-1] if around else scope.root.get("address")
    if isinstance(found, Items):
        found = found.values[0] if found.values else None
    if not isinstance(found, Members):
        return None
    groups = []
    for name in ("line", "city", "state", "postalCode", "country"):
        part = found.get(name)
        values = part.values if isinstance(part, Items) else [part]
        groups.append(", ".join(value.text for value in values if isinstance(value, String)))
    return "|".join(groups)


def referent(reference: Members, scope: Scope) -> str | None:
    """The name of the record of a human or an organization that a Reference means."""
    literal = reference.string("reference")
    if literal is not None:
        return named_by(literal, scope.outermost.root.string("id") or "") or None
    identifier = reference.get("identifier")
    number = identifier.string("value") if isinstance(identifier, Members) else None
    if number is None or not isinstance(identifier, Members):
        return None
    return f"/{identifier.string('system') or ''}|{number}"


def own_name(trail: Trail) -> tuple[str | None, str | None]:
    """The family and given name of whom the nearest object around a value is about."""
    for around, node in reversed(trail):
        known = children(node.content).get("name")
        if known is not None and known.content == "HumanName":
            value = around.get("name")
            names = json.loads(spelled(value), parse_int=str, parse_float=str) if value is not None else []
            return official(parts(name) for name in (names if isinstance(names, list) else [names]) if parts(name))
    return None, None


def parts(name: object) -> tuple[str, str, str]:
    """Use, family and given names of a HumanName; () of anything else."""
    if not isinstance(name, dict):
        return ()
    given = name["given"] if isinstance(name.get("given"), list) else []
    texts = [name[key] if isinstance(name.get(key), str) else "" for key in ("use", "family")]
    return (*texts, " ".join(word for word in given if isinstance(word, str)))


def chart(scope: Scope) -> str | None:
    """The key of the patient that a RelatedPerson names."""
    return named(scope) if scope.node.content == "RelatedPerson" else None


def subject(scope: Scope) -> str | None:
    """The key of the human whose resource it is."""
    own = scope.root.string("id")
    base = scope.outermost.root.string("id") or ""
    if is_person(scope.node.content):
        if own is None:
            return by_full_url(scope)
        return f"{base}#{own}" if scope.container else fold(own)
    only = only_patient(scope) if scope.node.content == "Bundle" else None
    key = only or named(scope)
    if key is not None:
        return key
    if scope.container:
        return subject(scope.container)
    return by_full_url(scope) if own is None else fold(own)


def by_full_url(scope: Scope) -> str | None:
    """The key that the fullUrl beside a resource gives it."""
    if scope.container is not None:
        return None
    urls = (around.string("fullUrl") for around in holders(scope.document) if around.get("resource") is scope.root)
    own = parse_reference(next(urls, None) or "").id
    return None if own is None else fold(own)


def holders(value: Value) -> Iterator[Members]:
    """All objects in a value."""
    if isinstance(value, Members):
        yield value
    for inner in value.values if isinstance(value, Members | Items) else []:
        yield from holders(inner)


def only_patient(bundle: Scope) -> str | None:
    """The key of the one patient of whom all entries of a Bundle are that are of any."""
    keys = {key for entry in follow([bundle.root], ["entry"]) for key in patients(entry, bundle)}
    return keys.pop() if len(keys) == 1 else None


def patients(entry: Value, bundle: Scope) -> Iterator[str]:
    """The patients of whom the resources of an entry are."""
    for path in (["resource"], ["response", "outcome"]):
        for root in follow([entry], path):
            kind = root.string("resourceType") if isinstance(root, Members) else None
            if kind not in resource_types() or bundle.plan.type_action(kind) in (
                TypeAction.REFUSE,
                TypeAction.REDACT,
            ):
                continue
            scope = Scope(root, bundle.plan.root(kind), None, bundle.document, bundle.plan, bundle.people)
            if kind == "Bundle":
                key = only_patient(scope)
            elif kind == "Patient":
                key = subject(scope)
            else:
                key = None if is_person(kind) or kind == "RelatedPerson" else named(scope)
            if key is not None:
                canonical = key if bundle.people is None else bundle.people.canonical(json_part(key))
                yield json.loads(f'"{canonical}"') if bundle.people is not None else canonical


def named(scope: Scope) -> str | None:
    """The key of the patient that a resource names."""
    base = scope.outermost.root.string("id") or ""
    ranked = []
    for path in subject_paths(scope.node.content):
        says = says_whose(scope.node.content, path)
        for value in follow([scope.root], path.split(".")):
            found = candidate(value, base, scope) if isinstance(value, Members) else None
            if found is not None:
                key, is_patient, by_identifier = found
                ranked.append((0 if is_patient or says else 1, by_identifier, key))
    return min(ranked, key=lambda rank: rank[:2])[2] if ranked else None


def candidate(value: Members, base: str, scope: Scope) -> tuple[str, bool, bool] | None:
    """Whom a Reference may name: the key, whether it is known to be a patient's, whether an Identifier stands there; None
    where it names something else.
    """
    reference, identifier = value.string("reference"), value.get("identifier")
    kind = value.string("type")
    told: bool | None = None if kind is None else kind == "Patient"
    if reference is not None:
        key = patient(reference, base)
        if key is not None and parse_reference(reference).type == "Patient":
            return key, True, False
        within = {resource.string("resourceType") for resource, keys in listed(scope.document) if key in keys}
        told = "Patient" in within if within else told
    else:
        number = identifier.string("value") if isinstance(identifier, Members) else None
        key = None if number is None else f"{identifier.string('system') or ''}|{number}"
    if key is not None and told is None and scope.people is not None:
        who = json_part(key)
        if scope.people.facts(f"Patient/{who}") is not None:
            told = True
        elif scope.people.facts(f"/{who}") is not None:
            told = False
    return None if key is None or told is False else (key, bool(told), reference is None)


def listed(
    value: Value, full_url: str | None = None, container: str | None = None, *, contained: bool = False
) -> Iterator[tuple[Members, set[str]]]:
    """All resources in a value, with the keys that lead to them. container: the id of the outermost resource around it."""
    if isinstance(value, Items):
        for item in value.values:
            yield from listed(item, None, container, contained=contained and isinstance(item, Members))
    if not isinstance(value, Members):
        return
    own = value.string("id")
    if value.string("resourceType") is not None and contained:
        yield value, set() if own is None else {f"{container or ''}#{own}"}
    elif value.string("resourceType") is not None:
        url = patient(full_url, "") if full_url else None
        yield value, {key for key in (url, own and fold(own)) if key}
    for key, inner in zip(value.keys, value.values, strict=True):
        if key == "contained":
            yield from listed(inner, None, container if contained else own, contained=True)
        else:
            yield from listed(inner, value.string("fullUrl"), None)


def patient(text: str, base: str) -> str | None:
    """The key of the patient that a reference names."""
    if text.startswith("#"):
        return base + text
    reference = parse_reference(text)
    if reference.kind in ("urn_uuid", "urn_oid") or (reference.type == "Patient" and reference.id is not None):
        return None if reference.id is None else fold(reference.id)
    if reference.type == "Patient":
        asked = [
            value for name in ("identifier", "_id") for key, value in reference.criteria() if key == name and value
        ]
        return fold(re.sub(r"\\([\\|,$])", r"\1", asked[0])) if asked else None
    return None


def json_part(text: str) -> str:
    """A text as it stands between the quotes of JSON, which is how people are asked for."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def fold(text: str) -> str:
    """UUIDs in lower case."""
    return text.lower() if _UUID.fullmatch(text) else text


def follow(values: list[Value], names: list[str]) -> list[Value]:
    """The values at a path, through arrays."""
    for name in names:
        below = (value.get(name) for value in flat(values) if isinstance(value, Members))
        values = [value for value in below if value is not None]
    return list(flat(values))


def flat(values: list[Value]) -> Iterator[Value]:
    """Arrays give way to their items."""
    for value in values:
        yield from value.values if isinstance(value, Items) else [value]
