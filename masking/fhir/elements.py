"""Every element of R4 as it looks in JSON: what may stand where, of which type, how often.

The view is JSON's: a choice such as `Observation.value[x]` is one `Element` a property (`valueQuantity`,
`valueString`, …), and a path is property names joined by dots, without indices. A primitive property may have a
companion beside it (`birthDate` and `_birthDate`) that holds its id and extensions: an object with the children of
`Element`, or, where the property is an array, an array of such objects and nulls, index by index. Companions are not
listed; see `companion`. `resourceType` is not listed either: it is no element in FHIR's sense.

Source: HL7's StructureDefinitions of R4 4.0.1 (CC0); see `masking.fhir.generate`.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from masking.fhir._tables import Row, resource_types, tables

__all__ = [
    "Element",
    "children",
    "choices",
    "companion",
    "contents",
    "data_types",
    "element",
    "is_companion",
    "json_kind",
    "primitive_types",
    "regex",
    "required",
    "resource_types",
    "suggest",
    "walk",
    "without_companion",
]

JsonKind = Literal["string", "number", "boolean"]

_NUMBERS = frozenset({"decimal", "integer", "unsignedInt", "positiveInt"})
#: The types of a choice that a binding can apply to (R4, ElementDefinition.binding).
_BINDABLE = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "string", "uri"})


@dataclass(frozen=True, slots=True)
class Element:
    """One JSON property of a type, data type or backbone element.

    path: where HL7 defines it, `Observation.value[x]`, `Patient.contact.name`.
    name: the JSON property, `valueQuantity`.
    type: FHIR type code: `Quantity`, `date`, `BackboneElement`, `Reference`, `Resource`, `xhtml`.
    min, max: cardinality; max None means any number. Of a choice, min counts its properties together.
    choice: the stem of a choice, `value[x]`; None otherwise.
    targets: what a Reference or canonical may point at; `("Resource",)` or `()` means anything.
    binding, value_set: strength and canonical of the value set a code comes from; None where there is none.
    content: what to ask `children` for; `Resource` means: look at the object's own resourceType. None for primitives.
    short: HL7's one line of explanation.
    """

    path: str
    name: str
    type: str
    min: int
    max: int | None
    choice: str | None
    targets: tuple[str, ...]
    binding: str | None
    value_set: str | None
    content: str | None
    short: str
    is_primitive: bool

    @property
    def is_array(self) -> bool:
        """Whether JSON writes it as an array, however many values there are."""
        return self.max != 1

    def may_point_at(self, resource_type: str) -> bool:
        """Whether a Reference or canonical here may point at that type."""
        if self.type not in ("Reference", "canonical"):
            return False
        return not self.targets or resource_type in self.targets or "Resource" in self.targets


@functools.cache
def data_types() -> frozenset[str]:
    """The complex data types (HumanName, Quantity, Extension, …); profiles on them such as SimpleQuantity are none."""
    return frozenset(tables()["data_types"])


@functools.cache
def primitive_types() -> frozenset[str]:
    """The twenty primitive types, xhtml among them."""
    return frozenset(tables()["primitives"])


class _Contents(dict[str, Mapping[str, Element]]):
    """Children by content key, built when first asked for."""

    def __missing__(self, content: str) -> Mapping[str, Element]:
        base, rows = tables()["contents"][content]
        own = (child for row in rows for child in _elements(content, row))
        inherited = (
            replace(child, path=f"{content}.{child.path.rpartition('.')[2]}")
            for child in (self[base].values() if base else ())
        )
        self[content] = built = MappingProxyType({child.name: child for part in (inherited, own) for child in part})
        return built


_CONTENTS = _Contents()


def children(content: str) -> Mapping[str, Element]:
    """The properties of a type (`Patient`, `HumanName`, `Element`) or backbone (`Patient.contact`), in HL7's order.

    Inherited ones (id, meta, text, contained, extension, …) come first. Raises KeyError for anything else, primitives
    included.
    """
    return _CONTENTS[content]


def _elements(content: str, row: Row) -> Iterator[Element]:
    """The JSON properties of one definition row: one, or one a type for a choice."""
    stem, minimum, maximum, types, short, binding, value_set = row
    path = f"{content}.{stem}"
    is_choice = stem.endswith("[x]")
    for code in types:
        type_, _, rest = code.partition("(")
        content_key: str | None = type_
        if type_.startswith("#"):
            content_key = type_[1:]
            type_ = tables()["contents"][content_key][0] or "BackboneElement"
        elif type_ in ("BackboneElement", "Element"):
            content_key = path
        elif type_ in tables()["primitives"]:
            content_key = None
        bound = not is_choice or type_ in _BINDABLE
        yield Element(
            path=path,
            name=stem[:-3] + type_[0].upper() + type_[1:] if is_choice else stem,
            type=type_,
            min=minimum,
            max=maximum,
            choice=stem if is_choice else None,
            targets=tuple(rest[:-1].split("|")) if rest else (),
            binding=binding if bound else None,
            value_set=value_set if bound else None,
            content=content_key,
            short=short,
            is_primitive=content_key is None,
        )


def contents() -> Iterable[str]:
    """Every key that `children` knows: types, data types and backbone elements."""
    return tables()["contents"].keys()


@functools.cache
def choices(content: str, stem: str) -> tuple[Element, ...]:
    """The properties of one choice: `("Patient", "deceased[x]")` → deceasedBoolean, deceasedDateTime; () if none."""
    return tuple(child for child in children(content).values() if child.choice == stem)


@functools.cache
def required(content: str) -> tuple[str, ...]:
    """The names that an instance must have, in HL7's order; for a choice its stem (`medication[x]`), once."""
    return tuple(dict.fromkeys(e.choice or e.name for e in children(content).values() if e.min > 0))


def element(path: str) -> Element:
    """The element at a JSON path, through data types, backbones and content references: `Patient.contact.name.family`.

    Raises KeyError with the part of the path that is not there; `suggest` knows the nearest that is.
    """
    first, *names = path.split(".")
    content: str | None = first
    found = None
    for depth, name in enumerate(names, 2):
        found = None if content is None or content not in tables()["contents"] else children(content).get(name)
        if found is None:
            raise KeyError(".".join([first, *names][:depth]))
        content = found.content
    if found is None:
        raise KeyError(path)
    return found


def walk(content: str, max_depth: int = 12) -> Iterator[tuple[str, Element]]:
    """Every (JSON path, element) below a type, parents before children, in HL7's order.

    Does not enter extensions (ruled by their URL), resources inside resources, or a type that is already open on the
    way down (`Questionnaire.item.item` is yielded, its children are not: they are those of `Questionnaire.item`).
    """
    yield from _walk(content, content, max_depth, frozenset({content}))


def _walk(prefix: str, content: str, depth: int, opened: frozenset[str]) -> Iterator[tuple[str, Element]]:
    if depth < 1:
        return
    for child in children(content).values():
        path = f"{prefix}.{child.name}"
        yield path, child
        if child.content and child.content not in opened and child.content not in ("Extension", "Resource"):
            yield from _walk(path, child.content, depth - 1, opened | {child.content})


def suggest(path: str) -> str | None:
    """The existing JSON path nearest to one that does not exist, for error messages; None when nothing is near.

    Knows slips of case (`patient.birthdate`) and spelling, choices by their stem (`Observation.value[x]` → its first
    type) and names a level or two too high (`Patient.family` → `Patient.name.family`). An existing path is its own
    answer.
    """
    first, *names = path.split(".")
    root = _nearest(first, resource_types() | data_types())
    at, content = root, root
    for name in names:
        if at is None or content is None:
            return at
        here = children(content)
        found = name if name in here else _by_stem(content, name) or _nearest(name, here, cutoff=0.8)
        if found is None:
            below = _below(content, name)
            if below is not None:
                return f"{at}.{below}"
            found = _nearest(name, here)
        if found is None:
            return None
        at, content = f"{at}.{found}", here[found].content
    return at


def _by_stem(content: str, name: str) -> str | None:
    options = choices(content, name if name.endswith("[x]") else f"{name}[x]")
    return options[0].name if options else None


def _below(content: str, name: str) -> str | None:
    """The shallowest path to a property of that very name, one or two levels further down."""
    deeper = (path for path, child in walk(content, max_depth=3) if child.name == name)
    best = min(deeper, key=lambda path: path.count("."), default=None)
    return best and best[len(content) + 1 :]


def _nearest(name: str, options: Iterable[str], cutoff: float = 0.6) -> str | None:
    names = sorted(options)
    same = [option for option in names if option.lower() == name.lower()]
    return next(iter(same or difflib.get_close_matches(name, names, 1, cutoff)), None)


def json_kind(primitive: str) -> JsonKind:
    """How JSON writes a primitive type; raises KeyError for what is none."""
    if primitive not in primitive_types():
        raise KeyError(primitive)
    return "boolean" if primitive == "boolean" else "number" if primitive in _NUMBERS else "string"


def regex(primitive: str) -> str:
    r"""HL7's regular expression for a primitive type, to be matched against the whole text.

    For xhtml R4 gives none (its rules are a grammar); any text matches. Raises KeyError for what is no primitive type.
    """
    return tables()["primitives"][primitive] or r"[\s\S]*"


def companion(name: str) -> str:
    """The property that holds a primitive's id and extensions: `birthDate` → `_birthDate`."""
    return "_" + name


def is_companion(name: str) -> bool:
    """Whether a property name is a companion's."""
    return name.startswith("_")


def without_companion(name: str) -> str:
    """The primitive that a companion belongs to: `_birthDate` → `birthDate`; other names stay as they are."""
    return name.removeprefix("_")
