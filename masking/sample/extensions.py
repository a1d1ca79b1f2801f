"""Extensions and attachments of a Patient: the known ones that identify, one that nobody knows, and photos."""

from __future__ import annotations

import base64
import struct
import zlib
from hashlib import sha1

from masking.sample import calendar
from masking.sample.awkward import falls_to
from masking.sample.calendar import iso
from masking.sample.chart import Json
from masking.sample.codes import raw
from masking.sample.draw import decimal
from masking.sample.subject import Subject

Plants = list[tuple[str, str, str]]

_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_STANDARD = "http://hl7.org/fhir/StructureDefinition/"
_OWN = "https://ehr.hospital.test/fhir/StructureDefinition/"
_OMB = "urn:oid:2.16.840.1.113883.6.238"
_RACES = (("2106-3", "White"), ("2054-5", "Black or African American"), ("2028-9", "Asian"))

#: The name is written in characters that stand for words (ISO 21090 `EN` use).
IDEOGRAPHIC = raw([{"url": f"{_STANDARD}iso21090-EN-representation", "valueCode": "IDE"}])
#: In place of a value that nobody knows.
NOT_KNOWN = raw({"extension": [{"url": f"{_STANDARD}data-absent-reason", "valueCode": "unknown"}]})


def _race(code: str, display: str) -> object:
    coding = {"system": _OMB, "code": code, "display": display}
    parts = [{"url": "ombCategory", "valueCoding": coding}, {"url": "text", "valueString": display}]
    return raw({"url": f"{_CORE}us-core-race", "extension": parts})


_RACE = tuple(_race(code, display) for code, display in _RACES)


def patient(subject: Subject, planted: Plants) -> list[object]:
    """The extensions of a Patient, those of its birth first, then for some one that no specification lists."""
    draw, region = subject.draw, subject.region
    mother = draw.pick(region.place.words.english.family)
    town = draw.pick(region.place.words.towns)
    planted += [("extension.valueString", "names", mother), ("extension.valueAddress.city", "geographic", town)]
    found: list[object] = [
        draw.pick(_RACE),
        {"url": f"{_STANDARD}patient-mothersMaidenName", "valueString": mother},
        {"url": f"{_STANDARD}patient-birthPlace", "valueAddress": {"city": town, "state": region.place.state.code}},
    ]
    if falls_to("unknown_extension", subject.member.index):
        found.append(_unknown(subject, planted))
    return found


def _unknown(subject: Subject, planted: Plants) -> Json:
    """Nested, with people and numbers in it, under a URL that only this hospital knows."""
    draw, given, number = subject.draw, subject.relative[0], subject.relative[2]
    employee = f"E{draw.digits(7)}"
    badge = base64.b64encode(f"iris:{draw.digits(12)}".encode()).decode()
    page = f"https://intranet.hospital.test/cases/{subject.member.mrn}"
    planted += [
        ("extension.extension.valueString", "names", given),
        ("extension.extension.valueString", "phone", number),
        ("extension.extension.valueIdentifier.value", "other", employee),
        ("extension.extension.valueBase64Binary", "biometric", badge),
        ("extension.extension.valueUrl", "url", page),
    ]
    return {
        "url": f"{_OWN}social-worker",
        "extension": [
            {"url": "remark", "valueString": f"Speak with {given} first, {number}; parks behind the house."},
            {"url": "employee", "valueIdentifier": {"value": employee}},
            {"url": "iris", "valueBase64Binary": badge},
            {"url": "case", "valueUrl": page},
        ],
    }


def birth_time(subject: Subject, planted: Plants) -> Json:
    """The companion of `birthDate` with the time of birth; it repeats the date."""
    when = calendar.moment(subject.member.born, subject.draw.between(0, 86_399), subject.region.zone)
    planted.append(("_birthDate.extension.valueDateTime", "dates", when))
    return {"extension": [{"url": f"{_STANDARD}patient-birthTime", "valueDateTime": when}]}


def geolocation(subject: Subject, planted: Plants) -> list[Json]:
    """Latitude and longitude of a home, to more digits than a house has."""
    draw, state, parts = subject.draw, subject.region.place.state, []
    for name, centre in (("latitude", state.latitude), ("longitude", state.longitude)):
        number = decimal(centre + draw.near(-0.8, 0.8), 15)
        planted.append(("address.extension.extension.valueDecimal", "geographic", bytes(number).decode()))
        parts.append({"url": name, "valueDecimal": number})
    return [{"url": f"{_STANDARD}geolocation", "extension": parts}]


def picture(red: int, green: int, blue: int) -> bytes:
    """A PNG of one coloured dot: a face for those who need one (W3C PNG, section 5)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    # Stored, not compressed: another zlib would make other bytes of the same dot.
    row = zlib.compress(bytes((0, red, green, blue)), level=0)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def image(subject: Subject) -> tuple[str, Json]:
    """A picture of the patient as base64, and the parts of an Attachment that describe it."""
    draw = subject.draw
    data = picture(*(draw.between(0, 255) for _ in range(3)))
    digest = base64.b64encode(sha1(data, usedforsecurity=False).digest()).decode()
    return base64.b64encode(data).decode(), {"contentType": "image/png", "size": len(data), "hash": digest}


def photos(subject: Subject, planted: Plants) -> list[Json]:
    """A picture within, and one by its address; the titles name the patient."""
    data, rest = image(subject)
    title = f"{subject.member.name}.png"
    address = f"https://ehr.hospital.test/photos/{subject.member.mrn}.jpg"
    taken = iso(subject.day(calendar.EXPORTED - 1200))
    planted += [("photo.data", "photo", data), ("photo.title", "names", subject.member.name)]
    planted += [("photo.url", "url", address), ("photo.creation", "dates", taken)]
    inline = {**rest, "data": data, "title": title, "creation": taken}
    return [inline, {"contentType": "image/jpeg", "url": address}]
