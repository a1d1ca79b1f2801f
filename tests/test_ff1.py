"""FF1 against NIST's samples, against another implementation, and against the standard read aloud, slowly."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.ff1 import FF1, MIN_DOMAIN, DomainError, by_length, domain_size

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
KEY = bytes(range(100, 132))
_K128, _K192, _K256 = "2B7E151628AED2A6ABF7158809CF4F3C", "EF4359D8D580AA4F", "7F036D6F04FC6A94"
_T10, _T36 = "39383736353433323130", "3737373770717273373737"

# NIST, "FF1samples", the nine published vectors: key, radix, tweak, plaintext, ciphertext.
NIST = [
    (_K128, 10, "", "0123456789", "2433477484"),
    (_K128, 10, _T10, "0123456789", "6124200773"),
    (_K128, 36, _T36, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (_K128 + _K192, 10, "", "0123456789", "2830668132"),
    (_K128 + _K192, 10, _T10, "0123456789", "2496655549"),
    (_K128 + _K192, 36, _T36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (_K128 + _K192 + _K256, 10, "", "0123456789", "6657667009"),
    (_K128 + _K192 + _K256, 10, _T10, "0123456789", "1001623463"),
    (_K128 + _K192 + _K256, 36, _T36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


def numerals(text):
    return [ALPHABET.index(symbol) for symbol in text]


@pytest.mark.parametrize(("key", "radix", "tweak", "plain", "cipher"), NIST)
def test_nist_samples(key, radix, tweak, plain, cipher):
    ff1, tweak = FF1(bytes.fromhex(key), radix), bytes.fromhex(tweak)
    assert ff1.encrypt([numerals(plain)], tweak)[0].tolist() == numerals(cipher)
    assert ff1.decrypt([numerals(cipher)], tweak)[0].tolist() == numerals(plain)


def test_another_implementation_agrees():
    file = json.loads((Path(__file__).parent / "ff1_vectors.json").read_text())
    assert len(file["vectors"]) == 52
    for key, tweak, radix, plain, cipher in file["vectors"]:
        ff1 = FF1(bytes.fromhex(key), radix)
        assert ff1.encrypt([plain], bytes.fromhex(tweak))[0].tolist() == cipher, (radix, len(plain))
        assert ff1.decrypt([cipher], [bytes.fromhex(tweak)])[0].tolist() == plain, (radix, len(plain))


def reference(key, radix, tweak, values, inverse=False):
    """SP 800-38G, algorithms 7 and 8, one value at a time, in the order and the names of the standard."""
    n, t = len(values), len(tweak)
    u = n // 2
    v = n - u

    def num(digits):
        total = 0
        for digit in digits:
            total = total * radix + digit
        return total

    def digits_of(number, length):
        out = []
        for _ in range(length):
            number, digit = divmod(number, radix)
            out.insert(0, digit)
        return out

    def prf(data):
        return Cipher(AES(key), CBC(bytes(16))).encryptor().update(data)[-16:]

    b = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * math.ceil(b / 4) + 4
    p = bytes([1, 2, 1, *radix.to_bytes(3, "big"), 10, u % 256, *n.to_bytes(4, "big"), *t.to_bytes(4, "big")])
    a, bb = list(values[:u]), list(values[u:])
    for i in range(9, -1, -1) if inverse else range(10):
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + num(a if inverse else bb).to_bytes(b, "big")
        r = prf(p + q)
        s = r
        for j in range(1, math.ceil(d / 16)):
            s += prf(bytes(x ^ y for x, y in zip(r, j.to_bytes(16, "big"), strict=True)))
        y = int.from_bytes(s[:d], "big")
        m = u if i % 2 == 0 else v
        if inverse:
            a, bb = digits_of((num(bb) - y) % radix**m, m), a
        else:
            a, bb = bb, digits_of((num(a) + y) % radix**m, m)
    return a + bb


@st.composite
def batches(draw):
    """A radix, then values of mixed lengths above the least, each with a tweak."""
    radix = draw(st.sampled_from([2, 3, 10, 16, 26, 33, 36, 62, 64, 255, 256, 257, 1000, 65535, 65536]))
    least = next(n for n in range(2, 99) if radix**n >= MIN_DOMAIN)
    lengths = draw(st.lists(st.integers(least, least + draw(st.sampled_from([1, 8, 40]))), max_size=5))
    values = [draw(st.lists(st.integers(0, radix - 1), min_size=n, max_size=n)) for n in lengths]
    tweaks = [draw(st.binary(max_size=40)) for _ in lengths]
    return radix, values, tweaks, draw(st.sampled_from([16, 24, 32]))


@given(batches())
@settings(deadline=None, max_examples=150)
def test_standard_read_aloud_agrees(batch):
    radix, values, tweaks, size = batch
    ff1 = FF1(KEY[:size], radix)
    found = ff1.encrypt(values, tweaks)
    assert [row.tolist() for row in found] == [
        reference(KEY[:size], radix, tweak, value) for tweak, value in zip(tweaks, values, strict=True)
    ]
    assert [row.tolist() for row in ff1.decrypt(found, tweaks)] == values
    assert [reference(KEY[:size], radix, t, row.tolist(), True) for t, row in zip(tweaks, found, strict=True)] == values
    if len(set(tweaks)) == 1:
        assert [row.tolist() for row in ff1.encrypt(values, tweaks[0])] == [row.tolist() for row in found]


@given(st.sampled_from([(2, 20), (10, 9), (10, 40), (26, 25)]), st.data())
@settings(deadline=None)
def test_numbers_and_numerals_agree(form, data):
    radix, length = form
    number = data.draw(st.integers(0, radix**length - 1))
    spelled = [number // radix**place % radix for place in reversed(range(length))]
    found = FF1(KEY, radix).encrypt_matrix([spelled], b"t")[0].tolist()
    total = FF1(KEY, radix).permute_numbers([number], length, b"t")
    assert total == [sum(digit * radix**place for place, digit in enumerate(reversed(found)))]
    assert FF1(KEY, radix).permute_numbers(total, length, b"t", inverse=True) == [number]


def test_whole_domain_is_permuted():
    values = (np.arange(10**6)[:, None] // 10 ** np.arange(5, -1, -1) % 10).astype(np.uint16)
    found = FF1(KEY, 10).encrypt_matrix(values, b"all")
    ranks = found.astype(np.int64) @ 10 ** np.arange(5, -1, -1)
    assert (np.bincount(ranks, minlength=10**6) == 1).all()
    fixed = int((ranks == np.arange(10**6)).sum())
    assert fixed < 10  # Poisson with mean 1


def test_chunks_do_not_matter():
    values = np.random.default_rng(1).integers(0, 10, (20_000, 8))
    tweaks = [bytes([i % 3]) * (i % 7) for i in range(len(values))]
    found = FF1(KEY, 10).encrypt_matrix(values, tweaks)
    picked = [0, 8191, 8192, 8193, 19_999]
    alone = [FF1(KEY, 10).encrypt_matrix(values[[i]], [tweaks[i]])[0].tolist() for i in picked]
    assert found[picked].tolist() == alone
    assert (FF1(KEY, 10).encrypt_matrix(found, tweaks, inverse=True) == values).all()


def test_keys_and_tweaks_separate():
    value = [[1, 2, 3, 4, 5, 6, 7, 8]]
    found = {
        tuple(FF1(key, 10).encrypt(value, tweak)[0].tolist())
        for key in (KEY, KEY[::-1], KEY[:16])
        for tweak in (b"", b"\0", b"\0\0", b"a", bytes(16))
    }
    assert len(found) == 15


@pytest.mark.parametrize(("radix", "length"), [(10, 5), (2, 19), (26, 4), (999, 2), (65536, 1), (10, 0)])
def test_small_domains_are_refused(radix, length):
    with pytest.raises(DomainError, match="1000000 or more"):
        domain_size(radix, length)
    with pytest.raises(DomainError):
        FF1(KEY, radix).encrypt([[0] * length])
    with pytest.raises(DomainError):
        FF1(KEY, radix).permute_numbers([0], length)


@pytest.mark.parametrize(("radix", "length"), [(10, 6), (2, 20), (26, 5), (1000, 2), (65536, 2)])
def test_smallest_domains_are_taken(radix, length):
    assert domain_size(radix, length) == radix**length
    row = FF1(KEY, radix).encrypt([[radix - 1] * length])[0]
    assert reference(KEY, radix, b"", [radix - 1] * length) == row.tolist()


def test_bad_input_is_refused_without_the_value():
    with pytest.raises(DomainError, match="out of range") as caught:
        FF1(KEY, 10).encrypt([[1, 2, 3, 4, 5, 77]])
    assert "77" not in str(caught.value)
    with pytest.raises(DomainError, match="out of range"):
        FF1(KEY, 10).encrypt([[1, 2, 3, 4, 5, -1]])
    with pytest.raises(DomainError, match="out of range"):
        FF1(KEY, 10).permute_numbers([10**6], 6)
    with pytest.raises(ValueError, match="1 tweaks for 2 values"):
        FF1(KEY, 10).encrypt_matrix([[0] * 6, [1] * 6], [b""])
    for radix in (1, 0, 65537):
        with pytest.raises(DomainError, match="radix"):
            FF1(KEY, radix)
    with pytest.raises(ValueError, match="AES key"):
        FF1(b"short", 10)


def test_empty_batches():
    assert FF1(KEY, 10).encrypt([]) == []
    assert FF1(KEY, 10).encrypt([], []) == []
    assert FF1(KEY, 10).encrypt_matrix(np.empty((0, 6), dtype=np.uint16)).shape == (0, 6)
    assert FF1(KEY, 10).permute_numbers([], 6) == []


def test_it_travels_and_hides_its_key():
    ff1 = FF1(KEY, 10)
    assert pickle.loads(pickle.dumps(ff1)) == ff1
    assert repr(ff1) == "FF1(radix=10)"


def test_groups_by_length():
    assert by_length(["a", "bb", "c", "", "dd"]) == [[0, 2], [1, 4], [3]]
    assert by_length(["aa", "bb"]) == [range(2)]
    assert by_length([]) == []
