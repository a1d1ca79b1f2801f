"""Recall and precision: on notes written by hand, and on the sample's, whose truth is known."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import scrub_notes

from benchmarks import notes
from masking.sample import write_sample
from masking.scrub import Dossier, Scrubbed, Scrubber

_WORD = re.compile(r"\w+")
SHAPED = ("dates", "phone", "email", "ssn", "url", "ip", "mrn", "account", "health_plan", "license", "vehicle")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> list[notes.Note]:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, 40, seed=11)
    return notes.read(folder / "export", folder / "truth.jsonl")


def covered(text: str, spans: Scrubbed) -> bytearray:
    marks = bytearray(len(text))
    for span in spans.spans:
        marks[span.start : span.stop] = b"\1" * (span.stop - span.start)
    return marks


def clinical_words_changed(text: str, marks: bytearray, identifying: bytearray) -> tuple[int, int]:
    places = [word.span() for word in _WORD.finditer(text) if not any(identifying[word.start() : word.end()])]
    return sum(any(marks[start:stop]) for start, stop in places), len(places)


def figures(sample: list[notes.Note], scrubbed: list[Scrubbed]) -> tuple[Counter[str], Counter[str], float]:
    """Found and planted by kind, and the share of clinical words changed."""
    found, planted, changed, words = Counter[str](), Counter[str](), 0, 0
    for note, answer in zip(sample, scrubbed, strict=True):
        marks = covered(note.text, answer)
        for kind, span in note.identifiers():
            planted[kind] += 1
            found[kind] += notes.is_covered(note.text, marks, span)
        identifying = bytearray(len(note.text))
        for _, (start, stop) in note.identifiers(own=False):
            identifying[start:stop] = b"\1" * (stop - start)
        wrong, all_words = clinical_words_changed(note.text, marks, identifying)
        changed, words = changed + wrong, words + all_words
    return found, planted, changed / words


def test_the_records_own_identifiers_are_all_found(sample: list[notes.Note]) -> None:
    scrubber = Scrubber(notes.maskers())
    scrubbed = scrubber.scrub([note.text for note in sample], [note.dossier for note in sample])
    found, planted, changed = figures(sample, scrubbed)
    assert sum(planted.values()) > 2000
    assert found == planted
    assert changed <= 0.005
    assert not any(re.search(r"\[(?!age)\w+\]", one.text) for one in scrubbed), (
        "every fake is a value, not a placeholder"
    )


def test_shapes_alone_find_numbers_dates_and_links(sample: list[notes.Note]) -> None:
    texts = [note.text for note in sample]
    found, planted, changed = figures(sample, Scrubber().scrub(texts, [Dossier((), 45)] * len(texts)))
    assert sum(found[kind] for kind in SHAPED) >= 0.98 * sum(planted[kind] for kind in SHAPED)
    assert changed <= 0.005


@pytest.mark.parametrize("note", scrub_notes.hard(), ids=lambda note: f"{note.who}: {note.text[:30]}")
def test_hard_notes(note: scrub_notes.Hard) -> None:
    [answer] = Scrubber().scrub([note.text], [scrub_notes.dossiers()[note.who]])
    marks = covered(note.text, answer)
    assert [
        note.text[start:stop] for start, stop in note.spans if not notes.is_covered(note.text, marks, (start, stop))
    ] == []


def test_clinical_words_of_hard_notes_stay() -> None:
    dossiers, scrubber, changed, words = scrub_notes.dossiers(), Scrubber(), 0, 0
    for note in scrub_notes.hard():
        [answer] = scrubber.scrub([note.text], [dossiers[note.who]])
        identifying = bytearray(len(note.text))
        for start, stop in note.spans:
            identifying[start:stop] = b"\1" * (stop - start)
        wrong, all_words = clinical_words_changed(note.text, covered(note.text, answer), identifying)
        changed, words = changed + wrong, words + all_words
    assert words > 400
    assert changed / words <= 0.005, (changed, words)


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
