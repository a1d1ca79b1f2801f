"""What generalization would lift the smallest cell to k people, as rules of a policy.

A greedy way down: of the next coarser form of each attribute, the one that leaves the fewest people in cells below k. The
coarser forms are counted on the source, as the policy would make them of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from masking.report.measures import Step
from masking.risk.people import Table

_RACE = '"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"'
_ETHNICITY = '"http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"'
RULES, EXTENSIONS = "rules", "extensions"
GONE = ""  # the column of what is gone: none
#: Rules that an attribute needs, and a later step of the same attribute replaces: section, key, value.
Rules = tuple[tuple[str, str, str], ...]


class Form(NamedTuple):
    """A coarser form of an attribute: how it is called, the column that holds it, and the rules that make it."""

    to: str
    column: str
    rules: Rules


_YEARS: Rules = tuple(
    (RULES, f"Encounter.period.{end}", "{mask: generalize, to: year, why: cells of k people}")
    for end in ("start", "end")
)
#: The coarser forms of each attribute, in their order.
FORMS: Mapping[str, tuple[Form, ...]] = {
    "age_band": (
        Form("decade of birth", "born", ((RULES, "Patient.birthDate", "{mask: generalize, to: decade, why: cells of k people}"),)),
        Form("gone", GONE, ((RULES, "Patient.birthDate", "redact"),)),
    ),
    "sex": (Form("gone", GONE, ((RULES, "Patient.gender", "redact"),)),),
    "zip3": (Form("gone", GONE, ((RULES, "Address.postalCode", "redact"),)),),
    "race": (Form("gone", GONE, ((EXTENSIONS, _RACE, "redact"),)),),
    "ethnicity": (Form("gone", GONE, ((EXTENSIONS, _ETHNICITY, "redact"),)),),
    "death": (Form("gone", GONE, ((RULES, '"Patient.deceased[x]"', "redact"),)),),
    "first_encounter": (
        Form("years between encounters", "years", _YEARS),
        Form("gone", GONE, tuple((section, key, "redact") for section, key, _ in _YEARS)),
    ),
    "state": (Form("gone", GONE, ((RULES, "Address.state", "redact"),)),),
    "marital": (Form("gone", GONE, ((RULES, "Patient.maritalStatus", "redact"),)),),
    "language": (Form("gone", GONE, ((RULES, "Patient.communication", "redact"),)),),
}  # fmt: skip
#: Columns of a table beside the attributes: coarser forms, counted on the source.
COARSER = ("born", "years")


def mend(table: Table, attributes: Sequence[str], k: int) -> list[Step]:
    """Steps until every cell has k people, or nothing is left to be made coarser; none that it holds without."""
    levels = dict.fromkeys(attributes, 0)
    order: list[str] = []
    found = _cells(table, levels, k)
    while found.below and (open_ := [name for name in attributes if levels[name] < len(FORMS[name])]):
        tries = [(_cells(table, {**levels, name: levels[name] + 1}, k), name) for name in open_]
        found, name = min(tries, key=lambda one: (one[0].below, one[0].cells, attributes.index(one[1])))
        levels[name] += 1
        order.append(name)
    if not found.below:
        order = _needed(table, attributes, order, k)
    steps, levels = [], dict.fromkeys(attributes, 0)
    for name in order:
        form = FORMS[name][levels[name]]
        levels[name] += 1
        now = _cells(table, levels, k)
        steps.append(Step(name, form.to, now.least, now.below / max(1, table.people), form.rules))
    return steps


def _needed(table: Table, attributes: Sequence[str], order: Sequence[str], k: int) -> list[str]:
    """The steps without those that a later one has made needless: an attribute's last step is tried first."""
    left = list(order)
    for name in order:
        fewer = left.copy()
        del fewer[len(fewer) - 1 - fewer[::-1].index(name)]
        if not _cells(table, {one: fewer.count(one) for one in attributes}, k).below:
            left = fewer
    return left


class _Found(NamedTuple):
    """The size of the smallest cell, how many cells there are, and how many people are in those below k."""

    least: int
    cells: int
    below: int


def _cells(table: Table, levels: Mapping[str, int], k: int) -> _Found:
    """Cells when each attribute is so many steps coarser."""
    columns = [FORMS[name][level - 1].column if level else name for name, level in levels.items()]
    _, sizes = table.cells([column for column in columns if column != GONE])
    return _Found(int(sizes.min()), len(sizes), int(sizes[sizes < k].sum())) if len(sizes) else _Found(0, 0, 0)


def snippet(steps: Sequence[Step], policy: str, k: int) -> str:
    """The steps as a policy file that extends another; "" where there are none."""
    if not steps:
        return ""
    sections: dict[str, dict[str, str]] = {}
    for step in steps:
        for section, key, value in step.rules:
            sections.setdefault(section, {})[key] = value
    lines = [f"policy: {policy}_k{k}", f"extends: {policy}"]
    for section in (RULES, EXTENSIONS):
        if section in sections:
            lines.append(f"{section}:")
            lines += [f"  {key}: {value}" for key, value in sections[section].items()]
    return "\n".join(lines) + "\n"
