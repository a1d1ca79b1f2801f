"""Ids, identifiers and hashes: known answers, no collisions, keys apart."""

from __future__ import annotations

import pickle
import re
import uuid
from hashlib import sha256

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import ParameterError
from masking.keys import MasterKey
from masking.maskers.identifiers import FormatPreserving, Hash, PseudonymizeId
from masking.pseudonyms import Pseudonyms

KEYS = MasterKey.from_bytes(sha256(b"a key for tests").digest()).keyring()
ELSEWHERE = MasterKey.from_bytes(sha256(b"a key for tests").digest()).keyring("another")
IDS = PseudonymizeId().bind(KEYS)
UUID = "6d75f4a2-1b2c-4c3d-8e9f-0123456789ab"
FAKE = "f378076b-dc63-c883-d09a-7d952dd09949"

#: Known answers under `KEYS`: a change here is a breaking change.
GOLDEN = {
    PseudonymizeId(): {
        UUID: FAKE,
        UUID.upper(): FAKE.upper(),
        f"urn:uuid:{UUID}": f"urn:uuid:{FAKE}",
        f"2.25.{uuid.UUID(UUID).int}": f"2.25.{uuid.UUID(FAKE).int}",
        f"urn:oid:2.25.{uuid.UUID(UUID).int}": f"urn:oid:2.25.{uuid.UUID(FAKE).int}",
        "42": "id-7a3258ee42581f03512de6d2a2d0f042",
        "": None,
    },
    FormatPreserving(): {
        "MRN-0012345": "FVL-9369536",
        "Ab-12345x": "Tl-88083p",
        "12": "57203697293912266264287",
        "ÄÖ1234567": "B956PBLFTQ5ZHK8PPJ2YGZ8",
        "": None,
    },
    Hash(): {"a": "67692d62daeff2cc5841e9368580e4cb", "": "933fad233128b1486906502fabe8932a"},
}


@pytest.mark.parametrize("spec", GOLDEN, ids=lambda spec: spec.name)
def test_known_answers(spec):
    bound = spec.bind(KEYS)
    assert dict(zip(GOLDEN[spec], bound.mask_distinct(list(GOLDEN[spec])), strict=True)) == GOLDEN[spec]


@pytest.mark.parametrize("spec", GOLDEN, ids=lambda spec: spec.name)
def test_promises_of_every_masker(spec):
    bound = spec.bind(KEYS)
    values = ["0", "1", "MRN-0012345", UUID, "x" * 500, "\0", "\ud800", "MRN-0012345"]
    found = bound.mask_distinct(values)
    assert found == [bound.mask_distinct([value])[0] for value in values] == bound.mask_distinct(values[::-1])[::-1]
    assert found[2] == found[7]
    assert len(set(found)) == 7
    assert not set(found) & set(values)
    assert not set(found) & set(spec.bind(ELSEWHERE).mask_distinct(values))
    again = pickle.loads(pickle.dumps(bound))
    assert again.mask_distinct(values) == found
    shown = repr(bound)
    for purpose in ("hash", "format_preserving", "pseudonymize_id/uuid/", "pseudonymize_id/text/"):
        assert repr(KEYS.subkey(purpose))[2:12] not in shown
    series = pd.Series(["42", None, "42", ""], index=[7, 7, 8, 9], dtype=object)
    masked = bound(series)
    assert masked.index.tolist() == [7, 7, 8, 9]
    assert masked.iloc[1] is None
    assert masked.iloc[0] == masked.iloc[2] == bound.mask_distinct(["42"])[0]
    assert bound(series.iloc[:0]).empty
    assert bound.mask_distinct([]) == []


@given(st.lists(st.uuids(), max_size=6, unique=True))
def test_uuids_are_permuted(values):
    texts = [str(value) for value in values]
    found = IDS.mask_uuids(texts)
    assert all(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) for text in found)
    assert len(set(found)) == len(values)
    assert IDS.mask_distinct(texts) == found
    assert IDS.mask_distinct([*texts, "x"])[:-1] == found
    prefixed = IDS.mask_distinct([f"urn:uuid:{text}" for text in texts])
    assert prefixed == [f"urn:uuid:{text}" for text in found]
    assert IDS.mask_distinct([text.upper() for text in texts]) == [
        fake.upper() if text.upper() != text else fake for text, fake in zip(texts, found, strict=True)
    ]
    decimal = IDS.mask_distinct([f"2.25.{value.int}" for value in values])
    assert decimal == [f"2.25.{uuid.UUID(text).int}" for text in found]


def test_many_uuids_in_chunks():
    texts = [str(uuid.UUID(int=i * 7919)) for i in range(20_000)]
    found = IDS.mask_uuids(texts)
    assert len(set(found)) == 20_000
    assert found[8190:8195] == IDS.mask_uuids(texts[8190:8195])
    assert found[-1:] == IDS.mask_uuids(texts[-1:])


NOT_UUIDS = [
    "",
    UUID[:-1],
    UUID + "0",
    UUID.replace("-", ""),
    "{" + UUID[1:-1] + "}",
    UUID[:-1] + " ",
    " " + UUID[1:],
    UUID[:-1] + "g",
    UUID[:-1] + "-",
    UUID[:-1] + "٣",
    UUID[:8] + "0" + UUID[9:],
    UUID[:7] + "-" + UUID[8:],
    UUID[:-1] + "\n",
    UUID[:-1] + "\0",
]


@pytest.mark.parametrize("value", NOT_UUIDS)
def test_what_is_not_quite_a_uuid(value):
    with pytest.raises(ValueError, match="not a UUID") as caught:
        IDS.mask_uuids([UUID, value])
    assert not value or value not in str(caught.value)
    found = IDS.mask_distinct([UUID, value])
    assert found[0] == FAKE
    assert found[1] is None if not value else re.fullmatch("id-[0-9a-f]{32}", found[1])


def test_two_wrongs_do_not_make_a_right():
    joined = UUID + FAKE
    with pytest.raises(ValueError, match="not a UUID"):
        IDS.mask_uuids([joined[:35], joined[35:]])
    assert all(text.startswith("id-") for text in IDS.mask_distinct([joined[:35], joined[35:]]))


def test_mixed_case_spells_the_same_uuid():
    assert IDS.mask_distinct([UUID.replace("d", "D")]) == [FAKE]
    assert IDS.mask_distinct([f"URN:UUID:{UUID}"]) == [f"URN:UUID:{FAKE}"]


OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")


@pytest.mark.parametrize("oid", ["1.2.840.113619.2.55", "2.16.840.1.113883.4.6", "2.25.0", f"2.25.{1 << 128}", "0.0.0"])
def test_oids_become_oids(oid):
    bare, urn = IDS.mask_distinct([oid, f"urn:oid:{oid}"])
    assert OID.fullmatch(urn)
    assert urn == f"urn:oid:{bare}"
    assert len(bare) <= 64
    assert bare != oid


def test_urns_of_anything_stay_urns():
    odd_uuid, odd_oid = IDS.mask_distinct(["urn:uuid:Joe Smith", "urn:oid:Joe.Smith"])
    assert re.fullmatch("urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", odd_uuid)
    assert OID.fullmatch(odd_oid)
    assert IDS.mask_distinct(["urn:uuid:", "urn:oid:"])[0].startswith("id-")


@given(st.text(min_size=1, max_size=80))
def test_every_id_is_a_valid_fhir_id(value):
    (found,) = IDS.mask_distinct([value])
    assert re.fullmatch(r"(urn:uuid:|urn:oid:)?[A-Za-z0-9\-.]{1,64}", found, re.IGNORECASE)


def test_similar_ids_are_different_ids():
    values = ["1", "01", "1.0", "1.2", "A", "a", " a", "a ", "id-1", "1.2.3", "1.2.03", "urn:uuid:1", "Patient/1"]
    assert len(set(IDS.mask_distinct(values))) == len(values)


def test_domains_of_ids_are_apart_and_references_share_the_default():
    values = [UUID, "1", "1.2.3"]
    assert not set(IDS.mask_distinct(values)) & set(PseudonymizeId("research").bind(KEYS).mask_distinct(values))
    assert Pseudonyms.bind(KEYS).mask(values) == IDS.mask_distinct(values)


def test_format_preserving_takes_the_system():
    bound = FormatPreserving().bind(KEYS)
    values = pd.Series(["MRN-0012345", "MRN-0012345", "MRN-0012345", None])
    systems = pd.Series(["http://a", "http://b", None, "http://a"])
    a, b, none, null = bound(values, system=systems)
    assert len({a, b, none}) == 3
    assert null is None
    assert bound.mask_distinct(["MRN-0012345"], system=["http://a"]) == [a]
    assert bound.unmask([a, none], system=["http://a", None]) == ["MRN-0012345"] * 2
    assert bound.unmask(bound.mask_distinct(["12"])) == [None]
    assert FormatPreserving("x").bind(KEYS).mask_distinct(["MRN-0012345"]) != [none]


@given(st.lists(st.from_regex("[A-Z]{2}[0-9]{6,9}", fullmatch=True), unique=True, max_size=6))
@settings(deadline=None)
def test_format_preserving_is_one_to_one(values):
    found = FormatPreserving().bind(KEYS).mask_distinct(values)
    assert len(set(found)) == len(values)
    assert all(
        re.fullmatch(f"[A-Z]{{2}}[0-9]{{{len(value) - 2}}}", text) for value, text in zip(values, found, strict=True)
    )


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        (Hash(16), "[0-9a-f]{16}"),
        (Hash(64), "[0-9a-f]{64}"),
        (Hash(26, "base32"), "[a-z2-7]{26}"),
        (Hash(22, "base64url", "u_"), "u_[A-Za-z0-9_-]{22}"),
        (Hash(20, "digits", "9"), "9[0-9]{20}"),
    ],
)
def test_hash_forms(spec, form):
    found = spec.bind(KEYS).mask_distinct([str(i) for i in range(200)])
    assert len(set(found)) == 200
    assert all(re.fullmatch(form, text) for text in found)
    assert not set(found) & set(Hash(spec.length, spec.alphabet, spec.prefix, "d").bind(KEYS).mask_distinct(["1", "2"]))


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: Hash(15), "length"),
        (lambda: Hash(65), "length"),
        (lambda: Hash(True), "length"),
        (lambda: Hash("32"), "length"),
        (lambda: Hash(61, "digits"), "length"),
        (lambda: Hash(32, "base58"), "alphabet"),
        (lambda: Hash(32, ["hex"]), "alphabet"),
        (lambda: Hash(prefix="a\nb"), "prefix"),
        (lambda: Hash(domain=None), "domain"),
        (lambda: PseudonymizeId(1), "domain"),
        (lambda: FormatPreserving(None), "domain"),
        (lambda: FormatPreserving(alphabet="a"), "alphabet"),
        (lambda: FormatPreserving(alphabet="aba"), "alphabet"),
        (lambda: FormatPreserving(alphabet=10), "alphabet"),
    ],
)
def test_parameters_are_checked_at_once(make, parameter):
    with pytest.raises(ParameterError) as caught:
        make()
    assert caught.value.parameter == parameter
