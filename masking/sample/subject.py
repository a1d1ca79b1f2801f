"""One patient at work: the chart, the draws, and the ways the other resources point at the patient."""

from __future__ import annotations

from dataclasses import dataclass, field

from masking.sample.awkward import falls_to
from masking.sample.calendar import EXPORTED, instant
from masking.sample.chart import Chart, Json
from masking.sample.codes import BASE, MRN
from masking.sample.contacts import phone
from masking.sample.draw import Draw
from masking.sample.facilities import Entity, Region
from masking.sample.household import Member


@dataclass(slots=True)
class Subject:
    """Everything the makers of resources need to know about the patient whose record they write."""

    seed: int
    member: Member
    region: Region
    chart: Chart
    draw: Draw
    #: How to point at this patient.
    entity: Entity
    #: The last day anything happened: death, or the export.
    last_day: int
    #: A relative who is no patient, as named in contacts, notes and RelatedPerson: (given, family, phone).
    relative: tuple[str, str, str]
    coverage: Json = field(default_factory=dict)
    account: Json = field(default_factory=dict)

    def resource(self, resource_type: str, day: int) -> Json:
        """The beginning of every resource of this patient: type, a fresh id, and meta."""
        second = 18_000 + self.draw.between(0, 60_000)
        meta = {"versionId": str(self.draw.between(1, 5)), "lastUpdated": instant(day, second, self.region.zone)}
        return {"resourceType": resource_type, "id": self.chart.new_id(), "meta": meta}

    def day(self, earliest: int) -> int:
        """A day from the later of birth and `earliest` to the last."""
        return self.draw.between(max(self.member.born, min(earliest, self.last_day)), self.last_day)


def subject_of(seed: int, member: Member, region: Region) -> Subject:
    """Open the record of a patient; all draws come from the seed and the patient's position."""
    draw = Draw(seed, "patient", member.index)
    chart = Chart(member.id, seed, "chart", member.index, escaped=falls_to("escaped", member.index))
    words = region.place.words.english
    given = draw.pick(words.given(draw.pick(("female", "male"))))
    relative = (given, draw.pick(words.family), phone(draw, region.place.state, extension=draw.chance(0.2)))
    return Subject(seed, member, region, chart, draw, _entity(member), member.died or EXPORTED, relative)


def _entity(member: Member) -> Entity:
    """Bare and relative mostly; also with a name, absolute, `urn:uuid:`, conditional, and by identifier alone."""
    plain: Json = {"reference": f"Patient/{member.id}"}
    said = (("display", "names", member.name),)
    absolute = f"{BASE}/Patient/{member.id}"
    forms: list[tuple[Json, tuple[tuple[str, str, str], ...]]] = [(plain, ())] * 14
    forms += [({**plain, "display": member.name}, said)] * 3
    forms += [({"reference": absolute}, ()), ({"reference": f"{absolute}/_history/3"}, ())]
    forms += [({"reference": f"Patient?identifier={MRN}|{member.mrn}"}, (("reference", "mrn", member.mrn),))]
    by_number = {"type": "Patient", "identifier": {"system": MRN, "value": member.mrn}, "display": member.name}
    forms += [(by_number, (("identifier.value", "mrn", member.mrn), *said))]
    if len(member.id) == 36:
        forms += [({"reference": f"urn:uuid:{member.id}", "type": "Patient"}, ())]
    return Entity(member.id, member.name, plain, tuple(forms))
