"""What is looked for: kinds of identifying values, where FHIR R4 holds them, and which of HIPAA's eighteen they are.

A kind is a bit, so that a value that is a surname here and a town there is both. Where values stand is told by FHIR's data
types first (every HumanName, wherever it is), then by elements whose type is a bare string.

Source: 45 CFR 164.514(b)(2)(i) (A) to (R), and (e)(2) for what may stay in a limited data set.
"""

from __future__ import annotations

from enum import IntFlag


class Kind(IntFlag):
    """A kind of identifying value."""

    NAME_WORD = 1 << 0  # a given or a family name
    FULL_NAME = 1 << 1  # both, or a whole text that names somebody
    LINE = 1 << 2
    TOWN = 1 << 3  # city or district
    ZIP = 1 << 4
    FACILITY = 1 << 5
    BIRTH = 1 << 6  # or death: a day
    PHONE = 1 << 7  # fax too
    EMAIL = 1 << 8
    SSN = 1 << 9
    RECORD = 1 << 10  # medical record number
    PLAN = 1 << 11
    ACCOUNT = 1 << 12
    LICENCE = 1 << 13
    VEHICLE = 1 << 14
    DEVICE = 1 << 15
    URL = 1 << 16
    IP = 1 << 17
    PHOTO = 1 << 18  # bytes of images, biometrics too
    ID = 1 << 19  # a resource's id
    NUMBER = 1 << 20  # any other identifier
    UUID = 1 << 21  # wherever it stands


#: Drawn from lists that the world shares, so that a fake may be somebody's true one: judged against chance.
POOL = Kind.NAME_WORD | Kind.TOWN | Kind.ZIP
#: May stay in a limited data set, so a policy's word that they stay is taken.
MAY_STAY = Kind.TOWN | Kind.ZIP | Kind.BIRTH
#: So long or so varied that no fake meets one by chance: nobody's may be anywhere.
NOBODYS = Kind.EMAIL | Kind.PHOTO | Kind.UUID

#: A value with fewer letters and digits is not looked for: it stands everywhere by chance.
LEAST = {
    Kind.NAME_WORD: 3, Kind.FULL_NAME: 6, Kind.LINE: 7, Kind.TOWN: 4, Kind.ZIP: 5, Kind.FACILITY: 8, Kind.BIRTH: 8,
    Kind.PHONE: 7, Kind.EMAIL: 6, Kind.SSN: 9, Kind.RECORD: 5, Kind.PLAN: 5, Kind.ACCOUNT: 5, Kind.LICENCE: 5,
    Kind.VEHICLE: 5, Kind.DEVICE: 6, Kind.URL: 10, Kind.IP: 7, Kind.PHOTO: 20, Kind.ID: 6, Kind.NUMBER: 6,
    Kind.UUID: 32,
}  # fmt: skip

#: The eighteen, by letter, with the kinds that are looked for. "(dates)": every date is held against the one it was.
EIGHTEEN: tuple[tuple[str, str, Kind], ...] = (
    ("A", "Names", Kind.NAME_WORD | Kind.FULL_NAME),
    ("B", "Places below a state", Kind.LINE | Kind.TOWN | Kind.ZIP | Kind.FACILITY),
    ("C", "Dates but the year", Kind.BIRTH),
    ("D", "Telephone numbers", Kind.PHONE),
    ("E", "Fax numbers", Kind.PHONE),
    ("F", "E-mail addresses", Kind.EMAIL),
    ("G", "Social security numbers", Kind.SSN),
    ("H", "Medical record numbers", Kind.RECORD),
    ("I", "Health plan numbers", Kind.PLAN),
    ("J", "Account numbers", Kind.ACCOUNT),
    ("K", "Certificates and licences", Kind.LICENCE),
    ("L", "Vehicles", Kind.VEHICLE),
    ("M", "Devices and serial numbers", Kind.DEVICE),
    ("N", "URLs", Kind.URL),
    ("O", "IP addresses", Kind.IP),
    ("P", "Biometrics", Kind.PHOTO),
    ("Q", "Full-face photographs", Kind.PHOTO),
    ("R", "Any other unique number or code", Kind.ID | Kind.NUMBER | Kind.UUID),
)

#: Identifier type codes (HL7 v2 table 0203) to kinds; others are NUMBER.
IDENTIFIER_TYPES = {
    "SS": Kind.SSN, "SB": Kind.SSN, "MR": Kind.RECORD, "MRT": Kind.RECORD, "PI": Kind.RECORD, "PT": Kind.RECORD,
    "MB": Kind.PLAN, "MA": Kind.PLAN, "MC": Kind.PLAN, "SN": Kind.PLAN, "NI": Kind.NUMBER, "AN": Kind.ACCOUNT,
    "BA": Kind.ACCOUNT, "CC": Kind.ACCOUNT, "DL": Kind.LICENCE, "PPN": Kind.LICENCE, "MD": Kind.LICENCE,
    "DEA": Kind.LICENCE, "NPI": Kind.LICENCE, "LN": Kind.LICENCE, "VIN": Kind.VEHICLE, "VP": Kind.NUMBER,
    "SNO": Kind.DEVICE, "SID": Kind.DEVICE, "UDI": Kind.DEVICE,
}  # fmt: skip
IDENTIFIER_SYSTEMS = {
    "http://hl7.org/fhir/sid/us-ssn": Kind.SSN,
    "http://hl7.org/fhir/sid/us-npi": Kind.LICENCE,
    "http://hl7.org/fhir/sid/us-medicare": Kind.PLAN,
    "http://hl7.org/fhir/sid/us-mbi": Kind.PLAN,
}

#: Elements of bare types, by where R4 defines them (a choice is one element).
ELEMENTS = {
    "Patient.birthDate": Kind.BIRTH,
    "Patient.deceased[x]": Kind.BIRTH,
    "Person.birthDate": Kind.BIRTH,
    "RelatedPerson.birthDate": Kind.BIRTH,
    "Practitioner.birthDate": Kind.BIRTH,
    "Organization.name": Kind.FACILITY,
    "Organization.alias": Kind.FACILITY,
    "Location.name": Kind.FACILITY,
    "Location.alias": Kind.FACILITY,
    "HealthcareService.name": Kind.FACILITY,
    "Coverage.subscriberId": Kind.PLAN,
    "Coverage.class.value": Kind.PLAN,
    "Device.serialNumber": Kind.DEVICE,
    "Device.lotNumber": Kind.DEVICE,
    "Immunization.lotNumber": Kind.DEVICE,
    "Device.distinctIdentifier": Kind.DEVICE,
    "Device.udiCarrier.carrierHRF": Kind.DEVICE,
    "Device.udiCarrier.carrierAIDC": Kind.DEVICE,
    "AuditEvent.agent.network.address": Kind.IP,
    "AuditEvent.agent.altId": Kind.NUMBER,
    "AuditEvent.agent.name": Kind.FULL_NAME,
    "Annotation.authorString": Kind.FULL_NAME,
    "HumanName.text": Kind.FULL_NAME,
    "HumanName.family": Kind.NAME_WORD,
    "HumanName.given": Kind.NAME_WORD,
    "Address.line": Kind.LINE,
    "Address.city": Kind.TOWN,
    "Address.district": Kind.TOWN,
    "Address.postalCode": Kind.ZIP,
    "Address.text": Kind.LINE,
}
#: Extensions whose value is a name.
NAME_EXTENSIONS = frozenset({"http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"})


_WHAT = {
    Kind.NAME_WORD: "a given or a family name", Kind.FULL_NAME: "both, or a text that names somebody",
    Kind.LINE: "a line of an address", Kind.TOWN: "a city or a district", Kind.ZIP: "a postal code",
    Kind.FACILITY: "the name of an organization or a location", Kind.BIRTH: "the day of a birth or a death",
    Kind.PHONE: "a telephone or fax number", Kind.EMAIL: "an e-mail address", Kind.SSN: "a social security number",
    Kind.RECORD: "a medical record number", Kind.PLAN: "a number of a health plan's", Kind.ACCOUNT: "an account number",
    Kind.LICENCE: "a licence, passport or provider number", Kind.VEHICLE: "a vehicle's number",
    Kind.DEVICE: "a device's number", Kind.URL: "a URL", Kind.IP: "a network address", Kind.PHOTO: "bytes of a picture",
    Kind.ID: "a resource's id", Kind.NUMBER: "any other identifier", Kind.UUID: "a UUID, wherever it stands",
}  # fmt: skip


def what_is(kind: Kind) -> str:
    """A kind, for people."""
    return _WHAT[kind]


def names_of(kinds: int) -> list[str]:
    """The names of the kinds in a mask, for people: `name word`, `phone`."""
    return [str(kind.name).lower().replace("_", " ") for kind in Kind if kinds & kind]
