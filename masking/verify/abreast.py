"""Goes down a document and what became of it, side by side: what may not come, what may not go, and in which order names stand.

Nothing here reads a value but URLs of extensions and types of resources, which say what is beside what. Values are handed to
a visitor, so that the same steps serve who judges them and who learns where they stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from masking.verify.leads import Fault, items
from masking.verify.tree import GONE, Branch, Tree, Twig, told

#: What masking adds of its own: labels, the reason why something is gone.
_ADDED = ("meta", "meta.security", "text.status", "text.div")


class Visitor(Protocol):
    """Takes what is met."""

    def value(self, twig: Twig, before: Any, after: Any, around: dict[str, Any]) -> None:
        """A value that is no object, and what is in its place; None where nothing is. around: the object it stands in."""

    def resource(self, kind: str, before: dict[str, Any], after: dict[str, Any], contained: bool) -> None:
        """A resource within another, before and after."""

    def fault(self, fault: Fault) -> None:
        """What is wrong however values are."""


class Abreast:
    """Goes down pairs of one tree for one visitor."""

    def __init__(self, tree: Tree, visitor: Visitor) -> None:
        self._tree = tree
        self._visitor = visitor

    def member(self, branch: Branch, name: str, before: Any, after: Any, around: dict[str, Any]) -> None:
        """One property of an object, None where it is not there."""
        twig = branch.twig(name)
        if twig.element is None:
            if after is not None and after == before:
                self._fault("kept", "an element that R4 does not have is still there", twig.path)
            return
        if before is None:
            self._new(branch, twig, after)
            return
        if twig.action == GONE and not (twig.is_extension or twig.is_companion):
            return
        if twig.is_extension:
            self._extensions(twig, items(before), items(after))
            return
        old, new = items(before), items(after)
        if twig.below is None and not twig.is_resource:
            for index, one in enumerate(old):
                if one is not None:
                    self._visitor.value(twig, one, new[index] if index < len(new) else None, around)
            return
        if len(new) > len(old) and not twig.path.endswith(_ADDED):
            self._fault("kept", "there is more than there was", told(twig.path))
        for index, one in enumerate(old):
            other = new[index] if index < len(new) else None
            if isinstance(one, dict):
                self._object(twig, one, other if isinstance(other, dict) else {})

    def _new(self, branch: Branch, twig: Twig, after: Any) -> None:
        """What was not there: reasons for what is gone, and labels, are all that may come."""
        if after is None or twig.is_companion or twig.is_extension:
            return
        place = twig.path.partition(".")[2]
        if place.startswith(_ADDED) or branch.content in ("Meta", "Narrative"):
            return
        self._fault("kept", "something that was not there", told(twig.path))

    def _extensions(self, twig: Twig, before: list[Any], after: list[Any]) -> None:
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
                    self._object(named, one, found.pop(0))
                else:
                    self._object(named, {name: value for name, value in one.items() if name != "url"}, {})

    def _object(self, twig: Twig, before: dict[str, Any], after: dict[str, Any]) -> None:
        branch: Branch | None = twig.below
        if twig.is_resource:
            branch = self._tree.root(before.get("resourceType"))
            if branch is None:
                return
            if after:
                if after.get("resourceType") != before.get("resourceType"):
                    self._fault("links", "another resource type", told(twig.path))
                    return
                self._visitor.resource(branch.content, before, after, twig.path.endswith("contained"))
        assert branch is not None
        if not in_order(before, after):
            self._fault("kept", OTHER_ORDER, told(twig.path))
        for name in before.keys() | after.keys():
            if name != "resourceType":
                self.member(branch, name, before.get(name), after.get(name), before)

    def _fault(self, check: str, what: str, path: str) -> None:
        self._visitor.fault(Fault(check, what, path))


#: What is wrong with an object whose names are not `in_order`.
OTHER_ORDER = "names of an object in another order"


def in_order(before: Iterable[str], after: Iterable[str]) -> bool:
    """Whether the names that two objects share stand in one order in both."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    return (old.keys() == new.keys() and list(old) == list(new)) or (
        [name for name in old if name in new] == [name for name in new if name in old]
    )
