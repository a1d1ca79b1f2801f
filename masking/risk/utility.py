"""Distributions before and after, and how far they are apart: 0 where nothing was changed.

Numbers are counted to three significant digits, so that what is remembered of a distribution stays small. Of labels, the
page shows those that the masked side has, and those of 11 and more alone.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from masking.report.measures import SHOWN_FROM, Compared

#: A task remembers no more labels of a distribution, nor distributions; the rarest go.
MOST_LABELS = 20_000
_MOST_RESULTS = 400
_SHOWN_RESULTS = 6
_SHOWN_LABELS = 12
_BINS = 12
_DIGITS = 12  # of a distance: more than any number of values can tell apart, and fewer than sums of floats blur
_AGES = "Age, "
#: Distributions of numbers, and their units. Those of results bear their unit in their name.
NUMBERS = {"Age": "years", "Length of stay": "hours", "Months since the first encounter": "months"}
_RESULT = "Result "
Sides = tuple[Counter[str], Counter[str]]


class Distributions:
    """Counts of labels before and after, by name."""

    def __init__(self) -> None:
        self.counts: dict[str, Sides] = defaultdict(lambda: (Counter(), Counter()))

    def add(self, name: str, label: str, side: int, times: int = 1) -> None:
        """Count a label; side 0 is before, 1 after."""
        if name.startswith(_RESULT) or name in NUMBERS:
            label = rounded(label)
            if not label:
                return
        self.counts[name][side][label] += times

    def told(self) -> dict[str, list[dict[str, int]]]:
        """To be joined elsewhere."""
        results = [name for name in self.counts if name.startswith(_RESULT)]
        results.sort(key=lambda name: (-self.counts[name][0].total(), name))
        for name in results[_MOST_RESULTS:]:
            del self.counts[name]
        return {name: [_most(side) for side in sides] for name, sides in self.counts.items()}

    def join(self, told: Mapping[str, Sequence[Mapping[str, int]]]) -> None:
        """Take in what another task counted."""
        for name, sides in told.items():
            for mine, others in zip(self.counts[name], sides, strict=True):
                mine.update(others)

    def compared(self) -> tuple[Compared, ...]:
        """All that the page shows, in its order."""
        results = [name for name in self.counts if name.startswith(_RESULT)]
        results.sort(key=lambda name: (-self.counts[name][0].total(), name))
        ages = sorted(name for name in self.counts if name.startswith(_AGES))
        order = ["Sex", "Age", *ages, "Diagnoses", "Treatments", "Months since the first encounter", "Length of stay"]
        names = [name for name in order if name in self.counts] + results[:_SHOWN_RESULTS]
        # One of fewer values is not told at all, for its size would be a cell; nor one that only the source has, for its
        # name would be a code that masking has removed.
        told = [name for name in names if min(side.total() for side in self.counts[name]) >= SHOWN_FROM]
        return tuple(compare(name, *self.counts[name]) for name in told)


def _most(counts: Counter[str]) -> dict[str, int]:
    """The commonest labels; of equally common ones the first."""
    if len(counts) <= MOST_LABELS:
        return dict(counts)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_LABELS])


def rounded(text: str) -> str:
    """A number to three significant digits; "" for what is none."""
    try:
        number = float(text)
    except ValueError:
        return ""
    return format(number, ".3g") if math.isfinite(number) else ""


def compare(name: str, before: Counter[str], after: Counter[str]) -> Compared:
    """How far a distribution after is from that before."""
    is_number = name in NUMBERS or name.startswith(_RESULT)
    apart = total_variation(before, after)
    ks, moved = distances(before, after) if is_number else (None, None)
    shown, unit = name, NUMBERS.get(name, "")
    if name.startswith(_RESULT):
        code, _, unit = name.removeprefix(_RESULT).partition(" ")
        shown = f"Result {code}"
    rows = _binned(before, after) if is_number else _labelled(name, before, after)
    return Compared(shown, unit, before.total(), after.total(), apart, ks, moved, tuple(rows))


def total_variation(before: Counter[str], after: Counter[str]) -> float:
    """Half the sum of the differences of shares: 0 equal, 1 nothing in common."""
    first, last = before.total(), after.total()
    if before == after:
        return 0.0
    if not first or not last:
        return 1.0
    apart = sum(abs(before[label] / first - after[label] / last) for label in sorted(before.keys() | after.keys()))
    return round(apart / 2, _DIGITS)


def distances(before: Counter[str], after: Counter[str]) -> tuple[float | None, float | None]:
    """Kolmogorov and Smirnov's distance, and Wasserstein's first in the unit of the numbers; None where a side is empty."""
    first, last = before.total(), after.total()
    if before == after:
        return 0.0, 0.0
    if not first or not last:
        return None, None
    values = sorted({*map(float, before), *map(float, after)})
    old, new = _by_number(before), _by_number(after)
    gap = most = moved = 0.0
    for value, following in zip(values, [*values[1:], values[-1]], strict=True):
        gap += old[value] / first - new[value] / last
        most = max(most, abs(gap))
        moved += abs(gap) * (following - value)
    return round(most, _DIGITS), round(moved, _DIGITS)


def _by_number(counts: Counter[str]) -> Counter[float]:
    found: Counter[float] = Counter()
    for label, count in counts.items():
        found[float(label)] += count
    return found


def shown(count: int) -> int | None:
    """A count as it may be shown."""
    return count if count >= SHOWN_FROM or count == 0 else None


def _labelled(name: str, before: Counter[str], after: Counter[str]) -> Iterable[tuple[str, int | None, int | None]]:
    """The commonest labels that the masked side has; ages in order."""
    common = sorted(after, key=lambda label: (-after[label], label))
    if name.startswith(_AGES):
        common.sort(key=lambda label: int(label.partition("–")[0].rstrip("+")))
        return [(label, shown(before[label]), shown(after[label])) for label in common]
    common = [label for label in common if after[label] >= SHOWN_FROM][:_SHOWN_LABELS]
    rows = [(label, shown(before[label]), shown(after[label])) for label in common]
    rest = [counts.total() - sum(counts[label] for label in common) for counts in (before, after)]
    return [*rows, ("all others", shown(rest[0]), shown(rest[1]))] if any(rest) else rows


def _binned(before: Counter[str], after: Counter[str]) -> Iterable[tuple[str, int | None, int | None]]:
    """Equally wide bins between the numbers that one in fifty is below and above; the outer bins take in the rest.

    The edges are the masked side's, with `SHOWN_FROM` values or more beyond each: the source's own would tell an extreme of its.
    """
    old, new = _by_number(before), _by_number(after)
    values = sorted(new.items())
    total = sum(count for _, count in values)
    beyond = max(SHOWN_FROM, total / 50)
    seen, low, high = 0, None, 0.0
    for value, count in values:
        seen += count
        if low is None and seen >= beyond:
            low = value
        if total - (seen - count) >= beyond:
            high = value
    if low is None:
        return []
    edges = _edges(low, high)
    rows = []
    for number, (start, end) in enumerate(itertools.pairwise(edges)):
        first, last = number == 0, number == len(edges) - 2
        sides = [
            sum(count for value, count in side.items() if (first or value >= start) and (last or value < end))
            for side in (old, new)
        ]
        label = f"below {end:g}" if first and not last else f"{start:g} and more" if last else f"{start:g}–{end:g}"
        rows.append((label, shown(sides[0]), shown(sides[1])))
    return rows


def _edges(low: float, high: float) -> list[float]:
    """Round edges of at most `_BINS` bins over a range."""
    if high <= low:
        return [low, low + 1]
    raw = (high - low) / _BINS
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= raw)
    first = math.floor(low / step)
    count = max(1, math.floor(high / step) - first + 1)
    return [round((first + number) * step, 12) for number in range(count + 1)]
