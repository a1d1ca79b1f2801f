"""Names as people write them, in displays and texts: initials, short forms, German spellings. All show the record's fake."""

from __future__ import annotations

import pytest
from documents import Resource, masked

PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "name": [{"family": "Novak", "given": ["Maria"]}]}


def observed(performer: Resource, text: str) -> Resource:
    return {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/p"}, "performer": [performer], "note": [{"text": text}],
    }  # fmt: skip


def known(given: list[str], family: str, display: str, text: str) -> tuple[list[str], str, str, str]:
    """The fake names of a doctor's record, and what becomes of a display and a text about it."""
    doctor = {"resourceType": "Practitioner", "id": "d", "gender": "male", "name": [{"family": family, "given": given}]}
    _, record, other = masked(PATIENT, doctor, observed({"reference": "Practitioner/d", "display": display}, text))
    name = record["name"][0]
    return name["given"], name["family"], other["performer"][0]["display"], other["note"][0]["text"]


def stranger(display: str, text: str, reference: str | None = None) -> str:
    """What becomes of a text about somebody whom only a display names."""
    who = {"display": display, **({"reference": reference} if reference else {})}
    return str(masked(PATIENT, observed(who, text))[1]["note"][0]["text"])


@pytest.mark.parametrize(
    ("given", "display", "shape"),
    [
        (["William"], "W. Smith", "{0}. {F}"),
        (["William"], "Smith, W.", "{F}, {0}."),
        (["William"], "Dr. W Smith", "Dr. {0} {F}"),
        (["William", "James"], "William J. Smith", "{G} {1}. {F}"),
        (["William", "James"], "Smith, W. J.", "{F}, {0}. {1}."),
        (["William", "James"], "Smith, W.J.", "{F}, {0}.{1}."),
        (["William", "James"], "W.J. Smith", "{0}.{1}. {F}"),
        (["William", "James"], "W. J. Smith", "{0}. {1}. {F}"),
        (["Jean-Robert"], "J. Smith", "{0}. {F}"),
        (["Otto", "J."], "Otto J. Smith", "{G} {1}. {F}"),
    ],
)
def test_initials_are_those_of_the_records_fake(given: list[str], display: str, shape: str) -> None:
    fakes, family, shown, note = known(given, "Smith", display, f"{display} came.")
    expected = shape.format(*(fake[0] for fake in fakes), F=family, G=fakes[0])
    assert shown == expected
    assert note == f"{expected} came."


def test_an_initial_that_no_record_tells_of_is_another_one() -> None:
    *_, shown, _ = known(["William"], "Smith", "William Z. Smith", "x")
    assert " Z. " not in shown


def test_a_letter_behind_a_name_may_be_none_of_its() -> None:
    given, family, _, note = known(
        ["Clark"], "Smith", "x", "Smith, C. difficile found; Smith, I said, Smith, C4 fracture."
    )
    assert note == f"{family}, C. difficile found; {family}, I said, {family}, C4 fracture."
    assert given != ["Clark"]


@pytest.mark.parametrize(
    ("family", "spelling"),
    [
        ("Müller", "Müller"), ("Müller", "Mueller"), ("Müller", "MUELLER"), ("Müller", "Muller"), ("Mu\u0308ller", "Mueller"),
        ("Straße", "Strasse"), ("Straße", "STRASSE"), ("Sørensen", "Soerensen"), ("O'Neil", "O Neil"), ("O’Neil", "O NEIL"),
        ("O'Neil", "ONeil"),
    ],
)  # fmt: skip
def test_other_spellings_of_a_name_are_found(family: str, spelling: str) -> None:
    _, fake, _, note = known(["Gregory"], family, "x", f"Then {spelling} came.")
    assert note == f"Then {fake.upper() if spelling.isupper() else fake} came."


@pytest.mark.parametrize(
    ("given", "family", "display"),
    [
        ("Jürgen", "Müller", "Juergen Mueller"), ("Jürgen", "Müller", "Jurgen Muller"), ("José", "Núñez", "Jose Nunez"),
        ("Anna", "Müller-Groß", "Anna Mueller-Gross"), ("Sean", "O'Neil", "Sean ONeil"),
    ],
)  # fmt: skip
def test_a_display_in_another_spelling_shows_the_records_fake(given: str, family: str, display: str) -> None:
    givens, fake, shown, note = known([given], family, display, f"{display} came.")
    assert shown == f"{givens[0]} {fake}"
    assert note == f"{shown} came."


def test_two_names_that_differ_in_an_accent_alone_stay_two() -> None:
    givens, family, shown, _ = known(["José", "Jose"], "Smith", "José Jose Smith", "x")
    assert shown == f"{givens[0]} {givens[1]} {family}" and givens[0] != givens[1]


@pytest.mark.parametrize("spelling", ["Müllers", "Muellers"])
def test_a_german_genitive(spelling: str) -> None:
    _, fake, _, note = known(["Gregory"], "Müller", "x", f"Laut {spelling} Befund.")
    assert note in (f"Laut {fake}s Befund.", f"Laut {fake} Befund.")


def test_words_that_only_look_like_spellings_stay() -> None:
    text = "Vitamin D or calcium. Blood type O. Neither fullers nor the smiths came; O negative."
    assert known(["Gregory"], "D'Or", "x", text)[3] == text
    assert known(["Gregory"], "Füller", "x", text)[3] == text
    assert known(["Gregory"], "O'Neil", "x", text)[3] == text


@pytest.mark.parametrize(
    ("given", "text", "gone"),
    [
        (["William"], 'William "Bill" Smith is well.', "Bill"), (["William"], "Smith, William (Bill) is well.", "Bill"),
        (["Billy"], "Bill Smith is well.", "Bill"), (["Robert"], "Then bob smith left.", "bob"),
        (["Robert"], "ROB SMITH is well. Then ROB left.", "ROB"), (["Jean-Robert"], "Jean-Bob Smith is well.", "Bob"),
        (["Mary-Ann"], "Molly Smith is well.", "Molly"), (["William", "Robert"], "Bill Bob Smith is well.", "Bill"),
        (["Robert123"], "Bob Smith is well.", "Bob"), (["Elizabeth"], "Liz (Betty) Smith is well.", "Betty"),
    ],
)  # fmt: skip
def test_nicknames_beside_the_name_are_found(given: list[str], text: str, gone: str) -> None:
    _, family, shown, note = known(given, "Smith", text.partition(" is ")[0], text)
    assert gone not in note and "smith" not in note.lower()
    assert family.lower() in note.lower()
    if " is well." in text and "ROB" not in text:
        assert note.startswith(shown)


def test_verbs_that_are_short_names_stay() -> None:
    family, note = known(["William", "Patrick"], "Smith", "x", "Smith seen, will follow. Pat dry. We will smith it.")[
        1::2
    ]
    assert note == f"{family} seen, will follow. Pat dry. We will {family.lower()} it."


def test_abbreviations_that_are_short_names_stay() -> None:
    family, note = known(["Samuel", "Patrick"], "Smith", "x", "Smith (PAT) has SAM. SMITH (CHF) came.")[1::2]
    assert note == f"{family} (PAT) has SAM. {family.upper()} (CHF) came."


def test_a_spelling_that_is_a_word_is_a_name_beside_one_only() -> None:
    given, family, _, note = known(
        ["Otto"], "Groß", "x", "Gross hematuria, gross motor delay. Otto Gross and Dr. Gross came."
    )
    assert note == f"Gross hematuria, gross motor delay. {given[0]} {family} and Dr. {family} came."


def test_a_placeholder_is_not_cut() -> None:
    display = "Ms. Vanterpool, PA-C"
    assert stranger(display, "Vanterpool came. Vanterpool's note.") == "[name] came. [name]'s note."


def test_the_dot_of_a_degree_stands_once() -> None:
    note = stranger("Ottilie Vanterpool, Ph.D.", "Ottilie Vanterpool, Ph.D. was here.", "Practitioner/404")
    assert note.endswith(", Ph.D. was here.") and "Vanterpool" not in note
