"""The generator on a small made-up set of definitions, and, where HL7's are at hand, on those."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from masking.fhir import generate
from masking.fhir.definitions import find, read

DEFINITIONS = Path(os.environ.get("FHIR_R4_DEFINITIONS", "../node_modules/hl7.fhir.r4.definitions"))


def _structure(kind: str, name: str, base: str, *elements: str, version: str = "4.0.1", derivation: str = "") -> str:
    snapshot = "".join(f"<element>{element}</element>" for element in (f'<path value="{name}"/>', *elements))
    return (
        f'<StructureDefinition><fhirVersion value="{version}"/><kind value="{kind}"/><abstract value="false"/>'
        f'<type value="{name}"/><baseDefinition value="x/{base}"/>'
        + (f'<derivation value="{derivation}"/>' if derivation else "")
        + f"<snapshot>{snapshot}</snapshot></StructureDefinition>"
    )


def _element(path: str, type_: str, maximum: str = "1") -> str:
    return f'<path value="{path}"/><min value="0"/><max value="{maximum}"/><type><code value="{type_}"/></type>'


def _reference(path: str, target: str) -> str:
    plain = _element(path, "Reference")
    return plain.replace("</type>", f'<targetProfile value="http://x/{target}"/></type>')


STRING = "http://hl7.org/fhirpath/System.String"
BASES = (
    _structure("complex-type", "Element", "Base", _element("Element.id", STRING)),
    _structure("complex-type", "BackboneElement", "Element", _element("BackboneElement.id", STRING)),
    _structure("complex-type", "Base", "Base"),
    _structure("resource", "Resource", "Base", _element("Resource.id", STRING)),
)
THING = _structure(
    "resource", "Thing", "Resource",
    _element("Thing.id", STRING),
    _element("Thing.part", "BackboneElement", "*"),
    _element("Thing.part.id", STRING),
    _reference("Thing.part.who", "Patient"),
    _reference("Thing.author", "Practitioner"),
    _reference("Thing.subject", "Patient"),
)  # fmt: skip
COMPARTMENT = (
    '<CompartmentDefinition><code value="Patient"/><resource><code value="Thing"/><param value="who"/>'
    '<param value="author"/><param value="patient"/></resource></CompartmentDefinition>'
)


def _write(folder: Path, *structures: str) -> Path:
    bundle = '<Bundle xmlns="http://hl7.org/fhir">{}</Bundle>'
    (folder / "deep").mkdir()
    (folder / "deep" / "profiles-types.xml").write_text(bundle.format("".join(BASES)))
    (folder / "profiles-resources.xml").write_text(bundle.format("".join([*structures, COMPARTMENT])))
    expressions = {
        "who": "Other.who | Thing.part.who",
        "author": "Thing.author",
        "patient": "Thing.subject.where(resolve() is Patient)",
    }
    searches = [
        {"resource": {"resourceType": "SearchParameter", "base": ["Thing"], "code": code, "expression": expression}}
        for code, expression in expressions.items()
    ]
    (folder / "search-parameters.json").write_text(json.dumps({"entry": searches}))
    return folder


def test_inherited_rows_are_left_out_and_ids_get_their_fhir_type(tmp_path: Path) -> None:
    found = read(_write(tmp_path, THING))
    assert [row[0] for row in found.contents["Thing"].rows] == ["part", "author", "subject"]
    assert (found.contents["Thing"].base, found.contents["Thing.part"].base) == ("Resource", "BackboneElement")
    assert found.contents["Resource"].rows == [["id", 0, 1, ["id"], "", None, None]]
    assert found.contents["Element"].rows == [["id", 0, 1, ["string"], "", None, None]]
    assert found.contents["Thing.part"].rows == [["who", 0, 1, ["Reference(Patient)"], "", None, None]]


def test_subjects_come_from_the_compartment_best_first_and_only_where_a_patient_can_stand(tmp_path: Path) -> None:
    folder = _write(tmp_path, THING)
    searches = json.loads((folder / "search-parameters.json").read_text())
    assert generate.subjects(read(folder), searches) == {"Thing": ["subject", "part.who"]}


def test_other_versions_and_profiles(tmp_path: Path) -> None:
    profile = _structure("resource", "Thing", "Thing", _element("Thing.more", STRING), derivation="constraint")
    assert read(_write(tmp_path, THING, profile)).contents.keys() >= {"Thing"}
    (tmp_path / "profiles-resources.xml").unlink()
    with pytest.raises(FileNotFoundError):
        find(tmp_path, "profiles-resources.xml")


def test_definitions_of_another_version_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not of FHIR 4\.0\.1"):
        read(_write(tmp_path, _structure("resource", "Thing", "Resource", version="5.0.0")))


def test_equal_input_gives_equal_bytes_that_are_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _write(tmp_path, THING)
    monkeypatch.setattr(generate, "OUTPUT", tmp_path / "out.json")
    written = [(generate.main([str(folder)]), generate.OUTPUT.read_bytes()) for _ in range(2)]
    assert written[0] == written[1] and written[0][0] == 0
    table = json.loads(written[0][1])
    assert table["source"]["licence"] == "CC0-1.0"
    assert table["contents"]["Thing"][0] == "Resource"
    assert generate.main([]) == 2


@pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="FHIR_R4_DEFINITIONS names no folder")
def test_the_committed_table_is_what_hl7s_definitions_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = generate.OUTPUT.read_bytes()
    monkeypatch.setattr(generate, "OUTPUT", tmp_path / "out.json")
    assert generate.main([str(DEFINITIONS)]) == 0
    assert generate.OUTPUT.read_bytes() == committed
