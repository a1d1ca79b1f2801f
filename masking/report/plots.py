"""Plots of a verdict as SVG texts, made by matplotlib where it is installed (`pip install fhir-masking[report]`).

Colours are CSS variables of the page, so that light and dark both are readable; text stays text, for readers and search.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import re
from collections.abc import Sequence
from typing import Any

from masking.report.manifest import Manifest
from masking.report.verdict import Verdict

#: Stand-ins that matplotlib takes for colours, and what the page has in their place.
_INK, _BAR, _SECOND = "#010203", "#040506", "#070809"
_VARIABLES = {_INK: "var(--ink)", _BAR: "var(--bar)", _SECOND: "var(--second)"}
_MOST_TYPES = 20


def plots(verdict: Verdict, manifest: Manifest) -> list[tuple[str, str]]:
    """Title and SVG of each plot; empty where matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        return []
    found = [("Documents by type", _documents(manifest))]
    if verdict.eighteen:
        found.insert(0, ("Values looked for, and those that stand with their owner", _searched(verdict)))
    return found


def _searched(verdict: Verdict) -> str:
    rows = [one for one in verdict.eighteen if one.known][::-1]
    names = [f"({one.letter}) {one.name}" for one in rows]
    return _bars(
        names,
        [[one.known for one in rows], [one.own for one in rows]],
        ("looked for", "found with their owner, chance and leaks together"),
        "values (logarithmic)",
    )


def _documents(manifest: Manifest) -> str:
    counts = {name: count.masked + count.resources for name, count in manifest.types.items()}
    rows = sorted(((count, name) for name, count in counts.items() if count), reverse=True)[:_MOST_TYPES][::-1]
    return _bars([name for _, name in rows], [[count for count, _ in rows]], ("documents",), "documents (logarithmic)")


def _bars(names: Sequence[str], series: Sequence[Sequence[int]], labels: Sequence[str], axis: str) -> str:
    matplotlib: Any = importlib.import_module("matplotlib")
    figures: Any = importlib.import_module("matplotlib.figure")
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fhir-masking", "font.family": "sans-serif"}):
        figure = figures.Figure(figsize=(8, 0.6 + 0.3 * max(len(names), 3)))
        axes = figure.add_subplot()
        height = 0.8 / len(series)
        for number, (values, label) in enumerate(zip(series, labels, strict=True)):
            places = [place + 0.4 - height * (number + 0.5) for place in range(len(names))]
            bars = axes.barh(places, values, height, color=(_BAR, _SECOND)[number], label=label)
            axes.bar_label(bars, [f" {value:,}" if value else "" for value in values], color=_INK, fontsize=8)
        axes.set_yticks(range(len(names)), names)
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(0, max([max(values, default=1) for values in series], default=1) * 6 + 1)
        axes.set_xlabel(axis, color=_INK)
        axes.tick_params(colors=_INK, labelsize=9)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(_INK)
        if len(series) > 1:
            axes.legend(
                frameon=False, labelcolor=_INK, fontsize=8, loc="upper center", bbox_to_anchor=(0.4, 1.1), ncols=2
            )
        figure.tight_layout()
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_page(out.getvalue())


def _for_page(svg: str) -> str:
    """The element alone, in the page's colours and of its width."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return re.sub(r'<svg ([^>]*?)width="[^"]*"', r'<svg \1width="100%"', svg, count=1).replace(
        "<svg ", '<svg role="img" aria-hidden="true" ', 1
    )
