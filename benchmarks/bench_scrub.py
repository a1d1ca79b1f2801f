"""What the scrubber finds and what it costs, on the sample's notes: `python -m benchmarks.bench_scrub [--patients N]`.

The floor is `re.sub` with one alternation of the same known values, compiled beforehand, in the same run: it finds
neither other spellings nor anything shaped. CPU seconds of one process, the best of several runs. *new people*: each
dossier is compiled first, as a job meets it (five notes a patient here).
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.notes import Note, is_covered, maskers, read
from masking.sample import write_sample
from masking.scrub import Dossier, Scrubbed, Scrubber


def best(work: Callable[[], Any], repeats: int = 9) -> float:
    """CPU seconds of the fastest run: the others were disturbed."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


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


def told(notes: list[Note], scrubbed: list[Scrubbed]) -> None:
    """Print recall by kind, and the share of clinical words changed."""
    found, planted, changed, words = Counter[str](), Counter[str](), 0, 0
    for note, answer in zip(notes, scrubbed, strict=True):
        marks, identifying = bytearray(len(note.text)), bytearray(len(note.text))
        for span in answer.spans:
            marks[span.start : span.stop] = b"\1" * (span.stop - span.start)
        for kind, span_of in note.identifiers():
            planted[kind] += 1
            found[kind] += is_covered(note.text, marks, span_of)
        for _, (start, stop) in note.identifiers(own=False):
            identifying[start:stop] = b"\1" * (stop - start)
        for word in re.finditer(r"\w+", note.text):
            if not any(identifying[word.start() : word.end()]):
                words += 1
                changed += any(marks[word.start() : word.end()])
    for kind, count in planted.most_common():
        print(f"  {kind:<14}{found[kind]:>8,} of {count:>7,}{found[kind] / count:>9.4f}")
    print(f"  clinical words changed: {changed:,} of {words:,}, {changed / words:.3%}\n")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patients", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder), arguments.patients, seed=5)
        notes = read(Path(folder, "export"), Path(folder, "truth.jsonl"))
    texts, dossiers = [note.text for note in notes], [note.dossier for note in notes]
    size = sum(len(text.encode()) for text in texts)
    scrubber = Scrubber(maskers())
    print(f"{len(notes):,} notes, {size / 1e6:.1f} MB, {len(set(dossiers)):,} dossiers\n\nRecall with the record:")
    told(notes, scrubber.scrub(texts, dossiers))
    print("Recall by shape alone:")
    told(notes, scrubber.scrub(texts, [Dossier((), 45)] * len(texts)))
    floor = best(alternation(notes))
    rows = {
        "re.sub, known values only": floor,
        "scrub, known people": best(lambda: scrubber.scrub(texts, dossiers)),
        "scrub, new people": best(lambda: Scrubber(maskers()).scrub(texts, dossiers), 3),
        "scrub, nobody known": best(lambda: scrubber.scrub(texts, [Dossier((), 45)] * len(texts))),
    }
    for what, seconds in rows.items():
        print(f"{what:<28}{size / seconds / 1e6:>8.1f} MB/s{floor / seconds:>8.2f}x")


if __name__ == "__main__":
    main()
