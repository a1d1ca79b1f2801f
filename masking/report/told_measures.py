"""What the page tells of what was measured: coverage, risk, keys, utility."""

from __future__ import annotations

from html import escape

from masking.report.data import Scope
from masking.report.markup import cell, few, figure, number, paragraph, row, section, share, table
from masking.report.measures import (
    SHOWN_FROM,
    Cells,
    Compared,
    Coverage,
    Keys,
    Linked,
    Measures,
    PathCount,
    Risk,
)
from masking.report.plots import cells_plot, compared_plot, linked_plot, pyramid_plot

_ATTRIBUTES = {
    "age_band": "age, five years wide",
    "sex": "sex",
    "zip3": "ZIP, three digits",
    "race": "race",
    "ethnicity": "ethnicity",
    "death": "whether dead",
    "first_encounter": "months from first to last encounter",
    "state": "state",
    "marital": "marital status",
    "language": "language",
}
#: CDC's codes of race and ethnicity, in the words of the Office of Management and Budget.
_LABELS = {
    "1002-5": "American Indian or Alaska Native",
    "2028-9": "Asian",
    "2054-5": "Black or African American",
    "2076-8": "Native Hawaiian or Other Pacific Islander",
    "2106-3": "White",
    "2135-2": "Hispanic or Latino",
    "2186-5": "Not Hispanic or Latino",
}
_MOST_RULES = 40


# ── coverage ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def coverage(found: Measures | None, run: Scope) -> str:
    """Which rule did what where; what only the default caught; what should be looked at."""
    if found is None:
        return ""
    said = found.coverage
    values, kept = sum(one.values for one in said.paths), sum(one.kept for one in said.paths)
    changed, gone = sum(one.changed for one in said.paths), sum(one.gone for one in said.paths)
    total = (
        f"{values:,} values at {len(said.paths):,} paths: {kept:,} are as they were, {changed:,} are others, {gone:,} are gone. "
        "Counted on source and output, independently of the engine."
    )
    by_default = [one for one in said.paths if one.by_default]
    parts = [
        paragraph(total),
        table(
            ("Rule", "Does", "#Paths", "#Values", "#Kept", "#Changed", "#Gone"),
            _by_rule(said),
            f"By rule, the {_MOST_RULES} that decide most values",
        ),
    ]
    if by_default:
        parts.append(_paths(by_default, "No rule names these paths: they were redacted by default"))
    else:
        parts.append(paragraph("A rule names every path that the source has; none was left to the default."))
    parts.append(_review(said))
    if run.redactions:
        rows = [row(path, number(times)) for path, times in sorted(run.redactions.items())]
        parts.append(table(("Path", "#Values"), rows, "Values that no masker could read, so they were redacted"))
    parts.append(f"<details><summary>All paths</summary>{_paths(said.paths, 'All paths')}</details>")
    return section("coverage", "Coverage", *parts)


def _by_rule(said: Coverage) -> list[str]:
    rules: dict[tuple[str, str], list[int]] = {}
    for one in said.paths:
        counts = rules.setdefault((one.place, one.does), [0, 0, 0, 0, 0])
        for index, value in enumerate((1, one.values, one.kept, one.changed, one.gone)):
            counts[index] += value
    order = sorted(rules.items(), key=lambda rule: (-rule[1][1], rule[0]))[:_MOST_RULES]
    return [row(place, cell(does, code=True), *map(number, counts)) for (place, does), counts in order]


def _paths(paths: list[PathCount] | tuple[PathCount, ...], caption: str) -> str:
    rows = [
        row(
            one.path,
            cell(one.does, code=True),
            cell(one.place),
            *map(number, (one.values, one.kept, one.changed, one.gone)),
        )
        for one in paths
    ]
    return table(("Path", "Does", "Rule", "#Values", "#Kept", "#Changed", "#Gone"), rows, caption)


def _review(said: Coverage) -> str:
    if not said.review:
        return paragraph("No kept text looks like an identifier: few are unique, shaped as names or long numbers.")
    rows = [
        row(
            one.path,
            cell(one.place),
            number(one.values),
            number(one.distinct),
            *(cell(share(part, 1)) for part in (one.unique, one.name_like, one.number_like)),
        )
        for one in said.review
    ]
    columns = ("Path", "Rule", "#Kept", "#Distinct, about", "Distinct", "Like names", "Like numbers")
    return table(columns, rows, "For review: the policy keeps these texts, and they look like identifiers")


# ── risk ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def risk(found: Measures | None) -> str:
    """Cells, attacks, and what would mend them."""
    if found is None:
        return ""
    said = found.risk
    if said is None:
        return section(
            "risk", "Risk", paragraph("The source has no patient whose record was masked, so none is at risk.")
        )
    parts = [paragraph(_risk_in_words(said)), _attributes(said), _cells(said), _smallest(said), _diversity(said)]
    parts += [_linked(said), _mend(said)]
    return section("risk", "Risk", *parts)


def _risk_in_words(said: Risk) -> str:
    cells = said.cells
    names = ", ".join(_ATTRIBUTES.get(one.name, one.name) for one in said.attributes if one.counted) or "nothing"
    return (
        f"By {names}: {share(cells.unique, said.people)} of {said.people:,} people are alone in their cell, and "
        f"{share(cells.at_risk, 1)} are in cells of fewer than {said.wanted}. Who knows all of that of somebody who is in the "
        f"data finds them with a chance of {share(cells.prosecutor[1], 1)} on average, and of "
        f"{share(cells.prosecutor[0], 1)} in the worst case."
    )


def _attributes(said: Risk) -> str:
    rows = [
        row(
            _ATTRIBUTES.get(one.name, one.name),
            number(one.labels),
            number(max(one.told, 0.0), ".2f"),
            cell("counts" if one.counted else "a fake, or gone: it finds nobody"),
        )
        for one in said.attributes
    ]
    columns = ("Attribute", "#Labels", "#Agrees with the truth", "In cells")
    caption = "Quasi-identifiers. Agreement is Cohen's kappa: 1 as it was, 0 as chance would have it."
    return table(columns, rows, caption)


def _cells(said: Risk) -> str:
    of = f"{said.population:,} people" if said.population else "the people of this export alone"
    rows = [
        row(name, *(cell(text) for text in _risks(cells, said.people)))
        for name, cells in (("what is told", said.cells), ("all, fakes too", said.cells_of_all))
    ]
    columns = (
        "Cells by",
        "k",
        "Alone",
        f"Below {said.wanted}",
        "Prosecutor: highest, mean",
        "Journalist: highest, mean",
    )
    caption = f"Risk. Prosecutor: the target is in the data. Journalist: one of {of}."
    plot = figure("People by the size of their cell", cells_plot(said.cells))
    return "<h3>Cells</h3>" + table(columns, rows, caption) + plot


def _risks(cells: Cells, people: int) -> tuple[str, ...]:
    both = (f"{share(highest, 1)}, {share(mean, 1)}" for highest, mean in (cells.prosecutor, cells.journalist))
    return (f"{cells.k:,}", share(cells.unique, people), share(cells.at_risk, 1), *both)


def _smallest(said: Risk) -> str:
    if not said.smallest:
        return paragraph(f"No cell has fewer than {SHOWN_FROM} people.")
    rows = []
    for one in said.smallest:
        labels = "; ".join(f"{_ATTRIBUTES.get(name, name)}: {_LABELS.get(label, label)}" for name, label in one.labels)
        rows.append(row(labels or "(any)", number(one.shared_by), number(one.size)))
    caption = (
        f"The smallest cells, told only as far as {SHOWN_FROM} people or more have all of it; "
        "what makes them smaller is not shown"
    )
    return table(("Among people with", "#So many", "#Size of the cell"), rows, caption)


def _diversity(said: Risk) -> str:
    one = said.diversity
    if one is None:
        return paragraph("There are no diagnoses to be learned.")
    text = (
        f"Diagnoses: l is {one.least:g} at least (people of a cell through those who have its commonest diagnosis), and a cell has "
        f"{one.distinct:,} different codes at least. {share(one.below_two, said.people)} of all people are in cells in which more "
        f"than half have one diagnosis; of {share(one.learned, said.people)}, not alone in their cell, one diagnosis is certain."
    )
    return "<h3>Diversity</h3>" + paragraph(text)


def _linked(said: Risk) -> str:
    any_, kept = ([one for one in said.linked if one.knows == knows and not one.kind] for knows in ("any", "kept"))
    rows = []
    for knows, group in (("any facts", any_), ("facts that masking lets stand", kept)):
        for one in group:
            rows.append(_attack(f"{one.facts} of {knows}", one))
    columns = ("Knows", "#Attacks", "Found in the source", "Found when masked", "Misled", "Nobody fits", "Several fit")
    caption = "Attacks by people who know true facts, drawn by a hash of the person. Misled: one record fits, and is another's."
    kinds = [_attack(one.kind, one) for one in said.linked if one.kind]
    text = (
        f"{said.targets:,} people were attacked. Who knows any facts does not know which of them masking has moved; who knows the "
        "policy uses such as still stand, and is the worst case."
    )
    plot = figure("People who are singled out, by facts known", linked_plot(said.linked))
    return (
        "<h3>Linkage</h3>"
        + paragraph(text)
        + table(columns, rows, caption)
        + plot
        + table(("One fact", *columns[1:]), kinds, "Attacks with one fact, by its kind")
    )


def _attack(name: str, one: Linked) -> str:
    parts = (one.before, one.after, one.misled, one.nobody, one.several)
    return row(name, number(one.attacks), *(cell(share(part, one.attacks)) for part in parts))


def _mend(said: Risk) -> str:
    if not said.steps:
        return ""
    rows = [
        row(
            f"{_ATTRIBUTES.get(one.attribute, one.attribute)}: {one.to}",
            number(one.least),
            cell(share(one.at_risk, 1)),
        )
        for one in said.steps
    ]
    ends = said.steps[-1].at_risk == 0
    text = (
        f"Coarser one after the other, these would lift every cell to {said.wanted} people."
        if ends
        else f"No generalization of these attributes lifts every cell to {said.wanted} people; as far as they go:"
    )
    columns = ("Step", "#Smallest cell", f"In cells below {said.wanted}")
    snippet = f"<pre><code>{escape(said.snippet)}</code></pre>"
    return (
        "<h3>What would mend it</h3>"
        + paragraph(text)
        + table(columns, rows, "Generalizations, each with what all up to it make of the cells")
        + paragraph("As a policy; leave out what you need, and verify again:")
        + snippet
    )


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def keys(found: Measures | None) -> str:
    """What could be enumerated, and what the key undoes."""
    if found is None:
        return ""
    return section("keys", "Keys", _domains(found.keys), _maskers(found.keys))


def _domains(said: Keys) -> str:
    small = sum(one.million + one.billion for one in said.domains)
    text = (
        f"{small:,} distinct identifiers that are still told, masked, have spellings of a billion possible values or fewer. Who "
        "can ask for masks at will, with the key or through a service, can try them all; to anybody else they are closed."
    )
    rows = [
        row(one.kind, *map(number, (one.values, one.million, one.billion, one.trillion, one.more)))
        for one in said.domains
    ]
    columns = ("Kind", "#Distinct", "#Up to a million", "#A billion", "#A trillion", "#More")
    return paragraph(text) + table(columns, rows, "Identifiers by how many values their own spelling allows")


def _maskers(said: Keys) -> str:
    rows = [
        row(one.masker, cell(one.how or "no"), number(one.rules))
        for one in sorted(said.maskers, key=lambda one: (not one.undone, one.masker))
    ]
    return table(
        ("Masker", "Undone by the key", "#Rules"),
        rows,
        "What the holder of the key gets back; other values can only be tried",
    )


# ── utility ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def utility(found: Measures | None) -> str:
    """Distributions before and after."""
    if found is None:
        return ""
    if not found.utility:
        return section("utility", "Utility", paragraph(f"No distribution has {SHOWN_FROM} values."))
    equal = sum(one.apart == 0 for one in found.utility)
    text = (
        f"{equal} of {len(found.utility)} distributions are the same after as before. Counts under {SHOWN_FROM} are not shown; "
        "distances are of all values, numbers to three digits."
    )
    rows = [
        row(
            _named(one),
            number(one.before),
            number(one.after),
            number(one.apart, ".3g"),
            _distance(one.ks),
            _distance(one.wasserstein),
        )
        for one in found.utility
    ]
    columns = ("Distribution", "#Before", "#After", "#Total variation", "#Kolmogorov–Smirnov", "#Wasserstein")
    ages = [one for one in found.utility if one.name.startswith("Age, ")]
    plots = [figure("Ages by sex", pyramid_plot(ages))] if ages else []
    plots += [figure(_named(one), compared_plot(one)) for one in found.utility if one not in ages]
    tables = "".join(_rows(one) for one in found.utility)
    return section(
        "utility",
        "Utility",
        paragraph(text),
        table(columns, rows, "Distances: 0 is equal; total variation and Kolmogorov–Smirnov are 1 at most"),
        f'<div class="figures">{"".join(plots)}</div>',
        f"<details><summary>The numbers in the plots</summary>{tables}</details>",
    )


def _named(one: Compared) -> str:
    return f"{one.name}, {one.unit}" if one.unit else one.name


def _distance(value: float | None) -> str:
    return cell("") if value is None else number(value, ".3g")


def _rows(one: Compared) -> str:
    shown = [row(label, number(before), number(after)) for label, before, after in one.rows]
    return table(("", "#Before", "#After"), shown, f"{_named(one)}; {few()} is not shown in numbers")
