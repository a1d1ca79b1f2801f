"""Conditions, allergies, drugs, vaccines and procedures: the coded facts, with free text that should not be in them."""

from __future__ import annotations

from masking.sample import vocabulary
from masking.sample.calendar import EXPORTED, iso, moment
from masking.sample.chart import Json
from masking.sample.codes import MRN, concept, hl7, raw
from masking.sample.draw import spelled
from masking.sample.encounters import Visit
from masking.sample.subject import Subject
from masking.sample.vocabulary import Drug, Problem

Plants = list[tuple[str, str, str]]

_ACTIVE = hl7("condition-clinical", "active", "Active").concept
_RESOLVED = hl7("condition-clinical", "resolved", "Resolved").concept
_CONFIRMED = hl7("condition-ver-status", "confirmed", "Confirmed").concept
_AT_VISIT = [hl7("condition-category", "encounter-diagnosis", "Encounter Diagnosis").concept]
_ALLERGY_ACTIVE = hl7("allergyintolerance-clinical", "active", "Active").concept
_ALLERGY_CONFIRMED = hl7("allergyintolerance-verification", "confirmed", "Confirmed").concept
_HIVES = concept("http://snomed.info/sct", "247472004", "Wheal").concept
_COMMUNITY = [hl7("medicationrequest-category", "community", "Community").concept]
_LEFT_ARM = hl7("v3-ActSite", "LA", "left arm").concept
_INTRAMUSCULAR = hl7("v3-RouteOfAdministration", "IM", "Injection, intramuscular").concept
_INGREDIENT = raw({"text": "as on the label"})
_YEARS = {"unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}
_ONCE_DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}
#: The same dose in the spellings that systems use; a number is text to whoever must not touch it.
_DOSES = tuple(
    raw({"value": spelled(text), "unit": "{dose}", "system": "http://unitsofmeasure.org", "code": "{dose}"})
    for text in ("1", "1.0", "1.00", "1e0", "10E-1")
)
_SUPPLY = tuple(raw({"value": spelled(text), "unit": "{tablet}"}) for text in ("30", "90", "1E2", "100.00"))


def problems_of(subject: Subject) -> list[Problem]:
    """What ails this patient: a few of what befalls people of that age and sex."""
    member, draw = subject.member, subject.draw
    fitting = [
        problem
        for problem in vocabulary.PROBLEMS
        if problem.low <= member.age <= problem.high and problem.sex in (None, member.sex)
    ]
    return draw.several(fitting, 2 + min(member.age // 15, 4))


def write_condition(visit: Visit) -> None:
    """Add the Condition of a visit, if it had one; from 90 on the onset may be an age, which is an identifier then."""
    problem, subject = visit.problem, visit.subject
    if problem is None:
        return
    draw, member = subject.draw, subject.member
    planted: Plants = []
    resource = visit.resource("Condition")
    resource |= {
        "clinicalStatus": _ACTIVE if problem.chronic else _RESOLVED,
        "verificationStatus": _CONFIRMED,
        "category": _AT_VISIT,
        "code": problem.concept.concept,
        "subject": subject.entity.at("subject", draw, planted),
        "encounter": visit.reference,
        "recordedDate": visit.time(),
        "recorder": visit.clinician.entity.at("recorder", draw, planted),
    }
    planted.append(("recordedDate", "dates", resource["recordedDate"]))
    if visit.age > 89:
        resource["onsetAge"] = {"value": visit.age, **_YEARS}
        planted.append(("onsetAge.value", "dates", str(visit.age)))
    else:
        # Onset at the precision people remember: a year, a month, a day, a moment.
        resource["onsetDateTime"] = visit.time()[: draw.pick((4, 7, 10, 25, 25))]
        planted.append(("onsetDateTime", "dates", resource["onsetDateTime"]))
    if not problem.chronic and "onsetDateTime" in resource:
        resource["abatementDateTime"] = iso(min(subject.last_day, visit.day + draw.between(5, 30)))
        planted.append(("abatementDateTime", "dates", resource["abatementDateTime"]))
    if draw.chance(0.2):
        resource["note"] = _note(visit, planted)
    elif member.plate and problem.concept.code == "110030002":
        planted.append(("note.text", "vehicle", member.plate))
        resource["note"] = [{"text": f"Rear-ended on the motorway; own car, plate {member.plate}."}]
    visit.condition = {"reference": f"Condition/{resource['id']}"}
    subject.chart.add(resource, planted)


def _note(visit: Visit, planted: Plants) -> list[Json]:
    """An Annotation that names a relative, an author in words, and a day."""
    given, family, number = visit.subject.relative
    author = visit.clinician.title
    planted += [("note.authorString", "names", author.removeprefix("Dr. ")), ("note.time", "dates", visit.time(10))]
    planted += [("note.text", "names", f"{given} {family}"), ("note.text", "phone", number)]
    planted.append(("note.text", "dates", visit.time()[:10]))
    text = f"{given} {family} called on {visit.time()[:10]} ({number}) and reports no change at home."
    return [{"authorString": author, "time": visit.time(10), "text": text}]


def write_allergy(subject: Subject) -> None:
    """Add an AllergyIntolerance."""
    draw, planted = subject.draw, Plants()
    allergen = draw.pick(vocabulary.ALLERGENS)
    day = subject.day(EXPORTED - 5000)
    recorded = moment(day, draw.between(28_800, 60_000), subject.region.zone)
    resource = subject.resource("AllergyIntolerance", day)
    resource |= {
        "clinicalStatus": _ALLERGY_ACTIVE,
        "verificationStatus": _ALLERGY_CONFIRMED,
        "type": "allergy",
        "category": ["medication" if "rxnorm" in bytes(allergen.coding).decode() else "environment"],
        "criticality": "low",
        "code": allergen.concept,
        "patient": subject.entity.at("patient", draw, planted),
        "recordedDate": recorded,
        "recorder": draw.pick(subject.region.clinicians).entity.at("recorder", draw, planted),
        "reaction": [{"manifestation": [_HIVES], "severity": "mild", "onset": iso(day)[:7]}],
    }
    planted += [("recordedDate", "dates", recorded), ("reaction.onset", "dates", iso(day)[:7])]
    subject.chart.add(resource, planted)


def write_medication(visit: Visit, drug: Drug) -> None:
    """Add a MedicationRequest: the drug in a code, in a contained Medication, or in a Medication of its own."""
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = []
    resource = visit.resource("MedicationRequest")
    shape = draw.between(0, 5)
    if shape == 0:
        resource |= {"contained": [_compound("drug", drug)], "medicationReference": {"reference": "#drug"}}
    elif shape == 1:
        medication = _compound(subject.chart.new_id(), drug)
        subject.chart.add({**medication, "meta": resource["meta"]})
        resource["medicationReference"] = {"reference": f"Medication/{medication['id']}", "display": drug.concept.text}
    else:
        resource["medicationCodeableConcept"] = drug.concept.concept
    dose = {
        "sequence": 1,
        "text": drug.sig,
        "timing": {"repeat": _ONCE_DAILY},
        "doseAndRate": [{"doseQuantity": draw.pick(_DOSES)}],
    }
    validity = {"start": visit.time()[:10]}
    resource |= {
        "status": "active" if drug.chronic and subject.last_day == EXPORTED else "completed",
        "intent": "order",
        "category": _COMMUNITY,
        "subject": subject.entity.at("subject", draw, planted),
        "encounter": visit.reference,
        "authoredOn": visit.time(5),
        "requester": visit.clinician.entity.at("requester", draw, planted),
        "dosageInstruction": [dose],
        "dispenseRequest": {
            "validityPeriod": validity,
            "numberOfRepeatsAllowed": draw.between(0, 5),
            "quantity": draw.pick(_SUPPLY),
        },
    }
    if visit.condition:
        resource["reasonReference"] = [visit.condition]
    planted += [
        ("authoredOn", "dates", resource["authoredOn"]),
        ("dispenseRequest.validityPeriod.start", "dates", validity["start"]),
    ]
    if draw.chance(0.1):
        resource["note"] = _note(visit, planted)
    subject.chart.add(resource, planted)


def _compound(own_id: str, drug: Drug) -> Json:
    ingredient = [{"itemCodeableConcept": _INGREDIENT, "isActive": True}]
    return {
        "resourceType": "Medication",
        "id": own_id,
        "code": drug.concept.concept,
        "status": "active",
        "ingredient": ingredient,
    }


def write_immunization(visit: Visit) -> None:
    """Add an Immunization that fits the age, if any does; some carry a contained performer."""
    subject, draw = visit.subject, visit.subject.draw
    fitting = [vaccine for vaccine, low, high in vocabulary.VACCINES if low <= visit.age <= high]
    if not fitting:
        return
    planted: Plants = []
    lot, expires = f"{draw.pick('ABCDEF')}{draw.digits(6)}", iso(visit.day + draw.between(60, 600))
    resource = visit.resource("Immunization")
    if draw.chance(0.15):
        nurse: Json = {
            "family": draw.pick(subject.region.place.words.english.family),
            "given": [draw.pick(subject.region.place.words.english.female)],
        }
        resource["contained"] = [{"resourceType": "Practitioner", "id": "nurse", "name": [nurse]}]
        performer: Json = {"reference": "#nurse"}
        planted += [
            ("contained.name.family", "names", nurse["family"]),
            ("contained.name.given", "names", nurse["given"][0]),
        ]
    else:
        performer = visit.clinician.entity.at("performer.actor", draw, planted)
    resource |= {
        "status": "completed",
        "vaccineCode": draw.pick(fitting).concept,
        "patient": subject.entity.at("patient", draw, planted),
        "encounter": visit.reference,
        "occurrenceDateTime": visit.time(12),
        "primarySource": True,
        "location": subject.region.sites[0].at("location", draw, planted),
        "lotNumber": lot,
        "expirationDate": expires,
        "site": _LEFT_ARM,
        "route": _INTRAMUSCULAR,
        "doseQuantity": {"value": spelled("0.50"), "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"},
        "performer": [{"actor": performer}],
    }
    planted += [
        ("occurrenceDateTime", "dates", visit.time(12)),
        ("expirationDate", "dates", expires),
        ("lotNumber", "other", lot),
    ]
    subject.chart.add(resource, planted)


def write_procedure(visit: Visit) -> None:
    """Add a Procedure that fits the age and sex."""
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = []
    fitting = [
        what
        for what, low, high, sex in vocabulary.PROCEDURES
        if low <= visit.age <= high and sex in (None, subject.member.sex)
    ]
    period = {"start": visit.time(5), "end": visit.time(14)}
    resource = visit.resource("Procedure")
    resource |= {
        "status": "completed",
        "code": draw.pick(fitting).concept,
        "subject": subject.entity.at("subject", draw, planted),
        "encounter": visit.reference,
        "performedPeriod": period,
        "performer": [{"actor": visit.clinician.entity.at("performer.actor", draw, planted)}],
        "location": draw.pick(subject.region.sites).at("location", draw, planted),
    }
    planted += [("performedPeriod.start", "dates", period["start"]), ("performedPeriod.end", "dates", period["end"])]
    if visit.condition:
        resource["reasonReference"] = [visit.condition]
    if draw.chance(0.1):
        resource["note"] = _note(visit, planted)
    if draw.chance(0.1):
        # Somebody put the record number where only words should be.
        resource["outcome"] = {"text": f"Done; band of {MRN} {subject.member.mrn} checked"}
        planted.append(("outcome.text", "mrn", subject.member.mrn))
    subject.chart.add(resource, planted)
