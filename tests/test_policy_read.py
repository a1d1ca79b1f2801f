"""Policies read from YAML: what they come to, chains, hashes, and the shipped ones."""

from __future__ import annotations

import contextlib
import typing
from pathlib import Path

import pytest

from masking.errors import PolicyError, UsageError
from masking.maskers.base import parameters, registered
from masking.maskers.combine import Chain, OneOfBy
from masking.maskers.generic import Constant, Keep, Redact
from masking.policy.library import find, shipped
from masking.policy.parameters import convert
from masking.policy.problems import Problems
from masking.policy.read import read_policy
from masking.policy.source import Built, Source, Unusable
from masking.policy.specs import Action, Place, Policy, TypeAction
from masking.policy.yaml_tree import parse_tree

ON = "2026-01-01"


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "p.yaml") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(text: str, on: str = ON) -> Policy:
    return read_policy(write(text), reference_date=on)


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as error:
        read("policy: p\n" + text)
    return [str(problem) for problem in error.value.problems]


# ── what rules come to ───────────────────────────────────────────────────────────────────────────────────────────────


def test_shorthand_and_mapping_say_the_same() -> None:
    policy = read(
        "policy: p\ndescription: d\nrules:\n"
        "  date: keep\n  Patient.photo: redact\n  HumanName.family: last_name\n"
        "  dateTime: {mask: keep, why: because}\n  Attachment.data: {mask: redact, absent: true, why: bytes}\n"
        "  string: {mask: constant, value: x}\n"
    )
    rules = policy.rules
    assert (policy.name, policy.description, policy.files, policy.labels) == ("p", "d", ("p.yaml",), True)
    assert [rule.action for rule in rules.values()] == [
        Action.KEEP, Action.REDACT, Action.MASK, Action.KEEP, Action.REDACT, Action.MASK,
    ]  # fmt: skip
    assert rules["date"].masker is None and rules["Patient.photo"].masker is None
    assert rules["dateTime"].why == "because"
    assert rules["Attachment.data"].absent and not rules["Patient.photo"].absent
    assert rules["string"].masker == Constant("x")
    assert rules["HumanName.family"].place == Place("p.yaml", 6, '$.rules["HumanName.family"]')


def test_redact_with_a_placeholder_is_a_masker() -> None:
    rule = read("policy: p\nrules:\n  string: {mask: redact, placeholder: gone}\n").rules["string"]
    assert (rule.action, rule.masker) == (Action.MASK, Redact("gone"))


def test_text_parameters_are_taken_as_spelled() -> None:
    rules = read(
        "policy: p\nrules:\n  string: {mask: constant, value: NO}\n  decimal: {mask: constant, value: 1.50}\n"
        "  date: {mask: constant, value: 2020-01-01}\n  code: {mask: constant, value: 00501}\n"
        "  boolean: {mask: constant, value: true}\n"
    ).rules
    assert [typing.cast(Constant, rule.masker).value for rule in rules.values()] == [
        "NO", "1.50", "2020-01-01", "00501", "true",
    ]  # fmt: skip


def test_nested_maskers_are_rules_again() -> None:
    policy = read(
        "policy: p\nrules:\n  ContactPoint.value:\n    mask: one_of_by\n    by: system\n"
        "    cases: {phone: {mask: constant, value: x, why: w}, url: keep}\n    default: redact\n"
        "  string: {mask: chain, maskers: [keep, {mask: constant, value: x}]}\n"
    )
    assert policy.rules["ContactPoint.value"].masker == OneOfBy(
        "system", {"phone": Constant("x"), "url": Keep()}, Redact()
    )
    assert policy.rules["string"].masker == Chain((Keep(), Constant("x")))


def test_the_runs_reference_date_fills_in_where_none_is_given() -> None:
    rules = read(
        "policy: p\nrules:\n  Patient.birthDate: retain_age\n"
        "  Person.birthDate: {mask: retain_age, reference_date: 2020-02-02}\n"
    ).rules
    assert getattr(rules["Patient.birthDate"].masker, "reference_date") == ON  # noqa: B009 - not every Masker has one
    assert getattr(rules["Person.birthDate"].masker, "reference_date") == "2020-02-02"  # noqa: B009


def test_a_file_is_taken_relative_to_the_policys_folder() -> None:
    write("source,replacement\na,b\n", "deep/pairs.csv")
    write("policy: p\nrules:\n  string: {mask: substitute, file: pairs.csv}\n", "deep/p.yaml")
    policy = read_policy("deep/p.yaml", reference_date=ON)
    assert Path(getattr(policy.rules["string"].masker, "file")) == Path("deep/pairs.csv")  # noqa: B009


@pytest.mark.parametrize(
    ("masker", "content", "message"),
    [
        (
            "substitute",
            "source,replacement\na,b\nJoe\n",
            "line 3 has 1 columns, not 2; quote a value that holds a comma",
        ),
        ("substitute", "Joe,x\n", "line 1 does not read 'source,replacement'"),
        ("shuffle_within", "Joe\nb\nJoe\n", "line 3 repeats an earlier one"),
    ],
)
def test_a_bad_file_is_a_problem_of_the_policy_with_both_lines(masker: str, content: str, message: str) -> None:
    write(content, "pairs.csv")
    with pytest.raises(PolicyError) as caught:
        read(f"policy: p\nrules:\n  string: {{mask: {masker}, file: pairs.csv}}\n")
    assert [str(problem) for problem in caught.value.problems] == [f"p.yaml:3 $.rules.string.file: {message}"]


def test_types_extensions_identifiers_and_code_systems() -> None:
    policy = read(
        "policy: p\nlabels: false\n"
        "types: {default: redact, Patient: mask, ValueSet: {action: keep, why: w}}\n"
        "extensions:\n  http://a/b: {mask: keep, parts: {c: redact, d: {mask: keep, parts: {e: last_name}}}}\n"
        "identifiers:\n  systems: {http://s: keep}\n  types: {MR: redact}\n  default: {mask: constant, value: x}\n"
        "code_systems: {keep: [http://loinc.org, 'http://hl7.org/*']}\n"
    )
    assert policy.labels is False
    assert (policy.types["Patient"].action, policy.types["ValueSet"].why) == (TypeAction.MASK, "w")
    assert "default" not in policy.types
    assert policy.other_types.action is TypeAction.REDACT
    extension = policy.extensions["http://a/b"]
    assert extension.rule.action is Action.KEEP
    assert extension.parts["d"].parts["e"].rule.action is Action.MASK
    assert extension.parts["c"].rule.place.path == '$.extensions["http://a/b"].parts.c'
    assert policy.identifiers.systems["http://s"].action is Action.KEEP
    assert policy.identifiers.types["MR"].action is Action.REDACT
    assert policy.identifiers.default.masker == Constant("x")
    assert policy.code_systems == ("http://loinc.org", "http://hl7.org/*")


def test_what_nobody_names_is_closed() -> None:
    policy = read("policy: p\nrules:\n")
    assert policy.other_types.action is TypeAction.REFUSE
    assert policy.identifiers.default.action is Action.REDACT
    assert (policy.rules, policy.extensions, policy.code_systems) == ({}, {}, ())


@pytest.mark.parametrize(
    "key", ["Element.id", "Resource.implicitRules", "DomainResource.language", "Extension.url", "*.birthDate", "xhtml",
            "Patient.deceased[x]", "Timing.repeat.count", "Questionnaire.item.item.text", "Location.position.latitude"]
)  # fmt: skip
def test_maskers_on_primitive_paths(key: str) -> None:
    assert read(f'policy: p\nrules:\n  "{key}": {{mask: constant, value: x}}\n').rules[key].action is Action.MASK


@pytest.mark.parametrize(
    "key", ["HumanName", "Patient.name", "*.subject", "DomainResource.text", "Observation.value[x]"]
)
@pytest.mark.parametrize("word", ["keep", "redact"])
def test_keep_and_redact_on_complex_paths(key: str, word: str) -> None:
    assert read(f'policy: p\nrules:\n  "{key}": {word}\n').rules[key].action == word


# ── extends ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_later_overrules_earlier_rule_by_rule() -> None:
    write(
        "policy: base\nlabels: false\ndescription: b\ntypes: {default: mask, Patient: keep, Group: redact}\n"
        "rules: {date: keep, string: keep}\nextensions: {http://a: keep, http://b: keep}\n"
        "identifiers: {systems: {s: keep, t: keep}, types: {MR: keep}, default: keep}\n"
        "code_systems: {keep: [a, b]}\npublishers: {keep: [u]}\n",
        "base.yaml",
    )
    write(
        "policy: middle\nextends: base.yaml\ncode_systems: {also_keep: [c, a]}\npublishers: {also_keep: [v]}\n",
        "middle.yaml",
    )
    policy = read(
        "policy: top\nextends: ./middle.yaml\ntypes: {Patient: mask}\nrules: {date: redact}\n"
        "extensions: {http://b: redact}\nidentifiers: {systems: {t: redact}}\n"
    )
    assert (policy.name, policy.description, policy.labels) == ("top", "", False)
    assert policy.files == ("base.yaml", "middle.yaml", "p.yaml")
    assert {key: rule.action for key, rule in policy.rules.items()} == {"date": Action.REDACT, "string": Action.KEEP}
    assert policy.rules["date"].place.file == "p.yaml"
    assert policy.rules["string"].place.file == "base.yaml"
    assert [rule.rule.action for rule in policy.extensions.values()] == [Action.KEEP, Action.REDACT]
    assert [rule.action for rule in policy.identifiers.systems.values()] == [Action.KEEP, Action.REDACT]
    assert policy.identifiers.types["MR"].action is Action.KEEP
    assert policy.identifiers.default.action is Action.KEEP
    assert (policy.types["Patient"].action, policy.types["Group"].action) == (TypeAction.MASK, TypeAction.REDACT)
    assert policy.other_types.action is TypeAction.MASK
    assert policy.code_systems == ("a", "b", "c")
    assert policy.publishers == ("u", "v")


def test_texts_of_other_code_systems_have_a_rule_of_their_own() -> None:
    def others(text: str) -> Action | None:
        rule = read(f"policy: p\n{text}").other_texts
        return rule.action if rule else None

    assert others("") is None
    assert others("rules: {string: keep}\n") is Action.KEEP
    assert others("rules: {string: keep}\ncode_systems: {keep: [a], others: redact}\n") is Action.REDACT
    write("policy: base\ncode_systems: {keep: [a], others: redact}\n", "base.yaml")
    policy = read("policy: p\nextends: ./base.yaml\nrules: {string: keep}\n")
    assert policy.other_texts is not None and policy.other_texts.place.file == "base.yaml"


def test_keep_replaces_the_inherited_code_systems() -> None:
    write("policy: base\ncode_systems: {keep: [a, b]}\n", "base.yaml")
    assert read("policy: p\nextends: base.yaml\ncode_systems: {keep: [c]}\n").code_systems == ("c",)
    assert read("policy: p\nextends: base.yaml\ncode_systems: {keep: []}\n").code_systems == ()


def test_names_are_found_in_the_search_folders_before_the_shipped_ones() -> None:
    write("policy: mine\nrules: {date: keep}\n", "shared/mine.yaml")
    write("policy: top\nextends: mine\n", "top.yaml")
    policy = read_policy("top.yaml", reference_date=ON, search=[Path("shared")])
    assert policy.files == ("shared/mine.yaml", "top.yaml")
    assert find("mine", search=[Path("shared")]) == Path("shared/mine.yaml")
    with pytest.raises(UsageError, match="unknown policy 'mine'"):
        find("mine")


def test_circles_and_long_chains_are_refused() -> None:
    assert problems("extends: p.yaml") == ["p.yaml:2 $.extends: a policy that extends itself; break the circle"]
    write("policy: a\nextends: p.yaml\n", "a.yaml")
    assert problems("extends: a.yaml") == ["a.yaml:2 $.extends: a policy that extends itself; break the circle"]
    for n in range(9):
        write(f"policy: c{n}\nextends: c{n + 1}.yaml\n", f"c{n}.yaml")
    assert problems("extends: c0.yaml") == ["c6.yaml:2 $.extends: a chain of more than 8 policies"]


def test_problems_of_all_files_of_a_chain_are_told_together() -> None:
    write("policy: b\nrules: {dat: keep}\n", "b.yaml")
    assert [line.split(" ")[0] for line in problems("extends: b.yaml\nrules: {strng: keep}\n")] == [
        "p.yaml:3",
        "b.yaml:2",
    ]
    write("- [", "b.yaml")
    assert [line.split(" ")[0] for line in problems("extends: b.yaml\nrules: {strng: keep}\n")] == [
        "p.yaml:3",
        "b.yaml:1",
    ]


# ── the hash ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BODY = "rules:\n  date: {mask: date_shift, days: 30}\n  Patient.birthDate: retain_age\n"


def hashed(text: str, on: str = ON) -> str:
    return read(text, on).sha256


def test_equal_policies_have_equal_hashes() -> None:
    one = hashed("policy: p\n" + BODY)
    assert len(one) == 64
    assert one == hashed("# words\npolicy: q\ndescription: d\n\n" + BODY)
    assert one == hashed(
        "policy: p\nlabels: true\nrules:\n  Patient.birthDate: {mask: retain_age, why: w}\n"
        "  date: &x {weeks: false, days: 30, mask: date_shift}\n"
    )
    assert one == hashed("policy: p\n" + BODY, on="1999-12-31"), "the run's date is not the policy's"
    write("policy: b\n" + BODY.replace("30", "90"), "b.yaml")
    assert one == hashed("policy: p\nextends: b.yaml\nrules: {date: {mask: date_shift, days: 30}}\n")


@pytest.mark.parametrize(
    "text",
    [
        BODY.replace("30", "31"),
        BODY + "  string: keep\n",
        BODY.replace("retain_age", "{mask: retain_age, reference_date: 2026-01-01}"),
        BODY.replace("retain_age", "keep"),
        BODY + "labels: false\n",
        BODY + "types: {Patient: mask}\n",
        BODY + "types: {default: mask}\n",
        BODY + "extensions: {http://a: keep}\n",
        BODY + "identifiers: {systems: {a: keep}}\n",
        BODY + "identifiers: {types: {a: keep}}\n",
        BODY + "identifiers: {default: keep}\n",
        BODY + "code_systems: {keep: [a]}\n",
    ],
)
def test_a_difference_in_meaning_is_a_difference_in_the_hash(text: str) -> None:
    assert hashed("policy: p\n" + BODY) != hashed("policy: p\n" + text)


def test_the_bytes_of_a_file_are_hashed_and_not_its_name() -> None:
    rule = "policy: p\nrules:\n  string: {mask: substitute, file: %s}\n"
    write("source,replacement\na,b\n", "one.csv")
    write("source,replacement\na,b\n", "two.csv")
    write("source,replacement\na,c\n", "other.csv")
    assert hashed(rule % "one.csv") == hashed(rule % "two.csv") != hashed(rule % "other.csv")


# ── the call ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("date", ["", "2026", "2026-13-01", "2026-02-30", "20260101", "2026-1-1", "2026-01-01\n"])
def test_a_reference_date_is_a_whole_date(date: str) -> None:
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        read("policy: p\n", on=date)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("realistik", "unknown policy 'realistik'; did you mean 'realistic'?"),
        ("two words", "unknown policy; known: "),
        ("none.yaml", "there is no file 'none.yaml'"),
        ("realistic.yml", "there is no file 'realistic.yml'; did you mean 'realistic'?"),
        ("a\0b.yaml", "there is no file "),
        ("x" * 5000 + ".yaml", "there is no file "),
        (Path("nowhere"), "there is no file 'nowhere'"),
    ],
)
def test_no_such_policy(name: str | Path, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_policy(name, reference_date=ON)
    assert str(error.value).startswith(message)


def test_a_file_that_is_called_by_its_bare_name_says_how() -> None:
    write("policy: p\n", "bare")
    with pytest.raises(UsageError, match=r"write '\./bare'"):
        find("bare")


# ── maskers and the shipped policies ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(registered()))
def test_a_policy_can_give_every_parameter_of_every_masker(name: str) -> None:
    cls = registered()[name]
    tree = parse_tree("x: {}", Problems("p.yaml"))
    assert tree is not None
    source = Source(Problems("p.yaml"), "p.yaml", Path(), ON)
    for field in parameters(cls):
        assert field.name not in ("mask", "why", "absent", "parts"), "this name is the rule's own"
        hint = typing.get_type_hints(cls)[field.name]
        with contextlib.suppress(Unusable):  # a wrong value, yet of a type that the reader knows
            convert(hint, tree, "$", source, lambda *_: Built(Keep(), None))


def test_shipped_policies_are_found_by_name() -> None:
    assert {"realistic", "fhir_patient_resource"} <= set(shipped())
    assert all(path.is_file() and path.stem == name for name, path in shipped().items())


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_policy_is_right_and_called_as_its_file(name: str) -> None:
    policy = read_policy(name, reference_date=ON)
    assert policy.name == name
    assert policy.description
    assert policy.files[-1] == str(shipped()[name])  # behind those that it extends


def test_the_patient_policy_stands_alone_and_refuses_other_types() -> None:
    policy = read_policy("fhir_patient_resource", reference_date=ON)
    assert set(policy.types) == {"Patient"}
    assert policy.other_types.action is TypeAction.REFUSE
    assert len(policy.files) == 1
