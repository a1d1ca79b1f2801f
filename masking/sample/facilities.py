"""The directory of a region: organizations, locations, practitioners and their roles, shared by its 200 patients.

A region is a function of the seed and its number, so a patient's references point at the same practitioners whatever
the number of patients; only the regions that have patients are written.
"""

from __future__ import annotations

from dataclasses import dataclass

from masking.sample.calendar import EXPORTED, instant, iso
from masking.sample.chart import Chart, Json, plant_address, plant_name, plant_telecom
from masking.sample.codes import BASE, DEA, NPI, SNOMED, concept, hl7, identifier_type, raw
from masking.sample.contacts import address, dea, mailbox, npi, phone, point
from masking.sample.draw import Draw, decimal, spread
from masking.sample.names import STATES, Place, words

#: Patients a region; a multiple of the household cycle of twenty.
REGION_SIZE = 200
_CLINICIANS = 12
_SPECIALTIES = (
    concept(SNOMED, "419772000", "Family practice"),
    concept(SNOMED, "419192003", "Internal medicine"),
    concept(SNOMED, "394537008", "Pediatric specialty"),
    concept(SNOMED, "394579002", "Cardiology"),
    concept(SNOMED, "394586005", "Gynecology"),
    concept(SNOMED, "394609007", "Surgery-general"),
)
_DOCTOR = concept(SNOMED, "158965000", "Medical practitioner")
_PROVIDER = hl7("organization-type", "prov", "Healthcare Provider").concept
_DEPARTMENT = hl7("organization-type", "dept", "Hospital Department").concept
_PAYER = hl7("organization-type", "pay", "Payer").concept
_SITE_TYPES = {"bu": "Building", "wa": "Ward", "ro": "Room"}
_NPI_TYPE = identifier_type("NPI", "National provider identifier")
_DEA_TYPE = identifier_type("DEA", "Drug Enforcement Administration registration number")
_LICENSE_TYPE = identifier_type("MD", "Medical License number")
_ACTIVE_SINCE = raw({"start": "2015-01-01"})


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that others point at: the ways to write the reference, and what those give away."""

    id: str
    name: str
    reference: Json
    #: Each a Reference with what it plants, by paths below it.
    forms: tuple[tuple[Json, tuple[tuple[str, str, str], ...]], ...]

    def at(self, path: str, draw: Draw, planted: list[tuple[str, str, str]]) -> Json:
        """A Reference in one of its forms, to stand at `path`; what it gives away is added to `planted`."""
        reference, given_away = draw.pick(self.forms)
        planted += [(f"{path}.{below}", kind, value) for below, kind, value in given_away]
        return reference


@dataclass(frozen=True, slots=True)
class Clinician:
    """A practitioner: who they are in words, and how to point at them."""

    entity: Entity
    role: Json
    family: str
    #: `Dr. Ana Cruz`.
    title: str
    npi: str
    phone: str


@dataclass(frozen=True, slots=True)
class Region:
    """What the patients of a region share."""

    number: int
    place: Place
    hospital: Entity
    laboratory: Entity
    payers: tuple[Entity, ...]
    sites: tuple[Entity, ...]
    clinicians: tuple[Clinician, ...]
    chart: Chart

    @property
    def zone(self) -> str:
        """The offset from UTC of its clocks."""
        return self.place.state.zone


def region(seed: int, number: int) -> Region:
    """Build a region and the lines of its directory (in `chart`)."""
    draw = Draw(seed, "region", number)
    vocabulary = words(seed)
    state = STATES[number % len(STATES)]
    zips = tuple(draw.several(vocabulary.zips[number % len(STATES)], 12))
    chart = Chart(None, seed, "region", number)
    place = Place(vocabulary, state, zips)
    directory = _Directory(seed, number, draw, place, chart)
    town = draw.pick(vocabulary.towns)
    hospital = directory.organization(f"{town} General Hospital", _PROVIDER, None)
    laboratory = directory.organization(f"{town} General Laboratory", _DEPARTMENT, hospital)
    payers = tuple(directory.organization(f"{draw.pick(vocabulary.firms)} Health Plan", _PAYER, None) for _ in range(2))
    main = directory.site(f"{hospital.name}, Main Building", "bu", hospital, None)
    wards = [directory.site(f"Ward {letter}", "wa", hospital, main) for letter in "ABC"]
    rooms = [directory.site(f"Room {number + 1}0{n}", "ro", hospital, wards[0]) for n in range(1, 3)]
    clinicians = tuple(directory.clinician(n, hospital, main) for n in range(_CLINICIANS))
    return Region(number, place, hospital, laboratory, payers, (main, *wards, *rooms), clinicians, chart)


@dataclass(frozen=True, slots=True)
class _Directory:
    """What it takes to write the resources of one region's directory."""

    seed: int
    number: int
    draw: Draw
    place: Place
    chart: Chart

    def meta(self) -> Json:
        return {"versionId": "1", "lastUpdated": instant(EXPORTED - self.draw.between(100, 900), 43_200, "Z")}

    def organization(self, name: str, kind: object, parent: Entity | None) -> Entity:
        number, own_id = self.draw.digits(9), self.chart.new_id()
        code = npi("3" + number[1:])
        telecom = [
            point("phone", phone(self.draw, self.place.state), "work"),
            point("fax", phone(self.draw, self.place.state)),
        ]
        home = address(self.draw, self.place, use="work")
        people = self.place.words.english
        contact = {"text": f"{self.draw.pick(people.female)} {self.draw.pick(people.family)}"}
        resource: Json = {
            "resourceType": "Organization",
            "id": own_id,
            "meta": self.meta(),
            "identifier": [{"use": "official", "type": _NPI_TYPE, "system": NPI, "value": code}],
            "active": True,
            "type": [kind],
            "name": name,
            "telecom": telecom,
            "address": [home],
            "contact": [{"name": contact, "telecom": [point("phone", phone(self.draw, self.place.state))]}],
        }
        if parent:
            resource["partOf"] = parent.reference
        planted = [("identifier.value", "license", code), *plant_telecom("telecom", telecom)]
        planted += [*plant_address("address", home), ("contact.name.text", "names", contact["text"])]
        planted += plant_telecom("contact.telecom", resource["contact"][0]["telecom"])
        self.chart.add(resource, planted)
        return _entity("Organization", own_id, name, ())

    def site(self, name: str, kind: str, owner: Entity, parent: Entity | None) -> Entity:
        own_id = self.chart.new_id()
        home = address(self.draw, self.place, use="work")
        latitude = f"{self.place.state.latitude + self.draw.near(-0.5, 0.5):.9f}"
        longitude = f"{self.place.state.longitude + self.draw.near(-0.5, 0.5):.12f}"
        resource: Json = {
            "resourceType": "Location",
            "id": own_id,
            "meta": self.meta(),
            "identifier": [{"system": f"{BASE}/sites", "value": f"{self.number}-{name.replace(' ', '-')}"}],
            "status": "active",
            "name": name,
            "mode": "instance",
            "telecom": [point("phone", phone(self.draw, self.place.state), "work")],
            "address": home,
            "physicalType": hl7("location-physical-type", kind, _SITE_TYPES[kind]).concept,
            "position": {"longitude": decimal(float(longitude), 12), "latitude": decimal(float(latitude), 9)},
            "managingOrganization": owner.reference,
        }
        if parent:
            resource["partOf"] = parent.reference
        planted = [("position.longitude", "geographic", longitude), ("position.latitude", "geographic", latitude)]
        planted += [*plant_address("address", home), *plant_telecom("telecom", resource["telecom"])]
        self.chart.add(resource, planted)
        return _entity("Location", own_id, name, ())

    def clinician(self, position: int, employer: Entity, site: Entity) -> Clinician:
        sex = self.draw.pick(("female", "male"))
        people = self.place.words.accented if position % 6 == 5 else self.place.words.english
        given, family = self.draw.pick(people.given(sex)), self.draw.pick(people.family)
        serial = spread(self.number * _CLINICIANS + position, 10**8, "npi", self.seed)
        code, title, own_id = npi(f"1{serial:08}"), f"Dr. {given} {family}", self.chart.new_id()
        number = phone(self.draw, self.place.state)
        self._practitioner(own_id, (given, family, sex), code, number)
        entity = _entity("Practitioner", own_id, title, (f"Practitioner?identifier={NPI}|{code}", "license", code))
        role_id = self.chart.new_id()
        specialty = _SPECIALTIES[position % len(_SPECIALTIES)]
        self.chart.add(
            {
                "resourceType": "PractitionerRole",
                "id": role_id,
                "meta": self.meta(),
                "active": True,
                "period": _ACTIVE_SINCE,
                "practitioner": {**entity.reference, "display": title},
                "organization": {**employer.reference, "display": employer.name},
                "code": [_DOCTOR.concept],
                "specialty": [specialty.concept],
                "location": [site.reference],
                "telecom": [point("phone", number, "work")],
            },
            [("practitioner.display", "names", f"{given} {family}"), ("telecom.value", "phone", number)],
        )
        return Clinician(entity, {"reference": f"PractitionerRole/{role_id}"}, family, title, code, number)

    def _practitioner(self, own_id: str, who: tuple[str, str, str], code: str, number: str) -> None:
        given, family, sex = who
        drug = dea(self.draw, family)
        license_number = f"{self.place.state.code}{self.draw.digits(6)}"
        name = {
            "use": "official",
            "text": f"Dr. {given} {family}",
            "family": family,
            "given": [given],
            "prefix": ["Dr."],
        }
        telecom = [point("phone", number, "work"), point("email", mailbox(given, family, int(code[1:6])), "work")]
        home = address(self.draw, self.place)
        born = iso(EXPORTED - self.draw.between(28 * 366, 68 * 365))
        self.chart.add(
            {
                "resourceType": "Practitioner",
                "id": own_id,
                "meta": self.meta(),
                "identifier": [
                    {"use": "official", "type": _NPI_TYPE, "system": NPI, "value": code},
                    {"type": _DEA_TYPE, "system": DEA, "value": drug},
                    {"type": _LICENSE_TYPE, "value": license_number},
                ],
                "active": True,
                "name": [name],
                "telecom": telecom,
                "address": [home],
                "gender": sex,
                "birthDate": born,
                "qualification": [{"identifier": [{"value": license_number}], "code": _DOCTOR.concept}],
            },
            [
                *(("identifier.value", "license", value) for value in (code, drug, license_number)),
                ("qualification.identifier.value", "license", license_number),
                *plant_name("name", name),
                *plant_telecom("telecom", telecom),
                *plant_address("address", home),
                ("birthDate", "dates", born),
            ],
        )


def _entity(resource_type: str, own_id: str, name: str, conditional: tuple[str, str, str] | tuple[()]) -> Entity:
    """Relative mostly; also with a display, absolute with or without a version, `urn:uuid:`, and conditional."""
    plain = {"reference": f"{resource_type}/{own_id}"}
    shown = {**plain, "display": name}
    people = resource_type == "Practitioner"
    said = (("display", "names", name.removeprefix("Dr. ")),) if people else ()
    absolute = f"{BASE}/{resource_type}/{own_id}"
    forms: list[tuple[Json, tuple[tuple[str, str, str], ...]]] = [(plain, ()), (shown, said)] * 4
    forms += [({"reference": absolute}, ()), ({"reference": f"{absolute}/_history/1"}, ())]
    forms += [({"reference": f"urn:uuid:{own_id}", "type": resource_type, "display": name}, said)]
    if conditional:
        query, kind, value = conditional
        forms += [({"reference": query, "display": name}, (("reference", kind, value), *said))] * 3
    return Entity(own_id, name, plain, tuple(forms))
