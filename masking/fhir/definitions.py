"""Read HL7's R4 definitions (XML) into plain rows; used by the generator alone, never at run time.

Why the XML and not one of the JSON bundles that circulate in packages: those are often edited. One that claims 4.0.1
adds `Meta.project`, `Binary.url`, a 147th resource type and R5's `ResearchStudy`; a table built on it would let
unknown elements through as known ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

FHIR_VERSION = "4.0.1"
_NS = "{http://hl7.org/fhir}"
_SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
_REGEX = "http://hl7.org/fhir/StructureDefinition/regex"

#: One element: name, min, max (None = any number), type codes, short text, binding strength, value set.
#: A type code is `Quantity`, `Reference(Group|Patient)` or, for a content reference, `#Questionnaire.item`.
Row = list[Any]


@dataclass(slots=True)
class Content:
    """The children of a type or a backbone element: what it inherits from, and its own rows in declared order."""

    base: str | None
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Definitions:
    """All that the tables need from HL7's files."""

    resources: list[str] = field(default_factory=list)
    data_types: list[str] = field(default_factory=list)
    primitives: dict[str, str | None] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    compartment: dict[str, list[str]] = field(default_factory=dict)


def read(folder: Path) -> Definitions:
    """Read `profiles-types.xml` and `profiles-resources.xml`, wherever below `folder` they lie.

    Raises `FileNotFoundError` when one is missing and `ValueError` when a definition is not of R4 4.0.1.
    """
    found = Definitions()
    for name in ("profiles-types.xml", "profiles-resources.xml"):
        root = ElementTree.parse(find(folder, name)).getroot()
        for structure in root.iter(f"{_NS}StructureDefinition"):
            _add_structure(found, structure)
        for compartment in root.iter(f"{_NS}CompartmentDefinition"):
            if _value(compartment, "code") == "Patient":
                found.compartment = {
                    str(_value(entry, "code")): [str(p.get("value")) for p in entry.findall(f"{_NS}param")]
                    for entry in compartment.findall(f"{_NS}resource")
                }
    _drop_inherited(found.contents)
    return found


def find(folder: Path, name: str) -> Path:
    """The one file called `name` below `folder`."""
    paths = sorted(folder.rglob(name))
    if len(paths) != 1:
        raise FileNotFoundError(f"expected one {name} below the definitions folder, found {len(paths)}")
    return paths[0]


def _add_structure(found: Definitions, structure: ElementTree.Element) -> None:
    kind, name = _value(structure, "kind"), str(_value(structure, "type"))
    # Profiles (SimpleQuantity, MoneyQuantity) constrain a type that is there already; logical models are no JSON.
    if kind == "logical" or _value(structure, "derivation") == "constraint":
        return
    if _value(structure, "fhirVersion") != FHIR_VERSION:
        raise ValueError(f"{name} is not of FHIR {FHIR_VERSION}")
    elements = structure.findall(f"{_NS}snapshot/{_NS}element")
    if kind == "primitive-type":
        found.primitives[name] = _regex(elements)
        return
    if _value(structure, "abstract") == "false":
        (found.resources if kind == "resource" else found.data_types).append(name)
    base = _value(structure, "baseDefinition")
    found.contents[name] = Content(base.rsplit("/", 1)[1] if base else None)
    for element in elements[1:]:
        path = str(_value(element, "path"))
        parent, _, last = path.rpartition(".")
        types = list(_types(element, path, kind))
        if parent not in found.contents:
            raise ValueError(f"{path} comes before its parent")
        found.contents[parent].rows.append(_row(element, last, types))
        if types in (["BackboneElement"], ["Element"]):
            found.contents[path] = Content(types[0])


def _row(element: ElementTree.Element, name: str, types: list[str]) -> Row:
    maximum = _value(element, "max")
    binding = element.find(f"{_NS}binding")
    return [
        name,
        int(_value(element, "min") or 0),
        None if maximum == "*" else int(maximum or 0),
        types,
        " ".join((_value(element, "short") or "").split()),
        None if binding is None else _value(binding, "strength"),
        None if binding is None else _value(binding, "valueSet"),
    ]


def _types(element: ElementTree.Element, path: str, kind: str | None) -> Iterator[str]:
    reference = _value(element, "contentReference")
    if reference:
        yield reference
    for entry in element.findall(f"{_NS}type"):
        code = str(_value(entry, "code"))
        if code.startswith(_SYSTEM_TYPE):
            code = _fhir_type(path, kind)
        targets = [str(p.get("value")).rsplit("/", 1)[1] for p in entry.findall(f"{_NS}targetProfile")]
        yield f"{code}({'|'.join(targets)})" if targets else code


def _fhir_type(path: str, kind: str | None) -> str:
    """The FHIR type behind a FHIRPath system type.

    HL7's snapshots annotate the inherited `Patient.id` as string; the specification's text says id, and so does the
    definition of Resource itself.
    """
    depth, name = path.count("."), path.rpartition(".")[2]
    if name not in ("id", "url"):
        raise ValueError(f"{path} has a system type that has no FHIR type here")
    if name == "url":
        return "uri"
    return "id" if kind == "resource" and depth == 1 else "string"


def _drop_inherited(contents: dict[str, Content]) -> None:
    """Leave out the rows that a content takes over from its base unchanged; they always come first."""
    complete = {name: list(content.rows) for name, content in contents.items()}
    for name, content in contents.items():
        inherited = [] if content.base is None else complete[content.base]
        if complete[name][: len(inherited)] == inherited:
            content.rows = complete[name][len(inherited) :]
        else:
            content.base = None


def _regex(elements: list[ElementTree.Element]) -> str | None:
    for extension in (e for element in elements for e in element.iter(f"{_NS}extension")):
        if extension.get("url") == _REGEX:
            return _value(extension, "valueString")
    return None


def _value(element: ElementTree.Element, name: str) -> str | None:
    child = element.find(f"{_NS}{name}")
    return None if child is None else child.get("value")
