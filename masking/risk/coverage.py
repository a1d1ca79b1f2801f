"""What became of the values at each path: kept, changed or gone; which of the kept look like identifiers; and which
identifiers are still told, masked, with the number of values that each could have.

Members of a document are looked at once, by their bytes before and after, and counted: most of an export repeats.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from masking.risk.domains import TOLD, size_class
from masking.risk.sketch import Sketch, hashed
from masking.risk.steps import Beside, Step, Steps, is_text, together
from masking.verify.kinds import Kind
from masking.verify.tree import Branch, Tree, Twig
from masking.verify.values import dicts, flat, walk

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder(float_hook=str).decode
_MEMORY = 50_000
_NAME = re.compile(r"[A-ZÀ-Þ][a-zß-ÿ'’-]+(?:[ ,.]+[A-ZÀ-Þ][a-zß-ÿ'’-]*){0,3}")
_DIGITS = re.compile(r"[0-9]")
_NUMBER_DIGITS = 6
VALUES, KEPT, CHANGED, GONE = range(4)


class PathCounts:
    """Counts by path of the pairs that were given. Paths are those of `masking.verify.tree`, with URLs."""

    def __init__(self) -> None:
        self._tree = Tree()
        self._steps: dict[str, Steps] = {}
        self._times: dict[tuple[str, str, bytes, bytes], int] = {}
        self._fates: dict[tuple[str, str, bytes, bytes], list[tuple[str, tuple[int, int, int, int]]]] = {}
        self.counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self.sketches: dict[str, Sketch] = defaultdict(Sketch)
        #: kind, class of its domain (`masking.risk.domains`), hash
        self.identifiers: set[tuple[int, int, int]] = set()

    def pair(self, source: bytes, masked: bytes) -> None:
        """Take in a document, or an entry of a Bundle, and what became of it. What is no JSON object tells nothing."""
        try:
            before, after = _members(source), _members(masked)
            kind = _value(before["resourceType"]) if "resourceType" in before else None
        except (msgspec.DecodeError, RecursionError):
            return
        if kind is None:
            self._members("Bundle.entry", self._entry, before, after, "resource")
            if "resource" in before and bytes(before["resource"])[:1] == b"{":
                self.pair(bytes(before["resource"]), bytes(after.get("resource", b"{}")))
        elif (branch := self._tree.root(kind)) is not None:
            self._members(kind, branch, before, after, "resourceType")

    @property
    def _entry(self) -> Branch:
        bundle = self._tree.root("Bundle")
        assert bundle is not None
        below = bundle.twig("entry").below
        assert below is not None
        return below

    def _members(
        self, kind: str, branch: Branch, before: dict[str, msgspec.Raw], after: dict[str, msgspec.Raw], without: str
    ) -> None:
        steps = self._steps.get(kind)
        if steps is None:
            steps = self._steps[kind] = Steps(self._tree, branch)
        for name, part in before.items():
            if name == without:
                continue
            old, new = bytes(part), bytes(after.get(name, b""))
            step = steps[name]
            if step.is_leaf and old != new and _is_plain(old) and (not new or _is_plain(new)):
                self._leaf(step, name, old, new)
                continue
            key = branch.path, name, old, new
            if key in self._times:
                self._times[key] += 1
                continue
            if len(self._times) >= _MEMORY:
                self.settle()
            try:
                first, second = _value(old), _value(new or b"null")
                self._fates[key] = list(self._look(branch, step, name, first, second))
                self._times[key] = 1
                if second is not None and (step.told_under is None or step.told_under.search(old)):
                    self._identify(branch, name, first, second)
            except (msgspec.DecodeError, RecursionError):
                continue

    def _leaf(self, step: Step, name: str, before: bytes, after: bytes) -> None:
        """A plain string that became another, or went: most are met once."""
        counts = self.counts[step.path]
        counts[0] += 1
        counts[2 if after else 3] += 1
        if after and step.kind is not None:
            text = before[1:-1].decode("utf-8", "replace")
            self.identifiers.add((int(step.kind), size_class(step.kind, text), hashed(text)))

    def settle(self) -> None:
        """Add up what was counted so far; to be called at the end."""
        for key, times in self._times.items():
            for path, fate in self._fates[key]:
                counts = self.counts[path]
                for index, number in enumerate(fate):
                    counts[index] += number * times
        self._times.clear()
        self._fates.clear()

    def _look(
        self, branch: Branch, step: Step, name: str, before: Any, after: Any
    ) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
        beside: Beside = {}
        if together(step, before, after, beside):
            for path, (is_prose, values, others) in beside.items():
                yield path, self._compared(path, is_prose, values, others)
            return
        old: dict[str, list[Any]] = defaultdict(list)
        new: dict[str, list[Any]] = defaultdict(list)
        texts: dict[str, bool] = {}
        for found, value in ((old, before), (new, after)):
            for twig, leaf in _leaves(self._tree, branch, {name: value}):
                found[twig.path].append(leaf)
                texts[twig.path] = is_text(twig)
        for path, values in old.items():
            yield path, self._compared(path, texts[path], values, new.get(path, []))

    def _compared(self, path: str, is_prose: bool, values: list[Any], others: list[Any]) -> tuple[int, int, int, int]:
        """How many values there are at a path, and how many of them are kept, changed and gone."""
        same = _same(values, others)
        changed = min(len(values), len(others)) - len(same)
        if same and is_prose:
            self._sketch(path, same)
        return len(values), len(same), changed, len(values) - len(same) - changed

    def _identify(self, branch: Branch, name: str, before: Any, after: Any) -> None:
        """Keep the identifiers of whose kind something is still told."""
        kinds = {kind for kind, _ in _identifiers(self._tree, branch, {name: after})}
        for kind, text in _identifiers(self._tree, branch, {name: before}):
            if kind in kinds:
                self.identifiers.add((int(kind), size_class(kind, text), hashed(text)))

    def _sketch(self, path: str, values: list[Any]) -> None:
        sketch = self.sketches[path]
        for value in values:
            if isinstance(value, str):
                sketch.add(value, bool(_NAME.fullmatch(value)), len(_DIGITS.findall(value)) >= _NUMBER_DIGITS)


def _is_plain(spelled: bytes) -> bool:
    return spelled[:1] == b'"' and b"\\" not in spelled


def _identifiers(tree: Tree, branch: Branch, value: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
    """The identifiers in an object, those of contained resources too."""
    if isinstance(own := value.get("id"), str) and "." not in branch.path:
        yield Kind.ID, own
    for found in walk(branch, value):
        if not isinstance(found, dict):
            if found[0] in TOLD:
                yield found
        elif (root := tree.root(found.get("resourceType"))) is not None:
            yield from _identifiers(tree, root, found)


def _leaves(tree: Tree, branch: Branch, value: dict[str, Any]) -> Iterator[tuple[Twig, Any]]:
    """All that is not an object or a list, with the twig at which it stands."""
    for name, inner in value.items():
        twig = branch.twig(name)
        if name == "resourceType" or inner is None:
            continue
        if twig.element is None:
            yield from ((twig, leaf) for leaf in _anything(inner))
        elif twig.is_extension:
            for one in dicts(inner):
                named = twig.extension(one.get("url"))
                assert named.below is not None
                yield from _leaves(tree, named.below, {key: part for key, part in one.items() if key != "url"})
        elif twig.is_resource:
            for one in dicts(inner):
                root = tree.root(one.get("resourceType"))
                if root is not None:
                    yield from _leaves(tree, root, one)
        elif twig.below is not None:
            for one in dicts(inner):
                yield from _leaves(tree, twig.below, one)
        else:
            yield from ((twig, leaf) for leaf in flat([inner]) if leaf is not None and not isinstance(leaf, dict))


def _anything(value: Any) -> Iterator[Any]:
    for one in flat([value]):
        if isinstance(one, dict):
            for inner in one.values():
                yield from _anything(inner)
        elif one is not None:
            yield one


def _same(before: list[Any], after: list[Any]) -> list[Any]:
    """The values that stand as they stood: place by place where as many are left, in any order where some went."""
    if len(before) == len(after):
        return [one for one, other in zip(before, after, strict=True) if type(one) is type(other) and one == other]
    left = list(after)
    found = []
    for one in before:
        if one in left:
            left.remove(one)
            found.append(one)
    return found
