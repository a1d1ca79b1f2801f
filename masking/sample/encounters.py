"""Visits: when a patient came, why, whom they saw; Encounter, Appointment and EpisodeOfCare."""

from __future__ import annotations

from dataclasses import dataclass

from masking.sample import vocabulary
from masking.sample.calendar import EXPORTED, age, instant, moment
from masking.sample.chart import Json, Text, plant_period
from masking.sample.codes import BASE, HL7, SNOMED, concept, hl7, raw
from masking.sample.facilities import Clinician
from masking.sample.subject import Subject
from masking.sample.vocabulary import Problem

Plants = list[tuple[str, str, str]]

_PERFORMER = [hl7("v3-ParticipationType", "PPRF", "primary performer").concept]
_HOME = hl7("discharge-disposition", "home", "Home").concept
_EMERGENCY_SOURCE = hl7("admit-source", "emd", "From accident/emergency department").concept
_DIAGNOSIS = hl7("diagnosis-role", "AD", "Admission diagnosis").concept
_FOLLOW_UP = concept(SNOMED, "390906007", "Follow-up encounter").concept
_ACCEPTED = {"status": "accepted"}
_CARE = raw(
    [{"coding": [{"system": f"{HL7}episodeofcare-type", "code": "cacp", "display": "Community-based aged care"}]}]
)
_MINUTES = {"AMB": (15, 45), "VR": (5, 20), "EMER": (60, 420), "IMP": (2 * 1440, 6 * 1440)}


@dataclass(slots=True)
class Visit:
    """One encounter and what the resources made in it need to know."""

    subject: Subject
    id: str
    kind: str
    day: int
    second: int
    minutes: int
    clinician: Clinician
    #: What the patient came for; None at a check-up.
    problem: Problem | None
    condition: Json | None = None

    @property
    def reference(self) -> Json:
        """A plain reference to the encounter."""
        return {"reference": f"Encounter/{self.id}"}

    @property
    def age(self) -> int:
        """The patient's age on that day."""
        return age(self.subject.member.born, self.day)

    def time(self, minutes: int = 0) -> str:
        """A dateTime so many minutes after the visit began."""
        return moment(self.day, self.second + minutes * 60, self.subject.region.zone)

    def instant(self, minutes: int = 0) -> str:
        """The same as an instant."""
        return instant(self.day, self.second + minutes * 60, self.subject.region.zone)

    @property
    def period(self) -> Json:
        """From its beginning to its end."""
        return {"start": self.time(), "end": self.time(self.minutes)}

    def resource(self, resource_type: str) -> Json:
        """The beginning of a resource made in this visit."""
        return self.subject.resource(resource_type, self.day)


def visits_of(subject: Subject, problems: list[Problem]) -> list[Visit]:
    """When they came, oldest first: more visits with age, never before birth or after death."""
    member, draw = subject.member, subject.draw
    count = draw.between(2, 3) if member.age < 1 else draw.between(3, 5) + min(member.age // 25, 3)
    if member.replaced_by:
        count = 1
    reach = min(subject.last_day - member.born, 3650)
    days = sorted(subject.last_day - int(reach * draw.fraction() ** 1.5) for _ in range(count))
    return [_visit(subject, day, problems) for day in days]


def _visit(subject: Subject, day: int, problems: list[Problem]) -> Visit:
    draw, years = subject.draw, age(subject.member.born, day)
    kind = draw.pick(("AMB", "AMB", "AMB", "AMB", "AMB", "AMB", "VR", "EMER", "EMER", "IMP"))
    if day - subject.member.born < 10:
        kind = "AMB"
    fitting = [problem for problem in problems if problem.low <= years <= problem.high]
    problem = draw.pick(fitting) if fitting and (kind != "AMB" or draw.chance(0.7)) else None
    minutes = draw.between(*_MINUTES[kind])
    # Nothing of a visit may come after the export or death: what lasts days began so many days before.
    day = max(subject.member.born + 1, day - minutes // 1440 - 1)
    clinician = draw.pick(subject.region.clinicians)
    return Visit(subject, subject.chart.new_id(), kind, day, draw.between(25_200, 64_800), minutes, clinician, problem)


def write_encounter(visit: Visit) -> None:
    """Add the Encounter, and for some visits the Appointment that led to it."""
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = plant_period("period", visit.period)
    if draw.chance(0.3) and visit.kind == "AMB":
        _appointment(visit)
    resource = visit.resource("Encounter") | {"id": visit.id}
    doctor = visit.clinician.entity.at("participant.individual", draw, planted)
    resource |= {
        "identifier": [{"use": "official", "system": f"{BASE}/encounters", "value": visit.id}],
        "status": "finished",
        "class": vocabulary.CLASSES[visit.kind],
        "type": [vocabulary.VISIT_TYPES[visit.kind].concept],
        "subject": subject.entity.at("subject", draw, planted),
        "participant": [{"type": _PERFORMER, "period": visit.period, "individual": doctor}],
        "period": visit.period,
        "serviceProvider": subject.region.hospital.at("serviceProvider", draw, planted),
    }
    planted.append(("identifier.value", "other", visit.id))
    planted += plant_period("participant.period", visit.period)
    if visit.problem:
        resource["reasonCode"] = [visit.problem.concept.concept]
    if visit.condition:
        resource["diagnosis"] = [{"condition": visit.condition, "use": _DIAGNOSIS, "rank": 1}]
    if subject.account:
        resource["account"] = [subject.account]
    if visit.kind == "IMP":
        resource |= _stay(visit, planted)
    if draw.chance(0.3):
        resource["text"] = _narrative(visit, planted)
    subject.chart.add(resource, planted)


def _stay(visit: Visit, planted: Plants) -> Json:
    """What only an inpatient has: wards in turn, and where they came from and went."""
    draw, sites = visit.subject.draw, visit.subject.region.sites
    half = visit.minutes // 2
    parts = (
        {"start": visit.time(), "end": visit.time(half)},
        {"start": visit.time(half), "end": visit.time(visit.minutes)},
    )
    places = []
    for part in parts:
        place = draw.pick(sites[1:]).at("location.location", draw, planted)
        places.append({"location": place, "status": "completed", "period": part})
        planted += plant_period("location.period", part)
    number = f"ADM{draw.digits(8)}"
    planted.append(("hospitalization.preAdmissionIdentifier.value", "other", number))
    hospitalization = {
        "preAdmissionIdentifier": {"system": f"{BASE}/admissions", "value": number},
        "admitSource": _EMERGENCY_SOURCE,
        "dischargeDisposition": _HOME,
    }
    return {"hospitalization": hospitalization, "location": places}


def _narrative(visit: Visit, planted: Plants) -> Json:
    text = Text()
    doctor = text.put("names", visit.clinician.title.removeprefix("Dr. "))
    day = text.put("dates", visit.time()[:10])
    text.say(
        f"{text.put('names', visit.subject.member.name)} was seen by Dr. {doctor} on {day}.",
        f"Reason: {visit.problem.concept.text if visit.problem else 'check-up'}.",
    )
    planted += text.planted("text.div")
    return text.narrative()


def _appointment(visit: Visit) -> None:
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = []
    member = subject.member
    start, end = visit.instant(-5), visit.instant(visit.minutes)
    made = moment(max(member.born, visit.day - draw.between(1, 30)), visit.second, subject.region.zone)
    comment = (
        f"{member.name} will be brought by {subject.relative[0]} {subject.relative[1]}, call {subject.relative[2]}."
    )
    planted += [("start", "dates", start), ("end", "dates", end), ("created", "dates", made)]
    planted += [("comment", "names", member.name), ("comment", "names", " ".join(subject.relative[:2]))]
    planted.append(("comment", "phone", subject.relative[2]))
    actors = (subject.entity, visit.clinician.entity, subject.region.sites[0])
    subject.chart.add(
        visit.resource("Appointment")
        | {
            "status": "fulfilled",
            "appointmentType": _FOLLOW_UP,
            "description": "Follow-up",
            "start": start,
            "end": end,
            "created": made,
            "comment": comment,
            "participant": [{"actor": actor.at("participant.actor", draw, planted), **_ACCEPTED} for actor in actors],
        },
        planted,
    )


def write_episode(subject: Subject, visits: list[Visit]) -> None:
    """Add the EpisodeOfCare that spans the visits of somebody old."""
    planted: Plants = []
    start = visits[0].time()[:10]
    resource = subject.resource("EpisodeOfCare", visits[-1].day)
    manager = visits[-1].clinician.entity.at("careManager", subject.draw, planted)
    owner = subject.region.hospital.at("managingOrganization", subject.draw, planted)
    resource |= {"status": "active" if subject.last_day == EXPORTED else "finished", "type": _CARE}
    resource |= {"patient": subject.entity.at("patient", subject.draw, planted), "managingOrganization": owner}
    resource |= {"period": {"start": start}, "careManager": manager}
    subject.chart.add(resource, [*planted, ("period.start", "dates", start)])
