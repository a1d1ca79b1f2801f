"""Plans, teams and goals; what runs in the family; and the devices in and on a patient."""

from __future__ import annotations

import base64

from masking.sample import vocabulary
from masking.sample.calendar import EXPORTED, iso
from masking.sample.chart import Json, Text
from masking.sample.codes import LOINC, SNOMED, concept, hl7
from masking.sample.draw import spelled
from masking.sample.subject import Subject

Plants = list[tuple[str, str, str]]

_ACTIVITY = concept(SNOMED, "229065009", "Exercise therapy").concept
_DIET = concept(SNOMED, "443288003", "Lifestyle education regarding diet").concept
_PHYSICIAN = [concept(SNOMED, "158965000", "Medical practitioner").concept]
_PATIENT_ROLE = [concept(SNOMED, "116154003", "Patient").concept]
_FAMILY_ROLE = [concept(SNOMED, "133932002", "Caregiver").concept]
_PRESSURE_GOAL = concept(LOINC, "8480-6", "Systolic blood pressure").concept
_ACHIEVING = hl7("goal-achievement", "improving", "Improving").concept
_FATHER = hl7("v3-RoleCode", "FTH", "father").concept
_HEART = concept(SNOMED, "22298006", "Myocardial infarction").concept
_LIMIT = {"value": spelled("130.0"), "unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}


def write_plan(subject: Subject) -> None:
    """Add a CareTeam, a Goal and a CarePlan that belong together."""
    draw, planted = subject.draw, Plants()
    day = subject.day(EXPORTED - 1500)
    start, period = iso(day), {"start": iso(day)}
    team, goal = _team(subject, day), _goal(subject, day)
    text = Text()
    text.say(f"Care plan for {text.put('names', subject.member.name)}, made on {text.put('dates', start)}.")
    details: list[Json] = [
        {"status": "in-progress", "code": _ACTIVITY, "description": f"Walk with {subject.relative[0]} each day"},
        {
            "status": "in-progress",
            "code": _DIET,
            "location": subject.region.sites[0].at("activity.detail.location", draw, planted),
        },
    ]
    planted.append(("activity.detail.description", "names", subject.relative[0]))
    resource = subject.resource("CarePlan", day)
    resource |= {
        "text": text.narrative(),
        "status": "active",
        "intent": "order",
        "subject": subject.entity.at("subject", draw, planted),
        "period": period,
        "careTeam": [team],
        "goal": [goal],
        "activity": [{"detail": detail} for detail in details],
    }
    planted += [*text.planted("text.div"), ("period.start", "dates", start)]
    subject.chart.add(resource, planted)


def _team(subject: Subject, day: int) -> Json:
    """The relative is in the team by a contained RelatedPerson."""
    draw, planted = subject.draw, Plants()
    given, family, number = subject.relative
    doctor = draw.pick(subject.region.clinicians)
    helper = {
        "resourceType": "RelatedPerson",
        "id": "helper",
        "patient": {"reference": f"Patient/{subject.member.id}"},
        "name": [{"family": family, "given": [given]}],
        "telecom": [{"system": "phone", "value": number}],
    }
    resource = subject.resource("CareTeam", day)
    resource |= {
        "contained": [helper],
        "status": "active",
        "name": f"Team around {subject.member.name}",
        "subject": subject.entity.at("subject", draw, planted),
        "period": {"start": iso(day)},
        "participant": [
            {"role": _PATIENT_ROLE, "member": subject.entity.at("participant.member", draw, planted)},
            {"role": _PHYSICIAN, "member": doctor.entity.at("participant.member", draw, planted)},
            {"role": _FAMILY_ROLE, "member": {"reference": "#helper"}},
        ],
    }
    planted += [("contained.name.family", "names", family), ("contained.name.given", "names", given)]
    planted += [("contained.telecom.value", "phone", number), ("name", "names", subject.member.name)]
    subject.chart.add(resource, [*planted, ("period.start", "dates", iso(day))])
    return {"reference": f"CareTeam/{resource['id']}"}


def _goal(subject: Subject, day: int) -> Json:
    draw, planted = subject.draw, Plants()
    due = iso(day + 180)
    words = f"{subject.member.given[0]} keeps the pressure under 130 until {due}"
    resource = subject.resource("Goal", day)
    resource |= {
        "lifecycleStatus": "active",
        "achievementStatus": _ACHIEVING,
        "description": {"text": words},
        "subject": subject.entity.at("subject", draw, planted),
        "startDate": iso(day),
        "target": [{"measure": _PRESSURE_GOAL, "detailQuantity": _LIMIT, "dueDate": due}],
    }
    planted += [("description.text", "names", subject.member.given[0]), ("description.text", "dates", due)]
    subject.chart.add(resource, [*planted, ("startDate", "dates", iso(day)), ("target.dueDate", "dates", due)])
    return {"reference": f"Goal/{resource['id']}"}


def write_family_history(subject: Subject) -> None:
    """Add a FamilyMemberHistory: a named father, and the age he died at."""
    draw, planted = subject.draw, Plants()
    day, years = subject.day(EXPORTED - 3000), draw.between(55, 99)
    name = f"{draw.pick(subject.region.place.words.english.male)} {subject.member.family}"
    born = str(int(iso(subject.member.born)[:4]) - draw.between(20, 38))
    resource = subject.resource("FamilyMemberHistory", day)
    resource |= {
        "status": "completed",
        "patient": subject.entity.at("patient", draw, planted),
        "date": iso(day),
        "name": name,
        "relationship": _FATHER,
        "bornDate": born,
        "deceasedAge": {"value": years, "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"},
        "condition": [{"code": _HEART}],
    }
    planted += [("name", "names", name), ("date", "dates", iso(day)), ("bornDate", "dates", born)]
    if years > 89:
        planted.append(("deceasedAge.value", "dates", str(years)))
    subject.chart.add(resource, planted)


def write_device(subject: Subject) -> None:
    """Add a Device with its UDI in all three shapes; the serial number stands in two of them (21 CFR 801.40, GS1)."""
    draw, member, planted = subject.draw, subject.member, Plants()
    fitting = [what for what, low in vocabulary.IMPLANTS if low <= member.age]
    if not fitting:
        return
    what = draw.pick(fitting)
    made = subject.day(EXPORTED - 2500)
    label, lot, serial = _label(draw.digits(12)), draw.digits(8), f"SN{draw.digits(9)}"
    short = iso(made)[2:].replace("-", "")
    carrier = f"(01){label}(11){short}(10){lot}(21){serial}"
    machine = base64.b64encode(carrier.encode()).decode()
    resource = subject.resource("Device", made)
    resource |= {
        "udiCarrier": [{"deviceIdentifier": label, "carrierHRF": carrier, "carrierAIDC": machine}],
        "status": "active",
        "distinctIdentifier": f"DIN-{serial}",
        "manufacturer": draw.pick(subject.region.place.words.firms),
        "manufactureDate": iso(made),
        "lotNumber": lot,
        "serialNumber": serial,
        "deviceName": [{"name": what.text, "type": "user-friendly-name"}],
        "type": what.concept,
        "patient": subject.entity.at("patient", draw, planted),
        "url": f"https://telemetry.device.test/{serial}",
        "note": [{"text": f"Card issued to {member.name}; bedside unit logs in from 192.0.2.{draw.between(1, 254)}"}],
    }
    planted += [
        ("serialNumber", "device", serial),
        ("lotNumber", "device", lot),
        ("udiCarrier.carrierHRF", "device", carrier),
    ]
    planted += [("udiCarrier.carrierAIDC", "device", machine), ("distinctIdentifier", "device", f"DIN-{serial}")]
    planted += [("udiCarrier.deviceIdentifier", "device", label), ("manufactureDate", "dates", iso(made))]
    planted += [("url", "url", resource["url"]), ("note.text", "names", member.name)]
    planted.append(("note.text", "ip", resource["note"][0]["text"].rpartition(" ")[2]))
    subject.chart.add(resource, planted)


def _label(twelve: str) -> str:
    """A GTIN-14 of these digits, its check digit by weights of three and one (GS1 General Specifications, 7.9)."""
    thirteen = f"0{twelve}"
    return thirteen + str(-sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(thirteen)) % 10)
