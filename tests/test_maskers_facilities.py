"""Fake names of facilities: kind, state, who shares one, and that they are nobody's."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_realistic import known

from masking.errors import ParameterError
from masking.maskers.facilities import Facility
from masking.pools import load
from masking.pools.facilities import facility_name, is_generic, kind_of
from masking.pools.places import fold_place
from masking.pools.states import NAMES

KEY = hashlib.sha256(b"test").digest()
OHIO = "1 Elm St|Dayton|OH|45402|US"
NAMES_ = st.text(max_size=40) | st.sampled_from(["Mercy Hospital", "St. Anne Clinic", "Acme Insurance"])
STATES = st.sampled_from([None, *NAMES])


class Keys:
    """Fixed test subkeys: SHA-256 of the purpose."""

    def subkey(self, purpose: str) -> bytes:
        return hashlib.sha256(purpose.encode()).digest()


def mask(value: str, address: str | None = OHIO, name: str | None = None, keep: str = "state") -> str | None:
    return Facility(keep).bind(Keys()).mask_distinct([value], address=[address], facility=[name])[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MORTON HOSPITAL, A STEWARD FAMILY HOSPITAL, INC.", "hospital"),
        ("Universitätsklinikum Köln", "hospital"),
        ("Hôpital Saint-Louis", "hospital"),
        ("Löwen-Apotheke", "pharmacy"),
        ("Main St. Drug Store #12", "pharmacy"),
        ("Quest Labs", "laboratory"),
        ("General Hospital Insurance Company", "payer"),
        ("Techniker Krankenkasse", "payer"),
        ("Trinity Family Medicine", "practice"),
        ("Clínica del Sol", "clinic"),
        ("Lincoln Elementary School", "school"),
        ("Ward 7", "unit"),
        ("Aetna", "neutral"),
        ("Laborde & Cie", "neutral"),
    ],
)
def test_the_kind_that_a_name_tells(name: str, kind: str) -> None:
    found = kind_of(fold_place(name))
    assert found.name == kind
    fake = mask(name)
    assert fake is not None and any(form.casefold() in fake.casefold() for form in found.forms)


@given(NAMES_, STATES)
def test_a_fake_is_another_name_and_its_case_alone_follows_the_source(name: str, state: str | None) -> None:
    fake = facility_name(KEY, name, state)
    if fake is None:
        assert not fold_place(name)
        return
    assert fold_place(fake) != fold_place(name)
    assert state is None or NAMES[state].casefold() in fake.casefold()
    assert facility_name(KEY, f" {name.casefold()}. ", state).casefold() == fake.casefold()  # type: ignore[union-attr]
    assert facility_name(bytes(32), name, state) != fake
    assert not name.isupper() or fake.isupper()


@given(NAMES_)
def test_a_fake_masked_again_is_another(name: str) -> None:
    once = mask(name)
    assert once is None or mask(once) != once


def test_the_state_is_that_of_the_address_or_its_zip() -> None:
    assert "Ohio" in str(mask("Mercy Hospital")) and mask("Mercy Hospital", "||Ohio||") == mask("Mercy Hospital")
    assert mask("Mercy Hospital", "|||45402|") == mask("Mercy Hospital", "5 Oak Ave|Toledo|oh|43604|USA")
    stateless = mask("Mercy Hospital", None)
    assert not any(state in str(stateless) for state in NAMES.values())
    for nowhere in ("", "||||", "1 High St|Oxford||OX1|GB", "|Springfield|Nowhere||"):
        assert mask("Mercy Hospital", nowhere) == stateless
    assert mask("Mercy Hospital", keep="country") == stateless


def test_the_name_of_the_record_decides() -> None:
    assert mask("Mercy Hosp.", name="Mercy Hospital") == mask("Mercy Hospital") != mask("Mercy Hosp.")


def test_what_is_no_area_is_refused() -> None:
    with pytest.raises(ParameterError):
        Facility("zip3")


@pytest.mark.parametrize(("count", "most"), [(10, 0), (1000, 0), (30_000, 150)])
@pytest.mark.parametrize("state", ["RI", None])
def test_few_facilities_of_a_kind_and_state_share_a_name(count: int, most: int, state: str | None) -> None:
    drawn = Counter(facility_name(KEY, f"Hospital {number}", state) for number in range(count))
    assert sum(times for times in drawn.values() if times > 1) <= most * (1 if state else 2)


# ── words that name nobody ───────────────────────────────────────────────────────────────────────────────────────────


def test_no_word_is_a_persons_a_towns_or_a_countys() -> None:
    people = {name.casefold() for sex in ("male", "female", None) for name in load.given_names(sex)}
    people |= {name.casefold() for name in load.family_names()}
    rows = [line.split("\t", 4) for line in load.places().lines]
    towns = {row[1].casefold() for row in rows} | {row[3].casefold().removesuffix(" county") for row in rows}
    parts = load.facility_parts()
    words = {word.casefold() for pool in parts.values() for word in pool}
    assert all(len(set(pool)) == len(pool) for pool in parts.values())
    assert not words & people and not words & towns
    forms = [form for kind in load.facility_kinds() for form in kind.forms]
    chain = (parts["first"], parts["second"], parts["spirit"], [form.split()[0] for form in forms])
    pairs = {f"{a} {b}".casefold() for left, right in itertools.pairwise(chain) for a in left for b in right}
    assert not pairs & towns


def test_kinds_have_forms_that_are_of_them() -> None:
    names = [kind.name for kind in load.facility_kinds()]
    assert len(set(names)) == len(names) and names[-1] == "neutral"
    assert all(len(set(kind.forms)) == 4 for kind in load.facility_kinds())
    told = [word for kind in load.facility_kinds() for word in kind.told if word]
    assert all(word == fold_place(word) and len(word.split()) <= 3 for word in told)


@pytest.mark.parametrize(
    "name", ["Ward A", "Room 101", "Emergency Department", "Patient's Home", "South Wing, second floor"]
)
def test_names_that_say_what_a_place_is(name: str) -> None:
    assert is_generic(name) and not is_generic(f"{name} of Mercyville")


# ── one facility in all places ───────────────────────────────────────────────────────────────────────────────────────

HOSPITAL = {
    "resourceType": "Organization",
    "id": "1",
    "name": "Mercyville General Hospital",
    "alias": ["Mercyville Gen"],
    "address": [{"city": "Dayton", "state": "OH"}, {"city": "Austin", "state": "TX"}],
}
SITE = {
    "resourceType": "Location",
    "id": "1",
    "name": "MERCYVILLE GENERAL HOSPITAL",
    "address": {"line": ["1 Elm St"], "city": "Dayton", "state": "Ohio"},
}
WARD = {"resourceType": "Location", "id": "w", "name": "Ward A", "address": {"state": "OH"}}
PATIENT = {"resourceType": "Patient", "id": "1", "gender": "male", "name": [{"family": "Novak", "given": ["Jan"]}]}


def test_one_facility_shows_one_name_everywhere() -> None:
    visit = {
        "resourceType": "Encounter",
        "id": "e",
        "subject": {"reference": "Patient/1"},
        "serviceProvider": {"reference": "Organization/1", "display": "Mercyville Gen. Hosp."},
        "location": [
            {"location": {"reference": "Location/1", "display": "Mercyville"}},
            {"location": {"reference": "Location/w", "display": "Ward A"}},
        ],
    }
    note = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": {"reference": "Patient/1"},
        "performer": [{"reference": "Organization/1", "display": "Mercyville General Hospital"}],
        "valueString": "Seen at Mercyville General Hospital, Ward A; Mercyville Gen sends the bill.",
    }
    organization, site, ward, _, masked, told = known(HOSPITAL, SITE, WARD, PATIENT, visit, note)
    name = organization["name"]
    assert "Ohio" in name and site["name"] == name.upper()
    assert masked["serviceProvider"]["display"] == told["performer"][0]["display"] == name
    assert [place["location"]["display"] for place in masked["location"]] == [site["name"], ward["name"]]
    assert told["valueString"] == f"Seen at {name}, Ward A; {name} sends the bill."


def test_a_facility_that_the_export_lacks_has_the_name_of_its_display() -> None:
    reference = {"reference": "Organization/9", "display": "Mercyville General Hospital"}
    visits = [{"resourceType": "Encounter", "id": str(n), "serviceProvider": reference} for n in range(2)]
    first, second = known(*visits)
    assert first["serviceProvider"]["display"] == second["serviceProvider"]["display"]
    assert first["serviceProvider"]["display"].endswith(kind_of("hospital").forms)
