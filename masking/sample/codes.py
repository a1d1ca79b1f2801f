"""Public code systems and the small helpers that turn a code into a CodeableConcept.

LOINC, SNOMED CT, RxNorm, ICD-10-CM, CVX, UCUM and HL7's own systems; the codes are facts, used with their own displays.
Constants are encoded once: a `msgspec.Raw` costs a copy where a dict costs a walk.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
CVX = "http://hl7.org/fhir/sid/cvx"
UCUM = "http://unitsofmeasure.org"
NPI = "http://hl7.org/fhir/sid/us-npi"
SSN = "http://hl7.org/fhir/sid/us-ssn"
HL7 = "http://terminology.hl7.org/CodeSystem/"

#: The made-up hospital's own namespaces. `.test` is a reserved top-level domain: no such host can exist.
BASE = "https://ehr.hospital.test/fhir"
MRN = "https://ehr.hospital.test/mrn"
LICENCE = "urn:oid:2.16.840.1.113883.4.3.25"
PASSPORT = "http://hl7.org/fhir/sid/passport-USA"
MEMBER = "https://payer.test/member-number"
ACCOUNT = "https://ehr.hospital.test/account"
BIOMETRIC = "https://ehr.hospital.test/fingerprint-template"
VEHICLE = "https://ehr.hospital.test/parking/vehicle"
DEA = "urn:oid:2.16.840.1.113883.4.814"


class Concept(NamedTuple):
    """A code with its JSON in both shapes, and its code and words for narratives and notes."""

    concept: msgspec.Raw
    coding: msgspec.Raw
    code: str
    text: str


def raw(value: Any) -> msgspec.Raw:
    """A constant, encoded once."""
    return msgspec.Raw(msgspec.json.encode(value))


def concept(system: str, code: str, display: str, *more: tuple[str, str, str], text: str | None = None) -> Concept:
    """A CodeableConcept of one coding, or of several with the same meaning."""
    codings = [{"system": s, "code": c, "display": d} for s, c, d in ((system, code, display), *more)]
    return Concept(raw({"coding": codings, "text": text or display}), raw(codings[0]), code, text or display)


def hl7(system: str, code: str, display: str) -> Concept:
    """A code of one of HL7's own systems, by the last part of its URL."""
    return concept(HL7 + system, code, display)


def identifier_type(code: str, display: str) -> msgspec.Raw:
    """An Identifier.type of table 0203."""
    return hl7("v2-0203", code, display).concept
