"""One document before and after: what had to stay, what had to move, what must lead where it led, what became invalid.

Members of a resource are compared as wholes and remembered by their bytes, for most of an export repeats. Nothing here
knows how anything is masked: a table of paths says what stays, and what moves must move as all of its subject does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import msgspec

from masking.fhir.dates import age_on, ordinal, parse
from masking.verify import valid
from masking.verify.collect import name_of
from masking.verify.leads import (
    Fault,
    Link,
    decode,
    fragments,
    full_url,
    items,
    loose,
    names,
    narrative_links,
    owners,
    text_of,
)
from masking.verify.tree import AGE, GONE, KEEP, SHIFT, VOUCHED, Branch, Tree, Twig, told

_entries_of = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_MEMORY = 100_000

#: What masking adds of its own: labels, the reason why something is gone.
_ADDED = ("meta", "meta.security", "text.status", "text.div")


class Moved(NamedTuple):
    """A date that moved by so many days, and those whose it may be, by name, best first."""

    path: str
    days: int
    owners: tuple[str, ...]


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
        self.kept += other.kept
        if other.faults:
            self.faults += other.faults
        if other.moved:
            self.moved += other.moved
        if other.links:
            self.links += other.links
        if other.names:
            self.names += other.names


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
        kind = text_of(before.get("resourceType"))
        branch = self._tree.root(kind)
        if branch is None or text_of(after.get("resourceType")) != kind:
            done.faults.append(Fault("links", "another resource type", "resourceType"))
            return done
        for name in before.keys() | after.keys():
            if name == "entry" and kind == "Bundle":
                self._entries(bytes(before.get(name, b"[]")), bytes(after.get(name, b"[]")), done)
            elif name != "resourceType":
                done.add(self._member(branch, name, bytes(before.get(name, b"")), bytes(after.get(name, b""))))
        whose = owners(kind, before)
        done.moved = [one if one.owners else one._replace(owners=whose) for one in done.moved]
        old, new = frozenset(before), frozenset(after)
        if old != new:
            worse = valid.members(kind, new, kind) - valid.members(kind, old, kind)
            done.faults += [Fault("valid", what, path) for path, what in worse]
        done.names += names(kind, loose(before, "id"), loose(after, "id"), loose(before, "identifier"),
                             loose(after, "identifier"), "")  # fmt: skip
        if "contained" in before or b'"#' in masked:
            done.faults += fragments(kind, source, masked)
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
            done.names += full_url(loose(before, "fullUrl"), loose(after, "fullUrl"))

    def _member(self, branch: Branch, name: str, source: bytes, masked: bytes) -> Outcome:
        key = (branch.content, name, source, masked)
        found = self._known.get(key)
        if found is None:
            found = Outcome()
            try:
                before = decode(source) if source else None
                after = decode(masked) if masked else None
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
        if before is None:
            new = valid.faults_of(twig.element, after, twig.is_companion, twig.path)
        else:
            new = valid.new_faults(twig.element, before, after, twig.is_companion, twig.path)
        done.faults += [Fault("valid", what, told(path)) for path, what in new]

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
            self._extensions(twig, items(before), items(after), done)
            return
        old, new = items(before), items(after)
        if twig.below is None and not twig.is_resource:
            for index, one in enumerate(old):
                if one is not None:
                    self._leaf(twig, one, new[index] if index < len(new) else None, around, done)
            return
        if len(new) > len(old) and not twig.path.endswith(_ADDED):
            done.faults.append(Fault("kept", "there is more than there was", told(twig.path)))
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
        done.faults.append(Fault("kept", "something that was not there", told(twig.path)))

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
                    done.faults.append(Fault("links", "another resource type", told(twig.path)))
                    return
                done.names += names(branch.content, before.get("id"), after.get("id"), before.get("identifier"),
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
                done.faults.append(Fault("kept", what, told(twig.path)))
        elif action in (SHIFT, AGE) and isinstance(before, str) and isinstance(after, str):
            self._date(twig, before, after, done)
        name = twig.path.rpartition(".")[2]
        if isinstance(before, str) and isinstance(after, str):
            if name == "reference" or (name in ("url", "location", "fullUrl") and twig.path.startswith("Bundle.entry")):
                if old := name_of(before):
                    done.links.append(Link(told(twig.path), old, name_of(after)))
            elif name == "div":
                done.links += narrative_links(twig.path, before, after)

    def _date(self, twig: Twig, before: str, after: str, done: Outcome) -> None:
        if twig.action == SHIFT and (days := _whole_days(before, after)) is not None:
            done.moved.append(Moved(told(twig.path), days, ()))
            return
        old, new = parse(before), parse(after)
        path = told(twig.path)
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


def _whole_days(before: str, after: str) -> int | None:
    """By how many days a full date moved whose time and zone stayed; None for any other, which is looked at closely."""
    if len(before) < 10 or before[10:] != after[10:] or before[4:8:3] != "--" or after[4:8:3] != "--":
        return None
    if len(before) > 10 and (before[10] != "T" or parse(before) is None):
        return None
    try:
        return date.fromisoformat(after[:10]).toordinal() - date.fromisoformat(before[:10]).toordinal()
    except ValueError:
        return None
