"""The whole record of one patient, and the whole of one region: which makers run, and in which order."""

from __future__ import annotations

from collections.abc import Iterator

from masking.sample import billing, clinical, documents, encounters, measurements, oversight, people, planning
from masking.sample.chart import Chart
from masking.sample.draw import Draw
from masking.sample.encounters import Visit
from masking.sample.facilities import REGION_SIZE, Region, region
from masking.sample.household import Member, households
from masking.sample.subject import Subject, subject_of
from masking.sample.vocabulary import Problem


def write_patient(seed: int, member: Member, where: Region) -> Chart:
    """Write the record of one patient: a function of the seed and of who the patient is."""
    subject = subject_of(seed, member, where)
    people.write_people(subject)
    billing.write_cover(subject)
    problems = clinical.problems_of(subject)
    stature = measurements.stature_of(subject.draw.near, member.sex, problems)
    visits = encounters.visits_of(subject, problems)
    for visit in visits:
        _write_visit(visit, problems, stature)
    _write_rest(subject, visits)
    return subject.chart


def _write_visit(visit: Visit, problems: list[Problem], stature: tuple[float, float]) -> None:
    chance = visit.subject.draw.chance
    clinical.write_condition(visit)
    encounters.write_encounter(visit)
    if visit.kind != "VR":
        measurements.write_vitals(visit, problems, stature)
        clinical.write_procedure(visit)
    if chance(0.25):
        measurements.write_social(visit)
    if chance(0.4) and visit.age > 0:
        measurements.write_panel(visit, problems)
    for drug in visit.problem.drugs if visit.problem else ():
        clinical.write_medication(visit, drug)
    if visit.kind == "AMB" and chance(0.5):
        clinical.write_immunization(visit)
    documents.write_note(visit)
    if chance(0.65):
        billing.write_claim(visit)
    if chance(0.3):
        oversight.write_audit(visit)
    if chance(0.25):
        oversight.write_provenance(visit)


def _write_rest(subject: Subject, visits: list[Visit]) -> None:
    """What belongs to no visit; by position where every export must have it, by chance else."""
    index, chance = subject.member.index, subject.draw.chance
    if index % 2 == 0:
        clinical.write_allergy(subject)
        oversight.write_consent(subject)
    if index % 3 == 1:
        planning.write_plan(subject)
        documents.write_answers(subject)
    if index % 3 == 2:
        planning.write_family_history(subject)
        documents.write_message(subject)
    if chance(0.4):
        planning.write_device(subject)
    if subject.member.age > 64:
        encounters.write_episode(subject, visits)
    documents.write_media(subject)


def region_charts(seed: int, number: int, patients: int) -> Iterator[Chart]:
    """The charts of a region: its directory, its patients up to number `patients` of the export, and their Group."""
    where = region(seed, number)
    first = number * REGION_SIZE
    yield where.chart
    listed = []
    for member in households(seed, range(first, min(first + REGION_SIZE, patients)), where.place):
        listed.append((member.id, member.name))
        yield write_patient(seed, member, where)
    group = Chart(None, seed, "group", number)
    oversight.write_group(group, Draw(seed, "group", number), listed)
    yield group
