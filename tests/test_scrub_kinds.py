"""What the scrubber must find, kind by kind, and how it is written: the names of a record in the forms people use, numbers in
any punctuation, address lines, dates in their spellings, and what is shaped like an identifier.
"""

from __future__ import annotations

import pytest
import scrub_notes

from masking.scrub import Dossier, Scrubber, Term
from masking.scrub.characters import CLASSES, class_of

DOSSIERS = scrub_notes.dossiers()
NOBODY = DOSSIERS["nobody"]


def scrubbed(text: str, dossier: Dossier) -> str:
    return Scrubber().scrub([text], [dossier])[0].text


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("Robert O'Brien-Smith", "Marcus Winters-Hale"),
        ("ROBERT O'BRIEN-SMITH", "MARCUS WINTERS-HALE"),
        ("robert o'brien-smith", "marcus winters-hale"),
        ("O'Brien-Smith, Robert", "Winters-Hale, Marcus"),
        ("O'Brien-Smith, Robert J.", "Winters-Hale, Marcus L."),
        ("Robert J. O'Brien-Smith", "Marcus L. Winters-Hale"),
        ("R. O'Brien-Smith", "M. Winters-Hale"),
        ("R O'Brien-Smith", "M Winters-Hale"),
        ("Mr. Robert Smith", "Mr. Marcus Hale"),
        ("Robert James O'Brien", "Marcus Leon Winters"),
        ("Robert O’Brien-Smith’s", "Marcus Winters-Hale’s"),
        ("Robert OBrien-Smith", "Marcus Winters-Hale"),
        ("Bob Smith", "Marc Hale"),
        ("Dr. Cabanas", "Dr. Novak"),
        ("CABAÑAS", "NOVAK"),
        ("Victoriano Cabañas", "Emil Novak"),
    ],
)
def test_names_of_the_record_in_the_forms_people_use(source: str, masked: str) -> None:
    assert scrubbed(f"Seen: {source} today.", DOSSIERS["robert"]) == f"Seen: {masked} today."


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("617-985-7862", "508-555-0142"),
        ("(617) 985-7862", "(508) 555-0142"),
        ("617.985.7862", "508.555.0142"),
        ("617 985 7862", "508 555 0142"),
        ("6179857862", "5085550142"),
        ("+1 617 985 7862", "+1 508 555 0142"),
        ("+1-617-985-7862", "+1-508-555-0142"),
        ("985-7862", "555-0142"),
        ("413-655-5492 x1616", "413-555-0107 x2938"),
        ("350-70-9382", "912-44-1183"),
        ("350709382", "912441183"),
        ("350 70 9382", "912 44 1183"),
        ("51984734", "20417756"),
        ("5198-4734", "2041-7756"),
        ("XW 354 246 398", "QD 771 930 254"),
        ("xw354246398", "QD771930254"),
        ("AB12345", "XK90817"),
        ("01650-1747", "02139-2211"),
        ("01650", "02139"),
    ],
)
def test_numbers_of_the_record_in_any_punctuation(source: str, masked: str) -> None:
    assert scrubbed(f"It is {source}, he says.", DOSSIERS["robert"]) == f"It is {masked}, he says."


@pytest.mark.parametrize(
    "line",
    [
        "2292 North Larry Lake Avenue",
        "2292 N Larry Lake Ave",
        "2292 N. Larry Lake Ave.",
        "2292 north larry lake avenue",
        "2292 North Larry Lk Ave",
    ],
)
def test_address_lines(line: str) -> None:
    text = scrubbed(f"Lives at {line}, Apt 681, West Tinaside, MA 01650.", DOSSIERS["robert"])
    assert text.casefold().replace(".", "") == "lives at 41 elm street, apt 204, millbrook, ma 02139"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Asthma, seen by Dr. Long", "Asthma, seen by Dr. Petersen"),
        ("Long QT, Rx Dr Long", "Long QT, Rx Dr Petersen"),
        ("Rash", "Rash"),
        ("Rash, per Mrs. Rash", "Rash, per Mrs. Dunham"),
        ("Pain scale", "Pain scale"),
        ("May repeat x1", "May repeat x1"),
        ("Rose bengal stain (Rose Long)", "Rose bengal stain (Ella Petersen)"),
    ],
)
def test_short_texts_of_local_codes(text: str, masked: str) -> None:
    assert scrubbed(text, DOSSIERS["may"]) == masked


def test_a_clinician_whom_nobody_knows_is_found_by_the_title() -> None:
    assert scrubbed("Asthma, seen by Dr. Long", NOBODY) == "Asthma, seen by Dr. [name]"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("SSN 123-45-6789", "SSN [ssn]"),
        ("his number 123 45 6789", "his number [ssn]"),
        ("social security number: 123456789", "social security number: [ssn]"),
        ("SSN ending in 6789", "SSN ending in [ssn]"),
        ("call 212-736-5000", "call [phone]"),
        ("at 2024030412", "at [phone]"),
        ("MRN 20240304", "MRN [mrn]"),
        ("20240304-1234-11d3-9a0c-0305e82c3301", "[uuid]"),
        ("fax: (212) 736-5001", "fax: [phone]"),
        ("tel +44 20 7946 0958", "tel [phone]"),
        ("pager 736-5000", "pager [phone]"),
        ("212.736.5000 ext. 12", "[phone]"),
        ("jo.doe+x@mail.example.com.", "[email]."),
        ("see https://example.com/u/joe?id=1.", "see [url]."),
        ("see www.example.com/joe", "see [url]"),
        ("from 192.168.17.4", "from [ip]"),
        ("from 2001:db8:85a3::8a2e:370:7334", "from [ip]"),
        ("MRN 123456", "MRN [mrn]"),
        ("MRN:A-778812", "MRN:[mrn]"),
        ("medical record number is 99812", "medical record number is [identifier]"),
        ("Acct# 998-77120", "Acct# [account]"),
        ("Member ID ZGP123456789", "Member ID [health_plan]"),
        ("Springfield, IL 62704", "Springfield, IL [zip]"),
        ("zip code 10001", "zip code [zip]"),
        ("62704-1234", "[zip]"),
        ("a 93-year-old woman", "a 90+-year-old woman"),
        ("aged 102", "aged 90+"),
        ("ninety-four years old", "90+ years old"),
        ("an 89-year-old man", "an 89-year-old man"),
        ("VIN 1HGCM82633A004352", "VIN [vin]"),
        ("car 1HGCM82633A004352", "car [vin]"),
        ("plate: ABC-1234", "plate: [plate]"),
        ("license plate: ABC-1234", "license plate: [license]"),
        ("serial number PJN-552190H", "serial number [device]"),
        ("S/N 88121-AA", "S/N [device]"),
        ("MAC 00:1A:2B:3C:4D:5E", "MAC [mac]"),
        ("driver's license D1234567", "driver's license [license]"),
        ("NPI 1234567893", "NPI [npi]"),
        ("DEA# AB1234563", "DEA# [dea]"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "[uuid]"),
    ],
)
def test_what_is_shaped_like_an_identifier(text: str, masked: str) -> None:
    assert scrubbed(text, NOBODY) == masked


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("2024/03/04", "2024/03/14"),
        ("4.3.2024", "4.13.2024"),
        ("03-04-2024", "03-14-2024"),
        ("3/4/24", "3/14/24"),
        ("Mar 4, 2024", "Mar 14, 2024"),
        ("MAR 4, 2024", "MAR 14, 2024"),
        ("March 4", "March 14"),
        ("4 March 2024", "14 March 2024"),
        ("the 4th of March, 2024", "the 14th of March, 2024"),
        ("04MAR2024", "14MAR2024"),
        ("04MAR24", "14MAR24"),
        ("4-Mar-24", "14-Mar-24"),
        ("4 Mar 24", "14 Mar 24"),
        ("Monday, March 4th, 2024", "Thursday, March 14th, 2024"),
        ("Mon 3/4/2024", "Thu 3/14/2024"),
        ("2024-03-04T10:00:00Z", "2024-03-14T10:00:00Z"),
        ("20240304T101500", "20240314T101500"),
        ("20240304101500", "20240314101500"),
        ("20240304", "20240314"),
        ("Sept. 4, 2024", "Sep. 14, 2024"),
        ("Feb 28, 2024", "Mar 9, 2024"),
    ],
)
def test_dates_are_answered_in_their_spelling(source: str, masked: str) -> None:
    assert scrubbed(f"Seen on {source}.", Dossier((), 10)) == f"Seen on {masked}."


def test_a_birth_date_has_its_own_fake_in_every_spelling() -> None:
    dossier = Dossier((Term("birth_date", "1964-01-09", "1964-03-21"),), 10)
    text = "DOB 19640109, 01/09/1964, 1/9/64, 1964-01-09, January 9, 1964, 9 Jan 1964; seen 01/10/1964"
    masked = "DOB 19640321, 03/21/1964, 3/21/64, 1964-03-21, March 21, 1964, 21 Mar 1964; seen 01/20/1964"
    assert scrubbed(text, dossier) == masked


def test_the_mark_that_repeats_an_ideograph_is_one() -> None:
    """`佐々木` is a family name of three characters, not two names with a separator between."""
    assert [int(class_of(ord(letter), CLASSES)) for letter in "佐々木〆ー、"] == [3, 3, 3, 3, 3, 0]


@pytest.mark.parametrize("text", ["Note of Ken 佐々木", "佐々木, Ken", "Patient: Ken 佐々木    MRN"])
def test_a_family_name_with_that_mark_goes(text: str) -> None:
    dossier = Dossier((Term("family", "佐々木", "Winters"), Term("given", "Ken", "Marcus")), 10)
    assert "佐々木" not in scrubbed(text, dossier)


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("Works as barrow boy for Gonzalez Ltd.", "Works as barrow boy for [employer]."),
        ("Works as Barrow's driver for Gonzalez Ltd.", "Works as Tiller's driver for [employer]."),
        ("Works as cook for Barrow and Sons.", "Works as cook for [employer]."),
        ("Employed by Gonzalez Ltd, says Barrow.", "Employed by [employer], says Tiller."),
    ],
)
def test_an_employer_behind_a_name(source: str, masked: str) -> None:
    dossier = Dossier((Term("family", "Barrow", "Tiller"),), None)
    found = scrubbed(source, dossier)
    assert found.replace("tiller boy", "barrow boy") == masked
