"""The people around a patient: contacts, RelatedPerson, and the Person that ties records together."""

from __future__ import annotations

from masking.sample.calendar import EXPORTED, iso
from masking.sample.chart import Json, plant_address, plant_name, plant_period, plant_telecom
from masking.sample.codes import SSN, Concept, hl7
from masking.sample.contacts import address, point
from masking.sample.household import Member
from masking.sample.subject import Subject

Plants = list[tuple[str, str, str]]

_RELATIONS: dict[str, Concept] = {
    code: hl7("v3-RoleCode", code, display)
    for code, display in (
        ("MTH", "mother"),
        ("FTH", "father"),
        ("SIB", "sibling"),
        ("HUSB", "husband"),
        ("GRPRN", "grandparent"),
        ("FRND", "unrelated friend"),
        ("AUNT", "aunt"),
        ("COUSN", "cousin"),
    )
}
_KIN_BY_AGE = (("AUNT", "COUSN"), ("FRND", "COUSN"))
_EMERGENCY = hl7("v2-0131", "C", "Emergency Contact").concept
_NEXT_OF_KIN = hl7("v2-0131", "N", "Next-of-Kin").concept


def contacts(subject: Subject, planted: Plants) -> list[Json]:
    """A relative who is no patient; for those who share a home, the one before them in the list too."""
    member, region = subject.member, subject.region
    given, family, number = subject.relative
    home = address(subject.draw, region.place)
    people: list[Json] = [
        {
            "relationship": [_EMERGENCY],
            "name": {"use": "official", "text": f"{given} {family}", "family": family, "given": [given]},
            "telecom": [
                point("phone", number, "mobile"),
                point("email", f"{given.lower()}.{family.lower()}@postbox.test"),
            ],
            "address": home,
        }
    ]
    for _, _, relative in member.relatives[:1]:
        name = {"family": relative.family, "given": relative.given}
        people.append({"relationship": [_NEXT_OF_KIN], "name": name, "telecom": [point("phone", relative.phone)]})
    for person in people:
        planted += plant_name("contact.name", person["name"]) + plant_telecom("contact.telecom", person["telecom"])
    planted += plant_address("contact.address", home)
    return people


def write_related_people(subject: Subject) -> list[str]:
    """One RelatedPerson who is nobody's record, and one for each earlier patient this one is a relative of.

    Returns:
        The ids of the latter: they are this very patient in another part, so `Patient.link` says so.
    """
    member = subject.member
    given, family, _ = subject.relative
    kin = _RELATIONS[subject.draw.pick(_KIN_BY_AGE[member.age > 17])]
    stranger = {"use": "usual", "text": f"{given} {family}", "family": family, "given": [given]}
    _related_person(subject, {"reference": f"Patient/{member.id}"}, kin, stranger)
    name = {"use": "official", "text": member.name, "family": member.family, "given": member.given}
    return [
        _related_person(
            subject, {"reference": f"Patient/{earlier.id}", "display": earlier.name}, _RELATIONS[code], name, member
        )
        for code, _, earlier in member.relatives
    ]


def _related_person(subject: Subject, patient: Json, kin: Concept, name: Json, same: Member | None = None) -> str:
    number = same.phone if same else subject.relative[2]
    resource = subject.resource("RelatedPerson", subject.day(EXPORTED - 900))
    since = {"start": iso(subject.day(EXPORTED - 4000))}
    resource |= {"active": True, "patient": patient, "relationship": [kin.concept], "name": [name]}
    resource |= {"telecom": [point("phone", number, "home")], "period": since}
    planted = [*plant_name("name", name), ("telecom.value", "phone", number), *plant_period("period", since)]
    if "display" in patient:
        planted.append(("patient.display", "names", patient["display"]))
    if same:
        resource |= {"identifier": [{"system": SSN, "value": same.ssn}], "gender": same.sex, "address": [same.address]}
        planted += [("identifier.value", "ssn", same.ssn), *plant_address("address", same.address)]
        if same.birth_text:
            resource["birthDate"] = same.birth_text
            planted.append(("birthDate", "dates", same.birth_text))
    subject.chart.add(resource, planted)
    return str(resource["id"])


def write_person(subject: Subject, related: list[str]) -> None:
    """Add the Person behind the Patient and the RelatedPersons of these ids."""
    member = subject.member
    name = {"use": "official", "family": member.family, "given": member.given}
    resource = subject.resource("Person", subject.day(EXPORTED - 400))
    resource |= {
        "identifier": [{"system": SSN, "value": member.ssn}],
        "name": [name],
        "telecom": [point("email", member.email)],
        "gender": member.sex,
        "address": [member.address],
        "active": True,
        "link": [{"target": {"reference": f"Patient/{member.id}"}, "assurance": "level3"}]
        + [{"target": {"reference": f"RelatedPerson/{own_id}"}, "assurance": "level2"} for own_id in related],
    }
    planted = [
        *plant_name("name", name),
        ("identifier.value", "ssn", member.ssn),
        ("telecom.value", "email", member.email),
    ]
    if member.birth_text:
        resource["birthDate"] = member.birth_text
        planted.append(("birthDate", "dates", member.birth_text))
    subject.chart.add(resource, planted + plant_address("address", member.address))
