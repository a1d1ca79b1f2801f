"""date_shift, generalize, retain_age and cap_birth_year."""

import pickle
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import masking.maskers  # noqa: F401
from masking.errors import ParameterError
from masking.fhir.dates import age_on, bounds, date_text, parse
from masking.keys import hmac_parts
from masking.maskers.births import CapBirthYear, RetainAge
from masking.maskers.dates import _OFFSETS, DateShift, Generalize


class Keys:
    def __init__(self, seed: bytes = b"one") -> None:
        self.seed = seed

    def subkey(self, purpose: str) -> bytes:
        return hmac_parts(self.seed, purpose.encode())


SUBJECTS = [f"patient-{number}" for number in range(3000)]
DAYS = st.dates(date(1890, 1, 1), date(2030, 12, 31)).map(date.isoformat)
NO_DATES = [
    "",
    "0",
    "x",
    "1987-02-30",
    "1987-3-2",
    "1987-03-02T10:00",
    " 1987",
    "1987-03-02\n",
    "0000",
    "02/03/1987",
    "١٩٨٧",
]


def shift(value, subject="s", **parameters):
    return DateShift(**parameters).bind(Keys()).mask_distinct([value], subject=[subject])[0]


def retain(value, reference="2024-06-15", subject="s", deceased=None, **parameters):
    bound = RetainAge(reference, **parameters).bind(Keys())
    return bound.mask_distinct([value], subject=[subject], deceased=[deceased])[0]


def cap(value, deceased=None, reference="2024-06-15", limit=89):
    bound = CapBirthYear(reference, limit).bind(Keys())
    return bound.mask_distinct([value], deceased=[deceased])[0]


# date_shift


@pytest.mark.parametrize("days", [1, 2, 180])
def test_offsets_are_all_the_days_but_none(days):
    bound = DateShift(days).bind(Keys())
    counts = Counter(bound.offset(subject, is_patient=True) for subject in SUBJECTS)
    assert set(counts) == {*range(-days, 0), *range(1, days + 1)}
    # Uniform: the mean count is 3000 / (2 * days); six standard deviations are far outside of chance.
    mean = len(SUBJECTS) / (2 * days)
    assert all(abs(count - mean) < 6 * mean**0.5 for count in counts.values())


@pytest.mark.parametrize("days", [7, 13, 180])
def test_weeks_keep_the_weekday(days):
    offsets = {DateShift(days, weeks=True).bind(Keys()).offset(subject, is_patient=True) for subject in SUBJECTS}
    assert offsets == {7 * weeks for weeks in range(-(days // 7), days // 7 + 1) if weeks}


def test_offset_is_the_subjects_and_the_keys():
    one, again, other = DateShift().bind(Keys()), DateShift().bind(Keys()), DateShift().bind(Keys(b"two"))
    assert [one.offset(subject, is_patient=True) for subject in SUBJECTS] == [
        again.offset(subject, is_patient=True) for subject in reversed(SUBJECTS)
    ][::-1]
    assert (
        sum(one.offset(subject, is_patient=True) == other.offset(subject, is_patient=True) for subject in SUBJECTS) < 50
    )


def test_the_cache_is_bounded_and_stays_at_home():
    bound = DateShift().bind(Keys())
    before = [bound.offset(subject, is_patient=True) for subject in SUBJECTS[:10]]
    for number in range(_OFFSETS + 5):
        bound.offset(f"other {number}", is_patient=True)
    assert len(bound._cache) <= _OFFSETS
    assert [bound.offset(subject, is_patient=True) for subject in SUBJECTS[:10]] == before
    sent = pickle.loads(pickle.dumps(bound))
    assert sent == bound and not sent._cache


@settings(deadline=None)
@given(DAYS, DAYS, st.text(max_size=8))
def test_intervals_are_exact(first, second, subject):
    one, two = shift(first, subject), shift(second, subject)
    assert date.fromisoformat(one) - date.fromisoformat(two) == date.fromisoformat(first) - date.fromisoformat(second)
    assert one != first and abs(date.fromisoformat(one) - date.fromisoformat(first)) <= timedelta(180)


def test_time_and_zone_stay_to_the_byte():
    day = shift("2024-02-29")
    for rest in ("T00:00:00Z", "T23:59:60.120-05:00", "T10:00:00+14:00"):
        assert shift("2024-02-29" + rest) == day + rest


def test_partial_dates_keep_their_precision():
    assert parse(shift("1987")).precision == "year"
    assert parse(shift("1987-03")).precision == "month"


@pytest.mark.parametrize("value", NO_DATES)
def test_what_is_no_date_becomes_null(value):
    assert shift(value) is None
    assert retain(value) is None
    assert cap(value) is None
    assert Generalize().bind(Keys()).mask_distinct([value]) == [None]


def test_no_subject_no_date():
    assert shift("1987-03-02", None) is None
    assert shift("1987-03-02", "") is not None


def test_the_calendar_ends():
    results = {bool(shift(value, subject)) for value in ("0001-01-01", "9999-12-31") for subject in SUBJECTS[:20]}
    assert results == {True, False}


@pytest.mark.parametrize(
    "parameters", [{"days": 0}, {"days": -1}, {"days": 3651}, {"days": 1.5}, {"days": True}, {"days": "9"}]
)
def test_date_shift_checks_its_days(parameters):
    with pytest.raises(ParameterError, match="days: "):
        DateShift(**parameters)


def test_date_shift_needs_a_whole_week():
    with pytest.raises(ParameterError, match="holds no whole week"):
        DateShift(6, weeks=True)
    with pytest.raises(ParameterError, match="weeks: "):
        DateShift(weeks="yes")


# retain_age


@settings(deadline=None)
@given(DAYS, DAYS, st.text(max_size=8))
def test_another_day_of_the_same_age(birth, reference, subject):
    masked = retain(birth, reference, subject)
    assert masked != birth
    assert age_on(masked, reference) == age_on(birth, reference)
    assert (masked <= reference) == (birth <= reference)


@pytest.mark.parametrize("reference", ["2024-02-28", "2024-02-29", "2024-03-01", "2023-02-28", "2023-03-01"])
@pytest.mark.parametrize("birth", ["2020-02-28", "2020-02-29", "2020-03-01", "2000-02-29", "1900-03-01", "1904-02-29"])
def test_leap_days(birth, reference):
    results = {retain(birth, reference, subject) for subject in SUBJECTS[:200]}
    assert birth not in results
    assert {age_on(result, reference) for result in results} == {age_on(birth, reference)}


def test_all_days_of_the_age_but_the_true_one_are_used():
    bound = RetainAge("2024-06-15").bind(Keys())
    size = 20_000
    results = set(
        bound.mask_distinct(["1987-03-02"] * size, subject=[str(n) for n in range(size)], deceased=[None] * size)
    )
    window = {(date(1986, 6, 16) + timedelta(days)).isoformat() for days in range(365)}
    assert results == window - {"1987-03-02"}


@settings(deadline=None)
@given(DAYS, st.integers(0, 40_000), DAYS, st.text(max_size=8))
def test_never_after_death(birth, days, reference, subject):
    died = date_text(date.fromisoformat(birth).toordinal() + days)
    masked = retain(birth, reference, subject, died)
    assert masked != birth and masked <= died
    both = age_on(masked, reference) == age_on(birth, reference), age_on(masked, died) == age_on(birth, died)
    assert any(both)
    if not all(both):
        assert not _another_keeps_both(birth, reference, died)


def _another_keeps_both(birth, reference, died):
    day = date.fromisoformat(birth).toordinal()
    ages = age_on(birth, reference), age_on(birth, died)
    near = (date_text(other) for other in (day - 1, day + 1))
    # The days that keep both ages are a row without gaps: if there is another, a neighbour is one.
    return any((age_on(other, reference), age_on(other, died)) == ages for other in near)


def test_the_true_day_is_never_given_out():
    # Born on 16 June, died on a 16 June, seen on a 15 June: no other day keeps both ages.
    masked = retain("1980-06-16", "2024-06-15", deceased="2010-06-16")
    assert masked != "1980-06-16"
    assert age_on(masked, "2024-06-15") == 43
    # Born and dead on the first day of the window: only the age at death is left to keep.
    masked = retain("2023-06-16", "2024-06-15", deceased="2023-06-16")
    assert masked < "2023-06-16" and age_on(masked, "2023-06-16") == 0


@settings(deadline=None)
@given(DAYS, st.integers(0, 40_000), st.sampled_from(SUBJECTS))
def test_the_age_at_the_death_as_shown(birth, days, subject):
    died = date_text(date.fromisoformat(birth).toordinal() + days)
    masked = retain(birth, "2024-06-15", subject, died, shift_days=180)
    shown = shift(died, subject)
    assert masked != birth and masked <= shown
    assert age_on(masked, "2024-06-15") == age_on(birth, "2024-06-15") or age_on(masked, shown) == age_on(birth, died)


def admissible(birth, reference, died, shown):
    """All other days with the ages of a birth, by the plainest means: the one on a day, and the one at death as shown."""
    start, ages = date.fromisoformat(birth).toordinal(), (age_on(birth, reference), died and age_on(birth, died))
    days = (date_text(day) for day in range(start - 400, start + 400))
    return [day for day in days if day != birth and (age_on(day, reference), shown and age_on(day, shown)) == ages]


AGES = st.one_of(st.integers(0, 800), st.integers(0, 40_000))


@settings(deadline=None, max_examples=300)
@given(
    st.dates(date(1990, 1, 1), date(2030, 12, 31)).map(date.isoformat),
    AGES,
    st.none() | AGES,
    st.sampled_from(SUBJECTS),
)
def test_no_event_since_the_birth_comes_before_it(reference, days, life, subject):
    birth = date_text(date.fromisoformat(reference).toordinal() - days)
    died = None if life is None else date_text(date.fromisoformat(birth).toordinal() + life)
    masked, moved = retain(birth, reference, subject, died, shift_days=180), shift(birth, subject)
    same = admissible(birth, reference, died, died and shift(died, subject))
    assert (masked in same) == bool(same)
    if any(day <= moved for day in same):
        assert masked <= moved
    elif any(day <= birth for day in same):
        assert moved < masked < birth


def test_a_newborn_moves_with_its_first_encounter():
    bound = RetainAge("2024-06-15", shift_days=180).bind(Keys())
    moved = missed = 0
    for born in ("2023-06-16", "2023-09-01", "2023-12-15", "2024-02-29", "2024-06-14", "2024-06-15"):
        for subject in SUBJECTS[:300]:
            masked = bound.mask_distinct([born], subject=[subject], deceased=[None])[0]
            first = shift(born, subject)
            assert "2023-06-16" <= masked <= "2024-06-15" and masked != born
            assert masked == first or not "2023-06-16" <= first <= "2024-06-15"
            moved, missed = moved + (masked == first), missed + (masked > first)
    assert moved > 1000 and missed > 0
    # A death in the first two years counts as such, however long ago.
    assert {retain("2001-12-16", subject=s, deceased="2001-12-20", shift_days=180) for s in SUBJECTS[:50]} == {
        shift("2001-12-16", s) for s in SUBJECTS[:50]
    }


def test_how_often_the_order_gives_way_to_the_age():
    # All births of one age under all offsets: the share that docs/masking.md tells.
    births = [date_text(date(2023, 6, 16).toordinal() + day) for day in range(366)]
    late = total = 0
    for number, birth in enumerate(births):
        for subject in SUBJECTS[number::366]:
            masked = retain(birth, subject=subject, shift_days=180)
            late, total = late + (masked > shift(birth, subject)), total + 1
    assert 0.10 < late / total < 0.15


def test_births_of_less_precision_keep_the_order_too():
    for subject in SUBJECTS[:200]:
        first = shift("1987-03-01", subject)
        assert retain("1987", subject=subject, shift_days=180) == "1987"
        if first >= "1986-07-01":  # the first month that starts in the window
            assert retain("1987-03", subject=subject, shift_days=180) <= first[:7]


@given(st.dates(date(1930, 1, 1), date(2023, 12, 31)), st.integers(0, 30_000), st.text(max_size=8))
def test_an_age_at_death_that_gives_way_does_so_by_one_year(born, lived, subject):
    """With an offset of up to half a year; and it gives way only where no day but the true one has both ages."""
    died = min(born + timedelta(lived), date(2024, 6, 14))
    birth, death = max(min(born, died), date(1930, 1, 1)).isoformat(), died.isoformat()
    shown = DateShift().bind(Keys()).mask_distinct([death], subject=[subject])[0]
    masked = retain(birth, "2024-06-15", subject, death, shift_days=180)
    assert masked != birth and abs(age_on(masked, shown) - age_on(birth, death)) <= 1
    if age_on(masked, shown) != age_on(birth, death) or age_on(masked, "2024-06-15") != age_on(birth, "2024-06-15"):
        around = (date.fromisoformat(birth) + timedelta(days) for days in range(-740, 740))
        both = [
            day
            for day in map(date.isoformat, around)
            if age_on(day, shown) == age_on(birth, death) and age_on(day, "2024-06-15") == age_on(birth, "2024-06-15")
        ]
        assert both in ([], [birth])


@pytest.mark.parametrize("deceased", ["2019", "2019-04", "2019-04-03", "2019-04-03T10:00:00Z"])
def test_a_death_of_any_precision(deceased):
    masked = retain("1950-01-20", deceased=deceased)
    last = date_text(bounds(deceased)[1])
    assert age_on(masked, last) == age_on("1950-01-20", last)
    assert age_on(masked, "2024-06-15") == 74


@pytest.mark.parametrize("deceased", [None, "", "true", "2019-02-30"])
def test_a_death_that_is_no_date_does_not_count(deceased):
    assert retain("1950-01-20", deceased=deceased) == retain("1950-01-20")


def test_a_death_before_the_birth_breaks_nothing():
    assert parse(retain("1950-01-20", deceased="1940-01-01"))


def test_newborns_are_born_by_the_reference_date():
    for birth in ("2024-06-15", "2024-06-14", "2023-06-16", "2024-02-29"):
        for subject in SUBJECTS[:100]:
            assert "2023-06-16" <= retain(birth, subject=subject) <= "2024-06-15"


def test_a_birth_after_the_reference_date_stays_after_it():
    assert "2024-06-16" <= retain("2024-09-01") <= "2025-06-15"


def test_a_year_stays_and_a_month_becomes_another_of_its_age():
    assert retain("1987") == "1987"
    assert retain("1987", deceased="1987") == "1987"
    months = {retain("1987-03", subject=subject) for subject in SUBJECTS[:500]}
    assert months == {f"1986-{month:02d}" for month in range(7, 13)} | {
        f"1987-{month:02d}" for month in (1, 2, 4, 5, 6)
    }


def test_a_year_leaves_if_it_would_be_after_the_death_as_shown():
    subject = next(s for s in SUBJECTS if DateShift().bind(Keys()).offset(s, is_patient=True) < -40)
    assert retain("1987", subject=subject, deceased="1987-02-01", shift_days=180) == "1986"


def test_mentions_of_one_birth_agree():
    day = retain("1987-03-02")
    assert retain("1987-03-02T04:05:06.7+02:00") == day + "T04:05:06.7+02:00"


def test_births_are_the_subjects_and_without_one_the_values():
    alone = [retain("1987-03-02", subject=None), retain("1987-03-02T04:05:06Z", subject=None)]
    assert alone[1] == alone[0] + "T04:05:06Z"
    assert len({retain("1987-03-02", subject=subject) for subject in SUBJECTS[:100]}) > 60
    assert retain("1987-03-02", subject="1987-03-02") != alone[0]


def test_the_ends_of_the_calendar():
    for birth in ("0001-01-01", "0001-12-31", "9999-01-01", "9999-12-31"):
        for reference in ("0001-01-01", "2024-06-15", "9999-12-31"):
            masked = retain(birth, reference)
            assert masked is None or (parse(masked) and age_on(masked, reference) == age_on(birth, reference))
    assert retain("9999-12-31") is not None


@pytest.mark.parametrize(
    "wrong", ["2024", "2024-06", "2024-06-31", "", "today", "2024-06-15T00:00:00Z", date(2024, 6, 15)]
)
def test_the_reference_date_is_a_day(wrong):
    for spec in (RetainAge, CapBirthYear):
        with pytest.raises(ParameterError, match="reference_date: "):
            spec(reference_date=wrong)


def test_retain_age_checks_the_shift_of_deaths():
    with pytest.raises(ParameterError, match="shift_days: "):
        RetainAge("2024-06-15", shift_days=0)
    with pytest.raises(ParameterError, match="shift_days: holds no whole week"):
        RetainAge("2024-06-15", shift_days=3, shift_weeks=True)


# cap_birth_year


@pytest.mark.parametrize(
    ("birth", "deceased", "expected"),
    [
        ("1934-06-15", None, "1934"),
        ("1934-06-16", None, "1934-06-16"),
        ("1900-01-01T04:00:00Z", None, "1934"),
        ("1934-06", None, "1934"),
        ("1934-07", None, "1934-07"),
        ("1934", None, "1934"),
        ("1935", None, "1935"),
        ("1920-03-04", "1970-01-01", "1920-03-04"),
        ("1910-03-04", "2001-01-01", "1911"),
        ("1910-03-04", "2000", "1910"),
        ("1910-03-04", "2030-01-01", "1934"),
        ("1910-03-04", "true", "1934"),
        ("2025-01-01", None, "2025-01-01"),
        ("1934-02-29", None, None),
    ],
)
def test_births_over_the_limit_become_the_category(birth, deceased, expected):
    assert cap(birth, deceased) == expected


@pytest.mark.parametrize("limit", [0, -1, 151, 89.5, True, "89"])
def test_cap_birth_year_checks_its_limit(limit):
    with pytest.raises(ParameterError, match="limit: "):
        CapBirthYear("2024-06-15", limit)


# generalize


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("year", ["1987", "1987", "1987", "1987"]),
        ("month", ["1987", "1987-03", "1987-03", "1987-03"]),
        ("decade", ["1980"] * 4),
    ],
)
def test_generalize_cuts_dates(to, expected):
    values = ["1987", "1987-03", "1987-03-02", "1987-03-02T04:05:06Z"]
    assert Generalize(to).bind(Keys()).mask_distinct(values) == expected


def test_there_is_no_year_zero():
    assert Generalize("decade").bind(Keys()).mask_distinct(["0009-01-01", "0010"]) == [None, "0010"]


def test_generalize_hands_numbers_on():
    assert Generalize("bucket", size=10).bind(Keys()).mask_distinct(["37.5"]) == ["30"]


@pytest.mark.parametrize("parameters", [{"to": "week"}, {"to": "bucket"}, {"size": 3}, {"to": "bucket", "size": 0}])
def test_generalize_checks_its_parameters(parameters):
    with pytest.raises(ParameterError):
        Generalize(**parameters)
