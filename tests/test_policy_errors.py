"""Every kind of error in a policy, with its exact place and text; and that no text does worse than be refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from masking.errors import PolicyError, UsageError
from masking.maskers.base import parameters, registered
from masking.policy.read import read_policy

ON = "2026-01-01"


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str) -> None:
    Path("p.yaml").write_text(text, encoding="utf-8")
    read_policy("p.yaml", reference_date=ON)


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as error:
        read("policy: p\n" + text)
    return [str(problem) for problem in error.value.problems]


# ── every kind of error ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("rulse: {}", "2 $.rulse", "unknown key 'rulse'; did you mean 'rules'?"),
        ("labels: yes", "2 $.labels", "expected true or false"),
        ("description: 5", "2 $.description", "expected text"),
        ("rules: []", "2 $.rules", "expected a mapping"),
        ("rules:\n  '': keep", '3 $.rules[""]', "an empty key"),
        ("rules:\n  date:", "3 $.rules.date", "expected keep, redact or a masker's name"),
        ("rules:\n  date: [keep]", "3 $.rules.date", "expected keep, redact or a masker's name"),
        ("rules:\n  date: {mask: {a: b}}", "3 $.rules.date.mask", "expected keep, redact or a masker's name"),
        (
            "rules:\n  Patient.birthDate:\n    mask: retain_aeg",
            '4 $.rules["Patient.birthDate"].mask',
            "unknown masker 'retain_aeg'; did you mean 'retain_age'?",
        ),
        ("rules:\n  date: date_shfit", "3 $.rules.date", "unknown masker 'date_shfit'; did you mean 'date_shift'?"),
        (
            "rules:\n  date: {why: x}",
            "3 $.rules.date",
            "a rule without 'mask'; add mask: keep, redact or a masker's name",
        ),
        (
            'extensions:\n  "http://a": {mask: keep, types: [strnig]}',
            '3 $.extensions["http://a"].types[0]',
            "unknown type of an extension's value 'strnig'; did you mean 'string'?",
        ),
        (
            'extensions:\n  "http://a": {mask: keep, types: string}',
            '3 $.extensions["http://a"].types',
            "expected a list",
        ),
        (
            'extensions:\n  "http://a": {mask: hash, types: [string]}',
            '3 $.extensions["http://a"].types',
            "only keep asks for the value's type; remove 'types'",
        ),
        ("rules:\n  date: {msak: keep}", "3 $.rules.date", "a rule without 'mask'; did you mean 'mask' by 'msak'?"),
        (
            "rules:\n  date:\n    mask: date_shift\n    dyas: 3",
            "5 $.rules.date.dyas",
            "masker 'date_shift' has no parameter 'dyas'; did you mean 'days'?",
        ),
        (
            "rules:\n  date: {mask: keep, parts: {}}",
            "3 $.rules.date.parts",
            "masker 'keep' has no parameter 'parts'; known: absent, mask, why",
        ),
        ("rules:\n  date: {mask: date_shift, days: many}", "3 $.rules.date.days", "expected a whole number"),
        ("rules:\n  date: {mask: date_shift, days: 1.5}", "3 $.rules.date.days", "expected a whole number"),
        ("rules:\n  date: {mask: date_shift, days: true}", "3 $.rules.date.days", "expected a whole number"),
        ("rules:\n  date: {mask: date_shift, weeks: NO}", "3 $.rules.date.weeks", "expected true or false"),
        ("rules:\n  string: {mask: constant}", "3 $.rules.string", "masker 'constant' needs 'value'"),
        ("rules:\n  string: {mask: constant, value: null}", "3 $.rules.string.value", "expected text"),
        ("rules:\n  string: {mask: constant, value: [x]}", "3 $.rules.string.value", "expected text"),
        (
            "rules:\n  string: {mask: constant, value: ''}",
            "3 $.rules.string.value",
            "is empty, and FHIR has no empty strings; use redact to remove the value",
        ),
        ("rules:\n  string: {mask: shuffle_within, pool: a}", "3 $.rules.string.pool", "expected a list"),
        ("rules:\n  string: {mask: shuffle_within, pool: [a, {}]}", "3 $.rules.string.pool[1]", "expected text"),
        (
            "rules:\n  string: {mask: substitute, file: no.csv}",
            "3 $.rules.string.file",
            "there is no such file; a relative name starts from the policy's folder",
        ),
        ("rules:\n  string: {mask: substitute, file: [x]}", "3 $.rules.string.file", "expected a file's name"),
        (
            "rules:\n  string: {mask: one_of_by, by: system,\n    cases: {a: keeep}}",
            "4 $.rules.string.cases.a",
            "unknown masker 'keeep'; did you mean 'keep'?",
        ),
        (
            "rules:\n  string: {mask: chain, maskers: [keep,\n    {mask: constant, vlaue: x, value: y}]}",
            "4 $.rules.string.maskers[1].vlaue",
            "masker 'constant' has no parameter 'vlaue'; did you mean 'value'?",
        ),
        (
            "rules:\n  date: {mask: keep, absent: true}",
            "3 $.rules.date.absent",
            "only redact and scrub leave a data-absent-reason; remove 'absent'",
        ),
        ("rules:\n  date: {mask: redact, absent: 1}", "3 $.rules.date.absent", "expected true or false"),
        ("rules:\n  date: {mask: keep, why: [x]}", "3 $.rules.date.why", "expected text"),
        (
            "rules:\n  Patient.birthdate: keep",
            '3 $.rules["Patient.birthdate"]',
            "unknown path 'Patient.birthdate'; did you mean 'Patient.birthDate'?",
        ),
        (
            'rules:\n  "*.subjcet": keep',
            '3 $.rules["*.subjcet"]',
            "unknown path '*.subjcet'; did you mean '*.subject'?",
        ),
        (
            "rules:\n  Humanname: keep",
            "3 $.rules.Humanname",
            "unknown type or path 'Humanname'; did you mean 'HumanName'?",
        ),
        (
            "rules:\n  Patient: keep",
            "3 $.rules.Patient",
            "'Patient' is a resource type; rule whole resource types under `types`",
        ),
        (
            "rules:\n  Element: keep",
            "3 $.rules.Element",
            "'Element' is the type of no element; name an element of it, as in 'Element.id'",
        ),
        (
            "rules:\n  Period: date_shift",
            "3 $.rules.Period",
            "'Period' is a complex type, and a masker maps primitives only; "
            "name its primitives: Period.start, Period.end",
        ),
        (
            "rules:\n  Patient.name: last_name",
            '3 $.rules["Patient.name"]',
            "'Patient.name' is a HumanName, and a masker maps primitives only; "
            "name its primitives: Patient.name.use, Patient.name.text, Patient.name.family, Patient.name.given, "
            "Patient.name.prefix, …",
        ),
        (
            'rules:\n  "*.subject": last_name',
            '3 $.rules["*.subject"]',
            "'*.subject' is a Reference in Account, and a masker maps primitives only; "
            "name its primitives: *.subject.reference, *.subject.type, *.subject.display",
        ),
        (
            "rules:\n  HumanName.period.start: keep",
            '3 $.rules["HumanName.period.start"]',
            "a data type's rule names its own elements only; write 'Period.start' or a resource's path",
        ),
        (
            "rules:\n  Patient.extension.valueString: keep",
            '3 $.rules["Patient.extension.valueString"]',
            "a path ends where extensions begin; rule an extension by its URL under `extensions`",
        ),
        (
            "rules:\n  Bundle.entry.resource.id: keep",
            '3 $.rules["Bundle.entry.resource.id"]',
            "a path ends where another resource begins; rule it by its own type's paths",
        ),
        ("types: {Patiant: mask}", "2 $.types.Patiant", "unknown resource type 'Patiant'; did you mean 'Patient'?"),
        ("types: {Patient: maks}", "2 $.types.Patient", "unknown action 'maks'; did you mean 'mask'?"),
        (
            "types: {Patient: {action: hide}}",
            "2 $.types.Patient.action",
            "unknown action 'hide'; known: keep, mask, redact, refuse",
        ),
        (
            "types: {Patient: {why: x}}",
            "2 $.types.Patient",
            "a type without 'action'; known: keep, mask, redact, refuse",
        ),
        (
            "types: {Patient: {action: mask, because: x}}",
            "2 $.types.Patient.because",
            "unknown key 'because'; known: action, why",
        ),
        (
            "extensions:\n  http://a: {mask: keep, parts: {b: kep}}",
            '3 $.extensions["http://a"].parts.b',
            "unknown masker 'kep'; did you mean 'keep'?",
        ),
        ("identifiers: {system: {}}", "2 $.identifiers.system", "unknown key 'system'; did you mean 'systems'?"),
        ("identifiers: {default: qqq}", "2 $.identifiers.default", "unknown masker 'qqq'; known: "),
        ("code_systems: {keep: http://loinc.org}", "2 $.code_systems.keep", "expected a list"),
        ("code_systems: {keep: [a, 5]}", "2 $.code_systems.keep[1]", "expected text"),
        ("code_systems: {keep: ['a*b']}", "2 $.code_systems.keep[0]", "'*' stands at the end only, for any rest"),
        ("extends: [a]", "2 $.extends", "expected text"),
        ("extends: realistik", "2 $.extends", "unknown policy 'realistik'; did you mean 'realistic'?"),
        ("extends: ./realistik.yaml", "2 $.extends", "there is no file './realistik.yaml'; did you mean 'realistic'?"),
        ("labels: !x true", "2 $.labels", "tags are not allowed; write the value without it"),
    ],
)
def test_each_error_says_where_what_and_the_nearest_right_thing(text: str, where: str, what: str) -> None:
    found = problems(text)
    expected = f"p.yaml:{where}: {what}"
    assert found[0] == expected or (expected.endswith("known: ") and found[0].startswith(expected))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: {}", "p.yaml:1 $: a policy without a name; add policy: NAME at the top"),
        ("policy: a/b", "p.yaml:1 $.policy: expected a name of letters, digits, '-' and '_', at most 64"),
        ("policy:", "p.yaml:1 $.policy: expected text"),
        ("[]", "p.yaml:1 $: expected a mapping"),
        ("", "p.yaml:1 $: the file is empty"),
    ],
)
def test_a_policy_has_a_name(text: str, expected: str) -> None:
    with pytest.raises(PolicyError) as error:
        read(text)
    assert str(error.value.problems[0]) == expected


def test_all_at_once_in_the_order_of_the_lines() -> None:
    assert problems(
        "labels: 1\nrules:\n  Patient.nam: {mask: constnat, why: 3}\n  date: keep\n  date: redact\n"
        "types: {Foo: bar}\nidentifiers: {systems: {a: []}}\ncode_systems: {keep: 3, drop: 4}\n"
    ) == [
        "p.yaml:2 $.labels: expected true or false",
        "p.yaml:4 $.rules[\"Patient.nam\"]: unknown path 'Patient.nam'; did you mean 'Patient.name'?",
        "p.yaml:4 $.rules[\"Patient.nam\"].mask: unknown masker 'constnat'; did you mean 'constant'?",
        'p.yaml:4 $.rules["Patient.nam"].why: expected text',
        "p.yaml:6 $.rules.date: the same key a second time; the first is in line 5",
        "p.yaml:7 $.types.Foo: unknown resource type 'Foo'",
        "p.yaml:7 $.types.Foo: unknown action 'bar'; known: keep, mask, redact, refuse",
        "p.yaml:8 $.identifiers.systems.a: expected keep, redact or a masker's name",
        "p.yaml:9 $.code_systems.keep: expected a list",
        "p.yaml:9 $.code_systems.drop: unknown key 'drop'; known: also_keep, keep, others",
    ]


def test_one_mistake_behind_an_anchor_is_told_once_and_one_list_once() -> None:
    found = problems("rules:\n  string: &x {mask: zzz}\n  date: *x\n  code: qqq\n")
    assert len(found) == 2
    assert "known: " in found[0]
    assert found[1] == "p.yaml:5 $.rules.code: unknown masker 'qqq'"


# ── anything at all ──────────────────────────────────────────────────────────────────────────────────────────────────

SECRET = "se cret 1970-01-02"
SECTIONS = ["policy", "extends", "labels", "types", "rules", "extensions", "identifiers", "code_systems"]
KEYS = [
    "keep",
    "also_keep",
    "systems",
    "default",
    "mask",
    "why",
    "absent",
    "parts",
    "action",
    "redact",
    "maskers",
    "by",
]
PATHS = ["Patient", "Patient.birthDate", "*.name", "*.birthDate", "date", "HumanName", "HumanName.family", "Element.id"]
PARAMETERS = ["cases", "days", "value", "file", "pool", "to", "size", "percent", "part", "length", "reference_date"]
WORDS = [*SECTIONS, *KEYS, *PATHS, *PARAMETERS, *registered()]
VALUES = st.sampled_from([*WORDS, "null", "true", "5", "-1", "0.5", f'"{SECRET}"', f"'{SECRET}'"])
FLOW = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4).map(
            lambda d: "{" + ", ".join(f'"{key}": {value}' for key, value in d.items()) + "}"
        )
    ),
    max_leaves=12,
)


def read_or_refuse(text: str) -> str:
    try:
        read(text)
    except (PolicyError, UsageError) as error:
        return str(error)
    return ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(SECTIONS), FLOW, max_size=6))
def test_any_tree_is_a_policy_or_a_list_of_problems_that_repeats_no_value(tree: Mapping[str, str]) -> None:
    text = "\n".join(f"{key}: {value}" for key, value in tree.items())
    assert SECRET not in read_or_refuse(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(sorted(registered())), st.data())
def test_any_parameters_make_a_masker_or_problems_that_repeat_no_value(name: str, data: st.DataObject) -> None:
    names = [field.name for field in parameters(registered()[name])]
    given_ = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, FLOW)))
    body = "".join(f", {key}: {value}" for key, value in given_.items())
    assert SECRET not in read_or_refuse(f"policy: p\nrules:\n  string: {{mask: {name}{body}}}\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet=st.sampled_from("abp:-[]{}&*!?|>'\"#%@,\n\t <=.~0\\é"), max_size=60))
def test_any_text_is_a_policy_or_a_list_of_problems(text: str) -> None:
    read_or_refuse("policy: p\n" + text)
    read_or_refuse(text)
