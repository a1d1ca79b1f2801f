"""Who may look, who did look, and who wrote: Consent, AuditEvent, Provenance; and the Group of a region's patients."""

from __future__ import annotations

from masking.sample.calendar import EXPORTED, instant, moment
from masking.sample.chart import Chart, Json
from masking.sample.codes import HL7, LOINC, NPI, concept, hl7, raw
from masking.sample.draw import Draw
from masking.sample.encounters import Visit
from masking.sample.subject import Subject

Plants = list[tuple[str, str, str]]

_PRIVACY = hl7("consentscope", "patient-privacy", "Privacy Consent").concept
_AGREEMENT = [concept(LOINC, "59284-0", "Consent Document").concept]
_OPT_IN = hl7("v3-ActCode", "OPTIN", "opt-in").concept
_REST = raw({"system": f"{HL7}audit-event-type", "code": "rest", "display": "RESTful Operation"})
_READ = [raw({"system": "http://hl7.org/fhir/restful-interaction", "code": "read", "display": "read"})]
_AUTHOR = hl7("provenance-participant-type", "author", "Author").concept
_ROOT = raw({"text": "portal user"})


def write_consent(subject: Subject) -> None:
    """Add a Consent, signed by the patient or for them by a named relative."""
    draw, planted = subject.draw, Plants()
    day = subject.day(EXPORTED - 2500)
    when = moment(day, draw.between(30_000, 60_000), subject.region.zone)
    given, family, _ = subject.relative
    signer: Json = subject.entity.at("performer", draw, planted)
    if subject.member.age < 18:
        signer = {"display": f"{given} {family}"}
        planted = [("performer.display", "names", f"{given} {family}")]
    scan = f"https://ehr.hospital.test/scans/{subject.member.mrn}.pdf"
    resource = subject.resource("Consent", day)
    resource |= {
        "status": "active",
        "scope": _PRIVACY,
        "category": _AGREEMENT,
        "patient": subject.entity.at("patient", draw, planted),
        "dateTime": when,
        "performer": [signer],
        "organization": [subject.region.hospital.at("organization", draw, planted)],
        "sourceAttachment": {"contentType": "application/pdf", "url": scan, "title": f"Signed by {given} {family}"},
        "policyRule": _OPT_IN,
    }
    planted += [("dateTime", "dates", when), ("sourceAttachment.url", "url", scan)]
    subject.chart.add(resource, [*planted, ("sourceAttachment.title", "names", f"{given} {family}")])


def write_audit(visit: Visit) -> None:
    """Add an AuditEvent: who looked at the record, from which address on the net, with the query that they sent."""
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = []
    recorded = visit.instant(draw.between(1, 5000) % max(1, visit.minutes))
    host = f"10.{draw.between(0, 255)}.{draw.between(0, 255)}.{draw.between(1, 254)}"
    if draw.chance(0.3):
        host = f"2001:db8:{draw.between(1, 65535):x}::{draw.between(1, 65535):x}"
    if draw.chance(0.4):
        user, login = subject.entity, subject.member.email
    else:
        user, login = visit.clinician.entity, f"dr.{visit.clinician.npi[-4:]}@hospital.test"
    what = f"Patient/{subject.member.id}/_history/2"
    resource = visit.resource("AuditEvent")
    resource |= {
        "type": _REST,
        "subtype": _READ,
        "action": "R",
        "recorded": recorded,
        "outcome": "0",
        "agent": [
            {
                "role": [_ROOT],
                "who": user.at("agent.who", draw, planted),
                "altId": login,
                "name": user.name,
                "requestor": True,
                "network": {"address": host, "type": "2"},
            }
        ],
        "source": {"observer": subject.region.hospital.at("source.observer", draw, planted)},
        "entity": [{"what": {"reference": what}, "name": f"record of {subject.member.name}"}],
    }
    planted += [("recorded", "dates", recorded), ("agent.network.address", "ip", host), ("agent.altId", "email", login)]
    planted += [("agent.name", "names", user.name), ("entity.name", "names", subject.member.name)]
    subject.chart.add(resource, planted)


def write_provenance(visit: Visit) -> None:
    """Add a Provenance of the encounter; its agents are practitioners by number, or a device by address."""
    subject, draw = visit.subject, visit.subject.draw
    planted: Plants = []
    recorded = visit.instant(visit.minutes)
    who: Json = visit.clinician.entity.at("agent.who", draw, planted)
    if draw.chance(0.2):
        planted = [("agent.who.identifier.value", "license", visit.clinician.npi)]
        who = {"type": "Practitioner", "identifier": {"system": NPI, "value": visit.clinician.npi}}
    resource = visit.resource("Provenance")
    resource |= {
        "target": [visit.reference, {"reference": f"Patient/{subject.member.id}"}],
        "occurredDateTime": visit.time(),
        "recorded": recorded,
        "agent": [{"type": _AUTHOR, "who": who, "onBehalfOf": subject.region.hospital.reference}],
    }
    subject.chart.add(
        resource, [*planted, ("recorded", "dates", recorded), ("occurredDateTime", "dates", visit.time())]
    )


def write_group(chart: Chart, draw: Draw, members: list[tuple[str, str]]) -> None:
    """Add the Group of a region's patients (id and name of each); every eighth is shown with the name."""
    listed, planted = [], Plants()
    for position, (own_id, name) in enumerate(members):
        entity: Json = {"reference": f"Patient/{own_id}"}
        if position % 8 == 0:
            entity["display"] = name
            planted.append(("member.entity.display", "names", name))
        listed.append({"entity": entity, "inactive": False})
    chart.add(
        {
            "resourceType": "Group",
            "id": chart.new_id(),
            "meta": {"versionId": "1", "lastUpdated": instant(EXPORTED, draw.between(0, 80_000), "Z")},
            "active": True,
            "type": "person",
            "actual": True,
            "name": "Patients of the region",
            "quantity": len(listed),
            "member": listed,
        },
        planted,
    )
