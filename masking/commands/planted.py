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
from collections.abc import Callable, Iterable, Iterator
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
_DATA = re.compile(r'"data":"([A-Za-z0-9+/=]{8,})"')
_INDEX = re.compile(r"\[[0-9]+\]")

Key = tuple[str, str]  # resource type, masked id


class Value(NamedTuple):
    """A planted value."""

    kind: str
    path: str
    text: str


class _Suspect(NamedTuple):
    """A masked resource with planted values in it: those it had itself, and others' that are one person's alone."""

    source: Key
    line: str
    in_place: list[Value]
    elsewhere: list[Value]


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
    chance: Counter[str] = field(default_factory=Counter)  # there as the fake of something else, by kind
    unseen: int = 0  # places in resources that were not written
    lines: int = 0

    @property
    def found(self) -> int:
        """All that ought not to be there."""
        return self.leaked.total()


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
    suspects: list[_Suspect] = []
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
                in_place = [value for value in places.pop(key, ()) if _stands_in(value.text, text)]
                elsewhere = alone.look(text)
                if in_place or elsewhere:
                    suspects.append(_Suspect((key[0], ids.get(key, "")), line, in_place, elsewhere))
    result.unseen = sum(len(values) for values in places.values())
    _judge(plan, suspects, export, result)
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
        self._seen: set[str] = set()
        self._by_tokens: dict[str, Value] = {}
        self._lengths: dict[str, set[int]] = defaultdict(set)
        for value in values:
            tokens = _tokens(value.text)
            if value.kind not in _SHARED and sum(map(len, tokens)) >= _LEAST_ANYWHERE:
                self._by_tokens.setdefault(" ".join(tokens), value)
                self._lengths[tokens[0]].add(len(tokens))

    def look(self, text: str) -> list[Value]:
        """What is in the strings of a document; each string is looked at once, however often it comes."""
        found: list[Value] = []
        for string in set(text.split('"')) - self._seen:  # what stands between strings goes along
            self._seen.add(string)
            tokens = _tokens(string)
            for start, token in enumerate(tokens):
                for length in self._lengths.get(token, ()):
                    value = self._by_tokens.get(" ".join(tokens[start : start + length]))
                    if value is not None:
                        found.append(value)
        return found


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())


def _judge(plan: Plan, suspects: list[_Suspect], export: Path, result: Search) -> None:
    """Tell, of each value that was met, whether it stands where it stood, or is the fake of another one."""
    sources = dict(_sources(export, {suspect.source for suspect in suspects}))
    for suspect in suspects:
        source = sources.get(suspect.source)
        every = list(pairs(plan, source, json.loads(suspect.line))) if source is not None else []
        by_path: dict[str, list[Change]] = defaultdict(list)
        for pair in every:
            by_path[_INDEX.sub("", f"{suspect.source[0]}.{pair.path}")].append(pair)
        for value in suspect.in_place:
            _judge_one(value, by_path.get(value.path, []), result)
        for value in suspect.elsewhere:
            if value not in suspect.in_place:
                _judge_one(value, every, result)


def _judge_one(value: Value, there: list[Change], result: Search) -> None:
    """Count a value by what became of the places where it might have stood."""
    stayed = [pair for pair in there if _is_in(value, pair.before) and _is_in(value, pair.after)]
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


def _is_in(value: Value, text: str | None) -> bool:
    if text is None:
        return False
    return _stands_in(value.text, text) or f" {' '.join(_tokens(value.text))} " in f" {' '.join(_tokens(text))} "


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
