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
from masking.document.tokens import QUOTE, Object, Value, parse, signature, split, stand_in
from masking.document.units import HOLE, Fixed, Items, Matched, Rest, Unit, Whole
from masking.fhir.compartment import subject_paths
from masking.fhir.elements import resource_types
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
        if quotes > LARGE or (quotes > SMALL and not place.is_familiar(plain)):
            cut = self._cut_resource(text, outer, is_contained)
            if cut is not None:
                return cut
        return self._in_parts(place, plain, outer, lambda walk, tree: walk.resource(tree, is_contained=is_contained))

    def _unit(self, place: _Place, plain: bytes, outer: Outer, walk: _Walk) -> Unit:
        """A unit for a text that is not cut: by the pattern of its shape, or in parts. `plain`: escapes stood in for."""
        taken = place.patterns.take(plain, plain.count(QUOTE), outer)
        return Matched(plain, outer, *taken) if taken is not None else self._in_parts(place, plain, outer, walk)

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
        """The resource with its long arrays taken out and cut into items; None where there is nothing to cut."""
        apart = _take_apart(text)
        spelled = apart and apart.fields.get("resourceType")
        resource_type = bytes(spelled).decode("ascii", "replace").strip('"') if spelled else ""
        if apart is None or resource_type not in resource_types():
            return None
        labels = not is_contained and self.plan.policy.labels

        def walk(compilation: Compilation, tree: Value) -> Draft:
            return compilation.resource(tree, is_contained=is_contained, is_rest=True)

        place = self._rests[resource_type, is_contained]
        return self._rest(apart, self.plan.root(resource_type), place, walk, outer, lambda: self._told(apart, resource_type, outer), labels)

    def _rest(
        self, apart: _Apart, node: Node, place: _Place, walk: _Walk, outer: Outer, told: Callable[[], Outer], labels: bool
    ) -> Unit | None:
        long = {key: child for key, raw in apart.fields.items() if (child := node.child(key)) and _is_long(raw, child)}
        arrays = {key: apart_items for key in long if (apart_items := _items_of(apart.fields[key])) is not None}
        if not arrays:
            return None
        plain = stand_in(apart.text(without=arrays))
        core = self._unit(place, plain, outer, walk)
        around = told()
        cut = [
            (key, long[key], Items([self._item(bytes(item), long[key], around) for item in items], comma))
            for key, (items, comma) in arrays.items()
        ]
        return Rest(core, cut, apart.comma, apart.colon, labels, node.content if node.path == node.content else None)

    def _told(self, apart: _Apart, resource_type: str, outer: Outer) -> Outer:
        """What the items must know of the resource. Raises Refused."""
        names = dict.fromkeys((*_TOLD, *(path.partition(".")[0] for path in subject_paths(resource_type))))
        some = [b'"%b":%b' % (name.encode(), apart.fields[name]) for name in names if name in apart.fields]
        parts = split(b"{" + b",".join(some) + b"}")
        found = self._contexts.find(parts)
        if found is None:
            found = self._contexts.remember(parts, self._context(parts))
        if isinstance(found, Refused):
            raise found
        return found(parts, outer)

    def _context(self, parts: list[bytes]) -> _Context | Refused:
        tree = parse(parts)
        assert isinstance(tree, Object)
        try:
            return Compilation(self.kernels, self._subjects, parts, frozenset()).context(tree)
        except Refused as refused:
            return refused

    def _item(self, text: bytes, child: Child, told: Outer) -> Unit:
        """One item of an array that was cut: a resource, or a backbone element."""
        assert child.element is not None
        if child.element.content == "Resource":
            is_contained = child.name == "contained"
            try:
                return self.resource(text, told if is_contained else Outer(), is_contained=is_contained)
            except Refused:
                return Fixed(None, child.path)

        def walk(compilation: Compilation, tree: Value) -> Draft:
            return compilation.piece(tree, child)

        place = self._pieces[child.path, False]
        if text.count(QUOTE) > LARGE and child.node is not None and (apart := _take_apart(text)) is not None:
            cut = self._rest(apart, child.node, place, walk, told, lambda: told, labels=False)
            if cut is not None:
                return cut
        return self._unit(place, stand_in(text), told, walk)


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


class _Places(dict[tuple[str, bool], _Place]):
    """Places by their path (and whether in a contained resource); the rest of a resource stands at its root."""

    def __missing__(self, key: tuple[str, bool]) -> _Place:
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
            b'"%b"%b%b' % (key.encode(), self.colon, HOLE if key in without else raw) for key, raw in self.fields.items()
        ]
        return b"{" + self.comma.join(pieces) + b"}"


def _is_long(raw: msgspec.Raw, child: Child) -> bool:
    """Whether a property is an array of backbone elements or resources that is worth cutting."""
    element = child.element
    if element is None or not element.is_array or element.content is None or child.rule.action is Action.REDACT:
        return False
    text = bytes(raw)
    return ("." in element.content or element.content == "Resource") and text.count(QUOTE) > FEW and text[:1] == b"["


def _take_apart(text: bytes) -> _Apart | None:
    """The properties of an object; None where they would not put together the very text (a key twice, odd white space)."""
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
        if b"[" + comma.join([bytes(item) for item in items]) + b"]" == text:
            return items, comma
    return None
