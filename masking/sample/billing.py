"""Coverage, Account, Claim and ExplanationOfBenefit; a stay in hospital makes the large documents of the export."""

from __future__ import annotations

from masking.sample.calendar import iso, moment
from masking.sample.chart import Json, plant_address, plant_name, plant_period
from masking.sample.codes import ACCOUNT, BASE, HL7, MEMBER, Concept, concept, hl7, identifier_type, raw
from masking.sample.contacts import address
from masking.sample.draw import Draw, decimal
from masking.sample.encounters import Visit
from masking.sample.subject import Subject

Plants = list[tuple[str, str, str]]

_HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
_SERVICES: tuple[Concept, ...] = tuple(
    concept(_HCPCS, code, display)
    for code, display in (
        ("G0438", "Annual wellness visit, initial"),
        ("G0439", "Annual wellness visit, subsequent"),
        ("G0463", "Hospital outpatient clinic visit"),
        ("G0378", "Hospital observation service, per hour"),
        ("J7050", "Infusion, normal saline solution, 250 cc"),
        ("J0696", "Injection, ceftriaxone sodium, per 250 mg"),
        ("A4550", "Surgical trays"),
        ("E0114", "Crutches underarm, other than wood, pair"),
        ("P9603", "Travel allowance for specimen collection"),
        ("G0008", "Administration of influenza virus vaccine"),
    )
)
_INSTITUTIONAL = hl7("claim-type", "institutional", "Institutional").concept
_PROFESSIONAL = hl7("claim-type", "professional", "Professional").concept
_NORMAL = hl7("processpriority", "normal", "Normal").concept
_PRIMARY = hl7("ex-diagnosistype", "principal", "Principal Diagnosis").concept
_MEMBER_TYPE = identifier_type("MB", "Member Number")
_PLAN = hl7("coverage-class", "plan", "Plan").concept
_SELF = hl7("subscriber-relationship", "self", "Self").concept
_INSURANCE = hl7("v3-ActCode", "EHCPOL", "extended healthcare").concept
_BILLING = hl7("v3-ActCode", "PBILLACCT", "patient billing account").concept
_SUBMITTED = hl7("adjudication", "submitted", "Submitted Amount").concept
_BENEFIT = hl7("adjudication", "benefit", "Benefit Amount").concept
_COPAY = hl7("adjudication", "copay", "CoPay").concept
_SUPERVISED = hl7("claimcareteamrole", "primary", "Primary provider").concept
_ACCIDENT = raw({"coding": [{"system": f"{HL7}v3-ActCode", "code": "MVA", "display": "Motor vehicle accident"}]})
_CHECK = hl7("ex-paymenttype", "complete", "Complete").concept


def write_cover(subject: Subject) -> None:
    """Add the Account and the Coverage; some carry the plan as a contained Organization."""
    draw, member, planted = subject.draw, subject.member, Plants()
    start = iso(subject.day(subject.last_day - 3000))
    resource = subject.resource("Coverage", subject.last_day)
    payer: Json = draw.pick(subject.region.payers).at("payor", draw, planted)
    if draw.chance(0.2):
        firm = draw.pick(subject.region.place.words.firms)
        resource["contained"] = [{"resourceType": "Organization", "id": "employer", "name": firm}]
        payer = {"reference": "#employer", "display": firm}
        planted += [("contained.name", "names", firm), ("payor.display", "names", firm)]
    resource |= {
        "identifier": [{"type": _MEMBER_TYPE, "system": MEMBER, "value": member.member_number}],
        "status": "active",
        "type": _INSURANCE,
        "subscriber": subject.entity.at("subscriber", draw, planted),
        "subscriberId": member.member_number,
        "beneficiary": subject.entity.at("beneficiary", draw, planted),
        "relationship": _SELF,
        "period": {"start": start},
        "payor": [payer],
        "class": [{"type": _PLAN, "value": f"PLAN-{draw.between(1, 9)}", "name": "Standard"}],
    }
    planted += [(path, "health_plan", member.member_number) for path in ("identifier.value", "subscriberId")]
    subject.chart.add(resource, [*planted, ("period.start", "dates", start)])
    subject.coverage = {"reference": f"Coverage/{resource['id']}", "display": f"Member {member.member_number}"}
    subject.account = _account(subject, start)


def _account(subject: Subject, start: str) -> Json:
    member, planted = subject.member, Plants()
    resource = subject.resource("Account", subject.last_day)
    resource |= {
        "identifier": [{"system": ACCOUNT, "value": member.account}],
        "status": "active",
        "type": _BILLING,
        "name": f"{member.name} - hospital account",
        "subject": [subject.entity.at("subject", subject.draw, planted)],
        "servicePeriod": {"start": start},
        "guarantor": [{"party": subject.entity.at("guarantor.party", subject.draw, planted)}],
    }
    planted += [("identifier.value", "account", member.account), ("name", "names", member.name)]
    subject.chart.add(resource, [*planted, ("servicePeriod.start", "dates", start)])
    return {"reference": f"Account/{resource['id']}"}


def write_claim(visit: Visit) -> None:
    """Add a Claim and the ExplanationOfBenefit that answers it: a few items, or dozens after a stay."""
    draw = visit.subject.draw
    count = draw.between(12, 40) if visit.kind == "IMP" else draw.between(1, 4)
    lines = [(draw.pick(_SERVICES), draw.near(8, 600)) for _ in range(count)]
    number = f"C{draw.digits(10)}"
    claim = _claim(visit, lines, number)
    _explanation(visit, lines, number, claim)


def _dollars(amount: float) -> Json:
    return {"value": decimal(amount, 2), "currency": "USD"}


def _shared(visit: Visit, planted: Plants) -> Json:
    """What a claim and its answer have in common."""
    subject, draw = visit.subject, visit.subject.draw
    created = moment(visit.day, visit.second + visit.minutes * 60 + 900, subject.region.zone)
    period = {"start": visit.time()[:10], "end": visit.time(visit.minutes)[:10]}
    planted += [("created", "dates", created), *plant_period("billablePeriod", period)]
    found: Json = {
        "status": "active",
        "type": _INSTITUTIONAL if visit.kind == "IMP" else _PROFESSIONAL,
        "use": "claim",
        "patient": subject.entity.at("patient", draw, planted),
        "billablePeriod": period,
        "created": created,
        "provider": visit.clinician.entity.at("provider", draw, planted),
        "careTeam": [{"sequence": 1, "provider": visit.clinician.role, "role": _SUPERVISED}],
    }
    if visit.condition:
        found["diagnosis"] = [{"sequence": 1, "diagnosisReference": visit.condition, "type": [_PRIMARY]}]
    planted.append(("insurance.coverage.display", "health_plan", subject.member.member_number))
    return found


def _claim(visit: Visit, lines: list[tuple[Concept, float]], number: str) -> Json:
    subject, planted = visit.subject, Plants()
    resource = visit.resource("Claim") | {"identifier": [{"system": f"{BASE}/claims", "value": number}]}
    resource |= _shared(visit, planted)
    resource |= {
        "facility": subject.region.sites[0].at("facility", subject.draw, planted),
        "insurer": subject.region.payers[0].at("insurer", subject.draw, planted),
        "priority": _NORMAL,
        "insurance": [{"sequence": 1, "focal": True, "coverage": subject.coverage}],
        "item": [
            {
                "sequence": position,
                "productOrService": service.concept,
                "servicedDate": visit.time()[:10],
                "unitPrice": _dollars(price),
                "net": _dollars(price),
                "encounter": [visit.reference],
            }
            for position, (service, price) in enumerate(lines, 1)
        ],
        "total": _dollars(sum(price for _, price in lines)),
    }
    planted += [("identifier.value", "other", number), ("item.servicedDate", "dates", visit.time()[:10])]
    if visit.kind == "EMER" and subject.draw.chance(0.3):
        resource["accident"] = _accident(visit, planted)
    subject.chart.add(resource, planted)
    return {"reference": f"Claim/{resource['id']}"}


def _accident(visit: Visit, planted: Plants) -> Json:
    region = visit.subject.region
    place = address(visit.subject.draw, region.place, use="temp")
    planted += [("accident.date", "dates", iso(visit.day)), *plant_address("accident.locationAddress", place)]
    return {"date": iso(visit.day), "type": _ACCIDENT, "locationAddress": place}


def _adjudication(draw: Draw, price: float) -> list[Json]:
    paid = price * draw.near(0.5, 0.95)
    parts = ((_SUBMITTED, price), (_BENEFIT, paid), (_COPAY, price - paid))
    return [{"category": category, "amount": _dollars(amount)} for category, amount in parts]


def _explanation(visit: Visit, lines: list[tuple[Concept, float]], number: str, claim: Json) -> None:
    subject, draw, planted = visit.subject, visit.subject.draw, Plants()
    total = sum(price for _, price in lines)
    resource = visit.resource("ExplanationOfBenefit")
    resource["identifier"] = [{"system": f"{BASE}/claims", "value": number}]
    resource |= _shared(visit, planted)
    payee: Json = {
        "resourceType": "RelatedPerson",
        "id": "payee",
        "patient": {"reference": f"Patient/{subject.member.id}"},
    }
    if draw.chance(0.1):
        given, family, _ = subject.relative
        payee["name"] = [{"text": f"{given} {family}"}]
        resource = {"resourceType": "ExplanationOfBenefit", "id": resource["id"], "contained": [payee], **resource}
        resource["payee"] = {"party": {"reference": "#payee"}}
        planted += plant_name("contained.name", payee["name"][0])
    paid = iso(min(subject.last_day, visit.day + 21))
    resource |= {
        "insurer": draw.pick(subject.region.payers).at("insurer", draw, planted),
        "claim": claim,
        "outcome": "complete",
        "insurance": [{"focal": True, "coverage": subject.coverage}],
        "item": [
            {
                "sequence": position,
                "productOrService": service.concept,
                "servicedPeriod": visit.period,
                "net": _dollars(price),
                "encounter": [visit.reference],
                "adjudication": _adjudication(draw, price),
            }
            for position, (service, price) in enumerate(lines, 1)
        ],
        "total": [{"category": _SUBMITTED, "amount": _dollars(total)}],
        "payment": {"type": _CHECK, "date": paid, "amount": _dollars(total * 0.7)},
    }
    planted += [("identifier.value", "other", number), ("payment.date", "dates", paid)]
    planted += plant_period("item.servicedPeriod", visit.period)
    subject.chart.add(resource, planted)
