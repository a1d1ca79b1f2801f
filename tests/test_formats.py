"""Permutations that keep a form: alphabets, ranges and shapes."""

from __future__ import annotations

import itertools
import pickle
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.ff1 import FF1, DomainError
from masking.formats import ShapeCipher, encrypt_text, permute_range, spell, spell_hash, to_numerals, to_texts

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
CIPHER = ShapeCipher(KEY, OTHER)
HASHED = re.compile("[0-9]{23}|[0-9A-Z]{23}|[0-9a-z]{23}")


def shape(text):
    return re.sub("[a-z]", "a", re.sub("[A-Z]", "A", re.sub("[0-9]", "0", text)))


def mask(values, system="s", cipher=CIPHER):
    return cipher.mask(values, [system] * len(values))


def unmask(values, system="s", cipher=CIPHER):
    return cipher.mask(values, [system] * len(values), inverse=True)


@given(st.sampled_from(["0123456789", "01", "éàü日本😀\ud800", string.printable]), st.data())
@settings(deadline=None)
def test_text_is_encrypted_over_any_alphabet(symbols, data):
    least = {2: 20, 7: 8, 10: 6, 100: 3}[len(symbols)]
    values = data.draw(st.lists(st.text(symbols, min_size=least, max_size=least + 9), max_size=6))
    tweaks = [data.draw(st.binary(max_size=3)) for _ in values]
    found = encrypt_text(KEY, symbols, values, tweaks)
    assert [len(text) for text in found] == [len(value) for value in values]
    assert all(set(text) <= set(symbols) for text in found)
    assert encrypt_text(KEY, symbols, found, tweaks, inverse=True) == values
    one = [encrypt_text(KEY, symbols, [value], tweak)[0] for value, tweak in zip(values, tweaks, strict=True)]
    assert one == found


def test_text_is_ff1():
    row = FF1(KEY, 10).encrypt([[0, 1, 2, 3, 4, 5, 6]], b"t")[0]
    assert encrypt_text(KEY, "0123456789", ["0123456"], b"t") == ["".join(map(str, row))]


def test_largest_alphabet():
    symbols = "".join(map(chr, range(0x10000, 0x20000)))
    values = ["".join(symbols[i] for i in (0, 65535, 7)), symbols[5:7]]
    found = encrypt_text(KEY, symbols, values)
    assert encrypt_text(KEY, symbols, found, inverse=True) == values
    with pytest.raises(DomainError, match="65536"):
        encrypt_text(KEY, symbols + "x", ["x" * 9])


@pytest.mark.parametrize("value", ["12345x", "12345é", "12345😀", "12345\0", "12345٣"])
def test_foreign_symbols_are_refused_without_the_value(value):
    with pytest.raises(DomainError) as caught:
        encrypt_text(KEY, "0123456789", ["123456", value])
    assert value[-1] not in str(caught.value)


def test_numerals_there_and_back():
    assert to_texts(to_numerals(["aba", "bbb"], "ab"), "ab") == ["aba", "bbb"]
    with pytest.raises(DomainError, match="different"):
        to_numerals(["aa"], "aa")


@given(st.integers(10**6, 1 << 140), st.data())
@settings(deadline=None)
def test_ranges_are_permuted_within(size, data):
    values = data.draw(st.lists(st.integers(0, size - 1), max_size=5, unique=True))
    found = permute_range(KEY, values, size, b"t")
    assert all(0 <= number < size for number in found)
    assert len(set(found)) == len(found)
    assert permute_range(KEY, found, size, b"t", inverse=True) == values
    assert [permute_range(KEY, [value], [size], [b"t"])[0] for value in values] == found


def test_a_whole_range_is_permuted():
    size = 1_000_003  # far from a power of two, so that walking happens
    assert sorted(permute_range(KEY, range(size), size)) == list(range(size))


def test_ranges_refused():
    for size, value in ((999_999, 0), (10**6, 10**6), (10**6, -1)):
        with pytest.raises(DomainError):
            permute_range(KEY, [value], size)
    assert permute_range(KEY, [], 10**6) == []


def test_hash_is_spelled_evenly_and_in_full():
    texts = spell_hash(KEY, [str(i) for i in range(2000)], "abc", 40, "d")
    assert len(set(texts)) == 2000
    assert {len(text) for text in texts} == {40}
    counts = [sum(text.count(symbol) for text in texts) for symbol in "abc"]
    assert max(counts) - min(counts) < 1500  # of 26,667 each; deviation 133
    assert spell(5, "01", 6) == "000101"


SHAPED = st.from_regex(r"[A-Za-z0-9 ./\-#:_]{6,40}", fullmatch=True)


@given(st.lists(SHAPED, max_size=8, unique=True))
@settings(deadline=None)
def test_shapes_are_kept_and_undone(values):
    found = mask(values)
    for value, text, back in zip(values, found, unmask(found), strict=True):
        digits, letters = len(re.findall("[0-9]", value)), len(re.findall("[A-Za-z]", value))
        if 10**digits * 26**letters >= 10**6 and not HASHED.fullmatch(value):
            assert shape(text) == shape(value)
            assert back == value
        else:
            assert HASHED.fullmatch(text)
            assert back is None
    assert len(set(found)) == len(values)
    assert [mask([value])[0] for value in values] == found


@pytest.mark.parametrize(
    ("template", "places"),
    [
        ("{}", ["0123456789"] * 6),
        ("12{}-4", ["0123456789"] * 3),
        ("{}", ["ABCDEFGHIJ"] * 5),
        ("A{}", ["0123456789"] * 5),
        ("q{}Z9", ["0123456789"] * 3 + ["ABCDEFGHIJ"]),
    ],
)
def test_different_values_never_collide(template, places):
    values = [template.format("".join(row)) for row in itertools.islice(itertools.product(*places), 100_000)]
    found = mask(values)
    assert len(set(found)) == len(values)


def test_small_forms_are_hashed_and_apart_from_all_else():
    values = [str(number) for number in range(20_000)] + [f"{number:05d}" for number in range(20_000)]
    values += [
        "A1",
        "a1",
        "A-1",
        "A 1",
        "-",
        "--",
        "é",
        "É",
        "e\u0301",
        "日本",
        "١٢٣٤٥٦٧٨",
        "\0",
        "\ud800",
        "ÄÖ12345678",
    ]
    values += ["1" * 23, "A" * 23, "a" * 23, "7" * 300, "7" * 301]
    distinct = list(dict.fromkeys(values))
    found = mask(distinct)
    assert all(HASHED.fullmatch(text) for text in found)
    assert len(set(found)) == len(distinct)
    assert not set(found) & set(distinct)
    again = mask(found)  # what looks hashed is hashed too, so a mask of a mask meets nothing either
    assert len(set(found) | set(again)) == 2 * len(distinct)
    assert HASHED.fullmatch(found[distinct.index("A1")]).group().isupper()
    assert HASHED.fullmatch(found[distinct.index("a1")]).group().islower()


@pytest.mark.parametrize("length", [22, 24, 256])
def test_lengths_beside_the_hash_are_permuted(length):
    value = "1a" * (length // 2)
    assert shape(mask([value])[0]) == shape(value)


def test_systems_domains_and_keys_are_apart():
    value = "AB-1234567"
    found = [
        cipher.mask([value], [system])[0]
        for cipher in (CIPHER, ShapeCipher(KEY, OTHER, "d"), ShapeCipher(OTHER, KEY))
        for system in (None, "s", "t")
    ]
    assert len(set(found)) == 9
    assert CIPHER.mask([value], [None]) == CIPHER.mask([value], [""])
    assert CIPHER.mask([value, "7"], ["\ud800"] * 2) != CIPHER.mask([value, "7"], ["?"] * 2)
    small = [CIPHER.mask(["7"], [system])[0] for system in (None, "s", "t")]
    assert len(set(small)) == 3


def test_shapes_are_apart():
    found = mask(["123-4567", "1234-567", "1234567"])
    assert len({re.sub("-", "", text) for text in found}) == 3


def test_an_alphabet_of_its_own():
    cipher = ShapeCipher(KEY, OTHER, "", "0123456789abcdef")
    values = ["de:ad:be:ef:00:01", "deadbeef0001", "xyz-deadbeef", "ab", "é0123456", "0" * 19, ""]
    mac, plain, foreign, short, accent, hashlike, empty = mask(values, cipher=cipher)
    assert re.fullmatch("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", mac)
    assert re.fullmatch("[0-9a-f]{12}", plain)
    assert all(re.fullmatch("[0-9a-f]{19}", text) for text in (foreign, short, accent, hashlike))
    assert empty is None
    assert unmask([mac, plain], cipher=cipher) == values[:2]
    wide = ShapeCipher(KEY, OTHER, "", "АБВГДЕЖЗ")
    (found,) = mask(["АБВГ-ДЕЖЗ"], cipher=wide)
    assert re.fullmatch("[АБВГДЕЖЗ]{4}-[АБВГДЕЖЗ]{4}", found)


def test_edges():
    assert CIPHER.mask([], []) == []
    assert mask([""]) == [None]
    assert pickle.loads(pickle.dumps(CIPHER)) == CIPHER
    assert repr(CIPHER) == "ShapeCipher(domain='', alphabet='')"
