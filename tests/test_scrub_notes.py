"""Recall and precision: on notes written by hand, and on the sample's, whose truth is known."""

from __future__ import annotations

import re

import pytest
import scrub_notes

from benchmarks import notes
from masking.sample import write_sample
from masking.scrub import Dossier, Scrubber

SHAPED = ("dates", "phone", "email", "ssn", "url", "ip", "mrn", "account", "health_plan", "license", "vehicle")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> list[notes.Note]:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, 40, seed=11)
    return notes.read(folder / "export", folder / "truth.jsonl")


def hard_quality() -> notes.Quality:
    dossiers, scrubber, answer = scrub_notes.dossiers(), Scrubber(), notes.Quality()
    for note in scrub_notes.hard():
        [scrubbed] = scrubber.scrub([note.text], [dossiers[note.who]])
        answer.add(note.text, dossiers[note.who], scrubbed, [("any", span) for span in note.spans], note.spans)
    return answer


def test_the_records_own_identifiers_are_all_found(sample: list[notes.Note]) -> None:
    scrubber = Scrubber(notes.maskers())
    scrubbed = scrubber.scrub([note.text for note in sample], [note.dossier for note in sample])
    figures = notes.quality(sample, scrubbed)
    assert sum(figures.planted.values()) > 2000
    assert figures.found == figures.planted
    assert figures.changed <= 0.005 * figures.words
    assert not any(re.search(r"\[(?!age)\w+\]", one.text) for one in scrubbed), (
        "every fake is a value, not a placeholder"
    )


def test_shapes_alone_find_numbers_dates_and_links(sample: list[notes.Note]) -> None:
    texts = [note.text for note in sample]
    figures = notes.quality(sample, Scrubber().scrub(texts, [Dossier((), 45)] * len(texts)))
    assert sum(figures.found[kind] for kind in SHAPED) >= 0.98 * sum(figures.planted[kind] for kind in SHAPED)
    assert figures.changed <= 0.005 * figures.words


@pytest.mark.parametrize("note", scrub_notes.hard(), ids=lambda note: f"{note.who}: {note.text[:30]}")
def test_hard_notes(note: scrub_notes.Hard) -> None:
    [answer] = Scrubber().scrub([note.text], [scrub_notes.dossiers()[note.who]])
    marks = notes.marked(len(note.text), ((span.start, span.stop) for span in answer.spans))
    assert [
        note.text[start:stop] for start, stop in note.spans if not notes.is_covered(note.text, marks, (start, stop))
    ] == []


def test_clinical_words_of_hard_notes_stay() -> None:
    figures = hard_quality()
    assert figures.words > 400
    assert figures.changed <= 0.005 * figures.words


def test_a_word_that_is_a_name_is_found_where_it_is_one_and_stays_where_it_is_none() -> None:
    """Long, May, Rose, Will: `will take a long walk` of Will Long."""
    figures = hard_quality()
    assert figures.planted[notes.WORD_NAMES] >= 20
    assert figures.found[notes.WORD_NAMES] == figures.planted[notes.WORD_NAMES]
    assert figures.same >= 30
    # 'WILL LONG-TERM OXYGEN HELP?': in capitals, the two words are his whole name as well.
    assert figures.same_changed == 2


@pytest.mark.parametrize("who", scrub_notes.dossiers())
def test_clinical_text_stays_to_the_byte(who: str) -> None:
    texts = scrub_notes.clinical()
    answers = Scrubber().scrub(texts, [scrub_notes.dossiers()[who]] * len(texts))
    assert [one.text for one in answers] == texts


def test_the_notes_are_many_enough() -> None:
    assert len(scrub_notes.hard()) + len(scrub_notes.clinical()) >= 60
    assert sum(len(note.spans) for note in scrub_notes.hard()) >= 200


def test_nothing_of_the_sample_is_left(sample: list[notes.Note]) -> None:
    """Searched for in the output, as a reader would: the identifiers of the record, whole."""
    scrubbed = Scrubber(notes.maskers()).scrub([note.text for note in sample], [note.dossier for note in sample])
    for note, answer in zip(sample, scrubbed, strict=True):
        for kind, (start, stop) in note.identifiers():
            if kind in ("ssn", "phone", "mrn", "email", "account"):
                assert note.text[start:stop] not in answer.text
