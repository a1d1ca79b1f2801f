"""Which version of FHIR a resource seems to be of, where it is not of R4: by its type, its fhirVersion, or its elements.

The types are those that HL7's other releases list and R4 (4.0.1) does not; the elements are ones that a release renamed,
so that they are in it and not in R4. https://hl7.org/fhir/history.html, and each resource's page on what changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

DSTU2, STU3, R4B, R5 = "DSTU2", "STU3", "R4B", "R5"

_TYPES: Mapping[str, tuple[str, ...]] = {
    DSTU2: (
        "Conformance", "DeviceUseRequest", "DiagnosticOrder", "ImagingObjectSelection", "MedicationOrder", "Order",
        "OrderResponse",
    ),
    STU3: (
        "BodySite", "DataElement", "DeviceComponent", "EligibilityRequest", "EligibilityResponse", "ExpansionProfile",
        "ImagingManifest", "ProcedureRequest", "ProcessRequest", "ProcessResponse", "ReferralRequest", "Sequence",
        "ServiceDefinition",
    ),
    R4B: (
        "AdministrableProductDefinition", "Citation", "ClinicalUseDefinition", "EvidenceReport", "Ingredient",
        "ManufacturedItemDefinition", "MedicinalProductDefinition", "NutritionProduct", "PackagedProductDefinition",
        "RegulatedAuthorization", "SubscriptionStatus", "SubscriptionTopic", "SubstanceDefinition",
    ),
    R5: (
        "ActorDefinition", "ArtifactAssessment", "BiologicallyDerivedProductDispense", "ConditionDefinition",
        "DeviceAssociation", "DeviceDispense", "DeviceUsage", "EncounterHistory", "FormularyItem", "GenomicStudy",
        "ImagingSelection", "InventoryItem", "InventoryReport", "NutritionIntake", "Permission", "RequestOrchestration",
        "Requirements", "TestPlan", "Transport",
    ),
}  # fmt: skip
_VERSION_OF = {name: version for version, names in _TYPES.items() for name in names}

_ELEMENTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    STU3: {
        "AllergyIntolerance": ("assertedDate",),
        "Condition": ("assertedDate", "context"),
        "DiagnosticReport": ("context", "codedDiagnosis"),
        "DocumentReference": ("class", "indexed"),
        "Encounter": ("incomingReferral", "reason"),
        "Immunization": ("notGiven", "practitioner"),
        "MedicationDispense": ("notDone",),
        "MedicationRequest": ("context",),
        "MedicationStatement": ("reasonNotTaken", "taken"),
        "Observation": ("context", "related"),
        "Patient": ("animal",),
        "Procedure": ("context", "notDone"),
    },
    R5: {
        "AuditEvent": ("occurredDateTime", "occurredPeriod"),
        "CarePlan": ("custodian",),
        "DocumentReference": ("modality", "bodySite"),
        "Encounter": ("actualPeriod", "admission", "plannedStartDate"),
        "Immunization": ("informationSource", "supportingInformation"),
        "Location": ("characteristic", "contact", "form"),
        "MedicationRequest": ("effectiveDosePeriod", "medication", "renderedDosageInstruction"),
        "MedicationDispense": ("medication",),
        "Observation": ("triggeredBy", "instantiatesCanonical", "instantiatesReference"),
        "Procedure": ("occurrenceDateTime", "occurrencePeriod"),
    },
}  # fmt: skip
_NUMBERS = {"0": DSTU2, "1": DSTU2, "3": STU3, "4.3": R4B, "5": R5}


class Seems(NamedTuple):
    """A version, and why: `resourceType`, `fhirVersion` or the name of an element."""

    version: str
    because: str


def version_of_type(resource_type: str) -> str | None:
    """The version that has a type which R4 has not; of several the nearest to R4. None where none has it."""
    return _VERSION_OF.get(resource_type)


def seems(resource: Mapping[str, Any]) -> Seems | None:
    """The version of a resource by what is in it; None where nothing speaks against R4."""
    name = resource.get("resourceType")
    if not isinstance(name, str):
        return None
    if name in _VERSION_OF:
        return Seems(_VERSION_OF[name], "resourceType")
    number = _number(resource.get("fhirVersion"))
    if number is not None:
        return Seems(number, "fhirVersion")
    return _by_elements(name, resource.keys())


def _number(found: Any) -> str | None:
    """The version that a fhirVersion names, if it is not R4's."""
    if not isinstance(found, str):
        return None
    parts = found.split(".")
    return _NUMBERS.get(".".join(parts[:2])) or _NUMBERS.get(parts[0])


def _by_elements(resource_type: str, names: Collection[str]) -> Seems | None:
    for version, types in _ELEMENTS.items():
        for name in types.get(resource_type, ()):
            if name in names:
                return Seems(version, name)
    return None
