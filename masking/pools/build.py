"""Build the pools: names from Faker, places from the `zipcodes` package. Development time only.

`python -m masking.pools.build [DIRECTORY]` writes the derived files and `SOURCES.json`, which names what each file came
from and its SHA-256. Hand-written word lists (streets, facilities) lie beside them and are only counted in. The bytes
are a function of the two packages' versions; nothing here runs in a masking job.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import re
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from masking.pools import POOLS_VERSION
from masking.pools.states import NAMES, STATES
from masking.pools.titles import PARTICLES, PREFIXES, SUFFIXES

DATA = Path(__file__).parent / "data"
WRITTEN_BY_HAND = ("streets.txt", "street_suffixes.csv", "facilities.csv", "facility_kinds.csv")

#: Locales whose names are common in the United States; only plain ASCII spellings are taken.
LOCALES = ("en_US", "en", "en_GB", "en_IE", "en_NZ", "es_MX", "es_ES", "it_IT", "de_DE", "fr_FR")
#: A fake must survive every place a name is put: user names, e-mail addresses, narrative XHTML. So: letters only.
_NAME = re.compile(r"[A-Z][a-z]{2,13}(?:[A-Z][a-z]{2,11})?\Z")
#: Entries of public name statistics that are no names, or that read as titles.
_NOT_NAMES = (
    "baby boy girl male female infant unknown unnamed noname notnamed test doctor judge major general prince princess "
    "king queen sir lord lady captain sister brother mother father pope bishop messiah adolf isis"
)


def _names(attribute: str) -> set[str]:
    """All usable names of one Faker attribute over the locales."""
    found: set[str] = set()
    for locale in LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        found.update(name for name in getattr(provider, attribute) if _NAME.match(name))
    taken = {*_NOT_NAMES.split(), *PARTICLES, *SUFFIXES, *PREFIXES}
    return {name for name in found if name.casefold() not in taken}


def name_files() -> dict[str, bytes]:
    """First names in three disjoint pools (male, female, both) and family names, sorted, one a line."""
    male, female = _names("first_names_male"), _names("first_names_female")
    return {
        "given_male.txt": _lines(male - female),
        "given_female.txt": _lines(female - male),
        "given_unisex.txt": _lines(male & female),
        "family.txt": _lines(_names("last_names")),
    }


def country_file() -> dict[str, bytes]:
    """Spellings of countries: ISO 3166 codes of two and three letters and English names, case-folded."""
    address = importlib.import_module("faker.providers.address.en_US").Provider
    spellings = (*address.alpha_2_country_codes, *address.alpha_3_country_codes, *address.countries)
    return {"countries.txt": _lines({spelling.casefold() for spelling in spellings})}


def place_file() -> dict[str, bytes]:
    """Active ZIPs with coordinates: standard ones before PO boxes, states before territories, by state and ZIP.

    Tab-separated: ZIP, city, state, county, time zone, latitude, longitude, area codes (blank-separated), S or P. The
    order is what lets the loader name a state, or a ZIP3 in it, by two row numbers.
    """
    zipcodes = importlib.import_module("zipcodes")
    kinds = {"STANDARD": "S", "PO BOX": "P"}
    rows: list[tuple[bool, bool, str, str, str]] = []
    area_codes: set[str] = set()
    for row in zipcodes.list_all():
        kind, state = kinds.get(row["zip_code_type"]), row["state"]
        latitude, longitude = _coordinate(row["lat"], 90), _coordinate(row["long"], 180)
        if not (kind and row["active"] and row["country"] == "US" and state in NAMES and latitude and longitude):
            continue
        if not (row["county"] and "/" in row["timezone"] and row["area_codes"] and row["city"]):
            continue
        codes = sorted(row["area_codes"])
        area_codes.update(codes if kind == "S" else ())
        where = (row["zip_code"], row["city"], state, row["county"], row["timezone"], latitude, longitude)
        line = "\t".join((*where, " ".join(codes), kind))
        rows.append((kind == "P", state not in STATES, state, row["zip_code"], line))
    text = "".join(f"{row[-1]}\n" for row in sorted(rows))
    return {
        "places.tsv.gz": gzip.compress(text.encode(), compresslevel=9, mtime=0),
        "area_codes.txt": _lines(area_codes),
    }


def _coordinate(text: str, limit: int) -> str | None:
    """Four decimals (11 m), or None where it is missing, zero or off the globe."""
    try:
        number = float(text)
    except ValueError:
        return None
    return f"{number:.4f}" if 0 < abs(number) <= limit else None


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in sorted(words)).encode()


def _content(name: str, data: bytes) -> bytes:
    """The bytes to hash: compressors differ between builds of zlib, their content does not."""
    return gzip.decompress(data) if name.endswith(".gz") else data


def build(directory: Path) -> None:
    """Write all pools and their `SOURCES.json` into a directory."""
    files = {**name_files(), **country_file(), **place_file()}
    for name, data in files.items():
        (directory / name).write_bytes(data)
    for name in WRITTEN_BY_HAND:
        files[name] = (DATA / name).read_bytes()
    sources = {
        "version": POOLS_VERSION,
        "made_from": {
            "Faker": {"version": version("faker"), "licence": "MIT", "for": "names, countries"},
            "zipcodes": {"version": version("zipcodes"), "licence": "MIT", "for": "places"},
        },
        "files": {
            name: {
                "lines": _content(name, data).count(b"\n"),
                "sha256": hashlib.sha256(_content(name, data)).hexdigest(),
            }
            for name, data in sorted(files.items())
        },
    }
    (directory / "SOURCES.json").write_text(json.dumps(sources, indent=1) + "\n")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
