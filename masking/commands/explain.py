"""Say which rule of a policy masks what, from which line of which file, and what that does with a made-up example.

Name paths (Patient.birthDate), paths within any type ('*.subject'), types (Observation, HumanName), URLs of extensions,
identifier systems and code systems, or identifier type codes (MR). Without any, all types are explained.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import PurePath

from rich.text import Text

from masking.commands.screen import Screen, facts, printable
from masking.policy.answers import BY_TYPE, BY_URL, INSIDE, Explanation
from masking.policy.explain import example_policy, explain

USAGE = "fhir-mask explain [--policy NAME|FILE] [PATH | TYPE | URL …] [--json]"
#: Ids and extensions inside elements: the same everywhere, so a list of a type leaves them out.
_EVERYWHERE = ("id", "extension", "modifierExtension")
_PATH = 34  # columns
_AT_ONCE = 500  # lines a print


def add_arguments(parser: ArgumentParser) -> None:
    """What `explain` takes."""
    parser.add_argument("targets", metavar="PATH|TYPE|URL", nargs="*")
    parser.add_argument("--policy", metavar="NAME|FILE", default="realistic", help="default: realistic")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, nothing left out")


def run(arguments: Namespace, screen: Screen) -> int:
    """Explain each target in turn."""
    policy = example_policy(arguments.policy)
    # Each is looked up before the first is shown: a slip in the last one costs no scrolling.
    answers = [explain(policy, [target]) for target in arguments.targets] or [explain(policy)]
    if arguments.json:
        for answer in chain.from_iterable(answers):
            screen.write(json.dumps(answer.as_json(), ensure_ascii=False) + "\n")
        return 0
    one_file = policy.files[0] if len(policy.files) == 1 else None
    for number, one in enumerate(answers):
        if number:
            screen.show("")
        _show(one, screen, one_file)
    return 0


def _show(answers: Iterator[Explanation], screen: Screen, one_file: str | None) -> None:
    """One target: a block where it is one place, a list where it is a type or an element with others in it."""
    head = [answer for _, answer in zip(range(2), answers, strict=False)]
    is_list = len(head) > 1 and head[1].path.startswith(f"{head[0].path}.")
    all_of_it = chain(head, answers)
    if not is_list:
        _blocks(all_of_it, screen)
        return
    if head[0].type != "resource type":
        _blocks([next(all_of_it)], screen)
        screen.show("")
    _list(all_of_it, screen, one_file)


# ── one place ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _blocks(answers: Iterable[Explanation], screen: Screen) -> None:
    for number, answer in enumerate(answers):
        if number:
            screen.show("")
        screen.show(
            Text.assemble((printable(answer.path), "bold"), (f"  {answer.type} {answer.cardinality}".rstrip(), "dim"))
        )
        said: list[tuple[str, str | Text]] = [("  does", _does(answer))]
        if answer.before is not None:
            said.append(("  example", _example(answer, 200)))
        line = f":{answer.place.line}" if answer.place.line else ""
        said.append(("  rule", f"{answer.place.file}{line}  {answer.place.path}".removesuffix("  $")))
        said.append(("  wins as", answer.precedence))
        said += [("  why", answer.why)] if answer.why else []
        said += [("  note", note) for note in answer.notes]
        if answer.does == INSIDE and answer.type != "BackboneElement":
            said.append(("  see", f"fhir-mask explain {answer.type}"))
        screen.show(facts(said))


def _does(answer: Explanation) -> Text:
    given = ", ".join(f"{name}: {_value(value)}" for name, value in answer.parameters.items())
    return Text.assemble((answer.does, _style(answer)), f"  {{{printable(given)}}}" if given else "")


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_value(one)}" for name, one in value.items()) + "}"
    return str(value)


def _style(answer: Explanation) -> str:
    if answer.does in ("keep", INSIDE, BY_URL, BY_TYPE):
        return "green" if answer.does == "keep" else "dim"
    return "red" if answer.does in ("redact", "refuse") else "cyan"


def _example(answer: Explanation, width: int) -> Text:
    """`before → after`, in that many columns."""
    if answer.before is None or answer.does == "keep":
        return Text("" if answer.before is None else _cut(printable(answer.before), width), style="dim")
    after = "gone" if answer.after is None else printable(answer.after)
    room = max(width - 3, 2)
    left = min(len(answer.before), max(room // 2, room - len(after)))
    return Text.assemble(
        (_cut(printable(answer.before), left), "dim"),
        " → ",
        (_cut(after, room - left), "red" if answer.after is None else "bold"),
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


# ── a list ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _list(answers: Iterable[Explanation], screen: Screen, one_file: str | None) -> None:
    """Element under element, indented; many lines a print, for there may be tens of thousands."""
    width = max(screen.out.width, 80)
    if one_file is not None:
        screen.say(f"On the right: lines of {one_file}", "dim")
    pending: list[Text] = []
    for answer in answers:
        depth = answer.path.count(".")
        name = answer.path.rpartition(".")[2]
        if name in _EVERYWHERE and depth > 1 and answer.level > 2:
            continue
        pending.append(_line(answer, "  " * depth + name, width, is_one=answer.place.file == one_file))
        if len(pending) == _AT_ONCE:
            screen.out.print(Text("\n").join(pending), soft_wrap=True)
            pending.clear()
    if pending:
        screen.out.print(Text("\n").join(pending), soft_wrap=True)
    screen.say("Left out: ids and extensions inside elements (explain Element.id, or a URL); --json has all.", "dim")


def _line(answer: Explanation, name: str, width: int, *, is_one: bool) -> Text:
    place = str(answer.place.line) if is_one else f"{PurePath(answer.place.file).name}:{answer.place.line}"
    if not answer.place.line:
        place = ""
    does = "…" if answer.does == INSIDE else answer.does
    line = Text.assemble(
        (f"{_cut(name, _PATH):<{_PATH}}  ", "" if name.startswith(" ") else "bold"), (f"{does:<17}  ", _style(answer))
    )
    if answer.does != "keep":
        line.append_text(_example(answer, width - len(line) - 2 - max(len(place), 4)))
    elif answer.notes:
        line.append(_cut(answer.notes[0], width - len(line) - 2 - max(len(place), 4)), style="dim")
    line.pad_right(max(width - len(line) - len(place), 2))
    return line.append(place, style="dim")
