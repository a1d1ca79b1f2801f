"""Observations, alone and in panels, with the ServiceRequest, Specimen and DiagnosticReport around a panel."""

from __future__ import annotations

from collections.abc import Callable

from masking.sample import vocabulary
from masking.sample.chart import Json, Text
from masking.sample.codes import BASE, LOINC, SNOMED, UCUM, Concept, concept, hl7, identifier_type
from masking.sample.draw import decimal, spelled
from masking.sample.encounters import Visit
from masking.sample.vocabulary import DIABETES, HYPERTENSION, OBESITY, Lab, Problem

Plants = list[tuple[str, str, str]]

_VITAL = [hl7("observation-category", "vital-signs", "Vital Signs").concept]
_LABORATORY = [hl7("observation-category", "laboratory", "Laboratory").concept]
_SOCIAL = [hl7("observation-category", "social-history", "Social History").concept]
_PRESSURE = concept(LOINC, "85354-9", "Blood pressure panel with all children optional")
_SYSTOLIC = concept(LOINC, "8480-6", "Systolic blood pressure").concept
_DIASTOLIC = concept(LOINC, "8462-4", "Diastolic blood pressure").concept
_HEIGHT = concept(LOINC, "8302-2", "Body height")
_WEIGHT = concept(LOINC, "29463-7", "Body weight")
_BMI = concept(LOINC, "39156-5", "Body mass index (BMI) [Ratio]")
_PULSE = concept(LOINC, "8867-4", "Heart rate")
_BREATHS = concept(LOINC, "9279-1", "Respiratory rate")
_WARMTH = concept(LOINC, "8310-5", "Body temperature")
_SMOKING = concept(LOINC, "72166-2", "Tobacco smoking status")
_NEVER_SMOKED = concept(SNOMED, "266919005", "Never smoked tobacco").concept
_FORMER_SMOKER = concept(SNOMED, "8517006", "Ex-smoker").concept
_LIVES_WITH = concept(LOINC, "63512-8", "How many people are living or staying at this address [#]")
_BLOOD = concept(SNOMED, "119297000", "Blood specimen").concept
_LAB_REPORT = [hl7("v2-0074", "LAB", "Laboratory").concept]
_ACCESSION = identifier_type("ACSN", "Accession ID")
_NORMAL = [hl7("v3-ObservationInterpretation", "N", "Normal").concept]
_HIGH = [hl7("v3-ObservationInterpretation", "H", "High").concept]
_COUNTED = spelled("1E2")


def _quantity(value: float, places: int, unit: str, shown: str | None = None) -> Json:
    return {"value": decimal(value, places), "unit": shown or unit, "system": UCUM, "code": unit}


def _observe(visit: Visit, category: object, code: Concept, result: Json, extra: Plants | None = None) -> str:
    """Add an Observation of the visit; returns its id."""
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = extra or []
    resource = visit.resource("Observation")
    resource |= {
        "status": "final",
        "category": category,
        "code": code.concept,
        "subject": subject.entity.at("subject", draw, planted),
        "encounter": visit.reference,
        "effectiveDateTime": visit.time(8),
        "performer": [visit.clinician.entity.at("performer", draw, planted)],
        **result,
    }
    planted.append(("effectiveDateTime", "dates", resource["effectiveDateTime"]))
    if category is _LABORATORY:
        resource["issued"] = visit.instant(240)
        planted.append(("issued", "dates", resource["issued"]))
    subject.chart.add(resource, planted)
    return str(resource["id"])


def write_vitals(visit: Visit, problems: list[Problem], stature: tuple[float, float]) -> None:
    """Add what a nurse measures; `stature` is the adult height in cm and the body mass index."""
    draw, years = visit.subject.draw, visit.age
    height, mass_index = _grown(stature, years)
    high_pressure = HYPERTENSION in problems
    weight = mass_index * (height / 100) ** 2
    _observe(visit, _VITAL, _WEIGHT, {"valueQuantity": _quantity(weight + draw.near(-1, 1) * weight / 50, 1, "kg")})
    _observe(visit, _VITAL, _HEIGHT, {"valueQuantity": _quantity(height, 2, "cm")})
    if years > 2:
        _observe(visit, _VITAL, _BMI, {"valueQuantity": _quantity(mass_index + draw.near(-1e-6, 1e-6), 15, "kg/m2")})
        _pressure(
            visit, draw.near(138, 165) if high_pressure else draw.near(92, 128) if years < 16 else draw.near(104, 132)
        )
    pulse = draw.between(110, 150) if years < 1 else draw.between(58, 98)
    _observe(visit, _VITAL, _PULSE, {"valueQuantity": _rounded(pulse, "/min", "beats/minute")})
    breaths = draw.between(30, 50) if years < 1 else draw.between(12, 20)
    _observe(visit, _VITAL, _BREATHS, {"valueQuantity": _rounded(breaths, "/min", "breaths/minute")})
    if draw.chance(0.5):
        _observe(visit, _VITAL, _WARMTH, {"valueQuantity": _quantity(draw.near(36.2, 37.6), 2, "Cel")})


def _rounded(count: int, unit: str, shown: str) -> Json:
    """A whole number; one hundred is spelled the way an instrument prints it."""
    value = _COUNTED if count == 100 else spelled(str(count))
    return {"value": value, "unit": shown, "system": UCUM, "code": unit}


def _grown(stature: tuple[float, float], years: int) -> tuple[float, float]:
    """Height and body mass index at an age: children are shorter and slimmer."""
    height, mass_index = stature
    part = min(1.0, 0.31 + 0.041 * years) if years < 17 else 1.0
    return height * part, mass_index if years > 17 else 14.5 + mass_index / 12


def _pressure(visit: Visit, systolic: float) -> None:
    diastolic = systolic * 0.45 + visit.subject.draw.near(15, 28)
    parts = [(_SYSTOLIC, systolic), (_DIASTOLIC, diastolic)]
    components = [{"code": code, "valueQuantity": _quantity(value, 0, "mm[Hg]")} for code, value in parts]
    _observe(visit, _VITAL, _PRESSURE, {"component": components})


def write_social(visit: Visit) -> None:
    """Add smoking status, and at times who lives at home, in words."""
    draw = visit.subject.draw
    if visit.age > 12:
        status = _FORMER_SMOKER if draw.chance(0.25) and visit.age > 25 else _NEVER_SMOKED
        _observe(visit, _SOCIAL, _SMOKING, {"valueCodeableConcept": status})
    if draw.chance(0.3):
        given, family, _ = visit.subject.relative
        street = visit.subject.member.address["line"][0]
        said = f"Lives with {given} {family} at {street}."
        planted = [("valueString", "names", f"{given} {family}"), ("valueString", "geographic", street)]
        _observe(visit, _SOCIAL, _LIVES_WITH, {"valueString": said}, planted)


def write_panel(visit: Visit, problems: list[Problem]) -> None:
    """Add a blood test: the order, the specimen, a result a measurement, and the report over them."""
    subject, draw = visit.subject, visit.subject.draw
    panel, labs = draw.pick(vocabulary.PANELS)
    order = _order(visit, panel)
    accession = f"L{visit.day % 10000:04}-{draw.digits(7)}"
    specimen = _specimen(visit, accession, order)
    measured = list(labs) + ([vocabulary.A1C] if DIABETES in problems else [])
    if subject.member.sex == "male" and visit.age > 50:
        measured.append(vocabulary.PSA)
    results = []
    for lab in measured:
        ill = lab in (vocabulary.GLUCOSE, vocabulary.A1C) and DIABETES in problems
        own_id = _observe(visit, _LABORATORY, lab.concept, _result(visit, lab, ill) | {"specimen": specimen})
        results.append({"reference": f"Observation/{own_id}", "display": lab.concept.text})
    _report(visit, panel, accession, results, {"basedOn": [order], "specimen": [specimen]})


def _result(visit: Visit, lab: Lab, ill: bool) -> Json:
    draw, span = visit.subject.draw, lab.high - lab.low
    value = (
        draw.near(lab.high * 1.1, lab.high * 1.7) if ill else draw.near(lab.low + span * 0.05, lab.high - span * 0.05)
    )
    found: Json = {"valueQuantity": _quantity(value, lab.places, lab.unit), "interpretation": _HIGH if ill else _NORMAL}
    return found | {
        "referenceRange": [{"low": _quantity(lab.low, 1, lab.unit), "high": _quantity(lab.high, 1, lab.unit)}]
    }


def _order(visit: Visit, panel: Concept) -> Json:
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = [("authoredOn", "dates", visit.time(10))]
    resource = visit.resource("ServiceRequest")
    resource |= {
        "status": "completed",
        "intent": "order",
        "code": panel.concept,
        "subject": subject.entity.at("subject", draw, planted),
        "encounter": visit.reference,
        "occurrenceDateTime": visit.time()[:10],
        "authoredOn": visit.time(10),
        "requester": visit.clinician.entity.at("requester", draw, planted),
        "performer": [subject.region.laboratory.at("performer", draw, planted)],
    }
    planted.append(("occurrenceDateTime", "dates", visit.time()[:10]))
    if draw.chance(0.3):
        resource["patientInstruction"] = f"{subject.member.given[0]}, come fasting. Questions: {visit.clinician.phone}."
        planted.append(("patientInstruction", "names", subject.member.given[0]))
        planted.append(("patientInstruction", "phone", visit.clinician.phone))
    subject.chart.add(resource, planted)
    return {"reference": f"ServiceRequest/{resource['id']}"}


def _specimen(visit: Visit, accession: str, order: Json) -> Json:
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = [("accessionIdentifier.value", "other", accession), ("receivedTime", "dates", visit.time(90))]
    resource = visit.resource("Specimen")
    resource |= {
        "accessionIdentifier": {"type": _ACCESSION, "system": f"{BASE}/accessions", "value": accession},
        "status": "available",
        "type": _BLOOD,
        "subject": subject.entity.at("subject", draw, planted),
        "receivedTime": visit.time(90),
        "request": [order],
        "collection": {"collector": visit.clinician.entity.reference, "collectedDateTime": visit.time(14)},
    }
    planted.append(("collection.collectedDateTime", "dates", visit.time(14)))
    subject.chart.add(resource, planted)
    return {"reference": f"Specimen/{resource['id']}"}


def _report(visit: Visit, panel: Concept, accession: str, results: list[Json], around: Json) -> None:
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = [("identifier.value", "other", accession), ("effectiveDateTime", "dates", visit.time(14))]
    text = Text().say(f"{panel.text}", f"{len(results)} results, reported {visit.time(300)[:10]}")
    text.put("dates", visit.time(300)[:10])
    if draw.chance(0.5):
        text.say(f"For {text.put('names', subject.member.name)}, record {text.put('mrn', subject.member.mrn)}")
    resource = visit.resource("DiagnosticReport")
    resource |= {
        "text": text.narrative(),
        "identifier": [{"type": _ACCESSION, "value": accession}],
        **around,
        "status": "final",
        "category": _LAB_REPORT,
        "code": panel.concept,
        "subject": subject.entity.at("subject", draw, planted),
        "encounter": visit.reference,
        "effectiveDateTime": visit.time(14),
        "issued": visit.instant(300),
        "performer": [subject.region.laboratory.at("performer", draw, planted)],
        "resultsInterpreter": [visit.clinician.entity.at("resultsInterpreter", draw, planted)],
        "result": results,
    }
    planted += [("issued", "dates", visit.instant(300)), *text.planted("text.div")]
    if draw.chance(0.4):
        resource["conclusion"] = f"Results discussed with {subject.member.name} by telephone, {subject.member.phone}."
        planted += [("conclusion", "names", subject.member.name), ("conclusion", "phone", subject.member.phone)]
    subject.chart.add(resource, planted)


def stature_of(near: Callable[[float, float], float], sex: str, problems: list[Problem]) -> tuple[float, float]:
    """The adult height in cm and the body mass index of a person; both stay through the years."""
    height = near(153, 176) if sex == "female" else near(163, 190)
    return height, near(30.5, 38) if OBESITY in problems else near(19.5, 28.5)
