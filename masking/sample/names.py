"""The words a run draws from: names, streets, towns and firms, built once by a Faker of its own.

Faker is needed here alone, and per run, not per value: it is a thousand times slower than a draw from a tuple.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from masking.errors import UsageError

if TYPE_CHECKING:
    from faker import Faker

#: Names that are words too: a masker that searches notes for "May" or "Pain" must not eat the sentence.
COMMON_GIVEN = {
    "female": ("Rose", "May", "Grace", "Hope", "Joy", "Dawn", "April", "Summer", "Faith", "Iris"),
    "male": ("Will", "Mark", "Rich", "Chase", "Bill", "Art", "Grant", "Frank", "Drew", "Pat"),
}
COMMON_FAMILY = ("Long", "Young", "Day", "Law", "Wall", "Pain", "Good", "Rash", "White", "Small", "Church", "Ward")


@dataclass(frozen=True, slots=True)
class People:
    """Names of one language."""

    male: tuple[str, ...]
    female: tuple[str, ...]
    family: tuple[str, ...]

    def given(self, sex: str) -> tuple[str, ...]:
        """First names by administrative gender; both for `other` and `unknown`."""
        return {"male": self.male, "female": self.female}.get(sex, self.female + self.male)


@dataclass(frozen=True, slots=True)
class State:
    """Facts of a US state: postal code, offset from UTC, a point inside it, and some of its area codes."""

    code: str
    zone: str
    latitude: float
    longitude: float
    area_codes: tuple[str, ...]


STATES = (
    State("MA", "-05:00", 42.36, -71.06, ("617", "508", "413", "978")),
    State("NY", "-05:00", 42.65, -73.75, ("518", "315", "716", "585")),
    State("PA", "-05:00", 40.27, -76.88, ("717", "412", "215", "814")),
    State("OH", "-05:00", 39.96, -82.99, ("614", "216", "419", "513")),
    State("IL", "-06:00", 39.78, -89.65, ("217", "312", "618", "815")),
    State("TX", "-06:00", 30.27, -97.74, ("512", "214", "713", "915")),
    State("CO", "-07:00", 39.74, -104.98, ("303", "719", "970")),
    State("AZ", "-07:00", 33.45, -112.07, ("602", "520", "928")),
    State("CA", "-08:00", 38.58, -121.49, ("916", "415", "619", "213")),
    State("WA", "-08:00", 47.04, -122.89, ("360", "206", "509")),
    State("VT", "-05:00", 44.26, -72.58, ("802",)),
)


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a run draws names and places from; `zips` is by state, in the order of `STATES`."""

    english: People
    accented: People
    cjk: People
    greek: People
    streets: tuple[str, ...]
    towns: tuple[str, ...]
    firms: tuple[str, ...]
    jobs: tuple[str, ...]
    zips: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the country with the words for it: its state and a few of the state's ZIP codes."""

    words: Words
    state: State
    zips: tuple[str, ...]


def require_faker() -> None:
    """Say what to install where Faker is missing (`UsageError`)."""
    if find_spec("faker") is None:
        raise UsageError("the sample export needs Faker: pip install 'fhir-masking[sample]'")


@lru_cache(maxsize=2)
def words(seed: int) -> Words:
    """Build the words of a seed (about a second; cached).

    Raises:
        UsageError: Faker is not installed.
    """
    require_faker()
    from faker import Faker  # noqa: PLC0415 (optional: only the sample needs it)

    def speaker(locale: str) -> Faker:
        faker = Faker(locale)
        faker.seed_instance(f"fhir-masking sample {seed} {locale}")
        return faker

    english = speaker("en_US")
    return Words(
        english=_people(english, 500, 900),
        accented=_people(speaker("es_ES"), 80, 150),
        cjk=_people(speaker("ja_JP"), 40, 60),
        greek=_people(speaker("el_GR"), 60, 100),
        streets=_distinct(english.street_name, 800),
        towns=_distinct(english.city, 600),
        firms=_distinct(english.company, 300),
        jobs=_distinct(english.job, 150),
        zips=tuple(_distinct(partial(english.zipcode_in_state, state.code), 120) for state in STATES),
    )


def _people(faker: Faker, given: int, family: int) -> People:
    return People(
        _distinct(faker.first_name_male, given),
        _distinct(faker.first_name_female, given),
        _distinct(faker.last_name, family),
    )


def _distinct(make: Callable[[], str], count: int) -> tuple[str, ...]:
    """At most `count` different values in the order they came; fewer where the language has no more."""
    found: dict[str, None] = {}
    for _ in range(count * 3):
        found[make()] = None
        if len(found) == count:
            break
    return tuple(found)
