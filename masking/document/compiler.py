"""From the tree of one text to the program of its shape: the walk that follows the plan.

Every value ends in one of three ways: it stays (its bytes, or what a masker makes of them), it goes, or it goes and
leaves a data-absent-reason because R4 or the policy demands that something stands there. What empties goes with its
contents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from masking.document.draft import Draft, Ledger
from masking.document.edits import Edit
from masking.document.frame import Frame, Slots, Trail
from masking.document.kernels import Kernel, Shifter, Vouched
from masking.document.program import Leaf, Program
from masking.document.shape import discriminators
from masking.document.subjects import Subjects
from masking.document.tokens import Array, Literal, Member, Object, Position, Text, Value, parse, to_part, to_text
from masking.fhir.elements import companion, is_companion, json_kind, without_companion
from masking.fhir.elements import resource_types as r4_types
from masking.maskers.base import BoundMasker
from masking.maskers.dates import BoundDateShift
from masking.policy.plan import Child, Node, Plan
from masking.policy.specs import Action, Rule, TypeAction

#: https://hl7.org/fhir/R4/extension-data-absent-reason.html
ABSENT = b'{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}'
_LABEL_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
_LABELS = {"PSEUDED": "pseudonymized", "REDACTED": "redacted"}
#: Stands for "the label REDACTED, if anything was" in the rest of a resource, which cannot know of its arrays. No
#: valid JSON holds it.
REDACTED_MARK = b"\x02"


class Refused(Exception):
    """No text of this shape can be masked; the reason is a slug, the message holds no value."""

    def __init__(self, reason: str, message: str, place: str = "", resource_type: str | None = None) -> None:
        self.reason, self.message, self.place, self.resource_type = reason, message, place, resource_type


def label(code: str) -> bytes:
    """A security label as JSON."""
    return b'{"system":"%b","code":"%b","display":"%b"}' % (
        _LABEL_SYSTEM.encode(),
        code.encode(),
        _LABELS[code].encode(),
    )


class Kernels:
    """The kernels of a process: one a bound masker, so that equal values are masked once whatever rule asks."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._kernels: dict[str, Kernel] = {}
        self._shifters: dict[str, Shifter] = {}
        self._vouched: dict[str, Vouched] = {}

    def kernel(self, rule: Rule) -> Kernel:
        """The kernel of a masking rule."""
        assert rule.masker is not None
        name = repr(rule.masker)
        if name not in self._kernels:
            self._kernels[name] = Kernel(self.plan.bound(rule.masker))
        return self._kernels[name]

    def shifter(self, rule: Rule, bound: BoundDateShift) -> Shifter:
        """The shifter of a `date_shift` rule."""
        name = repr(rule.masker)
        if name not in self._shifters:
            self._shifters[name] = Shifter(bound.offset)
        return self._shifters[name]

    def vouched(self, rule: Rule) -> Vouched:
        """The kernel for texts that a code system may vouch for, with this rule for the others."""
        name = repr((rule.action, rule.masker))
        if name not in self._vouched:
            inner = self.kernel(rule) if rule.action is Action.MASK else None
            self._vouched[name] = Vouched(inner)
        return self._vouched[name]

    def all(self) -> list[Kernel | Vouched]:
        """Every kernel, those that feed others first."""
        return [*self._vouched.values(), *self._kernels.values()]


class Compilation:
    """One walk over one tree. `parts` is the text that showed the shape; only discriminating strings of it are looked
    at.
    """

    def __init__(self, kernels: Kernels, subjects: Subjects, parts: list[bytes], forced: frozenset[Leaf]) -> None:
        self._kernels, self._plan, self._subjects = kernels, kernels.plan, subjects
        self._parts, self._forced = parts, forced
        self._slots = Slots(len(parts))
        self._ledger = Ledger()
        self._dead: dict[int, set[str]] = {}
        self._unreadable: Counter[str] = Counter()
        #: of a piece: whether the primitives that it is have a companion
        self._is_accompanied = False

    # ── what is asked for ──

    def resource(self, tree: Value, *, is_contained: bool, is_rest: bool = False) -> Draft:
        """What to do with a resource, or with the rest of one whose long arrays were taken out. Raises Refused."""
        if not isinstance(tree, Object):
            raise Refused("not-a-resource", "a JSON object is expected on each line")
        node, frame = self._enter(tree, None)
        if is_rest:  # what it must know of its arrays comes from outside
            frame = Frame(self._slots, self._subjects, None, None)
        self._resource(tree, node, frame, wants_labels=not is_contained, is_rest=is_rest)
        return self._draft(tree, (), redacts=frame.redacts, resource_type=node.content)

    def piece(
        self,
        tree: Value,
        child: Child,
        *,
        is_item: bool = False,
        wants_labels: bool = False,
        has_companion: bool = False,
    ) -> Draft:
        """What to do with the value of one property, or with one item of it, apart from its resource."""
        self._is_accompanied = has_companion
        frame = Frame(self._slots, self._subjects, None, None)
        mark = self._ledger.mark()
        decide = self._single if is_item else self._value
        lives = decide(tree, child, child.rule, frame, ())
        if lives and wants_labels and isinstance(tree, Object):
            self._label_meta(tree, REDACTED_MARK)
        if not lives:
            self._ledger.back_to(mark)
        prefix = tuple(child.path.split(".")[1:])
        return self._draft(tree, prefix, is_dropped=not lives, redacts=frame.redacts or not lives)

    def _draft(self, tree: Value, prefix: tuple[str, ...], **said: Any) -> Draft:
        return Draft(
            self._ledger,
            self._slots,
            self._parts[:],  # a copy: the text's own list is about to be masked in place
            discriminators(tree, prefix),
            unreadable=dict(self._unreadable),
            **said,
        )

    # ── resources ──

    def _enter(self, tree: Object, parent: Frame | None, *, is_apart: bool = False) -> tuple[Node, Frame]:
        """The node and frame of a resource object. Raises Refused."""
        member = tree.members.get("resourceType")
        if member is None or not isinstance(member.value, Text):
            raise Refused("no-type", "resourceType is missing", "resourceType")
        try:
            resource_type = to_text(self._parts[member.value.part])
        except ValueError:
            resource_type = ""
        if resource_type not in r4_types():
            raise Refused("unknown-type", "resourceType names no R4 resource type", "resourceType")
        action = self._plan.type_action(resource_type)
        if action is TypeAction.REFUSE:
            raise Refused("refused-by-policy", "the policy refuses this type", "", resource_type)
        if action is TypeAction.REDACT:
            raise Refused("dropped-by-policy", "the policy redacts this type", "", resource_type)
        node = self._plan.root(resource_type)
        return node, Frame(self._slots, self._subjects, tree, node, parent, is_apart=is_apart)

    def _resource(self, tree: Object, node: Node, frame: Frame, *, wants_labels: bool, is_rest: bool = False) -> None:
        dead = self._members(tree, node, frame, ((tree, node),))
        if wants_labels and self._plan.policy.labels:
            redacted = b"," + label("REDACTED") if frame.redacts else b""
            self._label(tree, dead, REDACTED_MARK if is_rest else redacted)
        self._cut(tree, dead)

    def _nested(self, value: Object, child: Child, frame: Frame) -> bool:
        """A resource inside a resource: contained, an entry of a Bundle, a parameter. One that cannot be entered
        goes.
        """
        is_contained = child.name == "contained"
        try:
            node, inner = self._enter(value, frame if is_contained else None, is_apart=not is_contained)
        except Refused:
            return self._unread(child.path, frame)
        self._resource(value, node, inner, wants_labels=not is_contained)
        frame.redacts = frame.redacts or inner.redacts
        return True

    def _label(self, tree: Object, dead: set[str], redacted: bytes) -> None:
        """Put the security labels into `meta`, which is made where there is none."""
        meta = tree.members.get("meta")
        fresh = b'"meta":{"security":[' + label("PSEUDED") + redacted + b"]}"
        if meta is None:
            after = "id" if "id" in tree.members and "id" not in dead else "resourceType"
            at = self._end(tree.members[after].value)
            self._ledger.edits.append(Edit(at, at, b"," + fresh))
        elif "meta" not in dead and isinstance(meta.value, Object) and id(meta.value) in self._dead:
            self._label_meta(meta.value, redacted)
        else:
            dead.discard("meta")
            start = self._start(meta)
            self._ledger.edits = [edit for edit in self._ledger.edits if edit.start != start]  # a data-absent-reason
            self._ledger.edits.append(Edit(start, self._end(meta.value), fresh))

    def _label_meta(self, meta: Object, redacted: bytes) -> None:
        """Add the labels that a live `meta` lacks."""
        dead = self._dead.get(id(meta), set())
        security = meta.members.get("security")
        items = (
            security.value.items if security and isinstance(security.value, Array) and "security" not in dead else []
        )
        present = {code for item in items if isinstance(item, Object) for code in self._label_code(item)}
        put = b"" if "PSEUDED" in present else b"," + label("PSEUDED")
        put += b"" if "REDACTED" in present else redacted
        if not put:
            return
        live = [member for key, member in meta.members.items() if key not in dead]
        if items:
            at = self._end(items[-1])
        elif security in live and security is not None:
            at, put = _inside(security.value), put[1:]
        else:
            put = b'"security":[' + put[1:] + b"]"
            at, put = (self._end(live[-1].value), b"," + put) if live else (_inside(meta), put)
        self._ledger.edits.append(Edit(at, at, put))

    def _label_code(self, item: Object) -> list[str]:
        texts = {key: self._spelled(item, key) for key in ("system", "code")}
        return [texts["code"]] if texts["system"] == _LABEL_SYSTEM and texts["code"] else []

    # ── objects and arrays ──

    def _members(self, tree: Object, node: Node, frame: Frame, trail: Trail) -> set[str]:
        """Decide each property; the keys of those that go. Companions come last: they follow what they accompany."""
        dead: set[str] = set()
        absent: set[str] = set()
        for key, member in sorted(tree.members.items(), key=lambda item: is_companion(item[0])):
            child = node.child(key)
            base = without_companion(key)
            if is_companion(key) and base in absent:
                dead.add(key)
                continue
            rule = self._rule(tree, node, child)
            if self._value(member.value, child, rule, frame, trail):
                continue
            frame.redacts = True
            if child.element is not None and (child.is_required or rule.absent):
                absent.add(key)
                self._leave_absent(member, child)
            else:
                dead.add(key)
        self._dead[id(tree)] = dead
        return dead

    def _rule(self, tree: Object, node: Node, child: Child) -> Rule:
        """The rule of a property, where what stands beside it decides."""
        if node.content == "Identifier" and child.name == "value":
            return self._plan.identifier_rule(node, self._spelled(tree, "system"), self._type_codes(tree))
        is_vouched = child.fallback is not None and child.name == "display"
        if is_vouched and not self._plan.vouches(self._spelled(tree, "system")):
            assert child.fallback is not None
            return child.fallback
        return child.rule

    def _type_codes(self, identifier: Object) -> tuple[str, ...]:
        kind = identifier.members.get("type")
        coding = kind.value.members.get("coding") if kind and isinstance(kind.value, Object) else None
        items = coding.value.items if coding and isinstance(coding.value, Array) else []
        codes = (self._spelled(item, "code") for item in items if isinstance(item, Object))
        return tuple(code for code in codes if code is not None)

    def _leave_absent(self, member: Member, child: Child) -> None:
        """A data-absent-reason in the place of a property that goes though something must stand there."""
        assert child.element is not None
        key = ("_" if child.element.is_primitive else "") + member.key
        value = b"[" + ABSENT + b"]" if child.element.is_array else ABSENT
        self._ledger.edits.append(
            Edit(self._start(member), self._end(member.value), b'"' + key.encode() + b'":' + value)
        )

    def _value(self, value: Value, child: Child, rule: Rule, frame: Frame, trail: Trail) -> bool:
        """Decide the value of a property; False: it goes."""
        if child.element is None:
            return rule.action is Action.KEEP or self._unread(child.place, frame)
        if child.element.is_array != isinstance(value, Array):
            return self._unread(child.path, frame)
        if not isinstance(value, Array):
            return self._single(value, child, rule, frame, trail)
        mark = self._ledger.mark()
        alive = [self._single(item, child, rule, frame, trail) for item in value.items]
        if all(alive):
            return True
        has_nulls = child.element.is_primitive or is_companion(child.name)
        live = [item for item, is_alive in zip(value.items, alive, strict=True) if is_alive]
        if not live or (has_nulls and all(map(_is_null, live))):
            self._ledger.back_to(mark)
            return False
        if is_companion(child.name) or (child.element.is_primitive and self._has_companion(child.name, trail)):
            self._blank_items(value, alive)
        else:
            self._cut_run(
                [(self._item_start(item), self._end(item), keep) for item, keep in zip(value.items, alive, strict=True)]
            )
        frame.redacts = True
        return True

    def _has_companion(self, name: str, trail: Trail) -> bool:
        """Whether a primitive has a companion beside it; a piece cannot see, and is told."""
        return companion(name) in trail[-1][0].members if trail else self._is_accompanied

    def _blank_items(self, value: Array, alive: list[bool]) -> None:
        """Primitives and their companions answer to each other by index: one that goes leaves a null."""
        for item, is_alive in zip(value.items, alive, strict=True):
            if not is_alive:
                self._ledger.edits.append(Edit(self._item_start(item), self._end(item), b"null"))

    def _single(self, value: Value, child: Child, rule: Rule, frame: Frame, trail: Trail) -> bool:
        """Decide one value that is not an array."""
        element = child.element
        assert element is not None
        if _is_null(value):
            return True
        if element.is_primitive:
            return self._leaf(value, child, rule, frame, trail)
        if not isinstance(value, Object):
            return self._unread(child.path, frame)
        if rule.action is Action.REDACT or rule.masker is not None:
            frame.redacts = True
            return False
        if element.content == "Resource":
            return self._nested(value, child, frame)
        assert child.node is not None
        return self._object(value, child.node, frame, trail)

    def _object(self, value: Object, node: Node, frame: Frame, trail: Trail) -> bool:
        if node.content == "Extension":
            node = self._plan.extension(node, self._spelled(value, "url") or "")
        mark = self._ledger.mark()
        dead = self._members(value, node, frame, (*trail, (value, node)))
        is_empty = bool(dead) and len(dead) == len(value.members)
        if node.content == "Extension":
            is_empty = not any(
                key == "extension" or key.startswith(("value", "_value")) for key in value.members.keys() - dead
            )
        if is_empty:
            self._ledger.back_to(mark)
            return False
        self._cut(value, dead)
        return True

    # ── leaves ──

    def _leaf(self, value: Value, child: Child, rule: Rule, frame: Frame, trail: Trail) -> bool:
        element = child.element
        assert element is not None
        kind = json_kind(element.type)
        if not _is_kind(value, kind):
            return self._unread(child.path, frame)
        if child.fallback is not None and child.name == "text" and rule is child.rule:
            assert isinstance(value, Text)
            return self._vouched_text(value, child.fallback, child, frame, trail)
        if rule.action is not Action.MASK:
            frame.redacts = frame.redacts or rule.action is Action.REDACT
            return rule.action is Action.KEEP
        assert isinstance(value, Text | Literal)
        leaf = (value.part, -1) if isinstance(value, Text) else (value.start[0], value.ordinal)
        if leaf in self._forced:
            return self._unread(child.path, frame)
        self._mask(value, rule, frame, trail)
        return True

    def _mask(self, value: Text | Literal, rule: Rule, frame: Frame, trail: Trail) -> None:
        assert rule.masker is not None
        bound = self._plan.bound(rule.masker)
        if bound.always is not None and isinstance(value, Text):
            frame.redacts = True
            self._ledger.constants.append((value.part, to_part(bound.always)))
            return
        target = value.part if isinstance(value, Text) else self._slots.number(value)
        if isinstance(bound, BoundDateShift):
            self._ledger.dates.append((self._kernels.shifter(rule, bound), frame.subject(), target))
        elif bound.context:
            self._ledger.keyed.append((self._kernels.kernel(rule), target, self._key(target, bound, frame, trail)))
        else:
            self._ledger.plain.append((self._kernels.kernel(rule), target))

    @staticmethod
    def _key(target: int, bound: BoundMasker, frame: Frame, trail: Trail) -> tuple[int, ...]:
        return target, *(frame.context(name, trail) for name in bound.context)

    def _vouched_text(self, value: Text, fallback: Rule, child: Child, frame: Frame, trail: Trail) -> bool:
        """`CodeableConcept.text`: kept where it repeats a display that the policy keeps, else a text like any other."""
        displays = self._vouched_displays(trail[-1][0])
        is_forced = (value.part, -1) in self._forced
        if fallback.action is Action.KEEP:
            return True
        if fallback.action is Action.REDACT and (is_forced or not displays):
            frame.redacts = True
            return False
        if is_forced:
            return self._unread(child.path, frame)
        if not displays:
            self._mask(value, fallback, frame, trail)
            return True
        frame.redacts = True
        key: tuple[int, ...] = (value.part,)
        if fallback.masker is not None:
            key = self._key(value.part, self._plan.bound(fallback.masker), frame, trail)
        key = (*key, *displays)
        self._ledger.vouched.append((self._kernels.vouched(fallback), value.part, key, len(displays)))
        return True

    def _vouched_displays(self, concept: Object) -> list[int]:
        coding = concept.members.get("coding")
        items = coding.value.items if coding and isinstance(coding.value, Array) else []
        displays = []
        for item in items:
            display = item.members.get("display") if isinstance(item, Object) else None
            if display and isinstance(display.value, Text) and self._plan.vouches(self._spelled(item, "system")):
                displays.append(display.value.part)
        return displays

    def _unread(self, path: str, frame: Frame) -> bool:
        """Count a value that is not what R4 says it is, or that its masker cannot read: it goes."""
        self._unreadable[path] += 1
        frame.redacts = True
        return False

    def _spelled(self, value: Value, key: str) -> str | None:
        """A string that rules may look at; it is among the shape's discriminators."""
        member = value.members.get(key) if isinstance(value, Object) else None
        if member is None or not isinstance(member.value, Text):
            return None
        try:
            return to_text(self._parts[member.value.part])
        except ValueError:
            return None

    # ── cutting ──

    def _cut(self, tree: Object, dead: set[str]) -> None:
        if dead:
            members = tree.members.items()
            self._cut_run([(self._start(m), self._end(m.value), key not in dead) for key, m in members])

    def _cut_run(self, spans: list[tuple[Position, Position, bool]]) -> None:
        """Cut the dead of a comma-separated run: each with the comma after it, those at the end with the comma
        before.
        """
        last_alive = max((index for index, (_, _, alive) in enumerate(spans) if alive), default=-1)
        for index, (start, _, is_alive) in enumerate(spans[: last_alive + 1]):
            if not is_alive:
                self._ledger.edits.append(Edit(start, spans[index + 1][0]))
        if last_alive < len(spans) - 1:
            start = spans[last_alive][1] if last_alive >= 0 else spans[0][0]
            self._ledger.edits.append(Edit(start, spans[-1][1]))

    def _start(self, member: Member) -> Position:
        return member.part - 1, len(self._parts[member.part - 1])

    def _item_start(self, item: Value) -> Position:
        return (item.part - 1, len(self._parts[item.part - 1])) if isinstance(item, Text) else item.start

    @staticmethod
    def _end(value: Value) -> Position:
        return value.end


def _inside(value: Value) -> Position:
    """Before the closing bracket of an object or array that is empty."""
    part, offset = value.end
    return part, offset - 1


def _is_null(value: Value) -> bool:
    return isinstance(value, Literal) and value.spelling == b"null"


def _is_kind(value: Value, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, Text)
    is_boolean = isinstance(value, Literal) and value.spelling in (b"true", b"false")
    return isinstance(value, Literal) and is_boolean == (kind == "boolean")


def compile_program(
    kernels: Kernels, subjects: Subjects, parts: list[bytes], tree: Value, walk: Callable[[Compilation, Value], Draft]
) -> Program:
    """The program of a shape, with the means to make its variants. Raises Refused, TooDeep, DuplicateKey, Unstable."""

    def build(parts: list[bytes], tree: Value, forced: frozenset[Leaf]) -> Program:
        program = walk(Compilation(kernels, subjects, parts, forced), tree).program()
        program.variant = lambda parts, leaves: build(parts, parse(parts), forced | leaves)
        return program

    return build(parts, tree, frozenset())
