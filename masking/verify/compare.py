"""One document before and after: what had to stay, what had to move, what must lead where it led, what became invalid.

Documents of a shape that was met before are held against its plan (`masking.verify.plans`), which lets pass what has no
fault. All others are looked at closely: members of a resource as wholes, remembered by their bytes. Nothing here knows how
anything is masked: a table of paths says what stays, and what moves must move as all of its subject does.
"""

from __future__ import annotations

from typing import Any

import msgspec

from masking.verify import valid
from masking.verify.abreast import OTHER_ORDER, Abreast, in_order
from masking.verify.judged import Vouching, judge
from masking.verify.leads import Fault, decode, fragments, full_url, loose, names, owners, text_of
from masking.verify.outcome import Outcome
from masking.verify.plans import Pair, Plans
from masking.verify.tree import Branch, Tree, Twig, told

_entries_of = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_MEMORY = 100_000
_LONG = 400  # bytes of an array whose items are compared each for itself


class Comparer:
    """Compares pairs of documents. vouched: code systems, or beginnings that end in `*`, whose displays stay."""

    def __init__(self, tree: Tree, vouched: tuple[str, ...], reference_date: str) -> None:
        self._tree = tree
        self._vouches = Vouching(vouched)
        self._on = reference_date
        self._known: dict[tuple[str, str, bytes, bytes], Outcome] = {}
        self._plans = Plans(tree, self._vouches, reference_date)

    def compare(self, source: bytes, masked: bytes) -> Outcome:
        """Both are JSON objects, or the answer says that they are not."""
        pair = self._plans.read(source, masked)
        found = self._plans.outcome(pair) if pair else None
        if found is None:
            found = self.closely(source, masked)
            if pair and not found.faults:
                self._plans.learn(pair)
        return found

    def closely(self, source: bytes, masked: bytes) -> Outcome:
        """The same, whatever was met before."""
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
        if not in_order(before, after):
            done.faults.append(Fault("kept", OTHER_ORDER, kind))
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
            if not in_order(before, after):
                done.faults.append(Fault("kept", OTHER_ORDER, "Bundle.entry"))
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
            found = self._items(branch, name, source, masked)
            if found is None:
                pair = self._parts(branch, name, source, masked)
                found = self._plans.outcome(pair) if pair else None
                if found is None:
                    found = self._looked_at(branch, name, source, masked)
                    if pair and not found.faults:
                        self._plans.learn(pair)
            if len(self._known) > _MEMORY:
                self._known.clear()
            self._known[key] = found
        return found

    def _parts(self, branch: Branch, name: str, source: bytes, masked: bytes) -> Pair | None:
        """A member by its shapes; None where it is not there any more, and where its name tells of what stands in it."""
        if not source or not masked or branch.twig(name).is_extension:
            return None
        return self._plans.read(source, masked, (branch, name))

    def _items(self, branch: Branch, name: str, source: bytes, masked: bytes) -> Outcome | None:
        """A long array an item at a time, where that is the same; None where it is not."""
        if len(source) < _LONG or source[:1] != b"[" or masked[:1] != b"[":
            return None
        element = branch.twig(name).element
        if element is None or element.content in (None, "Extension", "Resource", "Reference") or not element.is_array:
            return None
        try:
            old, new = _list(source), _list(masked)
        except (msgspec.DecodeError, RecursionError):
            return None
        if len(old) < 2 or len(old) != len(new) or {one[:1] for one in map(bytes, (*old, *new))} != {b"{"}:
            return None
        found = Outcome()
        for one, other in zip(old, new, strict=True):
            found.add(self._member(branch, name, b"[" + bytes(one) + b"]", b"[" + bytes(other) + b"]"))
        found.faults = list(dict.fromkeys(found.faults))
        return found

    def _looked_at(self, branch: Branch, name: str, source: bytes, masked: bytes) -> Outcome:
        found = Outcome()
        try:
            before = decode(source) if source else None
            after = decode(masked) if masked else None
            judging = _Judging(self._vouches, self._on, found)
            Abreast(self._tree, judging).member(branch, name, before, after, {})
            self._judge(branch, name, before, after, found)
        except (RecursionError, msgspec.DecodeError):
            found.faults.append(Fault("valid", "nested too deep", branch.path))
        found.faults = list(dict.fromkeys(found.faults))
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


class _Judging:
    """Judges what is met of one member."""

    def __init__(self, vouches: Vouching, on: str, done: Outcome) -> None:
        self._vouches, self._on, self._done = vouches, on, done

    def value(self, twig: Twig, before: Any, after: Any, around: dict[str, Any]) -> None:
        judge(twig, before, after, self._vouches(around.get("system")), self._on, self._done)

    def resource(self, kind: str, before: dict[str, Any], after: dict[str, Any], contained: bool) -> None:
        self._done.names += names(kind, before.get("id"), after.get("id"), before.get("identifier"),
                                  after.get("identifier"), "#" if contained else "")  # fmt: skip

    def fault(self, fault: Fault) -> None:
        self._done.faults.append(fault)
