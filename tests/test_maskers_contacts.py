"""Maskers of contacts: golden pairs, ranges that are reserved for fiction, and properties over any text."""

from __future__ import annotations

import hashlib
import ipaddress
import pickle
import re

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from masking.errors import ParameterError
from masking.maskers.base import Masker
from masking.maskers.contacts import Email, Ip, Phone, Url
from masking.maskers.people import FirstName, LastName
from masking.maskers.places import Address
from masking.pools import load

HOME = "633 Abernathy Landing Apt 4|Emporia|KS|66801|US"
MASKERS: list[Masker] = [Phone(), Email(), Url(), Ip()]


class Keys:
    """Fixed test subkeys: SHA-256 of the purpose."""

    def subkey(self, purpose: str) -> bytes:
        return hashlib.sha256(purpose.encode()).digest()


def mask(masker: Masker, value: str, **context: str | None) -> str | None:
    bound = masker.bind(Keys())
    return bound.mask_distinct([value], **{name: [context.get(name)] for name in bound.context})[0]


PERSON = {"subject": "p1", "sex": "male"}
GOLDEN: list[tuple[Masker, dict[str, str], str, str | None]] = [
    (Phone(), {}, "617-555-1234", "504-555-0142"),
    (Phone(), {}, "(617) 555-1234", "(504) 555-0142"),
    (Phone(), {}, "+1 617 555 1234", "+1 504 555 0142"),
    (Phone(), {}, "617.555.1234 x123", "504.555.0142 x560"),
    (Phone(), {}, "+1-617-555-1234;ext=45", "+1-504-555-0142;ext=67"),
    (Phone(), {}, "555-1234", "555-0191"),
    (Phone(), {}, "+44 20 7946 0958", "+1-432-555-0145"),
    (Phone(), {}, "(03) 5555 6473", "+1-954-555-0148"),
    (Phone(), {"address": HOME}, "617-555-1234", "934-555-0142"),
    (Email(), PERSON, "Irvin970.Emard19@example.com", "muharrem.anderson819815@example.org"),
    (Email(), {**PERSON, "family": "Smith", "given": "Joe Q"}, "joe@x.org", "christopher.beirne185090@example.org"),
    (Url(), PERSON, "https://hospital.org/joe?x=1", "https://hb2a3cb84a2.example.com/865435b7f2f68077"),
    (Url(), PERSON, "HTTP://Hospital.org/", "HTTP://hb2a3cb84a2.example.com/"),
    (Url(), PERSON, "www.joe.com/a", "www.h66a6330015.example.com/726d936b1ea375f3"),
    (Url(), PERSON, "mailto:joe@x.org", "mailto:muharrem.anderson185090@example.org"),
    (Url(), PERSON, "tel:+1-617-555-1234", "tel:+1-504-555-0142"),
    (Ip(), {}, "10.0.0.1", "198.51.100.196"),
    (Ip(), {}, "::1", "2001:db8:191d:999d:6fbf:e72e:9cff:a5d0"),
    (Ip(), {}, "10.1.2.3/24", "203.0.113.150/24"),
]


@pytest.mark.parametrize(("masker", "context", "value", "expected"), GOLDEN)
def test_golden(masker: Masker, context: dict[str, str], value: str, expected: str | None) -> None:
    assert mask(masker, value, **context) == expected


@pytest.mark.parametrize("masker", MASKERS)
def test_unreadable_is_null_and_null_stays_null(masker: Masker) -> None:
    values = pd.Series([None, "", " ", "0"], index=[7, 3, 5, 1], dtype=object)
    masked = masker.bind(Keys())(values)
    assert masked.tolist() == [None] * 4
    assert masked.index.tolist() == [7, 3, 5, 1]
    assert masker.bind(Keys())(pd.Series([], dtype=object)).empty


@given(
    st.from_regex(r"\A[2-9][0-9]{9}\Z"),
    st.sampled_from(["{}-{}-{}", "({}) {}-{}", "{}{}{}", "+1 {} {} {}", "1.{}.{}.{}"]),
)
def test_phones_are_fictional_equal_by_their_digits_and_spelled_alike(number: str, style: str) -> None:
    source = style.format(number[:3], number[3:6], number[6:])
    fake = mask(Phone(), source)
    plain = mask(Phone(), number)
    assert fake is not None
    assert plain is not None
    assert re.fullmatch(r"[2-9][0-9]{2}55501[0-9]{2}", plain)
    assert plain[:3] in load.area_codes()
    assert fake == style.format(plain[:3], plain[3:6], plain[6:])
    assert plain != number


def test_a_fictional_source_number_changes_too() -> None:
    for line in range(100):
        source = f"555-01{line:02d}"
        assert mask(Phone(), source) not in (source, None)


def test_the_area_code_is_that_of_the_fake_place() -> None:
    for keep in ("country", "state", "zip3"):
        area = Address("area_code", keep).bind(Keys()).mask_distinct(["620"], address=[HOME])[0]
        assert mask(Phone(keep), "(617) 555-1234", address=HOME)[1:4] == area  # type: ignore[index]
    assert mask(Phone(), "6175551234", address="|Paris|||FR") == mask(Phone(), "6175551234", address=None)


@pytest.mark.parametrize("value", ["911", "1-800-FLOWERS", "call mother", "+", "12345678901234567", "x123", "+1-617"])
def test_what_is_no_number_is_null(value: str) -> None:
    assert mask(Phone(), value) is None


@pytest.mark.parametrize(
    "value", ["+44 20 7946 0958", "(03) 5555 6473", "+31612345678", "0033 1 42 68 53 00", "12345678"]
)
def test_foreign_numbers_become_fictional_ones(value: str) -> None:
    assert re.fullmatch(r"\+1-[2-9]\d\d-555-01\d\d", mask(Phone(), value))  # type: ignore[arg-type]


@given(st.emails(), st.sampled_from(["male", "female", None]), st.sampled_from(["p1", "p2", None]))
def test_emails_are_nobodys(source: str, sex: str | None, subject: str | None) -> None:
    fake = mask(Email(), source, sex=sex, subject=subject)
    assert fake is not None
    assert re.fullmatch(r"[a-z]+\.[a-z]+[0-9]{6,7}@example\.(com|org|net)", fake)
    assert fake == mask(Email(), source.upper(), sex=sex, subject=subject) or not source.isascii()
    assert fake != source.casefold()


def test_an_email_bears_the_masked_name_where_that_is_known() -> None:
    given_name, family = mask(FirstName(), "Joe", **PERSON), mask(LastName(), "Smith", **PERSON)
    fake = mask(Email(), "joe@x.org", family="Smith Jr.", given="Joe Q", **PERSON)
    assert fake.startswith(f"{given_name}.{family}".lower())  # type: ignore[union-attr]


def test_emails_of_one_person_stay_apart() -> None:
    assert len({mask(Email(), f"a{number}@x.org", **PERSON) for number in range(500)}) == 500


@pytest.mark.parametrize("value", ["joe", "@x", "a@b@c", "a b@c", "joe@"])
def test_what_is_no_email_is_null(value: str) -> None:
    assert mask(Email(), value) is None


def test_urls_of_one_host_share_it() -> None:
    one, two = mask(Url(), "https://a.org/x"), mask(Url(), "https://A.org/y")
    assert one.split("/")[:3] == two.split("/")[:3]  # type: ignore[union-attr]
    assert one != two
    assert mask(Url(), "https://b.org") != mask(Url(), "https://a.org")


@given(st.sampled_from(["http", "https", "ftp"]), st.from_regex(r"\A[a-z0-9.:-]{1,20}\Z"), st.text(max_size=20))
def test_urls_point_nowhere(scheme: str, host: str, path: str) -> None:
    assume(not path or path[0] in "/?#")
    fake = mask(Url(), f"{scheme}://{host}{path}")
    assert re.fullmatch(rf"{scheme}://h[0-9a-f]{{10}}\.example\.(com|org|net)(/[0-9a-f]{{16}}|/*)", fake or "")


@pytest.mark.parametrize(
    "value", ["urn:uuid:1", "urn:oid:1.2", "data:,x", "javascript:x", "joe.com", "http://", "tel:x", "mailto:x"]
)
def test_other_schemes_are_null(value: str) -> None:
    assert mask(Url(), value) is None


@given(st.ip_addresses())
def test_ips_are_from_documentation_ranges(source: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    fake = mask(Ip(), str(source))
    assert fake is not None
    nets = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"] if source.version == 4 else ["2001:db8::/32"]
    assert any(ipaddress.ip_address(fake) in ipaddress.ip_network(net) for net in nets)
    assert ipaddress.ip_address(fake) != source
    assert fake == mask(Ip(), source.exploded)


def test_documentation_addresses_change_too() -> None:
    for host in range(256):
        assert mask(Ip(), f"192.0.2.{host}") not in (f"192.0.2.{host}", None)


@pytest.mark.parametrize("value", ["host", "1.2.3", "10.0.0.1/99", "256.1.1.1", "10.0.0.1:80"])
def test_what_is_no_ip_is_null(value: str) -> None:
    assert mask(Ip(), value) is None


@given(st.text(max_size=40))
def test_any_text_is_masked_or_null(text: str) -> None:
    for masker in MASKERS:
        fake = mask(masker, text, subject="p1")
        assert fake is None or (fake and fake != text)


@given(st.lists(st.sampled_from(["617-555-1234", "a@b.org", "http://a.org/x", "10.0.0.1", "x"]), max_size=8))
def test_the_batch_does_not_matter(values: list[str]) -> None:
    for masker in MASKERS:
        subjects = pd.Series(["p1"] * len(values), dtype=object)
        whole = masker.bind(Keys())(pd.Series(values, dtype=object), subject=subjects, address=subjects).tolist()
        assert whole == [mask(masker, value, subject="p1", address="p1") for value in values]


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(ParameterError) as caught:
        Phone(keep="city")
    assert caught.value.parameter == "keep"


def test_bound_maskers_travel_and_hide_their_keys() -> None:
    for masker in MASKERS:
        bound = masker.bind(Keys())
        assert pickle.loads(pickle.dumps(bound)) == bound
        assert "key" not in repr(bound)


def test_long_texts_take_no_long_time() -> None:
    for value in (
        " " * 100_000 + "x",
        "a" * 100_000 + "@",
        "1" * 100_000,
        "x" * 100_000 + "1",
        "http://" + "@" * 100_000,
    ):
        for masker in MASKERS:
            assert mask(masker, value) is None
