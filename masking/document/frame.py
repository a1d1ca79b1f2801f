"""The resource that a value stands in, and where the context of a value comes from.

Each name in `masking.maskers.base.CONTEXT` is found in the value's surroundings: beside it, in the nearest enclosing object that R4
gives such an element, at the resource's root, or, for a piece of a large document, in what it was told of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from masking.document.program import Outer
from masking.document.subjects import Subjects, id_key, identifier_key
from masking.document.tokens import LITERAL, Array, Literal, Object, Text, Value, to_text
from masking.fhir.compartment import is_person, subject_paths
from masking.fhir.elements import children
from masking.policy.plan import Node

Slot = Callable[[list[Any], Outer], bytes | None]
#: The objects around a value, outermost first, each with its node.
Trail = tuple[tuple[Object, Node], ...]
_ADDRESS = ("line", "city", "state", "postalCode", "country")


class Slots:
    """The slots of a program in the making: equal wishes share one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.functions: list[Slot] = []
        self._known: dict[object, int] = {}
        #: (slot, even part, ordinal) of numbers that a masker writes back
        self.numbers: list[tuple[int, int, int]] = []

    def add(self, wish: object, function: Slot) -> int:
        """The index of the slot for this wish."""
        if wish not in self._known:
            self._known[wish] = self._size + len(self.functions)
            self.functions.append(function)
        return self._known[wish]

    def nothing(self) -> int:
        """A slot that holds null."""
        return self.add("nothing", lambda parts, outer: None)

    def outer(self, name: str) -> int:
        """A slot with what the whole document says."""
        index = Outer._fields.index(name)
        return self.add(("outer", name), lambda parts, outer: outer[index])

    def joined(self, groups: tuple[tuple[int, ...], ...], inner: bytes, between: bytes) -> int:
        """A slot with parts joined: those of a group by `inner`, the groups by `between`."""
        return self.add(
            ("joined", groups, inner, between),
            lambda parts, outer: between.join([inner.join([parts[part] for part in group]) for group in groups]),
        )

    def number(self, literal: Literal) -> int:
        """A slot with the spelling of a literal, written back when it is a target."""
        part, ordinal = literal.start[0], literal.ordinal
        slot = self.add(("number", part, ordinal), lambda parts, outer: LITERAL.findall(parts[part])[ordinal])
        if (slot, part, ordinal) not in self.numbers:
            self.numbers.append((slot, part, ordinal))
        return slot


class Frame:
    """A resource in a text: its root object, its subject, and whether it carries its own labels."""

    def __init__(
        self, slots: Slots, subjects: Subjects, root: Object | None, node: Node | None, parent: Frame | None = None
    ) -> None:
        self.slots = slots
        self._subjects = subjects
        self.root = root
        self.node = node
        #: the frame of the container, for a contained resource
        self.parent = parent
        #: whether anything in it was taken away or blanked
        self.redacts = False

    def subject(self) -> int:
        """The slot with the key of the human whose resource this is."""
        if self.root is None or self.node is None:
            return self.slots.outer("subject")
        subjects, own = self._subjects, self._text(self.root, "id")
        root_id = self.root_id()
        if is_person(self.node.content):
            return self._own_subject(own, root_id)
        references, identifiers = self._candidates()
        fallback = self.parent.subject() if self.parent else None

        def find(parts: list[Any], outer: Outer) -> bytes | None:
            for part in references:
                key = subjects.of(parts[part], parts[root_id])
                if key is not None:
                    return key
            for system, value in identifiers:
                return identifier_key(None if system is None else to_text(parts[system]), to_text(parts[value]))
            if fallback is not None:
                return parts[fallback]  # type: ignore[no-any-return]
            return outer.subject if outer.subject is not None else id_key(parts[own]) if own is not None else None

        return self.slots.add(("subject", id(self)), find)

    def _own_subject(self, own: int | None, root_id: int) -> int:
        is_contained = self.parent is not None

        def find(parts: list[Any], outer: Outer) -> bytes | None:
            if own is None:
                return None
            if is_contained or outer.root_id is not None:
                return (parts[root_id] or b"") + b"#" + parts[own]  # type: ignore[no-any-return]
            return id_key(parts[own])

        return self.slots.add(("subject", id(self)), find)

    def root_id(self) -> int:
        """The slot with the id of the outermost resource that `#…` is relative to."""
        if self.root is None:
            return self.slots.outer("root_id")
        if self.parent is not None:
            return self.parent.root_id()
        own = self._text(self.root, "id")

        def find(parts: list[Any], outer: Outer) -> bytes | None:
            return outer.root_id if outer.root_id is not None else parts[own] if own is not None else None

        return self.slots.add(("root_id", id(self)), find)

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
            case "system":
                found = self._text(trail[-1][0], "system") if trail else None
            case "family":
                found = self._text(trail[-1][0], "family") if trail else None
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

    def _given(self, trail: Trail) -> int | None:
        value = _value(trail[-1][0], "given") if trail else None
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
        for name in _ADDRESS:
            found = _value(value, name)
            items = found.items if isinstance(found, Array) else [found]
            groups.append(tuple(item.part for item in items if isinstance(item, Text)))
        return self.slots.joined(tuple(groups), b", ", b"|")

    @staticmethod
    def _text(value: Object, name: str) -> int | None:
        found = _value(value, name)
        return found.part if isinstance(found, Text) else None


def _value(value: Object, name: str) -> Value | None:
    member = value.members.get(name)
    return None if member is None else member.value


def _follow(value: Value | None, names: list[str]) -> list[Value]:
    """The values at a path, through arrays, in the order of the document."""
    found: list[Value] = [] if value is None else [value]
    for name in names:
        found = [below for here in _flat(found) if isinstance(here, Object) and (below := _value(here, name)) is not None]
    return _flat(found)


def _flat(values: list[Value]) -> list[Value]:
    return [item for value in values for item in (value.items if isinstance(value, Array) else [value])]
