"""Read a policy: its file and those it extends, all problems at once, into the frozen specs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from masking.errors import UsageError
from masking.policy.library import find
from masking.policy.problems import Problems
from masking.policy.rules import DEFAULT, Listed, Section, Sections, read_sections
from masking.policy.source import Built, Source
from masking.policy.specs import Action, IdentifierRules, Place, Policy, Rule, TypeAction, TypeRule
from masking.policy.yaml_tree import Entry, Scalar, read_tree

T = TypeVar("T")

#: The version of the language, part of every hash: a rule that comes to mean something else is another policy.
LANGUAGE = 2
MAX_CHAIN = 8

_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_UNNAMED_TYPE = "no rule names the type"
_UNNAMED_IDENTIFIER = "no rule names the identifier"


def read_policy(source: str | Path, *, reference_date: str, search: Sequence[Path] = ()) -> Policy:
    """The policy in a file, or of a name that is shipped or lies in one of the `search` folders, `extends` resolved.

    A file overrules the one it extends rule by rule: by type, rule key, extension URL, identifier system and identifier
    type code; `keep` under `code_systems` and `publishers` replaces the inherited list, `also_keep` adds to it. A type
    that nobody names is refused, an identifier that nobody names redacted.

    `reference_date` (YYYY-MM-DD) is the run's, for maskers that take one and are given none. `sha256` is over what the
    rules mean, files they name included: not over comments, order, reasons, names or the run's date.

    Raises `UsageError` when there is no such policy, file or date, and `PolicyError` with every problem in every file.
    """
    _check_date(reference_date)
    path = find(source, search=search)
    problems = Problems(_display(path))
    chain, files = _read_chain(path, reference_date, search, problems)
    problems.refuse()
    return _merge(chain, files)


def _check_date(text: str) -> None:
    try:
        if not _FULL_DATE.match(text):
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise UsageError("the reference date is not a date of the form YYYY-MM-DD") from None


def _read_chain(
    path: Path, reference_date: str, search: Sequence[Path], problems: Problems
) -> tuple[list[Sections], list[str]]:
    """The files from the farthest base to the policy itself, and their names."""
    chain: list[Sections] = []
    files: list[str] = []
    seen: list[Path] = []
    next_path: Path | None = path
    while next_path is not None:
        here, next_path = next_path, None
        seen.append(here.resolve())
        problems.file = _display(here)
        tree = read_tree(here, problems)
        files.append(problems.file)
        if tree is None:
            break
        source = Source(problems, problems.file, here.parent, reference_date)
        said = read_sections(tree, source)
        chain.append(said)
        if said.extends is not None:
            next_path = _base(said.extends, source, search, seen)
    return chain[::-1], files[::-1]


def _base(extends: Entry, source: Source, search: Sequence[Path], seen: Sequence[Path]) -> Path | None:
    """The file that is extended; None after noting why there is none."""
    node = extends.node
    assert isinstance(node, Scalar)
    try:
        base = find(node.text, search=search, relative_to=source.folder)
    except UsageError as error:
        message, _, hint = str(error).partition("; ")
        source.bad(node, "$.extends", message, hint)
        return None
    if base.resolve() in seen:
        source.bad(node, "$.extends", "a policy that extends itself", "break the circle")
        return None
    if len(seen) >= MAX_CHAIN:
        source.bad(node, "$.extends", f"a chain of more than {MAX_CHAIN} policies")
        return None
    return base


def _display(path: Path) -> str:
    """A file as an error names it: relative to the working directory where it lies below it."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)


# ── from the files to one policy ─────────────────────────────────────────────────────────────────────────────────────


def _merge(chain: Sequence[Sections], files: Sequence[str]) -> Policy:
    own = chain[-1]
    nowhere = Place(files[-1], 1, "$")
    types = _last(said.types for said in chain)
    fallback = TypeRule(TypeAction.REFUSE, nowhere, _UNNAMED_TYPE)
    other_types = types.pop(DEFAULT, Built(fallback, TypeAction.REFUSE.value))
    rules = _last(said.rules for said in chain)
    extensions = _last(said.extensions for said in chain)
    systems = _last(said.systems for said in chain)
    codes = _last(said.codes for said in chain)
    redact = Built(Rule(Action.REDACT, nowhere, why=_UNNAMED_IDENTIFIER), {"action": "redact", "absent": False})
    default = next((said.default for said in reversed(chain) if said.default), redact)
    code_systems = _kept(said.code_systems for said in chain)
    publishers = _kept(said.publishers for said in chain)
    others = next((said.other_texts for said in reversed(chain) if said.other_texts), rules.get("string"))
    labels = next((said.labels for said in reversed(chain) if said.labels is not None), True)
    meaning = {
        "language": LANGUAGE,
        "labels": labels,
        "types": _canonical(types),
        "other_types": other_types.canonical,
        "rules": _canonical(rules),
        "extensions": _canonical(extensions),
        "systems": _canonical(systems),
        "codes": _canonical(codes),
        "default": default.canonical,
        "code_systems": sorted(code_systems),
        "other_texts": others.canonical if others else None,
        "publishers": sorted(publishers),
    }
    return Policy(
        name=own.policy,
        description=own.description,
        files=tuple(files),
        sha256=_sha256(meaning),
        types=_values(types),
        other_types=other_types.value,
        rules=_values(rules),
        extensions=_values(extensions),
        identifiers=IdentifierRules(_values(systems), _values(codes), default.value),
        code_systems=tuple(code_systems),
        other_texts=others.value if others else None,
        publishers=tuple(publishers),
        listed={
            **{("code_systems", pattern): place for pattern, place in code_systems.items()},
            **{("publishers", pattern): place for pattern, place in publishers.items()},
        },
        labels=labels,
    )


def _last(sections: Iterable[Section[T]]) -> Section[T]:
    """The sections as one; of two rules with one key, the later file's."""
    merged: Section[T] = {}
    for section in sections:
        merged |= section
    return merged


def _kept(chain: Iterable[Listed]) -> dict[str, Place]:
    """The patterns that hold, each with the place that said it first."""
    kept: dict[str, Place] = {}
    for said in chain:
        kept = dict(kept if said.keep is None else said.keep)
        for pattern, place in said.more.items():
            kept.setdefault(pattern, place)
    return kept


def _values(section: Section[T]) -> dict[str, T]:
    return {key: built.value for key, built in section.items()}


def _canonical(section: Section[T]) -> dict[str, Any]:
    return {key: built.canonical for key, built in section.items()}


def _sha256(meaning: Mapping[str, Any]) -> str:
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
