"""Keys: what is accepted, what is refused and how, and the derivations against their RFCs."""

from __future__ import annotations

import copy
import hashlib
import pickle
import stat

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import KeyRefused, UsageError
from masking.keys import (
    MasterKey,
    encode_parts,
    hkdf_expand,
    hkdf_extract,
    hmac_parts,
    prf_bytes,
    prf_ints,
    write_key_file,
)

SECRET = hashlib.sha256(b"a key for tests").digest()
TEXT = "fhir-mask-key-1:" + SECRET.hex()


@pytest.mark.parametrize("text", [TEXT, SECRET.hex(), SECRET.hex().upper(), f"# note\n\n  {TEXT}  \n", TEXT + "\r\n"])
def test_text_forms_are_one_key(text):
    assert MasterKey.from_text(text).reveal() == TEXT


def test_known_answers_hold():
    ring = MasterKey.from_bytes(SECRET).keyring()
    assert ring.fingerprint == "fp-aadb3e1cfa07cdfb"
    assert ring.subkey("date_shift").hex() == "060bdee2d73be63200eee0ef1af326eb7f96c4b4c3fb68dd4495221f40cb34a3"


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (b"", "too short"),
        (SECRET[:31], "too short"),
        (bytes(32), "repeated pattern"),
        (SECRET[:16] * 2, "repeated pattern"),
        ((SECRET * 3)[:80], "repeated pattern"),
        (bytes(range(32)), "counted"),
        (bytes(range(64, 0, -2)), "counted"),
        (bytes(b % 12 for b in hashlib.sha512(b"x").digest()), "too few distinct"),
        ("Correct horse battery staple, x 7!".encode("utf-16-le"), "too few distinct"),
        (b"correct horse battery staple and then some", "reads as text"),
        (b"correct horse battery staple\nand then some", "reads as text"),
        ("Ein Schlüssel für die Prüfung, länger".encode(), "reads as text"),
        (SECRET.hex().encode(), "reads as text"),
    ],
)
def test_weak_secrets_are_refused_with_the_remedy_and_without_the_key(secret, why):
    with pytest.raises(KeyRefused, match=why) as caught:
        MasterKey.from_bytes(secret)
    assert "fhir-mask keygen" in str(caught.value)
    assert not secret or secret.hex() not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a note",
        "hunter2",
        TEXT[:-1],
        TEXT[:-2],
        f"{TEXT}\n{TEXT}",
        TEXT + "zz",
        "fhir-mask-key-2:" + "ab" * 32,
    ],
)
def test_other_texts_are_refused_without_repeating_them(text):
    with pytest.raises(KeyRefused) as caught:
        MasterKey.from_text(text, "key file k")
    assert "key file k" in str(caught.value)
    assert "keygen" in str(caught.value)
    assert len(text) < 7 or text not in str(caught.value)
    assert SECRET.hex()[:12] not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_environment(monkeypatch):
    monkeypatch.delenv("FHIR_MASK_KEY", raising=False)
    with pytest.raises(KeyRefused, match=r"FHIR_MASK_KEY is not set.*--key-file"):
        MasterKey.from_env()
    monkeypatch.setenv("OTHER", TEXT)
    assert MasterKey.from_env("OTHER").reveal() == TEXT


def test_key_file_is_private_and_never_overwritten(tmp_path):
    path = tmp_path / "master.key"
    key = write_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert MasterKey.from_file(path).reveal() == key.reveal()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="never overwritten"):
        write_key_file(path)
    assert path.read_bytes() == before
    with pytest.raises(UsageError, match="cannot write"):
        write_key_file(tmp_path / "absent" / "master.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_key_file_open_to_others_is_refused(tmp_path, mode):
    path = tmp_path / "master.key"
    write_key_file(path)
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        MasterKey.from_file(path)


def test_unreadable_key_files(tmp_path):
    with pytest.raises(KeyRefused, match="No such file"):
        MasterKey.from_file(tmp_path / "absent")
    with pytest.raises(KeyRefused, match="directory"):
        MasterKey.from_file(tmp_path)
    path = tmp_path / "big"
    path.write_bytes(b"ab" * 5000)
    path.chmod(0o600)
    with pytest.raises(KeyRefused, match="too long"):
        MasterKey.from_file(path)
    path.write_bytes(bytes(range(128, 192)))
    with pytest.raises(KeyRefused, match="is not a key"):
        MasterKey.from_file(path)
    path.write_bytes(b"#" + bytes(range(128, 192)))  # as one raw key in 256 begins: all of it reads as a remark
    with pytest.raises(KeyRefused, match="holds no key"):
        MasterKey.from_file(path)


def test_generated_keys_differ_and_pass():
    keys = {MasterKey.generate().reveal() for _ in range(200)}
    assert len(keys) == 200


@pytest.mark.parametrize("held", [MasterKey.from_bytes(SECRET), MasterKey.from_bytes(SECRET).keyring()])
def test_secrets_stay_on_the_driver(held):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="driver"):
            pickle.dumps(held, protocol)
    with pytest.raises(TypeError):
        copy.deepcopy(held)
    for text in (repr(held), str(held), f"{held}"):
        assert SECRET.hex()[:8] not in text
        assert repr(SECRET)[2:10] not in text
    assert not hasattr(held, "__dict__")


def test_purposes_and_projects_are_apart():
    key = MasterKey.from_bytes(SECRET)
    one, same, other = key.keyring("a"), key.keyring("a"), key.keyring("b")
    assert (one.subkey("x"), one.fingerprint) == (same.subkey("x"), same.fingerprint)
    found = {ring.subkey(purpose) for ring in (one, other) for purpose in ("x", "y", "", "fingerprint")}
    assert len(found) == 8
    assert all(len(subkey) == 32 for subkey in found)
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint not in {"fp-" + subkey.hex()[:16] for subkey in found}
    with pytest.raises(UsageError, match="--project"):
        key.keyring("  ")


# RFC 5869, appendix A, test cases 1 to 3 (SHA-256).
RFC5869 = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        "0b" * 22,
        "",
        "",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("secret", "salt", "info", "extracted", "expanded"), RFC5869)
def test_hkdf_against_rfc_5869(secret, salt, info, extracted, expanded):
    root = hkdf_extract(bytes.fromhex(salt), bytes.fromhex(secret))
    assert root.hex() == extracted
    assert hkdf_expand(root, bytes.fromhex(info), len(expanded) // 2).hex() == expanded


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 200))
def test_hkdf_against_another_implementation(secret, salt, info, length):
    expected = HKDF(hashes.SHA256(), length, salt, info).derive(secret)
    assert hkdf_expand(hkdf_extract(salt, secret), info, length) == expected


@pytest.mark.parametrize("length", [0, -1, 8161])
def test_hkdf_lengths(length):
    with pytest.raises(ValueError, match="8160"):
        hkdf_expand(bytes(32), b"", length)


def hmac_sha256_by_hand(key, data):
    """RFC 2104 spelled out, to hold `hmac_parts` against."""
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + data).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).digest()


# RFC 4231, test cases 1 to 4, 6 and 7: key, data, HMAC-SHA-256.
RFC4231 = [
    ("0b" * 20, b"Hi There".hex(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?".hex(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("aa" * 20, "dd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)).hex(), "cd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        "aa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size data. "
            b"The key needs to be hashed before being used by the HMAC algorithm."
        ).hex(),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@pytest.mark.parametrize(("key", "data", "expected"), RFC4231)
def test_hmac_against_rfc_4231(key, data, expected):
    assert hmac_sha256_by_hand(bytes.fromhex(key), bytes.fromhex(data)).hex() == expected
    assert hkdf_extract(bytes.fromhex(key), bytes.fromhex(data)).hex() == expected  # extraction is one HMAC


@given(st.binary(min_size=1, max_size=100), st.lists(st.binary(max_size=20), max_size=4))
def test_hmac_parts_is_hmac_over_the_encoded_parts(key, parts):
    assert hmac_parts(key, *parts) == hmac_sha256_by_hand(key, encode_parts(*parts))


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_encoded_parts_are_unambiguous(one, other):
    assert (encode_parts(*one) == encode_parts(*other)) == (one == other)


def test_the_classic_ambiguity():
    assert hmac_parts(SECRET, b"ab", b"c") != hmac_parts(SECRET, b"a", b"bc")
    assert hmac_parts(SECRET) != hmac_parts(SECRET, b"")
    assert prf_bytes(SECRET, ["bc"], "a") != prf_bytes(SECRET, ["c"], "ab")


def test_prf_is_blake2b_over_domain_and_text():
    expected = hashlib.blake2b(encode_parts("dé".encode()) + "Zoë".encode(), key=SECRET, digest_size=16).digest()
    assert prf_bytes(SECRET, ["Zoë"], "dé") == [expected]


@given(st.lists(st.text(alphabet=st.characters(), max_size=8)), st.text(max_size=4))
def test_prf_is_of_each_value_alone(values, domain):
    together = prf_ints(SECRET, values, domain)
    assert together.dtype == "uint64"
    assert together.tolist() == [int(prf_ints(SECRET, [value], domain)[0]) for value in values]
    assert len(set(together.tolist())) == len(set(values))
    assert together.tolist() == [int.from_bytes(b, "big") for b in prf_bytes(SECRET, values, domain, 8)]


def test_prf_edges():
    assert prf_ints(SECRET, []).tolist() == []
    assert len(set(prf_ints(SECRET, ["", "0", "\0", "\ud800", "null"]).tolist())) == 5
    assert prf_bytes(SECRET, ["x"]) != prf_bytes(SECRET[::-1], ["x"])


def test_prf_chooses_evenly():
    counts = [0] * 10
    for number in prf_ints(SECRET, [str(i) for i in range(20000)]).tolist():
        counts[number % 10] += 1
    assert sum((count - 2000) ** 2 / 2000 for count in counts) < 27.9  # chi-square, 9 degrees of freedom, p = 0.001
