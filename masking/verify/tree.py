"""The elements that documents hold, as a tree that grows where they lead. R4's table says what each is.

A path is FHIR's, without indexes; an extension's has its URL (`Patient.extension[http://…].valueCode`), and what is
contained begins anew with its own type. What R4 does not have is one branch, `?`, whatever its name is.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from masking.fhir.elements import Element, children, contents, resource_types

#: What a policy does at a path: what stays to the byte; what stays where a listed code system vouches for it; dates that
#: move by their subject's days; birth dates that keep the age; what goes as a whole; anything else changes.
KEEP, VOUCHED, SHIFT, AGE, GONE, CHANGE = "keep", "vouched", "shift", "age", "gone", "change"


class Twig:
    """One property of a branch. element: None for what R4 does not have; below: the branch of an object, None for others."""

    __slots__ = ("_by_url", "_tree", "action", "below", "element", "is_companion", "path")

    def __init__(self, tree: Tree, element: Element | None, path: str, content: str | None, is_companion: bool) -> None:
        self.element = element
        self.path = path
        self.is_companion = is_companion
        self.below = Branch(tree, content, path) if content and content not in ("Extension", "Resource") else None
        self.action = tree.actions.get(path, CHANGE)
        self._tree = tree
        self._by_url: dict[str, Twig] = {}

    def extension(self, url: object) -> Twig:
        """The twig of one extension among those here."""
        name = url if isinstance(url, str) else "?"
        found = self._by_url.get(name)
        if found is None:
            found = self._by_url[name] = Twig(self._tree, self.element, f"{self.path}[{name}]", None, False)
            found.below = Branch(self._tree, "Extension", found.path)
        return found

    @property
    def is_extension(self) -> bool:
        """Whether extensions stand here."""
        return self.element is not None and self.element.content == "Extension"

    @property
    def is_resource(self) -> bool:
        """Whether resources stand here."""
        return self.element is not None and self.element.content == "Resource"

    def grown(self) -> Iterator[str]:
        """The paths of it and all below."""
        yield self.path
        for twig in self._by_url.values():
            yield from twig.grown()
        if self.below is not None:
            for twig in self.below.twigs.values():
                yield from twig.grown()


class Branch:
    """An object of one content type at one path."""

    __slots__ = ("_tree", "content", "path", "twigs")

    def __init__(self, tree: Tree, content: str, path: str) -> None:
        self.content = content
        self.path = path
        self.twigs: dict[str, Twig] = {}
        self._tree = tree

    def twig(self, name: str) -> Twig:
        """The property of that name."""
        found = self.twigs.get(name)
        if found is None:
            known = children(self.content)
            element, content, companion = known.get(name), None, False
            if element is None and name[:1] == "_" and (base := known.get(name[1:])) and base.is_primitive:
                element, content, companion = base, "Element", True
            elif element is not None:
                content = element.content
            if element is None and name != "resourceType":
                name = "?"
                if "?" in self.twigs:
                    return self.twigs["?"]
            found = self.twigs[name] = Twig(self._tree, element, f"{self.path}.{name}", content, companion)
        return found


class Tree:
    """The trees of all resource types. actions: what a policy does at each path, as data."""

    def __init__(self, actions: Mapping[str, str] | None = None) -> None:
        self.actions = actions or {}
        self._roots: dict[str, Branch] = {}

    def root(self, resource_type: object) -> Branch | None:
        """The branch of a type; None for what R4 does not have."""
        if not isinstance(resource_type, str):
            return None
        found = self._roots.get(resource_type)
        if found is None and resource_type in resource_types():
            found = self._roots[resource_type] = Branch(self, resource_type, resource_type)
        return found

    def paths(self) -> list[str]:
        """All paths that were met."""
        return sorted(path for root in self._roots.values() for twig in root.twigs.values() for path in twig.grown())


@functools.lru_cache(100_000)
def shown(path: str) -> str:
    """A path for the clean side: an extension's URL came out of the data, so it is not told."""
    out, depth = [], 0
    for letter in path:
        depth += letter == "["
        if not depth:
            out.append(letter)
        depth -= letter == "]" and depth > 0
    return "".join(out)


@functools.cache
def told(path: str) -> str:
    """The same for a path out of a document: a name that R4 does not have may be anything, and is `?`."""
    first, *names = shown(path).split(".")
    content: str | None = first if first in resource_types() else None
    parts = [first if content else "?"]
    for name in names:
        known = children(content) if content is not None and content in contents() else {}
        element = known.get(name.removeprefix("_"))
        parts.append(name if element is not None or name == "resourceType" else "?")
        content = None if element is None else "Element" if name[:1] == "_" else element.content
    return ".".join(parts)
