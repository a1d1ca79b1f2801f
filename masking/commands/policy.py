"""List, show and check policies.

list shows those that come with the program. show NAME prints one, to read or to copy: fhir-mask policy show
fhir_patient_resource > mine.yaml. check FILE says everything that is wrong with it at once, each with its line.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rich.syntax import Syntax

from masking.commands.screen import Screen, counted, facts, table
from masking.errors import UsageError
from masking.policy.explain import example_policy
from masking.policy.library import find, shipped
from masking.policy.plan import rules_of
from masking.policy.problems import did_you_mean
from masking.policy.specs import Action

USAGE = "fhir-mask policy list | show NAME | check FILE"
_VERBS = ("list", "show", "check")


def add_arguments(parser: ArgumentParser) -> None:
    """What `policy` takes."""
    parser.add_argument("verb", metavar="list|show|check")
    parser.add_argument("policy", metavar="NAME|FILE", nargs="?")


def run(arguments: Namespace, screen: Screen) -> int:
    """Do what the verb says."""
    if arguments.verb not in _VERBS:
        raise UsageError(
            f"there is no such thing to do with a policy; {did_you_mean(arguments.verb, _VERBS, f'usage: {USAGE}')}"
        )
    if arguments.verb == "list":
        return _list(screen)
    if arguments.policy is None:
        raise UsageError(f"name the policy or its file: fhir-mask policy {arguments.verb} NAME")
    if arguments.verb == "show":
        return _show(arguments.policy, screen)
    return _check(arguments.policy, screen)


def _list(screen: Screen) -> int:
    shown = table("Policy", "What it is for", fold=("What it is for",))
    for name in shipped():
        shown.add_row(name, example_policy(name).description)
    screen.show(shown)
    screen.say("fhir-mask policy show NAME prints one; --policy takes a name or a file of your own.")
    return 0


def _show(name: str, screen: Screen) -> int:
    text = Path(find(name)).read_text(encoding="utf-8")
    if screen.out.is_terminal:
        screen.out.print(Syntax(text, "yaml", word_wrap=True, background_color="default"))
    else:
        screen.write(text)
    return 0


def _check(name: str, screen: Screen) -> int:
    policy = example_policy(name)
    rules = rules_of(policy)
    counts = {action: sum(rule.action is action for rule in rules) for action in Action}
    screen.say(f"{policy.files[-1]} is a valid policy.", "green")
    kinds = ", ".join(f"{count} {action.value}" for action, count in counts.items())
    types = [f"{name}: {rule.action.value}" for name, rule in policy.types.items()]
    more = [f"and {len(types) - 6} more"] if len(types) > 6 else []
    said = [
        ("name", policy.name),
        ("extends", ", ".join(policy.files[:-1])),
        ("rules", f"{len(rules)}: {kinds}"),
        ("extensions", str(len(policy.extensions))),
        (
            "identifiers",
            f"{counted(len(policy.identifiers.systems), 'system')}, {counted(len(policy.identifiers.types), 'type')}",
        ),
        ("types", ", ".join([*types[:6], *more, f"others: {policy.other_types.action.value}"])),
        ("sha256", policy.sha256),
    ]
    screen.show(facts((name, value) for name, value in said if value))
    return 0
