"""Pieces of a page: tables, sections, numbers, the style. Light and dark follow the reader's system; on paper it is light."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from masking.report.measures import SHOWN_FROM

STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #59626d; --paper: #fff; --line: #d5dae0; --bar: #2f6fb0;
  --second: #c2571a; --good: #1c6b3a; --bad: #b3261e; --wash: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #a2abb6; --paper: #14171b; --line: #39414b;
  --bar: #78aee6; --second: #f0a06a; --good: #7fd69f; --bad: #ff9d94; --wash: #1d2228; } }
@media print { :root { --ink: #000; --soft: #333; --paper: #fff; --line: #999; --bar: #2f6fb0; --second: #c2571a;
  --good: #1c6b3a; --bad: #b3261e; --wash: #fff; } tr, figure { break-inside: avoid; } h2, h3 { break-after: avoid; }
  main { max-width: none; padding: 0; } nav { display: none; } .wide { overflow: visible; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; } h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; } p, li { max-width: 46rem; } .soft { color: var(--soft); }
nav ul { list-style: none; margin: .6rem 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
a { color: var(--bar); } a:focus-visible { outline: 2px solid var(--bar); outline-offset: 2px; }
.verdict { border-left: .4rem solid var(--good); padding: .6rem 1rem; margin: 1rem 0; font-size: 1.15rem; }
.verdict.bad { border-color: var(--bad); } .verdict strong { color: var(--good); } .bad strong, .bad-cell { color: var(--bad); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .4rem 0 1rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
caption span { display: block; position: sticky; left: 0; max-width: calc(100vw - 2rem); }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; }
tbody th { min-width: 6.5rem; } td.t { min-width: 9rem; } td code { overflow-wrap: normal; }
td.t code, #scope td { overflow-wrap: anywhere; }
thead th { color: var(--soft); font-weight: 600; } tbody th { font-weight: 500; }
td.n, th.n { text-align: right; padding-right: 1rem; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
code { font-size: .9em; overflow-wrap: anywhere; }
pre { background: var(--wash); border: 1px solid var(--line); padding: .7rem; overflow-x: auto; font-size: .85rem; }
pre code { overflow-wrap: normal; }
figure { margin: 1rem 0; max-width: 36rem; } figcaption { font-weight: 500; margin-bottom: .2rem; }
figure svg { width: 100%; height: auto; display: block; }
.figures { display: grid; gap: 0 2rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
details > summary { cursor: pointer; color: var(--bar); margin: .6rem 0; }
"""


def section(anchor: str, title: str, *parts: str) -> str:
    """A part of the page under a heading that can be linked to."""
    return f'<section id="{anchor}" aria-labelledby="{anchor}-h"><h2 id="{anchor}-h">{escape(title)}</h2>{"".join(parts)}</section>'


def table(columns: Sequence[str], rows: Sequence[str], caption: str) -> str:
    """A table; columns that begin with # hold numbers. rows: `tr` elements."""
    heads = "".join(
        f'<th scope="col"{_NUMBER if name[:1] == "#" else ""}>{escape(name.removeprefix("#"))}</th>' for name in columns
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption><span>{escape(caption)}</span></caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


_NUMBER = ' class="n"'
_LONG = 20  # characters of a cell


def row(head: str, *cells: str) -> str:
    """A row: its head, and cells that are made by `cell` and `number`."""
    return f'<tr><th scope="row">{escape(head)}</th>{"".join(cells)}</tr>'


def cell(text: str, *, bad: bool = False, code: bool = False) -> str:
    """A cell of text; a long one has room on a phone too, where its table scrolls."""
    inner = f"<code>{escape(text)}</code>" if code and text else escape(text)
    names = " ".join(name for name, is_so in (("bad-cell", bad), ("t", len(text) > _LONG)) if is_so)
    return f'<td class="{names}">{inner}</td>' if names else f"<td>{inner}</td>"


def number(value: float | None, form: str = ",") -> str:
    """A cell of a number; a count that is too small to be shown says so."""
    return f'<td class="n">{few() if value is None else format(value, form)}</td>'


def few() -> str:
    """What stands for a count that is not shown."""
    return f"under {SHOWN_FROM}"


def share(part: float, whole: float) -> str:
    """A share in words of numbers: never 0% for some, nor 100% for not all."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "under 0.1%"
    if 99.9 < percent < 100:
        return "over 99.9%"
    return f"{percent:.1f}".removesuffix(".0") + "%"


def paragraph(text: str, *, soft: bool = False) -> str:
    """Running text."""
    return f"<p{' class=' + chr(34) + 'soft' + chr(34) if soft else ''}>{escape(text)}</p>"


def figure(title: str, svg: str) -> str:
    """A plot under its title; nothing where there is none."""
    return f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>" if svg else ""
