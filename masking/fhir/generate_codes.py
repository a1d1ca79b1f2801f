"""Build `data/codes.json`, the codes of R4's required bindings: `python -m masking.fhir.generate_codes DEFINITIONS_DIR`.

DEFINITIONS_DIR holds HL7's own `valuesets.xml`, `v3-codesystems.xml` and `v2-tables.xml` of R4 4.0.1 at any depth; the
unpacked Maven artifact `ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4` does. Only *closed* value sets are taken: those
whose every code is listed there, or is of a code system that says that it is complete there. Media types, languages,
currencies and units are not: who asks for their codes learns that they are not known.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from masking.fhir.definitions import FHIR_VERSION, find
from masking.fhir.elements import children, contents

OUTPUT = Path(__file__).parent / "data" / "codes.json"
FILES = ("valuesets.xml", "v3-codesystems.xml", "v2-tables.xml")
SOURCE = {
    "standard": f"HL7 FHIR R4 {FHIR_VERSION}, http://hl7.org/fhir/R4",
    "publisher": "Health Level Seven International",
    "licence": "CC0-1.0",
    "files": list(FILES),
    "obtained_from": "Maven ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4:8.8.1 (Apache-2.0)",
}
_NS = "{http://hl7.org/fhir}"


@dataclass(slots=True)
class Terms:
    """Value sets as HL7 writes them, and the codes of those code systems that are complete; both by URL."""

    value_sets: dict[str, ElementTree.Element] = field(default_factory=dict)
    systems: dict[str, list[str]] = field(default_factory=dict)


def main(arguments: list[str]) -> int:
    """Generate the table; 2 when called wrongly."""
    if len(arguments) != 1:
        print("usage: python -m masking.fhir.generate_codes DEFINITIONS_DIR", file=sys.stderr)
        return 2
    terms = read(Path(arguments[0]))
    wanted = required_value_sets()
    sets = {url: codes for url in wanted if (codes := closed(terms, url)) is not None}
    OUTPUT.write_bytes(render(sets).encode())
    print(f"{OUTPUT.name}: {len(sets)} closed value sets of the {len(wanted)} that bindings require")
    return 0


def required_value_sets() -> list[str]:
    """The canonicals of the value sets that a code must be of, without versions."""
    found = {
        element.value_set.partition("|")[0]
        for content in contents()
        for element in children(content).values()
        if element.binding == "required" and element.value_set
    }
    return sorted(found)


def read(folder: Path) -> Terms:
    """Read HL7's files, wherever below `folder` they lie. Raises `FileNotFoundError` when one is missing."""
    found = Terms()
    for name in FILES:
        root = ElementTree.parse(find(folder, name)).getroot()
        for one in root.iter(f"{_NS}ValueSet"):
            found.value_sets[_value(one, "url")] = one
        for one in root.iter(f"{_NS}CodeSystem"):
            if _value(one, "content") == "complete":
                found.systems[_value(one, "url")] = list(_concepts(one))
    return found


def closed(terms: Terms, url: str, opened: tuple[str, ...] = ()) -> list[str] | None:
    """The codes of a value set; None where they are not all known."""
    value_set = terms.value_sets.get(url.partition("|")[0])
    compose = None if value_set is None else value_set.find(f"{_NS}compose")
    if compose is None or url in opened or compose.find(f"{_NS}exclude") is not None:
        return None
    codes: set[str] = set()
    for include in compose.findall(f"{_NS}include"):
        some = _included(terms, include, (*opened, url))
        if some is None:
            return None
        codes.update(some)
    return sorted(codes) if codes else None


def _included(terms: Terms, include: ElementTree.Element, opened: tuple[str, ...]) -> list[str] | None:
    """The codes of one part of a value set: listed, of a whole system, or of other value sets."""
    others = [str(one.get("value")) for one in include.findall(f"{_NS}valueSet")]
    system, listed = _value(include, "system"), include.findall(f"{_NS}concept")
    if include.find(f"{_NS}filter") is not None or (others and system):
        return None
    if listed:
        return [_value(one, "code") for one in listed]
    if system:
        return terms.systems.get(system)
    parts = [closed(terms, other, opened) for other in others]
    # A code must be in all of them; HL7 names one.
    return parts[0] if len(parts) == 1 else None


def _concepts(parent: ElementTree.Element) -> Iterator[str]:
    for one in parent.findall(f"{_NS}concept"):
        yield _value(one, "code")
        yield from _concepts(one)


def render(sets: Mapping[str, list[str]]) -> str:
    """The data file's text: JSON, one value set a line, in order of their URLs."""
    rows = ",\n".join(f"{_dumps(url)}:{_dumps(' '.join(codes))}" for url, codes in sorted(sets.items()))
    return f'{{\n"source":{_dumps(SOURCE)},\n"sets":{{\n{rows}\n}}\n}}\n'


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value(element: ElementTree.Element, name: str) -> str:
    child = element.find(f"{_NS}{name}")
    return "" if child is None else str(child.get("value"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
