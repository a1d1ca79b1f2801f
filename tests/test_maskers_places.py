"""Maskers of places: golden pairs, agreement of the parts of an address, and properties over any text."""

from __future__ import annotations

import hashlib
import pickle
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import ParameterError
from masking.maskers.base import Masker
from masking.maskers.places import PARTS, Address, Geolocation, Zip3Generalize
from masking.pools import load, zip3
from masking.pools.places import KEEPS, fold_place

HOME = "633 Abernathy Landing Apt 4|Emporia|KS|66801-1234|US"
LINES = st.sampled_from(load.places().lines)


class Keys:
    """Fixed test subkeys: SHA-256 of the purpose."""

    def subkey(self, purpose: str) -> bytes:
        return hashlib.sha256(purpose.encode()).digest()


def mask(part: str, value: str, address: str | None = HOME, keep: str = "country") -> str | None:
    return Address(part, keep).bind(Keys()).mask_distinct([value], address=[address])[0]


VALUES = {
    "line": "633 Abernathy Landing",
    "city": "Emporia",
    "district": "Lyon County",
    "state": "KS",
    "postal_code": "66801-1234",
    "country": "US",
    "text": "633 Abernathy Landing Apt 4, Emporia, KS 66801-1234",
    "latitude": "38.37796654358168",
    "longitude": "-96.17",
    "time_zone": "America/Chicago",
    "area_code": "620",
}
GOLDEN: list[tuple[str, str, str | None, str, str | None]] = [
    ("line", VALUES["line"], HOME, "country", "566 Front Way"),
    ("city", VALUES["city"], HOME, "country", "Center Moriches"),
    ("district", VALUES["district"], HOME, "country", "Suffolk County"),
    ("state", VALUES["state"], HOME, "country", "NY"),
    ("postal_code", VALUES["postal_code"], HOME, "country", "11934-9788"),
    ("country", VALUES["country"], HOME, "country", "US"),
    ("text", VALUES["text"], HOME, "country", "566 Front Way Apt 7, Center Moriches, NY 11934-9788"),
    ("latitude", VALUES["latitude"], HOME, "country", "40.80709848485554"),
    ("longitude", VALUES["longitude"], HOME, "country", "-72.80"),
    ("time_zone", VALUES["time_zone"], HOME, "country", "America/New_York"),
    ("area_code", VALUES["area_code"], HOME, "country", "934"),
    ("line", VALUES["line"], HOME, "zip3", "566 Front Way"),
    ("city", VALUES["city"], HOME, "zip3", "Lamont"),
    ("district", VALUES["district"], HOME, "zip3", "Greenwood County"),
    ("state", VALUES["state"], HOME, "zip3", "KS"),
    ("postal_code", VALUES["postal_code"], HOME, "zip3", "66855-9788"),
    ("country", VALUES["country"], HOME, "zip3", "US"),
    ("text", VALUES["text"], HOME, "zip3", "566 Front Way Apt 7, Lamont, KS 66855-9788"),
    ("latitude", VALUES["latitude"], HOME, "zip3", "38.11989848485554"),
    ("longitude", VALUES["longitude"], HOME, "zip3", "-96.03"),
    ("time_zone", VALUES["time_zone"], HOME, "zip3", "America/Chicago"),
    ("area_code", VALUES["area_code"], HOME, "zip3", "620"),
    ("line", "Apt 4", HOME, "country", "Apt 7"),
    ("line", "PO BOX 8", HOME, "country", "PO BOX 7"),
    ("line", "403 S VALLEY,  PO BOX 8", HOME, "country", "702 78TH RIDGE, PO BOX 7"),
    ("line", "Rose Cottage", HOME, "country", "613 Apple View"),
    ("line", "123 Main St. #4B", HOME, "country", "999 Bayberry Cv #7S"),
    ("city", "EMPORIA", HOME, "country", "CENTER MORICHES"),
    ("state", "Kansas", HOME, "country", "New York"),
    ("state", "kansas", HOME, "state", "kansas"),
    ("postal_code", "668011234", HOME, "country", "119349788"),
    ("district", "Lyon", HOME, "country", "Suffolk"),
    (
        "text",
        "123 Main St, Boston, Massachusetts 02139 USA",
        None,
        "state",
        "443 Richmond Ct, Berkshire, Massachusetts 01224, USA",
    ),
    ("text", "12 rue de Rivoli, Paris, France", None, "country", None),
]


@pytest.mark.parametrize(("part", "value", "address", "keep", "expected"), GOLDEN)
def test_golden(part: str, value: str, address: str | None, keep: str, expected: str | None) -> None:
    assert mask(part, value, address, keep) == expected


@pytest.mark.parametrize("part", PARTS)
def test_unreadable_is_null_and_null_stays_null(part: str) -> None:
    values = pd.Series([None, "", " "], index=[7, 3, 5], dtype=object)
    masked = Address(part).bind(Keys())(values)
    assert masked.tolist() == [None, None, None]
    assert masked.index.tolist() == [7, 3, 5]
    assert Address(part).bind(Keys())(pd.Series([], dtype=object)).empty


@given(LINES, st.sampled_from(KEEPS), st.booleans())
def test_city_state_zip_is_one_real_row_and_the_text_says_the_same(row: str, keep: str, long: bool) -> None:
    home = load.Place(*row.split("\t"))
    if home.city.isupper():  # TY TY: its fake would be in capitals too
        home = home._replace(city=home.city.title())
    address = f"12 Oak St|{home.city}|{home.state}|{home.zip}|US"
    city, state = mask("city", home.city, address, keep), mask("state", home.state, address, keep)
    zip_code = mask("postal_code", home.zip + ("-1234" if long else ""), address, keep)
    assert (city, state, zip_code[:5]) in load.combinations()  # type: ignore[index]
    assert zip_code[:5] != home.zip  # type: ignore[index]
    assert keep == "country" or home.state not in load.places().by_state or keep == "zip3" or state == home.state
    text = mask("text", f"12 Oak St, {home.city}, {home.state} {home.zip}{'-1234' * long}", address, keep)
    assert text == f"{mask('line', '12 Oak St', address, keep)}, {city}, {state} {zip_code}"
    place = next(p for p in places_of(zip_code[:5]) if p.city == city)  # type: ignore[index]
    assert mask("time_zone", "America/Chicago", address, keep) == place.time_zone
    assert mask("area_code", "617", address, keep) in place.area_codes.split()
    assert abs(Decimal(mask("latitude", "1.0000", address, keep)) - Decimal(place.latitude)) <= Decimal("0.0101")  # type: ignore[arg-type]


def places_of(zip_code: str) -> list[load.Place]:
    pool = load.places()
    return [p for rows in pool.by_zip3[zip_code[:3]] for p in map(pool.__getitem__, rows) if p.zip == zip_code]


def test_one_household_spelled_two_ways_is_one() -> None:
    other = "633 ABERNATHY LANDING, APT 4|emporia|Kansas|66801|United States"
    for part in PARTS:
        if part not in ("country", "postal_code"):
            one, two = mask(part, VALUES[part], HOME), mask(part, VALUES[part], other)
            assert fold_place(one) == fold_place(two), part  # type: ignore[arg-type]
    neighbour = HOME.replace("633", "635")
    assert mask("city", "Emporia", HOME) != mask("city", "Emporia", neighbour)


def test_lines_mask_alike_together_and_apart() -> None:
    whole = mask("line", "633 Abernathy Landing Apt 4")
    assert whole == f"{mask('line', '633 Abernathy Landing')} {mask('line', 'Apt 4')}"
    assert mask("text", VALUES["text"]).startswith(whole)  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize(
    "line", ["123 Main St", "1 A Ave", "99999 W 12TH AVE", "7", "Rose Cottage", "Unit 7", "# 3", "PO Box 1"]
)
def test_no_line_equals_its_source(line: str) -> None:
    for number in range(50):
        fake = mask("line", line, f"{line}|x|KS|668{number:02d}|US")
        assert fake is not None
        assert fake.casefold() != line.casefold()


def test_abroad_only_the_country_stays() -> None:
    abroad = "12 rue de Rivoli|Paris||75001|FR"
    assert mask("country", "FR", abroad) == "FR"
    assert mask("country", "France", abroad) == "France"
    assert mask("country", "12 rue de Rivoli", abroad) is None
    assert {mask(part, VALUES[part], abroad) for part in PARTS if part != "country"} == {None}


def test_without_a_country_the_place_is_in_the_united_states() -> None:
    address = "534 Erewhon St|PleasantVille|Vic|3999|"
    combination = [
        mask(*pair, address) for pair in (("city", "PleasantVille"), ("state", "Vic"), ("postal_code", "3999"))
    ]
    assert tuple(combination) in load.combinations()


def test_an_empty_address_leaves_it_to_the_value() -> None:
    bound = Address("city").bind(Keys())
    together = bound.mask_distinct(["Boston", "Chicago"], address=["||||US", "||||US"])
    assert together == [mask("city", "Boston", None), mask("city", "Chicago", "||||")]
    assert together[0] != together[1]


@pytest.mark.parametrize("value", ["38", "38.1", "-0.5", "38.37796654358168", "90", "1E1", "1E-9"])
def test_coordinates_keep_their_decimals(value: str) -> None:
    fake = mask("latitude", value)
    decimals = max(-Decimal(value).as_tuple().exponent, 0)  # type: ignore[operator]
    assert fake is not None
    assert len(fake.partition(".")[2]) == decimals
    assert 17 < Decimal(fake) < 72
    assert Geolocation("latitude").bind(Keys()).mask_distinct([value], address=[HOME]) == [fake]


@pytest.mark.parametrize("value", ["91", "-90.1", "x", "NaN", "Infinity", "1E999999", "38,5"])
def test_what_is_no_latitude_is_null(value: str) -> None:
    assert mask("latitude", value) is None


def test_decimals_have_an_end() -> None:
    assert len(mask("latitude", "1E-999999")) < 25  # type: ignore[arg-type]


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(PARTS), st.sampled_from(KEEPS))
def test_any_text_is_masked_or_null(value: str, address: str, part: str, keep: str) -> None:
    fake = mask(part, value, address, keep)
    assert fake is None or (fake and (part == "country" or fake != value))


@given(
    st.lists(st.tuples(LINES, st.sampled_from(["", "1 Oak St"])), max_size=6), st.sampled_from(["city", "line", "text"])
)
def test_the_batch_does_not_matter(rows: list[tuple[str, str]], part: str) -> None:
    homes = [load.Place(*row.split("\t")) for row, _ in rows]
    addresses = [f"{line}|{home.city}|{home.state}|{home.zip}|" for home, (_, line) in zip(homes, rows, strict=True)]
    values = [home.city for home in homes]
    bound = Address(part).bind(Keys())
    whole = bound(pd.Series(values, dtype=object), address=pd.Series(addresses, dtype=object)).tolist()
    assert whole == [mask(part, value, address) for value, address in zip(values, addresses, strict=True)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("02139", "021"),
        ("02139-1234", "021"),
        ("021391234", "021"),
        ("03601", "000"),  # on the published list
        ("09123", "000"),  # military: nobody lives in it by the census
        ("00501", "000"),  # one office's own
        ("021", None),
        ("K1A 0B1", None),
        ("", None),
        ("0", None),
    ],
)
def test_zip3(value: str, expected: str | None) -> None:
    assert Zip3Generalize().bind(Keys()).mask_distinct([value], address=[None]) == [expected]


@pytest.mark.parametrize(
    ("country", "expected"), [("US", "021"), ("USA", "021"), ("", "021"), ("DE", None), ("Germany", None)]
)
def test_zip3_of_another_country(country: str, expected: str | None) -> None:
    address = f"1 Main St|Boston|MA|02115|{country}"
    assert Zip3Generalize().bind(Keys()).mask_distinct(["02115"], address=[address]) == [expected]


def test_zip3_takes_another_census() -> None:
    masker = Zip3Generalize(restricted="999", areas=["021"])  # type: ignore[arg-type]
    assert masker.bind(Keys()).mask_distinct(["02139", "03601"], address=[None, None]) == ["999", "036"]
    assert set(zip3.CENSUS_2000.areas) == set(Zip3Generalize().areas)
    assert hash(masker)


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: Address("street"), "part"),
        (lambda: Address("city", keep="county"), "keep"),
        (lambda: Geolocation("altitude"), "part"),
        (lambda: Geolocation("latitude", keep="city"), "keep"),
        (lambda: Zip3Generalize(areas=()), "areas"),
        (lambda: Zip3Generalize(areas=(36,)), "areas"),
        (lambda: Zip3Generalize(areas="036"), "areas"),
        (lambda: Zip3Generalize(restricted=""), "restricted"),
    ],
)
def test_bad_parameters_are_refused(make: object, parameter: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()  # type: ignore[operator]
    assert caught.value.parameter == parameter


def test_bound_maskers_travel_and_hide_their_keys() -> None:
    maskers: list[Masker] = [Address("city"), Geolocation("latitude"), Zip3Generalize()]
    for masker in maskers:
        bound = masker.bind(Keys())
        assert pickle.loads(pickle.dumps(bound)) == bound
        assert "key" not in repr(bound)


def test_long_texts_take_no_long_time() -> None:
    for value in (" " * 100_000 + "x", "a " * 50_000, "a, " * 30_000 + "1", "1 " + "#" * 100_000):
        mask("line", value)
        mask("text", value, None)
        mask("district", value)


def test_no_value_decides_for_another_where_the_address_is_blank() -> None:
    values = ["1 Main St, Boston, MA 02115", "9 Elm St, Dallas, TX 75201", "Survey"]
    for part in ("text", "city", "line", "postal_code"):
        together = Address(part).bind(Keys()).mask_distinct(values, address=["||||"] * len(values))
        assert together == [mask(part, value, "||||") for value in values]
