"""What was measured of a run beside its verdict: coverage by path, risk, utility, keys. Numbers and labels, nobody's values.

A count below `SHOWN_FROM` people is not shown: it is None here, and `fewer than 11` for readers.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The least cell that is shown; the rule by which the US Centers for Medicare and Medicaid Services publish counts.
SHOWN_FROM = 11


@dataclass(frozen=True, slots=True)
class PathCount:
    """What became of the values at one path. path: without URLs; does: keep, redact or a masker; place: the rule's line.

    by_default: no rule names it, so it was redacted.
    """

    path: str
    does: str
    place: str
    why: str
    by_default: bool
    values: int
    kept: int
    changed: int
    gone: int


@dataclass(frozen=True, slots=True)
class Review:
    """A path whose kept texts look like identifiers. Shares are of its texts; distinct is an estimate."""

    path: str
    place: str
    values: int
    distinct: int
    unique: float
    name_like: float
    number_like: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """All paths that hold values in the source, in order of their names."""

    paths: tuple[PathCount, ...]
    review: tuple[Review, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A quasi-identifier. told: Cohen's kappa of its labels before and after, 1 where all stand, 0 where chance agrees as often.

    counted: whether masked records tell it, so that it makes cells.
    """

    name: str
    labels: int
    told: float
    counted: bool


@dataclass(frozen=True, slots=True)
class Cells:
    """People by the size of their cell: all who share their quasi-identifiers. Risks by El Emam, `docs/risk.md`.

    sizes: (from, to, cells, people). prosecutor, journalist: highest, mean; at_risk: share of people in cells below k.
    """

    k: int
    cells: int
    unique: int
    sizes: tuple[tuple[int, int, int, int], ...]
    prosecutor: tuple[float, float]
    journalist: tuple[float, float]
    at_risk: float


@dataclass(frozen=True, slots=True)
class Diversity:
    """l-diversity of diagnoses. l: how many people share the commonest one at most: cell size through its frequency.

    learned: people of cells of two or more in which all have one diagnosis. distinct: least number of codes in a cell.
    """

    least: float
    distinct: int
    below_two: int
    learned: int


@dataclass(frozen=True, slots=True)
class SmallCell:
    """One of the smallest cells, as coarse as `SHOWN_FROM` people or more share: labels of some attributes, none of others."""

    size: int
    labels: tuple[tuple[str, str], ...]
    shared_by: int


@dataclass(frozen=True, slots=True)
class Step:
    """One generalization, and what all up to it would make of the cells."""

    attribute: str
    to: str
    least: int
    at_risk: float
    rules: tuple[tuple[str, str, str], ...]  # section, key, value of the policy file


@dataclass(frozen=True, slots=True)
class Linked:
    """Attacks by people who know n facts, or one of one kind. knows: `any` facts, or `kept`: such as masking lets stand.

    before: who was singled out on the source; after: on the masked data; misled: one record fits, and is another's.
    """

    knows: str
    facts: int
    kind: str
    attacks: int
    before: int
    after: int
    misled: int
    nobody: int
    several: int


@dataclass(frozen=True, slots=True)
class Risk:
    """What remains. wanted: the k that is aimed at; population: of how many people the export's are some, None if of none."""

    people: int
    attributes: tuple[Attribute, ...]
    wanted: int
    population: int | None
    cells: Cells
    cells_of_all: Cells
    diversity: Diversity | None
    smallest: tuple[SmallCell, ...]
    steps: tuple[Step, ...]
    snippet: str
    linked: tuple[Linked, ...]
    targets: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One distribution before and after. rows: label, before, after; None below `SHOWN_FROM`.

    apart: total variation distance; ks: Kolmogorov and Smirnov's, wasserstein in `unit`, of numbers alone.
    """

    name: str
    unit: str
    before: int
    after: int
    apart: float
    ks: float | None
    wasserstein: float | None
    rows: tuple[tuple[str, int | None, int | None], ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """Distinct identifiers of one kind, by how many values their own alphabet and length allow."""

    kind: str
    values: int
    million: int
    billion: int
    trillion: int
    more: int


@dataclass(frozen=True, slots=True)
class Reversible:
    """A masker of the policy. undone: by who holds the key; rules: how many use it."""

    masker: str
    undone: bool
    how: str
    rules: int


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key undoes, and what could be enumerated by asking for masks."""

    domains: tuple[Domain, ...]
    maskers: tuple[Reversible, ...]


@dataclass(frozen=True, slots=True)
class Measures:
    """All of it, and how long it took."""

    coverage: Coverage
    risk: Risk | None
    utility: tuple[Compared, ...]
    keys: Keys
    seconds: float
