"""The resource that a value stands in, and where the context of a value comes from.

Each name in `masking.maskers.base.CONTEXT` is found in the value's surroundings: beside it, in the nearest enclosing
object that R4 gives such an element, at the resource's root, or, for a piece of a large document, in what it was told
of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from masking.document.program import NOWHERE, Outer
from masking.document.subjects import Subjects, contained_key, id_key, identifier_key
from masking.document.tokens import LITERAL, Array, Literal, Object, Text, Value, to_text
from masking.fhir.compartment import is_person, subject_paths
from masking.fhir.elements import children
from masking.policy.plan import Node

Slot = Callable[[list[Any], Outer], bytes | None]
#: From the place of a part (or slot) in the tree to its place in the list that a program sees.
At = Callable[[int], int]
#: Makes a slot's function once it is known where the parts will stand.
Build = Callable[[At], Slot]
#: The objects around a value, outermost first, each with its node.
Trail = tuple[tuple[Object, Node], ...]
#: What makes up a whole address, in the order in which its masker wants it.
ADDRESS = ("line", "city", "state", "postalCode", "country")


class Slots:
    """The slots of a program in the making: equal wishes share one. `reads` are the parts that they look at."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.builds: list[Build] = []
        self.reads: set[int] = set()
        #: (slot, even part, ordinal) of numbers that a masker writes back
        self.numbers: list[tuple[int, int, int]] = []
        self._known: dict[object, int] = {}

    def add(self, wish: object, build: Build, reads: Iterable[int | None] = ()) -> int:
        """The index of the slot for this wish."""
        if wish not in self._known:
            self._known[wish] = self.size + len(self.builds)
            self.builds.append(build)
            self.reads.update(part for part in reads if part is not None)
        return self._known[wish]

    def nothing(self) -> int:
        """A slot that holds null."""
        return self.add("nothing", lambda at: lambda parts, outer: None)

    def outer(self, name: str) -> int:
        """A slot with what the whole document says."""
        index = Outer._fields.index(name)
        return self.add(("outer", name), lambda at: lambda parts, outer: outer[index])

    def joined(self, groups: tuple[tuple[int, ...], ...], inner: bytes, between: bytes) -> int:
        """A slot with parts joined: those of a group by `inner`, the groups by `between`."""

        def build(at: At) -> Slot:
            placed = [[at(part) for part in group] for group in groups]
            return lambda parts, outer: between.join([inner.join([parts[p] for p in group]) for group in placed])

        reads = [part for group in groups for part in group]
        return self.add(("joined", groups, inner, between), build, reads)

    def number(self, literal: Literal) -> int:
        """A slot with the spelling of a literal, written back when it is a target."""
        part, ordinal = literal.start[0], literal.ordinal

        def build(at: At) -> Slot:
            place = at(part)
            return lambda parts, outer: LITERAL.findall(parts[place])[ordinal]

        slot = self.add(("number", part, ordinal), build)
        if (slot, part, ordinal) not in self.numbers:
            self.numbers.append((slot, part, ordinal))
        return slot


class Frame:
    """A resource in a text: its root object, its subject, and whether it carries its own labels."""

    def __init__(
        self,
        slots: Slots,
        subjects: Subjects,
        root: Object | None,
        node: Node | None,
        parent: Frame | None = None,
        *,
        is_apart: bool = False,
    ) -> None:
        self.slots = slots
        self._subjects = subjects
        self.root = root
        self.node = node
        #: the frame of the container, for a contained resource
        self.parent = parent
        #: whether nothing around the text is its business: an entry of a Bundle, and what that contains
        self.is_apart: bool = is_apart or (parent is not None and parent.is_apart)
        #: whether anything in it was taken away or blanked
        self.redacts = False

    def subject(self) -> int:
        """The slot with the key of the human whose resource this is."""
        if self.root is None or self.node is None:
            return self.slots.outer("subject")
        subjects, own = self._subjects, self._text(self.root, "id")
        if is_person(self.node.content):
            return self._own_subject(own, self.root_part())
        references, identifiers = self._candidates()
        fallback = self.parent.subject() if self.parent else None
        root = self.root_part()

        def build(at: At) -> Slot:
            places = [at(part) for part in references]
            pairs = [(None if system is None else at(system), at(value)) for system, value in identifiers]
            own_at, root_at, fallback_at = (None if p is None else at(p) for p in (own, root, fallback))
            first = places[0] if places else None
            known = subjects.known

            def find(parts: list[Any], outer: Outer) -> bytes | None:
                if first is not None:
                    key = known.get(parts[first])
                    if key is not None:
                        return key
                return search(parts, outer)

            def search(parts: list[Any], outer: Outer) -> bytes | None:
                for place in places:
                    key = subjects.of(parts[place], _root_id(parts, outer, root_at))
                    if key is not None:
                        return key
                for system, value in pairs:
                    return identifier_key(None if system is None else to_text(parts[system]), to_text(parts[value]))
                if fallback_at is not None:
                    return parts[fallback_at]  # type: ignore[no-any-return]
                if outer.root_id is not None:
                    return outer.subject
                return id_key(parts[own_at]) if own_at is not None else None

            return self._placed(find)

        reads = [*references, *(part for pair in identifiers for part in pair), own, root]
        return self.slots.add(("subject", self), build, reads)

    def _own_subject(self, own: int | None, root: int | None) -> int:
        is_contained = self.parent is not None

        def build(at: At) -> Slot:
            own_at, root_at = (None if part is None else at(part) for part in (own, root))

            def find(parts: list[Any], outer: Outer) -> bytes | None:
                if own_at is None:
                    return None
                if is_contained or outer.root_id is not None:
                    return contained_key(_root_id(parts, outer, root_at), b"#" + parts[own_at])
                return id_key(parts[own_at])

            return self._placed(find)

        return self.slots.add(("subject", self), build, (own, root))

    def _placed(self, find: Slot) -> Slot:
        """What finds something for this resource: around one that stands apart there is nothing."""
        return (lambda parts, outer: find(parts, NOWHERE)) if self.is_apart else find

    def root_part(self) -> int | None:
        """The part with the id of the outermost resource of this text, that `#…` is relative to."""
        if self.parent is not None:
            return self.parent.root_part()
        return self._text(self.root, "id") if self.root is not None else None

    def root_id(self) -> int:
        """The slot with the id of the outermost resource."""
        root = self.root_part()

        def build(at: At) -> Slot:
            root_at = None if root is None else at(root)
            return self._placed(lambda parts, outer: _root_id(parts, outer, root_at))

        return self.slots.add(("root_id", root), build, (root,))

    def _candidates(self) -> tuple[tuple[int, ...], tuple[tuple[int | None, int], ...]]:
        """Parts that may name the subject, best first, and (system, value) of references by identifier."""
        references: list[int] = []
        identifiers: list[tuple[int | None, int]] = []
        assert self.root is not None and self.node is not None
        for path in subject_paths(self.node.content):
            for found in _follow(self.root, path.split(".")):
                if not isinstance(found, Object):
                    continue
                reference = self._text(found, "reference")
                if reference is not None:
                    references.append(reference)
                elif isinstance(identifier := _value(found, "identifier"), Object):
                    value = self._text(identifier, "value")
                    if value is not None:
                        identifiers.append((self._text(identifier, "system"), value))
        return tuple(references), tuple(identifiers)

    def context(self, name: str, trail: Trail) -> int:
        """The place (part or slot) of a context value for a leaf inside these objects."""
        found: int | None = None
        match name:
            case "subject":
                return self.subject()
            case "system" | "family":
                found = self._beside(name, trail)
            case "unit":
                found = self._unit(trail)
            case "given":
                found = self._given(trail)
            case "sex":
                return self._nearest("gender", "sex", trail)
            case "deceased":
                return self._at_root("deceasedDateTime", "deceased")
            case "birth_date":
                return self._at_root("birthDate", "birth_date")
            case "address":
                return self.address(trail)
        return self.slots.nothing() if found is None else found

    def _beside(self, name: str, trail: Trail) -> int | None:
        """The text of an element beside a value, where R4 has one of that name."""
        return self._text(trail[-1][0], name) if trail and name in children(trail[-1][1].content) else None

    def _unit(self, trail: Trail) -> int | None:
        """Quantity.code, else Quantity.unit."""
        found = self._beside("unit", trail)
        code = self._beside("code", trail) if trail and "unit" in children(trail[-1][1].content) else None
        return found if code is None else code

    def _given(self, trail: Trail) -> int | None:
        value = _value(trail[-1][0], "given") if trail and trail[-1][1].content == "HumanName" else None
        texts = tuple(item.part for item in value.items if isinstance(item, Text)) if isinstance(value, Array) else ()
        return self.slots.joined((texts,), b" ", b"") if texts else None

    def _nearest(self, element: str, outer: str, trail: Trail) -> int:
        """In the nearest enclosing object that R4 gives this element: a contact's gender is not its patient's."""
        for around, node in reversed(trail):
            if element in children(node.content):
                found = self._text(around, element)
                return self.slots.nothing() if found is None else found
        return self.slots.outer(outer) if self.root is None else self.slots.nothing()

    def _at_root(self, element: str, outer: str) -> int:
        if self.root is None:
            return self.slots.outer(outer)
        found = self._text(self.root, element)
        return self.slots.nothing() if found is None else found

    def address(self, trail: Trail = ()) -> int:
        """The whole address around a value, or the first one of the resource."""
        for around, node in reversed(trail):
            if node.content == "Address":
                return self._address(around)
        if self.root is None:
            return self.slots.outer("address")
        value = _value(self.root, "address")
        if isinstance(value, Array):
            value = next(iter(value.items), None)
        return self._address(value) if isinstance(value, Object) else self.slots.nothing()

    def _address(self, value: Object) -> int:
        groups = []
        for name in ADDRESS:
            found = _value(value, name)
            items = found.items if isinstance(found, Array) else [found]
            groups.append(tuple(item.part for item in items if isinstance(item, Text)))
        return self.slots.joined(tuple(groups), b", ", b"|")

    @staticmethod
    def _text(value: Object, name: str) -> int | None:
        found = _value(value, name)
        return found.part if isinstance(found, Text) else None


def _root_id(parts: list[Any], outer: Outer, place: int | None) -> bytes | None:
    return outer.root_id if outer.root_id is not None else parts[place] if place is not None else None


def _value(value: Object, name: str) -> Value | None:
    member = value.members.get(name)
    return None if member is None else member.value


def _follow(value: Value | None, names: list[str]) -> list[Value]:
    """The values at a path, through arrays, in the order of the document."""
    found: list[Value] = [] if value is None else [value]
    for name in names:
        found = [
            below for here in _flat(found) if isinstance(here, Object) and (below := _value(here, name)) is not None
        ]
    return _flat(found)


def _flat(values: list[Value]) -> list[Value]:
    return [item for value in values for item in (value.items if isinstance(value, Array) else [value])]
