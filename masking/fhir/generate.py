"""Build `data/r4.json` from HL7's definitions: `python -m masking.fhir.generate DEFINITIONS_DIR`.

DEFINITIONS_DIR holds HL7's own `profiles-types.xml`, `profiles-resources.xml` and `search-parameters.json` of R4
4.0.1 at any depth; the unpacked Maven artifact `ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4` does. Equal input
gives equal bytes, one element a line, so that a change of the table can be read in a diff.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from masking.fhir.compartment import SUBJECT_NAMES
from masking.fhir.definitions import FHIR_VERSION, Definitions, find, read

OUTPUT = Path(__file__).parent / "data" / "r4.json"

SOURCE = {
    "standard": f"HL7 FHIR R4 {FHIR_VERSION}, http://hl7.org/fhir/R4",
    "publisher": "Health Level Seven International",
    "licence": "CC0-1.0",
    "files": ["profiles-types.xml", "profiles-resources.xml", "search-parameters.json"],
    "obtained_from": "Maven ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4:8.8.1 (Apache-2.0)",
}

#: Outside the compartment and not called a subject, yet a person's data: the donor of a blood or tissue product.
OTHER_SUBJECTS = {"BiologicallyDerivedProduct": ("collection.source",)}


def main(arguments: list[str]) -> int:
    """Generate the table; 2 when called wrongly."""
    if len(arguments) != 1:
        print("usage: python -m masking.fhir.generate DEFINITIONS_DIR", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    definitions = read(folder)
    searches = json.loads(find(folder, "search-parameters.json").read_text("utf-8"))
    OUTPUT.write_bytes(render(definitions, subjects(definitions, searches)).encode())
    print(f"{OUTPUT.name}: {len(definitions.resources)} resource types, {len(definitions.contents)} contents")
    return 0


def render(definitions: Definitions, subject_paths: dict[str, list[str]]) -> str:
    """The data file's text: JSON, keys sorted, one element a line in HL7's order."""
    blocks = []
    for name in sorted(definitions.contents):
        content = definitions.contents[name]
        rows = ",\n".join(_dumps(row) for row in content.rows)
        blocks.append(
            f"{_dumps(name)}:[{_dumps(content.base)},[\n{rows}\n]]"
            if rows
            else f"{_dumps(name)}:[{_dumps(content.base)},[]]"
        )
    head = {
        "source": SOURCE,
        "resources": sorted(definitions.resources),
        "data_types": sorted(definitions.data_types),
        "primitives": dict(sorted(definitions.primitives.items())),
        "subjects": dict(sorted(subject_paths.items())),
    }
    lines = [f"{_dumps(key)}:{_dumps(value)}" for key, value in head.items()]
    return "{\n" + ",\n".join(lines) + ',\n"contents":{\n' + ",\n".join(blocks) + "\n}\n}\n"


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def subjects(definitions: Definitions, searches: dict[str, Any]) -> dict[str, list[str]]:
    """The paths of the references that say whose resource it is, by type, best first; types without are left out.

    From R4's patient compartment (its search parameters turned into paths); for types outside it (R4 forgot Task), from
    the type's own element with a subject's name. Only references that can point at a Patient count.
    """
    expressions = {
        (base, parameter["resource"]["code"]): parameter["resource"].get("expression", "")
        for parameter in searches["entry"]
        if parameter["resource"]["resourceType"] == "SearchParameter"
        for base in parameter["resource"]["base"]
    }
    found = {}
    for resource_type in definitions.resources:
        parameters = definitions.compartment.get(resource_type, [])
        paths = [
            path for code in parameters for path in _paths(resource_type, expressions.get((resource_type, code), ""))
        ]
        if not parameters:
            paths = [*SUBJECT_NAMES, *OTHER_SUBJECTS.get(resource_type, ())]
        usable = [path for path in dict.fromkeys(paths) if _points_at_patient(definitions, resource_type, path)]
        # `Patient.link` points at other Patients: a patient is its own subject.
        if usable and resource_type != "Patient":
            found[resource_type] = sorted(usable, key=_preference)
    return found


def _preference(path: str) -> int:
    return SUBJECT_NAMES.index(path) if path in SUBJECT_NAMES else len(SUBJECT_NAMES)


def _paths(resource_type: str, expression: str) -> Iterator[str]:
    """The plain paths of one type in a search parameter's FHIRPath: `A.b | C.d.where(resolve() is Patient)`."""
    for part in expression.split("|"):
        plain = re.sub(r"\.where\(resolve\(\) is \w+\)$", "", part.strip())
        owner, _, path = plain.partition(".")
        if owner != resource_type:
            continue
        if not re.fullmatch(r"[A-Za-z]+(\.[A-Za-z]+)*", path):
            raise ValueError(f"cannot read the path of {resource_type} in the patient compartment: {part}")
        yield path


def _points_at_patient(definitions: Definitions, resource_type: str, path: str) -> bool:
    parent, _, name = f"{resource_type}.{path}".rpartition(".")
    content = definitions.contents.get(parent)
    types: list[str] = next((row[3] for row in content.rows if row[0] == name), []) if content else []
    return any(
        code == "Reference" or re.search(r"[(|](Patient|Resource)[|)]", code)
        for code in types
        if code.startswith("Reference")
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
