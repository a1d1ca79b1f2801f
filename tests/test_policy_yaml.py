"""Strict YAML: what is read as what, what is refused and where, and that limits hold."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import PolicyError, UsageError
from masking.policy import yaml_tree
from masking.policy.problems import Problems, did_you_mean, key_path
from masking.policy.yaml_tree import MappingNode, Node, Scalar, SequenceNode, parse_tree, read_tree


def parse(text: str) -> tuple[Node | None, list[str]]:
    problems = Problems("p.yaml")
    tree = parse_tree(text, problems)
    try:
        problems.refuse()
    except PolicyError as error:
        return tree, [str(problem) for problem in error.problems]
    return tree, []


def plain(node: Node | None) -> Any:
    if isinstance(node, MappingNode):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.value


def good(text: str) -> Any:
    tree, problems = parse(text)
    assert problems == []
    return plain(tree)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("1e2", 100.0),
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("Y", "Y"),
        ("True", "True"),
        ("~", "~"),
        ("Null", "Null"),
        ("1_000", "1_000"),
        ("00501", "00501"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("+1", "+1"),
        (".5", ".5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("''", ""),
        ("=", "="),
    ],
)
def test_plain_scalars_follow_json_and_all_else_is_text(text: str, value: object) -> None:
    read = good(f"k: {text}")["k"]
    assert read == value
    assert type(read) is type(value)


def test_a_scalar_remembers_its_spelling() -> None:
    tree, _ = parse("k: 1.50")
    assert isinstance(tree, MappingNode)
    node = tree.entries["k"].node
    assert isinstance(node, Scalar)
    assert (node.text, node.line, node.column) == ("1.50", 1, 4)


def test_keys_and_values_know_their_lines_and_an_alias_stands_where_its_key_is() -> None:
    tree, problems = parse("# a comment\na: &x\n  b: 1\n\nc: *x\n")
    assert problems == []
    assert isinstance(tree, MappingNode)
    assert [(key, entry.line) for key, entry in tree.entries.items()] == [("a", 2), ("c", 5)]
    assert tree.entries["c"].node is tree.entries["a"].node
    assert tree.entries["c"].node.line == 2


def test_an_anchor_on_a_key_and_an_alias_as_a_key() -> None:
    assert good("&k a: 1\nb: {*k : 2}\n") == {"a": 1, "b": {"a": 2}}


def test_a_byte_order_mark_and_crlf_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: NO\r\n")
    problems = Problems("p.yaml")
    assert plain(read_tree(file, problems)) == {"a": 1, "b": "NO"}
    assert not problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "p.yaml:1 $: the file is empty"),
        ("# only words\n", "p.yaml:1 $: the file is empty"),
        ("a: 1\n---\nb: 2\n", "p.yaml:2 $: a second document; keep one policy a file"),
        ("a: 1\nb: !!python/object:os.system {}\n", "p.yaml:2 $.b: tags are not allowed; write the value without it"),
        ("a: !!str 1\n", "p.yaml:1 $.a: tags are not allowed; write the value without it"),
        ("a: ! x\n", "p.yaml:1 $.a: tags are not allowed; write the value without it"),
        ("rules:\n  1: x\n", "p.yaml:2 $.rules: a key that is not text; put it in quotes"),
        ("true: x\n", "p.yaml:1 $: a key that is not text; put it in quotes"),
        ("null: x\n", "p.yaml:1 $: a key that is not text; put it in quotes"),
        ("? [a, b]\n: x\n", "p.yaml:1 $: a key that is not text; put it in quotes"),
        ("b: &x {c: 1}\na:\n  <<: *x\n", 'p.yaml:3 $.a["<<"]: merge keys are not allowed; write the entries out'),
        ("a: *x\n", "p.yaml:1 $.a: an alias of an anchor that does not stand above it"),
        ("a: &x [1, *x]\n", "p.yaml:1 $.a[1]: an alias inside its own anchor"),
        ("a: &x 1\nb: &x 2\n", "p.yaml:2 $.b: this anchor's name is taken; give each anchor its own name"),
        ("a: [1\n", "p.yaml:2 $: this is not YAML: expected"),
        ("a: b: c\n", "p.yaml:1 $: this is not YAML: mapping values are not allowed here"),
        ("a:\n\t- 1\n", "p.yaml:2 $: this is not YAML: found character"),
        ("a: 1\nb: \x00\n", "p.yaml:2 $: this is not YAML: a character that YAML does not allow"),
        ('a: "\\ud800"\n', "p.yaml:1 $.a: an escape that is half of a character; write the character itself"),
        ('a: "\\UFFFFFFFF"\n', "p.yaml:1 $: this is not YAML: a number in a directive or an escape is out of range"),
    ],
)
def test_what_is_refused_says_where_and_why(text: str, expected: str) -> None:
    _, problems = parse(text)
    assert len(problems) == 1
    assert problems[0] == expected or (
        expected.endswith(("expected", "character")) and problems[0].startswith(expected)
    )


def test_duplicate_keys_are_all_told_and_the_first_stays() -> None:
    tree, problems = parse('rules:\n  "Patient.name": keep\n  b: 1\n  "Patient.name": redact\nrules: 2\n')
    assert problems == [
        'p.yaml:4 $.rules["Patient.name"]: the same key a second time; the first is in line 2',
        "p.yaml:5 $.rules: the same key a second time; the first is in line 1",
    ]
    assert plain(tree) == {"rules": {"Patient.name": "keep", "b": 1}}


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (laughs(9), "aliases that expand to more than 60000 values"),
        ("a: " + "[" * 100_000, "nested deeper than 24 levels"),
        ("{a: " * 5_000, "nested deeper than 24 levels"),
        ("- " * 5_000, "nested deeper than 24 levels"),
        ("\n".join("- x" for _ in range(20_001)), "more than 20000 values"),
        (
            "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 50)),
            "aliases nested deeper than 24",
        ),
    ],
    ids=["billion laughs", "brackets", "braces", "dashes", "wide", "alias ladder"],
)
def test_bombs_are_refused_quickly(text: str, message: str) -> None:
    started = time.monotonic()
    tree, problems = parse(text)
    assert tree is None
    assert len(problems) == 1
    assert message in problems[0]
    assert time.monotonic() - started < 10


def test_repeating_within_the_limits_is_fine() -> None:
    assert len(good("x: &x {a: 1}\ny: [" + ", ".join(["*x"] * 500) + "]")["y"]) == 500


def test_a_file_too_large_or_not_utf8_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    problems = Problems("p.yaml")
    file.write_bytes(b"#" * (yaml_tree.MAX_BYTES + 1))
    assert read_tree(file, problems) is None
    file.write_bytes(b"a: 1\nb: \xff\n")
    assert read_tree(file, problems) is None
    with pytest.raises(PolicyError) as error:
        problems.refuse()
    assert str(error.value) == (
        "p.yaml:1 $: the file is larger than 512 KiB; split it with `extends`\np.yaml:2 $: the file is not UTF-8"
    )
    for missing in (tmp_path / "none.yaml", tmp_path, Path("a\0b")):
        with pytest.raises(UsageError):
            read_tree(missing, problems)


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!?|>'\"#%@`,\n\t <=.~0\\\ufeff\x00é"), max_size=60))
def test_any_text_is_a_tree_or_a_problem(text: str) -> None:
    tree, problems = parse(text)
    assert (tree is not None) or problems


@given(
    st.recursive(st.booleans() | st.integers(-9, 9) | st.text("abc é", max_size=5), lambda x: st.lists(x, max_size=3))
)
def test_json_is_read_as_json(value: object) -> None:
    import json  # noqa: PLC0415 - the reference answer of this test alone

    assert good(json.dumps({"k": value})) == {"k": value}


def test_paths_and_suggestions() -> None:
    assert key_path("$", "rules", "Patient.birthDate", "mask") == '$.rules["Patient.birthDate"].mask'
    assert key_path("$", "a", 2, 'x"\n') == '$.a[2]["x\\"\\n"]'
    assert len(key_path("$", "x.y" * 1000)) < 100
    assert did_you_mean("retain_aeg", ["retain_age", "redact"]) == "did you mean 'retain_age'?"
    assert did_you_mean("PATIENT", ["Patient"]) == "did you mean 'Patient'?"
    assert did_you_mean("xyz", ["Patient"], "known: Patient") == "known: Patient"
