"""What the tasks of a verification found, put together on the driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from masking.report.verdict import Finding
from masking.spark.verify_receipts import FaultCount
from masking.verify.known import Known
from masking.verify.weigh import WORD, Pairs

_PLACES = 5


class Faults:
    """What is wrong, each once: how often, and where first."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], FaultCount] = {}

    def add(self, fault: FaultCount) -> None:
        """One more, or the same once more."""
        key = fault.check, fault.what, fault.path
        found = self._found.get(key)
        if found is None:
            self._found[key] = FaultCount(fault.check, fault.what, fault.path, fault.times, list(fault.places))
        else:
            found.times += fault.times
            found.places = (found.places + fault.places)[:_PLACES]

    def told(self) -> list[Finding]:
        """All, as they are told."""
        return [
            Finding(one.check, one.what, one.path, one.times, tuple((file, line) for file, line in one.places))
            for one in self._found.values()
        ]


def pairs_of(known: Known, arrays: Sequence[Mapping[str, Any]]) -> Pairs:
    """All tasks' pairs together, each once."""

    def both(one: str, other: str) -> tuple[Any, Any]:
        if not arrays:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64)
        first = np.concatenate([found[one] for found in arrays]).astype(np.uint64)
        second = np.concatenate([found[other] for found in arrays])
        rows = np.unique(np.stack([first, second]), axis=1)
        return rows[0].astype(np.int64), rows[1]

    humans = np.unique(np.concatenate([found["humans"] for found in arrays])) if arrays else np.zeros(0, np.uint64)
    places, others = both("other_places", "other_humans")
    patients = np.intersect1d(humans, known.patients)
    if len(patients):  # what is said of a clinic is little beside a chart
        humans = patients
        is_patient = np.isin(others, patients)
        places, others = places[is_patient], others[is_patient]
    words, count = np.unique(both("word_places", "word_humans")[0], return_counts=True)
    return Pairs(*both("own_places", "own_owners"), places, others, words[count >= WORD], len(humans))
