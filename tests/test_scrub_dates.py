"""Dates in notes: several written as one, births and deaths in every spelling, days that do not exist, and what is none."""

from __future__ import annotations

import pytest

from masking.scrub import Dossier, Scrubber, Term

LATER = Dossier((), 10)
BORN = Dossier((Term("birth_date", "1964-01-09", "1964-03-21"), Term("birth_date", "1958-11-23", "1958-12-02")), 10)


def scrubbed(text: str, dossier: Dossier = LATER, *, day_first: bool = False) -> str:
    return Scrubber(day_first=day_first).scrub([text], [dossier])[0].text


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("1/3/2020-1/5/2020", "1/13/2020-1/15/2020"),
        ("01/03/2020-01/05/2020", "01/13/2020-01/15/2020"),
        ("1/3/20-1/5/20", "1/13/20-1/15/20"),
        ("1/3/2020–1/5/2020", "1/13/2020–1/15/2020"),
        ("1/3/2020/1/5/2020", "1/13/2020/1/15/2020"),
        ("1.3.2020-1.5.2020", "1.13.2020-1.15.2020"),
        ("3-5/1/2020", "13-15/1/2020"),
        ("25-30/1/2020", "4-9/2/2020"),
        ("20-25/1/2020", "30/1-4/2/2020"),
        ("1/3-5/2020", "1/13-15/2020"),
        ("1/20-25/2020", "1/30-2/4/2020"),
        ("1/3-1/5/2020", "1/13-1/15/2020"),
        ("1/3 - 1/5/2020", "1/13 - 1/15/2020"),
        ("12/30-1/2/2020", "1/9-1/12/2020"),
        ("20200103-20200105", "20200113-20200115"),
        ("2020-01-03/2020-01-05", "2020-01-13/2020-01-15"),
        ("2020-01-03 - 2020-01-05", "2020-01-13 - 2020-01-15"),
        ("2020-01-03T10:00:00Z/2020-01-05T10:00:00Z", "2020-01-13T10:00:00Z/2020-01-15T10:00:00Z"),
        ("2020-01-03/04", "2020-01-13/14"),
        ("2020-01-21/22", "2020-01-31/2020-02-01"),
        ("1/2020-3/2020", "1/2020-3/2020"),
        ("1/3, 1/5 and 1/7/2020", "1/13, 1/15 and 1/17/2020"),
        ("1/3 & 1/5/2020", "1/13 & 1/15/2020"),
        ("01/03, 01/05, and 01/07/20", "01/13, 01/15, and 01/17/20"),
        ("January 3-5, 2020", "January 13-15, 2020"),
        ("January 20-25, 2020", "January 30-February 4, 2020"),
        ("December 20-25, 2020", "December 30-January 4, 2021"),
        ("Jan 3 to 5, 2020", "Jan 13 to 15, 2020"),
        ("Jan 3rd to 5th, 2020", "Jan 13th to 15th, 2020"),
        ("Jan 3, 4 and 6, 2020", "Jan 13, 14 and 16, 2020"),
        ("Jan 3 - Jan 5, 2020", "Jan 13 - Jan 15, 2020"),
        ("Jan 3 2020-Jan 5 2020", "Jan 13 2020-Jan 15 2020"),
        ("June 2-4", "June 12-14"),
        ("June 2 and 4", "June 12 and 14"),
        ("3-5 January 2020", "13-15 January 2020"),
        ("20-25 January 2020", "30 January-4 February 2020"),
        ("3rd to 5th January 2020", "13th to 15th January 2020"),
        ("3 to 5 January 2020", "13 to 15 January 2020"),
        ("3 & 5 January 2020", "13 & 15 January 2020"),
        ("1/3-1/5", "1/13-1/15"),
    ],
)
def test_every_end_of_a_range_is_moved_in_its_spelling(source: str, masked: str) -> None:
    assert scrubbed(f"Seen on {source}, well.") == f"Seen on {masked}, well."
    assert scrubbed(f"Seen on {source}, well.", Dossier((), None)).startswith("Seen on [date]")


def test_a_range_before_a_shift_is_as_long_after_it() -> None:
    assert scrubbed("1/3-1/5/2020", Dossier((), -24)) == "12/10-12/12/2019"


def test_days_come_first_where_they_do() -> None:
    assert scrubbed("3/1-5/1/2020, 3/1 and 5/1/2020", day_first=True) == "13/1-15/1/2020, 13/1 and 15/1/2020"


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("1-9-64", "3-21-64"),
        ("1964-1-9", "1964-3-21"),
        ("01091964", "03211964"),
        ("010964", "032164"),
        ("01 / 09 / 1964", "03 / 21 / 1964"),
        ("1 / 9 / 64", "3 / 21 / 64"),
        ("9/Jan/1964", "21/Mar/1964"),
        ("01/09/'64", "03/21/'64"),
        ("01\\09\\1964", "03\\21\\1964"),
        ("1.9.64", "3.21.64"),
        ("9.1.1964", "21.3.1964"),
        ("09.01.1964", "21.03.1964"),
        ("11.23.58", "12.02.58"),
        ("112358", "120258"),
        ("11231958", "12021958"),
        ("|19640109|", "|19640321|"),
        ("1964 Jan 9", "1964 Mar 21"),
        ("1964-Jan-09", "1964-Mar-21"),
        ("Jan 9, 64", "Mar 21, 64"),
        ("January the 9th, 1964", "March the 21st, 1964"),
    ],
)
def test_a_birth_date_needs_no_word_before_it(source: str, masked: str) -> None:
    assert scrubbed(f"Note: {source} male", BORN) == f"Note: {masked} male"


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("2020-Jan-03", "2020-Jan-13"),
        ("2020 Jan 3", "2020 Jan 13"),
        ("Jan 9, 64.", "Jan 19, 64."),
        ("9/Jan/2020", "19/Jan/2020"),
        ("2020-1-3", "2020-1-13"),
        ("1 / 3 / 2020", "1 / 13 / 2020"),
        ("1/3/'20", "1/13/'20"),
        ("Jan '20", "Jan '20"),
        ("DOS:20200103", "DOS:20200113"),
        ("PV1||20200103||", "PV1||20200113||"),
        ("TXA^20200103^B", "TXA^20200113^B"),
        ("1/6/2020@1030", "1/16/2020@1030"),
        ("01-06-2020@1030", "01-16-2020@1030"),
        ("1/6/20@10am", "1/16/20@10am"),
        ("on Feb 29", "on Mar 10"),
    ],
)
def test_a_date_is_moved_as_a_whole(source: str, masked: str) -> None:
    assert scrubbed(f"Note {source}") == f"Note {masked}"


def test_two_digits_of_a_year_before_month_and_day_are_a_date() -> None:
    assert scrubbed("seen 20-01-03.") == "seen 20-01-13."


@pytest.mark.parametrize(
    "source",
    ["02/30/2020", "2/29/2021", "2/30/20", "2020-02-30", "20200230", "February 30, 2020", "30 Feb 2020", "00/00/2020"],
)
def test_a_day_that_does_not_exist_goes(source: str) -> None:
    assert scrubbed(f"Seen on {source}.") == "Seen on [date]."


@pytest.mark.parametrize(
    "text",
    [
        "seen 5/6 times",
        "seen on 3/4 visits",
        "pain 5/10, strength 4/5 and 5/5",
        "Glasgow 15/15/15",
        "strength 4/5 - 5/5 throughout",
        "Percocet 5/325 mg q4-6h",
        "take 2 to 3 tabs, 3-5 times daily",
        "2-3 may be given; 3 to 5 days",
        "ratio 1/2/3, L4-5, C5/6/7",
        "BP 120/80-130/85",
        "NPH 10-12-8 units",
        "grade 1/3 and 2/6",
        "Mar 5 mg",
        "room 12-3-45678",
        "version 4.5.6",
    ],
)
def test_scores_fractions_and_doses_are_no_dates(text: str) -> None:
    assert scrubbed(text, BORN) == text
