"""What a measurement of risk is told: which quasi-identifiers make cells, how large cells should be, and of whom these are some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from masking.risk.facts import ATTRIBUTES, DEFAULT_ATTRIBUTES

#: 1/11 is 0.09, the risk that the European Medicines Agency (policy 0070) and Health Canada ask for.
DEFAULT_K = 11
_MOST_K = 10_000


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """population: of how many people the export's are a sample; None if nobody knows, so that they are taken for all."""

    attributes: tuple[str, ...] = DEFAULT_ATTRIBUTES
    k: int = DEFAULT_K
    population: int | None = None


def fault_of_attributes(names: Sequence[str]) -> str:
    """Why these cannot be quasi-identifiers, "" if they can."""
    unknown = [name for name in names if name not in ATTRIBUTES]
    if unknown:
        return f"expected some of {', '.join(ATTRIBUTES)}"
    return "" if names and len(set(names)) == len(names) else "expected each name once"


def fault_of_k(k: int) -> str:
    """Why that is no size of cells, "" if it is."""
    return "" if 2 <= k <= _MOST_K else f"expected a number of people from 2 to {_MOST_K}"
