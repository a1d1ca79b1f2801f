"""The pools: what is in them, that they load fast, and that drawing from them is keyed and unambiguous."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.pools import POOLS_VERSION, choice, load, names, states, titles, zip3
from masking.pools.places import choose, fold_place, is_country, is_us, read_address, zip5

KEY = bytes(range(32))
DATA = Path(load.__file__).parent / "data"


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_every_data_file_is_the_recorded_one() -> None:
    sources = json.loads((DATA / "SOURCES.json").read_text())
    assert sources["version"] == POOLS_VERSION
    assert set(sources["files"]) == {path.name for path in DATA.iterdir()} - {"SOURCES.json"}
    for name, record in sources["files"].items():
        assert hashlib.sha256(content(DATA / name)).hexdigest() == record["sha256"], name


def test_building_again_gives_the_same_content(tmp_path: Path) -> None:
    pytest.importorskip("faker")
    pytest.importorskip("zipcodes")
    made_from = json.loads((DATA / "SOURCES.json").read_text())["made_from"]
    if any(version(package) != source["version"] for package, source in made_from.items()):
        pytest.skip("another version of a source package is installed")
    from masking.pools.build import build  # noqa: PLC0415

    build(tmp_path)
    for path in tmp_path.iterdir():
        assert content(path) == content(DATA / path.name), path.name


def test_loading_neither_imports_the_build_tools_nor_takes_long() -> None:
    code = (
        "import sys, time; from masking.pools import load; t = time.process_time();"
        "load.places(); load.family_names(); load.given_names('male'); load.given_names('female');"
        "load.given_names(None); load.area_codes(); load.countries(); t = time.process_time() - t;"
        "assert not {'faker', 'zipcodes', 'pandas', 'pyspark'} & set(sys.modules); print(t)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(result.stdout) < 0.15  # processor time: other processes of the machine do not count


def test_name_pools_are_large_disjoint_and_plain() -> None:
    male, female, both = load.given_names("male"), load.given_names("female"), load.given_names("unknown")
    assert len(male) > 3000
    assert len(female) > 3000
    assert len(both) > 300
    assert len(load.family_names()) > 5000
    assert len({*male, *female, *both}) == len(male) + len(female) + len(both)
    everything = {*male, *female, *both, *load.family_names()}
    assert all(name.isascii() and name.isalpha() and name[0].isupper() for name in everything)
    folded = {name.casefold() for name in everything}
    assert folded.isdisjoint({*titles.PREFIXES, *titles.SUFFIXES, *titles.PARTICLES})
    assert "Mary" in female
    assert "James" in male


def test_places_are_whole_rows_of_the_united_states() -> None:
    pool = load.places()
    assert len(pool.lines) > 35_000
    assert len(pool.country) > 29_000
    assert set(pool.by_state) >= set(states.STATES)
    for row in (*pool.country[::97], *(rows[0] for rows in pool.by_state.values())):
        place = pool[row]
        assert len(place.zip) == 5
        assert place.zip.isdigit()
        assert row in pool.by_state[place.state]
        assert any(row in rows for rows in pool.by_zip3[place.zip[:3]])
        assert place.kind == "S"
        assert 13 < float(place.latitude) < 72
        assert all(len(code) == 3 for code in place.area_codes.split())
        assert "/" in place.time_zone
    kinds = Counter(line[-1] for line in pool.lines)
    assert kinds["P"] > 5000
    assert all(pool[row].state in states.STATES for row in pool.country[::301])
    assert ("Cambridge", "MA", "02139") in load.combinations()
    assert load.state_by_zip()["02139"] == "MA"


def test_small_pools() -> None:
    assert zip3.CENSUS_2000.census == 2000
    assert len(set(zip3.CENSUS_2000.areas)) == 17
    assert len(load.area_codes()) > 300
    assert not {"555", "800", "888", "900"} & set(load.area_codes())
    assert ("Street", "St") in load.street_suffixes()
    assert len(load.streets()) > 300
    assert {"first", "second", "spirit"} == set(load.facility_parts())
    assert "Medical Center" in next(kind.forms for kind in load.facility_kinds() if kind.name == "hospital")


@pytest.mark.parametrize(("text", "code"), [("ma", "MA"), ("Massachusetts", "MA"), ("new  york", "NY"), ("Vic", None)])
def test_state_code(text: str, code: str | None) -> None:
    assert states.state_code(text) == code


def test_framing_keeps_parts_apart() -> None:
    drawn = {
        choice.words(KEY, *parts)
        for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("", "abc"), ("1:a", "b"), ("1:a1:b",))
    }
    assert len(drawn) == 6
    assert choice.words(KEY, "a") != choice.words(bytes(32), "a")


def test_known_answer_of_the_draw() -> None:
    expected = hashlib.blake2b(b"5:given2:p1", key=KEY, digest_size=32).digest()
    assert choice.keyed_bytes(KEY, "given", "p1") == expected
    assert choice.words(KEY, "given", "p1")[0] == int.from_bytes(expected[:8], "big")


@given(st.text())
def test_any_text_can_be_drawn_with(text: str) -> None:
    assert choice.words(KEY, text, "\ud800") == choice.words(KEY, text, "\ud800")


def test_pick_skips_what_it_must_avoid() -> None:
    assert choice.pick(("Ann", "Bea"), (0, 2, 3, 5), "ann") == "Bea"
    assert choice.pick(("Ann", "Bea"), (0, 2, 4, 6), "ann") == "Bea"


@given(st.text("0123456789abcXYZ -#", min_size=1))
def test_shapes_are_kept_and_changed(text: str) -> None:
    fake = choice.other_shape(text, KEY, "x")
    kinds = [(c.isdigit(), c.isupper(), c.islower()) for c in fake]
    assert kinds == [(c.isdigit(), c.isupper(), c.islower()) for c in text]
    assert fake != text or not any(c.isalnum() for c in text)


def test_draws_are_spread_evenly() -> None:
    pool = load.given_names("female")[:50]
    counts = Counter(choice.pick(pool, choice.words(KEY, str(i))) for i in range(20_000))
    expected = 20_000 / 50
    assert sum((counts[name] - expected) ** 2 / expected for name in pool) < 100  # chi-squared, 49 degrees


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("123 MAIN ST.|CAMBRIDGE|Massachusetts|02139-1234|USA", True),
        ("123 main st|cambridge|ma|021391234|", True),
        ("123 Main St|Cambridge|MA|02139|United States", True),
        ("124 Main St|Cambridge|MA|02139|US", False),
        ("123 Main St||MA|02139|US", False),
    ],
)
def test_spelling_does_not_make_another_household(address: str, same: bool) -> None:
    source = read_address("123 Main St|Cambridge|MA|02139|US", "")
    assert (read_address(address, "").household == source.household) is same


def test_addresses_are_read_whatever_they_hold() -> None:
    assert read_address("a|b|Boston|MA|02139|US", "").line == "a|b"
    assert read_address(None, "Boston") == read_address("||||US", "BOSTON")
    assert read_address("no bars", "x").line == "no bars"
    assert read_address("|||02139|", "x").state == "MA"
    assert read_address("|Paris|||FR", "x").foreign
    assert not read_address("|Paris|||", "x").foreign
    assert zip5("02139-1234") == zip5("021391234") == zip5(" 02139") == "02139"
    assert zip5("2139") is None
    assert is_us("U.S.A.")
    assert is_country("France")
    assert is_country("de")
    assert not is_country("12 Main St")
    assert fold_place("St. Louis") == fold_place("SAINT LOUIS")


@given(st.sampled_from(load.places().lines), st.sampled_from(["country", "state", "zip3"]), st.text(max_size=9))
def test_the_row_differs_and_stays_in_its_area(line: str, keep: str, street: str) -> None:
    home = load.Place(*line.split("\t"))
    source = read_address(f"{street}|{home.city}|{home.state}|{home.zip}|US", "")
    row = choose(KEY, source, keep)  # type: ignore[arg-type]
    pool = load.places()
    assert row.zip != home.zip
    assert (row.city, row.state, row.zip) in load.combinations()
    if keep == "state" and home.state in pool.by_state:
        assert row.state == home.state
        cities = {fold_place(pool[i].city) for i in pool.by_state[home.state]}
        assert fold_place(row.city) != fold_place(home.city) or len(cities) == 1
    if keep == "zip3" and home.zip[:3] in pool.by_zip3:
        mates = [pool[i] for rows in pool.by_zip3[home.zip[:3]] for i in rows if pool[i].state == home.state]
        if any(mate.zip != home.zip for mate in mates):
            assert row.zip[:3] == home.zip[:3]


def test_names_of_no_letters_have_no_fake() -> None:
    mask = names.family_masker(KEY, "p1")
    assert [mask(word) for word in ("", "0", "12", ".", "-")] == [None] * 5
