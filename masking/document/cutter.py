"""Text in, unit out: finds the program of a text, and cuts texts that are too large to repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field

import msgspec

from masking.document.cache import MEMORY, Patterns, Shapes
from masking.document.compiler import Compilation, Kernels, Refused, compile_program
from masking.document.draft import Draft
from masking.document.pattern import make_pattern
from masking.document.program import Outer, Program
from masking.document.subjects import Subjects
from masking.document.tokens import QUOTE, Value, check_depth, parse, signature, split, stand_in
from masking.document.told import tell
from masking.document.units import HOLE, Fixed, Items, Matched, Properties, Remembered, Rest, Unit, Whole
from masking.fhir.elements import companion, is_companion, resource_types
from masking.policy.plan import Child, Node, Plan
from masking.policy.specs import Action, TypeAction

#: Texts with more quotes than this (about ten kilobytes of FHIR) are cut.
LARGE = 800
#: Texts with more quotes than this are cut until their shape has been seen some times: most shapes of claims never
#: come again.
SMALL = 160
SIGHTINGS = 6
#: Arrays of backbone elements with more quotes than this are cut into items.
FEW = 8
#: Arrays of data types (a thousand references) with more quotes than this are cut too, into runs of so many items.
MANY = 120
RUN = 16
#: Pieces of at most so many bytes are remembered whole.
REPEATED = 600
#: How many of them a place remembers.
ANSWERS = 4_000
#: A shape seen this often gets a pattern: writing one costs as much as a few hundred texts gain.
OFTEN = 60

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_SEPARATORS = ((b",", b":"), (b", ", b": "))

_Answer = Program | Refused
_Walk = Callable[[Compilation, Value], Draft]


class Cutter:
    """Makes units of texts for one plan. Holds this process's shapes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.kernels = Kernels(plan)
        self._subjects = Subjects()
        self._resources = _Place(Shapes())
        self._contained = _Place(Shapes())
        self._pieces = _Places()
        self._rests = _Places()

    def resource(self, text: bytes, outer: Outer, *, is_contained: bool = False) -> Unit:
        """A unit for a resource that is valid JSON. Raises Refused, TooDeep, DuplicateKey."""
        place = self._contained if is_contained else self._resources
        plain = stand_in(text)
        quotes = plain.count(QUOTE)
        taken = place.patterns.take(plain, quotes, outer)
        if taken is not None:
            return Matched(plain, outer, *taken)
        parts = plain.split(QUOTE)
        if quotes > LARGE or (quotes > SMALL and not place.is_familiar(parts)):
            check_depth(plain)
            cut = self._cut_resource(text, outer, is_contained)
            if cut is not None:
                return cut
        return self._in_parts(
            place, plain, parts, outer, lambda walk, tree: walk.resource(tree, is_contained=is_contained)
        )

    def _unit(self, place: _Place, plain: bytes, outer: Outer, walk: _Walk) -> Whole | Matched:
        """A unit for a text that is not cut: by the pattern of its shape, or in parts. `plain`: escapes stood in for."""
        taken = place.patterns.take(plain, plain.count(QUOTE), outer)
        if taken is not None:
            return Matched(plain, outer, *taken)
        return self._in_parts(place, plain, plain.split(QUOTE), outer, walk)

    def _in_parts(self, place: _Place, plain: bytes, parts: list[bytes], outer: Outer, walk: _Walk) -> Whole:
        """A unit for a text of a shape that has no pattern, yet; `plain` has its escapes stood in for."""
        program = place.shapes.find(parts)
        if program is None:
            tree = parse(parts)
            program = place.shapes.remember(parts, tree, self._compile(parts, tree, walk))
        if isinstance(program, Refused):
            raise program
        program.uses += 1
        if program.uses == OFTEN:
            pattern = make_pattern(program)
            if pattern is not None:
                place.patterns.add(plain, len(parts) - 1, pattern)
        return Whole(plain, parts, program, outer)

    def _compile(self, parts: list[bytes], tree: Value, walk: _Walk) -> _Answer:
        try:
            return compile_program(self.kernels, self._subjects, parts, tree, walk)
        except Refused as refused:
            return refused

    # ── large ones ──

    def _cut_resource(self, text: bytes, outer: Outer, is_contained: bool) -> Unit | None:
        """The resource with its long arrays taken out and cut into items; None where there is nothing to cut."""
        apart = _take_apart(text)
        spelled = apart and apart.fields.get("resourceType")
        resource_type = bytes(spelled).decode("ascii", "replace").strip('"') if spelled else ""
        if apart is None or resource_type not in resource_types():
            return None
        if self.plan.type_action(resource_type) in (TypeAction.REFUSE, TypeAction.REDACT):
            return None  # the general way says why
        labels = not is_contained and self.plan.policy.labels

        def walk(compilation: Compilation, tree: Value) -> Draft:
            return compilation.resource(tree, is_contained=is_contained, is_rest=True)

        place = self._rests[resource_type, is_contained]
        return self._rest(apart, self.plan.root(resource_type), place, walk, outer, labels)

    def _rest(self, apart: _Apart, node: Node, place: _Place, walk: _Walk, outer: Outer, labels: bool) -> Unit:
        """An object with its long arrays cut out. What is left is one text if its shape is familiar, else a piece a
        property.
        """
        is_resource = node.content in resource_types()
        around = tell(apart.fields, node.content, outer, self._subjects) if is_resource else outer
        cut: list[tuple[str, Child, Items]] = []
        for key, raw in apart.fields.items():
            child = node.child(key)
            if _is_long(raw, child) and (found := _items_of(raw)) is not None:
                cut.append((key, child, self._items(*found, child, around)))
        holes = {key for key, _, _ in cut}
        plain = stand_in(apart.text(without=holes))
        taken = place.patterns.take(plain, plain.count(QUOTE), around)
        core: Unit
        if taken is not None:
            core = Matched(plain, around, *taken)
        elif not is_resource or place.is_familiar(plain.split(QUOTE)):
            core = self._in_parts(place, plain, plain.split(QUOTE), around, walk)
        else:
            core = Properties(self._members(apart, holes, node, around, labels), apart.comma, apart.colon, labels)
        return Rest(core, cut, apart.comma, apart.colon, labels, node.content if is_resource else None)

    def _items(self, items: list[msgspec.Raw], comma: bytes, child: Child, told: Outer) -> Items:
        """The units of an array: one an item, or, where items are small and alike (references), one a run of them."""
        if child.element is not None and child.element.content == "Resource":
            return Items([self._inner(bytes(item), child, told) for item in items], comma)
        if _is_backbone(child):
            return Items(self._elements(items, child, told), comma)
        runs = [items[start : start + RUN] for start in range(0, len(items), RUN)]
        texts = [b"[" + comma.join(run) + b"]" for run in runs]
        return Items([self._piece(text, child, told) for text in texts], comma, are_runs=True)

    def _members(
        self, apart: _Apart, holes: Container[str], node: Node, told: Outer, labels: bool
    ) -> list[tuple[str, Child, Unit]]:
        members: list[tuple[str, Child, Unit]] = []
        for key, raw in apart.fields.items():
            child, unit = node.child(key), None
            if key in holes:
                unit = Fixed(HOLE)
            elif child.element is None:
                is_kept = child.rule.action is Action.KEEP
                parse(split(bytes(raw)))  # raises for what would be refused in one piece
                unit = Fixed(bytes(raw)) if is_kept else Fixed(None, child.place, redacts=True)
            kind = "labels" if labels and key == "meta" else "companion" if companion(key) in apart.fields else ""
            members.append((key, child, unit or self._piece(bytes(raw), child, told, kind)))
        return members

    def _piece(self, text: bytes, child: Child, told: Outer, kind: str = "") -> Unit:
        """One property. Most repeat to the byte (codes, statuses, the same practitioner): those are masked once.

        kind: what it is told of its object: `labels` go into it, or a `companion` stands beside it.
        """
        place = self._pieces[child.path, kind]
        known = place.answers.get(text)
        if known is not None:
            return known

        def walk(compilation: Compilation, tree: Value) -> Draft:
            return compilation.piece(tree, child, wants_labels=kind == "labels", has_companion=kind == "companion")

        unit = self._unit(place, stand_in(text), told, walk)
        if len(text) > REPEATED or not unit.is_pure:
            return unit
        if len(place.answers) > ANSWERS:
            place.answers.clear()
        return Remembered(unit, text, place.answers)

    def _inner(self, text: bytes, child: Child, told: Outer) -> Unit:
        """A resource in an array of resources."""
        if text[:1] != b"{":
            return Fixed(text) if text == b"null" else Fixed(None, child.path, redacts=True)
        is_contained = child.name == "contained"
        try:
            return self.resource(text, told if is_contained else Outer(), is_contained=is_contained)
        except Refused:
            return Fixed(None, child.path, redacts=True)

    def _elements(self, items: list[msgspec.Raw], child: Child, told: Outer) -> list[Unit]:
        """The units of an array of backbone elements. Hot: an explanation of benefit has a hundred of them."""
        place = self._pieces[child.path, "item"]
        take = place.patterns.take
        units: list[Unit] = []
        for item in items:
            text = bytes(item)
            plain = stand_in(text)
            quotes = plain.count(QUOTE)
            taken = take(plain, quotes, told)
            if taken is not None:
                units.append(Matched(plain, told, *taken))
            elif text[:1] != b"{":
                units.append(Fixed(text) if text == b"null" else Fixed(None, child.path, redacts=True))
            else:
                units.append(self._element(text, plain, quotes, child, told))
        return units

    def _element(self, text: bytes, plain: bytes, quotes: int, child: Child, told: Outer) -> Unit:
        """One backbone element of a shape that has no pattern, cut again if it is large."""

        def walk(compilation: Compilation, tree: Value) -> Draft:
            return compilation.piece(tree, child, is_item=True)

        place = self._pieces[child.path, "item"]
        if quotes > LARGE and child.node is not None and (apart := _take_apart(text)) is not None:
            return self._rest(apart, child.node, place, walk, told, labels=False)
        return self._in_parts(place, plain, plain.split(QUOTE), told, walk)


@dataclass(slots=True)
class _Place:
    """A place in the plan where texts come from: what is known of their shapes."""

    shapes: Shapes[_Answer]
    patterns: Patterns = field(default_factory=Patterns)
    #: what pieces of the same bytes became, where nothing but their bytes decides
    answers: dict[bytes, Fixed] = field(default_factory=dict)
    _sightings: Counter[int] = field(default_factory=Counter)

    def is_familiar(self, parts: list[bytes]) -> bool:
        """Whether texts of this structure have come often enough to work out what must be done to them as a whole."""
        if self.shapes.find(parts) is not None:
            return True
        if len(self._sightings) > MEMORY:
            self._sightings.clear()
        structure = hash(signature(parts))
        self._sightings[structure] += 1
        return self._sightings[structure] > SIGHTINGS


class _Places(dict[tuple[str, object], _Place]):
    """Places by their path (and what else decides there); the rest of a resource stands at its root."""

    def __missing__(self, key: tuple[str, object]) -> _Place:
        self[key] = made = _Place(Shapes[_Answer](tuple(key[0].split(".")[1:])))
        return made


@dataclass(frozen=True, slots=True)
class _Apart:
    """An object's properties with the separators that put them together to the very text."""

    fields: dict[str, msgspec.Raw]
    comma: bytes
    colon: bytes

    def text(self, without: Container[str] = ()) -> bytes:
        """The text, with a hole for each array named."""
        pieces = [
            b'"%b"%b%b' % (key.encode(), self.colon, HOLE if key in without else raw)
            for key, raw in self.fields.items()
        ]
        return b"{" + self.comma.join(pieces) + b"}"


def _is_long(raw: msgspec.Raw, child: Child) -> bool:
    """Whether a property is an array that is worth cutting: of backbone elements or resources, or a very long one."""
    element = child.element
    if element is None or not element.is_array or element.content is None or child.rule.action is Action.REDACT:
        return False
    if is_companion(child.name):
        return False  # answers to its primitives index by index
    text = bytes(raw)
    return text.count(QUOTE) > (FEW if _is_backbone(child) else MANY) and text[:1] == b"["


def _is_backbone(child: Child) -> bool:
    """Whether the items of a property are backbone elements or resources: large, and each its own shape."""
    content = child.element.content if child.element else None
    return content is not None and ("." in content or content == "Resource")


def _take_apart(text: bytes) -> _Apart | None:
    """The properties of an object; None where they would not put together the very text (a key twice, odd white
    space).
    """
    try:
        fields = _fields.decode(text)
    except msgspec.DecodeError:
        return None
    for comma, colon in _SEPARATORS:
        apart = _Apart(fields, comma, colon)
        if apart.text() == text:
            return apart
    return None


def _items_of(raw: msgspec.Raw) -> tuple[list[msgspec.Raw], bytes] | None:
    """The items of an array with its separator, if they put together the very text."""
    text = bytes(raw)
    items = _items.decode(text)
    for comma, _ in _SEPARATORS:
        if b"[" + comma.join(items) + b"]" == text:
            return items, comma
    return None
