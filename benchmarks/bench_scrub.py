"""What the scrubber finds and what it costs: `python -m benchmarks.bench_scrub [--patients N] [--rounds N]`.

*Quality*, on the sample's notes, on the hard ones of the tests and on fresh ones by which nothing was tuned: how many
identifiers are found, by kind, with the record at hand and by their shape alone; and how many words of the clinic are
changed, among them those that are somebody's name as well. *Speed*: CPU seconds of one process, the best of several rounds
in which all take turns. The floor is `re.sub` with one alternation of the same known values, compiled beforehand: it finds
neither other spellings nor anything shaped.
*New people*: each dossier is compiled first, as a job meets it (five notes a patient here).
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.notes import WORD_NAMES, Note, Quality, maskers, quality, read
from masking.sample import write_sample
from masking.scrub import Dossier, Scrubber
from masking.scrub.characters import fold

_TESTS = Path(__file__).resolve().parent.parent / "tests"


def best(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """CPU seconds of the fastest run of each, in turn: the others were disturbed."""
    times = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            start = time.process_time()
            work()
            times[name] = min(times[name], time.process_time() - start)
    return times


def alternation(notes: list[Note]) -> Callable[[], None]:
    """The floor: a pattern of the known values a dossier."""
    made: dict[Dossier, tuple[re.Pattern[str], dict[str, str]]] = {}
    for note in notes:
        if note.dossier not in made:
            values = {term.real: term.fake or "" for term in note.dossier.terms if term.real}
            longest = sorted(values, key=lambda value: (-len(value), value))
            made[note.dossier] = re.compile("|".join(map(re.escape, longest)) or "(?!)"), values
    pairs = [(note.text, *made[note.dossier]) for note in notes]

    def work() -> None:
        for text, pattern, values in pairs:
            pattern.sub(lambda found, values=values: values[found[0]], text)  # type: ignore[misc]

    return work


def _kind(value: str, dossier: Dossier) -> str:
    """What a note's identifier is, by its look and by what the record knows: none says it."""
    if any(map(str.isdigit, value)) or "@" in value or "://" in value:
        return "numbers, dates, links"
    known = " ".join(fold(term.real) for term in dossier.terms)
    return "names of the record" if all(fold(word) in known for word in value.split()) else "names of strangers"


def written(scrubber: Scrubber, name: str) -> Quality:
    """What is found in notes that were written by hand."""
    sys.path.insert(0, str(_TESTS))
    import scrub_notes  # noqa: PLC0415

    dossiers, answer = scrub_notes.dossiers(), Quality()
    notes = [(dossiers[note.who], note.text, note.spans) for note in scrub_notes.hard(name)]
    if name == "hard":
        notes += [(dossier, text, ()) for dossier in dossiers.values() for text in scrub_notes.clinical()]
    for dossier, text, spans in notes:
        [one] = scrubber.scrub([text], [dossier])
        answer.add(
            text, dossier, one, [(_kind(text[start:stop], dossier), (start, stop)) for start, stop in spans], spans
        )
    return answer


def told(what: str, columns: Sequence[Quality]) -> None:
    """Print recall by kind, and the words of the clinic that were changed; a column each."""
    print(what)
    kinds = [kind for kind, _ in columns[0].planted.most_common() if kind != WORD_NAMES]
    for kind in (*kinds, WORD_NAMES):
        cells = [f"{one.found[kind]:>8,} of {one.planted[kind]:>6,}" for one in columns]
        shares = [f"{one.found[kind] / max(1, one.planted[kind]):>9.2%}" for one in columns]
        print(f"  {kind:<28}", *(cell + share for cell, share in zip(cells, shares, strict=True)))
    rows = [("words of the clinic changed", "changed", "words"), ("  those that are names too", "same_changed", "same")]
    for name, changed, words in rows:
        pairs = [(getattr(one, changed), getattr(one, words)) for one in columns]
        print(f"  {name:<28}", *(f"{part:>8,} of {all_:>6,}{part / max(1, all_):>9.2%}" for part, all_ in pairs))
    print()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder), arguments.patients, seed=5)
        notes = read(Path(folder, "export"), Path(folder, "truth.jsonl"))
    texts, dossiers = [note.text for note in notes], [note.dossier for note in notes]
    nobody = [Dossier((), 45)] * len(texts)
    size = sum(len(text.encode()) for text in texts)
    scrubber = Scrubber(maskers())
    print(f"{len(notes):,} notes, {size / 1e6:.1f} MB, {len(set(dossiers)):,} dossiers\n")
    both = [quality(notes, scrubber.scrub(texts, known)) for known in (dossiers, nobody)]
    told("The sample's notes: with the record, and by shape alone", both)
    told("The hard notes, by which it was made", [written(scrubber, "hard")])
    for name, what in (("fresh2", "nothing was tuned"), ("fresh", "the scrubber was mended since")):
        fresh = written(scrubber, name)
        told(f"Fresh notes, by which {what}", [fresh])
        print("  not found:", " | ".join(fresh.missed), "\n  changed:", " | ".join(fresh.wrong), "\n")
    works: dict[str, Callable[[], Any]] = {
        "re.sub, known values only": alternation(notes),
        "scrub, known people": lambda: scrubber.scrub(texts, dossiers),
        "scrub, new people": lambda: Scrubber(maskers()).scrub(texts, dossiers),
        "scrub, nobody known": lambda: scrubber.scrub(texts, nobody),
    }
    times = best(works, arguments.rounds)
    floor = times["re.sub, known values only"]
    for what, seconds in times.items():
        print(f"{what:<28}{size / seconds / 1e6:>8.1f} MB/s{floor / seconds:>8.2f}x")


if __name__ == "__main__":
    main()
