"""One document before and after: what had to stay, what had to move, what must lead where it led, what became invalid.

Members of a resource are compared as wholes and remembered by their bytes, for most of an export repeats. Nothing here
knows how anything is masked: a table of paths says what stays, and what moves must move as all of its subject does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from masking.fhir.dates import age_on, ordinal, parse
from masking.fhir.references import parse as parse_reference
from masking.verify import valid
from masking.verify.collect import candidates, name_of, owner_paths
from masking.verify.tree import AGE, GONE, KEEP, SHIFT, VOUCHED, Branch, Tree, Twig, shown
from masking.verify.valid import Spelled

_entries_of = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder(float_hook=Spelled).decode
_MEMORY = 100_000
_LINK = re.compile(r"""(?:href|src)\s*=\s*["']([^"']+)["']""")

#: What masking adds of its own: labels, the reason why something is gone.
_ADDED = ("meta", "meta.security", "text.status", "text.div")


class Fault(NamedTuple):
    """What is wrong, and at which path."""

    check: str  # kept, dates, valid, links
    what: str
    path: str


class Moved(NamedTuple):
    """A date that moved by so many days, and those whose it may be, by name, best first."""

    path: str
    days: int
    owners: tuple[str, ...]


class Link(NamedTuple):
    """What a reference, or a resource's own name, was and is."""

    path: str
    before: str
    after: str


@dataclass(slots=True)
class Outcome:
    """What one pair gave."""

    faults: list[Fault] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    names: list[Link] = field(default_factory=list)  # of resources: id, fullUrl, identifiers
    kept: int = 0  # values that had to stay and did

    def add(self, other: Outcome) -> None:
        """The other's too."""
        self.faults += other.faults
        self.moved += other.moved
        self.links += other.links
        self.names += other.names
        self.kept += other.kept


class Comparer:
    """Compares pairs of documents. vouched: code systems, or beginnings that end in `*`, whose displays stay."""

    def __init__(self, tree: Tree, vouched: tuple[str, ...], reference_date: str) -> None:
        self._tree = tree
        self._exact = frozenset(one for one in vouched if not one.endswith("*"))
        self._begins = tuple(one[:-1] for one in vouched if one.endswith("*"))
        self._on = reference_date
        self._known: dict[tuple[str, str, bytes, bytes], Outcome] = {}

    def compare(self, source: bytes, masked: bytes) -> Outcome:
        """Both are JSON objects, or the answer says that they are not."""
        done = Outcome()
        try:
            before, after = _members(source), _members(masked)
        except (msgspec.DecodeError, RecursionError):
            done.faults.append(Fault("valid", "no JSON object", "?"))
            return done
        kind = _text(before.get("resourceType"))
        branch = self._tree.root(kind)
        if branch is None or _text(after.get("resourceType")) != kind:
            done.faults.append(Fault("links", "another resource type", "resourceType"))
            return done
        for name in before.keys() | after.keys():
            if name == "entry" and kind == "Bundle":
                self._entries(bytes(before.get(name, b"[]")), bytes(after.get(name, b"[]")), done)
            elif name != "resourceType":
                done.add(self._member(branch, name, bytes(before.get(name, b"")), bytes(after.get(name, b""))))
        owners = _owners(kind, before)
        done.moved = [one if one.owners else one._replace(owners=owners) for one in done.moved]
        old, new = frozenset(before), frozenset(after)
        if old != new:
            worse = valid.members(kind, new, kind) - valid.members(kind, old, kind)
            done.faults += [Fault("valid", what, path) for path, what in worse]
        done.names += _names(kind, _loose(before, "id"), _loose(after, "id"), _loose(before, "identifier"),
                             _loose(after, "identifier"), "")  # fmt: skip
        if "contained" in before or b'"#' in masked:
            done.faults += _fragments(kind, source, masked)
        return done

    def _entries(self, source: bytes, masked: bytes, done: Outcome) -> None:
        """A Bundle's entries, each resource as a document of its own."""
        bundle = self._tree.root("Bundle")
        assert bundle is not None
        branch = bundle.twig("entry").below
        assert branch is not None
        old, new = _entries_of(source), _entries_of(masked)
        if len(old) != len(new):
            done.faults.append(Fault("counts", "another number of entries", "Bundle.entry"))
        for before, after in zip(old, new, strict=False):
            for name in before.keys() | after.keys():
                one, other = bytes(before.get(name, b"")), bytes(after.get(name, b""))
                if name == "resource" and one and other:
                    done.add(self.compare(one, other))
                else:
                    done.add(self._member(branch, name, one, other))
            done.names += _full_url(_loose(before, "fullUrl"), _loose(after, "fullUrl"))

    def _member(self, branch: Branch, name: str, source: bytes, masked: bytes) -> Outcome:
        key = (branch.content, name, source, masked)
        found = self._known.get(key)
        if found is None:
            found = Outcome()
            try:
                before = _value(source) if source else None
                after = _value(masked) if masked else None
                self._property(branch, name, before, after, {}, found)
                self._judge(branch, name, before, after, found)
            except (RecursionError, msgspec.DecodeError):
                found.faults.append(Fault("valid", "nested too deep", branch.path))
            found.faults = list(dict.fromkeys(found.faults))
            if len(self._known) > _MEMORY:
                self._known.clear()
            self._known[key] = found
        return found

    @staticmethod
    def _judge(branch: Branch, name: str, before: Any, after: Any, done: Outcome) -> None:
        """New faults against R4."""
        twig = branch.twig(name)
        if after is None or before == after:
            return
        if twig.element is None:
            if after is not None and before is None:
                done.faults.append(Fault("valid", "no such element", twig.path))
            return
        new = valid.faults_of(twig.element, after, twig.is_companion, twig.path)
        if new and before is not None:
            new -= valid.faults_of(twig.element, before, twig.is_companion, twig.path)
        done.faults += [Fault("valid", what, shown(path)) for path, what in new]

    # ── one property ──

    def _property(
        self, branch: Branch, name: str, before: Any, after: Any, around: dict[str, Any], done: Outcome
    ) -> None:
        twig = branch.twig(name)
        if twig.element is None:
            if after is not None and after == before:
                done.faults.append(Fault("kept", "an element that R4 does not have is still there", twig.path))
            return
        if before is None:
            self._new(branch, twig, after, done)
            return
        if twig.action == GONE and not (twig.is_extension or twig.is_companion):
            return
        if twig.is_extension:
            self._extensions(twig, _list(before), _list(after), done)
            return
        old, new = _list(before), _list(after)
        if twig.below is None and not twig.is_resource:
            for index, one in enumerate(old):
                if one is not None:
                    self._leaf(twig, one, new[index] if index < len(new) else None, around, done)
            return
        if len(new) > len(old) and not twig.path.endswith(_ADDED):
            done.faults.append(Fault("kept", "there is more than there was", shown(twig.path)))
        for index, one in enumerate(old):
            other = new[index] if index < len(new) else None
            if isinstance(one, dict):
                self._object(twig, one, other if isinstance(other, dict) else {}, done)

    def _new(self, branch: Branch, twig: Twig, after: Any, done: Outcome) -> None:
        """What was not there: reasons for what is gone, and labels, are all that may come."""
        if after is None or twig.is_companion or twig.is_extension:
            return
        place = twig.path.partition(".")[2]
        if place.startswith(_ADDED) or branch.content in ("Meta", "Narrative"):
            return
        done.faults.append(Fault("kept", "something that was not there", shown(twig.path)))

    def _extensions(self, twig: Twig, before: list[Any], after: list[Any], done: Outcome) -> None:
        """Extensions by URL, in order: those that no rule names are gone."""
        waiting: dict[str, list[dict[str, Any]]] = {}
        for one in after:
            if isinstance(one, dict):
                waiting.setdefault(str(one.get("url")), []).append(one)
        for one in before:
            if isinstance(one, dict):
                found = waiting.get(str(one.get("url")), [])
                named = twig.extension(one.get("url"))
                if found:
                    self._object(named, one, found.pop(0), done)
                else:
                    self._object(named, {name: value for name, value in one.items() if name != "url"}, {}, done)

    def _object(self, twig: Twig, before: dict[str, Any], after: dict[str, Any], done: Outcome) -> None:
        branch: Branch | None = twig.below
        if twig.is_resource:
            branch = self._tree.root(before.get("resourceType"))
            if branch is None:
                return
            if after:
                if after.get("resourceType") != before.get("resourceType"):
                    done.faults.append(Fault("links", "another resource type", shown(twig.path)))
                    return
                done.names += _names(branch.content, before.get("id"), after.get("id"), before.get("identifier"),
                                     after.get("identifier"), "#" if twig.path.endswith("contained") else "")  # fmt: skip
        assert branch is not None
        for name in before.keys() | after.keys():
            if name != "resourceType":
                self._property(branch, name, before.get(name), after.get(name), before, done)

    # ── one value ──

    def _leaf(self, twig: Twig, before: Any, after: Any, around: dict[str, Any], done: Outcome) -> None:
        action = twig.action
        if action == VOUCHED:
            action = KEEP if self._vouches(around.get("system")) else ""
        if action == KEEP:
            if type(before) is type(after) and before == after:
                done.kept += 1
            else:
                what = "a value that was to stay is gone" if after is None else "a value that was to stay is another"
                done.faults.append(Fault("kept", what, shown(twig.path)))
        elif action in (SHIFT, AGE) and isinstance(before, str) and isinstance(after, str):
            self._date(twig, before, after, done)
        name = twig.path.rpartition(".")[2]
        if isinstance(before, str) and isinstance(after, str):
            if name == "reference" or (name in ("url", "location", "fullUrl") and twig.path.startswith("Bundle.entry")):
                if old := name_of(before):
                    done.links.append(Link(shown(twig.path), old, name_of(after)))
            elif name == "div":
                _links(twig.path, before, after, done)

    def _date(self, twig: Twig, before: str, after: str, done: Outcome) -> None:
        old, new = parse(before), parse(after)
        path = shown(twig.path)
        if old is None:
            return
        if new is None or new.precision != old.precision:
            done.faults.append(Fault("dates", "a date of another precision", path))
            return
        if new.rest != old.rest:
            done.faults.append(Fault("dates", "another time of day or zone", path))
        first, second = ordinal(before), ordinal(after)
        if twig.action == AGE:
            if first is not None and first == second:
                done.faults.append(Fault("dates", "a birth date that did not move", path))
            # A month counts as its first day, as R4 tells no more of it; a year tells no age by itself.
            day = "-01" if old.precision == "month" else ""
            if age_on(before + day, self._on) != age_on(after + day, self._on):
                done.faults.append(Fault("dates", "another age on the reference date", path))
        elif first is not None and second is not None:
            done.moved.append(Moved(path, second - first, ()))

    def _vouches(self, system: Any) -> bool:
        return isinstance(system, str) and (system in self._exact or system.startswith(self._begins or ("\0",)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(raw: Any) -> str:
    return str(_value(raw)) if raw is not None else ""


def _loose(members: dict[str, msgspec.Raw], name: str) -> Any:
    return _value(members[name]) if name in members else None


def _names(kind: str, before: Any, after: Any, identifiers: Any, others: Any, contained: str) -> Iterator[Link]:
    """What a resource is found by, before and after. What is contained is found within its document alone."""
    if contained:
        return
    if isinstance(before, str):
        yield Link(f"{kind}.id", f"{kind}/{before}", f"{kind}/{after}" if isinstance(after, str) else "")
    for one, other in zip(_list(identifiers), _list(others), strict=False):
        if isinstance(one, dict) and isinstance(other, dict) and "value" in one and "value" in other:
            old, new = (f"{kind}?identifier={part.get('system', '')}|{part['value']}" for part in (one, other))
            yield Link(f"{kind}.identifier", old, new)


def _owners(kind: str, members: dict[str, msgspec.Raw]) -> tuple[str, ...]:
    """Those whose a resource may be, by name; its own where it says nothing."""
    heads = {path.partition(".")[0] for path in owner_paths(kind)}
    loose = {name: _value(members[name]) for name in heads if name in members}
    own = _loose(members, "id")
    found = tuple(dict.fromkeys(candidates(kind, loose)))
    return found or ((f"{kind}/{own}",) if isinstance(own, str) else ("?",))


def _full_url(old: Any, new: Any) -> Iterator[Link]:
    if isinstance(old, str) and isinstance(new, str) and (name := name_of(old)):
        yield Link("Bundle.entry.fullUrl", name, name_of(new))


def _links(path: str, before: str, after: str, done: Outcome) -> None:
    """References in a narrative, where as many are left."""
    old, new = _LINK.findall(before), _LINK.findall(after)
    if len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            if (name := name_of(one)) and parse_reference(one).kind != "conditional":
                done.links.append(Link(path, name, name_of(other)))


_FRAGMENT = re.compile(rb'"reference"\s*:\s*"#([^"]+)"')
_OWN_ID = re.compile(rb'"id"\s*:\s*"([^"]+)"')


def _fragments(kind: str, source: bytes, masked: bytes) -> list[Fault]:
    """References within a document: as many of them lead somewhere as did."""

    def leading(document: bytes) -> list[bool]:
        ids = set(_OWN_ID.findall(document))
        return [target in ids for target in _FRAGMENT.findall(document)]

    before, after = leading(source), leading(masked)
    if sum(after) < sum(before) and len(after) >= len(before):
        return [Fault("links", "a reference to what is contained leads nowhere", f"{kind}.contained")]
    return []
