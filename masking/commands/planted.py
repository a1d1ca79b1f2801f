"""Look for a sample's planted values in what masking made of it.

Two searches, for two questions. *In place*: is a value still in the masked form of the very resource it was planted in?
Every value is looked for there. *Anywhere*: does a value that is one person's alone (a number, an address, a URL) stand
in any file? Names, places and dates are not looked for everywhere: fakes are drawn from the same names, real towns and
the same calendar, so one person's true town is another's fake one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from masking.commands.compare import Change, pairs
from masking.policy.plan import Plan
from masking.policy.specs import Action, Rule
from masking.sample import Truth

#: Drawn from public lists, so that fakes meet them.
_SHARED = frozenset({"names", "geographic", "dates"})
#: Shorter ones stand everywhere by chance; a year alone identifies nobody (45 CFR 164.514(b)(2)(i)(C)).
_LEAST_ANYWHERE = 6
_LEAST_DATE = 5
_TOKEN = re.compile(r"[^\W_]+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_DATA = re.compile(r'"data":"([A-Za-z0-9+/=]{8,})"')
_INDEX = re.compile(r"\[[0-9]+\]")

Key = tuple[str, str]  # resource type, masked id


class Value(NamedTuple):
    """A planted value."""

    kind: str
    path: str
    text: str


class Remains(NamedTuple):
    """What of one kind is still there at one path, and the rule that let it."""

    kind: str
    path: str
    rule: Rule


@dataclass(slots=True)
class Search:
    """What was looked for and found."""

    planted: Counter[str] = field(default_factory=Counter)  # places, by kind
    distinct: Counter[str] = field(default_factory=Counter)  # values, by kind
    kept: Counter[Remains] = field(default_factory=Counter)  # in place, because a rule keeps it
    leaked: Counter[Remains] = field(default_factory=Counter)  # in place, though no rule keeps it
    chance: Counter[str] = field(default_factory=Counter)  # in the resource, as something else's fake, by kind
    anywhere: Counter[str] = field(default_factory=Counter)  # one person's alone, in another resource, by kind
    unseen: int = 0  # places in resources that were not written
    lines: int = 0

    @property
    def found(self) -> int:
        """All that ought not to be there."""
        return self.leaked.total() + self.anywhere.total()


class _Header(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 (FHIR's name)
    id: str = ""


def search(
    plan: Plan,
    truth: Path,
    export: Path,
    masked: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Search:
    """Search the files below `masked` for the values of `truth`, planted in `export`; `progress` counts bytes.

    Holds the truth in memory: for samples of some thousand patients.
    """
    result = Search()
    places, ids = _planted(plan, truth, result)
    alone = _Alone(value for values in places.values() for value in values)
    suspects: list[tuple[Key, str, list[Value]]] = []
    files = sorted(masked.rglob("*.ndjson"))
    total, done = sum(file.stat().st_size for file in files), 0
    for file in files:
        with file.open(encoding="utf-8") as stream:
            for line in stream:
                result.lines += 1
                done += len(line)
                if result.lines % 5000 == 0:
                    progress(done, total)
                header = msgspec.json.decode(line, type=_Header)
                key = (header.resourceType, header.id)
                text = _readable(line)
                found = [value for value in places.pop(key, ()) if _stands_in(value.text, text)]
                if found:
                    suspects.append((key, line, found))
                alone.look(text)
    result.unseen = sum(len(values) for values in places.values())
    _judge(plan, suspects, ids, export, result)
    in_place = {value.text for _, _, values in suspects for value in values}
    result.anywhere.update(value.kind for value in alone.found if value.text not in in_place)
    return result


def _planted(plan: Plan, truth: Path, result: Search) -> tuple[dict[Key, list[Value]], dict[Key, str]]:
    """Values by the masked resource they must not be in, and source ids by masked ones."""
    decode = msgspec.json.Decoder(Truth).decode
    known: dict[Value, Value] = {}
    by_source: dict[Key, list[Value]] = defaultdict(list)
    with truth.open("rb") as stream:
        for line in stream:
            said = decode(line)
            result.planted[said.kind] += 1
            if said.kind != "dates" or len(said.value) >= _LEAST_DATE:
                value = Value(said.kind, said.path, said.value)
                by_source[said.type, said.id].append(known.setdefault(value, value))
    result.distinct.update(kind for kind, _ in {(value.kind, value.text) for value in known})
    masked_ids = _masked_ids(plan, by_source)
    return {masked_ids[key]: values for key, values in by_source.items()}, {
        masked_ids[key]: key[1] for key in by_source
    }


def _masked_ids(plan: Plan, keys: Iterable[Key]) -> dict[Key, Key]:
    by_type: dict[str, list[str]] = defaultdict(list)
    for name, source_id in keys:
        by_type[name].append(source_id)
    masked: dict[Key, Key] = {}
    for name, ids in by_type.items():
        rule = plan.root(name).child("id").rule
        answers = ids if rule.masker is None else plan.bound(rule.masker).mask_distinct(ids)
        masked |= {(name, one): (name, answer or "") for one, answer in zip(ids, answers, strict=True)}
    return masked


def _readable(line: str) -> str:
    """A line with no escapes left and with its attachments decoded behind it."""
    if "\\" in line:
        line = json.dumps(json.loads(line), ensure_ascii=False).replace('\\"', '"').replace("\\\\", "\\")
    for found in _DATA.finditer(line):
        try:
            line += " " + base64.b64decode(found[1], validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            continue
    return line


def _stands_in(value: str, text: str) -> bool:
    """Whether a value is in a text as a word of its own: `Ann` is not in `Annual`."""
    at = text.find(value)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(value) : at + len(value) + 1]
        if not (before.isalnum() and value[0].isalnum()) and not (after.isalnum() and value[-1].isalnum()):
            return True
        at = text.find(value, at + 1)
    return False


class _Alone:
    """Finds values that are one person's alone, however their letters and punctuation are spelled."""

    def __init__(self, values: Iterable[Value]) -> None:
        self.found: set[Value] = set()
        self._seen: set[str] = set()
        self._by_tokens: dict[str, Value] = {}
        self._lengths: dict[str, set[int]] = defaultdict(set)
        for value in values:
            tokens = _tokens(value.text)
            if value.kind not in _SHARED and sum(map(len, tokens)) >= _LEAST_ANYWHERE:
                self._by_tokens.setdefault(" ".join(tokens), value)
                self._lengths[tokens[0]].add(len(tokens))

    def look(self, text: str) -> None:
        """Look through the strings of a document; each string once, however often it comes."""
        for string in set(_STRING.findall(text)) - self._seen:
            self._seen.add(string)
            tokens = _tokens(string)
            for start, token in enumerate(tokens):
                for length in self._lengths.get(token, ()):
                    value = self._by_tokens.get(" ".join(tokens[start : start + length]))
                    if value is not None:
                        self.found.add(value)


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())


def _judge(
    plan: Plan,
    suspects: list[tuple[Key, str, list[Value]]],
    ids: Mapping[Key, str],
    export: Path,
    result: Search,
) -> None:
    """Tell, for each value that is still in its resource, whether it stands where it stood."""
    wanted = {(key[0], ids[key]) for key, _, _ in suspects}
    sources = dict(_sources(export, wanted))
    for key, line, values in suspects:
        source = sources.get((key[0], ids[key]))
        every = list(pairs(plan, source, json.loads(line))) if source is not None else []
        by_path: dict[str, list[Change]] = defaultdict(list)
        for pair in every:
            by_path[_INDEX.sub("", f"{key[0]}.{pair.path}")].append(pair)
        for value in values:
            _judge_one(value, by_path.get(value.path, []), result)


def _judge_one(value: Value, there: list[Change], result: Search) -> None:
    stayed = [
        pair
        for pair in there
        if pair.before and pair.after and _stands_in(value.text, pair.before) and _stands_in(value.text, pair.after)
    ]
    if not stayed:
        result.chance[value.kind] += 1
        return
    rule, is_same = stayed[0].rule, stayed[0].before == stayed[0].after
    if rule.action is Action.KEEP:
        result.kept[Remains(value.kind, value.path, rule)] += 1
    elif is_same and value.kind in _SHARED:
        result.chance[value.kind] += 1  # the fake is the same one: a common name, a month that stayed
    else:
        result.leaked[Remains(value.kind, value.path, rule)] += 1


def _sources(export: Path, wanted: set[Key]) -> Iterator[tuple[Key, dict[str, Any]]]:
    types = {name for name, _ in wanted}
    for file in sorted(export.rglob("*.ndjson")):
        if file.name.partition(".")[0] not in types:
            continue
        with file.open("rb") as stream:
            for line in stream:
                if not line.strip():
                    continue
                header = msgspec.json.decode(line, type=_Header)
                if (header.resourceType, header.id) in wanted:
                    yield (header.resourceType, header.id), json.loads(line)
