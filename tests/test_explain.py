"""`masking.policy.explain`: the right rule, its line, its level, and what it does; hints for what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from masking.errors import UsageError
from masking.fhir.elements import resource_types
from masking.policy.answers import BY_TYPE, BY_URL, INSIDE, LEVELS, Explanation, spoken
from masking.policy.examples import EXAMPLE_DATE, example_key
from masking.policy.explain import example_policy, explain
from masking.policy.plan import Plan
from masking.policy.specs import Policy

MINE = """\
policy: mine
types:
  default: mask
  Group: refuse
  Media: redact
rules:
  "*.status": {mask: keep, why: "wanted"}
  Patient.birthDate: {mask: retain_age, why: "same age"}
  HumanName.family: last_name
  CodeableConcept: keep
  date: date_shift
  Patient.photo: redact
  Attachment.data: {mask: redact, absent: true}
  string: redact_text
  Address.city: {mask: address, part: city}
extensions:
  "http://example.org/maiden": last_name
  "http://example.org/place": {mask: keep, parts: {city: {mask: address, part: city}}}
identifiers:
  systems: {"http://example.org/ssn": ssn}
  types: {SS: ssn}
  default: format_preserving
code_systems:
  keep: ["http://loinc.org", "http://example.org/*"]
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    path = tmp_path_factory.mktemp("policy") / "mine.yaml"
    path.write_text(MINE)
    return example_policy(str(path))


@pytest.fixture(scope="module")
def realistic() -> Policy:
    return example_policy("realistic")


def one(policy: Policy, target: str) -> Explanation:
    return next(explain(policy, [target]))


@pytest.mark.parametrize(
    ("target", "does", "level", "line"),
    [
        ("Patient.birthDate", "retain_age", 1, 8),
        ("Observation.status", "keep", 2, 7),
        ("Patient.identifier.value", "format_preserving", 3, 22),
        ("Patient.name.family", "last_name", 4, 9),
        ("HumanName.family", "last_name", 4, 9),
        ("Patient.maritalStatus", "keep", 5, 10),
        ("Patient.maritalStatus.coding", "keep", 6, 10),
        ("Person.birthDate", "date_shift", 7, 11),
        ("Patient.gender", "redact", 8, 0),
        ("Patient.name", INSIDE, 6, 0),
        ("Patient.extension", BY_URL, 6, 0),
        ("Patient.contained", BY_TYPE, 6, 0),
        ("Group", "refuse", 0, 4),
        ("Media", "redact", 0, 5),
        ("Patient", "mask", 0, 3),
        ("SS", "ssn", 3, 21),
        ("http://example.org/ssn", "ssn", 3, 20),
        ("http://example.org/maiden", "last_name", 3, 17),
        ("http://loinc.org", "keep", 9, 24),
    ],
)
def test_each_level_of_precedence_is_told_with_its_line(
    mine: Policy, target: str, does: str, level: int, line: int
) -> None:
    answer = one(mine, target)
    assert (answer.does, answer.level, answer.place.line) == (does, level, line)


def test_reasons_and_yaml_paths_are_told(mine: Policy) -> None:
    answer = one(mine, "Patient.birthDate")
    assert answer.why == "same age"
    assert answer.place.path == '$.rules["Patient.birthDate"]'
    assert answer.place.file.endswith("mine.yaml")
    assert answer.cardinality == "0..1"


def test_the_example_is_what_the_masker_makes_under_the_public_key(mine: Policy) -> None:
    answer = one(mine, "Patient.birthDate")
    rule = Plan(mine, example_key()).root("Patient").child("birthDate").rule
    assert rule.masker is not None
    bound = rule.masker.bind(example_key())
    context = {name: [None] for name in bound.context} | {"subject": ["example-1"]}
    context = {name: column for name, column in context.items() if name in bound.context}
    assert [answer.after] == bound.mask_distinct([answer.before], **context)
    assert answer.before != answer.after


def test_what_goes_leaves_nothing_or_a_reason(mine: Policy) -> None:
    assert one(mine, "Patient.gender").after is None
    notes = [answer.notes for answer in explain(mine, ["DocumentReference.content.attachment.data"])]
    assert "a data-absent-reason stands in its place" in notes[0]


def test_what_lies_in_something_that_goes_is_told_with_it(mine: Policy) -> None:
    answers = list(explain(mine, ["Patient.photo.url"]))
    assert [(answer.path, answer.does) for answer in answers] == [("Patient.photo", "redact")]
    assert "Patient.photo.url goes with it" in answers[0].notes


def test_paths_of_a_type_that_goes_answer_with_the_type(mine: Policy) -> None:
    assert [answer.path for answer in explain(mine, ["Group.name"])] == ["Group"]
    assert [answer.path for answer in explain(mine, ["Media"])] == ["Media"]


def test_any_type_groups_equal_answers(mine: Policy) -> None:
    answers = list(explain(mine, ["*.birthDate"]))
    assert [(answer.does, answer.notes[-1]) for answer in answers] == [
        ("retain_age", "in Patient"),
        ("date_shift", "in 3 types: Person, Practitioner, RelatedPerson"),
    ]
    assert {answer.path for answer in answers} == {"*.birthDate"}


def test_an_identifier_value_tells_every_system_and_type(mine: Policy) -> None:
    paths = [answer.path for answer in explain(mine, ["Patient.identifier.value"])]
    assert paths == [
        "Patient.identifier.value",
        "Patient.identifier.value of http://example.org/ssn",
        "Patient.identifier.value of type SS",
    ]


def test_parts_of_an_extension_are_told(mine: Policy) -> None:
    answers = list(explain(mine, ["http://example.org/place"]))
    assert [(answer.path, answer.does) for answer in answers] == [
        ("http://example.org/place", "keep"),
        ("http://example.org/place › city", "address"),
    ]
    assert answers[1].parameters == {"part": "city"}


def test_an_unknown_url_is_told_in_all_its_roles(mine: Policy) -> None:
    answers = list(explain(mine, ["http://nowhere.example/x"]))
    assert [(answer.type, answer.does) for answer in answers] == [
        ("extension", "redact"),
        ("identifier system", "format_preserving"),
        ("code system", "redact_text"),
    ]


def test_a_public_uri_is_told(realistic: Policy) -> None:
    url = "http://hl7.org/fhir/sid/us-npi"
    assert [(answer.type, answer.does) for answer in explain(realistic, [url])] == [
        ("identifier system", "check_digit"),
        ("publisher", "keep"),
    ]
    assert [answer.type for answer in explain(realistic, ["http://ihe.net/x"])] == ["publisher"]
    assert "publisher" not in {answer.type for answer in explain(realistic, ["https://stmarys.example/mrn"])}


def test_an_entry_of_a_list_is_told_with_the_line_and_the_file_it_stands_in(tmp_path: Path) -> None:
    base, mine = tmp_path / "base.yaml", tmp_path / "mine.yaml"
    base.write_text(
        'policy: base\ncode_systems:\n  keep:\n  - "http://a"\n  - "http://b/*"\n  - "http://b/c/*"\n  others: redact\n'
        'publishers: {keep: ["http://p/*"]}\n'
    )
    mine.write_text('policy: mine\nextends: base.yaml\ncode_systems:\n  also_keep: ["http://a", "http://d"]\n')
    policy = example_policy(str(mine))
    places = {
        "http://a": (base, 4, "$.code_systems.keep[0]"),
        "http://b/c/d": (base, 6, "$.code_systems.keep[2]"),
        "http://d": (mine, 4, "$.code_systems.also_keep[1]"),
        "http://p/x|1.0": (base, 8, "$.publishers.keep[0]"),
    }
    for url, (file, line, path) in places.items():
        answer = one(policy, url)
        assert (answer.place.file, answer.place.line, answer.place.path) == (str(file), line, path)
        assert "an entry of a list" in answer.precedence
    assert one(policy, "http://nowhere").type == "extension"
    others = list(explain(policy, ["http://nowhere"]))[-1]
    assert (others.place.line, others.level) == (7, 9)


def test_what_an_extensions_keep_passes_is_told(realistic: Policy, tmp_path: Path) -> None:
    told = {answer.path: answer.notes for answer in explain(realistic, [RACE])}
    rest = "; a value of another type is ruled as its type is"
    assert told[RACE] == (f"codes, booleans and numbers{rest}",)
    mine = tmp_path / "mine.yaml"
    mine.write_text('policy: mine\nextensions:\n  "http://my/ward": {mask: keep, types: [string]}\n')
    [ward] = explain(example_policy(str(mine)), ["http://my/ward"])
    assert ward.notes == (f"codes, booleans and numbers, string{rest}",)


RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"


def test_a_misspelt_extension_is_recognised(mine: Policy) -> None:
    assert one(mine, "http://example.org/maidn").type == "code system"  # the pattern takes it in
    assert one(mine, "http://exemple.org/maiden").notes == ("did you mean 'http://example.org/maiden'?",)


def test_kept_texts_say_who_vouches(mine: Policy) -> None:
    notes = one(mine, "Patient.maritalStatus.text").notes
    assert notes == ("if the code system's displays are kept, else redact_text",)


def test_choices_are_named_by_their_stem(mine: Policy) -> None:
    paths = {answer.path for answer in explain(mine, ["Patient.deceased[x]"])}
    assert paths == {"Patient.deceasedBoolean", "Patient.deceasedDateTime"}


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("Patient.brithDate", "did you mean 'Patient.birthDate'?"),
        ("Patient.family", "did you mean 'Patient.name.family'?"),
        ("patient", "did you mean 'Patient'?"),
        ("*.subjet", "did you mean '*.subject'?"),
        ("Patient.name.given.x", "unknown path"),
        ("Patient.extension.url", "ruled by its URL"),
        ("Bundle.entry.resource.id", "ruled by its own type"),
        ("", "unknown path"),
        (".", "unknown path"),
        ("Patient.", "unknown path"),
        ("x" * 5000, "give a path"),
    ],
)
def test_what_is_none_is_refused_with_the_nearest_right_thing(mine: Policy, target: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain(mine, ["Patient.id", target])
    assert hint in str(caught.value)
    assert len(str(caught.value)) < 300


def test_every_element_of_every_type_has_an_answer(realistic: Policy) -> None:
    answers = list(explain(realistic))
    assert {answer.path for answer in answers if answer.level == 0} == set(resource_types())
    assert len(answers) > 70_000
    assert all(answer.why or answer.place.line for answer in answers)
    assert {answer.level for answer in answers} <= set(LEVELS)
    unmade = {answer.does for answer in answers if answer.before is not None and answer.after is None}
    assert unmade <= {"redact", "reference"}, "an example that its masker cannot read"


def test_answers_are_plain_json(realistic: Policy) -> None:
    for answer in explain(realistic, ["Patient"]):
        again = json.loads(json.dumps(answer.as_json()))
        assert again["path"] == answer.path
        assert again["precedence"] == answer.precedence


def test_masker_parameters_that_are_maskers_are_spoken(realistic: Policy) -> None:
    answer = one(realistic, "Patient.telecom.value")
    assert answer.does == "one_of_by"
    assert answer.parameters["cases"]["email"] == "email"
    rule = realistic.rules["Address.city"]
    assert rule.masker is not None
    assert spoken(rule.masker) == "address(part=city)"


def test_the_example_key_is_fixed_and_shows_nothing() -> None:
    assert example_key().fingerprint == example_key().fingerprint
    assert EXAMPLE_DATE == "2026-01-01"


def test_two_reads_give_the_same_answers(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    first, second = ([answer.as_json() for answer in explain(example_policy(str(path)), ["Patient"])] for _ in range(2))
    assert first == second
