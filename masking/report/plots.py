"""Plots as SVG texts, made by matplotlib where it is installed (`pip install fhir-masking[report]`); "" where it is not.

Colours are CSS variables of the page, so that light and dark both are readable; text stays text, for readers and search.
Figures are as wide as a phone, so that what is read at a desk is read there too.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import io
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from masking.report.manifest import TypeCounts
from masking.report.measures import Cells, Compared, Linked
from masking.report.verdict import Verdict

#: Stand-ins that matplotlib takes for colours, and what the page has in their place.
_INK, _BAR, _SECOND = "#010203", "#040506", "#070809"
_VARIABLES = {_INK: "var(--ink)", _BAR: "var(--bar)", _SECOND: "var(--second)"}
_MOST_TYPES = 20
_WIDTH = 4.8  # inches of 72 points: 346, where a phone's column has 358
_LEAST_BANDS = 4  # that are shown of a pyramid
_LONGEST = 26  # characters of a label


def searched_plot(verdict: Verdict) -> str:
    """What was looked for, and what stands with its owner, by each of the eighteen."""
    rows = [one for one in verdict.eighteen if one.known][::-1]
    series = [[one.known for one in rows], [one.own for one in rows]]
    return _bars(
        "Values looked for, and those that stand with their owner",
        [f"({one.letter}) {one.name}" for one in rows],
        series,
        ("looked for", "with their owner"),
        log=True,
    )


def documents_plot(types: Mapping[str, TypeCounts]) -> str:
    """Documents by type."""
    counts = {name: count.masked + count.resources for name, count in types.items()}
    rows = sorted(((count, name) for name, count in counts.items() if count), reverse=True)[:_MOST_TYPES][::-1]
    return _bars(
        "Documents by type", [name for _, name in rows], [[count for count, _ in rows]], ("documents",), log=True
    )


def cells_plot(cells: Cells) -> str:
    """People by the size of their cell."""
    names = [_size(low, high) for low, high, _, _ in cells.sizes][::-1]
    people = [many for _, _, _, many in cells.sizes][::-1]
    return _bars("People by the size of their cell", names, [people], ("people",))


def _size(low: int, high: int) -> str:
    if low == high == 1:
        return "alone"
    return f"cells of {low}" if low == high else f"{low} and more" if not high else f"{low} to {high}"


def linked_plot(linked: Sequence[Linked]) -> str:
    """The share that is singled out, by the number of facts."""
    groups = [[one for one in linked if one.knows == knows and not one.kind] for knows in ("any", "kept")]
    if not groups[0]:
        return ""

    def draw(axes: Any) -> None:
        facts = [one.facts for one in groups[0]]
        source = [100 * one.before / one.attacks for one in groups[0]]
        axes.plot(facts, source, color=_INK, marker="o", linestyle=":", label="any facts, on the source")
        for group, colour, label in (
            (groups[1], _SECOND, "facts that stand, masked"),
            (groups[0], _BAR, "any facts, masked"),
        ):
            shares = [100 * one.after / one.attacks for one in group]
            axes.plot([one.facts for one in group], shares, color=colour, marker="o", label=label)
            for one, part in zip(group, shares, strict=True):
                offset, side = ((0, -14), "center") if colour == _BAR else ((8, -4), "left")
                where = {"textcoords": "offset points", "ha": side, "color": _INK}
                axes.annotate(f"{part:.0f}%", (one.facts, part), offset, **where)
        axes.set_xticks(facts)
        axes.set_xlim(0.8, len(facts) + 0.5)
        axes.set_xlabel("facts known", color=_INK)
        axes.set_ylim(0, 112)
        axes.set_ylabel("% singled out", color=_INK)
        _legend(axes, 1)

    return _figure("People who are singled out, by facts known", 3.4, draw)


def compared_plot(one: Compared) -> str:
    """A distribution before and after."""
    rows = one.rows if one.rows and "–" in one.rows[0][0] else one.rows[::-1]
    series = [[before or 0 for _, before, _ in rows], [after or 0 for _, _, after in rows]]
    return _bars(one.name, [label for label, _, _ in rows], series, ("before", "after"))


def pyramid_plot(ages: Sequence[Compared]) -> str:
    """Ages by sex: one sex a side, outlines before and bars after."""
    by_sex = {one.name.removeprefix("Age, "): one for one in ages}
    sides = [by_sex[name] for name in ("female", "male") if name in by_sex]
    if len(sides) < 2 or sum(after is not None for one in sides for _, _, after in one.rows) < _LEAST_BANDS:
        return ""
    bands = sorted(
        {label for one in sides for label, _, _ in one.rows}, key=lambda label: int(re.split("[–+]", label)[0])
    )

    def draw(axes: Any) -> None:
        for one, sign in zip(sides, (-1, 1), strict=True):
            counts = {label: (before or 0, after or 0) for label, before, after in one.rows}
            before, after = ([sign * counts.get(band, (0, 0))[side] for band in bands] for side in (0, 1))
            axes.barh(range(len(bands)), after, 0.8, color=_BAR, label="after" if sign < 0 else None)
            outline = "before" if sign < 0 else None
            axes.barh(range(len(bands)), before, 0.8, fill=False, edgecolor=_SECOND, linewidth=1.2, label=outline)
        most = max([abs(value) for value in axes.get_xlim()]) * 1.05
        axes.set_xlim(-most, most)
        axes.set_yticks(range(len(bands)), bands)
        axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
        axes.set_xlabel("women  |  men", color=_INK)
        _legend(axes, 2)

    return _figure("Ages by sex", 0.9 + 0.24 * len(bands), draw)


def _bars(
    title: str, names: Sequence[str], series: Sequence[Sequence[int]], labels: Sequence[str], *, log: bool = False
) -> str:
    """Bars that lie, as many a name as there are series, with their numbers."""
    if not names:
        return ""

    def draw(axes: Any) -> None:
        height = 0.84 / len(series)
        for number, (values, label) in enumerate(zip(series, labels, strict=True)):
            places = [place + 0.42 - height * (number + 0.5) for place in range(len(names))]
            colour = _BAR if len(series) == 1 or number == len(series) - 1 else _SECOND
            bars = axes.barh(places, values, height * 0.94, color=colour, label=label)
            axes.bar_label(bars, [f" {value:,}" if value else "" for value in values], color=_INK, fontsize=9.5)
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.set_ylim(-0.6, len(names) - 0.4)
        most = max(max(values, default=1) for values in series) or 1
        if log:
            axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(0, most * 8 if log else most * 1.25)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        if len(series) > 1:
            _legend(axes, 2)

    return _figure(title, 0.5 + (0.26 if len(series) == 1 else 0.4) * max(len(names), 2), draw)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _legend(axes: Any, columns: int) -> None:
    axes.legend(
        frameon=False, labelcolor=_INK, fontsize=10, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=columns
    )


def _figure(title: str, height: float, draw: Callable[[Any], None]) -> str:
    if importlib.util.find_spec("matplotlib") is None:
        return ""
    matplotlib: Any = importlib.import_module("matplotlib")
    figures: Any = importlib.import_module("matplotlib.figure")
    settings = {"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif", "font.size": 10.5}
    with matplotlib.rc_context(settings):
        figure = figures.Figure(figsize=(_WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.tick_params(colors=_INK, labelsize=10.5)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(_INK)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_page(out.getvalue(), title)


def _for_page(svg: str, title: str) -> str:
    """The element alone, in the page's colours, of its width, with a title; ids are the figure's own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    mark = "f" + hashlib.sha256(title.encode()).hexdigest()[:8]
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: f' id="{mark}{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{mark}", svg)
    head = f'<svg role="img" aria-labelledby="{mark}t" '
    svg = svg.replace("<svg ", head, 1)
    svg = re.sub(
        r'(<svg [^>]*?)\s(?:width="[^"]*"\s*height="[^"]*"|height="[^"]*"\s*width="[^"]*")', r"\1", svg, count=1
    )
    start = svg.index(">") + 1
    return (
        f'{svg[:start]}<title id="{mark}t">{escape(title)}: a plot; its numbers stand in a table</title>{svg[start:]}'
    )
