"""References, canonicals and public URIs: what they name, masked, is found by what they are masked to."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.keys import MasterKey
from masking.maskers.base import registered

KEYS = MasterKey.from_bytes(sha256(b"test").digest()).keyring()
HOST = "https://stmarys.example/fhir"
KEEP = ("http://hl7.org/*", "http://loinc.org", "urn:ietf:*")


def one(value: str, name: str = "reference", **parameters: object) -> str | None:
    """What a masker makes of a value."""
    bound = registered()[name](**parameters).bind(KEYS)
    context = {key: [None] for key in bound.context}
    return bound.mask_distinct([value], **context)[0]


def public(value: str) -> str | None:
    return one(value, "public_uri", keep=KEEP)


@pytest.mark.parametrize(
    "url", [f"{HOST}/Questionnaire/phq9", "https://stmarys.example/forms/phq9", "urn:oid:1.2.840.114350.1.13"]
)
@pytest.mark.parametrize("masker", [one, public])
def test_a_canonical_follows_the_url_it_names(masker, url):
    masked = masker(url)
    part = one("#part")
    assert "stmarys" not in masked and "114350" not in masked and masked != url
    assert masker(f"{url}|1.0") == f"{masked}|1.0"
    assert masker(f"{url}|1.0#part") == f"{masked}|1.0{part}"
    assert masker(f"{url}#part") == f"{masked}{part}"
    # A version that is a word may name somebody.
    assert masker(f"{url}|joe") == masked


def test_a_canonical_by_id_follows_the_id():
    identifier = one("phq9", "pseudonymize_id")
    assert public(f"{HOST}/Questionnaire/phq9|2").endswith(f".example.org/fhir/Questionnaire/{identifier}|2")
    assert public("Questionnaire/phq9#x") == f"Questionnaire/{identifier}{one('#x')}"
    assert public("#phq9") == f"#{identifier}"


@pytest.mark.parametrize(
    "value",
    [
        "http://loinc.org",
        "http://loinc.org|2.7",
        "http://hl7.org/fhir/ValueSet/x",
        "http://hl7.org/fhir/x|joe#a",
        "urn:ietf:rfc:3986",
    ],
)
def test_public_uris_stay(value):
    assert public(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "http://loinc.org/x", "http://loinc.org.stmarys.example", "http://hl7.org", "http://hl7.org.stmarys.example/x",
        "http://hl7.org@stmarys.example/x", "HTTP://HL7.ORG/x", "http://hl7.org/x?patient=joe", "http://hl7.org/joe smith",
        "http://hl7.org/%6aoe", "http://hl7.org/\u00e9", "http://hl7.org/" + "x" * 400, "MRN", "St. Mary's", "urn:stmarys:mrn",
        "mailto:joe@stmarys.example", "http://hl7.org/x\n",
    ],
)  # fmt: skip
def test_all_others_become_keyed_urls(value):
    masked = public(value)
    assert masked != value and masked == public(value)
    assert masked.startswith(("https://www.example.org/", "http://www.example.org/"))
    assert not any(word in masked for word in ("joe", "stmarys", "Mary", "MRN"))


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_text_but_blank_becomes_one_text_of_its_own(values):
    bound = registered()["public_uri"](keep=KEEP).bind(KEYS)
    masked = dict(zip(values, bound.mask_distinct(values), strict=True))
    assert all((text is None) <= (not value.strip()) for value, text in masked.items())


@pytest.mark.parametrize("keep", ["http://a", ["*"], [""], ["a*b"], [1]])
def test_what_is_kept_is_a_list_of_uris(keep):
    with pytest.raises(ValueError, match="keep"):
        registered()["public_uri"](keep=keep)
