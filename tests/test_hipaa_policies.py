"""`safe_harbor` and `limited_data_set`: docs/safe-harbor.md held against R4's element table, both against the sample's truth."""

from __future__ import annotations

import functools
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import scan
from documents import one, plan
from test_eighteen import LETTERS, TELLING, below, does, key_of

from masking.document import Engine
from masking.fhir.elements import resource_types
from masking.policy.answers import Explanation
from masking.policy.explain import example_policy, explain
from masking.policy.plan import Child, Plan, rules_of
from masking.policy.specs import Action, Rule, TypeAction
from masking.sample import write_sample

DOCUMENT = Path(__file__).parents[1] / "docs" / "safe-harbor.md"
POLICIES = ("safe_harbor", "limited_data_set")
_ROW = re.compile(
    r"\| `(?P<path>[^`]+)`(?: of (?P<kind>type )?`(?P<of>[^`]+)`)?"
    r" \| `(?P<safe_harbor>\w+)` \| `(?P<limited_data_set>\w+)` \| `(?P<rule>.+)` \|"
)
DATES = ("date", "dateTime", "instant")


# ── the document is true ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Row:
    letters: str
    path: str
    kind: str | None
    of: str | None
    safe_harbor: str
    limited_data_set: str
    rule: str

    def __str__(self) -> str:
        return f"{self.letters}: {self.path} of {self.of}" if self.of else f"{self.letters}: {self.path}"


def sections() -> Iterator[tuple[str, str]]:
    heading = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        heading = line if line.startswith("## ") else heading
        yield heading, line


ROWS = [
    Row("".join(re.findall(r"\((\w)\)", heading)), **row.groupdict())
    for heading, line in sections()
    if (row := _ROW.fullmatch(line))
]


@functools.cache
def answers(policy: str, target: str) -> tuple[Explanation, ...]:
    return tuple(explain(example_policy(policy), [target]))


@functools.cache
def places(policy: str) -> tuple[Child, ...]:
    """Every place in every type that is masked rule by rule."""
    asked: Plan = plan(policy)
    masked = [name for name in sorted(resource_types()) if asked.type_action(name) is TypeAction.MASK]
    return tuple(child for name in masked for _, child in below(asked.root(name), frozenset({name})))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row_is_what_the_policy_does(row: Row, policy: str) -> None:
    wanted = row.path if not row.of else f"{row.path} of {'type ' if row.kind else ''}{row.of}"
    (said,) = [answer for answer in answers(policy, row.path) if answer.path == wanted]
    assert said.does == getattr(row, policy)
    if policy == "safe_harbor":
        assert key_of(Rule(Action.KEEP, said.place)) == row.rule


def test_all_eighteen_are_there_and_none_twice() -> None:
    assert sorted({letter for row in ROWS for letter in row.letters}) == LETTERS
    assert len({str(row) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_rules_that_keep_telling_values_are_those_listed(policy: str) -> None:
    kept = {
        key_of(child.rule)
        for child in places(policy)
        if child.element is not None and child.element.type in TELLING | {"time"} and child.rule.action is Action.KEEP
    }
    lines = [line for heading, line in sections() if heading.startswith("## Text, dates")]
    if policy == "safe_harbor":
        lines = lines[: lines.index("Under `limited_data_set` these stay as well:")]
    rows = [line for line in lines if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    if policy == "limited_data_set":  # where a reference in them has no identifier that could tell
        listed -= {"UsageContext", "Group.characteristic"}
    assert kept | {"Extension.url"} == listed


# ── the policies leave nothing of realistic's that they must not ─────────────────────────────────────────────────────


def test_no_date_is_more_than_a_year() -> None:
    found = {does(c.rule) for c in places("safe_harbor") if c.element is not None and c.element.type in DATES}
    assert found == {"chain", "redact"}
    for rule in rules_of(example_policy("safe_harbor")):
        if rule.masker is not None and rule.masker.name == "chain":
            assert [part.name for part in rule.masker.maskers] == ["cap_birth_year", "generalize"]


@pytest.mark.parametrize("policy", POLICIES)
def test_no_fake_stands_for_a_person_a_place_or_a_number(policy: str) -> None:
    """What is neither kept nor gone is a code, a coarser value, or a URI; numbers of no person may be keyed."""
    allowed = {
        "pseudonymize_id", "reference", "search", "public_uri", "redact_text", "narrative", "unit", "constant", "check_digit",
        "keep_listed", "media_type",
        "address",
        *({"chain", "cap_age", "zip3_generalize"} if policy == "safe_harbor" else {"format_preserving", "hash"}),
    }  # fmt: skip
    rules = [rule for rule in rules_of(example_policy(policy)) if rule.masker is not None]
    assert {rule.masker.name for rule in rules} <= allowed
    addresses = [rule.masker for rule in rules if rule.masker.name == "address"]
    assert all(masker.part == "country" or (masker.part, masker.keep) == ("state", "state") for masker in addresses)


# ── what it makes of records ─────────────────────────────────────────────────────────────────────────────────────────


def test_ages_over_89_are_one_category() -> None:
    """In 2024, the tests' reference year."""

    def year(birth: str, **more: str) -> str:
        return json.loads(one({"resourceType": "Patient", "birthDate": birth, **more}, "safe_harbor"))["birthDate"]

    assert [year(birth) for birth in ("1901-02-03", "1934-06-15", "1934-06-16", "1950-01")] == [
        "1934",
        "1934",
        "1934",
        "1950",
    ]
    assert year("1900-01-01", deceasedDateTime="1950-01-01") == "1900"
    history = {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "bornDate": "1899",
        "deceasedAge": {"value": 97, "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"},
        "condition": [{"onsetRange": {"low": {"value": 80}, "high": {"value": 95}}}],
    }
    masked = json.loads(one(history, "safe_harbor"))
    assert masked["bornDate"] == "1934"
    assert masked["deceasedAge"]["value"] == 90
    assert masked["condition"][0]["onsetRange"] == {"low": {"value": 80}, "high": {"value": 90}}
    kept = json.loads(one(history, "limited_data_set"))
    assert [kept[name] for name in ("bornDate", "deceasedAge", "condition")] == [
        history[name] for name in ("bornDate", "deceasedAge", "condition")
    ]


@pytest.mark.parametrize(
    ("unit", "left"),
    [
        ({"system": "http://unitsofmeasure.org", "code": "a"}, 90),
        ({"unit": "years"}, 90),
        ({"unit": "yr"}, 90),
        ({"unit": "Years of age", "code": "{years}"}, 90),
        ({"unit": "years old"}, 90),
        ({"code": "kg"}, 97),
        ({"unit": "mo"}, 97),
        ({}, 97),
    ],
)
def test_a_quantity_in_years_is_an_age(unit: dict[str, str], left: int) -> None:
    quantity = {"value": 97, **unit}
    source = {"resourceType": "Observation", "status": "final", "valueQuantity": quantity}
    assert json.loads(one(source, "safe_harbor"))["valueQuantity"]["value"] == left


def test_places_are_states_and_large_areas() -> None:
    def address(**parts: str) -> dict[str, str]:
        masked = json.loads(one({"resourceType": "Patient", "address": [parts]}, "safe_harbor"))
        return masked.get("address", [{}])[0]

    full = {"city": "Boston", "district": "Suffolk County", "state": "MA", "postalCode": "02115-1234", "country": "US"}
    assert address(**full) == {"state": "MA", "postalCode": "021", "country": "US"}
    assert address(state="VT", postalCode="05901") == {"state": "VT", "postalCode": "000"}
    assert "state" not in address(state="Suffolk County near Boston", country="US")


def test_a_number_beside_a_reference_is_gone_as_the_record_s_own_is() -> None:
    number = {"system": "http://hospital.example/mrn", "value": "00777123"}
    source = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": "Patient/1", "identifier": number},
    }
    for policy in POLICIES:
        masked = json.loads(one(source, policy))
        assert "value" not in masked["subject"].get("identifier", {})
        assert masked["subject"]["reference"].startswith("Patient/")


def test_what_us_core_says_in_words_stays_if_it_is_a_category() -> None:
    def said(text: str, policy: str) -> str:
        parts = [{"url": "text", "valueString": text}]
        race = {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", "extension": parts}
        return json.loads(one({"resourceType": "Patient", "extension": [race]}, policy))["extension"][0]["extension"][
            0
        ]["valueString"]

    for policy in (*POLICIES, "realistic"):
        assert said("Black or African American", policy) == "Black or African American"
        assert said("White, called Joe Smith", policy) == "[redacted]"


def test_an_instant_that_is_demanded_says_that_it_is_masked() -> None:
    source = {"resourceType": "Provenance", "target": [{"reference": "Patient/1"}], "recorded": "2024-01-02T03:04:05Z"}
    masked = json.loads(one(source, "safe_harbor"))
    assert "recorded" not in masked
    assert masked["_recorded"]["extension"][0]["valueCode"] == "masked"
    assert json.loads(one(source, "limited_data_set"))["recorded"] == source["recorded"]


# ── the sample's truth ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Sample:
    sources: list[bytes]
    truth: list[dict[str, str]]

    @functools.cache  # noqa: B019
    def masked(self, policy: str) -> list[scan.Leaves]:
        batch = Engine(plan(policy)).mask_batch(self.sources)
        assert not batch.faults
        assert not batch.dropped
        return [scan.leaves(document.decode()) for document in batch.masked if document is not None]

    __hash__ = object.__hash__


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    pytest.importorskip("faker")
    made = write_sample(tmp_path_factory.mktemp("sample"), patients=40, seed=7, processes=1)
    sources = [line.encode() for path in sorted(made.export.iterdir()) for line in scan.lines(path)]
    return Sample(sources, [json.loads(line) for line in made.truth.read_text().splitlines()])


#: Leaves that a policy lets say the very thing; a town is often named as people are.
_LEFT = {
    "safe_harbor": re.compile(r"(?!)"),
    "limited_data_set": re.compile(r".*\.(city|postalCode)"),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_planted_is_left(sample: Sample, policy: str) -> None:
    said: dict[str, set[str]] = defaultdict(set)
    for document in sample.masked(policy):
        for path, spelling in document.items():
            generic = scan.generic(path)
            if not _LEFT[policy].fullmatch(generic):
                value = scan.text(spelling)
                said[value.casefold()].add(generic)
                said[scan.unwrapped(value).casefold()].add(generic)
    stack = "\n".join(said)
    planted = {(one["kind"], one["value"]) for one in sample.truth}
    if policy == "limited_data_set":
        planted = {(kind, value) for kind, value in planted if kind != "dates"}
    # A year may stay; ages have a test of their own, for their two digits stand anywhere; a Ray may take an X-ray.
    planted = {(kind, value) for kind, value in planted if not re.fullmatch(r"\d{4}|\d{2,3}|Ray", value)}
    assert len({kind for kind, _ in planted}) >= 17
    left = {(kind, value) for kind, value in planted if value.casefold() in stack}
    left = {(kind, value) for kind, value in left if scan.holds(stack, value.casefold())}
    assert {found: [where for value, where in said.items() if found[1].casefold() in value] for found in left} == {}


def test_planted_ages_over_89_are_gone(sample: Sample) -> None:
    """Whatever element they stood in."""
    over = {one["value"] for one in sample.truth if re.fullmatch(r"9[1-9]|1[0-2]\d", one["value"])}
    paths = {f"{one['path']}" for one in sample.truth if one["value"] in over}
    assert paths
    for document in sample.masked("safe_harbor"):
        assert not [path for path, spelling in document.items() if scan.generic(path) in paths and spelling in over]


def test_dates_are_years(sample: Sample) -> None:
    types = {c.path: c.element.type for c in places("safe_harbor") if c.element is not None}
    years = 0
    for document in sample.masked("safe_harbor"):
        for path, spelling in document.items():
            value, generic = scan.text(spelling), scan.generic(path)
            assert not re.search(r"(?<![\w-])(1[89]|20)\d\d-[01]\d(?![\w])", value), f"{generic}: {value}"
            if types.get(generic) in DATES and not generic.endswith("]"):
                assert re.fullmatch(r"\d{4}", value), f"{generic}: {value}"
                years += 1
    assert years > 1000


def test_dates_and_places_of_a_limited_data_set_are_the_sources(sample: Sample) -> None:
    wanted = re.compile(r".*\.(birthDate|deceasedDateTime|start|end|issued|city|state|postalCode|recorded)")

    def told(document: scan.Leaves) -> list[tuple[str, str]]:
        # Without positions: extensions that go move those behind them.
        return [(scan.generic(path), text) for path, text in document.items() if wanted.fullmatch(scan.generic(path))]

    for source, masked in zip(sample.sources, sample.masked("limited_data_set"), strict=True):
        assert told(masked) == told(scan.leaves(source.decode()))


@pytest.mark.parametrize("policy", POLICIES)
def test_links_between_resources_hold(sample: Sample, policy: str) -> None:
    """References that lead to a resource lead to one, as do those that named a version of one before."""

    def leading(documents: list[scan.Leaves]) -> int:
        keys = {"/".join(scan.resource_key(document)) for document in documents}
        targets = [
            scan.text(spelling)
            for document in documents
            for path, spelling in document.items()
            if path.endswith(".reference")
        ]
        return sum(target in keys for target in targets)

    before = leading([scan.leaves(source.decode()) for source in sample.sources])
    assert leading(sample.masked(policy)) >= before > 1000
