"""Free text and what is wrapped in base64: notes, messages, answers, pictures and a voice."""

from __future__ import annotations

import base64
from hashlib import sha1

from masking.sample import calendar, extensions
from masking.sample.awkward import falls_to
from masking.sample.calendar import EXPORTED, instant
from masking.sample.chart import Json, Text
from masking.sample.codes import BASE, LOINC, SNOMED, concept, hl7, raw
from masking.sample.encounters import Visit
from masking.sample.subject import Subject

Plants = list[tuple[str, str, str]]

_KINDS = (
    concept(LOINC, "34117-2", "History and physical note"),
    concept(LOINC, "11506-3", "Progress note"),
    concept(LOINC, "18842-5", "Discharge summary"),
)
_CLINICAL_NOTE = [
    raw(
        {
            "coding": [
                {
                    "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                    "code": "clinical-note",
                    "display": "Clinical Note",
                }
            ]
        }
    )
]
#: Words of these sentences that are somebody's names as well, where they are none: of those who look for names.
NO_NAMES = ("Bill to account", "gone by May")
_PORTRAIT = hl7("media-type", "image", "Image").concept
_VOICE = hl7("media-type", "audio", "Audio").concept
_FACE = concept(SNOMED, "89545001", "Face structure").concept
_REMINDER = [hl7("communication-category", "reminder", "Reminder").concept]
_EXAM = (
    "Review of systems: negative for fever, chills, weight loss, chest pain, palpitations, cough, abdominal pain, "
    "dysuria and rash unless stated above. Sleeps well. No recent travel.",
    "Examination: alert and oriented, no acute distress. Pupils equal and reactive. Heart regular, no murmur. Lungs "
    "clear on both sides. Abdomen soft, not tender. No edema. Gait steady. Skin warm and dry, no pain on pressure.",
    "Medications were reviewed and reconciled with the list; adherence is good by the patient's own account.",
)


def write_note(visit: Visit) -> None:
    """Add a DocumentReference with the visit's note: plain text mostly, HTML every so often, base64 always."""
    subject, draw, member = visit.subject, visit.subject.draw, visit.subject.member
    note = _note_of(visit)
    html = draw.chance(0.2)
    body = f"<!DOCTYPE html><html><body>{note.xhtml()}</body></html>" if html else note.plain()
    data = body.encode()
    attachment: Json = {
        "contentType": "text/html; charset=utf-8" if html else "text/plain; charset=utf-8",
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(sha1(data, usedforsecurity=False).digest()).decode(),
        "title": f"Note of {member.name}",
        "creation": visit.time(visit.minutes),
    }
    planted = note.planted("content.attachment.data")
    if draw.chance(0.2):
        attachment["url"] = f"https://ehr.hospital.test/notes/{member.mrn}/{visit.id}"
        planted.append(("content.attachment.url", "url", attachment["url"]))
    identifier = {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{visit.id}"}
    resource = visit.resource("DocumentReference")
    resource |= {
        "masterIdentifier": identifier,
        "status": "current",
        "type": draw.pick(_KINDS).concept,
        "category": _CLINICAL_NOTE,
        "subject": subject.entity.at("subject", draw, planted),
        "date": visit.instant(visit.minutes),
        "author": [visit.clinician.entity.at("author", draw, planted)],
        "custodian": subject.region.hospital.at("custodian", draw, planted),
        "content": [{"attachment": attachment}],
        "context": {"encounter": [visit.reference], "period": visit.period},
    }
    planted += [("content.attachment.title", "names", member.name), ("date", "dates", resource["date"])]
    planted += [("content.attachment.creation", "dates", attachment["creation"])]
    planted += [(f"context.period.{end}", "dates", visit.period[end]) for end in ("start", "end")]
    subject.chart.add(resource, planted)


def _note_of(visit: Visit) -> Text:
    """What was written down: people, numbers, places and days among words that are none."""
    subject, member, draw = visit.subject, visit.subject.member, visit.subject.draw
    given, family, number = subject.relative
    note = Text()
    name, doctor = note.put("names", member.name), note.put("names", visit.clinician.title.removeprefix("Dr. "))
    relative = note.put("names", f"{given} {family}")
    note.say(f"Patient: {name}    MRN {note.put('mrn', member.mrn)}    {note.put('dates', calendar.us(visit.day))}")
    if member.birth_text and len(member.birth_text) == 10 and draw.chance(0.7):
        note.say(f"Date of birth: {note.put('dates', calendar.us(member.born))}")
    who = {"female": "woman", "male": "man"}.get(member.sex, "person")
    years = f"{visit.age}-year-old"
    if visit.age > 89:
        note.put("dates", years)
    reason = visit.problem.concept.text.lower() if visit.problem else "a regular check-up"
    note.say(f"{name} is a {years} {who} who came on {note.put('dates', calendar.long(visit.day))} for {reason}.")
    note.say(f"Accompanied by {relative}, who may be reached at {note.put('phone', number)}.")
    for _, relation, other in member.relatives[:2]:
        note.say(f"The patient is the {relation} of {note.put('names', other.name)}, who is under our care as well.")
    for _, first, last in member.aliases[:1]:
        note.say(f"Older papers are under {note.put('names', f'{first[0]} {last}')}.")
    note.say(*_EXAM, *_asides(visit, note))
    back = visit.day + draw.between(10, 120)
    again, number = note.put("dates", calendar.us(back)), note.put("phone", visit.clinician.phone)
    note.say(f"Plan: continue as before; back on {again}. Call Dr. {doctor}, {number}.")
    return note.say(f"Signed electronically by {doctor} at {note.put('dates', visit.time(visit.minutes))}")


def _asides(visit: Visit, note: Text) -> list[str]:
    """A remark or two in which something is said that nobody asked for."""
    member, draw, words = visit.subject.member, visit.subject.draw, visit.subject.region.place.words
    host = f"10.{draw.between(0, 255)}.{draw.between(0, 255)}.{draw.between(1, 254)}"
    remarks = [
        ("Lives at ", "geographic", member.address["text"], "."),
        ("Mail goes to ", "email", member.email, "."),
        ("Insurance card ", "health_plan", member.member_number, " was copied."),
        ("SSN ", "ssn", member.ssn, " given for the benefits form."),
        ("Bill to account ", "account", member.account, "."),
        ("Uploaded home readings from ", "ip", host, " 🙂"),
        ("", "names", member.given[0], ' says: "I may be long gone by May, but will fight" & laughs.'),
    ]
    if member.plate:
        remarks.append(("Parked car ", "vehicle", member.plate, " towed during the visit."))
    if member.age > 17:
        remarks.append(("Identity checked by licence ", "license", member.licence, "."))
        # Employers count: the rule is about the individual, relatives, household members and employers alike.
        remarks.append((f"Works as {draw.pick(words.jobs).lower()} for ", "names", draw.pick(words.firms), "."))
    chosen = draw.several(remarks, draw.between(1, 3))
    return [before + note.put(kind, value) + after for before, kind, value, after in chosen]


def write_media(subject: Subject) -> None:
    """Add pictures (a face, as an attachment) and, for some, a recording of the voice."""
    member, draw = subject.member, subject.draw
    if falls_to("photo", member.index):
        data, rest = extensions.image(subject)
        planted = [("content.data", "photo", data), ("content.title", "names", member.name)]
        content = {**rest, "data": data, "title": f"Portrait of {member.name}"}
        _media(subject, _PORTRAIT, content, planted, {"bodySite": _FACE})
    if falls_to("voice_recording", member.index):
        data = base64.b64encode(f"RIFF voice of {draw.digits(9)}".encode()).decode()
        content = {"contentType": "audio/wav", "data": data, "title": "Voice sample"}
        _media(subject, _VOICE, content, [("content.data", "biometric", data)], {"duration": 3})


def _media(subject: Subject, kind: object, content: Json, planted: Plants, rest: Json) -> None:
    day = subject.day(EXPORTED - 1200)
    resource = subject.resource("Media", day)
    taken = calendar.moment(day, 36_000, subject.region.zone)
    resource |= {"status": "completed", "type": kind, "subject": subject.entity.at("subject", subject.draw, planted)}
    resource |= {"createdDateTime": taken, **rest, "content": content}
    subject.chart.add(resource, [*planted, ("createdDateTime", "dates", taken)])


def write_message(subject: Subject) -> None:
    """Add a Communication: words to a relative, with a number, a day and a page."""
    member, draw = subject.member, subject.draw
    given, family, number = subject.relative
    day = subject.day(EXPORTED - 300)
    sent = instant(day, 50_000, "Z")
    page = f"https://portal.hospital.test/m/{member.mrn}?who={member.email}"
    words = f"Dear {given}, {member.given[0]} is expected on {calendar.us(day + 7)}. Directions: {page}"
    planted: Plants = [("sent", "dates", sent), ("payload.contentString", "names", given)]
    planted += [("payload.contentString", "names", member.given[0]), ("payload.contentString", "url", page)]
    planted += [
        ("payload.contentString", "dates", calendar.us(day + 7)),
        ("recipient.display", "names", f"{given} {family}"),
    ]
    planted += [("recipient.identifier.value", "phone", number)]
    resource = subject.resource("Communication", day)
    resource |= {
        "status": "completed",
        "category": _REMINDER,
        "subject": subject.entity.at("subject", draw, planted),
        "sent": sent,
        "recipient": [{"type": "RelatedPerson", "identifier": {"value": number}, "display": f"{given} {family}"}],
        "payload": [{"contentString": words}],
    }
    subject.chart.add(resource, planted)


def write_answers(subject: Subject) -> None:
    """Add a QuestionnaireResponse: what people write into boxes."""
    member, draw = subject.member, subject.draw
    given, family, number = subject.relative
    day = subject.day(EXPORTED - 800)
    authored = calendar.moment(day, 40_000, subject.region.zone)
    questions: list[tuple[str, str, Json, Plants]] = [
        (
            "1",
            "Whom may we call?",
            {"valueString": f"{given} {family} {number}"},
            [("", "names", f"{given} {family}"), ("", "phone", number)],
        ),
        (
            "2",
            "Since when have you lived here?",
            {"valueDate": calendar.iso(day)[:7]},
            [("", "dates", calendar.iso(day)[:7])],
        ),
        ("3", "Your page on the web?", {"valueUri": f"{BASE}/Patient/{member.id}"}, []),
        ("4", "How many stairs to your door?", {"valueInteger": draw.between(0, 40)}, []),
    ]
    items, planted = [], Plants()
    for link, text, answer, found in questions:
        items.append({"linkId": link, "text": text, "answer": [answer]})
        planted += [(f"item.answer.{next(iter(answer))}", kind, value) for _, kind, value in found]
    resource = subject.resource("QuestionnaireResponse", day)
    resource |= {"status": "completed", "subject": subject.entity.at("subject", draw, planted), "authored": authored}
    subject.chart.add(resource | {"item": items}, [*planted, ("authored", "dates", authored)])
