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
    """Steps until every cell has k people, or nothing is left to be made coarser."""
    now = {name: name for name in attributes}
    levels = dict.fromkeys(attributes, 0)
    steps: list[Step] = []
    least, below = _cells(table, list(now.values()), k)
    while below and any(levels[name] < len(FORMS[name]) for name in attributes):
        tries = []
        for name in attributes:
            if levels[name] < len(FORMS[name]):
                form = FORMS[name][levels[name]]
                tries.append((*_cells(table, list({**now, name: form.column}.values()), k), name, form))
        least, below, name, form = min(tries, key=lambda one: (one[1], -one[0], attributes.index(one[2])))
        now[name] = form.column
        levels[name] += 1
        steps.append(Step(name, form.to, least, below / max(1, table.people), form.rules))
    return steps


def _cells(table: Table, columns: Sequence[str], k: int) -> tuple[int, int]:
    """The size of the smallest cell, and the people of cells below k."""
    _, sizes = table.cells([column for column in columns if column != GONE])
    return (int(sizes.min()), int(sizes[sizes < k].sum())) if len(sizes) else (0, 0)


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
