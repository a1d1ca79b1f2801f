"""Resources before and after, side by side: what changed, and by which rule. Shows PHI on its left side, by purpose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from rich.table import Table
from rich.text import Text

from masking.commands.compare import ABSENT, LABEL, Change, compare
from masking.commands.screen import Screen, counted, printable
from masking.policy.plan import Plan
from masking.policy.specs import Rule

_LONGEST = 110  # characters of a value
_TAIL = 30
_RULE = 24  # columns


def show_beside(
    screen: Screen, plan: Plan, source: Mapping[str, Any], masked: Mapping[str, Any], *, most: int | None = None
) -> None:
    """A table of what changed in one resource; with `most`, so many rows of it."""
    found = compare(plan, source, masked)
    files = plan.policy.files
    one_file = files[0] if len(files) == 1 else None
    screen.show(_table(str(source.get("resourceType", "?")), found.changes[:most], screen.out.width, one_file))
    hidden = len(found.changes) - len(found.changes[:most])
    more = f" {counted(hidden, 'more change')} not shown." if hidden else ""
    lines = f" Numbers are lines of {one_file}." if one_file else ""
    screen.show(Text(f"{counted(found.kept, 'other value')} kept as they were.{more}{lines}", style="dim"), "")


def _table(title: str, changes: Sequence[Change], width: int, one_file: str | None) -> Table:
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rules = [_rule(change.rule, one_file) for change in changes]
    widest_rule = min(max(map(len, rules), default=4), _RULE)
    widest_path = min(max((len(change.path) for change in changes), default=4), max(width // 4, 20))
    room = max((width - widest_rule - widest_path - 6) // 2, 16)  # the values get what the names leave, half each
    made.add_column(Text("Path", style="dim"), width=widest_path, overflow="fold")
    made.add_column(Text("Before (PHI)", style="bold red"), width=room, overflow="fold")
    made.add_column(Text("After", style="bold green"), width=room, overflow="fold")
    made.add_column(Text("Rule", style="dim"), width=widest_rule, overflow="fold")
    for change, rule in zip(changes, rules, strict=True):
        before = Text("—", style="dim") if change.before is None else Text(_short(change.before), style="red")
        after = Text("gone", style="dim") if change.after is None else Text(_short(change.after), style="green")
        made.add_row(Text(at_dots(printable(change.path), widest_path)), before, after, Text(rule, style="dim"))
    return made


def at_dots(path: str, width: int) -> str:
    """A path on lines of at most `width`, broken before its dots where it can be."""
    lines = [""]
    for part in re.split(r"(?=\.)", path):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append(part)
        else:
            lines[-1] += part
    return "\n".join(lines)


def _rule(rule: Rule, one_file: str | None) -> str:
    if rule in (LABEL, ABSENT):
        return "label" if rule == LABEL else "data-absent-reason"
    does = rule.masker.name if rule.masker else rule.action.value
    if not rule.place.line:
        return f"{does}: {rule.why}"
    file = "" if rule.place.file == one_file else PurePath(rule.place.file).name
    return f"{does} {file}:{rule.place.line}"


def _short(text: str) -> str:
    shown = printable(text).replace("\n", "⏎").replace("\t", " ")
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - _TAIL]} … {shown[-_TAIL:]}"
