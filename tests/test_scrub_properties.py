"""What holds for any text: no crash, order, sameness in every batch, and no word of the clinic changed twice."""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence

import pytest
import scrub_notes
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.scrub import Dossier, Scrubber, Term, scrub_markup
from masking.scrub.markup import Kind

DOSSIERS = scrub_notes.dossiers()
SEEDS = [note.text for note in scrub_notes.hard()] + scrub_notes.clinical()
pieces = st.one_of(
    st.sampled_from([word for text in SEEDS for word in text.split()]),
    st.sampled_from(
        ["+", "(", ")", "-", "/", ".", "@", "://", "www.", "'", "’s", "\n", "\x00", "\ud800", "́", "ﬀ", "İ", "𝟗"]
    ),
    st.text(max_size=6),
)
texts = st.lists(pieces, max_size=30).map(" ".join) | st.lists(pieces, max_size=30).map("".join) | st.text()
who = st.sampled_from(sorted(DOSSIERS))


@given(texts, who)
@settings(max_examples=300, deadline=None)
def test_spans_are_in_order_and_the_rest_stays(text: str, name: str) -> None:
    [answer] = Scrubber().scrub([text], [DOSSIERS[name]])
    at = 0
    kept = []
    for span in answer.spans:
        assert at <= span.start < span.stop <= len(text)
        kept.append(text[at : span.start])
        at = span.stop
    kept.append(text[at:])
    place = 0
    for part in kept:  # all that is no span stands in the answer, in order
        place = answer.text.index(part, place) + len(part)


@given(st.lists(st.tuples(texts, who), max_size=6))
@settings(max_examples=100, deadline=None)
def test_a_text_is_scrubbed_alike_in_every_batch(batch: list[tuple[str, str]]) -> None:
    scrubber = Scrubber()
    together = scrubber.scrub([text for text, _ in batch], [DOSSIERS[name] for _, name in batch])
    assert together == [Scrubber().scrub([text], [DOSSIERS[name]])[0] for text, name in batch]


@given(
    st.lists(
        st.sampled_from(["the", "lung", "is", "clear", "no", "murmur", "gait", "steady"]),
        max_size=40,
    ).map(" ".join)
)
def test_a_text_without_any_of_it_stays(text: str) -> None:
    [answer] = Scrubber().scrub([text], [DOSSIERS["robert"]])
    assert answer.text is text
    assert answer.spans == ()


@pytest.mark.parametrize("note", scrub_notes.hard(), ids=lambda note: note.text[:30])
def test_scrubbing_again_changes_no_clinical_word(note: scrub_notes.Hard) -> None:
    dossier, scrubber = DOSSIERS[note.who], Scrubber()
    [once] = scrubber.scrub([note.text], [dossier])
    [twice] = scrubber.scrub([once.text], [dossier])
    clinical = set(re.findall(r"[a-z]{4,}", note.text)) & set(re.findall(r"[a-z]{4,}", once.text))
    assert clinical - {"https"} <= set(re.findall(r"[a-z]{4,}", twice.text))


@given(texts, who, st.sampled_from(["plain", "html", "xml", "json", "rtf"]))
@settings(max_examples=200, deadline=None)
def test_markup_never_crashes(text: str, name: str, kind: Kind) -> None:
    [answer] = scrub_markup(Scrubber(), kind, [text], [DOSSIERS[name]])
    at = 0
    for span in answer.spans:
        assert at <= span.start <= span.stop <= len(text)
        at = span.stop


def test_a_scrubber_travels_and_shows_no_value() -> None:
    scrubber = Scrubber({"phone": _same})
    dossier = Dossier((Term("given", "Secretname", "Other"),), 3)
    [before] = scrubber.scrub(["Secretname called 212-736-5000"], [dossier])
    again = pickle.loads(pickle.dumps(scrubber))
    assert b"Secretname" not in pickle.dumps(scrubber)
    assert again.scrub(["Secretname called 212-736-5000"], [dossier]) == [before]
    assert "Secretname" not in repr(scrubber) + repr(dossier) + repr(dossier.terms)


def _same(values: Sequence[str]) -> list[str | None]:
    return [value[::-1] for value in values]


def test_a_masker_that_gives_the_value_back_gives_the_placeholder() -> None:
    [answer] = Scrubber({"phone": list}).scrub(["Call 212-736-5000"], [Dossier((), 3)])
    assert answer.text == "Call [phone]"


def test_empty() -> None:
    assert Scrubber().scrub([], []) == []
    assert [one.text for one in Scrubber().scrub(["", "0", "\n"], [Dossier((), None)] * 3)] == ["", "0", "\n"]


def test_without_days_dates_become_the_placeholder() -> None:
    [answer] = Scrubber().scrub(["Seen 01/09/2024, 2024-01-09 and January 9, 2024; 120/80"], [Dossier((), None)])
    assert answer.text == "Seen [date], [date] and [date]; 120/80"


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("1964-01-09", "1964-01-19"),
        ("01/09/1964", "01/19/1964"),
        ("1/9/64", "1/19/64"),
        ("9 Jan 1964", "19 Jan 1964"),
        ("9-JAN-1964", "19-JAN-1964"),
        ("January 9th, 1964", "January 19th, 1964"),
        ("january 9, 1964", "january 19, 1964"),
        ("Thursday, January 9, 1964", "Sunday, January 19, 1964"),
        ("THU 01/09/1964", "SUN 01/19/1964"),
        ("January 1964", "January 1964"),
        ("01/1964", "01/1964"),
        ("December 28, 1999", "January 7, 2000"),
        ("Dec. 28, 1999", "Jan. 7, 2000"),
        ("1964-01-09T10:00:00.5+01:00", "1964-01-19T10:00:00.5+01:00"),
        ("1964-01-09 10:00", "1964-01-19 10:00"),
        ("28th of December 1999", "7th of January 2000"),
        ("13/01/1964", "23/01/1964"),
        ("02/30/2024", "[date]"),
    ],
)
def test_dates_keep_their_spelling(source: str, masked: str) -> None:
    [answer] = Scrubber().scrub([f"Seen {source}."], [Dossier((), 10)])
    assert answer.text == f"Seen {masked}."


def test_days_first() -> None:
    [answer] = Scrubber(day_first=True).scrub(["Seen 03/04/2024, 30/04/2024."], [Dossier((), 1)])
    assert answer.text == "Seen 04/04/2024, 01/05/2024."


@pytest.mark.parametrize(
    ("kind", "source", "masked"),
    [
        ("html", "<p>Ro<b>bert</b> O&#39;Brien &amp; co</p>", "<p>Marcus<b></b> Winters &amp; co</p>"),
        ("html", '<a href="tel:617-985-7862" class="Robert">x</a>', '<a href="tel:508-555-0142" class="Robert">x</a>'),
        ("html", "<!-- Robert -->1 < 2 & Robert", "<!-- Marcus -->1 < 2 & Marcus"),
        ("html", "<p>Robert</p><p>Smith</p>", "<p>Marcus</p><p>Hale</p>"),
        ("xml", "<a><![CDATA[Robert & 51984734]]></a>", "<a><![CDATA[Marcus & 20417756]]></a>"),
        ("json", '{"Robert": "Robert\\n\\u00e9", "n": 1.50}', '{"Robert": "Marcus\\n\\u00e9", "n": 1.50}'),
        ("json", '{"mrn": 51984734, "n": [1, 120]}', '{"mrn": 20417756, "n": [1, 120]}'),
        ("json", '{"broken": "Robert', '{"broken": "Marcus'),
        ("rtf", r"{\rtf1 {\b Robert} Caba\'f1as\par 51984734}", r"{\rtf1 {\b Marcus} Novak\par 20417756}"),
        ("rtf", "Robert {", "Marcus {"),
    ],
)
def test_markup_stays(kind: Kind, source: str, masked: str) -> None:
    assert scrub_markup(Scrubber(), kind, [source], [DOSSIERS["robert"]])[0].text == masked


@pytest.mark.parametrize("uuid", ["9b1d0c1e-1f2a-4b3c-8d4e-5f6a7b8c9d0e", "ab1d0c1e-1f2a-4b3c-8d4e-5f6a7b8c9d0e"])
@pytest.mark.parametrize(
    "around", ["{}", "see Patient/{} for it", "urn:uuid:{}", "[chart](Patient/{})", "id-{}", "a.{}"]
)
def test_a_uuid_is_one_wherever_it_stands(uuid: str, around: str) -> None:
    scrubbed = Scrubber().scrub([around.format(uuid)], [Dossier((), 10)])[0]
    assert uuid[:8] not in scrubbed.text and uuid[-12:] not in scrubbed.text
