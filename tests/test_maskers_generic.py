"""keep, redact, constant, substitute and shuffle_within."""

import pandas as pd
import pytest

import masking.maskers  # noqa: F401
from masking.errors import ParameterError
from masking.keys import hmac_parts
from masking.maskers.generic import Constant, Keep, Redact, ShuffleWithin, Substitute


class Keys:
    def __init__(self, seed: bytes = b"one") -> None:
        self.seed = seed

    def subkey(self, purpose: str) -> bytes:
        return hmac_parts(self.seed, purpose.encode())


VALUES = ["a", "", "0", "ä\ud800", "long " * 50]


def test_keep_gives_the_very_values():
    assert Keep().bind(Keys()).mask_distinct(VALUES) == VALUES


def test_redact_gives_null_or_the_placeholder():
    assert Redact().bind(Keys()).mask_distinct(VALUES) == [None] * 5
    assert Redact("gone").bind(Keys()).mask_distinct(VALUES) == ["gone"] * 5


def test_constant_gives_one_text():
    assert Constant("0").bind(Keys()).mask_distinct(VALUES) == ["0"] * 5


@pytest.mark.parametrize("wrong", ["", 0, 1.5, False, ["a"]])
def test_placeholders_and_constants_are_text(wrong):
    with pytest.raises(ParameterError, match="placeholder: "):
        Redact(wrong)
    with pytest.raises(ParameterError, match="value: "):
        Constant(wrong)


@pytest.fixture
def pairs(tmp_path):
    def write(content: str | bytes) -> str:
        file = tmp_path / "pairs.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)

    return write


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_substitute_reads_pairs(pairs, start, end):
    lines = ["source,replacement", "Ward 1,North", "", '"Ward, old",South', '"two\nlines",x', "0,null"]
    bound = Substitute(pairs(start + end.join(lines) + end)).bind(Keys())
    values = ["Ward, old", "Ward 1", "ward 1", "0", "", "two\nlines"]
    assert bound.mask_distinct(values) == ["South", "North", None, "null", None, "x"]


def test_substitute_hashes_what_it_does_not_know(pairs):
    file = pairs("source,replacement\nWard 1,North\n")
    one, two = (
        Substitute(file, default="hash").bind(Keys(seed)).mask_distinct(["Ward 1", "x"]) for seed in (b"1", b"2")
    )
    assert one[0] == two[0] == "North"
    assert one[1] != two[1]
    assert len(one[1]) == 32 and int(one[1], 16)


def test_substitute_sends_no_source_to_workers(pairs):
    bound = Substitute(pairs("source,replacement\nTopSecret,North\n")).bind(Keys())
    assert "TopSecret" not in str(bound.__dict__)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1 does not read"),
        ("Joe,Jim\n", "line 1 does not read"),
        ("source,replacement\na,b\nJoe\n", "line 3 has 1 columns"),
        ("source,replacement\nJoe,b,c\n", "line 2 has 3 columns"),
        ("source,replacement\na,b\n\nJoe,\n", "line 4 has an empty column"),
        ("source,replacement\n,Joe\n", "line 2 has an empty column"),
        ("source,replacement\nJoe,b\nJoe,c\n", "line 3 repeats a source"),
        ('source,replacement\n"Joe"x,b\n', "line 2 is not CSV"),
        ('source,replacement\n"Joe,b\n', "line 2 is not CSV"),
        (b"source,replacement\na,b\nJoe\xff,c\n", "line 3 is not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_by_line_and_never_by_value(pairs, content, message):
    with pytest.raises(ParameterError, match=message) as caught:
        Substitute(pairs(content))
    assert "Joe" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_file_is_refused(tmp_path):
    for masker in (Substitute, ShuffleWithin):
        with pytest.raises(ParameterError, match="file: cannot be read: No such file"):
            masker(file=str(tmp_path / "none"))


@pytest.mark.parametrize("parameters", [{"file": ""}, {"file": 1}, {"file": "x.csv", "default": "keep"}])
def test_substitute_checks_its_parameters(parameters):
    with pytest.raises(ParameterError):
        Substitute(**parameters)


@pytest.mark.parametrize("size", [2, 3, 7, 500])
def test_shuffle_is_a_permutation_without_fixed_points(size):
    pool = [f"member {number}" for number in range(size)]
    masked = ShuffleWithin(pool).bind(Keys()).mask_distinct(pool)
    assert sorted(masked) == sorted(pool)
    assert all(before != after for before, after in zip(pool, masked, strict=True))


def test_shuffle_asks_for_the_key_and_not_for_the_order():
    pool = [f"member {number}" for number in range(100)]
    masked = ShuffleWithin(pool).bind(Keys()).mask_distinct(pool)
    assert ShuffleWithin(pool[::-1]).bind(Keys()).mask_distinct(pool) == masked
    other = ShuffleWithin(pool).bind(Keys(b"two")).mask_distinct(pool)
    assert sum(one == two for one, two in zip(masked, other, strict=True)) < 10


def test_shuffle_gives_null_outside_its_pool():
    assert ShuffleWithin(("a", "b")).bind(Keys()).mask_distinct(["c", "", "0", "a"]) == [None, None, None, "b"]


def test_shuffle_reads_its_pool_from_a_file(tmp_path):
    file = tmp_path / "pool.txt"
    file.write_text("a\nb\nc d\n")
    bound = ShuffleWithin(file=str(file)).bind(Keys())
    assert bound == ShuffleWithin(("a", "b", "c d")).bind(Keys())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Joe", "fewer than two"),
        ("Joe\n\nb\n", "line 2 is empty"),
        ("Joe\nb\nJoe\n", "line 3 repeats"),
        ("", "line 1 is empty"),
    ],
)
def test_a_bad_pool_file_is_refused(tmp_path, content, message):
    file = tmp_path / "pool.txt"
    file.write_text(content)
    with pytest.raises(ParameterError, match=message) as caught:
        ShuffleWithin(file=str(file))
    assert "Joe" not in str(caught.value)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"pool": ["a"]},
        {"pool": ["a", "a"]},
        {"pool": ["a", ""]},
        {"pool": ["a", 1]},
        {"pool": "ab"},
        {"pool": ["a", "b"], "file": "x"},
    ],
)
def test_shuffle_checks_its_parameters(parameters):
    with pytest.raises(ParameterError):
        ShuffleWithin(**parameters)


def test_specs_have_hashes(pairs):
    file = pairs("source,replacement\na,b\n")
    assert (
        len({Keep(), Redact(), Constant("a"), Substitute(file), ShuffleWithin(["a", "b"]), ShuffleWithin(("a", "b"))})
        == 5
    )


def test_null_stays_null_through_a_series():
    values = pd.Series(["a", None, float("nan"), "b"], index=[3, 1, 2, 0])
    masked = ShuffleWithin(("a", "b")).bind(Keys())(values)
    assert masked.tolist() == ["b", None, None, "a"]
    assert masked.index.tolist() == [3, 1, 2, 0]
