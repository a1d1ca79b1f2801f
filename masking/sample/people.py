"""Patient, Person and RelatedPerson: where most of the eighteen identifiers stand."""

from __future__ import annotations

from masking.sample import calendar, extensions, relatives
from masking.sample.awkward import falls_to
from masking.sample.calendar import EXPORTED, iso
from masking.sample.chart import Json, Text, plant_address, plant_name, plant_telecom
from masking.sample.codes import (
    ACCOUNT,
    BIOMETRIC,
    LICENCE,
    MEMBER,
    MRN,
    PASSPORT,
    SSN,
    VEHICLE,
    hl7,
    identifier_type,
    raw,
)
from masking.sample.contacts import address, phone, point
from masking.sample.household import Member
from masking.sample.subject import Subject

Plants = list[tuple[str, str, str]]

_MARRIED = hl7("v3-MaritalStatus", "M", "Married").concept
_SINGLE = hl7("v3-MaritalStatus", "S", "Never Married").concept
_ENGLISH = raw([{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en", "display": "English"}]}}])
_TYPES = {
    code: identifier_type(code, display)
    for code, display in (
        ("MR", "Medical record number"),
        ("SS", "Social Security number"),
        ("DL", "Driver's license number"),
        ("PPN", "Passport number"),
        ("MB", "Member Number"),
        ("AN", "Account number"),
    )
}
_FINGERPRINT = raw({"text": "Fingerprint template"})
_PLATE = raw({"text": "Licence plate"})
_VIN = raw({"text": "Vehicle identification number"})
_DRIVES_FROM = 17


def write_people(subject: Subject) -> None:
    """Add the Patient, the relatives on record, and for some a Person that ties records together."""
    related = relatives.write_related_people(subject)
    _patient(subject, related)
    if subject.member.index % 3 == 0:
        relatives.write_person(subject, related)


def _patient(subject: Subject, related: list[str]) -> None:
    member, draw = subject.member, subject.draw
    planted: Plants = [("id", "other", member.id)]
    resource: Json = subject.resource("Patient", subject.day(EXPORTED - 400)) | {"id": member.id}
    resource["text"] = _narrative(member, planted)
    resource["extension"] = extensions.patient(subject, planted)
    resource["identifier"] = _identifiers(member, planted)
    resource["active"] = member.replaced_by is None and member.died is None
    resource["name"] = _names(member, planted)
    resource["telecom"] = _telecom(subject, planted)
    resource["gender"] = member.sex
    resource |= _birth_and_death(subject, planted)
    resource["address"] = _addresses(subject, planted)
    resource["maritalStatus"] = _MARRIED if member.married else _SINGLE
    if member.twin:
        resource["multipleBirthInteger"] = member.twin
    elif member.age == 0:
        resource["multipleBirthBoolean"] = False
    if falls_to("photo", member.index):
        resource["photo"] = extensions.photos(subject, planted)
    resource["contact"] = relatives.contacts(subject, planted)
    resource["communication"] = _ENGLISH
    doctor = draw.pick(subject.region.clinicians)
    resource["generalPractitioner"] = [doctor.entity.at("generalPractitioner", draw, planted)]
    resource["managingOrganization"] = subject.region.hospital.at("managingOrganization", draw, planted)
    links = [{"other": {"reference": f"RelatedPerson/{own_id}"}, "type": "seealso"} for own_id in related]
    if member.replaced_by:
        links.append({"other": {"reference": f"Patient/{member.replaced_by}"}, "type": "replaced-by"})
    if links:
        resource["link"] = links
    subject.chart.add(resource, planted)


def _narrative(member: Member, planted: Plants) -> Json:
    text = Text()
    text.say(f"Patient {text.put('names', member.name)}, record number {text.put('mrn', member.mrn)}.")
    if member.birth_text == iso(member.born):
        text.say(f"Born {text.put('dates', calendar.long(member.born))}; {_age_in_words(member, text)}.")
    street = text.put("geographic", member.address["line"][0])
    text.say(
        f"Lives at {street}, {text.put('geographic', member.address['city'])}. Phone {text.put('phone', member.phone)}."
    )
    planted += text.planted("text.div")
    return text.narrative()


def _age_in_words(member: Member, text: Text) -> str:
    """An age in words is an identifier from 90 on only."""
    said = f"{member.age} years old"
    return text.put("dates", said) if member.age > 89 else said


def _identifiers(member: Member, planted: Plants) -> list[Json]:
    """Record number, SSN, licence, passport, plan and account, as far as a person of that age has them; then odder."""
    adult = member.age >= _DRIVES_FROM
    found: list[tuple[str, str, Json]] = [
        ("mrn", member.mrn, {"use": "usual", "type": _TYPES["MR"], "system": MRN}),
        ("ssn", member.ssn, {"type": _TYPES["SS"], "system": SSN}),
        ("health_plan", member.member_number, {"type": _TYPES["MB"], "system": MEMBER}),
        ("account", member.account, {"use": "secondary", "type": _TYPES["AN"], "system": ACCOUNT}),
    ]
    if member.index % 4 == 0:
        found[1] = ("ssn", member.ssn.replace("-", ""), {"type": _TYPES["SS"], "system": SSN})
    if adult:
        found.append(("license", member.licence, {"use": "official", "type": _TYPES["DL"], "system": LICENCE}))
    if adult or member.index % 3 == 0:
        found.append(("other", member.passport, {"type": _TYPES["PPN"], "system": PASSPORT}))
    if falls_to("biometric", member.index):
        found.append(("biometric", f"FP-{int(member.mrn) * 7919:014X}", {"type": _FINGERPRINT, "system": BIOMETRIC}))
    if member.plate and member.vin:
        found.append(("vehicle", member.plate, {"type": _PLATE, "system": VEHICLE}))
        found.append(("vehicle", member.vin, {"type": _VIN, "system": VEHICLE}))
    planted += [("identifier.value", kind, value) for kind, value, _ in found]
    return [{**rest, "value": value} for _, value, rest in found]


def _names(member: Member, planted: Plants) -> list[Json]:
    whole = " ".join([*member.given, member.family])
    names: list[Json] = [{"use": "official", "text": whole, "family": member.family, "given": member.given}]
    if member.age > 20:
        names[0]["prefix"] = ["Mr." if member.sex == "male" else "Ms."]
    if member.index % 25 == 12:
        names[0]["suffix"] = ["Jr."]
    if falls_to("cjk", member.index):
        names[0]["extension"] = extensions.IDEOGRAPHIC
        names.append({"use": "usual", "text": "Taro Yamada", "family": "Yamada", "given": ["Taro"]})
    if falls_to("emoji", member.index):
        names.append({"use": "nickname", "text": f"🌹 {member.given[0][:3]}ie 👩🏽‍⚕️"})
    for use, given, family in member.aliases:
        names.append({"use": use, "text": f"{given[0]} {family}", "family": family, "given": given})
    for name in names:
        planted += plant_name("name", name)
    return names


def _telecom(subject: Subject, planted: Plants) -> list[Json]:
    member, draw = subject.member, subject.draw
    points = [point("phone", member.phone, "home")]
    if member.age > 11:
        points.append(point("phone", phone(draw, subject.region.place.state), "mobile"))
        points.append(point("email", member.email, "home"))
    if falls_to("fax", member.index):
        points.append(point("fax", phone(draw, subject.region.place.state), "work"))
    if falls_to("homepage", member.index):
        points.append(point("url", f"https://people.homepage.test/~{member.email.split('@')[0]}"))
    planted += plant_telecom("telecom", points)
    return points


def _birth_and_death(subject: Subject, planted: Plants) -> Json:
    member = subject.member
    found: Json = {}
    if member.birth_text is None:
        found["_birthDate"] = extensions.NOT_KNOWN
    else:
        found["birthDate"] = member.birth_text
        planted.append(("birthDate", "dates", member.birth_text))
        if falls_to("birth_time", member.index) and member.birth_text == iso(member.born):
            found["_birthDate"] = extensions.birth_time(subject, planted)
    if member.died:
        found["deceasedDateTime"] = calendar.moment(member.died, subject.draw.between(0, 86_399), subject.region.zone)
        planted.append(("deceasedDateTime", "dates", found["deceasedDateTime"]))
    elif member.died_unknown_when:
        found["deceasedBoolean"] = True
    return found


def _addresses(subject: Subject, planted: Plants) -> list[Json]:
    member, region = subject.member, subject.region
    addresses = [dict(member.address)]
    if falls_to("geolocation", member.index):
        addresses[0]["extension"] = extensions.geolocation(subject, planted)
    if falls_to("former_address", member.index):
        moved = iso(subject.day(EXPORTED - 2500))
        former = address(subject.draw, region.place, use="old")
        addresses.append({**former, "period": {"end": moved}})
        planted.append(("address.period.end", "dates", moved))
    for place in addresses:
        planted += plant_address("address", place)
    return addresses
