"""For each type the elements that say when it was: its main date, by which tables are sorted and partitioned.

Clinical time comes before the time of writing, as in R4's search parameter `date` where a type has one. The first
element that is there counts. Types that are not listed have no date of their own: `meta.lastUpdated` is a server's
and is no substitute.
"""

from __future__ import annotations

from masking.fhir.elements import element

#: Whether tables are kept in a folder a year of the main date: very large ones, none, all.
AUTO, NONE, YEAR = "auto", "none", "year"

#: Paths without the type, best first; the last step is a date, dateTime or instant.
_MAIN_DATES: dict[str, tuple[str, ...]] = {
    "Account": ("servicePeriod.start",),
    "ActivityDefinition": ("date",),
    "AdverseEvent": ("date", "detected", "recordedDate"),
    "AllergyIntolerance": ("onsetDateTime", "onsetPeriod.start", "recordedDate", "lastOccurrence"),
    "Appointment": ("start", "requestedPeriod.start", "created"),
    "AppointmentResponse": ("start",),
    "AuditEvent": ("recorded", "period.start"),
    "Basic": ("created",),
    "Bundle": ("timestamp",),
    "CapabilityStatement": ("date",),
    "CarePlan": ("period.start", "created"),
    "CareTeam": ("period.start",),
    "CatalogEntry": ("lastUpdated", "validityPeriod.start"),
    "ChargeItem": ("occurrenceDateTime", "occurrencePeriod.start", "enteredDate"),
    "ChargeItemDefinition": ("date",),
    "Claim": ("billablePeriod.start", "created"),
    "ClaimResponse": ("created",),
    "ClinicalImpression": ("effectiveDateTime", "effectivePeriod.start", "date"),
    "CodeSystem": ("date",),
    "Communication": ("sent", "received"),
    "CommunicationRequest": ("occurrenceDateTime", "occurrencePeriod.start", "authoredOn"),
    "CompartmentDefinition": ("date",),
    "Composition": ("date",),
    "ConceptMap": ("date",),
    "Condition": ("onsetDateTime", "onsetPeriod.start", "recordedDate"),
    "Consent": ("dateTime",),
    "Contract": ("issued", "applies.start"),
    "Coverage": ("period.start",),
    "CoverageEligibilityRequest": ("servicedDate", "servicedPeriod.start", "created"),
    "CoverageEligibilityResponse": ("servicedDate", "servicedPeriod.start", "created"),
    "DetectedIssue": ("identifiedDateTime", "identifiedPeriod.start"),
    "Device": ("manufactureDate",),
    "DeviceRequest": ("occurrenceDateTime", "occurrencePeriod.start", "authoredOn"),
    "DeviceUseStatement": ("timingDateTime", "timingPeriod.start", "recordedOn"),
    "DiagnosticReport": ("effectiveDateTime", "effectivePeriod.start", "issued"),
    "DocumentManifest": ("created",),
    "DocumentReference": ("date", "context.period.start"),
    "EffectEvidenceSynthesis": ("date",),
    "Encounter": ("period.start",),
    "Endpoint": ("period.start",),
    "EnrollmentRequest": ("created",),
    "EnrollmentResponse": ("created",),
    "EpisodeOfCare": ("period.start",),
    "EventDefinition": ("date",),
    "Evidence": ("date",),
    "EvidenceVariable": ("date",),
    "ExampleScenario": ("date",),
    "ExplanationOfBenefit": ("billablePeriod.start", "created"),
    "FamilyMemberHistory": ("date",),
    "Flag": ("period.start",),
    "Goal": ("startDate", "statusDate"),
    "GraphDefinition": ("date",),
    "GuidanceResponse": ("occurrenceDateTime",),
    "ImagingStudy": ("started",),
    "Immunization": ("occurrenceDateTime", "recorded"),
    "ImmunizationEvaluation": ("date",),
    "ImmunizationRecommendation": ("date",),
    "ImplementationGuide": ("date",),
    "InsurancePlan": ("period.start",),
    "Invoice": ("date",),
    "Library": ("date",),
    "List": ("date",),
    "Measure": ("date",),
    "MeasureReport": ("date", "period.start"),
    "Media": ("createdDateTime", "createdPeriod.start", "issued"),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod.start"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod.start", "dateAsserted"),
    "MedicinalProductAuthorization": ("statusDate", "validityPeriod.start"),
    "MessageDefinition": ("date",),
    "NamingSystem": ("date",),
    "NutritionOrder": ("dateTime",),
    "Observation": ("effectiveDateTime", "effectivePeriod.start", "effectiveInstant", "issued"),
    "OperationDefinition": ("date",),
    "OrganizationAffiliation": ("period.start",),
    "Patient": ("birthDate",),
    "PaymentNotice": ("created", "paymentDate"),
    "PaymentReconciliation": ("period.start", "created", "paymentDate"),
    "Person": ("birthDate",),
    "PlanDefinition": ("date",),
    "Practitioner": ("birthDate",),
    "PractitionerRole": ("period.start",),
    "Procedure": ("performedDateTime", "performedPeriod.start"),
    "Provenance": ("occurredDateTime", "occurredPeriod.start", "recorded"),
    "Questionnaire": ("date",),
    "QuestionnaireResponse": ("authored",),
    "RelatedPerson": ("birthDate",),
    "RequestGroup": ("authoredOn",),
    "ResearchDefinition": ("date",),
    "ResearchElementDefinition": ("date",),
    "ResearchStudy": ("period.start",),
    "ResearchSubject": ("period.start",),
    "RiskAssessment": ("occurrenceDateTime", "occurrencePeriod.start"),
    "RiskEvidenceSynthesis": ("date",),
    "Schedule": ("planningHorizon.start",),
    "SearchParameter": ("date",),
    "ServiceRequest": ("occurrenceDateTime", "occurrencePeriod.start", "authoredOn"),
    "Slot": ("start",),
    "Specimen": ("collection.collectedDateTime", "collection.collectedPeriod.start", "receivedTime"),
    "StructureDefinition": ("date",),
    "StructureMap": ("date",),
    "Subscription": ("end",),
    "SupplyDelivery": ("occurrenceDateTime", "occurrencePeriod.start"),
    "SupplyRequest": ("occurrenceDateTime", "occurrencePeriod.start", "authoredOn"),
    "Task": ("executionPeriod.start", "authoredOn", "lastModified"),
    "TerminologyCapabilities": ("date",),
    "TestReport": ("issued",),
    "TestScript": ("date",),
    "ValueSet": ("date",),
    "VerificationResult": ("lastPerformed", "statusDate"),
    "VisionPrescription": ("dateWritten", "created"),
}


def main_date_paths(resource_type: str) -> tuple[str, ...]:
    """The JSON paths, without the type, of what is the type's main date, best first; () where it has none."""
    return _MAIN_DATES.get(resource_type, ())


def is_day(resource_type: str) -> bool:
    """Whether the main date is a day and never a moment: its elements are of FHIR's type `date` alone."""
    paths = main_date_paths(resource_type)
    return bool(paths) and all(element(f"{resource_type}.{path}").type == "date" for path in paths)
