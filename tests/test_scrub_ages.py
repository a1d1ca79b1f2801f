"""Ages over 89 in the forms of notes; and small things that look as if: temperatures, labels, streets, hosts, telephones."""

from __future__ import annotations

import pytest

from masking.scrub import Dossier, Scrubber, Term

KNOWN = Dossier(
    (
        Term("identifier", "MRN-0045213", "NPN-6976637"),
        Term("email", "bob.obrien@bigcorp.com", "marc.hale@example.com"),
        Term("family", "St. John", "Winters"),
        Term("phone", "617-555-2368", "508-555-0142"),
    ),
    10,
)


def scrubbed(text: str) -> str:
    return Scrubber().scrub([text], [KNOWN])[0].text


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("92F with cough", "90+F with cough"),
        ("92M", "90+M"),
        ("101F presents with falls", "90+F presents with falls"),
        ("age 92y", "age 90+y"),
        ("92 y, well", "90+ y, well"),
        ("she was 91", "she was 90+"),
        ("He is 95, and well", "He is 90+, and well"),
        ("90-95 years old", "90+ years old"),
        ("85-95 years old", "85-90+ years old"),
        ("91 and 92 years old", "90+ and 90+ years old"),
        ("aged ninety-one", "aged 90+"),
        ("died aged ninety", "died aged 90+"),
        ("Age 90+", "Age 90+"),
        ("Age 93+", "Age 90+"),
        ("her 95th birthday", "her 90+ birthday"),
    ],
)
def test_ages_over_89(source: str, masked: str) -> None:
    assert scrubbed(source) == masked


@pytest.mark.parametrize(
    "text",
    [
        "T 101F, temp of 92F, fever to 101F, Tmax 98F",
        "heart rate was 95; he is 95% on room air; she was 95 on 2L",
        "room 91, weight 91 kg, HR 95-100, 100M cells",
        "pain for 90-95 minutes; 90-95 years ago",
        "89F, 89-year-old; ninety percent of ninety days",
        "e.g. this.computer, the net. or the com. of it",
        "1 Main St and St elevation",
    ],
)
def test_what_is_no_age_nor_name(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("MRN 0045213", "MRN 6976637"),
        ("mrn#0045213", "mrn#6976637"),
        ("MRN-0045213", "NPN-6976637"),
        ("Mr. St. John", "Mr. Winters"),
        ("call 020 7946 0958 now", "call [phone] now"),
        ("see facebook.com/robertobrien.", "see [url]."),
        ("see tessahartwell.com", "see [url]"),
        ("see loinc.org/x and hl7.org", "see loinc.org/x and hl7.org"),
        ("bob.obrien (at) bigcorp.com", "marc.hale@example.com"),
        ("x.y(at)z.org", "[email]"),
        ("617·555·2368", "508·555·0142"),
    ],
)
def test_small_leaks(source: str, masked: str) -> None:
    assert scrubbed(source) == masked
