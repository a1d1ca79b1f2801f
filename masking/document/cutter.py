"""Text in, unit out: finds the program of a text, and cuts texts that are too large to repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from masking.document.cache import MEMORY, Patterns, Shapes
from masking.document.compiler import Compilation, Kernels, Refused, compile_program
from masking.document.draft import Draft
from masking.document.pattern import make_pattern
from masking.document.program import Outer, Program
from masking.document.subjects import Subjects
from masking.document.tokens import QUOTE, Object, Value, parse, signature, split, stand_in
from masking.document.units import Fixed, Items, Matched, Properties, Unit, Whole
from masking.fhir.compartment import subject_paths
from masking.fhir.elements import json_kind
from masking.policy.plan import Child, Node, Plan
from masking.policy.specs import Action

#: Texts with more quotes than this (about ten kilobytes of FHIR) are cut.
LARGE = 800
#: Texts with more quotes than this are cut until their shape has come often: most shapes of claims never come again.
SMALL = 160
#: Arrays of backbone elements with more quotes than this are cut into items.
FEW = 24
#: A shape seen this often gets a pattern: writing one costs as much as a few hundred texts gain.
OFTEN = 100

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_SEPARATORS = ((b",", b":"), (b", ", b": "))
#: What pieces must know of the whole, beside the references that name its subject.
_TOLD = ("resourceType", "id", "gender", "deceasedDateTime", "birthDate", "address")

_Answer = Program | Refused
_Context = Callable[[list[bytes], Outer], Outer]
_Walk = Callable[[Compilation, Value], Draft]


class Cutter:
    """Makes units of texts for one plan. Holds this process's shapes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.kernels = Kernels(plan)
        self._subjects = Subjects()
        self._contexts: Shapes[_Context | Refused] = Shapes()
        self._resources = _Place(Shapes())
        self._contained = _Place(Shapes())
        self._pieces = _Pieces()

    def resource(self, text: bytes, outer: Outer, *, is_contained: bool = False) -> Unit:
        """A unit for a resource that is valid JSON. Raises Refused, TooDeep, DuplicateKey."""
        place = self._contained if is_contained else self._resources
        plain = stand_in(text)
        quotes = plain.count(QUOTE)
        taken = place.patterns.take(plain, quotes, outer)
        if taken is not None:
            return Matched(plain, outer, *taken)
        if quotes > LARGE or (quotes > SMALL and not place.is_familiar(plain)):
            cut = self._cut_resource(text, outer, is_contained)
            if cut is not None:
                return cut
        return self._in_parts(place, plain, outer, lambda walk, tree: walk.resource(tree, is_contained=is_contained))

    def _in_parts(self, place: _Place, plain: bytes, outer: Outer, walk: _Walk) -> Whole:
        """A unit for a text of a shape that has no pattern, yet; `plain` has its escapes stood in for."""
        parts = plain.split(QUOTE)
        program = place.shapes.find(parts)
        if program is None:
            program = place.shapes.remember(parts, self._compile(parts, walk))
        if isinstance(program, Refused):
            raise program
        program.uses += 1
        if program.uses == (OFTEN if len(parts) <= SMALL else 1):
            pattern = make_pattern(program)
            if pattern is not None:
                place.patterns.add(len(parts) - 1, pattern)
        return Whole(plain, parts, program, outer)

    def _compile(self, parts: list[bytes], walk: _Walk) -> _Answer:
        try:
            return compile_program(self.kernels, self._subjects, parts, walk)
        except Refused as refused:
            return refused

    # ── large ones ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _cut_resource(self, text: bytes, outer: Outer, is_contained: bool) -> Unit | None:
        """The resource in pieces; None where it cannot be cut and put together to the byte."""
        taken = _take_apart(text)
        if taken is None:
            return None
        fields, comma, colon = taken
        resource_type, told = self._told(fields, outer)
        node = self.plan.root(resource_type)
        labels = not is_contained and self.plan.policy.labels
        return Properties(self._members(fields, node, told, labels), comma, colon, labels, resource_type)

    def _told(self, fields: dict[str, msgspec.Raw], outer: Outer) -> tuple[str, Outer]:
        """The resource's type, and what its pieces must know of it. Raises Refused."""
        names = _TOLD
        spelled = fields.get("resourceType")
        resource_type = bytes(spelled).decode().strip('"') if spelled is not None else ""
        names = (*_TOLD, *(path.partition(".")[0] for path in subject_paths(resource_type)))
        some = b",".join([b'"%b":%b' % (n.encode(), fields[n]) for n in dict.fromkeys(names) if n in fields])
        parts = split(b"{" + some + b"}")

        found = self._contexts.find(parts)
        if found is None:
            found = self._contexts.remember(parts, self._context(parts))
        if isinstance(found, Refused):
            raise found
        return resource_type, found(parts, outer)

    def _context(self, parts: list[bytes]) -> _Context | Refused:
        tree = parse(parts)
        assert isinstance(tree, Object)
        try:
            return Compilation(self.kernels, self._subjects, parts, frozenset()).context(tree)
        except Refused as refused:
            return refused

    def _members(
        self, fields: dict[str, msgspec.Raw], node: Node, told: Outer, labels: bool = False
    ) -> list[tuple[str, Child, Unit]]:
        members: list[tuple[str, Child, Unit]] = []
        for key, raw in fields.items():
            child = node.child(key)
            text = bytes(raw)
            if child.element is None:
                is_kept = child.rule.action is Action.KEEP
                members.append((key, child, Fixed(text if is_kept else None, "" if is_kept else child.path)))
            else:
                members.append((key, child, self._value(text, child, told, labels and key == "meta")))
        return members

    def _value(self, text: bytes, child: Child, told: Outer, labels: bool) -> Unit:
        assert child.element is not None
        content = child.element.content
        if content is None and _is_kept(text, child):
            return Fixed(text)
        is_cuttable = content is not None and ("." in content or content == "Resource")
        if is_cuttable and child.rule.action is Action.REDACT:
            return Fixed(None)
        if is_cuttable and child.element.is_array and text.count(QUOTE) > FEW:
            items = _items_of(text)
            if items is not None:
                return Items([self._item(bytes(item), child, told) for item in items[0]], items[1])
        if is_cuttable and not child.element.is_array:
            return self._item(text, child, told)
        return self._piece(text, child, told, labels)

    def _item(self, text: bytes, child: Child, told: Outer) -> Unit:
        """One object of a property that may be cut: a resource, or a backbone element."""
        assert child.element is not None
        if child.element.content == "Resource":
            is_contained = child.name == "contained"
            outer = told if is_contained else Outer()
            try:
                return self.resource(text, outer, is_contained=is_contained)
            except Refused:
                return Fixed(None, child.path)
        if text.count(b'"') > LARGE and child.node is not None:
            taken = _take_apart(text)
            if taken is not None:
                fields, comma, colon = taken
                return Properties(self._members(fields, child.node, told), comma, colon)
        return self._piece(text, child, told, labels=False)

    def _piece(self, text: bytes, child: Child, told: Outer, labels: bool) -> Unit:
        def walk(compilation: Compilation, tree: Value) -> Draft:
            return compilation.piece(tree, child, wants_labels=labels)

        place, plain = self._pieces[child.path, labels], stand_in(text)
        taken = place.patterns.take(plain, plain.count(QUOTE), told)
        return Matched(plain, told, *taken) if taken is not None else self._in_parts(place, plain, told, walk)


@dataclass(slots=True)
class _Place:
    """A place in the plan where texts come from: what is known of their shapes."""

    shapes: Shapes[_Answer]
    patterns: Patterns = field(default_factory=Patterns)
    _sightings: Counter[int] = field(default_factory=Counter)

    def is_familiar(self, plain: bytes) -> bool:
        """Whether texts of this structure have come often enough to work out what must be done to them as a whole."""
        if len(self._sightings) > MEMORY:
            self._sightings.clear()
        structure = hash(signature(plain.split(QUOTE)))
        self._sightings[structure] += 1
        return self._sightings[structure] > OFTEN


class _Pieces(dict[tuple[str, bool], _Place]):
    """The places of pieces, by their path and whether labels go into them."""

    def __missing__(self, key: tuple[str, bool]) -> _Place:
        self[key] = made = _Place(Shapes[_Answer](tuple(key[0].split(".")[1:])))
        return made


def _is_kept(text: bytes, child: Child) -> bool:
    """Whether a property is a primitive that stays as it is: kept by its rule, and of the kind that R4 says."""
    element = child.element
    if element is None or element.is_array or child.rule.action is not Action.KEEP or child.fallback is not None:
        return False
    kind = json_kind(element.type)
    first = text[:1]
    if kind == "string":
        return first == QUOTE
    return first in (b"t", b"f") if kind == "boolean" else first in b"-0123456789"


def _take_apart(text: bytes) -> tuple[dict[str, msgspec.Raw], bytes, bytes] | None:
    """The properties of an object with its separators, if they put together the very text; None otherwise."""
    try:
        fields = _fields.decode(text)
    except msgspec.DecodeError:
        return None
    for comma, colon in _SEPARATORS:
        if b"{" + comma.join([b'"%b"%b%b' % (k.encode(), colon, v) for k, v in fields.items()]) + b"}" == text:
            return fields, comma, colon
    return None


def _items_of(text: bytes) -> tuple[list[msgspec.Raw], bytes] | None:
    """The items of an array with its separator, if they put together the very text."""
    try:
        items = _items.decode(text)
    except msgspec.DecodeError:
        return None
    for comma, _ in _SEPARATORS:
        if b"[" + comma.join([bytes(item) for item in items]) + b"]" == text:
            return items, comma
    return None
