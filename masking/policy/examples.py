"""Made-up examples: a value for every kind of element, with what would stand beside it. Nobody's data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from masking.fhir.elements import Element
from masking.keys import Keyring, MasterKey
from masking.maskers.base import BoundMasker

#: The day on which ages of examples are kept.
EXAMPLE_DATE = "2026-01-01"

_BY_ELEMENT = {
    "Address.city": "Springfield",
    "Address.country": "US",
    "Address.district": "Sangamon",
    "Address.line": "12 Sample Street",
    "Address.postalCode": "62701",
    "Address.state": "IL",
    "Address.text": "12 Sample Street, Springfield, IL 62701",
    "Annotation.text": "Mrs. Novak called on 17 May.",
    "Attachment.contentType": "image/png; name=novak.png",
    "Attachment.title": "Letter to Mrs. Novak",
    "AuditEvent.agent.network.address": "10.1.2.3",
    "Binary.contentType": "image/png; name=novak.png",
    **dict.fromkeys(("Bundle.entry.response.etag", "Bundle.entry.request.ifMatch"), 'W/"3"'),
    "Bundle.entry.request.ifNoneMatch": 'W/"3"',
    "Bundle.entry.request.ifNoneExist": "identifier=https://hospital.example.org/mrn|MRN-0048213",
    "CodeableConcept.text": "Body weight",
    "Coding.code": "29463-7",
    "Coding.display": "Body weight",
    "Coding.system": "http://loinc.org",
    "ContactPoint.value": "+1 217 555 3921",
    "Expression.expression": "age > 17",
    "HumanName.family": "Novak",
    "HumanName.given": "Maria",
    "HumanName.prefix": "Mrs.",
    "HumanName.suffix": "MD",
    "HumanName.text": "Mrs. Maria Novak MD",
    "Identifier.system": "https://hospital.example.org/mrn",
    "Identifier.value": "MRN-0048213",
    "Location.position.latitude": "39.7990",
    "Location.position.longitude": "-89.6440",
    "Meta.versionId": "7",
    "Narrative.div": '<div xmlns="http://www.w3.org/1999/xhtml">Maria Novak, born 14 March 1987</div>',
    "Narrative.status": "generated",
    "Patient.gender": "female",
    "Quantity.code": "kg",
    "Quantity.comparator": "<",
    "Quantity.system": "http://unitsofmeasure.org",
    "Quantity.unit": "kg",
    "Quantity.value": "71.50",
    "Reference.display": "Maria Novak",
    "Reference.reference": "Patient/example-1",
    "Reference.type": "Patient",
    "Signature.sigFormat": "image/png; name=novak.png",
    "Signature.targetFormat": "application/fhir+json",
}

_BY_TYPE = {
    "base64Binary": "TWFyaWEgTm92YWs=",
    "boolean": "true",
    "canonical": "http://example.org/fhir/StructureDefinition/visit|1.0",
    "code": "final",
    "date": "1987-03-14",
    "dateTime": "2024-05-17T09:30:00+02:00",
    "decimal": "5.40",
    "id": "example-1",
    "instant": "2024-05-17T09:30:00.125Z",
    "integer": "3",
    "markdown": "Mrs. Novak *feels well*.",
    "oid": "urn:oid:1.2.840.99999.7",
    "positiveInt": "2",
    "string": "Maria Novak was here",
    "time": "09:30:00",
    "unsignedInt": "4",
    "uri": "https://ehr.example.org/fhir/Patient/example-1",
    "url": "https://ehr.example.org/fhir/Patient/example-1",
    "uuid": "urn:uuid:9e107d9d-372b-4c8e-9a5b-0c3f3f3a8d11",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">Maria Novak</div>',
}

#: Where only the masker tells what the value is: in an extension.
_BY_MASKER = {
    "date_shift": _BY_TYPE["dateTime"],
    "first_name": _BY_ELEMENT["HumanName.given"],
    "full_name": _BY_ELEMENT["HumanName.text"],
    "last_name": _BY_ELEMENT["HumanName.family"],
    "phone": _BY_ELEMENT["ContactPoint.value"],
    "pseudonymize_id": _BY_TYPE["id"],
    "reference": _BY_ELEMENT["Reference.reference"],
    "retain_age": _BY_TYPE["date"],
    "ssn": "219-09-9999",
}

_BY_PART = {"postal_code": "62701", "latitude": "39.7990", "longitude": "-89.6440"}

_BY_SYSTEM = {
    "http://hl7.org/fhir/sid/us-npi": "1234567893",
    "http://hl7.org/fhir/sid/us-ssn": "219-09-9999",
    "urn:oid:2.16.840.1.113883.4.1": "219-09-9999",
    "urn:oid:2.16.840.1.113883.4.6": "1234567893",
    "urn:ietf:rfc:3986": "urn:uuid:9e107d9d-372b-4c8e-9a5b-0c3f3f3a8d11",
}

_BY_CODE = {"SS": "219-09-9999", "NPI": "1234567893", "DL": "S617-0429-3381", "PPN": "X4827391", "AN": "5200-7719-03"}

#: What stands beside the value (`masking.maskers.base.CONTEXT`).
_BESIDE: Mapping[str, str | None] = {
    "subject": "example-1",
    "sex": "female",
    "system": None,
    "unit": "a",
    "deceased": None,
    "birth_date": "1987-03-14",
    "family": "Novak",
    "given": "Maria",
    "address": "12 Sample Street|Springfield|IL|62701|US",
    "referent": "Patient/example-1",
    "owner": "Patient/example-1",
    "people": None,
    "strangers": None,
    "numbers": None,
    "content_type": "text/plain",
    "data": "U2VlbiBieSBNYXJpYSBOb3Zhay4=",
    "chart": None,
}


class ExamplePeople:
    """Knows one human, who is made up: Maria Novak, whom all examples are about."""

    _MARIA = SimpleNamespace(
        name="Patient/example-1",
        key="example-1",
        resource_type="Patient",
        sex="female",
        birth_date="1987-03-14",
        birth_dates=("1987-03-14",),
        births=(),
        death_dates=(),
        death_date=None,
        names=(SimpleNamespace(use="official", family="Novak", given=("Maria",), text="Maria Novak"),),
        **dict.fromkeys(("telecoms", "addresses", "identifiers", "contacts", "relatives", "carers", "met"), ()),
    )

    def facts(self, who: str) -> Any:
        """Maria, by her key or her name."""
        return self._MARIA if who in (self._MARIA.key, self._MARIA.name) else None

    def canonical(self, who: str) -> str:
        """She has one record."""
        return who.rpartition("/")[2]


def example_key() -> Keyring:
    """The keyring of all examples. It is public, so it masks nothing else."""
    secret = hashlib.sha256(b"fhir-masking: the public key of examples, never of data").digest()
    return MasterKey.from_bytes(secret).keyring("examples")


def example_value(element: Element, path: str) -> str | None:
    """A made-up value for a primitive element at a path; None for complex ones."""
    if not element.is_primitive:
        return None
    if element.name == "id":
        return _BY_TYPE["id"]
    owner = element.path.rpartition(".")[0]
    for name in (path, element.path, f"{owner}.{element.name}"):
        if name in _BY_ELEMENT:
            return _BY_ELEMENT[name]
    return _BY_TYPE[element.type]


def extension_example(masker: str, part: str | None) -> str:
    """A made-up value for an extension that a masker of that name maps; `part` is the part of an address it is."""
    if part is not None:
        return _BY_PART.get(part) or _BY_ELEMENT.get(f"Address.{part}", _BY_TYPE["string"])
    return _BY_MASKER.get(masker, _BY_TYPE["string"])


def identifier_example(system: str | None = None, code: str | None = None) -> str:
    """A made-up `Identifier.value` of that system or type code."""
    return _BY_SYSTEM.get(system or "") or _BY_CODE.get(code or "") or _BY_ELEMENT["Identifier.value"]


def run_example(masker: BoundMasker, value: str, **beside: str | None) -> str | None:
    """What a bound masker makes of one value; `beside` overrides what stands beside it. None: it is redacted."""
    around = {**_BESIDE, **beside}
    context: dict[str, Sequence[str | None]] = {name: [around.get(name)] for name in masker.context}
    return masker.mask_distinct([value], **context)[0]
